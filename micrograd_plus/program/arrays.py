"""A program over arrays: what each instruction computes, of which others, with how many rows.

An array has a row for each scalar node that it holds and a column for each example; a shared one, which is the same for
every example, has a single column and is broadcast. Instructions that are alike are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import Arg, Op
from micrograd_plus.engine.recording import recording, tracing, watching, within
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk

Places: TypeAlias = NDArray[Any]


class Piece(NamedTuple):
    """Rows of an array that go into rows of another."""

    array: int  # its place among the arguments
    source: Places
    target: Places


class Product(NamedTuple):
    """The sizes of a matrix product: (m x k) times (k x q·n), which gives m·q rows."""

    m: int
    k: int
    q: int


class Choice(NamedTuple):
    """Which rows of a table a `lookup` chooses from, and by which index.

    Attributes:
        entries: for each row of the result those rows of the table, one for each number that the index may be.
        which: for each row of the result the row of the index.
    """

    entries: Places
    which: Places


Column: TypeAlias = tuple[Op, str, int]  # a row of the table, a column of that, and the argument's place
Extra: TypeAlias = Op | Places | list[Piece] | Product | Choice | Column | int | None


class Array:
    """One instruction, and the array it computes.

    Attributes:
        kind: what it does; see `Arrays`.
        args: the arrays and plain numbers it reads.
        rows: how many rows it has.
        batched: whether it has a column for each example.
        extra: what else its kind must know; by its own name in the properties below, each for the kinds it tells of.
        number: its place in the order in which arrays were made.
        scalar: whether it is a plain number when the program runs.
    """

    __slots__ = ("kind", "args", "rows", "batched", "extra", "number", "scalar")

    def __init__(
        self, kind: str, args: tuple[Array | float, ...], rows: int, batched: bool, extra: Extra, number: int
    ) -> None:
        self.kind = kind
        self.args = args
        self.rows = rows
        self.batched = batched
        self.extra = extra
        self.number = number
        self.scalar = kind in ("share", "count") or (kind == "apply" and all(is_scalar(arg) for arg in args))

    @property
    def arrays(self) -> list[Array]:
        """The arguments that are arrays."""
        return [arg for arg in self.args if isinstance(arg, Array)]

    @property
    def op(self) -> Op:
        """The operation of an `apply` or an `extreme`."""
        assert isinstance(self.extra, Op)
        return self.extra

    @property
    def numbers(self) -> Places:
        """The numbers of a `const`."""
        assert isinstance(self.extra, np.ndarray)
        return self.extra

    @property
    def pieces(self) -> list[Piece]:
        """What goes where in `rows` or a `scatter`."""
        assert isinstance(self.extra, list)
        return self.extra

    @property
    def sizes(self) -> Product:
        """Those of a `matmul` and its derivatives, `matmul_back`, `matmul_outer` and `outer`."""
        assert isinstance(self.extra, Product)
        return self.extra

    @property
    def count(self) -> int:
        """How many neighbours a `segsum` adds up, how many times a `repeat` repeats."""
        assert isinstance(self.extra, int)
        return self.extra

    @property
    def choice(self) -> Choice:
        """What a `lookup` or a `lookup_back` chooses from."""
        assert isinstance(self.extra, Choice)
        return self.extra

    @property
    def column(self) -> Column:
        """What a `partial` computes, element by element."""
        assert isinstance(self.extra, tuple)
        assert not isinstance(self.extra, (Product, Choice))
        return self.extra

    def applies(self, op: Op) -> bool:
        """Whether it is this operation, element by element."""
        return self.extra is op and self.kind == "apply"

    def __repr__(self) -> str:
        columns = "n" if self.batched else "1"
        return (
            f"<{self.number}: {self.kind} {self.extra if isinstance(self.extra, Op) else ''} {self.rows} x {columns}>"
        )


Operand: TypeAlias = Array | float


def is_scalar(x: Operand) -> bool:
    """Whether it is a plain number when the program runs."""
    return not isinstance(x, Array) or x.scalar


class Arrays:
    """The instructions made so far.

    Kinds: `x`, `y`, `theta`: what goes in. `share`: 1 / the number of examples, and `count`: that number; scalars.
    `const`: numbers as a column. `apply`: an operation element by element. `rows`: rows of others put together.
    `scatter`: rows of others added up in rows of a new array. `matmul`, and its two derivatives: `matmul_back`, the
    transposed matrix times what came back, and `matmul_outer`, what came back times the transposed argument; per
    example `outer`. A third argument of these says what of that which came back is reached, where not all is.
    `lookup`: rows of a table, by an index that differs between examples, and `lookup_back`, what came back added up in
    the table's rows, each example's by itself or all together.
    `segsum`: sums of so many neighbouring rows. `extreme`: the maxima or minima of rows that lie as many rows apart as
    it has; no gradient flows through them. `repeat`: each row so many times. `sumbatch`: the sum over the examples.
    `sumrows`: over the rows. `spread`: as many rows and columns as asked for. `partial`: a partial derivative that only
    floats can compute. What NumPy needs besides (see `lowering`): `not` and `and` of truths, and `cast`: those as
    numbers.
    """

    def __init__(self) -> None:
        self.made: list[Array] = []
        self._known: dict[Any, Array] = {}

    def make(
        self, kind: str, args: Sequence[Operand], rows: int, batched: bool, extra: Extra = None, key: Any = None
    ) -> Array:
        """The instruction; the one there is, if it was made before."""
        names = tuple([arg.number if isinstance(arg, Array) else repr(arg) for arg in args])
        known = (kind, names, rows, batched, extra if key is None else key)
        if known not in self._known:
            self._known[known] = array = Array(kind, tuple(args), rows, batched, extra, len(self.made))
            self.made.append(array)
        return self._known[known]

    def apply(self, op: Op, *args: Operand) -> Operand:
        """An operation, element by element; where one argument has a single row, it serves all rows of the others."""
        arrays = [arg for arg in args if isinstance(arg, Array)]
        if not arrays and op.forward is not None:
            return op.forward(*args)
        return self.elementwise("apply", args, op)

    def elementwise(self, kind: str, args: Sequence[Operand], extra: Extra = None) -> Array:
        """An instruction that makes one number of one of each argument."""
        arrays = [arg for arg in args if isinstance(arg, Array)]
        rows = max([arg.rows for arg in arrays])
        return self.make(kind, args, rows, any(arg.batched for arg in arrays), extra)

    def const(self, numbers: NDArray[Any]) -> Array:
        """Plain numbers, one a row."""
        return self.make("const", (), len(numbers), False, numbers, numbers.tobytes())

    def pieces(self, kind: str, arrays: Sequence[Array], pieces: list[Piece], rows: int) -> Array:
        """`rows` or `scatter`."""
        key = tuple([(piece.array, piece.source.tobytes(), piece.target.tobytes()) for piece in pieces])
        return self.make(kind, arrays, rows, any(array.batched for array in arrays), pieces, key)

    def select(self, array: Array, rows: Places) -> Array:
        """These rows of an array."""
        if len(rows) == array.rows and (rows == np.arange(array.rows)).all():
            return array
        return self.pieces("rows", [array], [Piece(0, rows, np.arange(len(rows)))], len(rows))

    def matmul(self, matrix: Array, argument: Array, sizes: Product) -> Array:
        """The rows of `matrix`, which is shared, as an m x k matrix, times those of `argument` as a k x q one."""
        return self.make("matmul", (matrix, argument), sizes.m * sizes.q, argument.batched, sizes)

    def lookup(self, kind: str, given: Array, index: Array, rows: int, batched: bool, choice: Choice) -> Array:
        """A `lookup` in a table, or a `lookup_back` of what came back from one."""
        key = (choice.entries.tobytes(), choice.which.tobytes())
        return self.make(kind, (given, index), rows, batched, choice, key)

    def segsum(self, array: Array, count: int) -> Array:
        """The sums of each `count` neighbouring rows."""
        if count == 1:
            return array
        if count == array.rows:
            return self.make("sumrows", (array,), 1, array.batched)
        return self.make("segsum", (array,), array.rows // count, array.batched, count)

    def spread(self, array: Operand, rows: int, batched: bool) -> Array:
        """With as many rows, and with a column for each example if that is asked for."""
        if isinstance(array, Array) and not array.scalar and array.rows == rows and (array.batched or not batched):
            return array
        if not isinstance(array, Array):
            array = self.const(np.array([array]))
        return self.make("spread", (array,), rows, batched or array.batched, None, (rows, batched))

    def formula(self, function: Callable[..., Any], *args: Operand) -> Operand:
        """A function written in the package's functions, of arrays and plain numbers: a partial, or a row's formula.

        Raises:
            Exception: whatever the function raises because it cannot be recorded.
        """
        stand_ins = [Value(_inside(arg)) if isinstance(arg, Array) else arg for arg in args]
        out = within({tracing: NoNumbers(), watching: None, recording: True}, function, *stand_ins)
        known: Identities[Value, Operand] = Identities(
            (value, arg) for value, arg in zip(stand_ins, args) if isinstance(value, Value)
        )
        if not isinstance(out, Value):
            return float(out)
        for node in walk(out)[0]:
            if node.op is None or node.op.forward is None:
                raise TypeError(f"{node!r}: made by hand")
            known[node] = self.apply(
                node.op, *[known.get(arg, arg._data) if isinstance(arg, Value) else arg for arg in node.args]
            )
        return known.get(out, out._data)


def _inside(array: Array) -> float:
    """A number to try a function at: that of a constant, else 1/2, where nearly all functions are defined."""
    return 0.5 if array.kind != "const" else float(array.numbers[0])


class NoNumbers:
    """A trace that refuses every question for a number: the graph must be the same for all numbers."""

    kind = Value

    def asked(self, value: Value, how: str) -> None:  # noqa: ARG002 - an engine's call
        raise TypeError(f"{how} of a Value")

    def decided(self, value: Value) -> bool:  # noqa: ARG002 - an engine's call
        raise TypeError("bool() of a Value")

    def elsewhere(self, args: tuple[Arg, ...]) -> None:
        """Nodes that other threads make are no part of the trace."""
