"""Derivatives from nothing but values: differences that know their own error, and that see a kink.

Central differences at shrinking steps, extrapolated to step 0, with the error judged from how the extrapolations
agree: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4, 1982. Differences to
the right and to the left are extrapolated from the same samples: only where the two agree is there a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from math import copysign, inf, isfinite, nan
from typing import Literal, NamedTuple

from micrograd_plus.check.rounding import EPSILON

ROWS = 7  # steps in one extrapolation
RATIO = 1.6  # of a step to the next; no power of it is whole, so that no period hides behind the steps
SHRINK = 8.0  # of the first step, from one attempt to the next
ATTEMPTS = 6
BEYOND = 1e-8  # times the slopes around: what a slope may change on the way to a kink that no step sees
BETWEEN = (0.25, 0.5, 0.75)  # looked at between steps, too, where one side alone must tell that no kink hides there
SAFETY = 10.0  # an error may be this many times its estimate
COARSE = 1e-2  # an estimate worse than this, relative to the slopes around, is none

Branch = object  # equal at two points: the function does not change its formula between them
Sample = Callable[[float], tuple[Sequence[float], Branch]]
Noise = Callable[[float], Sequence[float]]


class Slope(NamedTuple):
    """What differences say about one derivative.

    `kind` is "smooth" where both sides agree, "kink" where they don't, "edge" where one side has no numbers, "unclear"
    where rounding errors hide the answer. `size` is the largest slope seen around, `rounding` what rounding errors make
    of it at the widest step. A kink is `sharp` where its slopes are accurate, or one is infinite; `crossed` tells that
    every step leads to another branch, to both sides. Where one side alone does, the derivative is the other's slope,
    and `parted` tells that the slope on that side is clearly another.
    """

    kind: Literal["smooth", "kink", "edge", "unclear"]
    value: float
    error: float
    left: float
    right: float
    size: float = 0.0
    rounding: float = inf
    sharp: bool = False
    crossed: bool = False
    parted: bool = False


NOTHING = Slope("edge", nan, inf, nan, nan)


class _Stencil(NamedTuple):
    """A function's numbers at x, and at steps to its right and to its left, the widest first."""

    x: float
    centre: Sequence[float]
    right: list[tuple[float, Sequence[float]]]
    left: list[tuple[float, Sequence[float]]]
    side: int = 0  # 1, -1: only to the right, or to the left, has the function the formula it has at x


def slopes(sample: Sample, x: float, noise: Noise, target: float = 1e-8, start: float = 0.06) -> list[Slope]:
    """The derivative of each of a function's numbers at x, from its values alone.

    Args:
        sample: gives the numbers at a point, and the branch there. Where the branch differs from that at x, the
            function has another formula, and no such point is used.
        x: the point.
        noise: gives how large the rounding error of each number may be at a point.
        target: the relative error at which no smaller step is tried.
        start: the first step, relative to x or to 1, whichever is larger.

    >>> from math import exp
    >>> (slope,) = slopes(lambda x: ([exp(x)], None), 1.0, lambda x: [1e-16])
    >>> slope.kind, abs(slope.value - exp(1.0)) < 1e-11
    ('smooth', True)
    >>> (slope,) = slopes(lambda x: ([abs(x)], None), 0.0, lambda x: [1e-16])
    >>> slope.kind, slope.left, slope.right
    ('kink', -1.0, 1.0)
    """
    sample = cache(sample)
    centre, branch = sample(x)
    lost = {i for i, number in enumerate(centre) if isfinite(number)}
    found: dict[int, Slope] = {}
    narrowest = min(_steps(x, start), default=0.0)
    above, below = sample(x + narrowest)[1] == branch, sample(x - narrowest)[1] == branch
    if lost and (above or below):
        own = _own(branch, above, below)
        inside = _stencils(sample, x, start, centre, lost, own, above - below)
        found = _best(inside, noise, noise(x), lost, target)
        if above != below:
            _compare_sides(found, sample, x, noise, start, centre)
        lost -= {i for i, slope in found.items() if slope.kind == "smooth" and _precise(slope, 1e-6)}
    if lost:  # at a kink, or nearly: each side by itself may still keep to one branch
        sides = _stencils(sample, x, start, centre, lost, lambda first, other: first == other)
        crossed = not found
        for i, slope in _best(sides, noise, noise(x), lost, target, kinked=crossed).items():
            kind = "kink" if crossed and slope.kind == "unclear" else slope.kind
            old = found.get(i, NOTHING)
            if old.kind != "smooth":
                found[i] = slope._replace(kind=kind, crossed=crossed)
            elif kind == "smooth" and slope.error < old.error > abs(slope.value - old.value):
                # The same slope, seen better from beyond a kink near by. What it is at x itself may be as far off as
                # rounding lets the terms be that cancel there.
                terms = noise(x)[i] / EPSILON / max(1.0, abs(x))
                found[i] = slope._replace(error=max(slope.error, BEYOND * max(slope.size, terms)))
    return [found.get(i, NOTHING) for i in range(len(centre))]


def _compare_sides(
    found: dict[int, Slope], sample: Sample, x: float, noise: Noise, start: float, centre: Sequence[float]
) -> None:
    """Mark the slopes at which the side that leads to another branch has clearly another one, or a jump."""
    smooth = [i for i, slope in found.items() if slope.kind == "smooth"]
    sides = _stencils(sample, x, start, centre, smooth, lambda first, other: first == other)
    for i, slope in _best(sides, noise, noise(x), smooth, target=1e-8, kinked=True).items():
        if slope.kind == "kink" and slope.sharp:
            found[i] = found[i]._replace(left=slope.left, right=slope.right, parted=True)


def _own(branch: Branch, above: bool, below: bool) -> Callable[[tuple[Branch, Branch], tuple[Branch, Branch]], bool]:
    """Whether steps keep to the formula at x, to the right where `above`, to the left where `below`."""
    return lambda _, other: (not above or other[0] == branch) and (not below or other[1] == branch)


def _best(
    stencils: Iterator[_Stencil],
    noise: Noise,
    here: Sequence[float],
    wanted: Iterable[int],
    target: float,
    kinked: bool = False,
) -> dict[int, Slope]:
    """The best that some stencils say about each number: a derivative with the smallest error, or why there is none.

    Where a kink is expected, `kinked`, the first stencil that shows it is enough; where one shows that is not, smaller
    steps may tell on which side of it x lies.
    """
    best: dict[int, Slope] = {}
    pending = list(wanted)
    for attempt, stencil in enumerate(stencils):
        if attempt >= ATTEMPTS and (kinked or not any(best[i].kind == "kink" for i in pending)):
            break
        there = noise(stencil.right[0][0])
        for i in tuple(pending):
            new, old = _slope(stencil, i, here[i], there[i]), best.get(i)
            better = new.kind == "smooth" and (old is None or old.kind != "smooth" or new.error < old.error)
            better = better and (attempt < ATTEMPTS or _precise(new, COARSE))
            if better and old is not None and old.kind == "kink":  # unless the sides differ as much, and are less clear
                better = not abs(new.right - new.left) >= 0.5 * abs(old.right - old.left)
            if old is None or old.kind == "edge" or better:
                best[i] = new
            if (new.kind == "smooth" and _precise(new, target)) or (kinked and new.kind == "kink" and new.sharp):
                pending.remove(i)
        if not pending:
            break
    return best


def _precise(slope: Slope, target: float) -> bool:
    return slope.error <= target * max(abs(slope.value), COARSE * slope.size)


def _steps(x: float, start: float) -> Iterator[float]:
    """First steps to try, from wide to narrow: some relative to 1, some to x."""
    size = abs(x)
    wide = [start * SHRINK**-k for k in range(7)]
    relative = [start * size * SHRINK**-k for k in range(6)]
    for h in sorted({*wide, *relative}, reverse=True):
        if h > 1e-12 * size and x + h * RATIO**-ROWS != x:
            yield h


def _stencils(
    sample: Sample,
    x: float,
    start: float,
    centre: Sequence[float],
    wanted: Iterable[int],
    same: Callable[[tuple[Branch, Branch], tuple[Branch, Branch]], bool],
    side: int = 0,
) -> Iterator[_Stencil]:
    """Samples around x, but for those whose branches to the right and to the left are not the `same` for all steps."""
    for h in _steps(x, start):
        right: list[tuple[float, Sequence[float]]] = []
        left: list[tuple[float, Sequence[float]]] = []
        for k in range(ROWS):
            step = h * RATIO**-k
            above, branch_above = sample(x + step)
            below, branch_below = sample(x - step)
            branch = branch_above if side > 0 else branch_below
            if k == 0:
                first = (branch_above, branch_below)
            if not same(first, (branch_above, branch_below)):
                break
            if side and any(sample(x + side * step * RATIO**-f)[1] != branch for f in BETWEEN):
                break
            if k == 0 and not any(isfinite(above[i]) and isfinite(below[i]) for i in wanted):
                break
            right.append((x + step, above))
            left.append((x - step, below))
        else:
            yield _Stencil(x, centre, right, left, side)


def _slope(stencil: _Stencil, i: int, here: float, there: float) -> Slope:
    """The derivative of number i at one stencil, with a rounding error of `here` at x and of `there` at the far end."""
    x, centre = stencil.x, stencil.centre[i]
    right = [(numbers[i] - centre) / (at - x) for at, numbers in stencil.right]
    left = [(numbers[i] - centre) / (at - x) for at, numbers in stencil.left]
    central = [(a[i] - b[i]) / (at - bt) for (at, a), (bt, b) in zip(stencil.right, stencil.left)]
    growth = there / (stencil.right[0][0] - x) if isfinite(there) else 0.0
    rounding = [here / (at - x) + growth for at, _ in stencil.right]
    size = max([abs(q) for q in (right[0], right[-1], left[0], left[-1]) if isfinite(q)], default=0.0)
    r, r_error = _extrapolated(right, rounding, 1)
    s, s_error = _extrapolated(left, rounding, 1)
    value, error = _extrapolated(central, rounding, 2)
    apart = SAFETY * (r_error + s_error) + 1e-9 * size
    level = size <= rounding[-1]  # nothing but rounding errors: flat, as far as one can see
    clear = level or max(r_error, s_error) <= COARSE * size
    agree = clear and abs(r - s) <= apart
    if stencil.side and all(isfinite(q) for q in (*right, *left)):
        value, error = (r, r_error) if stencil.side > 0 else (s, s_error)
        known = level or error <= COARSE * size
        return Slope("smooth" if known else "unclear", value, error, s, r, size, rounding[0])
    if agree:
        if not (error <= r_error + s_error and abs(value - (r + s) / 2.0) <= apart):  # the second derivative may jump
            value, error = (r + s) / 2.0, r_error + s_error + abs(r - s)
        return Slope("smooth", value, error, s, r, size, rounding[0])
    if not all(isfinite(q) for q in (*right, *left)):
        return Slope("edge", value, error, s, r, size, rounding[0])
    steep = [abs(side[-1]) > 2.5 * abs(side[0]) + SAFETY * rounding[-1] for side in (left, right)]
    if any(steep):  # a jump, or a vertical tangent
        s, r = [
            copysign(inf, side[-1]) if is_steep else slope
            for side, is_steep, slope in zip((left, right), steep, (s, r))
        ]
    kind: Literal["kink", "unclear"] = "kink" if (clear and not agree) or any(steep) else "unclear"
    sharp = any(steep) or r_error + s_error < 1e-6 * size
    return Slope(kind, (r + s) / 2.0, r_error + s_error, s, r, size, rounding[0], sharp)


def _extrapolated(quotients: Sequence[float], rounding: Sequence[float], power: int) -> tuple[float, float]:
    """What difference quotients tend to as their step, shrinking by RATIO, goes to 0; and how far off that may be.

    The error of a central quotient is a series in the square of the step (power 2), of a one-sided one in the step.
    """
    best, error = quotients[-1], inf
    before: list[float] = []
    for k, quotient in enumerate(quotients):
        row = [quotient]
        factor = 1.0
        for j in range(k):
            factor *= RATIO**power
            better = (factor * row[j] - before[j]) / (factor - 1.0)
            guess = max(abs(better - row[j]), abs(better - before[j])) + rounding[k]
            row.append(better)
            if k > 1 and guess < error:
                best, error = better, guess
        before = row
    return best, error
