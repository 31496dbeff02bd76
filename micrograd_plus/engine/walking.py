"""In which order a graph is walked: arguments before results, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from micrograd_plus.engine.locking import alone
from micrograd_plus.engine.value import Value

if TYPE_CHECKING:
    from mypy_extensions import i32

_marks = 0  # the last that was given


def walk(
    *roots: Value, skip: Callable[[Value], object] | None = None, flowing: bool = False
) -> tuple[list[Value], list[Value]]:
    """Two lists: the nodes under the roots that operations made, arguments before results; the leaves, and all nodes
    that hold a gradient.

    Iterative, so depth is free. Made nodes that `skip` names are left out, and what is only under them. With `flowing`,
    what lies only where nothing is passed back, under a comparison or a condition, is left out of the order: not even
    0 · inf comes through these.
    """
    return alone(walked, list(reversed(roots)), skip, flowing)  # type: ignore[no-any-return]


def walked(
    stack: list[Value], skip: Callable[[Value], object] | None, flowing: bool
) -> tuple[list[Value], list[Value]]:
    """What `walk` does. Two numbers of its own mark the nodes it has come by: those still open, and those done with.

    The loop spells out what is done with each of two arguments: to put each on the stack and take it off again costs 22
    to 34 % of a walk.
    """
    global _marks
    roots = stack.copy()
    _marks = _marks + 2 if _marks < 2**31 - 3 else 2
    opened: i32 = _marks
    closed: i32 = _marks + 1
    order: list[Value] = []
    held: list[Value] = []
    flat: list[Value] = []
    while True:  # not `while stack`: CPython 3.11 speeds up a loop in its first run only if it jumps back for certain
        if not stack:
            if _marks != opened:  # another walk marked nodes meanwhile, in a signal's handler, say
                return walked(roots, skip, flowing)
            return order, held + walked(flat, None, False)[1] if flat else held
        node = stack.pop()
        if node._mark == opened:  # by now all its arguments are in order
            node._mark = closed
            order.append(node)
            continue
        while node._mark != closed:  # down along the first arguments
            op = node.op
            if skip is not None and op is not None and skip(node):
                break
            node._mark = closed
            a, b = node._a, node._b
            if a is None or node._grad:  # leaves, those with a rule set by hand, too
                held.append(node)
            if op is None:
                break
            if flowing and op.halts is not None:
                node._mark = opened
                stack.append(node)
                for arg, halted in reversed(list(zip(node.args, op.halts))):
                    if isinstance(arg, Value):
                        (flat if halted else stack).append(arg)
                break
            if isinstance(b, tuple):
                node._mark = opened
                stack.append(node)
                stack.extend([arg for arg in (*reversed(b), a) if isinstance(arg, Value)])
                break
            first: Value | None = None
            if isinstance(a, Value) and a._mark != closed:
                if a.op is not None:
                    first = a
                else:
                    a._mark = closed
                    held.append(a)
            second: Value | None = None
            if isinstance(b, Value) and b._mark != closed:
                if b.op is not None:
                    second = b
                else:
                    b._mark = closed
                    held.append(b)
            if first is not None:
                node._mark = opened
                stack.append(node)
                if second is not None:
                    stack.append(second)
                node = first
            elif second is not None:
                node._mark = opened
                stack.append(node)
                node = second
            else:
                order.append(node)


def toposort(root: Value) -> list[Value]:
    """Every node under root once, arguments before results.

    It is iterative, so that depth is free: a chain of a million nodes is no problem.

    >>> x = Value(2.0)
    >>> [node._op for node in toposort((x + 1) * x)]
    ['', '+', '*']
    """
    order, _ = walk(root)
    leaves = [arg for node in order for arg in node.args if isinstance(arg, Value) and arg.op is None]
    return [*{id(leaf): leaf for leaf in (leaves if order else [root])}.values(), *order]


def reached(roots: Iterable[Value], order: list[Value]) -> set[int]:
    """The ids of the nodes that a gradient comes to: the roots, and on from each those that no mask cuts off.

    Args:
        roots: where gradients start.
        order: the nodes under them that operations made, arguments before results.

    >>> from micrograd_plus.engine import TABLE, apply
    >>> x = Value(-1.0)
    >>> y = x.exp()
    >>> z = apply(TABLE["where"], 0.0, y, x)
    >>> found = reached([z], walk(z)[0])
    >>> id(x) in found, id(y) in found
    (True, False)
    """
    found = {id(root) for root in roots}
    for node in reversed(order):
        if node.op is not None and id(node) in found:
            for arg in node.op.reaches(node):
                found.add(id(arg))
    return found
