"""A drawing made of shapes, which shows itself in Jupyter and saves itself.

The same shapes become SVG and, by matplotlib, PNG and PDF. Nothing paints a background, and strokes and texts are of a
middle tone, so a drawing is readable on white and on black.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from os import PathLike, fspath
from os.path import splitext
from warnings import catch_warnings, filterwarnings

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.files import write_atomically
from micrograd_plus.networks.shapes import Box as Box  # old pickles look for this and the next ones here
from micrograd_plus.networks.shapes import Circle as Circle
from micrograd_plus.networks.shapes import Line as Line
from micrograd_plus.networks.shapes import Pixels as Pixels
from micrograd_plus.networks.shapes import Polygon as Polygon
from micrograd_plus.networks.shapes import Shape, clean, coordinate
from micrograd_plus.networks.shapes import Text as Text

FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


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
        w, h = coordinate(self.width), coordinate(self.height)
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
        return f"<Drawing of {self.description}, {coordinate(self.width)} x {coordinate(self.height)}>"
