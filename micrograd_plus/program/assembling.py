"""Write a kernel: the instructions that compute some arrays block by block, from those that compute whole batches.

What is the same for all examples is computed once, before the blocks; sums over the examples are gathered block by
block, and what is made of them is computed after. What a layer makes of a block never leaves the nearest cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.program.arrays import Array, Operand, Places
from micrograd_plus.program.instructions import (
    COLUMN,
    LONG,
    NOWHERE,
    SHORT,
    SLACK,
    Instruction,
    Memory,
    Place,
    Pool,
    Unfit,
    instruction,
    settled,
)
from micrograd_plus.program.lowering import SQUARE
from micrograd_plus.program.products import Products
from micrograd_plus.program.strides import stride

NEAR = 2**18  # bytes of a block's rows; beyond, a long block takes as long as two short ones, or a little longer
PAIRS = {  # a function, its slope, and both at once
    "tanh": ("sech_square", "tanh_and_slope"),
    "sigmoid": ("sigmoid_slope", "sigmoid_and_slope"),
    "sin": ("cos", "sin_and_slope"),
}


class Output(NamedTuple):
    """Where a result is found.

    Attributes:
        total: where it begins in the sums; -1 for one that has an array of its own.
        rows: how many it has.
        batched: whether it has a column for each example.
    """

    total: int
    rows: int
    batched: bool


class Assembled(NamedTuple):
    """A kernel's code, in four sections: before the blocks, inside of each, folds of sums, after the blocks."""

    sections: tuple[list[Instruction], ...]
    outputs: list[Output]
    indices: Pool
    constants: Pool
    columns: int
    registers: int
    partials: int
    totals: int
    gradient: int  # how many of the totals a gradient is
    block: int  # how many samples are computed together
    whole: bool
    cleared: bool


def assembled(outputs: Sequence[Array], ops: dict[Op, str], size: int) -> Assembled:
    """The code that computes these arrays.

    Blocks are long where what a block needs stays in a near cache, and none must be computed in full. Then rows, and
    sums over the samples, are gone through less often.

    Args:
        outputs: the arrays.
        ops: what the machine calls the rows of the table that it has.
        size: of a number, in bytes.

    Raises:
        Unfit: there is something in them that the machine cannot compute.
    """
    made = _Assembler(outputs, ops, LONG).assembled()
    if made.whole or made.registers * size > NEAR:
        made = _Assembler(outputs, ops, SHORT).assembled()
    return made


class _Assembler(Products):
    """Adds to products and sums what is computed element by element, rows that are moved, and the results."""

    def __init__(self, outputs: Sequence[Array], ops: dict[Op, str], block: int) -> None:
        super().__init__(outputs, ops, block)
        self.given = 0  # how many results have an array of their own
        self.slopes = self._slopes()

    def assembled(self) -> Assembled:
        for array in self.arrays:
            if not self._put_off(array):
                self.place(array)
        found = [self._output(array) for array in self.outputs]
        cleared = self._first_writers()
        before, inside, folds, after = self.sections
        registers = settled(inside, "REGISTERS")
        columns = settled([*before, *inside, *after], "COLUMNS", self.scalars.size) + SLACK
        totals = -(-self.total_rows // COLUMN) * COLUMN + SLACK
        self.constants.numbers.extend([0.0] * SLACK)
        gradient = self.gradient.rows if self.gradient else 0
        return Assembled(
            (before, inside, folds, after), found, self.indices, self.constants, columns, registers, self.partial_sums,
            totals, gradient, self.block, self.whole, cleared,
        )  # fmt: skip

    def _put_off(self, array: Array) -> bool:
        """Whether it is written only when another instruction needs it, perhaps as a part of that one, or never."""
        if array.kind in ("x", "y", "theta", "const", "share", "count") or array is self.gradient:
            return True
        if array.kind == "rows" and len(array.pieces) == 1:
            return True
        if array.kind == "apply" and array.op is SQUARE and self._is(array.args[0], "sech"):
            return True
        if array.kind == "apply" and self.ops.get(array.op) == "sech":
            return True
        return self._biased_by(array) is not None

    def _is(self, arg: Operand, name: str) -> bool:
        return isinstance(arg, Array) and arg.kind == "apply" and self.ops.get(arg.op) == name

    # ---------------------------------------------------------------------------------------------- element by element

    def _slopes(self) -> dict[tuple[str, int], Array]:
        """The derivatives of tanh, sigmoid and sine by what they are computed of, which is computed with them."""
        found = {}
        for array in self.arrays:
            name, arg = self._called(array)
            if name in [slope for slope, _ in PAIRS.values()] and array.batched and arg is not None:
                found[name, arg.number] = array
        return found

    def _called(self, array: Array) -> tuple[str, Array | None]:
        """The machine's name for an operation, and its first argument."""
        if array.kind != "apply":
            return "", None
        arg = array.args[0]
        if isinstance(arg, Array) and array.op is SQUARE and self._is(arg, "sech"):
            return "sech_square", arg.arrays[0]
        return self.ops.get(array.op, ""), arg if isinstance(arg, Array) else None

    def _apply(self, array: Array) -> Place:
        name, arg = self._called(array)
        if not name:
            raise Unfit(f"there is no kernel for {array.op.name}")
        if name == "add" and (product := self._biased(array)) is not None:
            return product
        if arg is not None and array.batched:
            for one, (slope, both) in PAIRS.items():
                if name in (one, slope) and (slope, arg.number) in self.slopes:
                    other = self._twin(one, arg)
                    if other is not None:
                        return self._pair(array, name == one, both, other, self.slopes[slope, arg.number], arg)
        if name == "sech_square" and arg is not None:
            return self._elementwise(array, name, [arg])
        return self._elementwise(array, name, array.args)

    def _twin(self, name: str, arg: Array) -> Array | None:
        return next((user for user in self.users[arg.number] if self._called(user)[0] == name), None)

    def _pair(self, array: Array, is_value: bool, both: str, value: Array, slope: Array, arg: Array) -> Place:
        """A function and its slope at once."""
        places = self._new(value), self._new(slope)
        self._emit(array, both, array.rows, places[0], self.place(arg), NOWHERE, places[1])
        self.places[value.number], self.places[slope.number] = places
        return places[0] if is_value else places[1]

    def _elementwise(self, array: Array, name: str, args: Sequence[Operand]) -> Place:
        if array.batched:
            operands = [self._operand(arg, array.rows) for arg in args]
            to = self._new(array)
            self._emit(array, name, array.rows, to, *operands).in_place = True
            return to
        operands = []
        for arg in args:  # 32 rows of a column are computed as one
            if isinstance(arg, Array) and arg.rows > 1:
                operands.append(replace(self._contiguous(arg), step=COLUMN, column=0))
            else:
                operands.append(self._operand(arg, 2).once())
        to = self._new(array)
        self._emit(array, name, -(-array.rows // COLUMN), replace(to, step=COLUMN, column=0), *operands)
        return to

    def _not(self, array: Array) -> Place:
        return self._elementwise(array, "not", array.args)

    def _and(self, array: Array) -> Place:
        return self._elementwise(array, "mul", array.args)

    def _cast(self, array: Array) -> Place:
        return self.place(array.arrays[0])

    def _spread(self, array: Array) -> Place:
        return self._elementwise(array, "copy", array.args)

    def _partial(self, array: Array) -> Place:
        raise Unfit(f"a partial derivative of {array.column[0].name} can only be computed by Python, number by number")

    # ------------------------------------------------------------------------------------------------------------ rows

    def _rows(self, array: Array) -> Place:
        if len(array.pieces) == 1:
            source, rows = array.arrays[0], array.pieces[0].source
            if source.kind in ("x", "y") and source.number not in self.places:
                return self._loaded(source, rows)
            if (spaced := stride(rows)) is not None:
                return self.place(source).rows(*spaced)
        to = self._new(array)
        for piece in array.pieces:
            self._moved(array, "GATHER", array.arrays[piece.array], piece.source, to, piece.target)
        return to

    def _moved(self, array: Array, op: str, source: Array, rows: Places, to: Place, target: Places) -> None:
        """Put rows of one array to those of another, or add them."""
        extra = {} if array.batched else {"LENGTH": 1}
        picked = self.place(source)
        if (spaced := stride(rows)) is not None:
            picked = picked.rows(*spaced)
        elif (rows == rows[0]).all():
            picked = picked.rows(int(rows[0]), 1).once()
        else:
            extra["SOURCE"] = self.indices.place(rows.astype(np.int32))
        if (spaced := stride(target)) is not None:
            to = to.rows(*spaced)
        else:
            extra["TARGET"] = self.indices.place(target.astype(np.int32))
        self._emit(array, op, len(rows), to, picked, **extra)

    def _scatter(self, array: Array) -> Place:
        to = self._new(array)
        self._emit(array, "ZERO", array.rows, to, **({} if array.batched else {"LENGTH": 1}))
        for piece in array.pieces:
            self._moved(array, "ADD_ROWS", array.arrays[piece.array], piece.source, to, piece.target)
        return to

    def _repeat(self, array: Array) -> Place:
        to = self._new(array)
        rows = np.arange(array.rows) // array.count
        self._moved(array, "GATHER", array.arrays[0], rows, to, np.arange(array.rows))
        return to

    def _lookup(self, array: Array) -> Place:
        table, index = [self.place(arg) for arg in array.arrays]
        to = self._new(array)
        self._emit(array, "LOOKUP", array.rows, to, table, index, **self._chosen(array))
        return to

    def _lookup_back(self, array: Array) -> Place:
        back, index = [self.place(arg) for arg in array.arrays]
        if array.batched:
            to = self._new(array)
            self._emit(array, "ZERO", array.rows, to)
            self._emit(array, "LOOKUP_BACK", array.arrays[0].rows, to, back, index, **self._chosen(array))
            return to
        to = self._sum_place(array, array.rows, 1)
        self.sections[1].append(instruction("LOOKUP_SUM", array.arrays[0].rows, to, back, index, **self._chosen(array)))
        self.added.append(to.start + to.step * np.arange(array.rows))
        return replace(to, column=1) if array.number not in self.straight else Place(self.totals, to.start, 1, 1)

    def _chosen(self, array: Array) -> dict[str, int]:
        entries, which = [self.indices.place(part.ravel().astype(np.int32)) for part in array.choice]
        return {"SOURCE": entries, "TARGET": which, "INNER": array.choice.entries.shape[1]}

    def _segsum(self, array: Array, count: int = 0) -> Place:
        arg = self.place(array.arrays[0])
        to = self._new(array)
        count = count or array.count
        extra = {} if array.batched else {"LENGTH": 1}
        self._emit(array, "SEGSUM", array.rows, to, arg, INNER=count, **extra)
        return to

    def _sumrows(self, array: Array) -> Place:
        return self._segsum(array, array.arrays[0].rows)

    def _extreme(self, array: Array) -> Place:
        arg = self.place(array.arrays[0])
        to = self._new(array)
        extra = {} if array.batched else {"LENGTH": 1}
        count = array.arrays[0].rows // array.rows
        least = int(array.op is TABLE["minimum"])
        self._emit(array, "EXTREME", array.rows, to, arg, INNER=count, FIRST=least, **extra)
        return to

    # --------------------------------------------------------------------------------------------------------- results

    def _output(self, array: Array) -> Output:
        if array is self.gradient:
            for piece in array.pieces:
                source = array.arrays[piece.array]
                if source.number in self.straight:
                    self.place(source)
                else:
                    self._moved(array, "ADD_ROWS", source, piece.source, Place(self.totals, 0, 1, 1), piece.target)
            return Output(0, array.rows, False)
        place = self.place(array)
        if place.memory is self.totals and place.step == 1:
            return Output(place.start, array.rows, False)
        to = Place(Memory(f"OUTPUT{self.given}", 0), 0, 1, 1)
        self.given += 1
        if array.batched:
            self._emit(array, "OUTPUT", array.rows, to, place)
        else:
            self.sections[3].append(Instruction("GATHER", array.rows, to, place, extra={"LENGTH": 1}))
        return Output(-1, array.rows, array.batched)
