"""Lessons run whole in a browser tab, by JupyterLite, with the numbers that they keep, and ask no other site."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from select import select
from typing import Any
from zipfile import ZipFile

import lite  # docs/lite.py
import pytest
from browsers import browser as browser
from browsers import in_browser, until
from lesson_pages import lacking, lesson
from sites import Site, calm, served, whole_site

LESSONS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
HERE = [file for file in LESSONS if not lacking(file)]  # those that run without NumPy
OUTPUTS = "[...document.querySelectorAll('.jp-CodeCell')].map(cell => [...cell.querySelectorAll({})].{})"


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Site]:
    with served(whole_site(tmp_path_factory)) as address:
        site = Site(browser, address)
        yield site
        site.context.close()


@pytest.fixture
def site(visit: Site) -> Iterator[Site]:
    """The site; the test fails in the end where a page complained, or asked for what is not of this site."""
    yield from calm(visit)


def opened(site: Site, file: Path) -> Any:
    """A lesson in JupyterLite, by the button of its page, with all its cells and its Python there.

    What is chosen from a menu before that is lost, in JupyterLab, too.
    """
    page = site.open(f"lessons/{file.stem}/")
    page.click(".ways .run")
    page.locator(".jp-CodeCell").first.wait_for(timeout=60_000)
    until(page, f"document.querySelectorAll('.jp-CodeCell').length === {len(code(file))}", 60)
    until(page, "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'", 120)
    return page


def code(file: Path) -> list[Any]:
    """The cells of code that a lesson's file holds."""
    return [each for each in json.loads(file.read_text(encoding="utf-8"))["cells"] if each["cell_type"] == "code"]


def ran(page: Any, item: str) -> None:
    """Choose from the menu "Run", and wait until a cell has run and none waits any more."""
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(f".lm-Menu-itemLabel:text-is('{item}')")
    prompts = "[...document.querySelectorAll('.jp-InputArea-prompt')].map(each => each.textContent).join('')"
    until(page, f"(text => /\\d/.test(text) && !text.includes('*'))({prompts})", 600)


def of_cells(page: Any, which: str, what: str) -> Any:
    """What each cell of code shows of a kind."""
    return page.evaluate(OUTPUTS.format(json.dumps(which), what))


def printed(page: Any) -> list[str]:
    kind = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stdout"]'
    return [text.rstrip() for text in of_cells(page, kind, "map(each => each.textContent).join('')")]


def test_two_lessons_at_least_do_without_numpy() -> None:
    assert {"02-a-graph-remembers", "03-a-neuron-a-layer-a-network"} <= {file.stem for file in HERE}


@in_browser
def test_it_is_dark_where_the_system_is(site: Site) -> None:
    page = site.open("lessons/02-a-graph-remembers/")
    page.emulate_media(color_scheme="dark")
    page.click(".ways .run")
    until(page, "document.body?.dataset.jpThemeLight === 'false'", 60)
    page.close()


@in_browser
@pytest.mark.parametrize("file", HERE, ids=lambda file: file.stem)
def test_a_lesson_runs_whole_with_the_outputs_that_it_keeps(file: Path, site: Site) -> None:
    page = opened(site, file)
    page.evaluate("document.querySelectorAll('.jp-OutputArea-child').forEach(each => each.dataset.kept = 'yes')")
    ran(page, "Run All Cells")
    cells = code(file)
    streams = [[each for each in cell["outputs"] if each["output_type"] == "stream"] for cell in cells]
    kept = ["".join(["".join(each["text"]) for each in outputs]).rstrip() for outputs in streams]
    assert of_cells(page, "[data-mime-type='application/vnd.jupyter.error']", "map(each => each.textContent)") == [
        [] for _ in cells
    ]
    assert printed(page) == kept
    assert page.locator("[data-kept]").count() == 0  # each output is a new one
    pictures = [any("text/html" in each.get("data", {}) for each in cell["outputs"]) for cell in cells]
    shown = of_cells(page, ".jp-OutputArea-output :is(img, iframe)", "length")
    assert [bool(count) for count in shown] == pictures
    steppers = [bool(re.match(r"mp\.backprop|hasty", "".join(cell["source"]).split("\n")[-1])) for cell in cells]
    assert [bool(count) for count in of_cells(page, ".jp-OutputArea-output iframe", "length")] == steppers
    for frame in page.frames[1:]:
        frame.click("#last")
        until(frame, "document.getElementById('next').disabled")
    for width in (380, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@in_browser
def test_python_cannot_reach_out(site: Site) -> None:
    elsewhere = socket.create_server(("127.0.0.1", 0))
    page = opened(site, HERE[0])
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(f'there = "http://127.0.0.1:{elsewhere.getsockname()[1]}"\n{REACHING}')
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run Selected Cell')")
    page.locator(".jp-OutputArea-output:has-text('packages:')").wait_for(timeout=120_000)
    told = printed(page)[0].split("\n")
    assert told == ["fetch: JsException", "import: refused", "packages: PiplitePyPIDisabled", "graphviz: object"]
    assert select([elsewhere], [], [], 0.5)[0] == []  # nobody knocked
    assert all(each.startswith(f"http://127.0.0.1:{elsewhere.getsockname()[1]}/") for each in site.complaints)
    site.complaints.clear()  # what was asked for, and refused
    page.close()
    elsewhere.close()


REACHING = """\
import asyncio, js, piplite
from pyodide.code import run_js
try: await js.fetch(f"{there}/fetched")
except Exception as error: print("fetch:", type(error).__name__)
try: await run_js(f"import('{there}/imported')")
except Exception: print("import: refused")
try: await piplite.install("six")
except Exception as error: print("packages:", type(error).__name__)
while not hasattr(js, "graphviz"): await asyncio.sleep(0.1)
print("graphviz:", js.graphviz.typeof)
"""


@in_browser
def test_a_link_leads_from_lesson_to_lesson(site: Site) -> None:
    page = opened(site, HERE[0])
    with site.context.expect_page() as other:
        page.click(".jp-RenderedMarkdown a:text('lesson 1')")
    needs = other.value.locator(".jp-RenderedMarkdown:has-text('This lesson needs NumPy and Matplotlib')")
    needs.wait_for(timeout=60_000)
    other.value.close()
    page.close()


# ----------------------------------------------------------------------- where the builder gives Pyodide's distribution


def wheel(folder: Path, name: str) -> Path:
    file = folder / f"{name}-1.0-py3-none-any.whl"
    with ZipFile(file, "w") as packed:
        packed.writestr(f"{name}/__init__.py", "")
        packed.writestr(f"{name}-1.0.dist-info/METADATA", "")
    return file


def distribution(folder: Path, info: dict[str, str]) -> Path:
    """What Pyodide's own distribution is like: wheels and a lock file, in which each names what it needs."""
    folder.mkdir()
    needs = {
        "numpy": [],
        "matplotlib": ["numpy", "pillow"],
        "pillow": [],
        "sympy": ["mpmath"],
        "mpmath": [],
        "scipy": [],
    }
    packages = {name: {"file_name": wheel(folder, name).name, "depends": depends} for name, depends in needs.items()}
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}))
    return folder


@pytest.fixture
def playground(tmp_path: Path) -> Path:
    for name in ("playground/pyodide", "wheels"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "playground" / "pyodide" / "lock.json").write_text('{"info": {"abi_version": "1"}, "packages": {}}')
    wheel(tmp_path / "wheels", "micrograd_plus")
    return tmp_path / "playground"


def test_what_lessons_import_is_taken_from_a_distribution_with_what_that_needs(
    tmp_path: Path, playground: Path
) -> None:
    given = distribution(tmp_path / "given", {"abi_version": "1"})
    (tmp_path / "made").mkdir()
    names = lite.packages([wheel(tmp_path, "comm")], playground, given, tmp_path / "made")
    assert names == ["comm", "micrograd-plus", "numpy", "matplotlib"]
    lock = json.loads((tmp_path / "made" / "packages" / "lock.json").read_text())
    assert sorted(lock["packages"]) == ["comm", "matplotlib", "micrograd-plus", "mpmath", "numpy", "pillow", "sympy"]
    for entry in lock["packages"].values():
        assert (tmp_path / "made" / "packages" / entry["file_name"]).exists()
    assert lock["packages"]["comm"]["imports"] == ["comm"]


def test_a_distribution_of_another_pyodide_is_refused(tmp_path: Path, playground: Path) -> None:
    given = distribution(tmp_path / "given", {"abi_version": "2"})
    (tmp_path / "made").mkdir()
    with pytest.raises(SystemExit, match="'abi_version': '2'"):
        lite.packages([], playground, given, tmp_path / "made")


@pytest.mark.parametrize("file", LESSONS, ids=lambda file: file.stem)
def test_a_page_offers_to_run_what_runs(file: Path) -> None:
    offered = f'<a class="run" href="../../lite/notebooks/index.html?path={file.name}">'
    assert offered not in lesson(file)
    assert offered in lesson(file, playground=True, complete=True)
    page = lesson(file, playground=True)
    assert (offered in page) == (file in HERE) == ("To run it whole, download it: it needs " not in page)
