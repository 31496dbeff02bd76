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
from micrograd_plus.engine.walking import toposort
from micrograd_plus.ops.rows import FUNCTIONS, HOME
from micrograd_plus.program import Program, paths, replay
from micrograd_plus.program.instructions import Unfit
from micrograd_plus.program.kernels import why_not
from micrograd_plus.program.templates import interpreter
from micrograd_plus.strategies.programs import Expression, Step

TOLERANCE = 1e-9  # of the answer and the sum of the absolute contributions to it (design.md §5)
Cost = Callable[..., Any]
ARRAYS = ("kernels", "numpy") if why_not() == "" else ("numpy",)  # what runs whole batches on this machine
STEPS = ("interpreter", "python") if interpreter else ("python",)  # what goes through a graph number by number
EXECUTORS = (*ARRAYS, *STEPS)
EXACT = ("neg", "abs", "maximum", "minimum", "clamp", "where", "copysign", "relu", "identity", "stop_gradient")


@contextmanager
def executor(name: str) -> Iterator[None]:
    """What runs the programs that are compiled and called in this block: kernels, NumPy, or one of STEPS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "faster_up_to", lambda *_: 10**9 if name in STEPS else 0)
        if name == "python":
            patch.setattr(replay, "interpreter", None)
        if name not in STEPS:
            patch.setattr(paths, "GROUPS", 10**9)
            patch.setattr(np, "empty", littered)
        if name != "kernels":
            patch.setattr(paths, "kernel_of", _none)
        yield


def _none(*_: object) -> None:
    raise Unfit("the tests want none")


def littered(shape: Any, dtype: Any = float, _empty: Any = np.empty) -> NDArray[Any]:
    """An empty array, in which a number shows what is read before it is written: after nan, all is computed anew."""
    array: NDArray[Any] = _empty(shape, dtype)
    if array.dtype.kind == "f":
        array.fill(1000.0)
    return array


class Eager(NamedTuple):
    """One example, eagerly: its value and gradient, and the sums of the absolute contributions to both.

    Attributes:
        engine: the gradient that the engine gives; the other is computed beside it.
        unsettled: an intermediate overflows, or the sign of a nan, or of a zero that was computed, decides about the
            answer: there the order of a sum may decide.
    """

    value: float
    gradient: list[float]
    value_size: float
    gradient_sizes: list[float]
    engine: list[float]
    unsettled: bool


def eager(
    cost: Callable[..., Any],
    arguments: Sequence[Any],
    parameters: Sequence[Value],
    shaken: random.Random | None = None,
) -> Eager:
    """What the engine computes for one example; the arguments are numbers, or lists of them.

    The gradient is written down here once more, as the design says it: what is reached passes upstream · partial to
    its arguments, those that a mask's zero cuts off excepted, and what nothing reaches has exactly 0.

    Args:
        shaken: each computed number is off by a few of its last bits, drawn from this.
    """
    out = cost(*[_values(argument) for argument in arguments])
    order = toposort(out)
    data = {node: node.data for node in order}
    if shaken is not None:
        for node in order:
            if node.op is not None and node.op.forward is not None and node.op.name not in EXACT:
                number = node.op.forward(*[data[arg] if isinstance(arg, Value) else arg for arg in node.args])
                data[node] = number if node.op.flat else number * (1.0 + 4e-16 * shaken.randint(-4, 4))
    unsettled = False
    terms = {node: _size(data[node]) for node in order}  # the absolute terms of a sum, which go into it in any order
    for node in order:
        if node.op is None:
            continue
        numbers = [data[arg] if isinstance(arg, Value) else arg for arg in node.args]
        if node.op.name in ("add", "sub"):
            terms[node] = sum([terms[arg] if isinstance(arg, Value) else _size(arg) for arg in node.args])
            unsettled |= isinf(terms[node])
        made_zero, tame = _made_zero(node, data), _tame(numbers)
        unsettled |= made_zero and node.op.name in ("copysign", "atan2")
        unsettled |= node.op.name == "copysign" and isnan(numbers[1])  # a nan's sign means nothing
        unsettled |= isinf(data[node]) and (made_zero or (not tame and max(map(abs, numbers)) < inf))
    gradients, sizes = {out: 1.0}, {out: 1.0}
    for node in reversed(order):
        if node.op is None or node not in gradients:  # or nothing reaches it
            continue
        numbers = [data[arg] if isinstance(arg, Value) else arg for arg in node.args]
        made_zero, tame = _made_zero(node, data), _tame(numbers)
        for arg, partial, mask in zip(node.args, node.op.partials, node.op.masks):
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(data[node], *numbers))
                if mask is None or mask(data[node], *numbers):
                    gradients[arg] = gradients.get(arg, 0.0) + gradients[node] * slope
                    sizes[arg] = sizes.get(arg, 0.0) + sizes[node] * abs(slope)
                    unsettled |= isinf(slope) and (made_zero or not tame)
                    unsettled |= isinf(sizes[arg]) and abs(slope) < inf and sizes[node] < inf
    value_size = sum([sizes.get(node, 0.0) * (abs(data[node]) + 1.0) for node in order if abs(data[node]) < inf])
    passed = [[found.get(parameter, 0.0) for parameter in parameters] for found in (gradients, sizes)]
    for parameter in parameters:
        parameter.grad = 0.0
    out.backward()
    engine = [parameter.grad for parameter in parameters]
    return Eager(data[out], passed[0], value_size, passed[1], engine, unsettled)


def _size(x: float) -> float:
    return abs(x) if abs(x) < inf else 0.0


def _tame(numbers: list[float]) -> bool:
    """Whether they are far from any overflow."""
    return all(abs(x) <= 100.0 and (abs(x) >= 1e-100 or x == 0.0) for x in numbers)


def _made_zero(node: Value, data: dict[Value, float]) -> bool:
    return any(isinstance(arg, Value) and arg.op is not None and data[arg] == 0.0 for arg in node.args)


def trembles(cost: Callable[..., Any], arguments: Sequence[Any], parameters: Sequence[Value], tolerance: float) -> bool:
    """Whether the last bits of what is computed on the way decide about the engine's own answer.

    So it is where two large terms cancel and a step follows: the sign of 1e9 · a - 1e9 · a + b, say.
    """
    one = eager(cost, arguments, parameters)
    for seed in range(8):
        other = eager(cost, arguments, parameters, random.Random(seed))
        same = agree(other.value, one.value, one.value_size, tolerance)
        if not (same and agree(other.gradient, one.gradient, one.gradient_sizes, tolerance).all()):
            return True
    return False


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
) -> dict[str, int]:
    """Fail unless every answer of the program is the eager engine's, for each example and for the mean.

    Returns:
        How many examples there were; how many agree, where in the others an intermediate overflows, or the sign of a
        zero or the last bits decide; and in how many of these there was a nan or inf.
    """
    parameters = program.parameters
    batches = [np.asarray(batch, dtype=float) for batch in ([x] if y is None else [x, y])]
    rows = [[row.tolist() for row in together] for together in zip(*batches)]
    examples = [eager(cost, row, parameters) for row in rows]
    settled = np.ones(len(rows), dtype=bool)
    if differences(program, x, y, examples, settled, tolerance):
        pairs = zip(examples, rows)
        settled = np.array([not (one.unsettled or trembles(cost, row, parameters, tolerance)) for one, row in pairs])
        found = differences(program, x, y, examples, settled, tolerance)
        assert not found, "\n".join(found)
    odd = [not np.isfinite([example.value, *example.gradient]).all() for example in examples]
    return {"examples": len(rows), "agree": int(settled.sum()), "of these not finite": int((settled & odd).sum())}


def differences(
    program: Program, x: ArrayLike, y: ArrayLike | None, examples: list[Eager], settled: Any, tolerance: float
) -> list[str]:
    """Where a program's answers are not those of the eager engine, for the examples that are settled."""
    values = np.array([example.value for example in examples])
    value_sizes = np.array([example.value_size for example in examples])
    wanted = np.array([example.gradient for example in examples]).reshape(len(examples), len(program.parameters))
    sizes = np.array([example.gradient_sizes for example in examples]).reshape(wanted.shape)
    loss, gradient = program.value_and_grad(x, y)
    engine = np.array([example.engine for example in examples]).reshape(wanted.shape)
    answers: list[tuple[str, Any, Any, Any, Any]] = [
        ("the engine's gradients", engine, wanted, sizes, settled[:, None]),
        ("values", program.values(x, y), values, value_sizes, settled),
        ("gradients", program.gradients(x, y), wanted, sizes, settled[:, None]),
    ]
    with np.errstate(all="ignore"):
        mean, mean_size = values.mean(), value_sizes.mean()
        means, mean_sizes = wanted.mean(axis=0), sizes.mean(axis=0)
        whole = settled.all()
        tame = whole & (np.abs(np.where(np.isfinite(wanted), wanted, 0.0)).sum(axis=0) < inf)  # no overflow on the way
        whole &= np.abs(values[np.isfinite(values)]).sum() < inf
    answers += [
        ("the mean", program(x, y), mean, mean_size, whole),
        ("value_and_grad's mean", loss, mean, mean_size, whole),
        ("value_and_grad's gradient", gradient, means, mean_sizes, tame),
    ]
    found = []
    for what, got, want, size, checked in answers:
        assert np.shape(got) == np.shape(want), f"{what}: shape {np.shape(got)}, expected {np.shape(want)}"
        fine = agree(got, want, size, tolerance) | ~np.asarray(checked)
        if not fine.all():
            found.append(f"{what}: got {got}, eager {want}; they differ at {np.argwhere(~fine).tolist()}")
    return found


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def leaves(*shape: int, seed: int = 1) -> Any:
    """Values in lists, as parameters of one's own are."""

    def made(array: Any) -> Any:
        return [made(part) for part in array] if array.ndim else Value(float(array))

    return made(numbers(*shape, seed=seed))


def checked(cost: Cost, x: Any, y: Any = None, tolerance: float = 1e-9, **options: Any) -> Program:
    """Compile it, and hold it to the eager engine, by each executor."""
    shapes = [np.shape(batch)[1:] for batch in ([x] if y is None else [x, y])]
    for name in EXECUTORS:
        with executor(name):
            program = mp.compile(cost, *shapes, **options)
            hold(program, cost, x, y, tolerance)
    return program


# ------------------------------------------------------------------------------------ programs drawn from all the rows

EDGES = (*(0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, inf, -inf, nan) * 4, 1e308, -1e308, 5e-324)
ROWS_OF_THE_TABLE: list[Any] = [function for function in FUNCTIONS.values() if function.__module__ == HOME]
BRANCHES: list[Any] = [
    FUNCTIONS[name] for name in ("less", "less_equal", "equal", "where", "where", "where", "maximum", "minimum")
]
PLAIN: list[Any] = [FUNCTIONS[name] for name in ("add", "sub", "mul", "mul", "div", "neg", "square")]


class Random:
    """A program that nobody would write: rows of all kinds, comparisons of comparisons, edges for numbers.

    Attributes:
        parameters: what its gradient is taken by.
        examples: a batch for it.
    """

    def __init__(self, rng: random.Random) -> None:
        leaves = rng.randint(2, 4)
        steps = [self._step(rng, leaves + i) for i in range(rng.randint(1, 14))]
        last, function = leaves + len(steps) - 1, rng.choice([*BRANCHES[3:], *PLAIN[:4]])
        steps.append(Step(function, (last, *[rng.randrange(last + 1) for _ in function.op.partials[1:]])))
        self.expression = Expression(tuple([1.0] * leaves), tuple(steps))
        self.copies = rng.choice([1, 1, 2, 3])
        self.joint = rng.choice(sorted(JOINTS)) if self.copies > 1 else "sum"
        pool = [self._number(rng) for _ in range(4)]  # few, so that there are ties
        self.parameters = [Value(rng.choice(pool)) for _ in range(rng.randint(1, leaves))]
        self.weights = [[Value(self._number(rng)) for _ in range(self.copies)] for _ in range(2)]
        self.parameters += [weight for row in self.weights for weight in row]
        self.inputs = leaves * self.copies
        self.places = [rng.choice([-1, rng.randrange(len(self.parameters))]) for _ in range(self.inputs)]
        rows = [[rng.choice([*pool, self._number(rng)]) for _ in range(self.inputs)] for _ in range(rng.randint(1, 4))]
        self.examples = rows * rng.choice([1, 1, 1, 5])

    def _number(self, rng: random.Random) -> float:
        return rng.choice([rng.choice(EDGES), round(rng.gauss(0.0, 1.5), 2)])

    def _step(self, rng: random.Random, known: int) -> Step:
        function = rng.choice(rng.choice([BRANCHES, PLAIN, ROWS_OF_THE_TABLE]))
        options = tuple(function.op.options.values())
        count = function.op.arity
        args: list[int | float] = [rng.choice([rng.randrange(known), known - 1]) for _ in range(count)]
        if count > 1 and rng.random() < 0.3:
            args[rng.randrange(count)] = self._number(rng)
        return Step(function, tuple(args), tuple([x * rng.choice([1.0, 1.0, 0.5]) for x in options]))

    def __call__(self, x: list[Any]) -> Any:
        given = [a if place < 0 else self.parameters[place] for a, place in zip(x, self.places)]
        size = len(self.expression.inputs)
        parts = [self.expression(*given[i : i + size]) for i in range(0, len(given), size)]
        return JOINTS[self.joint](parts, self.weights)

    def __repr__(self) -> str:
        numbers = [parameter.data for parameter in self.parameters]
        return f"{self.expression}\n{self.joint} of {self.places}, parameters {numbers}"


JOINTS: dict[str, Callable[[list[Any], list[list[Value]]], Any]] = {
    "sum": lambda parts, weights: sum(parts[1:], parts[0]),
    "dot": lambda parts, weights: mp.dot(weights[0], parts),
    "layer": lambda parts, weights: sum([mp.relu(mp.dot(row, parts)) for row in weights]),
    "two layers": lambda parts, weights: sum(
        [mp.dot(row[:2], [mp.tanh(mp.dot(row, parts)) for row in weights]) for row in weights]
    ),
    "largest": lambda parts, weights: mp.where(parts[0] < parts[1], parts[1] * weights[0][0], parts[0]),
}

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
