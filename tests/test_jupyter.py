"""A real JupyterLab in a real browser: pictures and pages in cells, after saving, and in an untrusted notebook."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser, opened, until
from servers import free_port, serving

from micrograd_plus import Value
from micrograd_plus.pictures.form import DARK, LIGHT, rgb
from micrograd_plus.stepping.stepper import backprop

pytest.importorskip("jupyterlab")
pytest.importorskip("ipykernel")
LESSONS = Path(__file__).parent.parent / "notebooks"
CELLS = [
    "from micrograd_plus import Value\n"
    "from micrograd_plus.pictures.drawing import draw\n"
    "from micrograd_plus.stepping.stepper import backprop\n"
    "a, b = Value(2.0), Value(-3.0)\n"
    "c = a * b\n"
    "e = c * (c + 1.0)",
    "backprop(e)",
    "draw(e)",
]

pytestmark = in_browser


def notebook(*cells: str) -> dict[str, Any]:
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for i, source in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A JupyterLab that keeps everything it writes in a folder of its own: its address, and where notebooks are."""
    port = free_port()
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(tmp_path / name)
    environment |= {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_PLATFORM_DIRS": "1"}
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(tmp_path / "settings")
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(tmp_path / "workspaces")
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        *(
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            "--LabApp.news_url=None",
            "--LabApp.expose_app_in_browser=True",
            f"--ServerApp.root_dir={notebooks}",
        ),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with serving("jupyterlab", *options, port=port, ready="/api", env=environment, folder=tmp_path) as address:
        yield address, notebooks


@pytest.fixture
def tab(server: tuple[str, Path]) -> Iterator[Any]:
    with opened() as chromium:
        tab = chromium.new_page(viewport={"width": 1200, "height": 1000})
        tab.set_default_timeout(180_000)
        accept = tab.locator(".jp-Dialog button.jp-mod-accept")
        tab.add_locator_handler(accept, lambda button: button.click(), no_wait_after=True)
        yield tab


def steps_in(tab: Any) -> Any:
    """The frame with the page, in the notebook that is shown."""
    return tab.frame_locator(".jp-OutputArea iframe[srcdoc]")


def walk_through(tab: Any) -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    e = c * (c + 1.0)
    e.label = "e"
    steps = backprop(e)
    page = steps_in(tab)
    page.locator("#first").wait_for()
    for expected in [*steps.forward, *map(str, steps)]:
        page.locator("#next").click()
        assert page.locator("#step").text_content() == expected
    assert page.locator("#next").is_disabled()


def run_all(tab: Any, address: str, file: Path) -> list[dict[str, Any]]:
    """Open a notebook, run all its cells, and save it: the cells, as they are in the file then."""
    session = {"path": file.name, "name": file.name, "type": "notebook", "kernel": {"name": "python3"}}
    tab.request.post(f"{address}/api/sessions", data=session)  # else JupyterLab may ask for a kernel, more than once
    tab.goto(f"{address}/lab/tree/{file.name}?reset")
    tab.locator(".jp-Notebook .jp-Cell").first.wait_for()
    tab.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # the kernel is there
    begun = tab.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[(\*|\d+)\]"))
    for _ in range(30):  # what is asked of a kernel that is only just there may be lost
        if begun.count():
            break
        tab.get_by_role("menuitem", name="Run", exact=True).click()
        tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        tab.wait_for_timeout(2000)
    for _ in range(300):
        tab.wait_for_timeout(400)
        if tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").count():
            tab.keyboard.press("Control+s")
            cells: list[dict[str, Any]] = json.loads(file.read_text())["cells"]
            if all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code"):
                return cells
    pytest.fail("not all cells were run")


@pytest.mark.parametrize("lesson", ["01-a-derivative-you-can-see", "02-a-graph-remembers"])
def test_a_lesson_runs_in_jupyterlab_and_shows_what_it_draws(server: tuple[str, Path], tab: Any, lesson: str) -> None:
    address, folder = server
    fresh = json.loads((LESSONS / f"{lesson}.ipynb").read_text(encoding="utf-8"))
    for cell in fresh["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    file = folder / "lesson.ipynb"
    file.write_text(json.dumps(fresh))
    cells = run_all(tab, address, file)
    kinds = [output["output_type"] for cell in cells for output in cell.get("outputs", [])]
    assert "error" not in kinds
    shown = [json.dumps(cell.get("outputs", [])) for cell in cells]
    drawn = [i for i, outputs in enumerate(shown) if "image/png" in outputs or "<img" in outputs]
    assert len(drawn) >= 4
    for i in drawn:
        cell = tab.locator(f".jp-Cell[data-windowed-list-index='{i}'] .jp-OutputArea")
        cell.scroll_into_view_if_needed()
        assert (
            max(each.bounding_box()["height"] for each in cell.locator("img:visible, svg:visible, iframe").all()) > 50
        )
        if "<iframe" in shown[i]:
            page = cell.frame_locator("iframe[srcdoc]")
            page.locator("#last").click()
            assert page.locator("#next").is_disabled()
        if folder_of_pictures := os.environ.get("MICROGRAD_PLUS_SCREENSHOTS"):
            tab.screenshot(path=f"{folder_of_pictures}/{lesson}-{i:02d}.png")


def test_run_step_save_reopen_and_distrust(server: tuple[str, Path], tab: Any) -> None:
    address, folder = server
    file = folder / "lesson.ipynb"
    file.write_text(json.dumps(notebook(*CELLS)))

    run_all(tab, address, file)
    walk_through(tab)
    drawing = tab.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output").first
    drawing.wait_for()
    assert drawing.bounding_box()["height"] > 50
    assert not tab.locator(".micrograd-plus-static").is_visible()  # the page stands in its place
    tab.locator(".jp-Notebook").click(position={"x": 5, "y": 5})
    tab.keyboard.press("Control+s")
    for _ in range(100):
        if "srcdoc" in file.read_text():
            break
        tab.wait_for_timeout(100)
    saved = json.loads(file.read_text())
    assert "srcdoc" in "".join(saved["cells"][1]["outputs"][0]["data"]["text/html"])

    tab.goto(f"{address}/lab/tree/lesson.ipynb?reset")
    walk_through(tab)

    saved["cells"][0]["source"] += "\n# from somebody else"  # another content, another signature
    (folder / "strange.ipynb").write_text(json.dumps(saved))
    tab.goto(f"{address}/lab/tree/strange.ipynb?reset")
    cell = tab.locator(".jp-CodeCell").nth(1)
    picture = cell.locator("img")
    picture.wait_for()
    assert cell.locator("iframe").count() == 0
    assert picture.evaluate("image => image.naturalWidth") > 300
    cell.locator("summary").click()
    assert "∂e/∂a += ∂e/∂c · ∂c/∂a" in cell.locator("details").inner_text()


def test_the_page_and_its_height_follow_jupyterlab(server: tuple[str, Path], tab: Any) -> None:
    address, folder = server
    file = folder / "lesson.ipynb"
    file.write_text(json.dumps(notebook(*CELLS[:2])))
    run_all(tab, address, file)
    steps_in(tab).locator("#last").click()
    frame = next(frame for frame in tab.frames if frame.parent_frame)
    ground = "getComputedStyle(document.body).backgroundColor === "
    for name, theme in (("JupyterLab Dark", DARK), ("JupyterLab Light", LIGHT)):
        tab.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        until(frame, f"{ground}'rgb{rgb(theme.back)}'")
        until(frame, "document.documentElement.scrollHeight === innerHeight")
        if pictures := os.environ.get("MICROGRAD_PLUS_SCREENSHOTS"):
            tab.screenshot(path=f"{pictures}/{name}.png")
