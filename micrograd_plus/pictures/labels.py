"""Write what stands in a box: for a node its operation, name, number and gradient; for a group what is in it.

A label is a small table in Graphviz's HTML-like language. Beside it comes what its lines of text tell, from which the
SVG gets its classes.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from micrograd_plus._support.texts import one_line, plural
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import POW
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import Dust
from micrograd_plus.formulas.numerals import boxed, shorter
from micrograd_plus.formulas.reading import raised, sign
from micrograd_plus.pictures.boxes import Box
from micrograd_plus.pictures.form import PAPER, SHADE, SIZES
from micrograd_plus.pictures.images import quoted
from micrograd_plus.pictures.styles import Style

LONGEST = 40  # letters of a name
Row = tuple[str, str]  # what it tells, the text as Graphviz reads it
Ports = tuple[int, str]  # how many arrows arrive at places of their own, and where: "w", "e", "n" or "s"


def name_in(box: Box, names: Mapping[Value, str]) -> str:
    """What the node of a box is called: inside a neuron's frame by what follows the neuron's name, such as w.0."""
    name = names.get(box.node, "")
    paths = [f"{frame.path}." for frame in box.frames if frame.path]
    return next((name.removeprefix(path) for path in paths if name.startswith(path)), name)


def node_label(
    node: Value, name: str, style: Style, dust: Dust, gradient: float | None, ports: Ports
) -> tuple[str, list[str]]:
    """A node's box: its operation at the left, and its name, number and gradient one under another.

    Args:
        node: what the box stands for.
        name: what it is called; "" for nothing.
        style: how it looks.
        dust: which numbers are nothing but what rounding left.
        gradient: the one to show, or None.
        ports: how many arrows have a place of their own, side by side, and at which side of the box.

    Returns:
        The label, and what its lines tell: "op", "name", "data", "grad".
    """
    rows = [("name", f"<b>{cell_text(name)}</b>")] if one_line(name, LONGEST) else []
    rows += _numbers(node, dust, gradient)
    symbol = symbol_of(node)
    return _table(symbol, rows, style, ports), ["op"] * bool(symbol) + [kind for kind, _ in rows]


def group_label(
    box: Box, name: str, style: Style, dust: Dust, gradient: float | None, ports: Ports
) -> tuple[str, list[str]]:
    """A folded box: its title, what is in it, and what it gives out, which may have a name."""
    what = [plural(box.neurons, "neuron")] if box.neurons > 1 else []
    what += [plural(box.parameters, "parameter")] if box.parameters else []
    if box.path:
        what.append(plural(len(box.members), "node"))
    elif not box.parameters:
        what = [plural(len(box.members), "value")]
    title = f"{name} = {box.title}" if name and not box.neurons else box.title
    rows = [("name", f"<b>{cell_text(title)}</b>"), ("text", ", ".join(what))]
    if box.output is not None:
        rows += _numbers(box.output, dust, gradient)
    return _table("", rows, style._replace(fill=style.fill or SHADE), ports, 2), [kind for kind, _ in rows]


def number_label(number: float) -> str:
    """A number on an edge, with a margin, which the labels of edges lack."""
    bare = 'border="0" cellborder="0" cellspacing="0" cellpadding="2"'
    return f"<<table {bare}><tr><td>{shorter(number)}</td></tr></table>>"


def constant_text(node: Value, place: int) -> str:
    """How an argument of a node is written that is a plain number; "" for a Value, and for an exponent."""
    arg = node.args[place]
    if isinstance(arg, Value):
        return ""
    options = list(node.op.options) if node.op is not None else []
    if node.op is POW and place == 1:
        return ""  # it stands in the symbol
    option = place - (len(node.args) - len(options))
    return shorter(arg) if option < 0 else f"{options[option]}={shorter(arg)}"


def symbol_of(node: Value) -> str:
    """How the picture writes a node's operation; "" for a leaf.

    >>> from micrograd_plus import Value, tanh
    >>> [symbol_of(node) for node in (Value(1.0) * 2.0, Value(1.0) ** 2, tanh(Value(1.0)))]
    ['×', 'x²', 'tanh']
    """
    op = node.op
    if op is POW:
        exponent = node.args[1]
        return "xʸ" if isinstance(exponent, Value) else f"x{raised(exponent)}"
    return "" if op is None else op.name if isinstance(op, HandMade) else sign(op.symbol) or op.name or "?"


def cell_text(text: str) -> str:
    """A name on one line, as a cell of a table holds it."""
    return html.escape(quoted(one_line(text, LONGEST)))


def _numbers(node: Value, dust: Dust, gradient: float | None) -> list[Row]:
    rows = [("data", f"data {boxed(node.data, dust=node in dust.values)}")]
    return rows if gradient is None else [*rows, ("grad", f"grad {boxed(gradient, dust=node in dust.gradients)}")]


def _table(symbol: str, rows: list[Row], style: Style, ports: Ports, border: int = 1) -> str:
    count, side = ports
    cells = [f'<td align="left">{text}</td>' for _, text in rows]
    span = f' rowspan="{len(rows)}"' if len(rows) > 1 else ""
    if symbol:
        size = SIZES.usual if len(symbol) <= 2 else SIZES.tiny
        font = f'<font point-size="{size}">{cell_text(symbol)}</font>'
        shade = "" if style.fill else f' bgcolor="{SHADE}"'
        cells[0] = f'<td{span}{shade} width="22">{font}</td>{cells[0]}'
    if count and side in "we":
        beside = f"<td{span}{_ports(count, side)}</td>"
        cells[0] = f"{beside}{cells[0]}" if side == "w" else f"{cells[0]}{beside}"
    if count and side in "ns":
        across = f'<td colspan="2"{_ports(count, side)}</td>' if symbol else f"<td{_ports(count, side)}</td>"
        cells.insert(0 if side == "n" else len(cells), across)
    body = "".join([f"<tr>{cell}</tr>" for cell in cells])
    bare = 'cellborder="0" cellspacing="0" cellpadding="3"'
    if style.shape not in ("", "box"):  # which Graphviz draws around the table
        return f'<<table border="0" {bare}>{body}</table>>'
    return f'<<table border="{border}" {bare} color="{style.line}" bgcolor="{style.fill or PAPER}">{body}</table>>'


def _ports(count: int, side: str) -> str:
    """A column or a row of places at which arrows arrive, as the beginning of a cell."""
    bare = 'border="0" cellborder="0" cellspacing="0" cellpadding="0"'
    if side in "we":
        size = f'width="1" height="{max(3, 36 // count)}" fixedsize="true"'
        cells = "".join([f'<tr><td port="i{i}" {size}></td></tr>' for i in range(count)])
        return f' cellpadding="0" width="1"><table {bare}>{cells}</table>'
    size = f'width="{max(3, 72 // count)}" height="1" fixedsize="true"'
    cells = "".join([f'<td port="i{i}" {size}></td>' for i in range(count)])
    return f' cellpadding="0" height="1"><table {bare}><tr>{cells}</tr></table>'
