"""A program as an ONNX model, run by onnxruntime, gives what the engine gives, at edges too; nodes are ONNX's own."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import sys
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from leaving import (
    SCALE,
    Case,
    in_onnx,
    masked_case,
    onnx_session,
    random_case,
    row_case,
    shared_case,
    three_ways,
    wrong,
)
from programs import ACTIVATIONS, ROWS_OF_THE_TABLE, executor, jagged, numbers

import micrograd_plus as mp
from micrograd_plus import Value

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
MODEL = mp.MLP(3, [4, 2], activation="relu", seed=1)
X, Y = numbers(5, 3), numbers(5, 2, seed=1)
BY_HAND = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}  # what onnxruntime has in float64
IN_SINGLE = {"gelu": "Gelu", "leaky_relu": "LeakyRelu", "softplus": "Softplus", "elu": "Elu"}


def loss(x: Any, y: Any) -> Any:
    return mp.losses.squared_error(MODEL(x), y)


def model_of(program: Any, folder: Path, **options: Any) -> Any:
    program.to_onnx(folder / "model.onnx", **options)
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    return model


def operators(program: Any, folder: Path, **options: Any) -> list[str]:
    return [node.op_type for node in model_of(program, folder, **options).graph.node]


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_gives_what_the_engine_gives(name: str) -> None:
    case = row_case(name)
    assert wrong(case, in_onnx(case)) == []


def test_programs_that_nobody_would_write_give_what_the_engine_gives() -> None:
    for seed in range(25):
        case = random_case(seed)
        assert wrong(case, in_onnx(case)) == []


def test_the_check_can_fail() -> None:
    case = row_case("sin")
    answers = in_onnx(case)
    answers.gradients[3, 0] *= 1.0 + 1e-9
    assert len(wrong(case, answers)) == 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_mlp_is_what_one_would_write_by_hand(tmp_path: Path, activation: str, dtype: Any) -> None:
    model = mp.MLP(3, [4, 4, 2], activation=activation, seed=1)
    program = mp.compile(model, x=3)
    made = operators(program, tmp_path, dtype=dtype)
    bend = BY_HAND.get(activation) or (IN_SINGLE.get(activation) if dtype == "float32" else None)
    if bend or activation == "linear":
        bends = [bend] if bend else []
        assert made == ["Gemm", *bends, "Gemm", *bends, "Gemm"]
    assert made.count("Gemm") == 3
    (got,) = onnx_session(program, dtype=dtype).run(None, {"x": X.astype(dtype)})
    assert got.dtype == dtype
    rtol, atol = (1e-12, 1e-14) if dtype == "float64" else (1e-5, 1e-6)
    np.testing.assert_allclose(got, program.values(X), rtol, atol)


def test_the_file_tells_its_names_shapes_and_opset(tmp_path: Path) -> None:
    model = model_of(mp.compile(loss, x=3, y=2), tmp_path)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 20)]
    assert (model.producer_name, model.graph.name) == ("micrograd_plus", "loss")
    shapes = {each.name: tuple(each.dims) for each in model.graph.initializer if "." in each.name}
    weights = {"layers.0.weight": (4, 3), "layers.0.bias": (4,), "layers.1.weight": (2, 4), "layers.1.bias": (2,)}
    assert shapes == weights
    kept = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    wanted = [[weight.data for weight in neuron.w] for neuron in MODEL.layers[0].neurons]
    assert kept["layers.0.weight"].tolist() == wanted
    sizes = [[d.dim_param or d.dim_value for d in each.type.tensor_type.shape.dim] for each in model.graph.input]
    assert [each.name for each in model.graph.input] == ["x", "y"]
    assert sizes == [["batch", 3], ["batch", 2]]
    told = {each.key: each.value for each in model.metadata_props}
    assert told["inputs"] == "x: batch x 3; y: batch x 2"
    assert told["parameters"].startswith("layers.0.weight: 4 x 3; layers.0.bias: 4;")
    assert (told["opset"], told["dtype"], told["function"]) == ("20", "float64", "loss")
    assert {node.domain for node in model.graph.node} == {""}
    assert all(onnx.defs.has(node.op_type) for node in model.graph.node)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_a_loss_leaves_with_the_gradient_of_the_batch(tmp_path: Path, activation: str) -> None:
    model = mp.MLP(3, [4, 2], activation=activation, seed=1)
    program = mp.compile(lambda x, y: mp.losses.cross_entropy(model(x), mp.softmax(y)), x=3, y=2)
    given = {"x": X, "y": Y}
    session = onnx_session(program, gradient=True)
    names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert [each.name for each in session.get_outputs()] == ["out", *[f"gradient.{name}" for name in names]]
    out, *slopes = session.run(None, given)
    np.testing.assert_allclose(out, program.values(X, Y), 1e-12)
    _, gradient = program.value_and_grad(X, Y)
    layers = [gradient[:16].reshape(4, 4), gradient[16:].reshape(2, 5)]  # a neuron's weights, then its bias
    for got, wanted in zip(slopes, [part for layer in layers for part in (layer[:, :-1], layer[:, -1])]):
        np.testing.assert_allclose(got, wanted, 1e-11, 1e-15)
    # and it learns there: parameters may be given
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in model_of(program, tmp_path).graph.initializer}
    moved = {name: weights[name] - 0.1 * slope for name, slope in zip(names, slopes)}
    assert session.run(["out"], given | moved)[0].mean() < out.mean()


def test_floats_are_single(tmp_path: Path) -> None:
    program = mp.compile(loss, x=3, y=2)
    out, *slopes = onnx_session(program, gradient=True, dtype="float32").run(
        None, {"x": X.astype("float32"), "y": Y.astype("float32")}
    )
    assert {each.dtype for each in (out, *slopes)} == {np.dtype("float32")}
    np.testing.assert_allclose(out, program.values(X, Y), 1e-5)
    single = mp.compile(loss, x=3, y=2, dtype="float32")
    assert onnx_session(single).get_inputs()[0].type == "tensor(float)"


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_leaves_in_single_floats(name: str) -> None:
    case = row_case(name)
    points = [[0.3] * len(row) for row in case.examples[:1]]
    out, *slopes = onnx_session(case.program, gradient=True, dtype="float32").run(
        None, {"x": np.array(points, dtype="float32")}
    )
    np.testing.assert_allclose(out, case.program.values(points), 1e-4, 1e-6)
    wanted = case.program.value_and_grad(points)[1]
    np.testing.assert_allclose([float(slope.item()) for slope in _in_order(case, slopes)], wanted, 1e-3, 1e-5)


def _in_order(case: Case, slopes: list[Any]) -> list[Any]:
    """Those of `weights`, a list, one by one."""
    return [number for slope in slopes for number in np.ravel(slope)]


def cases(name: str, cost: Any, examples: list[Any], parameters: Any = None) -> list[Case]:
    """A program as it is compiled, and as it would be if it were large, with arrays and nothing else."""
    made = [Case(name, cost, mp.compile(cost, len(examples[0]), parameters=parameters), examples)]
    with executor("numpy"):
        program = mp.compile(cost, len(examples[0]), parameters=parameters)
        program.values(examples)  # goes all its ways
        return [*made, Case(f"{name}, as arrays", cost, program, examples)]


def test_products_behind_masks_pass_nothing_not_even_infinity_times_zero() -> None:
    for case in (masked_case(), shared_case(), random_case(5008)):
        assert wrong(case, in_onnx(case)) == []
    weights = [[Value(nan), Value(1.0)], [Value(0.5), Value(2.0)], [Value(1.0), Value(-1.0)]]
    inner = [[Value(1.0), Value(0.5)], [Value(0.25), Value(-1.0)]]
    flat = [weight for rows in (weights, inner) for row in rows for weight in row]

    def cost(x: Any) -> Any:
        hidden = [mp.tanh(total) for total in mp.dot(inner, x[:2])]
        return sum([mp.where(v > 0.0, total, 0.0) for v, total in zip(x, mp.dot(weights, hidden))])

    rows = [[-1.0, 0.5, 0.5], [1.0, -1.0, 0.0], [-1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, 1.0, nan]]

    def flatter(x: Any) -> Any:
        return sum([mp.where(v > 0.0, total, 0.0) for v, total in zip(x[2:], mp.dot(inner, x[:2]))])

    beside = [[inf, 1.0, -1.0, -1.0], [nan, nan, -1.0, 0.0], [0.5, -inf, 0.0, -0.0], [1.0, 2.0, 1.0, -1.0]]
    both = [*cases("weights that are nan", cost, rows, flat), *cases("infinite inputs", flatter, beside)]
    for case in both:
        answers = in_onnx(case)
        assert wrong(case, answers) == []
        assert not answers.gradients[2].any()  # where all gates are shut


def test_convolutions_behind_masks_and_the_largest_of_many() -> None:
    kernel = [[Value(0.1 * i - 0.2 * j) for j in range(3)] for i in range(2)]

    def slide(x: Any) -> Any:
        made = [mp.relu(mp.dot(row, x[i : i + 3])) for row in kernel for i in range(6)]
        return mp.logsumexp(made) + sum([mp.square(each) for each in made])

    def largest(x: Any) -> Any:
        return SCALE * mp.stop_gradient(functools.reduce(mp.maximum, x)) - mp.stop_gradient(
            functools.reduce(mp.minimum, x)
        )

    rows = [*numbers(6, 8).tolist(), [inf, *[1.0] * 7], [1.0] * 7 + [nan], [-inf] + [0.0] * 7, [0.0] * 8]
    for case in (*cases("slide", slide, rows), *cases("largest", largest, rows)):
        assert wrong(case, in_onnx(case)) == []


def test_ways_through_layers_and_entries_of_tables_and_what_is_not_regular() -> None:
    ways = mp.compile(three_ways, x=())
    ways.values([0.5, 3.0, -3.0])
    session = onnx_session(ways, gradient=True)
    out, slope = session.run(None, {"x": np.array([0.5, 3.0, -3.0])})
    assert out.tolist() == [0.25, 5.5, 5.5]
    assert float(slope) == pytest.approx((0.125 + 3.0 + 3.0) / 3.0)
    table = [[Value(0.1 * i - j) for j in range(2)] for i in range(3)]
    other = mp.MLP(3, [4, 2], activation="tanh", seed=2)

    def layers(x: Any) -> Any:
        out = MODEL(x) if x[0] > 0.0 else other(x)
        return out[0] * out[1] + SCALE

    def entry(x: Any) -> Any:
        row = mp.lookup(table, x[0])
        return row[0] * row[1] + mp.lookup([x[1], 2.0, SCALE], x[0])

    indices = [[i, 0.5] for i in (0.0, 1.0, 2.0, 3.0, 0.5, -1.0, nan, inf)]
    jagged_case = Case("jagged", jagged, mp.compile(jagged, 3), X.tolist())
    for case in (
        *cases("layers", layers, X.tolist(), [*MODEL.parameters(), *other.parameters(), SCALE]),
        *cases("entry", entry, indices),
        jagged_case,
    ):
        case.program.values(case.examples)
        answers = in_onnx(case)
        assert wrong(case, answers) == []
        if case.cost is entry:
            assert np.isnan(answers.values).tolist() == [False] * 3 + [True] * 5
            assert not answers.gradients[3:].any()


def test_a_way_that_no_example_went_is_nan() -> None:
    ways = mp.compile(three_ways, x=())
    ways.values([0.5, 3.0])  # but none below -1
    out, slope = onnx_session(ways, gradient=True).run(None, {"x": np.array([0.5, 3.0, -3.0])})
    assert out.tolist()[:2] == [0.25, 5.5]
    assert np.isnan(out[2])
    assert np.isnan(slope)
    _, slope = onnx_session(ways, gradient=True).run(None, {"x": np.array([0.5, 3.0])})
    assert float(slope) == pytest.approx((0.125 + 3.0) / 2.0)


def test_several_outputs_constants_images_and_none_of_anything() -> None:
    fixed, given = Value(3.0, label="fixed"), np.array([[1.0, 2.0], [0.5, -1.0]])

    def outputs(x: Any) -> Any:
        return [x[0], SCALE * 1.0, fixed * x[1], mp.maximum(x[0], x[1])]

    session = onnx_session(mp.compile(outputs, x=2, parameters=[SCALE]))
    assert session.run(None, {"x": given})[0].tolist() == [[1.0, 2.0, 6.0, 2.0], [0.5, 2.0, -3.0, 0.5]]
    still = onnx_session(mp.compile(lambda x: SCALE * 1.0, x=2), gradient=True).run(None, {"x": given})
    assert [still[0].tolist(), still[1].tolist()] == [[2.0, 2.0], 1.0]
    same = onnx_session(mp.compile(lambda x: [x, x], x=())).run(None, {"x": given[0]})
    assert same[0].tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert onnx_session(mp.compile(lambda x: x, x=())).run(None, {"x": given[0]})[0].tolist() == [1.0, 2.0]
    idle = onnx_session(mp.compile(lambda x: fixed * x, (), parameters=[SCALE, fixed]), gradient=True)
    assert [float(slope) for slope in idle.run(None, {"x": given[0]})[1:]] == [0.0, 1.5]
    image = mp.compile(lambda x: sum([SCALE * v for row in x for v in row]), x=(2, 3))
    assert onnx_session(image).run(None, {"x": np.arange(12.0).reshape(2, 2, 3)})[0].tolist() == [30.0, 102.0]


def test_names_are_free(tmp_path: Path) -> None:
    x, out, slope = Value(3.0, label="x"), Value(0.5, label="out"), Value(2.0, label="Mul_1")
    program = mp.compile(lambda v: x * v + out * mp.square(v) * slope, (), parameters=[x, out, slope])
    out_, *slopes = onnx_session(program, gradient=True).run(None, {"x": np.array([2.0])})
    assert out_.tolist() == [10.0]
    assert [float(each) for each in slopes] == [2.0, 8.0, 2.0]
    names = [each.name for each in model_of(program, tmp_path).graph.initializer]
    assert names[:3] == ["x_", "out_", "Mul_1"]


def test_primitives_leave_by_their_formulas_and_what_cannot_is_named(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    unknown = mp.primitive("unknown_to_onnx", lambda x: x * 3.0, lambda out, x: 3.0)
    bent = mp.primitive("bent_for_onnx", lambda x: x * x, lambda out, x: 2.0 * float(x), arrays=lambda x: x * x)
    slope = lambda out, x: 3.0 * mp.square(x)  # noqa: E731
    cube = mp.primitive("cube_for_onnx", lambda x: x**3, slope, arrays=lambda x: x * x * x)
    assert onnx_session(mp.compile(lambda x: cube(x), x=())).run(None, {"x": np.array([2.0])})[0].tolist() == [8.0]
    with pytest.raises(mp.ExportError, match="'unknown_to_onnx' cannot leave for ONNX: its forward is a function in P"):
        mp.compile(lambda x: unknown(x), x=()).to_onnx(file)
    program = mp.compile(lambda x: bent(SCALE * x), x=())
    assert onnx_session(program).run(None, {"x": np.array([2.0])})[0].tolist() == [16.0]
    with pytest.raises(mp.ExportError, match="gradient of 'bent_for_onnx' by its argument 1 cannot leave for ONNX"):
        program.to_onnx(file, gradient=True)
    with pytest.raises(mp.ExportError, match="an unpickled program keeps what runs it"):
        pickle.loads(pickle.dumps(mp.compile(mp.tanh, x=()))).to_onnx(file)
    assert not file.exists()


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    program = mp.compile(loss, x=3, y=2)
    wrong_dtype: Any = "float16"
    with pytest.raises(ValueError, match=r"to_onnx\(.*model.c'\): expected a name in .onnx"):
        program.to_onnx(tmp_path / "model.c")
    with pytest.raises(ValueError, match=r"to_onnx\(dtype='float16'\): expected 'float64', 'float32' or None"):
        program.to_onnx(tmp_path / "model.onnx", dtype=wrong_dtype)
    with pytest.raises(ValueError, match=r"to_onnx\(gradient=True\): it has no parameters"):
        mp.compile(lambda x: x, x=()).to_onnx(tmp_path / "model.onnx", gradient=True)
    with pytest.raises(TypeError, match="gradient=True"):
        mp.compile(MODEL, x=3).to_onnx(tmp_path / "model.onnx", gradient=True)
    with pytest.raises(FileNotFoundError, match="make it first"):
        program.to_onnx(tmp_path / "none" / "model.onnx")


def test_onnx_is_imported_when_it_is_needed_and_missed_with_a_way_out() -> None:
    code = """
import sys
import micrograd_plus as mp
program = mp.compile(mp.tanh, x=())
assert "onnx" not in sys.modules
sys.modules["onnx"] = None
try:
    program.to_onnx("model.onnx")
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "to_onnx needs the package onnx" in run.stdout
    assert "pip install 'micrograd-plus[onnx]'" in run.stdout
