"""Read the style sheets, the script and the skeleton of the page, which lie beside this file."""

from __future__ import annotations

from importlib.resources import files


def asset(name: str) -> str:
    """The text of a file such as "page.js"."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
