"""Keep the user's order from top to bottom: arguments, neurons, samples.

Graphviz puts boxes where arrows cross least, so that it may turn all around. Arrows that arrive one under another, in
the order of the arguments, leave it one way only. Where that does not tell, boxes are joined by arrows nobody sees.
Each line of these says `invis`: without them a picture is right, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Box, Folded
from micrograd_plus.pictures.labels import constant_text
from micrograd_plus.pictures.pruning import columns

MOST = 20  # arrows into a box that have places of their own
_POINT = 'shape=point style=invis width=0.01 height=0.01 label=""'


def ports_of(folded: Folded) -> dict[str, int]:
    """By the id of a box into which several arrows lead, how many places it has for these."""
    ports: dict[str, int] = {}
    for box in folded.boxes:
        if not box.title and len([1 for node, i in box.terms if _is_drawn(node, i)]) > 1:
            ports[box.id] = len(box.terms)
    for edge in folded.edges:
        if edge.place is None:
            ports[edge.head] = ports.get(edge.head, 0) + 1
    return {name: count for name, count in ports.items() if 1 < count <= MOST}


class Mixed(NamedTuple):
    """The products of a sum in a frame, some of which take a number from outside, and others not.

    Attributes:
        products: their boxes.
        args: the boxes and constants that they take, product by product.
    """

    products: list[str]
    args: list[str]


def order(folded: Folded, sides: str, inside: Mapping[str, Mixed]) -> list[str]:
    """What DOT says so that neurons, samples and inputs stand in their order: downwards, or to the right.

    Args:
        folded: the boxes.
        sides: of a box, where edges come in and where they leave: "we" where the graph goes from left to right.
        inside: by their frames the products that `mixed` finds.
    """
    framed = any(box.frames for box in folded.boxes)
    return _in_frames(folded, sides, inside) if framed else _in_columns(folded)


def written(folded: Folded, sides: str) -> list[Box]:
    """The boxes in the order in which DOT is to have them; the arguments are those of `order`.

    Graphviz begins with that order, and keeps it where no arrows cross. Where ranks are columns it begins a frame from
    below, if no arrow leads into it.
    """
    if sides in ("ns", "sn"):
        return folded.boxes
    frames = {box.id: box.frames for box in folded.boxes}
    entered = {frame.id for edge in folded.edges for frame in {*frames[edge.head]} - {*frames[edge.tail]}}
    inside: dict[str, list[Box]] = {}
    for box in folded.boxes:
        if box.frames and box.frames[-1].id not in entered:
            inside.setdefault(box.frames[-1].id, []).append(box)
    return [
        inside[box.frames[-1].id].pop() if box.frames and box.frames[-1].id in inside else box for box in folded.boxes
    ]


def _in_columns(folded: Folded) -> list[str]:
    """Boxes of modules in one column, one under another."""
    column = columns(folded)
    rows: dict[int, list[Box]] = {}
    for box in folded.boxes:
        if box.neurons:
            rows.setdefault(column[box.id], []).append(box)
    return [under_another([box.id for box in sorted(row, key=_natural)]) for row in rows.values() if len(row) > 1]


def _in_frames(folded: Folded, sides: str, inside: Mapping[str, Mixed]) -> list[str]:
    """Each layer's neurons, by points behind them; and the leaves that several of them use, by a point before these."""
    layers: dict[str, dict[str, str]] = {}
    for box in folded.boxes:
        for frame in box.frames:
            if frame.layer:
                layers.setdefault(frame.layer, {})[frame.id] = box.id  # the last one is the output
        if box.neurons and not box.frames:
            layers.setdefault(box.title.rpartition(".")[0], {})[box.id] = box.id
    lines = []
    for i, outputs in enumerate(layers.values()):
        if len(outputs) > 1:
            points = [f"o{i}_{j}" for j in range(len(outputs))]
            lines += [f"{point} [{_POINT}]" for point in points]
            lines += [f"{output} -> {point} [style=invis]" for output, point in zip(outputs.values(), points)]
            lines.append(under_another(points))
    for i, each in enumerate(inside.values()):
        lines += _before(each.args, sides, f"m{i}")
    return lines + _before_leaves(folded, sides)


def mixed(folded: Folded) -> dict[str, Mixed]:
    """By the frame, sums in it of products some of which take a number from outside: Graphviz turns these around."""
    frames = {box.id: box.frames[-1].id for box in folded.boxes if box.frames}
    if not frames:
        return {}
    args: dict[str, dict[int, str]] = {}
    for edge in folded.edges:
        args.setdefault(edge.head, {})[edge.term] = edge.tail
    for box in folded.boxes:
        for i, (node, place) in enumerate(box.terms if not box.title else ()):
            if constant_text(node, place):
                args.setdefault(box.id, {})[i] = constant_id(box.id, i)
    ordered = {name: [given[i] for i in sorted(given)] for name, given in args.items()}
    found = {}
    for name, frame in frames.items():
        products = [arg for arg in ordered.get(name, ()) if frames.get(arg) == frame and len(ordered.get(arg, ())) > 1]
        terms = [ordered[product] for product in products]
        outside = [any(frames.get(arg) != frame and arg[0] != "c" for arg in term) for term in terms]
        if any(outside) and not all(outside):
            found[frame] = Mixed(products, [arg for term in terms for arg in term])
    return found


def constant_id(box: str, term: int) -> str:
    """What DOT calls a constant beside a box."""
    return f"c{box[1:]}-{term}"


def _before_leaves(folded: Folded, sides: str) -> list[str]:
    frames = {box.id: frame.id for box in folded.boxes for frame in box.frames[-1:]}
    users: dict[str, set[str]] = {}
    for edge in folded.edges:
        users.setdefault(edge.tail, set()).add(frames.get(edge.head, ""))
    shared = [
        box.id for box in folded.boxes if not box.frames and box.node.op is None and len(users.get(box.id, ())) > 1
    ]
    return _before(shared, sides, "o")


def _before(ids: list[str], sides: str, name: str) -> list[str]:
    """A box that nobody sees, before those that are to stand in this order; it has an arrow to each."""
    if not 1 < len(ids) <= MOST:
        return []
    across = sides in ("we", "ew")
    cells = [
        f'<td port="i{i}" width="{1 if across else 4}" height="{4 if across else 1}"></td>' for i in range(len(ids))
    ]
    rows = "".join([f"<tr>{cell}</tr>" for cell in cells]) if across else f"<tr>{''.join(cells)}</tr>"
    lines = [f'{name} [style=invis label=<<table border="0" cellborder="0" cellspacing="0">{rows}</table>>]']
    return lines + [f'{name}:i{i}:{sides[1]} -> "{each}" [style=invis weight=0]' for i, each in enumerate(ids)]


def under_another(ids: Iterable[str]) -> str:
    return f"{{rank=same {' -> '.join(ids)} [style=invis]}}"


def _natural(box: Box) -> list[tuple[int, str]]:
    """By which boxes are sorted: numbers as numbers, so that neuron 10 comes after neuron 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", box.title)]


def _is_drawn(node: Value, place: int) -> bool:
    return isinstance(node.args[place], Value) or constant_text(node, place) != ""
