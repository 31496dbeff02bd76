"""Lay a graph out flat: every number in it gets a place, and lists say place by place what is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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

    >>> x, w = Value(2.0), Value(3.0)
    >>> y = w * x + 1.0
    >>> flat = Flat([x], [y.args[0], y])
    >>> flat.ops, flat.first, flat.second
    ([None, None, <operation mul>, None, <operation add>], [-1, -1, 1, -1, 2], [-1, -1, 0, -1, 3])
    >>> flat.leaves[1] is w, flat.constants, flat.place(y), flat.args(4)
    (True, {3: 1.0}, 4, (2, 3))
    """

    def __init__(self, inputs: Iterable[Value] = (), order: Iterable[Value] = ()) -> None:
        """Lay out nodes that stand in an order in which arguments come before results."""
        self.ops: list[Op | None] = []
        self.first: list[int] = []
        self.second: list[int] = []
        self.more: dict[int, list[int]] = {}
        self.leaves: dict[int, Value] = {}
        self.constants: dict[int, float] = {}
        self._places: dict[int, int] = {}  # by the id() of a Value
        for value in inputs:
            self._places[id(value)] = self._next(None, NO_PLACE, NO_PLACE)
        for node in order:
            op, b = node.op, node._b
            if op is None or op.forward is None:
                raise refused(node, UNKNOWN)
            first, second = self.place(node._a), NO_PLACE
            if isinstance(b, tuple):
                args = [first, *[self.place(arg) for arg in b]]
                self.more[len(self.ops)] = args
            elif b is not None:
                second = self.place(b)
            self._places[id(node)] = self._next(op, first, second)

    def place(self, arg: Arg | None) -> int:
        """The place of an argument or a node; a leaf and a constant that have none get one."""
        if isinstance(arg, Value):
            known = self._places.get(id(arg))
            if known is not None:
                return known
            place = self._next(None, NO_PLACE, NO_PLACE)
            self._places[id(arg)] = place
            self.leaves[place] = arg
            return place
        place = self._next(None, NO_PLACE, NO_PLACE)
        self.constants[place] = 0.0 if arg is None else arg
        return place

    def args(self, place: int) -> Sequence[int]:
        """The places of the arguments of what stands at a place; none for a leaf and a constant."""
        a, b = self.first[place], self.second[place]
        if b != NO_PLACE:
            return (a, b)
        if place in self.more:
            return self.more[place]
        return () if a == NO_PLACE else (a,)

    def _next(self, op: Op | None, first: int, second: int) -> int:
        """The next place, for an operation or for a number that none made."""
        place = len(self.ops)
        self.ops.append(op)
        self.first.append(first)
        self.second.append(second)
        return place
