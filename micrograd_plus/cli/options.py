"""How is the text of an option read: a number above 0, sizes of layers, numbers by name?"""

from __future__ import annotations

from contextlib import suppress
from math import inf

import click


def positive(text: str) -> float:
    """A finite number above 0."""
    with suppress(ValueError):
        if 0 < float(text) < inf:
            return float(text)
    raise click.BadParameter(f"{text!r}; expected a finite number above 0, such as 0.1")


def sizes(text: str) -> tuple[int, ...]:
    """Whole numbers of at least 1, between commas."""
    with suppress(ValueError):
        numbers = tuple(int(size) for size in text.split(","))
        if min(numbers) >= 1:
            return numbers
    raise click.BadParameter(f"{text!r}; expected the sizes of the hidden layers, such as 16,16")


def numbers(_: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    """A number for each name, between commas: w=2,x=-3."""
    found: dict[str, float] = {}
    for text in ",".join(texts).split(",") if texts else ():
        name, _equals, data = [part.strip() for part in text.partition("=")]
        try:
            number = float(data)
        except ValueError:
            number = None
        if number is None or not name.isidentifier():
            raise click.BadParameter(f"{text!r}; expected name=number, such as w=2", param=option)
        if name in found:
            raise click.BadParameter(f"{text!r}; {name} is given twice", param=option)
        found[name] = number
    return found
