"""Which numbers are nothing but what rounding leaves of larger ones that cancel?

0.1 + 0.2 - 0.3 is 5.6e-17. To tell such dust from a number that is small in earnest, as 1e-17 is, one must know the
size of the terms that made it: a sum's dust is as small as a few roundings of these. The size of a leaf is its own;
that of what an operation makes is the sum of its arguments' sizes, each times the size of its local derivative. For
gradients the same is counted from the result backwards, along every path.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.vectors import added

FEW = 4.0  # roundings
ROUNDING = 2.0**-53  # of a number of size 1
FAINT = 1e-12  # of the largest: what is no smaller is looked at no further

Sizes = Identities[Value, float]


class Dust(NamedTuple):
    """The nodes of a graph whose values are dust, and those whose gradients are."""

    values: Container[Value] = ()
    gradients: Container[Value] = ()


def dust_in(nodes: Sequence[Value], roots: Iterable[Value]) -> Dust:
    """What of a graph is dust.

    Args:
        nodes: all of them, arguments before results.
        roots: its results.
    """
    return Dust(dusty_values(nodes), dusty_gradients(nodes, roots))


def is_dust(number: float, size: float) -> bool:
    """Whether a number is no larger than what a few roundings leave of terms of that size in all.

    >>> is_dust(0.1 + 0.2 - 0.3, 0.6), is_dust(1e-17, 1e-17), is_dust(0.0, 1.0)
    (True, False, False)
    """
    return 0.0 < abs(number) <= FEW * ROUNDING * size < math.inf


def dusty_values(nodes: Sequence[Value]) -> Identities[Value, None]:
    """Those of the nodes whose number is dust.

    Args:
        nodes: of a graph, all of them, arguments before results.

    >>> a, b = Value(0.1), Value(0.2)
    >>> total = a + b
    >>> left = total - 0.3
    >>> len(dusty_values([a, b, total, left]))
    1
    """
    if not _any_faint([node.data for node in nodes]):
        return Identities()
    sizes: Sizes = Identities()
    for node in nodes:
        sizes[node] = value_size(node, sizes)
    return Identities.fromkeys([node for node in nodes if is_dust(node.data, sizes[node])])


def dusty_gradients(nodes: Sequence[Value], roots: Iterable[Value]) -> Identities[Value, None]:
    """Those of the nodes whose gradient is dust, after a backward pass from the roots.

    Args:
        nodes: of a graph, all of them, arguments before results.
        roots: its results.
    """
    if not _any_faint([node.grad for node in nodes]):
        return Identities()
    sizes: Sizes = Identities((root, abs(root.grad)) for root in roots)
    for node in reversed(nodes):
        if node.op is not None and node.op.forward is not None and sizes.get(node):
            for arg, slope in node.op.slopes(node.data, node.args):
                sizes[arg] = sizes.get(arg, 0.0) + sizes[node] * abs(slope)
    return Identities.fromkeys([node for node in nodes if is_dust(node.grad, sizes.get(node, 0.0))])


def value_size(node: Value, sizes: Sizes) -> float:
    """The size of the terms that made a number, from those of its arguments."""
    op = node.op
    if op is None or op.forward is None:
        return abs(node.data)
    terms = [abs(slope) * sizes[arg] for arg, slope in op.slopes(node.data, node.args) if slope]
    constants = [abs(arg) for arg in node.args if not isinstance(arg, Value)] if op.name in ("add", "sub") else []
    return max(abs(node.data), added([0.0, *terms, *constants]) if all(map(math.isfinite, terms)) else math.inf)


def _any_faint(numbers: Sequence[float]) -> bool:
    """Whether there is a number so much smaller than the largest that it may be dust."""
    sizes = [abs(number) for number in numbers if number and math.isfinite(number)]
    return bool(sizes) and min(sizes) < FAINT * max(1.0, *sizes)
