"""What MkDocs is told besides its pages: those that are made, what is put into others, and lessons with MathML."""

import os
import re
from html import unescape
from typing import Any

from fences import Examples
from functions import math, table
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages import ROOT, finished
from styles import tokens

PLAYGROUND = "MICROGRAD_PLUS_WITH_PLAYGROUND"  # set by build.py, which makes it


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let examples in docstrings be shown as code."""
    config.markdown_extensions.append(Examples())  # type: ignore[arg-type]  # mkdocs takes extensions, too
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages, and what is made: the overview, which is the README, the table of functions, colours, the icon."""
    made = {
        "overview.md": (ROOT / "README.md").read_text(encoding="utf-8"),
        "functions.md": table(),
        "tokens.css": tokens(),
        "icon.svg": (ROOT / "docs" / "playground" / "src" / "icon.svg").read_text(encoding="utf-8"),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Finish a page."""
    return finished(markdown, page.file.src_uri, playground=bool(os.environ.get(PLAYGROUND)))


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


def on_post_page(output: str, **_: Any) -> str:
    """Give Material's search box a name, for those who hear the page."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def _as_mathml(found: re.Match[str]) -> str:
    if found["block"]:
        return math(unescape(found["block"]), "block")
    return math(unescape(found["inline"]).removeprefix("\\displaystyle ")) if found["inline"] else found[0]
