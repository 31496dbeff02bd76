"""What counts as a number, and the errors for what does not."""

from __future__ import annotations

from collections.abc import Sized
from numbers import Complex, Real
from reprlib import repr as short_repr
from typing import Any


def number(data: Any, where: str) -> float:
    """data as a float, or a TypeError that quotes it."""
    kind = type(data)
    if kind is float:
        return data  # type: ignore[no-any-return]
    if isinstance(data, float):  # NumPy's, mostly: numbers out of an array
        return float(data)
    if kind is not int and not _is_real(data, kind):
        if getattr(data, "shape", None) == () and hasattr(kind, "item"):  # a 0-d array, a scalar of PyTorch's
            try:
                return number(data.item(), where)
            except TypeError:
                pass
        raise _no_number(data, where)
    try:
        return float(data)
    except TypeError:
        too_large = False
    except OverflowError:
        too_large = True
    # only here is it raised: mypyc knows no `from None`, and an error within `except` shows two tracebacks
    if too_large:
        raise OverflowError(f"{_quoted(data, where)}: expected a number that fits a float")
    raise _no_number(data, where)


def _is_real(data: Any, kind: type[Any]) -> bool:
    """Whether float() would take it, and should: not of a complex number, of a Value, of what has several numbers."""
    from micrograd_plus.engine.value import Value

    # not hasattr(kind, "__len__"), for a kind of enumeration has a length, while one of its members is a number
    if not hasattr(kind, "__float__") or isinstance(data, (Sized, Value)):
        return False
    return isinstance(data, Real) or not isinstance(data, Complex)


def _no_number(data: Any, where: str) -> TypeError:
    return TypeError(f"{_quoted(data, where)}: expected a real number, got {type(data).__name__}")


def _quoted(data: Any, where: str) -> str:
    """What was given and where, as one would write it: Value('x'), Value.data = 'x', Value + 'x'."""
    if where.endswith(" ="):
        return f"{where} {short_repr(data)}"
    return f"{where}({short_repr(data)})" if where[0].isalpha() else f"Value {where} {short_repr(data)}"


def operand(symbol: str, other: Any) -> Any:
    """The other side of an operator as a float; None where its own type, an array's say, should answer."""
    kind = type(other)
    if kind is float:
        return other  # the object as it is: natively, a float would be made anew
    if kind is int:
        return number(other, symbol)
    try:
        return number(other, symbol)
    except TypeError:
        answers_itself = kind.__module__ != "builtins"
    if answers_itself:
        return None
    raise TypeError(f"{_quoted(other, symbol)}: expected a number or a Value, got {kind.__name__}")
