"""Tell how wide a picture will be, before Graphviz lays it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from micrograd_plus._support.texts import one_line
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Box, Folded
from micrograd_plus.pictures.labels import LONGEST, name_in, symbol_of
from micrograd_plus.pictures.pruning import columns

WIDE = 1_200.0  # points: what a page or a screen holds
_BOLD, _LETTER, _NUMBER, _PAD = 6.7, 5.9, 72.0, 8.0  # points: of letters, a line with a number, around
NEAR, _WIDE, _WIDEST = 29.0, 65.0, 130.0  # points between columns
_FEW = 8  # edges that curve through such a gap and can be told apart


def is_dense(folded: Folded) -> bool:
    """Whether neurons of layers are joined each to each, so that straight lines are clearer than curves."""
    return gap(folded) > NEAR


def gap(folded: Folded) -> float:
    """How many points there are between columns: more where many boxes lead to many of the next column, none beyond."""
    if len(folded.edges) > 3 * len(folded.boxes):
        return _WIDEST
    column = columns(folded)
    ends = [(column[edge.tail], column[edge.head]) for edge in folded.edges]
    if any(box.frames for box in folded.boxes) or any(head - tail > 1 for tail, head in ends):
        return NEAR
    for start, count in Counter([tail for tail, _ in ends]).items():
        edges = [edge for edge, (tail, _) in zip(folded.edges, ends) if tail == start]
        if count > _FEW and min(len({edge.tail for edge in edges}), len({edge.head for edge in edges})) > 2:
            return _WIDE
    return NEAR


def width(folded: Folded, names: Mapping[Value, str], direction: str) -> float:
    """About how many points wide a picture will be, from the letters in its boxes and the columns they stand in.

    Args:
        folded: the boxes and edges.
        names: of the nodes.
        direction: "LR" or "RL", where columns stand side by side; "TB" or "BT", where boxes of one row do, and frames
            may make it wider than this.
    """
    rows: dict[int, list[float]] = {}
    for box, column in zip(folded.boxes, columns(folded).values()):
        rows.setdefault(column, []).append(_width_of(box, names))
    if direction in ("TB", "BT"):
        return max([sum(row) + 11.5 * len(row) for row in rows.values()], default=0.0)
    return sum([max(row) for row in rows.values()]) + gap(folded) * len(rows)


def _width_of(box: Box, names: Mapping[Value, str]) -> float:
    if box.title:
        name = names.get(box.output, "") if box.output is not None and not box.neurons else ""
        letters = len(one_line(f"{name} = {box.title}" if name else box.title, LONGEST))
        return max(_BOLD * letters, _NUMBER, _LETTER * 26 if box.neurons else 0.0) + _PAD
    symbol = symbol_of(box.node)
    sign = max(22.0, _LETTER * len(symbol)) + 6.0 if symbol else 0.0
    return sign + max(_NUMBER, _BOLD * len(one_line(name_in(box, names), LONGEST))) + _PAD
