"""Folders of pages in a browser: each made once for a run of the tests, then visited over loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).parent.parent
S = TypeVar("S", bound="Site")
OFFLINE = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|No matching distribution|NewConnectionError")


def made_once(factory: pytest.TempPathFactory, name: str, command: list[str]) -> Path:
    """The folder that a command of Python makes, whose last argument it is; once for all processes of a run.

    The test is skipped where the registries are not there.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, lock, told = shared / name, shared / f"{name}.lock", shared / f"{name}.txt"
    try:
        lock.mkdir()
    except FileExistsError:
        for _ in range(12_000):
            if told.exists():
                break
            time.sleep(0.1)
    else:
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        command = [sys.executable, *command, str(folder)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        part = shared / f"{name}.part"
        part.write_text(f"{done.stdout}{done.stderr}" if done.returncode else "")
        part.rename(told)
    if (said := told.read_text()) and OFFLINE.search(said):
        pytest.skip("the registries of npm or PyPI are not there")
    assert not said
    return folder


def documentation(factory: pytest.TempPathFactory) -> Path:
    """The documentation by itself, as it is made where there is no Node.js."""
    for module in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        pytest.importorskip(module)
    return made_once(factory, "site", ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"])


def whole_site(factory: pytest.TempPathFactory) -> Path:
    """The documentation with the playground: the folder that docs/make.py makes."""
    for module in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        pytest.importorskip(module)
    if shutil.which("npm") is None:
        pytest.skip("the playground is made with Node.js and npm, which are not there")
    return made_once(factory, "whole", ["docs/make.py"])


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, over loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def calm(visit: S) -> Iterator[S]:
    """The folder in its browser, for one test, which fails in the end where a page complained or asked elsewhere."""
    visit.complaints.clear()
    yield visit
    assert visit.complaints == [], visit.complaints


class Site:
    """A folder in a browser: it opens pages, and notes what they complain of, and what they ask from elsewhere."""

    def __init__(self, chromium: Any, address: str, **options: Any) -> None:
        self.address = address
        self.complaints: list[str] = []
        self.context = chromium.new_context(**options)
        self.context.on("request", lambda each: self._hear(each.url))

    def _hear(self, url: str) -> None:
        if not url.startswith((self.address, f"blob:{self.address}", "data:", "about:")):
            self.complaints.append(url)

    def open(self, where: str = "") -> Any:
        """A page of its own."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda each: self.complaints.append(each.text) if each.type == "error" else None)
        page.goto(self.address + where)
        return page
