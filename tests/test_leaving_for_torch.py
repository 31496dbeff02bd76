"""A program as a module of PyTorch gives what the engine gives, with gradients, at edges too."""

from __future__ import annotations

import copy
import pickle
from math import nan
from typing import Any

import numpy as np
import pytest
from leaving import (
    BEHIND_MASKS,
    SCALE,
    Case,
    W,
    curvature,
    in_torch,
    masked_case,
    penalty,
    random_case,
    row_case,
    shared_case,
    two_ways,
    wrong,
)
from programs import ACTIVATIONS, ROWS_OF_THE_TABLE, jagged, numbers

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program.exports.activations import CLASSES
from micrograd_plus.program.exports.parameters import tensors

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # from inside of it
MODEL = mp.MLP(3, [4, 2], activation="tanh", seed=1)
X, Y = numbers(5, 3), numbers(5, 2, seed=1)


def loss(x: Any, y: Any) -> Any:
    return mp.losses.squared_error(MODEL(x), y)


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_gives_what_the_engine_gives(name: str) -> None:
    case = row_case(name)
    assert wrong(case, in_torch(case)) == []


@pytest.mark.parametrize("name", [function.__name__ for function in ROWS_OF_THE_TABLE])
def test_every_row_moves_to_another_device_with_all_that_it_needs(name: str) -> None:
    moved(row_case(name, [0.5, 2.0])).mean().backward()


def moved(case: Case) -> Any:
    """What a module gives on PyTorch's device without numbers, where whatever had stayed behind would be refused."""
    module = case.program.to_torch().to("meta")
    out = module(torch.tensor(case.examples, dtype=torch.float64, device="meta"))
    assert out.device.type == "meta"
    return out


def test_programs_that_nobody_would_write_give_what_the_engine_gives() -> None:
    for seed in range(25):
        case = random_case(seed)
        assert wrong(case, in_torch(case)) == []


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_mlp_is_what_one_would_write_by_hand(activation: str) -> None:
    model = mp.MLP(3, [4, 4, 2], activation=activation, seed=1)
    program = mp.compile(model, x=3)
    module = program.to_torch()
    kinds = [type(part).__name__ for part in module]
    bends = [] if activation == "linear" else [CLASSES[activation]]
    assert kinds == ["Linear", *bends, "Linear", *bends, "Linear"]
    np.testing.assert_allclose(module(torch.tensor(X)).detach().numpy(), program.values(X), 1e-12, 1e-14)
    first = module.state_dict()["0.weight"].tolist()
    assert first == [[weight.data for weight in neuron.w] for neuron in model.layers[0].neurons]
    assert module.state_dict()["0.bias"].tolist() == [neuron.b.data for neuron in model.layers[0].neurons]


@pytest.mark.parametrize(("row", "name"), CLASSES.items())
def test_activations_are_called_as_pytorch_does_and_give_the_same(row: str, name: str) -> None:
    layer = mp.Layer(3, 2, activation=row, seed=1)
    program = mp.compile(layer, x=3)
    module = program.to_torch()
    assert type(module[1]).__name__ == name
    wide = 30.0 * X
    np.testing.assert_allclose(module(torch.tensor(wide)).detach().numpy(), program.values(wide), 1e-12, 1e-12)


def test_options_of_activations_leave_too() -> None:
    layer = mp.Layer(2, 1, activation=lambda x: mp.leaky_relu(x, 0.2), seed=1)
    assert mp.compile(layer, x=2).to_torch()[1].negative_slope == 0.2


def test_layers_without_a_bias_and_of_one_number() -> None:
    weights = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    module = mp.compile(lambda x: [mp.tanh(sum_) for sum_ in mp.dot(weights, x)], x=2).to_torch()
    assert list(module.state_dict()) == ["0.weight"]
    one = mp.compile(mp.MLP(1, [1, 1], activation="relu", seed=2), x=1)
    assert one.to_torch()(torch.tensor([[2.0]], dtype=torch.float64)).tolist() == [one.values([[2.0]]).tolist()]


def test_a_loss_has_named_parameters_and_the_gradient_of_the_program() -> None:
    program = mp.compile(loss, x=3, y=2)
    module = program.to_torch()
    names = [name for name, _ in module.named_parameters()]
    assert names == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert "Program(loss" in repr(module)
    mean = module(X, Y).mean()
    mean.backward()
    value, gradient = program.value_and_grad(X, Y)
    assert float(mean.detach()) == pytest.approx(value, rel=1e-13)
    rows = {tensor.name: tensor.rows for tensor in module._program.parameters.tensors}
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy().ravel(), gradient[rows[name]], 1e-12, 1e-15)


def test_it_learns_what_the_engine_learns() -> None:
    model = mp.MLP(3, [4, 2], activation="silu", seed=3)
    program = mp.compile(lambda x, y: mp.losses.cross_entropy(model(x), mp.softmax(y)), x=3, y=2)
    module = program.to_torch()
    ours, theirs = mp.optim.Adam(model.parameters()), torch.optim.Adam(module.parameters())
    for _ in range(5):
        theirs.zero_grad()
        module(X, Y).mean().backward()
        theirs.step()
        for parameter, slope in zip(model.parameters(), program.value_and_grad(X, Y)[1].tolist()):
            parameter.grad = slope
        ours.step()
    weight = [[each.data for each in neuron.w] for neuron in model.layers[1].neurons]
    np.testing.assert_allclose(module.get_parameter("layers.1.weight").detach().numpy(), weight, 1e-10)


def test_derivatives_of_derivatives_and_by_the_inputs() -> None:
    module = mp.compile(lambda x: mp.mean([mp.relu(v) ** 2 for v in MODEL(x)]), x=3).to_torch()
    x = torch.tensor(X[0])
    wanted = mp.hessian(lambda x: mp.mean([mp.relu(v) ** 2 for v in MODEL(x)]))(X[0].tolist())
    np.testing.assert_allclose(torch.autograd.functional.hessian(module, x).numpy(), wanted, 1e-10, 1e-13)
    np.testing.assert_allclose(torch.func.hessian(module)(x).detach().numpy(), wanted, 1e-10, 1e-13)
    assert torch.autograd.gradcheck(module, torch.tensor(X, requires_grad=True))


@pytest.mark.parametrize("name", BEHIND_MASKS)
def test_second_derivatives_behind_masks_count_what_is_shared_once(name: str) -> None:
    function, points = BEHIND_MASKS[name]
    program = mp.compile(function, x=(), parameters=W)
    program.values(points)  # all the ways
    module = program.to_torch()
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    (got,) = torch.autograd.grad((slopes**2).sum(), list(module.parameters()))
    assert got.tolist() == pytest.approx(penalty(function, points), rel=1e-12)

    def total(w: Any) -> Any:
        return torch.func.functional_call(module, {"W": w}, (x.detach(),)).sum()

    weights = next(module.parameters()).detach()
    for hessian in (torch.func.hessian(total)(weights), torch.autograd.functional.hessian(total, weights)):
        assert np.allclose(hessian.numpy(), curvature(function, points), rtol=1e-12, atol=1e-12)


def test_what_is_not_reached_gets_exactly_nothing_in_every_order() -> None:
    def root(x: Any) -> Any:
        return mp.where(x > 0.0, mp.sqrt(x), 0.0) * SCALE

    module = mp.compile(root, x=()).to_torch()
    for point in (-1.0, 0.0):
        x = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(module(x), x, create_graph=True)
        (second,) = torch.autograd.grad(slope, x)
        assert (float(slope.detach()), float(second)) == (0.0, 0.0)


def test_products_behind_masks_pass_nothing_not_even_infinity_times_zero() -> None:
    case = masked_case()
    assert wrong(case, in_torch(case)) == []
    module = case.program.to_torch()  # all examples at once, which asks whether all numbers are finite
    module(torch.tensor(case.examples)).sum().backward()
    assert module.get_parameter("weights").grad[1].tolist()[1] != 0.0


def test_what_all_examples_share_is_reached_once_for_each_that_reaches_it() -> None:
    for case in (shared_case(), random_case(5008)):
        assert wrong(case, in_torch(case)) == []
        module = case.program.to_torch()
        module(torch.tensor(case.examples)).mean().backward()  # all at once
        _, gradient = case.program.value_and_grad(case.examples)
        for tensor, parameter in zip(tensors(case.program), module.parameters()):
            got = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
            np.testing.assert_allclose(got.ravel(), gradient[tensor.rows], 1e-12, 1e-290)


def test_ways_entries_of_tables_and_what_is_not_regular() -> None:
    program = mp.compile(two_ways, x=())
    program.values([0.5, 3.0])
    module = program.to_torch()
    values = module(torch.tensor([0.5, 3.0, -3.0]))
    assert values.tolist() == [0.25, 5.0, 5.0]
    values.sum().backward()
    assert module.scale.grad.item() == pytest.approx(0.125 + 2.5 + 2.5)
    table = [[Value(0.1 * i - j) for j in range(2)] for i in range(3)]

    def entry(x: Any) -> Any:
        row = mp.lookup(table, x[0])
        return row[0] * row[1] + mp.lookup([x[1], 2.0, SCALE], x[0])

    def way(x: Any) -> Any:
        return two_ways(x[0])

    for case in (
        Case("entry", entry, mp.compile(entry, 2), [[i, 0.5] for i in (0.0, 1.0, 2.0, 3.0, 0.5, nan)]),
        Case("jagged", jagged, mp.compile(jagged, 3), X.tolist()),
        Case("ways", way, mp.compile(way, 1), [[0.5], [3.0], [-3.0]]),
    ):
        case.program.values(case.examples)
        assert wrong(case, in_torch(case)) == []
        moved(case).mean().backward()


def test_a_way_that_no_example_went_is_nan() -> None:
    program = mp.compile(two_ways, x=())
    assert program.to_torch()(torch.tensor([0.5, 3.0])).tolist()[0] == 0.25
    assert torch.isnan(program.to_torch()(torch.tensor(3.0)))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")  # of torch.compile
def test_copies_pickles_floats_and_compiled_ones() -> None:
    module = mp.compile(loss, x=3, y=2).to_torch()
    wanted = module(X, Y)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(X, Y), wanted)
    assert torch.allclose(torch.compile(module, backend="eager")(X, Y), wanted)
    single = copy.deepcopy(module).float()(X, Y)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), wanted, rtol=1e-5)
    assert mp.compile(loss, x=3, y=2, dtype="float32").to_torch()(X, Y).dtype == torch.float32


def test_constants_are_buffers_and_names_are_free() -> None:
    fixed, forward, train = Value(3.0), Value(0.5), Value(-1.0)
    program = mp.compile(lambda x: fixed * x + forward * train, (), parameters=[forward, train])
    module = program.to_torch()
    assert [name for name, _ in module.named_buffers()] == ["fixed"]
    assert [name for name, _ in module.named_parameters()] == ["forward_", "train_"]
    assert module(torch.tensor([2.0])).tolist() == [5.5]


def test_what_cannot_leave_is_named() -> None:
    unknown = mp.primitive("unknown_to_torch", lambda x: x * 3.0, lambda out, x: 3.0)
    bent = mp.primitive("bent_for_torch", lambda x: x * x, lambda out, x: 2.0 * float(x), arrays=lambda x: x * x)
    with pytest.raises(mp.ExportError, match="'unknown_to_torch' cannot leave for PyTorch: its forward is a function"):
        mp.compile(lambda x: unknown(x), x=()).to_torch()
    with pytest.raises(
        mp.ExportError, match="'bent_for_torch' cannot leave for PyTorch: its formula or its gradient is"
    ):
        mp.compile(lambda x: bent(x), x=()).to_torch()


def test_wrong_inputs_are_told() -> None:
    module = mp.compile(loss, x=3, y=2).to_torch()
    with pytest.raises(TypeError, match="expected x and y, the targets"):
        module(X)
    with pytest.raises(ValueError, match=r"x of shape \(5, 2\); expected \(3,\) for an example, or \(examples, 3\)"):
        module(X[:, :2], Y)
    with pytest.raises(ValueError, match="5 examples and 2 targets"):
        module(X, Y[:2])
    with pytest.raises(TypeError, match="expected x alone"):
        mp.compile(two_ways, x=()).to_torch()(1.0, 2.0)
