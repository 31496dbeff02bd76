"""Write a flat graph as a code for the interpreter: operations on numbers, one by one, forward and then back.

The steps of a row come from the table: the row itself where the interpreter knows it, else its formula in rows that it
knows (the column `arrays`); and its partials, which are written in the package's functions. Both are recorded once, as
templates, and put in wherever the row stands. What is ready at the same time is done in runs of one kind, since a
processor loses more time by guessing wrongly what comes next than by the step itself. A slot whose number is needed no
longer is used again.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograd_plus.engine.loading import in_c
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.recording import recording, tracing, watching, within
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import FUNCTIONS, HOME
from micrograd_plus.program.arrays import NoNumbers
from micrograd_plus.program.flat_graphs import Listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

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
                self._share(op, options, arg, steps)
                for arg, wanted in enumerate(active)
                if wanted and op.partials[arg] is not None and not (op.halts and op.halts[arg])
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
        partial, mask = op.partials[arg], op.masks[arg]
        assert partial is not None
        places = [OUT, *_arguments(op)]
        slope = self._recorded(partial, places, options, steps)
        if mask is not None:
            gate = slope if mask is partial else self._recorded(mask, places, options, steps)
            return Share(arg, KIND["gated"], self._at(slope), self._at(gate))
        if isinstance(slope, float) and slope in (1.0, -1.0):
            return Share(arg, KIND["give" if slope > 0 else "take"])
        return Share(arg, KIND["share"], self._at(slope))

    def _at(self, found: int | float) -> int:
        return found if isinstance(found, int) else self.number(found)

    def _applied(self, op: Op, places: Sequence[int], steps: list[Step]) -> int:
        """Add the steps for a row to a template; where its number will be."""
        if op.name in KIND and op.name in FUNCTIONS and FUNCTIONS[op.name].__module__ == HOME:
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


def steps_of(listing: Listing) -> Counter[str]:
    """How many steps the interpreter needs for a graph, forward and back, by their names.

    Raises:
        UnknownRowError: it has no steps for one of its rows.
    """
    templates, names = Templates(0), list(KIND)
    examples = {op: args for op, args in zip(listing.ops, listing.args) if op is not None}
    counts, found = Counter(listing.ops), Counter[str]()
    for op, args in examples.items():
        options = _options(listing, op, args)
        forward, back = templates.forward(op, options), templates.back(op, options, (1,) * op.arity)
        kinds = [it.kind for it in (*forward.steps, *back.steps)] + [share.kind for share in back.shares]
        for kind in kinds:
            found[names[kind]] += counts[op]
    return found


class Code:
    """A graph as runs of steps for the interpreter: forward, and back from its first root where that is asked for.

    Args:
        listing: the graph.
        rows: for each of its leaves the place in the parameters.
        wanted: the places whose numbers are asked for.
        active: for each place whether a gradient passes there; None where none is asked for.

    Raises:
        UnknownRowError: the interpreter has no steps for one of its rows.
    """

    def __init__(
        self, listing: Listing, rows: Sequence[int], wanted: Sequence[int], active: bytes | None = None
    ) -> None:
        inputs = sum(listing.inputs)
        leaves = [place for _, place in listing.leaves]
        constants = listing.constants
        plan = _Plan(listing, wanted, active, inputs + len(leaves) + len(constants))
        writer = _Writer(listing, plan, [*range(inputs), *leaves, *constants])
        writer.forward()
        forward = len(writer.runs) // 2
        gradients = writer.back(listing.roots[0]) if active is not None else {}
        found = [i for i, place in enumerate(leaves) if place in gradients]
        # for each run its kind and how many steps it has; for each step the slot it writes, and three that it reads
        self._code = (writer.runs, writer.steps, forward)
        # what the first slots hold: room for the inputs, then parameters and plain numbers
        numbers = [*constants.values(), *plan.templates.numbers.values()]
        self._start = np.concatenate([np.zeros(inputs + len(leaves)), numbers])
        self._parameters = slice(inputs, inputs + len(leaves))
        self._rows = np.array(rows, dtype=np.int32)
        self._slots = writer.slots
        self._wanted = array("i", [writer.slot[place] for place in wanted])
        # the slots of the root's own gradient and of those of the leaves that get any, and whose these are
        self._back = (writer.seed, array("i", [gradients[leaves[i]] for i in found]), self._rows[found])

    def run(self, theta: Floats, examples: Floats, *, each: bool = False) -> tuple[Floats, Floats]:
        """Go through it for each example.

        Args:
            theta: the parameters.
            examples: a row for each, of all its inputs.
            each: whether the gradients are wanted for each example, a column each, not summed.

        Returns:
            The wanted numbers, a row for each, a column for each example; and the gradients, which are 0 where none
            were asked for.
        """
        n = len(examples)
        start = self._start.copy()
        start[self._parameters] = theta[self._rows]
        out, total = np.empty((len(self._wanted), n)), np.zeros((len(theta), n if each else 1))
        examples = np.ascontiguousarray(examples, dtype=float)
        interpreter.run(*self._code, start, self._slots, examples, n, self._wanted, out, *self._back, total, each)
        return out, total


class _Plan:
    """Which templates stand where, in an order in which they can: by depth, and then by template.

    Attributes:
        templates: all of them.
        forward: groups of places with one template each.
        back: the same for the way back.
        dying: for each forward group the places whose numbers are needed no longer after it.
    """

    def __init__(self, listing: Listing, wanted: Sequence[int], active: bytes | None, first_slot: int) -> None:
        self.templates = Templates(first_slot)
        roots = [*wanted, *(listing.roots[:1] if active is not None else ())]
        needed = _needed(listing, roots)
        self.forward = self._forward(listing, needed)
        self.back = self._back(listing, active) if active is not None else []
        kept = set(roots)
        for template, places in self.back:
            for at in template.reads():
                kept.update(places if at == OUT else [listing.args[place][FIRST - at] for place in places])
        last: dict[int, int] = {}
        for number, (_, places) in enumerate(self.forward):
            for place in places:
                last.update(dict.fromkeys(listing.args[place], number))
        self.dying: list[list[int]] = [[] for _ in self.forward]
        for place, number in last.items():
            if listing.ops[place] is not None and place not in kept:
                self.dying[number].append(place)

    def _forward(self, listing: Listing, needed: bytearray) -> list[tuple[Template, list[int]]]:
        depth = [0] * len(listing.ops)
        found: dict[tuple[int, int], tuple[Template, list[int]]] = {}
        for place, op in enumerate(listing.ops):
            if op is not None and needed[place]:
                args = listing.args[place]
                depth[place] = deepest = 1 + max([depth[arg] for arg in args])
                template = self.templates.forward(op, _options(listing, op, args))
                found.setdefault((deepest, template.number), (template, []))[1].append(place)
        return [found[key] for key in sorted(found)]

    def _back(self, listing: Listing, active: bytes) -> list[tuple[Template, list[int]]]:
        root = listing.roots[0]
        height = [-1] * len(listing.ops)  # no gradient comes there
        height[root] = 0
        found: dict[tuple[int, int], tuple[Template, list[int]]] = {}
        for place in range(root, -1, -1):
            op, here = listing.ops[place], height[place]
            if op is None or here < 0 or not active[place]:
                continue
            args = listing.args[place]
            template = self.templates.back(op, _options(listing, op, args), tuple([active[arg] for arg in args]))
            for share in template.shares:
                height[args[share.arg]] = max(height[args[share.arg]], here + 1)
            found.setdefault((here, template.number), (template, []))[1].append(place)
        return [found[key] for key in sorted(found)]


def _options(listing: Listing, op: Op, args: tuple[int, ...]) -> tuple[float, ...]:
    return tuple([listing.constants[arg] for arg in args[op.arity :]]) if op.options else ()


def _needed(listing: Listing, roots: Iterable[int]) -> bytearray:
    """For each place whether one of the roots depends on it: 1 or 0."""
    needed = bytearray(len(listing.ops))
    for place in roots:
        needed[place] = 1
    for place in range(len(listing.ops) - 1, -1, -1):
        if needed[place]:
            for arg in listing.args[place]:
                needed[arg] = 1
    return needed


class _Writer:
    """Writes the steps of a plan, and deals out slots.

    Attributes:
        runs, steps, seed, slots: as in `Code`.
        slot: for each place the slot of its number.
    """

    def __init__(self, listing: Listing, plan: _Plan, fixed: Sequence[int]) -> None:
        self.args = listing.args
        self.plan = plan
        self.runs, self.steps = array("i"), array("i")
        self.seed = -1
        self.slot = [-1] * len(listing.ops)
        for slot, place in enumerate(fixed):
            self.slot[place] = slot
        self.slots = len(fixed) + len(plan.templates.numbers)
        self._free: list[int] = []

    def _take(self, count: int) -> list[int]:
        """Slots that nobody uses."""
        cut = max(len(self._free) - count, 0)
        taken, self._free[cut:] = self._free[cut:], []
        new = count - len(taken)
        taken.extend(range(self.slots, self.slots + new))
        self.slots += new
        return taken

    def _run(self, kind: int, out: Sequence[int], *reads: Iterable[int]) -> None:
        """Steps of one kind."""
        if not out:
            return
        columns = [*reads, *[repeat(0)] * (3 - len(reads))]
        self.steps.extend(chain.from_iterable(zip(out, *columns)))
        if self.runs and self.runs[-2] == kind:
            self.runs[-1] += len(out)
        else:
            self.runs.extend((kind, len(out)))

    def _template(self, template: Template, columns: dict[int, list[int]]) -> list[int]:
        """The steps of a template; the slots in between, to be freed when all has been read."""
        count = len(columns[OUT])
        between: list[int] = []
        for i in range(template.between):
            columns[BETWEEN - i] = self._take(count)
            between.extend(columns[BETWEEN - i])
        for kind, out, reads in template.steps:
            self._run(kind, columns[out], *[columns[at] if at < 0 else repeat(at) for at in reads])
        return between

    def _columns(self, places: list[int]) -> dict[int, list[int]]:
        """The slots of the arguments, argument by argument."""
        arguments = zip(*[self.args[place] for place in places])
        return {FIRST - i: [self.slot[arg] for arg in column] for i, column in enumerate(arguments)}

    def forward(self) -> None:
        """The steps that compute the numbers."""
        for (template, places), dying in zip(self.plan.forward, self.plan.dying):
            columns = self._columns(places)
            columns[OUT] = self._take(len(places))
            for place, slot in zip(places, columns[OUT]):
                self.slot[place] = slot
            self._free.extend(self._template(template, columns))
            self._free.extend([self.slot[place] for place in dying])

    def back(self, root: int) -> dict[int, int]:
        """The steps from the root back; the slots of the gradients of what is left, the leaves, by their places."""
        (self.seed,) = self._take(1)
        gradients = {root: self.seed}
        for template, places in self.plan.back:
            columns = self._columns(places)
            columns[OUT] = [self.slot[place] for place in places]
            between = self._template(template, columns)
            upstream = [gradients.pop(place) for place in places]
            for share in template.shares:
                self._give(share, [self.args[place][share.arg] for place in places], upstream, columns, gradients)
            self._free.extend([*upstream, *between])
        return gradients

    def _give(
        self,
        share: Share,
        targets: list[int],
        upstream: list[int],
        columns: dict[int, list[int]],
        gradients: dict[int, int],
    ) -> None:
        """What comes to a target first is written, what comes later is added."""
        slopes, gates = [columns[at] if at < 0 else [at] * len(targets) for at in (share.slope, share.gate)]
        first, more = [], []
        for i, target in enumerate(targets):
            if target in gradients:
                more.append(i)
            else:
                first.append(i)
                (gradients[target],) = self._take(1)
        for kind, chosen in ((share.kind, first), (share.kind + 1, more)):
            out = [gradients[targets[i]] for i in chosen]
            self._run(kind, out, *[[column[i] for i in chosen] for column in (upstream, slopes, gates)])
