"""Lay a graph out as SVG: a box for each node, an arrow for each use of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import fabs, isfinite
from unicodedata import east_asian_width
from xml.etree import ElementTree

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import cut_inside
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import short
from micrograd_plus.ops.vectors import dot
from micrograd_plus.pictures.rendering import render
from micrograd_plus.stepping.steps import parts

_LETTER, _BOLD, _PADDING, _HEIGHT = 7.3, 7.9, 22.0, 64.0  # pixels
_LEAST, _MOST = 17, 30  # letters in a line
_LABEL = (44.0, 12.0)  # pixels: a number on an arrow, such as -0.4151
_CROWD = 60  # arrows: of more, their numbers keep clear of each other alone
_MANY = 200  # arrows: of more, only the present number is shown
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: a box for each node, an arrow for each use of one; in pixels."""

    names: Sequence[str]
    signs: Sequence[str]  # what each node does: tanh, *, 3.0 *
    widths: Sequence[float]
    middles: Mapping[int, tuple[float, float]]
    arrows: Mapping[tuple[int, int], tuple[str, str]]  # into which node, as which argument: the path and the head
    labels: Mapping[tuple[int, int], tuple[float, float]]  # where there is room for a number on each arrow
    view: str
    moved: str
    width: float
    height: float

    def svg(self, data: Sequence[float], grads: Sequence[float]) -> str:
        """The picture with all values and gradients, with the ids n0, n1, … for nodes and e3_0, e3_1, … for arrows."""
        largest = most(grads)
        arrows = [
            f'<g id="e{i}_{place}" class="edge" data-x="{x:g}" data-y="{y:g}">{self.arrow(i, place)}</g>'
            for (i, place), (x, y) in self.labels.items()
        ]
        boxes = []
        for i in sorted(self.middles):
            kind = "made" if self.signs[i] else "leaf"
            inside = self.box(i, short(data[i]), short(grads[i]), share(grads[i], largest))
            boxes.append(f'<g id="n{i}" class="node {kind}" transform="{self.corner(i)}">{inside}</g>')
        drawing = "\n".join([*arrows, *boxes])
        size = f'{self.view} width="{self.width:g}" height="{self.height:g}"'
        start = f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {size}>\n<!--style-->'
        return f"{start}<g{self.moved}>\n{drawing}\n</g></svg>"

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
        opacity = 0.1 + 0.35 * fabs(strength) if strength else 0.0
        tint = f'class="tint{" minus" if strength < 0.0 else ""}" style="fill-opacity: {opacity:.2f}"'
        return (
            f'<title>{escape(name)}</title><rect class="paper" width="{width:g}" height="{_HEIGHT:g}" rx="7"/>'
            f'<rect {tint} x="1" y="42" width="{width - 2:g}" height="{_HEIGHT - 43:g}" rx="6"/>'
            f'<text class="name" x="10" y="18">{escape(cut_inside(name, _MOST))}</text>'
            f'<text class="sign" x="{right}" y="18">{escape(cut_inside(sign, _MOST))}</text>'
            f'<text class="word" x="10" y="37">data</text><text class="data" x="{right}" y="37">{data}</text>'
            f'<text class="word" x="10" y="55">grad</text><text class="grad" x="{right}" y="55">{grad}</text>'
        )

    def arrow(self, i: int, place: int) -> str:
        """The arrow into node i from its argument in that place."""
        path, head = self.arrows[i, place]
        return f'<path d="{escape(path)}"/><polygon points="{escape(head)}"/>'


def most(grads: Iterable[float]) -> float:
    """The largest size of a gradient that is finite."""
    return max([fabs(grad) for grad in grads if isfinite(grad)], default=0.0) or 1.0


def share(grad: float, largest: float) -> float:
    """A gradient over the largest one."""
    return grad / largest if isfinite(grad) else 0.0


def layout(nodes: Sequence[Value], names: Mapping[Value, str]) -> Layout:
    """Where Graphviz puts the nodes of a graph and the arrows between them.

    Args:
        nodes: arguments before results.
        names: what each is called.
    """
    number = Identities((node, i) for i, node in enumerate(nodes))
    signs = [_sign(node) for node in nodes]
    widths = [_width(names[node], sign) for node, sign in zip(nodes, signs)]
    lines = ["digraph { rankdir=LR; nodesep=0.25; ranksep=0.85; pad=0.1; ordering=in;"]
    lines.append('node [shape=box, fixedsize=true, label=""];')
    for i, width in enumerate(widths):
        lines.append(f"n{i} [id=n{i}, width={width / 72:.3f}, height={_HEIGHT / 72:.3f}];")
    for i, node in enumerate(nodes):
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value):
                lines.append(f"n{number[arg]} -> n{i} [id=e{i}_{place}];")
    drawn = ElementTree.fromstring(render("\n".join([*lines, "}"]), "svg"))  # noqa: S314 - Graphviz wrote it for us
    left, top, wide, high = [float(x) for x in drawn.attrib["viewBox"].split()]
    page = drawn.find(f"{_SVG}g")
    if page is None:
        raise RuntimeError("Graphviz drew nothing")
    middles, arrows = {}, {}
    for group in page.iter(f"{_SVG}g"):
        key = group.attrib.get("id", "")
        if re.fullmatch(r"n\d+", key):
            middles[int(key[1:])] = _middle(group)
        elif re.fullmatch(r"e\d+_\d+", key):
            i, place = map(int, key[1:].split("_"))
            arrows[i, place] = _arrow(group)
    shift = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", page.attrib.get("transform", ""))
    moved = f' transform="translate({shift[1]} {shift[2]})"' if shift else ""
    view = f'viewBox="{left:g} {top:g} {wide:g} {high:g}"'
    called = [names[node] for node in nodes]
    boxes = [(x, y, widths[i], _HEIGHT) for i, (x, y) in middles.items()]
    labels = _labels({key: path for key, (path, _) in arrows.items()}, boxes)
    return Layout(called, signs, widths, middles, arrows, labels, view, moved, wide, high)


# Something to keep clear of: its middle, its width and its height.
_Area = tuple[float, float, float, float]


def _labels(paths: Mapping[tuple[int, int], str], boxes: Sequence[_Area]) -> dict[tuple[int, int], tuple[float, float]]:
    """Where a number is to be written on each arrow, so that it hides no box, no arrow and no number, if it can."""
    curves = {key: _curve(path) for key, path in paths.items()}
    if len(paths) > _MANY:
        return {key: (x, y - 5.0) for key, (x, y) in [(key, _at(curve, 0.5)) for key, curve in curves.items()]}
    few = len(paths) <= _CROWD
    taken = list(boxes) if few else []
    dots = {key: [(*_at(curve, t / 12), 4.0, 4.0) for t in range(13)] for key, curve in curves.items()} if few else {}
    found = {}
    for key, curve in curves.items():
        tried = []
        for t in (0.5, 0.4, 0.6, 0.3, 0.7) if few else (0.5,):
            x, y = _at(curve, t)
            tried += [(x, y - 9.0, *_LABEL), (x, y + 8.0, *_LABEL)]
        others = [*taken, *[dot for other, its in dots.items() if other != key for dot in its]]
        place = min(tried, key=lambda area: sum([_overlap(area, other) for other in others]))
        taken.append(place)
        found[key] = (place[0], place[1] + 4.0)  # where the letters stand
    return found


def _overlap(a: _Area, b: _Area) -> float:
    """The area that two of them share."""
    wide = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    high = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    return max(wide, 0.0) * max(high, 0.0)


def _curve(path: str) -> list[tuple[float, float]]:
    """The points of a path of Bézier curves, such as Graphviz draws: M x,y C x,y x,y x,y …"""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", path)]
    return list(zip(numbers[::2], numbers[1::2]))


def _at(curve: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    """The point after a part t of a path's curves, each of which counts as much."""
    count = len(curve) // 3
    k = min(int(t * count), count - 1)
    u = t * count - k
    weights = ((1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u**3)
    points = curve[3 * k : 3 * k + 4]
    return dot(weights, [x for x, _ in points]), dot(weights, [y for _, y in points])


def _sign(node: Value) -> str:
    """What a node does, without its arguments: tanh, *, 3.0 *"""
    if node.op is None:
        return ""
    text = "".join([piece for piece in parts(node) if isinstance(piece, str)]).strip()
    return node.op.name if text.startswith(f"{node.op.name}(") else text


def _width(name: str, sign: str) -> float:
    head = columns(cut_inside(name, _MOST)) * _BOLD + (columns(cut_inside(sign, _MOST)) + 2) * _LETTER
    return max(head, _LEAST * _LETTER) + _PADDING


def columns(text: str) -> int:
    """How wide a text is in letters: an emoji takes two."""
    return sum([2 if east_asian_width(letter) in "WF" else 1 for letter in text])


def _middle(group: ElementTree.Element) -> tuple[float, float]:
    corners = group.find(f"{_SVG}polygon")
    if corners is None:
        raise RuntimeError("Graphviz drew a node that is no box")
    points = [tuple(map(float, point.split(","))) for point in corners.attrib["points"].split()]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _arrow(group: ElementTree.Element) -> tuple[str, str]:
    path, head = group.find(f"{_SVG}path"), group.find(f"{_SVG}polygon")
    if path is None or head is None:
        raise RuntimeError("Graphviz drew an edge that is no arrow")
    return path.attrib["d"], head.attrib["points"]
