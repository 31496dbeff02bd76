"""The curve of the loss: where each snapshot stands, on a scale that shows all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10

WIDTH, HEIGHT = 320.0, 150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 8.0, 12.0, 20.0
STEEP = 30.0  # how often the largest holds the smallest where the scale counts powers of ten


@dataclass(frozen=True)
class Curve:
    """A curve in a picture of WIDTH by HEIGHT.

    Attributes:
        points: for each snapshot where it stands.
        lines: where there are lines across, each with its number in words.
    """

    points: list[tuple[float, float]]
    lines: list[tuple[float, str]]


def curve(steps: Sequence[int], losses: Sequence[float]) -> Curve:
    """The curve of losses by steps.

    >>> curve([0, 5, 10], [1.0, 0.1, 0.001]).lines
    [(12.0, '1'), (51.3, '0.1'), (90.7, '0.01'), (130.0, '0.001')]
    """
    finite = [loss for loss in losses if isfinite(loss)] or [0.0]
    low, high = min(finite), max(finite)
    powers = low > 0.0 and high / low > STEEP
    if powers:
        bottom, top = log10(low), log10(high)
        digits = (1.0, 2.0, 5.0) if top - bottom < 2.5 else (1.0,)
        candidates = [log10(digit) + power for power in range(-330, 310) for digit in digits]
        marks = [(mark, 10.0**mark) for mark in candidates if bottom - 1e-9 <= mark <= top + 1e-9]
        marks = marks[:: max(1, -(-len(marks) // 5))]
    else:
        bottom, top = min(low, 0.0), max(high, 0.0)
        marks = [(mark, mark) for mark in dict.fromkeys([bottom, (bottom + top) / 2, top])]
    span = (top - bottom) or 1.0

    def height(number: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1.0 - (number - bottom) / span), 1)

    width, last = WIDTH - _LEFT - _RIGHT, max(steps[-1], 1)
    placed = [
        (round(_LEFT + width * step / last, 1), height(log10(loss) if powers else loss) if isfinite(loss) else _TOP)
        for step, loss in zip(steps, losses)
    ]
    return Curve(placed, sorted([(height(mark), f"{number:.3g}") for mark, number in marks]))
