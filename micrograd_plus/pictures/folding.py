"""Make a small graph of a large one: by neuron, layer and module, by sample, along a path, or near the root.

A neuron marks its output as its own (`node.scope`). Its box holds what leads from its parameters to that output. A
layer's box holds those of its neurons, a model's box those of its layers, and one box stands for each sample, where the
model was called several times. A box is drawn where its members would be; edges that become one bear their number.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module

EDGES = 4  # for each box that may be drawn: what takes Graphviz a second, too
Key = tuple[Any, ...]  # what the nodes of one box have in common


@dataclass(slots=True)
class Box:
    """What is drawn as one: a node by itself, or the members of a group under one title."""

    id: str
    members: list[Value]
    title: str = ""  # "" for a node by itself
    path: str = ""  # the name by which it is opened
    parameters: int = 0
    neurons: int = 0
    output: Value | None = None  # the only member that is used outside


@dataclass(frozen=True, slots=True)
class Edge:
    """An argument of a node, at its place; or, into a group, all that leads there from one box."""

    tail: str
    head: str
    count: int = 1
    node: Value | None = None
    place: int | None = None
    again: str = ""  # where it begins instead, if that is too far away

    @property
    def id(self) -> str:
        """Of both ends, and of the place among the arguments: x * x has two edges."""
        return f"{self.tail}-{self.head}" if self.place is None else f"{self.tail}-{self.head}-{self.place}"


@dataclass(slots=True)
class Folded:
    """The boxes, arguments before results; the edges between them; and how it became so small."""

    boxes: list[Box]
    edges: list[Edge]
    hidden: dict[str, int] = field(default_factory=dict)  # behind which box how many nodes are left out
    far: set[str] = field(default_factory=set)  # edges, by id, that begin at a name instead of their box
    captions: list[str] = field(default_factory=list)


def fold(
    nodes: Sequence[Value],
    roots: Sequence[Value],
    modules: Sequence[tuple[str, Module]],
    names: Mapping[Value, str],
    *,
    number: Mapping[Value, int],
    limit: int,
    depth: int | None = None,
    open: str | Module | Iterable[str | Module] = (),
) -> Folded:
    """The graph of these nodes with no more than about `limit` boxes.

    Args:
        nodes: what to draw, arguments before results.
        roots: the results among them.
        modules: those at the top, by name; `naming.named_modules` finds them.
        names: of the nodes, for the titles of boxes.
        number: of each node, for its id: `n` and this number.
        limit: how many boxes may be drawn.
        depth: 0 for a box for each call of a model, 1 for its layers, 2 for their neurons, more for every node; None
            for as deep as the limit allows.
        open: names of boxes, or modules, that are to be opened all the same.

    Raises:
        ValueError: no box has the name of one that is to be opened.
    """
    scopes = _Scopes(nodes, modules)
    opened = scopes.opened(open)
    if depth is not None or not scopes.calls:
        tries = [scopes.depth if depth is None else min(depth, scopes.depth)]
    else:
        tries = list(range(scopes.depth, -2, -1))
    for level in tries:
        keys = Identities() if level >= scopes.depth and not opened else scopes.keys(level, opened)
        if not keys and len(nodes) > limit and level != tries[-1]:
            continue
        keys = _with_leaves(nodes, keys, scopes, names)
        folded = _boxes(nodes, roots, keys, scopes, number)
        if len(folded.boxes) <= limit and len(folded.edges) <= EDGES * limit:
            break
    if keys:
        most = f"{len(nodes):,} nodes in {len(folded.boxes):,} boxes"
        paths = [box.path for box in folded.boxes if box.path]
        hint = f"; open one by its name, such as open={paths[0]!r}" if paths else ""
        folded.captions.append(f"folded: {most}{hint}")
    return folded


class _Scopes:
    """Which neuron's call each node belongs to, and which sample."""

    def __init__(self, nodes: Sequence[Value], modules: Sequence[tuple[str, Module]]) -> None:
        self.nodes = nodes
        self.calls = [node for node in nodes if node.op is not None and isinstance(node.scope, Module)]
        self.chains: dict[int, tuple[str, ...]] = {}  # by a module's id: those it is in by name, the top first; its own
        self.owners: Identities[Value, int] = Identities()  # of parameters: the id of their neuron
        self.home: Identities[Value, int] = Identities()  # of nodes that operations made: the index of the call
        self.sample: Identities[Value, int] = Identities()
        self.paths: set[str] = set()
        self.known: dict[int, str] = {}
        if self.calls:
            self._name(modules)
            self._claim()
            self._sample()
        self.depth = max([len(self.chains[id(call.scope)]) for call in self.calls], default=0)
        self.samples = len(set(self.sample.values()))

    def _name(self, modules: Sequence[tuple[str, Module]]) -> None:
        for top, module in modules:
            names = {"": top}
            for path, part in module.named_modules():
                name = f"{top}.{path}" if path else top
                names[path] = name
                parts = path.split(".") if path else []
                outer = [names[before] for i in range(len(parts)) if (before := ".".join(parts[:i])) in names]
                self.chains.setdefault(id(part), (*outer, name))
                self.known.setdefault(id(part), name)
        for call in self.calls:
            chain = self.chains.setdefault(id(call.scope), (repr(call.scope),))
            self.paths.update(chain)
        for scope in {id(call.scope): call.scope for call in self.calls}.values():
            for parameter in scope.parameters():
                self.owners.setdefault(parameter, id(scope))

    def _claim(self) -> None:
        """A call claims what depends on its neuron's parameters and lies under its output."""
        rests: Identities[Value, int] = (
            Identities()
        )  # on the parameters of which neuron alone, not counting what neurons gave out
        for node in self.nodes:
            if node.op is not None:
                on = {rests.get(arg, self.owners.get(arg)) for arg in _values(node) if arg.scope is None}
                on.discard(None)
                if len(on) == 1:
                    rests[node] = on.pop()  # type: ignore[assignment]
        for i, call in enumerate(self.calls):
            stack = [call]
            while stack:
                node = stack.pop()
                if node not in self.home:
                    self.home[node] = i
                    inner = [arg for arg in _values(node) if arg.op is not None and arg.scope is None]
                    stack += [arg for arg in inner if rests.get(arg) == id(call.scope)]

    def _sample(self) -> None:
        """Nodes that feed neurons are of one sample where an edge joins them; what only one sample gives is its own."""
        feeding: Identities[Value, None] = Identities()
        leader: Identities[Value, Value] = Identities()

        def lead(node: Value) -> Value:
            while leader[node] is not node:
                leader[node] = leader[leader[node]]
                node = leader[node]
            return node

        for node in reversed(self.nodes):
            if node in self.home or node in feeding:
                feeding |= Identities.fromkeys([node, *[arg for arg in _values(node) if arg.op is not None]])
        inside = Identities.fromkeys(self.nodes)
        for node in self.nodes:
            if node in feeding:
                leader[node] = node
                for arg in _values(node):
                    if arg.op is not None and arg in inside:
                        leader[lead(arg)] = lead(node)
        numbers: Identities[Value, int] = Identities()
        for node in self.nodes:
            if node in feeding:
                self.sample[node] = numbers.setdefault(lead(node), len(numbers))
        for node in self.nodes if len(numbers) > 1 else ():
            if node.op is not None and node not in feeding:
                of = {self.sample.get(arg, -1) for arg in _values(node) if arg.op is not None and arg in inside}
                if len(of) == 1 and of != {-1}:
                    self.sample[node] = of.pop()

    def opened(self, wanted: str | Module | Iterable[str | Module]) -> set[str]:
        """The names of the boxes to be opened, and of those around them."""
        opened: set[str] = set()
        samples = {f"sample {i}" for i in range(self.samples)} if self.samples > 1 else set()
        for one in [wanted] if isinstance(wanted, (str, Module)) else wanted:
            name = one if isinstance(one, str) else self.known.get(id(one), repr(one))
            name = name.partition(" (")[0]
            if name not in self.paths | samples:
                if not self.paths:
                    raise ValueError(f"open={short_repr(one)}: nothing in this graph is folded, it has no neurons")
                raise unknown("box to open,", name, self.paths | samples)
            opened.add(name)
            for chain in self.chains.values():
                opened.update(chain[: chain.index(name)] if name in chain else ())
        return opened

    def keys(self, depth: int, opened: set[str]) -> Identities[Value, Key]:
        """For each made node that goes into a box: of which sample, which module, and which call of it.

        At depth -1 all calls of a module for one sample share a box.
        """
        keys: Identities[Value, Key] = Identities()
        places: list[Key | None] = []
        tops: dict[int, set[Key]] = {}
        called: Counter[tuple[int, int]] = Counter()
        for call in self.calls:
            chain, sample = self.chains[id(call.scope)], self.sample[call]
            ordinal = called[id(call.scope), sample] if depth >= 0 else 0
            called[id(call.scope), sample] += 1
            tops.setdefault(sample, set()).add((sample, chain[0], ordinal))
            unopened = [
                name
                for i, name in enumerate(chain)
                if i >= depth and name not in opened and not (i == 0 and f"sample {sample}" in opened)
            ]
            places.append((sample, unopened[0], ordinal) if unopened else None)
        for node, i in self.home.items():
            place = places[i]
            if place is not None:
                keys[node] = place
        whole = set(places)
        for node, sample in self.sample.items():
            if node not in keys and len(tops.get(sample, ())) == 1:
                (top,) = tops[sample]
                if top in whole:
                    keys[node] = top
        return keys


def _with_leaves(
    nodes: Sequence[Value], keys: Identities[Value, Key], scopes: _Scopes, names: Mapping[Value, str]
) -> Identities[Value, Key]:
    """Where the leaves go, too: into the box that alone uses them, else into one of their own kind."""
    if not keys:
        return keys
    users: Identities[Value, set[Key | None]] = Identities()
    for node in nodes:
        for arg in _values(node):
            if arg.op is None:
                users.setdefault(arg, set()).add(keys.get(node))
    kinds: Identities[Value, Key] = Identities()
    for leaf, boxes in users.items():
        if leaf in scopes.owners:
            folded = [box for box in boxes if box is not None]
            if len(boxes) == 1 and folded:
                keys[leaf] = folded[0]
            elif folded:
                paths = {box[1] for box in folded}
                chain = scopes.chains[scopes.owners[leaf]]
                keys[leaf] = ("parameters", next(path for path in chain if path in paths))
        elif None not in boxes:
            stem = names.get(leaf, "").rpartition("[")[0]
            kinds[leaf] = ("leaves", stem, frozenset(boxes))
    often = Counter(kinds.values())
    keys |= Identities((leaf, kind) for leaf, kind in kinds.items() if often[kind] > 1)
    return keys


def _boxes(
    nodes: Sequence[Value],
    roots: Sequence[Value],
    keys: Identities[Value, Key],
    scopes: _Scopes,
    number: Mapping[Value, int],
) -> Folded:
    groups: dict[Key, Box] = {}
    boxes: list[Box] = []
    home: Identities[Value, Box] = Identities()
    for node in nodes:
        key = keys.get(node)
        if key is None:
            box = Box(f"n{number[node]}", [node])
            boxes.append(box)
        elif key in groups:
            box = groups[key]
            box.members.append(node)
        else:
            box = groups[key] = Box(f"g{len(groups)}", [node])
            boxes.append(box)
        home[node] = box
    edges: list[Edge] = []
    merged: Counter[tuple[str, str]] = Counter()
    outputs: dict[str, Identities[Value, None]] = {}
    for root in roots:
        outputs.setdefault(home[root].id, Identities())[root] = None
    for node in nodes:
        head = home[node]
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value) and arg in home:
                tail = home[arg]
                if tail is head and len(head.members) > 1:
                    continue
                outputs.setdefault(tail.id, Identities())[arg] = None
                if keys.get(node) is None:
                    edges.append(Edge(tail.id, head.id, 1, node, place))
                else:
                    merged[tail.id, head.id] += 1
    edges += [Edge(tail, head, count) for (tail, head), count in merged.items()]
    called = {key[1:] for key in groups if key[0] not in ("parameters", "leaves")}
    for key, box in groups.items():
        box.parameters = sum([member in scopes.owners for member in box.members])
        box.neurons = len({id(scopes.calls[scopes.home[node]].scope) for node in box.members if node in scopes.home})
        if len(used := outputs.get(box.id, Identities())) == 1 and box.neurons:
            box.output = next(iter(used))
        if key[0] == "parameters":
            box.title = f"parameters of {key[1]}"
        elif key[0] == "leaves":
            box.title = key[1] or "leaves"
        else:
            sample, box.path, ordinal = key
            times = f", call {ordinal}" if ordinal or (box.path, 1) in called else ""
            box.title = (f"sample {sample}, " if scopes.samples > 1 else "") + box.path + times
    return Folded(boxes, edges)


def _values(node: Value) -> list[Value]:
    return [arg for arg in node.args if isinstance(arg, Value)]


def between(nodes: Sequence[Value], ends: Iterable[Value]) -> list[Value]:
    """Those of the nodes that lie on a path from one of the ends to a result.

    >>> from micrograd_plus import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> c = a * a + b
    >>> from micrograd_plus.engine import toposort
    >>> [node.data for node in between(toposort(c), [a])]
    [2.0, 4.0, 7.0]
    """
    on = Identities.fromkeys(ends)
    for node in nodes:
        if any(arg in on for arg in _values(node)):
            on[node] = None
    return [node for node in nodes if node in on]


def nearest(folded: Folded, roots: Sequence[Value], k: int) -> Folded:
    """The k boxes nearest to the roots, counted in edges; behind the outermost it is told how many are left out."""
    if len(folded.boxes) <= k:
        return folded
    by_id = {box.id: box for box in folded.boxes}
    tails: dict[str, list[str]] = {}
    for edge in folded.edges:
        tails.setdefault(edge.head, []).append(edge.tail)
    wanted = Identities.fromkeys(roots)
    queue = deque([box.id for box in folded.boxes if any(member in wanted for member in box.members)])
    seen = dict.fromkeys(queue)
    while queue:
        for tail in tails.get(queue.popleft(), ()):
            if tail not in seen:
                seen[tail] = None
                queue.append(tail)
    kept = set(islice(seen, k))
    behind: dict[str, str] = {}  # each box that is left out stands behind one that is kept, but for results
    hidden: Counter[str] = Counter()
    for head in seen:  # in the order of their distance, so a head is reached before its tails
        if front := head if head in kept else behind.get(head):
            new = {tail for tail in tails.get(head, ()) if tail not in kept and tail not in behind}
            behind.update(dict.fromkeys(new, front))
            if new:
                hidden[front] += sum([len(by_id[tail].members) for tail in new])
    edges = [edge for edge in folded.edges if edge.head in kept and edge.tail in kept]
    left = sum([len(box.members) for box in folded.boxes if box.id not in kept])
    what = "boxes" if any(box.title for box in folded.boxes) else "nodes"
    caption = f"the {len(kept):,} {what} nearest to the result; {left:,} more nodes are not shown"
    boxes = [box for box in folded.boxes if box.id in kept]
    return Folded(boxes, edges, dict(hidden), captions=[*folded.captions, caption])


def far(folded: Folded, most: int) -> set[str]:
    """The longest edges, by id, without which the others cross no more than `most` columns of the picture.

    An edge that skips columns costs Graphviz a node in each of them, and its time grows with the square of their
    number: one leaf that is used by each of 100 nodes in a row takes 5 s.
    """
    heads: dict[str, list[str]] = {}
    missing: Counter[str] = Counter()
    for edge in folded.edges:
        heads.setdefault(edge.tail, []).append(edge.head)
        missing[edge.head] += 1
    rank = dict.fromkeys([box.id for box in folded.boxes], 0)
    ready = [box.id for box in folded.boxes if not missing[box.id]]
    first = set(ready)
    while ready:
        tail = ready.pop()
        for head in heads.get(tail, ()):
            rank[head] = max(rank[head], rank[tail] + 1)
            missing[head] -= 1
            if not missing[head]:
                ready.append(head)
    for tail in first & heads.keys():
        rank[tail] = min([rank[head] for head in heads[tail]]) - 1  # a leaf stands just before its first use
    skipped = {edge.id: max(0, rank[edge.head] - rank[edge.tail] - 1) for edge in folded.edges}
    total = sum(skipped.values())
    longest: set[str] = set()
    for name, length in sorted(skipped.items(), key=lambda item: -item[1]):
        if total <= most:
            break
        total -= length
        longest.add(name)
    return longest
