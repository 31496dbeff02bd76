"""One backward pass as numbers: every step it takes, in the right order or in a wrong one."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fabs, isclose, isfinite, isnan
from typing import TypeAlias

from micrograd_plus._support.identities import Identities, distinct
from micrograd_plus.engine.hooks import hooked
from micrograd_plus.engine.operations import ADD, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import reached, toposort, walk
from micrograd_plus.formulas.dust import dusty_values
from micrograd_plus.formulas.freshness import outdated, outdated_in_words
from micrograd_plus.formulas.numerals import short
from micrograd_plus.pictures.telling import graph_in_words
from micrograd_plus.stepping.ledgers import Edge, Ledger, ledger
from micrograd_plus.stepping.naming import Names
from micrograd_plus.stepping.notation import forward_text, rule
from micrograd_plus.stepping.orders import ordered
from micrograd_plus.stepping.steps import Step

Numbers: TypeAlias = tuple[float, float, float]  # upstream, local, contribution
Sums: TypeAlias = tuple[float, float]  # a gradient before a step and after it
_Taken: TypeAlias = tuple[
    Value | None, Value, int, Numbers, Sums, bool, str, tuple[float, ...]
]  # a step, before what leaves hold is known


@dataclass(frozen=True, slots=True, repr=False)
class Wrong:
    """A gradient that a wrong order gets wrong, and why.

    Attributes:
        node: whose gradient it is.
        gradient: what it comes to in this order.
        expected: what it should be.
        why: who passed on too early, or nothing.
        name: what the node is called.

    >>> from micrograd_plus.stepping import backprop
    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> print(backprop(y * y + y, order="arguments-first").wrong[0])
    y.grad is 1.0, not 19.0: v1 passed its gradient on before L had contributed to it
    """

    node: Value
    gradient: float
    expected: float
    why: str
    name: str

    def __str__(self) -> str:
        return f"{self.name}.grad is {short(self.gradient)}, not {short(self.expected)}: {self.why}"

    __repr__ = __str__


class Pass:
    """What the chain rule does to the gradients when it visits the nodes in some order; no node is touched.

    Where `backward()` has run already, its gradients stand in the graph: the pass starts from what leaves held before.
    Where data were written since, nobody can tell what that was: the pass is another one, and adds to what they hold.

    Args:
        root: the loss.
        names: what each node is called.
        nodes: every node of the graph, arguments before results.
        order: in which order each node passes on what it has, a word or a list, as `backprop` takes it; None for that
            of `backward()`.

    Raises:
        TypeError: the rule of a node was set by hand, or the order is none.
        ValueError: there is no such order.
    """

    again = False  # whether backward() has run already; an older pickle does not say
    data = b""  # of all nodes, when the steps were taken; an older pickle does not say

    def __init__(
        self, root: Value, names: Names, nodes: Sequence[Value], order: str | Iterable[Value] | None = None
    ) -> None:
        flowing, holding = walk(root, flowing=True)
        self.root, self.names, self.nodes = root, names, nodes
        self.data = _data(nodes)
        self.right: Sequence[Value] = flowing[::-1]
        self.order = self.right if order is None else ordered(order, nodes, flowing)
        for node in self.right:
            rule(node)
        self.sums: Identities[Value, float] = Identities()
        self.sizes: Identities[Value, float] = Identities()  # of the terms that made these, by which dust is told
        self._taken: list[_Taken] = []
        self.uses: Identities[Value, list[Edge]] = Identities()
        self.hooked: Identities[Value, None] = Identities()
        self.reached = reached([root], flowing)
        self._set(None, root, -1, (1.0, 1.0, 1.0), 1.0, "seed")
        for node in self.order:
            if node.op is not None:
                self._hook(node)
                self._visit(node, node.op)
        for leaf in [node for node in self.sums if node.op is None]:
            self._hook(leaf)
        # what leaves had before: it is added to the sum, as backward() does
        self.held = Identities((node, node.grad) for node in holding if node.op is None and node.grad)
        self.again = bool(self.held) and not self.outdated and self._has_run()
        self.steps = [self._step(*taken) for taken in self._taken]
        del self._taken

    def _has_run(self) -> bool:
        """Whether the graph holds the gradients of a backward() already; then `held` becomes what was there before."""
        sums = self.sums if self.order is self.right else Pass(self.root, self.names, self.nodes).sums
        grads = [(node.grad, sums.get(node, 0.0)) for node in self.right if node.op is not None or node is self.root]
        if not all(_same(grad, its) for grad, its in grads):
            return False
        held = [(node, _without(grad, sums.get(node, 0.0))) for node, grad in self.held.items()]
        self.held = Identities((node, grad) for node, grad in held if grad)
        return True

    def _step(
        self,
        node: Value | None,
        arg: Value,
        place: int,
        numbers: Numbers,
        sums: Sums,
        masked: bool,
        kind: str,
        sizes: tuple[float, ...],
    ) -> Step:
        before, after = [self.with_held(arg, each) for each in sums]
        kind = "again" if kind == "seed" and self.again else kind
        held = fabs(self.held.get(arg, 0.0))
        sizes = (*sizes[:2], *[size + held for size in sizes[2:]])
        return Step(node, arg, place, *numbers, before, after, masked, self.names, kind, sizes)

    def _visit(self, node: Value, op: Op) -> None:
        """Apply a node's rule as `backward()` does: where no gradient comes in, not even 0 · inf is passed on."""
        upstream = self.sums.get(node, 0.0)
        args = node.args
        comes = upstream != 0.0 or id(node) in self.reached
        if comes:  # a hook can make a gradient where none came
            self.reached.update([id(arg) for arg in op.reaches(node)])
        idle = upstream == 0.0 and op is not ADD and (not comes or op.tame(node))
        numbers = [arg.data if isinstance(arg, Value) else arg for arg in args]
        for place, arg in enumerate(args):
            if not isinstance(arg, Value) or op.partials[place] is None:
                continue
            slope, open_ = op.slope(place, node.data, numbers)
            masked = not open_
            if op.flows_to(place):  # no path to the loss leads through a condition
                self.uses.setdefault(arg, []).append(Edge(node, slope, masked or not comes))
            masked = masked or (not comes and not isfinite(slope))
            passed = 0.0 if masked else upstream * slope
            before = self.sums.get(arg, 0.0)
            # the first term of a sum is kept as it is, as in the engine: even -0.0
            after = before if masked or idle else passed if op is ADD and not before else before + passed
            self._set(node, arg, place, (upstream, slope, passed), after, masked=masked)

    def _hook(self, node: Value) -> None:
        before = self.sums.get(node, 0.0)
        after = float(hooked(node, before))
        if not _same(before, after):
            self.hooked[node] = None
            self._set(None, node, -1, (before, 1.0, after), after, "hook")

    def _set(
        self,
        node: Value | None,
        argument: Value,
        place: int,
        numbers: Numbers,
        after: float,
        kind: str = "chain",
        *,
        masked: bool = False,
    ) -> None:
        before, size = self.sums.get(argument, 0.0), self.sizes.get(argument, 0.0)
        came = self.sizes.get(node, 0.0) if node is not None else 0.0
        given = 0.0 if masked else came * fabs(numbers[1])
        self.sums[argument] = after
        self.sizes[argument] = size + given if kind == "chain" else fabs(after)
        sizes = came, given, size, self.sizes[argument]
        self._taken.append((node, argument, place, numbers, (before, after), masked, kind, sizes))

    @cached_property
    def nodes(self) -> Sequence[Value]:
        """Every node of the graph, arguments before results; walked anew only in a pass that an older pickle holds."""
        return toposort(self.root)

    @property
    def forward(self) -> list[str]:
        """How each value came about, arguments before results: `c = a × b = 2.0 × (-3.0) = -6.0`."""
        made = [node for node in self.nodes if node.op is not None]
        old = self.outdated
        return [forward_text(node, self.names, self.dusty, old) for node in made]

    @property
    def outdated(self) -> Identities[Value, float]:
        """The nodes that are no longer what their arguments give, with what these give now."""
        return outdated(self.nodes)

    @property
    def warning(self) -> str:
        """Which nodes these are, and whether data were written since the steps were taken, in words; "" if neither."""
        old = self.data and self.data != _data(self.nodes)
        since = "the steps are those from before data were written" if old else ""
        return "; ".join(filter(None, [outdated_in_words(list(self.outdated), self.names), since]))

    @cached_property
    def dusty(self) -> Identities[Value, None]:
        """The nodes whose values are nothing but what rounding left."""
        return dusty_values(self.nodes)

    @property
    def told(self) -> str:
        """What the pass finds, in a sentence."""
        told = graph_in_words(self.nodes, [self.root], self.names, self.gradients, self.dusty_grads)
        return "; ".join(filter(None, [told, self.warning]))

    @cached_property
    def dusty_grads(self) -> Identities[Value, None]:
        """The nodes whose gradients are that, in the end."""
        return Identities.fromkeys([step.argument for step in self._last_steps() if "after" in step.dust()])

    def _last_steps(self) -> list[Step]:
        """The last step to each node."""
        return list(Identities((step.argument, step) for step in self.steps).values())

    @property
    def gradients(self) -> Identities[Value, float]:
        """The gradient of each node that took part, as after `backward()`."""
        return Identities((node, self.with_held(node, grad)) for node, grad in self.sums.items())

    def ledger(self, node: Value, limit: int) -> Ledger:
        """Which paths gave how much to a node's gradient, in so many entries at most."""
        order = self.right or [self.root]
        sums = Identities.fromkeys([*order, node], 0.0) | self.sums
        return ledger(node, order, self.uses, sums, self.hooked, self.names, self.names.told, limit, self.warning)

    @cached_property
    def wrong(self) -> list[Wrong]:
        """The gradients that this order gets wrong; none in the order of `backward()`."""
        if self.order is self.right:
            return []
        right = Pass(self.root, self.names, self.nodes)
        place = Identities((node, i) for i, node in enumerate(self.order))
        last = len(place)
        spoilt: Identities[Value, str] = Identities()  # nodes that pass on too little, and why
        wrong = []
        for node in [*self.right, *[node for node in right.sums if node.op is None]]:
            name = self.names[node]
            users = distinct([edge.user for edge in right.uses.get(node, ())])
            late = [user for user in users if place.get(user, last) > place.get(node, last)]
            because = [spoilt[user] for user in users if user in spoilt]
            had, all_of_it = self.sums.get(node, 0.0), right.sums.get(node, 0.0)
            if because and not isclose(had, all_of_it, rel_tol=1e-12) and not _same(had, all_of_it):
                wrong.append(Wrong(node, had, all_of_it, "; ".join(because[:3]), name))
            if node.op is None:
                continue
            if node not in place:
                spoilt[node] = f"{name} never passed its gradient on"
            elif late:
                waited = ", ".join([self.names[user] for user in late[:3]])
                spoilt[node] = f"{name} passed its gradient on before {waited} had contributed to it"
            elif because:
                spoilt[node] = f"{name} passed on a gradient that was wrong already"
        return wrong

    def with_held(self, node: Value, grad: float) -> float:
        """A gradient with what the leaf had before."""
        return grad + self.held[node] if node in self.held else grad


def _data(nodes: Sequence[Value]) -> bytes:
    return array("d", [node.data for node in nodes]).tobytes()  # bytes: a nan is the same as before


def _without(grad: float, its: float) -> float:
    """What a gradient was before a contribution was added to it, without what rounding left."""
    return 0.0 if _same(grad, its) or isclose(grad, its, rel_tol=1e-12) else grad - its


def _same(x: float, y: float) -> bool:
    return x == y or (isnan(x) and isnan(y))
