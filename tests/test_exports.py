"""Every export shows a picture: nbconvert's formats, HTML with and without a script, slides, paper; and few bytes."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser, opened
from PIL import Image  # Matplotlib brings it

import micrograd_plus as mp
from micrograd_plus.pictures.form import WEIGHTS, rgb, tint

nbconvert = pytest.importorskip("nbconvert")
v4 = pytest.importorskip("nbformat.v4")
formatters = pytest.importorskip("IPython.core.formatters")


def loss() -> mp.Value:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    return mp.tanh(a * b) * a


def network() -> mp.MLP:
    return mp.MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)


SHOWN: dict[str, Callable[[], Any]] = {
    "stepper": lambda: mp.backprop(loss()),
    "graph": lambda: mp.draw(loss()),
    "network": lambda: mp.draw_network(network(), [1.0, -1.0]),
    "weights": lambda: mp.draw_weights(mp.Layer(4, 3, seed=1)),
    "history": lambda: mp.History([mp.training.records.Epoch(i, 10 * i, 2.0 / i, 0.5, 0.1, 1.0) for i in (1, 2, 3)]),
    "nudges": lambda: mp.nudges(network(), [1.0, -1.0], [0.0, 1.0]),
}


def bundle(shown: Any) -> dict[str, str]:
    """What IPython keeps of it, by kind."""
    made: Any = formatters.DisplayFormatter()
    found: dict[str, str] = made.format(shown)[0]
    return found


@pytest.fixture(scope="module")
def notebook() -> Any:
    cells = []
    for i, (name, make) in enumerate(SHOWN.items(), 1):
        output: Any = v4.new_output("execute_result", bundle(make()), execution_count=i)
        cells.append(
            v4.new_code_cell(name, execution_count=i, outputs=[output], metadata={"slideshow": {"slide_type": "slide"}})
        )
    return v4.new_notebook(cells=cells)


def exported(notebook: Any, kind: str, **options: Any) -> tuple[str, dict[str, bytes]]:
    """The text, and the files beside it."""
    text, resources = nbconvert.get_exporter(kind)(**options).from_notebook_node(notebook)
    return text, resources.get("outputs", {})


@pytest.mark.parametrize("name", SHOWN)
def test_a_png_stands_beside_the_html(name: str) -> None:
    made = bundle(SHOWN[name]())
    assert set(made) == {"text/html", "text/plain", "image/png"}
    image = Image.open(BytesIO(b64decode(made["image/png"])))
    assert image.width > 60
    assert image.height > 60
    assert len(image.convert("RGB").getcolors(10_000) or []) > 4  # something is drawn
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)  # on paper


def test_latex_shows_a_picture_for_each(notebook: Any) -> None:
    text, files = exported(notebook, "latex")
    assert re.findall(r"adjustimage\{.*?\{output_(\d)_0\.png\}", text.replace("}{", "{")) == list("012345")
    assert len(files) == len(SHOWN)


@pytest.mark.parametrize("kind", ["asciidoc", "markdown"])
def test_text_shows_a_picture_for_each_where_pictures_come_first(notebook: Any, kind: str) -> None:
    priority = {"NbConvertBase": {"display_data_priority": ["image/png", "text/plain"]}}
    text, files = exported(notebook, kind, config=nbconvert.exporters.exporter.Config(priority))
    assert [name for name in files if name in text] == [f"output_{i}_0.png" for i in range(len(SHOWN))]
    assert "Picture of" not in text.replace("alt", "")


def test_sanitized_html_shows_a_picture_for_each_where_pictures_come_first(notebook: Any) -> None:
    priority = {"NbConvertBase": {"display_data_priority": ["image/png", "text/plain"]}}
    config = nbconvert.exporters.exporter.Config(priority)
    text, _ = exported(notebook, "html", config=config, sanitize_html=True)
    assert len(re.findall("<img [^>]*data:image/png;base64,", text)) == len(SHOWN)


def test_rst_holds_the_html_and_the_files(notebook: Any) -> None:
    text, files = exported(notebook, "rst")
    assert len(files) == len(SHOWN)
    assert text.count('src="data:image/svg+xml,') == len(SHOWN) + 1  # a history has two curves


@in_browser
@pytest.mark.parametrize("kind", ["html", "slides"])
def test_html_shows_the_page_once_and_each_picture(notebook: Any, tmp_path: Path, kind: str) -> None:
    text, _ = exported(notebook, kind)
    file = tmp_path / "exported.html"
    file.write_text(text, encoding="utf-8")
    with opened() as chromium:
        tab = chromium.new_page()
        tab.route("http*://**", lambda route: route.abort())  # reveal.js and MathJax, which come from elsewhere
        tab.goto(file.as_uri())
        tab.frame_locator("iframe").locator("#last").click()
        assert tab.frame_locator("iframe").locator("#next").is_disabled()
        assert not tab.is_visible(".micrograd-plus-static")
        pictures = tab.locator(".jp-OutputArea img:visible")
        assert pictures.count() == len(SHOWN)  # the page, whose picture hides, and a history of two curves
        assert all(each.evaluate("image => image.naturalWidth") > 60 for each in pictures.all())
        tab.emulate_media(media="print")
        assert not tab.is_visible("iframe")
        assert tab.locator(".jp-OutputArea img:visible").count() == len(SHOWN) + 1


def test_a_stepper_of_a_network_takes_90_kilobytes_of_a_notebook() -> None:
    model = mp.MLP(2, [4, 4, 1], seed=1)
    assert kept(mp.backprop((model([0.5, -1.0]) - 1.0) ** 2)) <= 90_000


def test_pictures_of_784_inputs_take_few_bytes_of_a_notebook() -> None:
    model = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", init="xavier", seed=1)
    assert kept(mp.draw_network(model, [i % 29 / 28.0 for i in range(784)])) <= 46_000
    assert kept(mp.draw_weights(model.layers[0])) <= 31_000


def kept(shown: Any) -> int:
    """How many bytes a notebook's file holds of it."""
    return len(json.dumps(bundle(shown), ensure_ascii=False).encode())


def test_a_png_keeps_the_colours_of_signs() -> None:
    """Also where hardly anything has them, as the legend's line for negative weights has here."""
    model = mp.MLP(2, [3, 1], seed=1)
    for neuron in model.layers[0].neurons + model.layers[1].neurons:
        for weight in neuron.w:
            weight.data = abs(weight.data)
    drawn = bundle(mp.draw_network(model))["image/png"]
    colours = {colour for _, colour in Image.open(BytesIO(b64decode(drawn))).convert("RGB").getcolors(10_000) or []}
    assert {rgb(WEIGHTS.positive), rgb(WEIGHTS.negative)} <= colours
    x = mp.Value(2.0)
    y = x * mp.Value(-3.0)
    y.backward()
    shown = bundle(mp.draw(y))["image/png"]
    colours = {colour for _, colour in Image.open(BytesIO(b64decode(shown))).convert("RGB").getcolors(10_000) or []}
    assert {rgb(tint(sign, 3.0)) for sign in (-3.0, 2.0, 1.0)} <= colours


def test_the_picture_of_a_pass_has_its_gradients_and_folds() -> None:
    x = mp.Value(3.0, label="x")
    root = x * x
    still, _, frame = mp.backprop(root)._repr_html_().partition("<iframe")
    assert frame
    assert "grad 6%3C" in still
    assert x.grad == root.grad == 0.0  # nothing is written into the graph
    model = mp.MLP(2, [8, 8, 1], seed=1)
    steps = mp.backprop((model([0.5, -1.0]) - 1.0) ** 2)
    still, _, frame = steps._repr_html_().partition("<iframe")
    assert frame
    assert "folded" in still
    assert still.count("grad ") < 40
