"""Time pictures of graphs of many sizes, and of one image's cost at each level of folding.

    python benchmarks/pictures.py

Needs Graphviz's `dot` or pygraphviz.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import micrograd_plus as mp
from micrograd_plus.pictures import Picture, draw

ROUNDS = 3
SIZES = (100, 700, 1_500, 5_000, 80_000)


def expression(size: int) -> mp.Value:
    """A random graph of about so many nodes, each with an argument among the latest."""
    pick = random.Random(1)
    nodes = [mp.Value(pick.uniform(-1, 1)) for _ in range(5)]
    last = nodes[-1]
    for _ in range(size - 5):
        last = mp.tanh(last) if pick.random() < 0.3 else last * pick.choice(nodes[-5:])
        nodes.append(last)
    return last


def chain(size: int) -> mp.Value:
    """0 + 1 + 1 + ..."""
    last = mp.Value(0.0)
    for _ in range(size - 1):
        last = last + 1.0
    return last


MODELS: dict[str, mp.MLP] = {}


def network(size: int) -> mp.Value:
    """The cost of a multilayer perceptron of about so many nodes, 3 for each weight."""
    width = max(2, round((size / 3 / 2) ** 0.5))
    MODELS["model"] = mp.MLP(width, [width, width], activation="tanh", seed=1)
    loss: mp.Value = mp.losses.squared_error(MODELS["model"]([0.1] * width), [0.0] * width)
    return loss


def timed(make: Callable[[], Picture]) -> tuple[float, float, Picture]:
    """Seconds for the source and for the SVG, and the picture."""
    sources, layouts = [], []
    for _ in range(ROUNDS):
        start = perf_counter()
        picture = make()
        between = perf_counter()
        assert picture.svg
        sources.append(between - start)
        layouts.append(perf_counter() - between)
    return median(sources), median(layouts), picture


def row(what: str, make: Callable[[], Picture]) -> None:
    source, layout, picture = timed(make)
    boxes = picture.svg.count('class="node"')
    captions = [caption for caption in picture.captions if "backward" not in caption]
    total = f"{source + layout:6.2f} s = {source:5.2f} folding + {layout:5.2f} layout"
    print(f"{what:38} {total} {boxes:6,} drawn  {'; '.join(captions)[:70]}")


def main() -> None:
    kinds: tuple[Callable[[int], mp.Value], ...] = (expression, chain, network)
    for kind in kinds:
        for size in SIZES:
            root = kind(size)
            row(f"{kind.__name__} of {size:,} nodes", lambda root=root: draw(root, names=MODELS))  # type: ignore[misc]
    model = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", init="xavier", seed=1)
    pixels = [mp.Value(random.Random(i).random()) for i in range(784)]
    cost = mp.losses.squared_error(model(pixels), [float(i == 3) for i in range(10)])
    cost.backward()
    levels: list[dict[str, Any]] = [{}, *[{"depth": depth} for depth in range(4)], {"open": "model.layers.0.neurons.3"}]
    levels += [{"depth": 0, "open": model.layers[1]}, {"nearest": 50}, {"path_from": model.layers[0].neurons[0].w[300]}]
    for options in levels:
        told = ", ".join([f"{name}={'w' if name == 'path_from' else value}" for name, value in options.items()])
        row(f"784-16-16-10 ({told[:24]})", lambda options=options: draw(cost, names={"model": model}, **options))  # type: ignore[misc]


if __name__ == "__main__":
    main()
