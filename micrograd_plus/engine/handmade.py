"""Rules that a learner writes by hand: `node._backward`, as in micrograd, without the cycle that it would close."""

from __future__ import annotations

import functools
from collections.abc import Callable
from reprlib import repr as short_repr
from types import CellType, FunctionType, MethodType
from typing import Any

from micrograd_plus.engine.backward import pulled_by_hand
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value


class HandMade(Op):
    """The operation of a node whose rule a learner wrote: `out._backward = rule`, as in micrograd.

    Such a rule usually captures the node itself, or the rule that the node had before. Kept as it comes, it would close
    a reference cycle; so what is kept is how to make it from the node, which is done for each call.
    """

    __slots__ = ("given", "made")

    def __init__(self, name: str, rule: Callable[[], None], node: Value) -> None:
        super().__init__(name)
        self.made: Callable[[Any], Any] | None = _without(rule, node, set())
        self.given: Callable[[], None] | None = rule if self.made is None else None

    def pull(self, node: Value) -> None:
        rule = self.given if self.made is None else self.made(node)
        rule()  # type: ignore[misc]  # one of the two is there

    def tame(self, node: Value) -> bool:  # noqa: ARG002 - nobody knows what a rule does
        return False

    def reaches(self, node: Value) -> list[Value]:
        return [arg for arg in node.args if isinstance(arg, Value)]


def set_rule(value: Value, rule: Any) -> None:
    """What `value._backward = rule` does."""
    if not callable(rule):
        raise TypeError(f"Value._backward = {short_repr(rule)}: expected a function without arguments")
    if isinstance(rule, Rule) and rule.node is value:
        value.op = rule.op
    else:
        value.op = HandMade(value._op or "hand-made", rule, value)


class Rule:
    """What `node._backward` is: a node's rule as it was when somebody asked for it, whatever is set later.

    >>> x = Value(3.0)
    >>> y = x * 2
    >>> usual = y._backward
    >>> y._backward = lambda: (print("upstream", y.grad), usual())
    >>> y.backward()
    upstream 1.0
    >>> x.grad
    2.0
    """

    __slots__ = ("op", "node")

    def __init__(self, op: Op | None, node: Value) -> None:
        self.op = op
        self.node = node

    def __call__(self) -> None:
        if self.op is not None:
            pulled_by_hand(self.op, self.node)


def _without(thing: Any, node: Value, seen: set[int]) -> Callable[[Any], Any] | None:
    """How to make a rule anew, given the node that it refers to; None where it refers to none and can be kept.

    Kept as it is, a rule that refers to its own node would be a cycle, which only the garbage collector frees.
    """
    if thing is node:
        return lambda node: node
    if isinstance(thing, Rule):
        op = thing.op
        return (lambda node: Rule(op, node)) if thing.node is node else None
    if not isinstance(thing, (FunctionType, MethodType, functools.partial)) or id(thing) in seen:
        return None
    seen.add(id(thing))
    held = _held(thing)
    makers = [[_without(part, node, seen) for part in parts] for parts in held]
    if not any(maker is not None for part in makers for maker in part):
        return None
    kept = [[part if maker is None else None for part, maker in zip(*pair)] for pair in zip(held, makers)]

    def filled(node: Value) -> list[list[Any]]:
        return [[p if make is None else make(node) for p, make in zip(*pair)] for pair in zip(kept, makers)]

    return _made_again(thing, makers[0], filled)


def _held(thing: Any) -> list[list[Any]]:
    """What a function, a method or a partial refers to, in three lists or fewer."""
    if isinstance(thing, FunctionType):
        cells = [_content(cell) for cell in thing.__closure__ or ()]
        return [cells, list(thing.__defaults__ or ()), list((thing.__kwdefaults__ or {}).values())]
    if isinstance(thing, functools.partial):
        return [[thing.func], list(thing.args), list(thing.keywords.values())]
    return [[thing.__func__, thing.__self__]]


def _made_again(thing: Any, of_cells: list[Any], filled: Callable[[Value], list[list[Any]]]) -> Callable[[Any], Any]:
    """How to make the same function anew; cells that do not lead to the node stay the very same."""
    if isinstance(thing, FunctionType):
        code, space, name, keys = thing.__code__, thing.__globals__, thing.__name__, list(thing.__kwdefaults__ or {})
        own = [cell if maker is None else None for cell, maker in zip(thing.__closure__ or (), of_cells)]

        def function(node: Value) -> Any:
            contents, defaults, others = filled(node)
            closure = tuple([CellType(it) if cell is None else cell for cell, it in zip(own, contents)])
            made = FunctionType(code, space, name, tuple(defaults), closure)
            made.__kwdefaults__ = dict(zip(keys, others)) or None
            return made

        return function
    if isinstance(thing, functools.partial):
        words = list(thing.keywords)

        def part_of(node: Value) -> Any:
            (function,), given, others = filled(node)
            return functools.partial(function, *given, **dict(zip(words, others)))

        return part_of
    return lambda node: MethodType(*filled(node)[0])


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None
