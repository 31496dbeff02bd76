"""Read the style sheets, the scripts and the skeleton of the page, which lie beside this file."""

from __future__ import annotations

from zlib import crc32

from micrograd_plus.pictures import scripts
from micrograd_plus.pictures.scripts import bare as without_comments

_LESSONS = ("slopes", "why", "paths", "predict")  # what the page teaches besides
# in this order they are one script: each uses what stands before it, and, once the page runs, what stands after it
SCRIPTS = (
    "arithmetic",
    "whole",
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
ZOOM = "script/vendor/d3-zoom.js"  # stands before all others, as it came
SPECIAL = "special"  # stands before these in a page whose graph asks for it
SHORT = "script/short.js"  # both in few letters, a line each: docs/shorten.py writes it


def asset(name: str) -> str:
    """The text of a file such as "page.html"."""
    return scripts.asset(name, __package__)


def page_script(*, bare: bool = False, special: bool = True) -> str:
    """What the page does, as JavaScript.

    Args:
        bare: in few letters, where bytes count.
        special: whether the graph has functions that JavaScript's Math lacks.
    """
    parts = whole_scripts()
    if bare:
        made_of, _, short = asset(SHORT).partition("\n")
        shortened = short.splitlines()  # unless a script has been changed since
        parts = shortened if digest("\n".join(parts)) in made_of else [without_comments(part) for part in parts]
    return "\n".join([asset(ZOOM), *(parts if special else parts[1:])])


def whole_scripts() -> list[str]:
    """The special functions, and all else."""
    texts = [scripts.asset("playing.js"), *[asset(f"script/{name}.js") for name in SCRIPTS]]
    return [asset(f"script/{SPECIAL}.js"), "\n".join(texts)]


def digest(script: str) -> str:
    """By which a script is known.

    >>> digest("go(0);")
    '0bf16a53'
    """
    return f"{crc32(script.encode()):08x}"
