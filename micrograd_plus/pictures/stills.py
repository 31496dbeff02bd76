"""Turn a picture into what viewers show: an image in HTML, and a PNG for those who show none: LaTeX, rst, AsciiDoc.

A notebook keeps both, so both are made small.
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from io import BytesIO

from micrograd_plus.pictures.colours import FONT, INK

COLOURS = 32  # in a PNG: boxes, letters and their edges need no more
_URL = str.maketrans({"%": "%25", "#": "%23", "<": "%3C", ">": "%3E", "&": "%26", "\n": " "})
# what an image does not show, and what is said once for all of it
_UNSEEN = re.compile(
    r"<!--.*?-->|<title>.*?</title>|\s+(?:id|class|xml:space|xmlns:xlink)=\"[^\"]*\"|"
    rf'\s+(?:text-anchor="start"|stroke="none"|font-family="{FONT}"|font-size="11.00"|fill="{INK}")|\n',
    re.DOTALL,
)


def as_image(svg: str, alt: str, style: str = "") -> str:
    r"""An SVG as an image in HTML, which viewers show in notebooks that they do not trust, too.

    Args:
        svg: the file's text.
        alt: what is in it, for those who do not see it.
        style: CSS for the image.

    >>> as_image('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>', "a line")
    '<img alt="a line" src="data:image/svg+xml,%3Csvg ...%3E%3Cpath d=\'M0 0h9\'/%3E%3C/svg%3E"/>'
    """
    bare = _bare(svg).replace("'", "&#39;").replace('"', "'")  # within the quotes of an attribute
    look = f' style="{style}"' if style else ""
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml,{bare.translate(_URL)}"{look}/>'


def _bare(svg: str) -> str:
    """The same picture, without what nobody sees in an image."""
    svg = svg[svg.index("<svg") :]
    if "graph0" not in svg:  # not one of Graphviz's, which tells each letter its font
        return svg
    head, _, body = svg.partition(">")
    head = re.sub(r' (?:role|aria-label)="[^"]*"', "", head)  # said by the image's alt
    body = re.sub("<g>(.*?)</g>", r"\1", _UNSEEN.sub("", body))  # groups that had nothing but a name
    return f'{head} fill="{INK}" font-family="{FONT}" font-size="11">{body}'


def as_png(png: bytes) -> str:
    """A PNG for paper, as a notebook holds it: on white, in few colours, in base64.

    Where Pillow is not installed (matplotlib brings it), it stays as it is, some four times as large.
    """
    try:
        from PIL import Image
    except ImportError:
        return b64encode(png).decode()
    drawn = Image.open(BytesIO(png)).convert("RGBA")
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn)
    buffer = BytesIO()
    paper.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return b64encode(buffer.getvalue()).decode()
