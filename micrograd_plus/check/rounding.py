"""How large may the rounding error of a result be?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk

EPSILON = sys.float_info.epsilon
MANY = 50  # results whose rounding errors are estimated together


class Roundoff(NamedTuple):
    """The size of a result's rounding error; and, by each variable, the sum of its paths' absolute slopes.

    There are no such sums, [], for a result that is no graph.
    """

    error: float
    reach: list[float]


def roundoffs(results: Sequence[Any], variables: Sequence[Value], unit: float = EPSILON) -> list[Roundoff]:
    """The rounding error of each result; where there are many, one that is large enough for all of them together.

    Args:
        unit: the spacing at 1 of the floats that they were computed with, where they are no graph.
    """
    if len(results) <= MANY or not isinstance(results[0], Value):
        return [_of([y], variables) if isinstance(y, Value) else Roundoff(4.0 * unit * abs(y), []) for y in results]
    return [_of(results, variables)] * len(results)


def _of(results: Sequence[Value], variables: Sequence[Value]) -> Roundoff:
    """A pass backward that adds sizes, so that nothing cancels.

    Each node's number is off by half a unit in its last place, which arrives at the result times the node's slope.
    """
    reach = Identities.fromkeys(results, 1.0)
    size = sum([abs(y.data) for y in results])
    total = size
    for node in reversed(walk(*results)[0]):
        through = reach.get(node, 0.0)
        if not through or node.op is None:
            continue
        total += through * abs(node.data)
        args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value):
                slope, _ = node.op.slope(place, node.data, args)
                reach[arg] = reach.get(arg, 0.0) + through * abs(slope)
    error = 2.0 * EPSILON * total
    return Roundoff(error if isfinite(error) else 8.0 * EPSILON * size, [reach.get(x, 0.0) for x in variables])
