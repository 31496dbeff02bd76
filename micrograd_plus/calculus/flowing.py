"""What flows through a graph when it is differentiated: backward from a result, or forward from the arguments.

One pass goes from results to arguments (`pulled`), one from arguments to results (`pushed`), and both read the
partials of each node at its arguments (`_slopes`). Given floats they compute; given the nodes themselves they build a
graph, and a gradient that is a graph can be differentiated again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd_plus._support.identities import Identities, distinct
from micrograd_plus.engine.hooks import has_hook, hooked
from micrograd_plus.engine.operations import ADD, MUL, POW, UNKNOWN, refused
from micrograd_plus.engine.recording import Block, tell, tracing, watching
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.table import equal, where

WHERE = where.op
Number = Any  # a float, or a Value where a graph is built


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
    for place, arg in enumerate(args):
        if isinstance(arg, Value) and arg in active and op.flows_to(place):
            slope, gate = op.gated_slope(place, lambda rule: _tidied(rule(out, *at), node))
            slopes.append((arg, slope, 1.0 if gate is None else gate))
    return slopes


class _Flow(NamedTuple):
    """The gradient that comes to a node, and gates that tell whether any does: where none does, even 0 · inf is 0.

    Where some surely comes, as to nearly every node, the mere number is used instead.

    `open` is 0 where the masks on every way to the node stop what comes. `firm` is the same, but counts only masks that
    move by jumps, 1.0 if there are none: where it is 0 the derivatives of what comes are 0 as well. At x**y, where y is
    0, nothing comes to x, and yet more and more does as y grows.
    """

    number: Number
    open: Number
    firm: Number


_NOTHING = _Flow(0.0, 0.0, 0.0)


def _passed(flow: Number | _Flow, slope: Number, gate: Number, node: Value, traced: bool) -> Number | _Flow:
    """What an argument gets: flow · slope, but exactly 0 where the gate is 0, and where nothing comes to the node.

    Of the masks, only those that are 0 at the present numbers are kept in the result, so that formulas stay short; all
    of them while a function is traced, for a program runs at other numbers, too.
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
    """The sum of two flows to one node."""
    if before is None:
        return flow
    number = _plus(_number(before), _number(flow))
    if type(before) is not _Flow or type(flow) is not _Flow:  # something surely comes by one of the two ways
        return number
    opened = _either(before.open, flow.open)
    if type(opened) is float:
        return _NOTHING
    alike = before.firm is before.open and flow.firm is flow.open
    return _Flow(number, opened, opened if alike else _either(before.firm, flow.firm))


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
            if any(arg in given and (made.op is None or made.op.flows_to(i)) for i, arg in enumerate(made.args)):
                given[made] = None
    return slope in given


def _is_tame(slope: Number, traced: bool) -> bool:
    """Whether 0 · slope is 0, and every derivative of it."""
    if isinstance(slope, Value):
        return slope.op is None and not traced and math.isfinite(slope._data)
    return math.isfinite(slope)


def _tidied(slope: Number, node: Value) -> Number:
    """A partial without its 1·x, x**1 and x**0: no number changes, and x³ has the second derivative 6x."""
    if not isinstance(slope, Value):
        return slope if type(slope) is float else number(slope, f"the partial of {node.op.name if node.op else node}")
    if slope.op is None or slope is node or any(slope is arg for arg in node.args):
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


def _plus(a: Number, b: Number) -> Number:
    """a + b, where one of them may be nothing."""
    return b if type(a) is float and a == 0.0 else a if type(b) is float and b == 0.0 else a + b


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


def pulled(y: Value, xs: Sequence[Value]) -> list[Number]:
    """The reverse pass as a graph: the derivative of y by each of xs, None where y does not depend on it."""
    between, active = _active([y], xs)
    flows: dict[int, Number | _Flow] = {id(y): 1.0}  # by the ids of nodes
    watch, traced = watching.get(), tracing.get() is not None
    unreached = getattr(watch, "unreached", None)
    with Block(watching, None):  # a watch is shown what passes, not how a partial computes it
        for node in reversed(between):
            flow = flows[id(node)]  # what flows to it has been here
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
    waiting = distinct([x for x in xs if has_hook(x)])
    heard = Identities.fromkeys(between if waiting else ())
    for x in waiting:
        if id(x) in flows and x not in heard:
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


def pushed(ys: Iterable[Number], xs: Sequence[Value], moves: Sequence[Number], graph: bool) -> list[Number]:
    """The forward pass: how much each of ys changes when xs change by these moves, None where it doesn't at all."""
    ys = list(ys)
    if not graph:
        for y in ys:
            if isinstance(y, Value):
                tell(y, "a gradient that is no graph")
    between, active = _active([y for y in ys if isinstance(y, Value)], xs)
    flows: dict[int, Number | _Flow] = {}
    for x, move in zip(xs, moves):  # a module that stands in two places moves by both
        flows[id(x)] = flows[id(x)] + move if id(x) in flows else move
    traced = graph and tracing.get() is not None
    watch = watching.get()
    watched = getattr(watch, "moved", None)
    with Block(watching, watch if watched is None else None):  # it is shown the changes, not how a partial is computed
        for node in between:
            moved = flows.get(id(node))
            for arg, slope, gate in _slopes(node, active, graph):
                if id(arg) in flows:
                    moved = _joined(moved, _passed(flows[id(arg)], slope, gate, node, traced))
            if moved is not None:
                flows[id(node)] = moved
                if watched is not None:
                    watched(node, _plain(_number(moved)))
    return [_number(flows.get(id(y))) for y in ys]
