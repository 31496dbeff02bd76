"""Write a flat graph as a code for the interpreter: operations on numbers, one by one, forward and then back.

Each row gets the steps of its template. What is ready at the same time is done in runs of one kind, since a processor
loses more time by guessing wrongly what comes next than by the step itself. A slot whose number is needed no longer is
used again.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.program.costs import alone
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.sharing import parts_of, share_work
from micrograd_plus.program.templates import (
    BETWEEN,
    FIRST,
    KIND,
    OUT,
    Share,
    Template,
    Templates,
    interpreter,
    options_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

PART = 64  # examples whose gradients are added up by themselves, so that threads can share the work
WIDE = 8  # examples that go through side by side; see native/interpreter.c
MACHINE = interpreter.MACHINES - 1 if interpreter else 0  # the widest vectors that this processor has


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
        leaves = list(listing.leaves)
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
        self._alone = alone(_counted(writer.runs))
        self._wanted = array("i", [writer.slot[place] for place in wanted])
        # the slots of the root's own gradient and of those of the leaves that get any, and whose these are
        self._back = (writer.seed, array("i", [gradients[leaves[i]] for i in found]), self._rows[found])

    def run(self, theta: Floats, examples: Floats, *, each: bool = False, threads: int = 1) -> tuple[Floats, Floats]:
        """Go through it for each example.

        Args:
            theta: the parameters.
            examples: a row for each, of all its inputs.
            each: whether the gradients are wanted for each example, a column each, not summed.
            threads: how many work; the answer is the same for each number of them.

        Returns:
            The wanted numbers, a row for each, a column for each example; and the gradients, which are 0 where none
            were asked for.
        """
        n = len(examples)
        start = self._start.copy()
        start[self._parameters] = theta[self._rows]
        examples = np.ascontiguousarray(examples, dtype=float)
        parts = parts_of(n, PART)
        if parts < 2:
            return self._run(start, examples, len(theta), each)
        out, total = np.empty((len(self._wanted), n)), np.zeros((len(theta), n if each else parts))
        blocks = -(-n // WIDE)

        def work(first: int, end: int, stop: Event) -> None:
            for part in range(first, end):
                if stop.is_set():
                    return
                here = slice(blocks * part // parts * WIDE, blocks * (part + 1) // parts * WIDE)
                out[:, here], more = self._run(start, examples[here], len(theta), each)
                total[:, here if each else slice(part, part + 1)] = more

        share_work(work, parts, threads)
        return out, total if each else _in_order(total)

    def _run(self, start: Floats, examples: Floats, rows: int, each: bool) -> tuple[Floats, Floats]:
        n = len(examples)
        out, total = np.empty((len(self._wanted), n)), np.zeros((rows, n if each else 1))
        how = (MACHINE, self._alone)
        interpreter.run(*how, *self._code, start, self._slots, examples, n, self._wanted, out, *self._back, total, each)
        return out, total


def _counted(runs: Sequence[int]) -> Counter[str]:
    """How many steps there are, by their names."""
    names = [name.removesuffix("_more") for name in KIND]
    found = Counter[str]()
    for kind, count in zip(runs[::2], runs[1::2]):
        found[names[kind]] += count
    return found


def _in_order(columns: Floats) -> Floats:
    """Their sum, one added after the other."""
    total: Floats = columns[:, :1].copy()
    for column in columns.T[1:]:
        total[:, 0] += column
    return total


class _Plan:
    """In which order the templates are written, each for many places at once: by depth, then by template.

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
                kept.update(places if at == OUT else [listing.args(place)[FIRST - at] for place in places])
        last: dict[int, int] = {}
        for number, (_, places) in enumerate(self.forward):
            for place in places:
                last.update(dict.fromkeys(listing.args(place), number))
        self.dying: list[list[int]] = [[] for _ in self.forward]
        for place, number in last.items():
            if listing.ops[place] is not None and place not in kept:
                self.dying[number].append(place)

    def _forward(self, listing: Listing, needed: bytearray) -> list[tuple[Template, list[int]]]:
        depth = [0] * len(listing.ops)
        found: dict[tuple[int, int], tuple[Template, list[int]]] = {}
        for place, op in enumerate(listing.ops):
            if op is not None and needed[place]:
                args = listing.args(place)
                depth[place] = deepest = 1 + max([depth[arg] for arg in args])
                template = self.templates.forward(op, options_of(listing, op, args))
                found.setdefault((deepest, template.number), (template, []))[1].append(place)
        return [found[key] for key in sorted(found)]

    def _back(self, listing: Listing, active: bytes) -> list[tuple[Template, list[int]]]:
        root = listing.roots[0]
        height = [-1] * len(listing.ops)  # -1 where no gradient comes
        height[root] = 0
        found: dict[tuple[int, int], tuple[Template, list[int]]] = {}
        for place in range(root, -1, -1):
            op, here = listing.ops[place], height[place]
            if op is None or here < 0 or not active[place]:
                continue
            args = listing.args(place)
            template = self.templates.back(op, options_of(listing, op, args), tuple([active[arg] for arg in args]))
            for share in template.shares:
                height[args[share.arg]] = max(height[args[share.arg]], here + 1)
            found.setdefault((here, template.number), (template, []))[1].append(place)
        return [found[key] for key in sorted(found)]


def _needed(listing: Listing, roots: Iterable[int]) -> bytearray:
    """For each place whether one of the roots depends on it: 1 or 0."""
    needed = bytearray(len(listing.ops))
    for place in roots:
        needed[place] = 1
    for place in range(len(listing.ops) - 1, -1, -1):
        if needed[place]:
            for arg in listing.args(place):
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
        arguments = zip(*[self.args(place) for place in places])
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
                self._give(share, [self.args(place)[share.arg] for place in places], upstream, columns, gradients)
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
