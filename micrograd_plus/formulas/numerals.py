"""Write a number as short as a reader wants it, for each place in which numbers stand.

Six digits in lines of text; four in the boxes and on the arrows of a graph, in pictures, pages and films alike; five
letters in the circles of a network. Zero has no sign.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

# as JavaScript rounds: the page writes the same
_SIX, _FOUR = [Context(prec=digits, rounding=ROUND_HALF_UP) for digits in (6, 4)]


def short(number: float) -> str:
    """The number with at most six significant digits, and a point to tell that it is a float; 0 has no sign.

    >>> [short(x) for x in (3.0, -0.5, 2 / 3, 123456.7, 1e7, 1.5e-7, float("-inf"), -0.0)]
    ['3.0', '-0.5', '0.666667', '123457.0', '1e+07', '1.5e-07', '-inf', '0.0']
    """
    text = _rounded(number, _SIX)
    return text if not math.isfinite(number) or "." in text or "e" in text else f"{text}.0"


def _rounded(number: float, digits: Context) -> str:
    if not math.isfinite(number):
        return repr(number)
    return f"{float(digits.create_decimal(Decimal(number))) + 0.0:.{digits.prec}g}"


DUST = "≈0"  # what stands for a number that rounding left: see dust.py


def boxed(number: float, *, dust: bool = False) -> str:
    """What stands in a box: four digits, or ≈0 for dust.

    >>> boxed(2 / 3), boxed(5.6e-17, dust=True)
    ('0.6667', '≈0')
    """
    return DUST if dust else shorter(number)


def enclosed(number: float) -> str:
    """The same, in parentheses where a minus would stand beside another sign.

    >>> enclosed(-3.0), enclosed(3.0)
    ('(-3.0)', '3.0')
    """
    text = short(number)
    return f"({text})" if text.startswith("-") else text


def shorter(number: float) -> str:
    """The number with at most four significant digits; 0 has no sign.

    >>> [shorter(x) for x in (2 / 3, 3.0, 1e6, -0.0, 1.23456e-5)]
    ['0.6667', '3', '1e+06', '0', '1.235e-05']
    """
    return _rounded(number, _FOUR)


def shortest(number: float) -> str:
    """The number in five letters or so: 0.87, -12.3, 1e9.

    >>> [shortest(x) for x in (0.871, -3.14159, -12.345, 1234.5, 1e9, float("nan"), -0.001)]
    ['0.87', '-3.14', '-12.3', '1e3', '1e9', 'nan', '0.00']
    """
    if not math.isfinite(number):
        return f"{number}"
    if abs(number) >= 999.5:
        return f"{number:.0e}".replace("e+0", "e").replace("e+", "e")
    text = f"{number:.{2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0}f}"
    return text.lstrip("-") if float(text) == 0 else text


def signed(number: float, digits: int = 4) -> str:
    """The number with its sign, also a plus, and so many significant digits; "0" for zero.

    >>> signed(0.123456), signed(-2.0, 2), signed(-0.0)
    ('+0.1235', '-2', '0')
    """
    return f"{number:+.{digits}g}" if number else "0"
