"""Which Values a function reaches, and in which order its parameters stand: that of its models."""

from __future__ import annotations

import functools
import types
from collections import ChainMap, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_plus._support.identities import distinct
from micrograd_plus.engine.anomalies import is_users
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

THINGS = 5_000  # objects of the user's own classes that are looked into, at most
FIRST = 100  # a list that begins with so many plain numbers holds no Values
_HOLDERS = (Module, Value, list, tuple)


def held(function: Callable[..., Any]) -> list[list[Value]]:
    """The Values that a function reaches: the parameters of each model, then each other one by itself."""
    return [thing.parameters() if isinstance(thing, Module) else [thing] for _, thing in named(function)]


def ordered(models: Iterable[list[Value]], leaves: Iterable[Value]) -> list[Value]:
    """The parameters among a graph's leaves, in the order of `model.parameters()` for the models the function uses.

    A model is one that the function reaches by its closure, its globals, its defaults or its `self`, also in an object
    of the user's there, and `models` what `held` says of the function; what belongs to none follows in the order of
    first use.
    """
    leaves = list(leaves)
    wanted = set(map(id, leaves))
    found = distinct([value for values in models if not wanted.isdisjoint(map(id, values)) for value in values])
    left = wanted.difference(map(id, found))
    return [*found, *[leaf for leaf in leaves if id(leaf) in left]] if left else found


def identities(models: Iterable[list[Value]], among: Container[int]) -> list[int]:
    """The id() of each Value that a function reaches, by what `held` says of it, if it is among these or a leaf."""
    return [id(value) for values in models for value in values if value.op is None or id(value) in among]


def named(function: Any) -> Iterator[tuple[str, Module | Value]]:
    """The modules and Values that a function reaches, models first, each with the name that it has there.

    That is the one of a variable, `w.0.1` in nested lists; "" for the function itself, where it is a model.
    """
    loose: list[tuple[str, Value]] = []
    stack, seen, opened = deque([("", function)]), set(), 0
    while stack:
        name, thing = stack.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Module):
            yield name, thing
            stack += [(own, part) for own, part in _attributes(thing) if not isinstance(part, _HOLDERS)]
        elif isinstance(thing, Value):
            loose.append((name, thing))
        elif isinstance(thing, functools.partial):
            stack += [("", thing.func), *[("", arg) for arg in thing.args], *thing.keywords.items()]
        elif isinstance(thing, types.MethodType):
            stack += [("", thing.__self__), ("", thing.__func__)]
        elif isinstance(thing, types.FunctionType):
            stack += _variables(thing)
        elif isinstance(thing, type):
            stack += _of_class(thing) if is_users(thing.__module__) else []
        elif isinstance(thing, dict):
            stack += [(f"{name}.{key}", part) for key, part in thing.items()]
        elif (parts := _parts(thing)) is not None:
            if any(_holds(part) for part in parts[:FIRST]):  # not examples
                stack += [(f"{name}.{i}", part) for i, part in enumerate(parts) if _holds(part)]
        elif _is_open(thing) and opened < THINGS:
            opened += 1
            stack += _attributes(thing)
    yield from loose


def _parts(thing: Any) -> Sequence[Any] | None:
    """What a list holds, or what is like one: a tuple, a set, an array of objects; None for anything else."""
    if isinstance(thing, (list, tuple)):
        return thing
    if isinstance(thing, (set, frozenset, deque)):
        return list(thing)
    return thing.ravel().tolist() if isinstance(thing, np.ndarray) and thing.dtype.hasobject else None


def _holds(part: Any) -> bool:
    """Whether something in a list may be a Value, or hold some."""
    return isinstance(part, _HOLDERS) or _is_open(part)


def _is_open(thing: Any) -> bool:
    """Whether its attributes may be Values: an object of a class of the user's own, or one that is called."""
    if isinstance(thing, (type, types.ModuleType)):
        return False
    called = callable(thing) and hasattr(thing, "__dict__")
    return called or type(thing) is types.SimpleNamespace or is_users(type(thing).__module__)


def _attributes(thing: Any) -> list[tuple[str, Any]]:
    """The attributes of an object, and its class, in whose methods it may name more."""
    kinds = [kind for kind in type(thing).__mro__ if is_users(kind.__module__)]
    slots = [name for kind in kinds for name in _names(vars(kind).get("__slots__", ())) if hasattr(thing, name)]
    return [
        *getattr(thing, "__dict__", {}).items(),
        *[(name, getattr(thing, name)) for name in slots],
        ("", type(thing)),
    ]


def _of_class(kind: type) -> list[tuple[str, Any]]:
    """What a class has: attributes, the functions of its methods, and the classes that it comes from."""
    return [*[(name, _function(part)) for name, part in vars(kind).items()], *[("", base) for base in kind.__bases__]]


def _function(part: Any) -> Any:
    """The function of a static method, of a class's, or of a property; anything else is what it is."""
    if isinstance(part, (staticmethod, classmethod)):
        return part.__func__
    return part.fget if isinstance(part, property) else part


def _names(slots: Any) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)


def _variables(function: types.FunctionType) -> list[tuple[str, Any]]:
    """What a function can name without being given it: its closure, its defaults, its globals."""
    code = function.__code__
    defaults = function.__defaults__ or ()
    arguments = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    return [
        *closure(function).items(),
        *zip(arguments, defaults),
        *(function.__kwdefaults__ or {}).items(),
        *_global(function),
    ]


def _global(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The globals that it names, and what modules of the user's have by its names, those in its closure, too."""
    known = ChainMap(closure(function), function.__globals__)
    names = names_in(function.__code__)
    for name in names:
        thing = known.get(name)
        yield name, thing
        if isinstance(thing, types.ModuleType) and is_users(thing.__name__):
            yield from [(inside, vars(thing)[inside]) for inside in names if inside in vars(thing)]


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def names_in(code: types.CodeType) -> list[str]:
    """The names that code uses, of globals, attributes and what it has from where it was made."""
    return [name for inner in codes(code) for name in (*inner.co_names, *inner.co_freevars)]


def closure(function: types.FunctionType) -> dict[str, Any]:
    """What a function has from where it was made, by name."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    return {name: cell.cell_contents for name, cell in cells if _filled(cell)}


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - raises when empty
    except ValueError:
        return False
    return True
