"""Lines, circles, boxes, texts and pixels: what drawings are made of, as SVG and for matplotlib.

A notebook holds the SVG, so it is written in few letters: what most shapes share stands once, in `COMMON`, at the root.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from micrograd_plus._support.markup import clean as clean
from micrograd_plus._support.markup import xml_text
from micrograd_plus._support.pngs import png
from micrograd_plus.pictures.form import MIDDLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RGBA: TypeAlias = tuple[int, int, int, int]  # 0 to 255 each
OUTLINE = 1.2  # of a circle
COMMON = f'fill="{MIDDLE}" stroke-width="{OUTLINE}" text-anchor="middle"'


@dataclass(frozen=True)
class Line:
    """A straight line from (x1, y1) to (x2, y2); one that is not smooth has no half-tones in a plot."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float = 1.0
    opacity: float = 1.0
    smooth: bool = True

    def look(self) -> str:
        """How it is drawn, as attributes of SVG."""
        faint = f' opacity="{part(self.opacity)}"' if self.opacity < 1 else ""
        return f'stroke="{self.colour}" stroke-width="{part(self.width)}"{faint}'

    def svg(self) -> str:
        """As an element of SVG."""
        return f"<line {attributes(x1=self.x1, y1=self.y1, x2=self.x2, y2=self.y2)} {self.look()}/>"

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        from matplotlib.lines import Line2D

        ends = [self.x1, self.x2], [self.y1, self.y2]
        look: dict[str, Any] = {"color": self.colour, "linewidth": self.width, "alpha": self.opacity}
        axes.add_line(Line2D(*ends, antialiased=self.smooth, **look))


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
        where = attributes(cx=self.x, cy=self.y, r=self.r)
        title = f"<title>{clean(self.title)}</title>" if self.title else ""
        look = f'fill="{self.fill}"' + (f' stroke="{self.stroke}"' if self.stroke != "none" else "")
        return f"<circle {where} {look}>{title}</circle>" if title else f"<circle {where} {look}/>"

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        from matplotlib.patches import Circle as Patch

        look = {"facecolor": self.fill, "edgecolor": self.stroke, "linewidth": OUTLINE}
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
        look = f'fill="none" stroke="{self.colour}" stroke-width="{part(self.width)}" stroke-linejoin="round"'
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

    def look(self) -> str:
        """How it is drawn, as attributes of SVG."""
        return f'fill="none" stroke="{self.stroke}" stroke-width="{part(self.thickness)}"'

    def svg(self) -> str:
        """As an element of SVG."""
        where = attributes(x=self.x, y=self.y, width=self.width, height=self.height)
        return f'<rect {where} rx="2" {self.look()}/>'

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

    def look(self) -> str:
        """How it is written, as attributes of SVG."""
        look = f'font-size="{coordinate(self.size)}"'
        look += f' text-anchor="{self.anchor}"' if self.anchor != "middle" else ""
        look += f' fill="{self.colour}"' if self.colour != MIDDLE else ""
        return look + (' font-weight="bold"' if self.bold else "")

    def svg(self) -> str:
        """As an element of SVG."""
        where = attributes(x=self.x, y=self.y + 0.36 * self.size)
        return f"<text {where} {self.look()}>{clean(self.text)}</text>"

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
        """As an element of SVG; each is a block of pixels, since not every viewer enlarges without blurring."""
        look = f'{attributes(x=self.x, y=self.y, width=self.width, height=self.height)} preserveAspectRatio="none"'
        return image_of(self.rows, max(1, 112 // max(len(self.rows), len(self.rows[0]))), look)

    def plot(self, axes: Axes) -> None:
        """Add it to the axes of a plot."""
        edges = (self.x, self.x + self.width, self.y + self.height, self.y)
        axes.imshow(self.rows, extent=edges, interpolation="nearest", aspect="auto", zorder=1)


Shape: TypeAlias = Line | Circle | Polygon | Polyline | Box | Text | Pixels


def elements(shapes: Iterable[Shape]) -> list[str]:
    """Shapes as elements of SVG, in their order; lines that follow each other and look alike are one path.

    They are to stand where `COMMON` holds.

    >>> elements([Line(0, 0, 9, 9, "red"), Line(0, 9, 9, 0, "red"), Circle(5, 5, 2)])
    ['<path d="M0 0 9 9M0 9 9 0" stroke="red" stroke-width="1"/>', '<circle cx="5" cy="5" r="2" fill="none"/>']
    """
    found = []
    for look, alike in groupby(shapes, lambda shape: shape.look() if isinstance(shape, Line) else ""):
        if not look:
            found += [shape.svg() for shape in alike]
            continue
        places = [map(coordinate, (line.x1, line.y1, line.x2, line.y2)) for line in alike]  # type: ignore[union-attr]
        found.append(f'<path d="{"".join(["M" + " ".join(place) for place in places])}" {look}/>')
    return found


def coordinate(number: float) -> str:
    """A coordinate, with the one decimal that one can see.

    >>> coordinate(12.34), coordinate(7.0), coordinate(-0.01)
    ('12.3', '7', '0')
    """
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")  # + 0.0, which makes 0.0 of -0.0


def part(number: float, decimals: int = 2) -> str:
    """A width or an opacity, whose second decimal can be seen.

    >>> part(0.25), part(1.0), part(0.0)
    ('.25', '1', '0')
    """
    return f"{number:.{decimals}f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def attributes(**coordinates: float) -> str:
    """Coordinates as attributes of SVG.

    >>> attributes(x=1.0, y=2.25)
    'x="1" y="2.2"'
    """
    return " ".join([f'{name}="{coordinate(number)}"' for name, number in coordinates.items()])


def _places(points: Sequence[tuple[float, float]]) -> str:
    return " ".join([f"{coordinate(x)},{coordinate(y)}" for x, y in points])


def in_rows(pixels: Sequence[RGBA], columns: int) -> tuple[tuple[RGBA, ...], ...]:
    """The pixels of an image of so many columns, row by row."""
    return tuple(tuple(pixels[start : start + columns]) for start in range(0, len(pixels), columns))


def image_of(rows: Sequence[Sequence[RGBA]], scale: int, look: str) -> str:
    """Rows of pixels as an element of SVG, each pixel as a block of so many by so many.

    >>> image_of([[(0, 0, 0, 255)]], 1, 'width="9" height="9"')
    '<image width="9" height="9" style="image-rendering:pixelated" href="data:image/png;base64,..."/>'
    """
    file = b64encode(_png(rows, scale)).decode()
    return f'<image {look} style="image-rendering:pixelated" href="data:image/png;base64,{file}"/>'


def _png(rows: Sequence[Sequence[RGBA]], scale: int) -> bytes:
    colours = sorted({pixel for row in rows for pixel in row}, key=lambda pixel: (pixel[3], pixel))
    few = len(colours) <= 256
    code = {pixel: bytes([i]) if few else bytes(pixel) for i, pixel in enumerate(colours)}
    pixels = b"".join([code[pixel] * scale for row in rows for _ in range(scale) for pixel in row])
    return png(len(rows[0]) * scale, pixels, list(map(bytes, colours)) if few else ())
