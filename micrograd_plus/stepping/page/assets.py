"""Read the style sheets, the scripts and the skeleton of the page, which lie beside this file."""

from __future__ import annotations

from micrograd_plus.pictures import scripts
from micrograd_plus.pictures.scripts import bare as without_comments

_LESSONS = ("slopes", "why", "paths", "predict")  # what the page teaches besides
# in this order they are one script: each uses what stands before it, and, once the page runs, what stands after it
SCRIPTS = (
    "vendor/d3-zoom",
    "arithmetic",
    "special",
    "numbers",
    "words",
    "showing",
    "levels",
    "folds",
    "story",
    "view",
    "map",
    "asking",
    "leaves",
    *_LESSONS,
    "controls",
)


def asset(name: str) -> str:
    """The text of a file such as "page.html"."""
    return scripts.asset(name, __package__)


def page_script(*, bare: bool = False) -> str:
    """What the page does, as JavaScript; bare: without our comments and indents, where bytes count."""
    texts = {name: asset(f"script/{name}.js") for name in SCRIPTS}
    texts = {"playing": scripts.asset("playing.js"), **texts}
    return "\n".join(
        [without_comments(text) if bare and not name.startswith("vendor") else text for name, text in texts.items()]
    )
