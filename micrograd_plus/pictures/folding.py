"""Make a small graph of a large one: a box for a function, a neuron, a layer, a model or a sample instead of its nodes.

A layer's box holds what those of its neurons would hold, a model's box what those of its layers would. A box is drawn
where its members would be; edges that become one bear their number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.pictures.boxes import Folded, box_up
from micrograd_plus.pictures.modules import Call, Function, Key, Leaves, Parameters, Scopes
from micrograd_plus.pictures.samples import values_of

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
        open: names of boxes, or modules, that are to be opened all the same.

    Raises:
        ValueError: no box has the name of one that is to be opened.
    """
    scopes = Scopes(nodes, modules)
    opened = scopes.opened(open)
    levels = [scopes.depth if depth is None else min(depth, scopes.levels)]
    if depth is None and scopes.calls:
        levels = list(range(scopes.depth, -2, -1))
    for level in levels:
        keys = scopes.keys(level, opened)
        if not keys and len(nodes) > limit and level != levels[-1]:
            continue  # not folded it is too much, there is no need to try
        keys |= _keys_of_leaves(nodes, keys, scopes, names)
        folded = box_up(nodes, roots, keys, scopes, number)
        if len(folded.boxes) <= limit and len(folded.edges) <= EDGES * limit:
            break
    if keys:
        most = f"{len(nodes):,} nodes in {len(folded.boxes):,} boxes"
        paths = [box.path for box in folded.boxes if box.path]
        hint = f"; open one by its name, such as open={paths[0]!r}" if paths else ""
        folded.captions.append(f"folded: {most}{hint}")
    return folded


def _keys_of_leaves(
    nodes: Sequence[Value], keys: Identities[Value, Key], scopes: Scopes, names: Mapping[Value, str]
) -> Identities[Value, Key]:
    """Where the leaves go: into the box that alone uses them, else into one of their own kind."""
    if not keys:
        return Identities()
    users: Identities[Value, set[Key | None]] = Identities()
    for node in nodes:
        for arg in values_of(node):
            if arg.op is None:
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
