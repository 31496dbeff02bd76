"""What an example wants is the negative gradient, split as 3Blue1Brown splits it."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import MLP, Layer, Value
from micrograd_plus.networks.wishes import Nudges, nudges
from micrograd_plus.pictures.stills import FOLLOWING


def exactly(numbers: Any) -> Any:
    """These numbers, but for rounding."""
    return pytest.approx(numbers, rel=1e-12, abs=1e-12)


def example(seed: int, nin: int, nout: int) -> tuple[list[float], list[float]]:
    draw = random.Random(seed).uniform
    return [draw(-2, 2) for _ in range(nin)], [draw(-1, 1) for _ in range(nout)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[MLP, list[float], list[float], Any]:
    """A network, an example for it, and a loss."""
    nin, *nouts = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    bent, output = (draw(st.sampled_from(["sigmoid", "tanh", "relu", "linear"])) for _ in range(2))
    model = MLP(nin, nouts, activation=bent, output=output, seed=draw(st.integers(0, 999)))
    x, target = example(draw(st.integers(0, 999)), nin, nouts[-1])
    return model, x, target, draw(st.sampled_from([None, mp.losses.mean_squared_error]))


@settings(max_examples=60)
@given(cases())
def test_every_number_is_minus_what_backward_gives(case: tuple[MLP, list[float], list[float], Any]) -> None:
    model, x, target, loss = case
    wanted = nudges(model, x, target, loss)

    columns: list[list[Value]] = [[Value(number) for number in x]]
    for layer in model.layers:
        columns.append([neuron(columns[-1]) for neuron in layer.neurons])
    out = columns[-1] if len(columns[-1]) > 1 else columns[-1][0]
    cost = (loss or mp.losses.squared_error)(out, target)
    cost.backward()

    assert wanted.cost == exactly(cost.data)
    assert wanted.inputs == tuple(x)
    assert wanted.vector() == exactly([-p.grad for p in model.parameters()])
    for before, after, layer, got in zip(columns, columns[1:], model.layers, wanted.layers):
        assert got.before == exactly([-node.grad for node in before])
        assert [n.activation for n in got.neurons] == [node.data for node in after]
        assert [n.wish for n in got.neurons] == exactly([-node.grad for node in after])
        for neuron, its in zip(layer.neurons, got.neurons):
            assert its.bias == exactly(-neuron.b.grad)
            assert its.weights == exactly([-w.grad for w in neuron.w])


@settings(max_examples=40)
@given(cases())
def test_the_three_ways(case: tuple[MLP, list[float], list[float], Any]) -> None:
    model, x, target, loss = case
    wanted = nudges(model, x, target, loss)
    activations = [wanted.inputs, *[[n.activation for n in layer.neurons] for layer in wanted.layers]]
    for before, layer, got in zip(activations, model.layers, wanted.layers):
        for neuron, its in zip(layer.neurons, got.neurons):
            assert its.weights == exactly([its.bias * a for a in before])
            assert its.before == exactly([its.bias * w.data for w in neuron.w])
    for earlier, later in zip(wanted.layers, wanted.layers[1:]):
        assert [n.wish for n in earlier.neurons] == exactly(list(later.before))


def test_several_examples_are_averaged() -> None:
    model = MLP(3, [4, 2], activation="tanh", output="sigmoid", seed=3)
    batch = [example(seed, 3, 2) for seed in range(5)]
    xs, targets = [x for x, _ in batch], [target for _, target in batch]
    wanted = nudges(model, xs, targets)
    each = [nudges(model, x, target) for x, target in batch]
    assert [list(one) for one in wanted.examples] == [one.vector() for one in each]

    mp.mean([mp.losses.squared_error(model(x), target) for x, target in batch]).backward()
    assert wanted.vector() == exactly([-p.grad for p in model.parameters()])
    assert wanted.cost == pytest.approx(math.fsum(one.cost for one in each) / 5)
    for i, layer in enumerate(wanted.layers):
        assert layer.before == pytest.approx([sum(c) / 5 for c in zip(*[one.layers[i].before for one in each])])
        for j, neuron in enumerate(layer.neurons):
            assert neuron.wish == pytest.approx(sum(one.layers[i].neurons[j].wish for one in each) / 5)


def test_a_small_step_the_wished_way_lowers_the_cost() -> None:
    model = MLP(4, [5, 3], activation="sigmoid", output="sigmoid", seed=1)
    x, target = example(1, 4, 3)
    before = nudges(model, x, target)
    for parameter, nudge in zip(model.parameters(), before.vector()):
        parameter.data += 0.01 * nudge
    squares = sum(nudge * nudge for nudge in before.vector())
    assert before.cost - nudges(model, x, target).cost == pytest.approx(0.01 * squares, rel=0.05)


def test_the_model_is_left_as_it_was_also_inside_no_grad() -> None:
    model = MLP(2, [3, 1], seed=1)
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = i
    free = nudges(model, [1.0, -1.0], 1.0)
    with mp.no_grad():
        assert nudges(model, [Value(1.0), -1], 1.0) == free
    assert any(free.vector())
    assert [parameter.grad for parameter in model.parameters()] == list(range(len(model.parameters())))


def test_a_list_of_layers_and_a_loss_with_a_class() -> None:
    model = MLP(2, [3, 4], seed=1)
    by_list = nudges(model.layers, [1.0, 2.0], 2, mp.losses.cross_entropy)
    assert by_list == nudges(model, [1.0, 2.0], [0.0, 0.0, 1.0, 0.0], mp.losses.cross_entropy)
    chances = mp.softmax([float(out) for out in model([1.0, 2.0])])
    assert [n.wish for n in by_list.layers[-1].neurons] == pytest.approx([(i == 2) - p for i, p in enumerate(chances)])


def table(wanted: Nudges) -> str:
    """The table, whose lines fit and whose rows hold the numbers of their neurons."""
    text = str(wanted)
    assert max(map(len, text.splitlines())) <= 80
    for block, layer in zip(text.split("\n\n")[1:], reversed(wanted.layers)):
        assert block.startswith(layer.name)
        rows = [line.split() for line in block.splitlines()[2:] if line.split()[0].isdigit()]
        assert len(rows) == (8 if len(layer.neurons) > 10 else len(layer.neurons))
        for j, *numbers in rows:
            neuron = layer.neurons[int(j)]
            expected = [neuron.activation, neuron.wish, neuron.bias]
            assert [float(x) for x in numbers[:3]] == pytest.approx(expected, rel=0.006, nan_ok=True)
            assert numbers[3].startswith("w")
    return text


@settings(max_examples=40)
@given(cases())
def test_the_table_fits_80_columns(case: tuple[MLP, list[float], list[float], Any]) -> None:
    model, x, target, loss = case
    for scale in (1.0, 1e-5, 1e-200, 1e30, math.inf, math.nan):
        table(nudges(model, [scale * number for number in x], target, loss))
        table(nudges(model, x, [scale * number for number in target], loss))
    table(nudges(model, [x] * 5, [target] * 5, loss))


def test_the_table_names_the_strongest_and_summarises_the_rest() -> None:
    model = MLP(784, [16, 10], activation="sigmoid", output="sigmoid", seed=2)
    x = [0.0] * 784
    x[405] = 1.0
    wanted = nudges(model, x, mp.data.one_hot(3))
    text = table(wanted)
    assert len(text.splitlines()) < 40
    assert "w405" in text
    assert "8 more, with wishes of at most" in text
    assert ", … 78" in text
    strongest = max(range(16), key=lambda j: abs(wanted.layers[0].neurons[j].wish))
    assert f"\n{strongest:>6} " in text.split("layers.0: 16 neurons")[1]
    several = table(nudges(model, [x] * 20, [mp.data.one_hot(3)] * 20))
    assert "20 examples for a network 784-16-10: on average" in several
    assert "average" in several.splitlines()[-7]


def test_in_jupyter_it_shows_picture_and_table() -> None:
    html = nudges(MLP(2, [3, 1], seed=1), [1.0, -1.0], 1.0)._repr_html_()
    picture = '<div style="overflow-x: auto" tabindex="0"><img alt="what is wanted of a network 2-3-1; '
    assert html.startswith(f"{FOLLOWING}{picture}")
    assert "; 9 wished weight changes from " in html
    assert html.count("<details>") == html.count("</details>") == 1
    assert "<summary>Nudges of one example for a network 2-3-1, cost " in html


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3, [1.0], 1.0), TypeError, r"nudges\(3\): expected an MLP or a list of Layers, got int"),
        ((Layer(2, 1), [1.0], 1.0), TypeError, r"expected an MLP or a list of Layers \(\[layer\] for one\), got Layer"),
        (([], [1.0], 1.0), ValueError, "at least one layer"),
        (([Layer(2, 3), Layer(2, 1)], [1.0, 2.0], 1.0), ValueError, "layers.1 has 2 weights; expected 3"),
        ((MLP(2, [1]), [1.0], 1.0), ValueError, "x has 1 numbers; expected 2"),
        ((MLP(2, [1]), 1.0, 1.0), TypeError, r"nudges\(x=1.0\): expected a list of 2 numbers, got float"),
        ((MLP(2, [1]), [1.0, "2"], 1.0), TypeError, r"nudges: x\('2'\): expected a real number"),
        ((MLP(2, [1]), [[1.0, 2.0]], [1.0, 2.0]), ValueError, "1 examples, but 2 labels"),
        ((MLP(2, [2]), [1.0, 2.0], [1.0]), ValueError, "2 outputs and 1 targets"),
        ((MLP(2, [2]), [1.0, 2.0], [1.0, 0.0], "mse"), TypeError, r"nudges\(loss='mse'\): expected a function"),
        ((MLP(2, [2]), [1.0, 2.0], [1.0, 0.0], lambda p, t: 3.0), TypeError, "the loss gave 3.0; expected a Value"),
        (([Layer(1, 1)] * 2, [1.0], 1.0), ValueError, "a parameter has two places"),
    ],
)
def test_errors_quote_and_show_the_way_out(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nudges(*arguments)
