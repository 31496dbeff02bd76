"""Pages in frames: they unpack themselves, follow what they lie on, and are as high as their content."""

from typing import Any

import pytest
from browsers import browser, in_browser, until

import micrograd_plus as mp
from micrograd_plus.pictures.form import DARK, LIGHT, Theme, rgb
from micrograd_plus.pictures.frames import framed, packed

__all__ = ["browser"]  # a fixture

pytestmark = in_browser


def cell() -> str:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    shown = mp.backprop(mp.tanh(a * b) * a)._repr_html_()
    assert isinstance(shown, str)
    return shown


def is_in(tab: Any, theme: Theme) -> bool:
    """Whether the page comes to lie on the theme's background; it may fade."""
    wanted = f"getComputedStyle(document.body).backgroundColor === 'rgb{rgb(theme.back)}'"
    tab.frame_locator("iframe").locator("#next").wait_for()
    until(tab.frames[1], wanted)
    return True


@pytest.mark.parametrize(
    ("host", "system", "theme"),
    [
        ("body { background: #111111 }", "light", DARK),
        ("body { background: oklch(0.97 0 0) }", "dark", LIGHT),
        ("body { background: #eee } .cell { background: #222 }", "light", DARK),
        ("", "dark", LIGHT),  # white paper, whatever the system says
        (":root { color-scheme: light dark }", "dark", DARK),
        (":root { color-scheme: light dark }", "light", LIGHT),
        (":root { color-scheme: dark }", "light", DARK),
    ],
)
def test_a_page_is_as_dark_as_what_it_lies_on(browser: Any, host: str, system: str, theme: Theme) -> None:
    tab = browser.new_page(color_scheme=system)
    tab.set_content(f"<!DOCTYPE html><style>{host}</style><div class=cell><div>{cell()}</div></div>")
    assert is_in(tab, theme)
    tab.close()


def test_a_page_follows_when_its_host_changes(browser: Any) -> None:
    tab = browser.new_page()
    rule = "body { background: white; transition: background .2s } body[data-dark] { background: black }"
    tab.set_content(f"<!DOCTYPE html><style>{rule}</style>{cell()}")
    assert is_in(tab, LIGHT)
    tab.evaluate("document.body.dataset.dark = 1")
    assert is_in(tab, DARK)
    tab.evaluate("delete document.body.dataset.dark")
    assert is_in(tab, LIGHT)
    tab.close()


@pytest.mark.parametrize("width", [380, 1024, 1920])
def test_the_frame_is_as_high_as_its_page(browser: Any, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.set_content(f"<!DOCTYPE html>{cell()}")
    page = tab.frame_locator("iframe")
    page.locator("#last").click()
    for more in (
        "",
        "document.body.append(Object.assign(document.createElement('p'), {textContent: 'x '.repeat(9999)}))",
    ):
        tab.frames[1].evaluate(f"() => {{ {more} }}")
        until(tab.frames[1], "document.documentElement.scrollHeight === innerHeight")
        content = "document.querySelector('main').getBoundingClientRect().height"
        assert more or abs(tab.frames[1].evaluate(content) - tab.frames[1].evaluate("innerHeight")) < 2
    tab.close()


def test_on_paper_the_picture_stands_and_the_frame_is_hidden(browser: Any) -> None:
    tab = browser.new_page()
    tab.set_content(f"<!DOCTYPE html>{cell()}")
    tab.frame_locator("iframe").locator("#next").wait_for()
    seen = "() => [...document.querySelectorAll('img, iframe')].map((each) => each.offsetHeight > 0)"
    assert tab.evaluate(seen) == [False, True]
    tab.emulate_media(media="print")
    assert tab.evaluate(seen) == [True, False]
    tab.close()


def test_a_viewer_that_wraps_frames_shows_the_page_alone(browser: Any) -> None:
    tab = browser.new_page()
    wrapped = (
        cell().replace("<iframe", '<div class="wrapper"><span><iframe').replace("</iframe>", "</iframe></span></div>")
    )
    tab.set_content(f"<!DOCTYPE html>{wrapped}")
    tab.frame_locator("iframe").locator("#next").wait_for()
    assert not tab.is_visible(".micrograd-plus-static")
    tab.close()


def test_an_old_browser_says_what_is_missing(browser: Any) -> None:
    tab = browser.new_page()
    tab.add_init_script("delete window.DecompressionStream")
    tab.goto("about:blank")
    tab.set_content(packed("<p>Hello</p>", "a greeting"))
    tab.get_by_text("This browser cannot unpack the page: that takes Chrome or Edge 80").wait_for()
    tab.close()


def test_any_page_arrives_as_it_was(browser: Any) -> None:
    page = (
        "<!DOCTYPE html><title>Größe</title><p id=p>∂L/∂a 👩‍🔬 \u2028 </p><script>const seen = p.textContent;</script>"
    )
    tab = browser.new_page()
    tab.set_content(framed(page, '"greeting" </iframe>', "nothing", 100))
    tab.frame_locator("iframe").locator("#p").wait_for()
    assert tab.frames[1].evaluate("seen") == "∂L/∂a 👩‍🔬 \u2028 "
    assert tab.frames[1].title() == "Größe"
    assert tab.get_attribute("iframe", "title") == '"greeting" </iframe>'
    tab.close()


def test_a_page_of_another_origin_is_shown_all_the_same(browser: Any) -> None:
    tab = browser.new_page()
    tab.set_content(cell().replace("<iframe", '<iframe sandbox="allow-scripts"'))
    page = tab.frame_locator("iframe")
    page.locator("#last").click()
    assert page.locator("#next").is_disabled()
    tab.close()
