"""The flat graph of a traced function: every number in it has a place in lists, arguments before results."""

from __future__ import annotations

from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.flattening import Flat
from micrograd_plus.engine.hooks import hooks_on
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.errors import CompileError
from micrograd_plus.program.stand_ins import Guard, Recorder, Traced


class Listing:
    """The flat graph of a function of an example, whose numbers, first those of x, then those of y, are its inputs.

    Attributes:
        ops, first, second, more, leaves, constants, args: as in `Flat`.
        inputs: how many are numbers of x, and how many of y.
        roots: the places of what the function returned.
        several: whether it returned a list.
        guards: the choices Python made on the way.
        before: the nodes under the roots that are older than the trace.
    """

    def __init__(self, inputs: tuple[int, int], flat: Flat) -> None:
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


def listed(out: Any, inputs: list[Value], sizes: tuple[int, int], recorder: Recorder) -> Listing:
    """The graph under what the function returned, and under its choices, laid out flat.

    Raises:
        CompileError: it returned no Values, keeps its arguments, or there are hooks.
    """
    several = not isinstance(out, Value) and hasattr(out, "__len__") and not isinstance(out, str)
    outs = _outputs(out, several)
    wanted = [*outs, *[guard.value for guard in recorder.guards]]
    order = walk(*wanted)[0]
    flat = Flat(inputs, order, wanted, Traced)
    listing = Listing(sizes, flat)
    listing.roots, listing.several = flat.wanted[: len(outs)], several
    listing.guards = [
        Guard(place, outcome, line) for place, (_, outcome, line) in zip(flat.wanted[len(outs) :], recorder.guards)
    ]
    if set(map(type, order)) != {Traced}:  # the trace's own nodes
        listing.before = [node for node in order if type(node) is Value]
    if Traced in set(map(type, listing.leaves.values())):
        raise CompileError("compile: the function keeps x or y from one call to the next; compute with those it gets")
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
