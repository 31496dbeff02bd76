"""A program for a library that differentiates by itself: the ways through its function, what goes in and comes out."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager
from math import nan, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.program.exports.leaving import check_rows
from micrograd_plus.program.exports.parameters import tensors
from micrograd_plus.program.exports.walking import Parameters, Walk
from micrograd_plus.program.exports.ways import Way, ways_of

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


class Differentiable:
    """What a program computes, by arrays of a library.

    Args:
        program: what is to leave.
        target: what the library is called.
        known: the rows that it has.

    Attributes:
        parameters: the parameters and the constants, as tensors.
    """

    def __init__(self, program: Program, target: str, known: Container[str]) -> None:
        self.said, self.shapes, self.several = repr(program), program._shapes, program.several
        self.parameters = Parameters(tensors(program))
        self._ways = [(way, way.gates()) for way in ways_of(program)]
        for way, gates in self._ways:
            guards = [way.guards] if way.guards is not None else []
            check_rows(program, target, [way.root, *guards, *gates.values()], known)

    def columns(self, x: Any, y: Any, read: Callable[[Any], Any]) -> tuple[dict[str, Any], bool, int]:
        """The inputs, a row for each number, a column for each example; whether it is a single one; how many there are.

        Raises:
            TypeError: y is missing, or there should be none.
            ValueError: something is of another shape.
        """
        if (y is None) != (len(self.shapes) == 1):
            raise TypeError(f"{self.said}: expected x {'alone' if len(self.shapes) == 1 else 'and y, the targets'}")
        inputs, singles, counts = {}, [], []
        for name, given, shape in zip("xy", (x, y), self.shapes):
            data = read(given)
            singles.append(tuple(data.shape) == shape)
            if not singles[-1] and tuple(data.shape[1:]) != shape:
                expected = f"expected {shape} for an example, or {('examples', *shape)}".replace("'", "")
                raise ValueError(f"{self.said}: {name} of shape {tuple(data.shape)}; {expected}")
            counts.append(1 if singles[-1] else data.shape[0])
            inputs[name] = data.reshape(counts[-1], prod(shape)).T
        if len(set(counts)) > 1 or len(set(singles)) > 1:
            raise ValueError(f"{self.said}: {counts[0]} examples and {counts[1]} targets; expected as many of each")
        return inputs, singles[0], counts[0]

    def outputs(
        self,
        dialect: Any,
        values: Mapping[str, Any],
        inputs: Mapping[str, Any],
        gated: bool,
        plain: Callable[[], AbstractContextManager[Any]],
    ) -> Any:
        """The outputs, a row for each, a column for each example.

        Args:
            dialect: how the library does it.
            values: the tensors, by name.
            inputs: what `columns` made.
            gated: whether derivatives will be asked for.
            plain: a context in which none are.
        """
        rest = None
        for way, gates in reversed(self._ways):
            opened, here = None, {}
            with plain():
                bare = Walk(dialect, self.parameters, values, inputs)
                if way.guards is not None:
                    opened = _goes(way, bare)
                if gated and gates:
                    reached = [gate != 0.0 for gate in bare.arrays(list(gates.values()))]
                    here = dict(zip(gates, reached if opened is None else [gate & opened for gate in reached]))
            walk = Walk(dialect, self.parameters, values, inputs, here, opened if gated else None)
            out = dialect.wide(walk.arrays([way.root])[0], way.root.rows)
            if opened is not None:
                other = dialect.constant(np.array([[nan]])) if rest is None else rest
                out = dialect.chosen(opened, out, other)
            rest = out
        return rest

    def shaped(self, out: Any, single: bool) -> Any:
        """The outputs as the function gives them: for each example a number, or as many as its list has."""
        out = out.T if self.several else out[0]
        return out[0] if single else out


def _goes(way: Way, walk: Walk) -> Any:
    """Which examples go this way."""
    assert way.guards is not None
    decided = walk.arrays([way.guards])[0]
    here = None
    for i, outcome in enumerate(way.outcomes):
        fits = (decided[i : i + 1] != 0.0) == outcome
        here = fits if here is None else here & fits
    return here
