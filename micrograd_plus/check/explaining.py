"""Why is a derivative wrong, and what is it called, in words?"""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_plus.calculus.leaks import listener
from micrograd_plus.check.differences import Slope
from micrograd_plus.check.problems import LEAKS, Problem, Trace
from micrograd_plus.engine.anomalies import users_line
from micrograd_plus.engine.recording import Block, leaving

HINT = "; does a partial use .data, float(), math or stop_gradient?"
UNKNOWN = "no operation is wrong by itself: does the function branch, or use .data, float() or math?"


def leaks(problem: Problem, order: int) -> list[str]:
    """Where numbers leave the graph, in words, as the function runs and its derivatives of that order are made."""
    lines: dict[str, None] = {}

    def report(how: str) -> None:
        what = {".data": "x.data", "float()": "float(x)", ".grad": "x.grad"}.get(how, how)
        lines[f"{what} in {users_line()} takes a number out of the graph"] = None

    trace: Trace = problem.trace(problem.point, report)
    with Block(leaving, listener(list(trace.variables), LEAKS, report)):
        trace.derivatives(order)
    return list(lines)


def unexplained(kinked: str, slope: Slope) -> str:
    """What may be wrong where each operation is right and no number leaves the graph.

    Args:
        kinked: the kink that the point is on, in words; "" if none.
        slope: what differences say.
    """
    if not kinked:
        return UNKNOWN
    same = f"the slopes to the left and to the right of it are both {slope.value:.6g}"
    return f"each operation is right by itself, but this is {kinked}, where the chain rule fails, and {same}"


def derivative_name(function: str, index: str, by: Sequence[str]) -> str:
    """The derivative of a function's result by these arguments, as mathematics writes it.

    Args:
        function: its name.
        index: which of its results, in brackets; "" if it has but one.
        by: the arguments, one for each order.

    >>> derivative_name("f", "", ["x"]), derivative_name("f", "[1]", ["x", "y"]), derivative_name("f", "", ["x"] * 3)
    ('∂f/∂x', '∂²f[1]/∂x∂y', '∂³f/∂x³')
    """
    order = len(by)
    power = {1: "", 2: "²", 3: "³"}.get(order, f"^{order}")
    below = f"∂{by[0]}{power}" if len(set(by)) == 1 else "".join(f"∂{name}" for name in by)
    return f"∂{power}{function if function.isidentifier() else 'f'}{index}/{below}"
