"""Networks are micrograd's, number for number, and what micrograd lacks."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import pickle
import random
import re
import statistics
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_what_is_written_to_a_neuron_after_it_was_made_counts() -> None:
    theirs = pytest.importorskip("micrograd.nn")
    for kind in (theirs.Neuron, Neuron):
        neuron = kind(2)
        for w in neuron.w:
            w.data = -1.0
        assert neuron([1.0, 1.0]).data == 0.0
        neuron.nonlin = False
        assert (neuron([1.0, 1.0]).data, repr(neuron), neuron.nonlin) == (-2.0, "LinearNeuron(2)", False)
        neuron.nonlin = True
        assert (neuron([1.0, 1.0]).data, repr(neuron), neuron.nonlin) == (0.0, "ReLUNeuron(2)", True)


@given(st.lists(st.sampled_from(["tanh", "sigmoid", "linear", mp.relu, math.fabs, None, True, False]), max_size=6))
def test_the_last_activation_that_was_written_counts_everywhere(writes: list[Any]) -> None:
    neuron, bent = Neuron(2, activation="sin", seed=1), True
    for write in writes:
        if isinstance(write, bool):
            neuron.nonlin = bent = write
        else:
            neuron.activation, bent = write, write not in ("linear", None)
            assert neuron.activation is (getattr(mp, write, None) if isinstance(write, str) else write)
        assert neuron.nonlin == (neuron.activation is not None) == bent
    x = [0.3, -0.7]
    total = sum([w * v for w, v in zip(neuron.w, x)], neuron.b)
    expected = float(neuron.activation(total)) if bent else total.data
    assert (float(neuron(x)), repr(neuron) == "LinearNeuron(2)") == (expected, not bent)
    for other in (copy.deepcopy(neuron), pickle.loads(pickle.dumps(neuron))):
        assert (float(other(x)), repr(other), other.nonlin) == (expected, repr(neuron), bent)
    if neuron.activation is not math.fabs:
        assert mp.compile(neuron, x=2)([x]) == pytest.approx(expected, rel=1e-12)


def test_an_attribute_that_would_change_nothing_is_refused_with_the_way_out() -> None:
    neuron = Neuron(2, activation="tanh")
    with pytest.raises(ValueError, match="unknown activation 'tahn'; did you mean 'tanh'"):
        neuron.activation = "tahn"
    assert repr(neuron) == "TanhNeuron(2)"
    for module, name in ((Layer(2, 2), "nonlin"), (Layer(2, 2), "activation"), (MLP(2, [1]), "output")):
        with pytest.raises(AttributeError, match="each neuron has its own activation; write to these"):
            setattr(module, name, "tanh")

    class Own(MLP):
        def __init__(self) -> None:
            super().__init__(2, [1])
            self.output = "mine"

    assert Own().output == "mine"


@pytest.mark.parametrize(
    "make", [lambda: Neuron(2, seed=1), lambda: Layer(2, 3, seed=1), lambda: MLP(2, [3, 2], seed=1)]
)
def test_inputs_may_come_from_an_iterator(make: Callable[[], Any]) -> None:
    module = make()

    def numbers(x: Any) -> list[float]:
        out = module(x)
        return [v.data for v in (out if isinstance(out, list) else [out])]

    expected = numbers([1.0, 2.0])
    for x in (map(float, "12"), (v for v in (1.0, 2.0)), iter([1, 2]), {"a": 1.0, "b": 2.0}.values(), np.array([1, 2])):
        assert numbers(x) == expected
    for wrong in (itertools.count(), iter([1.0]), [1.0]):
        with pytest.raises(ValueError, match=r"got [13] inputs; expected 2"):
            module(wrong)
    for nothing in (1.0, Value(1.0), None):
        with pytest.raises(TypeError, match=r"expected a list of 2 numbers or Values, got"):
            module(nothing)


def test_each_layer_of_an_mlp_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever overrides, patches or puts in a layer is asked, a hidden one and one of a single neuron, too."""

    class Halved(Layer):
        def __call__(self, x: Any) -> Any:
            out = super().__call__(x)
            return [0.5 * each for each in out] if isinstance(out, list) else 0.5 * out

    for sizes in ([3, 1], [1, 2], [1, 1]):
        model = MLP(2, sizes, seed=1)
        model.layers[0] = Halved(2, sizes[0], seed=1)
        hidden = [0.5 * neuron([1.0, 2.0]).data for neuron in model.layers[0].neurons]
        wanted = [neuron(hidden).data for neuron in model.layers[1].neurons]
        out = model([1.0, 2.0])
        assert [each.data for each in (out if isinstance(out, list) else [out])] == wanted
    asked: list[int] = []
    usual = Layer.__call__

    def patched(self: Layer, x: Any) -> Any:
        asked.append(len(x))
        return usual(self, x)

    monkeypatch.setattr(Layer, "__call__", patched)
    MLP(2, [3, 4, 1])([1.0, 2.0])
    assert asked == [2, 3, 4]


def test_weights_in_an_array_are_parameters() -> None:
    neuron = Neuron(2, seed=1)
    weights = list(neuron.w)
    neuron.w = np.array(weights)  # type: ignore[assignment]  # as people do
    assert [id(p) for p in neuron.parameters()] == [id(p) for p in (*weights, neuron.b)]


def test_parameters_in_slots_are_found() -> None:
    class Gain(mp.Module):
        __slots__ = ("__hidden", "gain", "later")

        def __init__(self) -> None:
            self.gain, self.__hidden, self.neuron = Value(3.0), Value(4.0), mp.Neuron(2, seed=1)

    @dataclasses.dataclass(slots=True)
    class Line(mp.Module):
        slope: Value
        offset: Value

    names = [name for name, _ in Gain().named_parameters()]
    assert names == ["_Gain__hidden", "gain", "neuron.w.0", "neuron.w.1", "neuron.b"]
    assert [p.data for p in Line(Value(1.0), Value(2.0)).parameters()] == [1.0, 2.0]


def test_lists_that_hold_themselves_or_each_other_end() -> None:
    class Tree(mp.Module):
        def __init__(self, nodes: Any) -> None:
            self.nodes = nodes

    ring: list[Any] = [Value(1.0)]
    ring.append(ring)
    shared: list[Any] = [Value(1.0)]
    for _ in range(40):
        shared = [shared, shared]
    assert [len(Tree(nodes).parameters()) for nodes in (ring, shared)] == [1, 1]


@pytest.mark.parametrize("given", [{0: 100.0, 1: 200.0}, {0, 1}, frozenset([0, 1]), {0: 1, 1: 2}.keys()])
@pytest.mark.parametrize("model", [mp.Neuron(2, seed=1), mp.Layer(2, 2, seed=1), mp.MLP(2, [1], seed=1)])
def test_what_has_no_order_is_no_list_of_inputs(model: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a list of 2 numbers or Values, got (dict|set|frozenset)"):
        model(given)
    assert model(deque([0.0, 1.0])) is not None


@pytest.mark.parametrize("model", [mp.Neuron(2, seed=1), mp.Layer(2, 3, seed=1), mp.MLP(2, [3, 1], seed=1)])
@pytest.mark.parametrize("shape", [(2, 2), (5, 2), (2, 2, 2)])
def test_a_batch_is_not_taken_for_one_example_also_where_its_rows_are_as_many_as_inputs(model: Any, shape: Any) -> None:
    told = f"{type(model).__name__}: got an array of shape {shape}; expected 2 numbers or Values, one example at a time"
    with pytest.raises(TypeError, match=re.escape(told)):
        model(np.ones(shape))
