"""Find out in which calls of functions each node was made: softmax, a loss, a block `with mp.scope(...)`.

What a function gives remembers the call and its arguments (`node.scope`); what lies between is the call's. In a block
each node remembers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.calls import Scope
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.pictures.samples import values_of

Around = Identities[Value, tuple[Scope, ...]]


def calls_around(nodes: Sequence[Value]) -> Around:
    """Of each node that was made in calls of functions, these calls, the outermost first.

    Args:
        nodes: arguments before results.

    >>> from micrograd_plus import mean
    >>> x, y = Value(1.0), Value(2.0)
    >>> out = mean([x, y])
    >>> calls_around([x, y, out.args[0], out])[out.args[0]]
    (<scope mean>,)
    """
    around = _blocks(nodes)
    wanted = Identities.fromkeys(nodes)
    regions = [(call, _between(call, given)) for call, given in _given(nodes).items()]
    for call, region in sorted(regions, key=lambda each: -len(each[1])):  # the outer ones first
        for node in region:
            if node in wanted:
                around[node] = (*around.get(node, ()), call)
    return around


def _blocks(nodes: Sequence[Value]) -> Around:
    """The blocks alone. A neuron's output remembers its neuron instead: it was made where its arguments were."""
    around: Around = Identities()
    for node in nodes:
        if node.op is None:
            continue
        scope = node.scope
        while isinstance(scope, Scope) and scope.args is not None:
            scope = scope.before
        if isinstance(scope, Scope):
            around[node] = tuple(reversed(list(_outwards(scope))))
        elif isinstance(node.scope, Module):
            inner = [around[arg] for arg in values_of(node) if arg in around]
            if inner:
                around[node] = inner[0]
    return around


def _outwards(scope: Any) -> Iterator[Scope]:
    while isinstance(scope, Scope):
        yield scope
        scope = scope.before


def _given(nodes: Sequence[Value]) -> Identities[Scope, list[Value]]:
    """The calls of functions, and what each gave; of two that gave the same, the outer one first."""
    given: Identities[Scope, list[Value]] = Identities()
    for node in nodes:
        if node.op is not None:
            for scope in _outwards(node.scope):
                if scope.args is not None:
                    given.setdefault(scope, []).append(node)
    return given


def _between(call: Scope, given: list[Value]) -> list[Value]:
    """What lies between the arguments of a call and what it gave."""
    arguments = Identities.fromkeys(arguments_of(call))
    inside: Identities[Value, None] = Identities()
    stack = list(given)
    while stack:
        node = stack.pop()
        if node.op is not None and node not in arguments and node not in inside:
            inside[node] = None
            stack += values_of(node)
    return list(inside)


def arguments_of(call: Scope) -> list[Any]:
    """What a function was given, one after the other; nothing is known of a block."""
    given: list[Any] = []
    for arg in call.args or ():
        given.extend(arg if isinstance(arg, tuple) else [arg])
    return given
