"""Place a whole graph: clusters by themselves, as boxes of what is around them; in each of the four directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from micrograd_plus.pictures.plain.layers import Arrow, Box, forward, place
from micrograd_plus.pictures.plain.reading import Attributes, Graph
from micrograd_plus.pictures.plain.tables import LINE, Label, Table, Text, label_of

INCH = 72.0  # points
_BESIDE, _ROUND = (16.0, 8.0), 1.4  # around a text in a box; how much larger a round shape is
_BENDS = 14.0  # how far apart arrows without ports arrive, at most
Point = tuple[float, float]


class Node(NamedTuple):
    """A box, and how large it is, in points."""

    attributes: Attributes
    label: Label
    width: float
    height: float


class Frame(NamedTuple):
    """The frame of a cluster: its title, left, top, right, bottom."""

    graph: Graph
    title: Text
    left: float
    top: float
    right: float
    bottom: float


@dataclass(slots=True)
class Block:
    """A part of the picture, from (0, 0) to (width, height), downwards.

    Attributes:
        width: in points.
        height: in points.
        middles: of the nodes, by name.
        frames: around some of them, the outer ones first.
        routes: by the place of an edge, the points that it passes, from border to border.
    """

    width: float
    height: float
    middles: dict[str, Point]
    frames: list[Frame] = field(default_factory=list)
    routes: dict[int, list[Point]] = field(default_factory=dict)

    def moved(self, x: float, y: float) -> Block:
        """The same elsewhere."""
        middles = {name: (left + x, top + y) for name, (left, top) in self.middles.items()}
        frames = [
            Frame(each.graph, each.title, each.left + x, each.top + y, each.right + x, each.bottom + y)
            for each in self.frames
        ]
        routes = {i: [(left + x, top + y) for left, top in route] for i, route in self.routes.items()}
        return Block(self.width, self.height, middles, frames, routes)

    def mirrored(self, *, down: bool) -> Block:
        """The same from its end to its beginning."""

        def turned(x: float, y: float) -> Point:
            return (x, self.height - y) if down else (self.width - x, y)

        frames = []
        for each in self.frames:
            (left, top), (right, bottom) = turned(each.left, each.top), turned(each.right, each.bottom)
            sides = min(left, right), min(top, bottom), max(left, right), max(top, bottom)
            frames.append(Frame(each.graph, each.title, *sides))
        middles = {name: turned(*point) for name, point in self.middles.items()}
        routes = {i: [turned(*point) for point in route] for i, route in self.routes.items()}
        return Block(self.width, self.height, middles, frames, routes)


def placed(graph: Graph, nodes: Mapping[str, Node]) -> Block:
    """Where everything goes.

    Args:
        graph: what was read.
        nodes: all of them, measured.

    >>> from micrograd_plus.pictures.plain.reading import read
    >>> graph = read("digraph { rankdir=LR; a -> b }")
    >>> block = placed(graph, measured(graph))
    >>> block.middles["a"] < block.middles["b"]
    True
    """
    direction = graph.attributes.get("rankdir", "TB")
    down = direction in ("TB", "BT")
    block = _Layout(graph, nodes, down).fill(graph)
    return block.mirrored(down=down) if direction in ("RL", "BT") else block


def measured(graph: Graph) -> dict[str, Node]:
    """The nodes of a graph and how large they are."""
    return {name: _measured(attributes, name) for name, attributes in graph.every()}


def text_size(lines: Sequence[Text]) -> Point:
    """How wide and how high lines of text are."""
    return max([line.width for line in lines]), sum([line.size * LINE for line in lines])


def size_of(label: Label) -> Point:
    """How wide and how high a label is."""
    return (label.width, label.height) if isinstance(label, Table) else text_size(label)


def is_shown(attributes: Mapping[str, str]) -> bool:
    """Whether it is drawn: what only keeps order among others is not."""
    return attributes.get("style") != "invis"


def _measured(attributes: Attributes, name: str) -> Node:
    label = label_of(attributes.get("label", name), float(attributes.get("fontsize", 14)))
    width, height = size_of(label)
    shape = attributes.get("shape", "ellipse")
    least = [INCH * float(attributes.get(side, usual)) for side, usual in (("width", 0.75), ("height", 0.5))]
    if attributes.get("fixedsize") == "true" or shape == "point":
        width, height = least
    elif shape not in ("plain", "none"):
        larger = 1.0 if shape == "box" else _ROUND
        width, height = larger * (width + _BESIDE[0]), larger * (height + _BESIDE[1])
        if shape == "circle":
            width = height = max(width, height)
    return Node(attributes, label, width, height)


class _Layout:
    """Places each cluster, then the graph in which clusters are boxes."""

    def __init__(self, graph: Graph, nodes: Mapping[str, Node], down: bool) -> None:
        self.graph = graph
        self.nodes = nodes
        self.down = down
        self.gap = max(INCH * float(graph.attributes.get("ranksep", 0.5)), *self._labels())
        self.apart = INCH * float(graph.attributes.get("nodesep", 0.25))
        self.offsets = list(self._offsets())

    def _labels(self) -> Iterator[float]:
        """How far apart layers must be for the labels of edges."""
        yield 0.0
        for edge in self.graph.edges:
            if "label" in edge.attributes:
                width, height = size_of(label_of(edge.attributes["label"], float(edge.attributes.get("fontsize", 14))))
                yield 22.0 + (height if self.down else width)

    def _offsets(self) -> Iterator[tuple[float, float]]:
        """Of each edge, how far across from the middles it leaves and arrives: at ports, or side by side."""
        many = Counter([each.head for each in self.graph.edges if not each.into and is_shown(each.attributes)])
        seen = Counter[str]()
        for edge in self.graph.edges:
            arrives = self._port(edge.head, edge.into)
            if not edge.into and is_shown(edge.attributes):
                head = self.nodes[edge.head]
                step = min(_BENDS, 0.7 * (head.width if self.down else head.height) / many[edge.head])
                arrives = (seen[edge.head] - (many[edge.head] - 1) / 2) * step
                seen[edge.head] += 1
            yield self._port(edge.tail, edge.out), arrives

    def _port(self, name: str, port: str) -> float:
        node = self.nodes[name]
        ports = node.label.ports() if isinstance(node.label, Table) else {}
        if port not in ports:
            return 0.0
        x, y = ports[port]
        return x - node.width / 2 if self.down else y - node.height / 2

    def fill(self, graph: Graph) -> Block:
        """Place what is in a graph or a cluster."""
        parts = [self._alone(name) for name in graph.nodes]
        clusters = list(graph.clusters)
        parts += [self._framed(cluster, self.fill(cluster)) for cluster in clusters]
        while (circular := self._circular(parts)) is not None:
            loose = parts.pop(circular)  # what leaves a cluster and comes back to it leaves no place for a frame
            parts += [self._alone(name) for name in loose.middles]
        return self._joined(parts)

    def _alone(self, name: str) -> Block:
        node = self.nodes[name]
        return Block(node.width, node.height, {name: (node.width / 2, node.height / 2)})

    def _framed(self, cluster: Graph, inner: Block) -> Block:
        """A cluster with its frame and its title."""
        look = self.graph.attributes | cluster.attributes
        title = Text(look.get("label", "") if "label" in cluster.attributes else "", float(look.get("fontsize", 14)))
        margin = float(cluster.attributes.get("margin", 8))
        above = margin + (title.size * LINE + 4 if title.text else 0.0)
        width, height = max(inner.width, title.width + 4) + 2 * margin, inner.height + above + margin
        block = inner.moved((width - inner.width) / 2, above)
        block.width, block.height = width, height
        block.frames.insert(0, Frame(cluster, title, 0.0, 0.0, width, height))
        for i, route in block.routes.items():  # what comes from outside, or goes there, reaches the frame
            if self.graph.edges[i].tail not in block.middles:
                route.insert(0, (route[0][0], 0.0) if self.down else (0.0, route[0][1]))
            elif self.graph.edges[i].head not in block.middles:
                route.append((route[-1][0], height) if self.down else (width, route[-1][1]))
        return block

    def _between(self, parts: Sequence[Block]) -> list[tuple[int, int | None, int | None]]:
        """The edges from one part to another, or to outside: their place, from which and to which part."""
        home = {name: i for i, part in enumerate(parts) for name in part.middles}
        ends = [(i, home.get(edge.tail), home.get(edge.head)) for i, edge in enumerate(self.graph.edges)]
        return [each for each in ends if each[1] != each[2]]

    def _circular(self, parts: Sequence[Block]) -> int | None:
        """The place of a cluster that an edge would have to enter backwards."""
        ends = [(tail, head) for _, tail, head in self._between(parts) if tail is not None and head is not None]
        at = {i: k for k, i in enumerate(forward(len(parts), ends))}
        back = [i for tail, head in ends if at[tail] > at[head] for i in (tail, head) if parts[i].frames]
        return back[0] if back else None

    def _joined(self, parts: Sequence[Block]) -> Block:
        """The parts side by side, and the edges between them."""
        between = self._between(parts)
        arrows = [
            Arrow(tail, head, self._across(parts, tail, i, 0), self._across(parts, head, i, -1))
            for i, tail, head in between
        ]
        boxes = [Box(part.height, part.width) if self.down else Box(part.width, part.height) for part in parts]
        home = {name: i for i, part in enumerate(parts) for name in part.middles}
        chains = [list(dict.fromkeys([home[name] for name in chain if name in home])) for chain in self.graph.chains]
        found = place(boxes, arrows, [chain for chain in chains if len(chain) > 1], self.gap, self.apart)
        spots = [(y, x) if self.down else (x, y) for x, y in found.middles]
        corners = [(x - part.width / 2, y - part.height / 2) for part, (x, y) in zip(parts, spots)]
        routes = [[(y, x) if self.down else (x, y) for x, y in route] for route in found.routes]
        points = [*corners, *[point for route in routes for point in route]]
        left, top = min([x for x, _ in points], default=0.0), min([y for _, y in points], default=0.0)
        whole = Block(0.0, 0.0, {})
        halves: dict[int, list[list[Point]]] = {}  # of routes: in the part where it begins, and where it ends
        for part, (x, y) in zip(parts, corners):
            moved = part.moved(x - left, y - top)
            whole.middles |= moved.middles
            whole.frames += moved.frames
            for i, route in moved.routes.items():
                halves.setdefault(i, [[], []])[self.graph.edges[i].tail not in part.middles].extend(route)
            whole.width, whole.height = (
                max(whole.width, x - left + part.width),
                max(whole.height, y - top + part.height),
            )
        for (i, *_), route in zip(between, routes):
            start, end = halves.pop(i, ([], []))
            whole.routes[i] = [*start, *[(x - left, y - top) for x, y in route], *end]
        whole.routes |= {i: start + end for i, (start, end) in halves.items()}
        edge = [point for route in whole.routes.values() for point in route]
        whole.width = max([whole.width, *[x for x, _ in edge]])
        whole.height = max([whole.height, *[y for _, y in edge]])
        return whole

    def _across(self, parts: Sequence[Block], which: int | None, i: int, end: int) -> float:
        """How far across from the middle of a part an edge leaves it (end 0), or arrives (end -1)."""
        if which is None:
            return 0.0
        part = parts[which]
        if i in part.routes:  # it goes on in there
            x, y = part.routes[i][-1 if end == 0 else 0]
            return x - part.width / 2 if self.down else y - part.height / 2
        return self.offsets[i][end]
