"""What compiled programs are held to: the eager engine, example by example, and how much of it is rounding."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf, isinf, isnan, nan
from typing import Any, NamedTuple

import numpy as np
import numpy.ma  # else it is imported by need, and must find the true np.empty
import pytest
from numpy.typing import ArrayLike, NDArray

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine import toposort
from micrograd_plus.program import Program, paths

TOLERANCE = 1e-9  # of the answer and the sum of the absolute contributions to it (design.md §5)
Cost = Callable[..., Any]
EXECUTORS = ("arrays", "tape")


@contextmanager
def executor(name: str) -> Iterator[None]:
    """What runs the programs that are compiled and called in this block: arrays for any graph, or the tape."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "STATEMENT", {"arrays": 0.0, "tape": 1e9}[name])
        if name == "arrays":
            patch.setattr(paths, "GROUPS", 10**9)
            patch.setattr(np, "empty", _unwritten)
        yield


def _unwritten(shape: Any, dtype: Any = float, _empty: Any = np.empty) -> NDArray[Any]:
    """An empty array in which nan shows what is read before it is written."""
    array: NDArray[Any] = _empty(shape, dtype)
    if array.dtype.kind == "f":
        array.fill(nan)
    return array


class Eager(NamedTuple):
    """One example, eagerly: its value and gradient, and the sums of the absolute contributions to both.

    Attributes:
        unsettled: an intermediate overflows, or the sign of a nan, or of a zero that was computed, decides about the
            answer: there the order of a sum may decide.
    """

    value: float
    gradient: list[float]
    value_size: float
    gradient_sizes: list[float]
    unsettled: bool


def eager(cost: Callable[..., Any], arguments: Sequence[Any], parameters: Sequence[Value]) -> Eager:
    """What the engine computes for one example; the arguments are numbers, or lists of them."""
    out = cost(*[_values(argument) for argument in arguments])
    for parameter in parameters:
        parameter.grad = 0.0
    out.backward()
    gradient = [parameter.grad for parameter in parameters]
    sizes, unsettled = {out: 1.0}, False
    order = toposort(out)
    for node in reversed(order):
        if node.op is None or node not in sizes:  # or nothing flows back to it
            continue
        numbers = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        tame = all(abs(x) <= 100.0 and (abs(x) >= 1e-100 or x == 0.0) for x in numbers)  # far from any overflow
        made_zero = any(isinstance(arg, Value) and arg.op is not None and arg.data == 0.0 for arg in node.args)
        unsettled |= made_zero and node.op.name in ("copysign", "atan2")
        unsettled |= node.op.name == "copysign" and isnan(numbers[1])  # a nan's sign means nothing
        unsettled |= isinf(node.data) and (made_zero or (not tame and max(map(abs, numbers)) < inf))
        for arg, partial, mask in zip(node.args, node.op.partials, node.op.masks):
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(node.data, *numbers))
                if mask is None or mask(node.data, *numbers):
                    sizes[arg] = sizes.get(arg, 0.0) + sizes[node] * abs(slope)
                    unsettled |= isinf(slope) and (made_zero or not tame)
                    unsettled |= isinf(sizes[arg]) and abs(slope) < inf and sizes[node] < inf
    value_size = sum([sizes.get(node, 0.0) * (abs(node.data) + 1.0) for node in order if abs(node.data) < inf])
    return Eager(out.data, gradient, value_size, [sizes.get(parameter, 0.0) for parameter in parameters], unsettled)


def _values(argument: Any) -> Any:
    """As tracing hands it over: lists of Values."""
    return [_values(part) for part in argument] if isinstance(argument, list) else Value(argument)


def agree(got: ArrayLike, want: ArrayLike, sizes: ArrayLike, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Where two answers are the same: but for rounding, and nan and inf exactly."""
    got, want, sizes = (np.asarray(x, dtype=float) for x in (got, want, sizes))
    with np.errstate(all="ignore"):
        close = np.abs(got - want) <= tolerance * (np.abs(want) + np.nan_to_num(sizes, posinf=0.0)) + 1e-290
    return np.asarray(np.where(np.isfinite(want), close, (got == want) | (np.isnan(got) & np.isnan(want))))


def hold(
    program: Program, cost: Callable[..., Any], x: ArrayLike, y: ArrayLike | None = None, tolerance: float = TOLERANCE
) -> None:
    """Fail unless every answer of the program is the eager engine's, for each example and for the mean."""
    parameters = program.parameters
    batches = [np.asarray(batch, dtype=float) for batch in ([x] if y is None else [x, y])]
    examples = [eager(cost, [row.tolist() for row in rows], parameters) for rows in zip(*batches)]
    settled = np.array([not example.unsettled for example in examples])
    values = np.array([example.value for example in examples])
    value_sizes = np.array([example.value_size for example in examples])
    wanted = np.array([example.gradient for example in examples]).reshape(len(examples), len(parameters))
    sizes = np.array([example.gradient_sizes for example in examples]).reshape(wanted.shape)
    loss, gradient = program.value_and_grad(x, y)
    answers: list[tuple[str, Any, Any, Any, Any]] = [
        ("values", program.values(x, y), values, value_sizes, settled),
        ("gradients", program.gradients(x, y), wanted, sizes, settled[:, None]),
    ]
    if settled.all():
        with np.errstate(all="ignore"):
            mean, mean_size = values.mean(), value_sizes.mean()
            answers += [
                ("the mean", program(x, y), mean, mean_size, True),
                ("value_and_grad's mean", loss, mean, mean_size, True),
                ("value_and_grad's gradient", gradient, wanted.mean(axis=0), sizes.mean(axis=0), True),
            ]
    for what, got, want, size, checked in answers:
        assert np.shape(got) == np.shape(want), f"{what}: shape {np.shape(got)}, expected {np.shape(want)}"
        fine = agree(got, want, size, tolerance) | ~np.asarray(checked)
        assert fine.all(), f"{what}: got {got}, eager {want}; they differ at {np.argwhere(~fine).tolist()}"


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def leaves(*shape: int, seed: int = 1) -> Any:
    """Values in lists, as parameters of one's own are."""

    def made(array: Any) -> Any:
        return [made(part) for part in array] if array.ndim else Value(float(array))

    return made(numbers(*shape, seed=seed))


def checked(cost: Cost, x: Any, y: Any = None, tolerance: float = 1e-9, **options: Any) -> Program:
    """Compile it, and hold it to the eager engine, over arrays and on the tape."""
    shapes = [np.shape(batch)[1:] for batch in ([x] if y is None else [x, y])]
    for name in EXECUTORS:
        with executor(name):
            program = mp.compile(cost, *shapes, **options)
            hold(program, cost, x, y, tolerance)
    return program


# -------------------------------------------------------------------------------- what is compiled in several tests

ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear", "gelu", "leaky_relu", "softplus", "silu", "elu")


MODEL = mp.MLP(3, [4, 3], activation="tanh", seed=1)
KERNELS, ROWS, WEIGHTS = leaves(2, 3, 3), leaves(3, 3, seed=2), leaves(3, seed=3)
A, B = Value(0.7), Value(-0.3)


def jagged(x: list[Any]) -> Any:
    """A random tree in which nothing is regular."""
    rng = random.Random(4)
    pool: list[Any] = [*x, A, B]
    for _ in range(300):
        a, b = rng.choice(pool), rng.choice(pool)
        made: Any = rng.choice([a * b, a - b, mp.hypot(a, b), 0.3 * a - b * b])
        function: Any = rng.choice([mp.tanh, mp.sin, mp.softplus, mp.atan, mp.erf, mp.silu, mp.sigmoid])
        pool.append(function(made))
    return sum(pool)
