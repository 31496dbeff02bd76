"""Numbers in nested lists, tuples, dicts, arrays and modules: take them out, put others in their places."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module


def leaves(tree: Any, where: str = "leaves") -> list[Any]:
    """The numbers of a nest, in order: Values as they are, others as floats; of a module its parameters.

    Raises:
        TypeError: something in it is neither a number nor a nest.

    >>> leaves({"w": [1, 2], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    return replaced(tree, lambda number: number, where)[1]


def replaced(tree: Any, make: Callable[[Any], Any], where: str = "replaced") -> tuple[Any, list[Any]]:
    """The nest with something made of each of its numbers, and these alone in order.

    Modules stay what they are, and of them it gives the parameters.

    >>> replaced({"w": [1, 2], "b": (3.0,)}, lambda x: 10.0 * x)
    ({'w': [10.0, 20.0], 'b': (30.0,)}, [10.0, 20.0, 30.0])
    """
    found: list[Any] = []

    def copied(part: Any) -> Any:
        if type(part) is float or isinstance(part, Value):
            found.append(make(part))
            return found[-1]
        if isinstance(part, Module):
            found.extend(part.parameters())
            return part
        parts = _parts(part)
        if parts is None:
            return copied(_number(part, where))
        return _like(part, [copied(each) for each in parts])

    return copied(tree), found


def rebuilt(tree: Any, numbers: Iterator[Any]) -> Any:
    """A nest of the same shape, with other numbers in the places of its own.

    In the place of a module stands a dict, from the name of each parameter to its number.

    >>> rebuilt({"w": [1, 2], "b": (3.0,)}, iter("xyz"))
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    if type(tree) is float or isinstance(tree, Value):
        return next(numbers)
    if isinstance(tree, Module):
        return {name: next(numbers) for name, _ in tree.named_parameters()}
    parts = _parts(tree)
    return next(numbers) if parts is None else _like(tree, [rebuilt(part, numbers) for part in parts])


def matched(tree: Any, other: Any, where: str = "matched") -> list[Any]:
    """The numbers of another nest, in the order of the places that they have in the first.

    A dict has the same keys in both, in any order; a list, tuple or array as many parts. For a module stand numbers, in
    a list or in a dict by the names of its parameters.

    Raises:
        TypeError: something in it is neither a number nor a nest.
        ValueError: it is not nested as the first.

    >>> matched({"w": [1.0, 2.0], "b": 3.0}, {"b": 6.0, "w": (4.0, 5.0)})
    [4.0, 5.0, 6.0]
    """
    if isinstance(tree, Module):
        names = [name for name, _ in tree.named_parameters()]
        tree = dict.fromkeys(names, 0.0) if isinstance(other, Mapping) else [0.0] * len(names)
        other = other if isinstance(other, Mapping) else leaves(other, where)
    if isinstance(tree, Mapping):
        if not isinstance(other, Mapping) or other.keys() != tree.keys():
            got = f"the keys {short_repr(list(other))}" if isinstance(other, Mapping) else short_repr(other)
            wanted = f"expected a dict with the keys {short_repr(list(tree))}"
            raise ValueError(f"{where}: {got}; {wanted}, nested as the argument")
        pairs = [(part, other[key]) for key, part in tree.items()]
    else:
        here, there = _rows(tree), _rows(other)
        if here is None and there is None:
            return leaves(other, where)
        if here is None or there is None or len(here) != len(there):
            wanted = "a number" if here is None else f"a list of {len(here)}"
            raise ValueError(f"{where}: {short_repr(other)}; expected {wanted} in this place, nested as the argument")
        pairs = list(zip(here, there))
    return [number for part, same in pairs for number in matched(part, same, where)]


def _rows(tree: Any) -> list[Any] | None:
    """The parts of a list, tuple or array, along its first axis; None for anything else."""
    nested = isinstance(tree, (list, tuple)) or getattr(tree, "shape", ()) != ()
    return list(tree) if nested else None


def _like(tree: Any, parts: list[Any]) -> Any:
    """A container of the tree's kind that holds these parts."""
    if isinstance(tree, Mapping):
        return dict(zip(tree, parts))
    if isinstance(tree, list):
        return parts
    if isinstance(tree, tuple):
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    import numpy as np

    if parts and all(isinstance(part, np.ndarray) for part in parts):  # an array in each place of an array
        return np.stack(parts).reshape(tree.shape + parts[0].shape)
    array = np.empty(tree.shape, dtype=float if all(type(part) is float for part in parts) else object)
    for place, part in zip(np.ndindex(tree.shape), parts):
        array[place] = part
    return array


def _number(data: Any, where: str) -> float:
    try:
        return number(data, where)
    except TypeError:
        wanted = "expected a number, a Value, a list, tuple, dict or array of them, or a module"
        raise TypeError(f"{where}: {short_repr(data)} ({type(data).__name__}); {wanted}") from None


def _parts(tree: Any) -> list[Any] | None:
    """The parts of a container; None for something that is no container."""
    if isinstance(tree, Mapping):
        return list(tree.values())
    if isinstance(tree, (list, tuple)):
        return list(tree)
    np = sys.modules.get("numpy")
    if np is None or not isinstance(tree, np.ndarray) or not tree.ndim:
        return None
    if type(tree).__mul__ is not np.ndarray.__mul__:  # a matrix, or one with a mask
        kind = type(tree).__name__
        raise TypeError(f"a {kind}: its arithmetic is its own; expected a plain array, as np.asarray(...) makes it")
    return list(tree.flat)
