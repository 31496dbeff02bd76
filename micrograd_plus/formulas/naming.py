"""Find out what the user calls each node: by its label, its place in a module or a list, or a variable.

>>> from micrograd_plus import Value
>>> weights = [Value(2.0), Value(3.0)]
>>> total = weights[0] * weights[1]
>>> list(names([total], {"weights": weights, "total": total}).values())
['weights[0]', 'weights[1]', 'total']
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, islice
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
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


def names(roots: Iterable[Value], namespace: Mapping[str, Any] | None = None) -> Identities[Value, str]:
    """What to call the nodes under the roots, those that have a name; no two of them alike.

    A node's label comes first. Else it is its place among the parameters of a module that one of the variables holds,
    as `model.layers.0.neurons.3.w.5`, or that a neuron's output remembers. Else it is the variable that holds it, or
    its place in a list, a tuple, a dict or an array, as `xs[2]`: the one defined first. Names that begin with an
    underscore do not count.

    Args:
        roots: the results whose graph is to be named.
        namespace: the variables, by name, such as `globals()` or what `callers_namespace()` returns.

    Returns:
        A name for each node that has one, in the order of the graph.
    """
    nodes = under(roots)
    wanted = Identities.fromkeys(nodes)
    found = list(_found(namespace or {}))
    given: Identities[Value, str] = Identities()
    for path, module in _tops(nodes, found):
        for name, parameter in islice(module.named_parameters(), IN_ALL):
            if parameter in wanted:
                given.setdefault(parameter, f"{path}.{name}")
    for path, thing in found:
        if isinstance(thing, Value) and thing in wanted:
            given.setdefault(thing, path)
    labels = Identities(
        (node, node.label) for node in nodes if node.label
    )  # they keep their name where a variable has it too
    distinct = _distinct(labels | Identities((node, name) for node, name in given.items() if node not in labels))
    return Identities((node, distinct[node]) for node in nodes if node in distinct)


def named_modules(nodes: Iterable[Value], namespace: Mapping[str, Any] | None = None) -> list[tuple[str, Module]]:
    """The modules at the top: those that the variables hold, by name, then those that only the nodes remember.

    >>> from micrograd_plus import MLP
    >>> model = MLP(2, [3, 1])
    >>> [name for name, _ in named_modules([], {"model": model, "first": model.layers[0]})]
    ['model', 'first']
    """
    return _tops(nodes, _found(namespace or {}))


def _tops(nodes: Iterable[Value], found: Iterable[tuple[str, Value | Module]]) -> list[tuple[str, Module]]:
    tops = [(path, thing) for path, thing in found if isinstance(thing, Module)]
    known = {id(part) for _, top in tops for _, part in islice(top.named_modules(), IN_ALL)}
    scopes = {id(node.scope): node.scope for node in nodes if isinstance(node.scope, Module)}
    strays = [scope for key, scope in scopes.items() if key not in known]
    taken = {path for path, _ in tops}
    stems = (type(strays[0]).__name__.lower() + str(number) for number in count(1)) if strays else iter(())
    free = (stem for stem in stems if stem not in taken)
    return tops + list(zip(free, strays))


def under(roots: Iterable[Value]) -> list[Value]:
    """Every node under the roots once, arguments before results; the leaves first, as in `toposort`."""
    roots = list(roots)
    order, _ = walk(*roots)
    leaves = [arg for node in order for arg in node.args if isinstance(arg, Value) and arg.op is None]
    leaves += [root for root in roots if root.op is None]
    return [*Identities.fromkeys(leaves), *order]


def _found(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Value | Module]]:
    """The Values and the modules in the variables, in the order in which these were defined."""
    left = IN_ALL
    for variable, held in list(namespace.items()):
        if variable[:1] == "_" or not variable.isidentifier() or variable in IPYTHON or left <= 0:
            continue
        if _is_searched(held):
            stack: list[tuple[str, Any, int]] = [(variable, held, 0)]
        elif variable == "self" and hasattr(held, "__dict__"):  # the object whose method draws
            stack = [(f"self.{name}", part, 0) for name, part in reversed(vars(held).items()) if _is_searched(part)]
        else:
            continue
        budget = min(left, PER_VARIABLE)
        left -= budget
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
        left += budget


def _is_searched(thing: Any) -> bool:
    return isinstance(thing, (Value, Module, list, tuple, dict)) or _is_array(thing)


def _is_array(thing: Any) -> bool:
    """Whether it is a NumPy array of objects; NumPy is not imported to find out."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(thing, numpy.ndarray) and thing.dtype == object


def _parts(path: str, thing: Any, budget: int) -> tuple[list[tuple[str, Any]], int]:
    """What a list, a dict or an array holds that is worth a look, with its path; and at how many things one looked."""
    if isinstance(thing, dict):
        items = list(islice(((f"{path}[{_short(key)}]", part) for key, part in thing.items()), budget))
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


def _short(key: object) -> str:
    text = repr(key)
    return text if len(text) <= 40 else text[:39] + "…"


def _distinct(given: Identities[Value, str]) -> Identities[Value, str]:
    """The same names; where several nodes bear one, the others get a number."""
    taken = set(given.values())
    used: set[str] = set()
    last: dict[str, int] = {}
    for node, name in given.items():
        unique = name
        while unique in used or (unique is not name and unique in taken):
            last[name] = last.get(name, 1) + 1
            unique = f"{name}_{last[name]}"
        used.add(unique)
        given[node] = unique
    return given
