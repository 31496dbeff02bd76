"""A program as a function for JAX gives what the engine gives, with gradients, at edges too.

XLA takes numbers below 2.2e-308, the subnormal ones, for 0 on processors, so these and their reciprocals are left out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from leaving import (
    BEHIND_MASKS,
    POINTS,
    SCALE,
    Case,
    W,
    curvature,
    in_jax,
    masked_case,
    penalty,
    random_case,
    row_case,
    shared_case,
    two_ways,
    wrong,
)
from programs import ROWS_OF_THE_TABLE, numbers

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program.exports.parameters import tensors

jax = pytest.importorskip("jax")
pytest.importorskip("jax.export")
MODEL = mp.MLP(3, [4, 2], activation="relu", seed=1)
X, Y = numbers(5, 3), numbers(5, 2, seed=1)
NORMAL = [point for point in POINTS if not 0.0 < abs(point) < 1e-300 and not 1e150 < abs(point) < inf]


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def loss(x: Any, y: Any) -> Any:
    return mp.losses.squared_error(MODEL(x), y)


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_gives_what_the_engine_gives(name: str) -> None:
    case = row_case(name, NORMAL)
    assert wrong(case, in_jax(case)) == []


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_with_its_gradient_is_lowered_for_gpus_that_are_not_here(name: str) -> None:
    case = row_case(name, [0.5, 2.0])
    lowered = lowered_for(("cuda", "rocm", "tpu"), case.program.to_jax(), jax.numpy.array(case.examples))
    assert "custom_call" not in lowered  # nothing that calls Python, or what another machine may lack
    assert "stablehlo" in lowered


def test_a_network_s_gradient_is_lowered_for_gpus_with_products_of_matrices() -> None:
    lowered = lowered_for(("cuda", "rocm", "tpu"), mp.compile(loss, x=3, y=2).to_jax(), X, Y)
    assert "custom_call" not in lowered
    assert "stablehlo.dot_general" in lowered


def lowered_for(platforms: tuple[str, ...], function: Any, *batch: Any) -> str:
    """The gradient of a batch, jitted, as the compilers of other machines take it, where none of them is there."""
    gradients = jax.jit(jax.vmap(jax.value_and_grad(function), (None, *[0 for _ in batch])))
    exported = jax.export.export(gradients, platforms=platforms)(function.parameters, *batch)
    assert exported.platforms == platforms
    return str(exported.mlir_module())


def test_programs_that_nobody_would_write_give_what_the_engine_gives() -> None:
    for seed in range(8):
        case = random_case(seed)
        assert wrong(case, in_jax(case)) == []


def test_it_is_a_pure_function_that_jits_and_vmaps_and_differentiates() -> None:
    program = mp.compile(loss, x=3, y=2)
    function = program.to_jax()
    assert sorted(function.parameters) == ["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"]
    values = jax.jit(jax.vmap(function, (None, 0, 0)))(function.parameters, X, Y)
    np.testing.assert_allclose(values, program.values(X, Y), 1e-12)
    np.testing.assert_allclose(function(function.parameters, X, Y), program.values(X, Y), 1e-12)
    mean = jax.jit(jax.value_and_grad(lambda parameters: function(parameters, X, Y).mean()))
    value, slopes = mean(function.parameters)
    wanted, gradient = program.value_and_grad(X, Y)
    assert float(value) == pytest.approx(wanted, rel=1e-12)
    for tensor in function._program.parameters.tensors:
        np.testing.assert_allclose(slopes[tensor.name].ravel(), gradient[tensor.rows], 1e-11, 1e-14)
    assert "JaxFunction(loss, layers.0.weight(4, 3)" in repr(function)


def test_derivatives_of_derivatives_forward_and_by_the_inputs() -> None:
    def smooth(x: Any) -> Any:
        return mp.mean([mp.relu(v) ** 2 * mp.sin(v) for v in MODEL(x)])

    function = mp.compile(smooth, x=3).to_jax()
    wanted = mp.hessian(smooth)(X[0].tolist())
    np.testing.assert_allclose(jax.hessian(function, 1)(function.parameters, X[0]), wanted, 1e-10, 1e-13)
    slopes = jax.jacfwd(function, 1)(function.parameters, X[0])
    np.testing.assert_allclose(slopes, mp.grad(smooth)(X[0].tolist()), 1e-11, 1e-14)


@pytest.mark.parametrize("name", ["a quotient by what is shared", "standardised", "bounds"])  # seconds for each
def test_second_derivatives_behind_masks_count_what_is_shared_once(name: str) -> None:
    function, points = BEHIND_MASKS[name]
    program = mp.compile(function, x=(), parameters=W)
    program.values(points)  # all the ways
    left = program.to_jax()
    (label, weights), x = next(iter(left.parameters.items())), np.array(points)

    def squares(w: Any) -> Any:
        return (jax.grad(lambda x: left({label: w}, x).sum())(x) ** 2).sum()

    assert jax.grad(squares)(weights).tolist() == pytest.approx(penalty(function, points), rel=1e-12)
    hessian = jax.hessian(lambda w: left({label: w}, x).sum())(weights)
    assert np.allclose(hessian, curvature(function, points), rtol=1e-12, atol=1e-12)


def test_what_is_not_reached_gets_exactly_nothing_in_every_order() -> None:
    function = mp.compile(lambda x: mp.where(x > 0.0, mp.sqrt(x), 0.0) * SCALE, x=()).to_jax()
    first = jax.grad(lambda x: function(function.parameters, x))
    assert [float(first(point)) for point in (-1.0, 0.0)] == [0.0, 0.0]
    assert [float(jax.grad(first)(point)) for point in (-1.0, 0.0)] == [0.0, 0.0]


def test_products_behind_masks_pass_nothing_not_even_infinity_times_zero() -> None:
    case = masked_case()
    assert wrong(case, in_jax(case)) == []


def test_ways_and_entries_of_tables() -> None:
    program = mp.compile(two_ways, x=())
    program.values([0.5, 3.0])
    function = program.to_jax()
    np.testing.assert_allclose(function(function.parameters, [0.5, 3.0, -3.0]), [0.25, 5.0, 5.0])
    slopes = jax.vmap(jax.grad(function), (None, 0))(function.parameters, np.array([0.5, 3.0]))
    np.testing.assert_allclose(slopes["scale"], [0.125, 2.5])
    table = [[Value(0.1 * i - j) for j in range(2)] for i in range(3)]

    def entry(x: Any) -> Any:
        row = mp.lookup(table, x[0])
        return row[0] * row[1] + mp.lookup([x[1], 2.0, SCALE], x[0])

    case = Case("entry", entry, mp.compile(entry, 2), [[i, 0.5] for i in (0.0, 1.0, 2.0, 3.0, 0.5, nan)])
    assert wrong(case, in_jax(case)) == []


@pytest.mark.parametrize("make", [shared_case, partial(random_case, 5008)])
def test_what_all_examples_share_is_reached_once_for_each_that_reaches_it(make: Any) -> None:
    case = make()
    assert wrong(case, in_jax(case)) == []
    with jax.enable_x64(True):
        function, examples = case.program.to_jax(), jax.numpy.array(case.examples)
        slopes = jax.grad(lambda weights: function(weights, examples).mean())(function.parameters)  # all at once
    _, gradient = case.program.value_and_grad(case.examples)
    for tensor in tensors(case.program):
        np.testing.assert_allclose(slopes[tensor.name].ravel(), gradient[tensor.rows], 1e-12, 1e-290)


def test_constants_are_no_parameters_and_singles_are_float32() -> None:
    fixed = Value(3.0)
    function = mp.compile(lambda x: fixed * x + SCALE, (), parameters=[SCALE]).to_jax()
    assert list(function.parameters) == ["scale"]
    assert float(function(function.parameters, 2.0)) == 8.0
    single = function({"scale": jax.numpy.float32(2.0)}, 2.0)
    assert single.dtype == jax.numpy.float32


def test_what_is_wrong_is_told() -> None:
    wrong_kind: Any = [1.0]
    function = mp.compile(loss, x=3, y=2).to_jax()
    with pytest.raises(TypeError, match=r"expected a dictionary of arrays, such as \.parameters"):
        function(wrong_kind, X, Y)
    with pytest.raises(ValueError, match=r"parameters \['w'\]; expected \['layers.0.bias'"):
        function({"w": 1.0}, X, Y)
    with pytest.raises(ValueError, match=r"layers.0.bias of shape \(\); expected \(4,\)"):
        function(function.parameters | {"layers.0.bias": 1.0}, X, Y)
    with pytest.raises(TypeError, match="expected x and y, the targets"):
        function(function.parameters, X)
    unknown = mp.primitive("unknown_to_jax", lambda x: x * 3.0, lambda out, x: 3.0)
    with pytest.raises(
        mp.ExportError, match="'unknown_to_jax' cannot leave for JAX: its forward is a function in Python"
    ):
        mp.compile(lambda x: unknown(x), x=()).to_jax()


def test_a_primitive_that_is_made_again_is_not_what_it_was_for_jax() -> None:
    """JAX's functions are listed once, when it is asked for, of what is in the table by then."""
    lines = [
        "import micrograd_plus as mp",
        "def made(name, slope): return mp.primitive('again', getattr(mp, name), slope, numpy=name)",
        "made('sin', lambda out, x: mp.cos(x))",
        "import micrograd_plus.program.exports.jax_rows",
        "again = made('cos', lambda out, x: -mp.sin(x))",
        "mp.compile(lambda x: again(x), ()).to_jax()",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert "'again' cannot leave for JAX: its forward is a function in Python" in done.stderr
