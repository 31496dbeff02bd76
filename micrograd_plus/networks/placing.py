"""Say where the neurons of a drawing stand, and which of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from micrograd_plus.pictures.form import SPACES

MARGIN = float(SPACES.room)
IMAGE = 150.0  # the side of the picture of the inputs


class Plan(NamedTuple):
    """Where things stand, in pixels.

    Attributes:
        xs: of each column.
        ys: in each column, of each neuron that is shown, by its index.
        middle: the height of the columns' middle.
        bottom: where the tallest one ends.
        pitch: from one neuron to the next.
        radius: of a neuron.
    """

    xs: list[float]
    ys: list[dict[int, float]]
    middle: float
    bottom: float
    pitch: float
    radius: float


def plan_of(sizes: Sequence[int], shown: int, pictured: bool) -> Plan:
    """The plan for columns of these sizes, of which `shown` neurons are shown; with room for an image, or without."""
    slots = [_slots(size, shown) for size in sizes]
    tallest = max(map(len, slots))
    pitch = 2.0 * round(min(max(238.0 / tallest, 14.0), 32.0))  # whole pixels, which are written in few digits
    radius = float(round(min(0.43 * pitch, 22.0)))
    spacing = pitch / 2 * round(min(max(0.36 * tallest * pitch, 140.0), 190.0) / (pitch / 2))  # on the same grid
    left = MARGIN + radius + 36.0 + (IMAGE if pictured else 0.0)
    height = max(tallest * pitch, IMAGE if pictured else 0.0)
    middle = 12.0 + height / 2
    ys = [
        {i: middle + (place - (len(column) - 1) / 2) * pitch for place, i in enumerate(column) if i is not None}
        for column in slots
    ]
    return Plan([left + i * spacing for i in range(len(sizes))], ys, middle, 12.0 + height, pitch, radius)


def _slots(size: int, shown: int) -> list[int | None]:
    """Which neurons of a column are shown; None for those left out."""
    if size <= shown:
        return list(range(size))
    return [*range((shown + 1) // 2), None, *range(size - shown // 2, size)]


def gap(ys: dict[int, float], pitch: float) -> float:
    """The height of the place in a column where neurons are left out."""
    return next(above + pitch for above, below in pairwise(sorted(ys.values())) if below - above > 1.5 * pitch)
