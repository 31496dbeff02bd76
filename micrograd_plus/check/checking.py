"""Check a gradient: every derivative against differences, which know their own error and see kinks."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import inf, isfinite, nan, ulp
from random import Random
from reprlib import repr as short_repr
from textwrap import fill
from typing import Any, Literal, NamedTuple

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.identities import Identities
from micrograd_plus._support.letters import printable
from micrograd_plus.calculus import gradient as engine_gradient
from micrograd_plus.calculus.leaks import listener
from micrograd_plus.calculus.nesting import leaves, replaced
from micrograd_plus.check.differences import COARSE, SAFETY, Branch, Slope, slopes
from micrograd_plus.engine.anomalies import users_line
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.recording import block, enable_grad, leaving, linking
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import walk
from micrograd_plus.nn import Module
from micrograd_plus.ops.rows import FLAT, REAL

Status = Literal["wrong", "kink", "undefined", "stopped", "unclear"]
Report = Callable[[str], None]  # told how a number leaves the graph: by "float()", say
EPSILON = sys.float_info.epsilon
SHOWN = 3  # findings of each kind in a message
STOP = TABLE["stop_gradient"]
LEAKS = frozenset([".data", "float()", ".grad", "a gradient that is no graph", "no_grad()"])
SHORTER = (1.0, 0.0625)  # two complex steps: what they tell must be the same
POLES = {"div", "reciprocal", "tan"}  # rows whose kinks are poles: analytic everywhere else
MANY = 50  # results whose rounding errors are estimated together
SEARCHED = 1000  # nodes that are searched for a wrong operation
HINT = "; does a partial use .data, float(), math or stop_gradient?"
TITLES: dict[Status, str] = {
    "wrong": "wrong",
    "kink": "at a kink or too near one to tell",
    "undefined": "undefined: no finite value or slope, or the end of a domain",
    "stopped": "with stop_gradient on the way, which means to differ",
    "unclear": "not checkable: rounding errors hide the slope",
}

# ------------------------------------------------------------------------------------------------------------- reports


@dataclass(frozen=True)
class Finding:
    """One derivative that was not simply confirmed: wrong, or with a reason not to be judged.

    Attributes:
        status: "wrong", "kink", "undefined", "stopped" or "unclear".
        function: its name.
        derivative: such as "∂f/∂x" or "∂²f/∂x∂y[0]".
        argument: the name, with its index or path, of the argument that was moved.
        point: a pair for each argument, its name and its number.
        order: of the derivative.
        got: from the engine (or the gradient that was given).
        expected: what differences say; nan where they say nothing.
        tolerance: how far `got` may be off.
        left: the slope on the left of the point, where it has one on each side; else nan.
        right: that on the right.
        operation: the wrong operation, if one was found, or what else is known.

    >>> (kink,) = check_grads(abs, (0.0,), order=1).findings
    >>> kink.status, kink.derivative, kink.left, kink.right
    ('kink', '∂abs/∂x', -1.0, 1.0)
    """

    status: Status
    function: str
    derivative: str
    argument: str
    point: tuple[tuple[str, float], ...]
    order: int
    got: float
    expected: float = nan
    tolerance: float = nan
    left: float = nan
    right: float = nan
    operation: str = ""

    def __str__(self) -> str:
        others = [pair for pair in self.point if pair[0] != self.argument]
        shown = [(self.argument, dict(self.point)[self.argument]), *others][:6] if self.argument else others[:6]
        place = ", ".join([f"{name} = {number!r}" for name, number in shown])
        more = f" and {len(self.point) - len(shown)} more" if len(self.point) > len(shown) else ""
        lines = [f"{self.derivative} (order {self.order}) at {place}{more}"]
        if self.status == "wrong" and not math.isnan(self.expected):
            lines.append(f"    got {self.got:.12g}, expected {self.expected:.12g}, tolerance {self.tolerance:.1g}")
        elif self.status == "stopped":
            lines.append(f"    got {self.got:.6g}, differences say {self.expected:.6g}")
        elif not (math.isnan(self.left) or math.isnan(self.right)):
            lines.append(f"    got {self.got:.6g}; slope {self.left:.6g} to the left, {self.right:.6g} to the right")
        elif self.status != "wrong":
            lines.append(f"    got {self.got:.6g}")
        if self.operation:
            lines.append(f"    {self.operation}")
        return printable("\n".join([fill(line, 78, subsequent_indent="      ") for line in lines]))


@dataclass(frozen=True)
class GradientReport:
    """What `check_grads` has found: how many derivatives agree, and a finding for each other one.

    Attributes:
        function: the name of what was checked.
        order: the highest order of its derivatives.
        agreed: how many derivatives agree with differences.
        findings: a `Finding` for each of the others.

    >>> import micrograd_plus as mp
    >>> report = check_grads(mp.relu, (0.0,), order=1)
    >>> report.agreed, len(report.of("kink")), report.failures
    (0, 1, [])
    """

    function: str
    order: int
    agreed: int
    findings: tuple[Finding, ...] = ()

    def of(self, status: Status) -> list[Finding]:
        """A list of the findings of one kind, such as "kink"."""
        return [finding for finding in self.findings if finding.status == status]

    @property
    def failures(self) -> list[Finding]:
        """A list of the derivatives that are wrong."""
        return self.of("wrong")

    def __str__(self) -> str:
        total = self.agreed + len(self.findings)
        orders = "of order 1" if self.order == 1 else f"of orders 1 to {self.order}"
        lines = [fill(f"check_grads({self.function}): {self.agreed} of {total} derivatives {orders} agree", 80)]
        for status, title in TITLES.items():
            found = self.of(status)
            if found:
                lines.append(f"{len(found)} {title}")
                lines += ["  " + str(finding).replace("\n", "\n  ") for finding in found[:SHOWN]]
                if len(found) > SHOWN:
                    lines.append(f"  ... and {len(found) - SHOWN} more")
        return printable("\n".join(lines))


class GradientError(AssertionError):
    """A gradient is wrong.

    Attributes:
        report: a `GradientReport`, which says which, and what was expected.

    >>> try:
    ...     check_grads(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    ... except GradientError as error:
    ...     (wrong,) = error.report.failures
    >>> wrong.got, round(wrong.expected, 6)
    (6.0, 12.0)
    """

    def __init__(self, report: GradientReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


# ------------------------------------------------------------------------------------------------- what can be checked


class _Trace(NamedTuple):
    """A function's results at one point: numbers, or Values with the variables they were made from."""

    results: Sequence[Any]
    variables: Sequence[Value] = ()

    def deeper(self) -> _Trace:
        """The derivatives of the results by the variables, as a graph."""
        rows = [engine_gradient(y, self.variables, create_graph=True) for y in self.results]
        return _Trace([slope for row in rows for slope in row], self.variables)


def _unheard(_: str) -> None:
    """Nobody wants to know how numbers leave the graph, as long as the derivatives are right."""


@dataclass
class _Problem:
    """Something to be checked at a point."""

    name: str
    arguments: list[str]
    point: list[float]
    trace: Callable[..., _Trace]  # at a point, perhaps with somebody to tell of numbers that leave the graph
    complex_step: Callable[[_Trace], list[list[float]] | None]
    given: list[float] | None = None  # the derivatives, where they don't come from the engine
    restore: Callable[[], None] = lambda: None
    rtol: float = 1e-6
    atol: float = 0.0


def check_grads(
    f: Callable[..., Any],
    args: Any = None,
    order: int = 2,
    *,
    gradient: Callable[..., Any] | None = None,
    rtol: float = 1e-6,
    atol: float = 0.0,
) -> GradientReport:
    """Compare every derivative of f with differences, and raise where one is wrong.

    Differences are extrapolated to step 0 and know their own error (Ridders 1982, see `differences`); where all
    operations are analytic, the complex step checks the gradient once more, to about eleven digits (Squire and Trapp,
    SIAM Review 40, 1998). The derivatives of order k are compared with differences of those of order k - 1.

    Never a failure: a kink, which is where the slopes to the left and to the right differ by more than their errors
    (both are reported); a value that is not finite; the end of a domain; a gradient that `stop_gradient` or `detach` in
    f makes another (without them it must be the slope); and what rounding errors hide. Where something is wrong, each
    operation of the graph is checked by itself, and the message names the one whose own partial is wrong, or the lines
    in which a number left the graph, by `.data`, `float()` or `math`.

    Args:
        f: a function of numbers, or of lists, tuples and dicts of them, that returns a Value or a nest of Values; a
            module, whose parameters are then checked together with its inputs; a function of the table or a primitive
            of yours; with `gradient` any function of floats.
        args: a tuple (or list) of f's arguments, or its one number. None for a function of the table: it is then
            checked at points of its domain, tiny, large, near the ends, and at its kinks.
        order: the highest order of derivatives.
        gradient: gives the partials in place of the engine, nested as the arguments, or one number for one argument.
            Then only the first order is checked.
        rtol: how far a derivative may be off, relative to its size; more where differences are less accurate.
        atol: how far absolutely.

    Returns:
        A `GradientReport`.

    Raises:
        GradientError: a derivative is wrong. It is an AssertionError.
        TypeError: f is no function, an argument is no number, or f returns no Value.
        ValueError: there is nothing to differentiate by, or order is less than 1.

    >>> import micrograd_plus as mp
    >>> print(check_grads(lambda x, y: mp.tanh(x * y) + y**2, (0.5, 2.0)))
    check_grads(<lambda>): 6 of 6 derivatives of orders 1 to 2 agree
    >>> print(check_grads(mp.relu, (0.0,), order=1))
    check_grads(relu): 0 of 1 derivatives of order 1 agree
    1 at a kink or too near one to tell
      ∂relu/∂x (order 1) at x = 0.0
          got 0; slope 0 to the left, 1 to the right
          a kink of relu
    >>> check_grads(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    Traceback (most recent call last):
    micrograd_plus...GradientError: check_grads(<lambda>): 0 of 1 derivatives of order 1 agree
    1 wrong
      ∂f/∂x (order 1) at x = 2.0
          got 6, expected 12, tolerance 1e-05
    """
    if not callable(f):
        raise TypeError(f"check_grads({short_repr(f)}): expected a function, got {type(f).__name__}")
    name = str(getattr(f, "__name__", None) or f"{type(f).__name__}(...)")
    whole("check_grads", "order", order)
    order = 1 if gradient is not None else order
    agreed = 0
    findings: list[Finding] = []
    with enable_grad():
        op = getattr(f, "op", None)
        if args is None and gradient is None and isinstance(op, Op):
            problems = _of_operation(f, op)
        elif args is None:
            wanted = "expected its arguments, such as (0.5, 2.0); only functions of the table are checked without"
            raise TypeError(f"check_grads({name}, args=None): {wanted}")
        else:
            tree = tuple(args) if isinstance(args, (tuple, list)) else (args,)
            problems = iter([_given(f, name, tree, gradient) if gradient else _traced(f, name, tree)])
        for problem in problems:
            if isinstance(problem, Finding):
                findings.append(problem)
                continue
            problem.rtol, problem.atol = rtol, atol
            right, found = _examined(problem, order)
            agreed += right
            findings += found
    report = GradientReport(name, order, agreed, tuple(findings))
    if report.failures:
        raise GradientError(report)
    return report


def _traced(f: Callable[..., Any], name: str, args: tuple[Any, ...]) -> _Problem:
    """A function of Values, or a module together with its parameters."""
    start = [float(x) for x in leaves(args, f"check_grads({name}), args")]
    places = [place for argument, tree in zip(_parameter_names(f, len(args)), args) for place in _named(tree, argument)]
    taken = len(places)
    if isinstance(f, Module):
        places += _named(f, "")
        start += [value.data for value in f.parameters()]
    if not places:
        raise ValueError(
            f"check_grads({name}, {short_repr(args)}): no number to differentiate by; expected one or more"
        )
    asked = False

    def trace(point: list[float], report: Report = _unheard) -> _Trace:
        nonlocal asked
        variables = []
        for number, (_, kept) in zip(point, places):
            if kept is None:
                variables.append(Value(number))
            else:
                kept.data = number
                variables.append(kept)
        free = iter([variable for variable, (_, kept) in zip(variables[:taken], places) if kept is None])
        with block(leaving, listener(variables, frozenset() if report is _unheard else LEAKS, report)):
            out = f(*replaced(args, lambda _: next(free))[0])
        results = leaves(out, f"check_grads({name}), what it returned")
        if not asked and not any(isinstance(y, Value) for y in results):
            wanted = "expected a Value made from its arguments; does it use float(), .data, or math instead of mp's?"
            raise TypeError(f"check_grads({name}): it returned {short_repr(out)}; {wanted}")
        asked = True
        return _Trace([y if isinstance(y, Value) else Value(y) for y in results], variables)

    def restore() -> None:
        for number, (_, kept) in zip(start, places):
            if kept is not None:
                kept.data = number

    return _Problem(name, [place for place, _ in places], start, trace, _complex_step, restore=restore)


def _given(f: Callable[..., Any], name: str, args: tuple[Any, ...], gradient: Callable[..., Any]) -> _Problem:
    """A function of floats with a gradient of its own."""
    point = [float(x) for x in leaves(args, f"check_grads({name}), args")]
    arguments = [
        place for argument, tree in zip(_parameter_names(f, len(args)), args) for place, _ in _named(tree, argument)
    ]
    if not point:
        raise ValueError(
            f"check_grads({name}, {short_repr(args)}): no number to differentiate by; expected one or more"
        )

    def numbers(at: Sequence[Any]) -> Any:
        free = iter(at)
        return f(*replaced(args, lambda _: next(free))[0])

    def trace(at: list[float], _: Report = _unheard) -> _Trace:
        return _Trace([float(y) for y in leaves(numbers(at), f"check_grads({name}), what it returned")])

    def complex_step(_: _Trace) -> list[list[float]] | None:
        import numpy as np

        imaginary = np.empty((2, len(point)))
        for i, j in product(range(2), range(len(point))):
            step = complex(0.0, 1e-20 * SHORTER[i])
            try:
                y = numbers([x + step if place == j else x for place, x in enumerate(point)])
            except (TypeError, ValueError, ArithmeticError, AttributeError):  # it takes no complex numbers
                return None
            if not isinstance(y, complex):
                return None
            imaginary[i, j] = y.imag
        return [_both(imaginary, np.full(len(point), 1e-20))]

    if not callable(gradient):
        raise TypeError(
            f"check_grads(gradient={short_repr(gradient)}): expected a function, got {type(gradient).__name__}"
        )
    made = gradient(*args)
    partials = [float(x) for x in leaves(made, f"check_grads({name}), what its gradient returned")]
    results = len(trace(point).results)
    if len(partials) != results * len(point):
        wanted = f"expected {results * len(point)}, one for each of {', '.join(arguments[:6])}"
        raise ValueError(f"check_grads({name}): its gradient returned {short_repr(made)}; {wanted}")
    return _Problem(name, arguments, point, trace, complex_step, given=partials)


def _parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """What f calls its arguments."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return names + [f"{rest}[{i}]" for i in range(count - len(names))]


def _named(tree: Any, name: str) -> Iterator[tuple[str, Value | None]]:
    """The name of each number in a nest, and the Value itself where it is a module's parameter."""
    if isinstance(tree, Module):
        for path, value in tree.named_parameters():
            yield f"{name}.{path}" if name else path, value
    elif isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from _named(part, f"{name}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, part in enumerate(tree):
            yield from _named(part, f"{name}[{i}]")
    elif getattr(tree, "ndim", 0):
        import numpy as np

        for place in np.ndindex(tree.shape):
            yield f"{name}[{', '.join(map(str, place))}]", None
    else:
        yield name, None


# -------------------------------------------------------------------------------------------- operations by themselves


def _single(op: Op, args: Sequence[float], moved: Sequence[int], names: Sequence[str]) -> _Problem:
    """One operation at numbers, some of which are differentiated by."""

    def trace(point: list[float], _: Report = _unheard) -> _Trace:
        full: list[Any] = list(args)
        variables = [Value(x) for x in point]
        for place, variable in zip(moved, variables):
            full[place] = variable
        return _Trace([apply(op, *full)], variables)

    return _Problem(op.name, [names[i] for i in moved], [args[i] for i in moved], trace, _complex_step)


def _of_operation(f: Callable[..., Any], op: Op) -> Iterator[_Problem | Finding]:
    """An operation at points of its own, after a look at whether its rules take floats and Values alike."""
    count = len(op.partials) - len(op.options)
    names = _parameter_names(f, count)
    for args in _drawn(op, count):
        full = (*args, *op.options.values())
        broken = _broken(op, full)
        if broken:
            point = tuple(zip(names, args))
            yield Finding("wrong", op.name, op.name, "", point, 1, nan, operation=broken)
        else:
            yield _single(op, full, range(count), names)


def _broken(op: Op, args: tuple[float, ...]) -> str:
    """What forward or a partial can't do with these numbers; "" if nothing."""
    what = "forward"
    try:
        out = op.forward(*args)  # type: ignore[misc]  # every row has one
        for i, partial in enumerate(op.partials[: len(args) - len(op.options)], 1):
            if partial is not None:
                what = f"partial {i} of floats"
                plain = float(partial(out, *args))
                what = f"partial {i} of Values"
                options = args[len(args) - len(op.options) :]
                variables = [Value(x) for x in args[: len(args) - len(op.options)]]
                graph = float(partial(apply(op, *variables, *options), *variables, *options))
                if abs(plain - graph) > 1e-12 * abs(plain) or isfinite(plain) != isfinite(graph):
                    return f"partial {i} is {plain!r} of floats, but {graph!r} of Values"
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is what has to be told
        return f"{what} raised {type(error).__name__}: {error}"
    return ""


def _drawn(op: Op, count: int) -> list[tuple[float, ...]]:
    """Points of an operation's domain: ordinary, tiny, large, near its ends; and its kinks."""
    random = Random(op.name)
    columns = []
    for low, high in op.domain[:count]:
        width = min(high - low, 1.0)
        ends = [low + width * 1e-6, low + width * 1e-3, high - width * 1e-6, high - width * 1e-3]
        middle = max(low, min(high, 0.0) - 4.0), min(high, max(low, 0.0) + 4.0)
        column = [0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -3.0, 4.5, -6.0, 12.0, 1e-8, -1e-8, 1e3, -1e3, *ends]
        column += [random.uniform(*middle) for _ in range(5)]
        columns.append([x for x in dict.fromkeys(column) if low < x < high])
    if count == 1:
        points: list[tuple[float, ...]] = [(x,) for x in columns[0]]
    else:
        longest = max(len(column) for column in columns)
        shuffled = [(random.sample(column, len(column)) * longest)[:longest] for column in columns]
        points = [*zip(*shuffled), *[(x,) * count for x in columns[0][1:7] if all(a < x < b for a, b in op.domain)]]
    return [*points, *_at_kinks(op, points)]


def _at_kinks(op: Op, points: Sequence[tuple[float, ...]]) -> Iterator[tuple[float, ...]]:
    """The two numbers between which `op.kinks` changes its sign, for some pairs of points."""
    if op.kinks is None:
        return
    options = tuple(op.options.values())
    for a, b in pairwise(sorted(points)):
        above = op.kinks(*a, *options) > 0.0
        if above == (op.kinks(*b, *options) > 0.0):
            continue
        for _ in range(60):
            between = tuple([x + (y - x) / 2.0 for x, y in zip(a, b)])
            if (op.kinks(*between, *options) > 0.0) == above:
                a = between
            else:
                b = between
        yield a
        yield b


# ---------------------------------------------------------------------------------------------------- graphs, looked at


def _branch(results: Sequence[Any]) -> Any:
    """What formula a function follows: its operations and what each is applied to; and where these bend or end.

    Constants are left out: a function that makes them from `.data` would seem to change its formula at every step.
    """
    formula: list[Op | int | None] = []
    signs: list[tuple[Op, float]] = []
    gates: list[tuple[Op, Any]] = []
    places: Identities[Value, int] = Identities()
    for node in walk(*[y for y in results if isinstance(y, Value)])[0]:
        op = node.op
        formula.append(op)
        formula += [places.setdefault(arg, len(places)) if isinstance(arg, Value) else -1 for arg in node.args]
        if op is None or (op.kinks is None and op.domain == (REAL,) * len(op.domain)):
            continue
        args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        if op.kinks is not None:
            signs.append((op, _sign(op.kinks(*args))))
            gates += [(op, mask(node.data, *args)) for mask in op.masks if mask not in (None, FLAT.condition)]
        for arg, (low, high) in zip(args, op.domain):
            if low != -inf:
                signs.append((op, _sign(arg - low)))
            if high != inf:
                signs.append((op, _sign(high - arg)))
    return formula, signs, gates


def _without(stops: Collection[int], results: Sequence[Value]) -> list[Value]:
    """The same graph, in which some nodes, named by their ids, are left out for what they were applied to."""
    made: dict[int, Any] = {}
    for node in walk(*results)[0]:
        args = [made.get(id(arg), arg) for arg in node.args]
        if id(node) in stops:
            made[id(node)] = args[0]
        elif node.op is not None and any(new is not old for new, old in zip(args, node.args)):
            made[id(node)] = apply(node.op, *args)
    return [made.get(id(y), y) for y in results]


def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else 2.0


def _rounding(results: Sequence[Any], variables: Sequence[Value]) -> list[tuple[float, list[float]]]:
    """How large each result's rounding error may be; and, by each variable, the sum of its paths' absolute slopes.

    Where there are many results all are given what they have together.
    """
    if len(results) <= MANY or not isinstance(results[0], Value):
        return [_absolute([y], variables) if isinstance(y, Value) else (4.0 * EPSILON * abs(y), []) for y in results]
    return [_absolute(results, variables)] * len(results)


def _absolute(results: Sequence[Value], variables: Sequence[Value]) -> tuple[float, list[float]]:
    """A pass backward that adds sizes, so that nothing cancels.

    Each node's number is off by half a unit in its last place, which arrives at the result times the node's slope.
    """
    reach = Identities.fromkeys(results, 1.0)
    size = sum([abs(y.data) for y in results])
    total = size
    for node in reversed(walk(*results)[0]):
        through = reach.get(node, 0.0)
        if not through or node.op is None:
            continue
        total += through * abs(node.data)
        args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        for arg, partial in zip(node.args, node.op.partials):
            if isinstance(arg, Value) and partial is not None:
                reach[arg] = reach.get(arg, 0.0) + through * abs(float(partial(node.data, *args)))
    noise = 2.0 * EPSILON * total
    return (noise if isfinite(noise) else 8.0 * EPSILON * size), [reach.get(x, 0.0) for x in variables]


def _complex_step(trace: _Trace) -> list[list[float]] | None:
    """The gradient as imaginary parts of the graph at x + ih, h tiny: nothing is subtracted, so no digit is lost.

    None where an operation is not analytic, or NumPy has it for real numbers only; nan for a derivative that depends on
    h, as that of (x + x²)² at 0 does, where nothing is there but the terms that h² is to make vanish.
    """
    import numpy as np

    nodes = walk(*trace.results)[0]
    count = len(trace.variables)
    if len(nodes) * count > 1_000_000:
        return None
    numbers: Identities[Value, Any] = Identities()
    steps = np.array([1e-20 * min(1.0, abs(variable.data) or 1.0) for variable in trace.variables])
    for i, variable in enumerate(trace.variables):
        numbers[variable] = np.full((2, count), variable.data, dtype=complex)
        numbers[variable][:, i] += 1j * steps[i] * np.array(SHORTER)
    with np.errstate(all="ignore"):
        for node in nodes:
            op = node.op
            ufunc = getattr(np, op.numpy or "", None) if op else None
            if op is None or f"{'D' * len(node.args)}->D" not in getattr(ufunc, "types", ()):
                return None
            args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
            inside = all(low < x < high for x, (low, high) in zip(args, op.domain))
            if not inside or not (op.kinks is None or (op.name in POLES and op.kinks(*args))):
                return None
            wide = [
                np.asarray(numbers.get(arg, x) if isinstance(arg, Value) else x, complex)
                for arg, x in zip(node.args, args)
            ]
            numbers[node] = ufunc(*wide)  # type: ignore[misc]  # it has types, so it can be called
    zeros = np.zeros((2, count), dtype=complex)
    return [_both(numbers.get(y, zeros).imag, steps) for y in trace.results]


def _both(imaginary: Any, steps: Any) -> list[float]:
    """The derivatives that both steps tell, from the imaginary parts that they leave; nan where they disagree."""
    import numpy as np

    with np.errstate(all="ignore"):
        first, second = imaginary / (steps * np.array(SHORTER)[:, None])
        same = np.abs(first - second) <= 1e-6 * np.abs(first)
    return [float(x) for x in np.where(same & (np.abs(imaginary[1]) > 1e-290), first, nan)]  # no underflow


# --------------------------------------------------------------------------------------------------------- the check


def _examined(problem: _Problem, order: int, search: bool = True) -> tuple[int, list[Finding]]:
    """How many derivatives agree with differences, and what there is to say of the others.

    With `search`, a wrong operation is looked for; without, the problem is a single operation.
    """
    findings: list[Finding] = []
    agreed = 0
    bent: set[int] = set()
    try:
        for level in range(1, order + 1):
            check = _Level(problem, level, search, bent)
            agreed += check.run()
            bent = check.bent
            findings += check.findings
            if any(finding.status == "wrong" for finding in check.findings):
                break  # differences of a wrong gradient say nothing
    finally:
        problem.restore()
    return agreed, findings


class _Level:
    """The derivatives of one order."""

    def __init__(self, problem: _Problem, level: int, search: bool, before: set[int]) -> None:
        self.problem, self.level, self.search, self.before = problem, level, search, before
        self.bent: set[int] = (
            set()
        )  # the derivatives that have no slope here, so that those of the next order have none
        self.findings: list[Finding] = []
        self.culprit: str | None = None
        self.left: list[str] | None = None  # where numbers leave the graph, once somebody has looked
        self.count = 0  # of the numbers that differences are taken of
        self.free: _Trace | None = None  # the same numbers, with all stops taken out

    def trace(self, point: list[float]) -> _Trace:
        """The derivatives of one order less, which differences are taken of."""
        trace = self.problem.trace(point)
        for _ in range(1, self.level):
            trace = trace.deeper()
        return trace

    def run(self) -> int:
        """Check each derivative; how many agree."""
        problem = self.problem
        trace = self.trace(problem.point)
        numbers = [float(y) for y in trace.results]
        self.count = len(numbers)
        count = len(problem.point)
        if problem.given is not None:
            got = [problem.given[i : i + count] for i in range(0, len(problem.given), count)]
        else:
            got = [engine_gradient(y, trace.variables) for y in trace.results]
        rounding = _rounding(trace.results, trace.variables)
        exact = problem.complex_step(trace) if self.level == 1 else None
        agreed = 0
        for j in range(count):
            for i, slope in enumerate(slopes(self.sampler(j, self.count), problem.point[j], self.noise(j))):
                reach = rounding[i][1][j] if rounding[i][1] and isfinite(rounding[i][1][j]) else 0.0
                status, expected, tolerance = self.judged(
                    i, j, numbers[i], got[i][j], slope, exact[i][j] if exact else nan, reach
                )
                blamed = self.search and problem.given is None and status == "wrong" and self.wrong_operation()
                if status == "wrong" and not blamed:
                    if i in self.before or (slope.crossed and self.beside(j)):
                        status = "kink"
                    elif self.contradicted(j, i, got[i][j], expected, tolerance):
                        status = "unclear"
                if status is None:
                    agreed += 1
                else:
                    if status in ("kink", "undefined"):
                        self.bent.add(i * count + j)
                    self.findings.append(self.finding(status, i, j, got[i][j], expected, tolerance, slope))
        return agreed

    def sampler(self, j: int, count: int) -> Callable[[float], tuple[Sequence[float], Branch]]:
        """The results and the branch as argument j moves."""

        def sample(x: float) -> tuple[Sequence[float], Branch]:
            point = list(self.problem.point)
            point[j] = x
            try:
                results = self.trace(point).results
            except (ArithmeticError, ValueError):  # outside of what a plain function takes
                return [nan] * count, None
            return [float(y) for y in results], _branch(results)

        return sample

    def noise(self, j: int) -> Callable[[float], Sequence[float]]:
        """How large the rounding errors of the results may be as argument j moves."""

        def noise(x: float) -> Sequence[float]:
            trace = self.trace([x if i == j else old for i, old in enumerate(self.problem.point)])
            return [noise for noise, _ in _rounding(trace.results, trace.variables)]

        return noise

    def contradicted(self, j: int, i: int, got: float, expected: float, tolerance: float) -> bool:
        """Whether differences at other steps speak for what was got, as next to kinks that no table tells of."""
        for start in (0.023, 1e-4, 1e-6, 1e-8, 1e-10) if self.search else (0.023,):
            other = slopes(self.sampler(j, self.count), self.problem.point[j], self.noise(j), start=start)[i]
            apart = abs(other.value - expected) > max(tolerance, 2.0 * SAFETY * other.error)
            if other.kind == "smooth" and apart and abs(other.value - got) < abs(other.value - expected):
                return True
            low, high = sorted((other.left, other.right))
            if other.kind == "kink" and other.sharp and low - tolerance <= got <= high + tolerance:
                return True
        return False

    def judged(
        self, i: int, j: int, number: float, got: float, slope: Slope, exact: float, reach: float
    ) -> tuple[Status | None, float, float]:
        """What a derivative is, None where it agrees; what it was expected to be, and how far it might be off."""
        x, rtol, atol = self.problem.point[j], self.problem.rtol, self.problem.atol
        expected = slope.value
        size = max(abs(expected), abs(got) if isfinite(got) else 0.0)
        tolerance = atol + max(rtol * size, 2.0 * SAFETY * slope.error, 8.0 * EPSILON * reach)  # what cancels in it
        if not isfinite(number):
            return "undefined", nan, nan
        if isfinite(exact) and ((slope.kind == "unclear" and reach) or abs(exact - slope.value) <= tolerance):
            tight = max(1e-5 * rtol * max(abs(exact), reach), 2.0 * SAFETY * slope.rounding)
            expected, tolerance = exact, atol + (tight if reach else rtol * abs(exact))
        elif slope.kind == "edge":
            return "undefined", nan, nan
        elif slope.kind != "smooth":
            return slope.kind, nan, nan
        if got == expected:
            return None, expected, tolerance
        if abs(got - expected) <= tolerance:
            around = max(size, slope.size, abs(number) / max(1.0, abs(x)))
            return ("unclear" if tolerance > COARSE * around else None), expected, tolerance
        if tolerance > COARSE * (size if isfinite(got) else max(size, slope.size, 1.0)):
            return "unclear", expected, tolerance
        if abs(self.unstopped(i, j) - expected) <= tolerance:
            return "stopped", expected, tolerance
        return "wrong", expected, tolerance

    def unstopped(self, i: int, j: int) -> float:
        """What the derivative of number i by argument j would be, had the function no stop_gradient and no detach.

        Only if this is the slope were they the reason for another gradient. A stop inside a partial is none of the
        function's own, and those by which softmax and its like take out the maximum change nothing.
        """
        if self.problem.given is not None:
            return nan
        if self.free is None:
            with block(linking, True):
                first = trace = self.problem.trace(self.problem.point)
            stops = {id(node) for node in walk(*first.results)[0] if node.op is STOP}
            for _ in range(1, self.level):
                trace = trace.deeper()
            self.free = _Trace(_without(stops, trace.results) if stops else (), trace.variables)
        return engine_gradient(self.free.results[i], self.free.variables)[j] if self.free.results else nan

    def wrong_operation(self) -> str:
        """The operation whose own partial is wrong at its own arguments, in words; "" if none is."""
        if self.culprit is None:
            if self.search:
                self.culprit = _culprit(self.problem, self.level)
            else:  # one operation: only its first derivative does not depend on other operations' sides
                self.culprit = "itself" if self.level == 1 else ""
        return self.culprit

    def beside(self, j: int) -> bool:
        """Whether argument j lies beside a kink, closer than any step, and not on it: its own slope is out of sight."""
        x = self.problem.point[j]
        sample = self.sampler(j, self.count)
        h = 1e-7 * max(1.0, abs(x))
        near = [x + s * 4.0 * ulp(x) for s in (1.0, -1.0)]
        branches: list[Any] = [sample(at)[1] for at in (x, x - h, x + h, *near)]
        if None in branches:
            return True
        here, sides, nearest = branches[0], branches[1:3], branches[3:]
        alike = [side for side in sides if side[0] == here[0]]
        if not alike:  # an if of the user's own: for this point alone, or for those around it too?
            return any(side[0] == here[0] for side in nearest)
        return any(own * other < 0.0 for side in alike for (_, own), (_, other) in zip(here[1], side[1]))

    def turned(self, j: int) -> str:
        """The operations that change their formula as argument j passes, in words; "" if none is known to."""
        x = self.problem.point[j]
        sample = self.sampler(j, self.count)
        h = 1e-7 * max(1.0, abs(x))
        branches: list[Any] = [sample(at)[1] for at in (x, x - h, x + h)]
        here, *others = [[] if branch is None else branch[1] + branch[2] for branch in branches]
        if any(len(other) != len(here) for other in others):
            return ""
        turned = [op.name for i, (op, side) in enumerate(here) if any(other[i] != (op, side) for other in others)]
        return f"a kink of {', '.join(dict.fromkeys(turned))}" if turned else ""

    def leaks(self) -> list[str]:
        """Where numbers leave the graph, in words, as the function runs and these derivatives are made."""
        if self.left is None:
            lines: dict[str, None] = {}

            def report(how: str) -> None:
                what = {".data": "x.data", "float()": "float(x)", ".grad": "x.grad"}.get(how, how)
                lines[f"{what} in {users_line()} takes a number out of the graph"] = None

            trace = self.problem.trace(self.problem.point, report)
            with block(leaving, listener(list(trace.variables), LEAKS, report)):
                for _ in range(1, self.level):
                    trace = trace.deeper()
            self.left = list(lines)
        return self.left

    def unexplained(self, j: int, leaks: Sequence[str], slope: Slope) -> str:
        """What may be wrong where each operation is right, in words; "" where the leaks say it."""
        if leaks:
            return ""
        turned = self.turned(j) if slope.crossed else ""
        if not turned:
            return "no operation is wrong by itself: does the function branch, or use .data, float() or math?"
        same = f"the slopes to the left and to the right of it are both {slope.value:.6g}"
        return f"each operation is right by itself, but this is {turned}, where the chain rule fails, and {same}"

    def finding(
        self, status: Status, i: int, j: int, got: float, expected: float, tolerance: float, slope: Slope
    ) -> Finding:
        """The derivative of number i by argument j, described."""
        problem, count = self.problem, len(self.problem.point)
        by = [problem.arguments[j]]
        for _ in range(1, self.level):
            i, place = divmod(i, count)
            by.insert(0, problem.arguments[place])
        results = len(self.problem.trace(problem.point).results) if status == "wrong" else 1
        told = [self.turned(j)] if status == "kink" else []
        if status in ("wrong", "kink") and self.search and problem.given is None:
            leaks = self.leaks()
            if status == "wrong":
                culprit = self.wrong_operation()
                told = [culprit.removesuffix(HINT if leaks else "") or self.unexplained(j, leaks, slope)]
            told += leaks
        which = f"[{i}]" if results > 1 else ""
        power = {2: "²", 3: "³"}.get(self.level, f"^{self.level}") if self.level > 1 else ""
        below = f"∂{by[0]}{power}" if len(set(by)) == 1 else "".join(f"∂{name}" for name in by)
        symbol = problem.name if problem.name.isidentifier() else "f"
        return Finding(
            status,
            problem.name,
            f"∂{power}{symbol}{which}/{below}",
            by[-1],
            tuple(zip(problem.arguments, problem.point)),
            self.level,
            got,
            expected,
            tolerance,
            slope.left,
            slope.right,
            "; ".join(filter(None, told)),
        )


def _culprit(problem: _Problem, order: int) -> str:
    """The first operation in the graph that is wrong by itself, in words; "" if none is."""
    first = problem.trace(problem.point)
    deep = first
    for _ in range(1, order):
        deep = deep.deeper()
    seen: set[tuple[Op, tuple[float, ...]]] = set()
    for level, roots in [(1, deep.results)] + ([(order, first.results)] if order > 1 else []):
        seen.clear()
        for node in walk(*roots)[0]:
            op = node.op
            args = tuple([arg.data if isinstance(arg, Value) else arg for arg in node.args])
            if op is None or op is STOP or (op, args) in seen or len(seen) > SEARCHED:
                continue
            seen.add((op, args))
            moved = [i for i, arg in enumerate(node.args) if isinstance(arg, Value)]
            names = [str(i + 1) for i in range(len(args))]
            single = _single(op, args, moved, names)
            single.rtol, single.atol = problem.rtol, problem.atol
            wrong = [finding for finding in _examined(single, level, search=False)[1] if finding.status == "wrong"]
            if wrong:
                return _told(node, args, wrong[0])
    return ""


def _told(node: Value, args: tuple[float, ...], wrong: Finding) -> str:
    name = node.op.name if node.op else ""
    label = f" at the node labelled {node.label!r}" if node.label else ""
    place = ", ".join([f"{x:.6g}" for x in args])
    what = f"partial {wrong.argument}"
    hint = ""
    if wrong.order > 1:
        what = f"the derivative of order {wrong.order} by argument {wrong.argument}"
        hint = HINT
    return f"operation {name}({place}){label}: {what} is {wrong.got:.6g}, expected {wrong.expected:.6g}{hint}"
