"""Find out which call of which neuron or function each node belongs to, and so which box.

A neuron marks its output as its own (`node.scope`). What leads from its parameters to that output belongs to the call,
and a call belongs to the neuron, the layer and the model that the neuron is in. A block of the user's around calls of
neurons stands around the models; all other functions stand inside of them, one level below the neurons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from reprlib import repr as short_repr
from typing import NamedTuple, TypeAlias

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.calls import Scope
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.pictures.functions import arguments_of, calls_around
from micrograd_plus.pictures.samples import sample_numbers, values_of


class Call(NamedTuple):
    """What the nodes of a module's box have in common: of which sample, of which module, in which call of it."""

    sample: int
    path: str
    ordinal: int


class Function(NamedTuple):
    """What the nodes of a function's box have in common: of which sample, of which function, in which call of it."""

    sample: int
    path: str
    ordinal: int
    calls: int  # how many there are for this sample


class Parameters(NamedTuple):
    """What parameters have in common that several boxes of a module use."""

    path: str


class Leaves(NamedTuple):
    """What other leaves have in common: what their names begin with, and the boxes that use them."""

    stem: str
    users: frozenset[Key | None]


Key: TypeAlias = Call | Function | Parameters | Leaves


def is_output(node: Value) -> bool:
    """Whether a neuron gave it."""
    return isinstance(node.scope, Module)


class Scopes:
    """Where the nodes of a graph stand in the modules.

    Attributes:
        calls: the outputs of neurons, one for each call.
        chains: by a module's id, the names of those that it is in, the outermost first, and its own.
        owners: of parameters, the id of their neuron.
        home: of nodes that operations made, the index of the call that they belong to.
        sample: of nodes, the number of the sample that they belong to.
        around: of nodes that operations made, the calls of functions that they were made in, the outermost first.
        outer: of each call, the blocks around it.
        holders: all of these blocks.
        functions: the keys of calls of functions.
        depth: how many modules stand in each other, and blocks around them.
        levels: the same, and how many functions inside of these.
        samples: how many samples there are.

    Args:
        nodes: arguments before results.
        modules: those at the top, by name.
    """

    def __init__(self, nodes: Sequence[Value], modules: Sequence[tuple[str, Module]]) -> None:
        self.calls = [node for node in nodes if node.op is not None and is_output(node)]
        self.chains: dict[int, tuple[str, ...]] = {}
        self.owners: Identities[Value, int] = Identities()
        self.home: Identities[Value, int] = Identities()
        self.sample: Identities[Value, int] = Identities()
        self._paths: set[str] = set()
        if self.calls:
            self._name(modules)
            self._claim(nodes)
            self.sample = sample_numbers(nodes, self.home)
        self.samples = len(set(self.sample.values()))
        self.around = calls_around(nodes)
        self.outer = self._outer()
        self.holders = Identities.fromkeys([block for blocks in self.outer for block in blocks])
        depths = [len(self.chains[id(call.scope)]) + len(outer) for call, outer in zip(self.calls, self.outer)]
        self.depth = max(depths, default=0)
        self.levels = self.depth + max([len(self.inner(node)) for node in self.around], default=0)
        self.functions = self._functions()
        self._calls = {key: call for call, key in self.functions.items()}

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
                on = {rests.get(arg, self.owners.get(arg)) for arg in values_of(node) if not is_output(arg)}
                on.discard(None)
                if len(on) == 1:
                    rests[node] = on.pop()  # type: ignore[assignment]
        for i, call in enumerate(self.calls):
            stack = [call]
            while stack:
                node = stack.pop()
                if node not in self.home:
                    self.home[node] = i
                    inner = [arg for arg in values_of(node) if arg.op is not None and not is_output(arg)]
                    stack += [arg for arg in inner if rests.get(arg) == id(call.scope)]

    def _outer(self) -> list[tuple[Scope, ...]]:
        """Of each call the blocks in which all of it was made, but for its output, which remembers its neuron."""
        members: list[list[Value]] = [[] for _ in self.calls]
        for node, i in self.home.items():
            if node is not self.calls[i]:
                members[i].append(node)
        found = []
        for nodes in members:
            first = self.around.get(nodes[0], ()) if nodes else ()
            others = [Identities.fromkeys(self.around.get(node, ())) for node in nodes]
            found.append(tuple([block for block in first if all(block in other for other in others)]))
        return found

    def inner(self, node: Value) -> list[Scope]:
        """The functions that a node was made in, without the blocks around modules."""
        return [call for call in self.around.get(node, ()) if call not in self.holders]

    def _functions(self) -> Identities[Scope, Function]:
        """The keys of the calls of functions, counted for each sample."""
        places: Identities[Scope, tuple[int, str]] = Identities()
        for node, calls in self.around.items():
            for call in calls:
                sample = self.sample.get(node, -1) if self.samples > 1 else 0
                places.setdefault(call, (sample, call.name))
        many = Counter(places.values())
        counted: Counter[tuple[int, str]] = Counter()
        keys: Identities[Scope, Function] = Identities()
        for call, place in places.items():
            keys[call] = Function(*place, counted[place], many[place])
            counted[place] += 1
        return keys

    def title(self, key: Function) -> str:
        """What the box of a function is called, and one of its names for `open`."""
        of_sample = f"sample {key.sample}, " if self.samples > 1 and key.sample >= 0 else ""
        return of_sample + key.path + (f", call {key.ordinal}" if key.calls > 1 else "")

    def arguments(self, key: Function) -> Identities[Value, int]:
        """The places of a function's arguments."""
        call = self._calls[key]
        return Identities((value, i) for i, value in enumerate(arguments_of(call)))

    def place(self, node: Value) -> tuple[int | None, ...]:
        """What stands around a node: which call of a neuron, and which calls of functions."""
        return (self.home.get(node), *[id(call) for call in self.around.get(node, ())])

    def opened(self, wanted: str | Module | Iterable[str | Module]) -> set[str]:
        """The names of the boxes to be opened, and of those around them.

        Raises:
            ValueError: no box has the name of one of them.
        """
        opened: set[str] = set()
        samples = {f"sample {i}" for i in range(self.samples)} if self.samples > 1 else set()
        functions = {name for key in self.functions.values() for name in (key.path, self.title(key))}
        known = self._paths | samples | functions
        for one in [wanted] if isinstance(wanted, (str, Module)) else wanted:
            name = one if isinstance(one, str) else self.chains.get(id(one), (repr(one),))[-1]
            name = name.partition(" (")[0]
            if name not in known:
                if not known:
                    raise ValueError(f"open={short_repr(one)}: nothing in this graph is folded, it has no neurons")
                raise unknown("box to open,", name, known)
            opened.add(name)
            for call, outer in zip(self.calls, self.outer):
                chain = self.chains[id(call.scope)]
                if name in chain:
                    opened.update(chain[: chain.index(name)], map(self._title, outer))
            if name in functions:
                self._open_around(name, opened)
        return opened

    def _open_around(self, name: str, opened: set[str]) -> None:
        """Open the calls of a function, and what is around them."""
        for node, calls in self.around.items():
            titles = [self._title(call) for call in calls]
            for i, call in enumerate(calls):
                if name in (call.name, titles[i]):
                    opened.update(titles[: i + 1])
                    if node in self.home and call not in self.holders:
                        opened.update(self.chains[id(self.calls[self.home[node]].scope)])

    def _title(self, call: Scope) -> str:
        return self.title(self.functions[call])

    def keys(self, depth: int, opened: set[str]) -> Identities[Value, Key]:
        """Of each made node that goes into a box, its key.

        Args:
            depth: how deep to look; at -1 all calls of a module for one sample share a box.
            opened: the names of boxes that are opened all the same.
        """
        places: list[Call | Function | None] = []
        tops: dict[int, set[Call]] = {}
        called: Counter[tuple[int, int]] = Counter()
        for call, outer in zip(self.calls, self.outer):
            chain, sample = self.chains[id(call.scope)], self.sample[call]
            ordinal = called[id(call.scope), sample] if depth >= 0 else 0
            called[id(call.scope), sample] += 1
            tops.setdefault(sample, set()).add(Call(sample, chain[0], ordinal))
            top = f"sample {sample}" not in opened  # an opened sample opens the outermost module
            inner = depth - len(outer)
            closed = [name for i, name in enumerate(chain) if i >= inner and name not in opened and (i or top)]
            around = self._closed(outer, depth, opened)
            places.append(around or (Call(sample, closed[0], ordinal) if closed else None))
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
        for node, calls in self.around.items():
            if node not in keys and (function := self._closed(calls, depth, opened)):
                keys[node] = function
        return keys

    def _closed(self, calls: Sequence[Scope], depth: int, opened: set[str]) -> Function | None:
        """The outermost of these calls that is not opened: blocks around modules open first, functions after these."""
        level = 0
        for call in calls:
            if call not in self.holders:
                level = max(level, self.depth)
            if level >= depth and self._title(call) not in opened:
                return self.functions[call]
            level += 1
        return None
