"""Finish a page of the documentation: links, entries of tables, and what its code shows, as plain Markdown and HTML."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from examples import Example, blocks

from micrograd_plus.losses import LOSSES
from micrograd_plus.optim import OPTIMIZERS

ROOT = Path(__file__).parent.parent
MADE = {"README.md": "docs/overview.md", "micrograd_plus/ops/table.py": "docs/functions.md"}  # what files are shown as
PICTURE = r"^<(?:Picture|Drawing|backprop|film)\b"  # what Python prints of what is a picture in a notebook
SHOWN = "<!-- shown -->"  # in a page: here stands what its code shows
ENTRIES = {  # what a line of a page such as "::: each of micrograd_plus.losses.LOSSES" stands for
    "micrograd_plus.losses.LOSSES": [f"micrograd_plus.losses.{name}" for name in LOSSES],
    "micrograd_plus.optim.OPTIMIZERS": [f"micrograd_plus.optim.{made.__name__}" for made in OPTIMIZERS.values()],
}


def finished(text: str, page: str, *, playground: bool = False) -> str:
    """A page as it is to be built.

    Args:
        text: the page, Markdown.
        page: its place within docs/.
        playground: whether the site has the playground, so that a page can lead there.
    """
    text = re.sub(r"^::: each of (\S+)$", lambda found: _entries(found[1]), text, flags=re.MULTILINE)
    return linked(with_pictures(text), page, playground=playground)


def linked(text: str, page: str, *, playground: bool) -> str:
    """Lead links to files of the repository to the pages that show them.

    The links work where the repository is browsed; one to a file that has no page becomes mere text.
    """
    here = f"docs/{page}"
    source = next((file for file, made in MADE.items() if made == here), here)
    up = (
        "" if page == "index.md" else "../" * (page.count("/") + 1)
    )  # to the root of the site, from a page's own folder

    def led(found: re.Match[str]) -> str:
        path, hash_, place = found[2].partition("#")
        target = normpath(join(dirname(source), path))
        if not path or not (ROOT / target).exists():  # a place in this page, or no link at all
            return found[0]
        if target == "docs/playground":
            return f'<a href="{up}playground/{hash_}{place}">{found[1]}</a>' if playground else found[1]
        made = MADE.get(target) or re.sub("^notebooks/", "docs/lessons/", target)
        return f"[{found[1]}]({relpath(made, dirname(here))}{hash_}{place})" if made.startswith("docs/") else found[1]

    return re.sub(r"\[([^\]]*)\]\(([^)]+)\)", led, text)


def with_pictures(text: str) -> str:
    """The page with what its code shows: after the block that does, or where the page wants it.

    Raises:
        ValueError: the page wants more or fewer pictures than its code makes.
    """
    if not re.search(PICTURE, text, re.MULTILINE):
        return text
    names: dict[str, Any] = {"__name__": "__main__"}
    found = [
        (block.end, picture)
        for block in blocks(text)
        for example in block.examples
        if (picture := _picture(example, names))
    ]
    wanted = text.count(SHOWN)
    if wanted not in (0, len(found)):
        raise ValueError(f"a page has {wanted} times {SHOWN}, and {len(found)} pictures that its code makes")
    if wanted:
        pictures = iter(found)
        return re.sub(SHOWN, lambda _: next(pictures)[1], text)
    for end, picture in reversed(found):
        text = f"{text[:end]}\n\n{picture}\n\n{text[end:]}"
    return text


def _picture(example: Example, names: dict[str, Any]) -> str:
    """What an example shows in a notebook, if that is a picture. The search does not look into it."""
    with redirect_stdout(None):
        result = example.run(names)
    if not re.match(PICTURE, example.want):
        return ""
    return f'<div class="shown" data-search-exclude>{result._repr_html_()}</div>'


def _entries(table: str) -> str:
    """A line for each entry of a table, as mkdocstrings reads it."""
    return "\n\n".join([f"::: {name}" for name in ENTRIES[table]])
