"""Search the caller's variables for Values and modules: in lists, tuples, dicts, arrays, objects of their classes."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from micrograd_plus._support.texts import cut
from micrograd_plus.engine.anomalies import is_users
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
DEPTH = 3  # lists in lists in lists; each object that holds them may have as many
OBJECTS = 6  # in each other
PER_VARIABLE = 50_000  # things looked at in one of the caller's variables
IN_ALL = 500_000  # and in all of them: some tens of milliseconds
PLAIN = {float, int, str, bool, type(None)}
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
        left += yield from _search(variable, thing, budget)


def _search(variable: str, thing: Any, budget: int) -> Generator[tuple[str, Value | Module], None, int]:
    """What is held there, as deep as DEPTH and OBJECTS; `yield from` gives how much of the budget is left."""
    own = variable == "self" and hasattr(thing, "__dict__")  # the object whose method asks, whatever its class
    if isinstance(thing, (Value, Module)):
        yield variable, thing
        return budget
    stack = [(variable, thing, 0, 0)] if own or _is_searched(thing) else []
    seen: set[int] = set()
    while stack and budget > 0:
        path, thing, depth, objects = stack.pop()
        if id(thing) not in seen:
            seen.add(id(thing))
            if _is_container(thing):
                depth += 1
            else:
                depth, objects = 0, objects + 1
            if depth <= DEPTH and objects <= OBJECTS:
                parts, looked = _parts(path, thing, budget)
                budget -= looked
                deeper = []
                for name, part in parts:  # these first, before what lies deeper takes the budget
                    if isinstance(part, (Value, Module)):
                        yield name, part
                    else:
                        deeper.append((name, part, depth, objects))
                stack.extend(reversed(deeper))
    return budget


def _is_searched(thing: Any) -> bool:
    if type(thing) in PLAIN:
        return False
    return isinstance(thing, (Value, Module)) or _is_container(thing) or _is_users(type(thing))


def _is_container(thing: Any) -> bool:
    return isinstance(thing, (list, tuple, dict)) or _is_array(thing)


def _is_users(kind: type) -> bool:
    """Whether it is a class of the user's own: neither Python's, nor this package's, nor that of an installed one."""
    return not issubclass(kind, type) and is_users(str(kind.__module__))


def _attributes(thing: Any) -> dict[str, Any]:
    """What an object holds under names that do not begin with an underscore; none of its own code runs."""
    held: dict[str, Any] = {}
    for kind in reversed(type(thing).__mro__):
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            with suppress(AttributeError):  # a slot that is empty
                held[name] = object.__getattribute__(thing, name)
    with suppress(AttributeError):
        held |= object.__getattribute__(thing, "__dict__")
    return {name: part for name, part in held.items() if isinstance(name, str) and name[:1] != "_"}


def _is_array(thing: Any) -> bool:
    """Whether it is a NumPy array of objects; NumPy is not imported to find out."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(thing, numpy.ndarray) and thing.dtype == object


def _parts(path: str, thing: Any, budget: int) -> tuple[list[tuple[str, Any]], int]:
    """What a list, a dict, an array or an object holds that is worth a look, with its path; and how many it holds."""
    if isinstance(thing, dict):
        items = [(f"{path}[{cut(repr(key), 40)}]", part) for key, part in islice(thing.items(), budget)]
    elif _is_array(thing):
        flat = islice(zip(_indices(thing.shape), thing.flat), budget)
        items = [(f"{path}[{', '.join(map(str, index))}]", part) for index, part in flat]
    elif not isinstance(thing, (list, tuple)):
        items = [(f"{path}.{name}", part) for name, part in islice(_attributes(thing).items(), budget)]
    else:
        looked = thing[:budget]
        parts = [(i, part) for i, part in enumerate(looked) if _is_searched(part)]
        return [(f"{path}[{i}]", part) for i, part in parts], len(looked)
    return [(name, part) for name, part in items if _is_searched(part)], len(items)


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    import numpy as np

    return np.ndindex(*shape)
