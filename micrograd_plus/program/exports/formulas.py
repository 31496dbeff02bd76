"""Rows that a library lacks, or has with fewer digits, as formulas in others.

Each is written in mp's functions and keeps its digits at every number, as the row itself does; `FORMULAS` has them by
name. What they need in the end is arithmetic, comparisons, sqrt, exp, log, sin, cos, tanh and pow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from math import inf, nan, pi
from typing import Any

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.ops import (
    abs,
    atan,
    cos,
    div,
    equal,
    erf,
    erfc,
    erfcx,
    exp,
    expm1,
    floor,
    less,
    less_equal,
    log,
    log1p,
    maximum,
    minimum,
    pow,
    reciprocal,
    round,
    sin,
    sqrt,
    square,
    tanh,
    where,
)

_LN2 = math.log(2.0)
_SQRT_HALF = math.sqrt(0.5)


def _negative(x: Any) -> Any:
    """1 where x has a minus sign, -0 included."""
    return less(x, 0.0) + equal(x, 0.0) * less(reciprocal(x), 0.0)


def _expm1(x: Any) -> Any:
    near = less(abs(x), 0.5)
    half = tanh(0.5 * where(near, x, 0.0))
    return where(near, 2.0 * div(half, 1.0 - half), exp(x) - 1.0)


def _log1p(x: Any) -> Any:
    """What rounding 1 + x loses is made good by the same loss below (Kahan)."""
    near = less(abs(x), 1.0)
    small = where(near, x, 0.5)
    whole = 1.0 + small
    lost = whole - 1.0
    kept = where(equal(lost, 0.0), small, log(whole) * div(small, where(equal(lost, 0.0), 1.0, lost)))
    return where(near, kept, log(1.0 + x))


def _cbrt(x: Any) -> Any:
    size = abs(x)
    root = pow(size, 1.0 / 3.0)
    inside = less(0.0, size) * less(size, inf)
    better = root - div(root - div(size, where(inside, square(root), 1.0)), 3.0)
    return _copysign(where(inside, better, root), x)


def _hypot(x: Any, y: Any) -> Any:
    long, short = maximum(abs(x), abs(y)), minimum(abs(x), abs(y))
    ratio = div(short, where(equal(long, 0.0), 1.0, long))
    endless = 1.0 - (1.0 - equal(abs(x), inf)) * (1.0 - equal(abs(y), inf))
    return where(endless, inf, long * sqrt(1.0 + square(ratio)))


def _copysign(x: Any, y: Any) -> Any:
    return where(_negative(y), -abs(x), abs(x))


def _atan(x: Any) -> Any:
    """Of t in 0 to 1 a guess, then what is left of the angle: its tangent is (t cos - sin) / (cos + t sin)."""
    size = abs(x)
    steep = less(1.0, size)
    t = where(steep, reciprocal(size), size)
    guess = div(t, 1.0 + 0.28 * square(t))
    sine, cosine = sin(guess), cos(guess)
    left = div(t * cosine - sine, cosine + t * sine)
    angle = guess + left * (1.0 - square(left) * (1.0 / 3.0 - 0.2 * square(left)))
    return _copysign(where(steep, pi / 2.0 - angle, angle), x)


def _atan2(y: Any, x: Any) -> Any:
    high, wide = abs(y), abs(x)
    alike = equal(high, wide)  # 0 and 0, and inf and inf, too
    zero = equal(high, 0.0) * equal(wide, 0.0)
    angle = where(alike, where(zero, 0.0, pi / 4.0), atan(div(high, wide)))
    odd = 1.0 - equal(x, x) * equal(y, y)
    return where(odd, nan, _copysign(where(_negative(x), pi - angle, angle), y))


def _sinh(x: Any) -> Any:
    size = abs(x)
    near = less(size, 1.0)
    small = expm1(where(near, size, 0.0))
    half = exp(0.5 * size)
    return _copysign(where(near, 0.5 * (small + div(small, small + 1.0)), 0.5 * half * half - 0.5 * exp(-size)), x)


def _cosh(x: Any) -> Any:
    half = exp(0.5 * abs(x))
    return 0.5 * half * half + 0.5 * exp(-abs(x))


def _asinh(x: Any) -> Any:
    size = abs(x)
    far = less(1e100, size)
    near = where(far, 0.0, size)
    squared = square(near)
    return _copysign(where(far, log(size) + _LN2, log1p(near + div(squared, 1.0 + sqrt(1.0 + squared)))), x)


def _acosh(x: Any) -> Any:
    far = less(1e100, x)
    near = where(far, 1.0, x)
    return where(far, log(x) + _LN2, log1p((near - 1.0) + sqrt(near - 1.0) * sqrt(near + 1.0)))


def _atanh(x: Any) -> Any:
    size = abs(x)
    return _copysign(0.5 * log1p(div(2.0 * size, 1.0 - size)), x)


def _logaddexp(x: Any, y: Any) -> Any:
    alike = equal(x, y)  # both infinite, too
    return where(alike, x + _LN2, maximum(x, y) + log1p(exp(-abs(where(alike, 0.0, x - y)))))


def _erf(x: Any) -> Any:
    size = abs(x)
    near = less(size, 0.5)
    return where(near, _erf_series(where(near, x, 0.0)), _copysign(1.0 - _erfc_right(size), x))


def _erfc(x: Any) -> Any:
    size = abs(x)
    near = less(size, 0.5)
    right = _erfc_right(size)
    return where(near, 1.0 - _erf_series(where(near, x, 0.0)), where(less(x, 0.0), 2.0 - right, right))


def _erf_series(x: Any) -> Any:
    """Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n+1)), up to 0.5"""
    squared, series = square(x), 0.0
    for n in range(14, -1, -1):
        series = series * squared + (-1.0) ** n / (math.factorial(n) * (2 * n + 1))
    return 2.0 / math.sqrt(pi) * x * series


def _erfc_right(x: Any) -> Any:
    """exp(-x²) erfcx(x), from 0.5 on; the square of x without its last binary places is exact."""
    inside = less_equal(0.5, x) * less(x, 30.0)
    x = where(inside, x, where(equal(x, x), 30.0, x))  # 0 from 30 on
    high = round(x * 2.0**20) * 2.0**-20
    return exp(-square(high)) * exp(-((x - high) * (x + high))) * _scaled(x, 0)


def _erfinv(x: Any) -> Any:
    """Winitzki's approximation (2008), polished by Halley's method on erf near 0 and on erfc near ±1."""
    size = abs(x)
    inside = less(1e-9, size) * less(size, 1.0)
    t = where(inside, size, 0.25)
    logarithm = log1p(-t * t)
    half = 2.0 / (pi * 0.147) + logarithm / 2.0
    y = sqrt(sqrt(half * half - logarithm / 0.147) - half)
    low = less(t, 0.5)
    for _ in range(3):
        error = where(low, erf(y) - t, (1.0 - t) - erfc(y))
        step = error * (math.sqrt(pi) / 2.0) * exp(y * y)
        y = y - div(step, 1.0 + y * step)
    ends = where(equal(size, 1.0), inf, where(less_equal(size, 1e-9), size * (math.sqrt(pi) / 2.0), nan))
    return _copysign(where(inside, y, ends), x)


@lru_cache
def _nodes(order: int) -> list[tuple[float, float]]:
    """Places u and weights for ∫ uⁿ exp(-u) f(u) du over all u > 0: the trapezoidal rule after u = exp(s - exp(-s)).

    Left out is what counts for nothing, whether f is 1 or exp(-u²), the steepest that it is here.
    """
    step = 0.3 / math.sqrt(order + 9.0)
    made = []
    for i in range(int(-4.2 / step), int(9.1 / step)):
        s = step * i
        power = s - math.exp(-s)
        u = math.exp(power)
        made.append((u, step * (1.0 + math.exp(-s)) * math.exp((order + 1) * power - u)))
    flat, steep = max([w for _, w in made]), max([w * math.exp(-u * u) for u, w in made])
    counts = [i for i, (u, w) in enumerate(made) if w > 1e-18 * flat or w * math.exp(-u * u) > 1e-18 * steep]
    return made[counts[0] : counts[-1] + 1]


def _scaled(x: Any, order: int) -> Any:
    """The derivative of erfcx of some order for x ≥ 0.5, as an integral without a sign that changes.

    (-1)ⁿ / √π · x⁻ⁿ⁻¹ ∫ uⁿ exp(-u - (u / 2x)²) du, which is that of erfcx(x) = 2/√π ∫ exp(-t² - 2xt) dt for u = 2xt.
    """
    back = reciprocal(x)
    z = 0.25 * square(back)
    total: Any = 0.0
    for u, weight in _nodes(order):
        total = total + weight * exp(-(u * u) * z)
    return (-1.0) ** order / math.sqrt(pi) * pow(back, order + 1.0) * total


def _erfcx_derivative(x: Any, order: float = 1.0) -> Any:
    if not 0.0 <= order <= 100.0 or order % 1.0 != 0.0:
        return x * nan
    left = less(x, 0.5)
    low = where(left, x, 0.0)
    near = where(less(-27.0, low), round(low * 2.0**20) * 2.0**-20, -27.0)
    now, add = exp(near * near) * exp((low - near) * (low + near)) * erfc(low), -2.0 / math.sqrt(pi)
    for k in range(1, int(order) + 1):
        now, add = 2.0 * low * now + add, 2.0 * k * now
    right = _scaled(where(left, 1.0, x), int(order))
    return where(left, now, where(equal(x, inf), 0.0, right))


def _erfcx(x: Any) -> Any:
    return _erfcx_derivative(x, 0.0)


def _log_ndtr(x: Any) -> Any:
    middle = less(-1.0, x)
    half = 0.5 * erfc(_SQRT_HALF * abs(where(middle, x, 0.0)))
    bulk = where(less(0.0, x), log1p(-half), log(half))
    tail = where(middle, -1.0, x)
    far = log(0.5 * erfcx(-_SQRT_HALF * tail)) - 0.5 * tail * tail
    return where(middle, bulk, where(less(-1e160, x), far, x * inf))


FORMULAS: dict[str, Callable[..., Any]] = {
    "expm1": _expm1,
    "log1p": _log1p,
    "exp2": lambda x: pow(2.0, x),
    "log2": lambda x: log(x) * (1.0 / _LN2),
    "log10": lambda x: log(x) * (1.0 / math.log(10.0)),
    "cbrt": _cbrt,
    "hypot": _hypot,
    "copysign": _copysign,
    "tan": lambda x: div(sin(x), cos(x)),
    "atan": _atan,
    "asin": lambda x: atan(div(x, sqrt((1.0 - x) * (1.0 + x)))),
    "acos": lambda x: 2.0 * atan(sqrt(div(1.0 - x, 1.0 + x))),
    "atan2": _atan2,
    "sinh": _sinh,
    "cosh": _cosh,
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "logaddexp": _logaddexp,
    "radians": lambda x: x * (pi / 180.0),
    "degrees": lambda x: x * (180.0 / pi),
    "erf": _erf,
    "erfc": _erfc,
    "erfinv": _erfinv,
    "erfcx": _erfcx,
    "erfcx_derivative": _erfcx_derivative,
    "log_ndtr": _log_ndtr,
    "trunc": lambda x: _copysign(floor(abs(x)), x),
    "sign": lambda x: where(less(0.0, x), 1.0, where(less(x, 0.0), -1.0, x)),
}
"""The formula of a row, by its name; options are plain numbers."""


def formula_of(op: Op) -> Callable[..., Any] | None:
    """What a row is in others; None where nobody says so."""
    ours = TABLE.get(op.name) is op
    return (FORMULAS.get(op.name) if ours else None) or op.arrays
