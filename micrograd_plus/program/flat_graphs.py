"""A graph laid out flat: every number in it has a place in a list, arguments before results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.hooks import hooks_on
from micrograd_plus.engine.operations import UNKNOWN, Op, refused
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.errors import CompileError
from micrograd_plus.program.stand_ins import Guard, Recorder, Traced


@dataclass
class Listing:
    """A graph laid out flat. Every number in it has a place; arguments stand before results.

    Attributes:
        inputs: how many places, from 0 on, are numbers of x, and how many after them are numbers of y.
        leaves: the Values that are neither, parameters for instance, with their places.
        constants: the plain numbers by their places.
        ops: the operation at each place, None where a leaf or a constant stands.
        args: the places of its arguments.
        roots: the places of what the function returned.
        several: whether it returned a list.
        guards: the choices Python made on the way.
        before: the nodes under the roots that are older than the trace.
    """

    inputs: tuple[int, int]
    leaves: list[tuple[Value, int]] = field(default_factory=list)
    constants: dict[int, float] = field(default_factory=dict)
    ops: list[Op | None] = field(default_factory=list)
    args: list[tuple[int, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    several: bool = False
    guards: list[Guard] = field(default_factory=list)
    before: list[Value] = field(default_factory=list)

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
    listing = Listing(sizes, several=several)
    wanted = [*outs, *[guard.value for guard in recorder.guards]]
    order = walk(*wanted)[0]
    places = _lay_out(listing, inputs, order, wanted)
    listing.roots = places[: len(outs)]
    listing.guards = [
        Guard(place, outcome, line) for place, (_, outcome, line) in zip(places[len(outs) :], recorder.guards)
    ]
    listing.before = [node for node in order if type(node) is Value]  # the trace's own are Traced
    if any(isinstance(leaf, Traced) for leaf, _ in listing.leaves):
        raise CompileError("compile: the function keeps x or y from one call to the next; compute with those it gets")
    for hooked in hooks_on(lambda: {*[id(leaf) for leaf, _ in listing.leaves], *map(id, listing.before)}):
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


def _lay_out(listing: Listing, inputs: list[Value], order: Sequence[Value], wanted: list[Value]) -> list[int]:
    """Give each input, node, leaf and constant its place in the listing; the places of those that are wanted."""
    places = {id(value): place for place, value in enumerate(inputs)}
    ops, args, constants, leaves = listing.ops, listing.args, listing.constants, listing.leaves
    ops.extend([None] * len(inputs))
    args.extend([()] * len(inputs))

    def placed(arg: Value | float | None) -> int:
        """The place of a leaf or a constant that has none yet."""
        place = len(ops)
        ops.append(None)
        args.append(())
        if not isinstance(arg, Value):
            constants[place] = 0.0 if arg is None else arg
        else:
            places[id(arg)] = place
            leaves.append((arg, place))
        return place

    find = places.get  # no plain number has the identity of a Value
    for node in order:
        op, a, b = node.op, node._a, node._b
        if op is None or op.forward is None:
            raise refused(node, UNKNOWN)
        i = find(id(a))
        given: tuple[int, ...] = (placed(a) if i is None else i,)
        if isinstance(b, tuple):
            for arg in b:
                i = find(id(arg))
                given = (*given, placed(arg) if i is None else i)
        elif b is not None:
            i = find(id(b))
            given = (given[0], placed(b) if i is None else i)
        places[id(node)] = len(ops)
        ops.append(op)
        args.append(given)
    return [placed(value) if id(value) not in places else places[id(value)] for value in wanted]
