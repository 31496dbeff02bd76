"""Break a formula into lines: what several places use, and what is too long for one line, gets a line of its own."""

from __future__ import annotations

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import Expression
from micrograd_plus.formulas.graphs import Graph
from micrograd_plus.formulas.signs import conditions_of, is_comparison
from micrograd_plus.formulas.simplifying import in_cases, replaced, simplify

INLINE = 3  # operations of a mask, or of what one asks about, that is written out again
FEW = 20  # lines among which that is done
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
        if node.op in (TABLE["less"], TABLE["less_equal"], TABLE["equal"]):
            for arg in Identities.fromkeys(args):  # so that the comparison is short, and written where it is used
                if written[arg].size >= INLINE:
                    name(arg)
        given = [written[arg] if isinstance(arg, Value) else Expression(arg) for arg in node.args]
        written[node] = simplify(node, given)
        if graph.uses.get(node, 0) > 1 and not written[node].is_short and not _is_mask(written[node]):
            name(node)
    parts = [(node, in_cases(part)) for node, part in parts]
    return _written_out(_used(parts, whole := in_cases(written[graph.root])), whole)


def _is_mask(expression: Expression) -> bool:
    """Whether it is written wherever it is used, so that what is known where it holds is seen."""
    return expression.body.size <= INLINE and bool(conditions_of(expression.body))


def _written_out(
    parts: list[tuple[Value, Expression]], whole: Expression
) -> tuple[list[tuple[Value, Expression]], Expression]:
    """The lines without the names of what stands once in a condition and once beside it: it is written in both places.

    As books do: 2 (w x + b) where w x + b > 0. What bears a label keeps it; in many lines nothing is written twice.
    """
    if len(parts) > FEW:
        return parts, whole
    kept: list[tuple[Value, Expression]] = []
    left = list(parts)
    while left:
        node, part = left.pop(0)
        beside, within = map(sum, zip(*[_uses(node, each) for each in (whole, *[later for _, later in left])]))
        if node.label or within != 1 or beside > 1 or (beside and part.size > INLINE):
            kept.append((node, part))
            continue

        def stands_for(each: Expression, node: Value = node, part: Expression = part) -> Expression | None:
            return part if each.name is node else None

        left = [(other, in_cases(replaced(each, stands_for))) for other, each in left]
        whole = in_cases(replaced(whole, stands_for))
    return kept, whole


def _uses(node: Value, expression: Expression) -> tuple[int, int]:
    """How often a node's name stands beside comparisons, and in them."""
    counts = [0, 0]
    stack = [(expression, False)]
    while stack:
        part, within = stack.pop()
        counts[within] += part.name is node
        stack += [(arg, within or is_comparison(part)) for arg in part.args]
    return counts[0], counts[1]


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
