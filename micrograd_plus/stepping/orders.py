"""In which order may the nodes of a graph pass their gradients on, right or wrong?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from reprlib import repr as short_repr

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value

ORDERS = ("depth-first", "breadth-first", "arguments-first")


def ordered(order: str | Iterable[Value], nodes: Sequence[Value], flowing: Sequence[Value]) -> Sequence[Value]:
    """The nodes with a rule in the order that was asked for.

    Args:
        order: one of `ORDERS`, or a list of nodes.
        nodes: every node of the graph, arguments before results; the loss is the last.
        flowing: those of them that pass a gradient on, arguments before results.

    Raises:
        TypeError: the order is neither a word nor a list.
        ValueError: it is an unknown word, or it lists a node twice or one that is not in the graph.
    """
    if isinstance(order, str):
        if order not in ORDERS:
            raise unknown("order", order, ORDERS)
        return flowing if order == "arguments-first" else _searched(nodes[-1], deep=order == "depth-first")
    passing = Identities.fromkeys(flowing)
    return [node for node in _listed(order, nodes) if node in passing]


def _listed(order: Iterable[Value], graph: Sequence[Value]) -> list[Value]:
    """The nodes that the user lists; an error where these are not nodes of the graph, each once at most."""
    try:
        nodes = list(order)
    except TypeError:
        wanted = f"expected one of {', '.join(map(repr, ORDERS))}, or a list of nodes"
        raise TypeError(f"backprop(order={short_repr(order)}): {wanted}") from None
    known = Identities.fromkeys(graph)
    seen: Identities[Value, None] = Identities()
    for node in nodes:
        if not isinstance(node, Value) or node not in known:
            raise ValueError(f"backprop(order=…): {short_repr(node)} is not in the graph; list nodes under the loss")
        if node in seen:
            raise ValueError(f"backprop(order=…): {node!r} is listed twice; each rule is applied once")
        seen[node] = None
    return nodes


def _searched(root: Value, *, deep: bool) -> list[Value]:
    """The nodes in the order in which a search meets them."""
    found: Identities[Value, None] = Identities()
    waiting = deque([root])
    while waiting:
        node = waiting.pop() if deep else waiting.popleft()
        if node not in found and node.op is not None:
            found[node] = None
            args = [arg for arg in node.args if isinstance(arg, Value) and not node.op.flat]
            waiting.extend(reversed(args) if deep else args)
    return list(found)
