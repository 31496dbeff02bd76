"""A picture keeps the user's order, shows a sum as one node, frames neurons, and fits a page."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.formulas.naming import under, users_names
from micrograd_plus.pictures import images
from micrograd_plus.pictures.fitting import WIDE, width
from micrograd_plus.pictures.folding import fold
from micrograd_plus.pictures.images import Picture
from micrograd_plus.pictures.rendering import positions

DIRECTIONS = ["LR", "RL", "TB", "BT"]


def heights(picture: Picture) -> dict[str, float]:
    """How far each box is from the top, by its first line, its name; from the left where the graph goes up or down."""
    along = "rankdir=TB" in picture.source or "rankdir=BT" in picture.source
    placed = [thing for thing in positions(picture.source)["objects"] if "pos" in thing and "invis" not in str(thing)]
    found: dict[str, float] = {}
    for thing in placed:
        bold = re.findall(r"<b>(.*?)</b>", thing.get("label", ""))
        if bold:
            x, y = map(float, thing["pos"].split(","))
            found[bold[0]] = x if along else -y
    return found


def in_order(picture: Picture, names: list[str]) -> bool:
    found = heights(picture)
    tops = [found[name] for name in names]
    return tops == sorted(tops) and len(set(tops)) == len(tops)


def batch_of(model: mp.MLP, nin: int, samples: int) -> Any:
    losses = []
    for i in range(samples):
        out = model([mp.Value(0.1 * i + 0.2 * j) for j in range(nin)])
        losses.append(mp.losses.mean_squared_error(out, [0.5] * len(out) if isinstance(out, list) else 0.5))
    return mp.mean(losses) if samples > 1 else losses[0]


# ---------------------------------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("sizes", [[4, 4, 1], [3, 2], [12, 11, 3]])
def test_neurons_stand_in_their_order(sizes: list[int], direction: str) -> None:
    model = mp.MLP(2, sizes, activation="tanh", seed=1)
    picture = mp.draw(batch_of(model, 2, 1), names={"model": model}, depth=2, direction=direction)
    for layer, count in enumerate(sizes):
        assert in_order(picture, [f"model.layers.{layer}.neurons.{i}" for i in range(count)])


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("sizes", [[3, 1], [4, 4, 1], [5, 2], [2, 2, 2]])
def test_open_neurons_stand_in_their_order_in_frames(sizes: list[int], direction: str) -> None:
    model = mp.MLP(5, sizes, activation="tanh", seed=1)
    xs = [mp.Value(0.1 * i, label=f"x{i}") for i in range(5)]
    out = model(xs)
    picture = mp.draw(out, names={"model": model}, depth=3, direction=direction)
    frames = [thing for thing in positions(picture.source)["objects"] if thing["name"].startswith("cluster")]
    corners = {frame["label"]: [float(each) for each in frame["bb"].split(",")] for frame in frames}
    tops = {name: -top if direction in ("LR", "RL") else left for name, (left, _, _, top) in corners.items()}
    for layer, count in enumerate(sizes):
        ordered = [tops[f"model.layers.{layer}.neurons.{i}"] for i in range(count)]
        assert ordered == sorted(ordered)
    assert len(frames) == sum(sizes)
    assert in_order(picture, [f"x{i}" for i in range(5)])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_weights_stand_in_their_order_and_are_called_by_their_place_in_the_neuron(direction: str) -> None:
    neuron = mp.Neuron(6, activation="tanh", seed=1)
    xs = [mp.Value(0.1 * i, label=f"x{i}") for i in range(6)]
    picture = mp.draw(neuron(xs), names={"neuron": neuron}, direction=direction, depth=1)
    assert in_order(picture, [f"w.{i}" for i in range(6)])
    assert in_order(picture, [f"x{i}" for i in range(6)])
    assert "neuron.w" not in picture.source


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_weights_of_plain_numbers_stand_in_their_order(count: int, direction: str) -> None:
    neuron = mp.Neuron(count, seed=1)
    out = mp.tanh(neuron([0.1 * i + 0.5 for i in range(count)]))
    assert in_order(
        mp.draw(out, names={"neuron": neuron}, direction=direction, depth=1), [f"w.{i}" for i in range(count)]
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("sizes", [[1], [3, 1]])
@pytest.mark.parametrize("plain", ["-x-", "x--", "xx-", "--x-x", "x-xx-"])
def test_weights_stand_in_their_order_where_some_inputs_are_plain_numbers(
    plain: str, sizes: list[int], direction: str
) -> None:
    model = mp.MLP(len(plain), sizes, activation="tanh", seed=1)
    xs = [mp.Value(0.1 * i, label=f"x{i}") if each == "x" else 0.3 * i + 0.1 for i, each in enumerate(plain)]
    picture = mp.draw(model(xs), names={"model": model}, depth=3, direction=direction)
    things = positions(picture.source)["objects"]
    frames = [frame for frame in things if frame["name"].startswith("cluster")]
    assert len(frames) == sum(sizes)
    for frame in frames:
        inside = [things[i] for i in frame["nodes"]]
        tops = {}
        for thing in inside:
            for name in re.findall(r"<b>w\.(\d)</b>", thing["label"]):
                x, y = map(float, thing["pos"].split(","))
                tops[name] = -y if direction in ("LR", "RL") else x
        assert list(dict(sorted(tops.items(), key=lambda item: item[1]))) == sorted(tops)
        assert len(tops) > 1
    assert in_order(picture, [f"x{i}" for i, each in enumerate(plain) if each == "x"])


def test_a_weight_that_several_calls_share_keeps_its_whole_name() -> None:
    neuron = mp.Neuron(1, activation="tanh", seed=1)
    picture = mp.draw(neuron([0.5]) * neuron([1.0]), names={"neuron": neuron})
    assert "<b>neuron.w.0</b>" in picture.source
    assert [f'label="sample {i}, neuron"' in picture.source for i in range(2)] == [True, True]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_samples_stand_in_their_order(direction: str) -> None:
    model = mp.MLP(2, [3, 1], activation="tanh", seed=1)
    picture = mp.draw(batch_of(model, 2, 12), names={"model": model}, depth=0, direction=direction)
    assert in_order(picture, [f"sample {i}, model" for i in range(12)])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_arguments_of_a_function_stand_in_their_order(direction: str) -> None:
    xs = [mp.Value(0.1 * i, label=f"x{i}") for i in range(7)]
    assert in_order(mp.draw(mp.losses.cross_entropy(xs, 4), direction=direction), [f"x{i}" for i in range(7)])


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_arrows_arrive_at_the_side_from_which_they_come(direction: str) -> None:
    terms = [mp.Value(0.5 * i, label=f"x{i}") for i in range(4)]
    picture = mp.draw(sum(terms, mp.Value(1.0)), direction=direction)
    side = {"LR": "w", "RL": "e", "TB": "n", "BT": "s"}[direction]
    assert re.findall(r":i\d:(\w)", picture.source) == [side] * 5
    assert in_order(picture, [f"x{i}" for i in range(4)])


def test_where_graphviz_breaks_down_over_the_order_it_draws_without(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def breaks(source: str, *_: Any, **__: Any) -> bytes:
        asked.append(source)
        if "style=invis" in source:
            raise RuntimeError("killed by signal 11")
        return b"<svg>"

    monkeypatch.setattr(images, "render", breaks)
    model = mp.MLP(2, [3, 1], seed=1)
    assert mp.draw(model([1.0, 2.0])).svg == "<svg>"
    assert len(asked) == 2
    monkeypatch.setattr(images, "render", lambda *_, **__: breaks("style=invis"))
    with pytest.raises(RuntimeError, match="signal 11"):
        _ = mp.draw(mp.Value(1.0)).svg


# ----------------------------------------------------------------------------------------------------------------- sums


@given(st.integers(3, 12), st.booleans())
def test_a_sum_is_one_node_with_an_arrow_from_each_term(count: int, begins_with_a_value: bool) -> None:
    terms = [mp.Value(0.5 * i) for i in range(count)]
    total: Any = sum(terms[1:], terms[0]) if begins_with_a_value else sum(terms)
    total.backward()
    picture = mp.draw(total, names={}, edges="contribution")
    assert picture.source.count("->") == count
    assert f"data {total.data:.4g}" in picture.source
    arrows = re.findall(r"^\t\w+ -> \w+:i(\d+):w.*?<td>1</td>", picture.source, re.MULTILINE)
    assert sorted(map(int, arrows)) == list(range(count))
    assert mp.draw(total, names={}, open="+").source.count("->") == 2 * (count - 1) + 2 * (not begins_with_a_value)


def test_each_share_of_a_sums_gradient_is_the_whole() -> None:
    a, b, c = mp.Value(1.0), mp.Value(2.0), mp.Value(3.0)
    loss = (a + b + c) * 5.0
    loss.backward()
    picture = mp.draw(loss, edges="contribution")
    arrows = [line for line in picture.source.split("\n") if re.search('id="n[012]-n4-', line)]
    assert ["<td>5</td>" in line for line in arrows] == [True] * 3
    assert (a.grad, b.grad, c.grad) == (5.0, 5.0, 5.0)


def boxes(root: mp.Value, **names: mp.Value) -> list[int]:
    """How many nodes each box of a picture stands for."""
    nodes = under([root])
    users = users_names(nodes, names)
    number = {node: i for i, node in enumerate(nodes)}
    return [len(box.members) for box in fold(nodes, [root], [], users.nodes, number=number, limit=700).boxes]


def test_a_partial_sum_that_counts_by_itself_stays() -> None:
    a, b, c, d = [mp.Value(float(i)) for i in range(4)]
    part = a + b
    assert max(boxes(part + c + d)) == 3
    assert max(boxes(part + c + d, part=part)) == 2  # it has a name
    assert max(boxes((part + c + d) * part)) == 2  # it is used elsewhere
    assert max(boxes(part - c + d)) == 1  # a difference is no sum
    assert max(boxes((a + b) + (c + d))) == 2
    hooked = a + b
    hooked.register_hook(lambda gradient: 2.0 * gradient)
    total = hooked + c + d
    total.backward()
    assert max(boxes(total)) == 2  # its gradient is another


def test_a_sum_with_a_gradient_that_is_nan() -> None:
    a, b, c = mp.Value(1.0), mp.Value(2.0), mp.Value(-9.0)
    loss = mp.sqrt(a + b + c) * math.inf
    loss.backward()
    assert "one +" in mp.draw(loss).captions[0]


def test_an_endless_sum_is_cut() -> None:
    x = total = mp.Value(0.0)
    for _ in range(5_000):
        total = total + x
    assert len(re.findall(" id=n", mp.draw(total).source)) == 100


# ----------------------------------------------------------------------------------------------------------------- fits


def test_what_is_wider_than_a_page_folds_and_says_so() -> None:
    model = mp.MLP(2, [4, 4, 1], activation="tanh", seed=1)
    picture = mp.draw(batch_of(model, 2, 1), names={"model": model})
    assert re.match(r"folded to fit a page, it would be some 1,\d\d\d points wide: 106 nodes in", picture.captions[0])
    assert points(picture) < WIDE
    assert points(mp.draw(batch_of(model, 2, 1), names={"model": model}, depth=3)) > WIDE
    small = mp.MLP(2, [3, 1], activation="tanh", seed=1)
    assert "fit" not in mp.draw(batch_of(small, 2, 1), names={"model": small}).captions[0]


def test_what_nothing_makes_narrower_is_drawn_as_it_is() -> None:
    out: Any = mp.Value(0.5)
    neuron = mp.Neuron(1, activation="tanh", seed=1)
    for _ in range(20):
        out = neuron([out])
    picture = mp.draw(out, names={"neuron": neuron})
    assert len(re.findall("neuron, call", picture.source)) >= 20
    chain = mp.Value(0.5)
    for _ in range(40):
        chain = mp.tanh(chain)
    assert mp.draw(chain).captions == ["gradients not computed yet: call backward()"]


def points(picture: Picture) -> float:
    found = re.search(r'<svg[^>]* width="(\d+)pt"', picture.svg)
    assert found
    return float(found[1])


@settings(max_examples=8)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 4))
def test_the_width_is_about_what_graphviz_makes_of_it(sizes: list[int], depth: int) -> None:
    model = mp.MLP(2, sizes, activation="tanh", seed=1)
    loss = batch_of(model, 2, 1)
    nodes = under([loss])
    users = users_names(nodes, {"model": model})
    number = {node: i for i, node in enumerate(nodes)}
    folded = fold(nodes, [loss], users.modules, users.nodes, number=number, limit=700, depth=depth)
    real = points(mp.draw(loss, names={"model": model}, depth=depth, tint=None))
    assert 0.6 * real - 250 < width(folded, users.nodes, "LR") < 1.35 * real + 100  # captions have a width, too


def test_a_wide_picture_is_shown_at_its_result() -> None:
    x = mp.Value(1.0)
    assert "direction: rtl" in mp.draw(x * x)._repr_html_()
    assert "direction: rtl" not in mp.draw(x * x, direction="RL")._repr_html_()
    many = mp.mean(
        [x * mp.Value(float(i)) for i in range(20)]
    )  # the result is out of sight beside so many: at the leaves
    assert "direction: rtl" not in mp.draw(many)._repr_html_()
