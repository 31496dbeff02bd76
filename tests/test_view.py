"""The part of the graph that the page shows, in a real browser: what a step tells of is in view, at any width."""

from collections.abc import Callable
from typing import Any

import pytest
from browsers import in_browser
from in_view import IN_VIEW
from test_page import Open, browser, example, show

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.stepping.stepper import Backprop, backprop

__all__ = ["browser", "show"]  # fixtures

WIDTHS = [380, 1024, 1920]


def few() -> Backprop:
    return backprop(example())


def mlp() -> Backprop:
    return backprop((mp.MLP(2, [4, 4, 1], seed=1)([0.5, -1.0]) - 1.0) ** 2)


def batch() -> Backprop:
    """210 nodes, with weights that both samples use, so that some arrows are long."""
    model = mp.MLP(3, [4, 4, 1], seed=1)
    samples = [[Value(0.1 * i), Value(0.3 - 0.2 * i), Value(0.5)] for i in range(2)]
    loss = sum([(model(sample) - 1.0) ** 2 for sample in samples]) / 2.0
    for x in samples[0] + samples[1][1:]:
        loss = loss + mp.tanh(x)
    return backprop(loss)


CASES = [(graph, width, "reduce") for graph in (few, mlp, batch) for width in WIDTHS]


@in_browser
@pytest.mark.parametrize(("graph", "width", "motion"), [*CASES, (few, 380, "no-preference")])
def test_source_and_target_are_wholly_in_view_at_every_step(
    show: Open, graph: Callable[[], Backprop], width: int, motion: str
) -> None:
    tab = show(graph(), viewport={"width": width, "height": 800}, reduced_motion=motion)
    found = tab.evaluate(IN_VIEW)
    assert [(lit, inside) for lit, inside, _ in found if lit != inside or lit == 0] == []
    assert not any(small for _, _, small in found)  # smaller than can be read well only where there is need


def state(tab: Any) -> tuple[float, float, float]:
    """Where the graph lies in the frame, and its scale."""
    x, y, k = tab.evaluate("() => [view.x, view.y, view.k]")
    return x, y, k


def middle(tab: Any, what: str) -> tuple[float, float]:
    box = tab.locator(what).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@in_browser
def test_what_is_lit_lies_above_the_other_arrows_and_below_the_boxes(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    for k in (90, 120, 150):
        tab.evaluate("(k) => go(k)", k)
        drawn = tab.evaluate("() => [...level.edges[0].parentNode.children].map((each) => each.className.baseVal)")
        kinds = ["lit" if " lit" in kind else kind.split()[0] for kind in drawn]
        assert "lit" in kinds
        assert sorted(kinds, key=["edge", "lit", "node", "share"].index) == kinds


@in_browser
def test_it_opens_at_a_size_that_can_be_read(show: Open) -> None:
    tab = show(few(), viewport={"width": 1920, "height": 1000})
    assert tab.evaluate("() => boxes.every((box) => isInView(box.area))")
    assert not tab.locator("#map").is_visible()
    for width in WIDTHS:
        tab = show(mlp(), viewport={"width": width, "height": 800})
        assert state(tab)[2] >= 0.75
        assert tab.locator("#map").is_visible()


@in_browser
def test_wheel_drag_buttons_and_keys_move_the_graph(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    before = state(tab)
    x, y = middle(tab, "#graph")
    tab.mouse.move(x, y)
    tab.mouse.wheel(0, -200)
    tab.wait_for_function("(k) => view.k > k", arg=before[2])
    before = state(tab)
    tab.mouse.down()
    tab.mouse.move(x - 60, y - 25, steps=3)
    tab.mouse.up()
    assert state(tab) == (before[0] - 60, before[1] - 25, before[2])
    tab.click("#smaller")
    tab.click("#smaller")
    assert state(tab)[2] < before[2]
    tab.click("#larger")
    tab.keyboard.press("0")  # the whole of it
    whole = "() => fitting(sheet) === view.k && boxes.every((box) => isInView(box.area))"
    assert tab.evaluate(whole)
    tab.keyboard.press("+")
    assert not tab.evaluate(whole)
    tab.click("#fit")
    assert tab.evaluate(whole)
    tab.click("#next")  # what the reader chose stays
    assert tab.evaluate(whole)


@in_browser
def test_what_was_dragged_is_not_clicked_and_what_is_clicked_may_tremble(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    x, y = middle(tab, "#graph .target, #graph .node >> nth=0")
    for far, pinned in ((40, False), (1, True)):
        tab.mouse.move(x, y)
        tab.mouse.down()
        tab.mouse.move(x + far, y)
        tab.mouse.up()
        tab.evaluate("() => new Promise((done) => setTimeout(done))")
        assert tab.evaluate("() => pinned !== null") == pinned
        x += far


@in_browser
def test_a_mouse_drags_on_outside_of_the_frame_and_half_of_it_stays_full(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    x, y = middle(tab, "#graph")
    tab.mouse.move(x, y)
    tab.mouse.down()
    for _ in range(4):  # beyond every side
        tab.mouse.move(5000, y + 5, steps=2)
        assert tab.evaluate("() => Math.abs(view.x - room.width / 2 * view.k) < 1e-6")
        tab.mouse.move(-5000, y, steps=2)
        assert tab.evaluate("() => view.x < 0 && view.apply([sheet.right, 0])[0] > 0")
    tab.mouse.up()
    before = state(tab)
    tab.mouse.move(x + 50, y + 50)
    assert state(tab) == before


@in_browser
def test_two_fingers_zoom(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 380, "height": 800}, has_touch=True, reduced_motion="reduce")
    before = state(tab)
    x, y = middle(tab, "#graph")
    touch = tab.context.new_cdp_session(tab)
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert state(tab)[2] == pytest.approx(2 * before[2], rel=0.05)


@in_browser
def test_the_map_moves_the_graph_and_shows_the_step(show: Open) -> None:
    tab = show(mlp(), viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    tab.evaluate("go(made.length + 2)")
    assert (tab.locator("#map .source").count(), tab.locator("#map .target").count()) == (1, 1)
    box = tab.locator("#map").bounding_box()
    tab.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    there = tab.evaluate(
        "() => view.invert([room.width / 2, room.height / 2]).map((x, i) => x / [sheet.right, sheet.bottom][i])"
    )
    assert there == pytest.approx([0.25, 0.5], abs=0.05)


@in_browser
def test_in_a_frame_the_wheel_is_the_notebooks(browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1024, "height": 600})
    tab.set_content(f"<div>{mlp()._repr_html_()}</div><p style='height: 2000px'></p>")
    tab.frame_locator("iframe").locator("#next").wait_for()
    inside = tab.frames[1]
    inside.evaluate("addEventListener('wheel', (event) => { window.taken = event.defaultPrevented; })")
    before = inside.evaluate("view.k")
    tab.mouse.move(500, 350)
    tab.mouse.wheel(0, 120)
    inside.wait_for_function("() => window.taken === false")
    assert inside.evaluate("view.k") == before
    tab.keyboard.down("Control")
    tab.mouse.wheel(0, 120)
    inside.wait_for_function("(k) => view.k < k", arg=before)
    tab.close()
