"""The end of a training as a picture that does not move: what is seen where no script runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from micrograd_plus.networks.scenes import Drawing
from micrograd_plus.networks.shapes import RGBA, Box, Circle, Line, Pixels, Shape, Text, in_rows
from micrograd_plus.pictures.form import BLACK, CLASSES, MIDDLE, SIZES, WEIGHTS, rgb
from micrograd_plus.training.films.curves import HEIGHT, WIDTH, curve
from micrograd_plus.training.films.panels import Panel

if TYPE_CHECKING:
    from micrograd_plus.training.films.reels import Reel

_SIDE = 56.0  # of an image


def still(reel: Reel) -> Drawing:
    """The answers of the last snapshot beside the curve of the loss."""
    shapes: list[Shape] = []
    found, left, height = reel.answering, 0.0, HEIGHT
    if isinstance(found, Panel):
        left, height, shapes = _plane(found) if found.facts["kind"] == "plane" else _images(found)
        left += 24.0
    drawn = curve([it.step for it in reel.snapshots], [it.loss for it in reel.snapshots])
    for y, text in drawn.lines:
        shapes += [
            Line(left, y, left + WIDTH, y, MIDDLE, 0.5, 0.6),
            Text(left, y - 6, text, SIZES.tiny, anchor="start"),
        ]
    points = [(left + x, y) for x, y in drawn.points]
    shapes += [Line(*a, *b, WEIGHTS.positive, 2) for a, b in pairwise(points)]
    shapes.append(Text(left + WIDTH, HEIGHT - 8, f"loss, {reel.snapshots[-1].step:,} steps", SIZES.tiny, anchor="end"))
    return Drawing(left + WIDTH + 8, max(height, HEIGHT), tuple(shapes), reel.description)


def _plane(found: Panel) -> tuple[float, float, list[Shape]]:
    """Width, height and shapes of the plane."""
    facts, last = found.facts, found.frames["field"][-1]
    width = 300.0
    height = width * facts["rows"] / facts["columns"]
    pixels = [_pale(_colour(int(cell), facts["several"])) for cell in last]
    shapes: list[Shape] = [Pixels(0, 0, width, height, in_rows(pixels, facts["columns"]))]
    low, high, bottom, top = facts["box"]
    for (x, y), kind, wrong in zip(facts["points"], facts["classes"], found.frames["wrong"][-1]):
        at = width * (x - low) / (high - low), height * (top - y) / (top - bottom)
        fill = CLASSES[kind % len(CLASSES)] if facts["several"] else WEIGHTS.positive if kind else WEIGHTS.negative
        shapes.append(Circle(*at, 5.5 if wrong else 3.5, fill, BLACK))
    return width, height, [*shapes, Box(0, 0, width, height, MIDDLE, 0.8)]


def _colour(cell: int, several: bool) -> str:
    if several:
        return CLASSES[cell % len(CLASSES)]
    return WEIGHTS.of(cell if cell < 128 else cell - 256)


def _pale(colour: str) -> RGBA:
    return *rgb(colour), 110


def _images(found: Panel) -> tuple[float, float, list[Shape]]:
    """Width, height and shapes of the images, six in a row, each with what the model says."""
    facts = found.facts
    shapes: list[Shape] = []
    for i, row in enumerate(facts["pixels"]):
        x, y = i % 6 * (_SIDE + 14), i // 6 * (_SIDE + 30)
        greys: Sequence[Any] = [(grey, grey, grey, 255) for grey in row]
        shapes.append(Pixels(x, y, _SIDE, _SIDE, in_rows(greys, facts["side"])))
        wrong = bool(found.frames["wrong"][-1][i])
        says = f"says {found.frames['said'][-1][i]}"
        shapes.append(Text(x, y + _SIDE + 11, says, SIZES.note, WEIGHTS.negative if wrong else MIDDLE, anchor="start"))
    rows = -(-len(facts["pixels"]) // 6)
    return 6 * (_SIDE + 14), rows * (_SIDE + 30.0), shapes
