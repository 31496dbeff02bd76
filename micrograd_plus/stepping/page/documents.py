"""Write a backward pass as HTML: the page with buttons that walk through the graph, and what a notebook shows."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from html import escape
from os import PathLike
from reprlib import repr as short_repr

from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import Dust
from micrograd_plus.formulas.javascript import Script, arithmetic, script
from micrograd_plus.pictures.colours import css
from micrograd_plus.pictures.drawing import finished
from micrograd_plus.pictures.frames import framed
from micrograd_plus.stepping.page.assets import asset, page_script
from micrograd_plus.stepping.page.films import film
from micrograd_plus.stepping.page.layouts import Layout, layout
from micrograd_plus.stepping.page.payload import as_json, page_data, why_fixed
from micrograd_plus.stepping.passes import Pass

LIMIT = 700  # nodes: Graphviz lays them out in a tenth of a second; nobody clicks through more
_LISTED = 25  # steps in the list under the static picture
_LEAST, _MOST = 0.75, 1.25  # the scale of the graph, as in script/view.js: never too small to read


def html(taken: Pass) -> str:
    """The page as HTML, whole in itself.

    Raises:
        ValueError: the graph is too large.
        RuntimeError: Graphviz is missing, or fails.
    """
    nodes = _nodes(taken)
    return _page(taken, nodes, _laid_out(taken, nodes)[1])


def save(taken: Pass, path: str | PathLike[str]) -> None:
    """Write the page to a file whose name ends in .html, or the film to one that ends in .svg.

    Raises:
        ValueError: the name ends otherwise, or the graph is too large.
        RuntimeError: Graphviz is missing, or fails.
        OSError: the file cannot be written.
    """
    if not isinstance(path, (str, PathLike)):
        raise TypeError(f"save({short_repr(path)}): expected the path of a file, got {type(path).__name__}")
    kind = os.path.splitext(os.fspath(path))[1].lower()
    if kind not in (".html", ".htm", ".svg"):
        raise ValueError(f"save({os.fspath(path)!r}): expected a name that ends in .html or .svg, such as 'steps.html'")
    write_atomically(path, film(taken, _nodes(taken)) if kind == ".svg" else html(taken))


def in_notebook(taken: Pass) -> dict[str, str]:
    """What a cell shows, by kind: the page in a frame, with a picture and a list of the steps; the picture alone.

    A viewer who does not trust the notebook gets the picture and the list, for the frame is taken away; where there is
    a frame they hide. Who takes no HTML gets the picture.
    """
    listed = _list(taken)
    try:
        nodes = _nodes(taken)
        drawn, svg = _laid_out(taken, nodes)
        dust = Dust(taken.dusty, taken.dusty_grads)
        picture = finished(taken.root, taken.names, taken.names.modules, taken.gradients, dust)
        shown = picture._repr_mimebundle_()
        page = _page(taken, nodes, svg, bare=True)
    except (ValueError, RuntimeError, TimeoutError) as error:
        return {"text/html": f"<div><p>{escape(str(error))}</p>{listed}</div>"}
    leaves = len([node for node in nodes if node.op is None])
    seen = drawn.height * min(_MOST, max(_LEAST, 880 / drawn.width))
    height = round(min(seen, 450) + 275 + 31 * min(max(leaves, 3), 7))
    shown["text/html"] = framed(page, _title(taken), shown["text/html"] + listed, height)
    return shown


def _title(taken: Pass) -> str:
    """What a frame holds, for those who do not see it."""
    return f"Backprop of {taken.names[taken.root]}, step by step: {taken.told}"


def _nodes(taken: Pass) -> Sequence[Value]:
    """The nodes of the graph, arguments before results; an error where these are too many to look at."""
    nodes = taken.nodes
    if len(nodes) > LIMIT:
        raise ValueError(
            f"a graph of {len(nodes):,} nodes is too large for a page, which shows {LIMIT} at most; print the steps, "
            "take them one by one in Python, ask for .ledger(node), or draw() the graph, which folds"
        )
    return nodes


def _laid_out(taken: Pass, nodes: Sequence[Value]) -> tuple[Layout, str]:
    """Where everything is, and the picture with all values and gradients."""
    drawn, grads = layout(nodes, taken.names), taken.gradients
    number = Identities((node, i) for i, node in enumerate(nodes))
    carrying = {(number[step.node], step.place) for step in taken.steps if step.node is not None}
    dusty = {("data", number[node]) for node in taken.dusty} | {("grad", number[node]) for node in taken.dusty_grads}
    return drawn, drawn.svg([node.data for node in nodes], [grads.get(node, 0.0) for node in nodes], carrying, dusty)


def _list(taken: Pass) -> str:
    """The first steps as a list that is folded away, for those who see the picture alone."""
    lines = [f"<li><code>{escape(step.text)}</code></li>" for step in taken.steps[:_LISTED]]
    more = f"<p>… and {len(taken.steps) - _LISTED:,} more</p>" if len(taken.steps) > _LISTED else ""
    return f'<details><summary>{len(taken.steps):,} steps</summary><ol start="0">{"".join(lines)}</ol>{more}</details>'


def _page(taken: Pass, nodes: Sequence[Value], svg: str, *, bare: bool = False) -> str:
    """The skeleton of the page, page.html, with everything put in its places; a bare one need not be read."""
    reason = why_fixed(taken, nodes)
    ops = {node.op.name: node.op for node in nodes if node.op is not None}
    pieces = {
        "title": escape(f"Backprop of {taken.names[taken.root]}"),
        "css": css(":root") + asset("graph.css") + asset("page.css") + asset("lessons.css"),
        "graph": svg,
        "data": as_json(page_data(taken, nodes, reason)),
        "arithmetic": arithmetic([op for op in ops.values() if isinstance(script(op), Script)]),
        "js": page_script(bare=bare),
    }
    return re.sub(r"<!--(\w+)-->|/\*(\w+)\*/", lambda m: pieces.get(m[1] or m[2], ""), asset("page.html"))
