"""Write a number as short as a reader wants it: six digits, and a point to tell that it is a float."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

_SIX = Context(prec=6, rounding=ROUND_HALF_UP)  # as JavaScript rounds: the page writes the same


def short(number: float) -> str:
    """The number with at most six significant digits.

    >>> [short(x) for x in (3.0, -0.5, 2 / 3, 123456.7, 1e7, 1.5e-7, float("-inf"), -0.0)]
    ['3.0', '-0.5', '0.666667', '123457.0', '1e+07', '1.5e-07', '-inf', '-0.0']
    """
    if not math.isfinite(number) or number == 0.0:
        return repr(number)
    rounded = _SIX.create_decimal(Decimal(number))
    text = f"{float(rounded):.6g}"
    return text if "." in text or "e" in text else f"{text}.0"


def enclosed(number: float) -> str:
    """The same, in parentheses where a minus would stand beside another sign.

    >>> enclosed(-3.0), enclosed(3.0)
    ('(-3.0)', '3.0')
    """
    text = short(number)
    return f"({text})" if text.startswith("-") else text
