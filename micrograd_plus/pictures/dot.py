"""Write a folded graph in DOT, the language of Graphviz."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from micrograd_plus._support.texts import one_line
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import Dust
from micrograd_plus.formulas.numerals import shorter
from micrograd_plus.pictures.boxes import Box, Edge, Folded, Frame
from micrograd_plus.pictures.edges import Numbers, numbers_on
from micrograd_plus.pictures.fitting import gap, is_dense
from micrograd_plus.pictures.form import FONT, GREY, INK, LINES, NUMBER, PAPER, SIZES, strength
from micrograd_plus.pictures.images import Texts, captions_line, quoted
from micrograd_plus.pictures.labels import (
    LONGEST,
    Ports,
    cell_text,
    constant_text,
    group_label,
    name_in,
    node_label,
    number_label,
)
from micrograd_plus.pictures.ordering import Mixed, constant_id, mixed, order, ports_of, under_another, written
from micrograd_plus.pictures.styles import Style, Tint

ORDERLY = 100  # boxes, up to which arguments stand in their order
CROWDED = 200  # edges, from which on a label may lie on another one, for else the boxes would be far apart
SIDES = {"LR": "we", "RL": "ew", "TB": "ns", "BT": "sn"}  # by direction: where edges come in, where they leave


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a picture is to show.

    Attributes:
        roots: the results of the graph.
        names: of the nodes that have one.
        state: whether there are gradients: "computed", "none", or "stale" where only the leaves have some.
        numbers: which numbers edges bear: "local", "contribution", or None.
        direction: where the graph goes, "LR" from left to right.
        tint: by which number nodes are coloured.
        styles: how the user wants some of them.
        dust: which numbers are nothing but what rounding left.
        captions: what is written below.
    """

    roots: Sequence[Value]
    names: Mapping[Value, str]
    state: str
    numbers: str | None
    direction: str
    tint: Tint
    styles: Mapping[Value, Style]
    dust: Dust
    captions: Sequence[str]

    def style(self, node: Value) -> Style:
        """How a node looks."""
        style = self.styles.get(node) or Style()
        return style if style.fill else style._replace(fill=self.tint.of(node))


def dot_source(folded: Folded, wanted: Wanted) -> tuple[str, Texts]:
    """The DOT text, and what the lines of text in each node tell."""
    from graphviz import Digraph  # type: ignore[import-untyped]

    dot = Digraph("graph")
    _look(dot, folded, wanted)
    texts: Texts = {}
    inside = mixed(folded)
    arrows = [*folded.edges, *_boxes(dot, folded, wanted, texts, inside)]
    for head, count in folded.hidden.items():
        dot.node(f"more-{head}", f"… {count:,} more", id=f"more-{head}", fontcolor=GREY)
        dot.edge(f"more-{head}", head, id=f"more-{head}-{head}", style="dotted")
    by_id = {box.id: box for box in folded.boxes}
    for i, edge in enumerate(arrows):
        if edge.id in folded.far:  # its beginning is drawn once more, by name
            arrows[i] = replace(edge, again=f"far-{edge.id}")
            name = f"<<i>{cell_text(_called(by_id[edge.tail], wanted.names))}</i>>"
            dot.node(f"far-{edge.id}", name, id=f"far-{edge.id}", fontcolor=GREY)
    _edges(dot, arrows, folded, wanted)
    for line in order(folded, SIDES[wanted.direction], inside):
        dot.body.append(f"\t{line}\n")
    return dot.source, texts


def _look(dot: Any, folded: Folded, wanted: Wanted) -> None:
    """How everything looks, and how much time goes into the layout."""
    framed = any(box.frames for box in folded.boxes)  # frames keep clear of each other, too
    spaces = {"nodesep": "0.26" if framed else "0.16", "ranksep": f"{gap(folded) / 72:.1f}"}
    dot.attr(rankdir=wanted.direction, bgcolor="transparent", **spaces, fontname=FONT, fontsize=str(SIZES.tiny))
    dot.attr(fontcolor=GREY, labelloc="b", pad="0.1", margin="0")
    if len(folded.boxes) <= ORDERLY and not framed and not any(box.neurons for box in folded.boxes):
        dot.attr(ordering="in")  # the minuend above the subtrahend
    dot.attr("node", shape="plain", fontname=FONT, fontsize=str(SIZES.tiny), fontcolor=INK)
    dot.attr("edge", color=GREY, fontcolor=GREY, fontname=FONT, fontsize=str(NUMBER), arrowsize="0.6", penwidth="1")
    if len(folded.boxes) > 300:
        dot.attr(nslimit="4", mclimit="0.3")  # a little beauty for much time
    if is_dense(folded):
        sides = SIDES[wanted.direction]
        dot.attr(splines="line")
        dot.attr("edge", tailport=sides[1], headport=sides[0], labeldistance="4")
    dot.body.append(captions_line(wanted.captions))


def _boxes(dot: Any, folded: Folded, wanted: Wanted, texts: Texts, inside: Mapping[str, Mixed]) -> list[Edge]:
    """Write the boxes, in their frames, and the constants beside them; the edges from these constants."""
    ports, side = ports_of(folded) if not is_dense(folded) else {}, SIDES[wanted.direction][0]
    edges: list[Edge] = []

    def write(boxes: list[Box], depth: int, where: Any) -> None:
        inner: dict[Frame, list[Box]] = {}
        for box in boxes:
            if len(box.frames) > depth:
                inner.setdefault(box.frames[depth], []).append(box)
            else:
                edges.extend(_box(where, box, (ports.get(box.id, 0), side), wanted, texts))
        for each, held in inner.items():
            with where.subgraph(name=each.id) as part:
                title = quoted(one_line(each.title, LONGEST))
                part.attr(label=title, labelloc="t", labeljust="l", color=GREY, penwidth="0.6", margin="6")
                write(held, depth + 1, part)
                if each.id in inside:
                    part.body.append(f"\t\t{under_another(inside[each.id].products)}\n")

    write(written(folded, SIDES[wanted.direction]), 0, dot)
    return edges


def _box(dot: Any, box: Box, ports: Ports, wanted: Wanted, texts: Texts) -> list[Edge]:
    """Write one box, and the constants beside it; the edges from these."""
    computed = wanted.state == "computed"
    if box.title:
        name = wanted.names.get(box.output, "") if box.output is not None else ""
        style = wanted.style(box.output) if box.output is not None else Style()
        gradient = wanted.tint.gradient(box.output) if computed and box.output is not None else None
        label, texts[box.id] = group_label(box, name, style, wanted.dust, gradient, ports)
        dot.node(box.id, label, id=box.id, **_drawn(style))
        return []
    node, edges = box.node, []
    kept = computed or (wanted.state == "stale" and node.op is None)
    style = wanted.style(node)
    name = name_in(box, wanted.names)
    gradient = wanted.tint.gradient(node) if kept else None
    label, texts[box.id] = node_label(node, name, style, wanted.dust, gradient, ports)
    dot.node(box.id, label, id=box.id, **_drawn(style))
    for term, (taker, place) in enumerate(box.terms):
        if text := constant_text(taker, place):
            constant = constant_id(box.id, term)
            texts[constant] = ["data"]
            dot.node(constant, text, id=constant, fontcolor=GREY)
            edges.append(Edge(constant, box.id, 1, taker, place, term))
    return edges


def _drawn(style: Style) -> dict[str, str]:
    """What Graphviz is told of a box beside its label: the colour of its letters, and a shape of its own."""
    told = {} if style.letters == INK else {"fontcolor": style.letters}
    if style.shape not in ("", "box"):
        kind = "rounded,filled" if style.shape == "rounded" else "filled"
        shape = "box" if style.shape == "rounded" else style.shape
        told |= {"shape": shape, "style": kind, "fillcolor": style.fill or PAPER, "color": style.line, "margin": "0.02"}
    return told


def _called(box: Box, names: Mapping[Value, str]) -> str:
    """What stands for a box where it is drawn once more."""
    return box.title or names.get(box.node, "") or shorter(box.node.data)


def _edges(dot: Any, edges: list[Edge], folded: Folded, wanted: Wanted) -> None:
    """Write the edges, each with its number where one is asked for, in the order of the arguments."""
    ports, side = ports_of(folded) if not is_dense(folded) else {}, SIDES[wanted.direction][0]
    kind = wanted.numbers
    numbers: Numbers = {}
    if kind == "local" or (kind is not None and wanted.state == "computed"):
        numbers = numbers_on(edges, kind, wanted.roots)
    largest = max([abs(number) for number in numbers.values() if math.isfinite(number)], default=0.0)
    for edge in sorted(edges, key=lambda edge: edge.term):
        aside = edge.again or edge.tail[0] == "c"  # from a name, or from a constant: the others are to be straight
        more: dict[str, str] = {"style": "dashed"} if aside else {"weight": "4"}
        if edge.count > 1:
            more["headlabel" if len(edges) > CROWDED else "label"] = f"×{edge.count:,}"
        elif edge.node is not None and edge.place is not None:
            number = numbers.get((id(edge.node), edge.place))
            if number is not None:
                more["label"] = number_label(number)
                if kind == "contribution" and (number or math.isnan(number)):
                    color, width = LINES.of(number), 1 + 3 * strength(number, largest)
                    more |= {"color": color, "fontcolor": color, "penwidth": f"{width:.2f}"}
        head = f"{edge.head}:i{edge.term}:{side}" if edge.head in ports else edge.head
        dot.edge(edge.again or edge.tail, head, id=edge.id, **more)
