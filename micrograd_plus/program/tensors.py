"""Turn groups of scalar nodes into arrays: where sums of products share their factors, into matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd_plus.engine.operations import ADD, MUL, TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.program.arrays import Array, Arrays, Choice, Operand, Piece, Places, Product
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.fusing import NO_PLACE, WEIGHTED, Group, Terms
from micrograd_plus.program.lookups import LOOKUP

SQUARE = TABLE["square"]


class Found(NamedTuple):
    """The arrays of a graph.

    Attributes:
        arrays: all instructions.
        root: the outputs, a row for each.
        guards: what decided Python's choices, a row for each; None where there were none.
    """

    arrays: Arrays
    root: Array
    guards: Array | None


def arrays_of(listing: Listing, found: list[Group], parameters: Sequence[Value]) -> Found:
    """The arrays that compute what a graph computes.

    Args:
        listing: the graph.
        found: its groups.
        parameters: the leaves, and perhaps others, in the order of the rows of theta.
    """
    finder = _Finder(listing, parameters)
    for group in found:
        if group.op is None:
            finder.sum(group)
        elif group.op is LOOKUP:
            finder.lookup(group)
        else:
            finder.operation(group)
    guards = [guard.value for guard in listing.guards]
    root = finder.gather(np.array(listing.roots))
    return Found(finder.arrays, root, finder.gather(np.array(guards)) if guards else None)


class _Finder:
    """Where each node's number will be: in which array, in which row."""

    def __init__(self, listing: Listing, parameters: Sequence[Value]) -> None:
        self.arrays = Arrays()
        self.source = np.full(len(listing.ops), -1)  # the number of an array; -1 for a constant
        self.row = np.zeros(len(listing.ops), dtype=np.intp)
        self.numbers = np.zeros(len(listing.ops))
        self.numbers[list(listing.constants)] = list(listing.constants.values())
        nx, ny = listing.inputs
        if nx:
            self._place(np.arange(nx), self.arrays.make("x", (), nx, True))
        if ny:
            self._place(np.arange(nx, nx + ny), self.arrays.make("y", (), ny, True))
        if parameters:
            theta = self.arrays.make("theta", (), len(parameters), False)
            row_of = dict(zip(map(id, parameters), range(len(parameters))))
            leaves = list(listing.leaves)
            self.source[leaves] = theta.number
            self.row[leaves] = [row_of[leaf] for leaf in map(id, listing.leaves.values())]

    def _place(self, members: Any, array: Array) -> None:
        self.source[members] = array.number
        self.row[members] = np.arange(len(members)) if array.rows > 1 else 0

    def gather(self, places: Places, *, once: bool = False) -> Array:
        """An array with the numbers of these places, one a row; with `once`, a single row where all are the same."""
        sources, rows = self.source[places], self.row[places]
        first = int(sources[0])
        if (sources == first).all():
            if first < 0:
                return self.arrays.const(self.numbers[places])
            array = self.arrays.made[first]
            return self.arrays.select(array, rows[:1] if once and (rows == rows[0]).all() else rows)
        parts: list[Array] = []
        pieces: list[Piece] = []
        for source in dict.fromkeys(sources.tolist()):
            target = np.flatnonzero(sources == source)
            if source < 0:
                parts.append(self.arrays.const(self.numbers[places[target]]))
                pieces.append(Piece(len(pieces), np.arange(len(target)), target))
            else:
                parts.append(self.arrays.made[source])
                pieces.append(Piece(len(pieces), rows[target], target))
        return self.arrays.pieces("rows", parts, pieces, len(places))

    def operation(self, group: Group) -> None:
        """One operation for all nodes of a group."""
        assert group.op is not None
        count = len(group.members)
        columns = [np.array(places) for places in group.args]
        if len(columns) > len(group.op.partials):  # a maximum of many
            wide = self.gather(np.concatenate(columns))
            made = self.arrays.make("extreme", (wide,), count, wide.batched, group.op, (group.op.name, count))
        else:
            args = [self._argument(places) for places in columns]
            if all(not isinstance(arg, Array) or arg.rows == 1 for arg in args):
                args[0] = self.gather(columns[0])  # alike nodes stay apart: to each its own gradient, 0 or infinite
            made = self.arrays.elementwise("apply", args, group.op)
        self._place(group.members, made)

    def lookup(self, group: Group) -> None:
        """Entries of tables, each by an index; what is looked up in one table, or by one index, shares it."""
        indices, which = np.unique(group.args[0], return_inverse=True)
        entries, chosen = np.unique(np.array(group.args[1:]).T, return_inverse=True)
        order = np.lexsort((self.row[entries], self.source[entries]))
        choice = Choice(np.argsort(order)[chosen].reshape(len(group.members), -1), which)
        table, index = self.gather(entries[order]), self.gather(indices)
        made = self.arrays.lookup("lookup", table, index, len(group.members), True, choice)
        self._place(group.members, made)

    def _argument(self, places: Places) -> Operand:
        """One argument of all nodes of a group: a number, or an array."""
        if (self.source[places] < 0).all():
            numbers = self.numbers[places]
            alike = (numbers.view(np.int64) == numbers.view(np.int64)[0]).all()  # 0.0 and -0.0 are two numbers
            return float(numbers[0]) if alike else self.arrays.const(numbers)
        return self.gather(places, once=True)

    def sum(self, group: Group) -> None:
        """Sums of products, alike ones once: matrix products where the factors allow it."""
        members = np.array(group.members)
        parts = [self._terms(terms) for terms in group.terms]
        constants = np.array(group.constants)
        alike = _kinds(
            [b"".join([part.key(i) for part in parts if part]) + constants[i].tobytes() for i in range(len(members))]
        )
        first = np.unique(alike, return_index=True)[1]
        weighted = parts[WEIGHTED]
        for chosen in self._parted(weighted and weighted.of(first), len(first)):
            made, order = self._sum([part and part.of(first[chosen]) for part in parts], constants[first[chosen]])
            self._place(members[first[chosen]][order], made)
        self.source[members], self.row[members] = self.source[members[first]][alike], self.row[members[first]][alike]

    def _terms(self, terms: list[Terms]) -> _Terms | None:
        if not terms[0].first:
            return None
        factors = np.array([each.first for each in terms]), np.array([each.second for each in terms])
        coefficients = np.array([each.coefficients for each in terms])
        order = np.argsort(self.source[factors[0]] * len(self.source) + self.row[factors[0]], axis=1, kind="stable")
        pick = [np.take_along_axis(part, order, axis=1) for part in (*factors, coefficients)]
        return _Terms(*pick)

    def _parted(self, products: _Terms | None, count: int) -> list[Places]:
        """The members in parts that one matrix product each can compute; else all together."""
        everybody = [np.arange(count)]
        if products is None or products.grid() is not None:
            return everybody
        for kind in (products.left(), products.right()):
            kinds = int(kind.max()) + 1
            if kinds <= count // 2:
                return [np.flatnonzero(kind == i) for i in range(kinds)]
        return everybody

    def _sum(self, parts: Sequence[_Terms | None], constants: Places) -> tuple[Array, Places]:
        """The sums of some members, and the order in which they stand in the result."""
        weighted, *others, steps = parts  # in the order of fusing.KINDS
        order = np.arange(len(constants))
        total: Operand | None = None
        if weighted is not None and (grid := weighted.grid()) is not None:
            total, order = self._product(weighted, grid), grid.order
            weighted = None
        for part in (weighted, *others):
            if part is not None:
                made = self._elementwise(part.of(order))
                total = made if total is None else self.arrays.elementwise("apply", (total, made), ADD)
        rest: Operand | None = self._constant(steps and steps.of(order), constants[order])
        if total is not None and rest is not None:
            total = self.arrays.elementwise("apply", (total, rest), ADD)
        total = total or rest
        assert isinstance(total, Array)
        return total, order

    def _constant(self, steps: _Terms | None, constants: Places) -> Operand | None:
        """What is added last: the constants, and steps, with which they often cancel exactly."""
        number: Operand | None = None
        if constants.any():
            alike = (constants == constants[0]).all()
            number = float(constants[0]) if alike else self.arrays.const(constants)
        if steps is None:
            return number
        made = self._elementwise(steps)
        return made if number is None else self.arrays.elementwise("apply", (made, number), ADD)

    def _product(self, terms: _Terms, grid: _Grid) -> Array:
        """A matrix product: each row of factors on the right, weighed, with each row of factors on the left."""
        right = terms.second[grid.right]
        matrix = self._weighed(self.gather(right.ravel()), terms.coefficient[grid.right].ravel())
        argument = self.gather(terms.first[grid.left].T.ravel())
        return self.arrays.matmul(matrix, argument, Product(len(grid.right), right.shape[1], len(grid.left)))

    def _elementwise(self, terms: _Terms) -> Array:
        """Products element by element, and their sums."""
        count = terms.first.shape[1]
        weights = terms.coefficient.ravel()
        made = self.gather(terms.first.ravel(), once=count == 1)
        if terms.second[0, 0] == NO_PLACE:
            if len(terms.first) == 1 and (weights != weights[0]).any():  # the coefficients are a matrix of one row
                matrix = self.arrays.const(weights)
                return self.arrays.matmul(matrix, made, Product(1, count, 1))
            return self.arrays.segsum(self._weighed(made, weights), count)
        if (terms.first == terms.second).all():
            made = self.arrays.elementwise("apply", (made,), SQUARE)
            return self.arrays.segsum(self._weighed(made, weights), count)
        other = self.gather(terms.second.ravel(), once=count == 1)
        if len(terms.first) == 1 and not made.batched and not other.batched:
            return self.arrays.matmul(self._weighed(made, weights), other, Product(1, count, 1))
        return self.arrays.segsum(self._weighed(self.arrays.elementwise("apply", (made, other), MUL), weights), count)

    def _weighed(self, array: Array, weights: Places) -> Array:
        if (weights == 1.0).all():
            return array
        alike = (weights == weights[0]).all()
        factor = float(weights[0]) if alike else self.arrays.const(weights)
        return self.arrays.elementwise("apply", (array, factor), MUL)


class _Grid(NamedTuple):
    """Sums that pair each of some left rows of factors with each of some right ones.

    Attributes:
        left: a member for each distinct row on the left.
        right: a member for each distinct row on the right.
        order: the members, right row by right row.
    """

    left: Places
    right: Places
    order: Places


class _Terms(NamedTuple):
    """The terms of some sums, a row for each: the places of the factors, and the coefficients."""

    first: Places
    second: Places
    coefficient: Places

    def of(self, members: Places) -> _Terms:
        """Those of some members."""
        return _Terms(self.first[members], self.second[members], self.coefficient[members])

    def key(self, member: int) -> bytes:
        """What tells a member's terms from others'."""
        return b"".join([part[member].tobytes() for part in self])

    def left(self) -> Places:
        """Which of the distinct rows of first factors each member has."""
        return _kinds([row.tobytes() for row in self.first])

    def right(self) -> Places:
        """Which of the distinct rows of second factors, with their coefficients, each member has."""
        return _kinds([row.tobytes() + weights.tobytes() for row, weights in zip(self.second, self.coefficient)])

    def grid(self) -> _Grid | None:
        """How these sums are a matrix product, if they are one."""
        left, right = self.left(), self.right()
        columns, rows = int(left.max()) + 1, int(right.max()) + 1
        if columns * rows != len(left) or len(set(zip(left.tolist(), right.tolist()))) != len(left):
            return None
        first_of = [np.unique(kind, return_index=True)[1] for kind in (left, right)]
        return _Grid(first_of[0], first_of[1], np.argsort(right * columns + left, kind="stable"))


def _kinds(rows: list[bytes]) -> Places:
    """The rows' numbers, alike rows having the same, in the order in which they come."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows])
