"""What each row of the table says it computes, in mpmath: the word of somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

Definition = Callable[..., Any]

selu_alpha = mpmath.mpf("1.6732632423543772848170429916717")  # Klambauer et al. 2017, appendix A1
selu_scale = mpmath.mpf("1.0507009873554804934193349852946")


def softplus(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x))


def elu(x: Any, alpha: Any) -> Any:
    return x if x > 0 else alpha * mpmath.expm1(x)


def held(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, low), high)


def erfcx_derivative(x: Any, order: Any) -> Any:
    """By the recurrence that cancels, with as many more digits."""
    if order % 1 != 0 or not 0 <= order <= 100:
        return mpmath.nan
    n = int(order)
    with mpmath.extradps(20 + int((6 * n + 4) * max(1, mpmath.log10(abs(x) + 1)))):
        now, add = mpmath.exp(x * x) * mpmath.erfc(x), -2 / mpmath.sqrt(mpmath.pi)
        for k in range(1, n + 1):
            now, add = 2 * x * now + add, 2 * k * now
        return now


def log_ndtr(x: Any) -> Any:
    return mpmath.log(mpmath.ncdf(x)) if x < 0 else mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)


DEFINITIONS: dict[str, Definition] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "mod": lambda x, y: x - y * mpmath.floor(x / y),
    "pow": mpmath.power,
    "pow_log": lambda x, y, n: x**y * mpmath.log(x) ** mpmath.nint(n),
    "neg": lambda x: -x,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
    "sqrt": mpmath.sqrt,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "one_minus_square": lambda x: (1 - x) * (1 + x),
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.power(2, x),
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": lambda x: mpmath.log(x) / mpmath.log(10),
    "log1p": mpmath.log1p,
    "logaddexp": lambda x, y: max(x, y) + softplus(-abs(x - y)),
    "abs": abs,
    "sign": mpmath.sign,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "trunc": lambda x: mpmath.sign(x) * mpmath.floor(abs(x)),
    "round": mpmath.nint,
    "maximum": max,
    "minimum": min,
    "clamp": held,
    "less": lambda x, y: mpmath.mpf(x < y),
    "less_equal": lambda x, y: mpmath.mpf(x <= y),
    "equal": lambda x, y: mpmath.mpf(x == y),
    "where": lambda condition, x, y: x if condition else y,
    "copysign": lambda x, y: abs(x) if y > 0 else -abs(x),
    "hypot": lambda x, y: mpmath.sqrt(x * x + y * y),
    "direction": lambda x, y: x / mpmath.sqrt(x * x + y * y),
    "stop_gradient": lambda x: x,
    "identity": lambda x: x,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "atan2": mpmath.atan2,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "sech": mpmath.sech,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "sinc": mpmath.sincpi,
    "radians": mpmath.radians,
    "degrees": mpmath.degrees,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erfinv": mpmath.erfinv,
    "erfcx": lambda x: erfcx_derivative(x, 0),
    "erfcx_derivative": erfcx_derivative,
    "log_ndtr": log_ndtr,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sigmoid_slope": lambda x: 1 / ((1 + mpmath.exp(-x)) * (1 + mpmath.exp(x))),
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": elu,
    "selu": lambda x: selu_scale * elu(x, selu_alpha),
    "celu": lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x / alpha),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(softplus(x)),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "logsigmoid": lambda x: -softplus(-x),
    "logit": lambda x: mpmath.log(x / (1 - x)),
    "hardtanh": held,
    "hardsigmoid": lambda x: held(x + 3, 0, 6) / 6,
}
