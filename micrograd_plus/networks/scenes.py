"""A drawing made of lines, circles, boxes, texts and pixels, which shows itself in Jupyter and saves itself.

The same shapes become SVG here and, by matplotlib, PNG and PDF. Nothing paints a background, and strokes and texts are
of a middle tone, so a drawing is readable on white and on black.
"""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from os import PathLike, fspath
from os.path import splitext
from typing import TYPE_CHECKING, Any, TypeAlias
from warnings import catch_warnings, filterwarnings

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POSITIVE, NEGATIVE, MIDDLE, MARK = "#3a8fd9", "#e8862e", "#808080", "#c79a0a"
FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

RGBA: TypeAlias = tuple[int, int, int, int]  # 0 to 255 each


@dataclass(frozen=True)
class Line:
    """A straight line from (x1, y1) to (x2, y2)."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float = 1.0
    opacity: float = 1.0

    def svg(self) -> str:
        ends = f'x1="{_n(self.x1)}" y1="{_n(self.y1)}" x2="{_n(self.x2)}" y2="{_n(self.y2)}"'
        faint = f' stroke-opacity="{_n(self.opacity)}"' if self.opacity < 1 else ""
        return f'<line {ends} stroke="{self.colour}" stroke-width="{_n(self.width)}"{faint}/>'

    def plot(self, axes: Axes) -> None:
        from matplotlib.lines import Line2D

        ends = [self.x1, self.x2], [self.y1, self.y2]
        axes.add_line(Line2D(*ends, color=self.colour, linewidth=self.width, alpha=self.opacity))


@dataclass(frozen=True)
class Circle:
    """A circle around (x, y); its title is shown when a mouse rests on it in a saved SVG."""

    x: float
    y: float
    r: float
    fill: str = "none"
    stroke: str = "none"
    title: str = ""

    def svg(self) -> str:
        where = f'cx="{_n(self.x)}" cy="{_n(self.y)}" r="{_n(self.r)}"'
        title = f"<title>{clean(self.title)}</title>" if self.title else ""
        return f'<circle {where} fill="{self.fill}" stroke="{self.stroke}" stroke-width="1.2">{title}</circle>'

    def plot(self, axes: Axes) -> None:
        from matplotlib.patches import Circle as Patch

        look = {"facecolor": self.fill, "edgecolor": self.stroke, "linewidth": 1.2}
        axes.add_patch(Patch((self.x, self.y), self.r, zorder=2, **look))


@dataclass(frozen=True)
class Polygon:
    """A filled shape with straight sides."""

    points: tuple[tuple[float, float], ...]
    fill: str

    def svg(self) -> str:
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in self.points)
        return f'<polygon points="{points}" fill="{self.fill}"/>'

    def plot(self, axes: Axes) -> None:
        from matplotlib.patches import Polygon as Patch

        axes.add_patch(Patch(self.points, facecolor=self.fill, edgecolor="none", zorder=2))


@dataclass(frozen=True)
class Box:
    """The outline of a rectangle."""

    x: float
    y: float
    width: float
    height: float
    stroke: str
    thickness: float = 1.0

    def svg(self) -> str:
        where = f'x="{_n(self.x)}" y="{_n(self.y)}" width="{_n(self.width)}" height="{_n(self.height)}"'
        return f'<rect {where} rx="2" fill="none" stroke="{self.stroke}" stroke-width="{_n(self.thickness)}"/>'

    def plot(self, axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        at = (self.x, self.y)
        look: dict[str, Any] = {"facecolor": "none", "edgecolor": self.stroke, "linewidth": self.thickness}
        axes.add_patch(Rectangle(at, self.width, self.height, zorder=2, **look))


@dataclass(frozen=True)
class Text:
    """A line of text, centred in height on (x, y); `anchor` is what of it stands at x: start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    colour: str = MIDDLE
    anchor: str = "middle"
    bold: bool = False

    def svg(self) -> str:
        weight = ' font-weight="bold"' if self.bold else ""
        where = f'x="{_n(self.x)}" y="{_n(self.y + 0.36 * self.size)}" text-anchor="{self.anchor}"'
        return f'<text {where} font-size="{_n(self.size)}" fill="{self.colour}"{weight}>{clean(self.text)}</text>'

    def plot(self, axes: Axes) -> None:
        side = {"start": "left", "middle": "center", "end": "right"}[self.anchor]
        look: dict[str, Any] = {"fontsize": 0.92 * self.size, "color": self.colour, "parse_math": False}
        look["weight"] = "bold" if self.bold else "normal"
        axes.text(self.x, self.y, printable(self.text), ha=side, va="center_baseline", zorder=3, **look)


@dataclass(frozen=True)
class Pixels:
    """An image of coloured squares: rows of pixels, the topmost first."""

    x: float
    y: float
    width: float
    height: float
    rows: tuple[tuple[RGBA, ...], ...]

    def svg(self) -> str:
        where = f'x="{_n(self.x)}" y="{_n(self.y)}" width="{_n(self.width)}" height="{_n(self.height)}"'
        look = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
        return f'<image {where} {look} href="data:image/png;base64,{b64encode(_png(self.rows)).decode()}"/>'

    def plot(self, axes: Axes) -> None:
        edges = (self.x, self.x + self.width, self.y + self.height, self.y)
        axes.imshow(self.rows, extent=edges, interpolation="nearest", aspect="auto", zorder=1)


Shape: TypeAlias = Line | Circle | Polygon | Box | Text | Pixels


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture that shows itself in Jupyter; `.svg` is its source and `.save` writes it to a file.

    Attributes:
        width: in pixels.
        height: in pixels.
        shapes: a tuple of lines, circles, texts and so on, in the order in which they are drawn.
        description: what it is a drawing of.

    >>> drawing = Drawing(40, 40, (Circle(20, 20, 10, stroke="#808080"),), "a ring")
    >>> drawing
    <Drawing of a ring, 40 x 40>
    >>> drawing.svg
    '<svg ...<circle cx="20" cy="20" r="10" ...</svg>'
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     drawing.save(Path(folder, "ring.svg"))
    ...     print(*[file.name for file in Path(folder).iterdir()])
    ring.svg
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    description: str

    @property
    def svg(self) -> str:
        """The picture as the text of an SVG file, without a background."""
        w, h = _n(self.width), _n(self.height)
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
        shapes = "\n".join(shape.svg() for shape in self.shapes)
        return f'{head} font-family="{FONT}">\n<title>{clean(self.description)}</title>\n{shapes}\n</svg>'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file that ends in .svg, .html, .png or .pdf, whole or not at all.

        Raises:
            ValueError: another ending.
            ImportError: PNG and PDF are drawn by matplotlib, which is not installed.
            OSError: the file cannot be written.
        """
        ending = splitext(fspath(path))[1].lower()
        if ending not in (".svg", ".html", ".png", ".pdf"):
            raise unknown(f"ending in {fspath(path)!r}:", ending, [".svg", ".html", ".png", ".pdf"])
        content = self.svg if ending == ".svg" else self._page() if ending == ".html" else self._plotted(ending[1:])
        write_atomically(path, content)

    def _page(self) -> str:
        title = f'<meta charset="utf-8"><title>{clean(self.description)}</title>'
        return f"<!doctype html>\n{title}\n<style>:root {{ color-scheme: light dark }}</style>\n{self.svg}\n"

    def _plotted(self, kind: str) -> bytes:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("PNG and PDF need matplotlib: pip install 'micrograd-plus[plot]'; SVG does not") from None
        figure = Figure(figsize=(self.width / 72, self.height / 72))  # a unit is a point, of which an inch has 72
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for shape in self.shapes:
            shape.plot(axes)
        axes.set(xlim=(0, self.width), ylim=(self.height, 0))  # after the images, which set their own
        buffer = BytesIO()
        with catch_warnings():
            filterwarnings("ignore", "Glyph")  # an emoji in a label, of which the font has no drawing
            figure.savefig(buffer, format=kind, dpi=144, transparent=True)
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        # as an image, not as inline SVG: Jupyter shows that also in a notebook that it does not trust
        source = b64encode(self.svg.encode()).decode()
        return f'<img alt="{clean(self.description)}" src="data:image/svg+xml;base64,{source}"/>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        return f"<Drawing of {self.description}, {_n(self.width)} x {_n(self.height)}>"


def printable(text: str) -> str:
    """The text without what no XML may hold: control characters and halves of characters (XML 1.0, 2.2).

    >>> printable("a" + chr(0) + "b" + chr(0xD800))
    'a�b�'
    """
    return _FORBIDDEN.sub("�", text)


def clean(text: str) -> str:
    """The text, fit to stand in SVG and HTML.

    >>> clean('</script>"')
    '&lt;/script&gt;&quot;'
    """
    return escape(printable(text))


def shortened(text: str, most: int = 24) -> str:
    """The text, or its beginning and an ellipsis where it is longer than `most`.

    >>> shortened("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def _n(number: float) -> str:
    """A coordinate, with the two decimals that one can see."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _png(rows: Sequence[Sequence[RGBA]]) -> bytes:
    """A PNG file (RFC 2083), each pixel as a block of them: not every viewer enlarges without blurring."""
    scale = max(1, 112 // max(len(rows), len(rows[0])))
    lines = [b"\0" + b"".join(bytes(pixel) * scale for pixel in row) for row in rows for _ in range(scale)]
    header = struct.pack(">IIBBBBB", len(rows[0]) * scale, len(lines), 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
