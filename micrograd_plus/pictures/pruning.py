"""Choose what of a large picture is left out: what lies on no path, what is far from the result, edges too long."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import islice

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.pictures.boxes import Folded
from micrograd_plus.pictures.samples import values_of


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
        if any(arg in on for arg in values_of(node)):
            on[node] = None
    return [node for node in nodes if node in on]


def nearest_boxes(folded: Folded, roots: Sequence[Value], k: int) -> Folded:
    """The k boxes nearest to the roots, counted in edges; behind the outermost it is told how many are left out."""
    if len(folded.boxes) <= k:
        return folded
    tails: dict[str, list[str]] = {}
    for edge in folded.edges:
        tails.setdefault(edge.head, []).append(edge.tail)
    seen = _by_distance(folded, roots, tails)
    kept = set(islice(seen, k))
    hidden = _hidden(folded, seen, kept, tails)
    edges = [edge for edge in folded.edges if edge.head in kept and edge.tail in kept]
    left = sum([len(box.members) for box in folded.boxes if box.id not in kept])
    thing, things = ("box", "boxes") if any(box.title for box in folded.boxes) else ("node", "nodes")
    caption = f"the {thing if len(kept) == 1 else f'{len(kept):,} {things}'} nearest to the result; "
    caption += "one more node is not shown" if left == 1 else f"{left:,} more nodes are not shown"
    boxes = [box for box in folded.boxes if box.id in kept]
    return Folded(boxes, edges, hidden, captions=[*folded.captions, caption])


def _by_distance(folded: Folded, roots: Sequence[Value], tails: dict[str, list[str]]) -> list[str]:
    """The ids of the boxes, those of the roots first: a breadth-first search from heads to tails."""
    wanted = Identities.fromkeys(roots)
    queue = deque([box.id for box in folded.boxes if any(member in wanted for member in box.members)])
    seen = dict.fromkeys(queue)
    while queue:
        for tail in tails.get(queue.popleft(), ()):
            if tail not in seen:
                seen[tail] = None
                queue.append(tail)
    return list(seen)


def _hidden(folded: Folded, seen: list[str], kept: set[str], tails: dict[str, list[str]]) -> dict[str, int]:
    """By the id of a box that is kept: how many nodes are left out behind it. Results have nothing before them."""
    sizes = {box.id: len(box.members) for box in folded.boxes}
    behind: dict[str, str] = {}
    hidden: Counter[str] = Counter()
    for head in seen:  # in the order of their distance, so a head is reached before its tails
        if front := head if head in kept else behind.get(head):
            new = {tail for tail in tails.get(head, ()) if tail not in kept and tail not in behind}
            behind.update(dict.fromkeys(new, front))
            if new:
                hidden[front] += sum([sizes[tail] for tail in new])
    return dict(hidden)


def long_edges(folded: Folded, most: int) -> set[str]:
    """The longest edges, by id, without which the others cross no more than `most` columns of the picture.

    An edge that skips columns costs Graphviz a node in each of them, and its time grows with the square of their
    number: one leaf that is used by each of 100 nodes in a row takes 5 s.
    """
    column = columns(folded)
    skipped = {edge.id: max(0, column[edge.head] - column[edge.tail] - 1) for edge in folded.edges}
    total = sum(skipped.values())
    longest: set[str] = set()
    for name, length in sorted(skipped.items(), key=lambda item: -item[1]):
        if total <= most:
            break
        total -= length
        longest.add(name)
    return longest


def columns(folded: Folded) -> dict[str, int]:
    """The column of each box: one after those of all its arguments; a leaf stands just before its first use."""
    heads: dict[str, list[str]] = {}
    missing: Counter[str] = Counter()
    for edge in folded.edges:
        heads.setdefault(edge.tail, []).append(edge.head)
        missing[edge.head] += 1
    column = dict.fromkeys([box.id for box in folded.boxes], 0)
    ready = [box.id for box in folded.boxes if not missing[box.id]]
    first = set(ready)
    while ready:
        tail = ready.pop()
        for head in heads.get(tail, ()):
            column[head] = max(column[head], column[tail] + 1)
            missing[head] -= 1
            if not missing[head]:
                ready.append(head)
    for tail in first & heads.keys():
        column[tail] = min([column[head] for head in heads[tail]]) - 1
    return column
