"""Put the nodes of a graph into boxes, and join the boxes by edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import one_line
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.modules import Call, Function, Key, Leaves, Parameters, Scopes


@dataclass(slots=True)
class Box:
    """What is drawn as one: a node by itself, a sum of many terms, or the members of a group under one title."""

    id: str
    members: list[Value]  # of a sum its additions, the first one first
    title: str = ""  # "" for a node by itself, or a sum
    path: str = ""  # the name by which it is opened
    parameters: int = 0
    neurons: int = 0
    output: Value | None = None  # the only member that is used outside
    frames: tuple[Frame, ...] = ()  # around it, the outermost first

    @property
    def node(self) -> Value:
        """What stands in the picture where this is a node by itself, or a sum."""
        return self.members[-1]

    @property
    def terms(self) -> list[tuple[Value, int]]:
        """What leads into a node by itself, or into a sum: who takes it, and as which argument.

        Python's sum begins with a 0, which is no term.
        """
        first, *others = self.members
        begins = 1 if others and isinstance(first.args[0], float) and first.args[0] == 0.0 else 0
        return [(first, place) for place in range(begins, len(first.args))] + [(node, 1) for node in others]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn around the boxes of a neuron, or of a function that is open."""

    id: str
    title: str
    path: str = ""  # of a neuron: inside, its parameters are called by what follows
    layer: str = ""  # of a neuron: those of one layer stand one under another


@dataclass(frozen=True, slots=True)
class Edge:
    """An argument of a node, at its place; or, into a group, all that leads there from one box."""

    tail: str
    head: str
    count: int = 1
    node: Value | None = None
    place: int | None = None
    term: int = 0  # its place among all that leads into the head
    again: str = ""  # where it begins instead, if that is too far away

    @property
    def id(self) -> str:
        """Of both ends, and of the place among the arguments: x * x has two edges."""
        return f"{self.tail}-{self.head}" if self.place is None else f"{self.tail}-{self.head}-{self.term}"


@dataclass(slots=True)
class Folded:
    """The boxes, arguments before results; the edges between them; and how it became so small."""

    boxes: list[Box]
    edges: list[Edge]
    hidden: dict[str, int] = field(default_factory=dict)  # behind which box how many nodes are left out
    far: set[str] = field(default_factory=set)  # edges, by id, that begin at a name instead of their box
    captions: list[str] = field(default_factory=list)


def box_up(
    nodes: Sequence[Value],
    roots: Sequence[Value],
    keys: Identities[Value, Key],
    scopes: Scopes,
    number: Mapping[Value, int],
    sums: Identities[Value, list[Value]],
) -> Folded:
    """The boxes and the edges between them.

    Args:
        nodes: what is drawn, arguments before results.
        roots: the results among them.
        keys: of the nodes that share a box: nodes of one key are in one box, a node without a key is by itself.
        scopes: where the nodes stand in the modules.
        number: of each node, for its id.
        sums: by the last addition of each long sum, all of them.
    """
    groups: dict[Key, Box] = {}
    boxes: list[Box] = []
    home: Identities[Value, Box] = Identities()
    inside = Identities((node, last) for last, stair in sums.items() for node in stair)
    for node in nodes:
        key = keys.get(node)
        if node in inside:
            if node not in sums:
                continue  # it comes with the last one
            box = Box(f"n{number[node]}", sums[node])
            boxes.append(box)
            home |= Identities.fromkeys(sums[node], box)
            continue
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
    uses = _crossing(nodes, home)
    _describe(groups, scopes, _outputs(roots, uses, home))
    return Folded(boxes, _edges(uses, keys, home, scopes))


_Use = tuple[Value, int, Value]  # who uses, as which argument, what


def _edges(uses: list[_Use], keys: Identities[Value, Key], home: Identities[Value, Box], scopes: Scopes) -> list[Edge]:
    """An edge for each use of a node by one that stands by itself; into a group, one from each box, for its values."""
    edges: list[Edge] = []
    terms: dict[str, dict[tuple[int, int], int]] = {}  # by box: at which place among all each argument is
    merged: dict[tuple[str, str], Identities[Value, None]] = {}
    for node, place, arg in uses:
        if node in keys:
            merged.setdefault((home[arg].id, home[node].id), Identities())[arg] = None
        else:
            box = home[node]
            if box.id not in terms:
                terms[box.id] = {(id(taker), at): i for i, (taker, at) in enumerate(box.terms)}
            edges.append(Edge(home[arg].id, box.id, 1, node, place, terms[box.id][id(node), place]))
    functions = {home[node].id: key for node, key in keys.items() if isinstance(key, Function)}
    ranks = {name: scopes.arguments(key) for name, key in functions.items()}

    def first_argument(item: tuple[tuple[str, str], Identities[Value, None]]) -> int:
        (_, head), values = item
        return min([ranks[head].get(value, 0) for value in values]) if head in ranks else 0

    into: Counter[str] = Counter()
    for (tail, head), values in sorted(merged.items(), key=first_argument):
        edges.append(Edge(tail, head, len(values), term=into[head]))
        into[head] += 1
    return edges


def _crossing(nodes: Sequence[Value], home: Identities[Value, Box]) -> list[_Use]:
    """The uses of nodes that do not stay inside one group."""
    uses = [(node, place, arg) for node in nodes for place, arg in enumerate(node.args) if isinstance(arg, Value)]
    return [
        (node, place, arg)
        for node, place, arg in uses
        if arg in home and not (home[arg] is home[node] and len(home[node].members) > 1)
    ]


def _outputs(roots: Sequence[Value], uses: list[_Use], home: Identities[Value, Box]) -> dict[str, list[Value]]:
    """By the id of a box, which of its members are results or are used outside of it."""
    outputs: dict[str, Identities[Value, None]] = {}
    for value in [*roots, *[arg for _, _, arg in uses]]:
        outputs.setdefault(home[value].id, Identities())[value] = None
    return {name: list(values) for name, values in outputs.items()}


def _describe(groups: dict[Key, Box], scopes: Scopes, outputs: dict[str, list[Value]]) -> None:
    """Write into the boxes of groups what they are called and what they hold."""
    called = {(key.path, key.ordinal) for key in groups if isinstance(key, Call)}
    for key, box in groups.items():
        box.parameters = sum([member in scopes.owners for member in box.members])
        box.neurons = len({id(scopes.calls[scopes.home[node]].scope) for node in box.members if node in scopes.home})
        used = outputs.get(box.id, [])
        if len(used) == 1 and isinstance(key, (Call, Function)):
            box.output = used[0]
        match key:
            case Parameters(path):
                box.title = f"parameters of {path}"
            case Leaves(stem, _):
                box.title = stem or "leaves"
            case Function():
                box.path, box.title = key.path, scopes.title(key)
            case Call(sample, path, ordinal):
                box.path = path
                call = f", call {ordinal}" if ordinal or (path, 1) in called else ""
                box.title = (f"sample {sample}, " if scopes.samples > 1 else "") + path + call
        box.title = one_line(box.title, len(box.title)) or "?"  # a block's name may hold letters that XML does not
