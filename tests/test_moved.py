"""Names of modules from before the rooms, in pickles and in imports, find what they meant."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from base64 import b64decode
from importlib import import_module
from pathlib import Path
from typing import Any
from zlib import decompress

import pytest

import micrograd_plus as mp
from micrograd_plus._support.moved import MOVED

# what each was, pickled when all modules stood in one folder
PICKLES: dict[str, str] = json.loads(Path(__file__).with_name("old_pickles.json").read_text(encoding="utf-8"))
SHOWN = {
    "y": "Value(data=0.7449186624037092, grad=0.0)",
    "model": "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]",
    "history": "History(1 epochs, loss 0.6009)",
    "formula": "tanh(x * x) + relu(x)",
    "report": "GradientReport(function='tanh', order=2, agreed=2, findings=())",
    "program": "Program(<lambda>, 4 nodes, 0 parameters)",
    "steps": "<backprop of y: 7 steps>",
    "picture": "<Picture of 5 nodes>",
    "network": "<Drawing of a network 2-3-1, 456 x 260>",
    "op": "<operation tanh>",
    "wish": "<Nudges of one example for a network 2-3-1, cost 0.756676>",
}


def old(name: str) -> Any:
    return pickle.loads(decompress(b64decode(PICKLES[name])))


@pytest.mark.parametrize("name", PICKLES)
def test_what_was_pickled_before_is_read(name: str) -> None:
    assert SHOWN.get(name, "") in repr(old(name))


def test_what_was_pickled_before_goes_on() -> None:
    y = old("y")
    y.backward()
    (x,) = {leaf for leaf in mp.engine.toposort(y) if leaf.op is None}
    assert x.grad == pytest.approx(1.0 + (1.0 - mp.tanh(0.25) ** 2))
    assert old("function") is mp.tanh
    assert old("program")([[0.5, 0.5]]) == pytest.approx(mp.tanh(0.25))
    assert [each.lr for each in (old("opt"), old("sched").optimizer)] == [0.01, 0.01]
    old("opt").step()
    assert old("model")([1.0, 2.0]).args


@pytest.mark.parametrize("name", MOVED)
def test_an_old_name_is_the_module_of_today(name: str) -> None:
    module = import_module(f"micrograd_plus.{name}")
    assert module.__name__ != f"micrograd_plus.{name}"
    assert sys.modules[module.__name__] is module
    assert getattr(mp, name) is module


def test_old_names_are_found_in_a_new_process() -> None:
    code = "\n".join([f"from micrograd_plus.{name} import __doc__ as doc; assert doc, {name!r}" for name in MOVED])
    code += "\nfrom micrograd_plus.engine import Value; from micrograd_plus.rows import mask, primitive"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_that_never_were_are_no_modules() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("micrograd_plus.nothing")
