"""The instructions of a program, for whoever writes them in another language: for each way through its function."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.value import Value
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.errors import ExportError
from micrograd_plus.program.fusing import groups
from micrograd_plus.program.paths import Path, writing
from micrograd_plus.program.reverse import gates_of, gradient_of
from micrograd_plus.program.stand_ins import Guard
from micrograd_plus.program.tensors import Found, arrays_of

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


class Way:
    """One way through a function, as instructions over arrays, which nobody has lowered yet.

    Attributes:
        arrays: all instructions made so far.
        root: the outputs, a row for each.
        guards: what decides Python's choices, a row for each; None where there are none.
        outcomes: how these went.
        said: the same in words; "" where there are none.
    """

    def __init__(self, path: Path, sizes: tuple[int, int]) -> None:
        if path.arrays is not None:
            self.arrays, self.root, self.guards = path.arrays, path.root, path.guards
        else:
            self.arrays, self.root, self.guards = _found_again(path, sizes)
        self.outcomes, self.said = path.outcomes, path.way
        self._size = path.size

    def gradient(self, parameters: int) -> Array:
        """The derivative of one example's loss by the first so many parameters, gated where it is not reached."""
        found: Array = locked(writing, self._gradient, parameters)
        return found

    def gates(self) -> dict[int, Array]:
        """For instructions, by their number, what of them is reached, where that is not all of it."""
        found: dict[int, Array] = locked(writing, gates_of, self.arrays, self.root)
        return found

    def _gradient(self, parameters: int) -> Array:
        whole = gradient_of(self.arrays, self.root, self._size, each=True, strong=True)
        return self.arrays.select(whole, np.arange(parameters))


def ways_of(program: Program) -> list[Way]:
    """Each way through the function that examples went so far.

    Raises:
        ExportError: the program was unpickled, and keeps no instructions.
    """
    nx, *ny = [prod(shape) for shape in program._shapes]
    if any(path.arrays is None and path.replay is None for path in program._paths):
        way_out = "compile its function again, and export that"
        raise ExportError(f"{program!r}: an unpickled program keeps what runs it, and no more; {way_out}")
    return [Way(path, (nx, sum(ny))) for path in program._paths]


def _found_again(path: Path, sizes: tuple[int, int]) -> Found:
    """The arrays of a graph that is gone through number by number."""
    assert path.replay is not None
    listing = path.replay.listing()
    listing.inputs = sizes
    places = path.replay.wanted["guards"]
    listing.guards = [Guard(*guard) for guard in zip(places, path.outcomes, path.lines)]
    parameters: Sequence[Value] = [Value(0.0) for _ in range(path.size)]
    by_row = dict(zip(path.replay.rows, listing.leaves.values()))
    parameters = [by_row.get(row, other) for row, other in enumerate(parameters)]
    return arrays_of(listing, groups(listing), parameters)
