"""Colours: words can be read on what lies behind them, all eyes tell the two signs apart, one module names them all."""

import ast
import re
from io import BytesIO
from itertools import combinations
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import in_browser, opened
from PIL import Image

import micrograd_plus as mp
from micrograd_plus.pictures import form
from micrograd_plus.pictures.form import DARK, LIGHT, Theme, rgb
from micrograd_plus.training import Epoch, History

PACKAGE = Path(mp.__file__).parent
LINEAR = (0.2126, 0.7152, 0.0722)
# Machado, Oliveira and Fernandes, A physiologically-based model for simulation of color vision deficiency, 2009
SIGHTS = {
    "usual": np.eye(3),
    "without red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "without green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> Any:
    """Red, green and blue as light, from 0 to 1 (sRGB)."""
    parts = np.array(rgb(colour)) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """From 1 to 21, as WCAG 2.2 defines it."""
    dim, bright = sorted([float(linear(colour) @ LINEAR) for colour in (one, other)])
    return (bright + 0.05) / (dim + 0.05)


def seen(colour: str, sight: str) -> Any:
    """Where a colour lies for such eyes, in CIELAB: a distance of 2 is just seen, of 20 at a glance."""
    light = np.clip(SIGHTS[sight] @ linear(colour), 0, 1)
    x, y, z = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in TO_XYZ @ light / TO_XYZ.sum(axis=1)]
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_of_a_page_can_be_read(theme: Theme) -> None:
    for ink in ("text", "dim", "up", "loc", "blue", "orange"):
        for ground in ("back", "card", "glow"):
            assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5, (ink, ground)
    for ground in ("back", "card"):
        assert contrast(theme.line, getattr(theme, ground)) >= 3  # what is no word


def test_words_of_pictures_without_a_ground_can_be_read_on_white_and_on_black() -> None:
    for ink in (form.GREY, form.MIDDLE, *form.LINES, *form.WEIGHTS, form.MARK):
        for ground in ("#ffffff", "#000000"):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    for ground in ("#111111", DARK.back, DARK.card):  # JupyterLab's, and ours
        assert contrast(form.DIM, ground) >= 4.5
    for light, dark in form.IN_THE_DARK.items():
        if light != form.INK:
            assert contrast(form.INK, light) >= 4.5, light
            assert contrast(form.IN_THE_DARK[form.INK], dark) >= 4.5, dark


@in_browser
@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize(
    ("host", "is_dark"),
    [
        ('data-jp-theme-light="true"', False),
        ('data-jp-theme-light="false"', True),
        ('data-md-color-scheme="slate"', True),
        ('class="vscode-dark"', True),
        ('style="color-scheme: light"', False),
        ("", False),  # nobody says it, and a white page is as likely as a black one: light boxes can be read on both
    ],
)
def test_a_drawn_graph_is_as_dark_as_what_it_lies_on(system: str, host: str, is_dark: bool) -> None:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    y = a * b
    y.backward()
    picture = mp.draw(y, node={b: {"fill": "gold"}}, direction="TB")
    with opened() as chromium:
        tab = chromium.new_page(color_scheme=system)
        tab.set_content(f"<!DOCTYPE html><body {host}>{picture._repr_html_()}</body>")
        shot: Any = Image.open(BytesIO(tab.locator("img").screenshot())).convert("RGB")
    seen = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in shot.getcolors(100_000) or []}
    own = {form.tint(grad, 3.0) for grad in (-3.0, 1.0)}
    assert ({form.IN_THE_DARK[colour] for colour in own} if is_dark else own) <= seen
    assert "#ffd700" in seen  # the user's own colour stays, and so do the letters on it


@in_browser
@pytest.mark.parametrize("host", ['data-jp-theme-light="true"', 'data-jp-theme-light="false"', ""])
def test_words_of_a_drawing_are_lighter_where_it_is_dark(host: str) -> None:
    drawing = mp.draw_network(mp.MLP(2, [2, 1], seed=1))
    history = History([Epoch(i, 10 * i, 2.0 / i, 0.5, 0.1, 1.0) for i in (1, 2, 3)])
    with opened() as chromium:
        tab = chromium.new_page(color_scheme="dark")
        for html in (drawing._repr_html_(), history._repr_html_()):
            tab.set_content(f"<!DOCTYPE html><body {host}>{html}</body>")
            shot: Any = Image.open(BytesIO(tab.locator("img").first.screenshot())).convert("RGB")
            seen = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in shot.getcolors(100_000) or []}
            assert (form.DIM in seen) == ("false" in host)


@pytest.mark.parametrize("sight", ["usual", "without red", "without green", "without blue"])
def test_all_eyes_tell_the_signs_apart(sight: str) -> None:
    pairs = {palette[:2] for palette in (form.LINES, form.TINTS, form.WEIGHTS, form.AREAS)}
    pairs |= {(theme.blue, theme.orange) for theme in (LIGHT, DARK)}
    pairs |= {(theme.up, theme.loc) for theme in (LIGHT, DARK)}
    for one, other in sorted(pairs):
        assert dist(seen(one, sight), seen(other, sight)) > 20, (one, other)


def literals(file: Path) -> list[str]:
    """What stands in quotes in a file of Python, docstrings apart; of other files the words."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return re.findall(r"[#\w]+(?:\(.*?\))?", text)
    return [
        node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and type(node.value) is str
    ]


def test_colours_stand_in_one_module() -> None:
    found: dict[str, list[str]] = {}
    for file in [file for kind in ("py", "css", "js", "html") for file in sorted(PACKAGE.rglob(f"*.{kind}"))]:
        if file.name not in ("form.py", "css_names.py") and "vendor" not in file.parts:
            here = [
                text for text in literals(file) if re.fullmatch(r"#[0-9a-f]{6}|#[0-9a-f]{3}|tab:\w+|rgb\(\d.*", text)
            ]
            here = [colour for colour in here if set(colour) not in ({"#", "0"}, {"#", "f"})]  # black, white
            found |= {str(file.relative_to(PACKAGE)): here} if here else {}
    assert found == {}


@in_browser
@pytest.mark.parametrize("kind", ["html", "svg"])
def test_the_page_and_the_film_take_colours_that_the_system_forces(kind: str, tmp_path: Path) -> None:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    mp.backprop(a * b).save(tmp_path / f"steps.{kind}")
    used = """() => {
        const system = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        document.querySelector("svg.graph").append(system);
        const of = (fill) => { system.style.fill = fill; return getComputedStyle(system).fill; };
        const fill = (what) => getComputedStyle(document.querySelector(what)).fill;
        const all = ["Canvas", "CanvasText"].map(of);
        return [[fill(".paper"), fill(".name")], all];
    }"""
    with opened() as chromium:
        tab = chromium.new_page(forced_colors="active")
        tab.goto((tmp_path / f"steps.{kind}").as_uri())
        ours, systems = tab.evaluate(used)
        assert ours == systems
        tab = chromium.new_page()
        tab.goto((tmp_path / f"steps.{kind}").as_uri())
        ours, _ = tab.evaluate(used)
        assert ours == [f"rgb{rgb(LIGHT.card)}", f"rgb{rgb(LIGHT.text)}"]


def test_the_names_of_the_themes_are_used() -> None:
    sheets = "".join([file.read_text(encoding="utf-8") for file in [*PACKAGE.rglob("*.css"), *PACKAGE.rglob("*.js")]])
    used = set(re.findall(r"var\(--(\w+)\)", sheets))
    assert set(Theme._fields) <= used
    lengths = {*form.Sizes._fields, *form.Spaces._fields}
    assert lengths <= used <= {*Theme._fields, *lengths, "sans", "mono", "window"}


def test_sizes_of_letters_stand_in_one_module() -> None:
    said = r"font(?:-size)?: *\d|fontsize=\"?\d|font-size=\"\d"
    for file in [file for kind in ("py", "css", "js", "html") for file in PACKAGE.rglob(f"*.{kind}")]:
        assert not re.findall(said, file.read_text(encoding="utf-8")), file


def test_no_two_colours_of_a_theme_are_one() -> None:
    for theme in (LIGHT, DARK):
        assert all(one != other for one, other in combinations(theme, 2))
