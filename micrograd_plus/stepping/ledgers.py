"""Which paths through a graph gave how much to one node's gradient."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import fabs, inf, isnan
from typing import NamedTuple, overload

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.letters import printable
from micrograd_plus._support.markup import table
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import is_dust
from micrograd_plus.formulas.numerals import DUST, short
from micrograd_plus.ops.vectors import added

_SHOWN = 20  # entries that str() lists
_LONG = 7  # nodes of a path, after the first


@dataclass(frozen=True, slots=True)
class Entry:
    """What came to a node along one path, or along several that end alike.

    Attributes:
        path: the nodes from the loss to this one, a tuple of as many as it passes. Where there are too many paths to
            list, it starts further down.
        contribution: what came: the product of the derivatives along the path.
        paths: how many paths lead to its start.

    >>> from micrograd_plus.stepping import backprop
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> entry = backprop(a * b).ledger(a)[0]
    >>> entry.contribution, entry.path[-1].label
    (-3.0, 'a')
    """

    path: tuple[Value, ...] = field(repr=False)
    contribution: float
    paths: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class Ledger(Sequence[Entry]):
    """The entries by size, the largest first; together they are the gradient.

    Attributes:
        node: whose gradient it explains.
        entries: an `Entry` for each path, or for all those that end alike.
        gradient: what the backward pass found. While all is finite, rounding alone tells it from `total`.
        names: what each node is called.
        told: the nodes whose names are the user's: those by which a long path is told from another.
        root: the loss.
        warning: which nodes are no longer what their arguments give, in words; "" where there are none.

    >>> from micrograd_plus.stepping import backprop
    >>> x = Value(3.0, label="x")
    >>> ledger = backprop(x * x + 4 * x).ledger(x)
    >>> [entry.contribution for entry in ledger]
    [4.0, 3.0, 3.0]
    >>> ledger.total, ledger.paths
    (10.0, 3)
    """

    node: Value
    entries: tuple[Entry, ...]
    gradient: float
    names: Mapping[Value, str]
    told: Container[Value]
    root: Value
    warning: str = ""

    @property
    def total(self) -> float:
        """The sum of all contributions."""
        return _total(self.entries)

    @property
    def paths(self) -> int:
        """How many paths there are."""
        return sum([entry.paths for entry in self.entries])

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, place: int | slice) -> Entry | tuple[Entry, ...]:
        return self.entries[place]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __repr__(self) -> str:
        return f"<ledger of {self.names[self.node]}: {_counted(self.paths, 'path')}, {self._sum()} in all>"

    def __str__(self) -> str:
        """The largest entries, one a line, and the sum."""
        lines = [*self._lines(), ("sum", self._sum())]
        left = max([len(path) for path, _ in lines])
        right = max([len(contribution) for _, contribution in lines])
        rows = [f"  {path:<{left}}  {contribution:>{right}}" for path, contribution in lines]
        return printable("\n".join([self._title(), *rows[:-1], f"  {'-' * (left + 2 + right)}", rows[-1]]))

    def _repr_html_(self) -> str:
        foot = ("sum", self._sum())
        return table(self._title(), ("path", "contribution"), self._lines(), numbers=[1], foot=foot)

    def _sum(self) -> str:
        """The total; ≈0 where it is nothing but what rounding leaves of contributions that cancel."""
        size = sum([fabs(entry.contribution) for entry in self.entries])
        return f"{DUST} ({short(self.total)}, left by rounding)" if is_dust(self.total, size) else short(self.total)

    def _title(self) -> str:
        title = f"∂{self.names[self.root]}/∂{self.names[self.node]}, the sum over {_counted(self.paths, 'path')}"
        return "; ".join(filter(None, [title, getattr(self, "warning", "")]))  # an older pickle has none

    def _lines(self) -> list[tuple[str, str]]:
        """The largest entries and what they give, and how much the rest gives."""
        lines = [(self._written(entry), short(entry.contribution)) for entry in self.entries[:_SHOWN]]
        if rest := self.entries[_SHOWN:]:
            paths = _counted(sum([entry.paths for entry in rest]), "path")
            lines.append((f"… {paths} more", short(_total(rest))))
        return lines

    def _written(self, entry: Entry) -> str:
        first, *others = entry.path
        if len(others) > _LONG:  # what has a name of its own tells more
            others = [node for node in others[:-1] if node in self.told] + others[-1:]
        names = [self.names[node] for node in others]
        if len(names) > _LONG:
            names[_LONG // 2 : -_LONG // 2] = ["…"]
        elif len(names) < len(entry.path) - 1:
            names.insert(0, "…")
        several = [] if first is self.root else [self.names[self.root], f"… ({_counted(entry.paths, 'path')})"]
        return " → ".join([*several, self.names[first], *names])


def _total(entries: Sequence[Entry]) -> float:
    return added([0.0, *[entry.contribution for entry in entries]])  # type: ignore[no-any-return]


def _counted(count: int, thing: str) -> str:
    if count > 10**9:
        return f"about 10^{len(str(count)) - 1} {thing}s"
    return plural(count, thing)


class Edge(NamedTuple):
    """One use of a node: who used it, the derivative there, and whether nothing passes, for a mask stops all."""

    user: Value
    local: float
    masked: bool


class _Tail(NamedTuple):
    """The end of a path: its first node, what follows it, and the product of the derivatives along it."""

    node: Value
    rest: _Tail | None
    slope: float
    masked: bool  # a mask on the way lets nothing through


def ledger(
    node: Value,
    order: Sequence[Value],
    uses: Mapping[Value, Sequence[Edge]],
    sums: Mapping[Value, float],
    closed: Container[Value],
    names: Mapping[Value, str],
    told: Container[Value],
    limit: int,
    warning: str = "",
) -> Ledger:
    """The paths to a node, found backwards from it: always the end with the largest contribution grows first.

    Args:
        node: whose gradient is explained.
        order: every node that passes something on, results before arguments; the loss is the first.
        uses: the edges that lead into each node.
        sums: the gradient of each node.
        closed: nodes whose gradient is not the sum of what came in, for a hook changed it: paths start there.
        names: how nodes are called.
        told: the nodes whose names are the user's, by which a long path is told from another.
        limit: how many entries there may be.
        warning: which nodes are no longer what their arguments give, in words.
    """
    root = order[0]
    counts = Identities([(root, 1)])
    for each in (*order, node):
        if each not in counts:
            counts[each] = sum([counts[edge.user] for edge in uses.get(each, ())])
    growing = [(0.0, 0, _Tail(node, None, 1.0, False))] if counts[node] or node in closed else []
    done: list[_Tail] = []
    made = 0  # no two alike, so that the heap never compares tails
    while growing:
        tail = heappop(growing)[-1]
        edges = uses.get(tail.node, ())
        if tail.node is root or tail.node in closed or len(edges) > limit - len(done) - len(growing):
            done.append(tail)
            continue
        for edge in edges:
            made += 1
            longer = _Tail(edge.user, tail, edge.local * tail.slope, edge.masked or tail.masked)
            heappush(growing, (_rank(_given(longer, sums)), made, longer))
    entries = [Entry(_nodes(tail), _given(tail, sums), counts[tail.node]) for tail in done]
    entries.sort(key=lambda entry: _rank(entry.contribution))
    return Ledger(node, tuple(entries), sums[node], names, told, root, warning)


def _given(tail: _Tail, sums: Mapping[Value, float]) -> float:
    """What the end of a path brings: the gradient at its first node times the derivatives along it."""
    return 0.0 if tail.masked else sums[tail.node] * tail.slope


def _rank(contribution: float) -> float:
    """Large ones come first, and nan before them."""
    return -inf if isnan(contribution) else -fabs(contribution)


def _nodes(tail: _Tail) -> tuple[Value, ...]:
    nodes = []
    at: _Tail | None = tail
    while at is not None:
        nodes.append(at.node)
        at = at.rest
    return tuple(nodes)
