"""The backward pass as a page: the graph, and buttons that walk through it; one file that works offline."""

from __future__ import annotations

import json
import math
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from os import PathLike
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.javascript import arithmetic, script
from micrograd_plus.formulas.row_graphs import is_close
from micrograd_plus.stepping.page.films import film
from micrograd_plus.stepping.page.placing import Layout, layout
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.stepping.steps import parts

LIMIT = 700  # nodes: Graphviz lays them out in a tenth of a second; nobody clicks through more
_COLUMNS = ("upstream", "local", "contribution", "before", "after")
_LISTED = 300  # steps in the list under the static picture
_LEAST, _MOST = 0.75, 1.25  # the scale of the graph, as in page.js: never too small to read


def page(taken: Pass) -> str:
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
    write_atomically(path, film(taken, _nodes(taken)) if kind == ".svg" else page(taken))


def in_notebook(taken: Pass) -> str:
    """HTML for a cell: a static picture with a list of the steps, and the page in a frame of its own.

    A viewer who does not trust the notebook gets the picture alone, for the frame is taken away; where there is a frame
    the picture hides.
    """
    listed = _list(taken)
    try:
        nodes = _nodes(taken)
        drawn, svg = _laid_out(taken, nodes)
    except (ValueError, RuntimeError, TimeoutError) as error:
        return f"<div><p>{escape(str(error))}</p>{listed}</div>"
    style = f"<style>{_asset('graph.css')}</style>"
    image = b64encode(svg.replace("<!--style-->", style).encode()).decode()
    title = escape(f"Backprop of {taken.names[taken.root]}")
    leaves = len([node for node in nodes if node.op is None])
    picture = drawn.height * min(_MOST, max(_LEAST, 880 / drawn.width))
    height = round(min(picture, 450) + 250 + 31 * min(max(leaves, 3), 7))
    return (
        "<style>.micrograd-plus-static:has(+ iframe) {display: none}</style>"
        '<div class="micrograd-plus-static">'
        f'<img alt="{title}: the graph with all values and gradients" src="data:image/svg+xml;base64,{image}" '
        f'style="max-width: 100%">{listed}</div>'
        f'<iframe title="{title}" sandbox="allow-scripts" srcdoc="{escape(_page(taken, nodes, svg))}" '
        f'style="width: 100%; height: {height}px; border: 0; resize: vertical"></iframe>'
    )


def _nodes(taken: Pass) -> list[Value]:
    nodes = toposort(taken.root)
    if len(nodes) > LIMIT:
        raise ValueError(
            f"a graph of {len(nodes):,} nodes is too large for a page, which shows {LIMIT} at most; print the steps, "
            "take them one by one in Python, ask for .ledger(node), or draw() the graph, which folds"
        )
    return nodes


def _laid_out(taken: Pass, nodes: list[Value]) -> tuple[Layout, str]:
    """Where everything is, and the picture with all values and gradients."""
    drawn, grads = layout(nodes, taken.names), taken.gradients
    return drawn, drawn.svg([node.data for node in nodes], [grads.get(node, 0.0) for node in nodes])


def _list(taken: Pass) -> str:
    lines = [f"<li><code>{escape(step.text)}</code></li>" for step in taken.steps[:_LISTED]]
    more = f"<p>… and {len(taken.steps) - _LISTED:,} more</p>" if len(taken.steps) > _LISTED else ""
    return f'<details><summary>{len(taken.steps):,} steps</summary><ol start="0">{"".join(lines)}</ol>{more}</details>'


def _page(taken: Pass, nodes: list[Value], svg: str) -> str:
    reason = _why_fixed(taken, nodes)
    ops = {node.op.name: node.op for node in nodes if node.op is not None}
    pieces = {
        "title": escape(f"Backprop of {taken.names[taken.root]}"),
        "css": _asset("graph.css") + _asset("page.css"),
        "graph": svg,
        "data": _json(_data(taken, nodes, reason)),
        "arithmetic": arithmetic(ops.values()) if not reason else "const forward = {};\nconst rules = {};",
        "js": _asset("page.js"),
    }
    return re.sub(r"<!--(\w+)-->|/\*(\w+)\*/", lambda m: pieces.get(m[1] or m[2], ""), _asset("page.html"))


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """JSON that may stand in a script element, whatever the strings in it are."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _number(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def _data(taken: Pass, nodes: list[Value], reason: str) -> dict[str, Any]:
    number = Identities((node, i) for i, node in enumerate(nodes))
    return {
        "root": number[taken.root],
        "fixed": reason,
        "nodes": [_node(node, taken.names, number) for node in nodes],
        "held": {str(number[node]): _number(grad) for node, grad in taken.held.items()},
        "steps": [
            {
                "kind": step.kind,
                "node": None if step.node is None else number[step.node],
                "argument": number[step.argument],
                "place": step.place,
                "formula": step.factor,
                "masked": step.masked,
                "numbers": [_number(getattr(step, column)) for column in _COLUMNS],
            }
            for step in taken.steps
        ],
        "wrong": {str(number[wrong.node]): str(wrong) for wrong in taken.wrong},
    }


def _node(node: Value, names: Mapping[Value, str], number: Mapping[Value, int]) -> dict[str, Any]:
    return {
        "name": names[node],
        "op": node.op.name if node.op else "",
        "data": _number(node.data),
        "args": [number[arg] if isinstance(arg, Value) else {"number": _number(arg)} for arg in node.args],
        "parts": [] if node.op is None else parts(node),
    }


def _why_fixed(taken: Pass, nodes: list[Value]) -> str:
    """Why leaves cannot be changed in the page; "" if they can."""
    if taken.wrong:
        return "a wrong order was asked for, to see what it does"
    if any(step.kind == "hook" for step in taken.steps):
        return "a hook, which is Python, changes a gradient"
    for op in dict.fromkeys([node.op for node in nodes if node.op is not None]):
        made = script(op)
        if isinstance(made, str):
            return f"{op.name} cannot be computed in the page: {made}"
    for node in nodes:
        if node.op is not None and node.op.forward is not None:
            numbers = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
            if not is_close(node.op.forward(*numbers), node.data):
                return f"{taken.names[node]} is no longer what its arguments give, since their data was written"
    return ""
