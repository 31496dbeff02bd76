"""Check the columns of a row and bring each into the form that readers rely on; errors say what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from keyword import iskeyword
from math import inf
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value

Interval = tuple[float, float]
REAL, POSITIVE, UNIT = (-inf, inf), (0.0, inf), (-1.0, 1.0)


def check_takes(what: str, function: Any, count: int, expected: str) -> None:
    """Raise where the function can't be called with that many arguments."""
    if not callable(function):
        raise TypeError(f"{what} is {short_repr(function)}; expected a function, got {type(function).__name__}")
    try:
        takes = signature(function)
    except ValueError:  # a builtin that does not say
        return
    try:
        takes.bind(*range(count))
    except TypeError:
        arguments = "1 argument" if count == 1 else f"{count} arguments"
        raise TypeError(f"{what} takes {takes}; expected {arguments}, {expected}") from None


def check_columns(name: str, texts: dict[str, str | None], precedence: int, arrays: object) -> None:
    """Raise where what is said about a function is no text, no number or no function."""
    for column, text in texts.items():
        if not isinstance(text, str) and not (text is None and column in ("numpy", "scipy")):
            raise TypeError(
                f"primitive({name!r}, {column}={short_repr(text)}): expected a string, got {type(text).__name__}"
            )
    if not isinstance(precedence, int):
        raise TypeError(f"primitive({name!r}, precedence={short_repr(precedence)}): expected a whole number")
    if arrays is not None and not callable(arrays):
        raise TypeError(f"primitive({name!r}, arrays={short_repr(arrays)}): expected a function of arrays")


def checked_options(name: str, options: dict[str, float], count: int) -> dict[str, float]:
    """The options, whose names can be a function's, with defaults that are plain numbers."""
    for option, default in options.items():
        if not isinstance(option, str) or not option.isidentifier() or iskeyword(option):
            raise ValueError(f"primitive({name!r}, options={short_repr(options)}): {option!r} can't name an option")
        if option in argument_names(name, count):
            raise ValueError(f"primitive({name!r}): the option {option!r} has the name of an argument; choose another")
        if isinstance(default, Value):
            raise TypeError(f"primitive({name!r}): the option {option!r} is {default!r}; expected a plain number")
        number(default, f"primitive({name!r}, options: {option} =")
    return options


def checked_domain(name: str, domain: Interval | Sequence[Interval] | None, count: int) -> tuple[Interval, ...]:
    """One open interval for each argument."""
    try:
        pairs: list[Any] = [REAL] if domain is None else list(domain)
        if len(pairs) == 2 and not isinstance(pairs[0], Sequence):
            pairs = [pairs]
        pairs = pairs * count if len(pairs) == 1 else pairs
        intervals = tuple([(float(low), float(high)) for low, high in pairs])
    except (TypeError, ValueError):
        intervals = ()
    if len(intervals) != count or not all(low < high for low, high in intervals):
        wanted = f"expected an interval (low, high) for each of its arguments ({count})"
        raise ValueError(f"primitive({name!r}, domain={short_repr(domain)}): {wanted}")
    return intervals


def checked_kinks(name: str, kinks: Callable[..., float] | Sequence[float] | None) -> Callable[..., float] | None:
    """A function that is 0 at the kinks, from one or from a list of points."""
    if kinks is None or callable(kinks):
        return kinks
    if not isinstance(kinks, Sequence) or isinstance(kinks, (str, bytes)):
        raise TypeError(f"primitive({name!r}, kinks={short_repr(kinks)}): expected a function, or a list of points")
    points = [number(point, f"primitive({name!r}, kinks=") for point in kinks]
    return _to_nearest(points) if points else None


def _to_nearest(points: Sequence[float]) -> Callable[..., float]:
    """The distance to the nearest of some points."""

    def distance(x: float, *_: float) -> float:
        return min([x - point for point in points], key=abs, default=1.0)

    distance.__doc__ = f"Zero where x is {' or '.join([f'{point:g}' for point in points])}."
    return distance


def argument_names(name: str, count: int) -> list[str]:
    """What a function of that name calls its arguments."""
    if name == "where":
        return ["condition", "x", "y"]
    return ["x", "y", "z"][:count] if count <= 3 else [f"x{i}" for i in range(1, count + 1)]
