"""Say in a sentence what is in a picture, from its numbers, for those who do not see it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import one_line, plural
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import DUST, shorter

MOST = 6  # leaves of which a sentence tells
LONGEST = 40  # letters of a name


def graph_in_words(
    nodes: Sequence[Value],
    roots: Sequence[Value],
    names: Mapping[Value, str],
    grads: Mapping[Value, float] | None,
    dusty: Container[Value] = (),
) -> str:
    """A graph in a sentence: how large it is, its results, and their derivatives by its leaves, or these by themselves.

    Of many leaves the six with the largest derivatives are told.

    Args:
        nodes: all of the graph.
        roots: its results.
        names: what nodes are called; those without a name are not told, but for the results.
        grads: the derivatives; None where they are not known yet.
        dusty: nodes whose derivative is nothing but what rounding left.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> L = a * b
    >>> graph_in_words([a, b, L], [L], {a: "a", b: "b", L: "L"}, {L: 1.0, a: -3.0, b: 2.0})
    '3 nodes; L = -6, ∂L/∂a = -3, ∂L/∂b = 2'
    >>> graph_in_words([a, b, L], [L], {a: "a", b: "b"}, None)
    '3 nodes; the result = -6, from a = 2, b = -3'
    """
    called = Identities((node, one_line(names[node], LONGEST)) for node in nodes if names.get(node))
    results = [f"{called.get(root, 'the result')} = {shorter(root.data)}" for root in roots[:MOST]]
    leaves = [node for node in nodes if node.op is None and node in called and not any(node is root for root in roots)]
    if grads is None:
        told = [f"{called[leaf]} = {shorter(leaf.data)}" for leaf in leaves[:MOST]]
    else:
        strongest = sorted(leaves, key=lambda leaf: -abs(grads.get(leaf, 0.0)))[:MOST]
        chosen = Identities.fromkeys(leaves if len(leaves) <= MOST else strongest)
        of = called.get(roots[0], "") if len(roots) == 1 else ""
        told = [
            f"∂{of}/∂{called[leaf]} = {DUST if leaf in dusty else shorter(grads.get(leaf, 0.0))}"
            for leaf in leaves
            if leaf in chosen
        ]
    if len(leaves) > MOST:
        told.append(f"and {len(leaves) - MOST:,} leaves more")
    more = [f"and {len(roots) - MOST:,} results more"] if len(roots) > MOST else []
    head = f"{plural(len(nodes), 'node')}; {', '.join([*results, *more])}"
    return (
        ", ".join([f"{head}, from {told[0]}" if grads is None else f"{head}, {told[0]}", *told[1:]]) if told else head
    )


def numbers_in_words(thing: str, numbers: Sequence[float]) -> str:
    """Some numbers in words: how many, and from where to where they go.

    >>> numbers_in_words("weight", [0.5, -1.0, 0.25])
    '3 weights from -1 to 0.5'
    """
    if not numbers:
        return plural(0, thing)
    low, high = min(numbers), max(numbers)
    span = f" from {shorter(low)} to {shorter(high)}" if len(numbers) > 1 else f", {shorter(low)}"
    return plural(len(numbers), thing) + span
