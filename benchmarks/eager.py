"""Time eager graphs, forward, backward and freeing, beside micrograd and xad, and count the bytes of a node.

    python benchmarks/eager.py

Needs `pip install 'micrograd-plus[bench]'`. All run the same Python code on the same numbers: micrograd's moons step,
and the cost of one image in a 784-16-16-10 network. Ours runs twice, built natively and as plain Python. xad is a C++
tape behind Python bindings. Bytes are what Python allocated for graph and network, labels and leaves included; of xad,
whose numbers are freed on the way, what its tape takes.
"""

from __future__ import annotations

import random
from typing import Any

from engines import Case, Cost, Engine, Model, bytes_a_node, count, engine_of, four, no_limit, task
from peers import Task, options, print_times, race, versions

from micrograd_plus.data import make_moons


def moons(engine: Engine) -> tuple[Cost, Model]:
    """micrograd's demo: MLP(2, [16, 16, 1]) on 100 samples, max-margin loss and regularisation."""
    random.seed(1337)
    model = engine.MLP(2, [16, 16, 1])
    points, labels = make_moons(100, 0.1, seed=1)

    def cost() -> Any:
        inputs = [list(map(engine.Value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [engine.relu(1 + -(2 * label - 1) * score) for label, score in zip(labels, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        return data_loss + 1e-4 * sum(p * p for p in model.parameters())

    return cost, model


def image(engine: Engine) -> tuple[Cost, Model]:
    """The squared error of a 784-16-16-10 network on one image."""
    random.seed(1337)
    model = engine.MLP(784, [16, 16, 10])
    pixels = [engine.Value(random.random()) for _ in range(784)]

    def cost() -> Any:
        return sum((out - float(i == 3)) ** 2 for i, out in enumerate(model(pixels)))

    return cost, model


CASES: dict[str, Case] = {"moons, 100 samples": moons, "784-16-16-10, one image": image}


def prepare(name: str, case: str) -> Task:
    no_limit()
    engine = engine_of(name)
    return task(engine, *CASES[case](engine), size=lambda: bytes_a_node(engine, CASES[case]))


def nodes(case: str) -> int:
    return count(CASES[case](Engine("micrograd_plus"))[0]())


def main() -> None:
    chosen = options(__doc__)
    peers = four(prepare)
    print(versions(["micrograd", "xad"]))
    print(f"Forward, backward and freeing; medians of {chosen.rounds} rounds, all in turn.")
    for case in CASES:
        medians, difference = race(peers, case, rounds=chosen.rounds)
        sizes = {peer: peer.size() for peer in medians}
        print_times(f"{case}: {nodes(case):,} nodes", peers, medians, difference, ours=peers[:2], sizes=sizes)


if __name__ == "__main__":
    main()
