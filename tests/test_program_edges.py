"""Compiled programs at the edges: 0 · inf in matrix products, branches not taken, comparisons as numbers, float32."""

from __future__ import annotations

import random
from itertools import product
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import ARRAYS, EXECUTORS, ROWS_OF_THE_TABLE, Random, agree, checked, executor, hold

import micrograd_plus as mp
from micrograd_plus import Value

POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e308, inf, -inf, nan)
ODD = (inf, -inf, nan)


@pytest.mark.parametrize("name", EXECUTORS)
@given(st.integers(0, 10**9))
@settings(max_examples=150)
def test_programs_from_all_rows(name: str, seed: int) -> None:
    """The quick part of `python benchmarks/answers.py`, which tries 20,000."""
    program = Random(random.Random(seed))
    with executor(name):
        hold(mp.compile(program, program.inputs, parameters=program.parameters), program, program.examples)


# --------------------------------------------------------------------------------------------- comparisons are numbers


def steps() -> list[Any]:
    """Functions of two numbers that compare; two are primitives, True or False in NumPy, one of no ufunc."""
    is_nan = mp.primitive("p_is_nan", lambda x: float(x != x), None, numpy="isnan")
    is_top = mp.primitive("p_is_top", lambda x: float(x == inf), None, numpy="isposinf")
    return [mp.less, mp.less_equal, mp.equal, lambda a, b: is_nan(a) - is_nan(a - b), lambda a, b: is_top(a)]


@given(st.integers(0, 10**9), st.sampled_from([1, 2, 50]))
@settings(max_examples=60)
def test_comparisons_are_numbers_wherever_they_go(seed: int, n: int) -> None:
    """Through any nest of `where`, of other comparisons and of sums: True + True is 2."""
    rng = random.Random(seed)
    plan = [(rng.randrange(7), [rng.randrange(4 + i) for _ in range(3)]) for i in range(rng.randint(2, 10))]
    a, compared = Value(1.0), steps()

    def cost(x: list[Any]) -> Any:
        made = [*x, a]
        for kind, (i, j, k) in plan:
            step = compared[kind] if kind < 5 else lambda p, q, k=k: mp.where(made[k], p, q)
            made.append(step(made[i], made[j]) if kind != 6 else made[i] - made[j] * made[k])
        return sum(made[4:]) + mp.exp(mp.where(made[-1], made[-2], made[-1])) * a

    rows = [[rng.choice((1.0, 2.0, 1.0, nan, inf)) for _ in range(3)] for _ in range(2)]
    for name in EXECUTORS:
        for dtype in ("float64", "float32"):
            with executor(name):
                program = mp.compile(cost, 3, parameters=[a], dtype=dtype)
                assert program.values(rows).dtype == dtype
                hold(program, cost, (rows * n)[:n], tolerance=1e-9 if dtype == "float64" else 1e-5)


# ------------------------------------------------------------------------------------- constants for arguments, any row


@pytest.mark.parametrize("function", [f for f in ROWS_OF_THE_TABLE if f.op.arity == 2], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ARRAYS)
def test_rows_with_a_constant_or_a_weight_for_an_argument(name: str, function: Any) -> None:
    """One number for all examples goes other ways through NumPy than one for each: power's root, at 1/2."""
    weight = Value(0.0)

    def outputs(x: Any, c: float) -> list[Any]:
        return [function(x, c), function(c, x), function(x, weight), function(weight, x)]

    for c in (*POINTS, 2.0, -2.0):
        weight.data = c
        wanted = np.array([[float(out) for out in outputs(Value(x), c)] for x in POINTS])
        with executor(name):
            together = mp.compile(lambda x, c=c: outputs(x, c), ())(POINTS)
            alone = np.array([mp.compile(lambda x, c=c, i=i: outputs(x, c)[i], ()).values(POINTS) for i in range(4)]).T
        for got in (together, alone):
            assert agree(got, wanted, 0.0, 1e-12).all(), (c, got, wanted)
            if function.__name__ not in ("add", "sub"):  # x + 0 is x, also at -0.0: the sign of a sum's zero may differ
                assert (np.signbit(got) == np.signbit(wanted))[wanted == 0.0].all(), (c, got, wanted)


# --------------------------------------------------------------------------------------- 0 · inf inside matrix products


@pytest.mark.parametrize("odd", [inf, nan])
@pytest.mark.parametrize(("m", "k"), [(1, 1), (1, 2), (2, 1), (3, 2), (4, 9), (2, 50)])
@pytest.mark.parametrize("name", ARRAYS)
def test_zero_times_infinity_in_a_matrix_product(name: str, m: int, k: int, odd: float) -> None:
    """Forward, back to the argument and back to the matrix, at every batch size, whatever BLAS makes of its size."""
    for where in ("x", "other", "matrix"):
        matrix = [[Value(0.5 + i - j if where == "matrix" or j else 0.0) for j in range(k)] for i in range(m)]
        if where == "matrix":
            matrix[-1][0].data = odd
        below = [Value(1.0) for _ in range(k)]

        def cost(x: list[Any], matrix: Any = matrix, below: Any = below) -> Any:
            outs = mp.dot(matrix, [a * b for a, b in zip(x[1:], below)])
            again = mp.dot(matrix, x[k + 1 :])  # what comes back to the matrix is added up
            return sum([x[0] * (out + 1.0) + x[0] * (other + 1.0) for out, other in zip(outs, again)])

        with executor(name):
            leaves = [*below, *[weight for row in matrix for weight in row]]
            program = mp.compile(cost, 2 * k + 1, parameters=leaves)
            for n, factor in product((1, 2, 33), (0.0, 2.0)):  # the factor is what comes back
                x = np.ones((n, 2 * k + 1))
                x[:, 0] = factor
                x[n // 2, 1 + k * (where == "other")] = 0.0 if where == "matrix" else odd
                hold(program, cost, x)


# ------------------------------------------------------------------------------------------------ branches not taken


@pytest.mark.parametrize("function", ROWS_OF_THE_TABLE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", EXECUTORS)
def test_what_is_not_reached_gets_exactly_zero(name: str, function: Any) -> None:
    """Under a condition, a relu and a maximum, each example of a batch by itself."""
    op = function.op
    count = op.arity
    parameters = [Value(1.0) for _ in range(count)]

    def cost(x: list[Any]) -> Any:
        inner = function(*[parameter * a for parameter, a in zip(parameters, x[1:])])
        above = mp.where(x[0], mp.square(inner), 7.0) + mp.relu(mp.where(x[0], 0.0, -1.0) + mp.where(x[0], inner, -1.0))
        return above + mp.maximum(7.0, mp.where(x[0], inner * 2.0, 1.0))

    rng = random.Random(0)
    rows = [[0.0, *[rng.choice(POINTS) for _ in range(count)]] for _ in range(40)]
    with executor(name):
        program = mp.compile(cost, count + 1, parameters=parameters)
        assert not program.gradients(rows).any()
        assert not program.value_and_grad(rows)[1].any()
        checked = [*rows[:3], [1.0, *[0.7] * count], *rows[3:6]]
        hold(program, cost, checked)


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.parametrize("odd", ODD)
def test_a_network_in_a_branch_not_taken(name: str, odd: float) -> None:
    """Its weights may be infinite, its products 0 · inf: nothing of it is seen by the examples that go elsewhere."""
    one, other = [mp.MLP(2, [3, 2, 1], activation="relu", seed=seed) for seed in (1, 2)]
    parameters = [*one.parameters(), *other.parameters()]
    for weight in other.parameters()[::2]:
        weight.data = odd

    def cost(x: list[Any]) -> Any:
        return mp.where(x[0] > 0.0, mp.square(one(x)), mp.tanh(other(x)))

    with executor(name):
        program = mp.compile(cost, 2, parameters=parameters)
        for x in ([[1.0, 0.5], [2.0, -1.0]], [[1.0, 0.5], [-1.0, 0.5]], [[-1.0, 0.5]]):
            hold(program, cost, x)
        assert np.isfinite(program.value_and_grad([[1.0, 0.5], [2.0, -1.0]])[1]).all()


@pytest.mark.parametrize("name", ARRAYS)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=60)
def test_products_of_many_columns_in_branches(name: str, m: int, k: int, q: int, seed: int) -> None:
    """A matrix times q columns, of which each example takes some: what is reached is told column by column."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice([1.0, 0.25, 0.0, inf, nan], p=[0.4, 0.3, 0.1, 0.1, 0.1], size=(m, k))
    weights = [[Value(float(w)) for w in row] for row in numbers]
    shift = [Value(1.0) for _ in range(k)]

    def cost(x: list[Any]) -> Any:
        matrix = [[mp.sqrt(w) for w in row] for row in weights]  # its slope at 0 is infinite
        columns = [[a + s for a, s in zip(column[1:], shift)] for column in x]
        outs = [mp.dot(row, column) for row in matrix for column in columns]
        return sum([mp.where(x[i % q][0], out, 1.0) * (i % 3 > 0) for i, out in enumerate(outs)])

    x = rng.choice([0.0, 1.0, -2.0, inf], p=[0.4, 0.3, 0.2, 0.1], size=(5, q, k + 1))
    leaves = [*shift, *[weight for row in weights for weight in row]]
    with executor(name):
        hold(mp.compile(cost, (q, k + 1), parameters=leaves), cost, x)


def test_a_gradient_of_a_gradient() -> None:
    """What a traced gradient is made of is masked where the gradient was."""
    a = Value(1.0)

    def cost(x: Any) -> Any:
        y = mp.where(x > 0.0, mp.sqrt(x * a), x * x * a)
        return mp.square(mp.gradient(y, [a], create_graph=True)[0])

    checked(cost, [1.0, 4.0, -1.0, 0.0, -2.0], parameters=[a])


# ------------------------------------------------------------------------------------------------------------- float32


@pytest.mark.parametrize("x", [0.1, None])
def test_means_over_a_million_examples_in_float32(x: float | None) -> None:
    """A plain sum of 10⁶ times 0.1 in float32 is 100958."""
    a, b = Value(0.1), Value(0.3)
    xs = np.full(1_000_000, x) if x else np.random.default_rng(0).uniform(size=1_000_000)
    program, single = [mp.compile(lambda x: a * x + b * b, (), dtype=dtype) for dtype in ("float64", "float32")]
    loss, gradient = program.value_and_grad(xs)
    for got, want in (
        (single(xs), loss),
        (single.value_and_grad(xs)[0], loss),
        (single.value_and_grad(xs)[1], gradient),
    ):
        assert np.allclose(got, want, rtol=1e-6, atol=0.0)
    assert single.value_and_grad(xs)[1].dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_numbers_of_a_program_are_of_its_dtype(dtype: Any) -> None:
    """Whatever runs it, and however many ways and parameters it has: kernels sum up in doubles."""
    a, b = Value(0.1), Value(0.3)
    costs: list[Any] = [lambda x: a * x, lambda x: a * x * b, lambda x: a * x if x > 0.0 else mp.tanh(b * x) + a]
    for cost in costs:
        for backend in (None, "numpy"):
            program = mp.compile(cost, (), parameters=[a] if cost is costs[0] else [a, b], dtype=dtype, backend=backend)
            for xs in ([0.5], [0.5, -0.5], np.linspace(-1.0, 1.0, 300)):
                given = program.values(xs), program.gradients(xs), program.value_and_grad(xs)[1]
                assert [array.dtype for array in given] == [np.dtype(dtype)] * 3
