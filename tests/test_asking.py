"""Whose story the page tells, in a real browser: by mouse, by touch and by keyboard alone."""

from itertools import pairwise
from typing import Any

import pytest
from browsers import in_browser
from test_page import Open, browser, example, python_texts, show

from micrograd_plus.engine.walking import toposort
from micrograd_plus.stepping.stepper import backprop

__all__ = ["browser", "show"]  # fixtures
FOCUS = "document.activeElement.id"


def told(tab: Any) -> str:
    text: str = tab.text_content("#story h2")
    return text.partition(":")[0]


@pytest.fixture
def tab(show: Open) -> Any:
    """The page at its end, and what its nodes are called."""
    opened = show(backprop(example()), viewport={"width": 1024, "height": 900}, reduced_motion="reduce", has_touch=True)
    opened.keyboard.press("End")
    opened.keyboard.press("0")  # the whole graph is in view
    return opened


STEPS = backprop(example())
NAMES = [STEPS.names[node] for node in toposort(STEPS.root)]
A = NAMES.index("a")
USES = [k for k, step in enumerate(STEPS) if step.argument.label == "a"]  # the steps that give a something


@in_browser
@pytest.mark.parametrize("way", ["click", "tap"])
def test_a_click_or_a_tap_pins_a_story_whose_entries_lead_to_their_steps(tab: Any, way: str) -> None:
    def press(what: str) -> None:
        getattr(tab.locator(what), way)()

    texts = python_texts(STEPS)[len(STEPS.forward) :]
    press(f"#n{A}")
    assert told(tab) == "a"
    assert len(USES) > 1
    for entry, k in enumerate(USES):
        press(f"#story tr:nth-child({entry + 1}) button")
        assert tab.text_content("#step") == texts[k]
        assert told(tab) == "a"
    tab.locator(f"#n{len(NAMES) - 1}").hover()  # what is pinned stays
    assert told(tab) == "a"
    tab.keyboard.press("ArrowRight")  # the graph has no focus: this takes a step
    assert tab.text_content("#step") == texts[USES[-1] + 1]
    assert told(tab) == "a"
    tab.keyboard.press("Escape")
    tab.mouse.move(1, 1)
    assert told(tab) == STEPS.names[STEPS[USES[-1] + 1].argument]
    press(f"#n{A}")
    press(f"#n{A}")
    tab.mouse.move(1, 1)
    assert tab.locator("[aria-pressed=true]").count() == 0
    press("#pin")
    press("#back")
    assert told(tab) == STEPS.names[STEPS[USES[-1] + 1].argument]


@in_browser
def test_the_graph_is_one_stop_and_arrows_walk_along_its_arrows(tab: Any) -> None:
    tab.keyboard.press("Home")
    stops = []
    tab.focus("#larger")
    for _ in range(40):
        tab.keyboard.press("Tab")
        stops.append(tab.evaluate(FOCUS))
    assert len({stop for stop in stops if stop.startswith("n") and stop[1:].isdigit()}) == 1
    tab.focus(f"#n{A}")
    before = tab.text_content("#step")
    seen = [A]
    for _ in range(len(NAMES)):
        tab.keyboard.press("ArrowRight")
        seen.append(int(tab.evaluate(FOCUS)[1:]))
    root = len(NAMES) - 1
    assert seen[-1] == root
    nodes = toposort(STEPS.root)
    assert all(any(arg is nodes[i] for arg in nodes[j].args) for i, j in pairwise(seen) if i != j)
    for _ in range(len(NAMES)):
        tab.keyboard.press("ArrowLeft")
    assert NAMES[int(tab.evaluate(FOCUS)[1:])] in "abc"
    for key, way in (("ArrowDown", 1), ("ArrowUp", -1)):
        tab.focus(f"#n{root - 1}")
        middle = tab.evaluate(f"height({root - 1})")
        tab.keyboard.press(key)
        assert way * (tab.evaluate(f"height({tab.evaluate(FOCUS)[1:]})") - middle) >= 0
    assert tab.text_content("#step") == before  # no step was taken
    box = tab.evaluate("() => isInView(boxes[boxOf(document.activeElement)].area)")
    assert box  # it comes into view


@in_browser
def test_by_keyboard_alone_a_story_is_pinned_and_its_entries_reached(tab: Any) -> None:
    tab.focus(f"#n{A}")
    assert told(tab) == "a"
    for key in ("Enter", " "):
        tab.keyboard.press(key)
        assert tab.get_attribute(f"#n{A}", "aria-pressed") == "true"
        tab.keyboard.press("Escape")
        assert tab.get_attribute(f"#n{A}", "aria-pressed") == "false"
    assert told(tab) == "a"
    tab.keyboard.press("Tab")  # the story's own button, then its entries
    assert (tab.evaluate(FOCUS), told(tab)) == ("pin", "a")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.text_content("#step") == python_texts(STEPS)[len(STEPS.forward) + USES[0]]
    assert tab.evaluate("document.activeElement.closest('#story tr') !== null")  # the focus is where it was
    assert told(tab) == "a"
    tab.keyboard.press("ArrowRight")  # outside of the graph an arrow is a step
    assert tab.text_content("#step") == python_texts(STEPS)[len(STEPS.forward) + USES[0] + 1]
