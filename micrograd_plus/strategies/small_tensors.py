"""Draw small tensors of ordinary numbers, NumPy's, PyTorch's or JAX's, for tests of functions that take them."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from reprlib import repr as short_repr
from typing import Any, Literal, TypeAlias

import numpy as np
from hypothesis import strategies as st

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.scalars import number
from micrograd_plus.strategies.leaves import numbers

Shape: TypeAlias = tuple[int, ...]
PACKAGES = {"numpy": "numpy", "torch": "torch", "jax": "jax"}
DTYPES = ("float64", "float32")


def tensors(
    library: Literal["torch", "jax", "numpy"],
    shape: int | Shape | st.SearchStrategy[Shape] | None = None,
    *,
    min_value: float = -3.0,
    max_value: float = 3.0,
    dtype: Literal["float64", "float32"] | None = None,
    max_dims: int = 2,
    max_side: int = 3,
) -> st.SearchStrategy[Any]:
    """Small tensors with ordinary numbers, as `values()` draws them, for `check_grads` of functions that take such.

    They shrink to few numbers, and these to the likes of 0.0, 1.0 and 0.5, so that kinks and ties are met, too.

    Args:
        library: whose tensors: "torch", "jax" or "numpy".
        shape: of all of them, () for a single number; or a strategy for shapes, for instance one that tensors which go
            together share; None for any of up to `max_dims` axes.
        min_value: the smallest number that may occur.
        max_value: the largest.
        dtype: "float64" or "float32"; None for float64, in JAX only where it has such (`jax_enable_x64`).
        max_dims: how many axes at most, where the shape is drawn.
        max_side: how long one is at most.

    Returns:
        A strategy.

    Raises:
        ImportError: the library is not installed.
        TypeError: a bound is no number, or a size is no whole number.
        ValueError: the library or the dtype is unknown; a bound is not finite, or min_value is above max_value; a size
            is below 1; or float64 is asked of JAX, which was not told to have such.

    >>> from hypothesis import find
    >>> find(tensors("numpy", (2, 2)), lambda x: x.sum() > 1)
    array([[0., 0.],
           [0., 2.]])
    """
    make = _maker(library, dtype)
    low, high = number(min_value, "tensors: min_value ="), number(max_value, "tensors: max_value =")
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        told = f"tensors(min_value={min_value!r}, max_value={max_value!r})"
        raise ValueError(f"{told}: expected two finite numbers, the smaller one first")
    sides = st.integers(1, whole("tensors", "max_side", max_side))
    drawn = st.lists(sides, max_size=whole("tensors", "max_dims", max_dims, least=0)).map(tuple)
    shapes = drawn if shape is None else shape if isinstance(shape, st.SearchStrategy) else st.just(_checked(shape))
    return _tensors(shapes, numbers(low, high), make)


def _checked(shape: Any) -> Shape:
    """A shape of at least one number."""
    sides = shape if isinstance(shape, tuple) else (shape,)
    return tuple([whole("tensors", "shape", side, hint=", or a tuple of such") for side in sides])


def _maker(library: str, dtype: str | None) -> Callable[[Any], Any]:
    """What makes a tensor of an array."""
    if library not in PACKAGES:
        raise unknown("library", library, PACKAGES)
    if dtype not in (*DTYPES, None):
        raise ValueError(f"tensors(dtype={short_repr(dtype)}): expected 'float64', 'float32' or None")
    if find_spec(PACKAGES[library]) is None:
        raise ImportError(f"tensors({library!r}): it is not installed: pip install {PACKAGES[library]}")
    module = import_module(library)
    if library == "numpy":
        return lambda array: array.astype(dtype or "float64")
    if library == "torch":
        floats = getattr(module, dtype or "float64")
        return lambda array: module.tensor(array.tolist(), dtype=floats).reshape(array.shape)
    wide = bool(module.config.jax_enable_x64)
    if dtype == "float64" and not wide:
        way_out = "jax.config.update('jax_enable_x64', True) gives it such; dtype=None takes what it has"
        raise ValueError(f"tensors('jax', dtype='float64'): JAX has float32 alone; {way_out}")
    return lambda array: module.numpy.asarray(array, dtype=dtype or ("float64" if wide else "float32"))


@st.composite
def _tensors(
    draw: st.DrawFn,
    shapes: st.SearchStrategy[Shape],
    elements: st.SearchStrategy[float],
    make: Callable[[Any], Any],
) -> Any:
    shape = _checked(draw(shapes))
    count = math.prod(shape)
    return make(np.array(draw(st.lists(elements, min_size=count, max_size=count))).reshape(shape))
