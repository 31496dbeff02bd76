"""A compiled program answers as the eager engine does, on any function and network, whatever runs it.

Batches, parameters and pickles are in tests/test_program_calls.py; what cannot be compiled, in tests/test_tracing.py.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    ACTIVATIONS,
    ARRAYS,
    EXECUTORS,
    KERNELS,
    MODEL,
    ROWS,
    STEPS,
    WEIGHTS,
    A,
    B,
    Cost,
    agree,
    checked,
    eager,
    executor,
    hold,
    jagged,
    leaves,
    numbers,
)

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.program import paths
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.networks import mlps
from micrograd_plus.strategies.programs import Expression

EDGES = (0.0, 1.0, -1.0, 0.5, 2.0, -3.0, math.inf, -math.inf, math.nan)
POINTS = (*EDGES, -0.0, 0.3, -0.7, 3.0, 40.0, -40.0, 1e10, -1e10, 1e308, -1e308, 1e-308)
REGULAR = [f for f in FUNCTIONS.values() if f.__module__ == "micrograd_plus.ops"]


# ----------------------------------------------------------------------------------------- functions made by Hypothesis


class Drawn:
    """An expression as a function of an example x; its other inputs are parameters. x[0] is of no use to it."""

    def __init__(self, expression: Expression, inputs: list[float], is_parameter: list[bool]) -> None:
        self.expression = expression
        self.parameters = [Value(x) if kept else None for x, kept in zip(inputs, is_parameter)]
        self.example = [0.0, *[x for x, kept in zip(inputs, is_parameter) if not kept]]

    def __call__(self, x: list[Any]) -> Any:
        supply = iter(x[1:])
        return self.expression(*[next(supply) if leaf is None else leaf for leaf in self.parameters])

    def __repr__(self) -> str:
        return f"{self.expression!r}\nparameters {self.parameters}"


@st.composite
def drawn(draw: st.DrawFn, max_nodes: int, edges: bool) -> tuple[Drawn, list[list[float]]]:
    """A function, and examples for it: ordinary ones, or edges."""
    expression = draw(expressions(max_nodes=max_nodes, near_kinks=True))
    count = len(expression.inputs)
    kept = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    if not edges:
        cost = Drawn(expression, list(expression.inputs), kept)
        rng = draw(st.randoms(use_true_random=False))
        others = [[x * (1.0 + 1e-3 * rng.random()) for x in cost.example] for _ in range(draw(st.integers(0, 3)))]
        return cost, [cost.example, *others]
    at = st.lists(st.sampled_from(EDGES), min_size=count, max_size=count)
    costs = [Drawn(expression, draw(at), kept) for _ in range(3)]
    return costs[0], [cost.example for cost in costs]


@pytest.mark.parametrize("name", EXECUTORS)
@given(drawn(max_nodes=30, edges=False))
@settings(max_examples=60)
def test_any_function(name: str, case: tuple[Drawn, list[list[float]]]) -> None:
    cost, examples = case
    with executor(name):
        hold(mp.compile(cost, len(examples[0])), cost, examples)


@pytest.mark.parametrize("name", EXECUTORS)
@given(drawn(max_nodes=12, edges=True))
@settings(max_examples=60)
def test_any_function_at_its_edges(name: str, case: tuple[Drawn, list[list[float]]]) -> None:
    cost, examples = case
    with executor(name):
        program = mp.compile(cost, len(examples[0]))
        for example in examples:  # alone: in a sum over examples, (0 + 1) · inf is not 0 · inf + 1 · inf
            hold(program, cost, [example])


@given(st.lists(drawn(max_nodes=12, edges=False), min_size=2, max_size=5), st.sampled_from(EXECUTORS))
@settings(max_examples=30)
def test_several_functions_at_once(cases: list[tuple[Drawn, list[list[float]]]], name: str) -> None:
    costs = [cost for cost, _ in cases]
    examples = [[x for cost in costs for x in cost.example]]

    def parts(x: list[Any]) -> list[Any]:
        supply = iter(x)
        return [cost([next(supply) for _ in cost.example]) for cost in costs]

    with executor(name):
        hold(mp.compile(lambda x: sum(parts(x)), len(examples[0])), lambda x: sum(parts(x)), examples)
        outputs = mp.compile(parts, len(examples[0]))(examples)
    wanted = [cost(cost.example) for cost in costs]
    assert agree(outputs, [[float(out) for out in wanted]], 1e3).all()  # values stay below 100 or so


@pytest.mark.parametrize("function", REGULAR, ids=lambda f: f.__name__)
def test_every_row_alone_at_special_points(function: Any) -> None:
    op = TABLE[function.__name__]
    count = op.arity
    points = list(product(POINTS, repeat=count))
    points = random.Random(0).sample(points, min(len(points), 300))
    parameters = leaves(count)
    for parameter in parameters:
        parameter.data = 1.0

    def cost(x: list[Any]) -> Any:
        return function(*[parameter * a for parameter, a in zip(parameters, x)])

    wanted = [eager(cost, [list(point)], parameters) for point in points]
    for name in EXECUTORS:
        with executor(name):
            program = mp.compile(cost, count, parameters=parameters)
            for answers, i in ((program.values(points), 0), (program.gradients(points), 1)):
                for point, got, want in zip(points, answers, [answer[i] for answer in wanted]):
                    assert agree(got, want, 0.0, 1e-12).all(), f"{op.name}{point} {'value' if i == 0 else 'gradient'}"


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if TABLE[name].scipy])
def test_rows_that_numpy_lacks_run_without_scipy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("scipy", "scipy.special"):
        monkeypatch.setitem(sys.modules, module, None)
    checked(lambda x: sum(FUNCTIONS[name](0.3 * a * A + 0.5) * B for a in x), np.clip(numbers(5, 3), -1.0, 1.0))


def test_signs_of_zero_that_stand_in_the_function() -> None:
    checked(lambda x: mp.copysign(x, 0.0) * 2.0 + mp.copysign(x, -0.0), [3.0, -2.0])


# ------------------------------------------------------------------------------------------------ networks of all kinds

LOSSES = (
    *("squared_error", "mean_squared_error", "hinge", "cross_entropy"),
    *("binary_cross_entropy", "binary_cross_entropy_with_logits"),
)


@given(
    mlps(max_inputs=5, max_layers=4, max_width=5, activations=ACTIVATIONS),
    st.sampled_from(LOSSES),
    st.sampled_from([1, 2, 3, 10, 300]),
    st.sampled_from(EXECUTORS),
    st.integers(0, 99),
)
@settings(max_examples=40)
@pytest.mark.filterwarnings("ignore:.*takes logits and was given the output of:UserWarning")  # any output, any loss
def test_any_network(model: mp.MLP, loss: str, n: int, name: str, seed: int) -> None:
    sizes = [len(model.layers[0].neurons[0].w), len(model.layers[-1].neurons)]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(min(n, 20), sizes[0]))
    y = {
        "hinge": rng.choice([-1.0, 1.0], size=(len(x), sizes[1])),
        "binary_cross_entropy": rng.integers(0, 2, size=(len(x), sizes[1])).astype(float),
        "binary_cross_entropy_with_logits": rng.integers(0, 2, size=(len(x), sizes[1])).astype(float),
        "cross_entropy": np.eye(sizes[1])[rng.integers(0, sizes[1], size=len(x))],
    }.get(loss, rng.normal(size=(len(x), sizes[1])))

    def cost(x: list[Any], y: list[Any]) -> Any:
        out = model(x)
        outs = out if isinstance(out, list) else [out]
        if loss == "binary_cross_entropy":
            outs = [mp.sigmoid(0.5 * z) for z in outs]
        if loss == "binary_cross_entropy_with_logits":
            outs = [0.5 * z for z in outs]
        return getattr(mp.losses, loss)(outs, y) if loss != "cross_entropy" or len(outs) > 1 else outs[0] * y[0]

    with executor(name):
        program = mp.compile(cost, *sizes)
        assert program.parameters == model.parameters()
        hold(program, cost, x, y)
        whole = np.resize(x, (n, sizes[0])), np.resize(y, (n, sizes[1]))
        parts = [program.value_and_grad(part, target) for part, target in zip(*(np.split(a, n) for a in whole))]
        loss_, gradient = program.value_and_grad(*whole)
        size = np.mean([np.abs(part) for _, part in parts], axis=0)
        assert agree(loss_, np.mean([part for part, _ in parts]), 1.0)
        assert agree(gradient, np.mean([part for _, part in parts], axis=0), size + 1e-6).all()


def largest(xs: list[Any]) -> Any:
    out = xs[0]
    for x in xs[1:]:
        out = mp.maximum(out, x)
    return out


def convolution(x: list[Any], y: Any) -> Any:
    maps = [
        [
            mp.relu(sum(k[a][b] * x[i + a][j + b] for a in range(3) for b in range(3)) + B)
            for i in (0, 1)
            for j in (0, 1, 2)
        ]
        for k in KERNELS
    ]
    return mp.square(sum(maps[0]) - y) + largest(maps[1])


def attention(x: list[Any]) -> Any:
    queries, keys = [[[mp.dot(row, token) for row in rows] for token in x] for rows in (ROWS, ROWS[::-1])]
    out: Any = 0.0
    for query in queries:
        weights = mp.softmax([0.5 * mp.dot(query, key) for key in keys])
        out = out + sum(mp.square(sum(p * token[d] for p, token in zip(weights, x))) for d in range(3))
    return out


def irregular(x: Any) -> Any:
    """Of two spread constants, one has a column for each example and one has not."""
    a = mp.cosh(A)
    return 0.0 * x + mp.selu(mp.round(a)) + mp.erf(a) ** mp.cosh(mp.log(a)) * mp.selu(mp.softplus(a))


STRUCTURES: dict[str, tuple[Cost, Any, Any]] = {
    "a model after itself": (lambda x: sum(MODEL(MODEL(x))), numbers(5, 3), None),
    "skipped connections": (
        lambda x: sum(a * b for a, b in zip(MODEL([u + v for u, v in zip(MODEL(x), x)]), x)),
        numbers(5, 3),
        None,
    ),
    "windows of one dimension": (
        lambda x: sum(mp.tanh(mp.dot(WEIGHTS, x[i : i + 3]) + B) for i in range(6)),
        numbers(5, 8),
        None,
    ),
    "windows of two dimensions": (convolution, numbers(4, 4, 5), numbers(4)),
    "attention": (attention, numbers(4, 4, 3), None),
    "products of inputs": (lambda x: sum(mp.dot(a, b) * A for a in x for b in x), numbers(4, 3, 4), None),
    "a matrix times many columns": (
        lambda x: sum(mp.square(mp.dot(r, c)) for r in ROWS for c in zip(*x)),
        numbers(3, 3, 4),
        None,
    ),
    "a matrix and its transposed": (
        lambda x: mp.dot(x, [mp.dot(c, [mp.dot(r, x) for r in ROWS]) for c in zip(*ROWS)]),
        numbers(4, 3),
        None,
    ),
    "weights alone": (
        lambda x: x * sum(mp.square(mp.dot(r, WEIGHTS)) for r in ROWS) + mp.dot(WEIGHTS, WEIGHTS),
        numbers(3),
        None,
    ),
    "weights that are functions": (lambda x: mp.dot([mp.exp(w) for w in WEIGHTS], x) * mp.tanh(A), numbers(3, 3), None),
    "softmax and one-hot targets": (
        lambda x, y: -mp.dot(y, mp.log_softmax([a * A + i for i, a in enumerate(x)])),
        numbers(4, 4),
        np.eye(4),
    ),
    "cross-entropy of logits": (
        lambda x, y: mp.losses.cross_entropy([a * A + B for a in x], y),
        numbers(3, 3) * 300,
        np.eye(3),
    ),
    "logsumexp and mean": (lambda x: mp.logsumexp([a * A for a in x]) + mp.mean(x), numbers(4, 4) * 300, None),
    "the largest, ties too": (
        lambda x: largest([mp.round(a) * A for a in x]) + largest([A, B, A]),
        numbers(9, 3),
        None,
    ),
    "choices": (lambda x: mp.where(x[0] > A, x[1] * A, mp.where(x[0] < B, B * B, x[1] - A)) * B, numbers(9, 2), None),
    "choices of weights": (lambda x: mp.where(A < 0.0, 0.0, x * x * A) + mp.where(A > B, x * B, 1.0), numbers(5), None),
    "choices that are settled": (
        lambda x: sum(mp.where(1.0, x, w) * w + mp.where(0.0, w, x) for w in WEIGHTS),
        numbers(5),
        None,
    ),
    "powers that are settled": (
        lambda x: sum((x * w) ** 0 + (x * w) ** 1 + (x * w) ** 2 for w in WEIGHTS),
        numbers(5),
        None,
    ),
    "counted sums": (lambda x: sum(i * w * x + 0.5 * i for i, w in enumerate(WEIGHTS)) - (-x), numbers(5), None),
    "a sum of a sum of sums": (lambda x: A - (x - (A - (B - (x * A - 2.0)))), numbers(5), None),
    "the same weight many times": (
        lambda x: A * A * A + mp.log(A) + mp.log(A) * x + mp.minimum(A, mp.log(A)),
        numbers(5),
        None,
    ),
    "a scalar's functions": (
        lambda x: mp.selu(mp.exp(A)) + (mp.exp(A) - mp.exp(mp.exp(A))) + x * 0.0 + A * A,
        numbers(2),
        None,
    ),
    "weights alone, irregularly": (irregular, numbers(2), None),
    "huge factors that cancel": (lambda x: x * A * 1e200 * 1e200 * 1e-200 * 1e-200, [1e-300], None),
    "nothing regular": (jagged, numbers(2, 3), None),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_any_structure(name: str) -> None:
    cost, x, y = STRUCTURES[name]
    checked(cost, x, y)


def test_wide_sums() -> None:
    weights = leaves(2_000)
    checked(lambda x: mp.dot(weights, [mp.square(a) for a in x]), numbers(2, 2_000))
    checked(lambda x: sum([x * (A if i % 3 else B) * float(i) for i in range(3_000)]), numbers(2))


@pytest.mark.parametrize("links", [1_500, 10_000])
def test_deep_chains(links: int) -> None:
    def cost(x: Any) -> Any:
        for i in range(links):
            x = mp.sin(x) * A + B if i % 2 else x * A + 0.1
        return x

    program = mp.compile(cost, ())
    hold(program, cost, [0.3, -0.2])
    with executor(STEPS[0]):
        hold(mp.compile(cost, ()), cost, [0.3])


def test_a_chain_of_200_000() -> None:
    def cost(x: Any) -> Any:
        for _ in range(200_000):
            x = mp.sin(x)
        return x * A

    value, gradient = mp.compile(cost, ()).value_and_grad([0.3])
    expected = 0.3
    for _ in range(200_000):
        expected = math.sin(expected)
    assert agree([value, *gradient], [expected * A.data, expected], 0.0).all()


@pytest.mark.parametrize("name", ARRAYS)
def test_batches_larger_than_a_part(name: str) -> None:
    """Batches are cut so that no array gets too large; here into parts of 64."""
    weights = leaves(40)
    with pytest.MonkeyPatch.context() as patch, executor(name):
        patch.setattr(paths, "CELLS", 4)
        program = mp.compile(lambda x: mp.square(sum([mp.tanh(w * x) for w in weights])), ())
        x = numbers(150)
        hold(program, lambda x: mp.square(sum([mp.tanh(w * x) for w in weights])), x)


# ---------------------------------------------------------------------------------------------- primitives of one's own

PRIMITIVES: dict[str, Callable[[], Cost]] = {
    "partial in math": lambda: mp.primitive("p_sin", math.sin, lambda out, x: math.cos(x)),
    "partial that branches": lambda: mp.primitive(
        "p_square_or", lambda x: x * x if x > 0.0 else -x, lambda out, x: 2.0 * x if x > 0.0 else -1.0
    ),
    "partial that compares": lambda: mp.primitive(
        "p_equal", lambda x: 2.0 * x, lambda out, x: 5.0 if x == 0.0 else 2.0
    ),
    "NumPy's": lambda: mp.primitive("p_arctan", math.atan, lambda out, x: mp.reciprocal(1.0 + x * x), numpy="arctan"),
    "mask": lambda: mp.primitive("p_relu", lambda x: max(x, 0.0), mp.mask(lambda out, x: 1.0 if x > 0.0 else 0.0)),
    "flat": lambda: mp.primitive("p_floor", math.floor, None),
    "option": lambda: mp.primitive(
        "p_power", lambda x, p: math.fabs(x) ** p, lambda out, x, p: p * x * mp.abs(x) ** (p - 2.0), options={"p": 3.0}
    ),
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives_of_ones_own(name: str) -> None:
    function = PRIMITIVES[name]()
    checked(
        lambda x: sum(function(a * A) * B + function(a) * A for a in x), [*numbers(4, 3).tolist(), [0.0, -1.0, 1.0]]
    )


def test_a_primitive_of_three_arguments() -> None:
    partials = (lambda out, x, y, z: y, lambda out, x, y, z: x, lambda out, x, y, z: 1.0)
    fma = mp.primitive("p_fma", lambda x, y, z: x * y + z, partials)
    checked(lambda x: sum(fma(A, a, B * a) for a in x) + fma(A, B, A) + fma(1.0, x[0], A), numbers(4, 3))


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_primitive_made_again_leaves_older_programs_alone(name: str) -> None:
    power = mp.primitive("p_again", lambda x: x * x, lambda out, x: 2.0 * x)
    with executor(name):
        program = mp.compile(lambda x: power(x * A), ())
        mp.primitive("p_again", lambda x: x * x * x, lambda out, x: 3.0 * x * x)
        value, gradient = program.value_and_grad([2.0], parameters=[1.0])
    assert (value, gradient.tolist()) == (4.0, [8.0])
