"""Record what a function of one example computes, as a flat list of operations.

The function is run on Values that stand for the numbers of an example, and nothing that it did not make is written to.
A second run with other numbers, led the same ways through Python's choices, must give the same list, and neither may
draw a random number: so nothing can be baked in unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from operator import index
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.recording import recording, tracing, watching, within
from micrograd_plus.engine.value import Value
from micrograd_plus.program.chance import Dice
from micrograd_plus.program.comparing import Lines, alike, parting, repeated, settle
from micrograd_plus.program.errors import CompileError as CompileError
from micrograd_plus.program.flat_graphs import Listing, Run, listed, run_of
from micrograd_plus.program.stand_ins import Recorder, Traced

Shape = tuple[int, ...]


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
    x, *y = map(prod, shapes)
    count, sizes = x + sum(y), (x, sum(y))
    first_numbers, others = made_up(count, 0.754877666) if example is None else example, made_up(count, 0.569840291)
    with Dice(function) as dice:
        first = listed(_run(function, shapes, first_numbers, outside=numbers), sizes)
        ways = [guard.outcome for guard in first.guards]
        dice.look_again()
        again = _run(function, shapes, others, ways)
        if line := dice.line(lambda: _run(function, shapes, others, ways)):
            raise CompileError(
                f"compile: a random number is drawn in {line}; a program would keep one draw for ever: draw the "
                "numbers first, and pass them in by x or y"
            )
        if repeated(first, again):
            return first
        if not _computes(first, again):
            raise CompileError(_difference(function, shapes, (first_numbers, others)))
        if [*map(id, first.before)] != [*map(id, again.before)]:
            raise CompileError(
                "compile: the function keeps a result from one call to the next, or has one made in another thread; "
                "compute all of it in each call, in one thread"
            )
    return first


def goes_on(function: Callable[..., Any], shapes: Sequence[Shape], listing: Listing) -> bool:
    """Whether the function still computes what a listing of it says, led the same ways."""
    numbers = made_up(sum(map(prod, shapes)), 0.569840291)
    again = _run(function, shapes, numbers, [guard.outcome for guard in listing.guards])
    return repeated(listing, again) or _computes(listing, again)


def _computes(listing: Listing, again: Run) -> bool:
    """Whether another run computes what a listing says, laid out itself; leaves that each makes anew are constants."""
    other = listed(again, listing.inputs)
    settle(listing, other)
    return alike(listing, other)


def made_up(count: int, step: float) -> list[float]:
    """Numbers between 0.05 and 0.95 that fill the interval evenly and repeat nothing (a Kronecker sequence)."""
    return [0.05 + 0.9 * ((0.5 + step * i) % 1.0) for i in range(1, count + 1)]


def _run(
    function: Callable[..., Any],
    shapes: Sequence[Shape],
    numbers: Sequence[float],
    ways: Sequence[bool] | None = None,
    lines: Lines | None = None,
    outside: Mapping[Value, float] | None = None,
) -> Run:
    leaves: list[Value] = [Traced(number) for number in numbers]
    supply = iter(leaves)
    arguments = [_nested(shape, supply) for shape in shapes]
    recorder = Recorder(leaves, ways, outside)

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
    return run_of(out, leaves, recorder)


def _nested(shape: Shape, leaves: Any) -> Any:
    return [_nested(shape[1:], leaves) for _ in range(shape[0])] if shape else next(leaves)


def _difference(function: Callable[..., Any], shapes: Sequence[Shape], examples: Sequence[Sequence[float]]) -> str:
    """Where the runs with these two examples part ways: they are run once more, with each line noted."""
    runs: list[Lines] = []
    ways: list[bool] | None = None
    for example in examples:
        lines = Lines()
        run = _run(function, shapes, example, ways, lines)
        ways = [guard.outcome for guard in run.guards]
        runs.append(lines)
    return parting(*runs)
