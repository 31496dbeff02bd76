"""Record what a function of one example computes, as a flat list of operations.

The function is run on Values that stand for the numbers of an example, and nothing that it did not make is written to.
A number that leaves the graph, by `float()` or `.data`, is refused; so are questions that a number answers otherwise
than the Value that stands for it, such as its hash; a choice that Python makes by `bool()` is noted as a guard. A
second run with other numbers, led the same ways, must give the same list, and neither may draw a random number: so
nothing can be baked in unnoticed.
"""

from __future__ import annotations

import reprlib
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, prod
from numbers import Number
from operator import index
from pathlib import Path
from reprlib import repr as short_repr
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.anomalies import users_line
from micrograd_plus.engine.hooks import hooks_on
from micrograd_plus.engine.operations import SUB, UNKNOWN, Arg, Op, operation, refused
from micrograd_plus.engine.recording import opened, recording, tracing, watching, within
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.chance import Dice

Shape = tuple[int, ...]
GUARDS = 1000  # so many choices in one run are a loop over something a graph can't hold


class CompileError(TypeError):
    """A function that cannot be compiled as it stands; the message says what to write instead.

    >>> import math
    >>> import micrograd_plus as mp
    >>> try:
    ...     mp.compile(lambda x: math.exp(x), x=())
    ... except mp.CompileError as error:
    ...     print(error)
    compile: float(x) in ... would bake one example's number into the program; compute with the Value itself, ...
    """


class Guard(NamedTuple):
    """A choice that was made while tracing: the value that decided it, how, and where."""

    value: Any  # a Value; its place in the listing once there is one
    outcome: bool
    line: str


@dataclass
class Listing:
    """A graph laid out flat. Every number in it has a place; arguments stand before results.

    Attributes:
        inputs: how many places, from 0 on, are numbers of x, and how many after them are numbers of y.
        leaves: the Values that are neither, parameters for instance, with their places.
        constants: the plain numbers by their places.
        ops: the operation at each place, None where a leaf or a constant stands.
        args: the places of its arguments.
        roots: the places of what the function returned.
        several: whether it returned a list.
        guards: the choices Python made on the way.
        before: the nodes under the roots that are older than the trace.
    """

    inputs: tuple[int, int]
    leaves: list[tuple[Value, int]] = field(default_factory=list)
    constants: dict[int, float] = field(default_factory=dict)
    ops: list[Op | None] = field(default_factory=list)
    args: list[tuple[int, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    several: bool = False
    guards: list[Guard] = field(default_factory=list)
    before: list[Value] = field(default_factory=list)

    @property
    def nodes(self) -> int:
        """How many scalar nodes the graph has, leaves included."""
        return len(self.ops) - len(self.constants)


def shape_of(name: str, given: int | Sequence[int]) -> Shape:
    """What `x=784`, `x=()` or `x=(28, 28)` says of an example's shape."""
    try:
        shape = tuple(index(n) for n in given) if isinstance(given, Sequence) else (index(given),)
    except TypeError:
        shape = (0,)
    if isinstance(given, (str, bool)) or any(n < 1 for n in shape):
        expected = "expected how many numbers an example has, such as 784, () for a single one, or a shape (28, 28)"
        raise ValueError(f"compile({name}={short_repr(given)}): {expected}")
    return shape


def trace(
    function: Callable[..., Any],
    shapes: Sequence[Shape],
    example: Sequence[float] | None = None,
    numbers: Mapping[Value, float] | None = None,
) -> Listing:
    """What the function computes of one example, whose numbers are given or made up.

    Args:
        function: of as many arguments as there are shapes.
        shapes: of x, and of y if there is one.
        example: all numbers of x and y, one after the other.
        numbers: what the Values outside of the function are to be where it makes a choice; by identity. None takes them
            as they are.

    Raises:
        CompileError: the function is no fixed graph of its arguments.
    """
    count = sum(map(prod, shapes))
    first_numbers, others = _made_up(count, 0.754877666) if example is None else example, _made_up(count, 0.569840291)
    with Dice(function) as dice:
        first = _run(function, shapes, first_numbers, outside=numbers)
        ways = [guard.outcome for guard in first.guards]
        dice.look_again()
        second = _run(function, shapes, others, ways)
        if line := dice.line(lambda: _run(function, shapes, others, ways)):
            raise CompileError(
                f"compile: a random number is drawn in {line}; a program would keep one draw for ever: draw the "
                "numbers first, and pass them in by x or y"
            )
        _settle(first, second)
        if not _alike(first, second):
            raise CompileError(_difference(function, shapes, (first_numbers, others)))
        if [*map(id, first.before)] != [*map(id, second.before)]:
            raise CompileError(
                "compile: the function keeps a result from one call to the next, or has one made in another thread; "
                "compute all of it in each call, in one thread"
            )
    return first


def _made_up(count: int, step: float) -> list[float]:
    """Numbers between 0.05 and 0.95 that fill the interval evenly and repeat nothing (a Kronecker sequence)."""
    return [0.05 + 0.9 * ((0.5 + step * i) % 1.0) for i in range(1, count + 1)]


_CALLED = {".data": "x.data", "float()": "float(x)", "hash()": "hash(x)", "repr()": "repr(x)"}
_WAYS_OUT = {
    ".data =": "make a new Value instead of writing to one",
    "no_grad()": "write mp.stop_gradient(x) where no gradient is to flow",
    "a gradient that is no graph": "ask for create_graph=True",
    "a hook": "a program would not call it",
    ".grad": "use mp.gradient(y, [x], create_graph=True)",
    "backward()": "use mp.gradient(y, [x], create_graph=True)",
    "hash()": "sets, dicts and caches ask for it: compare by mp.equal(x, 1.0), and choose by mp.where",
    "x == y of two Values": "compare by mp.equal(x, y)",
    "a program's answer": "call the function that it was compiled from",
}


class _Recorder:
    """Told by the engine when a number leaves a Value. Leads a second run the ways of the first."""

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
        """What a value is if the Values outside are what they are to be."""
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


class Traced(Value):
    """A Value that stands for an example's number while a function is traced, or that was computed from such.

    It has no number to give, in whatever thread it is asked, and says so. `==` to a number asks for the number, as it
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


def _trace_of(value: Value) -> _Recorder | None:
    """The trace, of whatever thread, that a Value belongs to; None once it is over."""
    own = tracing.get()
    if isinstance(own, _Recorder):
        return own
    traces = [trace for trace in opened(tracing) if isinstance(trace, _Recorder)]
    inputs = [value, *[arg for node in walk(value)[0] for arg in node.args if isinstance(arg, Value)]]
    its = [trace for trace in traces if any(arg in trace.inputs for arg in inputs)]
    return next(iter(its or traces), None)


def _demand_thread(value: Traced) -> None:
    """Refuse a question where nobody traces."""
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
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PASSED_BY):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(str(_PACKAGE))


def _run(
    function: Callable[..., Any],
    shapes: Sequence[Shape],
    numbers: Sequence[float],
    ways: Sequence[bool] | None = None,
    lines: _Lines | None = None,
    outside: Mapping[Value, float] | None = None,
) -> Listing:
    leaves: list[Value] = [Traced(number) for number in numbers]
    supply = iter(leaves)
    arguments = [_nested(shape, supply) for shape in shapes]
    recorder = _Recorder(leaves, ways, outside)

    def call() -> Any:
        try:
            return function(*arguments)
        except (TypeError, AttributeError) as error:
            if not isinstance(error, CompileError):
                error.add_note(
                    "While a function is compiled, its arguments are Values, or lists of them, not numbers: an index, "
                    "int() or math's functions cannot use them. Write mp.where, mp.equal and mp's functions instead; "
                    "give classes one-hot."
                )
            raise

    out = within({tracing: recorder, recording: True, watching: lines}, call)
    if recorder.refused is not None:
        raise recorder.refused
    sizes = [prod(shape) for shape in shapes]
    return _listed(out, leaves, (sizes[0], sum(sizes[1:])), recorder)


def _nested(shape: Shape, leaves: Any) -> Any:
    return [_nested(shape[1:], leaves) for _ in range(shape[0])] if shape else next(leaves)


def _listed(out: Any, inputs: list[Value], sizes: tuple[int, int], recorder: _Recorder) -> Listing:
    """The graph under what the function returned, and under its choices, laid out flat."""
    several = not isinstance(out, Value) and hasattr(out, "__len__") and not isinstance(out, str)
    outs = list(out) if several else [out]
    for value in outs:
        if not isinstance(value, Value):
            wanted = "expected a Value made from its arguments, or a list of them"
            hint = "; does it use float(), .data or math instead of mp's functions?" if hasattr(value, "real") else ""
            got = f"{short_repr(out)}, a {type(out).__name__}"
            raise CompileError(f"compile: the function returned {got}; {wanted}{hint}")
    if not outs:
        raise CompileError(f"compile: the function returned {out!r}; expected a Value, or a list with at least one")
    listing = Listing(sizes, several=several)
    guards = recorder.guards
    places = {id(value): place for place, value in enumerate(inputs)}
    ops, args, constants, leaves = listing.ops, listing.args, listing.constants, listing.leaves
    ops.extend([None] * len(inputs))
    args.extend([()] * len(inputs))

    def placed(arg: Value | float | None) -> int:
        """The place of a leaf or a constant that has none yet."""
        place = len(ops)
        ops.append(None)
        args.append(())
        if not isinstance(arg, Value):
            constants[place] = 0.0 if arg is None else arg
        else:
            places[id(arg)] = place
            leaves.append((arg, place))
        return place

    find = places.get  # no plain number has the identity of a Value
    order = walk(*outs, *[guard.value for guard in guards])[0]
    for node in order:
        op, a, b = node.op, node._a, node._b
        if op is None or op.forward is None:
            raise refused(node, UNKNOWN)
        i = find(id(a))
        given: tuple[int, ...] = (placed(a) if i is None else i,)
        if isinstance(b, tuple):
            for arg in b:
                i = find(id(arg))
                given = (*given, placed(arg) if i is None else i)
        elif b is not None:
            i = find(id(b))
            given = (given[0], placed(b) if i is None else i)
        places[id(node)] = len(ops)
        ops.append(op)
        args.append(given)
    listing.roots = [placed(value) if id(value) not in places else places[id(value)] for value in outs]
    listing.guards = [
        Guard(placed(value) if id(value) not in places else places[id(value)], outcome, line)
        for value, outcome, line in guards
    ]
    listing.before = [node for node in order if type(node) is Value]  # the trace's own are Traced
    if any(isinstance(leaf, Traced) for leaf, _ in leaves):
        raise CompileError("compile: the function keeps x or y from one call to the next; compute with those it gets")
    for hooked in hooks_on(lambda: {*[id(leaf) for leaf, _ in leaves], *map(id, listing.before)}):
        raise CompileError(f"compile: {hooked!r} has a hook, which a program would not call; remove it, or run eagerly")
    return listing


def _settle(one: Listing, other: Listing) -> None:
    """A leaf that each run makes anew is a constant, as `total = Value(0)` is."""
    both = {id(leaf) for leaf, _ in one.leaves}.intersection([id(leaf) for leaf, _ in other.leaves])
    for listing in (one, other):
        if len(listing.leaves) > len(both):
            listing.constants |= {place: leaf._data for leaf, place in listing.leaves if id(leaf) not in both}
            listing.leaves = [(leaf, place) for leaf, place in listing.leaves if id(leaf) in both]


def _alike(one: Listing, other: Listing) -> bool:
    return (
        one.ops == other.ops
        and one.args == other.args
        and one.roots == other.roots
        and len(one.leaves) == len(other.leaves)
        and all(a is b and place == at for (a, place), (b, at) in zip(one.leaves, other.leaves))
        and one.constants.keys() == other.constants.keys()
        and all(_same(number, other.constants[place]) for place, number in one.constants.items())
        and [guard.value for guard in one.guards] == [guard.value for guard in other.guards]
    )


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


class _Lines:
    """A watch that notes where each node was made."""

    def __init__(self) -> None:
        self.made_at: list[tuple[str, tuple[float | None, ...], str]] = []

    def made(self, node: Value, op: Op, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - an engine's call
        constants = tuple(
            [
                arg if not isinstance(arg, Value) else None if arg.op or isinstance(arg, Traced) else arg._data
                for arg in args
            ]
        )
        self.made_at.append((op.name, constants, users_line()))

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """Nothing is passed back while tracing."""


def _difference(function: Callable[..., Any], shapes: Sequence[Shape], examples: Sequence[Sequence[float]]) -> str:
    """Where two runs of a function with different numbers part ways."""
    runs: list[_Lines] = []
    ways: list[bool] | None = None
    for example in examples:
        lines = _Lines()
        listing = _run(function, shapes, example, ways, lines)
        ways = [guard.outcome for guard in listing.guards]
        runs.append(lines)
    told = "compile: two runs of the function, with different numbers, gave different graphs"
    way_out = (
        "a number that depends on x, y or a parameter was baked in, or one that changes from run to run, a random one "
        "say; what is to change must come in by x or y"
    )
    for one, other in zip(runs[0].made_at, runs[1].made_at):
        if one != other:
            was = f"{one[0]} with {_shown(one[1])}, then {other[0]} with {_shown(other[1])}"
            return f"{told}: {was}, in {one[2]}; {way_out}"
    return f"{told}, of {len(runs[0].made_at)} and {len(runs[1].made_at)} operations; {way_out}"


def _shown(constants: tuple[float | None, ...]) -> str:
    plain = [f"{number:g}" if isfinite(number) else str(number) for number in constants if number is not None]
    return f"the number {', '.join(plain)}" if plain else "no plain number"
