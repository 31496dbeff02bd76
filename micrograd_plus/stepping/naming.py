"""What is each node of a backward pass called?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from micrograd_plus._support.identities import Identities, distinct
from micrograd_plus._support.texts import cut_inside
from micrograd_plus._support.unique import UniqueNames
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.naming import UsersNames, users_names
from micrograd_plus.nn import Module
from micrograd_plus.stepping.notation import local_formula


def node_names(root: Value, nodes: Sequence[Value], namespace: Mapping[str, Any]) -> Names:
    """Names for all nodes of a graph.

    Args:
        root: the loss.
        nodes: every node under it, arguments before results.
        namespace: the user's variables, by name.
    """
    users = users_names(nodes, namespace)
    names = Names(root, nodes, _outputs(nodes, users) | users.nodes)
    names.modules = users.modules
    return names


class Names(Identities[Value, str]):
    """What each node is called, no two alike.

    It is a dictionary by nodes: each has its label or the name of the caller's variable, else L, x1, x2, …, v1, v2, …
    It also keeps the derivatives that were written with these names, since each takes a graph of its own to write.

    Attributes:
        root: the loss.
        told: the nodes whose names are the user's, a set.
        modules: the user's, a list of pairs of a name and a module.

    >>> from micrograd_plus.stepping import backprop
    >>> x = Value(3.0)
    >>> backprop(x * (x + 1.0)).names[x]
    'x'
    """

    modules: Sequence[tuple[str, Module]] = ()  # an older pickle knows none

    def __init__(self, root: Value, nodes: Iterable[Value], known: Mapping[Value, str]) -> None:
        super().__init__()
        self.root = root
        unique = UniqueNames()
        everything = distinct([root, *nodes])
        self.told = Identities.fromkeys(known)  # whose names are the user's
        for node in everything:
            if node in known:
                name = _tidy(known[node])
                self[node] = name if unique.take(name) else unique.numbered(f"{name}_")
        for node in everything:
            if node not in known:
                free = node is root and unique.take("L")
                self[node] = "L" if free else unique.numbered("L_" if node is root else "v" if node.op else "x")

    @cached_property
    def _written(self) -> Identities[Value, dict[int, str]]:
        return Identities()

    def derivative(self, node: Value, place: int) -> str:
        """∂node/∂argument as text, from the rule of the node and the names of its arguments; "" for a constant.

        Args:
            node: one that an operation made.
            place: which of its arguments, counted from 0.

        Raises:
            TypeError: its rule was set by hand.

        >>> from micrograd_plus.stepping import backprop
        >>> x = Value(3.0)
        >>> loss = x * x
        >>> backprop(loss).names.derivative(loss, 0)
        'x'
        """
        written = self._written.setdefault(node, {})
        if place not in written:
            written[place] = local_formula(node, place, self)
        return written[place]


def _tidy(name: str) -> str:
    """A name on one line, and not too long."""
    name = " ".join(name.split()) or "?"
    name = "".join([letter if letter.isprintable() or letter == "\u200d" else "?" for letter in name])
    return cut_inside(name, 40)


def _outputs(nodes: Sequence[Value], users: UsersNames) -> Identities[Value, str]:
    """Names for what neurons put out, such as model.layers.0.neurons.3.out."""
    scoped = [node for node in nodes if node.scope is not None]
    paths: dict[int, str] = {}
    for top, module in users.modules if scoped else ():
        for path, part in module.named_modules():
            paths.setdefault(id(part), ".".join(filter(None, (top, path, "out"))))
    return Identities((node, paths[id(node.scope)]) for node in scoped if id(node.scope) in paths)
