"""Check a gradient: every derivative against differences, which know their own error and see kinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.arguments import whole
from micrograd_plus.check.culprits import wrong_operation
from micrograd_plus.check.operations import problems_of_row
from micrograd_plus.check.orders import examined
from micrograd_plus.check.problems import Problem, problem_of_values, problem_with_gradient
from micrograd_plus.check.reports import Finding, GradientError, GradientReport
from micrograd_plus.check.tensors import engine_of, problem_of_tensors
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.recording import enable_grad


def check_grads(
    f: Callable[..., Any],
    args: Any = None,
    order: int = 2,
    *,
    gradient: Callable[..., Any] | None = None,
    rtol: float = 1e-6,
    atol: float = 0.0,
) -> GradientReport:
    """Compare every derivative of f with differences, and raise where one is wrong.

    Differences are extrapolated to step 0 and know their own error (Ridders 1982, see `differences`); where all
    operations are analytic, the complex step checks the gradient once more, to about eleven digits (Squire and Trapp,
    SIAM Review 40, 1998). The derivatives of order k are compared with differences of those of order k - 1.

    Never a failure: a kink, which is where the slopes to the left and to the right differ by more than their errors
    (both are reported); a value that is not finite; the end of a domain; a gradient that `stop_gradient` or `detach` in
    f makes another (without them it must be the slope); and what rounding errors hide. Where something is wrong, each
    operation of the graph is checked by itself, and the message names the one whose own partial is wrong, or the lines
    in which a number left the graph, by `.data`, `float()` or `math`.

    Args:
        f: a function of numbers, or of lists, tuples and dicts of them, that returns a Value or a nest of Values; a
            module, whose parameters are then checked together with its inputs; a function of the table or a primitive
            of yours; with `gradient` any function of floats. Or a function of PyTorch's tensors or of JAX's arrays, or
            a `torch.nn.Module`: then it is their engine whose derivatives are checked.
        args: a tuple (or list) of f's arguments, or its one number. None for a function of the table: it is then
            checked at points of its domain, tiny, large, near the ends, and at its kinks.
        order: the highest order of derivatives.
        gradient: gives the partials in place of the engine, nested as the arguments, or one number for one argument.
            Then only the first order is checked.
        rtol: how far a derivative may be off, relative to its size; more where differences are less accurate.
        atol: how far absolutely.

    Returns:
        A `GradientReport`.

    Raises:
        GradientError: a derivative is wrong. It is an AssertionError.
        TypeError: f is no function, an argument is no number, or f returns no Value.
        ValueError: there is nothing to differentiate by, order is less than 1, or f gives another number at each call.

    >>> import micrograd_plus as mp
    >>> print(check_grads(lambda x, y: mp.tanh(x * y) + y**2, (0.5, 2.0)))
    check_grads(<lambda>): 6 of 6 derivatives of orders 1 to 2 agree
    >>> print(check_grads(mp.relu, (0.0,), order=1))
    check_grads(relu): 0 of 1 derivatives of order 1 agree
    1 at a kink or too near one to tell
      ∂relu/∂x (order 1) at x = 0.0
          got 0; slope 0 to the left, 1 to the right
          a kink of relu
    >>> check_grads(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    Traceback (most recent call last):
    micrograd_plus...GradientError: check_grads(<lambda>): 0 of 1 derivatives of order 1 agree
    1 wrong
      ∂f/∂x (order 1) at x = 2.0
          got 6, expected 12, tolerance 1e-05
    """
    if not callable(f):
        raise TypeError(f"check_grads({short_repr(f)}): expected a function, got {type(f).__name__}")
    name = str(getattr(f, "__name__", None) or f"{type(f).__name__}(...)")
    whole("check_grads", "order", order)
    order = 1 if gradient is not None else order
    agreed = 0
    findings: list[Finding] = []
    with enable_grad():
        for problem in _problems(f, name, args, gradient):
            if isinstance(problem, Finding):
                findings.append(problem)
                continue
            if args is not None:
                _check_steady(problem)
            problem.rtol, problem.atol = max(problem.rtol, rtol), max(problem.atol, atol)
            right, found = examined(problem, order, wrong_operation)
            agreed += right
            findings += found
    report = GradientReport(name, order, agreed, tuple(findings))
    if report.failures:
        raise GradientError(report)
    return report


def _check_steady(problem: Problem) -> None:
    """Refuse a function that gives another number whenever it is called: no difference says anything of it."""
    once, again = [problem.trace(problem.point) for _ in range(2)]
    for first, second in zip(*[map(float, trace.results) for trace in (once, again)]):
        if abs(first - second) > 1e3 * once.unit * max(abs(first), abs(second)):  # not where both are inf, or nan
            way_out = "draw random numbers outside of it, or seed them inside"
            raise ValueError(
                f"check_grads({problem.name}): it gave {first!r}, then {second!r} at the same point; {way_out}"
            )


def _problems(
    f: Callable[..., Any], name: str, args: Any, gradient: Callable[..., Any] | None
) -> Iterator[Problem | Finding]:
    """The problems to be checked, and a finding for each point at which an operation cannot even be tried."""
    op = getattr(f, "op", None)
    if args is None and gradient is None and isinstance(op, Op):
        return problems_of_row(f, op)
    if args is None:
        wanted = "expected its arguments, such as (0.5, 2.0); only functions of the table are checked without"
        raise TypeError(f"check_grads({name}, args=None): {wanted}")
    tree = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    if gradient is None and (engine := engine_of(f, tree)):
        return iter([problem_of_tensors(f, name, tree, engine)])
    return iter([problem_with_gradient(f, name, tree, gradient) if gradient else problem_of_values(f, name, tree)])
