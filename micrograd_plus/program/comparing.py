"""Did two runs of a function, with different numbers, give the same graph? And at which line do they differ, if not?"""

from __future__ import annotations

from math import isfinite
from operator import is_
from typing import Any

from micrograd_plus.engine.anomalies import users_line
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.repeating import repeats
from micrograd_plus.engine.value import Value
from micrograd_plus.program.flat_graphs import Listing, Run
from micrograd_plus.program.stand_ins import Traced


def repeated(one: Listing, other: Run) -> bool:
    """Whether another run gave the very same graph, leaves and all; where it did not, both are to be laid out."""
    same = len(one.roots) == len(other.outs) and repeats(one.flat, other.inputs, other.order, other.wanted)
    return same and [*map(id, one.before)] == [*map(id, other.before)]


def settle(one: Listing, other: Listing) -> None:
    """Make constants of the leaves that each run makes anew, as `total = Value(0)` does."""
    if len(one.leaves) == len(other.leaves) and all(map(is_, one.leaves.values(), other.leaves.values())):
        return
    both = set(map(id, one.leaves.values())).intersection(map(id, other.leaves.values()))
    for listing in (one, other):
        listing.constants |= {place: leaf._data for place, leaf in listing.leaves.items() if id(leaf) not in both}
        listing.leaves = {place: leaf for place, leaf in listing.leaves.items() if id(leaf) in both}


def alike(one: Listing, other: Listing) -> bool:
    return (
        one.ops == other.ops
        and (one.first, one.second, one.more, one.roots) == (other.first, other.second, other.more, other.roots)
        and [*one.leaves] == [*other.leaves]
        and all(map(is_, one.leaves.values(), other.leaves.values()))
        and one.constants.keys() == other.constants.keys()
        and all(_same(number, other.constants[place]) for place, number in one.constants.items())
        and [guard.value for guard in one.guards] == [guard.value for guard in other.guards]
    )


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


class Lines:
    """A watch that notes where each node was made."""

    def __init__(self) -> None:
        self.made_at: list[tuple[str, tuple[float | None, ...], str]] = []

    def made(self, node: Value, op: Op, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - an engine's call
        constants = tuple(
            [
                arg if not isinstance(arg, Value) else None if arg.op or isinstance(arg, Traced) else arg._data
                for arg in args
            ]
        )
        self.made_at.append((op.name, constants, users_line()))

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """Nothing is passed back while tracing."""


def parting(one: Lines, other: Lines) -> str:
    """The first operation in which two runs of a function differ, as an error says it."""
    told = "compile: two runs of the function, with different numbers, gave different graphs"
    way_out = (
        "a number that depends on x, y or a parameter was baked in, or one that changes from run to run, a random one "
        "say; what is to change must come in by x or y"
    )
    for first, second in zip(one.made_at, other.made_at):
        if first != second:
            was = f"{first[0]} with {_shown(first[1])}, then {second[0]} with {_shown(second[1])}"
            return f"{told}: {was}, in {first[2]}; {way_out}"
    return f"{told}, of {len(one.made_at)} and {len(other.made_at)} operations; {way_out}"


def _shown(constants: tuple[float | None, ...]) -> str:
    plain = [f"{number:g}" if isfinite(number) else str(number) for number in constants if number is not None]
    return f"the number {', '.join(plain)}" if plain else "no plain number"
