"""Films of a training: snapshots to the last bit, a page that shows what Python computes, and any example's graph."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import browser, in_browser, tabs

import micrograd_plus as mp
from micrograd_plus import History, Value, losses, optim
from micrograd_plus.training.films import Film
from micrograd_plus.training.films.documents import LIMIT
from micrograd_plus.training.recording import MOST

__all__ = ["browser"]  # a fixture

POINTS, LABELS = mp.data.make_moons(40, noise=0.1, seed=3)
SIGNS = [2 * label - 1 for label in LABELS]


def learnt(sizes: list[int], x: Any, y: Any, loss: Any, **options: Any) -> tuple[History, mp.MLP]:
    model = mp.MLP(np.asarray(x[0]).size, sizes, activation="tanh", init="xavier", seed=1)

    def cost(x: Any, y: Any) -> Any:
        return loss(model(np.ravel(x).tolist() if np.ndim(x) > 1 else x), y)

    adam = optim.Adam(model.parameters(), lr=0.05)
    given: dict[str, Any] = {"epochs": 12, "batch_size": 10, "seed": 2, "record": 8, "progress": False}
    return mp.fit(cost, (x, y), adam, **given | options), model


def moons(**options: Any) -> tuple[History, mp.MLP]:
    return learnt([4, 1], POINTS, SIGNS, losses.hinge, **options)


def digits(count: int = 120, **options: Any) -> tuple[History, mp.MLP]:
    images, labels = mp.data.load_digits()
    return learnt([12, 10], images[:count], labels[:count], losses.cross_entropy, **options)


def numbers(model: mp.MLP) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


# -------------------------------------------------------------------------------------------------------- the snapshots


@pytest.mark.parametrize("compile", [None, False])
def test_snapshots_are_evenly_spaced_and_hold_every_bit(compile: bool | None) -> None:
    history, model = moons(record=5, epochs=4, compile=compile)
    assert [snapshot.step for snapshot in history.snapshots] == [0, 4, 8, 12, 16]
    assert [snapshot.epoch for snapshot in history.snapshots] == [1, 1, 2, 3, 4]
    assert list(history.snapshots[0].numbers) == numbers(mp.MLP(2, [4, 1], activation="tanh", init="xavier", seed=1))
    assert list(history.snapshots[-1].numbers) == numbers(model)
    for snapshot, epoch in zip(history.snapshots[1:], history, strict=True):
        assert snapshot.loss == pytest.approx(epoch.loss, rel=1e-12)
    halfway, shorter = moons(record=False, epochs=2, compile=compile)
    assert list(history.snapshots[2].numbers) == numbers(shorter)
    assert halfway.snapshots == ()


def test_recording_changes_no_bit_of_the_training() -> None:
    (history, model), (other, same) = moons(), moons(record=False)
    assert history == other
    assert numbers(model) == numbers(same)


@pytest.mark.parametrize(("record", "count"), [(True, 49), (2, 2), (48, 48), (1000, 49)])
def test_there_are_no_more_snapshots_than_wanted_and_no_more_than_moments(record: Any, count: int) -> None:
    history, _ = moons(record=record)  # 48 steps, so 49 moments
    assert len(history.snapshots) == count
    assert len({snapshot.step for snapshot in history.snapshots}) == count
    assert MOST > 49


def test_a_training_that_ends_early_keeps_its_end() -> None:
    history, model = moons(record=3, callbacks=[lambda epoch: epoch.epoch == 5])
    assert [snapshot.step for snapshot in history.snapshots] == [0, 20]
    assert list(history.snapshots[-1].numbers) == numbers(model)


def test_restore_writes_a_snapshot_into_the_model() -> None:
    history, model = moons()
    history.snapshots[3].restore()
    assert numbers(model) == list(history.snapshots[3].numbers)


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (1, r"fit\(record=1\): expected a whole number of at least 2, how many snapshots to keep at most, or a bool"),
        (-3, "expected a whole number of at least 2"),
        ("all", "got str"),
        (2.5, "got float"),
    ],
)
def test_what_record_refuses(record: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        moons(record=record)


# ------------------------------------------------------------------------------------------------------------- the film


def test_a_film_needs_a_recording() -> None:
    with pytest.raises(ValueError, match=r"nothing was recorded; expected a history of fit\(\.\.\., record=True\)"):
        moons(record=False)[0].film()
    history, _ = moons()
    for other in (pickle.loads(pickle.dumps(history)), deepcopy(history)):
        assert other == history
        assert other.snapshots == history.snapshots
        with pytest.raises(ValueError, match="unpickled or copied"):
            other.film()
    with pytest.raises(TypeError, match=r"film\(3\): expected the model, got int"):
        history.film(3)  # type: ignore[arg-type]


def test_what_a_film_tells_of_itself() -> None:
    history, model = moons()
    film = history.film()
    right = sum((model(x).data > 0) == (y > 0) for x, y in zip(POINTS, SIGNS))
    told = f"8 snapshots of 17 parameters in 48 steps, loss {history.snapshots[0].loss:.3g} → "
    assert repr(film) == f"<film of a training: {told}{history.snapshots[-1].loss:.3g}, {right} of 40 points right>"
    shown = film._repr_html_()
    assert f'alt="{film.description}" src="data:image/svg+xml,' in unescape(shown)
    assert shown.count("<iframe") == 1


def test_making_a_film_leaves_the_model_as_it_is() -> None:
    history, model = moons()
    history.snapshots[2].restore()
    model.parameters()[0].grad = 7.0
    before = [(parameter.data, parameter.grad) for parameter in model.parameters()]
    history.film().html()
    assert [(parameter.data, parameter.grad) for parameter in model.parameters()] == before


def test_a_film_is_saved_as_a_page(tmp_path: Path) -> None:
    film = moons()[0].film()
    film.save(tmp_path / "film.html")
    assert (tmp_path / "film.html").read_text(encoding="utf-8") == film.html()
    with pytest.raises(ValueError, match=r"expected a name that ends in \.html"):
        film.save(tmp_path / "film.gif")
    with pytest.raises(TypeError, match="expected the path of a file, got int"):
        film.save(3)  # type: ignore[arg-type]


def large() -> Film:
    random = np.random.default_rng(1)
    x, y = random.random((30, 784)), [i % 10 for i in range(30)]
    history, _ = learnt([16, 16, 10], x, y, losses.cross_entropy, record=True, epochs=25)
    return history.film()


FILMS: dict[str, Callable[[], Film]] = {
    "moons, 4": lambda: moons(record=200, batch_size=4, epochs=20)[0].film(),
    "moons, 8-8": lambda: learnt([8, 8, 1], POINTS, SIGNS, losses.hinge, record=200, epochs=50)[0].film(),
    "digits": lambda: digits(record=True)[0].film(),
    "784-16-16-10": large,
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_takes_at_most_300_kilobytes(name: str) -> None:
    film = FILMS[name]()
    assert len(film._repr_html_().encode()) <= LIMIT == 300_000
    assert len(film.html().encode()) <= LIMIT


# ------------------------------------------------------------------------------------------------- what it can't show


def test_a_cost_without_a_module_shows_weights_and_loss() -> None:
    slope = Value(0.0)
    data = [1.0, 2.0], [2.0, 4.0]
    sgd = optim.SGD([slope], lr=0.1)
    film = mp.fit(lambda x, y: (slope * x - y) ** 2, data, sgd, record=4, progress=False).film()
    assert film._reel.answering == "there is no module in the cost: give film(model)"
    assert repr(film) == "<film of a training: 4 snapshots of 1 parameter in 5 steps, loss 10 → 0.0977>"
    assert [panel.facts["title"] for panel in film._reel.weights] == ["1 parameters"]
    assert "data:image" in film._repr_html_()


def test_a_model_that_cannot_be_compiled_says_so() -> None:
    class Odd(mp.Module):
        def __init__(self) -> None:
            self.inner = mp.MLP(2, [2, 1], seed=1)

        def __call__(self, x: Any) -> Any:
            return self.inner([float(number) for number in x])

    model = Odd()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    cost = lambda x, y: (model(x) - y) ** 2  # noqa: E731
    film = mp.fit(cost, (POINTS, SIGNS), sgd, compile=False, epochs=2, record=3, progress=False).film()
    assert str(film._reel.answering).startswith("the model can't be compiled: compile: float(x) in ")
    assert len(film.html()) > 1000


@pytest.mark.parametrize(
    ("x", "y", "loss", "sizes", "kind", "judged"),
    [
        (POINTS, [point[0] for point in POINTS], losses.squared_error, [3, 1], "plane", False),
        (POINTS, [i % 3 for i in range(40)], losses.cross_entropy, [3, 3], "plane", True),
        (POINTS, LABELS, losses.cross_entropy, [3, 2], "plane", True),
        (np.array(POINTS), np.array(SIGNS), losses.hinge, [3, 1], "plane", True),
        (np.zeros((6, 5, 5)), [0, 1, 2] * 2, losses.cross_entropy, [3], "images", True),
        (np.eye(16)[:6], [1, -1] * 3, losses.hinge, [3, 1], "images", True),
        ([[2.0, 3.0]] * 4, [1, -1] * 2, losses.hinge, [2, 1], "plane", True),
        ([[1e200, -1e-300], [1e199, 0.0]], [1, -1], losses.hinge, [2, 1], "plane", True),
        (np.ones((6, 7)), [1, -1] * 3, losses.hinge, [3, 1], None, False),
    ],
)
def test_what_the_model_answers(x: Any, y: Any, loss: Any, sizes: list[int], kind: str | None, judged: bool) -> None:
    history, model = learnt(sizes, x, y, loss, epochs=2)
    found = history.film(lambda x: model(np.ravel(x).tolist()))._reel.answering
    if isinstance(found, str):
        assert kind is None, found
        assert found == "its examples are neither points in a plane nor square images"
        return
    assert found.facts["kind"] == kind
    assert (found.right is not None) == judged
    assert "<iframe" in history.film()._repr_html_()


def test_graphs_are_built_where_nothing_else_is_recorded() -> None:
    history, _ = moons()
    with mp.no_grad():
        found = history.film()._reel.graphs
    assert (len(found.pages), found.why_not, None in found.examples) == (1, "", False)


# ------------------------------------------------------------------------------------------------------- in the browser


Open = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open the page of a film; the test fails if the page complains, or asks the network for anything."""
    with tabs(browser) as tab:

        def show(film: Film, **options: Any) -> Any:
            film.save(tmp_path / "film.html")
            opened = tab(tmp_path / "film.html", **options)
            opened.wait_for_selector("html[data-ready]")
            return opened

        yield show


@in_browser
def test_the_page_shows_what_the_model_answers_at_each_snapshot(show: Open) -> None:
    history, model = moons()
    film = history.film()
    tab = show(film)
    for place, snapshot in enumerate(history.snapshots):
        tab.evaluate(f"go({place})")
        snapshot.restore()
        answers = [model(point).data > 0 for point in POINTS]
        right = [answer == (sign > 0) for answer, sign in zip(answers, SIGNS)]
        told = tab.text_content("#status")
        assert told.startswith(f"After step {snapshot.step}, epoch {snapshot.epoch}: loss ")
        of = "on average over the batches just before" if snapshot.step else "of the first batch"
        assert told.endswith(f" {of}, {sum(right)} of 40 points right")
        marks = tab.eval_on_selector_all(".point", "marks => marks.map(mark => mark.classList.contains('wrong'))")
        assert marks == [not each for each in right]
        low, high, bottom, top = film._reel.answering.facts["box"]  # type: ignore[union-attr]
        columns, rows = film._reel.answering.facts["columns"], film._reel.answering.facts["rows"]  # type: ignore[union-attr]
        signs = tab.evaluate("[...answers.field[position]].map(signed).map(Math.sign)")
        for i in range(0, columns * rows, 97):
            row, column = divmod(i, columns)
            at = [low + (high - low) * column / (columns - 1), top - (top - bottom) * row / (rows - 1)]
            score = model(at).data
            assert signs[i] == np.sign(score) or abs(score) < 0.02
        weights = tab.evaluate("film.weights.flatMap(panel => [...panel.weights[position]].map(signed))")
        table = np.abs([it.numbers for it in history.snapshots])
        largest = np.where(np.arange(17) < 12, table[:, :12].max(), table[:, 12:].max())  # of each layer
        scaled = np.array(snapshot.numbers) / largest
        assert np.allclose(weights, scaled, atol=0.5 / 127 + 1e-9)


ARRIVED = "(wanted) => nodes[graph.root].data === wanted"  # in the graph's page, what the film's page has posted


@in_browser
def test_a_point_that_was_chosen_does_not_look_as_if_it_were_answered_wrongly(show: Any) -> None:
    tab = show(moons()[0].film(), reduced_motion="reduce")
    looks = """() => [...document.querySelectorAll(".point")].map((mark) => {
        const { strokeWidth, transform } = getComputedStyle(mark);
        return [parseFloat(strokeWidth) > 2, transform !== "none"];
    })"""
    wrong = tab.eval_on_selector_all(".point", "marks => marks.map(mark => mark.classList.contains('wrong'))")
    for i in (wrong.index(True), wrong.index(False)):
        tab.locator(".point").nth(i).click()
        tab.mouse.move(1, 1)
        assert tab.evaluate(looks) == [[each, k == i] for k, each in enumerate(wrong)]
        tab.locator(".point").nth(i).press("ArrowRight")
        assert tab.evaluate(looks) == [[each, k == i] for k, each in enumerate(wrong)]
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@in_browser
def test_an_examples_graph_is_stepped_through_at_the_weights_of_the_moment(show: Open) -> None:
    history, model = moons()
    tab = show(history.film(), reduced_motion="reduce")
    for place, example in ((3, 5), (6, 11)):
        tab.evaluate(f"go({place}), openGraph({example})")
        frame = tab.wait_for_selector("#opened iframe").content_frame()
        frame.wait_for_selector("#slider")
        history.snapshots[place].restore()
        loss = losses.hinge(model([Value(x) for x in POINTS[example]]), Value(float(SIGNS[example])))
        frame.wait_for_function(ARRIVED, arg=loss.data, polling=50)
        frame.evaluate("go(final)")
        for parameter in model.parameters():
            parameter.grad = 0.0
        loss.backward()
        leaves = frame.evaluate("leaves.map((i) => [nodes[i].name, nodes[i].data, gradients().get(i)])")
        found = {name: (data, grad) for name, data, grad in leaves}
        for name, parameter in model.named_parameters():
            assert found[f"model.{name}"] == (parameter.data, parameter.grad)
        assert [found[name][0] for name in ("x0", "x1", "y")] == [*POINTS[example], SIGNS[example]]
    tab.evaluate("go(1)")  # the graph follows
    history.snapshots[1].restore()
    expected = losses.hinge(model(POINTS[11]), SIGNS[11]).data
    frame.wait_for_function(ARRIVED, arg=expected, polling=50)


@in_browser
def test_of_a_graph_too_large_the_page_says_how_python_shows_it(show: Open) -> None:
    history, model = digits()
    tab = show(history.film())
    tab.evaluate("go(2)")
    tab.click(".card >> nth=4")
    assert tab.text_content("#how").startswith("No page can show it: ")
    code = tab.text_content("#how code")
    assert code == "history.snapshots[2].restore(); mp.draw(cost(X[4], Y[4]))"
    images, labels = mp.data.load_digits()
    space = {"mp": mp, "history": history, "X": images, "Y": labels}
    space["cost"] = lambda x, y: losses.cross_entropy(model(x), y)
    exec(code, space)
    assert numbers(model) == list(history.snapshots[2].numbers)
    tab.click("text=Close")
    assert not tab.is_visible("#opened")


def test_the_page_calls_things_by_the_callers_names() -> None:
    points, signs, unlike = list(POINTS), list(SIGNS), mp.MLP(2, [1], seed=1)
    miss = lambda x, y: losses.hinge(unlike(x), y)  # noqa: E731
    told = mp.fit(miss, (points, signs), optim.SGD(unlike.parameters(), lr=0.1), record=2, progress=False)
    assert told.film()._reel.names == {"history": "told", "cost": "miss", "X": "points", "Y": "signs"}


@in_browser
def test_the_images_page_shows_classes_and_answers(show: Open) -> None:
    history, model = digits()
    film = history.film()
    tab = show(film)
    images, labels = mp.data.load_digits()
    for place, snapshot in enumerate(history.snapshots):
        snapshot.restore()
        tab.evaluate(f"go({place})")
        says = tab.eval_on_selector_all(".card .says", "all => all.map(one => one.textContent)")
        chosen = film._reel.answering.chosen  # type: ignore[union-attr]
        outputs = [[out.data for out in model(images[i])] for i in chosen]
        assert says == [f"{labels[i]}, says {int(np.argmax(out))}" for i, out in zip(chosen, outputs)]
    assert sorted(labels[i] for i in chosen[:10]) == list(range(10))


@in_browser
def test_keys_buttons_and_the_curve_move_the_film(show: Open) -> None:
    history, _ = moons()
    tab = show(history.film(), viewport={"width": 1024, "height": 900})

    def at() -> Any:
        return tab.evaluate("position")

    assert at() == 7  # it opens with the end
    tab.keyboard.press("ArrowLeft")
    assert at() == 6
    tab.keyboard.press("Home")
    assert at() == 0
    tab.click("#play")
    tab.wait_for_selector("#play:text('Play')")
    assert at() == 7
    curve = tab.locator("#curve").bounding_box()
    tab.mouse.click(curve["x"] + 0.5 * curve["width"], curve["y"] + 10)
    assert at() in (3, 4)
    tab.locator("#slider").fill("2")
    assert at() == 2
    tab.locator(".point").first.focus()
    tab.keyboard.press("ArrowRight")
    assert at() == 2  # among the points an arrow goes to the next one
    assert tab.evaluate("document.querySelectorAll('.point[tabindex=\"0\"]').length") == 1
    tab.keyboard.press("Enter")
    assert tab.text_content("#which") == f"The loss of example 1 after step {history.snapshots[2].step}"


@in_browser
@pytest.mark.parametrize("width", [380, 1024, 1920])
def test_nothing_is_wider_than_the_window(show: Open, width: int) -> None:
    for film in (moons()[0].film(), digits()[0].film()):
        tab = show(film, viewport={"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@in_browser
def test_a_notebooks_frame_plays_and_steps(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "cell.html").write_text(f"<!DOCTYPE html><meta charset=utf-8>{moons()[0].film()._repr_html_()}")
    tab = browser.new_page()
    tab.goto((tmp_path / "cell.html").as_uri())
    assert not tab.is_visible(".micrograd-plus-static")
    frame = tab.wait_for_selector("iframe").content_frame()
    frame.wait_for_selector("html[data-ready]")
    frame.evaluate("openGraph(0)")
    inner = frame.wait_for_selector("#opened iframe").content_frame()
    inner.wait_for_selector("#graph svg")
    tab.close()
