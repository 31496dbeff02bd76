"""Matrix products in a kernel, and sums over the examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd_plus.engine.operations import ADD, Op
from micrograd_plus.program.arrays import Array, Places
from micrograd_plus.program.drafting import AFTER, Draft
from micrograd_plus.program.instructions import Instruction, Memory, Place, instruction
from micrograd_plus.program.strides import stride, strided

WIDE = 48  # a layer of so many inputs reads them as they lie in the batch; fewer become rows first
LARGE = 1024  # so many sums of products no longer stay vectors: that would take the cache; if each row has at least
NARROW = 16  # so many of them, the longest of vectors
SUMS = ("sumbatch", "matmul_outer", "lookup_back")  # what can be summed up right where the gradient is


class Products(Draft):
    """What computes products of matrices and their derivatives.

    Attributes:
        gradient: the result that sums are gathered in, if there is one.
        straight: the sums that belong to rows of it, by the array's number: where, and the steps down and right.
        total_rows: how many sums there are.
        partial_sums: how many of these are vectors until they are folded.
    """

    def __init__(self, outputs: Sequence[Array], ops: dict[Op, str], block: int) -> None:
        super().__init__(outputs, ops, block)
        self.totals, self.total_rows, self.partial_sums = Memory("TOTALS", 0), 0, 0
        self.direct: list[Instruction] = []  # those that sum into the totals
        self.added: list[Places] = []  # rows of the totals that something is added to in each block
        self.gradient = next((array for array in outputs if self._is_gradient(array)), None)
        if self.gradient is not None:
            self.total_rows, self.level[self.gradient.number] = self.gradient.rows, AFTER
        self.straight = self._straight_sums()

    def _biased_by(self, array: Array) -> Array | None:
        """The sum that a matrix product goes into, with a bias that can be added at once."""
        user = self._only_user(array) if array.kind == "matmul" and array.batched and array.sizes.q == 1 else None
        if user is None or not user.applies(ADD) or user.args[0] is user.args[1]:
            return None
        (bias,) = [arg for arg in user.args if arg is not array]
        return user if isinstance(bias, Array) and not bias.batched and bias.rows == array.rows else None

    def _biased(self, array: Array) -> Place | None:
        """A matrix product and its bias at once."""
        for product in array.arrays:
            if product.number not in self.places and self._biased_by(product) is array:
                (bias,) = [arg for arg in array.args if arg is not product]
                return self._product(product, self._operand(bias, array.rows))
        return None

    def _matmul(self, array: Array) -> Place:
        return self._product(array, None)

    def _product(self, array: Array, bias: Place | None) -> Place:
        matrix, argument = array.args
        m, k, q = array.sizes
        assert isinstance(argument, Array)
        a = self._matrix(matrix, array.sizes)
        extra = {"INNER": k, "BIASED": int(bias is not None)}
        added = (bias,) if bias is not None else ()
        inputs = self._as_it_lies(argument) if q == 1 and a.column == 1 else None
        if inputs is not None:
            to = self._new(array)
            self._emit(array, "MATMUL_INPUT", m, to, a, inputs, *added, **extra)
            return to
        return self._multiplied(array, a, argument, m, q, added, extra)

    def _multiplied(
        self,
        array: Array,
        a: Place,
        argument: Array,
        rows: int,
        q: int,
        added: tuple[Place, ...],
        extra: dict[str, int],
    ) -> Place:
        """A matrix times rows of which each is q long."""
        b, to = self.place(argument), self._new(array)
        if q > 1 or not array.batched:
            b = self._contiguous(argument) if argument.rows > 1 else b
            length = q * self.block if array.batched else q
            self.whole |= array.batched
            b, wide = replace(b, step=length), replace(to, step=length)
            self._emit(array, "MATMUL", rows, wide, a, b, *added, LENGTH=length, **extra)
        else:
            self._emit(array, "MATMUL", rows, to, a, b, *added, **extra)
        return to

    def _as_it_lies(self, argument: Array) -> Place | None:
        """A wide layer's inputs in the batch itself."""
        if argument.kind in ("x", "y"):
            source, first = argument, 0
        elif argument.kind == "rows" and len(argument.pieces) == 1 and argument.arrays[0].kind in ("x", "y"):
            source = argument.arrays[0]
            spaced = stride(argument.pieces[0].source)
            if spaced is None or spaced[1] != 1:
                return None
            first = spaced[0]
        else:
            return None
        return self._batch(source, first) if argument.rows >= WIDE else None

    def _matmul_back(self, array: Array) -> Place:
        matrix, back, *gate = array.args
        m, k, q = array.sizes
        assert isinstance(back, Array)
        a = self._matrix(matrix, array.sizes)
        if not gate:
            turned = replace(a, step=a.column, column=a.step)
            return self._multiplied(array, turned, back, k, q, (), {"INNER": m})
        assert isinstance(gate[0], Array)
        length = q * self.block if array.batched else q
        self.whole |= array.batched and q > 1
        operands = [replace(self._contiguous(arg), step=length) for arg in (back, gate[0])]
        to = self._new(array)
        wide = replace(to, step=length)
        self._emit(
            array,
            "BACK_WHERE",
            k,
            wide,
            a,
            *operands,
            INNER=m,
            **({} if q == 1 and array.batched else {"LENGTH": length}),
        )
        return to

    def _outer(self, array: Array) -> Place:
        m, k, q = array.sizes
        operands = [self._batched(arg) if array.batched else self.place(arg) for arg in array.arrays]
        to = self._new(array)
        extra = {} if array.batched else {"LENGTH": 1}
        self._emit(array, "OUTER", m, to, *operands, INNER=k, TIMES=q, BIASED=int(len(operands) > 2), **extra)
        return to

    # ------------------------------------------------------------------------------------------ sums over the examples

    def _is_gradient(self, array: Array) -> bool:
        """Whether it is summed up where the result is given: a sum of what comes back to each parameter."""
        return array.kind == "scatter" and not array.batched and array.number not in self.users

    def _is_sum(self, array: Array) -> bool:
        """Whether it is a sum over the examples, which is gathered in the totals."""
        batched = all(arg.batched for arg in array.arrays)  # a product of two sums is none
        return array.kind in SUMS and self.level[array.number] == AFTER and batched

    def _straight_sums(self) -> dict[int, tuple[int, int, int]]:
        """The sums that belong to rows of the gradient, by the array's number: where, and the steps down and right."""
        found: dict[int, tuple[int, int, int]] = {}
        if self.gradient is None:
            return found
        for piece in self.gradient.pieces:
            source = self.gradient.arrays[piece.array]
            if not self._is_sum(source) or self._only_user(source) is not self.gradient:
                continue
            times = sum([self.gradient.arrays[other.array] is source for other in self.gradient.pieces])
            whole = len(piece.source) == source.rows and (piece.source == np.arange(source.rows)).all()
            m, k = source.sizes[:2] if source.kind == "matmul_outer" else (source.rows, 1)
            if not whole or times > 1:
                continue
            if (grid := strided(piece.target, m, k)) is not None:
                found[source.number] = grid
        return found

    def _sum_place(self, array: Array, m: int, k: int) -> Place:
        """Where in the totals a sum of m x k numbers goes."""
        if array.number in self.straight:
            return Place(self.totals, *self.straight[array.number])
        start, self.total_rows = self.total_rows, self.total_rows + m * k
        return Place(self.totals, start, k, 1)

    def _in_vectors(self, op: str, rows: int, inner: int, to: Place, *operands: Place, **extra: int) -> None:
        """A sum that is kept as vectors until it is folded."""
        partial = Place(Memory("PARTIALS", 0), self.partial_sums, 0)
        self.partial_sums += rows * inner
        self.sections[1].append(instruction(op, rows, partial, *operands, INNER=inner, **extra))
        self.sections[2].append(Instruction("FOLD", rows, to, partial, extra={"INNER": inner}))

    def _sumbatch(self, array: Array) -> Place:
        (arg,) = array.arrays
        to = self._sum_place(array, array.rows, 1)
        self._in_vectors("SUM_SAMPLES", array.rows, 1, to, self._batched(arg))
        return replace(to, column=1) if array.number not in self.straight else to

    def _matmul_outer(self, array: Array) -> Place:
        back, argument = array.arrays
        m, k, q = array.sizes
        if not self._is_sum(array):
            return self._outer(array)
        to = self._sum_place(array, m, k)
        inputs = self._as_it_lies(argument) if q == 1 and to.column == 1 else None
        if inputs is None and q == 1 and to.column == 1 and m * k > LARGE and k >= NARROW:
            inputs = replace(self._registers(k), step=k)
            self.sections[1].append(Instruction("TRANSPOSE", k, inputs, self.place(argument)))
        if inputs is not None:
            direct = replace(to, memory=Memory("DIRECT", 0))
            self.sections[1].append(Instruction("OUTER_INPUT", m, direct, self.place(back), inputs, extra={"INNER": k}))
            self.direct.append(self.sections[1][-1])
        else:
            places = [self._contiguous(arg) if q > 1 else self.place(arg) for arg in (back, argument)]
            self.whole |= q > 1
            extra = {"TIMES": q} | ({"LENGTH": q * self.block} if q > 1 else {})
            self._in_vectors("OUTER_SUM", m, k, to, *places, **extra)
        return Place(self.totals, to.start, 1, 1)

    def _first_writers(self) -> bool:
        """Mark the sums that are the first to come to their totals. Whether there are totals that must be cleared."""
        folded = [
            Instruction("FOLD_DIRECT", it.rows, replace(it.to, memory=self.totals), extra=dict(it.extra))
            for it in self.direct
        ]
        self.sections[2][:0] = folded
        written, mixed = np.zeros(self.total_rows, dtype=bool), False  # first to some of its totals, not to others
        for rows in self.added:
            written[rows] = True
        for fold, it in zip(self.sections[2], [*self.direct, *[None] * len(self.sections[2])]):
            rows, columns = np.arange(fold.rows), np.arange(fold.extra["INNER"])
            at = fold.to.start + fold.to.step * rows[:, None] + fold.to.column * columns
            fold.extra["FIRST"] = int(not written[at].any())
            mixed |= not fold.extra["FIRST"] and not written[at].all()
            if it is not None:
                it.extra["FIRST"] = fold.extra["FIRST"]
            written[at] = True
        return mixed or not written.all() or bool(self.added)
