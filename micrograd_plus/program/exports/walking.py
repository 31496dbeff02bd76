"""Go through instructions in a library that has arrays of its own: one walk, and a dialect for each library.

An array has a row for each scalar, and a column for each example, or a single one where all examples share it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from micrograd_plus.engine.operations import Op
from micrograd_plus.program.arrays import Array, Choice, Operand, Places
from micrograd_plus.program.exports.parameters import Tensor, picked
from micrograd_plus.program.lowering import reached


class Dialect(Protocol):
    """What a library can do with arrays, which are its own, and of the numbers that its name for floats has."""

    def constant(self, numbers: Places) -> Any:
        """Plain numbers, as a column."""

    def take(self, array: Any, rows: Places) -> Any:
        """Some of the rows."""

    def join(self, arrays: Sequence[Any]) -> Any:
        """Rows of several, one below the other; all of them have as many columns."""

    def shaped(self, array: Any, *sizes: int) -> Any:
        """In another shape; -1 is whatever is left."""

    def wide(self, array: Any, rows: int) -> Any:
        """With so many rows and a column for each example."""

    def zeros(self, rows: int, wide: bool) -> Any:
        """So many rows of zeros, of one column or of one for each example."""

    def total(self, array: Any, axis: int) -> Any:
        """The sum along an axis, which is no more."""

    def extreme(self, op: Op, array: Any) -> Any:
        """The maxima or minima along the first axis; no gradient flows through them."""

    def product(self, matrix: Any, array: Any, gate: Any) -> Any:
        """A matrix product; where the gate is closed, nothing flows back."""

    def added(self, array: Any, rows: Places, more: Any) -> Any:
        """With these rows added up in some of its own, each of which may be named again."""

    def looked_up(self, table: Any, index: Any, choice: Choice) -> Any:
        """Entries of a table; nan where the index is none."""

    def looked_up_back(self, back: Any, index: Any, rows: int, choice: Choice) -> Any:
        """What came back, for each example added up in so many rows of the table."""

    def somewhere(self, gate: Any) -> Any:
        """Which rows of a gate are open for any example, as a column."""

    def applied(self, op: Op, args: Sequence[Any], gate: Any) -> Any:
        """A row of the table, element by element; where the gate is closed, nothing flows back."""


class Parameters:
    """The parameters, as the tensors that a library holds.

    Args:
        tensors: what they are called, and which rows of all parameters they are.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tensors
        self._known: dict[bytes, tuple[Tensor | None, Places]] = {}

    def rows(self, dialect: Dialect, values: Mapping[str, Any], rows: Places) -> Any:
        """Some of them, as a column."""
        tensor, places = self._found(rows)
        if tensor is not None:
            whole = dialect.shaped(values[tensor.name], -1, 1)
            return whole if len(places) == len(tensor.rows) else dialect.take(whole, places)
        columns = [dialect.shaped(values[tensor.name], -1, 1) for tensor in self.tensors]
        return dialect.take(dialect.join(columns) if len(columns) > 1 else columns[0], places)

    def matrix(self, dialect: Dialect, values: Mapping[str, Any], rows: Places, m: int, k: int) -> Any:
        """Some of them, as a matrix."""
        tensor = picked(self.tensors, rows)
        if tensor is not None and tensor.shape == (m, k):
            return values[tensor.name]
        return dialect.shaped(self.rows(dialect, values, rows), m, k)

    def _found(self, rows: Places) -> tuple[Tensor | None, Places]:
        """The tensor that they are in, and where; or where they are among all of these, one after the other."""
        key = rows.tobytes()
        if key not in self._known:
            self._known[key] = self._search(rows)
        return self._known[key]

    def _search(self, rows: Places) -> tuple[Tensor | None, Places]:
        for tensor in self.tensors:
            if np.array_equal(tensor.rows, rows):
                return tensor, np.arange(len(rows))
            where = {row: place for place, row in enumerate(tensor.rows.tolist())}
            if len(rows) < len(where) and where.keys() >= set(rows.tolist()):
                return tensor, np.array([where[row] for row in rows.tolist()])
        order = np.argsort(np.concatenate([tensor.rows for tensor in self.tensors]))
        return None, order[rows]


class Walk:
    """Arrays of a library for instructions, each once.

    Args:
        dialect: how the library does it.
        parameters: the parameters.
        values: the tensors that these are, by name.
        inputs: the columns `x` and `y`.
        gates: for instructions by their number, what of them is reached; else all of it is.
        gate: for all others; None where that is everything.
    """

    def __init__(
        self,
        dialect: Dialect,
        parameters: Parameters,
        values: Mapping[str, Any],
        inputs: Mapping[str, Any],
        gates: Mapping[int, Any] | None = None,
        gate: Any = None,
    ) -> None:
        self.dialect, self.parameters, self.values, self.inputs = dialect, parameters, values, inputs
        self.gates, self.gate = gates or {}, gate
        self.known: dict[int, Any] = {}

    def arrays(self, outputs: Sequence[Array]) -> list[Any]:
        """What the instructions compute."""
        for array in reached(outputs):
            if array.number not in self.known and not self._is_part(array):
                self.known[array.number] = getattr(self, f"_{array.kind}")(array)
        return [self._array(array) for array in outputs]

    def _is_part(self, array: Array) -> bool:
        """Whether it is of the parameters, which are picked where they are needed."""
        return array.kind == "theta" or (array.kind == "rows" and [arg.kind for arg in array.arrays] == ["theta"])

    def _array(self, arg: Operand) -> Any:
        if not isinstance(arg, Array):
            return arg
        if arg.number not in self.known:
            self.known[arg.number] = self.parameters.rows(self.dialect, self.values, _rows_of_theta(arg))
        return self.known[arg.number]

    def _gate(self, array: Array) -> Any:
        """Where it is reached; what all examples share is, where one reaches it: the others pass back exactly 0."""
        gate = self.gates.get(array.number, self.gate)
        return gate if gate is None or array.batched else self.dialect.somewhere(gate)

    def _matrix(self, arg: Array, m: int, k: int) -> Any:
        if self._is_part(arg):
            return self.parameters.matrix(self.dialect, self.values, _rows_of_theta(arg), m, k)
        return self.dialect.shaped(self._array(arg), m, k)

    def _wide(self, array: Array, like: Array) -> Any:
        """With a column for each example, where another has one."""
        given = self._array(array)
        return self.dialect.wide(given, array.rows) if like.batched and not array.batched else given

    # ------------------------------------------------------------------------------------------------- the instructions

    def _x(self, array: Array) -> Any:
        return self.inputs[array.kind]

    _y = _x

    def _const(self, array: Array) -> Any:
        return self.dialect.constant(np.asarray(array.numbers, dtype=float).reshape(-1, 1))

    def _apply(self, array: Array) -> Any:
        return self.dialect.applied(array.op, [self._array(arg) for arg in array.args], self._gate(array))

    def _rows(self, array: Array) -> Any:
        parts = []
        for piece in array.pieces:
            parts.append(self.dialect.take(self._wide(array.arrays[piece.array], array), piece.source))
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([piece.target for piece in array.pieces]))
        return self.dialect.take(self.dialect.join(parts), order)

    def _scatter(self, array: Array) -> Any:
        total = self.dialect.zeros(array.rows, array.batched)
        for piece in array.pieces:
            given = self.dialect.take(self._wide(array.arrays[piece.array], array), piece.source)
            total = self.dialect.added(total, piece.target, given)
        return total

    def _matmul(self, array: Array) -> Any:
        (m, k, q), (matrix, argument), gate = array.sizes, array.arrays, self._gate(array)
        given = self._array(argument)
        if q == 1:
            return self.dialect.product(self._matrix(matrix, m, k), given, gate)
        gate = None if gate is None else self.dialect.shaped(self._full(gate, array), m, -1)
        made = self.dialect.product(self._matrix(matrix, m, k), self.dialect.shaped(given, k, -1), gate)
        return self.dialect.shaped(made, m * q, -1)

    def _full(self, gate: Any, array: Array) -> Any:
        return self.dialect.wide(gate, array.rows) if array.batched else gate

    def _segsum(self, array: Array) -> Any:
        return self.dialect.total(self.dialect.shaped(self._array(array.args[0]), array.rows, array.count, -1), 1)

    def _sumrows(self, array: Array) -> Any:
        return self.dialect.shaped(self.dialect.total(self._array(array.args[0]), 0), 1, -1)

    def _extreme(self, array: Array) -> Any:
        (arg,) = array.arrays
        count = arg.rows // array.rows
        return self.dialect.extreme(array.op, self.dialect.shaped(self._array(arg), count, array.rows, -1))

    def _repeat(self, array: Array) -> Any:
        return self.dialect.take(self._array(array.args[0]), np.arange(array.rows) // array.count)

    def _spread(self, array: Array) -> Any:
        (arg,) = array.arrays
        given = self._wide(arg, array)
        return self.dialect.take(given, np.zeros(array.rows, dtype=int)) if arg.rows == 1 < array.rows else given

    def _lookup(self, array: Array) -> Any:
        table, index = array.arrays
        return self.dialect.looked_up(self._array(table), self._array(index), array.choice)

    def _lookup_back(self, array: Array) -> Any:
        back, index = array.arrays
        return self.dialect.looked_up_back(self._wide(back, array), self._array(index), array.rows, array.choice)


def _rows_of_theta(array: Array) -> Places:
    return np.arange(array.rows) if array.kind == "theta" else array.pieces[0].source
