"""Draw with characters: digits, a table of mistakes, a boundary in the plane."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

SHADES, ASCII_SHADES = " ░▒▓█", " .-+#"  # from paper to ink


def shades() -> str:
    """Five characters from light to dark, such as standard output can write."""
    try:
        SHADES.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return ASCII_SHADES
    return SHADES


def image_lines(image: Sequence[float], ramp: str = SHADES) -> list[str]:
    """A square image of numbers from 0 to 1 as lines of shades; a character is half as wide as it is high.

    A small image takes two characters a pixel, a large one a character for two pixels, one above the other.

    >>> image_lines([0.0, 1.0, 0.6, 0.2])
    ['  ██', '▓▓░░']
    """
    side = isqrt(len(image))
    rows = [image[i : i + side] for i in range(0, len(image), side)]
    if side <= 16:
        cells = [[ink for ink in row for _ in range(2)] for row in rows]
    else:
        below = [*rows[1:], [0.0] * side]
        cells = [[(a + b) / 2 for a, b in zip(*pair)] for pair in list(zip(rows, below))[::2]]
    last = len(ramp) - 1
    return ["".join(ramp[min(int(ink * len(ramp)), last)] for ink in row) for row in cells]


def gallery(pictures: Sequence[tuple[Sequence[float], Sequence[str]]], *, width: int = 80, ramp: str = SHADES) -> str:
    """Images side by side, each over its lines of caption, as many in a row as fit the width; no blank lines."""
    blocks = [[*image_lines(image, ramp), *caption] for image, caption in pictures]
    if not blocks:
        return ""
    column = max(len(line) for block in blocks for line in block)
    in_a_row = max(1, (width + 3) // (column + 3))
    bands = []
    for i in range(0, len(blocks), in_a_row):
        rows = zip_longest(*blocks[i : i + in_a_row], fillvalue="")
        lines = ["   ".join(line.ljust(column) for line in row).rstrip() for row in rows]
        bands.append("\n".join(line for line in lines if line))
    return "\n\n".join(bands)


def confusion(labels: Sequence[int], said: Sequence[int], *, classes: int = 10, plain: bool = True) -> Table:
    """How often each digit (a row) was taken for each digit (a column), and the share of a row that is right."""
    from rich import box
    from rich.table import Table

    table = Table(box=None if plain else box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("digit", justify="right")
    for digit in range(classes):
        table.add_column(str(digit), justify="right", min_width=3)
    table.add_column("right", justify="right")
    for digit in range(classes):
        answers = [answer for label, answer in zip(labels, said) if label == digit]
        counts = [answers.count(other) for other in range(classes)]
        cells = [_cell(number, other == digit, plain) for other, number in enumerate(counts)]
        share = f"{100 * counts[digit] / len(answers):.0f} %" if answers else ""
        table.add_row(str(digit), *cells, share)
    return table


def _cell(number: int, right: bool, plain: bool) -> str:
    text = str(number) if number else "."
    if plain:
        return text
    return f"[dim]{text}[/]" if not number else f"[green]{text}[/]" if right else f"[bold red]{text}[/]"


def plane(
    scores: Callable[[list[list[float]]], Sequence[float]],
    points: Sequence[Sequence[float]],
    labels: Sequence[int],
    *,
    width: int = 72,
    ramp: str = SHADES,
) -> str:
    """The plane, shaded where the scores are positive, with the points on it: o for label 0, x for label 1."""
    (left, right), (low, high) = bounds(points)
    height = max(1, round(width * (high - low) / (right - left) / 2))

    across = [left + (column + 0.5) / width * (right - left) for column in range(width)]
    down = [high - (row + 0.5) / height * (high - low) for row in range(height)]
    shaded = [ramp[1] if score > 0 else " " for score in scores([[x, y] for y in down for x in across])]
    cells = [shaded[row * width : (row + 1) * width] for row in range(height)]
    for (x, y), label in zip(points, labels):
        row, column = int((high - y) / (high - low) * height), int((x - left) / (right - left) * width)
        cells[row][column] = "ox"[label]
    return "\n".join("".join(row) for row in cells)


def bounds(points: Sequence[Sequence[float]], margin: float = 0.3) -> list[tuple[float, float]]:
    """The least and the greatest coordinate along each axis, with a margin around them.

    >>> bounds([[0.0, 1.0], [2.0, 1.0]], margin=0.5)
    [(-0.5, 2.5), (0.5, 1.5)]
    """
    return [(min(axis) - margin, max(axis) + margin) for axis in zip(*points)]
