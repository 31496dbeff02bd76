"""What does the page compute a folded graph from, when a leaf changes? All operations and leaves, in few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.stepping.page.levels import Excerpt
from micrograd_plus.stepping.page.numbers import written
from micrograd_plus.stepping.passes import Pass

LARGEST = 50_000  # nodes: a browser computes as many anew in half a second
KEPT = 5_000  # nodes of a graph of which a notebook keeps as much: of 40,000 it would be 200 kB


def whole(taken: Pass, known: Excerpt, *, bare: bool = False) -> dict[str, Any] | None:
    """What script/whole.js reads; None where it cannot be: the graph is too large, or not all passes on in turn.

    Args:
        taken: the pass.
        known: what the page knows of it besides.
        bare: whether bytes count.

    Returns:
        ops: each operation, with how many arguments it has.
        code: for each node -1, a leaf, or the place of its operation and, of each argument, how many nodes before it it
            stands, 0 for a number.
        numbers: those of the arguments that are such.
        data: what stands in the leaves.
        leaves: what these are called.
        order: in which order nodes pass on their gradients.
        at: of each node that the page knows, its place.
        steps: of each step that the page knows, its place.
    """
    nodes = taken.nodes
    if len(nodes) > (KEPT if bare else LARGEST):
        return None
    number = Identities((node, i) for i, node in enumerate(nodes))
    order = [number[node] for node in taken.order if node.op is not None]
    if [(step.node, step.place) for step in taken.steps[1:]] != list(_uses([nodes[i] for i in order])):
        return None
    leaves = [node for node in nodes if node.op is None]
    place = {id(step): k for k, step in enumerate(taken.steps)}
    return {
        **_code(nodes, number),
        "data": [written(leaf.data) for leaf in leaves],
        "leaves": [taken.names[leaf] for leaf in leaves],
        "order": [] if order == [i for i in reversed(range(len(nodes))) if nodes[i].op is not None] else order,
        "at": [number[node] for node in known.nodes],
        "steps": [place[id(step)] for step in known.steps],
    }


def _code(nodes: Sequence[Value], number: Identities[Value, int]) -> dict[str, Any]:
    """The operations: which there are, which each node is, of what."""
    ops: dict[tuple[str, int], int] = {}
    code: list[int] = []
    numbers: list[float | str] = []
    for i, node in enumerate(nodes):
        if node.op is None:
            code.append(-1)
            continue
        code.append(ops.setdefault((node.op.name, len(node.args)), len(ops)))
        for arg in node.args:
            if isinstance(arg, Value):
                code.append(i - number[arg])
            else:
                code.append(0)
                numbers.append(written(arg))
    return {"ops": list(ops), "code": code, "numbers": numbers}


def _uses(order: Sequence[Value]) -> list[tuple[Value, int]]:
    """Each argument that gets something from each node, in turn."""
    return [
        (node, place)
        for node in order
        if node.op is not None
        for place, arg in enumerate(node.args)
        if isinstance(arg, Value) and node.op.partials[place] is not None
    ]
