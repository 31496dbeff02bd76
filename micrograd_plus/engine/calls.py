"""Which call of a function, such as softmax, made a node: pictures draw a call as one box."""

from __future__ import annotations

from typing import Any, TypeVar

from micrograd_plus.engine.value import Value

_T = TypeVar("_T")


class Scope:
    """One call of a function, such as softmax, or one pass through a block `with mp.scope(...)`.

    A function's result keeps it as its `.scope`: the nodes between the result and the arguments belong to the call. In
    a block of the user's every node keeps it.

    Attributes:
        name: of the function, or what the user calls the block.
        args: what the function was given, Values, numbers and tuples of them; None for a block.
        before: the scope that the same node had before: of a function that this one called, or of the block around.
    """

    __slots__ = ("name", "args", "before")

    def __init__(self, name: str, args: tuple[Any, ...] | None, before: Any) -> None:
        self.name: str = name
        self.args: tuple[Any, ...] | None = args
        self.before: Any = before

    def __repr__(self) -> str:
        return f"<scope {self.name}>"


def made(name: str, args: tuple[Any, ...], out: _T) -> _T:
    """The result of a function, marked with the call that made it.

    Args:
        name: of the function.
        args: what it was given: Values, numbers, and tuples of these.
        out: a Value that it made, or a list of them; or plain numbers, which remember nothing.

    >>> x = Value(2.0)
    >>> made("double", (x,), x + x).scope
    <scope double>
    """
    outs: list[Any] = out if isinstance(out, list) else [out]
    first = outs[0]
    if isinstance(first, Value) and first.op is not None and (first._note is None or isinstance(first._note, Scope)):
        call = Scope(name, args, first._note)
        for each in outs:
            each._note = call
    return out
