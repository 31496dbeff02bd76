"""Draw a computation graph.

>>> from micrograd_plus import Value
>>> a, b = Value(2.0), Value(-3.0)
>>> c = a * b
>>> picture = draw(c)
>>> print(picture)
<Picture of 3 nodes>
>>> "<b>c</b>" in picture.source
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.identities import Identities, distinct
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import Dust, dust_in
from micrograd_plus.formulas.freshness import outdated, outdated_in_words
from micrograd_plus.formulas.naming import under, users_names
from micrograd_plus.formulas.numerals import DUST
from micrograd_plus.formulas.variables import callers_namespace
from micrograd_plus.nn import Module
from micrograd_plus.pictures.boxes import Folded
from micrograd_plus.pictures.dot import SIDES, Wanted, dot_source
from micrograd_plus.pictures.folding import Folding, fold
from micrograd_plus.pictures.images import Picture
from micrograd_plus.pictures.pruning import between, long_edges, nearest_boxes
from micrograd_plus.pictures.rendering import TIMEOUT
from micrograd_plus.pictures.styles import NUMBERS, Gradient, Kind, Styling, styles_of, tint_of
from micrograd_plus.pictures.telling import graph_in_words

LIMIT = 700  # boxes: `dot` takes half a second for them, 5 s for 5,000 and 5 minutes for 19,000
NEAREST = 100  # boxes of a graph that doesn't fold to the limit: what can still be read
ON_PAPER = 40  # boxes of a picture that nobody can enlarge
COLUMNS = 200  # which edges may skip in all, or 2 for each box, before the longest are drawn from a name instead
NO_DUST = Dust()
NOT_YET = "gradients not computed yet: call backward()"
STALE = "gradients of this graph not computed yet: call backward(); those of the leaves are from an earlier pass"
NOTES = {"computed": [], "none": [NOT_YET], "stale": [STALE]}  # by what `_state` says
DUSTY = f"{DUST}: what rounding leaves of larger numbers that cancel"
EDGES = ("local", "contribution")


def draw(
    v: Value | Iterable[Value],
    *,
    names: Mapping[str, Any] | None = None,
    edges: Literal["local", "contribution"] | None = None,
    tint: Kind | None = "grad",
    node: Styling | None = None,
    depth: int | None = None,
    open: str | Module | Iterable[str | Module] = (),
    path_from: Value | Iterable[Value] | None = None,
    nearest: int | None = None,
    limit: int | None = None,
    direction: str = "LR",
    timeout: float = TIMEOUT,
) -> Picture:
    """The graph of a Value, or of several, as a picture that shows itself in Jupyter and saves itself.

    Each node is a box: its operation, its name, its number, its gradient; blue where the gradient is positive, orange
    where it is negative, the deeper the larger. What a function over lists, a loss or a block `mp.scope(...)` computes
    is one box that opens, a sum of many terms is one node. A graph that is wider than a page or has more than `limit`
    boxes folds: neurons become boxes, or layers, or models, and what is still too much is cut off far from the result.
    The picture says so.

    Args:
        v: a Value, or a list of them.
        names: variables by name, by which nodes are called; None for those of the caller.
        edges: what edges bear: "local", the derivative of the result by this argument; "contribution", after a backward
            pass, what went along this edge, upstream gradient times local derivative.
        tint: by what nodes are coloured, the deeper the larger: "grad"; "data"; "contribution", data times gradient,
            what a node adds to the result if all is taken as linear; None for no colours.
        node: how nodes are to look, a function of a Value or a dict by Value, of each a dict with any of the keys
            "fill", "color" (the outline), "text" and "shape", or None: colours as "#1f6fd0" or "gold"; shapes are
            "box", "rounded", "ellipse", "circle", "diamond", "hexagon", "octagon".
        depth: how deep to look into modules: 0 for a box for each call of a model (each sample of a batch), 1 for
            its layers, 2 for their neurons, 3 for all but functions, 4 for what is in these, and so on; without modules
            0 for functions. None for as deep into modules as fits a page and the limit, with functions closed.
        open: boxes to open all the same: their names, such as "softmax", or modules; "+" for sums of many terms.
        path_from: only the paths from this Value, or these, to the result.
        nearest: only so many boxes, those nearest to the result.
        limit: how many boxes there may be; None for 700, or the 100 nearest of a graph that doesn't fold to so few.
        direction: where the graph goes: "LR", from left to right, "TB", downwards, "RL" or "BT".
        timeout: how many seconds the layout may take.

    Raises:
        TypeError: what is to be drawn is no Value, or `node` is no function and no dict.
        ValueError: an argument has a value that it can't have; the message says which it can.

    >>> from micrograd_plus import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward()
    >>> draw(y, edges="local").source.count("->")
    2
    >>> picture = draw(y, node={x: {"fill": "black", "shape": "ellipse"}}, tint=None)
    >>> picture.source.count("#000000")
    1
    """
    roots = _roots(v)
    _check(edges=edges, tint=tint, depth=depth, nearest=nearest, limit=limit, direction=direction)
    nodes = under(roots)
    users = users_names(nodes, callers_namespace() if names is None else names)
    captions = []
    shown, ends = nodes, roots
    if path_from is not None:
        shown = _on_paths(nodes, path_from)
        known = Identities.fromkeys(shown)
        ends = [root for root in roots if root in known]
        captions.append(f"only the paths from the chosen node: {len(shown):,} of {len(nodes):,} nodes")
    number = Identities((node, i) for i, node in enumerate(nodes))
    if nearest is not None and depth is None and not open:
        depth = len(nodes)  # the nearest nodes, not the nearest boxes
    most = LIMIT if limit is None else limit
    folded = fold(
        shown, ends, users.modules, users.nodes, number=number, limit=most, depth=depth, open=open, direction=direction
    )
    if nearest is not None or len(folded.boxes) > most:
        folded = nearest_boxes(folded, ends, nearest or limit or NEAREST)
    look = Look(edges, tint, node, direction, timeout, dust_in(nodes, roots))
    return _picture(folded, nodes, roots, users.nodes, _state(nodes, roots), captions, look)


def finished(
    nodes: Sequence[Value],
    folding: Folding,
    names: Mapping[Value, str],
    gradients: Mapping[Value, float],
    dust: Dust = NO_DUST,
) -> Picture:
    """The graph of a Value with gradients that do not stand in its nodes, folded to what can be read on paper.

    Args:
        nodes: those of the graph, arguments before results.
        folding: the same, to be folded.
        names: of the nodes.
        gradients: of the nodes that have one, by node.
        dust: which of the numbers are nothing but what rounding left.

    >>> from micrograd_plus import Value
    >>> from micrograd_plus._support.identities import Identities
    >>> x = Value(3.0)
    >>> nodes = [x, x * x]
    >>> folding = Folding(nodes, nodes[1:], [], {}, Identities((node, i) for i, node in enumerate(nodes)))
    >>> "grad 6" in finished(nodes, folding, {}, {x: 6.0}).source
    True
    """
    root = nodes[-1]
    folded = folding.to(ON_PAPER)
    if len(folded.boxes) > ON_PAPER:
        folded = nearest_boxes(folded, [root], ON_PAPER)
    known = Identities(gradients)
    look = Look(dust=dust, gradient=lambda node: known.get(node, 0.0))
    return _picture(folded, nodes, [root], names, "computed", [], look)


class Look(NamedTuple):
    """How a picture looks: what `draw` takes, and where gradients come from."""

    edges: str | None = None
    tint: Kind | None = "grad"
    node: Styling | None = None
    direction: str = "LR"
    timeout: float = TIMEOUT
    dust: Dust = NO_DUST
    gradient: Gradient = attrgetter("grad")


def _picture(
    folded: Folded,
    nodes: Sequence[Value],
    roots: Sequence[Value],
    names: Mapping[Value, str],
    state: str,
    captions: Sequence[str],
    look: Look,
) -> Picture:
    """The picture of boxes, with captions below."""
    folded.far = long_edges(folded, max(COLUMNS, 2 * len(folded.boxes)))
    if folded.far:
        long = plural(len(folded.far), "long edge")
        folded.captions.append(f"{long} drawn from a name in italics, not from its box")
    alone = [box.node for box in folded.boxes if not box.title]
    outputs = [box.output for box in folded.boxes if box.output is not None]
    colours = tint_of(look.tint, [*alone, *outputs], computed=state == "computed", gradient=look.gradient)
    dusty = any(each in look.dust.values or each in look.dust.gradients for each in (*alone, *outputs))
    colour = filter(None, [colours.caption])
    old = list(filter(None, [outdated_in_words(list(outdated(nodes)), names)]))
    captions = [*captions, *folded.captions, *old, *NOTES[state], *[DUSTY] * dusty, *colour]
    styles = styles_of(look.node, [*alone, *outputs])
    wanted = Wanted(roots, names, state, look.edges, look.direction, colours, styles, look.dust, captions)
    source, texts = dot_source(folded, wanted)
    grads = Identities((node, look.gradient(node)) for node in nodes) if state == "computed" else None
    told = "; ".join([graph_in_words(nodes, roots, names, grads, look.dust.gradients), *folded.captions, *old])
    return Picture(source, texts, len(nodes), captions, look.timeout, told)


def _roots(v: Any) -> list[Value]:
    """The Values to be drawn, each once."""
    if isinstance(v, Value):
        return [v]
    if isinstance(v, Module):
        raise TypeError(f"draw({short_repr(v)}): a model has no graph before it is called; try draw(model(x))")
    values = list(v) if isinstance(v, Iterable) and not isinstance(v, (str, bytes, dict)) else [v]
    for value in values:
        if not isinstance(value, Value):
            raise TypeError(f"draw({short_repr(v)}): expected a Value or a list of Values, got {type(value).__name__}")
    if not values:
        raise ValueError("draw([]): expected at least one Value")
    return distinct(values)


def _check(edges: Any, tint: Any, depth: Any, nearest: Any, limit: Any, direction: Any) -> None:
    if edges is not None and edges not in EDGES:
        raise unknown("kind of edges", edges, EDGES)
    if tint is not None and tint not in NUMBERS:
        raise unknown("tint", tint, NUMBERS)
    if direction not in SIDES:
        raise ValueError(f"draw(direction={direction!r}): expected {', '.join(map(repr, SIDES))}")
    for name, given, least in (("depth", depth, 0), ("nearest", nearest, 1), ("limit", limit, 1)):
        if given is not None and (not isinstance(given, int) or given < least):
            raise ValueError(f"draw({name}={short_repr(given)}): expected a whole number, {least} or more")


def _on_paths(nodes: list[Value], ends: Any) -> list[Value]:
    """Those of the nodes that lie on a path from the ends."""
    ends = [ends] if isinstance(ends, Value) else list(ends)
    known = Identities.fromkeys(nodes)
    for end in ends:
        if not isinstance(end, Value) or end not in known:
            raise ValueError(f"draw(path_from={short_repr(end)}): expected a Value that the result was made from")
    return between(nodes, ends)


def _state(nodes: list[Value], roots: list[Value]) -> str:
    """Whether a backward pass went through this graph ("computed"), or only through its leaves ("stale"), or "none"."""
    if any(node.grad for node in nodes if node.op is not None) or any(root.grad for root in roots):
        return "computed"
    return "stale" if any(node.grad for node in nodes) else "none"
