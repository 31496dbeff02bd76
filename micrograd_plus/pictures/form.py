"""The form of everything that is drawn: colours, letters, spaces, light and dark; and which colour shows a number.

Blue is positive and orange is negative, which all eyes tell apart. Most pictures have no background of their own, so
that what lies outside of boxes must be readable on white and on black; boxes are light or dark, as the viewer is.
Pages and films have a background and read everything as CSS variables, which `css` writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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


class Theme(NamedTuple):
    """The colours of a page, by what they are for; each name is that of a CSS variable."""

    back: str  # behind everything
    card: str  # behind what is read: the graph, its boxes, the tables
    text: str
    dim: str  # what matters less
    rule: str  # lines that part
    line: str  # arrows, outlines of boxes
    up: str  # upstream: where a gradient comes from
    loc: str  # local: the derivative, and where the gradient goes
    blue: str  # positive
    orange: str  # negative
    glow: str  # behind what happens now


LIGHT = Theme(
    *("#f7f8fa", "#ffffff", "#1d2733", "#5b6773", "#d5dbe1", "#83909c", "#6a3fb5", "#087a72", "#1d68c4", "#ab4e00"),
    "#fff1c9",
)
DARK = Theme(
    *("#12171c", "#1c232b", "#e8edf2", "#9aa7b4", "#38434e", "#7d8a97", "#c3a5ff", "#5fd6c9", "#6cb0ff", "#ffa04d"),
    "#45391a",
)
FORCED = Theme(  # where the system has a few colours of its own, as high contrast mode does
    *("Canvas", "Canvas", "CanvasText", "CanvasText", "CanvasText", "CanvasText", "LinkText", "Highlight"),
    *("CanvasText", "CanvasText", "Canvas"),
)


class Sizes(NamedTuple):
    """Of letters, in pixels, by what they are for; in graphs that Graphviz lays out, in points."""

    tiny: int  # numbers on arrows and axes; in graphs, all that stands in boxes
    note: int  # boxes of the page's graph, lines of code
    small: int  # captions, tables
    usual: int
    large: int  # titles


class Spaces(NamedTuple):
    """Between things, in pixels; and how round corners are."""

    near: int  # what belongs together
    gap: int
    room: int  # panels
    round: int


SIZES = Sizes(11, 12, 13, 15, 17)
SPACES = Spaces(5, 8, 12, 7)
NUMBER = 9  # points: numbers on the edges of graphs that Graphviz lays out
FONT = "Helvetica,Arial,sans-serif"  # of graphs that Graphviz lays out, and of networks
SANS = "system-ui, sans-serif"
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'


def css(selector: str) -> str:
    """The form of a page as variables in CSS, for what the selector chooses: --back, …, --tiny, …, --near, …, --sans.

    Light or dark follows the system, unless the chosen element's `data-theme` says "light" or "dark"; colours that the
    system forces on everything come before either.

    >>> css(".graph").splitlines()[0][:40]
    '.graph { --back: #f7f8fa; --card: #fffff'
    """
    light, dark, forced = [
        "; ".join([*[f"--{name}: {colour}" for name, colour in theme._asdict().items()], f"color-scheme: {scheme}"])
        for theme, scheme in ((LIGHT, "light"), (DARK, "dark"), (FORCED, "light dark"))
    ]
    lengths = "; ".join([f"--{name}: {size}px" for name, size in (SIZES._asdict() | SPACES._asdict()).items()])
    return (
        f"{selector} {{ {light}; {lengths}; --sans: {SANS}; --mono: {MONO}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ {selector}:not([data-theme=light]) {{ {dark}; }} }}\n"
        f"{selector}[data-theme=dark] {{ {dark}; }}\n"
        f"@media (forced-colors: active) {{ {selector}:not([data-theme=none]) {{ {forced}; }} }}\n"
    )


# graphs: light boxes with dark letters. What lies around them, and networks, are of middle tones, which contrast alike
# with white and with black: 4.5 to 1, so that words can be read
GREY, INK, PAPER, SHADE = "#767676", "#1c1c1c", "#ffffff", "#e9ebee"
DIM = "#9aa3ad"  # grey words where it is dark
LINES = Palette("#2579c2", "#b35f14", "#8863bc")
TINTS = Palette("#7db8ec", "#f9b45c", "#cdb4ec")  # behind dark letters
DARK_TINTS = Palette("#215f9a", "#874a0c", "#634a8c")  # the same behind light ones
WEIGHTS = LINES._replace(neither=GREY)
MIDDLE, MARK = GREY, "#927107"  # outlines and words; the frame around the strongest output
BLACK, WHITE = "#000000", "#ffffff"  # letters on a grey

STEPS = 12  # of a tint, which one can just tell apart, so that a picture has few colours

# plots: the two sides of a decision boundary
AREAS = Palette("#a8c8e8", "#f4c9a8", "#ffffff")
# classes, where there are more than two: Okabe's and Ito's, which all eyes tell apart (Color Universal Design, 2008)
CLASSES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")


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
    return "" if number == 0.0 else faded(TINTS.of(number), _share(math.ceil(STEPS * strength(number, largest))))


def _share(step: int) -> float:
    return 0.12 + 0.88 * step / STEPS


def faded(colour: str, share: float, ground: str = WHITE) -> str:
    """What is seen of a colour that covers its ground to such a share.

    >>> faded("#ff0000", 1.0), faded("#ff0000", 0.5), faded("#ff0000", 0.0)
    ('#ff0000', '#ff8080', '#ffffff')
    """
    mixed = [below + share * (part - below) for part, below in zip(rgb(colour), rgb(ground))]
    return "#" + "".join([f"{round(part):02x}" for part in mixed])


# what each colour of a graph's boxes becomes in the dark
IN_THE_DARK = {INK: DARK.text, PAPER: DARK.card, SHADE: "#2b343e"} | {
    faded(light, _share(step)): faded(dark, _share(step), DARK.card)
    for light, dark in zip(TINTS, DARK_TINTS)
    for step in range(STEPS + 1)
}


def in_the_dark(colours: Iterable[str]) -> str:
    """CSS by which those of a graph's colours change that stand in this list, where the viewer is dark.

    A colour of the user's own stays as it is; so do lines. Words around the boxes are lighter: JupyterLab is not black.

    >>> in_the_dark(["#ffffff", "#123456"])
    '@media (prefers-color-scheme:dark){:not(text)[fill="#ffffff"]{fill:#1c232b}}'
    """
    found = [colour for colour in IN_THE_DARK if colour in set(colours)]
    rules = [f'{":not(text)" * (colour != INK)}[fill="{colour}"]{{fill:{IN_THE_DARK[colour]}}}' for colour in found]
    rules += [f'text[fill="{GREY}"]{{fill:{DIM}}}'] * (GREY in set(colours))
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
