"""The browser that tests look at pages with: Chromium, if it is installed, driven by Playwright."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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


def until(page: Any, true: str, seconds: float = 20.0) -> None:
    """Wait for an expression to be true in a page or a frame, also where it forbids what Playwright waits with."""
    for _ in range(round(seconds / 0.05)):
        if page.evaluate(true):
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds:g} s: {true}")
