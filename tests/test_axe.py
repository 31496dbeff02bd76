"""axe-core, which looks for what shuts people out, finds nothing on any page that we make, light and dark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsers import browser, in_browser

import micrograd_plus as mp

__all__ = ["browser"]  # a fixture

sync_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = in_browser


def network() -> mp.MLP:
    return mp.MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)


def loss() -> mp.Value:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    return mp.tanh(a * b) * a + mp.relu(b)


def trained() -> mp.Value:
    root = loss()
    root.backward()
    return root


def trained_film() -> Any:
    points, labels = mp.data.make_moons(20, noise=0.1, seed=3)
    model = mp.MLP(2, [3, 1], activation="tanh", seed=1)
    sgd = mp.optim.SGD(model.parameters(), lr=0.1)
    signs = [2 * label - 1 for label in labels]

    def cost(x: Any, y: Any) -> Any:
        return mp.losses.hinge(model(x), y)

    history = mp.fit(cost, (points, signs), sgd, epochs=3, batch_size=10, record=3, progress=False)
    return history.film(model)


SHOWN: dict[str, Callable[[], Any]] = {
    "stepper": lambda: mp.backprop(loss()),
    "stepper of a network": lambda: mp.backprop(mp.losses.squared_error(network()([1.0, 2.0]), [0.0, 1.0])),
    "a pass in a wrong order": lambda: mp.backprop(loss(), order="arguments-first"),
    "film of a training": trained_film,
    "history": lambda: mp.History([mp.training.records.Epoch(1, 10, 2.0, 0.5, 0.1, 1.0)] * 3),
    "model": network,
    "graph": lambda: mp.draw(trained(), edges="contribution"),
    "network": lambda: mp.draw_network(network(), [1.0, -1.0]),
    "weights": lambda: mp.draw_weights(mp.Layer(4, 3, seed=1)),
    "nudges": lambda: mp.nudges(network(), [1.0, -1.0], [0.0, 1.0]),
}
FILES = {
    "stepper": "html",
    "film of a training": "html",
    "a pass in a wrong order": "html",
    "network": "html",
    "film": "svg",
}


def complaints(tab: Any) -> list[str]:
    """What axe finds, in the page and in its frames."""
    found = sync_playwright.Axe().run(tab).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_nothing_is_found_in_what_a_notebook_shows(browser: Any, name: str, scheme: str) -> None:
    tab = browser.new_page(color_scheme=scheme)
    html = SHOWN[name]()._repr_html_()
    ground = "<style>:root { color-scheme: light dark; }</style><meta charset=utf-8>"
    tab.set_content(f"<!DOCTYPE html><html lang=en><title>Cells</title>{ground}<main><h1>Cells</h1>{html}</main>")
    assert complaints(tab) == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FILES)
def test_nothing_is_found_in_what_is_saved(browser: Any, tmp_path: Path, name: str, scheme: str) -> None:
    tab = browser.new_page(color_scheme=scheme)
    file = tmp_path / f"saved.{FILES[name]}"
    SHOWN["stepper" if name == "film" else name]().save(file)
    tab.goto(file.as_uri())
    if tab.locator("#curve").count():  # the page unpacks its numbers, then says what they are
        tab.wait_for_selector("#curve[aria-label]", state="attached")
    assert complaints(tab) == []
    if tab.locator("#last").count():
        for _ in range(9):  # in the middle of the backward pass
            tab.click("#next")
        assert complaints(tab) == []
        tab.click("#last")
        assert complaints(tab) == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_found_while_one_predicts_or_follows_paths(browser: Any, tmp_path: Path, scheme: str) -> None:
    tab = browser.new_page(color_scheme=scheme, viewport={"width": 380, "height": 800})
    mp.backprop(loss()).save(tmp_path / "saved.html")
    tab.goto((tmp_path / "saved.html").as_uri())
    tab.click("#predict")
    assert complaints(tab) == []
    tab.fill("#answer", "12345")
    tab.click("#guess")
    assert tab.text_content("#verdict")
    assert complaints(tab) == []
    tab.click("#predict")
    tab.locator("#paths select").select_option(index=1)
    tab.click("#last")
    assert complaints(tab) == []
    tab.close()
