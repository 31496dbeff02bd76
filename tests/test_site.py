"""The documentation as it is seen: in Chromium, light and dark, on a phone; it asks nobody else for anything."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import decompress

import pytest
import trying  # docs/trying.py
from browsers import browser, in_browser, until
from sites import Site, calm, served, whole_site
from test_docs import site

from micrograd_plus.pictures.form import DARK, LIGHT, rgb

__all__ = ["browser", "site"]  # fixtures

pytestmark = in_browser
PHONE = {"width": 380, "height": 760}


@pytest.fixture(scope="module")
def visit(site: Path, browser: Any) -> Iterator[Site]:
    with served(site) as address:
        yield Site(browser, address)


@pytest.fixture
def seen(visit: Site) -> Iterator[Site]:
    """The site; the test fails in the end where a page complained, or asked for what is not of this site."""
    yield from calm(visit)


def test_on_a_phone_no_page_is_wider_than_the_screen(seen: Site, site: Path) -> None:
    page = seen.open()
    page.set_viewport_size(PHONE)
    wide = {}
    for file in sorted(site.rglob("*.html")):
        page.goto(f"{seen.address}{file.relative_to(site)}")
        widths = page.evaluate("[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]")
        if widths[0] > widths[1]:
            wide[file.parent.name] = widths
    assert wide == {}
    page.close()


def test_the_theme_is_chosen_and_pictures_follow(seen: Site) -> None:
    page = seen.open()
    page.emulate_media(color_scheme="light")
    frame = page.frame_locator(".shown iframe")
    frame.locator("#next").wait_for()
    ground = "getComputedStyle({}).backgroundColor === 'rgb{}'"
    until(page.frames[1], ground.format("document.body", rgb(LIGHT.back)))
    for _ in range(2):  # from "as the system says" to light, and to dark
        page.locator("form[data-md-component=palette] label:visible").click()
    until(page, ground.format("document.body", rgb(DARK.card)))
    until(page.frames[1], ground.format("document.body", rgb(DARK.back)))
    page.reload()
    until(page, ground.format("document.body", rgb(DARK.card)))
    page.close()


def test_the_stepper_of_the_front_page_steps_to_the_end(seen: Site) -> None:
    page = seen.open()
    frame = page.frame_locator(".shown iframe")
    frame.locator("#last").click()
    until(page.frames[1], "document.getElementById('next').disabled")
    told = "['title', '.grad'].map(which => box.querySelector(which).textContent)"
    grads = f"[...document.querySelectorAll('#graph .node')].map(box => {told})"
    assert {"a": "33", "b": "-22", "c": "-11", "L": "1"}.items() <= dict(page.frames[1].evaluate(grads)).items()
    page.close()


def test_the_search_finds_how_to_install(seen: Site) -> None:
    page = seen.open()
    page.set_viewport_size({"width": 1300, "height": 800})
    page.click(".md-search__input")
    page.keyboard.type("install", delay=30)
    first = page.locator(".md-search-result__link").first
    first.wait_for(timeout=60_000)
    assert first.get_attribute("href").startswith(f"{seen.address}install/")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(seen: Site, site: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = seen.open()
    page.emulate_media(color_scheme=scheme)
    found = []
    files = sorted(site.rglob("index.html"))  # what they are made of is the same in the dark
    few = [site / where / "index.html" for where in ("", "functions", "lessons/02-a-graph-remembers")]
    for file in files if scheme == "light" else few:
        page.goto(f"{seen.address}{file.relative_to(site)}")
        for each in axe.Axe().run(page).response["violations"]:
            found += [(file.parent.name, each["id"], node["html"][:200]) for node in each["nodes"]]
    assert found == []
    page.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Site]:
    with served(whole_site(tmp_path_factory)) as address:
        yield Site(browser, address)


def test_code_is_tried_under_its_block(whole: Site) -> None:
    page = whole.open("how-to/teach-a-class/")
    assert page.locator(".try iframe").count() == 0  # a page stays light
    page.click(".try a >> nth=0")
    frame = page.frame_locator(".try iframe")
    frame.locator("#value").filter(has_text="loss = 27").wait_for(timeout=120_000)
    assert "∂loss/∂x, the sum over 4 paths" in frame.locator("#output").inner_text()
    page.click(".try a >> nth=0")
    assert page.locator(".try iframe").count() == 0
    page.close()
    assert whole.complaints == []


def test_what_is_tried_is_as_dark_as_the_page(whole: Site) -> None:
    page = whole.open("how-to/teach-a-class/")
    page.emulate_media(color_scheme="light")
    page.click(".try a >> nth=0")
    frame = page.frame_locator(".try iframe")
    frame.locator("html[data-theme=light]").wait_for()
    for _ in range(2):  # from "as the system says" to light, and to dark
        page.locator("form[data-md-component=palette] label:visible").click()
    frame.locator("html[data-theme=dark]").wait_for()
    page.close()


def test_the_ways_to_the_playground_lead_there(whole: Site) -> None:
    page = whole.open()
    page.click("a:text('the playground')")
    assert page.url == f"{whole.address}playground/"
    page.goto(f"{whole.address}lessons/02-a-graph-remembers/")
    page.click(".ways a:text('Try it in the browser')")
    until(page, "document.querySelector('.cm-content')?.textContent.includes('W1, W2, W3')")
    page.close()


def test_what_is_tried_runs_without_numpy_and_what_cannot_is_not_offered() -> None:
    text = "".join([f"```python\n>>> {code}\n```\n" for code in TRIED])
    offered = trying.links({"page": text})["page"]
    assert [bool(code) for code in offered] == [False, True, False, True, False]
    assert unpacked(offered[1]) == "from micrograd_plus import Value\nx = Value(3.0)\nprint(x * 2)\nx * x"
    assert unpacked(offered[3]) == "from micrograd_plus import Value\nx = Value(3.0)\nValue('x')"


TRIED = [
    "from micrograd_plus import Value",  # shows nothing
    "x = Value(3.0)\n>>> x * 2\nValue(data=6.0, grad=0.0)\n>>> x * x\nValue(data=9.0, grad=0.0)",
    "import numpy as np\n>>> np.float64(1.0)\nnp.float64(1.0)",
    "Value('x')\nTraceback (most recent call last):\nTypeError: ...",
    "np.zeros(3) + x\nTraceback (most recent call last):\nValueError: ...",  # fails for another reason
]


def unpacked(fragment: str) -> str:
    packed = fragment.removeprefix("#code=")
    return decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()
