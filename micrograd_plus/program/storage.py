"""Which instructions need memory of their own, and until when it is read: then it can be written to again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd_plus.engine.operations import MUL
from micrograd_plus.program.arrays import Array, Operand, is_scalar
from micrograd_plus.program.lowering import RECIPROCAL, is_bool, reached
from micrograd_plus.program.strides import is_matrix_of_theta, rows_of_theta, stride, strided


class Memory:
    """What must be written for some outputs.

    Attributes:
        outputs: the arrays that are returned.
        order: the instructions that get a statement, arguments before results; others are written where they are used.
        last: for each array, by its number, the last of these statements that reads its memory.
    """

    def __init__(self, outputs: Sequence[Array]) -> None:
        self.outputs = outputs
        order = reached(outputs)
        self._users: dict[int, list[Array]] = {}
        for array in order:
            for arg in array.arrays:
                self._users.setdefault(arg.number, []).append(array)
        self._kept = {array.number for array in outputs}
        self.order = [array for array in order if not self._inlined(array)]
        self.last = self._last_uses()

    def _inlined(self, array: Array) -> bool:
        """Written where it is used: a view of theta as a matrix, a product that goes straight into the gradient."""
        if array.number in self._kept:
            return False
        users = self._users[array.number]
        if array.kind in ("rows", "theta") and is_matrix_of_theta(array):
            return all(self._as_matrix(user, array) for user in users)
        if array.kind == "matmul_outer" and len(users) == 1:
            return users[0].kind == "scatter" and self._straight(users[0], array)
        if _is_reciprocal(array) and len(users) == 1:
            return self._divides(users[0], array)
        return False

    def _as_matrix(self, user: Array, array: Array) -> bool:
        if user.kind not in ("matmul", "matmul_back") or user.args[0] is not array:
            return False
        if user.kind == "matmul" and user.args[1] is array:
            return False
        return strided(rows_of_theta(array), user.sizes.m, user.sizes.k) is not None

    def _straight(self, scatter: Array, product: Array) -> bool:
        """Whether a matrix product can be written right into its rows of the gradient."""
        pieces = [piece for piece in scatter.pieces if scatter.args[piece.array] is product]
        if len(pieces) != 1 or scatter.batched:
            return False
        piece = pieces[0]
        whole = len(piece.source) == product.rows and (piece.source == np.arange(product.rows)).all()
        return bool(whole) and strided(piece.target, product.sizes.m, product.sizes.k) is not None

    def _divides(self, user: Array, reciprocal: Array) -> bool:
        """Whether a reciprocal is only multiplied with, so that its user can divide."""
        return (
            user.applies(MUL)
            and not reciprocal.scalar
            and user.args[0] is not user.args[1]
            and (user.args[1] is reciprocal or not _is_reciprocal(user.args[1]))  # one of the two
        )

    def _last_uses(self) -> dict[int, int]:
        """The step at which each array's memory is read for the last time."""
        last: dict[int, int] = {}
        present = {array.number for array in self.order}
        for step, array in enumerate(self.order):
            args = array.arrays
            while args:
                arg = args.pop()
                if arg.number not in present:
                    args.extend(arg.arrays)
                last[arg.number] = step
        for array in self.outputs:
            last[array.number] = len(self.order)
        for array in reversed(self.order):
            if self._is_view(array):  # the memory under a view is read as long as the view is
                (arg,) = array.arrays
                last[arg.number] = max(last[arg.number], last[array.number])
        return last

    def _is_view(self, array: Array) -> bool:
        return array.kind == "rows" and len(array.pieces) == 1 and stride(array.pieces[0].source) is not None

    def owned(self, array: Array) -> bool:
        """Whether it has memory of its own, of its own shape."""
        if array.kind in ("x", "y", "theta", "const") or is_scalar(array) or is_bool(array):
            return False
        return not self._is_view(array)


def _is_reciprocal(arg: Operand) -> bool:
    return isinstance(arg, Array) and arg.applies(RECIPROCAL)
