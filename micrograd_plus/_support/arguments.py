"""Turn an argument into what it was meant to be, or into an error that quotes it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from operator import index
from random import Random
from reprlib import repr as short_repr
from typing import Any, SupportsIndex

Seed = int | Random | None  # a Random goes on where it stands; None is new every time


def whole(function: str, name: str, value: SupportsIndex, *, least: int = 1, hint: str = "") -> int:
    """The argument as a whole number of at least `least`.

    Raises:
        TypeError: it is no whole number (a bool is none).
        ValueError: it is too small.

    >>> whole("minibatches", "size", 32)
    32
    >>> whole("minibatches", "size", 0, hint=", or None for all")
    Traceback (most recent call last):
    ValueError: minibatches(size=0): expected a whole number of at least 1, or None for all
    """
    wanted = f"{function}({name}={short_repr(value)}): expected a whole number of at least {least}{hint}"
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{wanted}, got {type(value).__name__}") from None
    if isinstance(value, bool):
        raise TypeError(f"{wanted}, got bool")
    if number < least:
        raise ValueError(wanted)
    return number


def paired(function: str, x: Any, y: Any) -> int:
    """How many examples x and y hold together, one label each.

    Raises:
        TypeError: one of them has no length, or no order, as a set.
        ValueError: they differ in length, or are empty.

    >>> paired("minibatches", [[0.0], [1.0]], [0, 1])
    2
    """
    lengths = []
    for name, data in (("x", x), ("y", y)):
        try:
            lengths.append(len(data))
            ordered = not isinstance(data, (Set, Mapping))
        except TypeError:
            ordered = False
        if not ordered:
            kind = type(data).__name__
            raise TypeError(f"{function}({name}={short_repr(data)}): expected a list or an array, got {kind}")
    if lengths[0] != lengths[1]:
        raise ValueError(f"{function}: {lengths[0]} examples, but {lengths[1]} labels; expected one label an example")
    if not lengths[0]:
        raise ValueError(f"{function}: x and y are empty; expected at least one example")
    return lengths[0]


def masked(data: Any) -> bool:
    """Whether it is an array with a mask, under which stand numbers that are not meant; pandas' `.mask` is a method.

    >>> masked([1.0, 2.0])
    False
    """
    return hasattr(getattr(data, "mask", None), "dtype")


def by_place(data: Any) -> Any:
    """Data whose `[i]` is what stands at place i; of pandas' tables, where it is what is labelled i, the array.

    >>> by_place([0.0, 1.0])
    [0.0, 1.0]
    """
    return data.to_numpy() if hasattr(data, "iloc") else data


def generator(function: str, seed: Seed) -> Random:
    """The random numbers that a seed stands for; a `random.Random` stands for itself.

    Raises:
        TypeError: it is neither a whole number nor a `random.Random` nor None.

    >>> generator("minibatches", 7).random() == generator("minibatches", 7).random()
    True
    """
    if seed is None or isinstance(seed, Random):
        return seed or Random()
    try:
        return Random(index(seed))
    except TypeError:
        wanted = "a whole number, a random.Random, or None"
        raise TypeError(f"{function}(seed={short_repr(seed)}): expected {wanted}, got {type(seed).__name__}") from None
