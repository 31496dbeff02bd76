"""A graph of ONNX in the making: nodes, each once, and the numbers that they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from micrograd_plus.program.arrays import Places

Attribute: TypeAlias = "int | float | str | list[int] | Branch"


class Made(NamedTuple):
    """A matrix of the graph: an example in each row, and a scalar in each column.

    Attributes:
        name: what it is called there.
        rows: how many scalars; 1 where one number serves all that an instruction asks for.
        wide: whether it has a row for each example, or one which all of them share.
        truth: whether it holds truths instead of numbers.
    """

    name: str
    rows: int
    wide: bool
    truth: bool = False


class Branch(NamedTuple):
    """What an `If` computes in one of its two cases: nodes, and the last one's name."""

    nodes: list[_Node]
    output: str


class _Node(NamedTuple):
    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Attribute]


class Graph:
    """Nodes and numbers, in the order in which they are made.

    Args:
        dtype: what numbers are, "float64" or "float32".
        taken: names that nothing which is made may bear.

    Attributes:
        initializers: the numbers that stand in the file.
    """

    def __init__(self, dtype: str, taken: Sequence[str]) -> None:
        self.dtype = np.dtype(dtype)
        self.float: int = helper.np_dtype_to_tensor_dtype(self.dtype)
        self.initializers: list[TensorProto] = []
        self._taken = set(taken)
        self._counts: dict[str, int] = {}
        self._nodes: list[_Node] = []
        self._known: dict[Any, str] = {}
        self._numbers: dict[Any, str] = {}
        self._renamed: dict[str, str] = {}
        self._reshaped: dict[str, str] = {}  # of what is in another shape: what it was made of

    # ------------------------------------------------------------------------------------------------ numbers and names

    def free(self, name: str) -> str:
        """The name itself, with as many underscores as it takes to be new."""
        while not name or name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _fresh(self, stem: str) -> str:
        self._counts[stem] = self._counts.get(stem, 0) + 1
        return self.free(f"{stem}_{self._counts[stem]}")

    def numbers(self, numbers: Any, name: str = "") -> str:
        """Floats that stand in the file."""
        with np.errstate(over="ignore"):  # what is too large for a float is infinite
            return self._stored(np.asarray(numbers).astype(self.dtype), "numbers", name)

    def integers(self, numbers: Any) -> str:
        """Whole numbers that stand in the file: places, axes and sizes."""
        return self._stored(np.asarray(numbers, dtype=np.int64), "places")

    def truths(self, truths: Sequence[bool]) -> str:
        """Truths that stand in the file, as a row."""
        return self._stored(np.asarray([truths], dtype=bool), "truths")

    def _stored(self, data: Places, stem: str, name: str = "") -> str:
        key = (str(data.dtype), data.shape, data.tobytes())
        if name or key not in self._numbers:
            made = name or self._fresh(stem)
            self.initializers.append(numpy_helper.from_array(np.array(data, order="C"), made))
            if name:
                return made  # parameters may change, and are no numbers that others could share
            self._numbers[key] = made
        return self._numbers[key]

    # -------------------------------------------------------------------------------------------------------- the nodes

    def node(self, op: str, *inputs: str, **attributes: Attribute) -> str:
        """What an operator gives; the node that there is, if it was made before."""
        key = (op, inputs, repr(attributes))
        if key not in self._known:
            self._known[key] = self._added(op, inputs, attributes)
        return self._known[key]

    def _added(self, op: str, inputs: tuple[str, ...], attributes: dict[str, Attribute]) -> str:
        name = self._fresh(op)
        self._nodes.append(_Node(op, inputs, name, attributes))
        return name

    def reshaped(self, name: str, *sizes: int) -> str:
        """In another shape; -1 is whatever is left, and 0 as many as there were at that place."""
        source = name if 0 in sizes else self._reshaped.get(name, name)
        made = self.node("Reshape", source, self.integers(sizes))
        self._reshaped[made] = source
        return made

    def choice(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """What one of two functions makes nodes for, by a single truth; only that is computed."""
        branches: dict[str, Attribute] = {}
        for case, make in (("then_branch", then), ("else_branch", otherwise)):
            with self._apart() as nodes:
                branches[case] = Branch(nodes, make())
        return self._added("If", (condition,), branches)

    @contextmanager
    def _apart(self) -> Iterator[list[_Node]]:
        """Nodes made here stand in a graph of their own, in which those outside are known."""
        outside, known = self._nodes, dict(self._known)
        self._nodes = []
        yield self._nodes
        self._nodes, self._known = outside, known

    # -------------------------------------------------------------------------------------------------- what is written

    def result(self, made: str, name: str) -> None:
        """Let it be a result, which bears this name."""
        free = {node.output for node in self._nodes} - self._renamed.keys()
        self._renamed[made if made in free else self._added("Identity", (made,), {})] = name

    def written(self) -> list[NodeProto]:
        """The nodes, as ONNX has them, without those that nobody needs."""
        needed = set(self._renamed)
        nodes = []
        for node in reversed(self._nodes):
            if node.output in needed:
                nodes.append(node)
                needed |= _read(node)
        return self._written(nodes[::-1])

    def _written(self, nodes: Sequence[_Node]) -> list[NodeProto]:
        made = []
        for op, inputs, output, attributes in nodes:
            names = [self._renamed.get(name, name) for name in inputs]
            output = self._renamed.get(output, output)
            node = helper.make_node(op, names, [output], name=output)
            node.attribute.extend([self._attribute(name, value) for name, value in attributes.items()])
            made.append(node)
        return made

    def _attribute(self, name: str, value: Attribute) -> AttributeProto:
        return helper.make_attribute(name, self._subgraph(name, value) if isinstance(value, Branch) else value)

    def _subgraph(self, name: str, branch: Branch) -> GraphProto:
        result = helper.make_tensor_value_info(branch.output, self.float, None)
        return helper.make_graph(self._written(branch.nodes), name, [], [result])


def _read(node: _Node) -> set[str]:
    """What a node reads, its branches included."""
    branches = [value for value in node.attributes.values() if isinstance(value, Branch)]
    inside = [name for branch in branches for each in branch.nodes for name in _read(each)]
    return {*node.inputs, *inside, *[branch.output for branch in branches]}
