"""What the documentation needs besides its pages: what is made from tables, and formulas that no script has to draw."""

import re
from html import escape, unescape
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from micrograd_plus.formulas import Formula
from micrograd_plus.formulas.cards import row
from micrograd_plus.losses import LOSSES
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.optim import OPTIMIZERS

_PARTIAL = r"\frac{\partial}{\partial %s}: "
ENTRIES = {  # what a line of a page such as "::: each of micrograd_plus.losses.LOSSES" stands for
    "micrograd_plus.losses.LOSSES": [f"micrograd_plus.losses.{name}" for name in LOSSES],
    "micrograd_plus.optim.OPTIMIZERS": [f"micrograd_plus.optim.{made.__name__}" for made in OPTIMIZERS.values()],
}
ROOT = Path(__file__).parent.parent
PAGES = {"micrograd_plus/ops/table.py": "docs/functions.md"}  # what a file of the repository is shown as
INTRODUCTION = """---
hide: [toc]
---

# The functions

Each row of the table in `micrograd_plus/ops/table.py` is a function that takes numbers, lists, arrays and Values, and a
method of `Value`: `mp.tanh(x)`, `x.tanh()`. This page is made from the rows. The domain is where it is defined and
smooth, but for kinks: its ends, and what lies beyond, may have a value, too (-8 to the power 3); else that is `nan`.
Under the derivatives stands the rule in words, as the stepper shows it. At a kink, where the slope jumps, the
derivative is the one that PyTorch gives; at a pole it is infinite or `nan`. The same for one function, in a terminal:
`micrograd-plus ops tanh`.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages, and two that are made: the front page, which is the README, and the table of functions."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text(encoding="utf-8")))
    files.append(File.generated(config, "functions.md", content=table()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Put in the entries of tables, and lead links to files of the repository to the pages that show them.

    The links work where the repository is browsed; one to a file that has no page becomes mere text.
    """
    here = f"docs/{page.file.src_uri}"
    source = "README.md" if here == "docs/index.md" else here

    def led(found: re.Match[str]) -> str:
        target = normpath(join(dirname(source), found[2]))
        if not (ROOT / target).exists():  # a place in this page, or a page that is made, or no link at all
            return found[0]
        made = PAGES.get(target) or re.sub("^notebooks/", "docs/lessons/", target)
        if not made.startswith("docs/"):
            return found[1]
        return f"[{found[1]}]({relpath(made, dirname(here))})"

    markdown = re.sub(r"^::: each of (\S+)$", lambda found: entries(found[1]), markdown, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]*)\]\(([^)]+)\)", led, markdown)


def entries(table: str) -> str:
    """A line for each entry of a table, as mkdocstrings reads it."""
    return "\n\n".join([f"::: {name}" for name in ENTRIES[table]])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let examples in docstrings be shown as code."""
    config.markdown_extensions.append(Examples())  # type: ignore[arg-type]  # mkdocs takes extensions, too
    return config


class Examples(Extension):
    """What begins with >>> is code, up to the next empty line, also where no fence says so."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        """Register it, to run before fences are looked for."""
        md.preprocessors.register(_Fences(md), "examples", 100)


class _Fences(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        out: list[str] = []
        fence, inside = "", False
        for line in [*lines, ""]:
            found = re.match(r"\s*(`{3,}|~{3,})", line)
            if inside and (found or not line.strip()):
                out.append("```")
                inside = False
            if found and (not fence or found[1].startswith(fence)):
                fence = "" if fence else found[1]
            elif not fence and not inside and line.startswith(">>> "):
                out.append("```pycon")
                inside = True
            out.append(line)
        return out


def table() -> str:
    """The table of functions as Markdown, its formulas as MathML."""
    lines = ["| function | formula | derivative | domain | kinks |", "|---|---|---|---|---|"]
    for name in FUNCTIONS:
        told = row(name)
        what = told.what.replace("|", "\\|")
        slopes = [_slope(by if len(told.derivatives) > 1 else "", slope) for by, slope in told.derivatives]
        slopes.append(f"<em>{escape(told.rule, quote=False).replace('|', '&#124;')}</em>")
        cells = [f"`{told.usage}`<br>{what}", math(told.formula.latex), "<br>".join(slopes), told.domain, told.kinks]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([INTRODUCTION, *lines, ""])


def _slope(by: str, slope: Formula) -> str:
    """A derivative; as text where it is so long that its parts have names."""
    if "\n" in slope.text:
        text = "<br>".join([escape(line).replace("|", "&#124;") for line in slope.text.splitlines()])
        return f"{math(_PARTIAL % by) if by else ''}<code>{text}</code>"
    return math((_PARTIAL % by if by else "") + slope.latex)


def math(latex: str, display: str = "inline") -> str:
    """LaTeX as MathML, which browsers draw by themselves; on one line, and fit for a table."""
    upright = re.sub(r"\\operatorname\{([^}]*[\d_][^}]*)\}", r"\\mathrm{\1}", latex)  # else digits end the name
    return " ".join(convert(upright, display=display).split()).replace("|", "&#124;")


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """A lesson with its formulas as MathML, without scripts that fetch something, and with links to pages."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    html = re.sub(r"href=\"([\w-]+)\.ipynb", r'href="../\1/', html)
    html = re.sub(r"<script[^>]*\bsrc=\"http[^>]*></script>", "", html)
    html = re.sub(r"<script type=\"module\">.*?</script>", "", html, flags=re.DOTALL)
    code = r"<(?:pre|code|script|style|iframe)\b.*?</(?:pre|code|script|style|iframe)>|<[^>]*>"
    formula = r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$]+?)\$"
    return re.sub(f"{code}|{formula}", _as_mathml, html, flags=re.DOTALL)


def _as_mathml(found: re.Match[str]) -> str:
    if found["block"]:
        return math(unescape(found["block"]), "block")
    return math(unescape(found["inline"]).removeprefix("\\displaystyle ")) if found["inline"] else found[0]
