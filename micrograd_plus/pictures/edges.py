"""Tell the number on each edge: the local derivative, or what the backward pass sent along it."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import reached, walk
from micrograd_plus.pictures.boxes import Edge

Numbers = dict[tuple[int, int], float]  # by a node's id, and the place of the argument


def numbers_on(edges: Sequence[Edge], kind: str, roots: Sequence[Value]) -> Numbers:
    """The numbers on edges between nodes that stand by themselves; there is none where a rule was set by hand.

    Args:
        edges: those of a picture.
        kind: "local", the derivative of the result by the argument; or "contribution", what went along the edge:
            upstream gradient times local derivative, and nothing from nodes to which no gradient came.
        roots: the results of the graph.
    """
    numbers: Numbers = {}
    # what lies only under a comparison is reached by nothing, so it has no part in this walk
    found = reached(roots, walk(*roots, flowing=True)[0]) if kind == "contribution" else set()
    for node in Identities.fromkeys([edge.node for edge in edges if edge.node is not None]):
        passes = bool(node.grad) or id(node) in found
        for place, (slope, stopped) in enumerate(slopes_of(node)):
            if kind == "local":
                number = slope
            else:
                number = 0.0 if stopped or not passes else None if slope is None else node.grad * slope
            if number is not None:
                numbers[id(node), place] = number
    return numbers


def slopes_of(node: Value) -> list[tuple[float | None, bool]]:
    """For each argument the local derivative, and whether a mask stops what flows back."""
    op, args = node.op, node.args
    if op is None or op.forward is None:
        return [(None, False) for _ in args]
    numbers = [arg.data if isinstance(arg, Value) else arg for arg in args]
    slopes: list[tuple[float | None, bool]] = []
    for arg, partial, mask in zip(args, op.partials, op.masks):
        if not isinstance(arg, Value) or partial is None:
            slopes.append((None, False))
            continue
        slope = float(partial(node.data, *numbers))
        stopped = mask is not None and not (slope if mask is partial else mask(node.data, *numbers))
        slopes.append((slope, stopped))
    return slopes
