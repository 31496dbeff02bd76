"""Show how the time and the bytes of a node grow from 1,000 to 1,000,000 nodes, eager and compiled, beside micrograd.

    python benchmarks/growth.py

Needs `pip install 'micrograd-plus[bench]'`. The graph is the squared error of a network with one hidden layer of 16, on
one example of ever more inputs; a graph in which nothing is regular is compiled, too. Eager time is for building,
backward and freeing; compiled time for a gradient, once the program is there. Compiled bytes are the program's, eager
ones the graph's and the network's. micrograd stops at 100,000 nodes; with --all it goes on, which takes a minute for
each round.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from engines import Cost, Engine, Model, allocated, bytes_a_node, engine_of, four, no_limit, task
from irregular import FIRST, NODES, Graph, ours
from networks import Network, gradient, numbers, scalar_nodes
from peers import ROUNDS, Peer, Task, duration, race, versions

EXPONENTS = (3, 4, 5, 6)


def network(exponent: int) -> Network:
    """One whose eager graph has 10 ** exponent nodes, nearly: an input takes 3 for each neuron, and its own."""
    return Network(((10**exponent - 110) // 49, 16, 2), "relu", "linear", "squared_error", 1)


def build(engine: Engine, case: Network) -> tuple[Cost, Model]:
    model = engine.MLP(case.sizes[0], list(case.sizes[1:]))
    for parameter, number in zip(model.parameters(), case.theta().tolist(), strict=True):
        parameter.data = number
    x, y = [array[0].tolist() for array in case.data()]
    inputs = list(map(engine.Value, x))
    return lambda: sum((out - target) ** 2 for out, target in zip(model(inputs), y)), model


def prepare(name: str, case: Network) -> Task:
    if name == "compiled":
        return gradient("ours", case)
    no_limit()
    engine = engine_of(name)
    return task(engine, *build(engine, case), size=lambda: bytes_a_node(engine, lambda engine: build(engine, case)))


def irregular(graph: Graph) -> Task:
    """Compiled once; the gradient is timed, and the bytes of a node are counted."""

    def make() -> Any:
        evaluate = ours(graph)
        evaluate()
        return evaluate

    evaluate = make()
    return Task(evaluate, lambda: numbers(evaluate()), lambda: allocated(make) / nodes_of(graph))


def nodes_of(graph: Graph) -> int:
    """Those of its trace."""
    return round(graph.numbers * NODES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"(default {ROUNDS})")
    parser.add_argument("--all", action="store_true", help="micrograd too at 1,000,000 nodes")
    chosen = parser.parse_args()
    native, plain, micrograd, _ = four(prepare)
    compiled = Peer("compiled", prepare, first=("compiled",))
    peers = [native, plain, micrograd, compiled]
    times: dict[Peer, list[float]] = {peer: [] for peer in peers}
    sizes: dict[Peer, list[float]] = {peer: [] for peer in peers}
    print(versions(["micrograd"]))
    print(f"Medians of {chosen.rounds} rounds, all in turn; answers compared to 1e-9.\n")
    patternless = Peer("compiled, irregular", irregular)
    times[patternless], sizes[patternless] = [], []
    nodes = [scalar_nodes(network(exponent)) for exponent in EXPONENTS]
    for exponent, number in zip(EXPONENTS, nodes):
        racing = [p for p in peers if p is not micrograd or exponent < EXPONENTS[-1] or chosen.all]
        medians, _ = race(racing, network(exponent), rounds=chosen.rounds)
        for p, taken in medians.items():
            times[p].append(taken / number)
            sizes[p].append(p.size())
        graph = Graph(round(number / NODES), FIRST, batch=1, fed=True)
        medians, _ = race([patternless], graph, rounds=chosen.rounds)
        times[patternless].append(medians[patternless] / nodes_of(graph))
        sizes[patternless].append(patternless.size())
    print_growth("time a node", nodes, times, duration)
    print_growth("bytes a node", nodes, sizes, lambda size: f"{size:.0f}")


def print_growth(title: str, nodes: list[int], columns: dict[Peer, list[float]], shown: Callable[[float], str]) -> None:
    print(f"{title + ', nodes:':22}" + "".join(f"{number:>12,}" for number in nodes) + f"{'10⁶ / 10⁴':>10}")
    for peer, row in columns.items():
        growth = f"{row[3] / row[1]:10.2f}" if len(row) == len(EXPONENTS) else ""
        cells = "".join(f"{shown(number):>12}" for number in row) + growth
        print(f"  {peer.name:20}{cells or peer.trouble[:58]}")
    print()


if __name__ == "__main__":
    main()
