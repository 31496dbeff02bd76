"""The table of operations: one row a function, and every other part of the package reads the row.

A row holds, in this order: the name; the forward function on floats; one partial derivative per argument; one line
that says what it is, with an example; then how it is written, where it is defined, where it has kinks, and what NumPy
calls it or, where NumPy lacks it, how it is written in what NumPy has; last, its rule in words: what it does with the
gradient that comes from above.

A partial is a function of (out, *args), written in the package's own functions and in + - *, never in Python's
`/ ** %`, which raise at 0 or turn complex. So one partial serves floats, NumPy arrays and Values, and a gradient of
Values is a graph again. `mask(...)` marks a partial that stops the upstream gradient where it is zero, even an infinite
one. An option (a bound, a slope) is a number and has no partial.

Values at the edges are those of IEEE 754, NumPy and PyTorch: no exception, never a complex number.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from math import inf, nan, pi
from typing import Any

from micrograd_plus.engine.value import Value, apply
from micrograd_plus.ops.rows import (
    FLAT,
    FUNCTIONS,
    POSITIVE,
    REAL,
    UNIT,
    Binary,
    Forward,
    Ternary,
    Unary,
    binary,
    mask,
    ternary,
    unary,
)

# -------------------------------------------------------- forward on floats: IEEE 754's answers where Python's math raises


def _ieee(f: Forward, poles: dict[float, float] | None = None, odd: bool = False) -> Forward:
    """f, with nan outside its domain, the limits at its poles, and infinity where it overflows."""

    def forward(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return poles.get(x, nan) if poles else nan
        except OverflowError:
            return math.copysign(inf, x) if odd else inf

    return forward


def _div(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def _mod(x: float, y: float) -> float:
    try:
        return x % y
    except ZeroDivisionError:
        return nan


def _pow(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and y % 2.0 == 1.0 else inf
    except ValueError:  # 0 to a negative power, or a negative number to a fraction
        if x != 0.0:
            return nan
        return math.copysign(inf, x) if y % 2.0 == 1.0 else inf


def _pow_log(x: float, y: float, n: float) -> float:
    times = _whole(builtins.round)(_maximum(n, 0.0))
    return 0.0 if x == 0.0 and y >= 0.0 and times > 0.0 else _pow(x, y) * _pow(_log(x), times)


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0.0 else nan


def _logaddexp(x: float, y: float) -> float:
    if x == y:
        return x + math.log(2.0)
    return max(x, y) + math.log1p(math.exp(-math.fabs(x - y)))


def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x


def _whole(to_integer: Callable[[float], int]) -> Forward:
    """floor, ceil or round as a float, with the sign of a zero kept."""
    return lambda x: math.copysign(float(to_integer(x)), x) if math.isfinite(x) else x


def _to_whole(x: float) -> float:
    """Zero where x is a whole number."""
    return x - math.floor(x + 0.5) if math.isfinite(x) else 0.0


def _to_whole_but_0(x: float) -> float:
    """Zero where x is a whole number other than 0."""
    return _to_whole(x) if math.fabs(x) >= 0.5 else 1.0


def _to_half(x: float) -> float:
    """Zero where x is halfway between whole numbers."""
    return _to_whole(x + 0.5)


def _to_multiple(x: float, y: float) -> float:
    """Zero where x / y is a whole number."""
    return _to_whole(_div(x, y))


def _clamp(x: float, low: float, high: float) -> float:
    return _minimum(_maximum(x, low), high)


def _to_origin(x: float, y: float) -> float:
    """Zero where x and y are both 0."""
    return math.hypot(x, y)


def _to_cut(x: float, y: float) -> float:
    """Zero where x is 0 and y is not positive."""
    return x if y < 0.0 else math.hypot(x, y)


def _to_bounds(x: float, low: float, high: float) -> float:
    """Zero where x is one of the bounds."""
    return min(math.fabs(x - low), math.fabs(x - high))


def _maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _sech(x: float) -> float:
    try:
        return 1.0 / math.cosh(x)
    except OverflowError:
        return 0.0


def _sinc(x: float) -> float:
    if x == 0.0:
        return 1.0
    if not math.isfinite(x):
        return nan
    whole = math.floor(x + 0.5)  # sin(πx) by the distance to the nearest integer: exact zeros, no lost digits
    return (-1.0 if whole % 2 else 1.0) * math.sin(pi * (x - whole)) / (pi * x)


def _direction(x: float, y: float) -> float:
    r = math.hypot(x, y)
    return _div(x, r) if r < inf else _div(0.5 * x, math.hypot(0.5 * x, 0.5 * y))


def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _sigmoid_slope(x: float) -> float:
    e = math.exp(-math.fabs(x))
    return e / ((1.0 + e) * (1.0 + e))


def _erfinv(x: float) -> float:
    """Winitzki's approximation (2008), polished by Halley's method on erf near 0 and on erfc near ±1."""
    size = math.fabs(x)
    if size >= 1.0 or x != x:
        return math.copysign(inf, x) if size == 1.0 else nan
    if size < 1e-9:
        return x * math.sqrt(pi) / 2.0  # the next term of the series is below the last digit
    log = math.log1p(-size * size)
    half = 2.0 / (pi * 0.147) + log / 2.0
    y = math.sqrt(math.sqrt(half * half - log / 0.147) - half)
    for _ in range(3):
        error = math.erf(y) - size if size < 0.5 else (1.0 - size) - math.erfc(y)
        step = error * math.sqrt(pi) / 2.0 * math.exp(y * y)
        y -= step / (1.0 + y * step)
    return math.copysign(y, x)


def _erfcx_derivative(x: float, order: float) -> float:
    """dⁿ/dxⁿ of exp(x²) erfc(x), from d⁽ⁿ⁾ = 2x d⁽ⁿ⁻¹⁾ + 2(n-1) d⁽ⁿ⁻²⁾; where that cancels, by the ratios of neighbours.

    These come from a continued fraction, from far up downwards (Gautschi 1961, Recursive computation of the repeated
    integrals of the error function).
    """
    if x != x or not 0.0 <= order <= 100.0 or order % 1.0 != 0.0:
        return nan
    n = int(order)
    if x < 0.5:
        near = math.ldexp(float(builtins.round(math.ldexp(x, 20))), -20) if x > -27.0 else -27.0
        square = _exp(near * near) * _exp((x - near) * (x + near))  # the square of `near` is exact
        now, add = square * math.erfc(x), -2.0 / math.sqrt(pi)
        for k in range(1, n + 1):
            now, add = 2.0 * x * now + add, 2.0 * k * now
        return now
    if x == inf:
        return 0.0
    ratio, out = 0.0, (-1.0) ** n * 2.0 / math.sqrt(pi)
    for k in range(n + 30 + int(150.0 / (x * x)), -1, -1):
        ratio = 1.0 / (2.0 * x + 2.0 * (k + 1.0) * ratio)
        if k <= n:
            out *= (2.0 * k or 1.0) * ratio
    return out


def _log_ndtr(x: float) -> float:
    if x > -1.0:
        half = 0.5 * math.erfc(_SQRT_HALF * math.fabs(x))
        return math.log1p(-half) if x > 0.0 else math.log(half)
    return math.log(0.5 * _erfcx_derivative(-_SQRT_HALF * x, 0.0)) - 0.5 * x * x if x > -1e160 else x * inf


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-math.fabs(x)))


def _elu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(x)


_exp, _expm1, _log = _ieee(math.exp), _ieee(math.expm1), _ieee(math.log, {0.0: -inf})


def _celu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * _expm1(_div(x, alpha))


def _gelu(x: float) -> float:
    return 0.5 * x * math.erfc(-_SQRT_HALF * x)


def _logit(x: float) -> float:
    if not 0.0 < x < 1.0:
        return -inf if x == 0.0 else inf if x == 1.0 else nan
    return math.log1p((2.0 * x - 1.0) / (1.0 - x)) if 0.25 < x < 0.75 else math.log(x / (1.0 - x))


# ------------------------------------------------------------------- partials too long for a row, and words for the rows


def _quotient(out: Any, x: Any, y: Any) -> Any:
    """floor(x / y) by the remainder: where x / y rounds up to a whole number, as 0.9 / 0.1 does, it is one less."""
    return where(less(abs(out), inf), round(div(x - out, y)), floor(div(x, y)))


def _pow_log_slope(out: Any, x: Any, y: Any, n: Any) -> Any:
    """∂(x**y · ln(x)**n)/∂x = x**(y-1) · (y · ln(x)**n + n · ln(x)**(n-1))"""
    n = _count(n)
    slope = y * pow_log(x, y - 1.0, n)
    if type(n) is not float:
        return slope + where(n, n * pow_log(x, y - 1.0, n - 1.0), 0.0)
    return slope if n == 0.0 else slope + (pow(x, y - 1.0) if n == 1.0 else n * pow_log(x, y - 1.0, n - 1.0))


def _count(n: Any) -> Any:
    """The nearest of 0, 1, 2, ..."""
    return round(maximum(n, 0.0))


def _sinc_slope(out: Any, x: Any) -> Any:
    """sinc'(x) = (cos(πx) - sinc(x)) / x, near 0 by its series Σ (-1)ᵏ 2k π²ᵏ x²ᵏ⁻¹ / (2k+1)!"""
    near = less(abs(x), 0.4)
    close = where(near, x, 0.0)  # keeps powers of a large x out of the series' gradient
    t = square(pi * close)
    series: Any = 0.0
    for k in range(12, 0, -1):  # Horner's scheme from the smallest term
        series = series * t + (-1.0) ** k * 2.0 * k / math.factorial(2 * k + 1)
    away = where(near, 1.0, x)  # keeps 1/x out of the series' gradient
    turn = away - 2.0 * round(0.5 * away)  # the same cosine, with no lost digits
    return where(near, series * (pi * pi) * close, div(cos(pi * turn) - sinc(away), away))


def _angle_slope(x: Any, y: Any) -> Any:
    """x / (x² + y²), in steps that cannot overflow, and 0 at the origin."""
    r = hypot(x, y)
    origin = equal(r, 0.0)
    return where(origin, 0.0, div(direction(x, y), where(origin, 1.0, r)))


def _mish_slope(out: Any, x: Any) -> Any:
    s = softplus(x)
    return tanh(s) + x * square(sech(s)) * sigmoid(x)


def _sinc_of_arrays(x: Any) -> Any:
    whole = round(x)
    turn = 1.0 - 2.0 * mod(whole, 2.0)
    return where(equal(x, 0.0), 1.0, div(turn * sin(pi * (x - whole)), pi * x))


def _next_derivative(x: Any, order: Any) -> Any:
    """The next derivative of erfcx; there is none after what is no order."""
    if isinstance(order, Value):  # a formula is being written, and the order is but a name
        return apply(erfcx_derivative.op, x, order + 1.0)
    return erfcx_derivative(x, where(equal(order, floor(order)) * less_equal(0.0, order), order + 1.0, nan))


def _log_ndtr_slope(x: Any) -> Any:
    """φ(x) / Φ(x), the hazard; on the left -x plus what is small beside it, whose derivatives do not cancel."""
    left = less(x, 0.0)
    tail, bulk = where(left, x, 0.0), where(left, 0.0, x)
    z = -_SQRT_HALF * tail
    rest = -_SQRT_HALF * div(erfcx_derivative(z), erfcx(z))
    return where(left, rest - tail, div(2.0 * _DENSITY0 * exp(-0.5 * bulk * bulk), erfc(-_SQRT_HALF * bulk)))


def _direction_of_arrays(x: Any, y: Any) -> Any:
    r = hypot(x, y)
    return where(less(r, inf), div(x, r), div(0.5 * x, hypot(0.5 * x, 0.5 * y)))


def _logit_of_arrays(x: Any) -> Any:
    return where(less(abs(x - 0.5), 0.25), log1p(div(2.0 * x - 1.0, 1.0 - x)), log(div(x, 1.0 - x)))


def _larger(x: Any, y: Any) -> Any:
    """1 where x > y, 1/2 where they tie, 0 where x < y, 1 at nan."""
    return 1.0 - less(x, y) - 0.5 * equal(x, y)


# rows that others call before they stand in the table: types for the type checker
reciprocal: Unary; exp2: Unary; erfcx: Unary; erfcx_derivative: Unary; sign: Unary; floor: Unary; round: Unary; cos: Unary; cosh: Unary; sech: Unary; sigmoid: Unary; sigmoid_slope: Unary; softplus: Unary; log: Unary  # noqa: E702  # fmt: skip
pow_log: Ternary; where: Ternary; div: Binary; pow: Binary; less: Binary; equal: Binary; less_equal: Binary; direction: Binary  # noqa: E702  # fmt: skip

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, appendix A1
_SQRT_HALF, _DENSITY0 = math.sqrt(0.5), 1.0 / math.sqrt(2.0 * pi)  # the normal density at 0

# ------------------------------------------------------------------------------------------------------------ the table
# A row is three lines: what it computes, what it is called, its rule in words; the formatter would make ten of them.
# fmt: off

# arithmetic
add        = binary("add", operator.add, lambda out, x, y: 1.0, lambda out, x, y: 1.0,
                    "x + y; add(2.0, 3.0) = 5.0", symbol="+", latex="#1 + #2", precedence=1, numpy="add", sympy="x + y",
                    rule="a sum hands what comes from above to both terms, unchanged")
sub        = binary("sub", operator.sub, lambda out, x, y: 1.0, lambda out, x, y: -1.0,
                    "x - y; sub(2.0, 3.0) = -1.0", symbol="-", latex="#1 - #2", precedence=1, numpy="subtract", sympy="x - y",
                    rule="a difference hands what comes to the first term unchanged, to the second with its sign turned")
mul        = binary("mul", operator.mul, lambda out, x, y: y, lambda out, x, y: x,
                    "x · y; mul(2.0, 3.0) = 6.0", symbol="*", latex=r"#1 \cdot #2", precedence=2, numpy="multiply", sympy="x*y",
                    rule="a product hands each factor the other one, times what comes from above")
div        = binary("div", _div, lambda out, x, y: reciprocal(y), lambda out, x, y: -div(out, y),
                    "x / y, infinite or nan at y = 0; div(3.0, 2.0) = 1.5", symbol="/", latex=r"\frac{#1}{#2}", precedence=2,
                    numpy="divide", kinks=lambda x, y: y, sympy="x/y",
                    rule="the top gets what comes divided by the bottom; the bottom gets that times minus the quotient")
mod        = binary("mod", _mod, lambda out, x, y: 1.0, lambda out, x, y: -_quotient(out, x, y),
                    "the remainder of x / y, with the sign of y; mod(-7.0, 3.0) = 2.0", symbol="%", latex=r"#1 \bmod #2",
                    precedence=2, numpy="remainder", kinks=_to_multiple, sympy="x - y*floor(x/y)",
                    rule="x gets what comes unchanged; y gets it times minus the number of whole times that y goes into x")
pow        = binary("pow", _pow, mask(lambda out, x, y: y * pow(x, y - 1.0), where=lambda out, x, y: 1.0 - equal(y, 0.0)),
                    lambda out, x, y: pow_log(x, y, 1.0), "x to the power y, nan where that is complex; pow(2.0, 10.0) = 1024.0",
                    symbol="**", latex="#1^{#2}", precedence=4, numpy="power", domain=(POSITIVE, REAL), sympy="x**y",
                    rule="the base gets the exponent times the power of one less; the exponent gets the power times the logarithm of the base")
pow_log    = ternary("pow_log", _pow_log, mask(_pow_log_slope, where=lambda out, x, y, n: where(y, 1.0, equal(y * pow(x, y - 1.0), 0.0))),
                     lambda out, x, y, n: pow_log(x, y, _count(n) + 1.0), FLAT,
                     "x**y · ln(x)**n for n = 0, 1, 2, ..., how x**y grows with y, 0 at x = 0 with y ≥ 0 and n > 0; pow_log(2.0, 3.0, 1.0) = 5.54517...",
                     latex=r"#1^{#2} \cdot \ln\left(#1\right)^{#3}", precedence=2, domain=(POSITIVE, REAL, (0.0, 4.0)), kinks=lambda x, y, n: _to_half(n),
                     arrays=lambda x, y, n: where(equal(x, 0.0) * less_equal(0.0, y) * less(0.5, n), 0.0, pow(x, y) * pow(log(x), _count(n))), sympy="x**y*log(x)**floor(z + 1/2)",
                     rule="the product rule for power and logarithms, which are differentiated in turn; y gets one logarithm more, n nothing")
neg        = unary("neg", operator.neg, lambda out, x: -1.0,
                   "-x; neg(2.0) = -2.0", symbol="-", latex="-#1", precedence=3, numpy="negative", sympy="-x",
                   rule="a minus sign hands on what comes with its sign turned")
reciprocal = unary("reciprocal", lambda x: _div(1.0, x), lambda out, x: -(out * out),
                   "1 / x; reciprocal(4.0) = 0.25", latex=r"\frac{1}{#1}", precedence=2, numpy="reciprocal", kinks=lambda x: x, sympy="1/x",
                   rule="a reciprocal multiplies what comes by minus its own square")
square     = unary("square", lambda x: x * x, lambda out, x: 2.0 * x,
                   "x²; square(3.0) = 9.0", latex="#1^{2}", precedence=4, numpy="square", sympy="x**2",
                   rule="a square multiplies what comes by twice its argument")
sqrt       = unary("sqrt", _sqrt, lambda out, x: div(0.5, out),
                   "the square root; sqrt(9.0) = 3.0", latex=r"\sqrt{#1}", numpy="sqrt", domain=POSITIVE, sympy="sqrt",
                   rule="a root divides what comes by twice itself: it is steep near 0 and flat far out")
cbrt       = unary("cbrt", math.cbrt, lambda out, x: reciprocal(3.0 * out * out),
                   "the cube root, of negative numbers too; cbrt(-8.0) = -2.0", latex=r"\sqrt[3]{#1}", numpy="cbrt", kinks=lambda x: x,
                   sympy="sign(x)*cbrt(Abs(x))",
                   rule="a cube root divides what comes by three times its own square")
one_minus_square = unary("one_minus_square", lambda x: (1.0 - x) * (1.0 + x), lambda out, x: -2.0 * x,
                         "1 - x², exact near 1 and -1; one_minus_square(0.5) = 0.75", latex="1 - #1^{2}", precedence=1, arrays=lambda x: (1.0 - x) * (1.0 + x),
                         sympy="1 - x**2",
                         rule="1 - x² multiplies what comes by minus twice x")
rsqrt      = unary("rsqrt", lambda x: _div(1.0, _sqrt(x)), lambda out, x: -0.5 * out * out * out,
                   "1 / √x; rsqrt(4.0) = 0.5", latex=r"\frac{1}{\sqrt{#1}}", precedence=2, arrays=lambda x: reciprocal(sqrt(x)), domain=POSITIVE, sympy="1/sqrt(x)",
                   rule="1 / √x multiplies what comes by minus half its own cube")

# exponentials and logarithms
exp        = unary("exp", _exp, lambda out, x: out,
                   "e to the power x; exp(1.0) = 2.71828...", latex="e^{#1}", precedence=4, numpy="exp",
                   rule="the exponential multiplies what comes by its own value: its slope is its height")
exp2       = unary("exp2", _ieee(math.exp2), lambda out, x: 2.0 * _LN2 * exp2(x - 1.0),
                   "2 to the power x; exp2(3.0) = 8.0", latex="2^{#1}", precedence=4, numpy="exp2", sympy="2**x",
                   rule="a power of 2 multiplies what comes by its own value times ln(2)")
expm1      = unary("expm1", _expm1, lambda out, x: exp(x),
                   "exp(x) - 1, exact near 0; expm1(1.0) = 1.71828...", latex="e^{#1} - 1", precedence=1, numpy="expm1", sympy="exp(x) - 1",
                   rule="taking 1 away changes no slope: what comes is multiplied by exp(x)")
log        = unary("log", _log, lambda out, x: reciprocal(x),
                   "the natural logarithm; log(2.0) = 0.69314...", latex=r"\ln", numpy="log", domain=POSITIVE,
                   rule="the logarithm divides what comes by its argument")
log2       = unary("log2", _ieee(math.log2, {0.0: -inf}), lambda out, x: reciprocal(_LN2 * x),
                   "the logarithm to base 2; log2(8.0) = 3.0", latex=r"\log_{2}", numpy="log2", domain=POSITIVE, sympy="log(x)/log(2)",
                   rule="the logarithm to base 2 divides what comes by x times ln(2)")
log10      = unary("log10", _ieee(math.log10, {0.0: -inf}), lambda out, x: reciprocal(_LN10 * x),
                   "the logarithm to base 10; log10(1000.0) = 3.0", latex=r"\log_{10}", numpy="log10", domain=POSITIVE, sympy="log(x)/log(10)",
                   rule="the logarithm to base 10 divides what comes by x times ln(10)")
log1p      = unary("log1p", _ieee(math.log1p, {-1.0: -inf}), lambda out, x: reciprocal(1.0 + x),
                   "ln(1 + x), exact near 0; log1p(1.0) = 0.69314...", latex=r"\ln\left(1 + #1\right)", numpy="log1p", domain=(-1.0, inf),
                   sympy="log(1 + x)",
                   rule="ln(1 + x) divides what comes by 1 + x")
logaddexp  = binary("logaddexp", _logaddexp, lambda out, x, y: sigmoid(x - y), lambda out, x, y: sigmoid(y - x),
                    "ln(exp(x) + exp(y)); logaddexp(0.0, 0.0) = 0.69314...", latex=r"\ln\left(e^{#1} + e^{#2}\right)", numpy="logaddexp",
                    sympy="log(exp(x) + exp(y))",
                    rule="each of the two gets its share of what comes: its exponential divided by the sum of both")

# pieces
abs        = unary("abs", math.fabs, lambda out, x: sign(x),
                   "the absolute value; abs(-3.0) = 3.0", latex=r"\left|#1\right|", numpy="absolute", kinks=lambda x: x, sympy="Abs",
                   rule="the absolute value hands on what comes where x is positive, turns its sign where x is negative, stops it at 0")
sign       = unary("sign", _sign, FLAT,
                   "-1, 0 or 1; sign(-3.0) = -1.0", latex=r"\operatorname{sgn}", numpy="sign", kinks=lambda x: x,
                   rule="a jump is flat on both its sides: nothing flows back")
floor      = unary("floor", _whole(math.floor), FLAT,
                   "the largest integer ≤ x; floor(-1.5) = -2.0", latex=r"\left\lfloor #1 \right\rfloor", numpy="floor", kinks=_to_whole,
                   rule="stairs are flat between their steps: nothing flows back")
ceil       = unary("ceil", _whole(math.ceil), FLAT,
                   "the smallest integer ≥ x; ceil(-1.5) = -1.0", latex=r"\left\lceil #1 \right\rceil", numpy="ceil", kinks=_to_whole, sympy="ceiling",
                   rule="stairs are flat between their steps: nothing flows back")
trunc      = unary("trunc", _whole(math.trunc), FLAT,
                   "x without its fraction; trunc(-1.5) = -1.0", numpy="trunc", kinks=_to_whole_but_0, sympy="sign(x)*floor(Abs(x))",
                   rule="stairs are flat between their steps: nothing flows back")
round      = unary("round", _whole(builtins.round), FLAT,
                   "the nearest integer, halves to the even one; round(2.5) = 2.0", numpy="rint", kinks=_to_half,
                   rule="stairs are flat between their steps: nothing flows back")
maximum    = binary("maximum", _maximum, mask(lambda out, x, y: _larger(x, y)), mask(lambda out, x, y: _larger(y, x)),
                    "the larger one, nan if either is; maximum(2.0, 3.0) = 3.0", latex=r"\max", numpy="maximum", kinks=operator.sub, sympy="Max",
                    rule="all that comes goes to the larger one; where they tie, half to each")
minimum    = binary("minimum", _minimum, mask(lambda out, x, y: _larger(y, x)), mask(lambda out, x, y: _larger(x, y)),
                    "the smaller one, nan if either is; minimum(2.0, 3.0) = 2.0", latex=r"\min", numpy="minimum", kinks=operator.sub, sympy="Min",
                    rule="all that comes goes to the smaller one; where they tie, half to each")
clamp      = unary("clamp", _clamp, mask(lambda out, x, min, max: less_equal(min, x) * less_equal(x, max)),
                   "x held between min and max; clamp(5.0, 0.0, 1.0) = 1.0", options={"min": -inf, "max": inf},
                   numpy="clip", arrays=lambda x, min, max: minimum(maximum(x, min), max), kinks=_to_bounds, sympy="Min(Max(x, min), max)",
                   rule="what comes passes unchanged between the bounds and at them; outside nothing passes")
less       = binary("less", lambda x, y: float(x < y), FLAT, FLAT,
                    "1 where x < y, else 0; less(2.0, 3.0) = 1.0", symbol="<", latex="#1 < #2", precedence=0, numpy="less", kinks=operator.sub,
                    sympy="Heaviside(y - x, 0)",
                    rule="a comparison jumps, and is flat beside the jump: nothing flows back")
less_equal = binary("less_equal", lambda x, y: float(x <= y), FLAT, FLAT,
                    "1 where x ≤ y, else 0; less_equal(3.0, 3.0) = 1.0", symbol="<=", latex=r"#1 \leq #2", precedence=0, numpy="less_equal", kinks=operator.sub,
                    sympy="Heaviside(y - x, 1)",
                    rule="a comparison jumps, and is flat beside the jump: nothing flows back")
equal      = binary("equal", lambda x, y: float(x == y), FLAT, FLAT,
                    "1 where x = y, else 0; equal(2.0, 3.0) = 0.0", symbol="==", latex="#1 = #2", precedence=0, numpy="equal", kinks=operator.sub,
                    sympy="1 - sign(x - y)**2",
                    rule="a comparison jumps, and is flat beside the jump: nothing flows back")
where      = ternary("where", lambda condition, x, y: x if condition else y, FLAT,
                     mask(lambda out, condition, x, y: 1.0 - equal(condition, 0.0)), mask(lambda out, condition, x, y: equal(condition, 0.0)),
                     "x where the condition is not 0, else y; where(1.0, 2.0, 3.0) = 2.0", numpy="where", kinks=lambda condition, x, y: condition,
                     sympy="Piecewise((y, Ne(x, 0)), (z, True))",
                     rule="all that comes goes to the branch that was taken; the other one and the condition get nothing")
copysign   = binary("copysign", math.copysign, lambda out, x, y: sign(x) * sign(out), FLAT,
                    "the size of x with the sign of y; copysign(3.0, -1.0) = -3.0", numpy="copysign", kinks=operator.mul,
                    sympy="Abs(x)*(2*Heaviside(y, 1) - 1)",
                    rule="x gets what comes, with its sign turned where the sign of x was turned; y lends its sign and gets nothing")
hypot      = binary("hypot", math.hypot, lambda out, x, y: direction(x, y), lambda out, x, y: direction(y, x),
                    "√(x² + y²); hypot(3.0, 4.0) = 5.0", latex=r"\sqrt{#1^{2} + #2^{2}}", numpy="hypot", kinks=_to_origin, sympy="sqrt(x**2 + y**2)",
                    rule="each leg gets what comes times its share of the length: the leg divided by the hypotenuse")
direction  = binary("direction", _direction, lambda out, x, y: div(square(direction(y, x)), hypot(x, y)), lambda out, x, y: -div(out * direction(y, x), hypot(x, y)),
                    "x / √(x² + y²), the cosine of the angle of the point (x, y); direction(3.0, 4.0) = 0.6", kinks=_to_origin, sympy="x/sqrt(x**2 + y**2)",
                    arrays=_direction_of_arrays,
                    rule="only what turns the point counts: x gets sine times sine over the distance, y minus cosine times sine over it")
stop_gradient = unary("stop_gradient", lambda x: x, FLAT,
                      "x itself, through which no gradient flows; stop_gradient(3.0) = 3.0",
                      rule="the number passes, the gradient does not: nothing flows back")
identity   = unary("identity", lambda x: x, lambda out, x: 1.0,
                   "x itself, as a node of its own; identity(3.0) = 3.0", latex="#1", numpy="positive", sympy="x",
                   rule="the same number hands on what comes unchanged")

# angles and hyperbolas
sin        = unary("sin", _ieee(math.sin), lambda out, x: cos(x),
                   "the sine of x radians; sin(0.5) = 0.47942...", latex=r"\sin", numpy="sin",
                   rule="the sine multiplies what comes by the cosine")
cos        = unary("cos", _ieee(math.cos), lambda out, x: -sin(x),
                   "the cosine of x radians; cos(0.5) = 0.87758...", latex=r"\cos", numpy="cos",
                   rule="the cosine multiplies what comes by minus the sine")
tan        = unary("tan", _ieee(math.tan), lambda out, x: 1.0 + out * out,
                   "the tangent of x radians; tan(0.5) = 0.54630...", latex=r"\tan", numpy="tan", kinks=lambda x: cos(x),
                   rule="the tangent multiplies what comes by 1 plus its own square")
asin       = unary("asin", _ieee(math.asin), lambda out, x: rsqrt(one_minus_square(x)),
                   "the angle in radians whose sine is x; asin(0.5) = 0.52359...", latex=r"\arcsin", numpy="arcsin", domain=UNIT,
                   rule="the arcsine divides what comes by √(1 - x²): it is steep at both ends")
acos       = unary("acos", _ieee(math.acos), lambda out, x: -rsqrt(one_minus_square(x)),
                   "the angle in radians whose cosine is x; acos(0.5) = 1.04719...", latex=r"\arccos", numpy="arccos", domain=UNIT,
                   rule="the arccosine divides what comes by minus √(1 - x²): it is steep at both ends")
atan       = unary("atan", math.atan, lambda out, x: square(reciprocal(hypot(1.0, x))),
                   "the angle in radians whose tangent is x; atan(0.5) = 0.46364...", latex=r"\arctan", numpy="arctan",
                   rule="the arctangent divides what comes by 1 + x²")
atan2      = binary("atan2", math.atan2, lambda out, x, y: _angle_slope(y, x), lambda out, x, y: -_angle_slope(x, y),
                    "the angle in radians of the point (y, x), the ordinate first; atan2(1.0, -1.0) = 2.35619...",
                    latex=r"\operatorname{atan2}", numpy="arctan2", kinks=_to_cut,
                    rule="only what turns the point counts: each coordinate gets the other over the distance squared, y with a minus")
sinh       = unary("sinh", _ieee(math.sinh, odd=True), lambda out, x: cosh(x),
                   "the hyperbolic sine; sinh(0.5) = 0.52109...", latex=r"\sinh", numpy="sinh",
                   rule="the hyperbolic sine multiplies what comes by cosh(x)")
cosh       = unary("cosh", _ieee(math.cosh), lambda out, x: sinh(x),
                   "the hyperbolic cosine; cosh(0.5) = 1.12762...", latex=r"\cosh", numpy="cosh",
                   rule="the hyperbolic cosine multiplies what comes by sinh(x)")
tanh       = unary("tanh", math.tanh, lambda out, x: square(sech(x)),
                   "the hyperbolic tangent; tanh(0.5) = 0.46211...", latex=r"\tanh", numpy="tanh",
                   rule="the hyperbolic tangent multiplies what comes by 1 minus its own square: little passes where it is flat")
sech       = unary("sech", _sech, lambda out, x: -out * tanh(x),
                   "the hyperbolic secant, 1 / cosh(x); sech(0.5) = 0.88681...", latex=r"\operatorname{sech}", sympy="1/cosh(x)",
                   arrays=lambda x: reciprocal(cosh(x)),
                   rule="the hyperbolic secant multiplies what comes by minus itself times tanh(x)")
asinh      = unary("asinh", math.asinh, lambda out, x: reciprocal(hypot(1.0, x)),
                   "the inverse of sinh; asinh(0.5) = 0.48121...", latex=r"\operatorname{arsinh}", numpy="arcsinh",
                   rule="the inverse of sinh divides what comes by √(1 + x²)")
acosh      = unary("acosh", _ieee(math.acosh), lambda out, x: rsqrt(x - 1.0) * rsqrt(x + 1.0),
                   "the inverse of cosh, for x ≥ 1; acosh(1.5) = 0.96242...", latex=r"\operatorname{arcosh}", numpy="arccosh", domain=(1.0, inf),
                   rule="the inverse of cosh divides what comes by √(x² - 1)")
atanh      = unary("atanh", _ieee(math.atanh, {-1.0: -inf, 1.0: inf}), lambda out, x: reciprocal(one_minus_square(x)),
                   "the inverse of tanh; atanh(0.5) = 0.54930...", latex=r"\operatorname{artanh}", numpy="arctanh", domain=UNIT,
                   rule="the inverse of tanh divides what comes by 1 - x²")
sinc       = unary("sinc", _sinc, _sinc_slope,
                   "sin(πx) / (πx), 1 at 0; sinc(0.5) = 0.63661...", sympy="sinc(pi*x)",
                   arrays=_sinc_of_arrays,  # NumPy's own is not 0 at whole numbers
                   rule="the quotient rule: what comes is multiplied by cos(πx) - sinc(x), divided by x")
radians    = unary("radians", math.radians, lambda out, x: pi / 180.0,
                   "x degrees in radians; radians(180.0) = 3.14159...", numpy="radians", sympy="pi/180*x",
                   rule="a change of units multiplies what comes by π / 180")
degrees    = unary("degrees", math.degrees, lambda out, x: 180.0 / pi,
                   "x radians in degrees; degrees(0.5) = 28.6478...", numpy="degrees", sympy="180/pi*x",
                   rule="a change of units multiplies what comes by 180 / π")

# the error function
erf        = unary("erf", math.erf, lambda out, x: 2.0 / math.sqrt(pi) * exp(-x * x),
                   "the error function; erf(0.5) = 0.52049...", scipy="erf",
                   rule="the error function multiplies what comes by the bell curve, 2/√π · exp(-x²)")
erfc       = unary("erfc", math.erfc, lambda out, x: -2.0 / math.sqrt(pi) * exp(-x * x),
                   "1 - erf(x), exact for large x; erfc(0.5) = 0.47950...", scipy="erfc",
                   rule="erfc falls as erf grows: what comes is multiplied by minus the bell curve, 2/√π · exp(-x²)")
erfinv     = unary("erfinv", _erfinv, lambda out, x: math.sqrt(pi) / 2.0 * exp(out * out),
                   "the inverse of erf; erfinv(0.5) = 0.47693...", latex=r"\operatorname{erf}^{-1}", scipy="erfinv", domain=UNIT,
                   rule="an inverse divides what comes by the slope of erf at its own value")
erfcx      = unary("erfcx", lambda x: _erfcx_derivative(x, 0.0), lambda out, x: erfcx_derivative(x),
                   "exp(x²) · erfc(x), erfc without its fall; erfcx(0.5) = 0.61569...", scipy="erfcx",
                   rule="erfcx multiplies what comes by 2x times itself minus 2/√π")
erfcx_derivative = unary("erfcx_derivative", _erfcx_derivative, lambda out, x, order: _next_derivative(x, order),
                         "the derivative of erfcx of that order, 0 to 100, to 1e-12 up to 15, to 1e-10 up to 40; erfcx_derivative(0.5) = -0.5126...", options={"order": 1.0},
                         rule="each derivative has the next one for a slope: it multiplies what comes")
log_ndtr   = unary("log_ndtr", _log_ndtr, lambda out, x: _log_ndtr_slope(x),
                   "ln(Φ(x)) with the normal distribution's Φ, exact far out; log_ndtr(-40.0) = -804.60...", scipy="log_ndtr",
                   rule="the slope of a logarithm: what comes is multiplied by the bell curve over the area left of x, φ(x) / Φ(x)")

# activations
sigmoid    = unary("sigmoid", _sigmoid, lambda out, x: sigmoid_slope(x),
                   "1 / (1 + exp(-x)), the logistic function; sigmoid(0.5) = 0.62245...", latex=r"\sigma", scipy="expit", arrays=lambda x: reciprocal(1.0 + exp(-x)), sympy="1/(1 + exp(-x))",
                   rule="the sigmoid multiplies what comes by itself times 1 minus itself: at most a quarter passes")
sigmoid_slope = unary("sigmoid_slope", _sigmoid_slope, lambda out, x: -out * tanh(0.5 * x),
                      "the derivative of sigmoid, sigmoid(x) · sigmoid(-x); sigmoid_slope(0.0) = 0.25", latex=r"\sigma'", arrays=lambda x: sigmoid(x) * sigmoid(-x),
                      sympy="1/((1 + exp(x))*(1 + exp(-x)))",
                      rule="the slope of sigmoid multiplies what comes by minus itself times tanh(x/2): it falls on both sides of 0")
relu       = unary("relu", lambda x: 0.0 if x <= 0.0 else x, mask(lambda out, x: 1.0 - less_equal(x, 0.0)),
                   "x if positive, else 0; relu(-3.0) = 0.0", arrays=lambda x: maximum(x, 0.0), kinks=lambda x: x, sympy="Max(x, 0)",
                   rule="relu hands on what comes where x is positive, and nothing elsewhere")
leaky_relu = unary("leaky_relu", lambda x, slope: x if x > 0.0 else slope * x, lambda out, x, slope: where(less(0.0, x), 1.0, slope),
                   "x if positive, else a fraction of it; leaky_relu(-3.0) = -0.03", options={"negative_slope": 0.01}, arrays=lambda x, slope: where(less(0.0, x), x, slope * x), kinks=lambda x, slope: x,
                   sympy="Max(x, 0) + negative_slope*Min(x, 0)",
                   rule="what comes passes whole where x is positive; elsewhere it is multiplied by the small slope")
elu        = unary("elu", _elu, lambda out, x, alpha: where(less_equal(x, 0.0), alpha * exp(minimum(x, 0.0)), 1.0),
                   "x if positive, else alpha · (exp(x) - 1), Clevert et al. 2015; elu(-1.0) = -0.6321...", options={"alpha": 1.0}, arrays=lambda x, alpha: where(less(0.0, x), x, alpha * expm1(x)), kinks=lambda x, alpha: x,
                   sympy="Max(x, 0) + alpha*(exp(Min(x, 0)) - 1)",
                   rule="what comes passes whole where x is positive; elsewhere it is multiplied by alpha · exp(x)")
selu       = unary("selu", lambda x: _SELU_SCALE * _elu(x, _SELU_ALPHA),
                   lambda out, x: _SELU_SCALE * where(less_equal(x, 0.0), _SELU_ALPHA * exp(minimum(x, 0.0)), 1.0),
                   "elu scaled so that layers keep mean 0 and variance 1, Klambauer et al. 2017; selu(-1.0) = -1.1113...", arrays=lambda x: _SELU_SCALE * where(less(0.0, x), x, _SELU_ALPHA * expm1(x)), kinks=lambda x: x,
                   sympy="1.0507009873554805*(Max(x, 0) + 1.6732632423543772*(exp(Min(x, 0)) - 1))",
                   rule="what comes is multiplied by the scale 1.05 where x is positive; elsewhere by 1.76 · exp(x)")
celu       = unary("celu", _celu, lambda out, x, alpha: where(less_equal(x, 0.0), exp(div(minimum(x, 0.0), alpha)), 1.0),
                   "elu with a slope of 1 at 0 for every alpha, Barron 2017; celu(-1.0) = -0.6321...", options={"alpha": 1.0}, arrays=lambda x, alpha: where(less(0.0, x), x, alpha * expm1(div(x, alpha))), kinks=lambda x, alpha: x,
                   sympy="Max(x, 0) + alpha*(exp(Min(x, 0)/alpha) - 1)",
                   rule="what comes passes whole where x is positive; elsewhere it is multiplied by exp(x / alpha)")
gelu       = unary("gelu", _gelu, lambda out, x: 0.5 * erfc(-_SQRT_HALF * x) + _DENSITY0 * x * exp(-0.5 * x * x),
                   "x · Φ(x) with the normal distribution's Φ, Hendrycks and Gimpel 2016; gelu(1.0) = 0.84134...", arrays=lambda x: 0.5 * x * erfc(-_SQRT_HALF * x), sympy="x*(1 + erf(x/sqrt(2)))/2",
                   rule="the product rule for x · Φ(x): what comes is multiplied by Φ(x) + x · φ(x)")
silu       = unary("silu", lambda x: x * _sigmoid(x), lambda out, x: sigmoid(x) + x * sigmoid_slope(x),
                   "x · sigmoid(x), also called swish; silu(1.0) = 0.73105...", arrays=lambda x: x * sigmoid(x), sympy="x/(1 + exp(-x))",
                   rule="the product rule for x · sigmoid(x): what comes is multiplied by sigmoid(x) plus x times its slope")
mish       = unary("mish", lambda x: x * math.tanh(_softplus(x)), _mish_slope,
                   "x · tanh(softplus(x)), Misra 2019; mish(1.0) = 0.86509...", arrays=lambda x: x * tanh(softplus(x)), sympy="x*tanh(log(1 + exp(x)))",
                   rule="the product rule for x · tanh(softplus(x)): what comes is multiplied by the tanh plus x times its slope")
softplus   = unary("softplus", _softplus, lambda out, x: sigmoid(x),
                   "ln(1 + exp(x)), a smooth relu; softplus(0.0) = 0.69314...", arrays=lambda x: maximum(x, 0.0) + log1p(exp(-abs(x))), sympy="log(1 + exp(x))",
                   rule="softplus multiplies what comes by sigmoid(x), a step made smooth")
softsign   = unary("softsign", lambda x: x / (1.0 + math.fabs(x)), lambda out, x: square(reciprocal(1.0 + abs(x))),
                   "x / (1 + |x|); softsign(1.0) = 0.5", arrays=lambda x: div(x, 1.0 + abs(x)), kinks=lambda x: x, sympy="x/(1 + Abs(x))",
                   rule="softsign divides what comes by (1 + |x|)²")
logsigmoid = unary("logsigmoid", lambda x: -_softplus(-x), lambda out, x: sigmoid(-x),
                   "ln(sigmoid(x)); logsigmoid(0.0) = -0.6931...", scipy="log_expit", arrays=lambda x: -softplus(-x), sympy="-log(1 + exp(-x))",
                   rule="ln(sigmoid(x)) multiplies what comes by sigmoid(-x): the smaller the sigmoid, the more passes")
logit      = unary("logit", _logit, lambda out, x: 2.0 + 2.0 * cosh(out),
                   "ln(x / (1 - x)), the inverse of sigmoid; logit(0.75) = 1.09861...", scipy="logit", domain=(0.0, 1.0), sympy="log(x/(1 - x))",
                   arrays=_logit_of_arrays,
                   rule="logit divides what comes by x · (1 - x): it is steep at both ends")
hardtanh   = unary("hardtanh", _clamp, mask(lambda out, x, low, high: (1.0 - less_equal(x, low)) * (1.0 - less_equal(high, x))),
                   "x held between two bounds; hardtanh(5.0) = 1.0", options={"min_val": -1.0, "max_val": 1.0},
                   numpy="clip", arrays=lambda x, low, high: minimum(maximum(x, low), high), kinks=_to_bounds, sympy="Min(Max(x, min_val), max_val)",
                   rule="what comes passes unchanged between the bounds; at them and outside nothing passes")
hardsigmoid = unary("hardsigmoid", lambda x: _clamp(x + 3.0, 0.0, 6.0) / 6.0, mask(lambda out, x: less(-3.0, x) * less(x, 3.0) * (1.0 / 6.0)),
                    "a sigmoid of three straight lines; hardsigmoid(1.0) = 0.66666...", arrays=lambda x: div(minimum(maximum(x + 3.0, 0.0), 6.0), 6.0), kinks=lambda x: x * x - 9.0, sympy="Min(Max(x + 3, 0), 6)/6",
                    rule="a sixth of what comes passes where x lies between -3 and 3, and nothing elsewhere")
# fmt: on


# what `from micrograd_plus.ops.table import *` brings; Python's own abs, pow and round are asked for by name
__test__ = {name: function.__doc__ for name, function in FUNCTIONS.items()}  # for doctest: calling.py makes them
globals()["__all__"] = [name for name in FUNCTIONS if not hasattr(builtins, name)]
