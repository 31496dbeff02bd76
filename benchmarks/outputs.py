"""Weigh what a notebook keeps: the bytes of each output, as its file holds them.

    python benchmarks/outputs.py

The cells are those of a notebook that shows everything once, up to a multilayer perceptron's stepper and the drawing of
a network that reads digits. Needs Graphviz's `dot` or pygraphviz.
"""

from __future__ import annotations

import json
from typing import Any

from IPython.core.formatters import DisplayFormatter

import micrograd_plus as mp


def cells() -> dict[str, Any]:
    """What the notebook's cells end in."""
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    c = a * b
    small = c * (c + 1.0)
    neuron = mp.tanh(mp.Neuron(2, seed=1)([0.5, -1.0]))
    model = mp.MLP(2, [4, 4, 1], seed=1)
    loss = (model([0.5, -1.0]) - 1.0) ** 2
    reader = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", init="xavier", seed=1)
    image = [i % 29 / 28.0 for i in range(784)]
    target = [float(i == 3) for i in range(10)]
    for root in (small, neuron, loss):
        root.backward()
    return {
        "draw(5 nodes)": mp.draw(small, edges="contribution"),
        "draw(a neuron)": mp.draw(neuron),
        "draw(MLP(2, [4, 4, 1]))": mp.draw(loss, names={"model": model}),
        "draw(MLP(2, [4, 4, 1]), depth=1)": mp.draw(loss, names={"model": model}, depth=1),
        "backprop(5 nodes)": mp.backprop(small),
        "backprop(a neuron)": mp.backprop(neuron),
        "backprop(MLP(2, [4, 4, 1]))": mp.backprop(loss),
        "draw_network(MLP(2, [4, 4, 1]), x)": mp.draw_network(model, [0.5, -1.0]),
        "draw_network(784-16-16-10, x)": mp.draw_network(reader, image),
        "draw_weights(784-16)": mp.draw_weights(reader.layers[0]),
        "nudges(784-16-16-10, x)": mp.nudges(reader, image, target),
    }


def kept(content: str) -> int:
    """The bytes of a string in a notebook's file: JSON, in UTF-8."""
    return len(json.dumps(content, ensure_ascii=False).encode())


def main() -> None:
    formatter: Any = DisplayFormatter()
    total = 0
    for name, shown in cells().items():
        sizes = {mime: kept(content) for mime, content in formatter.format(shown)[0].items()}
        total += sum(sizes.values())
        told = ", ".join([f"{mime} {size:,}" for mime, size in sizes.items()])
        print(f"{name:36} {sum(sizes.values()):9,}  {told}")
    print(f"{'in all':36} {total:9,}")


if __name__ == "__main__":
    main()
