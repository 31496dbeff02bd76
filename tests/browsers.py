"""The browser that tests look at pages with: Chromium, if it is installed, driven by Playwright.

With the variable NO_BROWSER set, there is none: .ci/run looks at pages once, not once more in plain Python.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome") if "NO_BROWSER" not in os.environ else ()
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")


@contextmanager
def opened() -> Iterator[Any]:
    """A browser, as long as the block lasts."""
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for a file of tests, which imports this."""
    with opened() as chromium:
        yield chromium


@contextmanager
def tabs(chromium: Any) -> Iterator[Callable[..., Any]]:
    """What opens a file in a tab; it fails in the end if a page complained, or asked the network for anything."""
    complaints: list[str] = []
    made = []

    def tab(file: Path, **options: Any) -> Any:
        tab = chromium.new_page(**options)
        made.append(tab)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("request", lambda request: complaints.append(request.url) if "http" in request.url[:4] else None)
        tab.goto(file.as_uri())
        return tab

    yield tab
    for each in made:
        each.close()
    assert complaints == []


def until(page: Any, true: str, seconds: float = 60.0) -> None:
    """Wait for an expression to be true in a page or a frame, also where it forbids what Playwright waits with."""
    for _ in range(round(seconds / 0.05)):
        if page.evaluate(true):
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds:g} s: {true}")
