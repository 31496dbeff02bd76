"""Gather what a formula is written of: a graph's operations, its leaves, and what stands for nothing but a number."""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import repr as short_repr

from micrograd_plus._support.identities import Identities
from micrograd_plus.calculus import gradient
from micrograd_plus.engine.operations import refused
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.naming import under


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of a value v, or that of a derivative of v.

    Attributes:
        root: v, or the derivative.
        order: what operations made, arguments before results.
        leaves: those that have a name, in the order of their first use.
        named: the leaves of v first, then the others: so they bear the same names in v's formula and in derivatives.
        nodes: all that is under v, for the names.
        constants: leaves that stand for nothing but their number.
        uses: how often each node is an argument.
    """

    root: Value
    order: list[Value]
    leaves: list[Value]
    named: list[Value]
    nodes: list[Value]
    constants: Identities[Value, None]
    uses: Identities[Value, int]


def graph_of(function: str, v: Value, wrt: Value | None = None) -> Graph:
    """The graph of v, or that of its derivative by `wrt`.

    Args:
        function: who asks, for the errors.
        v: the root of a graph.
        wrt: None, or by what v is differentiated.

    Raises:
        TypeError: one of them is no Value, or a rule in the graph was set by hand.
    """
    for given in (v,) if wrt is None else (v, wrt):
        if not isinstance(given, Value):
            raise TypeError(f"{function}({short_repr(given)}): expected a Value, got {type(given).__name__}")
    nodes, root = under([v]), v
    order = _checked(function, nodes)
    first = leaves = _leaves(v)
    if wrt is not None:
        slope = gradient(v, [wrt], create_graph=True)[0]
        root = slope if isinstance(slope, Value) else Value(slope)
        order, leaves = _checked(function, under([root])), _leaves(root)
    known = Identities.fromkeys(first)
    constants = Identities.fromkeys([x for x in leaves if not x.label and (x not in known or x is root)])
    shown = [leaf for leaf in leaves if leaf not in constants]
    named = first + [leaf for leaf in shown if leaf not in known]
    return Graph(root, order, shown, named, nodes, constants, _uses(order))


def _checked(function: str, nodes: list[Value]) -> list[Value]:
    """Those of the nodes that operations made, unless the rule of one is known to nobody but its maker."""
    order = [node for node in nodes if node.op is not None]
    for node in order:
        if node.op is None or node.op.forward is None:
            raise refused(node, f"{function} can write only what stands in the table; make it with mp.primitive")
    return order


def _leaves(root: Value) -> list[Value]:
    """The leaves under root as one meets them reading from left to right."""
    leaves: list[Value] = []
    seen: Identities[Value, None] = Identities()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend([arg for arg in reversed(node.args) if isinstance(arg, Value)])
            if node.op is None:
                leaves.append(node)
    return leaves


def _uses(order: list[Value]) -> Identities[Value, int]:
    uses: Identities[Value, int] = Identities()
    for arg in [arg for node in order for arg in node.args if isinstance(arg, Value)]:
        uses[arg] = uses.get(arg, 0) + 1
    return uses
