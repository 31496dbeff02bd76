"""The backward pass: the chain rule at each node, results before arguments; each leaf gets all or nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from micrograd_plus.engine.chain import pull_all
from micrograd_plus.engine.hooks import hooks_lock
from micrograd_plus.engine.leaves import Pass, put, setting
from micrograd_plus.engine.locking import alone, lock
from micrograd_plus.engine.operations import UNKNOWN, Op, refused
from micrograd_plus.engine.recording import tell
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walked

_running: Pass | None = None  # the innermost pass of the thread that has the lock


def held(values: Sequence[Value]) -> list[float]:
    """The gradients of values, none of them in the middle of another thread's pass."""
    return alone(_held, values)  # type: ignore[no-any-return]


def _held(values: Sequence[Value]) -> list[float]:
    return [value._grad for value in values]


_OUTSIDE: Final = Pass([], [])  # the running pass while a loop like micrograd's calls `node._backward()` by itself


def add_gradients(root: Value) -> None:
    """What `root.backward()` does: add to the gradient of every leaf the derivative of root by that leaf."""
    alone(_pass, lock._is_owned(), root, None)


def pulled_by_hand(op: Op, node: Value) -> None:
    """Apply one rule to one node: what `node._backward()` does, as a loop like micrograd's calls it."""
    alone(_pull, lock._is_owned(), op, node)


def _pull(within: bool, op: Op, node: Value) -> None:
    global _running
    outer = _running if within else None  # outside of every pass, an interrupt may have left an old one there
    _running = outer or _OUTSIDE
    try:
        op.pull(node)
    finally:
        _running = outer


def _pass(within: bool, root: Value, xs: Sequence[Value] | None) -> list[float]:
    """Add to the leaves' gradients; or, where there are xs, give the derivatives by these and leave all as it was.

    Every value that the leaves get at the end is put into place by one call in C, as in plain Python an interrupt can
    come between any two steps: before that call all of them are what they were, after it all are complete.
    """
    global _running
    outer = _running if within else None  # as in _pull
    order, held = walked([root], None, True)
    if xs is not None:
        _refuse_rules_by_hand(order)
        held.extend(xs)
    aside = outer is not None and outer.sums is None
    if outer is not None and aside:
        outer.show()
    leaves = [node for node in held if node._a is None]  # one with a rule set by hand is a leaf, too
    grads = [leaf._grad for leaf in leaves]
    passing = xs is not None or outer is not None  # then the nodes inside get back the gradients that they had
    inner = [(node, node._grad) for node in held if node._a is not None] if passing else []
    running = Pass(leaves, grads)
    put_all = setting(leaves, grads)  # made before the pass, so that undoing it needs no memory
    _running = running
    try:
        for node in held:
            if node._grad:
                node._grad = 0.0
        root._grad += 1.0
        pull_all(root, order, running)
        derivatives = [x._grad for x in xs] if xs is not None else []
        if xs is None:  # one addition of the whole sum: a second backward() gives exactly twice
            grads[:] = [grad + leaf._grad if grad else leaf._grad for leaf, grad in zip(leaves, grads)]
        put_all()
        return derivatives
    except BaseException:
        if running.sums is None:
            put_all()
        raise
    finally:
        _running = outer
        if passing:
            _give_back(order, inner)
        if outer is not None and aside:
            outer.hide()


def _give_back(order: list[Value], inner: list[tuple[Value, float]]) -> None:
    """Give the nodes of a graph the gradients that they had: those that had any are in `inner`."""
    for node in order:
        if node._a is not None:  # a leaf with a rule set by hand has its sum by now
            node._grad = 0.0
    for node, grad in inner:
        node._grad = grad


def _refuse_rules_by_hand(order: list[Value]) -> None:
    for node in order:
        if node.op is not None and node.op.forward is None:
            raise refused(node, UNKNOWN)


def _after_fork() -> None:
    """A forked child has none of the other threads: free their locks, undo the passes that they had begun."""
    global _running
    if not lock._is_owned():  # else this very thread is in a pass, which goes on
        if not lock.acquire(blocking=False) and _running is not None and _running.sums is None:
            put(_running.leaves, _running.grads)
        _running = None
        lock._at_fork_reinit()
    if not hooks_lock._is_owned():
        hooks_lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def derivatives(root: Value, xs: Sequence[Value]) -> list[float]:
    """The derivative of root by each of xs, from a backward pass that leaves every gradient as it was."""
    tell(root, "a gradient that is no graph")
    return alone(_pass, lock._is_owned(), root, xs)  # type: ignore[no-any-return]
