"""Write a graph that is placed: as Graphviz's JSON, and as SVG, with the same ids and classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import Any

from micrograd_plus.pictures.plain.placing import Block, Node, Point, is_shown, measured, placed, size_of
from micrograd_plus.pictures.plain.reading import Attributes, Edge, Graph, read
from micrograd_plus.pictures.plain.tables import LINE, Label, Table, escaped, label_of

MOST = 60  # boxes: more of them need Graphviz
_HEAD, _HALF = 10.0, 3.5  # an arrow's head: its length, half its width
_HEADER = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- laid out without Graphviz -->
<svg width="{width:.0f}pt" height="{height:.0f}pt"
 viewBox="0.00 0.00 {width:.2f} {height:.2f}" xmlns="http://www.w3.org/2000/svg">
<g id="graph0" class="graph" transform="translate({pad:.2f} {pad:.2f})">
<title>graph</title>
"""


def drawn(source: str, format: str) -> bytes:
    """A small graph in DOT as a picture, or as where everything is.

    Args:
        source: DOT, as this package writes it.
        format: "svg", or "json" for Graphviz's JSON with the strokes of nodes and edges.

    Raises:
        ValueError: the text is not DOT, or describes more than `MOST` boxes, or 5 times as many arrows.

    >>> drawn("digraph { a -> b }", "svg").count(b"<ellipse")
    2
    """
    graph = read(source)
    nodes = measured(graph)
    shown = [name for name, node in nodes.items() if is_shown(node.attributes)]
    if len(shown) > MOST or len(graph.edges) > 5 * MOST:
        has = f"{len(shown):,} boxes with {len(graph.edges):,} arrows"
        raise ValueError(f"{has} are too many without it: up to {MOST} with {5 * MOST} are drawn")
    block = placed(graph, nodes)
    return (_svg if format == "svg" else _json)(graph, nodes, block).encode()


# ------------------------------------------------------------------------------------------------------------ strokes


def _curve(route: Sequence[Point], down: bool) -> list[Point]:
    """Bézier curves through the points of a route, level at each of them."""
    points = [route[0]]
    for (x, y), (to, end) in pairwise(route):
        bends = [(x, (y + end) / 2), (to, (y + end) / 2)] if down else [((x + to) / 2, y), ((x + to) / 2, end)]
        points += [*bends, (to, end)]
    return points


def _head(tip: Point, back: Point, size: float) -> list[Point]:
    """The head of an arrow, from one side over its tip to the other."""
    far = hypot(tip[0] - back[0], tip[1] - back[1]) or 1.0
    x, y = (tip[0] - back[0]) / far, (tip[1] - back[1]) / far
    base = tip[0] - x * _HEAD * size, tip[1] - y * _HEAD * size
    side = -y * _HALF * size, x * _HALF * size
    return [(base[0] + side[0], base[1] + side[1]), tip, (base[0] - side[0], base[1] - side[1])]


def _strokes(edge: Edge, route: Sequence[Point], down: bool) -> tuple[list[Point], list[Point], list[Point]]:
    """The curve of an edge, its head, and its head at the other end, where there is one."""
    size = float(edge.attributes.get("arrowsize", 1))
    both = edge.attributes.get("dir") == "both"
    start, end = route[0], route[-1]
    long = _HEAD * size
    before, after = (route[1], route[-2]) if len(route) > 1 else (end, start)
    shorter = list(route)
    shorter[-1] = _towards(end, after, long, down)
    if both:
        shorter[0] = _towards(start, before, long, down)
    return _curve(shorter, down), _head(end, shorter[-1], size), _head(start, shorter[0], size) if both else []


def _towards(end: Point, other: Point, far: float, down: bool) -> Point:
    """So far back from the end of a route, level."""
    if down:
        return end[0], end[1] + (far if other[1] > end[1] else -far)
    return end[0] + (far if other[0] > end[0] else -far), end[1]


def _route(block: Block, graph: Graph, i: int) -> Sequence[Point]:
    """The points of an edge; of one that has no place between layers, straight from middle to middle."""
    edge = graph.edges[i]
    return block.routes.get(i) or [block.middles[edge.tail], block.middles[edge.head]]


# --------------------------------------------------------------------------------------------------------------- JSON


def _json(graph: Graph, nodes: dict[str, Node], block: Block) -> str:
    """As `dot -Tjson` writes it: y upwards."""

    def up(points: Sequence[Point]) -> list[list[float]]:
        return [[round(x, 4), round(block.height - y, 4)] for x, y in points]

    def stroke(kind: str, points: Sequence[Point]) -> list[dict[str, Any]]:
        return [{"op": kind, "points": up(points)}]

    pad = 72 * float(graph.attributes.get("pad", 0.0555))
    page = _corners(-pad, -pad, block.width + pad, block.height + pad)
    objects: list[dict[str, Any]] = []
    for frame in block.frames:
        corners = up([(frame.left, frame.bottom), (frame.right, frame.top)])
        bounds = ",".join([f"{each:g}" for point in corners for each in point])
        objects.append({"_gvid": len(objects), "name": frame.graph.name, "bb": bounds} | frame.graph.attributes)
    number = {}
    for name, node in nodes.items():
        number[name] = len(objects)
        x, y = block.middles[name]
        sides = x - node.width / 2, y - node.height / 2, x + node.width / 2, y + node.height / 2
        (middle,) = up([(x, y)])
        more = {
            "pos": f"{middle[0]:g},{middle[1]:g}",
            "width": f"{node.width / 72:g}",
            "height": f"{node.height / 72:g}",
        }
        drawn = {"_draw_": stroke("p", _corners(*sides))} if is_shown(node.attributes) else {}
        objects.append({"_gvid": number[name], "name": name} | node.attributes | more | drawn)
    edges = []
    down = graph.attributes.get("rankdir", "TB") in ("TB", "BT")
    for i, edge in enumerate(graph.edges):
        told = {"_gvid": i, "tail": number[edge.tail], "head": number[edge.head], **edge.attributes}
        if is_shown(edge.attributes):
            curve, head, tail = _strokes(edge, _route(block, graph, i), down)
            told |= {"_draw_": stroke("b", curve), "_hdraw_": stroke("P", head)}
            told |= {"_tdraw_": stroke("P", tail)} if tail else {}
        edges.append(told)
    whole = {"name": "graph", "directed": True, "_draw_": stroke("P", page), **graph.attributes}
    return json.dumps(whole | {"bb": f"0,0,{block.width:g},{block.height:g}", "objects": objects, "edges": edges})


def _corners(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(right, top), (left, top), (left, bottom), (right, bottom)]


# ---------------------------------------------------------------------------------------------------------------- SVG


def _svg(graph: Graph, nodes: dict[str, Node], block: Block) -> str:
    """As `dot -Tsvg` writes it: a group with an id and a class for each node and edge, letters as text."""
    look = graph.attributes
    pad = 72 * float(look.get("pad", 0.0555))
    width, height = block.width, block.height
    caption = label_of(look["label"], float(look.get("fontsize", 14))) if look.get("label") else None
    if caption is not None:
        wide, high = size_of(caption)
        width, height = max(width, wide), height + high + 4
        block = block.moved((width - block.width) / 2, 0.0)
    out = [_HEADER.format(width=width + 2 * pad, height=height + 2 * pad, pad=pad)]
    out += _frames(block, look)
    out += [line for i in range(len(graph.edges)) for line in _edge(graph, block, i)]
    for name, node in nodes.items():
        if is_shown(node.attributes):
            out += [
                f"<!-- {escaped(name)} -->",
                _group(node.attributes, name, "node"),
                *_node(node, block.middles[name]),
            ]
            out.append("</g>")
    if caption is not None:
        middle = width / 2, height - size_of(caption)[1] / 2
        out += _written(caption, middle, look.get("fontcolor", "black"))
    return "\n".join([*out, "</g>", "</svg>", ""])


def _group(attributes: Attributes, name: str, kind: str) -> str:
    return f'<g id="{escaped(attributes.get("id", name))}" class="{kind}">\n<title>{escaped(name)}</title>'


def _frames(block: Block, look: Attributes) -> Iterator[str]:
    for frame in block.frames:
        told = frame.graph.attributes
        corners = _corners(frame.left, frame.top, frame.right, frame.bottom)
        yield _group(told, frame.graph.name, "cluster")
        yield _polygon(corners, "none", told.get("color", "black"), float(told.get("penwidth", 1)))
        margin = float(told.get("margin", 8))
        colour = told.get("fontcolor", look.get("fontcolor", "black"))
        yield frame.title.svg(frame.left + margin, frame.top + margin + frame.title.size * 0.9, "start", colour)
        yield "</g>"


def _edge(graph: Graph, block: Block, i: int) -> Iterator[str]:
    edge = graph.edges[i]
    told = edge.attributes
    if not is_shown(told):
        return
    down = graph.attributes.get("rankdir", "TB") in ("TB", "BT")
    route = _route(block, graph, i)
    curve, head, tail = _strokes(edge, route, down)
    colour, pen = told.get("color", "black"), float(told.get("penwidth", 1))
    dashes = {"dashed": ' stroke-dasharray="5,2"', "dotted": ' stroke-dasharray="1,5"'}.get(told.get("style", ""), "")
    name = f"{edge.tail}->{edge.head}"
    yield f"<!-- {escaped(name)} -->"
    yield _group(told, name, "edge")
    first, *others = [f"{x:.2f},{y:.2f}" for x, y in curve]
    yield f'<path fill="none" stroke="{colour}"{_pen(pen)}{dashes} d="M{first}C{" ".join(others)}"/>'
    for arrow in filter(None, (head, tail)):
        yield _polygon(arrow, colour, colour, pen)
    if label := told.get("label") or told.get("headlabel"):
        text = label_of(label, float(told.get("fontsize", 14)))
        (x, y), (to, end) = max(
            pairwise(route[:4]), key=lambda ends: hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1])
        )
        wide, high = size_of(text)
        beside = ((x + to) / 2 + wide / 2, (y + end) / 2) if down else ((x + to) / 2, (y + end) / 2 - high / 2 - 1)
        yield from _written(text, beside, told.get("fontcolor", "black"))
    yield "</g>"


def _node(node: Node, middle: Point) -> Iterator[str]:
    told = node.attributes
    x, y = middle
    if told.get("shape", "ellipse") not in ("plain", "none"):
        fill = told.get("fillcolor", "lightgrey") if "filled" in told.get("style", "") else "none"
        yield _shape(node, middle, fill, told.get("color", "black"))
    if isinstance(node.label, Table):
        corner = x - node.label.width / 2, y - node.label.height / 2
        yield from _table(node.label, corner, told.get("fontcolor", "black"))
    else:
        yield from _written(node.label, middle, told.get("fontcolor", "black"))


def _shape(node: Node, middle: Point, fill: str, colour: str) -> str:
    """The outline of a node that is no mere table."""
    x, y = middle
    width, height = node.width / 2, node.height / 2
    look = f'fill="{fill}" stroke="{colour}"'
    shape = node.attributes.get("shape", "ellipse")
    corners = {"diamond": 4, "hexagon": 6, "octagon": 8}.get(shape)
    if shape in ("ellipse", "circle", "point"):
        return f'<ellipse {look} cx="{x:.2f}" cy="{y:.2f}" rx="{width:.2f}" ry="{height:.2f}"/>'
    if corners:  # its corners lie on an ellipse through the middles of the sides, or beside them
        start, out = (pi / 8, 1 / cos(pi / 8)) if corners == 8 else (0.0, 1.0)
        high = height * (1 / sin(pi / 3) if corners == 6 else out)
        turns = [start + 2 * pi * k / corners for k in range(corners)]
        return _polygon([(x + width * out * cos(turn), y + high * sin(turn)) for turn in turns], fill, colour)
    round_ = ' rx="8"' if "rounded" in node.attributes.get("style", "") else ""
    size = f'width="{node.width:.2f}" height="{node.height:.2f}"{round_}'
    return f'<rect {look} x="{x - width:.2f}" y="{y - height:.2f}" {size}/>'


def _table(table: Table, corner: Point, colour: str) -> Iterator[str]:
    left, top = corner
    sides = _corners(left, top, left + table.width, top + table.height)
    if fill := table.attributes.get("bgcolor"):
        yield _polygon(sides, fill, "none")
    for cell, x, y, width, height in table.placed():
        if fill := cell.attributes.get("bgcolor"):
            yield _polygon(_corners(left + x, top + y, left + x + width, top + y + height), fill, "none")
        if cell.content is not None and not isinstance(cell.content, Table):
            base = top + y + height / 2 + 0.34 * cell.content.size
            if cell.attributes.get("align") == "left":
                yield cell.content.svg(left + x + cell.pad, base, "start", colour)
            else:
                yield cell.content.svg(left + x + width / 2, base, "middle", colour)
    if table.attributes.get("border", "0") != "0":
        yield _polygon(sides, "none", table.attributes.get("color", "black"))


def _written(label: Label, middle: Point, colour: str) -> Iterator[str]:
    """A label around its middle."""
    x, y = middle
    width, height = size_of(label)
    if isinstance(label, Table):
        yield from _table(label, (x - width / 2, y - height / 2), colour)
        return
    for i, line in enumerate(label):
        yield line.svg(x, y - height / 2 + (i + 0.5) * line.size * LINE + 0.34 * line.size, "middle", colour)


def _polygon(points: Sequence[Point], fill: str, colour: str, pen: float = 1.0) -> str:
    corners = " ".join([f"{x:.2f},{y:.2f}" for x, y in [*points, points[0]]])
    return f'<polygon fill="{fill}" stroke="{colour}"{_pen(pen)} points="{corners}"/>'


def _pen(width: float) -> str:
    return "" if width == 1 else f' stroke-width="{width:g}"'
