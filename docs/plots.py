"""Draw a function of the table and its derivative as a small SVG, with its kinks; and say in words what is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from inspect import signature
from itertools import pairwise
from math import copysign, isfinite, nan
from statistics import quantiles

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.ops.rows import FUNCTIONS

WIDTH, HEIGHT, MARGIN = 190, 120, 6
REACH = 4.0  # how far from 0, or from the end of a domain, x goes
MOST = 4.5  # and y
OTHERS = (2.0, 1.0)  # what the other arguments are
_STEPS = 128  # a power of two, so that whole numbers and halves are met exactly
_NEAR = 1e-6  # how near a kink is looked at from its sides

Point = tuple[float, float]


def plot(name: str) -> str:
    """A function by its first argument, and its derivative, as SVG on one line; `docs/site.css` has its colours.

    >>> plot("relu").partition("aria-label=")[2][:60]
    '"relu(x) for x from -4 to 4: its values go from 0 to 4, its '
    """
    op = TABLE[name]
    given = _others(op) + list(op.options.values())
    low, high = _window(*op.domain[0])
    kinks = _kinks(op, low, high, given)
    pieces = _pieces(low, high, kinks)
    values = [[(x, _value(op, x, given)) for x in piece] for piece in pieces]
    slopes = [[(x, _slope(op, x, given) if isfinite(y) else nan) for x, y in piece] for piece in values]
    bottom, top = _range([y for curve in (*values, *slopes) for _, y in curve], [_value(op, x, given) for x in kinks])

    def place(x: float, y: float) -> Point:
        across = MARGIN + (x - low) / (high - low) * (WIDTH - 2 * MARGIN)
        return across, MARGIN + (top - y) / (top - bottom) * (HEIGHT - 2 * MARGIN)

    def path(curves: Sequence[Sequence[Point]], kind: str) -> str:
        drawn = "".join([_path(curve, bottom, top, place) for curve in curves])
        return f'<path class="{kind}" d="{drawn}"/>' if drawn else ""

    marks = [
        f'<circle class="{kind}" cx="{place(x, y)[0]:.1f}" cy="{place(x, y)[1]:.1f}" r="2.5"/>'
        for x in kinks
        for kind, y in (("slope", _slope(op, x, given)), ("value", _value(op, x, given)))
        if bottom <= y <= top
    ]
    lines = [f'<path class="kink" d="M{place(x, 0)[0]:.1f} {MARGIN}V{HEIGHT - MARGIN}"/>' for x in kinks]
    axes = f'<path class="axis" d="M{place(low, 0)[0]:.1f} {place(0, 0)[1]:.1f}H{WIDTH - MARGIN}'
    axes += f'M{place(0, 0)[0]:.1f} {MARGIN}V{HEIGHT - MARGIN}"/>' if low <= 0 <= high else '"/>'
    spans = [f"from {_number(min(found))} to {_number(max(found))}" for found in (_finite(values), _finite(slopes))]
    said = (
        f"{called(name)} for x from {_number(low)} to {_number(high)}: its values go {spans[0]}, its slopes {spans[1]}"
    )
    if kinks:
        said += f"; kinks or poles at {', '.join([_number(x) for x in kinks])}"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    drawn = f"{axes}{''.join(lines)}{path(slopes, 'slope')}{path(values, 'value')}{''.join(marks)}"
    return f'<svg class="plot" role="img" aria-label="{escape(said)}" {size}>{drawn}</svg>'


def called(name: str) -> str:
    """The function that is drawn: `pow(x, 2)`.

    >>> called("pow"), called("tanh")
    ('pow(x, 2)', 'tanh(x)')
    """
    op = TABLE[name]
    first = next(iter(signature(FUNCTIONS[name]).parameters))
    return f"{name}({', '.join([first, *[f'{number:g}' for number in _others(op)]])})"


def _window(low: float, high: float) -> Point:
    """From where to where x goes: a little beyond the ends of a domain."""
    if isfinite(low) and isfinite(high):
        room = (high - low) / 8
        return low - room, high + room
    if isfinite(low):
        return low - REACH / 8, low + REACH + REACH / 8
    return (high - REACH, high + REACH / 8) if isfinite(high) else (-REACH, REACH)


def _others(op: Op) -> list[float]:
    """Numbers for the other arguments, within their domains."""
    return [
        number if low < number < high else (low + high) / 2
        for number, (low, high) in zip(OTHERS, op.domain[1 : op.arity])
    ]


def _value(op: Op, x: float, given: Sequence[float]) -> float:
    return apply(op, Value(x), *given).data


def _slope(op: Op, x: float, given: Sequence[float]) -> float:
    leaf = Value(x)
    apply(op, leaf, *given).backward()
    return leaf.grad


def _kinks(op: Op, low: float, high: float, given: Sequence[float]) -> list[float]:
    """Where the function that tells kinks is 0: between points where its sign changes, or at one."""
    tells = op.kinks
    if tells is None:
        return []

    def zero(x: float) -> float:
        return float(tells(x, *given))

    found: list[float] = []
    grid = _grid(low, high)
    for x, after in pairwise(grid):
        left, right = zero(x), zero(after)
        if left == 0.0:
            found.append(x)
        elif left * right < 0.0:
            for _ in range(60):
                middle = (x + after) / 2
                if (zero(middle) > 0.0) == (right > 0.0):
                    after = middle
                else:
                    x = middle
            if abs(zero(x)) < 1e-9:  # not where it jumps
                found.append(x)
    return found if len(found) < len(grid) / 3 else []  # all of x, as where only the other argument tells


def _grid(low: float, high: float) -> list[float]:
    return [low + (high - low) * i / _STEPS for i in range(_STEPS + 1)]


def _pieces(low: float, high: float, kinks: Sequence[float]) -> list[list[float]]:
    """The points between one kink and the next."""
    ends = [low, *kinks, high]
    grid = _grid(low, high)
    return [
        [left + _NEAR, *[x for x in grid if left + _NEAR < x < right - _NEAR], right - _NEAR]
        for left, right in pairwise(ends)
        if right - left > 2 * _NEAR
    ]


def _range(found: Sequence[float], marked: Sequence[float]) -> Point:
    """From where to where y goes: what most of the curves need, what is marked, and 0."""
    cuts = quantiles([y for y in found if isfinite(y)], n=50)
    ends = [0.0, cuts[0], cuts[-1], *[y for y in marked if isfinite(y)]]
    bottom, top = max(min(ends), -MOST), min(max(ends), MOST)
    room = max((top - bottom) / 12, 0.1)
    return bottom - room, top + room


def _path(curve: Sequence[Point], bottom: float, top: float, place: Callable[[float, float], Point]) -> str:
    """A curve as commands of a path, cut where it leaves the picture."""
    out, pen = [], "M"
    for x, y in curve:
        if not isfinite(y) or not bottom <= y <= top:
            pen = "M"
            continue
        across, down = place(x, y)
        out.append(f"{pen}{across:.1f} {down:.1f}")
        pen = "L"
    return "".join(out) if len(out) > 1 else ""


def _finite(curves: Sequence[Sequence[Point]]) -> list[float]:
    return [y for curve in curves for _, y in curve if isfinite(y)] or [0.0]


def _number(number: float) -> str:
    """A number in three digits; beyond a thousand, which is near a pole, ∞."""
    if abs(number) > 1000:
        return "∞" if copysign(1.0, number) > 0 else "-∞"
    return "0" if abs(number) < 1e-5 else f"{number:.3g}"
