"""Find out which call of which neuron each node belongs to, and so which box of which module.

A neuron marks its output as its own (`node.scope`). What leads from its parameters to that output belongs to the call,
and a call belongs to the neuron, the layer and the model that the neuron is in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from reprlib import repr as short_repr
from typing import NamedTuple, TypeAlias

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.pictures.samples import sample_numbers, values_of


class Call(NamedTuple):
    """What the nodes of a module's box have in common: of which sample, of which module, in which call of it."""

    sample: int
    path: str
    ordinal: int


class Parameters(NamedTuple):
    """What parameters have in common that several boxes of a module use."""

    path: str


class Leaves(NamedTuple):
    """What other leaves have in common: what their names begin with, and the boxes that use them."""

    stem: str
    users: frozenset[Key | None]


Key: TypeAlias = Call | Parameters | Leaves


class Scopes:
    """Where the nodes of a graph stand in the modules.

    Attributes:
        calls: the outputs of neurons, one for each call.
        chains: by a module's id, the names of those that it is in, the outermost first, and its own.
        owners: of parameters, the id of their neuron.
        home: of nodes that operations made, the index of the call that they belong to.
        sample: of nodes, the number of the sample that they belong to.
        depth: how many modules stand in each other.
        samples: how many samples there are.

    Args:
        nodes: arguments before results.
        modules: those at the top, by name.
    """

    def __init__(self, nodes: Sequence[Value], modules: Sequence[tuple[str, Module]]) -> None:
        self.calls = [node for node in nodes if node.op is not None and isinstance(node.scope, Module)]
        self.chains: dict[int, tuple[str, ...]] = {}
        self.owners: Identities[Value, int] = Identities()
        self.home: Identities[Value, int] = Identities()
        self.sample: Identities[Value, int] = Identities()
        self._paths: set[str] = set()
        if self.calls:
            self._name(modules)
            self._claim(nodes)
            self.sample = sample_numbers(nodes, self.home)
        self.depth = max([len(self.chains[id(call.scope)]) for call in self.calls], default=0)
        self.samples = len(set(self.sample.values()))

    def _name(self, modules: Sequence[tuple[str, Module]]) -> None:
        """Fill `chains` and `owners`."""
        for top, module in modules:
            names = {"": top}
            for path, part in module.named_modules():
                names[path] = f"{top}.{path}" if path else top
                parts = path.split(".") if path else []
                outer = [names[before] for i in range(len(parts)) if (before := ".".join(parts[:i])) in names]
                self.chains.setdefault(id(part), (*outer, names[path]))
        for call in self.calls:
            self._paths.update(self.chains.setdefault(id(call.scope), (repr(call.scope),)))
        for scope in {id(call.scope): call.scope for call in self.calls}.values():
            for parameter in scope.parameters():
                self.owners.setdefault(parameter, id(scope))

    def _claim(self, nodes: Sequence[Value]) -> None:
        """Fill `home`: a call claims what depends on its neuron's parameters and lies under its output."""
        # of a node that depends on the parameters of one neuron alone, not counting what neurons gave out: which
        rests: Identities[Value, int] = Identities()
        for node in nodes:
            if node.op is not None:
                on = {rests.get(arg, self.owners.get(arg)) for arg in values_of(node) if arg.scope is None}
                on.discard(None)
                if len(on) == 1:
                    rests[node] = on.pop()  # type: ignore[assignment]
        for i, call in enumerate(self.calls):
            stack = [call]
            while stack:
                node = stack.pop()
                if node not in self.home:
                    self.home[node] = i
                    inner = [arg for arg in values_of(node) if arg.op is not None and arg.scope is None]
                    stack += [arg for arg in inner if rests.get(arg) == id(call.scope)]

    def opened(self, wanted: str | Module | Iterable[str | Module]) -> set[str]:
        """The names of the boxes to be opened, and of those around them.

        Raises:
            ValueError: no box has the name of one of them.
        """
        opened: set[str] = set()
        samples = {f"sample {i}" for i in range(self.samples)} if self.samples > 1 else set()
        for one in [wanted] if isinstance(wanted, (str, Module)) else wanted:
            name = one if isinstance(one, str) else self.chains.get(id(one), (repr(one),))[-1]
            name = name.partition(" (")[0]
            if name not in self._paths | samples:
                if not self._paths:
                    raise ValueError(f"open={short_repr(one)}: nothing in this graph is folded, it has no neurons")
                raise unknown("box to open,", name, self._paths | samples)
            opened.add(name)
            for chain in self.chains.values():
                opened.update(chain[: chain.index(name)] if name in chain else ())
        return opened

    def keys(self, depth: int, opened: set[str]) -> Identities[Value, Key]:
        """Of each made node that goes into a box, its key.

        Args:
            depth: how deep to look into modules; at -1 all calls of a module for one sample share a box.
            opened: the names of boxes that are opened all the same.
        """
        places: list[Call | None] = []
        tops: dict[int, set[Call]] = {}
        called: Counter[tuple[int, int]] = Counter()
        for call in self.calls:
            chain, sample = self.chains[id(call.scope)], self.sample[call]
            ordinal = called[id(call.scope), sample] if depth >= 0 else 0
            called[id(call.scope), sample] += 1
            tops.setdefault(sample, set()).add(Call(sample, chain[0], ordinal))
            top = f"sample {sample}" not in opened  # an opened sample opens the outermost module
            closed = [name for i, name in enumerate(chain) if i >= depth and name not in opened and (i or top)]
            places.append(Call(sample, closed[0], ordinal) if closed else None)
        keys: Identities[Value, Key] = Identities()
        for node, i in self.home.items():
            if place := places[i]:
                keys[node] = place
        whole = set(places)
        for node, sample in self.sample.items():  # what lies between the neurons of a sample goes into its only box
            if node not in keys and len(tops.get(sample, ())) == 1:
                (only,) = tops[sample]
                if only in whole:
                    keys[node] = only
        return keys
