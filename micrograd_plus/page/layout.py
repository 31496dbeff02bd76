"""Lay a graph out as SVG: a box for each node, an arrow for each use of one, all with ids that a script can find."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import fabs, isfinite
from unicodedata import east_asian_width
from xml.etree import ElementTree

from micrograd_plus.engine import Value
from micrograd_plus.numerals import short
from micrograd_plus.rendering import render
from micrograd_plus.steps import parts

_LETTER, _BOLD, _PADDING, _HEIGHT = 7.3, 7.9, 22.0, 64.0  # pixels
_LEAST, _MOST = 17, 30  # letters in a line
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: the SVG, and its size in pixels."""

    svg: str
    width: float
    height: float


def layout(nodes: Sequence[Value], names: Mapping[Value, str], grads: Mapping[Value, float]) -> Layout:
    """The picture of a graph, with the ids n0, n1, … for nodes and e3_0, e3_1, … for the arrows into node 3.

    Args:
        nodes: arguments before results.
        names: what each is called.
        grads: the gradient of each that has one; 0 for the others.
    """
    number = {node: i for i, node in enumerate(nodes)}
    signs = [_sign(node) for node in nodes]
    widths = [_width(names[node], sign) for node, sign in zip(nodes, signs)]
    lines = ["digraph { rankdir=LR; nodesep=0.25; ranksep=0.7; pad=0.1;", 'node [shape=box, fixedsize=true, label=""];']
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
    largest = max([fabs(grad) for grad in grads.values() if isfinite(grad)], default=0.0) or 1.0
    boxes, arrows = [], []
    for group in page.iter(f"{_SVG}g"):
        key = group.attrib.get("id", "")
        if re.fullmatch(r"n\d+", key):
            i = int(key[1:])
            node = nodes[i]
            x, y = _middle(group)
            grad = grads.get(node, 0.0)
            strength = fabs(grad) / largest if isfinite(grad) else 0.0
            inside = _rows((names[node], signs[i], grad), node.data, widths[i], strength)
            kind = "leaf" if node.op is None else "made"
            at = f"translate({x - widths[i] / 2:g} {y - _HEIGHT / 2:g})"
            boxes.append((i, f'<g id="{key}" class="node {kind}" transform="{at}">{inside}</g>'))
        elif re.fullmatch(r"e\d+_\d+", key):
            arrows.append(_arrow(key, group))
    shift = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", page.attrib.get("transform", ""))
    moved = f' transform="translate({shift[1]} {shift[2]})"' if shift else ""
    drawing = "\n".join([*arrows, *[box for _, box in sorted(boxes)]])
    view = f'viewBox="{left:g} {top:g} {wide:g} {high:g}" width="{wide:g}" height="{high:g}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {view}>\n<!--style--><g{moved}>\n{drawing}\n</g></svg>'
    )
    return Layout(svg, wide, high)


def _sign(node: Value) -> str:
    """What a node does, without its arguments: tanh, *, 3.0 *"""
    if node.op is None:
        return ""
    text = "".join([piece for piece in parts(node) if isinstance(piece, str)]).strip()
    return node.op.name if text.startswith(f"{node.op.name}(") else text


def _width(name: str, sign: str) -> float:
    head = _columns(_cut(name)) * _BOLD + (_columns(_cut(sign)) + 2) * _LETTER
    return max(head, _LEAST * _LETTER) + _PADDING


def _columns(text: str) -> int:
    """How wide a text is in letters: an emoji takes two."""
    return sum([2 if east_asian_width(letter) in "WF" else 1 for letter in text])


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 9]}…{text[-8:]}"


def _middle(group: ElementTree.Element) -> tuple[float, float]:
    corners = group.find(f"{_SVG}polygon")
    if corners is None:
        raise RuntimeError("Graphviz drew a node that is no box")
    points = [tuple(map(float, point.split(","))) for point in corners.attrib["points"].split()]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _rows(texts: tuple[str, str, float], data: float, width: float, strength: float) -> str:
    """What stands in a box: name and operation, data, gradient; behind the gradient its sign and size as a colour."""
    name, sign, grad = texts
    right = f"{width - 10:g}"
    opacity = 0.1 + 0.35 * strength if grad and strength else 0.0
    tint = f'class="tint{" minus" if grad < 0.0 else ""}" style="fill-opacity: {opacity:.2f}"'
    return (
        f'<title>{escape(name)}</title><rect class="paper" width="{width:g}" height="{_HEIGHT:g}" rx="7"/>'
        f'<rect {tint} x="1" y="42" width="{width - 2:g}" height="{_HEIGHT - 43:g}" rx="6"/>'
        f'<text class="name" x="10" y="18">{escape(_cut(name))}</text>'
        f'<text class="sign" x="{right}" y="18">{escape(_cut(sign))}</text>'
        f'<text class="word" x="10" y="37">data</text><text class="data" x="{right}" y="37">{short(data)}</text>'
        f'<text class="word" x="10" y="55">grad</text><text class="grad" x="{right}" y="55">{short(grad)}</text>'
    )


def _arrow(key: str, group: ElementTree.Element) -> str:
    path, head = group.find(f"{_SVG}path"), group.find(f"{_SVG}polygon")
    if path is None or head is None:
        raise RuntimeError("Graphviz drew an edge that is no arrow")
    return (
        f'<g id="{key}" class="edge"><path d="{escape(path.attrib["d"])}"/>'
        f'<polygon points="{escape(head.attrib["points"])}"/></g>'
    )
