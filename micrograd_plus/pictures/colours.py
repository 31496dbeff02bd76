"""The colours of everything that is drawn, and which of them shows a number's sign and size.

Blue is positive and orange is negative, which all eyes tell apart. Most pictures have no background of their own, so
that what lies outside of boxes must be readable on white and on black; the pages have theirs, and their colours stand
in `stepping/page/*.css`.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Palette(NamedTuple):
    """The colours of positive numbers, of negative ones, and of what is neither: 0 or nan."""

    positive: str
    negative: str
    neither: str

    def of(self, number: float) -> str:
        """The colour of a number's sign.

        >>> LINES.of(2.0) == LINES.positive
        True
        """
        return self.positive if number > 0 else self.negative if number < 0 else self.neither


# graphs: light boxes with dark letters; the grey around them contrasts alike with white and with black (4.5 to 1)
GREY, INK, PAPER, SHADE = "#767676", "#1c1c1c", "#ffffff", "#e9ebee"
LINES = Palette("#3b82c4", "#cf7a1c", "#8e6bbf")
TINTS = Palette("#7db8ec", "#f9b45c", "#cdb4ec")  # behind dark letters

# networks: middle tones, also where a weight lies half transparent on a background
WEIGHTS = Palette("#3a8fd9", "#e8862e", "#808080")
MIDDLE, MARK = WEIGHTS.neither, "#c79a0a"  # outlines and words; the frame around the strongest output

# plots: the two sides of a decision boundary
AREAS = Palette("#a8c8e8", "#f4c9a8", "#ffffff")


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour, from 0 to 255.

    >>> rgb("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return red, green, blue


def strength(number: float, largest: float) -> float:
    """From 0 to 1: the root of the share of the largest, so that small ones can be told from nothing.

    >>> strength(1.0, 4.0), strength(0.0, 4.0), strength(math.nan, 4.0)
    (0.5, 0.0, 1.0)
    """
    if not math.isfinite(number):
        return 1.0
    return math.sqrt(abs(number) / largest) if largest else 0.0


def tint(number: float, largest: float) -> str:
    """The colour behind a gradient, the fuller the larger it is; "" for none."""
    if number == 0.0:
        return ""
    full = 0.12 + 0.88 * strength(number, largest)
    parts = [round(255 + full * (part - 255)) for part in rgb(TINTS.of(number))]
    return "#" + "".join([f"{part:02x}" for part in parts])
