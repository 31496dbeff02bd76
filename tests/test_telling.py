"""Each picture says what is in it in a sentence made from its numbers, wherever it is shown."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import micrograd_plus as mp
from micrograd_plus import MLP, Value
from micrograd_plus.cli.plots import boundary_plot, history_plot
from micrograd_plus.pictures.telling import MOST, numbers_in_words
from micrograd_plus.training.records import Epoch, History

EVIL = '"><script>alert(1)</script>'
MODEL = MLP(2, [3, 2], activation="tanh", seed=1)


def example(name: str = "a") -> Value:
    a, b = Value(2.0, label=name), Value(-3.0, label="b")
    c = a * b
    L = c * (c + 1.0)  # noqa: N806 - as in the README
    L.label = "L"
    return L


def alt(html: str) -> str:
    found = re.search(r'<img[^>]*? alt="([^"]*)"', html)
    assert found is not None
    return unescape(found[1])


TOLD = "5 nodes; L = 30, ∂L/∂a = 33, ∂L/∂b = -22"


def test_a_graph_says_its_size_its_result_and_its_derivatives() -> None:
    loss = example()
    assert mp.draw(loss).description == "5 nodes; L = 30, from a = 2, b = -3"
    loss.backward()
    picture = mp.draw(loss)
    assert picture.description == TOLD
    assert alt(picture._repr_html_()) == TOLD
    root = ElementTree.fromstring(picture.svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", TOLD)


def test_of_many_leaves_the_strongest_are_told() -> None:
    leaves = [Value(float(i), label=f"x{i}") for i in range(20)]
    loss = sum((i * leaf for i, leaf in enumerate(leaves)), Value(0.0))
    loss.backward()
    told = mp.draw(loss).description
    assert told.count("∂loss/∂") == MOST
    assert "∂loss/∂x19 = 19" in told
    assert "∂loss/∂x13" not in told
    assert f", and {20 - MOST} leaves more; a sum of many terms" in told


def test_several_results_and_none_with_a_name() -> None:
    x = Value(2.0, label="x")
    assert mp.draw([x * 2.0, x * 3.0], names={}).description == "3 nodes; the result = 4, the result = 6, from x = 2"
    assert mp.draw(Value(1.5), names={}).description == "1 node; the result = 1.5"


def test_a_folded_picture_says_so() -> None:
    loss = mp.losses.squared_error(MODEL([1.0, -1.0]), [0.0, 1.0])
    picture = mp.draw(loss, depth=1)
    assert picture.description.startswith("49 nodes; loss = ")
    assert all(caption in picture.description for caption in picture.captions if "fold" in caption)


def test_page_frame_and_film_say_the_same(tmp_path: Path) -> None:
    steps = mp.backprop(example())
    html = steps._repr_mimebundle_()["text/html"]
    assert alt(html) == TOLD
    frame = re.search(r'<iframe title="([^"]*)"', html)
    assert frame is not None
    assert unescape(frame[1]) == f"Backprop of L, step by step: {TOLD}"
    steps.save(tmp_path / "film.svg")
    film = ElementTree.parse(tmp_path / "film.svg").getroot()
    assert film[0].tag.endswith("title")
    assert film[0].text == f"Backprop of L, step by step: {TOLD}"


def test_networks_weights_and_nudges_say_their_numbers() -> None:
    weights = [weight.data for layer in MODEL.layers for neuron in layer.neurons for weight in neuron.w]
    at_rest = mp.draw_network(MODEL)
    assert at_rest.alt == f"a network 2-3-2; {numbers_in_words('weight', weights)}"
    first, second = [output.data for output in MODEL([1.0, -1.0])]
    running = mp.draw_network(MODEL, [1.0, -1.0], labels=["cat", "dog"]).alt
    assert (
        f"outputs cat: {first:.4g}; dog: {second:.4g}; the greatest is {'cat' if first > second else 'dog'}" in running
    )
    wished = alt(mp.nudges(MODEL, [1.0, -1.0], [0.0, 1.0])._repr_html_())
    assert wished.startswith("what is wanted of a network 2-3-2; 12 wished weight changes from ")
    assert ", wished " in wished
    layer = mp.draw_weights(mp.Layer(4, 3, seed=1))
    assert re.fullmatch(
        r"the weights of 3 neurons, 2 x 2 each: 12 weights from \S+ to \S+; 3 bias terms from 0 to 0", layer.alt
    )
    svg = ElementTree.fromstring(layer.svg)
    assert svg.get("role") == "img"
    assert svg[0].text == layer.alt == alt(layer._repr_html_())


def test_plots_carry_what_they_show() -> None:
    pytest.importorskip("matplotlib")
    history = History([Epoch(1, 1, 2.0, 0.5, 0.1, 1.0), Epoch(2, 2, 0.5, 0.75, 0.1, 1.0)])
    assert b"loss from 2 to 0.5 and accuracy from 50.0 % to 75.0 % over 2 epochs" in history_plot(history)
    curves = re.findall(r'<img[^>]*? alt="([^"]*)"', history._repr_html_())  # one under the other on a phone
    assert curves == ["loss from 2 to 0.5 over 2 epochs", "accuracy from 50.0 % to 75.0 % over 2 epochs"]
    plane = boundary_plot(lambda rows: [row[0] for row in rows], [[1.0, 0.0], [-1.0, 0.5]], [1, 1], steps=4)
    assert b"a decision boundary and 2 points, 1 of them on their side" in plane


@pytest.mark.parametrize("show", [lambda loss: mp.draw(loss), lambda loss: mp.backprop(loss)])
def test_names_in_it_are_escaped(show: Any) -> None:
    html = show(example(EVIL))._repr_mimebundle_()["text/html"]
    assert EVIL not in html
    assert EVIL[:10] in alt(html)


def test_numbers_in_words() -> None:
    assert numbers_in_words("weight", []) == "0 weights"
    assert numbers_in_words("weight", [2 / 3]) == "1 weight, 0.6667"
    assert numbers_in_words("weight", [1.0, -0.0]) == "2 weights from 0 to 1"
