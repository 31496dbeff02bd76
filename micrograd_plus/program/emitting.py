"""Write instructions as a Python function over NumPy arrays, a statement each, and make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd_plus.engine.operations import ADD, MUL, NEG, SUB, Op
from micrograd_plus.program.arrays import Array, Operand, Places, Product, is_scalar
from micrograd_plus.program.fusing import EXTREMES
from micrograd_plus.program.lowering import WHERE, is_bool, lowered, ufunc
from micrograd_plus.program.storage import Memory
from micrograd_plus.program.strides import first_writes, rows_of_theta, stride, strided

NUMPY = ("dot", "empty", "zeros", "ndarray", "matmul", "concatenate", "add", "einsum", "putmask", "where")
INPUTS = {"x": "x.T", "y": "y.T", "theta": "theta.reshape(-1, 1)"}
PYTHON = {ADD: "+", SUB: "-", MUL: "*"}


class Source(NamedTuple):
    """A function as text, and the arrays it names; together they can be pickled and made again.

    Attributes:
        names: NumPy's functions in it.
        text: of `run(theta, x, y, ones, n, share)`, which returns a tuple of arrays.
        constants: by name: numbers, indices, and functions of rows that only floats can compute.
        dtype: "float64" or "float32".
        statements: how many there are.
    """

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    dtype: str
    statements: int

    def function(self) -> Any:
        """The function itself."""
        names: dict[str, Any] = {
            name: _by_floats(*thing) if isinstance(thing, tuple) else thing for name, thing in self.constants.items()
        }
        names |= {name: getattr(np, name) for name in self.names}
        names |= {function.__name__: function for function in (back_where, outer_where, looked_up, looked_up_back)}
        names |= {"dtype": np.dtype(self.dtype), "nan": float("nan"), "inf": float("inf")}
        if "special." in self.text:
            import scipy.special

            names["special"] = scipy.special
        exec(compile(self.text, "<a compiled program>", "exec"), names)  # noqa: S102 - written below, from the table
        return names["run"]


def _by_floats(op: Op, column: str, i: int) -> Any:
    """A forward function or a partial of a row, number by number."""
    function: Any = op.forward if column == "forward" else getattr(op, column)[i]
    count = len(op.partials) + (column != "forward")
    over = np.frompyfunc(lambda *numbers: float(function(*map(float, numbers))), count, 1)
    return lambda *args: np.asarray(over(*args), dtype=float)


def back_where(matrix: Places, back: Places, reached: Places) -> Places:
    """The product of two matrices; what is not reached adds nothing, not even 0 · inf."""
    if reached.all():
        return np.asarray(np.matmul(matrix, back))
    total = np.zeros((len(matrix), back.shape[1]), dtype=back.dtype)
    for column, upstream, here in zip(matrix.T, back, reached):
        total += np.where(here, column[:, None] * upstream, 0.0)
    return total


def outer_where(back: Places, argument: Places, reached: Places) -> Places:
    """The products of (m, q, n) and (k, q, n), summed over q, as (m, k, n); likewise."""
    total = np.zeros((len(back), len(argument), back.shape[2]), dtype=back.dtype)
    for q in range(back.shape[1]):
        total += np.where(reached[:, None, q], back[:, None, q] * argument[:, q], 0.0)
    return total


def _entries(index: Places, entries: Places, which: Places) -> tuple[Places, Places]:
    """For each row and example the row of the table, and where there is one."""
    inside = (index >= 0) & (index < entries.shape[1]) & (index == np.floor(index))
    return entries[np.arange(len(which))[:, None], np.where(inside, index, 0).astype(np.intp)[which]], inside[which]


def looked_up(table: Places, index: Places, entries: Places, which: Places) -> Places:
    """Rows of a table, chosen by an index for each example; nan where it is none."""
    at, inside = _entries(index, entries, which)
    found = table[at, np.arange(index.shape[1])] if table.shape[1] > 1 else table[at, 0]
    return np.where(inside, found, np.nan).astype(table.dtype, copy=False)


def looked_up_back(back: Places, index: Places, entries: Places, which: Places, rows: int, batched: bool) -> Places:
    """What came back, added up in the rows of the table that were chosen: for each example, or over all of them."""
    at, inside = _entries(index, entries, which)
    n = index.shape[1]
    total = np.zeros((rows, n if batched else 1), dtype=back.dtype)
    examples = np.broadcast_to(np.arange(n) if batched else 0, at.shape)
    np.add.at(total, (at.T[inside.T], examples.T[inside.T]), back.T[inside.T])
    return total


def emitted(outputs: Sequence[Array], dtype: str) -> Source:
    """A function that computes these arrays."""
    writer = _Writer(lowered(outputs), dtype)
    return writer.source()


class _Writer:
    """The statements written so far, and the names of their arrays."""

    def __init__(self, outputs: Sequence[Array], dtype: str) -> None:
        self.memory = Memory(outputs)
        self.dtype = dtype
        self.itemsize = np.dtype(dtype).itemsize
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self.ufuncs: set[str] = set()

    def source(self) -> Source:
        for step, array in enumerate(self.memory.order):
            self.step = step
            self._write(array)
        results = ", ".join([self.names[array.number] for array in self.memory.outputs])
        lines = ["def run(theta, x, y, ones, n, share):", *self.lines, f"return ({results},)"]
        text = "\n    ".join(lines) + "\n"
        return Source(text, (*NUMPY, *sorted(self.ufuncs)), self.constants, self.dtype, len(self.lines))

    def _write(self, array: Array) -> None:
        self.name = f"v{len(self.names)}"
        if is_scalar(array):
            self.names[array.number] = self._scalar(array)
            return
        text = INPUTS[array.kind] if array.kind in INPUTS else getattr(self, f"_{array.kind}")(array)
        if text is not None:
            self.lines.append(f"{self.name} = {text}")
            self.names[array.number] = self.name

    def _scalar(self, array: Array) -> str:
        if array.kind != "apply":
            return {"share": "share", "count": "n"}[array.kind]
        args = [self._operand(arg) for arg in array.args]
        if array.op in PYTHON:
            return f"({args[0]} {PYTHON[array.op]} {args[1]})"
        if array.op is NEG:
            return f"(-{args[0]})"
        return f"{self._constant((array.op, 'forward', 0))}({', '.join(args)}).item()"

    def _operand(self, arg: Operand) -> str:
        return self.names[arg.number] if isinstance(arg, Array) else repr(float(arg))

    def _number(self, arg: Operand) -> str:
        """An operand; a plain number as an array of none dimensions, which NumPy takes faster than a float."""
        return self._operand(arg) if isinstance(arg, Array) else self._constant(self._narrowed(arg))

    def _narrowed(self, numbers: Any) -> Places:
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(numbers, dtype=self.dtype).reshape(np.shape(numbers))

    def _constant(self, thing: Any) -> str:
        for name, known in self.constants.items():
            if known is thing or _same_array(known, thing) or (type(known) is type(thing) is tuple and known == thing):
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = thing
        return name

    def _indices(self, indices: Places) -> str:
        """Rows as a slice, or as the name of an array of indices."""
        spaced = stride(indices)
        if spaced is None:
            return self._constant(np.ascontiguousarray(indices, dtype=np.intp))
        start, step = spaced
        end = start + step * (len(indices) - 1) + (1 if step > 0 else -1)
        return f"{start}:{end if end >= 0 else ''}" + (f":{step}" if step != 1 else "")

    def _columns(self, array: Array) -> str:
        return "n" if array.batched else "1"

    def _reusable(self, array: Array) -> str | None:
        """An argument's memory that an element-wise result can be written to."""
        hidden = [arg.arrays[0] for arg in array.arrays if arg.number not in self.names]
        for arg in [*array.arrays, *hidden]:
            if (
                arg.number in self.names
                and self.memory.owned(arg)
                and arg.rows == array.rows
                and arg.batched == array.batched
                and self.memory.last[arg.number] == self.step
            ):
                return self.names[arg.number]
        return None

    def _const(self, array: Array) -> None:
        self.names[array.number] = self._constant(self._narrowed(array.numbers.reshape(-1, 1)))

    def _apply(self, array: Array) -> str | None:
        op = array.op
        known = ufunc(op)
        if op is MUL and (hidden := [arg for arg in array.arrays if arg.number not in self.names]):
            divisor = hidden[0]
            (dividend,) = [arg for arg in array.args if arg is not divisor]
            self.ufuncs.add("divide")
            args = [self._number(dividend), self._number(divisor.args[0])]
            return self._reusing(array, f"divide({', '.join(args)}")
        args = [self._operand(arg) if op is WHERE else self._number(arg) for arg in array.args]
        if known is None:
            return f"{self._constant((op, 'forward', 0))}({', '.join(args)}).astype(dtype)"
        if op is WHERE:
            return self._choice(array, args)
        if known[0] == "np":
            self.ufuncs.add(known[1])
        text = f"{'special.' if known[0] == 'special' else ''}{known[1]}({', '.join(args)}"
        if known[0] == "np" and not isinstance(getattr(np, known[1]), np.ufunc):  # of a primitive of one's own
            return f"{text}).astype(dtype)"
        return f"{text})" if is_bool(array) else self._reusing(array, text)

    def _reusing(self, array: Array, text: str) -> str:
        """A call that writes to an argument's memory where it can."""
        reused = self._reusable(array)
        if reused is None:
            return f"{text})"
        return f"{text}, out={reused})" if array.op in EXTREMES else f"{text}, {reused})"  # NumPy wants a name there

    def _choice(self, array: Array, args: list[str]) -> str | None:
        condition, x, y = array.args
        fits = isinstance(condition, Array) and (condition.rows, condition.batched) == (array.rows, array.batched)
        if fits and is_bool(condition) and isinstance(x, float) and self._reusable(array) == args[2]:
            self.lines.append(f"putmask({args[2]}, {args[0]}, {args[1]})")
            self.names[array.number] = args[2]
            return None
        return f"where({', '.join(args)})" + ("" if isinstance(x, Array) or isinstance(y, Array) else ".astype(dtype)")

    def _not(self, array: Array) -> str:
        return f"~{self._operand(array.args[0])}"

    def _and(self, array: Array) -> str:
        return f"{self._operand(array.args[0])} & {self._operand(array.args[1])}"

    def _cast(self, array: Array) -> str:
        return f"{self._operand(array.args[0])}.astype(dtype)"

    def _partial(self, array: Array) -> str:
        args = ", ".join([self._operand(arg) for arg in array.args])
        return f"{self._constant(array.column)}({args}).astype(dtype)"

    def _rows(self, array: Array) -> str | None:
        pieces = array.pieces
        if len(pieces) == 1:
            return self._picked(array.arrays[0], pieces[0].source)
        in_order = np.concatenate([piece.target for piece in pieces])
        alike = all(arg.batched == array.batched for arg in array.arrays)
        if alike and (in_order == np.arange(array.rows)).all():
            parts = [self._picked(array.arrays[piece.array], piece.source) for piece in pieces]
            return f"concatenate(({', '.join(parts)}))"
        name = self.name
        self.lines.append(f"{name} = empty(({array.rows}, {self._columns(array)}), dtype)")
        for piece in pieces:
            self.lines.append(
                f"{name}[{self._indices(piece.target)}] = {self._picked(array.arrays[piece.array], piece.source)}"
            )
        self.names[array.number] = name
        return None

    def _picked(self, array: Array, rows: Places) -> str:
        name = self._operand(array)
        if len(rows) == array.rows and (rows == np.arange(array.rows)).all():
            return name
        indices = self._indices(rows)
        return f"{name}[{indices}]" if ":" in indices else f"{name}.take({indices}, 0)"

    def _scatter(self, array: Array) -> None:
        """Rows added up; the first to come to a row are written."""
        first, complete = first_writes(array)
        make = "empty" if complete else "zeros"
        name = self.name
        self.names[array.number] = name
        self.lines.append(f"{name} = {make}(({array.rows}, {self._columns(array)}), dtype)")
        for piece, is_first in zip(array.pieces, first):
            given = array.args[piece.array]
            assert isinstance(given, Array)
            if given.number not in self.names:
                view = self._view(name, piece.target, given.sizes)
                if is_first:
                    self.lines.append(self._outer_text(given, view))
                else:
                    self.lines.append(f"{self.name}w = {view}")
                    self.lines.append(f"{self.name}w += {self._outer_text(given)}")
                continue
            source, target = self._picked(given, piece.source), self._indices(piece.target)
            if is_first:
                self.lines.append(f"{name}[{target}] = {source}")
            elif len(np.unique(piece.target)) == len(piece.target):
                self.lines.append(f"{name}[{target}] += {source}")
            else:
                self.lines.append(f"add.at({name}, {self._constant(np.ascontiguousarray(piece.target))}, {source})")

    def _view(self, name: str, places: Places, sizes: Product) -> str:
        """Rows of one column as a matrix."""
        grid = strided(places, sizes.m, sizes.k)
        assert grid is not None
        start, down, right = [number * self.itemsize for number in grid]
        return f"ndarray(({sizes.m}, {sizes.k}), dtype, {name}, {start}, ({down}, {right}))"

    def _matrix(self, array: Operand, sizes: Product) -> str:
        assert isinstance(array, Array)
        if array.number not in self.names:
            return self._view("theta", rows_of_theta(array), sizes)
        return f"{self._operand(array)}.reshape({sizes.m}, {sizes.k})"

    def _wide(self, array: Operand, rows: int) -> str:
        """An array of (rows · q) rows as one of rows, q times as wide."""
        assert isinstance(array, Array)
        name = self._operand(array)
        return name if array.rows == rows else f"{name}.reshape({rows}, -1)"

    # 0 · inf and 0 · nan are nan in each of these products, as in the engine. BLAS multiplies with zeros like with any
    # number, at every size (tests/test_program_edges.py asks the one that is there); but NumPy's `dot` hands a product
    # with a single number over to axpy, which returns at once where that is 0. So where one factor could be a single
    # number, it is `multiply` or `matmul`.

    def _matmul(self, array: Array) -> str:
        matrix, argument = array.args
        sizes = array.sizes
        text = self._product(self._matrix(matrix, sizes), self._wide(argument, sizes.k), sizes.k)
        return text if sizes.q == 1 else f"{text}.reshape({array.rows}, -1)"

    def _matmul_back(self, array: Array) -> str:
        matrix, back, *reached = array.args
        sizes = array.sizes
        left, right = f"{self._matrix(matrix, sizes)}.T", self._wide(back, sizes.m)
        if reached:
            text = f"back_where({left}, {right}, {self._wide(reached[0], sizes.m)})"
        else:
            text = self._product(left, right, sizes.m)
        return text if sizes.q == 1 else f"{text}.reshape({array.rows}, -1)"

    def _product(self, left: str, right: str, inner: int) -> str:
        if inner > 1:
            return f"dot({left}, {right})"
        self.ufuncs.add("multiply")
        return f"multiply({left}, {right})"

    def _outer_text(self, array: Array, out: str = "") -> str:
        back, argument = array.args
        sizes = array.sizes
        left, right = self._wide(back, sizes.m), f"{self._wide(argument, sizes.k)}.T"
        if out:
            return f"matmul({left}, {right}, {out})"
        return f"{'dot' if sizes.m > 1 < sizes.k else 'matmul'}({left}, {right})"

    def _matmul_outer(self, array: Array) -> str:
        return f"{self._outer_text(array)}.reshape(-1, 1)"

    def _outer(self, array: Array) -> str:
        m, k, q = array.sizes
        shaped = [f"{self._operand(arg)}.reshape({size}, {q}, -1)" for arg, size in zip(array.args, (m, k, m))]
        if len(shaped) == 3:
            return f"outer_where({', '.join(shaped)}).reshape({m * k}, -1)"
        return f"einsum('mqn,kqn->mkn', {', '.join(shaped)}).reshape({m * k}, -1)"

    def _lookup(self, array: Array) -> str:
        table, index = [self._operand(arg) for arg in array.args]
        entries, which = map(self._constant, array.choice)
        return f"looked_up({table}, {index}, {entries}, {which})"

    def _lookup_back(self, array: Array) -> str:
        back, index = [self._operand(arg) for arg in array.args]
        entries, which = map(self._constant, array.choice)
        return f"looked_up_back({back}, {index}, {entries}, {which}, {array.rows}, {array.batched})"

    def _extreme(self, array: Array) -> str:
        name = self._operand(array.args[0])
        reduce = f"{array.op.numpy}.reduce"
        self.ufuncs.add(str(array.op.numpy))
        if array.rows == 1:
            return f"{reduce}({name}, 0, None, None, True)"
        return f"{reduce}({name}.reshape(-1, {array.rows}, {self._columns(array)}), 0)"

    def _segsum(self, array: Array) -> str:
        return f"add.reduce({self._operand(array.args[0])}.reshape({array.rows}, {array.count}, -1), 1)"

    def _sumrows(self, array: Array) -> str:
        ones = np.ones((1, array.arrays[0].rows), dtype=self.dtype)
        return f"dot({self._constant(ones)}, {self._operand(array.args[0])})"  # half the time of add.reduce

    def _repeat(self, array: Array) -> str:
        return f"{self._operand(array.args[0])}.repeat({array.count}, 0)"

    def _sumbatch(self, array: Array) -> str:
        return f"dot({self._operand(array.args[0])}, ones)"

    def _spread(self, array: Array) -> None:
        name = self.name
        self.lines.append(f"{name} = empty(({array.rows}, {self._columns(array)}), dtype)")
        self.lines.append(f"{name}[:] = {self._operand(array.args[0])}")
        self.names[array.number] = name


def _same_array(a: Any, b: Any) -> bool:
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return arrays and a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
