"""Lines, circles, boxes, texts and pixels: what drawings are made of, as SVG and for matplotlib."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from micrograd_plus._support.markup import clean as clean
from micrograd_plus._support.markup import xml_text
from micrograd_plus.pictures.colours import MIDDLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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

    def look(self) -> str:
        """How it is drawn, as attributes of SVG."""
        faint = f' stroke-opacity="{coordinate(self.opacity)}"' if self.opacity < 1 else ""
        return f'stroke="{self.colour}" stroke-width="{coordinate(self.width)}"{faint}'

    def svg(self) -> str:
        """As an element of SVG."""
        return f"<line {_attributes(x1=self.x1, y1=self.y1, x2=self.x2, y2=self.y2)} {self.look()}/>"

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
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
        """As an element of SVG."""
        where = _attributes(cx=self.x, cy=self.y, r=self.r)
        title = f"<title>{clean(self.title)}</title>" if self.title else ""
        return f'<circle {where} fill="{self.fill}" stroke="{self.stroke}" stroke-width="1.2">{title}</circle>'

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        from matplotlib.patches import Circle as Patch

        look = {"facecolor": self.fill, "edgecolor": self.stroke, "linewidth": 1.2}
        axes.add_patch(Patch((self.x, self.y), self.r, zorder=2, **look))


@dataclass(frozen=True)
class Polygon:
    """A filled shape with straight sides."""

    points: tuple[tuple[float, float], ...]
    fill: str

    def svg(self) -> str:
        """As an element of SVG."""
        return f'<polygon points="{_places(self.points)}" fill="{self.fill}"/>'

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        from matplotlib.patches import Polygon as Patch

        axes.add_patch(Patch(self.points, facecolor=self.fill, edgecolor="none", zorder=2))


@dataclass(frozen=True)
class Polyline:
    """Straight lines from point to point."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0

    def svg(self) -> str:
        """As an element of SVG."""
        look = f'fill="none" stroke="{self.colour}" stroke-width="{coordinate(self.width)}" stroke-linejoin="round"'
        return f'<polyline points="{_places(self.points)}" {look}/>'

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        from matplotlib.lines import Line2D

        axes.add_line(Line2D(*zip(*self.points), color=self.colour, linewidth=self.width))


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
        """As an element of SVG."""
        where = _attributes(x=self.x, y=self.y, width=self.width, height=self.height)
        return f'<rect {where} rx="2" fill="none" stroke="{self.stroke}" stroke-width="{coordinate(self.thickness)}"/>'

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
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
        """As an element of SVG."""
        weight = ' font-weight="bold"' if self.bold else ""
        where = f'{_attributes(x=self.x, y=self.y + 0.36 * self.size)} text-anchor="{self.anchor}"'
        return (
            f'<text {where} font-size="{coordinate(self.size)}" fill="{self.colour}"{weight}>{clean(self.text)}</text>'
        )

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        side = {"start": "left", "middle": "center", "end": "right"}[self.anchor]
        look: dict[str, Any] = {"fontsize": 0.92 * self.size, "color": self.colour, "parse_math": False}
        look["weight"] = "bold" if self.bold else "normal"
        axes.text(self.x, self.y, xml_text(self.text), ha=side, va="center_baseline", zorder=3, **look)


@dataclass(frozen=True)
class Pixels:
    """An image of coloured squares: rows of pixels, the topmost first."""

    x: float
    y: float
    width: float
    height: float
    rows: tuple[tuple[RGBA, ...], ...]

    def svg(self) -> str:
        """As an element of SVG."""
        where = _attributes(x=self.x, y=self.y, width=self.width, height=self.height)
        look = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
        return f'<image {where} {look} href="data:image/png;base64,{b64encode(_png(self.rows)).decode()}"/>'

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        edges = (self.x, self.x + self.width, self.y + self.height, self.y)
        axes.imshow(self.rows, extent=edges, interpolation="nearest", aspect="auto", zorder=1)


Shape: TypeAlias = Line | Circle | Polygon | Polyline | Box | Text | Pixels


def elements(shapes: Iterable[Shape]) -> list[str]:
    """Shapes as elements of SVG, in their order; lines that follow each other and look alike are one path.

    >>> elements([Line(0, 0, 9, 9, "red"), Line(0, 9, 9, 0, "red"), Circle(5, 5, 2)])
    ['<path d="M0 0L9 9M0 9L9 0" stroke="red" stroke-width="1"/>', '<circle ...</circle>']
    """
    found = []
    for look, alike in groupby(shapes, lambda shape: shape.look() if isinstance(shape, Line) else ""):
        if not look:
            found += [shape.svg() for shape in alike]
            continue
        places = [[coordinate(x) for x in (line.x1, line.y1, line.x2, line.y2)] for line in alike]  # type: ignore[union-attr]
        found.append(f'<path d="{"".join([f"M{a} {b}L{c} {d}" for a, b, c, d in places])}" {look}/>')
    return found


def coordinate(number: float) -> str:
    """A coordinate, with the two decimals that one can see."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _attributes(**coordinates: float) -> str:
    return " ".join([f'{name}="{coordinate(number)}"' for name, number in coordinates.items()])


def _places(points: Sequence[tuple[float, float]]) -> str:
    return " ".join([f"{coordinate(x)},{coordinate(y)}" for x, y in points])


def in_rows(pixels: Sequence[RGBA], columns: int) -> tuple[tuple[RGBA, ...], ...]:
    """The pixels of an image of so many columns, row by row."""
    return tuple(tuple(pixels[start : start + columns]) for start in range(0, len(pixels), columns))


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
