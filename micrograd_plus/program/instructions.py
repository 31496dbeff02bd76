"""The code of a kernel: instructions, the places of their numbers, and which registers share memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONG, SHORT = 64, 32  # how many samples the machine computes together; see `assembled`
COLUMN = 32  # so many rows of a column it takes for one; see native/kernels.c
SLACK = COLUMN  # these are read perhaps beyond the last row
SIZES = ("LENGTH", "INNER", "TIMES", "FIRST", "SOURCE", "TARGET", "BIASED")  # what an instruction knows besides
NO_INDICES = -1


class Unfit(Exception):  # noqa: N818 - it says why, and NumPy runs the program: no error
    """Why a program cannot be run by kernels."""


@dataclass(eq=False)
class Memory:
    """Numbers that belong together, in a space where others lie, too; where they begin is settled last."""

    space: str
    size: int
    start: int = 0


@dataclass(frozen=True)
class Place:
    """Where the rows of an array lie.

    Attributes:
        memory: which numbers they are some of.
        start: where among these the first row begins.
        step: how far it is from one row to the next; 0 where one row serves for all.
        column: 1 where a row is a single number, which serves all samples; in a matrix the step from column to column.
    """

    memory: Memory
    start: int = 0
    step: int = 0
    column: int = 0

    def rows(self, first: int, stride: int) -> Place:
        """Every so many-th row, from the first one on."""
        return replace(self, start=self.start + first * self.step, step=stride * self.step)

    def once(self) -> Place:
        """Its first row for all rows."""
        return replace(self, step=0)


NOWHERE = Place(Memory("CONSTANTS", 0))


@dataclass
class Instruction:
    """One step of the machine: see native/kernels.c for what each does."""

    op: str
    rows: int
    to: Place
    a: Place = NOWHERE
    b: Place = NOWHERE
    c: Place = NOWHERE
    extra: dict[str, int] = field(default_factory=dict)
    in_place: bool = False  # whether the result may lie where an argument of the same shape does

    @property
    def results(self) -> list[Memory]:
        """What it writes."""
        return [place.memory for place in ((self.to, self.c) if self.op.endswith("_and_slope") else (self.to,))]

    @property
    def reads(self) -> list[Place]:
        """What it reads."""
        return [place for place in (self.a, self.b, self.c) if place.memory not in self.results]


def instruction(op: str, rows: int, to: Place, *operands: Place, **extra: int) -> Instruction:
    """One with up to three operands."""
    a, b, c = (*operands, NOWHERE, NOWHERE, NOWHERE)[:3]
    return Instruction(op, rows, to, a, b, c, extra)


class Pool:
    """Numbers that stand in the code: what is there already is not put in again."""

    def __init__(self) -> None:
        self.numbers: list[Any] = []
        self._known: dict[bytes, int] = {}

    def place(self, numbers: NDArray[Any]) -> int:
        """Where these begin."""
        key = numbers.tobytes()
        if key not in self._known:
            self._known[key] = len(self.numbers)
            self.numbers.extend(numbers.tolist())
        return self._known[key]


def settled(instructions: list[Instruction], space: str, reserved: int = 0) -> int:
    """Give each memory of this space its place; what is no longer read makes room. Returns how much is needed.

    Args:
        instructions: in the order in which they run.
        space: "REGISTERS" or "COLUMNS".
        reserved: how much at its beginning is taken.
    """
    last: dict[Memory, int] = {}
    for step, instruction in enumerate(instructions):
        for memory in (*[place.memory for place in instruction.reads], *instruction.results):
            if memory.space == space:
                last[memory] = step
    room, known = Room(reserved), set[Memory]()
    for step, instruction in enumerate(instructions):
        dying = {place.memory: place for place in instruction.reads if last.get(place.memory) == step}
        for memory in instruction.results:
            if memory.space != space or memory in known or not memory.size:
                continue
            known.add(memory)
            for old, place in dying.items() if instruction.in_place else ():
                row_by_row = all(read == place for read in instruction.reads if read.memory is old)
                if row_by_row and old.size == memory.size and place.start == 0 and place.step == instruction.to.step:
                    memory.start = old.start
                    del dying[old]
                    break
            else:
                memory.start = room.taken(memory.size)
        for memory in (*dying, *[memory for memory in instruction.results if last.get(memory) == step]):
            if memory in known:  # else it was there before
                room.give_back(memory.start, memory.size)
    return room.size


class Room:
    """Which parts of a space are free: the first that is large enough is taken."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[tuple[int, int]] = []  # start and end, in order

    def taken(self, size: int) -> int:
        for i, (start, end) in enumerate(self._free):
            if end - start >= size:
                self._free[i : i + 1] = [(start + size, end)] if end - start > size else []
                return start
        start = self.size
        if self._free and self._free[-1][1] == self.size:
            start = self._free.pop()[0]
        self.size = start + size
        return start

    def give_back(self, start: int, size: int) -> None:
        parts = sorted([*self._free, (start, start + size)])
        self._free = parts[:1]
        for begin, end in parts[1:]:
            if begin == self._free[-1][1]:
                self._free[-1] = (self._free[-1][0], end)
            else:
                self._free.append((begin, end))


def encoded(instructions: Iterable[Instruction], ops: dict[str, int], spaces: dict[str, int]) -> NDArray[np.int32]:
    """The instructions as the machine reads them: a row of 25 numbers each."""
    rows = []
    for it in instructions:
        operands = [
            (spaces[place.memory.space], place.memory.start + place.start, place.step, place.column)
            for place in (it.to, it.a, it.b, it.c)
        ]
        extra = [it.extra.get(name, NO_INDICES if name in ("SOURCE", "TARGET") else 0) for name in SIZES]
        rows.append([ops[it.op], it.rows, *operands[0], *operands[1], *operands[2], *operands[3], *extra])
    return np.array(rows, dtype=np.int32).reshape(len(rows), 18 + len(SIZES))
