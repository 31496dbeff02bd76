"""A program's instructions as nodes of an ONNX graph, an example in each row, as one writes layers there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
from onnx import TensorProto

from micrograd_plus.engine.operations import ADD, TABLE
from micrograd_plus.program.arrays import Array, Choice, Piece, Places
from micrograd_plus.program.exports.onnx_graph import Graph, Made
from micrograd_plus.program.exports.onnx_rows import Rows
from micrograd_plus.program.exports.parameters import Tensor
from micrograd_plus.program.lowering import reached
from micrograd_plus.program.strides import is_matrix_of_theta, rows_of_theta, stride


class Weights:
    """The parameters, which stand in the file as tensors.

    Args:
        graph: where they are.
        tensors: all parameters, by the names that they have there.
    """

    def __init__(self, graph: Graph, tensors: Mapping[str, Tensor]) -> None:
        self.graph, self.tensors = graph, tensors
        self._places = {row: (name, i) for name, t in tensors.items() for i, row in enumerate(t.rows.tolist())}

    def whole(self, rows: Places) -> str | None:
        """The tensor that these rows are, if they are just one."""
        name, _ = self._places[int(rows[0])]
        return name if np.array_equal(self.tensors[name].rows, rows) else None

    def row(self, rows: Places) -> Made:
        """Some of them, one beside the other."""
        found = [self._places[row] for row in rows.tolist()]
        starts, size = {}, 0
        for name in dict.fromkeys([name for name, _ in found]):
            starts[name], size = size, size + len(self.tensors[name].rows)
        parts = [self.graph.reshaped(name, 1, -1) for name in starts]
        joined = parts[0] if len(parts) == 1 else self.graph.node("Concat", *parts, axis=1)
        return taken(self.graph, Made(joined, size, False), np.array([starts[name] + i for name, i in found]))

    def matrix(self, rows: Places, m: int, k: int) -> str:
        """Some of them, as a matrix."""
        name = self.whole(rows)
        if name is not None and self.tensors[name].shape == (m, k):
            return name
        return self.graph.reshaped(name or self.row(rows).name, m, k)


def taken(graph: Graph, array: Made, columns: Places) -> Made:
    """Some of the columns."""
    count = len(columns)
    if count == array.rows and (columns == np.arange(count)).all():
        return array
    spaced = stride(columns)
    if spaced is not None and spaced[1] > 0:
        ends = [[spaced[0]], [spaced[0] + spaced[1] * (count - 1) + 1], [1], [spaced[1]]]
        name = graph.node("Slice", array.name, *[graph.integers(numbers) for numbers in ends])
    else:
        name = graph.node("Gather", array.name, graph.integers(columns), axis=1)
    return array._replace(name=name, rows=count)


class Instructions:
    """Nodes for instructions, each once, when they are asked for.

    Args:
        graph: where they are made.
        rows: how rows of the table are.
        weights: the parameters.
        inputs: the matrices `x` and `y`.
        examples: how many there are, as a shape of one size.
        outputs: what will be asked for, lowered.
    """

    def __init__(
        self,
        graph: Graph,
        rows: Rows,
        weights: Weights,
        inputs: Mapping[str, Made],
        examples: str,
        outputs: Sequence[Array],
    ) -> None:
        self.graph, self.rows, self.weights, self.inputs, self.examples = graph, rows, weights, inputs, examples
        self._known: dict[int, Made] = {}
        self._readers = Counter([arg.number for array in reached(outputs) for arg in array.arrays])
        self._readers.update([array.number for array in outputs])

    def matrix(self, array: Array) -> Made:
        """What an instruction computes."""
        stack = [array]
        while stack:
            current = stack[-1]
            missing = [arg for arg in self._arguments(current) if arg.number not in self._known]
            if current.number not in self._known and not missing:
                self._known[current.number] = self._computed(current)
            if not missing:
                stack.pop()
            stack += reversed(missing)
        return self._known[array.number]

    def _computed(self, array: Array) -> Made:
        if self._is_part(array):
            return self.weights.row(rows_of_theta(array))
        made: Made = getattr(self, f"_{array.kind}")(array)
        return made

    def _is_part(self, array: Array) -> bool:
        """Whether it is of the parameters."""
        return array.kind == "theta" or (array.kind == "rows" and is_matrix_of_theta(array))

    def _arguments(self, array: Array) -> list[Array]:
        """What it needs: parameters are picked, and in a layer the product is a part of the sum."""
        if self._is_part(array):
            return []
        if array.kind in ("matmul", "matmul_back"):
            return array.arrays if not self._is_part(array.arrays[0]) else array.arrays[1:]
        layer = self._layer(array)
        return array.arrays if layer is None else self._arguments(layer[0])

    def _layer(self, array: Array) -> tuple[Array, str] | None:
        """A matrix product and the bias that is added, where nobody else reads the product."""
        if array.kind != "apply" or array.op is not ADD or len(array.arrays) < 2:
            return None
        for product, bias in (array.arrays, array.arrays[::-1]):
            if product.kind == "matmul" and product.sizes.q == 1 and self._readers[product.number] == 1:
                name = self.weights.whole(rows_of_theta(bias)) if self._is_part(bias) else None
                if name is not None and self.weights.tensors[name].shape == (product.rows,) == (array.rows,):
                    return product, name
        return None

    # ----------------------------------------------------------------------------------------------------- their shapes

    def _constant(self, number: float) -> Made:
        """A number as a matrix of one row and one column."""
        return Made(self.graph.numbers([[number]]), 1, False)

    def _full(self, array: Array) -> Made:
        """An argument as numbers or truths, with all its columns."""
        return self._stretched(self._known[array.number], array.rows)

    def _stretched(self, made: Made, rows: int) -> Made:
        if made.rows == rows:
            return made
        return made._replace(name=self.graph.node("Expand", made.name, self.graph.integers([1, rows])), rows=rows)

    def wide(self, made: Made) -> Made:
        """With a row for each example."""
        if made.wide:
            return made
        shape = self.graph.node("Concat", self.examples, self.graph.integers([1]), axis=0)
        return made._replace(name=self.graph.node("Expand", made.name, shape), wide=True)

    def _alike(self, parts: Sequence[Made]) -> list[Made]:
        """All as numbers, with as many rows."""
        parts = [self.rows.number(part) for part in parts]
        return [self.wide(part) for part in parts] if any(part.wide for part in parts) else parts

    def _cube(self, made: Made, *sizes: int) -> str:
        """For each example an array of such a shape."""
        return self.graph.reshaped(made.name, 0, *sizes)

    def _summed(self, name: str, *axes: int, keep: bool = False) -> str:
        return self.graph.node("ReduceSum", name, self.graph.integers(axes), keepdims=int(keep))

    # ------------------------------------------------------------------------------------------------- the instructions

    def _x(self, array: Array) -> Made:
        return self.inputs[array.kind]

    _y = _x

    def _const(self, array: Array) -> Made:
        numbers = np.asarray(array.numbers, dtype=float).reshape(1, -1)
        return Made(self.graph.numbers(numbers), numbers.shape[1], False)

    def _apply(self, array: Array) -> Made:
        layer = self._layer(array)
        if layer is not None:
            return self._matmul(*layer)
        args = [self._known[arg.number] if isinstance(arg, Array) else arg for arg in array.args]
        made = self.rows.applied(array.op, args)
        return made if isinstance(made, Made) else self._constant(made)

    def _not(self, array: Array) -> Made:
        return self.rows.opposite(self.rows.true(self._known[array.arrays[0].number]))

    def _and(self, array: Array) -> Made:
        return self.rows.both(*[self.rows.true(self._known[arg.number]) for arg in array.arrays])

    def _cast(self, array: Array) -> Made:
        return self._known[array.arrays[0].number]  # whoever needs numbers makes them; and whoever needs columns

    _spread = _cast

    def _rows(self, array: Array) -> Made:
        return self._put(array, [self._full(arg) for arg in array.arrays])

    _scatter = _rows

    def _put(self, array: Array, given: Sequence[Made]) -> Made:
        """Columns of these where they belong; what comes to the same column is added up."""
        parts = self._alike([taken(self.graph, given[piece.array], piece.source) for piece in array.pieces])
        joined = parts[0].name
        if len(parts) > 1:
            joined = self.graph.node("Concat", *[part.name for part in parts], axis=1)
        targets = np.concatenate([piece.target for piece in array.pieces])
        made = Made(joined, len(targets), parts[0].wide)
        if len(targets) == array.rows and len(np.unique(targets)) == array.rows:
            return taken(self.graph, made, np.argsort(targets))
        zeros = self._stretched(self._constant(0.0), array.rows)
        places = self.graph.integers(targets.reshape(1, -1))
        if made.wide:
            zeros = self.wide(zeros)
            places = self.graph.node("Expand", places, self.graph.node("Shape", made.name))
        name = self.graph.node("ScatterElements", zeros.name, places, made.name, axis=1, reduction="add")
        return Made(name, array.rows, made.wide)

    def _repeat(self, array: Array) -> Made:
        return taken(self.graph, self._full(array.arrays[0]), np.arange(array.rows) // array.count)

    # ------------------------------------------------------------------------------------------------ sums and products

    def _segsum(self, array: Array) -> Made:
        given = self.rows.number(self._full(array.arrays[0]))
        return Made(self._summed(self._cube(given, array.rows, array.count), 2), array.rows, given.wide)

    def _sumrows(self, array: Array) -> Made:
        given = self.rows.number(self._full(array.arrays[0]))
        return Made(self._summed(given.name, 1, keep=True), 1, given.wide)

    def _extreme(self, array: Array) -> Made:
        """The largest or smallest; nan where one is, which onnxruntime's own may pass over."""
        (arg,) = array.arrays
        given = self.rows.number(self._full(arg))
        cube, axis = self._cube(given, arg.rows // array.rows, array.rows), self.graph.integers([1])
        operator = "ReduceMax" if array.op is TABLE["maximum"] else "ReduceMin"
        best = Made(self.graph.node(operator, cube, axis, keepdims=0), array.rows, given.wide)
        odd = self.graph.node("Cast", self.graph.node("IsNaN", cube), to=self.graph.float)
        some = best._replace(name=self.graph.node("ReduceMax", odd, axis, keepdims=0))
        return self.rows.chosen(self.rows.true(some), nan, best)

    def _matmul(self, array: Array, bias: str = "") -> Made:
        (m, k, q), (matrix, argument) = array.sizes, array.arrays
        given, weight = self.rows.number(self._full(argument)), self._as_matrix(matrix, m, k)
        if q == 1:
            name = self.graph.node("Gemm", given.name, weight, *([bias] if bias else []), transB=1)
        else:
            name = self._cube(given._replace(name=self.graph.node("MatMul", weight, self._cube(given, k, q))), m * q)
        return Made(name, m * q, given.wide)

    def _as_matrix(self, array: Array, m: int, k: int) -> str:
        if self._is_part(array):
            return self.weights.matrix(rows_of_theta(array), m, k)
        return self.graph.reshaped(self.rows.number(self._full(array)).name, m, k)

    def _matmul_back(self, array: Array) -> Made:
        """The transposed matrix times what came back."""
        m, k, q = array.sizes
        matrix, arriving, *gates = array.arrays
        weight, back = self._as_matrix(matrix, m, k), self.rows.number(self._full(arriving))
        if not gates:
            return self._times_back(weight, back, m, k, q)
        gate = self.rows.true(self._full(gates[0]))
        open_back = self.rows.chosen(gate, back, 0.0)
        column = self.graph.reshaped(weight, 1, m, k, 1)

        def exact() -> str:
            terms = self.graph.node("Mul", column, self._cube(back, m, 1, q))
            reached = self.graph.node("Where", self._cube(gate, m, 1, q), terms, self.graph.numbers(0.0))
            return self.graph.reshaped(self._summed(reached, 1), -1, k * q)

        name = self.graph.choice(self._finite(weight), lambda: self._times_back(weight, open_back, m, k, q).name, exact)
        return Made(name, k * q, open_back.wide)

    def _times_back(self, weight: str, back: Made, m: int, k: int, q: int) -> Made:
        if q == 1:
            return Made(self.graph.node("MatMul", back.name, weight), k, back.wide)
        turned = self.graph.node("Transpose", weight, perm=[1, 0])
        product = back._replace(name=self.graph.node("MatMul", turned, self._cube(back, m, q)))
        return Made(self._cube(product, k * q), k * q, back.wide)

    def _finite(self, name: str) -> str:
        """Whether all numbers are, so that a closed gate's 0 times them is 0."""
        nothing = self.graph.node("Mul", name, self.graph.numbers(0.0))
        return self.graph.node("Equal", self.graph.node("ReduceSum", nothing, keepdims=0), self.graph.numbers(0.0))

    def _outer(self, array: Array) -> Made:
        """For each example what came back times the argument."""
        back, given, gate = self._sides(array)
        m, k, q = array.sizes
        if gate is None:
            turned = self.graph.node("Transpose", self._cube(given, k, q), perm=[0, 2, 1])
            name = self.graph.node("MatMul", self._cube(back, m, q), turned)
        else:
            name = self._summed(self._terms(array, back, given, gate), 3)
        wide = back.wide or given.wide or (gate is not None and gate.wide)
        return Made(self.graph.reshaped(name, -1, m * k), m * k, wide)

    def _sides(self, outer: Array) -> tuple[Made, Made, Made | None]:
        arriving, argument, *gates = outer.arrays
        gate = self.rows.true(self._full(gates[0])) if gates else None
        return self.rows.number(self._full(arriving)), self.rows.number(self._full(argument)), gate

    def _terms(self, outer: Array, back: Made, given: Made, gate: Made) -> str:
        """All products, for each example m x k x q of them, and 0 where the gate is closed."""
        m, k, q = outer.sizes
        product = self.graph.node("Mul", self._cube(back, m, 1, q), self._cube(given, 1, k, q))
        return self.graph.node("Where", self._cube(gate, m, 1, q), product, self.graph.numbers(0.0))

    # ------------------------------------------------------------------------------------------------ entries of tables

    def _lookup(self, array: Array) -> Made:
        table, index = array.arrays
        at, inside = self._entries(self._full(index), array.choice)
        given = self.rows.number(self._full(table))
        if not given.wide:
            found = self.graph.node("Gather", self.graph.reshaped(given.name, -1), at.name, axis=0)
        else:
            found = self.graph.node("GatherElements", given.name, self.wide(at).name, axis=1)
        return self.rows.chosen(inside, Made(found, at.rows, at.wide or given.wide), nan)

    def _lookup_back(self, array: Array) -> Made:
        back, index = array.arrays
        at, inside = self._entries(self._full(index), array.choice)
        part = self.wide(self.rows.chosen(inside, self._full(back), 0.0))
        zeros = self.wide(self._stretched(self._constant(0.0), array.rows))
        given = (zeros.name, self.wide(at).name, part.name)
        return Made(self.graph.node("ScatterElements", *given, axis=1, reduction="add"), array.rows, True)

    def _entries(self, index: Made, choice: Choice) -> tuple[Made, Made]:
        """For each example and row the column of the table, and whether there is one."""
        index = taken(self.graph, self.rows.number(index), choice.which)
        count = choice.entries.shape[1]
        whole = self.rows.node("Equal", index, self.rows.node("Floor", index))
        bounds = self.rows.node("LessOrEqual", 0.0, index), self.rows.node("Less", index, float(count))
        inside = self.rows.both(*bounds, whole)
        place = self.graph.node("Cast", self.rows.chosen(inside, index, 0.0).name, to=TensorProto.INT64)
        first = self.graph.integers([count * np.arange(len(choice.which))])
        flat = self.graph.node("Add", place, first)
        entries = self.graph.integers(choice.entries.ravel())
        return index._replace(name=self.graph.node("Gather", entries, flat, axis=0)), inside

    # --------------------------------------------------------------------------------------------- means over the batch

    def mean(self, array: Array, rows: Places, here: Made | None) -> Made:
        """The mean over the examples, of some rows; of a product without those of each example.

        Args:
            array: an instruction that computes it for each example.
            rows: which rows.
            here: the examples that count, others give 0; None where all do.
        """
        array, rows = _source(array, rows)
        return taken(self.graph, self._mean(array, here), rows)

    def _mean(self, array: Array, here: Made | None) -> Made:
        if array.kind == "outer":
            return self._mean_product(array, here)
        if array.kind in ("rows", "scatter") and not self._is_part(array):
            parts = [self._stretched(self._mean(arg, here), arg.rows) for arg in array.arrays]
            return self._put(array, parts)
        given = self.rows.number(self.matrix(array))
        if here is not None:
            given = self.rows.chosen(here, given, 0.0)
        if given.wide:
            name = self.graph.node("ReduceMean", given.name, self.graph.integers([0]), keepdims=1)
            given = given._replace(name=name, wide=False)
        return self._stretched(given, array.rows)

    def _mean_product(self, outer: Array, here: Made | None) -> Made:
        for arg in outer.arrays:
            self.matrix(arg)
        m, k, q = outer.sizes
        back, given, gate = self._sides(outer)
        if here is not None:
            gate = here if gate is None else self.rows.both(gate, here)
        if not (back.wide or given.wide or (gate is not None and gate.wide)):
            return self._mean_of_one(outer, back, given, gate)
        back, given = self.rows.node("Mul", self.wide(back), self._share()), self.wide(given)
        if gate is None:
            return self._product_of_sums(outer, back, given)
        gate = self._stretched(gate, m * q)
        open_back = self.rows.chosen(gate, back, 0.0)

        def exact() -> str:
            return self.graph.reshaped(self._summed(self._terms(outer, back, given, gate), 0, 3), 1, m * k)

        name = self.graph.choice(
            self._finite(given.name), lambda: self._product_of_sums(outer, open_back, given).name, exact
        )
        return Made(name, m * k, False)

    def _mean_of_one(self, outer: Array, back: Made, given: Made, gate: Made | None) -> Made:
        """Where all examples have the same."""
        m, k, _ = outer.sizes
        if gate is None:
            return self._product_of_sums(outer, back, given)
        terms = self._terms(outer, back, given, self._stretched(gate, back.rows))
        return Made(self.graph.reshaped(self._summed(terms, 0, 3), 1, m * k), m * k, False)

    def _product_of_sums(self, outer: Array, back: Made, given: Made) -> Made:
        """Σ over examples, and over columns of the argument, of products, as a single matrix product."""
        m, k, q = outer.sizes
        if q == 1:
            name = self.graph.node("Gemm", back.name, given.name, transA=1)
        else:
            sides = [self._cube(back, m, q), self._cube(given, k, q)]
            flat = [self.graph.node("Transpose", side, perm=[1, 0, 2]) for side in sides]
            rows = [self.graph.reshaped(side, size, -1) for side, size in zip(flat, (m, k))]
            name = self.graph.node("Gemm", *rows, transB=1)
        return Made(self.graph.reshaped(name, 1, m * k), m * k, False)

    def _share(self) -> Made:
        """1 / the number of examples."""
        count = self.graph.node("Cast", self.examples, to=self.graph.float)
        return Made(self.graph.node("Reciprocal", count), 1, False)


def _source(array: Array, rows: Places) -> tuple[Array, Places]:
    """Where these rows come from, each from one place alone: an instruction before, and rows of that."""
    while array.kind in ("rows", "scatter"):
        piece = _only(array.pieces, rows)
        if piece is None:
            break
        where = dict(zip(piece.target.tolist(), piece.source.tolist()))
        array, rows = array.arrays[piece.array], np.array([where[row] for row in rows.tolist()])
    return array, rows


def _only(pieces: Sequence[Piece], rows: Places) -> Piece | None:
    """The one piece from which all these rows come, each once."""
    hits = [piece for piece in pieces if np.isin(piece.target, rows).any()]
    if len(hits) != 1 or len(np.unique(hits[0].target)) != len(hits[0].target):
        return None
    return hits[0] if np.isin(rows, hits[0].target).all() else None
