"""Find out which sample of a batch each node belongs to: what is joined by edges on the way to the neurons' outputs."""

from __future__ import annotations

from collections.abc import Container, Sequence

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value


def values_of(node: Value) -> list[Value]:
    """The arguments of a node that are Values."""
    return [arg for arg in node.args if isinstance(arg, Value)]


def sample_numbers(nodes: Sequence[Value], home: Container[Value]) -> Identities[Value, int]:
    """Of each node that belongs to one sample, its number.

    Nodes that feed neurons are of one sample where an edge joins them. What only one sample gives is its own, such as
    its loss.

    Args:
        nodes: arguments before results.
        home: those that belong to a call of a neuron.
    """
    inside = Identities.fromkeys(nodes)
    feeding: Identities[Value, None] = Identities()
    for node in reversed(nodes):
        if node in home or node in feeding:
            feeding |= Identities.fromkeys([node, *_made(node)])
    leaders = _Leaders()
    for node in nodes:
        if node in feeding:
            leaders.add(node)
            for arg in _made(node):
                if arg in inside:
                    leaders.join(arg, node)
    numbers: Identities[Value, int] = Identities()
    sample: Identities[Value, int] = Identities()
    for node in nodes:
        if node in feeding:
            sample[node] = numbers.setdefault(leaders.of(node), len(numbers))
    for node in nodes if len(numbers) > 1 else ():
        if node.op is not None and node not in feeding:
            of = {sample.get(arg) for arg in _made(node) if arg in inside}
            number = of.pop() if len(of) == 1 else None
            if number is not None:
                sample[node] = number
    return sample


def _made(node: Value) -> list[Value]:
    return [arg for arg in values_of(node) if arg.op is not None]


class _Leaders:
    """Groups of nodes, each with a leader: the union-find of Galler and Fischer (1964), with path halving."""

    def __init__(self) -> None:
        self._leader: Identities[Value, Value] = Identities()

    def add(self, node: Value) -> None:
        self._leader[node] = node

    def of(self, node: Value) -> Value:
        while self._leader[node] is not node:
            self._leader[node] = self._leader[self._leader[node]]
            node = self._leader[node]
        return node

    def join(self, one: Value, other: Value) -> None:
        self._leader[self.of(one)] = self.of(other)
