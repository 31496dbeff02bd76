"""Something with parameters: where they are, what each is called, how they are saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from os import PathLike
from typing import Any

from micrograd_plus._support.identities import Identities, distinct
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import weights


class Module:
    """Something with parameters: the Values among its attributes, in its lists and in its modules.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> [name for name, _ in line.named_parameters()]
    ['slope', 'offset']
    >>> line(3.0).backward()
    >>> [parameter.grad for parameter in line.parameters()]
    [3.0, 1.0]
    >>> line.zero_grad()
    >>> line.slope.grad
    0.0
    """

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter once, as a pair with its path from here, such as `layers.0.neurons.3.w.5`."""
        seen: Identities[Value, None] = Identities()
        for name, item in _walk(self):
            if isinstance(item, Value) and item not in seen:
                seen[item] = None
                yield name, item

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Itself, at the path "", and each module in it once, as a pair with its path, such as `layers.0.neurons.3`.

        >>> from micrograd_plus import MLP
        >>> [path for path, _ in MLP(2, [1]).named_modules()]
        ['', 'layers.0', 'layers.0.neurons.0']
        """
        yield from [(path, item) for path, item in _walk(self) if isinstance(item, Module)]

    def parameters(self) -> list[Value]:
        """A list of the parameters, in the order of `named_parameters`."""
        return distinct(_values(self))

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to 0, as before a new backward pass."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def save(self, path: str | PathLike[str]) -> None:
        """Write the weights to a .json or .safetensors file, whole or not at all.

        Raises:
            ValueError: another ending.
            ImportError: a .safetensors file wants `pip install 'micrograd-plus[safetensors]'`.
            OSError: the file cannot be written; whatever was there is untouched.

        >>> from pathlib import Path
        >>> from micrograd_plus import Neuron
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "neuron.json")
        ...     Neuron(2, seed=1).save(path)
        ...     other = Neuron(2, seed=2)
        ...     other.load(path)
        >>> [weight.data for weight in other.w] == [weight.data for weight in Neuron(2, seed=1).w]
        True
        """
        weights.save(self, path)

    def load(self, path: str | PathLike[str]) -> None:
        """Take the weights from a file that `save` wrote for a module of this shape, all of them or none.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file holds no weights, or those of another shape; the message lists what differs.
            ImportError: a .safetensors file wants `pip install 'micrograd-plus[safetensors]'`.

        >>> from micrograd_plus import Neuron
        >>> Neuron(2).load("nowhere.json")
        Traceback (most recent call last):
        FileNotFoundError: ...nowhere.json...
        """
        weights.load(self, path)

    def _repr_html_(self) -> str:
        """Its parts, their shapes and their parameters as a table."""
        from micrograd_plus.nn.summaries import summary  # which knows layers, and these are modules

        return summary(self)


def _walk(module: Module) -> Iterator[tuple[str, Value | Module]]:
    """The Values and the modules in a module with their paths, in the order of its attributes; itself first."""
    stack: list[tuple[str, Any]] = [("", module)]
    seen: dict[int, Any] = {}
    while stack:
        path, item = stack.pop()
        parts = _parts(item, seen)
        if isinstance(item, Value) or (isinstance(item, Module) and parts is not None):
            yield path, item
        if parts is not None:
            items = list(parts.items() if isinstance(parts, dict) else enumerate(parts))
            stack += [(f"{path}.{key}" if path else str(key), part) for key, part in reversed(items)]


def _values(module: Module) -> list[Value]:
    """The Values alone, in that order: a model's parameters are asked for in each step."""
    found: list[Value] = []
    stack: list[Any] = [module]
    seen: dict[int, Any] = {}
    while stack:
        item = stack.pop()
        if isinstance(item, Value):
            found.append(item)
        elif (parts := _parts(item, seen)) is not None:
            stack.extend(reversed(parts.values() if isinstance(parts, dict) else parts))
    return found


def _parts(item: Any, seen: dict[int, Any]) -> dict[Any, Any] | Sequence[Any] | None:
    """What a module, a dict, a list or an array of NumPy's holds; None for anything else.

    It is None, too, for what has been seen: each module counts once, also where two know each other, and each list,
    also where it holds itself. They are kept by their id(), which nothing else can have meanwhile.
    """
    if type(item).__name__ == "ndarray" and item.dtype.hasobject:
        nested: list[Any] = item.reshape(-1).tolist() if item.ndim == 0 else item.tolist()
        return nested
    if not isinstance(item, (Module, dict, list, tuple)) or id(item) in seen:
        return None
    seen[id(item)] = item
    return _attributes(item) if isinstance(item, Module) else item


def _attributes(module: Module) -> dict[str, Any]:
    """Those in its `__dict__`, and those for which its class has slots."""
    slots = _slots(type(module))  # type: ignore[arg-type]  # classes can be hashed, too
    held = {name: getattr(module, name) for name in slots if hasattr(module, name)}
    return held | vars(module) if held else vars(module)


@lru_cache(maxsize=256)  # a model is walked in each step, and has few classes
def _slots(kind: type) -> list[str]:
    """The attributes for which a class, or one that it comes from, has slots, as Python names them."""
    found = []
    for each in reversed(kind.__mro__):
        slots = vars(each).get("__slots__", ())
        for slot in [slots] if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            found.append(f"_{each.__name__.lstrip('_')}{slot}" if private else slot)
    return [slot for slot in found if slot not in ("__dict__", "__weakref__")]
