"""Answer by micrograd's names: `_prev`, what a node was made from, and `_op`, what made it."""

from __future__ import annotations

from collections.abc import Iterable
from reprlib import repr as short_repr
from typing import Final

from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import POW, Arg
from micrograd_plus.engine.value import Value

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
