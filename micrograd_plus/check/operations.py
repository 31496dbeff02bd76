"""What is checked of one operation by itself: its rules at single points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite, nan
from typing import Any

from micrograd_plus.check.complex_steps import complex_step
from micrograd_plus.check.domains import points
from micrograd_plus.check.problems import Problem, Report, Trace, argument_names, unheard
from micrograd_plus.check.reports import Finding
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value, apply


def problem_of_operation(op: Op, args: Sequence[float], moved: Sequence[int], names: Sequence[str]) -> Problem:
    """One operation at these arguments and options; `moved` are the places of those it is differentiated by."""

    def trace(point: list[float], _: Report = unheard) -> Trace:
        full: list[Any] = list(args)
        variables = [Value(x) for x in point]
        for place, variable in zip(moved, variables):
            full[place] = variable
        return Trace([apply(op, *full)], variables)

    return Problem(op.name, [names[i] for i in moved], [args[i] for i in moved], trace, complex_step)


def problems_of_row(f: Callable[..., Any], op: Op) -> Iterator[Problem | Finding]:
    """A function of the table at points of its domain; a finding where its rules don't take floats and Values alike."""
    names = argument_names(f, op.arity)
    for args in points(op):
        full = (*args, *op.options.values())
        broken = _broken(op, full)
        if broken:
            point = tuple(zip(names, args))
            yield Finding("wrong", op.name, op.name, "", point, 1, nan, operation=broken)
        else:
            yield problem_of_operation(op, full, range(op.arity), names)


def _broken(op: Op, args: tuple[float, ...]) -> str:
    """What forward or a partial can't do with these numbers, in words; "" if nothing."""
    count = op.arity
    what = "forward"
    try:
        out = op.forward(*args)  # type: ignore[misc]  # every row has one
        for i, partial in enumerate(op.partials[:count], 1):
            if partial is None:
                continue
            what = f"partial {i} of floats"
            plain = float(partial(out, *args))
            what = f"partial {i} of Values"
            mixed: list[Any] = [*[Value(x) for x in args[:count]], *args[count:]]
            graph = float(partial(apply(op, *mixed), *mixed))
            if abs(plain - graph) > 1e-12 * abs(plain) or isfinite(plain) != isfinite(graph):
                return f"partial {i} is {plain!r} of floats, but {graph!r} of Values"
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is what has to be told
        return f"{what} raised {type(error).__name__}: {error}"
    return ""
