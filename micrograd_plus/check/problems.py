"""What is checked: a function that can be followed at any point, its arguments' names, and the point."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from reprlib import repr as short_repr
from typing import Any, NamedTuple

from micrograd_plus.calculus import gradient as engine_gradient
from micrograd_plus.calculus.leaks import listener
from micrograd_plus.calculus.nesting import leaves, matched, replaced
from micrograd_plus.check.complex_steps import complex_step, complex_step_of_floats
from micrograd_plus.check.rounding import EPSILON
from micrograd_plus.engine.recording import Block, leaving
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

Report = Callable[[str], None]  # is told how a number leaves the graph, such as by "float()"
Place = tuple[str, Value | None]  # a number that can be moved: its name, and its Value where it is a parameter
LEAKS = frozenset([".data", "float()", ".grad", "a gradient that is no graph", "no_grad()", "a copy", "a pickle"])


class Trace(NamedTuple):
    """A function's results at one point: numbers, or Values with the variables they were made from.

    Somebody else's engine derives them by `derive`, which takes the order; its numbers are rounded to `unit`.
    """

    results: Sequence[Any]
    variables: Sequence[Value] = ()
    derive: Callable[[int], Sequence[float]] | None = None
    unit: float = EPSILON

    def derivatives(self, order: int) -> Trace:
        """The derivatives of that order of the results by the variables, as a graph; of order 0 the results."""
        if self.derive is not None:
            return self._replace(results=self.derive(order)) if order else self
        results = self.results
        for _ in range(order):
            rows = [engine_gradient(y, self.variables, create_graph=True) for y in results]
            results = [slope for row in rows for slope in row]
        return Trace(results, self.variables)


def unheard(_: str) -> None:
    """A report that is dropped: how numbers leave the graph matters only once a derivative is wrong."""


@dataclass
class Problem:
    """A function to be checked at a point.

    Attributes:
        name: what messages call it.
        arguments: the names of the numbers that it is differentiated by.
        point: these numbers.
        trace: gives the results at a point; a second argument is told of the numbers that leave the graph.
        complex_step: gives the first derivatives of some results by their variables; None where it cannot.
        given: gives the derivatives of an order, where they don't come from the engine: those of the first result by
            each argument, then of the next.
        restore: puts parameters back to where they were.
        rtol: how far a derivative may be off, relative to its size.
        atol: how far absolutely.
    """

    name: str
    arguments: list[str]
    point: list[float]
    trace: Callable[..., Trace]
    complex_step: Callable[[Sequence[Any], Sequence[Value]], list[list[float]] | None]
    given: Callable[[int], list[float]] | None = None
    restore: Callable[[], None] = lambda: None
    rtol: float = 0.0
    atol: float = 0.0


def problem_of_values(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> Problem:
    """A function of Values, or a module together with its parameters."""
    start, places = _numbers(f, name, args)
    taken = len(places)
    if isinstance(f, Module):
        places += _places(f, "")
        start += [value.data for value in f.parameters()]
    _refuse_no_number(name, args, places)
    traced = False

    def trace(point: list[float], report: Report = unheard) -> Trace:
        nonlocal traced
        variables = _variables(point, places)
        free = iter([variable for variable, (_, kept) in zip(variables[:taken], places) if kept is None])
        with Block(leaving, listener(variables, frozenset() if report is unheard else LEAKS, report)):
            out = f(*replaced(args, lambda _: next(free))[0])
        results = leaves(out, f"check_grads({name}), what it returned")
        # later, at another point, a function with an if of its own may well return plain numbers
        if not traced and not any(isinstance(y, Value) for y in results):
            wanted = "expected a Value made from its arguments; does it use float(), .data, or math instead of mp's?"
            raise TypeError(f"check_grads({name}): it returned {short_repr(out)}; {wanted}")
        traced = True
        return Trace([y if isinstance(y, Value) else Value(y) for y in results], variables)

    def restore() -> None:
        for number, (_, kept) in zip(start, places):
            if kept is not None:
                kept.data = number

    names = [place for place, _ in places]
    return Problem(name, names, start, trace, complex_step, restore=restore)


def problem_with_gradient(
    f: Callable[..., Any], name: str, args: tuple[Any, ...], gradient: Callable[..., Any]
) -> Problem:
    """A function of floats with a gradient of its own."""
    point, places = _numbers(f, name, args)
    _refuse_no_number(name, args, places)
    arguments = [place for place, _ in places]

    def numbers(at: Sequence[Any]) -> Any:
        free = iter(at)
        return f(*replaced(args, lambda _: next(free))[0])

    def trace(at: list[float], _: Report = unheard) -> Trace:
        return Trace([float(y) for y in leaves(numbers(at), f"check_grads({name}), what it returned")])

    if not callable(gradient):
        raise TypeError(
            f"check_grads(gradient={short_repr(gradient)}): expected a function, got {type(gradient).__name__}"
        )
    made = gradient(*args)
    results = len(trace(point).results)
    tree = args[0] if len(args) == 1 and not isinstance(made, tuple) else args
    where = f"check_grads({name}), what its gradient returned"
    partials = [float(x) for x in _in_places([tree] * results, made if results > 1 else [made], where)]
    if len(partials) != results * len(point):
        wanted = f"expected {results * len(point)}, one for each of {', '.join(arguments[:6])}"
        raise ValueError(f"check_grads({name}): its gradient returned {short_repr(made)}; {wanted}")
    return Problem(
        name, arguments, point, trace, lambda *_: complex_step_of_floats(numbers, point), given=lambda _: partials
    )


def _in_places(tree: Any, made: Any, where: str) -> list[Any]:
    """The numbers that a gradient gave, in the order of those in the arguments: a dict goes by its keys."""
    if isinstance(tree, Mapping) and isinstance(made, Mapping):
        return matched(tree, made, where)
    if isinstance(tree, (list, tuple)) and isinstance(made, (list, tuple)) and len(tree) == len(made):
        return [number for part, slopes in zip(tree, made) for number in _in_places(part, slopes, where)]
    return leaves(made, where)


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What f calls its arguments."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        parameters = []
    single = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in parameters if each.kind in single][:count]
    rest = next((each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL), "args")
    return names + [f"{rest}[{i}]" for i in range(count - len(names))]


def _numbers(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> tuple[list[float], list[Place]]:
    """The numbers in f's arguments, and the place of each."""
    start = [float(x) for x in leaves(args, f"check_grads({name}), args")]
    trees = zip(argument_names(f, len(args)), args)
    return start, [place for argument, tree in trees for place in _places(tree, argument)]


def _refuse_no_number(name: str, args: tuple[Any, ...], places: list[Place]) -> None:
    if not places:
        raise ValueError(
            f"check_grads({name}, {short_repr(args)}): no number to differentiate by; expected one or more"
        )


def _variables(point: Sequence[float], places: Sequence[Place]) -> list[Value]:
    """A Value for each number of a point; a parameter stays the same Value and takes its new number."""
    variables = []
    for number, (_, kept) in zip(point, places):
        if kept is not None:
            kept.data = number
        variables.append(Value(number) if kept is None else kept)
    return variables


def named_parts(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What the lists, tuples and dicts of a nest hold, inside and out, each with its name."""
    if isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from named_parts(part, f"{name}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, part in enumerate(tree):
            yield from named_parts(part, f"{name}[{i}]")
    else:
        yield name, tree


def names_within(name: str, shape: Sequence[int]) -> list[str]:
    """The names of an array's numbers: x[0, 1] and so on; x alone for a single one."""
    return [f"{name}[{', '.join(map(str, place))}]" if place else name for place in product(*map(range, shape))]


def _places(tree: Any, name: str) -> Iterator[Place]:
    """The place of each number in a nest of this name."""
    for called, part in named_parts(tree, name):
        if isinstance(part, Module):
            for path, value in part.named_parameters():
                yield f"{called}.{path}" if called else path, value
        else:
            for number in names_within(called, getattr(part, "shape", ())):
                yield number, None
