"""Read what pages are made of: scripts, style sheets and skeletons, which lie beside the modules that fill them."""

from __future__ import annotations

import re
from pkgutil import get_data


def asset(name: str, package: str | None = None) -> str:
    """The text of a file beside this one, or in another package.

    >>> asset("unpacking.js").splitlines()[0]
    '// What packing.py wrote in letters becomes bytes again.'
    """
    text = get_data(str(package or __package__), name)  # quicker from an archive than importlib.resources, too
    if text is None:
        raise FileNotFoundError(f"{package}: it has no loader that gives {name!r}")
    return text.decode()


def bare(script: str) -> str:
    """A script, or a page with one, without its lines of comment and its indents, where bytes count.

    >>> len(asset("following.js")) - len(bare(asset("following.js"))) > 100
    True
    """
    return re.sub(r"^ *//.*\n|^ +", "", script, flags=re.MULTILINE)


def bare_style(style: str) -> str:
    """A style sheet without comments and spaces, where bytes count.

    >>> bare_style("a, b { color: red; } /* a note */")
    'a,b{color:red}'
    """
    style = re.sub(r"/\*.*?\*/|\s*\n\s*", " ", style, flags=re.DOTALL)
    return re.sub(r"(?<=:) +", "", re.sub(r" *([{};,]) *", r"\1", style)).replace(";}", "}").strip()
