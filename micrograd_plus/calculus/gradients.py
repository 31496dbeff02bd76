"""The gradient of one Value by others, which may be a graph again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.calculus.flowing import Number, pulled
from micrograd_plus.engine.backward import derivatives
from micrograd_plus.engine.recording import enable_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.nn import Module


def gradient(y: Value, xs: Sequence[Value], create_graph: bool = False, *, strict: bool = False) -> list[Any]:
    """The derivative of y by each of xs.

    No `.grad` is read or written.

    Args:
        y: the Value to be differentiated.
        xs: a list of Values, leaves or interior nodes of its graph.
        create_graph: give Values, which can be differentiated, drawn and printed in their turn.
        strict: raise where y does not depend on one of xs at all, instead of giving 0.0.

    Returns:
        A list of floats, of Values with `create_graph`.

    Raises:
        TypeError: y or one of xs is no Value, or a node's rule was set by hand.
        ValueError: strict, and y does not depend on one of xs.

    >>> x = Value(2.0, label="x")
    >>> y = x**3
    >>> gradient(y, [x])
    [12.0]
    >>> (slope,) = gradient(y, [x], create_graph=True)
    >>> gradient(slope, [x])                    # 6x
    [12.0]
    """
    if not isinstance(y, Value):
        raise TypeError(f"gradient({short_repr(y)}, ...): expected the Value to differentiate, got {type(y).__name__}")
    if isinstance(xs, Module):
        xs = xs.parameters()
    if isinstance(xs, Value) or not isinstance(xs, Iterable):
        raise TypeError(f"gradient(y, {short_repr(xs)}): expected a list of Values, such as [x]")
    xs = list(xs)
    for x in xs:
        if not isinstance(x, Value):
            kind = type(x).__name__
            raise TypeError(f"gradient: {short_repr(x)} among xs; expected Values that y was made from, got {kind}")
    if strict:
        demand("gradient", [y], xs, xs)
    return finished(slopes_by(y, xs, create_graph), create_graph)


def slopes_by(y: Value, xs: Sequence[Value], graph: bool) -> list[Number]:
    """The derivative of y by each of xs: a graph, or floats."""
    if not graph:
        return list(derivatives(y, xs))
    with enable_grad():
        return pulled(y, xs)


def finished(slopes: Iterable[Number], graph: bool) -> list[Any]:
    """Derivatives as they are handed out: 0 for what plays no part, and a constant as a Value where others are."""
    numbers = [0.0 if slope is None else slope for slope in slopes]
    return [x if isinstance(x, Value) else Value(x) for x in numbers] if graph else numbers


def demand(name: str, ys: Iterable[Number], xs: Sequence[Value], called: Sequence[object]) -> None:
    """Raise where one of xs plays no part in any of ys."""
    roots = [y for y in ys if isinstance(y, Value)]
    order = walk(*roots, flowing=True)[0]
    reached = Identities.fromkeys(
        [*roots, *[arg for node in order if node.op and not node.op.flat for arg in node.args]]
    )
    for x, what in zip(xs, called):
        if x not in reached:
            wanted = "without strict=True its derivative is 0.0"
            raise ValueError(f"{name}: the result does not depend on {what}; {wanted}")
