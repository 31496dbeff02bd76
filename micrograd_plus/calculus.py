"""Derivatives as functions: gradients, Jacobians and Hessians of any order, from the table's own partials.

One pass goes from results to arguments (`_pulled`), one from arguments to results (`_pushed`), and both read the
partials of each node at its arguments (`_slopes`). Given floats they compute; given the nodes themselves they build a
graph, and a gradient that is a graph can be differentiated again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import wraps
from operator import index
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus.anomalies import users_frame, users_line
from micrograd_plus.engine import (
    ADD,
    MUL,
    POW,
    UNKNOWN,
    Value,
    apply,
    block,
    derivatives,
    enable_grad,
    has_hook,
    hooked,
    leaving,
    refused,
    tracing,
    walk,
    watching,
)
from micrograd_plus.nesting import leaves, rebuilt, replaced
from micrograd_plus.nn import Module
from micrograd_plus.ops.table import equal, identity, where

WHERE = where.op
Number = Any  # a float, or a Value where a graph is built

# --------------------------------------------------------------------------------------------- one node, and two passes


def _slopes(node: Value, active: Identities[Value, None], graph: bool) -> list[tuple[Value, Number, Number]]:
    """For each argument that matters: the argument, the partial there, and what must not be 0 for anything to pass."""
    op = node.op
    if op is ADD or op is MUL:  # nine of ten nodes
        a: Number = node._a
        b: Number = node._b
        by_a: Number = 1.0 if op is ADD else b if graph or type(b) is float else b._data
        by_b: Number = 1.0 if op is ADD else a if graph or type(a) is float else a._data
        if a not in active:
            return [(b, by_b, 1.0)]
        return [(a, by_a, 1.0), (b, by_b, 1.0)] if b in active else [(a, by_a, 1.0)]
    if op is None or op.forward is None:
        raise refused(node, UNKNOWN)
    args = node.args
    out: Number = node
    at: Sequence[Number] = args
    if not graph:
        out, at = node._data, [arg._data if isinstance(arg, Value) else arg for arg in args]
    slopes = []
    halts = op.halts or [False] * len(args)
    for arg, partial, mask, halted in zip(args, op.partials, op.masks, halts):
        if isinstance(arg, Value) and arg in active and partial is not None and not halted:
            slope = _tidied(partial(out, *at), node)
            gate = 1.0 if mask is None else slope if mask is partial else _tidied(mask(out, *at), node)
            slopes.append((arg, slope, gate))
    return slopes


class _Flow(NamedTuple):
    """What comes to a node, and the graph of whether anything comes: where nothing does, 0 · inf beyond is 0.

    Where it is plain that something comes, as nearly everywhere, the mere number stands for it.

    `open` is 0 where the masks on every way to the node stop what comes, or 1.0 where it is plain that they don't.
    `firm` is the same, but counts only masks that move by jumps: where it is 0 the derivatives of what comes are 0 as
    well. At x**y, where y is 0, nothing comes to x, and yet more and more does as y grows.
    """

    number: Number
    open: Number = 1.0
    firm: Number = 1.0


_NOTHING = _Flow(0.0, 0.0, 0.0)


def _passed(flow: Number | _Flow, slope: Number, gate: Number, node: Value, traced: bool) -> Number | _Flow:
    """What passes a node: flow · slope, but exactly 0 where the gate is, and where nothing flows.

    Only masks that are 0 at the present numbers are remembered further down, so that formulas stay short; all of them
    while a function is traced, which will be asked at other numbers.
    """
    ungated = type(gate) is float
    if (ungated and not gate) or flow is _NOTHING:
        return _NOTHING
    if ungated and type(slope) is float and slope == 1.0:
        return flow
    plain = type(flow) is not _Flow
    number: Number = flow if plain else flow.number
    product: Number
    if type(slope) is float and slope == 1.0:
        product = number
    elif type(number) is float and number == 1.0:
        product = slope
    else:
        product = number * slope
    if ungated and plain:
        return product
    if ungated and _is_tame(slope, traced):  # 0 where nothing comes
        return _Flow(product, flow.open, flow.firm)
    came, firm = (1.0, 1.0) if plain else (flow.open, flow.firm)
    by_itself = type(came) is float and gate is slope and type(number) is float and math.isfinite(number)
    if type(came) is float and not traced and gate._data:
        return product if by_itself else apply(WHERE, gate, product, 0.0)
    opened, moves = _both(came, gate), not ungated and _moves(slope, node)
    if not moves:
        firm = opened if firm is came or type(came) is float else _both(firm, gate)
    if by_itself:  # 0 wherever the gate is
        return _Flow(product, opened, firm)
    passes = opened if firm is opened else apply(WHERE, opened, 1.0, _both(firm, equal(product, 0.0)))
    return _Flow(apply(WHERE, passes, product, 0.0), opened, firm)


def _joined(before: Number | _Flow | None, flow: Number | _Flow) -> Number | _Flow:
    """What comes to a node in all, with what came before."""
    if type(before) is not _Flow and type(flow) is not _Flow:
        return _plus(before, flow)
    if before is None:
        return flow
    one, two = [each if type(each) is _Flow else _Flow(each) for each in (before, flow)]
    number, opened = _plus(one.number, two.number), _either(one.open, two.open)
    if type(opened) is float:
        return number if opened else _NOTHING
    alike = one.firm is one.open and two.firm is two.open
    return _Flow(number, opened, opened if alike else _either(one.firm, two.firm))


def _number(flow: Number | _Flow | None) -> Number | None:
    return flow.number if type(flow) is _Flow else flow


def _both(gate: Number, other: Number) -> Number:
    """Not 0 where neither of two gates is 0."""
    if type(gate) is float:
        return other if gate else 0.0
    if type(other) is float:
        return gate if other else 0.0
    return gate if gate is other else apply(WHERE, gate, other, 0.0)


def _either(gate: Number, other: Number) -> Number:
    """Not 0 where one of two gates is not 0."""
    if type(gate) is float:
        return 1.0 if gate else other
    if type(other) is float:
        return 1.0 if other else gate
    return gate if gate is other else apply(WHERE, gate, 1.0, other)


def _moves(slope: Number, node: Value) -> bool:
    """Whether a partial has a derivative by what the node was made from; one that moves by jumps has none."""
    given = Identities.fromkeys([each for each in (node, *node.args) if isinstance(each, Value)])
    if isinstance(slope, Value):
        for made in walk(slope, skip=given.__contains__)[0]:
            halts = (made.op and made.op.halts) or [False] * len(made.args)
            if any(arg in given for arg, halted in zip(made.args, halts) if not halted):
                given[made] = None
    return slope in given


def _is_tame(slope: Number, traced: bool) -> bool:
    """Whether 0 · slope is 0, and every derivative of it."""
    if isinstance(slope, Value):
        return slope.op is None and not traced and math.isfinite(slope._data)
    return math.isfinite(slope)


def _tidied(slope: Number, node: Value) -> Number:
    """A partial without its 1·x, x**1 and x**0: no number changes, and x³ has the second derivative 6x."""
    if not isinstance(slope, Value) or slope.op is None or slope is node or any(slope is arg for arg in node.args):
        return slope
    given = Identities.fromkeys([node, *node.args])
    shorter: Identities[Value, Number] = Identities()
    for made in walk(slope, skip=given.__contains__)[0]:
        args = [shorter.get(arg, arg) if isinstance(arg, Value) else arg for arg in made.args]
        if made.op is MUL and type(args[0]) is float and args[0] == 1.0:
            shorter[made] = args[1]
        elif made.op is MUL and type(args[1]) is float and args[1] == 1.0:
            shorter[made] = args[0]
        elif made.op is POW and type(args[1]) is float and args[1] in (0.0, 1.0):
            shorter[made] = args[0] if args[1] else 1.0
        elif made.op is not None and any(new is not old for new, old in zip(args, made.args)):
            values = any(isinstance(arg, Value) for arg in args)
            shorter[made] = apply(made.op, *args) if values else made._data
    return shorter.get(slope, slope)


def _plus(a: Number | None, b: Number) -> Number:
    """a + b, where one of them may not be there yet, or be nothing."""
    return b if a is None or (type(a) is float and a == 0.0) else a if type(b) is float and b == 0.0 else a + b


def _plain(x: Number) -> float:
    """The number itself; unlike float(), it tells nobody."""
    return x._data if isinstance(x, Value) else float(x)


def _active(roots: Iterable[Value], xs: Iterable[Value]) -> tuple[list[Value], Identities[Value, None]]:
    """The nodes between xs and the roots, arguments before results; and these together with the xs."""
    active = Identities.fromkeys(xs)
    between: list[Value] = []
    for node in walk(*roots, flowing=True)[0]:
        a, b = node._a, node._b
        touched = a in active or (b in active if type(b) is not tuple else any(arg in active for arg in b))
        if touched and node.op is not None and not node.op.flat:
            active[node] = None
            between.append(node)
    return between, active


def _pulled(y: Value, xs: Sequence[Value]) -> list[Number]:
    """The reverse pass as a graph: the derivative of y by each of xs, None where y does not depend on it."""
    between, active = _active([y], xs)
    flows: dict[int, Number | _Flow] = {id(y): 1.0}  # by the ids of nodes
    watch, traced = watching.get(), tracing.get() is not None
    unreached = getattr(watch, "unreached", None)
    with block(watching, None):  # a watch is shown what passes, not how a partial computes it
        for node in reversed(between):
            flow = flows.get(id(node))
            if flow is None:
                continue
            if has_hook(node):
                flow = _seen(node, flow, traced)
                flows[id(node)] = flow
            for arg, slope, gate in _slopes(node, active, True):
                key, passed = id(arg), _passed(flow, slope, gate, node, traced)
                before = flows.get(key)
                if before is None:
                    flows[key] = passed
                elif type(before) is not _Flow and type(passed) is not _Flow:
                    flows[key] = _plus(before, passed)
                else:
                    flows[key] = _joined(before, passed)
                if watch is not None:
                    watch.passed(node, arg, _plain(_number(flow)), _plain(_number(flows[key])))
            if unreached is not None and type(flow) is _Flow and not _plain(flow.open):
                unreached(node)
    for x in Identities.fromkeys([x for x in xs if x.op is None and has_hook(x)]):
        if id(x) in flows:
            flows[id(x)] = _seen(x, flows[id(x)], traced)
    return [_number(flows.get(id(x))) for x in xs]


def _seen(node: Value, flow: Number | _Flow, traced: bool) -> Number | _Flow:
    """What comes to a node after its hooks have seen it; they can make something where nothing came."""
    before = _number(flow)
    number = hooked(node, before)
    if number is before:
        return flow
    if type(flow) is not _Flow or traced or _plain(number):
        return number
    return flow if flow is _NOTHING else flow._replace(number=number)


def _pushed(ys: Iterable[Number], xs: Sequence[Value], moves: Sequence[Number], graph: bool) -> list[Number]:
    """The forward pass: how much each of ys changes when xs change by these moves, None where it doesn't at all."""
    ys = list(ys)
    between, active = _active([y for y in ys if isinstance(y, Value)], xs)
    flows: dict[int, Number | _Flow] = {id(x): move for x, move in zip(xs, moves)}
    traced = graph and tracing.get() is not None
    for node in between:
        moved = flows.get(id(node))
        for arg, slope, gate in _slopes(node, active, graph):
            if id(arg) in flows:
                moved = _joined(moved, _passed(flows[id(arg)], slope, gate, node, traced))
        if moved is not None:
            flows[id(node)] = moved
    return [_number(flows.get(id(y))) for y in ys]


def gradient(y: Value, xs: Sequence[Value], create_graph: bool = False, *, strict: bool = False) -> list[Any]:
    """The derivative of y by each of xs.

    No `.grad` is read or written.

    Args:
        y: the Value to be differentiated.
        xs: a list of Values, leaves or interior nodes of its graph.
        create_graph: give Values, which can be differentiated, drawn and printed in their turn.
        strict: raise where y does not depend on one of xs at all, instead of giving 0.0.

    Returns:
        A list of floats, of Values with `create_graph`.

    Raises:
        TypeError: y or one of xs is no Value, or a node's rule was set by hand.
        ValueError: strict, and y does not depend on one of xs.

    >>> x = Value(2.0, label="x")
    >>> y = x**3
    >>> gradient(y, [x])
    [12.0]
    >>> (slope,) = gradient(y, [x], create_graph=True)
    >>> gradient(slope, [x])                    # 6x
    [12.0]
    """
    if not isinstance(y, Value):
        raise TypeError(f"gradient({short_repr(y)}, ...): expected the Value to differentiate, got {type(y).__name__}")
    if isinstance(xs, Module):
        xs = xs.parameters()
    if isinstance(xs, Value) or not isinstance(xs, Iterable):
        raise TypeError(f"gradient(y, {short_repr(xs)}): expected a list of Values, such as [x]")
    xs = list(xs)
    for x in xs:
        if not isinstance(x, Value):
            kind = type(x).__name__
            raise TypeError(f"gradient: {short_repr(x)} among xs; expected Values that y was made from, got {kind}")
    if strict:
        _demand("gradient", [y], xs, xs)
    return _finished(_derivatives(y, xs, create_graph), create_graph)


def _derivatives(y: Value, xs: Sequence[Value], graph: bool) -> list[Number]:
    """The derivative of y by each of xs: a graph, or floats."""
    if not graph:
        return list(derivatives(y, xs))
    with enable_grad():
        return _pulled(y, xs)


def _finished(slopes: Iterable[Number], graph: bool) -> list[Any]:
    """Derivatives as they are handed out: 0 for what plays no part, and a constant as a Value where others are."""
    numbers = [0.0 if slope is None else slope for slope in slopes]
    return [x if isinstance(x, Value) else Value(x) for x in numbers] if graph else numbers


def _demand(name: str, ys: Iterable[Number], xs: Sequence[Value], called: Sequence[object]) -> None:
    """Raise where one of xs plays no part in any of ys."""
    roots = [y for y in ys if isinstance(y, Value)]
    order = walk(*roots, flowing=True)[0]
    reached = Identities.fromkeys(
        [*roots, *[arg for node in order if node.op and not node.op.flat for arg in node.args]]
    )
    for x, what in zip(xs, called):
        if x not in reached:
            wanted = "without strict=True its derivative is 0.0"
            raise ValueError(f"{name}: the result does not depend on {what}; {wanted}")


# ----------------------------------------------------------------------------------------------- functions of functions

_inside: ContextVar[int] = ContextVar("inside", default=0)  # how many derivatives are being taken around this one


class _Listener(NamedTuple):
    """Hears, while a function is differentiated, which numbers leave the graph, and tells each line once."""

    variables: list[Value]
    kinds: frozenset[str]  # the ways out that matter, such as "float()"
    report: Callable[[str], None]
    told: set[tuple[str, str, int]]

    def left(self, value: Value, how: str) -> None:
        if how not in self.kinds:
            return
        frame = users_frame()
        place = (how, frame.f_code.co_filename, frame.f_lineno) if frame else (how, "", 0)
        if place not in self.told and (how == "no_grad()" or _depends(value, self.variables)):
            self.told.add(place)
            self.report(how)


def listener(variables: list[Value], kinds: frozenset[str], report: Callable[[str], None]) -> _Listener:
    """For a block(leaving, ...) in which `report` is told how a number leaves the graph of these variables.

    Whoever listens already goes on, and hears of these variables too.
    """
    outer: _Listener | None = leaving.get()  # type: ignore[assignment]  # there is no other kind
    if outer is None:
        return _Listener(variables, kinds, report, set())
    return outer._replace(variables=[*outer.variables, *variables])


def _depends(value: Value, variables: Iterable[Value]) -> bool:
    """Whether the value has a derivative by one of the variables, as far as the graph knows."""
    ids = {id(variable) for variable in variables}
    return id(value) in ids or any(
        id(arg) in ids and not (node.op is not None and node.op.halts and node.op.halts[i])
        for node in walk(value, flowing=True)[0]
        for i, arg in enumerate(node.args)
    )


_WAYS_OUT = {  # not .data: it says that a plain number is meant
    "float()": "write mp.exp for math.exp and so on; where a plain number is meant, say x.data or mp.stop_gradient(x)",
    ".grad": "use mp.gradient(y, [x], create_graph=True)",
    "a gradient that is no graph": "ask for create_graph=True",
}
_WARNED_OF = frozenset(_WAYS_OUT)


def _warning(name: str, f: Callable[..., Any]) -> Callable[[str], None]:
    """What is done, while f is differentiated, about a number that leaves the graph: a warning at the user's line."""

    def warn(how: str) -> None:
        what = {"float()": "float(x), by itself or as math's functions call it,", ".grad": "x.grad"}.get(how, how)
        message = (
            f"{name}({_name(f)}): {what} in {users_line()} takes a number out of the graph, so that the derivative "
            f"will lack its term; {_WAYS_OUT[how]}"
        )
        frame = users_frame()
        if frame is None:
            warnings.warn(message, stacklevel=2)
        else:  # as warnings.warn does it at that line
            registry = frame.f_globals.setdefault("__warningregistry__", {})
            module = frame.f_globals.get("__name__")
            warnings.warn_explicit(message, UserWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)

    return warn


class _Run(NamedTuple):
    """A function that has been run on variables, and what is needed to hand out its derivatives."""

    name: str  # who asks: "grad", ...
    inputs: Any  # the arguments that are differentiated, as they were given: one, or a tuple
    variables: list[Value]
    out: Any
    graph: bool  # something outside is being differentiated, so results are Values

    def mirrored(self, slopes: Iterable[Number]) -> Any:
        """Derivatives by the variables, nested as the arguments are."""
        return rebuilt(self.inputs, iter(_finished(slopes, self.graph)))

    def gradient(self, y: Number) -> list[Number]:
        """The derivative of one result by each variable."""
        if not isinstance(y, Value):
            return [None] * len(self.variables)
        return _derivatives(y, self.variables, self.graph)

    def pushed(self, ys: Iterable[Number], xs: Sequence[Value], moves: Sequence[Number]) -> list[Number]:
        """How the results change when these variables change by these moves."""
        with enable_grad():
            return _pushed(ys, xs, moves, self.graph)


def _run(
    name: str, f: Callable[..., Any], argnums: int | Sequence[int], strict: bool, args: tuple[Any, ...], options: Any
) -> _Run:
    """Call f with a variable for each number in the arguments that are differentiated.

    The variables are new, so that what f knows from outside, even the same Value, stays apart. A Value that comes in
    is outside as well: its variable remembers it, and the results are Values.
    """
    graph = _inside.get() > 0
    variables: list[Value] = []
    called: list[str] = []

    def variable(x: Number) -> Value:
        nonlocal graph
        if not isinstance(x, Value):
            return Value(x)
        graph = True
        return identity(x)

    places = _places(name, f, argnums, args)
    filled = list(args)
    with enable_grad():
        for place in places:
            filled[place], made = replaced(args[place], variable, f"{name}({_name(f)}), argument {place}")
            called += [f"argument {place} of {_name(f)}, {short_repr(args[place])}"] * len(made)
            variables += made
        heard = listener(variables, _WARNED_OF, _warning(name, f))
        with block(_inside, _inside.get() + 1), block(leaving, heard):
            out = f(*filled, **options)
    inputs = tuple([args[place] for place in places]) if isinstance(argnums, Sequence) else args[places[0]]
    if strict:
        _demand(name, leaves(out, f"what {_name(f)} returned"), variables, called)
    return _Run(name, inputs, variables, out, graph)


def _places(name: str, f: Callable[..., Any], argnums: int | Sequence[int], args: tuple[Any, ...]) -> list[int]:
    """The places of the arguments that are differentiated."""
    wanted = f"expected the place of an argument of {_name(f)}, which was called with {len(args)}, or a tuple of places"
    try:
        places = [index(place) for place in (argnums if isinstance(argnums, Sequence) else [argnums])]
    except TypeError:
        raise TypeError(f"{name}(argnums={short_repr(argnums)}): {wanted}") from None
    if not places or not all(-len(args) <= place < len(args) for place in places):
        raise ValueError(f"{name}(argnums={short_repr(argnums)}): {wanted}, such as 0")
    places = [place % len(args) for place in places]
    if len(set(places)) < len(places):
        raise ValueError(f"{name}(argnums={short_repr(argnums)}): a place stands there twice; {wanted}, each once")
    return places


def _name(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", None) or short_repr(f))


def _checked(name: str, f: Callable[..., Any]) -> None:
    if not callable(f):
        raise TypeError(f"{name}({short_repr(f)}): expected a function, got {type(f).__name__}")


def _single(run: _Run, f: Callable[..., Any]) -> Value:
    """The one Value that f has returned."""
    if isinstance(run.out, Value):
        return run.out
    told = f"{run.name}({_name(f)}): the function returned {short_repr(run.out)}"
    if hasattr(run.out, "__len__") and not isinstance(run.out, str):
        raise TypeError(f"{told}; expected a single Value: take its sum, or use jacobian for several results")
    wanted = "expected a Value made from its arguments; does it use float(), .data, or math instead of mp's functions?"
    raise TypeError(f"{told} ({type(run.out).__name__}); {wanted}")


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False
) -> Callable[..., Any]:
    """The function that gives f's value and its gradient, as `grad` does.

    Arguments `f`, `argnums` and `strict` and errors are those of `grad`.

    Returns:
        A function of the same arguments, which gives a pair (the value of f, its gradient as from `grad`).

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _checked("value_and_grad", f)

    def finish(run: _Run) -> Any:
        y = _single(run, f)
        return y if run.graph else y._data, run.mirrored(run.gradient(y))

    return _of("value_and_grad", f, finish, argnums, strict)


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of f.

    Where f makes a plain number of what it is differentiated by, as `math.exp(x)` and `float(x)` do, that term is
    missing from the gradient, and a UserWarning names the line, once. `x.data` says that a plain number is meant.

    Args:
        f: a function that returns one Value. What it is given may be numbers, lists, tuples, dicts or arrays of
            numbers, and modules, whose parameters are then meant.
        argnums: the place of the argument to differentiate by, or a tuple of places.
        strict: raise where f does not depend on such an argument, instead of giving 0.0.

    Returns:
        A function of the same arguments. Its result is nested as the argument is (for a module a dict by the names of
        its parameters), of floats; but of Values where an argument was a Value, or where the gradient is taken inside
        a function that is being differentiated itself. Other Values that f uses count as constants.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or names one twice; or strict, and f does not depend on it.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0
    >>> grad(lambda p: p["w"] * 3.0 + p["b"])({"w": 2.0, "b": 1.0})
    {'w': 3.0, 'b': 1.0}
    >>> grad(lambda x: grad(lambda y: x * y)(1.0) * x)(3.0)
    6.0
    """
    _checked("grad", f)

    def finish(run: _Run) -> Any:
        return run.mirrored(run.gradient(_single(run, f)))

    return _of("grad", f, finish, argnums, strict)


def _of(
    name: str, f: Callable[..., Any], finish: Callable[[_Run], Any], argnums: int | Sequence[int], strict: bool
) -> Callable[..., Any]:
    """The function that runs f on variables and makes something of the run."""

    @wraps(f, updated=())
    def derived(*args: Any, **options: Any) -> Any:
        return finish(_run(name, f, argnums, strict, args, options))

    return derived


def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    mode: Literal["reverse", "forward"] | None = None,
    strict: bool = False,
) -> Callable[..., Any]:
    """The function that gives the derivative of each result of f by each number of its argument.

    Args:
        f: a function that returns a Value, or a nest of them: lists, tuples, dicts or arrays.
        argnums: the place of the argument to differentiate by, or a tuple of places, as in `grad`.
        strict: raise where f does not depend on such an argument, instead of giving 0.0.
        mode: "reverse", one pass for each result; "forward", one for each number that goes in; None takes the fewer.

    Returns:
        A function of the same arguments; its result is nested as f's result, and in each place as the argument. From a
        list of n numbers to a list of m it is a list of m rows of n.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: the mode is none of these, argnums is no place of an argument, or names one twice, or there is
            nothing to differentiate.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    _checked("jacobian", f)
    if mode not in (None, "reverse", "forward"):
        raise ValueError(f"jacobian(mode={mode!r}): expected 'reverse', 'forward', or None for the cheaper one")

    def finish(run: _Run) -> Any:
        ys = _several(run, f)
        if not run.variables:
            raise ValueError(f"jacobian({_name(f)}): argument {run.inputs!r} is empty; expected at least one number")
        reverse = len(ys) <= len(run.variables) if mode is None else mode == "reverse"
        if reverse:
            rows: Iterable[Sequence[Number]] = [run.gradient(y) for y in ys]
        else:
            rows = zip(*[run.pushed(ys, [x], [1.0]) for x in run.variables])
        return rebuilt(run.out, iter([run.mirrored(row) for row in rows]))

    return _of("jacobian", f, finish, argnums, strict)


def _several(run: _Run, f: Callable[..., Any]) -> list[Number]:
    """The numbers that f has returned, at least one of them a Value."""
    told = f"{run.name}({_name(f)}): the function returned {short_repr(run.out)}"
    ys = leaves(run.out, f"what {_name(f)} returned")
    if not ys:
        raise ValueError(f"{told}, which is empty; expected at least one Value")
    if not any(isinstance(y, Value) for y in ys):
        raise TypeError(f"{told}; expected Values made from its arguments, not plain numbers")
    return ys


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the second derivatives of f: the Jacobian of its gradient.

    Arguments `f`, `argnums` and `strict` and errors are those of `grad`.

    Returns:
        A function of the same arguments; its result is nested as the argument, and in each place as the argument again;
        for a list of n numbers it is a list of n rows of n.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    _checked("hessian", f)
    return jacobian(grad(f, argnums, strict=strict), argnums)


def jvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives how f changes in a direction: its Jacobian times a vector, in one forward pass.

    Arguments `f`, `argnums` and `strict` are those of `jacobian`.

    Returns:
        A function of the arguments of f and, after them, of the direction, which is nested as the argument that argnums
        names. Its result is nested as f's.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or the direction has more numbers than the argument, or fewer.

    >>> jvp(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0], [1.0, 0.0])
    [3.0, 1.0]
    """
    return _along("jvp", f, f, argnums, strict)


def hvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the Hessian of f times a vector, without building the Hessian: `jvp` of `grad`.

    Arguments `f`, `argnums` and `strict` are those of `grad`. After Pearlmutter, Fast exact multiplication by the
    Hessian, 1994.

    Returns:
        A function of the arguments of f and, after them, of the vector, which is nested as the argument that argnums
        names. So is its result.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or the vector has more numbers than the argument, or fewer.

    >>> hvp(lambda v: v[0] ** 2 * v[1])([2.0, 3.0], [1.0, 0.0])
    [6.0, 4.0]
    """
    _checked("hvp", f)
    return _along("hvp", f, grad(f, argnums), argnums, strict)


def _along(
    name: str, shown: Callable[..., Any], f: Callable[..., Any], argnums: int | Sequence[int], strict: bool
) -> Callable[..., Any]:
    """The function that pushes a direction, its last argument, through f."""
    _checked(name, f)

    @wraps(shown, updated=())
    def derived(*args: Any, **options: Any) -> Any:
        if len(args) < 2:
            raise TypeError(
                f"{name}({_name(shown)}): got {len(args)} argument; expected those of the function and, "
                "after them, the direction"
            )
        *primals, direction = args
        run = _run(name, f, argnums, strict, tuple(primals), options)
        moves = leaves(direction, f"{name}({_name(shown)}), the direction")
        if len(moves) != len(run.variables):
            wanted = f"expected {len(run.variables)}, nested as the argument"
            raise ValueError(f"{name}({_name(shown)}): a direction of {len(moves)} numbers; {wanted}")
        ys = _several(run, shown)
        graph = run.graph or any(isinstance(move, Value) for move in moves)
        tangents = run._replace(graph=graph).pushed(ys, run.variables, moves)
        return rebuilt(run.out, iter(_finished(tangents, graph)))

    return derived
