"""Is another graph the same as one that was laid out flat? As when a function runs a second time."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd_plus.engine.flattening import NO_PLACE, Flat
from micrograd_plus.engine.operations import Arg
from micrograd_plus.engine.value import Value


def repeats(flat: Flat, inputs: Sequence[Value], order: Sequence[Value], wanted: Sequence[Value]) -> bool:
    """Whether another graph, given as that one was, would be laid out the same, over the very same leaves.

    It is not laid out for that: its nodes are held against the places of the first, which takes half the time.

    Args:
        flat: the graph that was laid out.
        inputs, order, wanted: of the other, as for `Flat`.

    >>> x, y, w = Value(2.0), Value(3.0), Value(0.5)
    >>> flat = Flat([x], [z := w * x], [z])
    >>> repeats(flat, [y], [z := w * y], [z]), repeats(flat, [y], [z := y * w], [z])
    (True, False)
    """
    if len(inputs) != flat.count or len(wanted) != len(flat.wanted):
        return False
    found: dict[int, int] = {}  # the places of nodes that do not keep them, by their id()
    place, end = flat.count, len(flat.ops)
    for node in order:
        while place < end and flat.ops[place] is None:
            place += 1
        if place == end or node.op is not flat.ops[place] or not _has_its_arguments(flat, place, node, inputs, found):
            return False
        if type(node) is flat.own:
            node._grad = float(place)
        else:
            found[id(node)] = place
        place += 1
    if any(op is not None for op in flat.ops[place:]):
        return False
    return all(_stands_at(flat, place, value, inputs, found) for place, value in zip(flat.wanted, wanted))


def _has_its_arguments(flat: Flat, place: int, node: Value, inputs: Sequence[Value], found: dict[int, int]) -> bool:
    """Whether a node's arguments stand where those do of what is at a place."""
    a, b, second = node._a, node._b, flat.second[place]
    if not _stands_at(flat, flat.first[place], a, inputs, found):
        return False
    if isinstance(b, tuple):
        args = flat.more.get(place, [])
        if len(args) != len(b) + 1:
            return False
        return all(_stands_at(flat, args[i + 1], arg, inputs, found) for i, arg in enumerate(b))
    if b is None or second == NO_PLACE:
        return b is None and second == NO_PLACE and place not in flat.more
    return _stands_at(flat, second, b, inputs, found)


def _stands_at(flat: Flat, place: int, arg: Arg | None, inputs: Sequence[Value], found: dict[int, int]) -> bool:
    """Whether what the other graph has there is what this one has: the same input, leaf, constant or node."""
    if not isinstance(arg, Value):
        number = 0.0 if arg is None else arg
        known = flat.constants.get(place)
        return known is not None and (known == number or (known != known and number != number))
    if place < flat.count:
        return inputs[place] is arg
    if flat.ops[place] is None:
        return flat.leaves.get(place) is arg
    if type(arg) is flat.own:
        return arg.op is not None and arg._grad == place
    return found.get(id(arg)) == place
