"""Values that stand for an example's numbers while a function is traced: what may be asked of them, and what may not.

A number that leaves the graph, by `float()` or `.data`, is refused; so are questions that a number answers otherwise
than the Value that stands for it, such as its hash. A choice that Python makes by `bool()` is noted as a guard.
"""

from __future__ import annotations

import reprlib
import sys
import weakref
from collections.abc import Iterable, Mapping, Sequence
from numbers import Number
from pathlib import Path
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.anomalies import users_line
from micrograd_plus.engine.noticing import uncollected
from micrograd_plus.engine.operations import SUB, Arg, operation
from micrograd_plus.engine.recording import opened, tracing
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.errors import CompileError

GUARDS = 1000  # so many choices in one run are a loop over something a graph can't hold


class Guard(NamedTuple):
    """A choice that was made while tracing: the value that decided it, how, and where."""

    value: Any  # a Value; its place in the listing once there is one
    outcome: bool
    line: str


_CALLED = {".data": "x.data", "float()": "float(x)", "hash()": "hash(x)", "repr()": "repr(x)"}
_WAYS_OUT = {
    ".data =": "make a new Value instead of writing to one",
    "no_grad()": "write mp.stop_gradient(x) where no gradient is to flow",
    "a gradient that is no graph": "ask for create_graph=True",
    "a hook": "a program would not call it",
    ".grad": "use mp.gradient(y, [x], create_graph=True)",
    "backward()": "use mp.gradient(y, [x], create_graph=True)",
    "x[i]": "write mp.lookup(x, i)",
    "int(x)": "as an index, write mp.lookup(table, x)",
    "hash()": "sets, dicts and caches ask for it: compare by mp.equal(x, 1.0), and choose by mp.where",
    "x == y of two Values": "compare by mp.equal(x, y)",
    "a program's answer": "call the function that it was compiled from",
}


class Recorder:
    """The trace of one run: it refuses to give numbers, notes each choice, and can make a run choose as another did."""

    def __init__(
        self, inputs: Iterable[Value], ways: Sequence[bool] | None, outside: Mapping[Value, float] | None
    ) -> None:
        self.kind = Traced
        self.inputs = Identities.fromkeys(inputs)
        self.ways = ways
        self.outside = outside
        self.thread = get_ident()
        self.refused: CompileError | None = None  # remembered, in case the function catches it
        self.guards: list[Guard] = []
        self._numbers: dict[int, float] = {}

    def asked(self, value: Value, how: str) -> None:  # noqa: ARG002 - an engine's call
        if how == "repr()" and _by_the_package():  # for an error
            return
        way_out = _WAYS_OUT.get(how, "compute with the Value itself, by mp's functions")
        self.refuse(
            f"compile: {_CALLED.get(how, how)} in {users_line()} would bake one example's number into the program; "
            f"{way_out}"
        )

    def refuse(self, why: str) -> NoReturn:
        error = CompileError(why)
        self.refused = self.refused or error
        raise error

    def decided(self, value: Value) -> bool:
        line = users_line()
        if get_ident() != self.thread:
            self.elsewhere((value,))
        if len(self.guards) == GUARDS:
            self.refuse(
                f"compile: {GUARDS} choices in {line} and others before; a program has no loops: compute "
                "a fixed number of steps, and choose between results by mp.where(condition, a, b)"
            )
        led = self.ways is not None and len(self.guards) < len(self.ways)
        outcome = self.ways[len(self.guards)] if led and self.ways else self._number(value) != 0.0
        self.guards.append(Guard(value, outcome, line))
        return outcome

    def elsewhere(self, args: tuple[Arg, ...]) -> None:
        for arg in args:
            if isinstance(arg, Traced) and (trace := _trace_of(arg)) is not None:
                trace.refuse(
                    f"compile: the function goes on in another thread, in {users_line()}, where no choice can be "
                    "followed; compute in the thread that calls it"
                )

    def _number(self, value: Value) -> float:
        """A value's number, computed with the numbers in `outside` for the Values that the function did not make."""
        if self.outside is None:
            return value._data
        known = self._numbers

        def number(arg: Arg) -> float:
            if not isinstance(arg, Value):
                return arg
            if arg.op is not None:
                return known[id(arg)]
            return self.outside.get(arg, arg._data) if self.outside else arg._data

        for node in walk(value, skip=lambda node: id(node) in known)[0]:
            forward: Any = node.op and node.op.forward
            known[id(node)] = forward(*map(number, node.args)) if forward else node._data
        return number(value)


_EQUAL = operation("equal")


@uncollected
class Traced(Value):
    """A Value that stands for an example's number while a function is traced, or that was computed from such.

    It refuses to give its number, in whatever thread it is asked. `==` to a number asks for the number, as it
    does where a number stands; whether it equals another Value, and what its hash is, would be otherwise there.
    """

    __slots__ = ()

    @property
    def data(self) -> float:
        return _refuse(self, ".data")

    @data.setter
    def data(self, data: Any) -> None:  # noqa: ARG002
        _refuse(self, ".data =")

    @property
    def grad(self) -> float:
        return _refuse(self, ".grad")

    @grad.setter
    def grad(self, grad: Any) -> None:  # noqa: ARG002
        _refuse(self, ".grad")

    def backward(self) -> None:
        _refuse(self, "backward()")

    def register_hook(self, hook: Any) -> Any:  # noqa: ARG002
        _refuse(self, "a hook")

    def detach(self) -> Value:
        return apply(operation("stop_gradient"), self)

    def __float__(self) -> float:
        return _refuse(self, "float()")

    def __int__(self) -> int:
        return _refuse(self, "int(x)")

    __trunc__ = __floor__ = __ceil__ = __int__

    def __index__(self) -> int:
        return _refuse(self, "x[i]")

    def __round__(self, digits: Any = None) -> Any:
        return _refuse(self, "round(x)")

    def __format__(self, spec: str) -> str:
        return _refuse(self, "a format")

    def __repr__(self) -> str:
        if _by_the_package() or (_trace_of(self) is None and tracing.get() is None):  # for an error, or for a debugger
            return "Value(while it is traced)"
        return _refuse(self, "repr()")

    def __hash__(self) -> int:
        return object.__hash__(self) if _by_the_package() else _refuse(self, "hash()")

    def __copy__(self) -> NoReturn:
        _refuse(self, "a copy")

    def __deepcopy__(self, memo: Any) -> NoReturn:
        _refuse(self, "a copy")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        _refuse(self, "a pickle")

    def __bool__(self) -> bool:
        _demand_thread(self)
        return super().__bool__()

    def __lt__(self, other: Any) -> Any:
        _demand_thread(self)
        return super().__lt__(other)

    def __le__(self, other: Any) -> Any:
        _demand_thread(self)
        return super().__le__(other)

    def __gt__(self, other: Any) -> Any:
        _demand_thread(self)
        return super().__gt__(other)

    def __ge__(self, other: Any) -> Any:
        _demand_thread(self)
        return super().__ge__(other)

    def __eq__(self, other: object) -> Any:
        _demand_thread(self)
        if isinstance(other, Number):
            if not _of_inputs(self):  # where numbers stand for x and y, this is a Value
                _refuse(self, "x == 1.0 of a result")
            return apply(_EQUAL, self, float(other))  # type: ignore[arg-type]
        if isinstance(other, Value):
            _refuse(self, "x == y of two Values")
        return NotImplemented

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else apply(SUB, 1.0, equal)


def _refuse(value: Value, how: str) -> NoReturn:
    """The error for a question to a Value that stands for a number, remembered by the trace it belongs to."""
    if (trace := _trace_of(value) or tracing.get()) is not None:
        trace.asked(value, how)
    raise CompileError(
        f"compile: {_CALLED.get(how, how)} in {users_line()} of a Value that a traced function has left behind; it "
        "stands for no number any more"
    )


def _trace_of(value: Value) -> Recorder | None:
    """The trace, of whatever thread, that a Value belongs to; None once it is over."""
    own = tracing.get()
    if isinstance(own, Recorder):
        return own
    traces = [trace for trace in opened(tracing) if isinstance(trace, Recorder)]
    inputs = [value, *[arg for node in walk(value)[0] for arg in node.args if isinstance(arg, Value)]]
    its = [trace for trace in traces if any(arg in trace.inputs for arg in inputs)]
    return next(iter(its or traces), None)


def _demand_thread(value: Traced) -> None:
    """Refuse a question that comes from another thread, in which nothing is traced."""
    if tracing.get() is None and (trace := _trace_of(value)) is not None:
        trace.elsewhere((value,))


def _of_inputs(value: Value) -> bool:
    """Whether it is one of the inputs, or computed from them and plain numbers alone."""
    return isinstance(value, Traced) and all(
        isinstance(arg, Traced) for node in walk(value)[0] for arg in node.args if isinstance(arg, Value)
    )


_PACKAGE = Path(__file__).parent.parent
_PASSED_BY = (__file__, str(_PACKAGE / "engine"), reprlib.__file__, weakref.__file__)


def _by_the_package() -> bool:
    """Whether it is this package's own code, not the user's, that asks."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PASSED_BY):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(str(_PACKAGE))
