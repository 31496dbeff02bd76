"""Eager scalar engines, each asked in the same words: ours natively built, ours as plain Python, micrograd, xad.

Not a script: what eager.py, chain.py and growth.py share.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import Any

from peers import Peer, Task

Cost = Callable[[], Any]  # builds a graph and returns its root
Model = Any  # has .parameters()
Case = Callable[[Any], tuple[Cost, Model]]  # what to build with an engine, and the model it is built from


class Engine:
    """micrograd, or ours, which answers to the same names.

    Attributes:
        Value: makes a number that records.
        MLP: makes a network with micrograd's arguments, which draws micrograd's weights.
    """

    def __init__(self, package: str) -> None:
        self.Value: Any = import_module(f"{package}.engine").Value
        self.MLP: Any = import_module(f"{package}.nn").MLP

    def relu(self, x: Any) -> Any:
        return x.relu()

    def before(self, model: Model) -> None:
        """What a graph needs before it is built anew; not timed."""

    def backward(self, root: Any) -> None:
        root.backward()

    def gradient(self, cost: Cost, model: Model) -> list[float]:
        """The root's number and its derivative for each parameter."""
        parameters = model.parameters()
        for parameter in parameters:
            parameter.grad = 0
        root = cost()
        root.backward()
        return [root.data, *(parameter.grad for parameter in parameters)]


class Xad(Engine):
    """xad's adjoint mode: Python numbers that record on a C++ tape, one for all, which is cleared before each graph.

    Numbers give their places on the tape back when they are freed, so all that it knows go before it is cleared, the
    parameters too, which are made anew; micrograd needs nothing of the kind, so that is not timed.
    """

    def __init__(self) -> None:
        adjoint = import_module("xad.adj_1st")
        self.Value = adjoint.Real
        self.MLP = XadMLP
        self.tape = adjoint.Tape()
        self.tape.activate()

    def relu(self, x: Any) -> Any:
        return x if x > 0 else self.Value(0.0)  # a branch is cheaper than xad.math.max

    def before(self, model: Model) -> None:
        model.forget()
        self.tape.clearAll()
        model.remember(self.Value)
        self.tape.registerInputs(model.parameters())
        self.tape.newRecording()

    def backward(self, root: Any) -> None:
        self.tape.registerOutput(root)
        root.derivative = 1.0
        self.tape.computeAdjoints()

    def gradient(self, cost: Cost, model: Model) -> list[float]:
        self.before(model)
        root = cost()
        self.backward(root)
        return [root.value, *(parameter.derivative for parameter in model.parameters())]


class XadMLP:
    """micrograd's network, with micrograd's weights, for xad, which brings none."""

    def __init__(self, nin: int, nouts: list[int]) -> None:
        self.layers: list[list[tuple[list[Any], Any]]] = [
            [([random.uniform(-1, 1) for _ in range(n)], 0.0) for _ in range(nout)]
            for n, nout in zip([nin, *nouts], nouts)
        ]

    def __call__(self, x: list[Any]) -> Any:
        for layer in self.layers:
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            if layer is not self.layers[-1]:
                x = [total if total > 0 else 0.0 for total in x]
        return x[0] if len(x) == 1 else x

    def parameters(self) -> list[Any]:
        return [p for layer in self.layers for w, b in layer for p in (*w, b)]

    def forget(self) -> None:
        """Plain numbers for those of the tape."""
        value = float if isinstance(self.layers[0][0][1], float) else lambda x: x.value
        self.layers = [[([value(x) for x in w], value(b)) for w, b in layer] for layer in self.layers]

    def remember(self, real: Any) -> None:
        """Numbers that record for plain ones."""
        self.layers = [[([real(x) for x in w], real(b)) for w, b in layer] for layer in self.layers]


def task(
    engine: Engine, cost: Cost, model: Model, size: Callable[[], float] | None = None, gradient: bool = True
) -> Task:
    """Build a graph, run backward, free it."""

    def run() -> Any:
        root = cost()
        engine.backward(root)
        return root

    def answer() -> list[float]:
        return engine.gradient(cost, model)

    return Task(
        run, answer if gradient else list, size, (lambda: engine.before(model)) if type(engine) is Xad else None
    )


def engine_of(name: str) -> Engine:
    """The engine of this name, in its own process.

    Raises:
        RuntimeError: the native one is asked for and not built.
    """
    if name == "native" and not import_module("micrograd_plus.engine").NATIVE:
        because = (
            "MICROGRAD_PLUS_PURE is set" if os.environ.get("MICROGRAD_PLUS_PURE") else "pip install -e . builds it"
        )
        raise RuntimeError(f"the engine is plain Python here: {because}")
    return Xad() if name == "xad" else Engine("micrograd" if name == "micrograd" else "micrograd_plus")


def four(prepare: Callable[..., Task]) -> list[Peer]:
    """Ours natively built, ours as plain Python, micrograd and xad; `prepare` gets one's name, and then the case."""
    return [
        Peer("native", prepare, first=("native",)),
        Peer("plain Python", prepare, first=("plain",), environment={"MICROGRAD_PLUS_PURE": "1"}),
        Peer("micrograd", prepare, "micrograd", first=("micrograd",)),
        Peer("xad", prepare, "xad", first=("xad",)),
    ]


def count(root: Any) -> int:
    """How many nodes there are under root, itself and the leaves included."""
    seen, stack = {root}, [root]
    while stack:
        for node in stack.pop()._prev:
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return len(seen)


def bytes_a_node(engine: Engine, case: Case) -> float:
    """What the graph, after a backward pass, and the network it grew from take; of xad, what its tape takes."""
    if isinstance(engine, Xad):
        engine.gradient(*case(engine))
        return float(engine.tape.getMemory()) / count(case(Engine("micrograd_plus"))[0]())

    def make() -> Any:
        cost, model = case(engine)
        root = cost()
        root.backward()
        return root, model

    return allocated(make) / count(make()[0])


def allocated(make: Callable[[], object]) -> int:
    """How many bytes Python has allocated, and not freed, when something is made."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return held


def no_limit() -> None:
    """Let micrograd's backward recurse as deep as it likes."""
    sys.setrecursionlimit(1_000_000)
