"""Read the style sheets, the scripts and the skeleton of the page, which lie beside this file."""

from __future__ import annotations

import re
from importlib.resources import files

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
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def page_script(*, bare: bool = False) -> str:
    """What the page does, as JavaScript; bare: without our comments and indents, where bytes count."""
    texts = [asset(f"script/{name}.js") for name in SCRIPTS]
    if bare:
        ours = [not name.startswith("vendor") for name in SCRIPTS]
        texts = [
            re.sub(r"^ *//.*\n|^ +", "", text, flags=re.MULTILINE) if own else text for text, own in zip(texts, ours)
        ]
    return "\n".join(texts)
