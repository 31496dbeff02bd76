"""A drawing made of shapes, which shows itself in Jupyter and saves itself.

The same shapes become SVG and, by matplotlib, PNG and PDF. Nothing paints a background, and strokes and texts are of a
middle tone, so a drawing is readable on white and on black; in a notebook its words are lighter where that is dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from os import PathLike, fspath
from os.path import splitext
from warnings import catch_warnings, filterwarnings

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.markup import scrolling
from micrograd_plus.networks.compact import compacted
from micrograd_plus.networks.shapes import COMMON, Shape, clean, coordinate, elements
from micrograd_plus.networks.shapes import Box as Box  # old pickles look for this and the next ones here
from micrograd_plus.networks.shapes import Circle as Circle
from micrograd_plus.networks.shapes import Line as Line
from micrograd_plus.networks.shapes import Pixels as Pixels
from micrograd_plus.networks.shapes import Polygon as Polygon
from micrograd_plus.networks.shapes import Text as Text
from micrograd_plus.pictures.form import DIM, FONT, css, faded, rgb
from micrograd_plus.pictures.stills import FOLLOWING, FOLLOWS, as_image, as_png

DOTS = 54  # an inch, of a PNG in a notebook: three quarters of a pixel are one, and each weight of an image a square
CROWD = 150  # lines; of more, only the strongest are in a PNG in a notebook
STRONG, THIN = 0.7, 0.6  # the opacity from which these have their full colour, and how thick they are
LEAST = 0.75  # the scale below which its letters could not be read
_IN_THE_DARK = f"<style>@media (prefers-color-scheme:dark){{svg{{fill:{DIM}}}}}</style>"  # as in form.in_the_dark
_GREYS = [f"#{grey:02x}{grey:02x}{grey:02x}" for grey in (0, 50, 90, 118, 160, 210)]
_LOOK = "body { background: var(--back); color: var(--text); font: var(--usual) var(--sans); } "
_LOOK += "h1 { font-size: var(--large); }"


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture that shows itself in Jupyter; `.svg` is its source and `.save` writes it to a file.

    Attributes:
        width: in pixels.
        height: in pixels.
        shapes: a tuple of lines, circles, texts and so on, in the order in which they are drawn.
        description: what it is a drawing of.
        told: what is in it, in a sentence, for those who do not see it; "" where the description says it all.

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
    told: str = ""

    @property
    def alt(self) -> str:
        """What is in the drawing, in a sentence: its alternative text.

        >>> Drawing(40, 40, (), "a network 2-1", "a network 2-1; 2 weights from -1 to 1").alt
        'a network 2-1; 2 weights from -1 to 1'
        """
        return self.told or self.description

    @property
    def svg(self) -> str:
        """The picture as the text of an SVG file, without a background."""
        return self._written()

    def _written(self, *, bare: bool = False) -> str:
        """SVG; a bare one, for an image in a browser, without what no image shows."""
        w, h = coordinate(self.width), coordinate(self.height)
        size = f'width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
        role, title = ("", []) if bare else (' role="img"', [f"<title>{clean(self.alt)}</title>"])
        head = f'<svg xmlns="http://www.w3.org/2000/svg"{role} {size} font-family="{FONT}" {COMMON}>'
        drawn = [_IN_THE_DARK, *compacted(self.shapes)] if bare else elements(self.shapes)
        return ("" if bare else "\n").join([head, *title, *drawn, "</svg>"])

    def as_image(self, style: str = "") -> str:
        """The picture as an image in HTML, with CSS for it.

        >>> Drawing(40, 40, (), "a ring").as_image()
        '<img alt="a ring" src="data:image/svg+xml,...'
        """
        return as_image(self._written(bare=True), self.alt, style, FOLLOWS)

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
        title = clean(self.description)
        head = f'<meta charset="utf-8"><title>{title}</title><style>{css(":root")}{_LOOK}</style>'
        body = f"<main><h1>{title}</h1>\n{self.svg}\n</main>"
        return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'

    def _plotted(self, kind: str, dpi: int = 144) -> bytes:
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
            figure.savefig(buffer, format=kind, dpi=dpi, transparent=True)
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        """An image as wide as there is room for; where it would become too small to be read, it scrolls."""
        least = round(LEAST * self.width)
        return FOLLOWING + scrolling(self.as_image(f"max-width:100%;min-width:{least}px;height:auto"), least)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """HTML; and for viewers that take none a PNG, or, without matplotlib, the SVG."""
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        try:
            paper = replace(self, shapes=_on_paper(self.shapes))
            return bundle | {"image/png": as_png(paper._plotted("png", DOTS), _printed(self.shapes))}
        except ImportError:
            return bundle | {"image/svg+xml": self.svg}

    def __repr__(self) -> str:
        return f"<Drawing of {self.description}, {coordinate(self.width)} x {coordinate(self.height)}>"


def _on_paper(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """Lines in two tones, and of a crowd the strongest: in so few dots all of them, and half-tones, would be dust."""
    opacities = sorted([shape.opacity for shape in shapes if isinstance(shape, Line)])
    faintest = opacities[-CROWD - 1] if len(opacities) > CROWD else 0.0  # of those as faint none is there
    return tuple([_inked(shape) for shape in shapes if not isinstance(shape, Line) or shape.opacity > faintest])


def _inked(shape: Shape) -> Shape:
    if not isinstance(shape, Line) or shape.opacity == 1.0:
        return shape
    colour = faded(shape.colour, 1.0 if shape.opacity >= STRONG else 0.5)
    return replace(shape, colour=colour, opacity=1.0, width=THIN * shape.width, smooth=False)


def _printed(shapes: Iterable[Shape]) -> list[str]:
    """The colours that a PNG of the shapes needs: each of theirs, also as it fades to white, and a few greys."""
    inks = {getattr(shape, part, "none") for shape in shapes for part in ("colour", "fill", "stroke")}
    pixels = {pixel for shape in shapes if isinstance(shape, Pixels) for row in shape.rows for pixel in row}
    inks |= {"#{:02x}{:02x}{:02x}".format(*pixel) for pixel in pixels}
    coloured = sorted([ink for ink in inks - {"none"} if len(set(rgb(ink))) > 1])
    return [*_GREYS, *[faded(ink, share) for share in (1.0, 0.5) for ink in coloured]]
