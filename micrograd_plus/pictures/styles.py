"""How the box of a node looks: coloured by one of its numbers, or as the user wants it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple

from micrograd_plus._support.errors import nearest, unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import shorter
from micrograd_plus.pictures.css_names import NAMES
from micrograd_plus.pictures.form import BLACK, GREY, IN_THE_DARK, INK, WHITE, rgb, tint

Kind = Literal["grad", "data", "contribution"]
Gradient = Callable[[Value], float]  # of each node; mostly `.grad`
NUMBERS: dict[str, Callable[[float, float], float]] = {  # which number colours a node: from its data and its gradient
    "grad": lambda _, grad: grad,
    "data": lambda data, _: data,
    "contribution": lambda data, grad: data * grad,
}
TOLD = {"grad": "the gradient", "data": "the data", "contribution": "data times gradient"}
SHAPES = ("box", "rounded", "ellipse", "circle", "diamond", "hexagon", "octagon")
KEYS = ("color", "fill", "text", "shape")
Styling = Callable[[Value], Mapping[str, str] | None] | Mapping[Value, Mapping[str, str]]


class Style(NamedTuple):
    """How a box looks; "" is the usual."""

    color: str = ""  # of its outline
    fill: str = ""  # behind what is written
    text: str = ""  # of the letters
    shape: str = ""

    @property
    def letters(self) -> str:
        """The colour of the letters: what is wanted, ours on our colours, else what is read best."""
        if self.text or not self.fill or self.fill in IN_THE_DARK:
            return self.text or INK
        return BLACK if _is_light(self.fill) else WHITE

    @property
    def line(self) -> str:
        return self.color or GREY


class Tint(NamedTuple):
    """By which number the nodes of a picture are coloured, and the largest size of it in the picture."""

    kind: Kind | None
    largest: float
    gradient: Gradient = attrgetter("grad")

    def of(self, node: Value) -> str:
        """The colour behind a node; "" for none."""
        return "" if self.kind is None else tint(NUMBERS[self.kind](node.data, self.gradient(node)), self.largest)

    @property
    def caption(self) -> str:
        """What the colours tell; "" where there are none."""
        if self.kind is None or not self.largest:
            return ""
        return f"colours tell {TOLD[self.kind]}: blue above 0, orange below, the deepest for {shorter(self.largest)}"


def tint_of(
    kind: Kind | None, nodes: Iterable[Value], *, computed: bool, gradient: Gradient = attrgetter("grad")
) -> Tint:
    """How the nodes are coloured; by gradients only where there are some.

    >>> from micrograd_plus import Value
    >>> tint_of("data", [Value(-3.0), Value(2.0)], computed=False).caption
    'colours tell the data: blue above 0, orange below, the deepest for 3'
    """
    if kind is None or (kind != "data" and not computed):
        return Tint(None, 0.0, gradient)
    sizes = [abs(NUMBERS[kind](node.data, gradient(node))) for node in nodes]
    return Tint(kind, max([size for size in sizes if math.isfinite(size)], default=0.0), gradient)


def styles_of(wanted: Styling | None, nodes: Iterable[Value]) -> Identities[Value, Style]:
    """What the user wants of each of the nodes, checked.

    Args:
        wanted: a function of a Value, or a dict by Value; of each what stands under some of KEYS, or None.
        nodes: those that are drawn, by themselves or as what a box gives out.

    Raises:
        TypeError: it is no function and no dict, or gives something else than a dict.
        ValueError: there is no such key, colour or shape.

    >>> from micrograd_plus import Value
    >>> x = Value(1.0)
    >>> styles_of({x: {"fill": "#202020"}}, [x])[x].letters
    '#ffffff'
    """
    if wanted is None:
        return Identities()
    if not callable(wanted) and not isinstance(wanted, Mapping):
        expected = "expected a function of a Value, or a dict from Values to dicts"
        raise TypeError(f"draw(node={short_repr(wanted)}): {expected} such as {{'fill': 'gold'}}")
    by_value = Identities(wanted) if isinstance(wanted, Mapping) else None
    for key in by_value or ():
        if not isinstance(key, Value):
            raise TypeError(f"draw(node={{{short_repr(key)}: ...}}): expected Values as keys, got {type(key).__name__}")
    found: Identities[Value, Style] = Identities()
    for node in nodes:
        given = by_value.get(node) if by_value is not None else wanted(node)  # type: ignore[operator]
        if given:
            found[node] = _checked(given)
    return found


def _checked(given: Any) -> Style:
    """The style that a dict tells."""
    if not isinstance(given, Mapping):
        expected = "expected for a node a dict such as {'fill': 'gold'}, or None"
        raise TypeError(f"draw(node=...): {expected}, got {short_repr(given)}")
    for key, value in given.items():
        if key not in KEYS:
            raise unknown("key in draw(node=...),", key, KEYS)
        if key == "shape" and value not in SHAPES:
            raise unknown("shape in draw(node=...),", value, SHAPES)
    return Style(**{key: value if key == "shape" else _colour(key, value) for key, value in given.items()})


def _colour(key: str, value: Any) -> str:
    """A colour as #rrggbb."""
    name = value.lower() if isinstance(value, str) else ""
    if re.fullmatch("#[0-9a-f]{6}", name):
        return name
    if re.fullmatch("#[0-9a-f]{3}", name):
        return "#" + "".join([2 * digit for digit in name[1:]])
    if name not in NAMES:
        near = nearest(name, NAMES)
        expected = f"did you mean {near!r}?" if near else "expected a colour such as '#1f6fd0' or 'gold'"
        raise ValueError(f"draw(node=...): {key!r} is {short_repr(value)}; {expected}")
    return NAMES[name]


def _is_light(colour: str) -> bool:
    """Whether dark letters are read better on it than white ones: its luminance, as WCAG 2.2 weighs it."""
    parts = [part / 255 for part in rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.2
