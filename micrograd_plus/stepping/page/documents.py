"""Write a backward pass as HTML: the page with buttons that walk through the graph, and what a notebook shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from os import PathLike
from reprlib import repr as short_repr

from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.markup import filled
from micrograd_plus._support.texts import isolated
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import Dust
from micrograd_plus.formulas.javascript import Script, arithmetic, script
from micrograd_plus.formulas.numerals import boxed
from micrograd_plus.pictures import scripts
from micrograd_plus.pictures.drawing import finished
from micrograd_plus.pictures.folding import Folding
from micrograd_plus.pictures.form import css
from micrograd_plus.pictures.frames import framed
from micrograd_plus.pictures.rendering import Job, drawn_together
from micrograd_plus.stepping.page.assets import asset, page_script
from micrograd_plus.stepping.page.films import film
from micrograd_plus.stepping.page.layouts import Layout, asked_for, layout, most, share
from micrograd_plus.stepping.page.levels import LIMIT as LIMIT
from micrograd_plus.stepping.page.levels import Level, excerpt, folding_of, levels_of, opening
from micrograd_plus.stepping.page.live import whole
from micrograd_plus.stepping.page.payload import as_json, page_data, why_fixed
from micrograd_plus.stepping.passes import Pass

_LISTED = 25  # steps in the list under the static picture
_LEAST, _MOST = 0.75, 1.25  # the scale of the graph, as in script/view.js: never too small to read


def html(taken: Pass, *, bare: bool = False) -> str:
    """The page as HTML, whole in itself; a bare one, where bytes count, does not fold what it can show whole.

    Raises:
        ValueError: the graph is too large.
        RuntimeError: Graphviz is missing, or fails.
    """
    with _drawn(taken, folding_of(taken)) as found:
        return _page(taken, found[:1] if bare else found, bare=bare)


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
    write_atomically(path, film(taken) if kind == ".svg" else html(taken))


def in_notebook(taken: Pass) -> dict[str, str]:
    """What a cell shows, by kind: the page in a frame, with a picture and a list of the steps; the picture alone.

    A viewer who does not trust the notebook gets the picture and the list, for the frame is taken away; where there is
    a frame they hide. Who takes no HTML gets the picture.
    """
    listed = _list(taken)
    folding, dust = folding_of(taken), Dust(taken.dusty, taken.dusty_grads)
    try:
        picture = finished(taken.nodes, folding, taken.names, taken.gradients, dust)
        with _drawn(taken, folding, picture._drawings) as found:
            shown = picture._repr_mimebundle_()
            page = _page(taken, found, bare=True)
    except (ValueError, RuntimeError, TimeoutError) as error:
        return {"text/html": f"<div><p>{escape(str(error))}</p>{listed}</div>"}
    level, drawn, _ = found[opening([level for level, _, _ in found])]
    leaves = len([box for box in level.boxes if not box.title and box.members[0].op is None])
    seen = drawn.height * min(_MOST, max(_LEAST, 880 / drawn.width))
    height = round(min(seen, 450) + 275 + 31 * min(max(leaves, 3), 7))
    shown["text/html"] = framed(page, _title(taken), shown["text/html"] + listed, height)
    return shown


def _title(taken: Pass) -> str:
    """What a frame holds, for those who do not see it."""
    return f"Backprop of {taken.names[taken.root]}, step by step: {taken.told}"


@contextmanager
def _drawn(taken: Pass, folding: Folding, also: Sequence[Job] = ()) -> Iterator[list[tuple[Level, Layout, str]]]:
    """The levels of the graph, finest first: where everything is, and the picture with all values and gradients.

    Args:
        taken: the pass.
        folding: its graph.
        also: what else Graphviz is to draw, which is there within the block.
    """
    found = levels_of(taken, folding)
    if not found:
        raise ValueError(
            f"a graph of {len(taken.nodes):,} nodes is too large for a page, which shows {LIMIT} at most; print the "
            "steps, take them one by one in Python, ask for .ledger(node), or draw() the graph, which folds"
        )
    with drawn_together([*[asked_for(level, taken.names) for level in found], *also]):
        yield [_laid_out(taken, level) for level in found]


def _laid_out(taken: Pass, level: Level) -> tuple[Level, Layout, str]:
    places, grads = layout(level, taken.names), taken.gradients
    shown = [level.shown(i) for i in range(len(level.boxes))]
    largest = most([grads.get(node, 0.0) for node in shown if node is not None and node not in taken.dusty_grads])
    numbers = [("", "", 0.0) if node is None else _numbers(taken, node, grads, largest) for node in shown]
    carrying = {level.arrow(step.node, step.place) for step in taken.steps if step.node is not None}
    return level, places, places.svg(numbers, carrying - {None})  # type: ignore[arg-type]


def _numbers(taken: Pass, node: Value, grads: Mapping[Value, float], largest: float) -> tuple[str, str, float]:
    """What a box tells of a node: its value, its gradient, and that over the largest one."""
    grad, dust = grads.get(node, 0.0), node in taken.dusty_grads
    data = boxed(node.data, dust=node in taken.dusty)
    return data, boxed(grad, dust=dust), 0.0 if dust else share(grad, largest)


def _list(taken: Pass) -> str:
    """The first steps as a list that is folded away, for those who see the picture alone."""
    lines = [f"<li><code>{escape(isolated(step.text))}</code></li>" for step in taken.steps[:_LISTED]]
    more = f"<p>… and {len(taken.steps) - _LISTED:,} more</p>" if len(taken.steps) > _LISTED else ""
    return f'<details><summary>{len(taken.steps):,} steps</summary><ol start="0">{"".join(lines)}</ol>{more}</details>'


def _page(taken: Pass, found: Sequence[tuple[Level, Layout, str]], *, bare: bool = False) -> str:
    """The skeleton of the page, page.html, with everything put in its places; a bare one need not be read."""
    known = excerpt(taken, [level for level, _, _ in found])
    folded = len(known.nodes) < len(taken.nodes)
    reason = why_fixed(taken)
    live = whole(taken, known, bare=bare) if folded and not reason else None
    if folded and not reason and live is None:
        reason = f"the graph of {len(taken.nodes):,} nodes is folded: what is inside of its boxes stays in Python"
        reason += "; steps.save('steps.html') writes a page that has it" if bare and whole(taken, known) else ""
    ops = {node.op.name: node.op for node in (taken.nodes if live else known.nodes) if node.op is not None}
    first = opening([level for level, _, _ in found])
    drawings = [(level, "" if i == first else svg) for i, (level, _, svg) in enumerate(found)]
    sheets = css(":root") + scripts.asset("page.css") + "".join(map(asset, ("graph.css", "page.css", "lessons.css")))
    formulas = arithmetic([op for op in ops.values() if isinstance(script(op), Script)])
    pieces = {
        "title": escape(f"Backprop of {taken.names[taken.root]}"),
        "css": scripts.bare_style(sheets) if bare else sheets,
        "graph": found[first][2],
        "data": as_json(page_data(taken, known, drawings, reason, live)),
        "arithmetic": formulas,
        "js": page_script(bare=bare, special="special." in formulas),
    }
    return filled(asset("page.html"), pieces)
