"""Where is there room for a number on each arrow of a graph?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd_plus.ops.vectors import dot

Point = tuple[float, float]
Area = tuple[float, float, float, float]  # its middle, its width and its height
Arrow = tuple[int, int]  # into which node, as which argument

_SIZE = (44.0, 12.0)  # pixels: a number such as -0.4151
_CROWD = 60  # arrows: of more, their numbers keep clear of each other alone
_MANY = 200  # arrows: of more, only the present number is shown


def label_places(curves: Mapping[Arrow, Sequence[Point]], boxes: Sequence[Area]) -> dict[Arrow, Point]:
    """Where a number is to be written on each arrow, so that it hides no box, no arrow and no number, if it can.

    Args:
        curves: each arrow as Bézier curves: a point, and three more for each curve.
        boxes: what the nodes cover.
    """
    if len(curves) > _MANY:
        return {key: (x, y - 5.0) for key, (x, y) in [(key, point_at(curve, 0.5)) for key, curve in curves.items()]}
    few = len(curves) <= _CROWD
    taken = list(boxes) if few else []
    dots = {key: _dots(curve) for key, curve in curves.items()} if few else {}
    found = {}
    for key, curve in curves.items():
        tried = []
        for t in (0.5, 0.4, 0.6, 0.3, 0.7) if few else (0.5,):
            x, y = point_at(curve, t)
            tried += [(x, y - 9.0, *_SIZE), (x, y + 8.0, *_SIZE)]  # above the arrow, and below it
        others = [*taken, *[dot for other, its in dots.items() if other != key for dot in its]]
        place = min(tried, key=lambda area: sum([_overlap(area, other) for other in others]))
        taken.append(place)
        found[key] = (place[0], place[1] + 4.0)  # where the letters stand
    return found


def point_at(curve: Sequence[Point], t: float) -> Point:
    """The point after a part t of a path's Bézier curves, each of which counts as much.

    >>> point_at([(0.0, 0.0), (1.0, 0.0), (2.0, 3.0), (3.0, 3.0)], 0.5)
    (1.5, 1.5)
    """
    count = len(curve) // 3
    k = min(int(t * count), count - 1)
    u = t * count - k
    weights = ((1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u**3)
    points = curve[3 * k : 3 * k + 4]
    return dot(weights, [x for x, _ in points]), dot(weights, [y for _, y in points])


def _dots(curve: Sequence[Point]) -> list[Area]:
    """Small squares along an arrow, which stand for the room it takes."""
    return [(*point_at(curve, t / 12), 4.0, 4.0) for t in range(13)]


def _overlap(a: Area, b: Area) -> float:
    """How many square pixels two areas share."""
    wide = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    high = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    return max(wide, 0.0) * max(high, 0.0)
