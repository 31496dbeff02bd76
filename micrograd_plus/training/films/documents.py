"""Write a film of a training as HTML: the page that plays it, and what a notebook shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.markup import filled
from micrograd_plus.pictures.form import CLASSES, css
from micrograd_plus.pictures.frames import framed
from micrograd_plus.pictures.packing import deflated, unpacking_script
from micrograd_plus.pictures.scripts import asset
from micrograd_plus.pictures.stills import FOLLOWING
from micrograd_plus.stepping.page.payload import as_json
from micrograd_plus.training.films.curves import HEIGHT, WIDTH, Curve, curve
from micrograd_plus.training.films.panels import Panel
from micrograd_plus.training.films.stills import still

if TYPE_CHECKING:
    from micrograd_plus.training.films.reels import Reel

LIMIT = 300_000  # bytes of what a notebook keeps
MOST = 120  # snapshots


def page(reel: Reel) -> str:
    """The page as HTML, whole in itself, with as many snapshots as there is room for.

    Raises:
        ValueError: not even two of them fit.
    """
    graphs = [deflated(text.encode("utf-8", "replace")) for text in reel.graphs.pages]
    count = min(len(reel.snapshots), MOST)
    while count > 1:
        chosen = np.linspace(0, len(reel.snapshots) - 1, count).round().astype(int).tolist()
        made = _page(reel, chosen, graphs)
        if max(len(made.encode()), len(_framed(reel, made).encode())) <= LIMIT:
            return made
        count = count * 3 // 4
    raise ValueError(f"film: two snapshots of {len(reel.snapshots[0].numbers):,} parameters do not fit into 300 kB")


def in_notebook(reel: Reel) -> str:
    """HTML for a cell: a static picture of the end, and the page in a frame of its own."""
    return _framed(reel, page(reel))


def _framed(reel: Reel, made: str) -> str:
    return framed(made, reel.description, FOLLOWING + still(reel).as_image("max-width: 100%"), 640)


def _page(reel: Reel, chosen: Sequence[int], graphs: Sequence[str]) -> str:
    """The skeleton, page.html, with everything put in its places."""
    snapshots = [reel.snapshots[i] for i in chosen]
    drawn = curve([it.step for it in snapshots], [it.loss for it in snapshots])
    classes = "; ".join([f"--class{i}: {colour}" for i, colour in enumerate(CLASSES)])
    pieces = {
        "title": escape(reel.description[0].upper() + reel.description[1:]),
        "css": f"{css(':root')}:root {{ {classes}; }}\n{asset('page.css')}{_asset('page.css')}",
        "curve": _curve(drawn, snapshots[-1].step),
        "data": as_json(_data(reel, chosen, drawn, graphs)),
        "js": unpacking_script() + asset("playing.js") + _asset("page.js"),
    }
    return filled(_asset("page.html"), pieces)


def _curve(drawn: Curve, last: int) -> str:
    """The curve of the loss as SVG."""
    lines = "".join(
        [
            f'<line class="grid" x1="8" x2="{WIDTH - 8:g}" y1="{y:g}" y2="{y:g}"/>'
            f'<text class="mark" x="8" y="{y - 3:g}">{text}</text>'
            for y, text in drawn.lines
        ]
    )
    points = " ".join([f"{x:g},{y:g}" for x, y in drawn.points])
    return (
        f'<svg id="curve" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img">{lines}<polyline points="{points}"/>'
        f'<line id="now" y1="8" y2="{HEIGHT - 20:g}"/><circle id="dot" r="4.5"/>'
        f'<text class="mark" x="8" y="{HEIGHT - 6:g}">step 0</text>'
        f'<text class="mark end" x="{WIDTH - 8:g}" y="{HEIGHT - 6:g}">{last:,}</text></svg>'
    )


def _data(reel: Reel, chosen: Sequence[int], drawn: Curve, graphs: Sequence[str]) -> dict[str, Any]:
    """What the script reads."""
    snapshots = [reel.snapshots[i] for i in chosen]
    found = reel.answering
    return {
        "snapshots": [[i, it.step, it.epoch, _number(it.loss)] for i, it in zip(chosen, snapshots)],
        "curve": drawn.points,
        "answers": _shown(found, chosen) if isinstance(found, Panel) else {"kind": "none", "why": found},
        "names": reel.names,
        "examples": found.chosen if isinstance(found, Panel) else [],
        "right": None if isinstance(found, str) or found.right is None else [found.right[i] for i in chosen],
        "weights": [_shown(panel, chosen) for panel in reel.weights],
        "graphs": _graphs(reel, chosen, graphs),
    }


def _shown(panel: Panel, chosen: Sequence[int]) -> dict[str, Any]:
    return {**panel.facts, "frames": {name: deflated(data) for name, data in panel.thinned(chosen).items()}}


def _graphs(reel: Reel, chosen: Sequence[int], pages: Sequence[str]) -> dict[str, Any]:
    """The graphs' pages, with what each snapshot and each example puts into their leaves, to the last bit."""
    if not pages:
        return {"why": reel.graphs.why_not, "pages": [], "examples": []}
    numbers = np.array([reel.snapshots[i].numbers for i in chosen])
    return {
        "why": reel.graphs.why_not,
        "pages": pages,
        "parameters": reel.graphs.parameters,
        "examples": reel.graphs.examples,
        "numbers": deflated(numbers.astype("<f8").tobytes()),
    }


def _number(number: float) -> float | str:
    return float(f"{number:.6g}") if isfinite(number) else str(number)


def _asset(name: str) -> str:
    return asset(name, __package__)
