"""Find the sums of many terms: additions, each the first argument of the next, are one node to a reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from math import isnan
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import ADD
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.samples import values_of


def long_sums(
    nodes: Sequence[Value], shut: Container[Value], apart: Container[Value], place: Callable[[Value], Any], most: int
) -> Identities[Value, list[Value]]:
    """The sums of more than two terms: by the last addition of each, all of them, the first one first.

    An addition goes into the next one if nothing else uses it and both have the same gradient: then each term has it,
    too, and the picture hides no other number than a partial sum.

    Args:
        nodes: what is drawn, arguments before results.
        shut: nodes in a box that is shut, which are in no sum.
        apart: nodes that go into no other one: those with a name, results.
        place: where a node stands; a sum does not reach over a border.
        most: how many additions one sum may be made of.

    >>> x, y, z = Value(1.0), Value(2.0), Value(3.0)
    >>> total = x + y + z
    >>> found = long_sums([x, y, z, total.args[0], total], [], [], lambda node: None, 100)
    >>> found[total] == [total.args[0], total]
    True
    """
    uses = Counter([id(arg) for node in nodes for arg in values_of(node)])
    stairs: Identities[Value, list[Value]] = Identities()
    for node in nodes:
        if node.op is not ADD or node in shut:
            continue
        before = node.args[0]
        stair: list[Value] = []
        if isinstance(before, Value) and before in stairs and before not in apart and uses[id(before)] == 1:
            stair = stairs.pop(before) if _alike(before, node, place) else []
        stair.append(node)  # to the same list: a long staircase is not copied again and again
        stairs[node] = stair
    return Identities((last, all_of) for last, all_of in stairs.items() if 1 < len(all_of) <= most)


def _alike(before: Value, node: Value, place: Callable[[Value], Any]) -> bool:
    """Whether one gradient stands for both, and both stand at one place."""
    same = before._grad == node._grad or (isnan(before._grad) and isnan(node._grad))
    return same and place(before) == place(node)
