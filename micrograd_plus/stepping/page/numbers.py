"""Write a number as JSON can hold it."""

from __future__ import annotations

import math


def written(number: float) -> float | str:
    """A number as JSON can hold it: inf and nan are words.

    >>> written(0.5), written(float("-inf"))
    (0.5, '-inf')
    """
    return number if math.isfinite(number) else str(number)
