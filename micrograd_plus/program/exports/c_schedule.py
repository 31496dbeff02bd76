"""Which instructions stand in a loop together, which need no statement of their own, and how long memory is needed."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from micrograd_plus.program.arrays import Array
from micrograd_plus.program.lowering import reached


def is_elementwise(array: Array) -> bool:
    """Whether each of its rows is made of one row of each argument."""
    return array.kind in ("apply", "not", "and")


def _is_view(array: Array) -> bool:
    """Whether its rows are those of its argument, in some order."""
    if array.kind == "repeat":
        return array.count == 1 or array.arrays[0].rows == 1
    return array.kind in ("cast", "spread") or (array.kind == "rows" and len(array.pieces) == 1)


class Schedule:
    """The instructions for some outputs, in blocks.

    Attributes:
        blocks: what is computed in one loop, or by one instruction, one after the other.
        dying: for each of them the numbers of the arrays that are read no longer after it.
    """

    def __init__(self, outputs: Sequence[Array]) -> None:
        order = reached(outputs)
        self._kept = {array.number for array in outputs} | {self.owner(array).number for array in outputs}
        self._users: dict[int, list[Array]] = {}
        for array in order:
            for arg in array.arrays:
                self._users.setdefault(arg.number, []).append(array)
        self.blocks = list(self._blocks(order))
        block_of = {array.number: i for i, block in enumerate(self.blocks) for array in block}
        self._uses: dict[int, set[int]] = {number: {i} for number, i in block_of.items()}
        for i, block in enumerate(self.blocks):
            for array in block:
                for owner in self.owners(array):
                    self._uses.setdefault(owner.number, set()).add(i)
        self.dying: list[set[int]] = [set() for _ in self.blocks]
        for number, uses in self._uses.items():
            if number not in self._kept:
                self.dying[max(uses)].add(number)

    def owner(self, array: Array) -> Array:
        """The array whose memory it is read from."""
        while _is_view(array):
            (array,) = array.arrays
        return array

    def owners(self, array: Array) -> Iterator[Array]:
        """Those of its arguments; where one is written in its place, those of that one's."""
        for arg in array.arrays:
            owner = self.owner(arg)
            if self.is_inlined(owner):
                yield from self.owners(owner)
            else:
                yield owner

    def is_local(self, array: Array) -> bool:
        """Whether it is read only in the loop that computes it."""
        return is_elementwise(array) and array.number not in self._kept and len(self._uses[array.number]) == 1

    def replaced(self, block: Sequence[Array], i: int, dying: Container[int]) -> int | None:
        """An array that one of a block may be written over: the block has read it by then, and in the same row."""
        if not is_elementwise(block[i]):
            return None
        later = {owner.number for other in block[i + 1 :] for owner in self.owners(other)}
        for arg in [arg for each in block[: i + 1] for arg in each.arrays]:
            fits = arg.number in dying and arg.number not in later and arg.rows == block[i].rows
            if fits and all(other is arg or self.owner(other) is not arg for each in block for other in each.arrays):
                return arg.number
        return None

    def is_inlined(self, array: Array) -> bool:
        """Whether it is a product that goes right into rows of a gradient."""
        if array.kind != "outer" or array.number in self._kept:
            return False
        users = self._users[array.number]
        if len(users) != 1 or users[0].kind != "scatter":
            return False
        pieces = [piece for piece in users[0].pieces if users[0].args[piece.array] is array]
        return len(pieces) == 1 and np.array_equal(pieces[0].source, np.arange(array.rows))

    def _blocks(self, order: Sequence[Array]) -> Iterator[list[Array]]:
        block: list[Array] = []
        for array in order:
            if array.kind in ("x", "y", "theta", "const") or _is_view(array) or self.is_inlined(array):
                continue
            if block and not (is_elementwise(array) and array.rows == block[0].rows and self._fits(array, block)):
                yield block
                block = []
            block.append(array)
            if not is_elementwise(array):
                yield block
                block = []
        if block:
            yield block

    def _fits(self, array: Array, block: Sequence[Array]) -> bool:
        """Whether it reads of what the block computes only the row that is computed now."""
        here = {other.number for other in block}
        for arg in array.arrays:
            while arg.kind == "cast" or (arg.kind == "spread" and arg.arrays[0].rows == arg.rows):
                (arg,) = arg.arrays
            if arg.number not in here and self.owner(arg).number in here:
                return False
        return True
