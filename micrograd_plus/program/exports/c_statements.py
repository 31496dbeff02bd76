"""Write instructions as statements in C, for one example: loops over rows, in memory that is used again once free."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from micrograd_plus.program.arrays import Array, Operand, Piece
from micrograd_plus.program.exports.c_places import Place, Tables
from micrograd_plus.program.exports.c_rows import literal, real, rows
from micrograd_plus.program.exports.c_schedule import Schedule, is_elementwise
from micrograd_plus.program.instructions import Room
from micrograd_plus.program.strides import first_writes

INPUTS = {"x": "x", "y": "y", "theta": "parameters"}
INDENT = "    "


class Statements:
    """The body of a function that computes some arrays.

    Args:
        outputs: the arrays, lowered, by the names of the arrays of C that they go to.
        tables: where constants are put.
        used: where the expressions are noted that stand in it.

    Attributes:
        lines: the statements.
        work: how many numbers they keep in the array `work`.
    """

    def __init__(self, outputs: dict[str, Array], tables: Tables, used: set[str]) -> None:
        self.tables, self.used = tables, used
        self.dtype = tables.dtype
        self.real = real(self.dtype)
        self.lines: list[str] = []
        self.schedule = Schedule(list(outputs.values()))
        self._depth = 1
        self._names = {array.number: name for name, array in reversed(outputs.items())}
        self._places: dict[int, Place] = {}
        self._locals: set[int] = set()
        self._room = Room(0)
        self._taken: dict[int, tuple[int, int]] = {}  # of what is in `work`: where it begins, how much it takes
        for block, dying in zip(self.schedule.blocks, self.schedule.dying):
            self._give_room(block, set(dying))
            self._block(block)
            for number in dying & self._taken.keys():
                self._room.give_back(*self._taken.pop(number))
        for name, array in outputs.items():
            self._copied(name, array)
        self.work = self._room.size

    def _give_room(self, block: Sequence[Array], dying: set[int]) -> None:
        """Say where what a block computes is kept: in the result, in `work`, or in a variable."""
        for i, array in enumerate(block):
            number = array.number
            if array.rows == 1 or self.schedule.is_local(array):
                self._places[number] = Place(f"v{number}")
            elif number in self._names:
                self._places[number] = Place(self._names[number], np.arange(array.rows))
            else:
                old = self.schedule.replaced(block, i, dying & self._taken.keys())
                self._taken[number] = self._taken.pop(old) if old else (self._room.taken(array.rows), array.rows)
                self._places[number] = Place("work", self._taken[number][0] + np.arange(array.rows))

    def _block(self, block: Sequence[Array]) -> None:
        if len(block) == 1 and not is_elementwise(block[0]):
            getattr(self, f"_{block[0].kind}")(block[0])
        elif block[0].rows == 1:
            for array in block:
                self._write(f"const {self.real} v{array.number} = {self._expression(array)};")
        else:
            with self._loop("i", block[0].rows):
                self._elementwise(block)

    def _elementwise(self, block: Sequence[Array]) -> None:
        """What is computed row by row: each once, as a variable where it is read again in this loop."""
        here = {arg.number for array in block for arg in self.schedule.owners(array)}
        for array in block:
            expression = self._expression(array)
            if self._places[array.number].at is None:
                self._write(f"const {self.real} v{array.number} = {expression};")
                continue
            if array.number in here:
                self._write(f"const {self.real} v{array.number} = {expression};")
                self._locals.add(array.number)
                expression = f"v{array.number}"
            to = self.tables.element(self._places[array.number], [array.rows], "i")
            self._write(f"{to} = {expression};")
        for array in block:
            self._locals.discard(array.number)

    def _copied(self, name: str, array: Array) -> None:
        """A result that was not written where it belongs."""
        place = self._place(array)
        if place.base == name:
            return
        with self._loop("i", array.rows):
            to = self.tables.element(Place(name, np.arange(array.rows)), [array.rows], "i")
            self._write(f"{to} = {self._element(array, [array.rows], 'i')};")

    # ------------------------------------------------------------------------------------------------------ the writing

    def _write(self, line: str) -> None:
        self.lines.append(INDENT * self._depth + line)

    @contextmanager
    def _loop(self, name: str, count: int, first: int = 0) -> Iterator[None]:
        """A loop around what is written inside; none where it would be gone through once."""
        if count == 1 and not first:
            yield
            return
        self._write(f"for (int {name} = {first}; {name} < {count}; {name}++) {{")
        self._depth += 1
        yield
        self._depth -= 1
        self._write("}")

    @contextmanager
    def _gate(self, condition: str) -> Iterator[None]:
        """What is inside happens where something is not 0; always, where there is no condition."""
        if not condition:
            yield
            return
        self._write(f"if ({condition} != {literal(0.0, self.dtype)}) {{")
        self._depth += 1
        yield
        self._depth -= 1
        self._write("}")

    def _place(self, array: Array) -> Place:
        """Where an array's rows are."""
        if array.number not in self._places:
            self._places[array.number] = self._found(array)
        return self._places[array.number]

    def _found(self, array: Array) -> Place:
        if array.kind in INPUTS:
            return Place(INPUTS[array.kind], np.arange(array.rows))
        if array.kind == "const":
            return self.tables.numbers(np.asarray(array.numbers, dtype=float).ravel())
        arg = array.arrays[0]
        if array.kind == "rows":
            return self._place(arg).rows(array.pieces[0].source)
        return self._place(arg).rows(np.zeros(array.rows, dtype=int) if arg.rows == 1 else np.arange(array.rows))

    def _element(self, arg: Operand, shape: Sequence[int], loops: Sequence[str]) -> str:
        """A number of an argument, in loops over so many rows."""
        if not isinstance(arg, Array):
            return literal(arg, self.dtype)
        owner = self.schedule.owner(arg)
        if owner.number in self._locals:
            return f"v{owner.number}"
        return self.tables.element(self._place(arg), shape, loops)

    def _expression(self, array: Array) -> str:
        """What an instruction computes of its arguments, in a loop over its rows."""
        texts = [self._element(arg, [array.rows], "i") for arg in array.args]
        if all(not isinstance(arg, Array) or arg.kind == "const" for arg in array.args):  # C must not compute it itself
            first = array.args[0]
            number = float(first.numbers[0]) if isinstance(first, Array) and first.rows == 1 else first
            if not isinstance(number, Array):
                texts[0] = self.tables.element(self.tables.stored(np.array([number])))
        form = {"not": "x == 0.0", "and": "x != 0.0 && y != 0.0"}.get(array.kind) or self._row(array.op.name)
        return self._filled(form, texts)

    def _row(self, name: str) -> str:
        expression = rows(self.dtype).expressions[name]
        self.used.add(expression)
        return expression

    def _filled(self, form: str, texts: Sequence[str]) -> str:
        """An expression in x, y and z with these instead."""
        given = dict(zip("xyz", texts))
        return re.sub(r"\b[xyz]\b", lambda found: given[found[0]], form)

    # ----------------------------------------------------------------------------------------------- rows put elsewhere

    def _rows(self, array: Array) -> None:
        for piece in array.pieces:
            self._moved(array, piece, "=")

    def _moved(self, array: Array, piece: Piece, sign: str) -> None:
        """Rows of an argument, written to rows of the result or added to them."""
        source, count = array.arrays[piece.array], len(piece.source)
        to = self._place(array).rows(piece.target)
        if self.schedule.is_inlined(source):
            self._products(source, to, sign)
            return
        with self._loop("i", count):
            given = self.tables.element(self._place(source).rows(piece.source), [count], "i")
            self._write(f"{self.tables.element(to, [count], 'i')} {sign} {given};")

    def _scatter(self, array: Array) -> None:
        first, complete = first_writes(array)
        if array.rows == 1:
            first = [False] * len(first)
        if array.rows == 1 or not complete:
            self._cleared(array)
        for piece, is_first in zip(array.pieces, first):
            self._moved(array, piece, "=" if is_first else "+=")

    def _cleared(self, array: Array) -> None:
        """Begin with zeros."""
        if array.rows == 1:
            self._write(f"{self.real} {self._place(array).base} = {literal(0.0, self.dtype)};")
            return
        with self._loop("i", array.rows):
            self._write(f"{self._target(array)} = {literal(0.0, self.dtype)};")

    def _repeat(self, array: Array) -> None:
        shape = [array.arrays[0].rows, array.count]
        with self._loop("i", shape[0]), self._loop("j", shape[1]):
            given = self._element(array.args[0], shape[:1], "i")
            self._write(f"{self._element(array, shape, 'ij')} = {given};")

    # ------------------------------------------------------------------------------------------------ entries of tables

    def _lookup(self, array: Array) -> None:
        table, _ = array.arrays
        with self._loop("i", array.rows), self._entry(array, table) as entry:
            self._write(f"{self._target(array)} = inside ? {entry} : NAN;")

    def _lookup_back(self, array: Array) -> None:
        back, _ = array.arrays
        self._cleared(array)
        with self._loop("i", back.rows), self._entry(array, array) as entry:
            self._write("if (inside)")
            self._write(f"{INDENT}{entry} += {self._element(back, [back.rows], 'i')};")

    @contextmanager
    def _entry(self, array: Array, table: Array) -> Iterator[str]:
        """The entry of a table where the index is, and, in C, whether it is one."""
        index, (entries, which) = array.arrays[1], array.choice
        given = self.tables.element(self._place(index).rows(which), [len(which)], "i")
        zero, many = literal(0.0, self.dtype), literal(float(entries.shape[1]), self.dtype)
        f = "f" if self.dtype == "float32" else ""
        if array.rows == 1 and array.kind == "lookup":
            self._write(f"{self.real} {self._target(array)};")
        self._write("{")
        self._depth += 1
        self._write(f"const {self.real} index = {given};")
        self._write(f"const int inside = index >= {zero} && index < {many} && index == floor{f}(index);")
        entry = self.tables.element(self._place(table).rows(entries.ravel()), list(entries.shape), "ij")
        if re.search(r"\bj\b", entry):  # not where all entries are one
            self._write("const int j = inside ? (int)index : 0;")
        yield entry
        self._depth -= 1
        self._write("}")

    def _target(self, array: Array) -> str:
        return self.tables.element(self._place(array), [array.rows], "i")

    # ------------------------------------------------------------------------------------------------ sums and products

    def _summed(self, array: Array, terms: int, term: str) -> None:
        """A sum over j, in the loops around it."""
        name = self._place(array).base if array.rows == 1 else "sum"
        self._write(f"{self.real} {name} = {literal(0.0, self.dtype)};")
        with self._loop("j", terms):
            self._write(f"{name} += {term};")

    def _segsum(self, array: Array) -> None:
        with self._loop("i", array.rows):
            self._summed(array, array.count, self._element(array.args[0], [array.rows, array.count], "ij"))
            self._write(f"{self._target(array)} = sum;")

    def _sumrows(self, array: Array) -> None:
        count = array.arrays[0].rows
        self._summed(array, count, self._element(array.args[0], [count], "j"))

    def _extreme(self, array: Array) -> None:
        (arg,) = array.arrays
        shape = [arg.rows // array.rows, array.rows]
        name = self._place(array).base if array.rows == 1 else "best"
        with self._loop("i", array.rows):
            at_first = self._place(arg).rows(np.arange(array.rows))
            self._write(f"{self.real} {name} = {self.tables.element(at_first, shape[1:], 'i')};")
            with self._loop("j", shape[0], 1):
                texts = [name, self._element(arg, shape, "ji")]
                self._write(f"{name} = {self._filled(self._row(array.op.name), texts)};")
            if array.rows > 1:
                self._write(f"{self._target(array)} = best;")

    def _matmul(self, array: Array) -> None:
        m, k, q = array.sizes
        matrix, argument = array.args
        product = f"{self._element(matrix, [m, k], 'ij')} * {self._element(argument, [k, q], 'jc')}"
        with self._loop("i", m), self._loop("c", q):
            self._summed(array, k, product)
            if array.rows > 1:
                self._write(f"{self._element(array, [m, q], 'ic')} = sum;")

    def _matmul_back(self, array: Array) -> None:
        m, k, q = array.sizes
        matrix, back, *reached = array.args
        self._cleared(array)
        with self._loop("i", m), self._loop("c", q), self._gate(self._open(reached, [m, q])), self._loop("j", k):
            product = f"{self._element(matrix, [m, k], 'ij')} * {self._element(back, [m, q], 'ic')}"
            self._write(f"{self._element(array, [k, q], 'jc')} += {product};")

    def _open(self, reached: Sequence[Operand], shape: Sequence[int]) -> str:
        return self._element(reached[0], shape, "ic") if reached else ""

    def _outer(self, array: Array) -> None:
        if array.rows == 1:
            self._cleared(array)
        self._products(array, self._place(array), "+=" if array.rows == 1 else "=")

    def _products(self, array: Array, to: Place, sign: str) -> None:
        """Each number that came back with each of the argument, where something came."""
        m, k, q = array.sizes
        back, argument, *reached = array.args
        product = f"{self._element(back, [m, q], 'ic')} * {self._element(argument, [k, q], 'jc')}"
        with self._loop("i", m), self._loop("j", k):
            cell = self.tables.element(to, [m, k], "ij")
            if q > 1 and sign == "=":
                self._write(f"{cell} = {literal(0.0, self.dtype)};")
            with self._loop("c", q):
                gate = self._open(reached, [m, q])
                if q > 1 or sign == "+=":
                    with self._gate(gate):
                        self._write(f"{cell} += {product};")
                elif gate:
                    zero = literal(0.0, self.dtype)
                    self._write(f"{cell} = {gate} != {zero} ? {product} : {zero};")
                else:
                    self._write(f"{cell} = {product};")
