"""Search the caller's variables for Values and modules: in lists, tuples, dicts and arrays, too."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Mapping
from itertools import islice
from typing import Any

from micrograd_plus._support.texts import cut
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
DEPTH = 3  # lists in lists in lists
PER_VARIABLE = 50_000  # things looked at in one of the caller's variables
IN_ALL = 500_000  # and in all of them: some tens of milliseconds
IPYTHON = {"In", "Out", "exit", "quit", "get_ipython"}  # they hold what was shown, not what was named


def callers_namespace() -> dict[str, Any]:
    """What the user's code sees: the locals, then the globals, of the innermost frame outside this package.

    >>> from micrograd_plus import Value
    >>> speed = Value(1.0)
    >>> callers_namespace()["speed"] is speed
    True
    """
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    inner: dict[str, Any] = {}
    while frame.f_code.co_name.startswith("<") and frame.f_code.co_name != "<module>" and frame.f_back is not None:
        if frame.f_back.f_globals is not frame.f_globals:
            break  # a lambda that is called from elsewhere
        inner = frame.f_locals | inner
        frame = frame.f_back  # a comprehension or a lambda sees the variables of its function
    seen = frame.f_locals | inner  # in the order of the function's
    return seen | {name: thing for name, thing in frame.f_globals.items() if name not in seen}


def values_and_modules(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Value | Module]]:
    """The Values and the modules in the variables, each with its path, in the order in which these were defined.

    >>> from micrograd_plus import Value
    >>> [path for path, _ in values_and_modules({"x": Value(1.0), "ys": [Value(2.0), {"k": Value(3.0)}], "n": 5})]
    ['x', 'ys[0]', "ys[1]['k']"]
    """
    left = IN_ALL
    for variable, thing in list(namespace.items()):
        if variable[:1] == "_" or not variable.isidentifier() or variable in IPYTHON or left <= 0:
            continue
        budget = min(left, PER_VARIABLE)
        left -= budget
        left += yield from _search(_starts(variable, thing), budget)


def _starts(variable: str, thing: Any) -> list[tuple[str, Any]]:
    """Where the search in a variable begins: the variable, or the attributes of the object whose method draws."""
    if _is_searched(thing):
        return [(variable, thing)]
    if variable == "self" and hasattr(thing, "__dict__"):
        return [(f"self.{name}", part) for name, part in vars(thing).items() if _is_searched(part)]
    return []


def _search(starts: list[tuple[str, Any]], budget: int) -> Generator[tuple[str, Value | Module], None, int]:
    """What is held there, as deep as DEPTH; `yield from` gives how much of the budget is left."""
    stack = [(path, thing, 0) for path, thing in reversed(starts)]
    seen: set[int] = set()
    while stack and budget > 0:
        path, thing, depth = stack.pop()
        if isinstance(thing, (Value, Module)):
            yield path, thing
        elif depth < DEPTH and id(thing) not in seen:
            seen.add(id(thing))
            parts, looked = _parts(path, thing, budget)
            budget -= looked
            stack.extend([(name, part, depth + 1) for name, part in reversed(parts)])
    return budget


def _is_searched(thing: Any) -> bool:
    return isinstance(thing, (Value, Module, list, tuple, dict)) or _is_array(thing)


def _is_array(thing: Any) -> bool:
    """Whether it is a NumPy array of objects; NumPy is not imported to find out."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(thing, numpy.ndarray) and thing.dtype == object


def _parts(path: str, thing: Any, budget: int) -> tuple[list[tuple[str, Any]], int]:
    """What a list, a dict or an array holds that is worth a look, with its path; and at how many things one looked."""
    if isinstance(thing, dict):
        items = [(f"{path}[{cut(repr(key), 40)}]", part) for key, part in islice(thing.items(), budget)]
    elif _is_array(thing):
        flat = islice(zip(_indices(thing.shape), thing.flat), budget)
        items = [(f"{path}[{', '.join(map(str, index))}]", part) for index, part in flat]
    else:
        looked = thing[:budget]
        parts = [(i, part) for i, part in enumerate(looked) if type(part) is not float and _is_searched(part)]
        return [(f"{path}[{i}]", part) for i, part in parts], len(looked)
    return [(name, part) for name, part in items if _is_searched(part)], len(items)


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    import numpy as np

    return np.ndindex(*shape)
