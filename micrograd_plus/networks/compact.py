"""Write shapes in few letters, for an image that a notebook keeps: what looks alike is said once, lines share ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from zlib import crc32

from micrograd_plus.networks.shapes import (
    Box,
    Circle,
    Line,
    Pixels,
    Polygon,
    Shape,
    Text,
    attributes,
    coordinate,
    image_of,
)


def compacted(shapes: Iterable[Shape]) -> list[str]:
    """Shapes as elements of SVG, in their order; those that follow each other and look alike stand together.

    They are to stand where `COMMON` holds.

    >>> compacted([Line(0, 0, 9, 9, "red"), Line(0, 9, 9, 9, "red"), Line(0, 9, 8, 0, "red")])
    ['<g fill="none"><path d="M0 0 9 9 0 9 8 0" stroke="red" stroke-width="1"/></g>']
    >>> compacted([Text(1, 0, "a", 12), Text(2, 0, "b", 12)])
    ['<g ...><text x="1" y="4.3">a</text><text x="2" y="4.3">b</text></g>']
    """
    found = []
    for kind, some in groupby(shapes, type):
        parts = [_together(list(alike), look) for look, alike in groupby(some, _look)]
        found += [f'<g fill="none">{"".join(parts)}</g>'] if kind is Line else parts
    return found


def _together(alike: Sequence[Shape], look: str) -> str:
    """Shapes of one kind that look alike."""
    lines = [shape for shape in alike if isinstance(shape, Line)]
    if lines:
        ends = [(_point(line.x1, line.y1), _point(line.x2, line.y2)) for line in lines]
        return f'<path d="{"".join(map(_trail, _trails(ends)))}" {look}/>'
    outlines = [[_point(x, y) for x, y in shape.points] for shape in alike if isinstance(shape, Polygon)]
    if outlines:
        return f'<path d="{"".join([f"{_trail(outline)}z" for outline in outlines])}" {look}/>'
    images = [shape for shape in alike if isinstance(shape, Pixels)]
    if images:
        return _images(images)
    if look and len(alike) > 1:
        return f"<g {look}>{''.join([_written(shape).replace(f' {look}', '', 1) for shape in alike])}</g>"
    return "".join(map(_written, alike))


def _look(shape: Shape) -> str:
    """What shapes must have in common to stand together, as attributes."""
    if isinstance(shape, (Line, Text, Box)):
        return shape.look()
    if isinstance(shape, Pixels):
        return f"{len(shape.rows)} {len(shape.rows[0])}"
    if isinstance(shape, Polygon):
        return f'fill="{shape.fill}"'
    return f'stroke="{shape.stroke}"' if isinstance(shape, Circle) and shape.stroke != "none" else ""


def _written(shape: Shape) -> str:
    return (replace(shape, title="") if isinstance(shape, Circle) else shape).svg()  # an image shows no titles


def _images(images: Sequence[Pixels]) -> str:
    """Images of the same size as one, one above another, of which each shows its part; each pixel is there once."""
    high, wide, rows = len(images[0].rows), len(images[0].rows[0]), [row for each in images for row in each.rows]
    name = f"i{crc32(repr(rows).encode()):x}"
    parts = [
        f"<svg {attributes(x=each.x, y=each.y, width=each.width, height=each.height)} "
        f'viewBox="0 {high * i} {wide} {high}" preserveAspectRatio="none"><use href="#{name}"/></svg>'
        for i, each in enumerate(images)
    ]
    look = f'id="{name}" {attributes(width=wide, height=high * len(images))}'
    return f"<defs>{image_of(rows, 1, look)}</defs>{''.join(parts)}"


Point = tuple[str, str]  # its coordinates, as they are written


def _point(x: float, y: float) -> Point:
    return coordinate(x), coordinate(y)


def _trail(points: Iterable[Point]) -> str:
    return "M" + " ".join([f"{x} {y}" for x, y in points])


def _trails(lines: Iterable[tuple[Point, Point]]) -> list[list[Point]]:
    """Lines as few that go on from point to point: each begins where an odd number of lines ends, if there is such."""
    at: dict[Point, list[tuple[int, Point]]] = {}
    for i, (a, b) in enumerate(lines):
        at.setdefault(a, []).append((i, b))
        at.setdefault(b, []).append((i, a))
    used: set[int] = set()
    found = []
    for start in sorted(at, key=lambda point: len(at[point]) % 2 == 0):
        while True:
            here, trail = start, [start]
            while ahead := next(((i, there) for i, there in at[here] if i not in used), None):
                used.add(ahead[0])
                here = ahead[1]
                trail.append(here)
            if len(trail) == 1:
                break
            found.append(trail)
    return found
