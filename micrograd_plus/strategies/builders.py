"""Build an expression step by step, so that every operation is inside its domain and no number is too large."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.strategies.programs import Expression, Function, Step, defaults, op_of

MARGIN = 0.05  # how far arguments stay from the ends of a domain, and from kinks by the row's own measure
LARGEST = 100.0  # of the numbers in an expression
STEEPEST = 1e4  # of the sums of absolute contributions, by which rounding errors grow
SIMPLE = (1.0, 0.5, 2.0, -0.5, 0.25, 1.5, 0.75, -1.5)  # leaves for a function that fits none of those there are
SEVERAL = 4  # results that nothing uses yet: beyond these, the next operation uses one of them


@dataclass(frozen=True, slots=True)
class Wish:
    """A step as it is drawn, before it is known what nodes there will be.

    Attributes:
        function: which is to be applied.
        picks: for each argument which node to take, counted from the newest that fits: 0 goes on with the last result.
        options: the plain numbers of the function.
        constant: a number in the place of a node: for which argument, and the number; None for no constant.
        leaf: the same, but the number becomes a new leaf.
    """

    function: Function
    picks: tuple[int, ...]
    options: tuple[float, ...]
    constant: tuple[int, float] | None = None
    leaf: tuple[int, float] | None = None


class Builder:
    """An expression while it is made.

    Attributes:
        functions: which it may use.
        joins: those of two arguments, which can make one result of two; addition comes first.
        most: how many nodes it may have.
        max_leaves: how many leaves.
        near_kinks: whether arguments may lie near kinks.
        data: the number of each node.
        growth: a bound on how rounding errors have grown in each.
        steps: the step that made each; None for a leaf.
        loose: the nodes that nothing uses yet, oldest first.
    """

    def __init__(self, functions: Sequence[Function], most: int, max_leaves: int, near_kinks: bool) -> None:
        self.functions = functions
        self.joins = sorted([f for f in functions if op_of(f).arity == 2], key=lambda f: op_of(f).name != "add")
        self.most, self.max_leaves, self.near_kinks = most, max_leaves, near_kinks
        self.data: list[float] = []
        self.growth: list[float] = []
        self.steps: list[Step | None] = []
        self.loose: dict[int, None] = {}

    def add(self, data: float, step: Step | None = None, growth: float = 1.0) -> int:
        """Add a node, the result of a step or a leaf, and return its index."""
        for node in step.args if step else ():
            if isinstance(node, int):
                self.loose.pop(node, None)
        self.loose[len(self.data)] = None
        self.data.append(data)
        self.steps.append(step)
        self.growth.append(growth)
        return len(self.data) - 1

    def drop_leaf(self) -> None:
        """Take back the last node, a leaf that nothing uses."""
        for column in (self.data, self.steps, self.growth):
            column.pop()
        self.loose.popitem()

    @property
    def room(self) -> int:
        """How many nodes may still be added: each loose one but the last will take another to join it."""
        return self.most - len(self.data) - len(self.loose) + 1

    def grant(self, wish: Wish) -> bool:
        """Add the wished step to nodes that it fits, or to a new leaf; False where neither can be."""
        if self.room < 1:
            return False
        if wish.leaf and self.apply_to_leaf(wish, *wish.leaf):
            return True
        if (wish.constant and self.apply(wish, dict([wish.constant]))) or self.apply(wish, {}):
            return True
        places = range(op_of(wish.function).arity)
        if len(self.data) == 1 and len(places) == 1:  # all there is, and the function does not take it
            self.drop_leaf()
        start = wish.picks[0] % len(SIMPLE)
        simple = (*SIMPLE[start:], *SIMPLE[:start])
        tries = [(i, x) for i in places for x in _in_interval(simple, *op_of(wish.function).domain[i])]
        if any(self.apply_to_leaf(wish, i, x) for i, x in tries):
            return True
        if len(self.data) <= 1:  # no second leaf goes with the first one: begin with another one
            for first in [x for _, x in tries] or [0.0]:
                if self.data:
                    self.drop_leaf()
                self.add(first)
                if self.apply(wish, {}) or any(self.apply_to_leaf(wish, i, x) for i, x in tries):
                    return True
        return False

    def apply_to_leaf(self, wish: Wish, place: int, data: float) -> bool:
        """Add a leaf and the wished step of it, if both may be and the leaf can be joined to the rest."""
        leaves = self.steps.count(None)
        if leaves and (not self.joins or self.room < 3 or leaves == self.max_leaves):
            return False
        if self.apply(wish, {place: self.add(data)}):
            return True
        self.drop_leaf()
        return False

    def apply(self, wish: Wish, given: dict[int, int | float]) -> bool:
        """Add the wished step with some arguments given, the others as they are picked; False where none fit."""
        count, domain = op_of(wish.function).arity, op_of(wish.function).domain
        newest = range(len(self.data) - 1, -1, -1)
        # with room for one step, many loose nodes or no function to join them, the step takes a loose node first
        narrow = self.room == 1 or not self.joins or len(self.loose) > SEVERAL
        if any(isinstance(x, int) for x in given.values()):
            narrow = False  # the new leaf is the loose node that it takes
        choices: list[Iterable[int | float]] = []
        for i in range(count):
            if i in given:
                choices.append((given[i],))
                continue
            pool = list(reversed(self.loose)) if narrow else newest
            narrow = False
            pick = wish.picks[i % len(wish.picks)] % len(pool)
            inside = (x for x in (*pool[pick:], *pool[:pick]) if _is_inside(self.data[x], *domain[i]))
            choices.append(inside if i == count - 1 else islice(inside, 3))
        return any(self.add_step(Step(wish.function, args, wish.options)) for args in product(*choices))

    def add_step(self, step: Step, slack: float = 1.0) -> bool:
        """Add a step, unless it is outside its domain, near a kink, too large or too steep."""
        op = op_of(step.function)
        args = [self.data[x] if isinstance(x, int) else x for x in step.args]
        numbers = (*args, *step.options)
        if not all(_is_inside(x, *interval) for x, interval in zip(args, op.domain)):
            return False
        if not self.near_kinks and op.kinks is not None and not abs(op.kinks(*numbers)) >= MARGIN:
            return False
        out = op.forward(*numbers) if op.forward else math.nan
        if not abs(out) <= slack * LARGEST:
            return False
        leaves = [Value(self.data[x]) if isinstance(x, int) else x for x in step.args]
        before = Identities((leaf, self.growth[x]) for leaf, x in zip(leaves, step.args) if isinstance(x, int))
        growth = sum([abs(slope) * before[leaf] for leaf, slope in op.slopes(out, (*leaves, *step.options))], 1.0)
        if growth <= slack * STEEPEST:
            self.add(out, step, growth)
            return True
        return False

    def fill(self, least: int) -> None:
        """Add steps, whichever fit, until joining all would give so many nodes, or until none fits."""
        wishes = [Wish(function, (0,), defaults(function)) for function in self.functions]
        while len(self.data) + len(self.loose) - 1 < least:
            if not any(self.grant(wish) for wish in wishes):
                return

    def join(self) -> None:
        """Join all nodes that nothing uses to one result, where a function of two arguments can."""
        *others, result = self.loose
        for other in reversed(others):
            steps = [Step(f, args, defaults(f)) for f in self.joins for args in ((result, other), (other, result))]
            if any(self.add_step(step, slack=10.0) for step in steps):
                result = len(self.data) - 1

    def expression(self) -> Expression:
        """What the last node needs: inputs first, then the steps in order."""
        used = {len(self.data) - 1}
        for node in range(len(self.data) - 1, -1, -1):
            if node in used and (step := self.steps[node]):
                used.update([x for x in step.args if isinstance(x, int)])
        order = sorted(used, key=lambda node: (self.steps[node] is not None, node))
        place = {node: i for i, node in enumerate(order)}
        steps = []
        for step in [self.steps[node] for node in order]:
            if step:
                args = tuple([place[x] if isinstance(x, int) else x for x in step.args])
                steps.append(Step(step.function, args, step.options))
        return Expression(tuple([self.data[node] for node in order if self.steps[node] is None]), tuple(steps))


def _in_interval(numbers: Iterable[float], low: float, high: float) -> list[float]:
    """Those of the numbers that lie in an open interval, and a few of its own."""
    own = [low + 1.0, low + 2.0, high - 1.0, high - 2.0]
    if math.isfinite(high - low):
        own += [low + (high - low) * part for part in (0.5, 0.25, 0.75)]
    return [x for x in (*numbers, *own) if _is_inside(x, low, high)]


def _is_inside(x: float, low: float, high: float) -> bool:
    """Whether x lies in an open interval and not too near to its ends."""
    margin = min(MARGIN, 0.1 * (high - low))
    return low + margin < x < high - margin
