"""Finish a page of the documentation: links, entries of tables, and what its code shows, as plain Markdown and HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from examples import Example, blocks
from functions import table
from lesson_pages import lesson
from styles import tokens

from micrograd_plus.losses import LOSSES
from micrograd_plus.optim import OPTIMIZERS

ROOT = Path(__file__).parent.parent
LESSONS = {f"lessons/{file.stem}.md": file for file in sorted((ROOT / "notebooks").glob("*.ipynb"))}
MADE = {"README.md": "docs/overview.md", "micrograd_plus/ops/table.py": "docs/functions.md"}  # what files are shown as
MADE |= {f"notebooks/{file.name}": f"docs/{page}" for page, file in LESSONS.items()}
PICTURE = r"^<(?:Picture|Drawing|Nudges|backprop|film)\b"  # what Python prints of what is a picture in a notebook
SHOWN = "<!-- shown -->"  # in a page: here stands what its code shows
ALONE = "---\nhide: [navigation]\n---\n\n"  # of a page that has no others beside it
ENTRIES = {  # what a line of a page such as "::: each of micrograd_plus.losses.LOSSES" stands for
    "micrograd_plus.losses.LOSSES": [f"micrograd_plus.losses.{name}" for name in LOSSES],
    "micrograd_plus.optim.OPTIMIZERS": [f"micrograd_plus.optim.{made.__name__}" for made in OPTIMIZERS.values()],
}


def made(*, playground: bool = False, complete: bool = False) -> dict[str, str]:
    """What is made: the lessons, the overview, which is the README, the table of functions, the colours, the icon."""
    return {
        "overview.md": ALONE + (ROOT / "README.md").read_text(encoding="utf-8"),
        "functions.md": table(),
        "tokens.css": tokens(),
        "icon.svg": (ROOT / "docs" / "playground" / "src" / "icon.svg").read_text(encoding="utf-8"),
    } | {page: lesson(file, playground=playground, complete=complete) for page, file in LESSONS.items()}


def finished(text: str, page: str, playground: Sequence[str] | None = None) -> str:
    """A page as it is to be built.

    Args:
        text: the page, Markdown.
        page: its place within docs/.
        playground: what follows the playground's address for each block of code that can run there, "" for others;
            None where the site has no playground to lead to.

    Raises:
        ValueError: the page wants more or fewer pictures than its code makes.
    """
    text = re.sub(r"^::: each of (\S+)$", lambda found: _entries(found[1]), text, flags=re.MULTILINE)
    after = [(block.end, _way(fragment, page)) for block, fragment in zip(blocks(text), playground or ()) if fragment]
    pictures = shown(text)
    if wanted := text.count(SHOWN):
        if wanted != len(pictures):
            raise ValueError(f"{page} has {wanted} times {SHOWN}, and {len(pictures)} pictures that its code makes")
    else:
        after += pictures
    for end, html in sorted(after, key=lambda each: each[0], reverse=True):
        text = f"{text[:end]}\n\n{html}\n\n{text[end:]}"
    for _, picture in pictures[:wanted]:
        text = text.replace(SHOWN, picture, 1)
    return linked(text, page, playground=playground is not None)


def _way(fragment: str, page: str) -> str:
    """The link from a block of code to the playground; site.js opens it in the page."""
    return f'<p class="try"><a href="{_root(page)}playground/{fragment}">Try it</a></p>'


def _root(page: str) -> str:
    """The way from a page's own folder to the root of the site."""
    return "" if page == "index.md" else "../" * (page.count("/") + 1)


def linked(text: str, page: str, *, playground: bool) -> str:
    """Lead links to files of the repository to the pages that show them.

    The links work where the repository is browsed; one to a file that has no page becomes mere text.
    """
    here = f"docs/{page}"
    source = next((file for file, made in MADE.items() if made == here), here)

    def led(found: re.Match[str]) -> str:
        path, hash_, place = found[2].partition("#")
        target = normpath(join(dirname(source), path))
        if not path or not (ROOT / target).exists():  # a place in this page, or no link at all
            return found[0]
        if target == "docs/playground":
            return f'<a href="{_root(page)}playground/{hash_}{place}">{found[1]}</a>' if playground else found[1]
        made = MADE.get(target, target)
        return f"[{found[1]}]({relpath(made, dirname(here))}{hash_}{place})" if made.startswith("docs/") else found[1]

    return re.sub(r"\[([^][]*)\]\(([^)]+)\)", led, text)  # no [ within, for packed pages may have one alone


def shown(text: str) -> list[tuple[int, str]]:
    """The pictures that the code of a page shows, and where the block ends that does."""
    if not re.search(PICTURE, text, re.MULTILINE):
        return []
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = [(block.end, _picture(example, names)) for block in blocks(text) for example in block.examples]
    return [(end, picture) for end, picture in ran if picture]


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
