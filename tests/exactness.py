"""Derivatives of any order against mpmath, at points of all magnitudes: what benchmarks/digits.py counts."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement
from math import inf
from typing import Any, NamedTuple

import mpmath
from definitions import DEFINITIONS

import micrograd_plus as mp
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value, apply

Numbers = tuple[float, ...]

BOUND = 1e-10  # what every derivative should keep
LEAST, LARGEST = sys.float_info.min, sys.float_info.max  # normal numbers lie between


def exact(f: Callable[..., Any], args: Sequence[float], by: Sequence[int]) -> Any:
    """The derivative of f by the arguments of these indices, right to twenty digits where it is a normal number.

    Central differences with steps of 10⁻⁵⁰, relative for small arguments, and digits until enough are left.
    """
    digits = 60 + 60 * len(by)
    while True:
        with mpmath.workdps(digits + int(max([math.log10(abs(arg) + 1.0) for arg in args if math.isfinite(arg)]))):
            point = [mpmath.mpf(arg) for arg in args]
            steps = [min(mpmath.mpf(1), abs(x)) * mpmath.mpf(10) ** -50 for x in point]
            slope, size = _difference(f, point, steps, tuple(by))
            noise = size * mpmath.mpf(10) ** (20 - digits)
            for i in by:
                noise /= steps[i]
        if abs(slope) > noise or noise < LEAST * mpmath.mpf(10) ** -20:
            return slope
        digits *= 2


def _difference(f: Callable[..., Any], point: list[Any], steps: list[Any], by: tuple[int, ...]) -> tuple[Any, Any]:
    """A difference quotient, and how large the values were that it was made of."""
    if not by:
        value = f(*point)
        return value, abs(value)
    i, rest = by[0], by[1:]
    above, large = _difference(f, [*point[:i], point[i] + steps[i], *point[i + 1 :]], steps, rest)
    below, _ = _difference(f, [*point[:i], point[i] - steps[i], *point[i + 1 :]], steps, rest)
    return (above - below) / (2 * steps[i]), large


def computed(op: Op, args: Numbers, by: Sequence[int]) -> float:
    """The same by the package: gradients of gradients."""
    count = op.arity
    leaves = [Value(x) for x in args[:count]]
    slope: Any = apply(op, *leaves, *args[count:])
    for i in by:
        (slope,) = mp.gradient(slope, [leaves[i]], create_graph=True)
    return float(slope)


def points(op: Op, draw: random.Random) -> Iterator[Numbers]:
    """Points inside the domain and off the kinks, for ever."""
    count = op.arity
    while True:
        args = [_number(low, high, draw) for low, high in op.domain[:count]]
        if count > 1 and draw.random() < 0.6:  # numbers that have to do with each other
            near = args[0] * draw.choice((1.0, -1.0)) * 10.0 ** draw.uniform(-9.0, 9.0)
            if draw.random() < 0.3:
                near = args[0] * (1.0 + draw.choice((1.0, -1.0)) * 10.0 ** draw.uniform(-15.0, 0.0))
            low, high = op.domain[count - 1]
            args[-1] = near if low < near < high else args[-1]
        point = (*args, *op.options.values())
        if op.name == "pow" and draw.random() < 0.5:  # else all overflows
            point = (args[0], draw.uniform(-700.0, 700.0) / (math.log(args[0]) or 1.0))
        distance = inf if op.kinks is None else abs(op.kinks(*point))
        if distance > 1e-9 * min([1.0, *[abs(x) for x in args]]) and all(map(math.isfinite, args)) and all(args):
            yield point


def _number(low: float, high: float, draw: random.Random) -> float:
    """A float of an open interval: of any magnitude, an ordinary one, or one close to an end."""
    while True:
        kind = draw.random()
        size = 10.0 ** (draw.uniform(-308.0, 308.0) if kind < 0.4 else draw.uniform(-20.0, 20.0))
        x = draw.choice((1.0, -1.0)) * (size if kind < 0.6 else draw.uniform(0.0, 40.0 if kind < 0.8 else 1100.0))
        if kind > 0.9:  # terms like to cancel near these
            x = draw.choice((0.5, 1.0, -1.0, 2.0)) + draw.choice((1.0, -1.0)) * 10.0 ** draw.uniform(-15.0, 0.0)
        ends = [end for end in (low, high) if math.isfinite(end)]
        if ends and draw.random() < 0.4:
            end = draw.choice(ends)
            x = end + (1.0 if end == low else -1.0) * 10.0 ** draw.uniform(-16.0, 0.0)
        if low < x < high:
            return x


class Found(NamedTuple):
    """One derivative: by how much it is off, relative, and where.

    `root` says that no float is so good: 4 units in the last place of an argument change the true value as much.
    """

    error: float
    root: bool
    args: Numbers
    by: tuple[int, ...]
    got: float
    want: float


def errors(op: Op, args: Numbers, order: int) -> Iterator[Found]:
    """For each derivative of that order whose true value is a normal number, how far off it is."""
    halts = op.halts or [partial is None for partial in op.partials]  # where nothing flows back, whatever the numbers
    places = [i for i, halt in enumerate(halts) if not halt]
    for by in combinations_with_replacement(places, order):
        try:
            want = exact(DEFINITIONS[op.name], args, by)
        except OverflowError:  # mpmath's erfc does, beyond 1e154
            continue
        if not LEAST <= abs(want) <= LARGEST:
            continue
        for way in dict.fromkeys((by, by[::-1])):
            got = computed(op, args, way)
            error = float(abs(mpmath.mpf(got) - want) / abs(want)) if math.isfinite(got) else inf
            yield Found(error, error > BOUND and _is_root(op, args, by, abs(want) * error), args, way, got, float(want))


def _is_root(op: Op, args: Numbers, by: tuple[int, ...], off: Any) -> bool:
    moves = 0
    for i, x in enumerate(args[: op.arity]):
        moved = x * (1.0 - 2.0**-52)
        moves += abs(
            exact(DEFINITIONS[op.name], [*args[:i], moved, *args[i + 1 :]], by) - exact(DEFINITIONS[op.name], args, by)
        )
    return bool(4 * moves >= off)
