"""What would the derivatives be without stop_gradient and detach?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from micrograd_plus.check.problems import Problem, Trace
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.recording import Block, linking
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import walk

STOP = TABLE["stop_gradient"]


def without_stops(problem: Problem, order: int) -> Trace | None:
    """The derivatives of that order at the problem's point, had its function no stop; None where it has none.

    Only if their slopes are those of the function were the stops the reason for another gradient. A stop inside a
    partial is none of the function's own, and those by which softmax and its like take out the maximum change nothing.
    """
    with Block(linking, True):
        first: Trace = problem.trace(problem.point)
    stops = {id(node) for node in walk(*first.results)[0] if node.op is STOP}
    if not stops:
        return None
    deep = first.derivatives(order)
    return Trace(_without(stops, deep.results), deep.variables)


def _without(stops: Collection[int], results: Sequence[Value]) -> list[Value]:
    """The same graph, in which the nodes of these ids are left out for what they were applied to."""
    made: dict[int, Any] = {}
    for node in walk(*results)[0]:
        args = [made.get(id(arg), arg) for arg in node.args]
        if id(node) in stops:
            made[id(node)] = args[0]
        elif node.op is not None and any(new is not old for new, old in zip(args, node.args)):
            made[id(node)] = apply(node.op, *args)
    return [made.get(id(y), y) for y in results]
