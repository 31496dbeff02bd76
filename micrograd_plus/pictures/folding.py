"""Make a small graph of a large one: a box for a function, a neuron, a layer, a model or a sample instead of its nodes.

A layer's box holds what those of its neurons would hold, a model's box what those of its layers would. A box is drawn
where its members would be; edges that become one bear their number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.pictures.boxes import Folded, box_up
from micrograd_plus.pictures.clusters import frame
from micrograd_plus.pictures.fitting import WIDE, width
from micrograd_plus.pictures.modules import Call, Function, Key, Leaves, Parameters, Scopes
from micrograd_plus.pictures.samples import values_of
from micrograd_plus.pictures.sums import long_sums

GATHERED = 8  # leaves of one kind: more than so many share a box
EDGES = 4  # for each box that may be drawn: what takes Graphviz a second, too
_PLACE = re.compile(r"(\[[^\[]*\]|\.\d+)$")  # in a list, at the end of a name


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
    direction: str = "LR",
) -> Folded:
    """The graph of these nodes with no more than about `limit` boxes.

    Args:
        nodes: what to draw, arguments before results.
        roots: the results among them.
        modules: those at the top, by name; `naming.users_names` finds them.
        names: of the nodes, for the titles of boxes.
        number: of each node, for its id: `n` and this number.
        limit: how many boxes may be drawn.
        depth: 0 for a box for each call of a model, 1 for its layers, 2 for their neurons, 3 for all but functions,
            more for what is in these; None for as deep as the limit allows, functions closed.
        open: names of boxes, or modules, that are to be opened all the same; "+" for sums of many terms.
        direction: where the graph goes.

    Raises:
        ValueError: no box has the name of one that is to be opened.
    """
    return Folding(nodes, roots, modules, names, number, direction).to(limit, depth=depth, open=open)


class Folding:
    """A graph that is to be folded, perhaps to several depths; the arguments are those of `fold`."""

    def __init__(
        self,
        nodes: Sequence[Value],
        roots: Sequence[Value],
        modules: Sequence[tuple[str, Module]],
        names: Mapping[Value, str],
        number: Mapping[Value, int],
        direction: str = "LR",
    ) -> None:
        self._nodes = nodes
        self._roots = roots
        self._names = names
        self._number = number
        self._direction = direction
        self._scopes = Scopes(nodes, modules)
        self._apart = Identities.fromkeys([*roots, *names])

    def to(self, limit: int, *, depth: int | None = None, open: str | Module | Iterable[str | Module] = ()) -> Folded:
        """The graph with no more than about `limit` boxes."""
        scopes = self._scopes
        asked = [open] if isinstance(open, (str, Module)) else list(open)
        opened = scopes.opened([one for one in asked if one != "+"])
        made = len([node for node in self._nodes if node.op is not None])

        def may_be(level: int) -> bool:  # else too many stand outside of boxes, whatever sums join
            return made - len(scopes.keys(level, opened)) <= EDGES * limit

        def at(level: int) -> _Level:
            summed = "+" not in asked and (depth is None or depth <= scopes.levels)
            return self._at(level, opened, limit, summed=summed)

        if depth is not None:
            chosen, wide = at(min(depth, scopes.levels)), 0.0
        else:
            chosen, wide = _that_fits(at, may_be, self._width, scopes.depth if scopes.calls else 0)
        chosen.folded.captions += _captions(chosen, len(self._nodes), wide)
        return chosen.folded

    def _at(self, level: int, opened: set[str], limit: int, *, summed: bool) -> _Level:
        """The graph at one level of folding, with some boxes opened."""
        keys = self._scopes.keys(level, opened)
        keys |= _keys_of_leaves(self._nodes, keys, self._scopes, self._names)
        sums = long_sums(self._nodes, keys, self._apart, self._scopes.place, limit) if summed else Identities()
        folded = box_up(self._nodes, self._roots, keys, self._scopes, self._number, sums)
        frame(folded, keys, self._scopes)
        small = len(folded.boxes) <= limit and len(folded.edges) <= EDGES * limit
        return _Level(folded, bool(keys), small)

    def _width(self, level: _Level) -> float:
        return width(level.folded, self._names, self._direction)


def _captions(chosen: _Level, count: int, wide: float) -> Iterator[str]:
    """What the picture says about how it was folded."""
    boxes = chosen.folded.boxes
    if chosen.closed:
        most = f"{count:,} nodes in {len(boxes):,} boxes"
        paths = [box.path for box in boxes if box.path]
        hint = f"; open one by its name, such as open={paths[0]!r}" if paths else ""
        why = f" to fit a page, it would be some {wide:,.0f} points wide" if wide else ""
        yield f"folded{why}: {most}{hint}"
    if any(len(box.members) > 1 for box in boxes if not box.title):
        yield "a sum of many terms is one +; open='+' shows each addition"


class _Level(NamedTuple):
    """The graph at one level of folding."""

    folded: Folded
    closed: bool  # whether something is folded
    small: bool  # whether it can be laid out


def _that_fits(
    at: Callable[[int], _Level], may_be: Callable[[int], bool], width_of: Callable[[_Level], float], deepest: int
) -> tuple[_Level, float]:
    """The deepest level of folding that is small enough and fits a page; and how wide it would be without that.

    If none fits, it is the narrowest of those that are small enough. Only what is too large at each level folds into a
    box for all calls of a module.
    """
    small: list[tuple[float, _Level]] = []
    for level in range(deepest, -1, -1):
        tried = at(level) if may_be(level) else None
        if tried is not None and tried.small:
            small.append((width_of(tried), tried))
            if small[-1][0] <= WIDE:
                break
    if not small:
        return at(-1 if deepest else 0), 0.0
    _, best = min(small, key=lambda each: each[0])
    return best, small[0][0] if best is not small[0][1] else 0.0


def _keys_of_leaves(
    nodes: Sequence[Value], keys: Identities[Value, Key], scopes: Scopes, names: Mapping[Value, str]
) -> Identities[Value, Key]:
    """Where the leaves go: into the box that alone uses them, else into one of their own kind."""
    if not keys:
        return Identities()
    users: Identities[Value, set[Key | None]] = Identities()
    shown = Identities.fromkeys(nodes)
    for node in nodes:
        for arg in values_of(node):
            if arg.op is None and arg in shown:
                users.setdefault(arg, set()).add(keys.get(node))
    found: Identities[Value, Key] = Identities()
    kinds: Identities[Value, Key] = Identities()
    for leaf, boxes in users.items():
        if leaf in scopes.owners:
            if key := _key_of_parameter(boxes, scopes.chains[scopes.owners[leaf]]):
                found[leaf] = key
        elif None not in boxes:
            name = names.get(leaf, "")
            stem = name[: place.start()] if (place := _PLACE.search(name)) else ""
            kinds[leaf] = Leaves(stem, frozenset(boxes))
    often = Counter(kinds.values())
    return found | Identities((leaf, kind) for leaf, kind in kinds.items() if often[kind] > GATHERED)


def _key_of_parameter(users: set[Key | None], chain: tuple[str, ...]) -> Key | None:
    """The box of a parameter: its only user's, or one for the outermost module of its chain that uses it."""
    folded = [box for box in users if isinstance(box, (Call, Function))]
    if len(users) == 1 and folded:
        return folded[0]
    paths = {box.path for box in folded if isinstance(box, Call)}
    return Parameters(next((path for path in chain if path in paths), chain[0])) if folded else None
