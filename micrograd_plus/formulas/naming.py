"""Find out what the user calls each node: by its label, its place in a module or a list, or a variable.

>>> from micrograd_plus import Value
>>> weights = [Value(2.0), Value(3.0)]
>>> total = weights[0] * weights[1]
>>> found = users_names(under([total]), {"weights": weights, "total": total})
>>> list(found.nodes.values())
['weights[0]', 'weights[1]', 'total']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.unique import UniqueNames
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.formulas.variables import IN_ALL, values_and_modules
from micrograd_plus.nn import Module


class UsersNames(NamedTuple):
    """What the user calls the nodes of a graph, and the modules that they belong to.

    Attributes:
        nodes: a name for each node that has one, in the order of the graph; no two of them alike.
        modules: those at the top, by name: first those that the variables hold, then those that only the nodes know.
    """

    nodes: Identities[Value, str]
    modules: list[tuple[str, Module]]


def under(roots: Iterable[Value]) -> list[Value]:
    """Every node under the roots once, arguments before results; the leaves first, as in `toposort`."""
    roots = list(roots)
    order, _ = walk(*roots)
    leaves = [arg for node in order for arg in node.args if isinstance(arg, Value) and arg.op is None]
    leaves += [root for root in roots if root.op is None]
    return [*Identities.fromkeys(leaves), *order]


def users_names(nodes: Sequence[Value], namespace: Mapping[str, Any] | None = None) -> UsersNames:
    """What the user calls these nodes, and their modules.

    A node's label comes first. Else it is its place among the parameters of a module that one of the variables holds,
    as `model.layers.0.neurons.3.w.5`, or that a neuron's output remembers. Else it is the variable that holds it, or
    its place in a list, a tuple, a dict, an array or an object of the user's own classes, as `xs[2]` or `neuron.w[2]`:
    the one defined first. Names that begin with an underscore do not count.

    Args:
        nodes: those of a graph, arguments before results.
        namespace: the variables, by name, such as `globals()` or what `callers_namespace()` returns.

    >>> from micrograd_plus import MLP
    >>> model = MLP(2, [3, 1])
    >>> [name for name, _ in users_names([], {"model": model, "first": model.layers[0]}).modules]
    ['model', 'first']
    """
    found = list(values_and_modules(namespace or {}))
    modules = _modules(nodes, [(path, thing) for path, thing in found if isinstance(thing, Module)])
    wanted = Identities.fromkeys(nodes)
    given = Identities((node, node.label) for node in nodes if node.label)  # a label counts more than a variable
    for path, module in modules:
        for name, parameter in islice(module.named_parameters(), IN_ALL):
            if parameter in wanted:
                given.setdefault(parameter, f"{path}.{name}")
    for path, thing in found:
        if isinstance(thing, Value) and thing in wanted:
            given.setdefault(thing, path)
    distinct = _distinct(given)
    return UsersNames(Identities((node, distinct[node]) for node in nodes if node in distinct), modules)


def _modules(nodes: Iterable[Value], held: list[tuple[str, Module]]) -> list[tuple[str, Module]]:
    """The modules that variables hold, and those that no variable holds, but the output of one of their neurons."""
    known = {id(part) for _, top in held for _, part in islice(top.named_modules(), IN_ALL)}
    scopes = {id(node.scope): node.scope for node in nodes if isinstance(node.scope, Module)}
    strays = [scope for key, scope in scopes.items() if key not in known]
    unique = UniqueNames([path for path, _ in held])
    return held + [(unique.numbered(type(strays[0]).__name__.lower()), stray) for stray in strays]


def _distinct(given: Identities[Value, str]) -> Identities[Value, str]:
    """The same names; where several nodes bear one, all but the first get a number."""
    unique = UniqueNames(given.values())
    used: set[str] = set()
    distinct: Identities[Value, str] = Identities()
    for node, name in given.items():
        distinct[node] = unique.numbered(f"{name}_", first=2) if name in used else name
        used.add(name)
    return distinct
