"""Weights survive saving and loading to the last bit, and no failure costs the old file or the module."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Any, NoReturn

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from micrograd_plus._support import files
from micrograd_plus._support.files import write_atomically
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import MLP, Layer, Module, Neuron
from micrograd_plus.nn.weights import CODECS, FORMAT, Named, load, load_state_dict, save, state_dict

SUFFIXES = sorted(CODECS)
FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1.8e308, math.inf, -math.inf, math.nan])
NAMES = st.lists(st.sampled_from(["w", "b", "0", "1", "2", "01", "²", "٣", "ü", "a b", '"', ""]), min_size=1).map(
    ".".join
)


class Plain:
    """Parameters by name, no more than save and load ask for."""

    def __init__(self, **numbers: float | list[float]) -> None:
        self.pairs: list[tuple[str, Value]] = []
        for name, entry in numbers.items():
            if isinstance(entry, list):
                self.pairs += [(f"{name}.{i}", Value(item)) for i, item in enumerate(entry)]
            else:
                self.pairs.append((name, Value(entry)))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        yield from self.pairs


def named(numbers: dict[str, float]) -> Plain:
    module = Plain()
    module.pairs = [(name, Value(number)) for name, number in numbers.items()]
    return module


def spelt(module: Named) -> dict[str, str]:
    """Every weight as repr writes it: tells -0.0 from 0.0, and nan is nan."""
    return {name: repr(value.data) for name, value in module.named_parameters()}


def refused(module: Named, path: Path, *words: str, kind: type[Exception] = ValueError) -> None:
    """Loading fails in one line with the path and these words, and the module stays as it was."""
    before = spelt(module)
    with pytest.raises(kind) as caught:
        load(module, path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in (repr(str(path)), *words)), message
    assert spelt(module) == before


def document(weights: object, **header: object) -> str:
    return json.dumps({"format": FORMAT, "version": 1, "weights": weights} | header)


# ---------------------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(vector=st.lists(FLOATS, max_size=5), scalar=FLOATS)
def test_every_float_survives_to_the_last_bit(suffix: str, vector: list[float], scalar: float) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"weights{suffix}")
        saved, loaded = Plain(w=vector, b=scalar), Plain(w=[7.0] * len(vector), b=7.0)
        save(saved, path)
        load(loaded, path)
        assert spelt(loaded) == spelt(saved)


@given(numbers=st.dictionaries(NAMES, FLOATS))
@example({"w.0": 1.0, "w.2": 2.0})  # a hole: the value between is shared and has another name
@example({"w.0": 1.0, "w": 2.0})
@example({"w.0": 1.0, "w.2": 2.0, "w.0.0": 3.0})
@example({"w.1": 1.0, "w.0": 2.0, "w.0.0": 3.0, "w.0.1": 4.0})
@example({"w.0": 1.0, "w.00": 2.0})
@example({"0": 1.0, ".0": 2.0, "w.٠": 3.0})
def test_any_names_survive_in_both_formats_alike(numbers: dict[str, float]) -> None:
    saved = named(numbers)
    states = []
    for suffix in SUFFIXES:
        loaded = named(dict.fromkeys(numbers, 7.0))
        codec = CODECS[suffix]
        load_state_dict(loaded, codec.decode(codec.encode(state_dict(saved))))
        assert spelt(loaded) == spelt(saved)
        states.append(repr(state_dict(loaded)))
    assert states[0] == states[1]


@given(numbers=st.dictionaries(NAMES, FLOATS))
def test_a_state_holds_every_number_once(numbers: dict[str, float]) -> None:
    entries = state_dict(named(numbers)).values()
    flat = [number for entry in entries for number in (entry if isinstance(entry, list) else [entry])]
    assert sorted(map(repr, flat)) == sorted(map(repr, numbers.values()))


def test_a_vector_is_in_the_order_of_its_numbers() -> None:
    assert state_dict(named({"w.2": 0.2, "b": 1.0, "w.0": 0.0, "w.1": 0.1})) == {"w": [0.0, 0.1, 0.2], "b": 1.0}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_comes_back_and_computes_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    saved, loaded = MLP(3, [4, 4, 2], activation="tanh", seed=1), MLP(3, [4, 4, 2], activation="tanh", seed=2)
    assert spelt(saved) != spelt(loaded)
    saved.save(path)
    loaded.load(path)
    assert spelt(loaded) == spelt(saved)
    assert [out.data for out in loaded([0.1, -2.0, 3.0])] == [out.data for out in saved([0.1, -2.0, 3.0])]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_shared_weights_stay_shared(suffix: str, tmp_path: Path) -> None:
    def tied() -> Layer:
        layer = Layer(3, 2)
        layer.neurons[1].w[:2] = layer.neurons[0].w[:2]  # neurons.1.w is left with one name of its own, w.2
        return layer

    saved, loaded = tied(), tied()
    save(saved, tmp_path / f"tied{suffix}")
    load(loaded, tmp_path / f"tied{suffix}")
    assert spelt(loaded) == spelt(saved)
    assert loaded.neurons[1].w[0] is loaded.neurons[0].w[0]
    assert "neurons.1.w.2" in state_dict(saved)


def test_gradients_and_the_values_themselves_stay(tmp_path: Path) -> None:
    module = Neuron(2, seed=1)
    parameters = module.parameters()
    parameters[0].grad = 5.0
    module.save(tmp_path / "neuron.json")
    module.load(tmp_path / "neuron.json")
    assert all(new is old for new, old in zip(module.parameters(), parameters))
    assert parameters[0].grad == 5.0


def test_saving_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        save(MLP(3, [4, 1], seed=1), one)
        save(MLP(3, [4, 1], seed=1), two)
        assert one.read_bytes() == two.read_bytes()


# ------------------------------------------------------------------------------------------------------------- layouts


def test_the_json_is_strict_and_reads_well(tmp_path: Path) -> None:
    save(Plain(w=[1e-7, -0.0, math.nan, math.inf], b=-math.inf), tmp_path / "small.json")
    assert (tmp_path / "small.json").read_text() == textwrap.dedent("""\
        {
          "format": "micrograd_plus weights",
          "version": 1,
          "weights": {
            "w": [1e-07, -0.0, "nan", "inf"],
            "b": "-inf"
          }
        }
        """)


def test_13_002_weights_are_84_lines_not_13_002(tmp_path: Path) -> None:
    MLP(784, [16, 16, 10], seed=1).save(tmp_path / "digits.json")
    text = (tmp_path / "digits.json").read_text()
    assert len(text.splitlines()) == 6 + 84
    assert len(json.loads(text)["weights"]["layers.0.neurons.15.w"]) == 784


@given(vector=st.lists(FLOATS), scalar=FLOATS)
def test_no_json_parser_meets_nan_or_infinity(vector: list[float], scalar: float) -> None:
    def never(constant: str) -> NoReturn:
        raise AssertionError(constant)

    json.loads(CODECS[".json"].encode(state_dict(Plain(w=vector, b=scalar))), parse_constant=never)


def test_the_safetensors_are_float64_vectors_and_scalars(tmp_path: Path) -> None:
    save(Plain(w=[0.1, math.nan], b=-0.0), tmp_path / "small.safetensors")
    tensors = read_tensors((tmp_path / "small.safetensors").read_bytes())
    assert {name: (str(tensor.dtype), tensor.shape) for name, tensor in tensors.items()} == {
        "w": ("float64", (2,)),
        "b": ("float64", ()),
    }
    assert repr(tensors["w"].tolist()) == "[0.1, nan]"


@pytest.mark.filterwarnings("default")  # torch's imports warn of their own
def test_pytorch_reads_and_writes_the_same_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    path = tmp_path / "shared.safetensors"
    save(Plain(w=[0.1, math.inf], b=-2.0), path)
    tensors = load_file(path)
    assert torch.equal(tensors["w"], torch.tensor([0.1, math.inf], dtype=torch.float64))
    save_file({name: tensor * 2 for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    module = Plain(w=[0.0, 0.0], b=0.0)
    load(module, path)
    assert state_dict(module) == {"w": [0.2, math.inf], "b": -4.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_shorter_floats_are_converted(dtype: type[np.floating[Any]], tmp_path: Path) -> None:
    arrays = {"w": np.array([0.1, -0.0, np.inf], dtype), "b": np.array(1 / 3, dtype)}
    (tmp_path / "short.safetensors").write_bytes(write_tensors(arrays))
    module = Plain(w=[0.0, 0.0, 0.0], b=0.0)
    load(module, tmp_path / "short.safetensors")
    assert state_dict(module) == {name: array.astype(np.float64).tolist() for name, array in arrays.items()}


def test_json_written_by_hand_may_hold_integers_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "hand.JSON").write_text(document({"b": 2, "w": [1, 0.5, "-inf"]}), encoding="utf-8-sig")
    module = Plain(w=[0.0, 0.0, 0.0], b=0.0)
    load(module, tmp_path / "hand.JSON")
    assert spelt(module) == {"w.0": "1.0", "w.1": "0.5", "w.2": "-inf", "b": "2.0"}


# ------------------------------------------------------------------------------------------- a broken file: one error


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["breaks off at line 1, column 1"]),
        ('{"format": "micrograd_plus wei', ["breaks off at line 1, column 12"]),
        (document({"w": [1.0, 2.0], "b": 3.0})[:-2], ["breaks off at line 1"]),
        ("accuracy 97.2 %", ["not JSON at line 1, column 1"]),
        ('{\n"format": nothing}', ["not JSON at line 2, column 11"]),
        (document({}) + "x", ["not JSON at line 1", "Extra data"]),
        (b"\xff\xd8\xff\xe0 a picture", ["not JSON: byte 0"]),
        ("[" * 100_000, ["not JSON of ours"]),
        (document({"b": [[]]}).replace("[]", "[" * 500 + "]" * 500), ["missing: 'w'"]),
        ("[1.0, 2.0]", ["expected", FORMAT, "got [1.0, 2.0]"]),
        ("{}", ["expected", FORMAT, "got {}"]),
        (document({}, format="weights"), ["expected", FORMAT, "got 'weights'"]),
        (document({}, version=2), ["expected version 1, got 2"]),
        (document({}, version=None), ["expected version 1, got None"]),
        (document([1.0]), ['"weights"', "got [1.0]"]),
        (document({"w": [1.0], "b": 3.0}), ["'w': expected a list of 2, got a list of 1"]),
        (document({"w": 1.0, "b": 3.0}), ["'w': expected a list of 2, got 1.0"]),
        (document({"w": None, "b": 3.0}), ["'w': expected a list of 2, got None"]),
        (document({"w": [1.0, 2.0], "b": [3.0]}), ["'b': expected a number", "got [3.0]"]),
        (document({"w": [1.0, "2.0"], "b": 3.0}), ["'w.1': expected a number", "got '2.0'"]),
        (document({"w": [1.0, [2.0]], "b": 3.0}), ["'w.1': expected a number", "got [2.0]"]),
        (document({"w": [None, 2.0], "b": 3.0}), ["'w.0': expected a number", "got None"]),
        (document({"w": [1.0, 2.0], "b": True}), ["'b': expected a number", "got True"]),
        (document({"w": [1.0, 2.0], "b": 10**400}), ["'b': expected a number that fits a float", "got 1000"]),
        (document({"w": [1.0, 2.0], "b": "Infinity"}), ["'b': expected a number", "got 'Infinity'"]),
        (document({"w": [1.0, 2.0]}), ["missing: 'b'", "another module"]),
        (document({"w": [1.0, 2.0], "b": 3.0, "c": 4.0}), ["unknown: 'c'", "another module"]),
        (document({"w": [1.0, 2.0], "bb": 3.0}), ["missing: 'b'", "unknown: 'bb'", "by 'bb' did you mean 'b'?"]),
        (document({f"c{i}": 0.0 for i in range(9)}), ["missing: 'w', 'b'", "'c0', 'c1', 'c2', ... (9 names)"]),
        (document({"w": [1.0, 2.0], "b": 3.0})[:-2] + ', "b": 4.0}}', ["two entries are named 'b'"]),
    ],
)
def test_a_wrong_json_file_changes_nothing_and_says_why(content: str | bytes, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(Plain(w=[7.0, 8.0], b=9.0), path, *words)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"w": np.array([1.0, 2.0, 3.0]), "b": np.array(4.0)}, ["'w': expected a list of 2, got a list of 3"]),
        ({"w": np.array([1.0, 2.0]), "b": np.array([4.0])}, ["'b': expected a number", "got [4.0]"]),
        ({"w": np.array(1.0), "b": np.array(4.0)}, ["'w': expected a list of 2, got 1.0"]),
        ({"w": np.eye(2), "b": np.array(4.0)}, ["'w.0': expected a number", "got [1.0, 0.0]"]),
        ({"w": np.zeros(0), "b": np.array(4.0)}, ["'w': expected a list of 2, got a list of 0"]),
        ({"w": np.array([1, 2]), "b": np.array(4.0)}, ["'w': expected a tensor of F64 or F32 or F16, got I64"]),
        ({"w": np.array([True, False]), "b": np.array(4.0)}, ["'w'", "got BOOL"]),
        ({"w": np.array([1.0, 2.0])}, ["missing: 'b'"]),
        ({"w": np.array([1.0, 2.0]), "a": np.array(4.0)}, ["unknown: 'a'"]),
    ],
)
def test_wrong_tensors_change_nothing_and_say_why(tensors: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(write_tensors(tensors))
    refused(Plain(w=[7.0, 8.0], b=9.0), path, *words)


def test_what_is_right_before_the_error_is_not_taken_either(tmp_path: Path) -> None:
    path = tmp_path / "late.json"
    path.write_text(document({"a": 1.0, "b": [2.0], "c": [3.0, None], "d": 4.0}))
    refused(Plain(a=5.0, b=[6.0], c=[7.0, 8.0], d=9.0), path, "'c.1': expected a number", "got None")


def test_bfloat16_is_refused_by_name(tmp_path: Path) -> None:
    header = b'{"b":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}'
    path = tmp_path / "brain.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    refused(Plain(b=9.0), path, "'b'", "got BF16")


SAVED = Plain(w=[0.1, -0.25, math.inf, 1e-300], b=-3.5e10)


@pytest.mark.parametrize(("suffix", "words"), [(".json", "breaks off at line"), (".safetensors", "not whole")])
def test_a_file_cut_anywhere_is_told_from_a_whole_one(suffix: str, words: str, tmp_path: Path) -> None:
    content = CODECS[suffix].encode(state_dict(SAVED))
    path = tmp_path / f"cut{suffix}"
    for end in range(len(content.rstrip(b"\n"))):
        path.write_bytes(content[:end])
        refused(Plain(w=[7.0] * 4, b=9.0), path, words)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_a_damaged_file_loads_whole_or_is_refused(suffix: str, data: st.DataObject) -> None:
    content = bytearray(CODECS[suffix].encode(state_dict(SAVED)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    module = Plain(w=[7.0] * 4, b=9.0)
    before = spelt(module)
    with TemporaryDirectory() as folder:
        path = Path(folder, f"damaged{suffix}")
        path.write_bytes(content)
        message = None
        try:
            load(module, path)
        except ValueError as error:
            message = str(error)
        assert message is None or (repr(str(path)) in message and spelt(module) == before)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(noise=st.binary(max_size=60))
def test_noise_is_refused(suffix: str, noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w "):
        load_state_dict(Plain(b=1.0), CODECS[suffix].decode(noise))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_weights_of_another_network_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    MLP(4, [3, 1], seed=1).save(path)
    refused(MLP(5, [3, 1]), path, "'layers.0.neurons.0.w': expected a list of 5, got a list of 4")
    refused(MLP(4, [5, 1]), path, "missing: 'layers.0.neurons.3.w', 'layers.0.neurons.3.b'", "(4 names)")
    refused(MLP(4, [2, 1]), path, "unknown: 'layers.0.neurons.2.")
    refused(MLP(4, [3]), path, "unknown: 'layers.1.neurons.0.")


@pytest.mark.parametrize("suffix", [".npz", "", ".json.gz"])
@pytest.mark.parametrize("function", [save, load])
def test_an_unknown_suffix_names_the_known_ones(
    function: Callable[[Named, Path], None], suffix: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"weights.*\.json or \.safetensors, got ") as caught:
        function(SAVED, tmp_path / f"weights{suffix}")
    assert repr(os.path.splitext(suffix)[1] or suffix) in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_not_there_is_named(suffix: str, tmp_path: Path) -> None:
    refused(Plain(b=1.0), tmp_path / f"absent{suffix}", "no such file", kind=FileNotFoundError)
    refused(Plain(b=1.0), tmp_path / "no" / f"absent{suffix}", "no such file", kind=FileNotFoundError)
    (tmp_path / f"folder{suffix}").mkdir()
    refused(Plain(b=1.0), tmp_path / f"folder{suffix}", kind=IsADirectoryError)


def test_without_the_extra_the_error_names_it_and_json_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.safetensors"
    save(SAVED, path)
    before = path.read_bytes()
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.delitem(sys.modules, "safetensors.numpy")
    for function in (save, load):
        with pytest.raises(ImportError, match=r"pip install 'micrograd-plus\[safetensors\]'"):
            function(SAVED, path)
    assert path.read_bytes() == before
    save(SAVED, tmp_path / "weights.json")
    load(SAVED, tmp_path / "weights.json")


def test_two_parameters_of_one_name_are_refused_before_one_is_lost(tmp_path: Path) -> None:
    class Odd(Module):
        def __init__(self) -> None:
            self.table = {"a.b": Value(1.0), "a": {"b": Value(2.0)}}

    with pytest.raises(ValueError, match=r"two entries are named 'table\.a\.b'"):
        Odd().save(tmp_path / "odd.json")


# ------------------------------------------------------------------------------------------------ whole or not at all


OLD, NEW = b"the old file", b"the new file" * 1000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.json"
    path.write_bytes(OLD)
    return path


def kept(target: Path) -> None:
    """The old file is whole and nothing lies beside it."""
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


@given(content=st.text() | st.binary())
def test_what_was_written_is_read(content: str | bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        write_atomically(path, content)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o777])
def test_permission_bits_stay(mode: int, target: Path) -> None:
    target.chmod(mode)
    write_atomically(target, NEW)
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert target.read_bytes() == NEW


def test_the_new_file_is_whole_and_as_private_on_the_disk_before_it_takes_its_place(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append((stat.S_IMODE(status.st_mode), status.st_size, target.read_bytes()))

    target.chmod(0o600)
    monkeypatch.setattr(os, "fsync", look)
    write_atomically(target, NEW)
    assert seen == [(0o600, len(NEW), OLD)]


def test_a_symlink_stays_and_its_target_is_replaced(target: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    link, chain = inner / "link", inner / "chain"
    link.symlink_to(Path("..", target.name))
    chain.symlink_to("link")
    write_atomically(chain, NEW)
    assert link.is_symlink()
    assert chain.is_symlink()
    assert not target.is_symlink()
    assert target.read_bytes() == NEW
    assert sorted(inner.iterdir()) == [chain, link]


def test_a_symlink_to_nothing_gets_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write_atomically(tmp_path / "link", NEW)
    assert (tmp_path / "later").read_bytes() == NEW
    assert (tmp_path / "link").is_symlink()


def test_a_name_of_full_length_is_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("x" * 250 + ".json"), NEW)
    with pytest.raises(OSError, match="too long"):
        write_atomically(tmp_path / ("x" * 256), NEW)


def test_what_cannot_be_a_file_is_named_with_the_way_out(target: Path, tmp_path: Path) -> None:
    (loop := tmp_path / "loop").symlink_to("loop")
    os.mkfifo(pipe := tmp_path / "pipe")
    for path, kind, words in [
        (tmp_path / "absent" / "file", FileNotFoundError, f"the folder {str(tmp_path / 'absent')!r} does not exist"),
        (tmp_path, IsADirectoryError, "that is a folder; name a file in it"),
        (target / "file", NotADirectoryError, f"{str(target)!r} is no folder"),
        (loop, OSError, "symbolic links"),
        (pipe, OSError, "no ordinary file"),
    ]:
        with pytest.raises(kind) as caught:
            write_atomically(path, NEW)
        assert f"cannot write {str(path)!r}: " in str(caught.value)
        assert words in str(caught.value)
    assert loop.is_symlink()
    assert pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [loop, pipe, target]


class Full(FileIO):
    """A file on a full disk: it opens, and fails in the middle of writing."""

    def write(self, data: Any) -> NoReturn:
        super().write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "open", Full, raising=False)
    with pytest.raises(OSError, match=r"cannot write '.*target.json': the disk is full; free some space") as caught:
        write_atomically(target, NEW)
    assert caught.value.errno == errno.ENOSPC
    kept(target)


@pytest.mark.parametrize("function", ["open", "chmod", "fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.EACCES, PermissionError, "not permitted; change the permissions"),
        (errno.EPERM, PermissionError, "not permitted; change the permissions"),
        (errno.EROFS, OSError, "the disk is read-only; choose another place"),
        (errno.ENOSPC, OSError, "the disk is full"),
        (errno.EDQUOT, OSError, "the disk is full"),
        (errno.EIO, OSError, "Input/output error; try again"),
        (errno.EINTR, InterruptedError, "Interrupted"),
    ],
)
def test_a_failure_at_any_step_leaves_the_old_file(
    function: str, code: int, kind: type[OSError], words: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files if function == "open" else os, function, fail, raising=False)
    with pytest.raises(OSError, match=words) as caught:
        write_atomically(target, NEW)
    assert type(caught.value) is kind
    assert caught.value.errno == code
    assert repr(str(target)) in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    kept(target)


@pytest.mark.parametrize("function", ["chmod", "fsync", "replace"])
def test_ctrl_c_at_any_step_leaves_the_old_file(function: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, function, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, NEW)
    monkeypatch.undo()
    kept(target)


def test_a_write_protected_file_is_not_replaced(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.chmod(0o444)
    if os.geteuid() == 0:  # root may write anything: say what others are told
        monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="not permitted"):
        write_atomically(target, NEW)
    kept(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(target: Path) -> None:
    target.parent.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="not permitted; change the permissions"):
            write_atomically(target, NEW)
    finally:
        target.parent.chmod(0o755)
    kept(target)


def test_a_disk_that_is_really_full_leaves_the_old_weights(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a tiny disk needs the right to mount one")
    except FileNotFoundError:
        pytest.skip("a tiny disk needs the command mount")
    try:
        for suffix in SUFFIXES:
            path = disk / f"weights{suffix}"
            save(SAVED, path)
            before = path.read_bytes()
            with pytest.raises(OSError, match=r"the disk is full; free some space") as caught:
                save(MLP(784, [16], seed=1), path)
            assert caught.value.errno == errno.ENOSPC
            assert path.read_bytes() == before
            assert list(disk.iterdir()) == [path]
            path.unlink()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def in_a_process_of_its_own(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_limit_on_file_sizes_leaves_the_old_file(target: Path) -> None:
    script = """
        import resource, sys
        from micrograd_plus._support.files import write_atomically
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_atomically(sys.argv[1], "new" * 10_000)
        except OSError as error:
            print(error)
    """
    done = in_a_process_of_its_own(script, target)
    assert done.stdout == f"cannot write {str(target)!r}: File too large; try again or choose another place\n"
    kept(target)


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_crash_while_saving_leaves_the_old_weights_and_the_next_save_works(
    function: str, suffix: str, tmp_path: Path
) -> None:
    script = """
        import os, sys
        from micrograd_plus.nn import MLP
        setattr(os, sys.argv[2], lambda *_: os._exit(9))  # the machine stops here
        MLP(2, [3, 1], seed=2).save(sys.argv[1])
    """
    path = tmp_path / f"weights{suffix}"
    old, new, loaded = (MLP(2, [3, 1], seed=seed) for seed in (1, 2, 3))
    old.save(path)
    assert in_a_process_of_its_own(script, path, function).returncode == 9
    loaded.load(path)
    assert spelt(loaded) == spelt(old)
    new.save(path)
    loaded.load(path)
    assert spelt(loaded) == spelt(new)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no locks by which a sweep knows what is left over")
def test_a_file_that_is_swept_away_before_it_is_locked_is_written_anew(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another's sweep sees between open and lock looks like what a killed process left."""
    usual, swept = files._lock, [0]

    def late(file: IO[bytes], **how: bool) -> None:
        if how and not swept[0]:
            swept[0] += 1
            files._sweep(str(target.parent))
        usual(file, **how)

    monkeypatch.setattr(files, "_lock", late)
    write_atomically(target, b"new")
    assert swept == [1]
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_of_many_who_write_at_once_one_wins_whole(target: Path) -> None:
    contents = [bytes([65 + i]) * 100_000 for i in range(8)]
    threads = [Thread(target=write_atomically, args=(target, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert list(target.parent.iterdir()) == [target]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    program = textwrap.dedent("""\
        import os, sys, time
        from micrograd_plus._support.files import write_atomically
        os.fsync = lambda _: (print("writing", flush=True), time.sleep(600))
        write_atomically(sys.argv[1], "half")
    """)
    start = [sys.executable, "-c", program, str(tmp_path / "file")]
    with subprocess.Popen(start, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (left,) = tmp_path.iterdir()
        write_atomically(tmp_path / "file", NEW)
        assert left.exists()
        process.kill()
    write_atomically(tmp_path / "file", NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_rehearsal_writes_nothing_and_fails_as_a_write_would(target: Path, tmp_path: Path) -> None:
    files.rehearse(target, b"new")
    files.rehearse(tmp_path / "other", b"new")
    kept(target)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        files.rehearse(tmp_path / "no" / "file", b"new")


def test_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.safetensors"
    content = write_tensors({"b": np.array(1.0), "c": np.array(2.0)})
    path.write_bytes(content.replace(b'"c"', b'"b"'))
    refused(Plain(b=9.0), path)


@pytest.mark.parametrize("version", [True, 1.0, "1", [1], None])
def test_a_version_is_a_whole_number(version: object, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text(document({"b": 1.0}, version=version))
    refused(Plain(b=9.0), tmp_path / "wrong.json", "expected version 1, got ")


def test_no_message_exceeds_a_screen(tmp_path: Path) -> None:
    name, path = "w" * 1_000_000, tmp_path / "long.json"
    for content in (
        document({name: 1.0, "c": 1.0}),
        document({name: "x"}),
        document({"b": name}),
        document({f"{name}{i}": 1.0 for i in range(3)}),
        document({"b": 1.0}, version=name),
        document({"b": 1.0}, format=name),
        document({"b": 1.0}).replace('"b": 1.0', f'"{name}": 1, "{name}": 2'),
        name,
    ):
        path.write_text(content)
        for module in (Plain(b=9.0), Plain(**{name: 9.0})):
            with pytest.raises(ValueError, match=r"long\.json") as caught:
                load(module, path)
            assert len(str(caught.value)) < 24 * 80
    with pytest.raises(ValueError, match="expected a name in") as caught:
        save(Plain(b=1.0), "x" * 5000)
    assert len(str(caught.value)) < 24 * 80


def test_a_name_that_safetensors_keeps_for_itself_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    module = Module()
    vars(module)["__metadata__"] = Value(1.0)
    with pytest.raises(ValueError, match=r"a name that \.safetensors keeps for itself; save "):
        module.save(tmp_path / "weights.safetensors")
    module.save(tmp_path / "weights.json")
