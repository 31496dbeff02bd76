"""Time a chain of 1,000,000 multiplications, per link: build, backward and freeing, beside micrograd and xad.

    python benchmarks/chain.py

Needs `pip install 'micrograd-plus[bench]'`. The chain is as deep as it is long: what recurses, does not get through.
"""

from __future__ import annotations

from typing import Any

from engines import engine_of, four, task
from peers import Task, options, print_times, race, versions

FACTOR = 1.000001


class Start:
    """The one parameter: where the chain starts."""

    def __init__(self, value: Any) -> None:
        self.x = value

    def parameters(self) -> list[Any]:
        return [self.x]

    def forget(self) -> None:  # as xad needs it
        self.x = None

    def remember(self, real: Any) -> None:
        self.x = real(FACTOR)


def prepare(name: str, links: int) -> Task:
    engine = engine_of(name)
    model = Start(engine.Value(FACTOR))

    def cost() -> Any:
        x = y = model.x
        for _ in range(links):
            y = y * x
        return y

    return task(engine, cost, model)


def main() -> None:
    chosen = options(__doc__, links=1_000_000)
    peers = four(prepare)
    print(versions(["micrograd", "xad"]))
    medians, difference = race(peers, chosen.links, rounds=chosen.rounds)
    title = f"A chain of {chosen.links:,} multiplications, per link; medians of {chosen.rounds} rounds, all in turn"
    print_times(title, peers, medians, difference, ours=peers[:2], per=chosen.links)


if __name__ == "__main__":
    main()
