"""The chain rule over arrays: the instructions that compute the gradient, from the table's own partials.

What is reached only by a mask's zero gets exactly 0, whatever its own partials are. Three ways give that. The mean's
gradient and each example's are computed as if all were reached, since 0 times any finite number is that 0. Where a
number comes out of these that is not finite, it may be a 0 · inf that nobody reaches, so `strong` goes back a second
time: first for what is reached, then for the gradients, each gated by it, for each example by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from micrograd_plus.engine.operations import ADD, LESS, MUL, TABLE
from micrograd_plus.program.arrays import Array, Arrays, Operand, Piece, Places

WHERE = TABLE["where"]
RULES = ("apply", "rows", "matmul", "segsum", "sumrows", "lookup")  # what gradients pass through, by its methods


class _Contribution(NamedTuple):
    """What an instruction passes back to some rows (`target`; None for all) of an argument."""

    gradient: Operand
    source: Places | None = None  # the rows of the gradient that are meant
    target: Places | None = None


def gradient_of(arrays: Arrays, root: Array, parameters: int, *, each: bool = False, strong: bool = False) -> Array:
    """The derivative of the root's mean over the examples by each row of theta.

    Args:
        arrays: where the instructions are added.
        root: one row, the loss of each example.
        parameters: how many rows theta has.
        each: the derivative of each example's loss by itself, a column for each, instead of the mean's.
        strong: gate what is not reached; only with `each`.
    """
    reached: dict[int, Operand] = {}
    if strong:
        reach = _Reach(arrays)
        reach.run(root, parameters)
        reached = reach.reached
    return _Reverse(arrays, each, reached).run(root, parameters)


def gates_of(arrays: Arrays, root: Array) -> dict[int, Array]:
    """For instructions, by their number, what of them is reached from the root, where that is not all of it.

    Arguments of those pass on gradients only there, to parameters and to inputs.
    """
    reach = _Reach(arrays, ("theta", "x", "y"))
    reach.run(root, 1)
    return {number: gate for number, gate in reach.reached.items() if isinstance(gate, Array)}


def total_of(arrays: Arrays, root: Array) -> Array:
    """The sum of the root over the examples."""
    if root.batched:
        return arrays.make("sumbatch", (root,), root.rows, False)
    return arrays.elementwise("apply", (root, arrays.make("count", (), 1, False)), MUL)


class _Reverse:
    """What has been passed back so far, and what is reached, where that is known and not everything."""

    def __init__(
        self, arrays: Arrays, each: bool, reached: dict[int, Operand], sources: Sequence[str] = ("theta",)
    ) -> None:
        self.arrays = arrays
        self.each = each
        self.reached = reached
        self.forward = list(arrays.made)
        self.moves = _depending_on(sources, self.forward)
        self.passed: dict[int, list[_Contribution]] = {}

    def run(self, root: Array, parameters: int) -> Array:
        upstream: Operand = 1.0 if self.each else self.arrays.make("share", (), 1, False)
        if not root.batched and not self.each:
            upstream = self.arrays.apply(MUL, upstream, self.arrays.make("count", (), 1, False))
        self._pass(root, upstream)
        theta: Array | None = None
        for array in reversed(self.forward):
            if array.number in self.passed:
                if array.kind == "theta":
                    theta = array
                elif array.kind in RULES:
                    getattr(self, array.kind)(array, self._total(array))
        if theta is None:
            return self.arrays.spread(0.0, parameters, self.each)
        return self.arrays.spread(self._total(theta), parameters, self.each)

    def _pass(
        self, array: Array, gradient: Operand, source: Places | None = None, target: Places | None = None
    ) -> None:
        if self.moves[array.number]:
            self.passed.setdefault(array.number, []).append(_Contribution(gradient, source, target))

    def _total(self, array: Array) -> Operand:
        """The sum of what was passed back to an array; one row, or one column, where all are alike."""
        contributions = self.passed.pop(array.number)
        total: Operand | None = None
        for gradient in [c.gradient for c in contributions if c.target is None]:
            total = gradient if total is None else self.arrays.apply(ADD, total, gradient)
        parts = [c for c in contributions if c.target is not None]
        if not parts:
            assert total is not None
            return total
        wide = array.batched or self.each
        made: list[Array] = []
        pieces: list[Piece] = []
        for gradient, source, target in parts:
            assert source is not None
            assert target is not None
            if not isinstance(gradient, Array) or gradient.rows == 1:
                gradient, source = self.arrays.spread(gradient, 1, wide), np.zeros(len(source), dtype=np.intp)
            pieces.append(Piece(len(made), source, target))
            made.append(self.arrays.spread(gradient, gradient.rows, wide))
        if total is not None:  # comes last: what came to some rows alone is written, this is added
            pieces.append(Piece(len(made), np.arange(array.rows), np.arange(array.rows)))
            made.append(self.arrays.spread(total, array.rows, wide))
        targets = np.concatenate([piece.target for piece in pieces])
        each_once = len(targets) == array.rows and (np.sort(targets) == np.arange(array.rows)).all()
        if each_once and len(pieces) == 1:
            return self.arrays.select(made[0], pieces[0].source[np.argsort(targets)])
        return self.arrays.pieces(
            "rows" if each_once and array.kind != "theta" else "scatter", made, pieces, array.rows
        )

    def _fitted(self, gradient: Operand, array: Array, arg: Array) -> Operand:
        """A gradient by an argument which was broadcast, summed over what it was broadcast to."""
        if arg.rows == 1 and array.rows > 1:
            if isinstance(gradient, Array) and gradient.rows > 1:
                gradient = self.arrays.segsum(gradient, gradient.rows)
            else:
                gradient = self.arrays.apply(MUL, gradient, float(array.rows))
        return self._over_examples(gradient, array, arg)

    def _over_examples(self, gradient: Operand, array: Array, arg: Array) -> Operand:
        if arg.batched or self.each or not array.batched:
            return gradient
        if isinstance(gradient, Array) and gradient.batched:
            return self.arrays.make("sumbatch", (gradient,), gradient.rows, False)
        return self.arrays.apply(MUL, gradient, self.arrays.make("count", (), 1, False))

    def apply(self, array: Array, upstream: Operand) -> None:
        op = array.op
        for i, arg in enumerate(array.args):
            if not isinstance(arg, Array) or not self.moves[arg.number] or not op.flows_to(i):
                continue
            slope, gate = op.gated_slope(i, lambda rule: self._formula(array, rule))
            gradient = self._scaled(array, upstream, slope)
            if gate is not None:
                gradient = self.arrays.apply(WHERE, gate, gradient, 0.0)
            self._pass(arg, self._fitted(gradient, array, arg))

    def _scaled(self, array: Array, upstream: Operand, slope: Operand) -> Operand:
        """Upstream · partial, and 0 where the array is not reached."""
        gradient = self.arrays.apply(MUL, upstream, slope)
        if array.number in self.reached and (isinstance(slope, Array) or not isfinite(slope)):
            return self.arrays.apply(WHERE, self.reached[array.number], gradient, 0.0)
        return gradient

    def _formula(self, array: Array, rule: Callable[..., Any]) -> Operand:
        """A partial or a mask of the row for this instruction; element by element where it cannot be recorded."""
        try:
            return self.arrays.formula(rule, array, *array.args)
        except Exception:  # noqa: BLE001 - a user's partial may do anything with numbers
            column = "partials" if rule in array.op.partials else "masks"
            i = getattr(array.op, column).index(rule)
            return self.arrays.elementwise("partial", (array, *array.args), (array.op, column, i))

    def rows(self, array: Array, upstream: Operand) -> None:
        for piece in array.pieces:
            source = array.arrays[piece.array]
            if self.moves[source.number]:
                given = upstream
                if source.batched != array.batched and not self.each:
                    part = self.arrays.spread(upstream, array.rows, False)
                    given = self._over_examples(part, array, source)
                self._pass(source, given, piece.target, piece.source)

    def matmul(self, array: Array, upstream: Operand) -> None:
        matrix, argument = array.arrays
        back = self.arrays.spread(upstream, array.rows, array.batched)
        m, k, q = sizes = array.sizes
        gate = []
        if array.number in self.reached:
            back = self.arrays.spread(back, array.rows, True)
            gate = [self.arrays.spread(self.reached[array.number], array.rows, True)]
        if self.moves[argument.number]:
            self._pass(argument, self.arrays.make("matmul_back", (matrix, back, *gate), k * q, back.batched, sizes))
        if self.moves[matrix.number]:
            kind = "outer" if self.each else "matmul_outer"
            wide = self.each and (back.batched or argument.batched)
            self._pass(matrix, self.arrays.make(kind, (back, argument, *gate), m * k, wide, sizes))

    def lookup(self, array: Array, upstream: Operand) -> None:
        table, index = array.arrays
        if self.moves[table.number]:
            given, wide = self.arrays.spread(upstream, array.rows, True), self.each or table.batched
            self._pass(table, self.arrays.lookup("lookup_back", given, index, table.rows, wide, array.choice))

    def segsum(self, array: Array, upstream: Operand) -> None:
        (arg,) = array.arrays
        if isinstance(upstream, Array) and upstream.rows > 1:
            upstream = self.arrays.make("repeat", (upstream,), arg.rows, upstream.batched, array.count)
        self._pass(arg, upstream)

    def sumrows(self, array: Array, upstream: Operand) -> None:
        self._pass(array.arrays[0], upstream)


class _Reach(_Reverse):
    """What is reached: what is passed back is not 0 where something comes, however small, and 0 where nothing does."""

    def __init__(self, arrays: Arrays, sources: Sequence[str] = ("theta",)) -> None:
        super().__init__(arrays, True, {}, sources)

    def _total(self, array: Array) -> Operand:
        if self._is_certain(array):
            del self.passed[array.number]
            return 1.0
        total = self.arrays.apply(LESS, 0.0, super()._total(array))  # 1, not the number of ways to it
        if total != 1.0:
            self.reached[array.number] = total
        return total

    def _is_certain(self, array: Array) -> bool:
        """Whether something comes to each of its rows, whatever the numbers are."""
        here = np.zeros(array.rows, dtype=bool)
        for gradient, _, target in self.passed[array.number]:
            if not isinstance(gradient, Array):
                here[slice(None) if target is None else target] |= gradient > 0.0
        return bool(here.all())

    def _scaled(self, array: Array, upstream: Operand, slope: Operand) -> Operand:  # noqa: ARG002 - whatever it is
        return upstream

    def matmul(self, array: Array, upstream: Operand) -> None:
        matrix, argument = array.arrays
        m, k, q = array.sizes
        if not isinstance(upstream, Array):
            self._pass(argument, upstream)
            self._pass(matrix, upstream)
            return
        here = self.arrays.spread(upstream, array.rows, array.batched)
        column_by_column = np.arange(m * q).reshape(m, q).T.ravel()
        columns = self.arrays.segsum(self.arrays.select(here, column_by_column), m)
        self._pass(argument, self.arrays.select(columns, np.tile(np.arange(q), k)))
        rows = self.arrays.segsum(here, q)
        self._pass(matrix, self.arrays.make("repeat", (rows,), m * k, rows.batched, k))


def _depending_on(sources: Sequence[str], made: list[Array]) -> list[bool]:
    """For each array whether the parameters move it, or what else is named."""
    moves: list[bool] = []
    for array in made:
        flat = array.kind == "apply" and array.op.flat
        moves.append(array.kind in sources or (not flat and any(moves[arg.number] for arg in array.arrays)))
    return moves
