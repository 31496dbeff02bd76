"""At which points of its domain is an operation of the table checked?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

from micrograd_plus.engine.operations import Op

Point = tuple[float, ...]
USUAL = (0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -3.0, 4.5, -6.0, 12.0, 1e-8, -1e-8, 1e3, -1e3)
HALVINGS = 60  # of the way between two points, after which their ends are neighbouring floats


def points(op: Op) -> list[Point]:
    """Points of an operation's domain: ordinary, tiny, large, near its ends; and its kinks."""
    random, count = Random(op.name), op.arity
    columns = [_column(low, high, random) for low, high in op.domain[:count]]
    if count == 1:
        found: list[Point] = [(x,) for x in columns[0]]
    else:
        longest = max(len(column) for column in columns)
        shuffled = [(random.sample(column, len(column)) * longest)[:longest] for column in columns]
        equal = [(x,) * count for x in columns[0][1:7] if all(low < x < high for low, high in op.domain)]
        found = [*zip(*shuffled), *equal]
    return [*found, *_at_kinks(op, found)]


def _column(low: float, high: float, random: Random) -> list[float]:
    """Numbers inside an interval."""
    width = min(high - low, 1.0)
    ends = [low + width * 1e-6, low + width * 1e-3, high - width * 1e-6, high - width * 1e-3]
    middle = max(low, min(high, 0.0) - 4.0), min(high, max(low, 0.0) + 4.0)
    column = [*USUAL, *ends, *[random.uniform(*middle) for _ in range(5)]]
    return [x for x in dict.fromkeys(column) if low < x < high]


def _at_kinks(op: Op, found: Sequence[Point]) -> Iterator[Point]:
    """The two neighbours between which `op.kinks` changes its sign, for some pairs of points."""
    if op.kinks is None:
        return
    options = tuple(op.options.values())
    for a, b in pairwise(sorted(found)):
        above = op.kinks(*a, *options) > 0.0
        if above == (op.kinks(*b, *options) > 0.0):
            continue
        for _ in range(HALVINGS):
            between = tuple([x + (y - x) / 2.0 for x, y in zip(a, b)])
            if (op.kinks(*between, *options) > 0.0) == above:
                a = between
            else:
                b = between
        yield a
        yield b
