"""The lessons run from a clean kernel, keep the outputs of the present code, and have exercises that can be solved.

    python tests/test_notebooks.py notebooks/02-*.ipynb

executes these anew and keeps their outputs.
"""

import ast
import io
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from html import unescape
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pytest
from PIL import Image  # Matplotlib brings it

from micrograd_plus.pictures.packing import inflated

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
LIMIT = 600  # seconds for one cell: far more than any needs, so that what hangs ends
WRONG = "'a wrong answer'"

Cell = Any  # one of nbformat's

# --------------------------------------------------------------------------------------------------------- running them


def run(notebook: Any) -> Any:
    """The notebook, executed in a new kernel of this very Python, in an empty folder, as if we had just been installed.

    This happens in a process of its own, for the kernel's client leaves sockets open.
    """
    # a short path: the kernel's sockets lie in there, and their names must not be long
    with TemporaryDirectory(prefix="lesson", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = {
            key: text for key, text in os.environ.items() if not key.startswith(("JUPYTER", "IPYTHON", "MPL"))
        }
        environment.pop("MICROGRAD_PLUS_MNIST", None)  # what is kept in a lesson is what everybody gets
        for key in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
            environment[key] = str(folder / key.lower())
        environment |= {"JUPYTER_PLATFORM_DIRS": "1", "NO_COLOR": "1"}
        (folder / "work").mkdir()
        file = folder / "lesson.ipynb"
        nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
        done = subprocess.run(
            [sys.executable, __file__, "--here", file],
            cwd=folder / "work",
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.fail(done.stderr[-5000:])
        return read(file)


def execute(file: Path) -> None:
    """Execute a notebook in place; what `run` has another process do."""
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = read(file)
    manager = AsyncKernelManager(
        kernel_name=NATIVE_KERNEL_NAME,
        kernel_spec_manager=KernelSpecManager(
            kernel_dirs=[]
        ),  # nothing that is installed: the kernel of sys.executable
        connection_file=str(file.with_name("k.json")),
        transport="ipc",  # no two tests at once take the same port
    )
    NotebookClient(notebook, km=manager, timeout=LIMIT, coalesce_streams=True, record_timing=False).execute()
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]


def read(file: Path) -> Any:
    """The notebook in a file, whose form is checked."""
    notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    return notebook


def exercises(cells: list[Cell]) -> list[tuple[Cell, Cell]]:
    """The cells for an answer, which know a solution, each with the cell after it, which checks."""
    return [(cell, check) for cell, check in pairwise(cells) if "solution" in cell.metadata]


def trials(cells: list[Cell]) -> Iterator[Cell]:
    """What a reader may do at the end: a wrong answer to each exercise, the check, a right answer, the check."""
    for answer, check in exercises(cells):
        name = re.findall(r"^(answer_\w+) = None", answer.source, flags=re.MULTILINE)[-1]
        yield code(f"{answer.source}\n{name} = {WRONG}")
        yield code(check.source, "raises-exception")
        yield code(answer.metadata.solution)
        yield code(check.source)


def code(source: str, *tags: str) -> Cell:
    """A new cell of code."""
    return nbformat.v4.new_code_cell(source, metadata={"tags": tags})  # type: ignore[no-untyped-call]


# ---------------------------------------------------------------------------------------------------- what outputs tell

# Where Graphviz puts things depends on its version; what it is told to draw does not.
PLACES = r' (?:points|d|x|y|width|height|viewBox|transform)=("|\').*?\1|(?:min-width|height): ?\d+px'


def told(output: Any) -> list[tuple[str, Any]]:
    """What an output tells, by kind; without what depends on the versions of Graphviz and Matplotlib."""
    if output.output_type == "stream":
        return [(output.name, output.text)]
    if output.output_type == "error":
        return [("error", output.ename)]
    kinds = set(output.data)
    if kinds & {"image/svg+xml", "text/html"}:
        kinds -= {"image/png"}  # the same picture, for viewers that show no SVG
    return [(kind, _told(kind, output.data[kind])) for kind in sorted(kinds)]


def _told(kind: str, data: Any) -> Any:
    if kind == "text/html":
        data = unescape(re.sub(r"data:image/svg\+xml,([^\"]+)", lambda found: unquote(found[1]), data))
        data = re.sub(r"unpacked\('([^']+)'\)", lambda found: inflated(found[1]).decode(), data)
        return re.sub(PLACES, "", re.sub(r"<!--.*?-->|<\?xml.*?\?>", "", unescape(data), flags=re.DOTALL))
    if kind == "image/svg+xml":
        return Figure(data)
    if kind == "image/png":
        return Pixels(data)
    return data


class Figure:
    """A plot of Matplotlib's: equal to another with the same elements and texts, and numbers that lie close by.

    Where another version of Matplotlib drew the other, which has its own ways with ticks and texts, the same colours
    must do.
    """

    def __init__(self, svg: str) -> None:
        self.version = re.findall(r"Matplotlib v(\d+\.\d+)", svg)
        bare = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
        known: dict[str, str] = {}
        hashed = r"\b[mpih][0-9a-f]{10}\b"  # ids that are made of what they name
        bare = re.sub(hashed, lambda found: known.setdefault(found[0], f"id-{len(known)}-"), bare)
        number = r"(?<![\w#.])-?\d+\.?\d*(?:e[-+]?\d+)?(?![\w.])"
        tags = re.findall(r"<[^>]*>", bare)  # in a tag a number is a place or a size; between tags it is said
        self.elements = [re.sub(number, "0", tag) for tag in tags]
        self.numbers = [float(each) for tag in tags for each in re.findall(number, tag)]
        self.words = re.sub(r"<[^>]*>|\s", "", re.sub(r"<style.*?</style>", "", bare, flags=re.DOTALL))
        self.colours = set(re.findall(r"#[0-9a-f]{6}\b", bare))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Figure):
            return False
        if self.version != other.version:
            return self.colours == other.colours
        same = (self.words, self.elements) == (other.words, other.elements)
        return same and np.allclose(self.numbers, other.numbers, rtol=1e-3, atol=0.1)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<svg of {len(self.elements)} elements, {len(self.numbers)} numbers: {self.words}>"


class Pixels:
    """A PNG: equal to another of the same size that hardly differs, or that another version of Matplotlib drew."""

    def __init__(self, data: str) -> None:
        image = Image.open(io.BytesIO(b64decode(data)))
        self.version = re.findall(r"Matplotlib version ?(\d+\.\d+)", str(image.info.get("Software")))
        self.pixels = np.asarray(image.convert("RGBA"), dtype=float) / 255.0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pixels):
            return False
        if self.version != other.version:
            return True
        same = self.pixels.shape == other.pixels.shape
        return same and float(np.mean(np.abs(self.pixels - other.pixels))) < 2e-3

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<png of {self.pixels.shape}>"


# ------------------------------------------------------------------------------------------------------- how they read


def problems(lesson: Path, cells: list[Cell]) -> list[str]:
    """What is not as a lesson's file should be."""
    run_cells = [cell for cell in cells if cell.cell_type == "code"]
    found = []
    if not 10 <= len(cells) <= 25:
        found.append(f"{len(cells)} cells, expected 10 to 25")
    if lesson.stat().st_size > 1_000_000:
        found.append(f"{lesson.stat().st_size:,} bytes, expected at most 1,000,000")
    opening = cells[0].source
    number = int(lesson.name[:2])
    if not opening.startswith(f"# {number}. ") or "After this lesson you can" not in opening or "?" not in opening:
        found.append("the first cell lacks '# N. Title', a question, or 'After this lesson you can'")
    if len(exercises(cells)) != 3:
        found.append(f"{len(exercises(cells))} exercises, expected 3")
    if [cell.execution_count for cell in run_cells] != list(range(1, len(run_cells) + 1)):
        found.append("the outputs kept are not those of one run from top to bottom")
    found += [f"cell {cell.id} keeps the times of a run" for cell in cells if "execution" in cell.metadata]
    found += [
        f"cell {cell.id} shows nothing in an untrusted viewer" for cell in run_cells if any(map(blank, cell.outputs))
    ]
    for cell in run_cells:
        if "student" not in cell.metadata.get("tags", []):  # an engine that a lesson judges, not one that it uses
            found += [f"cell {cell.id} has a private copy of {name}" for name in copies(cell.source)]
    found += [f"cell {cell.id} links to {link}, which is not there" for cell, link in dead_links(lesson, cells)]
    return found


def blank(output: Any) -> bool:
    """Whether a viewer who does not trust the notebook, and so drops SVG, frames and scripts, sees nothing of it."""
    data = output.get("data", {})
    page = data.get("text/html", "")
    if "image/svg+xml" in data and "image/png" not in data:
        return True
    return re.search(r"<(iframe|script|svg)\b", page) is not None and "<img" not in page


def copies(source: str) -> list[str]:
    """What a cell defines that the package has: it is to be imported."""
    python = "\n".join([line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))])
    definitions = [node for node in ast.walk(ast.parse(python)) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    return [node.name for node in definitions if node.name in ("Value", "backward", "toposort")]


def dead_links(lesson: Path, cells: list[Cell]) -> Iterator[tuple[Cell, str]]:
    """Links in the text to files that do not exist."""
    for cell in cells:
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(<?([^)\s>]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"", cell.source):
                address = urlsplit(link[0] or link[1])
                if not address.scheme and address.path and not (lesson.parent / unquote(address.path)).exists():
                    yield cell, link[0] or link[1]


# -------------------------------------------------------------------------------------------------------------- tests


def test_there_are_lessons() -> None:
    assert LESSONS
    assert [int(lesson.name[:2]) for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.stem for lesson in LESSONS])
def test_lesson(lesson: Path) -> None:
    notebook = read(lesson)
    kept = notebook.cells
    if found := problems(lesson, kept):
        pytest.fail("\n".join(found))

    fresh = deepcopy(notebook)
    fresh.cells += trials(kept)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    fresh = run(fresh)

    for before, after in zip(kept, fresh.cells):
        if before.cell_type == "code" and "varies" not in before.metadata.get("tags", []):
            shown = [each for output in after.outputs for each in told(output)]
            assert [each for output in before.outputs for each in told(output)] == shown, (
                f"cell {before.id} shows another"
            )
            assert not any(kind in ("stderr", "error") for kind, _ in shown), f"cell {before.id}: {shown}"

    done = fresh.cells[len(kept) :]
    for number, (_, check) in enumerate(exercises(kept), 1):
        unanswered = fresh.cells[kept.index(check)]
        _, refused, _, accepted = done[4 * number - 4 : 4 * number]
        assert "".join([output.text for output in unanswered.outputs]).strip() == f"Exercise {number}: not answered yet"
        assert [output.output_type for output in refused.outputs] == ["error"], f"cell {check.id} accepts {WRONG}"
        said = "".join([output.get("text", "") for output in accepted.outputs])
        assert said.startswith(f"Exercise {number}: right"), f"cell {check.id}: {said!r}"


if __name__ == "__main__":
    if sys.argv[1] == "--here":
        execute(Path(sys.argv[2]))
    else:
        for lesson in map(Path, sys.argv[1:]):
            nbformat.write(run(read(lesson)), lesson)  # type: ignore[no-untyped-call]
