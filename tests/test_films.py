"""The film: in a real browser each moment shows what the pass has come to, and nothing that moves is needed."""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate, combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from browsers import in_browser, opened
from test_page import NASTY

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.numerals import shorter
from micrograd_plus.stepping.page import films
from micrograd_plus.stepping.page.layouts import layout
from micrograd_plus.stepping.page.levels import levels_of
from micrograd_plus.stepping.page.moments import frames
from micrograd_plus.stepping.stepper import Backprop, backprop

Show = Callable[..., Any]
SEEN = """(what) => [...document.querySelectorAll(what)]
    .filter((each) => getComputedStyle(each).visibility === "visible").map((each) => each.textContent)"""
SEEK = "(ms) => document.getAnimations().forEach((each) => { each.pause(); each.currentTime = ms; })"


def example() -> Backprop:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    return backprop(c * (c + 1.0))


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Show]:
    with opened() as chromium:

        def show(steps: Backprop, **options: Any) -> Any:
            steps.save(tmp_path / "film.svg")
            tab = chromium.new_page(**options)
            tab.goto((tmp_path / "film.svg").as_uri())
            return tab

        yield show


def middles(steps: Backprop) -> list[float]:
    """The middle of each frame, in milliseconds."""
    seconds = [frame.seconds for frame in frames(steps._pass, levels_of(steps._pass)[0])]
    return [1000.0 * (end - each / 2.0) for each, end in zip(seconds, accumulate(seconds), strict=True)]


@in_browser
def test_each_moment_tells_its_step(show: Show) -> None:
    steps = example()
    tab = show(steps)
    told = ["2 leaves, 3 to compute", *steps.forward, *map(str, steps), "a.grad = 33.0, b.grad = -22.0"]
    for k, (text, middle) in enumerate(zip(told, middles(steps), strict=True)):
        tab.evaluate(SEEK, middle)
        assert tab.evaluate(SEEN, ".step") == [text]
        assert len(tab.evaluate(SEEN, ".node")) == len(toposort(steps.root))
        taken = steps[: max(0, k - len(steps.forward))]
        assert len(tab.evaluate(SEEN, ".share")) == len([step for step in taken if step.node is not None])
        values = tab.evaluate(SEEN, ".node .data")
        assert values.count("?") == max(0, len(steps.forward) - k)
    assert sorted(tab.evaluate(SEEN, ".node .grad")) == sorted(map(shorter, steps.gradients.values()))


def large_network() -> Backprop:
    """Some 300 nodes, which fold."""
    model = mp.MLP(6, [8, 4, 1], seed=1)
    return backprop((model([Value(0.25 * i) for i in range(6)]) - 1.0) ** 2)


@in_browser
@pytest.mark.parametrize("large", [False, True])
def test_the_first_gradient_flows_within_three_seconds(show: Show, large: bool) -> None:
    steps = large_network() if large else example()
    tab = show(steps)
    tab.evaluate(SEEK, 2999.0)
    assert tab.evaluate(SEEN, ".step") == [str(steps[1])]
    arrows = tab.evaluate("""() => [...document.querySelectorAll(".edge.lit.back")]
        .filter((each) => getComputedStyle(each).visibility === "visible")
        .map((each) => [...each.children].map((part) => getComputedStyle(part).display !== "none"))""")
    assert arrows == [[True, False, True]]  # its line, and the head where the gradient goes


@in_browser
def test_it_pauses_and_goes_on_without_a_script(show: Show) -> None:
    tab = show(example())
    running = "() => [...new Set(document.getAnimations().map((each) => each.playState))]"
    assert tab.evaluate(running) == ["running"]
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause"
    tab.keyboard.press("Enter")
    assert tab.evaluate(running) == ["paused"]
    tab.mouse.move(100, 50)
    tab.click(".control.play")
    assert tab.evaluate(running) == ["running"]
    tab.emulate_media(reduced_motion="reduce")
    assert not tab.locator(".control.pause").is_visible()


@in_browser
def test_where_nothing_may_move_the_end_is_shown(show: Show) -> None:
    steps = example()
    tab = show(steps, reduced_motion="reduce")
    assert tab.evaluate("document.getAnimations().length") == 0
    assert tab.evaluate(SEEN, ".step") == ["a.grad = 33.0, b.grad = -22.0"]
    assert tab.evaluate(SEEN, ".node .data").count("?") == 0


@in_browser
def test_nothing_is_cut_off(show: Show) -> None:
    outside = """() => {
        const all = document.documentElement.getBoundingClientRect();
        return [...document.querySelectorAll("text, .paper")].filter((each) => {
            const box = each.getBoundingClientRect();
            return box.left < all.left || box.right > all.right || box.bottom > all.bottom;
        }).length;
    }"""
    for root in (mp.Neuron(3, seed=1)([0.5, -1.0, 2.0]), Value(3.0), Value(1.0, label="🦊" * 9) * 2.0):
        tab = show(backprop(root))
        assert tab.evaluate(outside) == 0


def test_numbers_on_crossing_arrows_do_not_cover_each_other() -> None:
    a, b = Value(2.0), Value(-3.0)
    for root in ((a + b) * (a - b), a * b + (a - b) ** 2, a * a + a * 2.0 - a):
        nodes, taken = toposort(root), backprop(root)._pass
        places = layout(levels_of(taken)[0], taken.names).labels
        assert len(places) == sum(isinstance(arg, Value) for node in nodes for arg in node.args)
        for one, other in combinations(places.values(), 2):
            assert abs(one[0] - other[0]) > 30 or abs(one[1] - other[1]) > 10


def test_two_films_in_a_page_have_names_of_their_own(tmp_path: Path) -> None:
    marks = []
    for steps in (example(), backprop(Value(1.0) * 2.0)):
        steps.save(tmp_path / "film.svg")
        marks.append(set(re.findall(r"@keyframes (\S+)", (tmp_path / "film.svg").read_text(encoding="utf-8"))))
    assert not marks[0] & marks[1]


def test_labels_break_nothing(tmp_path: Path) -> None:
    root = Value(1.0, label=NASTY[0])
    for label in NASTY[1:]:
        root = root * Value(1.5, label=label)
    backprop(root).save(tmp_path / "film.svg")
    drawn = ElementTree.parse(tmp_path / "film.svg")
    assert not [each for each in drawn.iter() if each.tag.rpartition("}")[2] in ("script", "img")]


def test_a_wrong_order_ends_with_what_is_wrong(tmp_path: Path) -> None:
    a = Value(2.0, label="a")
    b = a * a
    steps = backprop(b * (b + 1.0), order="depth-first")
    assert steps.wrong
    steps.save(tmp_path / "film.svg")
    assert str(steps.wrong[0])[:60] in (tmp_path / "film.svg").read_text(encoding="utf-8")


def test_a_graph_too_large_for_a_film(tmp_path: Path) -> None:
    y = Value(1.0)
    for _ in range(films.LIMIT):
        y = y * 1.0
    with pytest.raises(ValueError, match=f"a graph of {films.LIMIT + 1} nodes is too large for a film"):
        backprop(y).save(tmp_path / "film.svg")
    assert not list(tmp_path.iterdir())
