"""The gradient by the complex step: nothing is subtracted, so no digit is lost.

The derivative of an analytic function at x is the imaginary part of its value at x + ih, over h, with h so tiny that h²
vanishes: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import nan
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk

STEP = 1e-20
SHORTER = (1.0, 0.0625)  # two complex steps, as parts of STEP: what they tell must be the same
POLES = {"div", "reciprocal", "tan"}  # rows whose kinks are poles: analytic everywhere else
MOST = 1_000_000  # complex numbers that a graph may need


def complex_step(results: Sequence[Value], variables: Sequence[Value]) -> list[list[float]] | None:
    """The derivatives of each result by each variable, from their graph.

    None where an operation is not analytic, or NumPy has it for real numbers only; nan for a derivative that depends on
    h, as that of (x + x²)² at 0 does, where nothing is there but the terms that h² is to make vanish.
    """
    import numpy as np

    nodes = walk(*results)[0]
    count = len(variables)
    if len(nodes) * count > MOST:
        return None
    numbers: Identities[Value, Any] = Identities()
    steps = np.array([STEP * min(1.0, abs(variable.data) or 1.0) for variable in variables])
    for i, variable in enumerate(variables):
        numbers[variable] = np.full((2, count), variable.data, dtype=complex)
        numbers[variable][:, i] += 1j * steps[i] * np.array(SHORTER)
    with np.errstate(all="ignore"):
        for node in nodes:
            ufunc = _complex_ufunc(node)
            if ufunc is None:
                return None
            args = [numbers.get(arg, arg.data) if isinstance(arg, Value) else arg for arg in node.args]
            numbers[node] = ufunc(*[np.asarray(arg, complex) for arg in args])
    zeros = np.zeros((2, count), dtype=complex)
    return [_agreed(numbers.get(y, zeros).imag, steps) for y in results]


def complex_step_of_floats(f: Callable[[Sequence[Any]], Any], point: Sequence[float]) -> list[list[float]] | None:
    """The derivatives of a plain function, which gives one number; None where it takes or gives no complex numbers."""
    import numpy as np

    imaginary = np.empty((2, len(point)))
    for i, j in product(range(2), range(len(point))):
        step = complex(0.0, STEP * SHORTER[i])
        try:
            y = f([x + step if place == j else x for place, x in enumerate(point)])
        except (TypeError, ValueError, ArithmeticError, AttributeError):  # it takes no complex numbers
            return None
        if not isinstance(y, complex):
            return None
        imaginary[i, j] = y.imag
    return [_agreed(imaginary, np.full(len(point), STEP))]


def _complex_ufunc(node: Value) -> Callable[..., Any] | None:
    """NumPy's function of complex numbers for a node's operation; None if there is none, or it is not analytic here."""
    import numpy as np

    op = node.op
    if op is None or op.numpy is None:
        return None
    ufunc: Callable[..., Any] = getattr(np, op.numpy)
    if f"{'D' * len(node.args)}->D" not in getattr(ufunc, "types", ()):
        return None
    args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
    inside = all(low < x < high for x, (low, high) in zip(args, op.domain))
    smooth = op.kinks is None or (op.name in POLES and op.kinks(*args))
    return ufunc if inside and smooth else None


def _agreed(imaginary: Any, steps: Any) -> list[float]:
    """The derivatives that both steps tell, from the imaginary parts that they leave; nan where they disagree."""
    import numpy as np

    with np.errstate(all="ignore"):
        first, second = imaginary / (steps * np.array(SHORTER)[:, None])
        same = np.abs(first - second) <= 1e-6 * np.abs(first)
        seen = np.abs(imaginary[1]) > 1e-290  # no underflow
    return [float(x) for x in np.where(same & seen, first, nan)]
