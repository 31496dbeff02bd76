"""micrograd's names: `_backward`, a node's rule, which may be written by hand; `_prev`, what a node was made from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from reprlib import repr as short_repr
from types import CellType, FunctionType, MethodType
from typing import Any, Final

from micrograd_plus.engine.backward import pulled_by_hand
from micrograd_plus.engine.operations import POW, Arg, Op
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


_NAMES: Final = {"add": "+", "mul": "*", "relu": "ReLU"}  # others are called as in the table


def op_name(value: Value) -> str:
    """What `value._op` is."""
    given: str | None = getattr(value, "_op_given", None)
    if given is not None:
        return given
    if value.op is None or (value._a is None and isinstance(value.op, HandMade)):  # a leaf, with a rule or without
        return ""
    if value.op is POW and isinstance(value._b, float):
        return f"**{value._b:g}"
    return _NAMES.get(value.op.name, value.op.name)


def check_children(value: Value, children: Iterable[Value]) -> None:
    """Raise where `value._prev = children` would change something; as micrograd's code sets it, it changes nothing."""
    if set(children) != value._prev:
        raise AttributeError(
            f"Value._prev = {short_repr(children)}: what a node is made from is said when it is made, as in "
            "Value(data, (x, y), '+')"
        )


def children(value: Value) -> set[Value]:
    """What `value._prev` is: the arguments, and of each constant a leaf, the same whenever one asks."""
    return {arg if isinstance(arg, Value) else _constant(value, place, arg) for place, arg in _children(value)}


def _children(value: Value) -> list[tuple[int, Arg]]:
    """The arguments with their places, but for those that are part of the operation's name or its options."""
    if value.op is None:
        return []
    args = value.args[: len(value.args) - len(value.op.options)]
    return list(enumerate(args[:1] if value.op is POW and not isinstance(value._b, Value) else args))


def _constant(value: Value, place: int, number: float) -> Value:
    """The leaf that stands for a constant where micrograd would have one, with the gradient it would get."""
    leaves: dict[int, Value] | None = getattr(value, "_constants", None)
    if leaves is None:
        setattr(value, "_constants", leaves := {})  # noqa: B010 - an attribute of one's own, as users have them
    leaf: Value = leaves.setdefault(place, Value(number))
    if value.op is not None and value.op.forward is not None:
        args = value.args
        args = (*args[:place], leaf, *args[place + 1 :])  # as if it had been a leaf from the beginning
        slopes = [slope for arg, slope in value.op.slopes(value._data, args) if arg is leaf]
        leaf._grad = 0.0 + value._grad * slopes[0] if slopes else 0.0
    return leaf
