"""Draw leaves and plain numbers, ordinary ones that shrink to ones that can be read."""

from __future__ import annotations

import math
from functools import cache

from hypothesis import strategies as st

from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value


def values(min_value: float = -10.0, max_value: float = 10.0) -> st.SearchStrategy[Value]:
    """Leaves with ordinary numbers: finite, of about five digits; they shrink to the likes of 0.0, 1.0 and 0.5.

    Args:
        min_value: the smallest number that may occur.
        max_value: the largest.

    Raises:
        TypeError: a bound is no number.
        ValueError: a bound is not finite, or min_value is above max_value.

    >>> from hypothesis import find
    >>> find(values(), lambda x: x.data > 1)
    Value(data=2.0, grad=0.0)
    """
    low, high = number(min_value, "values: min_value ="), number(max_value, "values: max_value =")
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"values({min_value!r}, {max_value!r}): expected two finite numbers, the smaller one first")
    return st.builds(Value, numbers(low, high))


@cache
def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of about five digits; nothing so small that its square is lost."""
    spread = max(abs(low), abs(high)) if high - low == math.inf else high - low
    digits = 5 - math.ceil(math.log10(spread)) if spread else 17
    return st.floats(low, high).map(lambda x: min(max(round(x, digits) + 0.0, low), high))
