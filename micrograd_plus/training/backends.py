"""What takes the steps of a training: a compiled program, or the eager engine?"""

from __future__ import annotations

from typing import Any
from warnings import warn

from micrograd_plus.engine.hooks import has_hook
from micrograd_plus.engine.recording import watching
from micrograd_plus.optim import Optimizer
from micrograd_plus.program import CompileError, Program
from micrograd_plus.training.compiling import compiled_cost, floats
from micrograd_plus.training.descents import Compiled, Descent, first_line
from micrograd_plus.training.eager import Eager
from micrograd_plus.training.workers import Crew, Workers


def descent_for(
    cost: Any,
    x: Any,
    y: Any,
    optimizer: Optimizer,
    compile: bool | None,
    threads: int,
    workers: Workers | None = None,
) -> Descent:
    """What takes the steps of `fit`: a compiled program where that may and can be, else the eager engine.

    Args:
        cost, x, y, optimizer, compile, threads: as in `fit`.
        workers: who computes the parts of each batch; what can't be compiled can't be sent to them.

    Raises:
        ValueError: a program is given, and compile=False or threads, or one of other parameters than the optimizer's.
        CompileError: the cost must be compiled, and can't be.
    """
    if isinstance(cost, Program):
        return _of_program(cost, x, y, optimizer, compile, threads, workers)
    eager = Eager(cost, x, y, optimizer)
    if workers is not None:
        if compile is False:
            raise ValueError("fit(compile=False): workers are sent a compiled program; leave out executor= and map=")
        compile = True
    if compile is False or (compile is None and watching.get() is not None):  # detect_anomaly() looks at every number
        return eager
    try:
        if reason := _only_eager(optimizer):
            raise CompileError(reason)
        xs, ys = floats("fit: X", x), floats("fit: Y", y)
        program = compiled_cost(cost, (x, y), (xs, ys), optimizer.params, threads)
        return Compiled(program, xs, ys, optimizer, eager, demanded=bool(compile), crew=_crew(workers, program, xs, ys))
    except Exception as error:
        if compile:
            raise
        eager.reason = first_line(error)
        return eager


def _crew(workers: Workers | None, program: Program, x: Any, y: Any) -> Crew | None:
    return None if workers is None else Crew(workers, program, x, y)


def _of_program(
    cost: Program,
    x: Any,
    y: Any,
    optimizer: Optimizer,
    compile: bool | None,
    threads: int,
    workers: Workers | None,
) -> Compiled:
    """Steps by a program that the user compiled; there is no function that the eager engine could go on with."""
    if compile is False:
        raise ValueError("fit(compile=False): the cost is a compiled program already; give the function instead")
    if threads > 1:
        raise ValueError(f"fit(threads={threads}): the cost is a compiled program already; mp.compile takes threads=")
    _same_parameters(cost, optimizer)
    if reason := _only_eager(optimizer):
        raise CompileError(f"fit: {reason}; give the function instead of the program, and compile=False")
    xs, ys = floats("fit: X", x), floats("fit: Y", y)
    cost.value_and_grad(xs[:1], ys[:1])  # refuses what does not fit
    if cost.rebound():
        told = "names in its function were given other Values since it was compiled, and it goes on with the old ones"
        warn(f"fit: {cost!r}: {told}; compile it again, if that is not meant", stacklevel=4)
    return Compiled(cost, xs, ys, optimizer, None, demanded=True, crew=_crew(workers, cost, xs, ys))


def _only_eager(optimizer: Optimizer) -> str:
    """Why no program can take this optimizer's steps, or ""."""
    name = type(optimizer).__name__
    if watching.get() is not None:
        return "detect_anomaly() looks at every number, one by one"
    for method in ("step", "zero_grad"):
        if getattr(type(optimizer), method) is not getattr(Optimizer, method) or method in vars(optimizer):
            return f"{name} has a {method}() of its own; give an Optimizer its rule, and it steps vectors, too"
    if any(map(has_hook, optimizer.params)):
        return "a parameter has a hook, which wants to see each example's gradient"
    return ""


def _same_parameters(program: Program, optimizer: Optimizer) -> None:
    """Raise unless the program differentiates by the optimizer's parameters, in their order."""
    ours, theirs = program.parameters, optimizer.params
    if len(ours) == len(theirs) and all(p is q for p, q in zip(ours, theirs)):
        return
    same = len(ours) == len(theirs) and set(map(id, ours)) == set(map(id, theirs))
    problem = "they have the same parameters, but in another order" if same else "they have other parameters"
    way_out = "expected mp.compile(..., parameters=those that the optimizer was made for)"
    raise ValueError(f"fit: {program!r} and {optimizer!r}: {problem}; {way_out}")
