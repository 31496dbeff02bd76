"""Time eager graphs beside micrograd 0.1.0, forward and backward, in one process, and count the bytes of a node.

    python benchmarks/eager.py

Needs `pip install 'micrograd-plus[bench]'`. Both engines run the same code on the same numbers in turn (ours, theirs,
ours, ...); answers are compared first. What counts is the ratio of the medians: the machine's mood cancels out.
"""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from time import perf_counter
from typing import Any

import micrograd.engine
import micrograd.nn

import micrograd_plus.engine
import micrograd_plus.nn
from micrograd_plus.data import make_moons

ROUNDS = 9
OURS: tuple[Any, Any] = (micrograd_plus.engine.Value, micrograd_plus.nn)
THEIRS: tuple[Any, Any] = (micrograd.engine.Value, micrograd.nn)
Run = Callable[[], tuple[Any, list[Any]]]  # builds a graph: its root, and the parameters whose gradients count


def moons(Value: Any, nn: Any) -> Run:  # noqa: N803 - a class
    """micrograd's demo: MLP(2, [16, 16, 1]) on 100 samples, max-margin loss and regularisation."""
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    points, labels = make_moons(100, 0.1, seed=1)

    def run() -> tuple[Any, list[Any]]:
        inputs = [list(map(Value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -(2 * label - 1) * score).relu() for label, score in zip(labels, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        return data_loss + 1e-4 * sum(p * p for p in model.parameters()), model.parameters()

    return run


def image(Value: Any, nn: Any) -> Run:  # noqa: N803
    """The squared error of a 784-16-16-10 network on one image."""
    random.seed(1337)
    model = nn.MLP(784, [16, 16, 10])
    pixels = [Value(random.random()) for _ in range(784)]

    def run() -> tuple[Any, list[Any]]:
        return sum((out - float(i == 3)) ** 2 for i, out in enumerate(model(pixels))), model.parameters()

    return run


def gradients(run: Run) -> list[float]:
    root, parameters = run()
    for parameter in parameters:
        parameter.grad = 0
    root.backward()
    return [root.data, *(parameter.grad for parameter in parameters)]


def check(ours: list[float], theirs: list[float]) -> None:
    """Both give the same answer, to 1e-9."""
    for mine, other in zip(ours, theirs, strict=True):
        if abs(mine - other) > 1e-9 * max(1.0, abs(other)):
            raise SystemExit(f"the answers differ: {mine} and {other}")


def seconds(run: Run) -> float:
    """One forward and backward pass, and the graph's end; what earlier runs left behind is swept up before."""
    gc.collect()
    start = perf_counter()
    root, _ = run()
    root.backward()
    del root
    return perf_counter() - start


def count(root: Any) -> int:
    """How many nodes there are under root, itself and the leaves included."""
    seen, stack = {root}, [root]
    while stack:
        for node in stack.pop()._prev:
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return len(seen)


def bytes_a_node(case: Callable[[Any, Any], Run], engine: tuple[Any, Any]) -> float:
    """What Python allocated, after a backward pass, for the graph and the network it grew from."""
    gc.collect()
    tracemalloc.start()
    root, _ = case(*engine)()
    root.backward()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / count(root)


def main() -> None:
    sys.setrecursionlimit(1_000_000)  # micrograd's backward recurses
    how = "native" if micrograd_plus.engine.NATIVE else "plain Python"
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"micrograd_plus {version('micrograd-plus')} ({how}), micrograd {version('micrograd')}, Python {python}")
    print(f"forward, backward and freeing; medians of {ROUNDS} interleaved rounds\n")
    print(f"{'graph':24}{'nodes':>8}{'ours ms':>9}{'theirs ms':>11}{'ratio':>7}   bytes a node: ours, theirs")
    for name, case in {"moons, 100 samples": moons, "784-16-16-10, one image": image}.items():
        ours, theirs = case(*OURS), case(*THEIRS)
        check(gradients(ours), gradients(theirs))
        times = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
        mine, other = median(a for a, _ in times), median(b for _, b in times)
        sizes = f"{bytes_a_node(case, OURS):10.0f}{bytes_a_node(case, THEIRS):8.0f}"
        row = f"{name:24}{count(ours()[0]):8,}{1e3 * mine:9.1f}{1e3 * other:11.1f}{other / mine:7.1f}"
        print(f"{row}   {sizes}")


if __name__ == "__main__":
    main()
