"""Clipping: how gradients that have grown too large are cut down, with PyTorch's names and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from micrograd_plus.engine.value import Value
from micrograd_plus.ops.table import maximum, minimum, pow
from micrograd_plus.ops.vectors import added
from micrograd_plus.optim.ranges import checked
from micrograd_plus.optim.ranges import parameters as parameters_of


def clip_grad_norm_(parameters: Iterable[Value], max_norm: float, norm_type: float | str = 2.0) -> float:
    """Scale all gradients alike, so that their norm, taken as one vector, is at most max_norm.

    As in PyTorch the factor is max_norm / (norm + 1e-6), where that is below 1.

    Args:
        parameters: a list of Values, as `model.parameters()` gives them.
        max_norm: at least 0; infinity changes nothing, unless the norm is no finite number: then, as in PyTorch, all
            become nan.
        norm_type: p of the p-norm, above 0; infinity, or "inf", for the largest gradient.

    Returns:
        The norm as it was before.

    Raises:
        TypeError: something is no Value, or an argument is no number.
        ValueError: there are no Values, one occurs twice or is computed, or an argument is out of its range.

    >>> x, y = Value(0.0), Value(0.0)
    >>> x.grad, y.grad = 3.0, 4.0
    >>> clip_grad_norm_([x, y], 1.0)
    5.0
    >>> print(f"{x.grad:.3f} {y.grad:.3f}")
    0.600 0.800
    """
    parameters = parameters_of("clip_grad_norm_(parameters)", parameters)
    max_norm = checked("clip_grad_norm_", "max_norm", max_norm)
    norm = _norm([p._grad for p in parameters], checked("clip_grad_norm_", "norm_type", norm_type))
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1.0:  # nan too
        for parameter in parameters:
            parameter._grad *= factor
    return norm


def _norm(numbers: list[float], p: float) -> float:
    """(Σ |x|^p)^(1/p), in sizes relative to the largest, which neither overflow nor vanish."""
    largest = 0.0
    for x in numbers:
        largest = maximum(largest, abs(x))  # which, unlike max, finds a nan
    if p == inf or not 0.0 < largest < inf:
        return largest
    return float(largest * pow(added([(abs(x) / largest) ** p for x in numbers]), 1.0 / p))  # which may be inf


def clip_grad_value_(parameters: Iterable[Value], clip_value: float) -> None:
    """Hold each gradient between -clip_value and clip_value.

    Args:
        parameters: a list of Values, as `model.parameters()` gives them.
        clip_value: at least 0.

    Raises:
        TypeError: something is no Value, or clip_value is no number.
        ValueError: there are no Values, one occurs twice or is computed, or clip_value is below 0.

    >>> x = Value(0.0)
    >>> x.grad = -3.0
    >>> clip_grad_value_([x], 0.5)
    >>> x.grad
    -0.5
    """
    parameters = parameters_of("clip_grad_value_(parameters)", parameters)
    bound = checked("clip_grad_value_", "clip_value", clip_value)
    for parameter in parameters:
        parameter._grad = minimum(maximum(parameter._grad, -bound), bound)
