"""HTML: tables, by which what is printed as text shows itself in a notebook; and what fills the skeleton of a page.

Everything that goes in is escaped. A table names no colour: it takes letters and ground from the page around it, so it
is readable in every theme, light or dark.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape

from micrograd_plus._support.texts import isolated

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
PHONE = 320.0  # pixels; what is no wider has room everywhere
_LETTERS = "style='text-align:left'"
_NUMBERS = "align='right'"  # in few letters: a notebook holds them for each cell, and a quote like " as two


def xml_text(text: str) -> str:
    """The text without what no XML may hold: control characters and halves of characters (XML 1.0, 2.2).

    >>> xml_text("a" + chr(0) + "b" + chr(0xD800))
    'a�b�'
    """
    return _FORBIDDEN.sub("�", text)


def clean(text: str) -> str:
    """The text, fit to stand in SVG and HTML.

    >>> clean('</script>"')
    '&lt;/script&gt;&quot;'
    """
    return escape(xml_text(text))


def scrolling(content: str, least: float, *, end_first: bool = False) -> str:
    """A box that scrolls sideways where there is not room for what is in it; if a phone has none, by the keyboard, too.

    Args:
        content: HTML.
        least: how wide that is at least, in pixels.
        end_first: whether its end is seen first.

    >>> scrolling("a picture", 200.0)
    '<div style="overflow-x: auto">a picture</div>'
    >>> scrolling("a wide picture", 900.0, end_first=True)
    '<div style="overflow-x: auto; direction: rtl; text-align: left" tabindex="0">a wide picture</div>'
    """
    style = "overflow-x: auto; direction: rtl; text-align: left" if end_first else "overflow-x: auto"
    reached = ' tabindex="0"' if least > PHONE else ""
    return f'<div style="{style}"{reached}>{content}</div>'


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    foot: Sequence[str] = (),
) -> str:
    """A table.

    Args:
        caption: what it tells, written above it.
        head: the titles of the columns.
        rows: the texts of their cells.
        numbers: which columns hold numbers, counted from 0; these stand at the right.
        foot: a last row, such as a sum.

    >>> table("costs", ["what", "how much"], [["a < b", "3"]], numbers=[1])
    '<table ...><caption ...>costs</caption><thead>...<td ...>a &lt; b</td>...'
    """

    title = f'<caption style="text-align: left; caption-side: top">{clean(isolated(caption))}</caption>'
    parts = {"thead": _row(head, "th scope='col'", numbers)}
    parts["tbody"] = "".join([_row(cells, "td", numbers) for cells in rows])
    if foot:
        parts["tfoot"] = _row(foot, "th", numbers)
    body = "".join([f"<{name}>{part}</{name}>" for name, part in parts.items()])
    return f'<table style="font-variant-numeric: tabular-nums">{title}{body}</table>'


def _row(cells: Sequence[str], kind: str, numbers: Collection[int]) -> str:
    sides = [_NUMBERS if i in numbers else _LETTERS for i in range(len(cells))]
    kinds = [kind if cell else "td" for cell in cells]  # an empty cell is no title
    written = [f"<{kind} {side}>{clean(isolated(cell))}</{kind[:2]}>" for kind, side, cell in zip(kinds, sides, cells)]
    return f"<tr>{''.join(written)}</tr>\n"


def paragraph(text: str) -> str:
    """A line or two of text.

    >>> paragraph("1 < 2")
    '<p>1 &lt; 2</p>'
    """
    return f"<p>{clean(text)}</p>"


def as_typed(text: str) -> str:
    """Text that keeps its lines and spaces, such as a program.

    >>> as_typed("x = 1")
    '<pre>x = 1</pre>'
    """
    return f"<pre>{clean(text)}</pre>"


def on_demand(summary: str, markup: str) -> str:
    """Markup that opens at a click on its summary.

    >>> on_demand("all of it", "<p>1</p>")
    '<details><summary>all of it</summary><p>1</p></details>'
    """
    return f"<details><summary>{clean(summary)}</summary>{markup}</details>"


def filled(skeleton: str, pieces: Mapping[str, str]) -> str:
    """A page whose places are filled: `<!--name-->` and `/*name*/`, all at once, so that no piece is looked into.

    >>> filled("<title><!--title--></title><!--note-->", {"title": "<!--note-->"})
    '<title><!--note--></title>'
    """
    return re.sub(r"<!--(\w+)-->|/\*(\w+)\*/", lambda found: pieces.get(found[1] or found[2], ""), skeleton)
