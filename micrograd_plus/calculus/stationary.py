"""Newton's method: where the gradient of a small function is zero, by solving for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_plus._support.arguments import whole
from micrograd_plus.calculus import grad, hessian
from micrograd_plus.calculus.nesting import leaves, rebuilt


def newton_step(f: Callable[[Any], Any], w: Any) -> Any:
    """One step of Newton's method on `gradient(f)(w) = 0`: w - H⁻¹ g, with the gradient g and the Hessian H at w.

    Args:
        f: a function that returns one Value.
        w: where to start: a number, or a list, tuple, dict or array of n numbers. Solving takes n³ operations.

    Returns:
        The next w, nested as w.

    Raises:
        TypeError: f returns no Value, or w is no number and no nest of numbers.
        ValueError: there is no number in w.
        ArithmeticError: the Hessian is singular there or not finite, so that there is no such step.

    >>> newton_step(lambda w: (w - 3.0) ** 2 + 1.0, 10.0)       # a parabola takes one
    3.0
    """
    import numpy as np

    numbers = leaves(w, "newton")

    def at(*v: Any) -> Any:
        return f(rebuilt(w, iter(v)))

    places = tuple(range(len(numbers)))
    gradient = np.array(grad(at, places)(*numbers), dtype=float)
    curvature = np.array(hessian(at, places)(*numbers), dtype=float)
    try:
        step = np.linalg.solve(curvature, gradient)
    except np.linalg.LinAlgError:
        step = np.full(len(numbers), np.nan)
    if not np.isfinite(step).all():
        raise ArithmeticError(
            f"newton: at w = {w!r} the Hessian is {curvature.tolist()} and the gradient {gradient.tolist()}: no step "
            "leads on from there; start elsewhere, or descend with an optimizer"
        )
    return rebuilt(w, iter([float(x) for x in np.array(numbers, dtype=float) - step]))


def newton(f: Callable[[Any], Any], w: Any, *, steps: int = 50, tolerance: float = 1e-12) -> Any:
    """A root of `gradient(f)(w) = 0`, by Newton's method from w: a minimum of f, or a maximum or a saddle.

    Once it is near, each step doubles the number of right digits. This is what one could do instead of descending, and
    why one doesn't for a network: each step solves as many equations as there are parameters.

    Args:
        f: a function that returns one Value.
        w: where to start: a number, or a list, tuple, dict or array of n numbers.
        steps: how many at most.
        tolerance: it is a root where no partial derivative is larger.

    Returns:
        The root, nested as w.

    Raises:
        TypeError: f returns no Value, w is no number and no nest of numbers, or steps is no whole number.
        ValueError: steps is below 1.
        ArithmeticError: there is no step on from some point, or no root after so many steps.

    >>> newton(lambda w: w[0] ** 2 + (w[1] - 2.0) ** 4 + w[1], [5.0, 0.0])
    [0.0, 1.37003...]
    """
    for left in range(whole("newton", "steps", steps), -1, -1):
        steepest = max([abs(slope) for slope in leaves(grad(f)(w))], default=0.0)
        if steepest <= tolerance:
            return w
        if left:
            w = newton_step(f, w)
    raise ArithmeticError(
        f"newton: after {steps} steps the largest partial derivative is {steepest}, above {tolerance}, at w = {w!r}; "
        "start elsewhere, allow more steps, or a larger tolerance"
    )
