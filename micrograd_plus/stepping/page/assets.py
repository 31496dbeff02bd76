"""Read the style sheets, the scripts and the skeleton of the page, which lie beside this file."""

from __future__ import annotations

from zlib import crc32

from micrograd_plus.pictures import scripts
from micrograd_plus.pictures.scripts import bare as without_comments

_LESSONS = ("slopes", "why", "paths", "predict")  # what the page teaches besides
# in this order they are one script: each uses what stands before it, and, once the page runs, what stands after it
SCRIPTS = (
    "arithmetic",
    "special",
    "whole",
    "numbers",
    "words",
    "showing",
    "levels",
    "folds",
    "story",
    "moving",
    "view",
    "map",
    "asking",
    "leaves",
    *_LESSONS,
    "controls",
)
SHORT = "script/short.js"  # the same in few letters: docs/shorten.py writes it


def asset(name: str) -> str:
    """The text of a file such as "page.html"."""
    return scripts.asset(name, __package__)


def page_script(*, bare: bool = False) -> str:
    """What the page does, as JavaScript; bare: in few letters, where bytes count."""
    texts = {"playing": scripts.asset("playing.js")} | {name: asset(f"script/{name}.js") for name in SCRIPTS}
    whole = "\n".join(texts.values())
    if not bare:
        return whole
    made_of, _, short = asset(SHORT).partition("\n")
    if digest(whole) in made_of:
        return short
    return without_comments(whole)  # a script has been changed since


def digest(script: str) -> str:
    """By which a script is known.

    >>> digest("go(0);")
    '0bf16a53'
    """
    return f"{crc32(script.encode()):08x}"
