"""Folding inside the page: its boxes are those of `draw`, its numbers those of the whole pass."""

from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser
from test_page import Open, browser, show
from test_view import IN_VIEW

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus._support.identities import Identities
from micrograd_plus.formulas.numerals import boxed, short
from micrograd_plus.pictures.folding import fold
from micrograd_plus.stepping.page.documents import LIMIT
from micrograd_plus.stepping.page.levels import excerpt, levels_of
from micrograd_plus.stepping.page.moments import frames
from micrograd_plus.stepping.stepper import Backprop, backprop

__all__ = ["browser", "show"]  # fixtures


def network() -> Backprop:
    model = mp.MLP(2, [4, 4, 1], seed=1)
    return backprop((model([Value(0.5, label="x"), Value(-1.0, label="y")]) - 1.0) ** 2)


def large() -> Backprop:
    """Some 5,000 nodes."""
    model = mp.MLP(4, [8, 8, 1], seed=1)
    samples = [[Value(0.1 * i), Value(0.2), Value(0.3 * i), Value(1.0)] for i in range(20)]
    return backprop(mp.losses.mean_squared_error([model(x) for x in samples], [1.0] * 20))


def test_the_boxes_are_those_of_draw() -> None:
    steps = network()
    nodes, names = steps._pass.nodes, steps.names
    number = Identities((node, i) for i, node in enumerate(nodes))
    found = levels_of(steps._pass)
    assert len(found) > 3
    drawn = [
        fold(nodes, [steps.root], names.modules, names, number=number, limit=1000, depth=depth) for depth in range(8)
    ]
    of_draw = [{frozenset(map(id, box.members)) for box in folded.boxes} for folded in drawn]
    for level in found:
        assert {frozenset(map(id, box.members)) for box in level.boxes} in of_draw
    assert [len(level.boxes) for level in found] == sorted({len(folded.boxes) for folded in drawn}, reverse=True)


@in_browser
def test_every_level_walks_to_the_same_gradients_in_the_same_words(show: Open) -> None:
    steps = network()
    tab = show(steps, reduced_motion="reduce")
    for k, level in enumerate(levels_of(steps._pass)):
        tab.select_option("#level", str(k))
        tab.evaluate("go(made.length)")
        texts = []
        while tab.is_enabled("#next"):
            tab.click("#next")
            texts.append(tab.text_content("#step"))
        assert texts == [frame.text for frame in frames(steps._pass, level) if frame.phase.startswith("Backward")]
        for i in range(len(level.boxes)):
            node = level.shown(i)
            if node is not None:
                assert tab.text_content(f"#{level.boxes[i].id} .grad") == boxed(
                    steps.gradients[node], dust=node in steps._pass.dusty_grads
                )
        assert tab.locator(".node").count() == len(level.boxes)


@in_browser
@pytest.mark.parametrize("width", [380, 1024])
def test_what_a_folded_step_tells_of_is_in_view(show: Open, width: int) -> None:
    tab = show(network(), viewport={"width": width, "height": 800}, reduced_motion="reduce")
    for k in range(1, tab.evaluate("graph.levels.length")):
        tab.evaluate(f"open({k})")
        found = tab.evaluate(IN_VIEW)
        assert [(lit, inside) for lit, inside, _ in found if lit != inside or lit == 0] == []


@in_browser
def test_a_box_opens_where_it_is(show: Open) -> None:
    tab = show(network(), reduced_motion="reduce")
    last = tab.evaluate("graph.levels.length - 1")
    tab.evaluate("go(final)")
    for k in range(last, 0, -1):
        tab.select_option("#level", str(k))
        box = tab.locator(".node.group").first
        box.focus()
        tab.keyboard.press("Enter")
        before = tab.locator(".node").count()
        tab.click("#open")
        assert tab.locator(".node").count() > before
        tab.keyboard.press("Escape")
    assert tab.locator(".node.group").count() == 0
    tab.fill("#leaf0", "2.5")  # leaves stay alive
    tab.select_option("#level", "1")
    assert tab.locator(".node .data").first.text_content() != "?"


@in_browser
def test_a_graph_too_large_to_be_shown_whole_is_walked_through_folded(show: Open) -> None:
    steps = large()
    assert len(steps._pass.nodes) > LIMIT
    tab = show(steps, reduced_motion="reduce", viewport={"width": 1024, "height": 800})
    found = levels_of(steps._pass)
    known = excerpt(steps._pass, found)
    assert len(known.steps) < len(steps) / 3
    tab.evaluate("go(final)")
    shown: dict[str, Any] = tab.evaluate("Object.fromEntries([...gradients()].map(([i, grad]) => [i, short(grad)]))")
    for i, node in enumerate(known.nodes):
        if node not in known.inner:
            assert shown[str(i)] == short(steps.gradients.get(node, 0.0))
    assert "the graph is folded" in tab.text_content("#leaves")
    assert "passes on" in " ".join(tab.evaluate("level.stops.map((k) => { go(k); return $('step').textContent; })"))


def test_a_large_graph_makes_a_film(tmp_path: Path) -> None:
    large().save(tmp_path / "film.svg")
    assert "passes on" in (tmp_path / "film.svg").read_text(encoding="utf-8")
