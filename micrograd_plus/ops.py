"""The table of operations: one row a function, and every other part of the package reads the row.

A row holds, in this order: the name; the forward function on floats; one partial derivative per argument; one line
that says what it is, with an example; then how it is written, where it is defined and where it has kinks.

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
import sys
from collections.abc import Callable
from inspect import Parameter, Signature
from math import copysign, inf, nan, pi
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Protocol, cast, overload

from micrograd_plus.engine import TABLE, Op, Value, apply, node, number, operation
from micrograd_plus.errors import unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Forward = Callable[..., float]
Partial = Callable[..., Any]

# ------------------------------------------------------------------------------------------- what a function looks like


class Unary(Protocol):
    """A function of one number, which may take options by name, such as a slope or a bound."""

    __name__: str
    op: Op

    @overload
    def __call__(self, x: Value, /, *options: float, **named: float) -> Value: ...
    @overload
    def __call__(self, x: float, /, *options: float, **named: float) -> float: ...
    @overload
    def __call__(self, x: list[Any] | tuple[Any, ...], /, *options: float, **named: float) -> list[Any]: ...
    @overload
    def __call__(self, x: NDArray[Any], /, *options: float, **named: float) -> NDArray[Any]: ...


class Binary(Protocol):
    """A function of two numbers."""

    __name__: str
    op: Op

    @overload
    def __call__(self, x: Value, y: Value | float, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, /) -> float: ...
    @overload
    def __call__(self, x: Any, y: Any, /) -> Any: ...


class Ternary(Protocol):
    """A function of three numbers."""

    __name__: str
    op: Op

    @overload
    def __call__(self, x: float, y: float, z: float, /) -> float: ...
    @overload
    def __call__(self, x: Value | float, y: Value | float, z: Value | float, /) -> Value: ...
    @overload
    def __call__(self, x: Any, y: Any, z: Any, /) -> Any: ...


FUNCTIONS: dict[str, Callable[..., Any]] = {}  # every function of the table by name


def function(name: str) -> Callable[..., Any]:
    """The function of that name in the table.

    >>> function("tanh")(0.0)
    0.0
    """
    if name not in FUNCTIONS:
        raise unknown("function", name, FUNCTIONS)
    return FUNCTIONS[name]


class mask:  # noqa: N801 - it reads as a word in the rows
    """A partial that stops the upstream gradient where it is zero, or where another condition is."""

    def __init__(self, partial: Partial, where: Partial | None = None) -> None:
        self.partial = partial
        self.condition = where or partial


def row(
    name: str,
    forward: Forward,
    partials: tuple[Partial | mask | None, ...],
    doc: str,
    *,
    domain: tuple[tuple[float, float], ...],
    kink: Callable[..., float] | None = None,
    symbol: str = "",
    latex: str = "",
    precedence: int = 9,
    numpy: str | None = None,
    scipy: str | None = None,
    options: dict[str, float] | None = None,
) -> Callable[..., Any]:
    """Enter an operation into the table and make its function and its method on Value.

    Args:
        domain: for each argument the open interval in which it is defined and smooth, but for kinks.
        kink: a function of the arguments that is 0 where the derivative jumps or the value has a pole.
        symbol: the infix sign, if it has one; else it is written name(x, y).
        latex: a macro (`\\tanh`), or a template in which #1 and #2 stand for the arguments.
        precedence: how tightly it binds when written: 1 sums, 2 products, 3 signs, 4 powers, 9 everything else.
        numpy: NumPy's name for it. scipy: that of scipy.special, where NumPy has none.
        options: trailing arguments that are plain numbers, with their defaults.
    """
    op = operation(name)
    op.forward = forward
    op.partials = tuple(p.partial if isinstance(p, mask) else p for p in partials)
    op.masks = tuple(p.condition if isinstance(p, mask) else None for p in partials)
    op.domain, op.kink, op.options = domain, kink, options or {}
    op.symbol = symbol or name
    places = ", ".join(f"#{i}" for i in range(1, len(partials) + 1))
    macro = latex or rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"
    op.latex = macro if "#" in macro else rf"{macro}\left({places}\right)"
    op.precedence, op.numpy, op.scipy, op.doc = precedence, numpy, scipy, doc
    make = _with_options if options else {1: _unary, 2: _binary}.get(len(partials), _general)
    made: Any = make(op)
    _introduce(made, op)
    FUNCTIONS[name] = made
    setattr(Value, name, made)
    return cast(Callable[..., Any], made)


def unary(name: str, forward: Forward, partial: Partial | mask, doc: str, **columns: Any) -> Unary:
    """A row for a function of one argument, and perhaps of options after it."""
    options = columns.get("options") or {}
    columns["domain"] = (columns.get("domain", REAL), *[REAL] * len(options))
    return cast(Unary, row(name, forward, (partial, *[None] * len(options)), doc, **columns))


def binary(name: str, forward: Forward, x: Partial | mask, y: Partial | mask, doc: str, **columns: Any) -> Binary:
    """A row for a function of two arguments."""
    columns.setdefault("domain", (REAL, REAL))
    return cast(Binary, row(name, forward, (x, y), doc, **columns))


def ternary(name: str, forward: Forward, x: mask, y: mask, z: mask, doc: str, **columns: Any) -> Ternary:
    """A row for a function of three arguments."""
    return cast(Ternary, row(name, forward, (x, y, z), doc, domain=(REAL, REAL, REAL), **columns))


def _unary(op: Op) -> Callable[..., Any]:
    forward = cast(Forward, op.forward)

    def call(x: Any, /) -> Any:
        if isinstance(x, Value):
            return node(op, forward(x._data), x)
        return forward(x) if type(x) is float else _spread(op, call, (x,))

    return call


def _binary(op: Op) -> Callable[..., Any]:
    forward = cast(Forward, op.forward)

    def call(x: Any, y: Any, /) -> Any:
        if type(x) is float and type(y) is float:
            return forward(x, y)
        if isinstance(x, Value) and isinstance(y, Value):
            return node(op, forward(x._data, y._data), x, y)
        return _spread(op, call, (x, y))

    return call


def _general(op: Op) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if len(args) != len(op.partials):
            raise TypeError(f"{op.name} takes {len(op.partials)} arguments, got {len(args)}")
        return _spread(op, call, args)

    return call


def _with_options(op: Op) -> Callable[..., Any]:
    names = list(op.options)

    def call(x: Any, /, *given: Any, **named: Any) -> Any:
        if len(given) > len(names):
            raise TypeError(f"{op.name} takes {len(names)} options ({', '.join(names)}), got {len(given)}")
        for name in named:
            if name not in op.options or name in names[: len(given)]:
                raise TypeError(f"{op.name}: unexpected option {name!r}; it takes {', '.join(names)}")
        chosen = op.options | dict(zip(names, given)) | named
        for name, default in op.options.items():
            if chosen[name] is None:
                chosen[name] = default
            if isinstance(chosen[name], Value):
                raise TypeError(f"{op.name}: {name} is {chosen[name]!r}; expected a plain number, it gets no gradient")
            chosen[name] = number(chosen[name], f"{op.name}: {name} =")
        return _spread(op, call, (x, *chosen.values()))

    return call


def _spread(op: Op, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """The function over whatever it was given: numbers and Values at once, lists and arrays element by element."""
    np = sys.modules.get("numpy")
    if np is not None and any(isinstance(arg, np.ndarray) for arg in args):
        return _over_arrays(op, call, args)
    lists = [arg for arg in args if isinstance(arg, (list, tuple))]
    if lists:
        length = len(lists[0])
        if any(len(other) != length for other in lists):
            raise ValueError(f"{op.name}: lists of different lengths, {' and '.join(str(len(x)) for x in lists)}")
        columns = [arg if isinstance(arg, (list, tuple)) else [arg] * length for arg in args]
        return [call(*elements) for elements in zip(*columns)]
    numbers = tuple(arg if isinstance(arg, Value) else _argument(op, arg) for arg in args)
    if any(isinstance(arg, Value) for arg in numbers):
        return apply(op, *numbers)
    return cast(Forward, op.forward)(*numbers)


def _over_arrays(op: Op, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    import numpy as np

    arrays = [np.asarray(arg, dtype=object if isinstance(arg, Value) else None) for arg in args]
    for array in arrays:
        if array.dtype.kind not in "biufO":
            raise TypeError(f"{op.name}: expected an array of numbers or Values, got one of {array.dtype}")
    if any(array.dtype == object for array in arrays):
        return np.frompyfunc(call, len(args), 1)(*arrays)
    with np.errstate(all="ignore"):
        if op.numpy:
            result = getattr(np, op.numpy)(*arrays)
        else:  # NumPy has no such function: element by element
            result = np.frompyfunc(cast(Forward, op.forward), len(args), 1)(*[a.astype(float) for a in arrays])
    return np.asarray(result, dtype=float)


def _argument(op: Op, arg: Any) -> float:
    try:
        return number(arg, op.name)
    except TypeError as error:
        expected = "expected a number, a Value, or a list or array of them"
        raise TypeError(f"{op.name}({short_repr(arg)}): {expected}, got {type(arg).__name__}") from error


def _introduce(made: Any, op: Op) -> None:
    """Give a function its name, its signature and its docstring, from the row."""
    names = ["x", "y", "z"] if op.name != "where" else ["condition", "x", "y"]
    count = len(op.partials) - len(op.options)
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names[:count]]
    parameters += [Parameter(k, Parameter.POSITIONAL_OR_KEYWORD, default=v) for k, v in op.options.items()]
    what, _, example = op.doc.partition("; ")
    source, _, answer = example.rpartition(" = ")
    made.__name__ = made.__qualname__ = op.name
    made.__module__ = __name__
    made.__signature__ = Signature(parameters)
    made.__doc__ = (
        f"{what[0].upper()}{what[1:]}.\n\n"
        "A number gives a float, a Value gives a Value, a list or an array gives one of the same shape.\n\n"
        f">>> {source}\n{answer}\n"
    )
    made.op = op


# -------------------------------------------------------- forward on floats: IEEE 754's answers where Python's math raises


def _ieee(f: Forward, poles: dict[float, float] | None = None, odd: bool = False) -> Forward:
    """f, with nan outside its domain, the limits at its poles, and infinity where it overflows."""

    def forward(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return poles.get(x, nan) if poles else nan
        except OverflowError:
            return copysign(inf, x) if odd else inf

    return forward


def _div(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else copysign(inf, x) * copysign(1.0, y)


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
        return copysign(inf, x) if y % 2.0 == 1.0 else inf


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
    return lambda x: copysign(float(to_integer(x)), x) if math.isfinite(x) else x


def _to_whole(x: float) -> float:
    """The distance to the nearest integer: 0 where floor and its like jump."""
    return x - math.floor(x + 0.5)


def _clamp(x: float, low: float, high: float) -> float:
    return x if x != x else min(max(x, low), high)


def _maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _sinc(x: float) -> float:
    if x == 0.0:
        return 1.0
    if math.isinf(x):
        return nan
    whole = math.floor(x + 0.5)  # sin(πx) by the distance to the nearest integer: exact zeros, no lost digits
    return (-1.0 if whole % 2 else 1.0) * math.sin(pi * (x - whole)) / (pi * x)


def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _erfinv(x: float) -> float:
    """Winitzki's approximation (2008), polished by Halley's method on erf near 0 and on erfc near ±1."""
    size = math.fabs(x)
    if size >= 1.0 or x != x:
        return copysign(inf, x) if size == 1.0 else nan
    if size < 1e-9:
        return x * math.sqrt(pi) / 2.0  # the next term of the series is below the last digit
    log = math.log1p(-size * size)
    half = 2.0 / (pi * 0.147) + log / 2.0
    y = math.sqrt(math.sqrt(half * half - log / 0.147) - half)
    for _ in range(3):
        error = math.erf(y) - size if size < 0.5 else (1.0 - size) - math.erfc(y)
        step = error * math.sqrt(pi) / 2.0 * math.exp(y * y)
        y -= step / (1.0 + y * step)
    return copysign(y, x)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-math.fabs(x)))


def _elu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(x)


def _celu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(_div(x, alpha))


def _gelu(x: float) -> float:
    return 0.5 * x * math.erfc(-SQRT_HALF * x)


def _logit(x: float) -> float:
    if not 0.0 < x < 1.0:
        return -inf if x == 0.0 else inf if x == 1.0 else nan
    return math.log1p((2.0 * x - 1.0) / (1.0 - x)) if 0.25 < x < 0.75 else math.log(x / (1.0 - x))


# ------------------------------------------------------------------- partials too long for a row, and words for the rows


def _exponent_slope(out: Any, x: Any, y: Any) -> Any:
    """∂(x**y)/∂y = x**y · log(x), but 0 at base 0 with an exponent ≥ 0, where the power no longer moves."""
    return where(equal(x, 0.0) * less_equal(0.0, y), 0.0, out * log(x))


def _sinc_slope(out: Any, x: Any) -> Any:
    """sinc'(x) = (cos(πx) - sinc(x)) / x, near 0 by its series Σ (-1)ᵏ 2k π²ᵏ x²ᵏ⁻¹ / (2k+1)!"""
    near = less(abs(x), 0.4)
    t = square(pi * x)
    series: Any = 0.0
    for k in range(12, 0, -1):  # Horner's scheme from the smallest term
        series = series * t + (-1.0) ** k * 2.0 * k / math.factorial(2 * k + 1)
    away = where(near, 1.0, x)  # keeps 1/x out of the series' gradient
    return where(near, series * (pi * pi) * x, div(cos(pi * away) - sinc(away), away))


def _angle_slope(x: Any, y: Any) -> Any:
    """x / (x² + y²), in steps that cannot overflow, and 0 at the origin."""
    r = hypot(x, y)
    return where(equal(r, 0.0), 0.0, div(div(x, r), r))


def _mish_slope(out: Any, x: Any) -> Any:
    t = tanh(softplus(x))
    return t + x * (1.0 - t * t) * sigmoid(x)


def _larger(x: Any, y: Any) -> Any:
    """1 where x > y, 1/2 where they tie, 0 where x < y, 1 at nan."""
    return 1.0 - less(x, y) - 0.5 * equal(x, y)


REAL, POSITIVE, UNIT = (-inf, inf), (0.0, inf), (-1.0, 1.0)
LN2, LN10 = math.log(2.0), math.log(10.0)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, appendix A1
SQRT_HALF, DENSITY0 = math.sqrt(0.5), 1.0 / math.sqrt(2.0 * pi)  # the normal density at 0
FLAT = mask(lambda out, *args: 0.0)  # a function of steps: nothing flows back

# ------------------------------------------------------------------------------------------------------------ the table
# fmt: off - a row is two lines: what it computes, and what it is called; a formatter would make ten of them

# arithmetic
add        = binary("add", operator.add, lambda out, x, y: 1.0, lambda out, x, y: 1.0,
                    "x + y; add(2.0, 3.0) = 5.0", symbol="+", latex="#1 + #2", precedence=1, numpy="add")
sub        = binary("sub", operator.sub, lambda out, x, y: 1.0, lambda out, x, y: -1.0,
                    "x - y; sub(2.0, 3.0) = -1.0", symbol="-", latex="#1 - #2", precedence=1, numpy="subtract")
mul        = binary("mul", operator.mul, lambda out, x, y: y, lambda out, x, y: x,
                    "x · y; mul(2.0, 3.0) = 6.0", symbol="*", latex=r"#1 \cdot #2", precedence=2, numpy="multiply")
div        = binary("div", _div, lambda out, x, y: reciprocal(y), lambda out, x, y: -div(out, y),
                    "x / y, infinite or nan at y = 0; div(3.0, 2.0) = 1.5", symbol="/", latex=r"\frac{#1}{#2}", precedence=2,
                    numpy="divide", kink=lambda x, y: y)
mod        = binary("mod", _mod, lambda out, x, y: 1.0, lambda out, x, y: -floor(div(x, y)),
                    "the remainder of x / y, with the sign of y; mod(-7.0, 3.0) = 2.0", symbol="%", latex=r"#1 \bmod #2",
                    precedence=2, numpy="remainder", kink=lambda x, y: _to_whole(_div(x, y)))
pow        = binary("pow", _pow, mask(lambda out, x, y: y * pow(x, y - 1.0), where=lambda out, x, y: 1.0 - equal(y, 0.0)),
                    _exponent_slope, "x to the power y, nan where that is complex; pow(2.0, 10.0) = 1024.0",
                    symbol="**", latex="{#1}^{#2}", precedence=4, numpy="power", domain=(POSITIVE, REAL))
neg        = unary("neg", operator.neg, lambda out, x: -1.0,
                   "-x; neg(2.0) = -2.0", symbol="-", latex="-#1", precedence=3, numpy="negative")
reciprocal = unary("reciprocal", lambda x: _div(1.0, x), lambda out, x: -(out * out),
                   "1 / x; reciprocal(4.0) = 0.25", latex=r"\frac{1}{#1}", precedence=2, numpy="reciprocal", kink=lambda x: x)
square     = unary("square", lambda x: x * x, lambda out, x: 2.0 * x,
                   "x²; square(3.0) = 9.0", latex="{#1}^{2}", precedence=4, numpy="square")
sqrt       = unary("sqrt", _sqrt, lambda out, x: div(0.5, out),
                   "the square root; sqrt(9.0) = 3.0", latex=r"\sqrt{#1}", numpy="sqrt", domain=POSITIVE)
cbrt       = unary("cbrt", math.cbrt, lambda out, x: reciprocal(3.0 * out * out),
                   "the cube root, of negative numbers too; cbrt(-8.0) = -2.0", latex=r"\sqrt[3]{#1}", numpy="cbrt", kink=lambda x: x)
rsqrt      = unary("rsqrt", lambda x: _div(1.0, _sqrt(x)), lambda out, x: -0.5 * out * out * out,
                   "1 / √x; rsqrt(4.0) = 0.5", latex=r"\frac{1}{\sqrt{#1}}", precedence=2, domain=POSITIVE)

# exponentials and logarithms
exp        = unary("exp", _ieee(math.exp), lambda out, x: out,
                   "e to the power x; exp(1.0) = 2.71828...", latex="e^{#1}", precedence=4, numpy="exp")
exp2       = unary("exp2", _ieee(math.exp2), lambda out, x: LN2 * out,
                   "2 to the power x; exp2(3.0) = 8.0", latex="2^{#1}", precedence=4, numpy="exp2")
expm1      = unary("expm1", _ieee(math.expm1), lambda out, x: exp(x),
                   "exp(x) - 1, exact near 0; expm1(1.0) = 1.71828...", latex="e^{#1} - 1", precedence=1, numpy="expm1")
log        = unary("log", _ieee(math.log, {0.0: -inf}), lambda out, x: reciprocal(x),
                   "the natural logarithm; log(2.0) = 0.69314...", latex=r"\ln", numpy="log", domain=POSITIVE)
log2       = unary("log2", _ieee(math.log2, {0.0: -inf}), lambda out, x: reciprocal(LN2 * x),
                   "the logarithm to base 2; log2(8.0) = 3.0", latex=r"\log_{2}", numpy="log2", domain=POSITIVE)
log10      = unary("log10", _ieee(math.log10, {0.0: -inf}), lambda out, x: reciprocal(LN10 * x),
                   "the logarithm to base 10; log10(1000.0) = 3.0", latex=r"\log_{10}", numpy="log10", domain=POSITIVE)
log1p      = unary("log1p", _ieee(math.log1p, {-1.0: -inf}), lambda out, x: reciprocal(1.0 + x),
                   "ln(1 + x), exact near 0; log1p(1.0) = 0.69314...", latex=r"\ln\left(1 + #1\right)", numpy="log1p", domain=(-1.0, inf))
logaddexp  = binary("logaddexp", _logaddexp, lambda out, x, y: sigmoid(x - y), lambda out, x, y: sigmoid(y - x),
                    "ln(exp(x) + exp(y)); logaddexp(0.0, 0.0) = 0.69314...", latex=r"\ln\left(e^{#1} + e^{#2}\right)", numpy="logaddexp")

# pieces
abs        = unary("abs", math.fabs, lambda out, x: sign(x),
                   "the absolute value; abs(-3.0) = 3.0", latex=r"\left|#1\right|", numpy="absolute", kink=lambda x: x)
sign       = unary("sign", _sign, FLAT,
                   "-1, 0 or 1; sign(-3.0) = -1.0", latex=r"\operatorname{sgn}", numpy="sign", kink=lambda x: x)
floor      = unary("floor", _whole(math.floor), FLAT,
                   "the largest integer ≤ x; floor(-1.5) = -2.0", latex=r"\left\lfloor#1\right\rfloor", numpy="floor", kink=_to_whole)
ceil       = unary("ceil", _whole(math.ceil), FLAT,
                   "the smallest integer ≥ x; ceil(-1.5) = -1.0", latex=r"\left\lceil#1\right\rceil", numpy="ceil", kink=_to_whole)
round      = unary("round", _whole(builtins.round), FLAT,
                   "the nearest integer, halves to the even one; round(2.5) = 2.0", numpy="rint", kink=lambda x: _to_whole(x + 0.5))
maximum    = binary("maximum", _maximum, mask(lambda out, x, y: _larger(x, y)), mask(lambda out, x, y: _larger(y, x)),
                    "the larger one, nan if either is; maximum(2.0, 3.0) = 3.0", latex=r"\max", numpy="maximum", kink=operator.sub)
minimum    = binary("minimum", _minimum, mask(lambda out, x, y: _larger(y, x)), mask(lambda out, x, y: _larger(x, y)),
                    "the smaller one, nan if either is; minimum(2.0, 3.0) = 2.0", latex=r"\min", numpy="minimum", kink=operator.sub)
clamp      = unary("clamp", _clamp, mask(lambda out, x, min, max: less_equal(min, x) * less_equal(x, max)),
                   "x held between min and max; clamp(5.0, 0.0, 1.0) = 1.0", options={"min": -inf, "max": inf},
                   numpy="clip", kink=lambda x, min, max: (x - min) * (x - max))
less       = binary("less", lambda x, y: float(x < y), FLAT, FLAT,
                    "1 where x < y, else 0; less(2.0, 3.0) = 1.0", symbol="<", latex="#1 < #2", precedence=0, numpy="less", kink=operator.sub)
less_equal = binary("less_equal", lambda x, y: float(x <= y), FLAT, FLAT,
                    "1 where x ≤ y, else 0; less_equal(3.0, 3.0) = 1.0", symbol="<=", latex=r"#1 \le #2", precedence=0, numpy="less_equal", kink=operator.sub)
equal      = binary("equal", lambda x, y: float(x == y), FLAT, FLAT,
                    "1 where x = y, else 0; equal(2.0, 3.0) = 0.0", symbol="==", latex="#1 = #2", precedence=0, numpy="equal", kink=operator.sub)
where      = ternary("where", lambda condition, x, y: x if condition else y, FLAT,
                     mask(lambda out, condition, x, y: 1.0 - equal(condition, 0.0)), mask(lambda out, condition, x, y: equal(condition, 0.0)),
                     "x where the condition is not 0, else y; where(1.0, 2.0, 3.0) = 2.0", numpy="where", kink=lambda condition, x, y: condition)
copysign   = binary("copysign", copysign, lambda out, x, y: sign(x) * sign(out), FLAT,
                    "the size of x with the sign of y; copysign(3.0, -1.0) = -3.0", numpy="copysign", kink=operator.mul)
hypot      = binary("hypot", math.hypot, lambda out, x, y: div(x, out), lambda out, x, y: div(y, out),
                    "√(x² + y²); hypot(3.0, 4.0) = 5.0", latex=r"\sqrt{{#1}^{2} + {#2}^{2}}", numpy="hypot", kink=math.hypot)
stop_gradient = unary("stop_gradient", lambda x: x, FLAT,
                      "x itself, through which no gradient flows; stop_gradient(3.0) = 3.0", numpy="positive")

# angles and hyperbolas
sin        = unary("sin", _ieee(math.sin), lambda out, x: cos(x),
                   "the sine of x radians; sin(0.5) = 0.47942...", latex=r"\sin", numpy="sin")
cos        = unary("cos", _ieee(math.cos), lambda out, x: -sin(x),
                   "the cosine of x radians; cos(0.5) = 0.87758...", latex=r"\cos", numpy="cos")
tan        = unary("tan", _ieee(math.tan), lambda out, x: 1.0 + out * out,
                   "the tangent of x radians; tan(0.5) = 0.54630...", latex=r"\tan", numpy="tan", kink=math.cos)
asin       = unary("asin", _ieee(math.asin), lambda out, x: rsqrt(1.0 - x) * rsqrt(1.0 + x),
                   "the angle in radians whose sine is x; asin(0.5) = 0.52359...", latex=r"\arcsin", numpy="arcsin", domain=UNIT)
acos       = unary("acos", _ieee(math.acos), lambda out, x: -(rsqrt(1.0 - x) * rsqrt(1.0 + x)),
                   "the angle in radians whose cosine is x; acos(0.5) = 1.04719...", latex=r"\arccos", numpy="arccos", domain=UNIT)
atan       = unary("atan", math.atan, lambda out, x: reciprocal(1.0 + x * x),
                   "the angle in radians whose tangent is x; atan(0.5) = 0.46364...", latex=r"\arctan", numpy="arctan")
atan2      = binary("atan2", math.atan2, lambda out, x, y: _angle_slope(y, x), lambda out, x, y: -_angle_slope(x, y),
                    "the angle in radians of the point (y, x), the ordinate first; atan2(1.0, -1.0) = 2.35619...",
                    latex=r"\operatorname{atan2}", numpy="arctan2", kink=lambda x, y: x if y < 0.0 else math.hypot(x, y))
sinh       = unary("sinh", _ieee(math.sinh, odd=True), lambda out, x: cosh(x),
                   "the hyperbolic sine; sinh(0.5) = 0.52109...", latex=r"\sinh", numpy="sinh")
cosh       = unary("cosh", _ieee(math.cosh), lambda out, x: sinh(x),
                   "the hyperbolic cosine; cosh(0.5) = 1.12762...", latex=r"\cosh", numpy="cosh")
tanh       = unary("tanh", math.tanh, lambda out, x: square(reciprocal(cosh(x))),
                   "the hyperbolic tangent; tanh(0.5) = 0.46211...", latex=r"\tanh", numpy="tanh")
asinh      = unary("asinh", math.asinh, lambda out, x: reciprocal(hypot(1.0, x)),
                   "the inverse of sinh; asinh(0.5) = 0.48121...", latex=r"\operatorname{arsinh}", numpy="arcsinh")
acosh      = unary("acosh", _ieee(math.acosh), lambda out, x: rsqrt(x - 1.0) * rsqrt(x + 1.0),
                   "the inverse of cosh, for x ≥ 1; acosh(1.5) = 0.96242...", latex=r"\operatorname{arcosh}", numpy="arccosh", domain=(1.0, inf))
atanh      = unary("atanh", _ieee(math.atanh, {-1.0: -inf, 1.0: inf}), lambda out, x: reciprocal((1.0 - x) * (1.0 + x)),
                   "the inverse of tanh; atanh(0.5) = 0.54930...", latex=r"\operatorname{artanh}", numpy="arctanh", domain=UNIT)
sinc       = unary("sinc", _sinc, _sinc_slope,
                   "sin(πx) / (πx), 1 at 0; sinc(0.5) = 0.63661...", numpy="sinc")
radians    = unary("radians", math.radians, lambda out, x: pi / 180.0,
                   "x degrees in radians; radians(180.0) = 3.14159...", numpy="radians")
degrees    = unary("degrees", math.degrees, lambda out, x: 180.0 / pi,
                   "x radians in degrees; degrees(0.5) = 28.6478...", numpy="degrees")

# the error function
erf        = unary("erf", math.erf, lambda out, x: 2.0 / math.sqrt(pi) * exp(-x * x),
                   "the error function; erf(0.5) = 0.52049...", scipy="erf")
erfc       = unary("erfc", math.erfc, lambda out, x: -2.0 / math.sqrt(pi) * exp(-x * x),
                   "1 - erf(x), exact for large x; erfc(0.5) = 0.47950...", scipy="erfc")
erfinv     = unary("erfinv", _erfinv, lambda out, x: math.sqrt(pi) / 2.0 * exp(out * out),
                   "the inverse of erf; erfinv(0.5) = 0.47693...", latex=r"\operatorname{erf}^{-1}", scipy="erfinv", domain=UNIT)

# activations
sigmoid    = unary("sigmoid", _sigmoid, lambda out, x: out * sigmoid(-x),
                   "1 / (1 + exp(-x)), the logistic function; sigmoid(0.5) = 0.62245...", latex=r"\sigma", scipy="expit")
relu       = unary("relu", lambda x: 0.0 if x <= 0.0 else x, mask(lambda out, x: 1.0 - less_equal(x, 0.0)),
                   "x if positive, else 0; relu(-3.0) = 0.0", kink=lambda x: x)
leaky_relu = unary("leaky_relu", lambda x, slope: x if x > 0.0 else slope * x, lambda out, x, slope: where(less(0.0, x), 1.0, slope),
                   "x if positive, else a fraction of it; leaky_relu(-3.0) = -0.03", options={"negative_slope": 0.01}, kink=lambda x, slope: x)
elu        = unary("elu", _elu, lambda out, x, alpha: where(less(0.0, x), 1.0, alpha * exp(minimum(x, 0.0))),
                   "x if positive, else alpha · (exp(x) - 1), Clevert et al. 2015; elu(-1.0) = -0.6321...", options={"alpha": 1.0}, kink=lambda x, alpha: x)
selu       = unary("selu", lambda x: SELU_SCALE * _elu(x, SELU_ALPHA),
                   lambda out, x: SELU_SCALE * where(less(0.0, x), 1.0, SELU_ALPHA * exp(minimum(x, 0.0))),
                   "elu scaled so that layers keep mean 0 and variance 1, Klambauer et al. 2017; selu(-1.0) = -1.1113...", kink=lambda x: x)
celu       = unary("celu", _celu, lambda out, x, alpha: where(less(0.0, x), 1.0, exp(div(minimum(x, 0.0), alpha))),
                   "elu with a slope of 1 at 0 for every alpha, Barron 2017; celu(-1.0) = -0.6321...", options={"alpha": 1.0}, kink=lambda x, alpha: x)
gelu       = unary("gelu", _gelu, lambda out, x: 0.5 * erfc(-SQRT_HALF * x) + DENSITY0 * x * exp(-0.5 * x * x),
                   "x · Φ(x) with the normal distribution's Φ, Hendrycks and Gimpel 2016; gelu(1.0) = 0.84134...")
silu       = unary("silu", lambda x: x * _sigmoid(x), lambda out, x: sigmoid(x) + out * sigmoid(-x),
                   "x · sigmoid(x), also called swish; silu(1.0) = 0.73105...")
mish       = unary("mish", lambda x: x * math.tanh(_softplus(x)), _mish_slope,
                   "x · tanh(softplus(x)), Misra 2019; mish(1.0) = 0.86509...")
softplus   = unary("softplus", _softplus, lambda out, x: sigmoid(x),
                   "ln(1 + exp(x)), a smooth relu; softplus(0.0) = 0.69314...")
softsign   = unary("softsign", lambda x: x / (1.0 + math.fabs(x)), lambda out, x: square(reciprocal(1.0 + abs(x))),
                   "x / (1 + |x|); softsign(1.0) = 0.5", kink=lambda x: x)
logsigmoid = unary("logsigmoid", lambda x: -_softplus(-x), lambda out, x: sigmoid(-x),
                   "ln(sigmoid(x)); logsigmoid(0.0) = -0.6931...", scipy="log_expit")
logit      = unary("logit", _logit, lambda out, x: reciprocal(x * (1.0 - x)),
                   "ln(x / (1 - x)), the inverse of sigmoid; logit(0.75) = 1.09861...", scipy="logit", domain=(0.0, 1.0))
hardtanh   = unary("hardtanh", _clamp, mask(lambda out, x, low, high: (1.0 - less_equal(x, low)) * (1.0 - less_equal(high, x))),
                   "x held between two bounds; hardtanh(5.0) = 1.0", options={"min_val": -1.0, "max_val": 1.0},
                   numpy="clip", kink=lambda x, low, high: (x - low) * (x - high))
hardsigmoid = unary("hardsigmoid", lambda x: _clamp(x + 3.0, 0.0, 6.0) / 6.0, mask(lambda out, x: less(-3.0, x) * less(x, 3.0) * (1.0 / 6.0)),
                    "a sigmoid of three straight lines; hardsigmoid(1.0) = 0.66666...", kink=lambda x: x * x - 9.0)
# fmt: on

# ------------------------------------------------------------------------------------------------- NumPy's ways to them

_BY_UFUNC = {str(op.numpy): name for name, op in TABLE.items() if op.numpy and name not in ("hardtanh", "where", "stop_gradient")}
_COMPARISONS = {
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip - two lines


def _array_ufunc(self: Value, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
    """NumPy's functions and operators on a Value, such as np.exp(v) and array * v."""
    import numpy as np

    name = ufunc.__name__
    if method != "__call__" or options or (name not in _COMPARISONS and name not in _BY_UFUNC):
        return NotImplemented
    if name in _COMPARISONS:
        result = np.frompyfunc(_COMPARISONS[name], 2, 1)(*[np.asarray(x, dtype=object) for x in inputs])
        result = np.asarray(result, dtype=bool)[()]
    else:
        result = FUNCTIONS[_BY_UFUNC[name]](*inputs)
    if out is None:
        return result
    out[0][...] = result
    return out[0]


setattr(Value, "__array_ufunc__", _array_ufunc)  # noqa: B010 - mypy does not see a method that is set
for _ufunc, _name in _BY_UFUNC.items():  # np.arctan of an array of Values calls their method arctan
    if not hasattr(Value, _ufunc):
        setattr(Value, _ufunc, FUNCTIONS[_name])

__all__ = ["FUNCTIONS", "function"]
__all__ += [name for name in FUNCTIONS if not hasattr(builtins, name)]  # `import *` leaves Python's abs, pow and round
