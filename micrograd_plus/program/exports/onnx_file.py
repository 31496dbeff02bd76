"""Write a program as an ONNX model: standard operators, parameters by their names, any number of examples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version
from math import nan, prod
from typing import TYPE_CHECKING, Any

import onnx
from onnx import helper

from micrograd_plus._support.files import write_atomically
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.exports.chains import chain
from micrograd_plus.program.exports.leaving import check
from micrograd_plus.program.exports.onnx_graph import Graph, Made
from micrograd_plus.program.exports.onnx_instructions import Instructions, Weights
from micrograd_plus.program.exports.onnx_rows import Rows, known_operators, known_rows
from micrograd_plus.program.exports.parameters import tensors
from micrograd_plus.program.exports.ways import Way, ways_of
from micrograd_plus.program.lowering import lowered

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program

OPSET = 20  # of ONNX 1.15 and onnxruntime 1.17
IR_VERSION = 9  # which came with it
BATCH = "batch"  # what the number of examples is called
ABOUT = {"x": "the numbers of an example in each row", "y": "their targets", "out": "what comes out of each example"}


def write(program: Program, path: str | os.PathLike[str], gradient: bool, dtype: str) -> None:
    """Write the model."""
    if os.path.splitext(os.fspath(path))[1] != ".onnx":
        raise ValueError(f"{program!r}.to_onnx({os.fspath(path)!r}): expected a name in .onnx")
    model = _Model(program, gradient, dtype).written()
    write_atomically(path, model.SerializeToString())


class _Model:
    """A model in the making."""

    def __init__(self, program: Program, gradient: bool, dtype: str) -> None:
        self.program, self.ways = program, ways_of(program)
        names = ["x", "y"][: len(program._shapes)]
        self.graph = Graph(dtype, [*names, "out"])
        self.shapes = dict(zip(names, program._shapes))
        self.tensors = {self.graph.free(tensor.name): tensor for tensor in tensors(program)}
        self.trained = {name: tensor for name, tensor in self.tensors.items() if tensor.trained} if gradient else {}
        self.slopes = {name: self.graph.free(f"gradient.{name}") for name in self.trained}
        theta = program._theta(None)
        for name, tensor in self.tensors.items():
            self.graph.numbers(theta[tensor.rows].reshape(tensor.shape), name)
        network = not gradient and len(self.ways) == 1 and chain(program, self.ways[0]) is not None
        self.operators = known_operators(dtype, network)
        self.rows, self.weights = Rows(self.graph, self.operators), Weights(self.graph, self.tensors)
        self.examples = self.graph.node("Shape", "x", start=0, end=1)
        self.inputs = {name: self._flat(name) for name in names}
        self._compute()

    def _flat(self, name: str) -> Made:
        """An input as a matrix, an example in each row."""
        shape = self.shapes[name]
        if len(shape) == 1:
            return Made(name, *shape, True)
        if not shape:
            return Made(self.graph.node("Unsqueeze", name, self.graph.integers([1])), 1, True)
        return Made(self.graph.node("Flatten", name, axis=1), prod(shape), True)

    # ------------------------------------------------------------------------------------------------------ the results

    def _compute(self) -> None:
        out: Made | float = nan  # where an example goes a way that none had gone
        slopes: dict[str, list[Made]] = {name: [] for name in self.trained}
        ways = []
        for way in reversed(self.ways):
            here, made, parts = self._way(way)
            if here is not None:
                made = self.rows.chosen(here, made, out)
                ways.append(here)
            out = made
            for name, part in parts.items():
                slopes[name].append(part)
        assert isinstance(out, Made)
        self._result(out)
        for name in self.trained:
            self._slope(name, slopes[name], ways)

    def _way(self, way: Way) -> tuple[Made | None, Made, dict[str, Made]]:
        """Which examples go it, where not all do; what comes out; the mean of the gradient over those."""
        trained = len(self.program.parameters)
        asked = [way.root, *([way.guards] if way.guards is not None else [])]
        asked += [way.gradient(trained)] if self.trained else []
        known = known_rows(self.operators)
        arrays = lowered(asked, known)
        check(self.program, "ONNX", arrays, known)
        made = Instructions(self.graph, self.rows, self.weights, self.inputs, self.examples, arrays)
        here = None if way.guards is None else self._goes(made, arrays[1], way.outcomes)
        out = made.matrix(arrays[0])
        return here, out, {name: made.mean(arrays[-1], t.rows, here) for name, t in self.trained.items()}

    def _goes(self, made: Instructions, guards: Array, outcomes: Sequence[bool]) -> Made:
        """Which examples go a way."""
        decided = self.rows.true(made.matrix(guards))
        other = self.graph.node("Xor", decided.name, self.graph.truths(outcomes))
        counted = self.rows.number(Made(other, len(outcomes), decided.wide, True))
        total = self.graph.node("ReduceSum", counted.name, self.graph.integers([1]), keepdims=1)
        return self.rows.node("Equal", Made(total, 1, decided.wide), 0.0)

    def _result(self, out: Made) -> None:
        """What comes out, as the program gives it: a number for each example, or as many as its list has."""
        out = self.rows.number(out)
        if not out.wide:
            shape = self.graph.node("Concat", self.examples, self.graph.integers([1]), axis=0)
            out = out._replace(name=self.graph.node("Expand", out.name, shape), wide=True)
        count = self.ways[0].root.rows
        if self.program.several and out.rows < count:
            out = out._replace(name=self.graph.node("Expand", out.name, self.graph.integers([1, count])))
        name = out.name if self.program.several else self.graph.node("Squeeze", out.name, self.graph.integers([1]))
        self.graph.result(name, "out")

    def _slope(self, name: str, parts: Sequence[Made], ways: Sequence[Made]) -> None:
        """The gradient by a tensor, nan where an example goes no way."""
        total, *others = parts
        for part in others:
            total = self.rows.node("Add", total, part)
        if ways:
            counts = [self.rows.number(way) for way in ways]
            known = counts[0]
            for count in counts[1:]:
                known = self.rows.node("Add", known, count)
            least = self.graph.node("ReduceMin", known.name, keepdims=0)
            total = self.rows.chosen(self.rows.true(Made(least, 1, False)), total, nan)
        shape = self.trained[name].shape
        self.graph.result(self.graph.reshaped(total.name, *shape), self.slopes[name])

    # --------------------------------------------------------------------------------------------------------- the file

    def written(self) -> onnx.ModelProto:
        """The model."""
        inputs = [self._told(name, [BATCH, *shape], ABOUT[name]) for name, shape in self.shapes.items()]
        inputs += [self._told(name, t.shape, "a parameter, or the file's own") for name, t in self.trained.items()]
        several = [self.ways[0].root.rows] if self.program.several else []
        outputs = [self._told("out", [BATCH, *several], ABOUT["out"])]
        for name, tensor in self.trained.items():
            about = f"the derivative of the batch's mean by {name}"
            outputs.append(self._told(self.slopes[name], tensor.shape, about))
        nodes, initializers = self.graph.written(), self.graph.initializers
        graph = helper.make_graph(nodes, self.program._name, inputs, outputs, initializers, repr(self.program))
        model = helper.make_model(
            graph,
            producer_name="micrograd_plus",
            producer_version=version("micrograd-plus"),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            doc_string=f"{self.program._name}, a scalar function compiled by micrograd_plus",
        )
        helper.set_model_props(model, self._properties())
        return model

    def _told(self, name: str, shape: Sequence[int | str], about: str) -> Any:
        return helper.make_tensor_value_info(name, self.graph.float, list(shape), about)

    def _properties(self) -> dict[str, str]:
        """What the file tells about itself, for whoever opens it."""
        trained = [tensor.said for tensor in self.tensors.values() if tensor.trained]
        fixed = [tensor.said for tensor in self.tensors.values() if not tensor.trained]
        return {
            "function": self.program._name,
            "inputs": "; ".join([f"{name}: {_said(shape)}" for name, shape in self.shapes.items()]),
            "parameters": "; ".join(trained),
            "constants": "; ".join(fixed),
            "dtype": str(self.graph.dtype),
            "opset": str(OPSET),
        }


def _said(shape: Sequence[int]) -> str:
    return f"{BATCH} x {' x '.join(map(str, shape))}" if shape else BATCH
