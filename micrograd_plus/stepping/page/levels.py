"""How deep is a graph opened? Every node by itself, or functions, neurons, layers as boxes: those that `draw` folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Box, Folded
from micrograd_plus.pictures.folding import Folding
from micrograd_plus.stepping.page.labels import Arrow
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.stepping.steps import Step

LIMIT = 700  # boxes: Graphviz lays them out in half a second
ARROWS = 4  # for each of them
OPEN = 300  # boxes: a page opens no more, if it can be helped


@dataclass(frozen=True, slots=True)
class Level:
    """A graph in boxes.

    Attributes:
        boxes: arguments before results.
        home: of each node, the place of its box.
        arrows: into which box, as which argument (into a group: ~ the place of the box that it comes from): from which.
    """

    boxes: Sequence[Box]
    home: Identities[Value, int]
    arrows: dict[Arrow, int]

    def arrow(self, node: Value, place: int) -> Arrow | None:
        """The arrow along which a node has an argument; None inside of a box."""
        head, tail = self.home[node], self.home[node.args[place]]  # type: ignore[index]
        if not self.boxes[head].title:
            return head, place
        return None if head == tail else (head, ~tail)

    def shown(self, i: int) -> Value | None:
        """The node whose numbers a box bears: the one in it, or the only one that is used outside; or None."""
        box = self.boxes[i]
        return box.output if box.title else box.members[0]

    def stops(self, made: Sequence[Value], steps: Sequence[Step]) -> list[int]:
        """Where a walk through the pass stops: where a box has its value, where a box has passed on to others.

        Args:
            made: the nodes whose values appear, in that order: they are the positions 1, 2, …
            steps: those after them.
        """
        found = sorted({self.home[node]: k for k, node in enumerate(made, 1)}.values())
        before, begun = None, 0
        for k, step in enumerate(steps, len(made) + 1):
            box = None if step.node is None else self.home[step.node]
            if box is None or box != before or not self.boxes[box].title:
                begun = k  # what a group passes on, one after the other, is one stop
            before = box
            if self.crosses(step):
                if found and found[-1] >= begun:
                    found.pop()
                found.append(k)
        last = len(made) + len(steps)
        return found if found[-1:] == [last] else [*found, last]

    def crosses(self, step: Step) -> bool:
        """Whether a step leads out of a box."""
        return step.node is None or self.arrow(step.node, step.place) is not None


def folding_of(taken: Pass) -> Folding:
    """The graph of a pass, that is to be folded, to several depths."""
    number = Identities((node, i) for i, node in enumerate(taken.nodes))
    return Folding(taken.nodes, [taken.root], taken.names.modules, taken.names, number)


def levels_of(taken: Pass, folding: Folding | None = None) -> list[Level]:
    """The levels of a graph, each with fewer boxes than the one before; none where all have too many.

    The first is every node by itself, where these are not too many.

    Args:
        taken: the pass.
        folding: its graph, if somebody has folded it already.
    """
    nodes, found = taken.nodes, []
    if len(nodes) <= LIMIT:
        found.append(_level(nodes, Folded([Box(f"n{i}", [node]) for i, node in enumerate(nodes)], [])))
    for folded in reversed(list(_folded(taken, folding or folding_of(taken)))):
        level = _level(nodes, folded)
        fits = len(level.boxes) <= LIMIT and len(level.arrows) <= ARROWS * LIMIT
        if fits and (not found or len(level.boxes) < len(found[-1].boxes)):
            found.append(level)
    return found


def opening(found: Sequence[Level]) -> int:
    """The place of the level at which the page opens: the finest that is not too large to look at."""
    return next((i for i, level in enumerate(found) if len(level.boxes) <= OPEN), len(found) - 1)


def note(box: Box) -> str:
    """What is in a group, in a few words."""
    what = [plural(box.neurons, "neuron")] if box.neurons > 1 else []
    what += [plural(box.parameters, "parameter")] if box.parameters else []
    return ", ".join(what) or plural(len(box.members), "value")


def _folded(taken: Pass, folding: Folding) -> Iterator[Folded]:
    """The graph folded to samples, models, layers, …, as long as anything is folded."""
    for depth in count():
        folded = folding.to(len(taken.nodes), depth=depth)
        if not any(box.title for box in folded.boxes):
            return
        if depth == 0 and len(folded.boxes) > LIMIT:
            yield folding.to(LIMIT)  # a box for a whole sample
        if len(folded.boxes) > LIMIT:
            return
        yield folded


def _level(nodes: Sequence[Value], folded: Folded) -> Level:
    home = Identities((member, i) for i, box in enumerate(folded.boxes) for member in box.members)
    arrows: dict[Arrow, int] = {}
    for node in nodes:
        head = home[node]
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value):
                tail = home[arg]
                if not folded.boxes[head].title:
                    arrows[head, place] = tail
                elif head != tail:
                    arrows[head, ~tail] = tail
    return Level(folded.boxes, home, arrows)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a page is to know of a pass: all of it, or what can be seen where the graph is folded.

    Attributes:
        nodes: arguments before results.
        inner: those of them of which only the name and the number are known.
        steps: those that lead from one box to another.
    """

    nodes: Sequence[Value]
    inner: Identities[Value, None]
    steps: Sequence[Step]

    @property
    def made(self) -> list[Value]:
        """The nodes whose values appear one by one."""
        return [node for node in self.nodes if node.op is not None and node not in self.inner]


def excerpt(taken: Pass, found: Sequence[Level]) -> Excerpt:
    """What can be seen of a pass at one of its levels, finest first."""
    if len(found[0].boxes) == len(taken.nodes):
        return Excerpt(taken.nodes, Identities(), taken.steps)
    outer = [level.shown(i) for level in found for i in range(len(level.boxes))]
    known = Identities.fromkeys([node for node in outer if node is not None] + [taken.root])
    kept = sorted({k for level in found for k in _seen(taken, level)})
    steps = [taken.steps[k] for k in kept]
    inner = Identities.fromkeys([each for step in steps for each in (step.node, step.argument) if each is not None])
    inner |= Identities.fromkeys([arg for node in known for arg in node.args if isinstance(arg, Value)])
    nodes = [node for node in taken.nodes if node in known or node in inner]
    return Excerpt(nodes, Identities.fromkeys([node for node in inner if node not in known]), steps)


def _seen(taken: Pass, level: Level) -> Iterator[int]:
    """The steps that lead from box to box; of those between two boxes of which one bears no number, the last alone."""
    last: dict[tuple[int, int], int] = {}
    for k, step in enumerate(taken.steps):
        if level.crosses(step):
            head = level.home[step.argument]
            if step.node is None or level.shown(head) is not None:
                yield k
            else:
                last[level.home[step.node], head] = k
    yield from last.values()
