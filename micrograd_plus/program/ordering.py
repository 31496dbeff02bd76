"""Which Values a function reaches, and in which order its parameters stand: that of its models."""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

FIRST = 100  # a list that begins with so many plain numbers holds no Values
_HOLDERS = (Module, Value, list, tuple)


def ordered(function: Callable[..., Any], leaves: Iterable[Value]) -> list[Value]:
    """The parameters among a graph's leaves, in the order of `model.parameters()` for the models the function uses.

    A model is one that the function reaches by its closure, its globals, its defaults or its `self`; what belongs to
    none follows in the order of first use.
    """
    left = {id(leaf): leaf for leaf in leaves}
    found: dict[int, Value] = {}
    for thing in _reached(function):
        parameters = thing.parameters() if isinstance(thing, Module) else [thing]
        if not left.keys().isdisjoint(map(id, parameters)):
            found |= {id(parameter): parameter for parameter in parameters}
    return list((found | left).values())


def reached(function: Callable[..., Any], among: Container[int]) -> list[int]:
    """The id() of each Value that the function reaches, by models or directly, if it is among these or a leaf."""
    things = [thing.parameters() if isinstance(thing, Module) else [thing] for thing in _reached(function)]
    return [id(value) for values in things for value in values if value.op is None or id(value) in among]


def _reached(function: Any) -> Iterator[Module | Value]:
    """The modules and Values that a function reaches, in the order of its names; models first."""
    loose: list[Value] = []
    stack, seen = deque([function]), set()
    while stack:
        thing = stack.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Module):
            yield thing
        elif isinstance(thing, Value):
            loose.append(thing)
        elif isinstance(thing, functools.partial):
            stack += [thing.func, *thing.args, *thing.keywords.values()]
        elif isinstance(thing, types.MethodType):
            stack += [thing.__self__, thing.__func__]
        elif isinstance(thing, types.FunctionType):
            names = [thing.__globals__.get(name) for code in codes(thing.__code__) for name in code.co_names]
            cells = [cell.cell_contents for cell in thing.__closure__ or () if filled(cell)]
            stack += [*cells, *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(), *names]
        elif isinstance(thing, (list, tuple)):
            if any(isinstance(part, _HOLDERS) for part in thing[:FIRST]):  # not examples
                stack += [part for part in thing if isinstance(part, _HOLDERS)]
        elif isinstance(thing, dict):
            stack += list(thing.values())
        elif callable(thing) and not isinstance(thing, type) and hasattr(thing, "__dict__"):
            stack += list(vars(thing).values())
    yield from loose


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - raises when empty
    except ValueError:
        return False
    return True
