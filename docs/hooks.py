"""What MkDocs is told besides its pages: those that are made, and what is put into others."""

from __future__ import annotations

import os
from typing import Any

from fences import Examples
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages import finished, made
from trying import links

PLAYGROUND = bool(os.environ.get("MICROGRAD_PLUS_WITH_PLAYGROUND"))  # set by make.py, which makes it
COMPLETE = bool(os.environ.get("MICROGRAD_PLUS_WITH_NUMPY"))  # and this where lessons have all that they import
LOST = """<h1>There is no such page</h1>
<p>It may have moved. The search above finds it by its words; or begin at <a href="/.">the start</a>,
with <a href="/lessons/01-a-derivative-you-can-see/">the first lesson</a>, or in
<a href="/functions/">the table of functions</a>.</p>"""
_ways: dict[str, list[str]] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let examples in docstrings be shown as code."""
    config.markdown_extensions.append(Examples())  # type: ignore[arg-type]  # mkdocs takes extensions, too
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files, and those that are made; which code of the pages the playground runs."""
    if PLAYGROUND:
        _ways.update(links({file.src_uri: file.content_string for file in files.documentation_pages()}))
    for name, text in made(playground=PLAYGROUND, complete=COMPLETE).items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Finish a page."""
    place = page.file.src_uri
    return finished(markdown, place, _ways.get(place, []) if PLAYGROUND else None)


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Let the page for what is not there lead on."""
    return output_content.replace("<h1>404 - Not found</h1>", LOST) if template_name == "404.html" else output_content


def on_post_page(output: str, **_: Any) -> str:
    """Give Material's search box a name, for those who hear the page."""
    box = 'data-md-component="search" role="dialog"'
    return output.replace(box, f'{box} aria-label="Search"')
