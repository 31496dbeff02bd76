"""What an argument of an optimizer, a schedule or a clipping has to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Set
from math import inf
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value

_Range = tuple[Callable[[float], bool], str]
_FINITE: _Range = (math.isfinite, "a finite number")
_NOT_NEGATIVE: _Range = (lambda x: 0.0 <= x < inf, "a finite number of at least 0")
_BOUND: _Range = (lambda x: x >= 0.0, "a number of at least 0")
_SHARE: _Range = (lambda x: 0.0 <= x <= 1.0, "a number from 0 to 1")
_BELOW_ONE: _Range = (lambda x: 0.0 <= x < 1.0, "two numbers from 0 up to, but not including, 1")
_FACTOR: _Range = (lambda x: 0.0 < x <= 1.0, "a number above 0 and at most 1")
_POWER: _Range = (lambda x: x > 0.0, "a number above 0, or 'inf'")

# by name, as each means the same wherever it occurs
_RANGES: dict[str, _Range] = {
    "lr": _NOT_NEGATIVE, "momentum": _NOT_NEGATIVE, "dampening": _FINITE, "weight_decay": _NOT_NEGATIVE,
    "lr_decay": _NOT_NEGATIVE, "initial_accumulator_value": _NOT_NEGATIVE, "eps": _NOT_NEGATIVE,
    "momentum_decay": _NOT_NEGATIVE, "alpha": _SHARE, "rho": _SHARE, "betas": _BELOW_ONE,
    "gamma": _NOT_NEGATIVE, "eta_min": _NOT_NEGATIVE, "start_factor": _FACTOR, "end_factor": _SHARE,
    "max_norm": _BOUND, "norm_type": _POWER, "clip_value": _BOUND,
}  # fmt: skip
_FLAGS = {"nesterov", "amsgrad", "centered", "maximize", "decoupled_weight_decay"}


def checked(where: str, name: str, value: Any) -> Any:
    """An argument as a float, a pair of floats or a bool, by its name; one of an unknown name passes as it is."""
    if name in _FLAGS:
        if not isinstance(value, bool):
            kind = type(value).__name__
            raise TypeError(f"{where}: {name} {short_repr(value)}; expected True or False, got {kind}")
        return value
    if name not in _RANGES:
        return value
    within, expected = _RANGES[name]
    numbers: tuple[float, ...]
    if name == "betas":
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise ValueError(f"{where}: betas {short_repr(value)}; expected {expected}")
        numbers = tuple(number(beta, f"{where}: betas =") for beta in value)
    else:
        numbers = (inf if name == "norm_type" and value == "inf" else number(value, f"{where}: {name} ="),)
    if not all(within(x) for x in numbers):
        raise ValueError(f"{where}: {name} {value!r}; expected {expected}")
    return numbers if name == "betas" else numbers[0]


def parameters(where: str, params: Iterable[Value]) -> list[Value]:
    expected = "expected Values, as model.parameters() gives"
    if isinstance(params, Set):  # a gradient has their order, and it has none
        raise _no_list(where, params)
    try:
        values = list(params)
    except TypeError:
        raise _no_list(where, params) from None
    if not values:
        raise ValueError(f"{where}: got an empty list, {expected}")
    seen: Identities[Value, None] = Identities()
    for value in values:
        if not isinstance(value, Value):
            raise TypeError(f"{where}: got {short_repr(value)}, a {type(value).__name__}, {expected}")
        if value._a is not None:
            leaf = "expected leaves, as x.detach() makes them; model.parameters() gives all Values that the model keeps"
            raise ValueError(f"{where}: got {value!r}, which was computed from others; {leaf}")
        if value in seen:
            raise ValueError(f"{where}: got {value!r} twice, {expected}, each once")
        seen[value] = None
    return values


def _no_list(where: str, params: object) -> TypeError:
    return TypeError(f"{where}: got {short_repr(params)}, expected a list of Values, as model.parameters() gives")
