"""Record what a function of one example computes, as a flat list of operations.

The function is run on Values that stand for the numbers of an example. A number that leaves the graph, by `float()` or
`.data`, is refused; a choice that Python makes by `bool()` is noted as a guard. A second run with other numbers, led
the same ways, must give the same list: so nothing can be baked in unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite, prod
from operator import index
from reprlib import repr as short_repr
from typing import Any, NamedTuple

from micrograd_plus.anomalies import users_line
from micrograd_plus.engine import UNKNOWN, Op, Value, block, enable_grad, has_hook, refused, tracing, walk, watching
from micrograd_plus.program.ordering import reached

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
        leaves: the Values that are neither, parameters for instance, by their places.
        constants: the plain numbers by their places.
        ops: the operation at each place, None where a leaf or a constant stands.
        args: the places of its arguments.
        roots: the places of what the function returned.
        several: whether it returned a list.
        guards: the choices Python made on the way.
    """

    inputs: tuple[int, int]
    leaves: dict[Value, int] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    ops: list[Op | None] = field(default_factory=list)
    args: list[tuple[int, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    several: bool = False
    guards: list[Guard] = field(default_factory=list)

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


def trace(function: Callable[..., Any], shapes: Sequence[Shape], example: Sequence[float] | None = None) -> Listing:
    """What the function computes of one example, whose numbers are given or made up.

    Args:
        function: of as many arguments as there are shapes.
        shapes: of x, and of y if there is one.
        example: all numbers of x and y, one after the other.

    Raises:
        CompileError: the function is no fixed graph of its arguments.
    """
    count = sum(map(prod, shapes))
    numbers = _made_up(count, 0.754877666) if example is None else list(example)
    first = _run(function, shapes, numbers)
    others = _made_up(count, 0.569840291)
    held = list(dict.fromkeys([*first.leaves, *reached(function)]))
    with written(held, _made_up(len(held), 0.449367302)):  # a parameter's number may slip in too
        second = _run(function, shapes, others, [guard.outcome for guard in first.guards])
    _settle(first, second)
    if not _alike(first, second):
        raise CompileError(_difference(function, shapes, (numbers, others), held))
    return first


@contextmanager
def written(values: Sequence[Value], numbers: Iterable[float]) -> Iterator[None]:
    """The Values with these numbers, while it lasts."""
    before = [value._data for value in values]
    for value, number in zip(values, numbers):
        value._data = number
    try:
        yield
    finally:
        for value, number in zip(values, before):
            value._data = number


def _made_up(count: int, step: float) -> list[float]:
    """Numbers between 0.05 and 0.95 that fill the interval evenly and repeat nothing (a Kronecker sequence)."""
    return [0.05 + 0.9 * ((0.5 + step * i) % 1.0) for i in range(1, count + 1)]


_WAYS_OUT = {
    ".data =": "make a new Value instead of writing to one",
    "no_grad()": "write mp.stop_gradient(x) where no gradient is to flow",
    "a gradient that is no graph": "ask for create_graph=True",
    "a hook": "a program would not call it",
    ".grad": "use mp.gradient(y, [x], create_graph=True)",
}


class _Recorder:
    """Told by the engine when a number leaves a Value. Leads a second run the ways of the first."""

    def __init__(self, ways: Sequence[bool] | None = None) -> None:
        self.ways = ways
        self.refused: CompileError | None = None  # remembered, in case the function catches it
        self.guards: list[Guard] = []

    def asked(self, value: Value, how: str) -> None:  # noqa: ARG002 - an engine's call
        what = {".data": "x.data", "float()": "float(x)"}.get(how, how)
        way_out = _WAYS_OUT.get(how, "compute with the Value itself, by mp's functions")
        self.refused = CompileError(
            f"compile: {what} in {users_line()} would bake one example's number into the program; {way_out}"
        )
        raise self.refused

    def decided(self, value: Value) -> bool:
        line = users_line()
        if len(self.guards) == GUARDS:
            self.refused = CompileError(
                f"compile: {GUARDS} choices in {line} and others before; a program has no loops: compute "
                "a fixed number of steps, and choose between results by mp.where(condition, a, b)"
            )
            raise self.refused
        led = self.ways is not None and len(self.guards) < len(self.ways)
        outcome = self.ways[len(self.guards)] if led and self.ways else value._data != 0.0
        self.guards.append(Guard(value, outcome, line))
        return outcome


def _run(
    function: Callable[..., Any],
    shapes: Sequence[Shape],
    numbers: Sequence[float],
    ways: Sequence[bool] | None = None,
    lines: _Lines | None = None,
) -> Listing:
    leaves = [Value(number) for number in numbers]
    if lines is not None:
        lines.known.update(leaves)
    supply = iter(leaves)
    arguments = [_nested(shape, supply) for shape in shapes]
    recorder = _Recorder(ways)
    with block(tracing, recorder), enable_grad():
        try:
            out = function(*arguments)
        except (TypeError, AttributeError) as error:
            if not isinstance(error, CompileError):
                error.add_note(
                    "While a function is compiled, its arguments are Values, or lists of them, not numbers: an index, "
                    "int() or math's functions cannot use them. Write mp.where, mp.equal and mp's functions instead; "
                    "give classes one-hot."
                )
            raise
    if recorder.refused is not None:
        raise recorder.refused
    sizes = [prod(shape) for shape in shapes]
    return _listed(out, leaves, (sizes[0], sum(sizes[1:])), recorder.guards)


def _nested(shape: Shape, leaves: Any) -> Any:
    return [_nested(shape[1:], leaves) for _ in range(shape[0])] if shape else next(leaves)


def _listed(out: Any, inputs: list[Value], sizes: tuple[int, int], guards: list[Guard]) -> Listing:
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
    places = {value: place for place, value in enumerate(inputs)}
    ops, args, constants = listing.ops, listing.args, listing.constants
    ops.extend([None] * len(inputs))
    args.extend([()] * len(inputs))

    def placed(arg: Value | float | None) -> int:
        """The place of a leaf or a constant that has none yet."""
        ops.append(None)
        args.append(())
        if isinstance(arg, Value):
            places[arg] = listing.leaves[arg] = len(ops) - 1
        else:
            constants[len(ops) - 1] = 0.0 if arg is None else arg
        return len(ops) - 1

    find = places.get
    for node in walk(*outs, *[guard.value for guard in guards])[0]:
        op, a, b = node.op, node._a, node._b
        if op is None or op.forward is None:
            raise refused(node, UNKNOWN)
        i = find(a) if isinstance(a, Value) else None
        given: tuple[int, ...] = (placed(a) if i is None else i,)
        if isinstance(b, tuple):
            for arg in b:
                i = find(arg) if isinstance(arg, Value) else None
                given = (*given, placed(arg) if i is None else i)
        elif b is not None:
            i = find(b) if isinstance(b, Value) else None
            given = (given[0], placed(b) if i is None else i)
        places[node] = len(ops)
        ops.append(op)
        args.append(given)
    listing.roots = [placed(value) if value not in places else places[value] for value in outs]
    listing.guards = [
        Guard(placed(value) if value not in places else places[value], outcome, line) for value, outcome, line in guards
    ]
    for leaf in listing.leaves:
        if has_hook(leaf):
            raise CompileError(
                f"compile: {leaf!r} has a hook, which a program would not call; remove it, or run eagerly"
            )
    return listing


def _settle(one: Listing, other: Listing) -> None:
    """A leaf that each run makes anew is a constant, as `total = Value(0)` is."""
    for listing, against in ((one, other), (other, one)):
        fresh = [(leaf, place) for leaf, place in listing.leaves.items() if leaf not in against.leaves]
        for leaf, place in fresh:
            listing.constants[place] = leaf._data
    for leaf in [leaf for leaf in one.leaves if leaf not in other.leaves]:
        del one.leaves[leaf]


def _alike(one: Listing, other: Listing) -> bool:
    return (
        one.ops == other.ops
        and one.args == other.args
        and one.roots == other.roots
        and all(other.leaves.get(leaf) == place for leaf, place in one.leaves.items())
        and one.constants.keys() == other.constants.keys()
        and all(_same(number, other.constants[place]) for place, number in one.constants.items())
        and [guard.value for guard in one.guards] == [guard.value for guard in other.guards]
    )


def _same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


class _Lines:
    """A watch that notes where each node was made."""

    def __init__(self, known: Iterable[Value]) -> None:
        self.known = set(known)  # inputs and parameters; another leaf is one that the function makes
        self.made_at: list[tuple[str, tuple[float | None, ...], str]] = []

    def made(self, node: Value, op: Op, args: tuple[Any, ...]) -> None:  # noqa: ARG002 - an engine's call
        constants = tuple(
            [arg if not isinstance(arg, Value) else None if arg.op or arg in self.known else arg._data for arg in args]
        )
        self.made_at.append((op.name, constants, users_line()))

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """Nothing is passed back while tracing."""


def _difference(
    function: Callable[..., Any],
    shapes: Sequence[Shape],
    examples: Sequence[Sequence[float]],
    leaves: Sequence[Value],
) -> str:
    """Where two runs of a function with different numbers part ways."""
    runs: list[_Lines] = []
    ways: list[bool] | None = None
    for example, step in zip(examples, (0.754877666, 0.449367302)):
        lines = _Lines(leaves)
        with block(watching, lines), written(leaves, _made_up(len(leaves), step)):
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
