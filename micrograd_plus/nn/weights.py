"""Save a module's weights and load them again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from reprlib import repr as short_repr
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar

from micrograd_plus._support import files
from micrograd_plus._support.errors import nearest
from micrograd_plus._support.files import write_atomically
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value

FORMAT = "micrograd_plus weights"
VERSION = 1
LONG = 240  # characters: of a name or a path, messages show no more
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # JSON has no such numbers: they are strings there
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}  # safetensors' names for what we read, and NumPy's

T = TypeVar("T")
State = dict[str, float | list[float]]
StrPath = str | os.PathLike[str]


class Named(Protocol):
    """Whatever names its parameters, as `nn.Module` does."""

    def named_parameters(self) -> Iterable[tuple[str, Value]]: ...


def save(module: Named, path: StrPath) -> None:
    """Write the module's weights to a file, whole or not at all.

    The suffix picks the format: `.json` can be read by people, `.safetensors` (with the extra of that name) is compact
    and known to other frameworks. Both keep every float64 to the last bit (nan without its payload).

    Raises:
        ValueError: another suffix.
        ImportError: `.safetensors` without the extra.
        OSError: the file cannot be written; whatever was there is untouched.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> class Line:
    ...     w, b = [Value(0.1), Value(-2.0)], Value(float("inf"))
    ...     def named_parameters(self):
    ...         return [("w.0", self.w[0]), ("w.1", self.w[1]), ("b", self.b)]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "line.json")
    ...     save(Line(), path)
    ...     print(path.read_text())
    {
      "format": "micrograd_plus weights",
      "version": 1,
      "weights": {
        "w": [0.1, -2.0],
        "b": "inf"
      }
    }
    """
    write_atomically(path, _codec(path).encode(state_dict(module)))


def rehearse(module: Named, path: StrPath) -> None:
    """Find out whether `save` could write there, and leave everything as it is.

    Raises:
        ValueError, ImportError, OSError: as `save` would.
    """
    files.rehearse(path, _codec(path).encode(state_dict(module)))


def load(module: Named, path: StrPath) -> None:
    """Give the module the weights in a file that `save` wrote; if anything is wrong, the module stays as it was.

    A `.safetensors` file may come from elsewhere: float64, float32 and float16 tensors with the right names are read.

    Raises:
        ValueError: another suffix, a broken or truncated file, another format or version, another shape, missing or
            extra names, something that is no number.
        FileNotFoundError: no such file.
        ImportError: `.safetensors` without the extra.

    >>> class Unit:
    ...     b = Value(0.5)
    ...     def named_parameters(self):
    ...         return [("b", self.b)]
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Unit(), os.path.join(folder, "unit.json"))
    ...     Unit.b.data = 7.0
    ...     load(Unit(), os.path.join(folder, "unit.json"))
    ...     Unit.b
    Value(data=0.5, grad=0.0)
    """
    decode = _codec(path).decode
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"cannot load {_quoted(path)}: no such file; save(path) writes one") from None
    try:
        load_state_dict(module, decode(content))
    except ValueError as error:
        raise ValueError(f"cannot load {_quoted(path)}: {error}") from None


def state_dict(module: Named) -> State:
    """The weights by name: a list for a vector of parameters (`w` for `w.0`, `w.1`, ...), a number for a single one.

    >>> class Line:
    ...     def named_parameters(self):
    ...         return [("w.0", Value(1.0)), ("w.1", Value(2.0)), ("b", Value(3.0))]
    >>> state_dict(Line())
    {'w': [1.0, 2.0], 'b': 3.0}
    """
    return {
        name: [value.data for value in slot] if isinstance(slot, list) else slot.data
        for name, slot in _slots(module).items()
    }


def load_state_dict(module: Named, state: Mapping[str, object]) -> None:
    """Give the module the weights that `state_dict` returned; if anything is wrong, it stays as it was.

    Raises:
        ValueError: missing or extra names, another shape, something that is no number.

    >>> class Unit:
    ...     b = Value(0.5)
    ...     def named_parameters(self):
    ...         return [("b", self.b)]
    >>> load_state_dict(Unit(), {"b": [1.0, 2.0]})
    Traceback (most recent call last):
    ValueError: 'b': expected a number that fits a float, got [1.0, 2.0]
    """
    slots = _slots(module)
    if state.keys() != slots.keys():
        raise _wrong_names([name for name in slots if name not in state], [name for name in state if name not in slots])
    news: list[tuple[Value, float]] = []
    for name, slot in slots.items():
        entry = state[name]
        if isinstance(slot, Value):
            news.append((slot, _number(entry, name)))
        elif isinstance(entry, list) and len(entry) == len(slot):
            news += [(value, _number(new, f"{name}.{i}")) for i, (value, new) in enumerate(zip(slot, entry))]
        else:
            got = f"a list of {len(entry)}" if isinstance(entry, list) else short_repr(entry)
            raise ValueError(
                f"{_quoted(name)}: expected a list of {len(slot)}, got {got}; these are weights of another shape"
            )
    for value, new in news:
        value.data = new


def _slots(module: Named) -> dict[str, Value | list[Value]]:
    """The parameters as they stand in a file: `w.0`, `w.1`, ... are one list `w`, all others stand alone.

    Stems with a hole in their numbers (a shared Value is named once) or that are names themselves make no list.
    """
    named = _once(module.named_parameters())
    stems: dict[str, list[str]] = {}
    for name in named:
        stems.setdefault(_stem(name), []).append(name)
    slots: dict[str, Value | list[Value]] = {}
    for stem, names in stems.items():
        in_order = [f"{stem}.{i}" for i in range(len(names))]
        if stem not in named and set(names) == set(in_order):
            slots[stem] = [named[name] for name in in_order]
        else:
            slots |= {name: named[name] for name in names}
    return slots


def _once(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """The pairs as a dict, if their names differ; dict() would keep the last of two."""
    entries: dict[str, T] = {}
    for name, entry in pairs:
        if name in entries:
            raise ValueError(f"two entries are named {_quoted(name)}; expected every name once")
        entries[name] = entry
    return entries


def _stem(name: str) -> str:
    """`w` for `w.5`; a name without a number at its end is its own stem."""
    stem, _, last = name.rpartition(".")
    return stem if stem and last.isdecimal() else name


def _number(entry: object, name: str) -> float:
    try:
        if not isinstance(entry, bool):
            return number(entry, name)
    except (TypeError, OverflowError):
        pass
    raise ValueError(f"{_quoted(name)}: expected a number that fits a float, got {short_repr(entry)}")


def _wrong_names(missing: list[str], extra: list[str]) -> ValueError:
    """The error for a file whose names are not the module's."""
    parts = [f"{kind}: {_some(names)}" for kind, names in (("missing", missing), ("unknown", extra)) if names]
    near = nearest(extra[0][:LONG], missing) if extra and len(extra) == len(missing) <= LONG else None
    hint = f"by {_quoted(extra[0])} did you mean {_quoted(near)}?" if near else "these are weights of another module"
    return ValueError("; ".join([*parts, hint]))


def _quoted(name: StrPath) -> str:
    """A name or a path as repr writes it, without the middle of a long one."""
    quoted = repr(os.fspath(name))
    return quoted if len(quoted) <= LONG else f"{quoted[: LONG // 2]}...{quoted[-LONG // 2 :]}"


def _some(names: list[str]) -> str:
    """The first three names, and how many there are."""
    some = ", ".join(_quoted(name) for name in names[:3])
    return f"{some}, ... ({len(names)} names)" if len(names) > 3 else some


def _to_json(state: State) -> bytes:
    """One line per vector: 13,002 weights are some 84 lines."""
    import json  # here, as in _parsed: an import of the package needs none of it

    lines = [f"    {json.dumps(name)}: {json.dumps(_spelt(entry), allow_nan=False)}" for name, entry in state.items()]
    weights = "{\n" + ",\n".join(lines) + "\n  }"
    return f'{{\n  "format": "{FORMAT}",\n  "version": {VERSION},\n  "weights": {weights}\n}}\n'.encode()


def _from_json(content: bytes) -> dict[str, object]:
    document = _parsed(content)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        got = document.get("format", document) if isinstance(document, dict) else document
        raise ValueError(f'expected {{"format": "{FORMAT}", ...}}, got {short_repr(got)}; write it with save(path)')
    version = document.get("version")
    if type(version) is not int or version != VERSION:  # True and 1.0 are equal to 1
        got = short_repr(version)
        raise ValueError(f"expected version {VERSION}, got {got}; load it with the micrograd_plus that wrote it")
    weights = document.get("weights")
    if not isinstance(weights, dict):
        raise ValueError(f'expected "weights": {{name: number or list of numbers}}, got {short_repr(weights)}')
    return {name: _read(entry) for name, entry in weights.items()}


def _parsed(content: bytes) -> Any:
    """The JSON document, or a ValueError that says where it stops being one."""
    import json

    try:
        return json.loads(content, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        rest = error.doc[error.pos :].strip("0123456789.e+- \n")  # half a number may end the file
        if not rest or error.msg.startswith("Unterminated"):
            raise ValueError(f"it breaks off at {where}; take a copy that is whole") from None
        raise ValueError(f"not JSON at {where}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not JSON: byte {error.start} is no text") from None
    except RecursionError:
        raise ValueError("not JSON of ours: lists in lists without end") from None


def _spelt(entry: float | list[float]) -> object:
    """As JSON can write it: nan, inf and -inf as strings."""
    if isinstance(entry, list):
        return [_spelt(item) for item in entry]
    return entry if math.isfinite(entry) else repr(entry)


def _read(entry: object) -> object:
    """What `_spelt` wrote; anything else stays what it is, and is refused by the module."""
    if isinstance(entry, list):
        return [NOT_FINITE.get(item, item) if isinstance(item, str) else item for item in entry]
    return NOT_FINITE.get(entry, entry) if isinstance(entry, str) else entry


def _to_safetensors(state: State) -> bytes:
    """One float64 tensor per vector, one without dimensions per single number."""
    safetensors = _safetensors()
    import numpy as np

    if "__metadata__" in state:
        raise ValueError("a parameter is called '__metadata__', a name that .safetensors keeps for itself; save .json")
    tensors = {name: np.array(entry, dtype=np.float64) for name, entry in state.items()}
    return bytes(safetensors.numpy.save(tensors))


def _from_safetensors(content: bytes) -> dict[str, object]:
    safetensors = _safetensors()
    import numpy as np

    try:
        tensors = dict(safetensors.deserialize(content))
    except safetensors.SafetensorError as error:
        raise ValueError(f"not safetensors, or not whole ({str(error)[:LONG]}); take a copy that is whole") from None
    _parsed(content[8 : 8 + int.from_bytes(content[:8], "little")])  # the header is JSON, which may name a tensor twice
    for name, tensor in tensors.items():
        if tensor["dtype"] not in DTYPES:
            raise ValueError(
                f"{_quoted(name)}: expected a tensor of {' or '.join(DTYPES)}, got {tensor['dtype']}; convert it"
            )
    return {
        name: np.frombuffer(tensor["data"], DTYPES[tensor["dtype"]]).reshape(tensor["shape"]).tolist()
        for name, tensor in tensors.items()
    }


def _safetensors() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("weights in .safetensors need: pip install 'micrograd-plus[safetensors]'") from None
    return safetensors


class Codec(NamedTuple):
    """How weights become bytes, and bytes weights."""

    encode: Callable[[State], bytes]
    decode: Callable[[bytes], dict[str, object]]


CODECS = {".json": Codec(_to_json, _from_json), ".safetensors": Codec(_to_safetensors, _from_safetensors)}


def _codec(path: StrPath) -> Codec:
    suffix = os.path.splitext(path)[1]
    if suffix.lower() not in CODECS:
        expected = "expected a name in .json or .safetensors"
        raise ValueError(f"weights file {_quoted(path)}: {expected}, got {_quoted(suffix)}")
    return CODECS[suffix.lower()]
