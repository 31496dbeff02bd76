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

import html
import math
import os
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from reprlib import repr as short_repr
from typing import Any, Literal

from micrograd_plus._support.errors import unknown
from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import reached, walk
from micrograd_plus.formulas import naming
from micrograd_plus.nn import Module
from micrograd_plus.pictures import folding
from micrograd_plus.pictures.folding import Box, Edge, Folded
from micrograd_plus.pictures.rendering import FORMATS, TIMEOUT, render

LIMIT = 700  # boxes: `dot` takes half a second for them, 5 s for 5,000 and 5 minutes for 19,000
NEAREST = 100  # boxes of a graph that doesn't fold to the limit: what can still be read
COLUMNS = 200  # which edges may skip in all, or 2 for each box, before the longest are drawn from a name instead
ORDERLY = 100  # boxes, up to which arguments stand in their order
CROWDED = 200  # edges, from which on a label may lie on another one, for else the boxes would be far apart
LONGEST = 40  # letters of a name
NOT_YET = "gradients not computed yet: call backward()"
STALE = "gradients of this graph not computed yet: call backward(); those of the leaves are from an earlier pass"

# Blue and orange are told apart by all eyes. Boxes are light with dark letters; what lies outside of them is of a grey
# that contrasts alike with white and with black (4.5 to 1).
GREY, INK, PAPER, SHADE = "#767676", "#1c1c1c", "#ffffff", "#e9ebee"
BLUE, ORANGE, VIOLET = "#3b82c4", "#cf7a1c", "#8e6bbf"
TINTS = {BLUE: "#7db8ec", ORANGE: "#f9b45c", VIOLET: "#cdb4ec"}
FONT = "Helvetica,Arial,sans-serif"

EDGES = ("local", "contribution")
DIRECTIONS = ("LR", "RL", "TB", "BT")
_SIDES = {"LR": "we", "RL": "ew", "TB": "ns", "BT": "sn"}  # where edges come in, where they leave


class Picture:
    """A drawn graph: it shows itself in Jupyter and saves itself.

    Attributes:
        source: the DOT text that Graphviz lays out.
        captions: what the picture says about itself, such as how it was folded.
        timeout: how many seconds the layout may take.

    >>> from micrograd_plus import Value
    >>> x = Value(3.0)
    >>> picture = draw(x * x)
    >>> picture.captions
    ['gradients not computed yet: call backward()']
    >>> picture.svg.count("</svg>")
    1
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     picture.save(Path(folder, "square.dot"))
    ...     print(Path(folder, "square.dot").read_text()[:15])
    digraph "graph"
    """

    def __init__(self, source: str, texts: Texts, count: int, captions: Sequence[str], timeout: float) -> None:
        self.source = source
        self.captions = list(captions)
        self.timeout = timeout
        self._texts = texts
        self._count = count

    @cached_property
    def svg(self) -> str:
        """The picture as SVG; each node and each edge in it has an id.

        Raises:
            RuntimeError: there is no Graphviz on this machine, or it fails.
            TimeoutError: the layout takes longer than `timeout`.
        """
        return with_classes(render(self.source, "svg", timeout=self.timeout).decode(), self._texts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file, whole or not at all: SVG, PNG or PDF, by the ending of its name; .dot or .gv for the source.

        Raises:
            ValueError: the ending is none of these.
            OSError: the file cannot be written; whatever was there is untouched.
            RuntimeError: there is no Graphviz on this machine, or it fails.
            TimeoutError: the layout takes longer than `timeout`.
        """
        ending = Path(os.fspath(path)).suffix.lower().removeprefix(".")
        if ending not in (*FORMATS, "dot", "gv"):
            raise ValueError(f"save({os.fspath(path)!r}): expected a name that ends in .svg, .png, .pdf or .dot")
        content: str | bytes
        if ending == "svg":
            content = self.svg
        elif ending in FORMATS:
            sharper = self.source.replace("{", "{\n\tgraph [dpi=144]", 1) if ending == "png" else self.source
            content = render(sharper, ending, timeout=self.timeout)
        else:
            content = self.source
        write_atomically(path, content)

    def _repr_html_(self) -> str:
        """An image, which viewers show in notebooks that they do not trust, too."""
        width = re.search(r'<svg width="([\d.]+)pt"', self.svg)
        least = round(float(width[1]) * 4 / 3 * 0.6) if width else 0  # smaller, it could not be read: then it scrolls
        data = b64encode(self.svg.encode()).decode()
        style = f"max-width: 100%; min-width: {least}px; height: auto"
        image = f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(repr(self))}" style="{style}">'
        return f'<div style="overflow-x: auto">{image}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002 - IPython's
        try:
            return {"text/html": self._repr_html_(), "text/plain": repr(self)}
        except (RuntimeError, TimeoutError) as error:
            return {"text/plain": f"{self!r}, not drawn: {error}"}

    def __repr__(self) -> str:
        return f"<Picture of {self._count:,} node{'s' * (self._count != 1)}>"


Texts = dict[str, list[str]]  # by the id of a node in the picture: what its lines of text tell


def draw(
    v: Value | Iterable[Value],
    *,
    names: Mapping[str, Any] | None = None,
    edges: Literal["local", "contribution"] | None = None,
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
    where it is negative, the deeper the larger. A graph of more than `limit` boxes folds: neurons become boxes, or
    layers, or models, and what is still too much is cut off far from the result. The picture says so.

    Args:
        v: a Value, or a list of them.
        names: variables by name, by which nodes are called; None for those of the caller.
        edges: what edges bear: "local", the derivative of the result by this argument; "contribution", after a backward
            pass, what went along this edge, upstream gradient times local derivative.
        depth: how deep to look into modules: 0 for a box for each call of a model (each sample of a batch), 1 for
            its layers, 2 for their neurons, 3 for every node; None for as deep as the limit allows.
        open: boxes to open all the same: their names, or modules.
        path_from: only the paths from this Value, or these, to the result.
        nearest: only so many boxes, those nearest to the result.
        limit: how many boxes there may be; None for 700, or the 100 nearest of a graph that doesn't fold to so few.
        direction: where the graph goes: "LR", from left to right, "TB", downwards, "RL" or "BT".
        timeout: how many seconds the layout may take.

    Raises:
        TypeError: what is to be drawn is no Value.
        ValueError: an argument has a value that it can't have; the message says which it can.

    >>> from micrograd_plus import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward()
    >>> draw(y, edges="local").source.count("->")
    2
    """
    roots = _roots(v)
    _check(edges=edges, depth=depth, nearest=nearest, limit=limit, direction=direction)
    namespace = naming.callers_namespace() if names is None else names
    nodes = naming.under(roots)
    count = len(nodes)
    titles = naming.names(roots, namespace)
    captions = []
    number = Identities((node, i) for i, node in enumerate(nodes))
    shown = nodes
    if path_from is not None:
        shown = _on_paths(nodes, path_from)
        captions.append(f"only the paths from the chosen node: {len(shown):,} of {count:,} nodes")
    modules = naming.named_modules(shown, namespace)
    most = LIMIT if limit is None else limit
    if nearest is not None and depth is None and not open:
        depth = len(nodes)  # the nearest nodes, not the nearest boxes
    folded = folding.fold(shown, roots, modules, titles, number=number, limit=most, depth=depth, open=open)
    if nearest is not None or len(folded.boxes) > most:
        folded = folding.nearest(folded, roots, nearest or limit or NEAREST)
    folded.far = folding.far(folded, max(COLUMNS, 2 * len(folded.boxes)))
    if folded.far:
        long = _counted(len(folded.far), "long edge")
        folded.captions.append(f"{long} drawn from a name in italics, not from its box")
    state = _state(nodes, roots)
    captions += [*folded.captions, *([] if state == "computed" else [NOT_YET if state == "none" else STALE])]
    found = reached(roots, walk(*roots, flowing=True)[0]) if edges == "contribution" else set()
    source, texts = _source(folded, titles, state, edges=edges, found=found, direction=direction, captions=captions)
    return Picture(source, texts, count, captions, timeout)


def with_classes(svg: str, texts: Texts) -> str:
    """The SVG in which each line of a node's text has a class: `op`, `name`, `data` or `grad`."""

    def classed(node: re.Match[str]) -> str:
        classes = iter(texts.get(html.unescape(node[1]), ()))
        return re.sub(r"<text\b", lambda _: f'<text class="{next(classes, "text")}"', node[0])

    return re.sub(r'<g id="([^"]*)" class="node">.*?</g>', classed, svg, flags=re.DOTALL)


def _slopes(node: Value) -> list[tuple[float | None, bool]]:
    """For each argument the local derivative, and whether a mask stops what flows back."""
    op, args = node.op, node.args
    if op is None or op.forward is None:
        return [(None, False) for _ in args]
    numbers = [arg.data if isinstance(arg, Value) else arg for arg in args]
    slopes: list[tuple[float | None, bool]] = []
    for arg, partial, mask in zip(args, op.partials, op.masks):
        if not isinstance(arg, Value) or partial is None:
            slopes.append((None, False))
            continue
        slope = float(partial(node.data, *numbers))
        stopped = mask is not None and not (slope if mask is partial else mask(node.data, *numbers))
        slopes.append((slope, stopped))
    return slopes


def short(number: float) -> str:
    """Four digits that count, as -0.3333 or 1.2e-05.

    >>> short(2 / 3), short(1e6), short(-0.0)
    ('0.6667', '1e+06', '-0')
    """
    return f"{number:.4g}"


def shown(text: str, longest: int = LONGEST) -> str:
    """One line of the text without letters that can't be seen, and cut where it is too long."""
    line = "".join([" " if letter in "\n\t\r" else letter for letter in text[: 4 * longest] if _is_visible(letter)])
    line = " ".join(line.split())
    return line if len(line) <= longest and len(text) <= 4 * longest else line[: longest - 1] + "…"


def _is_visible(letter: str) -> bool:
    kind = unicodedata.category(letter)
    joins = letter in "\u200c\u200d"  # emoji are joined of several
    return letter in "\n\t\r" or joins or kind not in ("Cc", "Cf", "Cs", "Co", "Cn")


# ------------------------------------------------------------------------------------------------------- what is given


def _roots(v: Any) -> list[Value]:
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
    return list(Identities.fromkeys(values))


def _check(edges: Any, depth: Any, nearest: Any, limit: Any, direction: Any) -> None:
    if edges is not None and edges not in EDGES:
        raise unknown("kind of edges", edges, EDGES)
    if direction not in DIRECTIONS:
        raise ValueError(f"draw(direction={direction!r}): expected {', '.join(map(repr, DIRECTIONS))}")
    for name, given, least in (("depth", depth, 0), ("nearest", nearest, 1), ("limit", limit, 1)):
        if given is not None and (not isinstance(given, int) or given < least):
            raise ValueError(f"draw({name}={short_repr(given)}): expected a whole number, {least} or more")


def _on_paths(nodes: list[Value], ends: Any) -> list[Value]:
    ends = [ends] if isinstance(ends, Value) else list(ends)
    known = Identities.fromkeys(nodes)
    for end in ends:
        if not isinstance(end, Value) or end not in known:
            raise ValueError(f"draw(path_from={short_repr(end)}): expected a Value that the result was made from")
    return folding.between(nodes, ends)


def _state(nodes: list[Value], roots: list[Value]) -> str:
    """Whether a backward pass went through this graph ("computed"), or only through its leaves ("stale"), or "none"."""
    if any(node.grad for node in nodes if node.op is not None) or any(root.grad for root in roots):
        return "computed"
    return "stale" if any(node.grad for node in nodes) else "none"


# ---------------------------------------------------------------------------------------------------- how it is written


def _source(
    folded: Folded,
    names: Mapping[Value, str],
    state: str,
    *,
    edges: str | None,
    found: set[int],
    direction: str,
    captions: Sequence[str],
) -> tuple[str, Texts]:
    """The DOT text, and what the lines of text in each node tell."""
    from graphviz import Digraph  # type: ignore[import-untyped]

    dot = Digraph("graph")
    dot.attr(rankdir=direction, bgcolor="transparent", nodesep="0.16", ranksep="0.4", fontname=FONT, fontsize="11")
    dot.attr(fontcolor=GREY, labelloc="b", pad="0.1", margin="0")
    if len(folded.boxes) <= ORDERLY and not any(box.title for box in folded.boxes):
        dot.attr(ordering="in")  # the minuend above the subtrahend
    dot.attr("node", shape="plain", fontname=FONT, fontsize="11", fontcolor=INK)
    dot.attr("edge", color=GREY, fontcolor=GREY, fontname=FONT, fontsize="9", arrowsize="0.6", penwidth="1")
    if len(folded.boxes) > 300:
        dot.attr(nslimit="4", mclimit="0.3")  # a little beauty for much time
    if len(folded.edges) > 3 * len(folded.boxes):  # layers whose neurons are joined each to each
        dot.attr(splines="line", ranksep="1.8")
        dot.attr("edge", tailport=_SIDES[direction][1], headport=_SIDES[direction][0], labeldistance="4")
    if captions:
        dot.attr(label="\n".join([_quoted(shown(caption, 300)) for caption in captions]))
    texts: Texts = {}
    held = [box.members[0] if not box.title else box.output for box in folded.boxes]
    largest = max([abs(node.grad) for node in held if node is not None and math.isfinite(node.grad)], default=0.0)
    arrows = list(folded.edges)
    for box, node in zip(folded.boxes, held):
        if not box.title and node is not None:
            label, texts[box.id] = _node_label(node, names.get(node, ""), state, largest)
        else:
            label, texts[box.id] = _group_label(box, state, largest)
        dot.node(box.id, label, id=box.id)
        if not box.title and node is not None:
            for place, text in _constants(node):
                constant = f"c{box.id[1:]}-{place}"
                texts[constant] = ["data"]
                dot.node(constant, text, id=constant, fontcolor=GREY)
                arrows.append(Edge(constant, box.id, 1, node, place))
    for head, count in folded.hidden.items():
        dot.node(f"more-{head}", f"… {count:,} more", id=f"more-{head}", fontcolor=GREY)
        dot.edge(f"more-{head}", head, id=f"more-{head}-{head}", style="dotted")
    by_id = {box.id: box for box in folded.boxes}
    for i, edge in enumerate(arrows):
        if edge.id in folded.far:  # its beginning is drawn once more, by name
            arrows[i] = replace(edge, again=f"far-{edge.id}")
            name = f"<<i>{_cell_text(_called(by_id[edge.tail], names))}</i>>"
            dot.node(f"far-{edge.id}", name, id=f"far-{edge.id}", fontcolor=GREY)
    _edges(dot, arrows, edges if state == "computed" or edges == "local" else None, found)
    return dot.source, texts


def _edges(dot: Any, edges: list[Edge], kind: str | None, found: set[int]) -> None:
    """The edges, each with its number where one is asked for; nothing goes on from nodes to which no gradient comes."""
    numbers: dict[tuple[int, int], float | None] = {}  # by a node's id and a place
    if kind is not None:
        for node in Identities.fromkeys([edge.node for edge in edges if edge.node is not None]):
            for place, (slope, stopped) in enumerate(_slopes(node)):
                nothing = stopped or not (node.grad or id(node) in found)
                flow = 0.0 if nothing else None if slope is None else node.grad * slope
                numbers[id(node), place] = slope if kind == "local" else flow
    sizes = [abs(number) for number in numbers.values() if number is not None and math.isfinite(number)]
    largest = max(sizes, default=0.0)
    for edge in sorted(edges, key=lambda edge: edge.place or 0):  # drawn in the order of the arguments
        aside = edge.again or edge.tail[0] == "c"  # from a name, or from a constant: the others are to be straight
        more: dict[str, str] = {"style": "dashed"} if aside else {"weight": "4"}
        if edge.count > 1:
            more["headlabel" if len(edges) > CROWDED else "label"] = f"×{edge.count:,}"
        elif edge.node is not None and edge.place is not None:
            number = numbers.get((id(edge.node), edge.place))
            if number is not None:
                more["label"] = f"<<table {_BARE}><tr><td>{short(number)}</td></tr></table>>"
                if kind == "contribution" and (number or math.isnan(number)):
                    color, strength = _color(number), _strength(number, largest)
                    more |= {"color": color, "fontcolor": color, "penwidth": f"{1 + 3 * strength:.2f}"}
        dot.edge(edge.again or edge.tail, edge.head, id=edge.id, **more)


_BARE = 'border="0" cellborder="0" cellspacing="0" cellpadding="2"'  # a margin, which the labels of edges lack


def _called(box: Box, names: Mapping[Value, str]) -> str:
    """What stands for a box where it is drawn once more."""
    return box.title or names.get(box.members[0], "") or short(box.members[0].data)


def _node_label(node: Value, name: str, state: str, largest: float) -> tuple[str, list[str]]:
    """A node's box: its operation at the left, and its name, number and gradient one under another."""
    rows = [("name", f"<b>{_cell_text(name)}</b>", "")] if shown(name) else []
    rows.append(("data", f"data {short(node.data)}", ""))
    if state == "computed" or (state == "stale" and node.op is None):
        rows.append(("grad", f"grad {short(node.grad)}", _tint(node.grad, largest)))
    symbol = symbol_of(node)
    return _table(symbol, rows), ["op"] * bool(symbol) + [kind for kind, _, _ in rows]


def _group_label(box: Box, state: str, largest: float) -> tuple[str, list[str]]:
    """A folded box: its title, what is in it, and what it gives out."""
    what = [_counted(box.neurons, "neuron")] if box.neurons > 1 else []
    what += [_counted(box.parameters, "parameter")] if box.parameters else []
    if not box.neurons and not box.parameters:
        what = [_counted(len(box.members), "value")]
    elif box.neurons:
        what.append(_counted(len(box.members), "node"))
    rows = [("name", f"<b>{_cell_text(box.title)}</b>", ""), ("text", ", ".join(what), "")]
    if box.output is not None:
        rows.append(("data", f"data {short(box.output.data)}", ""))
        if state == "computed":
            rows.append(("grad", f"grad {short(box.output.grad)}", _tint(box.output.grad, largest)))
    return _table("", rows, SHADE, 2), [kind for kind, _, _ in rows]


def _table(symbol: str, rows: list[tuple[str, str, str]], paper: str = PAPER, border: int = 1) -> str:
    """A small table as Graphviz's HTML-like label."""
    cells = [
        f'<td align="left"{f" bgcolor={chr(34)}{tint}{chr(34)}" if tint else ""}>{text}</td>' for _, text, tint in rows
    ]
    if symbol:
        span = f' rowspan="{len(rows)}"' if len(rows) > 1 else ""
        size = "16" if len(symbol) <= 2 else "11"
        font = f'<font point-size="{size}">{_cell_text(symbol)}</font>'
        cells[0] = f'<td{span} bgcolor="{SHADE}" width="22">{font}</td>{cells[0]}'
    body = "".join([f"<tr>{cell}</tr>" for cell in cells])
    look = f'border="{border}" cellborder="0" cellspacing="0" cellpadding="3" color="{GREY}" bgcolor="{paper}"'
    return f"<<table {look}>{body}</table>>"


def symbol_of(node: Value) -> str:
    """How the picture writes a node's operation; "" for a leaf.

    >>> from micrograd_plus import Value, tanh
    >>> symbol_of(Value(1.0) * 2.0), symbol_of(tanh(Value(1.0)))
    ('*', 'tanh')
    """
    op = node.op
    return "" if op is None else (op.symbol or op.name or "?") if not isinstance(op, HandMade) else op.name


def _constants(node: Value) -> list[tuple[int, str]]:
    """The arguments that are plain numbers: their place, and how they are written."""
    options = list(node.op.options) if node.op is not None else []
    first = len(node.args) - len(options)
    return [
        (i, short(arg) if i < first else f"{options[i - first]}={short(arg)}")
        for i, arg in enumerate(node.args)
        if not isinstance(arg, Value)
    ]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _cell_text(text: str) -> str:
    return html.escape(_quoted(shown(text)))


def _quoted(text: str) -> str:
    """With its backslashes doubled, for Graphviz takes some letters after one for names."""
    return text.replace("\\", "\\\\")


def _color(number: float) -> str:
    return VIOLET if math.isnan(number) else BLUE if number > 0 else ORANGE


def _strength(number: float, largest: float) -> float:
    """From 0 to 1: the root of the share of the largest, so that small ones can be told from nothing."""
    if not math.isfinite(number):
        return 1.0
    return math.sqrt(abs(number) / largest) if largest else 0.0


def _tint(number: float, largest: float) -> str:
    """The colour behind a gradient; "" for none."""
    if number == 0.0:
        return ""
    strength = 0.12 + 0.88 * _strength(number, largest)
    full = TINTS[_color(number)]
    parts = [round(255 + strength * (int(full[i : i + 2], 16) - 255)) for i in (1, 3, 5)]
    return "#" + "".join([f"{part:02x}" for part in parts])
