"""The steps of a row for the interpreter: what computes its number, and what passes its gradient back.

They come from the table: the row itself where the interpreter knows it, else its formula in rows that it knows (the
column `arrays`); and its partials, which are written in the package's functions. Both are recorded once, as templates,
and put in wherever the row stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from micrograd_plus.engine.loading import in_c
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.recording import recording, tracing, watching, within
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import is_ours
from micrograd_plus.program.arrays import NoNumbers
from micrograd_plus.program.flat_graphs import Listing

interpreter = in_c("program.interpreter")

KIND = {name: kind for kind, name in enumerate(interpreter.KINDS)} if interpreter else {}
"""What the interpreter can do, by name: rows of the table, and what passes gradients back."""

# where a step of a template reads or writes: 0 and up is a slot of a plain number, the others depend on the place
OUT = -1  # the slot of the result
FIRST = -2  # that of the first argument; -3 that of the second, and so on
BETWEEN = -1000  # that of the first number in between; -1001 that of the second, and so on


class UnknownRowError(Exception):
    """The interpreter has no steps for a row: a primitive of somebody's own, written in Python alone."""


class Step(NamedTuple):
    """One step of a template: its kind, where its number goes, where those are that it reads, up to three."""

    kind: int
    out: int
    reads: tuple[int, ...]


class Share(NamedTuple):
    """What an argument gets of the gradient: upstream · slope, where a gate is open.

    Attributes:
        arg: which argument it is.
        kind: `give`, `take`, `share` or `gated`, one of KIND; the next one adds to what is there.
        slope: where the slope is; 0 where none is needed.
        gate: where the gate is; 0 where there is none.
    """

    arg: int
    kind: int
    slope: int = 0
    gate: int = 0


class Template(NamedTuple):
    """The steps of a row, forward or back.

    Attributes:
        number: its place in the order in which templates were made.
        steps: what they are, one after the other.
        between: how many numbers lie in between.
        shares: on the way back, what each argument gets then.
    """

    number: int
    steps: list[Step]
    between: int
    shares: list[Share]

    def reads(self) -> set[int]:
        """The result and the arguments, of those that it reads."""
        found = chain([at for step in self.steps for at in step.reads], *[(s.slope, s.gate) for s in self.shares])
        return {at for at in found if BETWEEN < at < 0}


class Templates:
    """The templates made so far, and the plain numbers in them by their slots."""

    def __init__(self, first_slot: int) -> None:
        self.first_slot = first_slot
        self.numbers: dict[int, float] = {}
        self._slots: dict[str, int] = {}
        self._known: dict[Any, Template] = {}

    def forward(self, op: Op, options: tuple[float, ...]) -> Template:
        """The steps that compute a row of its arguments."""
        key = (op, options)
        if key not in self._known:
            steps: list[Step] = []
            at = self._applied(op, [*_arguments(op), *map(self.number, options)], steps)
            if steps and steps[-1].out == at:  # the last step writes the result itself
                steps[-1] = steps[-1]._replace(out=OUT)
            else:
                steps.append(Step(KIND["identity"], OUT, (at,)))
            self._known[key] = Template(len(self._known), steps, len(steps), [])
        return self._known[key]

    def back(self, op: Op, options: tuple[float, ...], active: tuple[int, ...]) -> Template:
        """The steps that pass a row's gradient back to those of its arguments that are active."""
        key = (op, options, active)
        if key not in self._known:
            steps: list[Step] = []
            shares = [
                self._share(op, options, arg, steps) for arg, wanted in enumerate(active) if wanted and op.flows_to(arg)
            ]
            self._known[key] = Template(len(self._known), steps, len(steps), shares)
        return self._known[key]

    def number(self, number: float) -> int:
        """The slot of a plain number."""
        key = number.hex()
        if key not in self._slots:
            self._slots[key] = slot = self.first_slot + len(self.numbers)
            self.numbers[slot] = number
        return self._slots[key]

    def _share(self, op: Op, options: tuple[float, ...], arg: int, steps: list[Step]) -> Share:
        places = [OUT, *_arguments(op)]
        slope, gate = op.gated_slope(arg, lambda rule: self._recorded(rule, places, options, steps))
        if gate is not None:
            return Share(arg, KIND["gated"], self._at(slope), self._at(gate))
        if isinstance(slope, float) and slope in (1.0, -1.0):
            return Share(arg, KIND["give" if slope > 0 else "take"])
        return Share(arg, KIND["share"], self._at(slope))

    def _at(self, found: int | float) -> int:
        return found if isinstance(found, int) else self.number(found)

    def _applied(self, op: Op, places: Sequence[int], steps: list[Step]) -> int:
        """Add the steps for a row to a template; where its number will be."""
        if op.name in KIND and is_ours(op.name):
            kind, reads = KIND[op.name], tuple(places)
            for step in steps:
                if (step.kind, step.reads) == (kind, reads):  # as a slope and its gate have it
                    return step.out
            steps.append(Step(kind, BETWEEN - len(steps), reads))
            return steps[-1].out
        if op.arrays is None:
            raise UnknownRowError(op.name)
        options = [self.numbers[place] for place in places[op.arity :]]
        return self._at(self._recorded(op.arrays, places[: op.arity], options, steps))

    def _recorded(
        self, function: Callable[..., Any], places: Sequence[int], options: Sequence[float], steps: list[Step]
    ) -> int | float:
        """Add the steps for a function written in the table's; where its number will be, or the number it always is."""
        stand_ins = [Value(0.5) for _ in places]
        try:
            out = within({tracing: NoNumbers(), watching: None, recording: True}, function, *stand_ins, *options)
        except Exception as error:
            raise UnknownRowError(str(error)) from error
        if not isinstance(out, Value):
            return float(out)
        known = {id(value): place for value, place in zip(stand_ins, places)}
        for node in walk(out)[0]:
            if node.op is None or node.op.forward is None:
                raise UnknownRowError(repr(node))
            args = [
                known[id(arg)] if id(arg) in known else self.number(arg._data if isinstance(arg, Value) else arg)
                for arg in node.args
            ]
            known[id(node)] = self._applied(node.op, args, steps)
        return known.get(id(out), out._data)


def _arguments(op: Op) -> list[int]:
    return [FIRST - i for i in range(op.arity)]


def options_of(listing: Listing, op: Op, args: Sequence[int]) -> tuple[float, ...]:
    """The numbers that a row takes besides its arguments, at a place of the listing."""
    return tuple([listing.constants[arg] for arg in args[op.arity :]]) if op.options else ()


def steps_of(listing: Listing) -> Counter[str]:
    """How many steps the interpreter needs for a graph, forward and back, by their names.

    Raises:
        UnknownRowError: it has no steps for one of its rows.
    """
    templates, names = Templates(0), list(KIND)
    found = Counter[str]()
    for op in dict.fromkeys(listing.ops):  # in their order, so that the first without steps is the one that is named
        if op is None:
            continue
        places = listing.flat.places(op)
        options = options_of(listing, op, listing.args(places[0]))
        forward, back = templates.forward(op, options), templates.back(op, options, (1,) * op.arity)
        kinds = [it.kind for it in (*forward.steps, *back.steps)] + [share.kind for share in back.shares]
        for kind in kinds:
            found[names[kind]] += len(places)
    return found
