"""Where numbers are in C: elements of arrays, at indices that loops count or that a table lists."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from micrograd_plus.program.arrays import Places
from micrograd_plus.program.exports.c_rows import entry, literal, real

WIDTH = 110  # letters in a line of numbers


class Place(NamedTuple):
    """Where the rows of an array are.

    Attributes:
        base: the name of an array of C; or an expression, which all rows have in common.
        at: which of its elements they are; None for an expression.
    """

    base: str
    at: Places | None = None

    def rows(self, rows: Places) -> Place:
        """Some of its rows."""
        return self if self.at is None else Place(self.base, self.at[rows])


class Tables:
    """The constants that stand before the functions: numbers, and indices where no formula gives them."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self._names: dict[tuple[str, bytes], str] = {}
        self._lines: list[str] = []

    def text(self) -> str:
        """Their definitions."""
        return "\n".join(self._lines)

    def numbers(self, numbers: Places) -> Place:
        """Where these numbers are; as a literal, where they are all the same."""
        if len(set(map(literal, numbers.tolist(), [self.dtype] * len(numbers)))) == 1:
            return Place(literal(float(numbers[0]), self.dtype))
        return self.stored(numbers)

    def stored(self, numbers: Places) -> Place:
        """Where these numbers are, in a table even where there is but one."""
        texts = [entry(number, self.dtype) for number in numbers.tolist()]
        return Place(self._table("numbers", real(self.dtype), numbers, texts), np.arange(len(numbers)))

    def element(self, place: Place, shape: Sequence[int] = (), loops: Sequence[str] = ()) -> str:
        """One of its numbers, by the variables of the loops over its rows, which have that shape."""
        if place.at is None:
            return place.base
        grid = place.at.reshape(shape) if len(place.at) > 1 else place.at.reshape([1] * len(shape))
        counted = [(name, axis) for axis, name in enumerate(loops) if grid.shape[axis] > 1]
        start = int(grid.flat[0])
        steps = [int(grid.take(1, axis).flat[0]) - start for _, axis in counted]
        formula = np.full((1,) * grid.ndim, start)
        for step, (_, axis) in zip(steps, counted):
            along = [1] * grid.ndim
            along[axis] = -1
            formula = formula + step * np.arange(grid.shape[axis]).reshape(along)
        if (formula == grid).all():
            return f"{place.base}[{_sum(start, [(step, name) for step, (name, _) in zip(steps, counted)])}]"
        inner = [(prod(grid.shape[axis + 1 :]), name) for name, axis in counted]
        return f"{place.base}[{self._indices(place.at)}[{_sum(0, inner)}]]"

    def _indices(self, indices: Places) -> str:
        kind = "unsigned short" if indices.max() < 2**16 else "int"
        return self._table("rows", kind, indices, [str(index) for index in indices.tolist()])

    def _table(self, name: str, kind: str, content: Places, texts: list[str]) -> str:
        key = (name, content.tobytes())
        if key not in self._names:
            self._names[key] = made = f"{name}{len(self._names)}"
            self._lines.append(f"static const {kind} {made}[{len(texts)}] = {{\n{wrapped(texts)}\n}};")
        return self._names[key]


def wrapped(texts: Sequence[str], indent: str = "    ") -> str:
    """The entries of a table, in lines of about equal length."""
    lines, line = [], indent
    for text in texts:
        if len(line) + len(text) > WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{text}, "
    return "\n".join([*lines, line.rstrip().rstrip(",")])


def _sum(start: int, terms: Sequence[tuple[int, str]]) -> str:
    """`5 + 3 * i - j`"""
    text = str(start) if start or not any(step for step, _ in terms) else ""
    for step, name in terms:
        if step:
            sign = (" - " if text else "-") if step < 0 else " + " if text else ""
            text += f"{sign}{name}" if abs(step) == 1 else f"{sign}{abs(step)} * {name}"
    return text
