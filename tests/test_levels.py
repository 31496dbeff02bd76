"""Folding inside the page: its boxes are those of `draw`, its numbers those of the whole pass."""

import re
from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser
from in_view import IN_VIEW
from test_page import Open, browser, show

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus._support.identities import Identities
from micrograd_plus.formulas.numerals import boxed, short
from micrograd_plus.pictures.folding import fold
from micrograd_plus.stepping.page.documents import LIMIT, html
from micrograd_plus.stepping.page.levels import excerpt, levels_of
from micrograd_plus.stepping.page.live import KEPT
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
        tab.evaluate(f"open(graph.levels[{k}])")
        found = tab.evaluate(IN_VIEW)
        assert [(lit, inside) for lit, inside, _ in found if lit != inside or lit == 0] == []


def batch() -> Backprop:
    """A sample's boxes stand far from those of the parameters, which all samples share."""
    model = mp.MLP(2, [4, 4, 1], seed=1)
    return backprop(mp.mean([(model([0.1 * i, 1.0 - 0.1 * i]) - 1.0) ** 2 for i in range(20)]))


SMALL = """() => {
    const least = 0.5 * (innerWidth < 600 ? 0.9 : 0.75);
    return level.stops.filter((k) => { go(k); return view.k < least; }).length / level.stops.length;
}"""


@in_browser
@pytest.mark.parametrize("width", [380, 1024])
@pytest.mark.parametrize("make", [network, batch, large])
def test_the_page_opens_at_a_level_that_can_be_read(show: Open, make: Any, width: int) -> None:
    tab = show(make(), viewport={"width": width, "height": 800}, reduced_motion="reduce")
    opened, first, last = tab.evaluate("[graph.levels.indexOf(level), graph.level, graph.levels.length - 1]")
    assert tab.input_value("#level") == str(opened)
    assert tab.locator("#map .dot").count() == tab.locator(".node").count()
    assert (opened > first) == (make is batch)
    small = tab.evaluate(SMALL)
    if small > 0.2:  # then none is better
        assert make is large
        for k in range(first, last + 1):
            tab.evaluate(f"open(graph.levels[{k}])")
            assert tab.evaluate(SMALL) >= small


@in_browser
def test_a_box_opens_where_it_is(show: Open) -> None:
    steps = network()
    tab = show(steps, reduced_motion="reduce")
    tab.evaluate("go(final)")
    tab.select_option("#level", tab.evaluate("String(graph.levels.length - 1)"))
    while tab.locator(".node.group").count():
        tab.locator(".node.group").first.focus()
        tab.keyboard.press("Enter")
        before = tab.locator(".node").count()
        tab.locator("#story").get_by_role("button", name="Open").click()
        assert tab.locator(".node").count() > before
        tab.keyboard.press("Escape")
    assert tab.locator(".node").count() == len(steps._pass.nodes)
    tab.fill("#leaf0", "2.5")  # leaves stay alive
    tab.select_option("#level", "1")
    assert tab.locator(".node .data").first.text_content() != "?"


@in_browser
def test_a_walk_stops_where_python_says(show: Open) -> None:
    steps = network()
    found = levels_of(steps._pass)
    known = excerpt(steps._pass, found)
    tab = show(steps)
    for k, level in enumerate(found):
        tab.evaluate(f"open(graph.levels[{k}])")
        assert tab.evaluate("level.stops") == level.stops(known.made, known.steps)


@in_browser
def test_what_is_asked_for_follows_from_what_is_in_the_picture(show: Open) -> None:
    steps = network()
    tab = show(steps, reduced_motion="reduce")
    tab.click("#predict")
    for k in range(len(levels_of(steps._pass))):
        tab.evaluate("go(0)")
        tab.select_option("#level", str(k))
        asked = passed = 0
        while tab.is_enabled("#reveal"):
            position = tab.evaluate("position")
            if tab.is_enabled("#answer"):
                question = tab.text_content("#asked")
                seen = tab.evaluate("boxes.filter(({ shows }) => shows).map(({ at }) => name(at))")
                words = [re.escape(name) for name in steps.names.values()]
                told = re.findall(rf"(?<![\w.])(?:{'|'.join(sorted(words, key=len, reverse=True))})(?!\w)", question)
                assert told
                assert set(told) <= set(seen), question
                asked += 1
                tab.click("#reveal")
                assert tab.text_content("#verdict").startswith("It is ")
            else:
                assert "inside of boxes" in tab.text_content("#asked")
                passed += 1
                tab.click("#reveal")
            assert tab.evaluate("position") > position
            assert tab.evaluate("level.stops.includes(position)")
        assert (passed == 0) == (k == 0)  # where all is open, all is asked for
        assert k > 0 or asked == tab.evaluate("final")


IN_BOXES = "boxes.map((_, k) => nodes.map((_, i) => i).filter((i) => home[i] === k))"
OVERLAPS = """(() => {
    const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => !apart(a.area, b.area)).map((b) => [a.at, b.at]));
})()"""


def neurons_at(steps: Backprop) -> int:
    """The level at which each neuron is a box."""
    return next(
        k for k, level in enumerate(levels_of(steps._pass)) if any(b.title.endswith("neurons.1") for b in level.boxes)
    )


@in_browser
@pytest.mark.parametrize("wanted", [["0.neurons.1"], ["1.neurons.3", "2.neurons.0"]])
def test_single_boxes_open_into_what_draw_opens_them_into(show: Open, wanted: list[str]) -> None:
    steps, titles = network(), [f"model.layers.{name}" for name in wanted]
    nodes, names = steps._pass.nodes, steps.names
    number = Identities((node, i) for i, node in enumerate(nodes))
    tab = show(steps, reduced_motion="reduce")
    tab.evaluate(f"open(graph.levels[{neurons_at(steps)}])")
    tab.evaluate("go(made.length + 20)")
    closed = tab.evaluate(IN_BOXES)
    for title in titles:
        tab.evaluate(f"openBox(boxes.findIndex((box) => box.title === '{title}'))")
    folded = fold(nodes, [steps.root], names.modules, names, number=number, limit=1000, depth=2, open=[*titles, "+"])
    drawn = sorted(sorted(number[node] for node in box.members) for box in folded.boxes)
    assert sorted(tab.evaluate(IN_BOXES)) == drawn
    assert tab.evaluate(OVERLAPS) == []
    assert sorted(tab.locator(".frame").all_text_contents()) == [f"▾ {title}" for title in titles]
    arrows = tab.evaluate("[...new Set(level.edges.map((edge) => `${tail(edge)} ${head(edge)}`))]")
    assert len(arrows) == len({(edge.tail, edge.head) for edge in folded.edges})
    assert tab.evaluate("steps.every((it) => it.node === null || home[it.node] === home[it.argument] || arrowOf(it))")
    for title in titles:
        tab.evaluate(f"foldBox(level.opened.find((it) => titleOf(it) === '{title}'))")
    assert tab.evaluate(IN_BOXES) == closed


@in_browser
@pytest.mark.parametrize("width", [380, 1024])
def test_a_walk_through_opened_boxes_is_in_view_and_ends_with_the_same_numbers(show: Open, width: int) -> None:
    steps = network()
    tab = show(steps, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    tab.evaluate("open(graph.levels.at(-1))")
    for _ in range(4):  # a box in a box in a box
        tab.evaluate("openBox(boxes.findIndex((_, k) => isOpenable(k)))")
    assert tab.evaluate("Math.max(...level.frames.map((some) => some.length))") >= 2
    assert tab.evaluate(OVERLAPS) == []
    found = tab.evaluate(IN_VIEW)
    assert [(lit, inside) for lit, inside, _ in found if lit != inside or lit == 0] == []
    for i, node in enumerate(steps._pass.nodes):
        bears = f"boxes[home[{i}]].at === {i} && boxes[home[{i}]].shows"
        if grad := tab.evaluate(f"{bears} && boxes[home[{i}]].element.querySelector('.grad').textContent"):
            assert grad == boxed(steps.gradients[node], dust=node in steps._pass.dusty_grads)


@in_browser
@pytest.mark.parametrize("name", ["both", "what is done to each of the two heads"])
def test_a_frame_s_title_keeps_within_it(show: Open, name: str) -> None:
    x = Value(1.0, label="x")
    with mp.scope(name):
        both = mp.sin(x), mp.cos(x)
    tab = show(backprop(both[0] * both[1]), reduced_motion="reduce")
    tab.evaluate("open(graph.levels.at(-1)); openBox(boxes.findIndex((box) => box.title))")
    frame, title = [tab.locator(f".frame {part}").bounding_box() for part in ("rect", "text")]
    assert title["x"] + title["width"] <= frame["x"] + frame["width"]
    assert tab.locator(".frame").get_attribute("aria-label") == f"Fold {name}"
    assert tab.locator(".frame text").text_content()[:6] == f"▾ {name[:4]}"


@in_browser
def test_a_box_opens_and_folds_by_keyboard_and_mouse(show: Open) -> None:
    steps = network()
    tab = show(steps, reduced_motion="reduce")
    tab.evaluate(f"open(graph.levels[{neurons_at(steps)}])")
    before = tab.evaluate("boxes.length")
    tab.locator(".node.group").first.focus()
    tab.keyboard.press("o")
    assert tab.evaluate("boxes.length") > before
    assert tab.evaluate("document.activeElement.classList.contains('node')")
    assert tab.locator("#story").get_by_role("button", name="Fold").count() == 1
    tab.keyboard.press("o")
    assert tab.evaluate("boxes.length") == before
    tab.locator(".node.group").nth(1).dblclick()
    assert tab.evaluate("boxes.length") > before
    tab.locator(".frame text").click()
    assert tab.evaluate("boxes.length") == before


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
    assert "passes on" in " ".join(tab.evaluate("level.stops.map((k) => { go(k); return $('step').textContent; })"))


@in_browser
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_leaves_of_a_folded_graph_are_alive(show: Open, activation: str) -> None:
    model = mp.MLP(3, [8, 8, 1], activation=activation, seed=1)
    held = model.layers[0].neurons[0].b
    held.grad = 0.25

    def passed() -> Backprop:
        outputs = [model([0.1 * i, 0.2, Value(0.3 * i, label=f"x{i}")]) for i in range(4)]
        return backprop(mp.losses.mean_squared_error(outputs, [1.0] * 4))

    steps = passed()
    assert len(steps._pass.nodes) > LIMIT
    tab = show(steps, reduced_motion="reduce", viewport={"width": 1024, "height": 800})
    assert "values and gradients follow. So do boxes, whose leaves are here, too. What Python" in tab.text_content(
        "#leaves"
    )
    name = "model.layers.1.neurons.3.w.5"
    tab.fill("#leafname", "1.neurons.3.w")
    assert name in tab.locator("#leafnames option").evaluate_all("some => some.map((each) => each.value)")
    tab.fill("#leafname", name)
    changed = tab.locator(f"input[type=number][id='{tab.locator('.leafrow label').get_attribute('for')}']")
    changed.fill("-0.75")
    model.layers[1].neurons[3].w[5].data = -0.75
    while tab.evaluate("following !== 0"):  # the page's policy lets no string be waited for
        tab.wait_for_timeout(20)
    tab.evaluate("go(final)")
    steps = passed()  # the same graph, with the number
    known = excerpt(steps._pass, levels_of(steps._pass))
    data = tab.evaluate("nodes.map((node) => node.data)")
    assert data == pytest.approx([node.data for node in known.nodes], rel=1e-12, abs=1e-15)
    columns = ("upstream", "local", "contribution", "before", "after")
    numbers = tab.evaluate(f"steps.map((step) => {list(columns)}.map((column) => step[column]))")
    expected = [[getattr(step, column) for column in columns] for step in known.steps]
    assert len(numbers) == len(expected)
    for got, want in zip(numbers, expected):
        assert got == pytest.approx(want, rel=1e-12, abs=1e-15)


def test_of_a_large_graph_a_notebook_says_where_its_leaves_are_alive() -> None:
    model = mp.MLP(30, [20, 1], seed=1)
    steps = backprop(mp.losses.mean_squared_error([model([0.1] * 30) for _ in range(5)], [1.0] * 5))
    assert len(steps._pass.nodes) > KEPT
    assert "steps.save('steps.html') writes a page that has it" in html(steps._pass, bare=True)
    assert '"fixed":""' in steps.html()


def test_a_large_graph_makes_a_film(tmp_path: Path) -> None:
    large().save(tmp_path / "film.svg")
    assert "passes on" in (tmp_path / "film.svg").read_text(encoding="utf-8")
