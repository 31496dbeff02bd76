"""Write shapes in few letters, for an image that a notebook keeps: what looks alike is said once, lines share ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from math import gcd
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
    part,
)


def compacted(shapes: Iterable[Shape]) -> list[str]:
    """Shapes as elements of SVG, in their order; those that follow each other and look alike stand together.

    They are to stand where `COMMON` holds.

    >>> compacted([Line(0, 0, 9, 9, "red"), Line(0, 9, 9, 9, "red"), Line(0, 9, 8, 0, "red")])
    ['<g fill="none"><path d="M0 0 9 9 0 9 8 0" stroke="red" stroke-width="1"/></g>']
    >>> compacted([Line(30, 150, 170 + 140 * i, 290, "red") for i in range(9)])
    ['<g ... transform="translate(30 150)scale(140)"><path d="M0 0 1 1M0 0 2 1M0 0 3 1...0 0 9 1" .../></g>']
    >>> compacted([Text(1, 0, "a", 12), Text(2, 0, "b", 12)])
    ['<g ...><text x="1" y="4.3">a</text><text x="2" y="4.3">b</text></g>']
    """
    found = []
    for kind, some in groupby(shapes, type):
        if kind is Line:
            found.append(_lines(list(some)))  # type: ignore[arg-type]
        else:
            found += [_together(list(alike), look) for look, alike in groupby(some, _look)]
    return found


def _lines(lines: Sequence[Line]) -> str:
    """Lines from the faintest to the strongest: as they are, or, if that is shorter, counted in the steps of a grid."""
    xs, ys = [x for line in lines for x in (line.x1, line.x2)], [y for line in lines for y in (line.y1, line.y2)]
    left, top = min(xs), min(ys)
    step = gcd(*[round(10 * (x - left)) for x in xs], *[round(10 * (y - top)) for y in ys]) / 10
    plain = f'<g fill="none">{_on_grid(lines, 0.0, 0.0, 1.0, 2)}</g>'
    if step <= 1.0:
        return plain
    place = f"translate({coordinate(left)} {coordinate(top)})scale({coordinate(step)})"
    return min(plain, f'<g fill="none" transform="{place}">{_on_grid(lines, left, top, step, 4)}</g>', key=len)


def _on_grid(lines: Sequence[Line], left: float, top: float, step: float, decimals: int) -> str:
    """Lines on a grid that begins at (left, top), with so many decimals of their widths."""

    def place(x: float, y: float) -> Point:
        return coordinate((x - left) / step), coordinate((y - top) / step)

    found = []
    for (width, opacity), alike in groupby(lines, lambda line: (line.width, line.opacity)):
        look = f'stroke-width="{part(width / step, decimals)}"'
        look += f' stroke-opacity="{part(opacity)}"' if opacity < 1 else ""
        paths = []
        for colour, some in groupby(alike, lambda line: line.colour):
            ends = [(place(line.x1, line.y1), place(line.x2, line.y2)) for line in some]
            paths.append(f'<path d="{"".join(map(_trail, _trails(ends)))}" stroke="{colour}"')
        if len(paths) == 1:
            found.append(f"{paths[0]} {look}/>")
        else:
            found.append(f"<g {look}>{''.join([f'{path}/>' for path in paths])}</g>")
    return "".join(found)


def _together(alike: Sequence[Shape], look: str) -> str:
    """Shapes of one kind that look alike."""
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
    if isinstance(shape, (Text, Box)):
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
    parts = []
    for i, each in enumerate(images):
        place = attributes(x=each.x, y=each.y, width=each.width, height=each.height)
        stretched = ' preserveAspectRatio="none"' if each.width * high != each.height * wide else ""
        parts.append(f'<svg {place} viewBox="0 {high * i} {wide} {high}"{stretched}><use href="#{name}"/></svg>')
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
