"""Place boxes in layers: arguments before results, few crossings, short arrows; no box lies on another or an arrow.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): ranks by
longest paths, order by barycentres, places by least squares under the distances that must be (isotonic regression).
`along` runs from arguments to results, `across` at right angles to it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 12
_LEVEL = 12.0  # points that an arrow may have to go before it is beside the broadest box of its layer
Point = tuple[float, float]  # along, across


@dataclass(frozen=True, slots=True)
class Box:
    """How large a box is."""

    along: float
    across: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """From which box to which, None for outside; and how far from their middles it leaves and arrives."""

    tail: int | None
    head: int | None
    leaves: float = 0.0
    arrives: float = 0.0


@dataclass(frozen=True, slots=True)
class Places:
    """The middles of the boxes, and for each arrow the points that it passes, from border to border."""

    middles: Sequence[Point]
    routes: Sequence[Sequence[Point]]


def place(
    boxes: Sequence[Box], arrows: Sequence[Arrow], chains: Sequence[Sequence[int]], gap: float, apart: float
) -> Places:
    """Where boxes and arrows go.

    Args:
        boxes: their sizes, in the order in which they are to stand where nothing else tells.
        arrows: between them, in the order of the arguments.
        chains: boxes that stand in one layer, in this order.
        gap: how far layers are apart.
        apart: how far boxes of one layer are.

    >>> places = place([Box(20, 10), Box(20, 10), Box(20, 10)], [Arrow(0, 2), Arrow(1, 2)], [], 30, 5)
    >>> places.middles
    [(10.0, 0.0), (10.0, 15.0), (60.0, 7.5)]
    """
    rank = _ranks(len(boxes), arrows, chains)
    layers = _Layers(boxes, arrows, rank, apart)
    layers.order(chains)
    across = layers.places()
    starts, widths, at = [], [], 0.0
    for layer in layers.rows:
        widths.append(max([layers.boxes[i].along for i in layer], default=0.0))
        starts.append(at)
        at += widths[-1] + gap
    middles = [(starts[rank[i]] + widths[rank[i]] / 2, across[i]) for i in range(len(boxes))]
    routes = []
    for arrow, path in zip(arrows, layers.paths):
        route = []
        for i in path:
            start = starts[layers.rank[i]]
            route += [(start, across[i]), (start + widths[layers.rank[i]], across[i])]
        back = -1 if _is_back(arrow, rank) else 1
        if arrow.tail is not None:
            (x, y), half = middles[arrow.tail], boxes[arrow.tail].along / 2
            beyond = [(starts[rank[arrow.tail]] + widths[rank[arrow.tail]], y + arrow.leaves)]
            route[:0] = [(x + back * half, y + arrow.leaves), *(beyond if beyond[0][0] > x + half + _LEVEL else [])]
        if arrow.head is not None:
            (x, y), half = middles[arrow.head], boxes[arrow.head].along / 2
            before = [(starts[rank[arrow.head]], y + arrow.arrives)]
            route += [*(before if before[0][0] < x - half - _LEVEL else []), (x - back * half, y + arrow.arrives)]
        routes.append(route)
    return Places(middles, routes)


def _is_back(arrow: Arrow, rank: Sequence[int]) -> bool:
    return arrow.tail is not None and arrow.head is not None and rank[arrow.tail] > rank[arrow.head]


def forward(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """An order in which arrows lead forward, each from tail to head; those that close a circle are passed over."""
    into: list[list[int]] = [[] for _ in range(count)]
    for tail, head in arrows:
        into[head].append(tail)
    done: dict[int, bool] = {}
    order = []
    for start in range(count):
        stack = [start]
        while stack:
            i = stack[-1]
            if i not in done:
                done[i] = False
                stack += [tail for tail in reversed(into[i]) if tail not in done]
            else:
                stack.pop()
                if not done[i]:
                    done[i] = True
                    order.append(i)
    return order


def _ranks(count: int, arrows: Sequence[Arrow], chains: Sequence[Sequence[int]]) -> list[int]:
    """The layer of each box: after all its arguments, and what is used late stands late."""
    one = list(range(count))  # boxes of one layer are as one
    for chain in chains:
        for i in chain:
            one = [one[chain[0]] if each == one[i] else each for each in one]
    joined = [(one[each.tail], one[each.head]) for each in arrows if each.tail is not None and each.head is not None]
    order = forward(count, joined)
    at = {i: k for k, i in enumerate(order)}
    rank = [0] * count
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for tail, head in joined:
        if at[tail] < at[head]:
            before[head].append(tail)
            after[tail].append(head)
    for i in order:
        rank[i] = max([rank[tail] + 1 for tail in before[i]], default=0)
    for i in reversed(order):
        if len(after[i]) > len(before[i]):
            rank[i] = min([rank[head] for head in after[i]]) - 1
    return [rank[one[i]] for i in range(count)]


class Piece(NamedTuple):
    """A part of an arrow, from one layer to the next."""

    tail: int
    head: int
    leaves: float
    arrives: float


class _Layers:
    """Boxes in layers; where an arrow skips a layer, a box without size keeps its way free."""

    def __init__(self, boxes: Sequence[Box], arrows: Sequence[Arrow], rank: Sequence[int], apart: float) -> None:
        self.boxes = list(boxes)
        self.real = len(boxes)
        self.rank = list(rank)
        self.apart = apart
        self.paths: list[list[int]] = []
        self.pieces: list[Piece] = []  # of arrows, from one layer to the next
        for arrow in arrows:
            first = 0 if arrow.tail is None else rank[arrow.tail] + 1
            after = max(rank) + 1 if arrow.head is None else rank[arrow.head]
            path = list(range(len(self.boxes), len(self.boxes) + max(0, after - first)))
            self.boxes += [Box(0.0, 0.0)] * len(path)
            self.rank += range(first, after)
            self.paths.append(path)
            self._add(arrow, path)
        self.into: list[list[Piece]] = [[] for _ in self.boxes]
        self.out: list[list[Piece]] = [[] for _ in self.boxes]
        for piece in self.pieces:
            self.into[piece.head].append(piece)
            self.out[piece.tail].append(piece)
        self.rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]

    def _add(self, arrow: Arrow, path: Sequence[int]) -> None:
        """The pieces of an arrow: none where it leads back, or stays in a layer."""
        if arrow.tail is None or arrow.head is None or self.rank[arrow.tail] < self.rank[arrow.head]:
            stops = [stop for stop in (arrow.tail, *path, arrow.head) if stop is not None]
            for tail, head in pairwise(stops):
                leaves = arrow.leaves if tail == arrow.tail else 0.0
                self.pieces.append(Piece(tail, head, leaves, arrow.arrives if head == arrow.head else 0.0))

    def order(self, chains: Sequence[Sequence[int]]) -> None:
        """Choose the order in each layer: that of the arguments first, then the best of some sweeps."""
        seen: set[int] = set()
        ends = [i for i in range(len(self.boxes)) if not self.out[i]]
        stack = list(reversed(ends))
        while stack:
            i = stack.pop()
            if i not in seen:
                seen.add(i)
                self.rows[self.rank[i]].append(i)
                pieces = sorted(self.into[i], key=lambda piece: piece.arrives)
                stack += [piece.tail for piece in reversed(pieces)]
        self._keep(chains)
        best, rows = self._crossings(), [list(row) for row in self.rows]
        for sweep in range(SWEEPS):
            if not best:
                break
            self._sweep(forward=sweep % 2 == 1)
            self._keep(chains)
            if (found := self._crossings()) < best:
                best, rows = found, [list(row) for row in self.rows]
        self.rows = rows

    def _sweep(self, *, forward: bool) -> None:
        """Put each box at the mean of those it is joined to in the layer before."""
        for row in self.rows if forward else reversed(self.rows):
            at = self._positions()
            wanted = {}
            for i in row:
                ends = [at[p.tail] + self._share(p.tail, p.leaves) for p in self.into[i]]
                if not forward:
                    ends = [at[p.head] + self._share(p.head, p.arrives) for p in self.out[i]]
                wanted[i] = sum(ends) / len(ends) if ends else float(at[i])
            row.sort(key=lambda i: wanted[i])

    def _keep(self, chains: Sequence[Sequence[int]]) -> None:
        """Let the boxes of a chain change places among themselves until they stand in its order."""
        for chain in chains:
            row = self.rows[self.rank[chain[0]]]
            slots = sorted([row.index(i) for i in chain])
            for slot, i in zip(slots, chain):
                row[slot] = i

    def _positions(self) -> Mapping[int, int]:
        return {i: k for row in self.rows for k, i in enumerate(row)}

    def _share(self, i: int, off: float) -> float:
        """How far from the middle of a box, as a share of it: less than the step from one box to the next."""
        return 0.9 * off / self.boxes[i].across if self.boxes[i].across else 0.0

    def _crossings(self) -> int:
        """How often arrows cross between layers."""
        at, count = self._positions(), 0
        by_layer: dict[int, list[tuple[float, float]]] = {}
        for p in self.pieces:
            ends = at[p.tail] + self._share(p.tail, p.leaves), at[p.head] + self._share(p.head, p.arrives)
            by_layer.setdefault(self.rank[p.tail], []).append(ends)
        for pairs in by_layer.values():
            heads: list[float] = []
            for _, head in sorted(pairs):
                count += len(heads) - bisect_right(heads, head)
                insort(heads, head)
        return count

    def places(self) -> list[float]:
        """How far across each box stands: as near to what it is joined to as the others let it."""
        across = [0.0] * len(self.boxes)
        for row in self.rows:
            for i, place in zip(row, self._apart(row, [0.0] * len(row), [1.0] * len(row))):
                across[i] = place
        for sweep in range(2 * SWEEPS):
            rows = self.rows if sweep % 2 else self.rows[::-1]
            for row in rows:
                wanted, weights = zip(*[self._pull(i, across, sweep) for i in row]) if row else ((), ())
                for i, place in zip(row, self._apart(row, wanted, weights)):
                    across[i] = place
        top = min([across[i] for i in range(self.real)], default=0.0)
        return [place - top for place in across]

    def _pull(self, i: int, across: Sequence[float], sweep: int) -> tuple[float, float]:
        """Where a box would like to be, and how much; at first only its users pull, or its arguments, then both."""
        last = sweep >= SWEEPS
        ends = [(p.tail, across[p.tail] + p.leaves - p.arrives) for p in self.into[i] if last or sweep % 2]
        ends += [(p.head, across[p.head] + p.arrives - p.leaves) for p in self.out[i] if last or not sweep % 2]
        if not ends:
            return across[i], 0.1
        weights = [
            8.0 if i >= self.real and j >= self.real else 2.0 if max(i, j) >= self.real else 1.0 for j, _ in ends
        ]
        total = sum(weights)
        return sum([weight * end for weight, (_, end) in zip(weights, ends)]) / total, total

    def _apart(self, row: Sequence[int], wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
        """Places near the wanted ones, far enough apart: least squares, by pooling what would overlap."""
        offsets, at = [], 0.0
        for k, i in enumerate(row):
            if k:
                small = i >= self.real and row[k - 1] >= self.real
                gap = self.apart * (0.7 if small else 1.0)
                at += (self.boxes[row[k - 1]].across + self.boxes[i].across) / 2 + gap
            offsets.append(at)
        pools: list[tuple[float, float, int]] = []  # the mean, the weight, how many boxes
        for want, weight, offset in zip(wanted, weights, offsets):
            mean, total, count = want - offset, weight, 1
            while pools and pools[-1][0] > mean:
                before, heavy, many = pools.pop()
                mean, total, count = (before * heavy + mean * total) / (heavy + total), heavy + total, many + count
            pools.append((mean, total, count))
        means = [mean for mean, _, count in pools for _ in range(count)]
        return [mean + offset for mean, offset in zip(means, offsets)]
