"""What does the page's script get to know of a backward pass? Its nodes and steps, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import plural
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.javascript import script
from micrograd_plus.stepping.notation import parts
from micrograd_plus.stepping.page.code_lines import sources
from micrograd_plus.stepping.page.levels import Excerpt, Level, note, opening
from micrograd_plus.stepping.page.numbers import written
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.stepping.steps import Step

_NAMED = 3  # nodes with a plain condition
_COLUMNS = ("upstream", "local", "contribution", "before", "after")


def page_data(
    taken: Pass, known: Excerpt, levels: Sequence[tuple[Level, str]], reason: str, live: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the script reads: the nodes, the steps and what came out wrong, all by the nodes' numbers.

    Args:
        taken: the pass.
        known: what the page is to know of it; the places of its nodes are their numbers.
        levels: how deep the graph may be opened, and how it is drawn then.
        reason: why leaves cannot be changed, as `why_fixed` says it.
        live: from what a folded graph is computed anew.
    """
    nodes = known.nodes
    number = Identities((node, i) for i, node in enumerate(nodes))
    return {
        "root": number[taken.root],
        "again": taken.again,
        "warning": taken.warning,
        "fixed": reason,
        "decided": decided(taken),
        **({"whole": live} if live else {}),
        "levels": [_level(level, drawing, known, number) for level, drawing in levels],
        "level": opening([level for level, _ in levels]),
        "nodes": [_node(node, taken.names, number, inner=node in known.inner) for node in nodes],
        "dust": [number[node] for node in taken.dusty if node in number],
        "now": {str(number[node]): written(now) for node, now in taken.outdated.items() if node in number},
        "held": {str(number[node]): written(grad) for node, grad in taken.held.items() if node in number},
        "why": {node.op.name: node.op.rule for node in nodes if node.op is not None and node.op.rule},
        "sources": sources(nodes),
        "steps": [_step(step, number) for step in known.steps],
        "wrong": {str(number[wrong.node]): str(wrong) for wrong in taken.wrong if wrong.node in number},
    }


def _level(level: Level, drawing: str, known: Excerpt, number: Mapping[Value, int]) -> dict[str, Any]:
    """The boxes of a level, which box each node is in, and where a walk through the pass stops."""
    first = {level.home[node]: number[node] for node in reversed(known.nodes)}
    boxes = []
    for i, box in enumerate(level.boxes):
        shown = level.shown(i)
        at = first.get(i) if shown is None else number[shown]
        boxes.append([box.id, at, shown is not None, box.title, note(box) if box.title else ""])
    home = [level.home[node] for node in known.nodes]
    plain = not any(box.title for box in level.boxes)
    name = plural(len(boxes), "node") if plain else f"{len(boxes):,} boxes"
    return {
        "name": name,
        "boxes": boxes,
        "home": home,
        "drawing": drawing,
    }


def _node(node: Value, names: Mapping[Value, str], number: Mapping[Value, int], *, inner: bool) -> dict[str, Any]:
    """A node: its name, its operation, its number, its arguments and how it is written; of an inner one not these."""
    known: dict[str, Any] = {"name": names[node], "op": node.op.name if node.op else "", "data": written(node.data)}
    if inner:
        return known | {"args": [], "parts": [], "inner": True}
    args = [number[arg] if isinstance(arg, Value) else {"number": written(arg)} for arg in node.args]
    return known | {"args": args, "parts": [] if node.op is None else parts(node)}


def _step(step: Step, number: Mapping[Value, int]) -> dict[str, Any]:
    op = step.node.op if step.node is not None else None
    condition = {} if op is None or op.flows_to(step.place) else {"condition": True}  # no path leads through it
    return {
        **condition,
        "kind": step.kind,
        "node": None if step.node is None else number[step.node],
        "argument": number[step.argument],
        "place": step.place,
        "formula": step.factor,
        "masked": step.masked,
        "numbers": [written(getattr(step, column)) for column in _COLUMNS],
        **({"dust": step.dust()} if step.dust() else {}),
    }


def as_json(data: Any) -> str:
    """JSON that may stand in a script element, whatever the strings in it are."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def why_fixed(taken: Pass) -> str:
    """Why leaves cannot be changed in the page; "" if they can."""
    if taken.wrong:
        return "a wrong order was asked for, to see what it does"
    if any(step.kind == "hook" for step in taken.steps):
        return "a hook, which is Python, changes a gradient"
    for op in dict.fromkeys([node.op for node in taken.nodes if node.op is not None]):
        made = script(op)
        if isinstance(made, str):
            return f"{op.name} cannot be computed in the page: {made}"
    return taken.warning


def decided(taken: Pass) -> str:
    """Where a condition is a plain number, as `a > b` is, which follows no leaf; "" where none is."""
    nodes = [node for node in taken.nodes if node.op is TABLE["where"] and not isinstance(node.args[0], Value)]
    if not nodes:
        return ""
    told = [taken.names[node] for node in nodes[:_NAMED]]
    more = [f"{len(nodes) - _NAMED:,} nodes more"] if len(nodes) > _NAMED else []
    return f"so does the condition of {' and '.join([', '.join(told), *more])}, a plain number"
