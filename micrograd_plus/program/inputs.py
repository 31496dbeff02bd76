"""What a compiled program is given, as arrays of its floats; what has another shape or kind is refused, and quoted."""

from __future__ import annotations

from math import prod
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.arguments import by_place, masked
from micrograd_plus.program.tracing import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]


def cast(given: Floats, dtype: Any) -> Floats:
    """The same numbers in a program's floats; what is too large for them is infinite."""
    if given.dtype == dtype:
        return given
    with np.errstate(over="ignore"):
        return given.astype(dtype)


def examples(program: object, name: str, data: Any, shape: Shape, dtype: Any) -> Floats:
    """The examples as rows of floats.

    Args:
        program: told in errors.
        name: what the data are called there.
        data: the examples.
        shape: of each.
        dtype: the program's floats.

    Raises:
        TypeError: they are no plain numbers.
        ValueError: there are none, or they are of another shape.
    """
    given = numbers(program, name, data, shape)
    if given.ndim and not len(given):
        raise ValueError(f"{program!r}: {name} is empty; expected at least one example")
    if given.shape[1:] != shape or given.ndim == 0:
        hint = "; a single example goes into a list, [x]" if given.shape == shape else ""
        expected = f"expected {('examples', *shape)}".replace("'", "")
        raise ValueError(f"{program!r}: {name} of shape {given.shape}; {expected}{hint}")
    given = cast(given, dtype)
    return given if given.ndim == 2 else given.reshape(len(given), -1)


def numbers(program: object, name: str, data: Any, shape: Shape) -> Floats:
    """Whatever NumPy makes an array of, if it is one of plain numbers."""
    data = by_place(data)
    if type(data) is np.ndarray:
        given = data
    else:
        try:
            given = np.asarray(data)
        except ValueError:
            count = f"{prod(shape)} numbers" if shape else "one number"
            uneven = f"{program!r}: {name} {short_repr(data)} is uneven; expected {count} in each example"
            raise ValueError(uneven) from None
    if given.dtype.kind not in "fiub" or masked(data):
        got = "a masked array" if masked(data) else f"an array of {given.dtype}"
        raise TypeError(f"{program!r}: {name} {short_repr(data)}; expected plain numbers, got {got}")
    return given
