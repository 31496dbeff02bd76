"""Break a formula into lines: what several places use, and what is too long for one line, gets a line of its own."""

from __future__ import annotations

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.graphs import Graph
from micrograd_plus.formulas.simplifying import Expression, simplify

LONGEST, DEPTH = 1_000, 40  # no line holds more operations, nor more of them inside each other


def break_into_lines(graph: Graph, limit: int) -> tuple[list[tuple[Value, Expression]], Expression]:
    """The parts that get a name, each before those that use it, and the whole.

    Args:
        graph: what is written.
        limit: how many operations may be written; a longer formula has shorter lines.
    """
    longest = min(limit if len(graph.order) <= limit else max(limit // 5, 4), LONGEST)
    parts: list[tuple[Value, Expression]] = []
    written = Identities((leaf, Expression(name=leaf)) for leaf in graph.leaves)
    written |= Identities((leaf, Expression(leaf.data)) for leaf in graph.constants)

    def name(node: Value) -> None:
        parts.append((node, written[node]))
        written[node] = Expression(name=node)

    for node in graph.order:
        args = [arg for arg in node.args if isinstance(arg, Value)]
        for arg in Identities.fromkeys(args):
            if written[arg].depth >= DEPTH:
                name(arg)
        while sum(written[arg].size for arg in args) >= longest:
            largest = max(args, key=lambda arg: written[arg].size)
            if not written[largest].size:
                break
            name(largest)
        given = [written[arg] if isinstance(arg, Value) else Expression(arg) for arg in node.args]
        written[node] = simplify(node, given)
        if graph.uses.get(node, 0) > 1 and not written[node].is_short:
            name(node)
    return _used(parts, written[graph.root]), written[graph.root]


def _used(parts: list[tuple[Value, Expression]], whole: Expression) -> list[tuple[Value, Expression]]:
    """The parts that the whole needs, directly or through others: x**0 is written as 1, without x."""
    used = Identities.fromkeys(whole.names())
    for node, part in reversed(parts):
        if node in used:
            used |= Identities.fromkeys(part.names())
    return [(node, part) for node, part in parts if node in used]


def lines_that_fit(sizes: list[int], budget: int) -> set[int]:
    """Which lines are written: all, or as many of the first and the last as the budget allows.

    >>> sorted(lines_that_fit([5, 5, 5, 5, 5], 16))
    [0, 3, 4]
    """
    kept: set[int] = set()
    low, high = 0, len(sizes) - 1
    while low <= high:
        place = high if len(kept) % 2 == 0 else low
        budget -= sizes[place]
        if budget < 0:
            break
        kept.add(place)
        low, high = (low, high - 1) if place == high else (low + 1, high)
    return kept
