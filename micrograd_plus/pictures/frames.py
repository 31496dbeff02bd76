"""Put a page into a notebook: packed into a frame, and a still picture for where there is no frame.

The page is deflated, since a notebook holds every page that it shows, with its script; the frame unpacks it. Then it
follows what it lies on: light or dark (the root element's `data-theme`, which `form.css` reads), how high the window
is (`--window`), and the frame becomes as high as its content.
"""

from __future__ import annotations

from html import escape

from micrograd_plus._support.markup import filled
from micrograd_plus.pictures.packing import deflated, unpacking_script
from micrograd_plus.pictures.scripts import asset, bare, bare_style

# where there is a frame the still picture hides, but on paper it is the other way round
_LOOK = bare_style(""".micrograd-plus:has(iframe) > .micrograd-plus-static { display: none; }
@media print {
.micrograd-plus > .micrograd-plus-static.micrograd-plus-static { display: block; }
.micrograd-plus iframe { display: none; }
}""")


def framed(page: str, title: str, still: str, height: int) -> str:
    """HTML for a cell: the page in a frame, or, where frames are taken away or on paper, the still picture.

    The frame has no sandbox: one that is to follow the notebook's theme could be left by its page anyway. What protects
    the notebook is that the page holds no markup but ours, and that it may load nothing.

    Args:
        page: HTML, whole in itself.
        title: what the page is, for those who do not see it.
        still: HTML that needs no script.
        height: about how high the page is, in pixels, for viewers in which the frame cannot tell.

    >>> text = framed("<p>Hello</p>", "a greeting", "Hello", 100)
    >>> text.count("<iframe"), "<p>Hello</p>" in text
    (1, False)
    """
    style, name = f"width: 100%; height: {height}px; border: 0", title.partition(":")[0]
    return (
        f'<div class="micrograd-plus"><style>{_LOOK}</style><div class="micrograd-plus-static">{still}</div>'
        f'<iframe title="{escape(title)}" srcdoc="{_quoted(packed(page, name))}" style="{style}"></iframe></div>'
    )


def _quoted(page: str) -> str:
    """HTML as the value of an attribute in double quotes."""
    return page.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def packed(page: str, title: str) -> str:
    """A page that unpacks another one.

    Args:
        page: HTML, whole in itself.
        title: what it is called until then.

    >>> page = "<p>Hello</p>" * 1000
    >>> len(packed(page, "greetings")) < len(page) / 3
    True
    """
    following = f"<script>{bare(asset('following.js'))}</script>"
    packed = deflated(f"{page}{following}".encode("utf-8", "replace"))
    pieces = {"title": escape(title), "unpacking": unpacking_script(), "packed": packed}
    return bare(filled(asset("frame.html"), pieces))
