"""Tell how wide a picture will be, before Graphviz lays it out."""

from __future__ import annotations

from collections.abc import Mapping

from micrograd_plus._support.texts import one_line
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Box, Folded
from micrograd_plus.pictures.labels import LONGEST, name_in, symbol_of
from micrograd_plus.pictures.pruning import columns

WIDE = 1_200.0  # points: what a page or a screen holds
_BOLD, _LETTER, _NUMBER, _PAD, _GAP = 6.7, 5.9, 72.0, 8.0, 29.0  # points: of letters, a line with a number, around


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
    return sum([max(row) + _GAP for row in rows.values()])


def _width_of(box: Box, names: Mapping[Value, str]) -> float:
    if box.title:
        name = names.get(box.output, "") if box.output is not None and not box.neurons else ""
        letters = len(one_line(f"{name} = {box.title}" if name else box.title, LONGEST))
        return max(_BOLD * letters, _NUMBER, _LETTER * 26 if box.neurons else 0.0) + _PAD
    symbol = symbol_of(box.node)
    sign = max(22.0, _LETTER * len(symbol)) + 6.0 if symbol else 0.0
    return sign + max(_NUMBER, _BOLD * len(one_line(name_in(box, names), LONGEST))) + _PAD
