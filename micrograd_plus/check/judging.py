"""Is one derivative right, by what differences and the complex step say?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite, nan
from typing import NamedTuple

from micrograd_plus.check.differences import COARSE, SAFETY, Noise, Sample, Slope, slopes
from micrograd_plus.check.reports import Status
from micrograd_plus.check.rounding import EPSILON

WITHOUT_SLOPE: dict[str, Status] = {"edge": "undefined", "kink": "kink", "unclear": "unclear"}
STARTS = (0.023, 1e-4, 1e-6, 1e-8, 1e-10)  # first steps of differences that may contradict those before


class Evidence(NamedTuple):
    """What is known of one derivative.

    Attributes:
        x: the number it is taken by.
        number: what is differentiated, at the point.
        got: the derivative, from the engine or as it was given.
        slope: the derivative, from differences.
        exact: the derivative, from the complex step; nan where that is of no use.
        reach: the sum of the absolute slopes of all paths, of which the derivative is what does not cancel; 0 where it
            is not known.
    """

    x: float
    number: float
    got: float
    slope: Slope
    exact: float = nan
    reach: float = 0.0


class Verdict(NamedTuple):
    """What a derivative is, None where it agrees; what it was expected to be, and how far it might be off."""

    status: Status | None
    expected: float = nan
    tolerance: float = nan


def judged(evidence: Evidence, rtol: float, atol: float, unstopped: Callable[[], float]) -> Verdict:
    """The verdict on a derivative; `unstopped` gives what it would be without stop_gradient, nan if the same."""
    got, slope = evidence.got, evidence.slope
    size = max(abs(slope.value), abs(got) if isfinite(got) else 0.0)
    if not isfinite(evidence.number):
        return Verdict("undefined")
    expected, tolerance = _expected(evidence, size, rtol, atol)
    if expected is None:
        return Verdict(WITHOUT_SLOPE[slope.kind])
    agrees: Status | None = "kink" if slope.parted else None
    if got == expected:
        return Verdict(agrees, expected, tolerance)
    if abs(got - expected) <= tolerance:
        around = max(size, slope.size)
        told = abs(got - expected) <= atol + rtol * around or tolerance <= COARSE * around
        return Verdict(agrees if told else "unclear", expected, tolerance)
    if tolerance > COARSE * (size if isfinite(got) else max(size, slope.size, 1.0)):
        return Verdict("unclear", expected, tolerance)
    if abs(unstopped() - expected) <= tolerance:
        return Verdict("stopped", expected, tolerance)
    return Verdict("wrong", expected, tolerance)


def _expected(evidence: Evidence, size: float, rtol: float, atol: float) -> tuple[float | None, float]:
    """What the derivative should be, and how far it may be off; None where it has no slope.

    The complex step says more exactly what differences say; where rounding errors hide their slope, it stands alone.
    """
    slope, exact, reach = evidence.slope, evidence.exact, evidence.reach
    cancelled = 8.0 * EPSILON * reach
    tolerance = atol + max(rtol * size, 2.0 * SAFETY * slope.error, cancelled)
    if isfinite(exact) and ((slope.kind == "unclear" and reach) or abs(exact - slope.value) <= tolerance):
        tight = max(1e-5 * rtol * max(abs(exact), reach), 2.0 * SAFETY * slope.rounding)
        return exact, atol + (tight if reach else rtol * abs(exact))
    return (slope.value if slope.kind == "smooth" else None), tolerance


def contradicted(
    sample: Sample, noise: Noise, i: int, evidence: Evidence, verdict: Verdict, starts: Iterable[float]
) -> bool:
    """Whether differences at other steps speak for what was got, as next to kinks that no table tells of."""
    got, expected, tolerance = evidence.got, verdict.expected, verdict.tolerance
    for start in starts:
        other = slopes(sample, evidence.x, noise, start=start)[i]
        apart = abs(other.value - expected) > max(tolerance, 2.0 * SAFETY * other.error)
        if other.kind == "smooth" and apart and abs(other.value - got) < abs(other.value - expected):
            return True
        low, high = sorted((other.left, other.right))
        if other.kind == "kink" and other.sharp and low - tolerance <= got <= high + tolerance:
            return True
    return False
