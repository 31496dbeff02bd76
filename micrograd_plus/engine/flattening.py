"""Lay a graph out flat: every number in it gets a place, and lists say place by place what is there."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_plus.engine.operations import UNKNOWN, Arg, Op, refused
from micrograd_plus.engine.value import Value

NO_PLACE = -1


class Flat:
    """A graph laid out flat, the numbers `inputs` first; all others get their places as they are met.

    Attributes:
        ops: the operation at each place; None where an input, a leaf or a constant stands.
        first: the place of its first argument, or NO_PLACE.
        second: the place of the second of two arguments; NO_PLACE where there are one, or three and more.
        more: the places of all arguments, where these are three and more, by the place of the operation.
        leaves: the Values that no operation made and that are no inputs, by their places.
        constants: the plain numbers by their places.
        wanted: the places of what was wanted.
        count: how many inputs there are.
        own: the class of the nodes that keep their place themselves, if there is one.

    >>> x, w = Value(2.0), Value(3.0)
    >>> y = w * x + 1.0
    >>> flat = Flat([x], [y.args[0], y], [y])
    >>> flat.ops, flat.first, flat.second
    ([None, None, <operation mul>, None, <operation add>], [-1, -1, 1, -1, 2], [-1, -1, 0, -1, 3])
    >>> flat.leaves[1] is w, flat.constants, flat.wanted, flat.args(4)
    (True, {3: 1.0}, [4], (2, 3))
    """

    def __init__(
        self,
        inputs: Sequence[Value] = (),
        order: Sequence[Value] = (),
        wanted: Sequence[Value] = (),
        own: type[Value] | None = None,
    ) -> None:
        """Lay out nodes.

        Args:
            inputs: what gets the first places.
            order: the nodes, arguments before results.
            wanted: those of which one wants to know the places, perhaps leaves.
            own: a class of Values that nobody asks for their gradients, since they were made for this alone. Each
                keeps its place where its gradient would stand, which is sooner looked up than in a dictionary.
        """
        self.ops: list[Op | None] = []
        self.first: list[int] = []
        self.second: list[int] = []
        self.more: dict[int, list[int]] = {}
        self.leaves: dict[int, Value] = {}
        self.constants: dict[int, float] = {}
        self.own = own
        self.count = len(inputs)
        self._nodes: list[Value | None] = []  # by their places, where they are of that class
        self._places: dict[int, int] = {}  # of the others, by their id()
        for value in inputs:
            self._keep(value, self._next(None, NO_PLACE, NO_PLACE))
        for node in order:
            op, b = node.op, node._b
            if op is None or op.forward is None:
                raise refused(node, UNKNOWN)
            first, second = self._place(node._a), NO_PLACE
            if isinstance(b, tuple):
                args = [first, *[self._place(arg) for arg in b]]
                self.more[len(self.ops)] = args
            elif b is not None:
                second = self._place(b)
            self._keep(node, self._next(op, first, second))
        self.wanted: list[int] = [self._place(value) for value in wanted]
        self._nodes, self._places = [], {}  # nothing more is looked up

    def args(self, place: int) -> Sequence[int]:
        """The places of the arguments of what stands at a place; none for a leaf and a constant."""
        a, b = self.first[place], self.second[place]
        if b != NO_PLACE:
            return (a, b)
        if place in self.more:
            return self.more[place]
        return () if a == NO_PLACE else (a,)

    def places(self, op: Op) -> list[int]:
        """The places of an operation, in their order.

        >>> x = Value(2.0)
        >>> Flat([x], [y := x * 3.0, z := y * y], [z]).places(y.op)
        [2, 3]
        """
        return [place for place, each in enumerate(self.ops) if each is op]

    def _place(self, arg: Arg | None) -> int:
        """The place of an argument or a node; a leaf and a constant that have none get one."""
        if isinstance(arg, Value):
            if type(arg) is self.own:
                kept = int(arg._grad)
                if kept < len(self._nodes) and self._nodes[kept] is arg:
                    return kept
            known = self._places.get(id(arg))
            if known is not None:
                return known
            place = self._next(None, NO_PLACE, NO_PLACE)
            self._keep(arg, place)
            self.leaves[place] = arg
            return place
        place = self._next(None, NO_PLACE, NO_PLACE)
        self.constants[place] = 0.0 if arg is None else arg
        return place

    def _keep(self, node: Value, place: int) -> None:
        if type(node) is self.own:
            node._grad = float(place)
            self._nodes[place] = node
        else:
            self._places[id(node)] = place

    def _next(self, op: Op | None, first: int, second: int) -> int:
        """The next place, for an operation or for a number that none made."""
        place = len(self.ops)
        self.ops.append(op)
        self.first.append(first)
        self.second.append(second)
        self._nodes.append(None)
        return place
