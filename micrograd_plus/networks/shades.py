"""Turn numbers into colours and greys."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from micrograd_plus.networks.shapes import RGBA
from micrograd_plus.pictures.form import WEIGHTS, rgb

STEPS = 16  # of strength


def greatest(numbers: Iterable[float]) -> float:
    """The greatest absolute value of those that are finite; 0.0 where there is none."""
    return max((abs(number) for number in numbers if math.isfinite(number)), default=0.0)


def share(number: float, full: float) -> float:
    """How strong a number is, from 0 to 1; nan is as strong as can be, for it should be seen."""
    return 1.0 if number != number else min(abs(number) / full, 1.0)


def stepped(number: float, full: float) -> float:
    """The same in steps that one can just tell apart, so that many things look alike; only 0 is 0.

    >>> stepped(0.0, 2.0), stepped(0.001, 2.0), stepped(-1.0, 2.0), stepped(2.0, 2.0)
    (0.0, 0.0625, 0.5, 1.0)
    """
    return math.ceil(STEPS * share(number, full)) / STEPS


def tinted(weight: float, full: float) -> RGBA:
    """The weight's colour, the more transparent the nearer it is to 0."""
    return *rgb(WEIGHTS.of(weight)), round(255 * stepped(weight, full))


def greys_of(column: Sequence[float]) -> list[int]:
    """Grey for each number: from black for 0 to white for 1, or as far as the numbers go; nan is in between."""
    finite = [number for number in column if math.isfinite(number)]
    low, high = min([0.0, *finite]) / 2, max([1.0, *finite]) / 2  # halves, so that their difference is finite
    shares = [0.5 if number != number else (number / 2 - low) / (high - low) for number in column]
    return [round(255 * min(max(share, 0.0), 1.0)) for share in shares]
