"""micrograd_plus: a scalar autograd engine that reads like a lesson.

>>> import micrograd_plus as mp
>>> x = mp.Value(0.5)
>>> y = mp.tanh(3 * x + 1)
>>> y.backward()
>>> print(f"{y:.4f} {x.grad:.4f}")
0.9866 0.0798
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from micrograd_plus._support import moved as _moved

# isort: split
from micrograd_plus import data as data
from micrograd_plus import engine as engine
from micrograd_plus import losses as losses
from micrograd_plus import nn as nn
from micrograd_plus import ops as ops
from micrograd_plus import optim as optim
from micrograd_plus._support.errors import nearest
from micrograd_plus.calculus import grad as grad
from micrograd_plus.calculus import gradient as gradient
from micrograd_plus.calculus import hessian as hessian
from micrograd_plus.calculus import hvp as hvp
from micrograd_plus.calculus import jacobian as jacobian
from micrograd_plus.calculus import jvp as jvp
from micrograd_plus.calculus import value_and_grad as value_and_grad
from micrograd_plus.engine.anomalies import detect_anomaly as detect_anomaly
from micrograd_plus.engine.lines import source_lines as source_lines
from micrograd_plus.engine.recording import no_grad as no_grad
from micrograd_plus.engine.scopes import scope as scope
from micrograd_plus.engine.value import Value as Value
from micrograd_plus.nn import MLP as MLP
from micrograd_plus.nn import Layer as Layer
from micrograd_plus.nn import Module as Module
from micrograd_plus.nn import Neuron as Neuron
from micrograd_plus.ops import *  # noqa: F403 - every row of the table, so that a new row is public by standing there
from micrograd_plus.ops import abs as abs
from micrograd_plus.ops import pow as pow
from micrograd_plus.ops import round as round
from micrograd_plus.ops.rows import FUNCTIONS

_NAMES = [
    *("CompileError", "ExportError", "GradientError", "History", "Layer", "MLP", "Module", "Neuron", "Program"),
    *("Value", "backprop", "check_engine", "compile"),
    *("check_grads", "data", "detect_anomaly", "dot", "draw", "draw_network", "draw_weights", "engine", "fit"),
    *(
        "formula",
        "from_torch",
        "from_torch_graph",
        "grad",
        "gradient",
        "hessian",
        "hvp",
        "jacobian",
        "jvp",
        "log_softmax",
        "logsumexp",
        "lookup",
    ),
    *("losses", "mask", "mean", "nn", "no_grad", "nudges", "ops", "optim", "primitive", "scope", "softmax"),
    *("source_lines", "sweep", "to_sympy", "value_and_grad"),
]
# what `from micrograd_plus import *` brings: Python's own names are left alone, strategies need Hypothesis
globals()["__all__"] = sorted({*_NAMES, *FUNCTIONS} - {"abs", "compile", "pow", "round"})


if TYPE_CHECKING:
    from micrograd_plus import sklearn as sklearn
    from micrograd_plus import strategies as strategies
    from micrograd_plus.arrivals import from_torch as from_torch
    from micrograd_plus.arrivals import from_torch_graph as from_torch_graph
    from micrograd_plus.check import GradientError as GradientError
    from micrograd_plus.check import check_grads as check_grads
    from micrograd_plus.formulas import formula as formula
    from micrograd_plus.formulas import to_sympy as to_sympy
    from micrograd_plus.laws import check_engine as check_engine
    from micrograd_plus.networks import draw_network as draw_network
    from micrograd_plus.networks import draw_weights as draw_weights
    from micrograd_plus.networks import nudges as nudges
    from micrograd_plus.pictures import draw as draw
    from micrograd_plus.program import CompileError as CompileError
    from micrograd_plus.program import ExportError as ExportError
    from micrograd_plus.program import Program as Program
    from micrograd_plus.program import compile as compile
    from micrograd_plus.stepping import backprop as backprop
    from micrograd_plus.training import History as History
    from micrograd_plus.training import fit as fit
    from micrograd_plus.training import sweep as sweep

# names whose modules are imported when they are first asked for
_LATER = {"GradientError": "check", "check_engine": "laws", "check_grads": "check", "formula": "formulas"}
_LATER |= {"strategies": "strategies", "to_sympy": "formulas", "nudges": "networks", "draw_network": "networks"}
_LATER |= {"draw_weights": "networks", "draw": "pictures", "backprop": "stepping"}
_LATER |= {"from_torch": "arrivals", "from_torch_graph": "arrivals", "sklearn": "sklearn"}  # needs scikit-learn
_LATER |= {"CompileError": "program", "ExportError": "program", "Program": "program", "compile": "program"}
_LATER |= {"History": "training", "fit": "training", "sweep": "training", "training": "training"}

if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> object:
        if name in _LATER:
            module = import_module(f"micrograd_plus.{_LATER[name]}")
            globals()[name] = thing = module if _LATER[name] == name else getattr(module, name)
            return thing
        if name in _moved.MOVED:
            return import_module(f"micrograd_plus.{name}")
        if name in FUNCTIONS:
            raise AttributeError(
                f"mp.{name}: a primitive made elsewhere; keep what mp.primitive({name!r}, ...) returned"
            )
        rows = [each for each in FUNCTIONS if each in globals()]
        near = None if name.startswith("_") else nearest(name, rows)
        hint = f"; did you mean {near!r}?" if near else ""
        raise AttributeError(f"module 'micrograd_plus' has no attribute {name!r}{hint}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})


if "hypothesis" in sys.modules:  # else it calls this itself when it is imported, by its entry point
    from micrograd_plus._hypothesis import register as _register

    _register()
