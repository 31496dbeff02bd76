"""Lay a graph out as SVG: a box for each node or group, an arrow for each use of one, where Graphviz puts them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import fabs, floor, isfinite
from typing import Any
from unicodedata import east_asian_width

from micrograd_plus._support.texts import cut_inside, plural
from micrograd_plus.engine.operations import POW
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Edge, Folded
from micrograd_plus.pictures.fitting import NEAR, gap
from micrograd_plus.pictures.labels import symbol_of
from micrograd_plus.pictures.rendering import Job, positions
from micrograd_plus.stepping.notation import parts
from micrograd_plus.stepping.page.labels import Arrow, Point, label_places
from micrograd_plus.stepping.page.levels import Level, note

_LETTER, _BOLD, _PADDING, _HEIGHT = 7.3, 7.9, 22.0, 64.0  # pixels
_LEAST, _MOST = 17, 30  # letters in a line
_MANY = 300  # boxes


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: the boxes, an arrow for each use of one; in pixels."""

    ids: Sequence[str]  # n3 for a node, g0 for a group
    names: Sequence[str]
    signs: Sequence[str]  # what each does: tanh, ×, 3.0 ×; of a group, how much is in it
    notes: Sequence[str]  # of a group that has no numbers, what is in it
    kinds: Sequence[str]  # leaf, made or group
    widths: Sequence[float]
    middles: Mapping[int, Point]
    arrows: Mapping[Arrow, tuple[str, str, str]]  # the path, its head, and its head when it leads back, as in SVG
    tails: Mapping[Arrow, int]  # from which box
    labels: Mapping[Arrow, Point]  # where there is room for a number on each arrow
    view: str
    moved: str
    width: float
    height: float

    def svg(self, numbers: Sequence[tuple[str, str, float]], carrying: Container[Arrow]) -> str:
        """The picture with all values and gradients, with the ids n0, n1, … for nodes and e3_0, e3_1, … for arrows.

        Args:
            numbers: of each box its value and its gradient, as text, and that over the largest one.
            carrying: the arrows that carry a gradient, which point where it goes: back.
        """
        size = f'{self.view} width="{self.width:g}" height="{self.height:g}"'
        start = f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {size}>\n<!--style-->'
        return f"{start}{self.drawing(numbers, carrying)}</svg>"

    def drawing(self, numbers: Sequence[tuple[str, str, float]], carrying: Container[Arrow]) -> str:
        """The same without its frame. Of the arrows there are the lines: the page's script makes their heads."""
        arrows = [
            f'<g id="e{key[0]}_{key[1]}" class="edge{" back" if key in carrying else ""}" '
            f'data-tail="{self.tails[key]}" data-x="{_written(x)}" data-y="{_written(y)}">'
            f'<path d="{self.arrows[key][0]}"/></g>'
            for key, (x, y) in self.labels.items()
        ]
        boxes = []
        for i in sorted(self.middles):
            inside = self.box(i, *numbers[i])
            where = f'id="{self.ids[i]}" class="node {self.kinds[i]}" transform="{self.corner(i)}"'
            boxes.append(f"<g {where}>{inside}</g>")
        drawing = "\n".join([*arrows, *boxes])
        return f"<g{self.moved}>\n{drawing}\n</g>"

    def corner(self, i: int) -> str:
        """Where the box of a node begins."""
        x, y = self.middles[i]
        return f"translate({x - self.widths[i] / 2:g} {y - _HEIGHT / 2:g})"

    def box(self, i: int, data: str, grad: str, strength: float) -> str:
        """What stands in a box: name and operation, data, gradient; behind it the gradient's sign and size as a colour.

        Args:
            i: which node.
            data: its value, as text.
            grad: its gradient, as text.
            strength: the gradient over the largest one, between -1 and 1.
        """
        name, sign, width = self.names[i], self.signs[i], self.widths[i]
        right = f"{width - 10:g}"
        word, below = (self.notes[i], "") if self.notes[i] else ("data", "grad")
        opacity = 0.1 + 0.35 * fabs(strength) if strength else 0.0
        tint = f'class="tint{" minus" if strength < 0.0 else ""}" style="fill-opacity: {opacity:.2f}"'
        return (
            f'<title>{escape(name)}</title><rect class="paper" width="{width:g}" height="{_HEIGHT:g}" rx="7"/>'
            f'<rect {tint} x="1" y="42" width="{width - 2:g}" height="{_HEIGHT - 43:g}" rx="6"/>'
            f'<text class="name" x="10" y="18">{escape(cut_inside(name, _MOST))}</text>'
            f'<text class="sign" x="{right}" y="18">{escape(cut_inside(sign, _MOST))}</text>'
            f'<text class="word" x="10" y="37">{escape(word)}</text><text class="data" x="{right}" y="37">{data}</text>'
            f'<text class="word" x="10" y="55">{below}</text><text class="grad" x="{right}" y="55">{grad}</text>'
        )

    def arrow(self, i: int, place: int) -> str:
        """The arrow into node i from its argument in that place: a line with a head at each end, of which one shows."""
        path, to, back = self.arrows[i, place]
        return f'<path d="{path}"/><polygon class="to" points="{to}"/><polygon class="fro" points="{back}"/>'


def most(grads: Iterable[float]) -> float:
    """The largest size of a gradient that is finite."""
    return max([fabs(grad) for grad in grads if isfinite(grad)], default=0.0) or 1.0


def share(grad: float, largest: float) -> float:
    """A gradient over the largest one."""
    return grad / largest if isfinite(grad) else 0.0


def layout(level: Level, names: Mapping[Value, str]) -> Layout:
    """Where Graphviz puts the boxes of a graph and the arrows between them.

    Args:
        level: how deep the graph is opened.
        names: what each node is called.

    Raises:
        RuntimeError: Graphviz is missing, or fails.
    """
    titles, signs, notes, kinds, widths = _boxes(level, names)
    placed = positions(_dot_text(level, widths))
    middles = {int(box["name"][1:]): _middle(_points(box, "p")) for box in placed["objects"]}
    curves, arrows = {}, {}
    # one node's arrows after another's, as Graphviz draws them: numbers find room on the first ones first
    for edge in sorted(placed.get("edges", ()), key=lambda edge: edge["tail"]):
        i, place = map(int, edge["id"][1:].split("_"))
        curve, to, back = _points(edge, "b"), _points(edge, "P", "_hdraw_"), _points(edge, "P", "_tdraw_")
        curves[i, place] = curve
        arrows[i, place] = _path(back[1], curve, to[1]), _corners(to), _corners(back)  # the line goes on to the tips
    labels = label_places(curves, [(x, y, widths[i], _HEIGHT) for i, (x, y) in middles.items()])
    page = _points(placed, "P")
    left, top = min([x for x, _ in page]), min([y for _, y in page])
    width, height = [floor(max(along) - min(along) + 0.5) for along in zip(*page)]  # whole pixels, as `dot` rounds them
    view = f'viewBox="0 0 {width:g} {height:g}"'
    moved = f' transform="translate({_written(-left)} {_written(-top)})"'
    ids = [box.id for box in level.boxes]
    boxes = ids, titles, signs, notes, kinds, widths, middles
    return Layout(*boxes, arrows, level.arrows, labels, view, moved, width, height)


def asked_for(level: Level, names: Mapping[Value, str]) -> Job:
    """What `layout` asks Graphviz for; the arguments are the same."""
    return _dot_text(level, _boxes(level, names)[-1]), "json"


def _boxes(level: Level, names: Mapping[Value, str]) -> tuple[list[str], list[str], list[str], list[str], list[float]]:
    """What stands in each box, what kind of box it is, and how wide that makes it."""
    titles = [box.title or names[box.members[0]] for box in level.boxes]
    signs = [plural(len(box.members), "node") if box.title else _sign(box.members[0]) for box in level.boxes]
    notes = [note(box) if box.title and box.output is None else "" for box in level.boxes]
    kinds = ["group" if box.title else "made" if box.members[0].op is not None else "leaf" for box in level.boxes]
    widths = [max(_width(title, sign), _width(text, "")) for title, sign, text in zip(titles, signs, notes)]
    return titles, signs, notes, kinds, widths


def _dot_text(level: Level, widths: Sequence[float]) -> str:
    """The graph in the DOT language: boxes n0, n1, … without text, and arrows with the ids e3_0, e3_1, …"""
    care = (
        "nslimit=4; nslimit1=4; mclimit=0.3" if len(widths) > _MANY else "ordering=in"
    )  # a little beauty for much time
    boxes = level.boxes
    apart = gap(Folded([*boxes], [Edge(boxes[tail].id, boxes[i].id) for (i, _), tail in level.arrows.items()]))
    dense = apart > NEAR
    care += "; splines=line" if dense else ""
    sides = ", tailport=e, headport=w" if dense else ""  # else straight lines end above and below boxes, heads on heads
    lines = [f"digraph {{ rankdir=LR; nodesep=0.25; ranksep={apart / 72 + 0.45:.2f}; pad=0.1; {care};"]
    lines.append(f'node [shape=box, fixedsize=true, label=""]; edge [dir=both{sides}];')
    for i, width in enumerate(widths):
        lines.append(f"n{i} [id=n{i}, width={width / 72:.3f}, height={_HEIGHT / 72:.3f}];")
    lines += [f'n{tail} -> n{i} [id="e{i}_{place}"];' for (i, place), tail in level.arrows.items()]
    return "\n".join([*lines, "}"])


# -------------------------------------------------------------------------------------------------- Graphviz's strokes


def _points(thing: Mapping[str, Any], stroke: str, drawn: str = "_draw_") -> list[Point]:
    """The points of the first stroke of a kind, in SVG's direction: Graphviz counts upwards, SVG downwards.

    Args:
        thing: the graph, a node or an edge, from Graphviz's JSON.
        stroke: "p" for the outline of a polygon, "P" for a filled one, "b" for Bézier curves.
        drawn: which list of strokes it stands in: "_draw_", or "_hdraw_" and "_tdraw_" for the heads of an arrow.
    """
    for each in thing.get(drawn, ()):
        if each["op"] == stroke:
            return [(x, 0.0 - y) for x, y in each["points"]]  # not -y, which would make -0.0 of 0
    raise RuntimeError(f"Graphviz drew {thing.get('id', 'a page')} in another way than boxes and arrows are drawn")


def _middle(corners: Sequence[Point]) -> Point:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _path(start: Point, curve: Sequence[Point], end: Point) -> str:
    """Bézier curves as SVG's path, with a straight line before and after: Mx,yLx,yCx,y x,y x,y …Lx,y"""
    first, second, *others, last = [f"{_written(x)},{_written(y)}" for x, y in (start, *curve, end)]
    return f"M{first}L{second}C{' '.join(others)}L{last}"


def _corners(polygon: Sequence[Point]) -> str:
    """A polygon as SVG writes it, closed."""
    return " ".join([f"{_written(x)},{_written(y)}" for x, y in [*polygon, polygon[0]]])


def _written(coordinate: float) -> str:
    """A coordinate with the one decimal that one can see.

    >>> _written(12345.67), _written(25.2), _written(-3.0)
    ('12345.7', '25.2', '-3')
    """
    return f"{coordinate:.1f}".removesuffix(".0")


# ------------------------------------------------------------------------------------------------- what stands in a box


def _sign(node: Value) -> str:
    """What a node does, without its arguments: tanh, ×, 3.0 ×, and x² for a power."""
    if node.op is None or node.op is POW:
        return symbol_of(node)
    text = "".join([piece for piece in parts(node) if isinstance(piece, str)]).strip()
    return node.op.name if text.startswith(f"{node.op.name}(") else text


def _width(name: str, sign: str) -> float:
    """The width of a box in which both fit on a line."""
    head = columns(cut_inside(name, _MOST)) * _BOLD + (columns(cut_inside(sign, _MOST)) + 2) * _LETTER
    return max(head, _LEAST * _LETTER) + _PADDING


def columns(text: str) -> int:
    """How wide a text is in letters: an emoji takes two."""
    return sum([2 if east_asian_width(letter) in "WF" else 1 for letter in text])
