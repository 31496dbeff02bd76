"""A lesson as a page: its notebook as Markdown, with the outputs that it keeps and its formulas as MathML."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

from functions import math

_CODE = r"(?P<code>```.*?```|`[^`]+`)"
_FORMULA = rf"{_CODE}|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$(?P<after>[.,;:!?)]*)"


def lesson(file: Path, *, playground: bool = False, complete: bool = False) -> str:
    """The page, Markdown: `tests/test_notebooks.py` holds the outputs to the code.

    Args:
        file: the notebook.
        playground: whether the site has the playground, in which an example of each lesson is, and JupyterLite.
        complete: whether Python has NumPy and Matplotlib there.
    """
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    head, _, rest = "".join(cells[0]["source"]).partition("\n")
    ways = [f'<a href="../{file.name}" download>Download the notebook</a>']
    if playground:
        example = next((file.parent.parent / "docs" / "playground" / "examples").glob(f"{file.name[:2]}-*.py")).stem
        ways.append(f'<a href="../../playground/#example={example}">Try it in the browser</a>')
        if complete or not (lacks := lacking(file)):
            run = f"../../lite/notebooks/index.html?path={file.name}"
            ways.insert(0, f'<a class="run" href="{run}">Run this lesson</a>')
        else:
            ways.append(f"<span>To run it whole, download it: it needs {lacks}.</span>")
    parts = [head, f'<p class="ways">{" ".join(ways)}</p>', formulas(rest)]
    for cell in cells[1:]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(formulas(source))
        elif source:
            parts.append(f"```python\n{source}\n```")
            parts += [_output(each) for each in cell["outputs"]]
    return "\n\n".join(parts) + "\n"


def lacking(file: Path) -> str:
    """Which packages a lesson imports that only Pyodide's own distribution has, by name; "" where it runs without."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    source = "\n".join(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", source, re.MULTILINE))
    *others, last = [name for name in ("NumPy", "Matplotlib", "SymPy") if name.lower() in imported] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def formulas(text: str) -> str:
    """Markdown, in which what is LaTeX becomes MathML; that in code is left alone."""
    return re.sub(_FORMULA, _as_mathml, text, flags=re.DOTALL)


def _as_mathml(found: re.Match[str]) -> str:
    if found["block"]:
        return f"<p>{math(found['block'], 'block')}</p>"
    if found["inline"]:  # in a span: at the beginning of a line Markdown would take MathML for a block of its own
        return f'<span class="formula">{math(found["inline"])}{found["after"]}</span>'
    return found[0]


def _output(output: dict[str, Any]) -> str:
    """What a cell shows: the best of what the notebook keeps."""
    if output["output_type"] == "stream":
        return f"```{{ .text .output }}\n{''.join(output['text']).rstrip()}\n```"
    data = {kind: "".join(text) for kind, text in output["data"].items()}
    if "text/html" in data:
        return f'<div class="shown" data-search-exclude>{data["text/html"]}</div>'
    if "text/latex" in data:
        latex = data["text/latex"].strip().strip("$").removeprefix("\\displaystyle ")
        return f"<p>{math(latex, 'block')}</p>"
    for kind, coded in (("image/svg+xml", False), ("image/png", True)):
        if kind in data:
            return f'<p class="shown">{_image(data[kind], kind, coded=coded)}</p>'
    return f"```{{ .text .output }}\n{data['text/plain']}\n```"


def _image(data: str, kind: str, *, coded: bool) -> str:
    """A picture in the page; what is written in it is what is said to those who do not see it."""
    words = [] if coded else [text for text in re.findall(r"<!-- (.+?) -->", data) if not re.match(r"[\d.−-]+$", text)]
    said = escape(f"A figure: {'; '.join(dict.fromkeys(words))}" if words else "A figure")
    text = data if coded else b64encode(data.encode()).decode()
    return f'<img class="figure" alt="{said}" src="data:{kind};base64,{"".join(text.split())}">'
