"""Other viewers of notebooks show pictures and pages, too: Notebook 7, Sphinx with MyST-NB, marimo; where installed."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from browsers import in_browser, opened, until
from servers import free_port, serving

import micrograd_plus as mp

pytestmark = in_browser
ROOT = Path(__file__).parent.parent


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A notebook with a stepper and a graph in it, as it is kept."""
    v4 = pytest.importorskip("nbformat.v4")
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    loss = mp.tanh(a * b) * a
    cells = [v4.new_markdown_cell("# A lesson")]
    pictures: list[Any] = [mp.backprop(loss), mp.draw(loss)]
    for i, shown in enumerate(pictures, 1):
        output = v4.new_output("execute_result", shown._repr_mimebundle_(), execution_count=i)
        cells.append(v4.new_code_cell("loss", execution_count=i, outputs=[output]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = tmp_path / "lesson.ipynb"
    file.write_text(json.dumps(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})), encoding="utf-8")
    return file


def environment(folder: Path) -> dict[str, str]:
    """In which a viewer keeps all that it writes in a folder."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "MARIMO"))}
    kept |= {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    kept |= {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    return kept | {"IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}


def walk_through(tab: Any, name: str) -> None:
    """The stepper works, it alone is seen, and the graph is."""
    inside = until_found(tab)
    inside.locator("#last").click()
    assert inside.locator("#next").is_disabled()
    until(inside, "document.documentElement.scrollHeight <= innerHeight + 1")
    assert not any(each.is_visible() for each in tab.locator(".micrograd-plus-static").all())
    tab.locator("img:visible").first.wait_for()
    assert any(each.bounding_box()["height"] > 50 for each in tab.locator("img:visible").all())
    if pictures := os.environ.get("MICROGRAD_PLUS_SCREENSHOTS"):
        tab.screenshot(path=f"{pictures}/{name}.png", full_page=True)


def until_found(tab: Any, seconds: float = 60.0) -> Any:
    """The frame of the stepper's page."""
    for _ in range(round(seconds / 0.2)):
        for frame in tab.frames:
            with suppress(Exception):  # a frame may go while one looks into it
                if frame.locator("#last").count():
                    return frame
        tab.wait_for_timeout(200)
    return pytest.fail("no page of a stepper")


def test_notebook_7_shows_the_page(lesson: Path, tmp_path: Path) -> None:
    pytest.importorskip("notebook")
    env, port = environment(tmp_path), free_port()
    subprocess.run([sys.executable, "-m", "jupyter", "trust", str(lesson)], env=env, check=True, capture_output=True)
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}", "--LabApp.news_url=None"]
    with (
        serving("notebook", *options, port=port, ready="/api", env=env, folder=tmp_path) as address,
        opened() as chromium,
    ):
        tab = chromium.new_page(viewport={"width": 1200, "height": 1000})
        accept = tab.locator(".jp-Dialog button.jp-mod-accept")
        tab.add_locator_handler(accept, lambda button: button.click(), no_wait_after=True)
        tab.goto(f"{address}/notebooks/{lesson.name}")
        walk_through(tab, "notebook-7")


@pytest.mark.parametrize("builder", ["html", "latex"])
def test_sphinx_with_myst_nb_shows_the_page_or_a_picture(lesson: Path, tmp_path: Path, builder: str) -> None:
    pytest.importorskip("myst_nb")
    (tmp_path / "conf.py").write_text('extensions = ["myst_nb"]\nnb_execution_mode = "off"\nroot_doc = "lesson"\n')
    out = tmp_path / "out"
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, str(tmp_path), str(out)]
    subprocess.run(command, env=environment(tmp_path), check=True, capture_output=True, text=True)
    if builder == "latex":
        text = "".join([file.read_text(encoding="utf-8") for file in out.glob("*.tex")])
        assert len(re.findall(r"includegraphics\{?.*?\.png", text.replace("{{", "{"))) == 2
        return
    with opened() as chromium:
        tab = chromium.new_page(viewport={"width": 1200, "height": 1000})
        tab.goto((out / "lesson.html").as_uri())
        walk_through(tab, "sphinx")


APP = """
import marimo
app = marimo.App()

@app.cell
def _():
    import micrograd_plus as mp
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    loss = mp.tanh(a * b) * a
    mp.backprop(loss)
    return loss, mp

@app.cell
def _(loss, mp):
    mp.draw(loss)

if __name__ == "__main__":
    app.run()
"""


def test_marimo_shows_the_page(tmp_path: Path) -> None:
    pytest.importorskip("marimo")
    app = tmp_path / "app.py"
    app.write_text(APP, encoding="utf-8")
    port, env = free_port(), environment(tmp_path)
    options = ["run", str(app), "--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
    with (
        serving("marimo", *options, port=port, ready="/health", env=env, folder=tmp_path) as address,
        opened() as chromium,
    ):
        tab = chromium.new_page(viewport={"width": 1200, "height": 1000})
        tab.goto(address)
        walk_through(tab, "marimo")
