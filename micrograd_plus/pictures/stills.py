"""Turn a picture into what viewers show: an image in HTML, and a PNG for those who show none: LaTeX, rst, AsciiDoc.

A notebook keeps both, so both are made small.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO

from micrograd_plus._support.pngs import png
from micrograd_plus.pictures.form import FONT, GREY, INK, SIZES, WHITE, rgb

_URL = str.maketrans({"%": "%25", "#": "%23", "<": "%3C", "&": "%26", "\n": " "})
# what an image does not show, and what is said once for all of it
_UNSEEN = re.compile(
    r"<!--.*?-->|<title>.*?</title>|\s+(?:id|class|xml:space|xmlns:xlink)=\"[^\"]*\"|"
    rf'\s+(?:text-anchor="start"|stroke="none"|font-family="{FONT}"|font-size="{SIZES.tiny}.00"|fill="{INK}")|\n',
    re.DOTALL,
)
_PLACED = re.compile(r'(?<= )(?:points|d|x|y|viewBox|font-size)="[^"]*"')
_DOUBLED = re.compile(r"(?:(?<=[\"'])|(?<=\{fill:))#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3\b")  # #ffffff is #fff
_BOX = re.compile(  # with upright sides
    r'<polygon (?P<look>[^>]*)points="(?P<l>[^, ]+),(?P<t>\S+) (?P=l),(?P<b>\S+) (?P<r>[^, ]+),(?P=b) (?P=r),(?P=t) '
    r'(?P=l),(?P=t)"'
)
_LOOKS = {"e": f'fill="none" stroke="{GREY}"', "h": f'fill="{GREY}" stroke="{GREY}"'}  # edges and outlines; heads
_STYLE = f"<style>.e{{fill:none;stroke:{GREY}}}.h{{fill:{GREY};stroke:{GREY}}}.b{{stroke:{GREY}}}</style>"
_GROUND = re.compile(r'<path (fill="#\w+") d="([^"]*)"/>')  # of a box, before its letters
_LINE = re.compile(r'<path (class="e"[^>]*?) ?d="([^"]*)"/>|<polygon (class="h"[^>]*?) ?points="([^"]*)"/>')


# an image is as light or dark as what it lies on says it is: JupyterLab, Material for MkDocs, Sphinx, marimo, VS Code,
# Colab; light where that says nothing, whatever the system is: its words can be read on both, then
FOLLOWS = "micrograd-plus-image"
_DARK = "[data-jp-theme-light=false],[data-md-color-scheme=slate],[data-theme=dark],.dark,.vscode-dark,html[theme=dark]"
FOLLOWING = f"<style>.{FOLLOWS}{{color-scheme:light}}:is({_DARK}) .{FOLLOWS}{{color-scheme:dark}}</style>"


def as_image(svg: str, alt: str, style: str = "", kind: str = "") -> str:
    r"""An SVG as an image in HTML, which viewers show in notebooks that they do not trust, too.

    Args:
        svg: the file's text.
        alt: what is in it, for those who do not see it.
        style: CSS for the image.
        kind: its class.

    >>> as_image('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>', "a line")
    '<img alt="a line" src="data:image/svg+xml,%3Csvg ...>%3Cpath d=\'M0 0h9\'/>%3C/svg>"/>'
    """
    bare = _DOUBLED.sub(r"#\1\2\3", _bare(svg))
    bare = bare.replace("'", "&#39;").replace('"', "'")  # within the quotes of an attribute
    look = (f' class="{kind}"' if kind else "") + (f' style="{style}"' if style else "")
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml,{bare.translate(_URL)}"{look}/>'


def _bare(svg: str) -> str:
    """The same picture, without what nobody sees in an image."""
    svg = svg[svg.index("<svg") :]
    if "graph0" not in svg:  # not one of Graphviz's, which tells each letter its font
        return svg
    head, _, body = svg.partition(">")
    head = re.sub(r' (?:role|aria-label|xmlns:xlink)="[^"]*"', "", head)  # said by the image's alt, or by nobody
    body = re.sub("<g>(.*?)</g>", r"\1", _UNSEEN.sub("", body))  # groups that had nothing but a name
    head, body = [_PLACED.sub(lambda found: re.sub(r"-?\d+\.\d+", _rounded, found[0]), each) for each in (head, body)]
    body = _BOX.sub(r'<path \g<look>d="M\g<l>,\g<t>V\g<b>H\g<r>V\g<t>z"', body)
    body = re.sub(r'points="(\S+) ([^"]*) \1"', r'points="\1 \2"', body)  # closed by itself
    for name, look in _LOOKS.items():
        body = body.replace(look, f'class="{name}"')
    body = body.replace("scale(1 1) rotate(0) ", "", 1)
    body = _lines_together(_with_outlines(body.replace("&#45;", "-")))
    return f'{head} fill="{INK}" font-family="{FONT}" font-size="{SIZES.tiny}">{_STYLE}{body}'


def _with_outlines(body: str) -> str:
    """Boxes of which each is one shape, not a ground before its letters and an outline after them."""
    for look, place in _GROUND.findall(body):
        outline = re.search(rf'<path class="e"([^>]*?) ?d="{re.escape(place)}"/>', body)
        if outline:
            body = body.replace(outline[0], "", 1)
            body = body.replace(f'<path {look} d="{place}"/>', f'<path class="b" {look}{outline[1]} d="{place}"/>', 1)
    return body


def _lines_together(body: str) -> str:
    """Lines that look alike as one, and so the heads of arrows, above everything else."""
    alike: dict[str, list[str]] = {}
    for line, place, head, corners in _LINE.findall(body):
        alike.setdefault(line or head, []).append(place or f"M{corners}z")
    lines = "".join([f'<path {look} d="{"".join(places)}"/>' for look, places in alike.items()])
    start, _, end = _LINE.sub("", body).rpartition("</g>")
    return re.sub(r'(?<= )d="[^"]*"', lambda place: place[0].replace(",-", "-"), f"{start}{lines}</g>{end}")


def _rounded(number: re.Match[str]) -> str:
    """With the one decimal that one can see."""
    return f"{round(float(number[0]), 1) + 0.0:g}"


def as_png(drawn: bytes, colours: Iterable[str]) -> str:
    """A PNG for paper, as a notebook holds it: on white, in few colours, in base64.

    Where Pillow is not installed (matplotlib brings it), it stays as it is, some four times as large.

    Args:
        drawn: the PNG.
        colours: those in it; each pixel takes the one next to it.
    """
    try:
        from PIL import Image
    except ImportError:
        return b64encode(drawn).decode()
    image = Image.open(BytesIO(drawn)).convert("RGBA")
    paper = Image.new("RGB", image.size, WHITE)
    paper.paste(image, mask=image)
    known = list(dict.fromkeys([rgb(colour) for colour in (WHITE, *colours)]))[:256]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in known for part in colour] + [255] * 3 * (256 - len(known)))  # white again
    few = paper.quantize(palette=palette, dither=Image.Dither.NONE)
    return b64encode(png(few.width, few.tobytes(), [bytes([*colour, 255]) for colour in known])).decode()
