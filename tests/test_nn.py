"""Networks are micrograd's, number for number, and what micrograd lacks."""

from __future__ import annotations

import copy
import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import MLP, Layer, Module, Neuron, Value, nn


def weights(module: Module) -> list[float]:
    return [p.data for p in module.parameters()]


def test_the_same_random_seed_gives_micrograds_weights_outputs_and_reprs() -> None:
    theirs = pytest.importorskip("micrograd.nn")
    makers: list[Callable[[Any], Any]] = [
        lambda m: m.MLP(3, [4, 4, 1]),
        lambda m: m.Layer(2, 3),
        lambda m: m.Neuron(2, nonlin=False),
    ]
    for make in makers:
        random.seed(1337)
        expected = make(theirs)
        random.seed(1337)
        ours = make(nn)
        assert weights(ours) == weights(expected)
        assert repr(ours) == repr(expected)
        x = [0.5, -1.5, 2.0][: 3 if len(weights(ours)) > 12 else 2]
        for mine, other in zip(*([out] if not isinstance(out, list) else out for out in (ours(x), expected(x)))):
            assert mine.data == other.data


def test_micrograds_reprs() -> None:
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(2, nonlin=False)) == "LinearNeuron(2)"
    assert repr(MLP(2, [2, 1])) == "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    assert repr(Neuron(1, activation="leaky_relu")) == "LeakyReLUNeuron(1)"
    assert repr(Neuron(1, activation=mp.sin)) == "SinNeuron(1)"


def test_784_16_16_10_has_13002_parameters_with_paths() -> None:
    model = MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid")
    named = dict(model.named_parameters())
    assert len(model.parameters()) == len(named) == 13_002
    assert named["layers.0.neurons.3.w.5"] is model.layers[0].neurons[3].w[5]
    assert named["layers.2.neurons.9.b"] is model.layers[2].neurons[9].b
    assert list(named.values()) == model.parameters()


def test_activation_and_output_by_name_or_function() -> None:
    x = [0.25, -0.5]
    by_name = MLP(2, [3, 2], activation="tanh", output="sigmoid", seed=3)
    by_function = MLP(2, [3, 2], activation=mp.tanh, output=lambda v: mp.sigmoid(v), seed=3)
    assert [v.data for v in by_name(x)] == [v.data for v in by_function(x)]
    hidden = [mp.tanh(mp.dot([w.data for w in n.w], x)) for n in by_name.layers[0].neurons]
    outputs = [mp.sigmoid(mp.dot([w.data for w in n.w], hidden)) for n in by_name.layers[1].neurons]
    assert [v.data for v in by_name(x)] == pytest.approx(outputs, rel=1e-14)


def test_a_seed_of_ones_own_leaves_pythons_generator_alone() -> None:
    random.seed(5)
    before = random.getstate()
    first, second, other = (MLP(3, [4, 1], seed=seed) for seed in (7, 7, 8))
    assert random.getstate() == before
    assert weights(first) == weights(second) != weights(other)
    assert len(set(weights(first))) > 10
    assert weights(MLP(3, [4, 1], seed=random.Random(7))) == weights(first)


@pytest.mark.parametrize(
    ("init", "deviation", "bound"),
    [
        ("uniform", 3**-0.5, 1.0),
        ("xavier", (2 / 120) ** 0.5, (6 / 120) ** 0.5),
        ("glorot", (2 / 120) ** 0.5, (6 / 120) ** 0.5),
        ("he", (2 / 100) ** 0.5, None),
        ("normal", 1.0, None),
        ("zeros", 0.0, 0.0),
        (nn.zeros, 0.0, 0.0),
    ],
)
def test_initialisers_draw_as_their_papers_say(init: Any, deviation: float, bound: float | None) -> None:
    layer = Layer(100, 20, init=init, seed=1)
    drawn = [w.data for n in layer.neurons for w in n.w]
    assert statistics.pstdev(drawn) == pytest.approx(deviation, rel=0.06)
    assert bound is None or max(map(abs, drawn)) <= bound
    assert all(n.b.data == 0.0 for n in layer.neurons)


def test_a_layer_of_one_gives_a_value_and_may_stand_inside() -> None:
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [1, 3, 1])([1.0, 2.0]), Value)
    assert len(MLP(2, [1, 3])([1.0, 2.0])) == 3


def test_zero_grad_clears_every_parameter() -> None:
    model = MLP(2, [3, 1], activation="tanh")
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_a_module_of_ones_own_finds_its_parameters_once() -> None:
    class Tied(Module):
        def __init__(self) -> None:
            self.name = "tied"
            self.scale = Value(2.0)
            self.parts = {"first": MLP(1, [1]), "again": [self.scale, 3.0]}

    names = [name for name, _ in Tied().named_parameters()]
    assert names == ["scale", "parts.first.layers.0.neurons.0.w.0", "parts.first.layers.0.neurons.0.b"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MLP(784, [10])([0.0] * 783), ValueError, "MLP: got 783 inputs; expected 784"),
        (lambda: Layer(3, 2)([1.0, 2.0]), ValueError, r"ReLUNeuron\(3\): got 2 inputs; expected 3"),
        (lambda: MLP(2, [2], activation="tahn"), ValueError, "unknown activation 'tahn'; did you mean 'tanh'."),
        (lambda: MLP(2, [2], output="sigmod"), ValueError, "unknown activation 'sigmod'; did you mean 'sigmoid'"),
        (lambda: MLP(2, [2], activation="maximum"), ValueError, "unknown activation 'maximum'"),
        (lambda: MLP(2, [2], init="xaver"), ValueError, "unknown initialiser 'xaver'; did you mean 'xavier'"),
        (lambda: MLP(2, []), ValueError, r"MLP: layers \[\]; expected a list of their sizes"),
        (lambda: MLP(2, 3), ValueError, "MLP: layers 3; expected a list of their sizes"),  # type: ignore[arg-type]
        (lambda: MLP(0, [2]), ValueError, "nin=0.: expected a whole number of at least 1"),
        (lambda: MLP(2, [2, -1]), ValueError, "nout=-1.: expected a whole number of at least 1"),
        (lambda: Neuron(2.5), TypeError, "nin=2.5.: expected a whole number"),  # type: ignore[arg-type]
        (lambda: Neuron(2, seed="a"), TypeError, "seed='a'.: expected a whole number"),  # type: ignore[arg-type]
    ],
)
def test_bad_networks_are_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_modules_have_paths_too() -> None:
    model = mp.MLP(2, [3, 1], seed=1)
    paths = [path for path, _ in model.named_modules()]
    assert paths[:3] == ["", "layers.0", "layers.0.neurons.0"]
    assert paths[4:] == ["layers.0.neurons.2", "layers.1", "layers.1.neurons.0"]
    assert dict(model.named_modules())["layers.1"] is model.layers[1]


def test_a_neurons_output_knows_its_neuron_and_may_have_a_label_too() -> None:
    neuron = mp.Neuron(2, seed=1)
    out = neuron([1.0, 2.0])
    assert out.scope is neuron
    assert (out.label, out.args[0].scope) == ("", None)
    out.label = "out"
    assert (out.label, out.scope) == ("out", neuron)
    out.label = ""
    assert (out.label, out.scope) == ("", neuron)
    assert copy.deepcopy(out).scope is None


def test_modules_that_know_each_other_are_visited_once() -> None:
    class Node(mp.Module):
        def __init__(self) -> None:
            self.w = mp.Value(1.0)
            self.other: Any = None

    parent, child = Node(), Node()
    parent.other, child.other = child, parent
    assert [path for path, _ in parent.named_modules()] == ["", "other"]
    assert [name for name, _ in parent.named_parameters()] == ["w", "other.w"]
