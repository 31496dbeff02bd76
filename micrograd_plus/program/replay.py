"""A flat graph in a few bytes a node, to be gone through number by number: by the interpreter, or by Python."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.engine.flattening import Flat
from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.program import tape
from micrograd_plus.program.coding import Code
from micrograd_plus.program.costs import Cost, by_python, of_steps
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.fusing import flowing
from micrograd_plus.program.templates import UnknownRowError, interpreter, steps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

NOT_BUILT = "the interpreter is not built here"

_lock = RLock()  # one thread at a time writes a code


class Replay:
    """The graph of one example, and what it takes to run it: 11 bytes a node, and 12 a plain number in it.

    The interpreter's code, some 60 bytes a node, is written when it is first needed, and not pickled.

    Attributes:
        unknown: why there is no code for the interpreter; "" where there is.
    """

    def __init__(self, listing: Listing, parameters: Sequence[Value]) -> None:
        kinds: dict[Op | None, int] = {None: tape.LEAF, TABLE["add"]: tape.ADD, TABLE["mul"]: tape.MUL}
        self.code = bytes([kinds.setdefault(op, len(kinds)) for op in listing.ops])
        self.ops = [op or TABLE["add"] for op in kinds]  # none is looked up for a leaf
        self.first, self.second, self.more = array("i", listing.first), array("i", listing.second), listing.more
        self.roots = listing.roots
        self.wanted = {"values": listing.roots, "guards": [guard.value for guard in listing.guards]}
        self.inputs = sum(listing.inputs)
        self.constants = (array("i", listing.constants), array("d", listing.constants.values()))
        rows = {id(parameter): row for row, parameter in enumerate(parameters)}
        self.parameters = array("i", listing.leaves)
        self.rows = array("i", [rows[id(leaf)] for leaf in listing.leaves.values()])
        self.active = _active(listing)
        self.rules = _rules(listing, self.code, self.active)
        self._codes: dict[str, Code] = {}
        self.unknown = costs_of(listing)[1]

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What going through it takes."""
        return costs_of(self.listing())[0]

    def outputs(self, name: str, theta: Floats, examples: Floats, *, threads: int = 1) -> Floats:
        """The `values`, or what decides the `guards`: a row for each, a column for each example.

        Args:
            name: which of the two.
            theta: the parameters.
            examples: a row for each, of all its inputs.
            threads: how many work where the interpreter goes through it; the answer is the same for each number.
        """
        if code := self._code(name):
            return code.run(theta, examples, threads=threads)[0]
        wanted = self.wanted[name]
        out = np.empty((len(wanted), len(examples)))
        for column, numbers in enumerate(self._forward(theta, examples)):
            out[:, column] = [numbers[place] for place in wanted]
        return out

    def gradients(
        self, theta: Floats, examples: Floats, *, each: bool = False, threads: int = 1
    ) -> tuple[Floats, Floats]:
        """The first root for each example, and its derivative by theta: summed over the examples, or a column each."""
        if code := self._code("gradient"):
            return code.run(theta, examples, each=each, threads=threads)
        out = np.empty((1, len(examples)))
        total = np.zeros((len(theta), len(examples) if each else 1))
        root = self.roots[0]
        for column, numbers in enumerate(self._forward(theta, examples)):
            out[0, column] = numbers[root]
            gradient = self._pulled(numbers, self.rules)
            if any(map(isnan, gradient)):  # 0 · inf, perhaps one that nobody reaches
                gradient = self._pulled(numbers, tape.reached(*self._lists, self.rules, self.active, numbers, root))
            total[self._rows, column if each else 0] += gradient
        return out, total

    def _code(self, name: str) -> Code | None:
        """The interpreter's code for `values`, `guards` or the `gradient`; None where Python must do."""
        if name not in self._codes and not self.unknown:
            locked(_lock, self._write, name)
        return self._codes.get(name)

    def _write(self, name: str) -> None:
        active = self.active if name == "gradient" else None
        wanted = self.roots if name == "gradient" else self.wanted[name]
        try:
            self._codes[name] = Code(self.listing(), self.rows, wanted, active)
        except UnknownRowError as error:
            self.unknown = f"it has no steps for {error}"

    def listing(self) -> Listing:
        """The listing once more, with other Values for leaves."""
        flat = Flat()
        flat.ops = [None if kind == tape.LEAF else self.ops[kind] for kind in self.code]
        flat.first, flat.second, flat.more = self.first.tolist(), self.second.tolist(), self.more
        flat.constants = dict(zip(*self.constants))
        flat.leaves = {place: Value(0.0) for place in self.parameters}
        listing = Listing((self.inputs, 0), flat)
        listing.roots = self.roots
        return listing

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_codes": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "wanted" not in state:  # of a version without the interpreter
            state = state | {"wanted": {name: state[old] for name, old in (("values", "roots"), ("guards", "guards"))}}
            state |= {"_codes": {}}
            del state["seconds"]
        self.__dict__.update(state)
        if not interpreter or state.get("unknown", NOT_BUILT) == NOT_BUILT:
            self.unknown = "" if interpreter else NOT_BUILT

    def _pulled(self, numbers: list[float], rules: bytes) -> list[float]:
        """The derivative of the first root by each parameter, of one example."""
        gradients = [0.0] * len(numbers)
        gradients[self.roots[0]] = 1.0
        tape.pull(*self._lists, rules, self.active, numbers, gradients)
        return [gradients[place] for place in self.parameters]

    def _forward(self, theta: Floats, examples: Floats) -> Iterator[list[float]]:
        """All numbers, for one example after the other."""
        self._lists = (self.ops, self.code, self.first.tolist(), self.second.tolist(), self.more)
        self._rows = np.array(self.rows, dtype=np.intp)
        start = [0.0] * len(self.code)
        for place, number in zip(*self.constants):
            start[place] = number
        for place, number in zip(self.parameters, theta[self._rows].tolist()):
            start[place] = number
        for example in examples.tolist():
            numbers = start.copy()
            numbers[: self.inputs] = example
            tape.run(*self._lists, numbers)
            yield numbers


def costs_of(listing: Listing) -> tuple[tuple[Cost, ...], str]:
    """What going through a graph number by number takes, and why the interpreter can't; "" where it can."""
    unknown = NOT_BUILT
    if interpreter:
        try:
            return of_steps(steps_of(listing)), ""
        except UnknownRowError as error:
            unknown = f"it has no steps for {error}"
    return by_python(Counter(listing.ops)), unknown


def _active(listing: Listing) -> bytes:
    """For each place whether it is on a way, along which something flows, from a leaf that is a Value to a root."""
    moved = bytearray(len(listing.ops))
    for place in listing.leaves:
        moved[place] = 1
    for place, op in enumerate(listing.ops):
        if op is not None and not op.flat and any(moved[arg] for arg in listing.args(place)):
            moved[place] = 1
    return bytes([moves and flows for moves, flows in zip(moved, flowing(listing))])


def _rules(listing: Listing, code: bytes, active: bytes) -> bytes:
    """For each place how the tape passes its gradient back."""
    rules = bytearray(len(code))
    for place, kind in enumerate(code):
        if kind == tape.LEAF or not active[place]:
            continue
        if kind not in (tape.ADD, tape.MUL):
            rules[place] = tape.OTHER
            continue
        both, first = (tape.ADD_BOTH, tape.ADD_FIRST) if kind == tape.ADD else (tape.MUL_BOTH, tape.MUL_FIRST)
        a, b = [active[arg] for arg in listing.args(place)]
        rules[place] = both if a and b else first if a else first + 1 if b else tape.NOTHING
    return bytes(rules)
