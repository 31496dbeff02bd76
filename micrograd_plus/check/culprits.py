"""Which operation of a graph is to blame for a wrong derivative?"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd_plus.check.explaining import HINT
from micrograd_plus.check.operations import problem_of_operation
from micrograd_plus.check.orders import examined
from micrograd_plus.check.problems import Problem, Trace
from micrograd_plus.check.reports import Finding
from micrograd_plus.check.stops import STOP
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk

SEARCHED = 1000  # operations that are searched for a wrong one


def wrong_operation(problem: Problem, order: int) -> str:
    """The first operation in the graph that is wrong by itself, in words; "" if none is.

    Args:
        problem: at whose point the graph is made.
        order: of the derivative that is wrong. Wrong may be a first partial in the graph of the derivatives, or a
            derivative of that order in the function's own graph.
    """
    first: Trace = problem.trace(problem.point)
    deep = first.derivatives(order - 1)
    for level, trace in [(1, deep), (order, first)] if order > 1 else [(1, first)]:
        for op, args, node in _operations(trace):
            moved = [i for i, arg in enumerate(node.args) if isinstance(arg, Value)]
            single = problem_of_operation(op, args, moved, [str(i + 1) for i in range(len(args))])
            single.rtol, single.atol = problem.rtol, problem.atol
            wrong = [finding for finding in examined(single, level)[1] if finding.status == "wrong"]
            if wrong:
                return _told(op, args, node.label, wrong[0])
    return ""


def _operations(trace: Trace) -> Iterator[tuple[Op, tuple[float, ...], Value]]:
    """Each operation of a graph at its numbers, once, with the first of its nodes."""
    seen: set[tuple[Op, tuple[float, ...]]] = set()
    for node in walk(*trace.results)[0]:
        op = node.op
        args = tuple([arg.data if isinstance(arg, Value) else arg for arg in node.args])
        if op is not None and op is not STOP and (op, args) not in seen and len(seen) < SEARCHED:
            seen.add((op, args))
            yield op, args, node


def _told(op: Op, args: tuple[float, ...], label: str, wrong: Finding) -> str:
    at_label = f" at the node labelled {label!r}" if label else ""
    place = ", ".join([f"{x:.6g}" for x in args])
    partial, hint = f"partial {wrong.argument}", ""
    if wrong.order > 1:
        partial, hint = f"the derivative of order {wrong.order} by argument {wrong.argument}", HINT
    numbers = f"{wrong.got:.6g}, expected {wrong.expected:.6g}"
    return f"operation {op.name}({place}){at_label}: {partial} is {numbers}{hint}"
