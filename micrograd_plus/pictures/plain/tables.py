"""Measure what stands in a box: text, or a small table in Graphviz's HTML-like language, as `labels` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from unicodedata import east_asian_width
from xml.etree import ElementTree

from micrograd_plus.pictures.form import FONT

LINE = 1.2  # how high a line is, by the size of its letters
_NARROW, _BROAD = frozenset("ijlt.,:;|!'()[]/ "), frozenset("mwMW@%…")
_USUAL = 0.64  # ems; a wide font's letters, so that the text fits its box in a viewer's font, too


@dataclass(frozen=True, slots=True)
class Text:
    """One line of letters."""

    text: str
    size: float
    bold: bool = False
    italic: bool = False

    @property
    def width(self) -> float:
        """About how wide it is, in points."""
        return sum([_letter(each) for each in self.text]) * self.size * (1.08 if self.bold else 1.0)

    def svg(self, x: float, y: float, anchor: str, colour: str) -> str:
        """It, at a place of its baseline."""
        look = ' font-weight="bold"' * self.bold + ' font-style="italic"' * self.italic
        return (
            f'<text xml:space="preserve" text-anchor="{anchor}" x="{x:.2f}" y="{y:.2f}" font-family="{FONT}"{look} '
            f'font-size="{self.size:.2f}" fill="{colour}">{escaped(self.text)}</text>'
        )


@dataclass(slots=True)
class Cell:
    """A cell of a table: a text or a table, or nothing but its size."""

    attributes: Mapping[str, str]
    content: Text | Table | None
    pad: float
    place: tuple[int, int] = (0, 0)  # row, column

    @property
    def rows(self) -> int:
        return int(self.attributes.get("rowspan", 1))

    @property
    def columns(self) -> int:
        return int(self.attributes.get("colspan", 1))

    @property
    def size(self) -> tuple[float, float]:
        """The least it needs."""
        width, height = (float(self.attributes.get(name, 0)) for name in ("width", "height"))
        if self.content is None:
            return width, height
        if isinstance(self.content, Text):
            needed = self.content.width, self.content.size * LINE
        else:
            needed = self.content.width, self.content.height
        return max(width, needed[0] + 2 * self.pad), max(height, needed[1] + 2 * self.pad)


@dataclass(slots=True)
class Table:
    """Cells in rows; measured."""

    attributes: Mapping[str, str]
    cells: list[Cell]
    widths: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Place the cells in a grid, and give each column and row what its cells need."""
        taken: set[tuple[int, int]] = set()
        for cell in self.cells:
            row, column = cell.place[0], 0
            while (row, column) in taken:
                column += 1
            cell.place = row, column
            taken |= {(row + k, column + c) for k in range(cell.rows) for c in range(cell.columns)}
        self.widths = [0.0] * (1 + max([column for _, column in taken], default=-1))
        self.heights = [0.0] * (1 + max([row for row, _ in taken], default=-1))
        for cell in sorted(self.cells, key=lambda cell: (cell.rows, cell.columns)):
            row, column = cell.place
            width, height = cell.size
            missing = width - sum(self.widths[column : column + cell.columns])
            for k in range(cell.columns):
                self.widths[column + k] += max(0.0, missing) / cell.columns
            missing = height - sum(self.heights[row : row + cell.rows])
            for k in range(cell.rows):
                self.heights[row + k] += max(0.0, missing) / cell.rows

    @property
    def width(self) -> float:
        return sum(self.widths) + 2 * float(self.attributes.get("border", 0))

    @property
    def height(self) -> float:
        return sum(self.heights) + 2 * float(self.attributes.get("border", 0))

    def placed(self) -> Iterator[tuple[Cell, float, float, float, float]]:
        """Each cell with its left, top, width and height in the table."""
        border = float(self.attributes.get("border", 0))
        for cell in self.cells:
            row, column = cell.place
            left, top = border + sum(self.widths[:column]), border + sum(self.heights[:row])
            width, height = sum(self.widths[column : column + cell.columns]), sum(self.heights[row : row + cell.rows])
            yield cell, left, top, width, height

    def ports(self) -> dict[str, tuple[float, float]]:
        """By name, the middle of each port: how far to the right and how far down."""
        found = {}
        for cell, left, top, width, height in self.placed():
            if "port" in cell.attributes:
                found[cell.attributes["port"]] = left + width / 2, top + height / 2
            if isinstance(cell.content, Table):
                x, y = left + (width - cell.content.width) / 2, top + (height - cell.content.height) / 2
                found |= {name: (x + across, y + down) for name, (across, down) in cell.content.ports().items()}
        return found


Label = Table | list[Text]


def label_of(label: str, size: float) -> Label:
    """A node's or an edge's label: a table, or lines of text.

    Args:
        label: plain text, or in <...> Graphviz's HTML-like language.
        size: of letters, in points.

    >>> label_of("<<table><tr><td>a</td></tr></table>>", 10.0).heights
    [16.0]
    """
    if not label.startswith("<"):
        return [Text(line, size) for line in label.split("\n")]
    root = ElementTree.fromstring(f"<all>{label[1:-1]}</all>")  # noqa: S314 - the package wrote it
    table = root.find(".//table")
    return [_text(root, size)] if table is None else _table(table, size)


def _table(element: ElementTree.Element, size: float) -> Table:
    cells = []
    padding = element.get("cellpadding", "2")
    for i, row in enumerate(element.findall("tr")):
        for cell in row.findall("td"):
            inner = cell.find("table")
            content = _table(inner, size) if inner is not None else _text(cell, size)
            kept = content if isinstance(content, Table) or content.text else None
            cells.append(Cell(cell.attrib, kept, float(cell.get("cellpadding", padding)), (i, 0)))
    return Table(element.attrib, cells)


def _text(element: ElementTree.Element, size: float) -> Text:
    """What a cell says, in one look: that of its first letters."""
    font = element.find(".//font")
    points = size if font is None else float(font.get("point-size", size))
    bold, italic = element.find(".//b") is not None, element.find(".//i") is not None
    return Text("".join(element.itertext()).replace("\\\\", "\\"), points, bold, italic)


def _letter(letter: str) -> float:
    """How wide a letter is, in ems."""
    if east_asian_width(letter) in "WF" or letter in _BROAD:
        return 1.0
    if letter in _NARROW:
        return 0.36
    return 0.74 if letter.isupper() else _USUAL


def escaped(text: str) -> str:
    """As Graphviz writes it: a hyphen, too."""
    for letter, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39"), ("-", "#45")):
        text = text.replace(letter, f"&{name};")
    return text
