"""A kernel that is being written: which instructions there are so far, and where each array's numbers lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd_plus.engine.operations import Op
from micrograd_plus.program.arrays import Array, Operand, Places, Product
from micrograd_plus.program.instructions import COLUMN, Instruction, Memory, Place, Pool, Unfit, instruction
from micrograd_plus.program.lowering import reached
from micrograd_plus.program.strides import is_matrix_of_theta, rows_of_theta, strided

BEFORE, INSIDE, AFTER = range(3)  # the blocks
SECTION = (0, 1, 3)  # of the code, for each of these; section 2 is that of the folds
SCALARS = {"share": 0, "count": COLUMN}  # where they lie among the columns


class Draft:
    """The instructions written so far, and where each array's numbers are.

    Attributes:
        ops: what the machine calls the rows of the table that it has.
        arrays: all that must be computed, arguments before results.
        users: for each array, by its number, those that read it.
        level: for each array whether it is computed before the blocks, inside of them or after.
        sections: the code: before the blocks, inside of each, folds of sums, after the blocks.
        places: for each array that was written where its rows are.
        indices, constants: what stands in the code besides.
        block: how many samples are computed together.
        whole: whether each block must be computed in full, also where it has fewer samples.
    """

    def __init__(self, outputs: Sequence[Array], ops: dict[Op, str], block: int) -> None:
        self.ops, self.block = ops, block
        self.arrays = reached(outputs)
        self.outputs = outputs
        self.users: dict[int, list[Array]] = {}
        for array in self.arrays:
            for arg in array.arrays:
                self.users.setdefault(arg.number, []).append(array)
        self.level = self._levels()
        self.sections: tuple[list[Instruction], ...] = ([], [], [], [])
        self.places: dict[int, Place] = {}
        self.indices, self.constants = Pool(), Pool()
        self.numbers = Memory("CONSTANTS", 0)
        self.scalars = Memory("COLUMNS", 2 * COLUMN)
        self.whole = False

    def _levels(self) -> dict[int, int]:
        """For each array whether it is computed before the blocks, inside of them or after."""
        level: dict[int, int] = {}
        for array in self.arrays:
            deepest = max([level[arg.number] for arg in array.arrays], default=BEFORE)
            if array.batched:
                if deepest == AFTER:
                    raise Unfit("numbers of single examples are made from sums over all examples")
                level[array.number] = INSIDE
            else:
                level[array.number] = AFTER if deepest == INSIDE else deepest
        return level

    def _only_user(self, array: Array) -> Array | None:
        users = self.users.get(array.number, [])
        return users[0] if len(users) == 1 and not any(array is out for out in self.outputs) else None

    # ------------------------------------------------------------------------------------------------------- the places

    def place(self, array: Array) -> Place:
        """Where an array's rows are; they are computed now if they were not yet."""
        if array.number not in self.places:
            made: Place = getattr(self, f"_{array.kind}")(array)
            self.places[array.number] = made
        return self.places[array.number]

    def _new(self, array: Array) -> Place:
        """Room for an array."""
        if array.batched:
            return self._registers(array.rows)
        return Place(Memory("COLUMNS", -(-array.rows // COLUMN) * COLUMN), 0, 1, 1)

    def _registers(self, rows: int) -> Place:
        """Room for so many rows of a block."""
        return Place(Memory("REGISTERS", rows * self.block), 0, self.block)

    def _emit(self, array: Array, op: str, rows: int, to: Place, *operands: Place, **extra: int) -> Instruction:
        made = instruction(op, rows, to, *operands, **extra)
        self.sections[SECTION[self.level[array.number]]].append(made)
        return made

    def _number(self, number: float) -> Place:
        return Place(self.numbers, self.constants.place(np.array([number])), 0, 1)

    def _x(self, array: Array) -> Place:
        return self._loaded(array, np.arange(array.rows))

    _y = _x

    def _loaded(self, source: Array, rows: Places) -> Place:
        """Columns of the batch as rows."""
        to = self._registers(len(rows))
        start = self.indices.place(rows.astype(np.int32))
        self._emit(source, "LOAD", len(rows), to, self._batch(source, 0), SOURCE=start)
        return to

    def _batch(self, source: Array, first: int) -> Place:
        """Numbers as they lie in the batch, from the first one of each example on."""
        return Place(Memory(source.kind.upper(), 0), first, source.rows)

    def _theta(self, array: Array) -> Place:  # noqa: ARG002 - each kind gets its array
        return Place(Memory("THETA", 0), 0, 1, 1)

    def _const(self, array: Array) -> Place:
        return Place(self.numbers, self.constants.place(np.asarray(array.numbers, dtype=float).ravel()), 1, 1)

    def _share(self, array: Array) -> Place:
        return Place(self.scalars, SCALARS[array.kind], 0, 1)

    _count = _share

    def _operand(self, arg: Operand, rows: int) -> Place:
        """An argument of something with so many rows."""
        if not isinstance(arg, Array):
            return self._number(arg)
        place = self.place(arg)
        return place.once() if arg.rows == 1 < rows else place

    def _contiguous(self, arg: Array) -> Place:
        """An argument with one row after the other, a column so that a few numbers more can be read."""
        place = self.place(arg)
        fits = place.step == (self.block if arg.batched else 1) or arg.rows == 1
        if fits and (arg.batched or place.memory.space in ("COLUMNS", "CONSTANTS")):
            return place
        to = self._new(arg)
        length = {} if arg.batched else {"LENGTH": 1}
        self._emit(arg, "GATHER", arg.rows, to, place, **length)
        self.places[arg.number] = to
        return to

    def _batched(self, arg: Array) -> Place:
        """An argument as rows of a block, also where it is the same for all samples."""
        if arg.batched:
            return self.place(arg)
        to = self._registers(arg.rows)
        self.sections[1].append(Instruction("GATHER", arg.rows, to, self.place(arg)))
        return to

    def _matrix(self, array: Operand, sizes: Product) -> Place:
        """A matrix: the steps from row to row and from column to column."""
        assert isinstance(array, Array)
        if array.batched:
            raise Unfit("a matrix differs from example to example")
        if array.kind in ("rows", "theta") and is_matrix_of_theta(array) and array.number not in self.places:
            grid = strided(rows_of_theta(array), sizes.m, sizes.k)
            if grid is not None:
                return Place(Memory("THETA", 0), *grid)
        place = self.place(array)
        return replace(place, step=place.step * sizes.k, column=place.step)
