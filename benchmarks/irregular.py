"""Time graphs in which nothing is regular, value and gradient, beside CasADi's interpreter (SX), one thread each.

    python benchmarks/irregular.py [--nodes 26000] [--mixes 10]

Each number is made from one or two of the last 500, drawn by seed: a product halved, a + 0.3 b, a sine; then, as often
as --mixes says, from functions drawn by seed, too, of which the ratios' median and worst are printed. One example, and
32. Needs `pip install 'micrograd-plus[bench]'`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any

import numpy as np
from networks import casadi_in_place, numbers
from peers import Peer, Task, options, print_times, race, versions

NODES = 1.67  # for each number: the halves and the products with 0.3 are nodes, too
RECENT = 500  # each number is made from some of so many before it
INPUTS, PARAMETERS = 20, 20
FIRST = ("half product", "sum", "sine")
# by name, what a function makes of two numbers, with another library's functions; all keep what they get near 0
FUNCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "half product": lambda f, a, b: a * b / 2.0,  # noqa: ARG005
    "sum": lambda f, a, b: a + 0.3 * b,  # noqa: ARG005
    "sine": lambda f, a, b: f.sin(a),  # noqa: ARG005
    "cosine": lambda f, a, b: f.cos(a - b),
    "hyperbolic": lambda f, a, b: f.tanh(a + b),
    "difference": lambda f, a, b: 0.7 * a - b,  # noqa: ARG005
    "bell": lambda f, a, b: f.exp(-a * a),  # noqa: ARG005
    "root": lambda f, a, b: f.sqrt(1.0 + a * a) - b,
    "quotient": lambda f, a, b: a / (2.0 + b * b),  # noqa: ARG005
    "logarithm": lambda f, a, b: f.log(1.5 + f.sin(a)),  # noqa: ARG005
    "larger": lambda f, a, b: f.fmax(a, 0.5 * b),
}


@dataclass(frozen=True)
class Graph:
    """A graph drawn by seed, and a batch for it; in one that is fed, numbers go on being made from leaves.

    One that is not dies out after some 50,000 numbers: its gradient is 0.
    """

    numbers: int
    functions: tuple[str, ...]
    batch: int
    seed: int = 0
    fed: bool = False

    def cost(self, library: Any) -> Callable[[Sequence[Any], Sequence[Any]], Any]:
        """The function of parameters and inputs."""
        draw = random.Random(self.seed)
        plan = [(draw.choice(self.functions), draw.random(), draw.random()) for _ in range(self.numbers)]

        def cost(weights: Sequence[Any], x: Sequence[Any]) -> Any:
            made = [*weights, *x]
            for name, p, q in plan:
                recent = [*weights, *x, *made[-RECENT:]] if self.fed else made[-RECENT:]
                a, b = recent[int(p * len(recent))], recent[int(q * len(recent))]
                made.append(FUNCTIONS[name](library, a, b))
            total = made[-100]
            for number in made[-99:]:
                total = total + number
            return total

        return cost

    def data(self) -> tuple[Any, Any]:
        """The parameters, and a row of inputs for each example."""
        draw = np.random.default_rng(self.seed)
        return draw.uniform(-1.0, 1.0, PARAMETERS), draw.uniform(-1.0, 1.0, (self.batch, INPUTS))


def ours(graph: Graph) -> Callable[[], Any]:
    mp = import_module("micrograd_plus")

    class Functions:
        """The functions by the names that CasADi has for them."""

        sin, cos, tanh, exp, sqrt, log, fmax = mp.sin, mp.cos, mp.tanh, mp.exp, mp.sqrt, mp.log, mp.maximum

    theta, x = graph.data()
    weights, cost = [mp.Value(number) for number in theta.tolist()], graph.cost(Functions)
    program = mp.compile(lambda row: cost(weights, row), x=INPUTS, parameters=weights)
    return lambda: program.value_and_grad(x, parameters=theta)


def casadi(graph: Graph) -> Callable[[], Any]:
    ca = import_module("casadi")
    theta, x = graph.data()
    weights, row = ca.SX.sym("w", PARAMETERS), ca.SX.sym("x", INPUTS)
    value = graph.cost(ca)([weights[i] for i in range(PARAMETERS)], [row[i] for i in range(INPUTS)])
    function = ca.Function("cost", [weights, row], [value, ca.gradient(value, weights)])
    if graph.batch > 1:
        function = function.map("batch", "serial", graph.batch, [0], [0, 1])
    return casadi_in_place(function, (theta, x), graph.batch)


def prepare(name: str, graph: Graph) -> Task:
    evaluate = casadi(graph) if name == "CasADi SX" else ours(graph)
    return Task(evaluate, lambda: numbers(evaluate()))


def main() -> None:
    chosen = options(__doc__, nodes=26_000, mixes=10)
    peers = [
        Peer("ours", prepare, first=("ours",)),
        Peer("CasADi SX", prepare, "casadi", first=("CasADi SX",)),
    ]
    plain = Peer("ours, plain Python", prepare, first=("ours",), environment={"MICROGRAD_PLUS_PURE": "1"})
    print(versions(["casadi"]))
    numbers = int(chosen.nodes / NODES)
    for batch in (1, 32):
        graph = Graph(numbers, FIRST, batch)
        medians, difference = race([*peers, plain], graph, rounds=chosen.rounds)
        title = f"irregular, {numbers:,} numbers of products, sums and sines, {batch} examples, per example"
        print_times(title, [*peers, plain], medians, difference, per=batch)
    for batch in (1, 32) if chosen.mixes else ():
        ratios = []
        for seed in range(1, chosen.mixes + 1):
            draw = random.Random(seed)
            functions = tuple(draw.sample(sorted(FUNCTIONS), draw.randint(3, 6)))
            medians, _ = race(peers, Graph(draw.randint(1_000, 20_000), functions, batch, seed), rounds=chosen.rounds)
            if len(medians) == 2:
                ratios.append(medians[peers[0]] / medians[peers[1]])
        if ratios:
            print(f"\n{len(ratios)} graphs drawn by seed, {batch} examples: ours / CasADi SX")
            print(f"  median {median(ratios):.2f}, worst {max(ratios):.2f}, best {min(ratios):.2f}")


if __name__ == "__main__":
    main()
