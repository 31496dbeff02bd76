"""The flat graph of a traced function: every number in it has a place in lists, arguments before results."""

from __future__ import annotations

from reprlib import repr as short_repr
from typing import Any, NamedTuple

from micrograd_plus.engine.flattening import Flat
from micrograd_plus.engine.hooks import hooks_on
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.errors import CompileError
from micrograd_plus.program.stand_ins import Guard, Recorder, Traced

_TURNED = {f"__r{name}__" for name in ("add", "sub", "mul", "truediv", "mod", "pow")}  # operators from the right
_TURNED |= {"__lt__", "__le__", "__gt__", "__ge__"}


class Listing:
    """The flat graph of a function of an example, whose numbers, first those of x, then those of y, are its inputs.

    Attributes:
        ops, first, second, more, leaves, constants, args: as in `Flat`.
        inputs: how many are numbers of x, and how many of y.
        roots: the places of what the function returned.
        several: whether it returned a list.
        guards: the choices Python made on the way.
        before: the nodes under the roots that are older than the trace.
        flat: the graph as it was laid out, by which another run is known again; what both runs make anew, and so is a
            constant here, is a leaf there.
    """

    def __init__(self, inputs: tuple[int, int], flat: Flat) -> None:
        self.flat = flat
        self.ops, self.first, self.second, self.more = flat.ops, flat.first, flat.second, flat.more
        self.leaves, self.constants, self.args = flat.leaves, flat.constants, flat.args
        self.inputs = inputs
        self.roots: list[int] = []
        self.several = False
        self.guards: list[Guard] = []
        self.before: list[Value] = []

    @property
    def nodes(self) -> int:
        """How many scalar nodes the graph has, leaves included."""
        return len(self.ops) - len(self.constants)


class Run(NamedTuple):
    """What a run of a function gave.

    Attributes:
        inputs: the Values that stood for x and y, one after the other.
        outs: what it returned.
        several: whether that was a list.
        order: the nodes under these and under its choices, arguments before results.
        guards: the choices.
    """

    inputs: list[Value]
    outs: list[Value]
    several: bool
    order: list[Value]
    guards: list[Guard]

    @property
    def wanted(self) -> list[Value]:
        """What it returned, and what its choices hung on."""
        return [*self.outs, *[guard.value for guard in self.guards]]

    @property
    def before(self) -> list[Value]:
        """The nodes that are older than the trace."""
        return [] if set(map(type, self.order)) == {Traced} else [node for node in self.order if type(node) is Value]


def run_of(out: Any, inputs: list[Value], recorder: Recorder) -> Run:
    """The graph under what the function returned.

    Raises:
        CompileError: it returned no Values.
    """
    if getattr(out, "shape", None) == () and hasattr(out, "item"):  # as np.where gives it
        out = out.item()
    several = not isinstance(out, Value) and hasattr(out, "__len__") and not isinstance(out, str)
    run = Run(inputs, _outputs(out, several), several, [], recorder.guards)
    return run._replace(order=walk(*run.wanted)[0])


def listed(run: Run, sizes: tuple[int, int]) -> Listing:
    """The graph of a run laid out flat; `sizes` are those of x and y.

    Raises:
        CompileError: the function keeps its arguments, or there are hooks.
    """
    flat = Flat(run.inputs, run.order, run.wanted, Traced)
    listing = Listing(sizes, flat)
    listing.roots, listing.several, listing.before = flat.wanted[: len(run.outs)], run.several, run.before
    listing.guards = [
        Guard(place, outcome, line) for place, (_, outcome, line) in zip(flat.wanted[len(run.outs) :], run.guards)
    ]
    kinds = set(map(type, listing.leaves.values()))
    if Traced in kinds:
        raise CompileError("compile: the function keeps x or y from one call to the next; compute with those it gets")
    for kind in kinds - {Value}:
        own = {name for base in kind.__mro__ if base not in Value.__mro__ for name in vars(base)}
        if turned := min(own & _TURNED, default=""):
            told = f"{kind.__name__} has its own {turned}, which Python asks before that of a Value on the left"
            raise CompileError(f"compile: {told}; of what stands for a number here it does not: run it eagerly")
    for hooked in hooks_on(lambda: {*map(id, listing.leaves.values()), *map(id, listing.before)}):
        raise CompileError(f"compile: {hooked!r} has a hook, which a program would not call; remove it, or run eagerly")
    return listing


def _outputs(out: Any, several: bool) -> list[Value]:
    """What a function returned, as a list, if it can be compiled."""
    outs = list(out) if several else [out]
    for value in outs:
        if not isinstance(value, Value):
            wanted = "expected a Value made from its arguments, or a list of them"
            hint = "; does it use float(), .data or math instead of mp's functions?" if hasattr(value, "real") else ""
            got = f"{short_repr(out)}, a {type(out).__name__}"
            raise CompileError(f"compile: the function returned {got}; {wanted}{hint}")
    if not outs:
        raise CompileError(f"compile: the function returned {out!r}; expected a Value, or a list with at least one")
    return outs
