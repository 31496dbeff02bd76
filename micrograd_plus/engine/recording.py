"""The blocks that may be open, such as `no_grad()`, and what each is told of the nodes that are made inside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from micrograd_plus.engine.operations import Arg, Op
    from micrograd_plus.engine.value import Value


class Watch(Protocol):
    """Is shown every node that is made, and every gradient that is passed back; `detect_anomaly` is one.

    If it has a method `unreached(node)`, it is shown the nodes, too, to which no gradient comes; if it has a method
    `moved(node, change)`, how each changes in a direction.
    """

    def made(self, node: Value, op: Op, args: tuple[Arg, ...]) -> None:
        """A node is about to be recorded."""

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """A node that has the upstream gradient has passed on to its argument, which has this gradient now."""


class Trace(Protocol):
    """Records a function as a graph, and must know when a number leaves it; `compile` makes one.

    Attributes:
        kind: the class of the nodes that are made in the thread that traces.
    """

    kind: type[Value]

    def asked(self, value: Value, how: str) -> None:
        """Code is about to read a Value's plain number, or to write one: `how` says by what, such as "float()"."""

    def decided(self, value: Value) -> bool:
        """Code asks for a Value's `bool()`, as an `if` does; returns what it shall be."""

    def elsewhere(self, args: tuple[Arg, ...]) -> None:
        """A node is about to be made of these arguments in another thread, which is not traced."""


class Leaving(Protocol):
    """Must know when a number leaves the graph of what is being differentiated; `grad` makes one."""

    def left(self, value: Value, how: str) -> None:
        """Code is about to read a Value's plain number: `how` says by what."""


recording: Final[ContextVar[bool]] = ContextVar("recording", default=True)
watching: Final[ContextVar[Watch | None]] = ContextVar("watching", default=None)
tracing: Final[ContextVar[Trace | None]] = ContextVar("tracing", default=None)
leaving: Final[ContextVar[Leaving | None]] = ContextVar("leaving", default=None)
keeping: Final[ContextVar[Callable[[Value], None] | None]] = ContextVar("keeping", default=None)  # of source_lines
linking: Final[ContextVar[bool]] = ContextVar("linking", default=False)  # whether detached values remember their origin
scoping: Final[ContextVar[Any]] = ContextVar("scoping", default=None)  # the Scope of new nodes
open_blocks: Final[list[Block]] = []  # those of all threads, no_grad() for one: without any, a new node asks nobody
_mine: Final[ContextVar[tuple[Block, ...]]] = ContextVar("mine", default=())  # those of this thread, the first first


def tell(value: Value, how: str) -> None:
    """Tell the trace and the derivatives under way that code reads a value's plain number."""
    if (trace := tracing.get()) is not None:
        trace.asked(value, how)
    listener = leaving.get()
    for each in opened(leaving) if listener is None else [listener]:  # a new thread has no variables set
        each.left(value, how)


class Block:
    """A variable that has another value within a `with`, where new nodes ask for it.

    Blocks may end in any order, as those of two generators do: what a variable is then, the blocks say that are left.
    """

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self.variable = variable
        self.value = value
        self.outside: Any = None  # what the variable is without any block

    def __enter__(self) -> None:
        try:
            mine = _left(None)
            around = [block for block in mine if block.variable is self.variable]
            self.outside = around[0].outside if around else self.variable.get()
            open_blocks.append(self)
            _mine.set((*mine, self))
            self.variable.set(self.value)
        except BaseException:  # an interrupt
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the block, if it has not ended yet."""
        if self in open_blocks:
            _left(self)
            open_blocks.remove(self)


def _left(ending: Block | None) -> tuple[Block, ...]:
    """The blocks of this thread, but for one that ends and those that ended in another: what they set is undone."""
    mine = _mine.get()
    left = tuple([block for block in mine if block is not ending and block in open_blocks])
    for ended in mine:
        if ended not in left:
            values = [block.value for block in left if block.variable is ended.variable]
            ended.variable.set(values[-1] if values else ended.outside)
    _mine.set(left)
    return left


def opened(variable: ContextVar[Any]) -> list[Any]:
    """The values that a variable has in the blocks which are open, in all threads."""
    return [each.value for each in open_blocks if each.variable is variable]


def within(values: dict[ContextVar[Any], Any], function: Callable[..., Any], *args: Any) -> Any:
    """What the function gives in blocks with these values. An interrupt in any line of this leaves no block open."""
    blocks = [Block(variable, value) for variable, value in values.items()]
    try:
        try:
            for entered in blocks:
                entered.__enter__()
            return function(*args)
        finally:
            for closing in reversed(blocks):
                closing.close()
    finally:  # Ctrl-C may have interrupted the `finally` above
        for closing in reversed(blocks):
            closing.close()


class _Region:
    """A block of the user's, such as `no_grad()`: a new one at each `with`, and at each call of what it decorates.

    It is no generator: natively Ctrl-C finds no line of Python's on the way in or out, and one that is dropped ends.
    """

    def __init__(self, make: Callable[[], Block]) -> None:
        self._make = make
        self._open: list[Block] = []

    def __enter__(self) -> None:
        block = self._make()
        self._open.append(block)
        block.__enter__()

    def __exit__(self, *_: object) -> None:
        self._open[-1].close()
        self._open.pop()

    def __call__(self, function: Any) -> Any:
        if isgeneratorfunction(function) or iscoroutinefunction(function) or isasyncgenfunction(function):
            raise TypeError(
                f"{short_repr(function)}: a block decorates functions that are done when they return, and this one "
                "only begins then; open the block inside of it, `with ...:`, around what is computed"
            )
        return ContextDecorator.__call__(self, function)  # type: ignore[arg-type]  # it asks for _recreate_cm

    def _recreate_cm(self) -> _Region:
        return _Region(self._make)

    def __del__(self) -> None:
        for block in getattr(self, "_open", ()):  # none, where Ctrl-C came before
            block.close()


def no_grad() -> _Region:
    """Record nothing in this block, or in a function decorated with it: results are leaves.

    >>> from micrograd_plus.engine import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.args
    ()
    """
    return _Region(lambda: Block(recording, False))


def enable_grad() -> _Region:
    """Record in this block, even inside `no_grad`: a gradient needs the graph of what it differentiates.

    >>> from micrograd_plus.engine import Value
    >>> x = Value(2.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.args == (x, x)
    True
    """
    return _Region(lambda: Block(recording, True))
