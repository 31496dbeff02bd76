"""The backward pass as a film: one SVG that plays by itself, wherever pictures are shown."""

from __future__ import annotations

from collections.abc import Container, Sequence
from html import escape
from itertools import accumulate, groupby
from zlib import crc32

from micrograd_plus._support.texts import cut, isolated
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import boxed, shorter
from micrograd_plus.pictures.form import css
from micrograd_plus.stepping.page.assets import asset
from micrograd_plus.stepping.page.layouts import Layout, columns, layout, most, share
from micrograd_plus.stepping.page.levels import Level, levels_of
from micrograd_plus.stepping.page.moments import Frame, frames
from micrograd_plus.stepping.passes import Pass

LIMIT, _FINE = 300, 100  # boxes: at most; more than a hundred only where the graph does not fold
_LONG = 120  # letters in a line
_NUMBERED = 60  # arrows: of more, only those that carry something bear a number
_MARGIN, _LINE, _LETTER = 14.0, 19.0, 7.3  # pixels

# What is drawn in one place as long as nothing changes there, and in which frames: from the first up to the last.
Run = tuple[str, int, int]


def film(taken: Pass) -> str:
    """The film as SVG: the values appear, then the gradients flow; where nothing moves, the end is shown.

    A graph of more than a hundred nodes is folded to as few boxes, if it folds.

    Raises:
        ValueError: the graph is too large.
        RuntimeError: Graphviz is missing, or fails.
    """
    level = _folded(taken)
    shot, drawn = frames(taken, level), layout(level, taken.names)
    widest = max([columns(text) for frame in shot for text in (frame.phase, cut(frame.text, _LONG))]) * _LETTER
    width, height = max(drawn.width, widest) + 2 * _MARGIN, drawn.height + 2 * _LINE + 3 * _MARGIN
    moments = [(frame, most(frame.grads.values())) for frame in shot]
    shown = [level.shown(i) for i in range(len(level.boxes))]
    runs = [
        run
        for i, node in enumerate(shown)
        for run in _runs([_box(*moment, i, node, drawn, taken.dusty) for moment in moments])
    ]
    arrows = [run for key in drawn.arrows for run in _runs([_arrow(frame, *key, drawn) for frame in shot])]
    labels = [run for key in drawn.arrows for run in _runs([_label(frame, key, drawn) for frame in shot])]
    captions = _runs([_caption(frame, drawn.height) for frame in shot])
    mark = f"f{crc32(''.join([frame.text for frame in shot]).encode('utf-8', 'replace')):x}"  # two films on a page
    body, words = [
        "\n".join([f'<g class="{mark}-{run[1]}-{run[2]}">{run[0]}</g>' for run in some if run[0]])
        for some in ([*arrows, *runs, *labels], captions)
    ]
    bar = f'<rect class="bar {mark}" x="{-_MARGIN:g}" y="{-_MARGIN:g}" width="{width:g}" height="3"/>'
    middle = (width - 2 * _MARGIN - drawn.width) / 2
    title = escape(f"Backprop of {taken.names[taken.root]}, step by step: {taken.told}")
    times = _times([*arrows, *runs, *labels, *captions], [frame.seconds for frame in shot], mark)
    style = css(".film") + asset("graph.css") + asset("film.css") + times
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph film" role="group" style="max-width: 100%; height: auto"'
        f' width="{width:g}" height="{height:g}" viewBox="{-_MARGIN:g} {-_MARGIN:g} {width:g} {height:g}">\n'
        f"<title>{title}</title><style>{style}</style>\n"
        f'<g id="{mark}-paused"/><g id="{mark}-playing"/>\n'
        f'<rect class="back" x="{-_MARGIN:g}" y="{-_MARGIN:g}" width="{width:g}" height="{height:g}" rx="8"/>{bar}\n'
        f'<svg x="{middle:g}" width="{drawn.width:g}" height="{drawn.height:g}" {drawn.view}><g{drawn.moved}>\n'
        f"{body}\n</g></svg>\n{words}\n{_controls(mark, width - 2 * _MARGIN - 19)}\n</svg>\n"
    )


def _folded(taken: Pass) -> Level:
    """The finest level with few enough boxes, else the coarsest."""
    found = levels_of(taken)
    fine = [level for level in found if len(level.boxes) <= _FINE]
    coarsest = [level for level in found[-1:] if len(level.boxes) <= LIMIT]
    for level in (*fine, *coarsest):
        return level
    raise ValueError(
        f"a graph of {len(taken.nodes):,} nodes is too large for a film, which shows {LIMIT} at most; save the page, "
        "'steps.html', where one takes the steps by hand"
    )


# --------------------------------------------------------------------------------------------------------- what is seen


def _box(frame: Frame, largest: float, i: int, node: Value | None, drawn: Layout, dusty: Container[Value]) -> str:
    """A box; of a group that bears no numbers the node is None."""
    seen, reached = i in frame.known, i in frame.grads
    strength = share(frame.grads[i], largest) if reached else 0.0
    data, grad = "", ""
    if node is not None:
        data, grad = boxed(node.data, dust=node in dusty) if seen else "?", shorter(frame.grads[i]) if reached else "–"
    kinds = ["node", drawn.kinds[i]]
    kinds += [] if seen else ["unknown"]
    kinds += ["source"] if i in frame.sources else []
    kinds += ["target"] if i in frame.targets else []
    return f'<g class="{" ".join(kinds)}" transform="{drawn.corner(i)}">{drawn.box(i, data, grad, strength)}</g>'


def _arrow(frame: Frame, i: int, place: int, drawn: Layout) -> str:
    kinds = ["edge"]
    if (i, place) in frame.lit:
        kinds += ["lit"] if (i, place) in frame.shares else ["lit", "forward"]
    if (i, place) in frame.shares:
        kinds.append("back")
    return f'<g class="{" ".join(kinds)}">{drawn.arrow(i, place)}</g>'


def _label(frame: Frame, key: tuple[int, int], drawn: Layout) -> str:
    """What an arrow has carried back, written on it; where there are many, only while it does."""
    given = frame.shares.get(key)
    if given is None or (len(drawn.arrows) > _NUMBERED and key not in frame.lit):
        return ""
    x, y = drawn.labels[key]
    return f'<text class="share {"minus" if given < 0.0 else "plus"}" x="{x:g}" y="{y:g}">{shorter(given)}</text>'


def _caption(frame: Frame, below: float) -> str:
    y = below + _MARGIN + _LINE - 4
    return (
        f'<text class="phase" x="0" y="{y:g}">{escape(isolated(frame.phase))}</text>'
        f'<text class="step" x="0" y="{y + _LINE:g}">{escape(isolated(cut(frame.text, _LONG)))}</text>'
    )


# -------------------------------------------------------------------------------------------------------- when it moves


def _runs(drawings: Sequence[str]) -> list[Run]:
    """What is drawn in one place, each drawing once for as long as it lasts."""
    found, begin = [], 0
    for drawing, same in groupby(drawings):
        end = begin + len(list(same))
        found.append((drawing, begin, end))
        begin = end
    return found


def _times(runs: Sequence[Run], seconds: Sequence[float], mark: str) -> str:
    """CSS that shows each run at its time; what is there in the end is there where nothing moves.

    Args:
        runs: everything that is drawn.
        seconds: how long each frame lasts.
        mark: what the names of this film begin with.
    """
    starts = [0.0, *accumulate(seconds)]
    count, total = len(seconds), starts[-1]
    at = [f"{100 * start / total:.3f}%" for start in starts]
    still = []
    moving = [f"@keyframes {mark} {{ from {{ transform: scaleX(0); }} {at[-2]}, to {{ transform: none; }} }}"]
    moving.append(f".bar.{mark} {{ animation: {mark} {total:g}s linear infinite; }}")
    for begin, end in sorted({run[1:] for run in runs}):
        name, last = f"{mark}-{begin}-{end}", end == count
        if not last:
            still.append(f".{name} {{ visibility: hidden; }}")
        if begin == 0 and last:
            continue
        shown = ["0% { visibility: hidden; }"] if begin else []
        shown.append(f"{at[begin]} {{ visibility: visible; }}")
        shown.append(f"{'100%' if last else at[end]} {{ visibility: {'visible' if last else 'hidden'}; }}")
        moving.append(f"@keyframes {name} {{ {' '.join(shown)} }}")
        moving.append(f".{name} {{ animation: {name} {total:g}s step-end infinite; }}")
    paused = f"#{mark}-paused:target ~ *, #{mark}-paused:target ~ * * {{ animation-play-state: paused; }}"
    inside = "\n".join([*moving, paused])
    return "\n".join([*still, f"@media (prefers-reduced-motion: no-preference) {{\n{inside}\n}}\n"])


def _controls(mark: str, right: float) -> str:
    """Two links, of which one is there: they pause the film and let it go on, where it is more than an image.

    No script is needed: a link to a place in the film makes that place the page's target, which the style sheet sees.
    """
    signs = (("paused", "pause", "Pause", "M5 4h3v10H5zM11 4h3v10h-3z"), ("playing", "play", "Play", "M5 3v12l10-6z"))
    return "".join([
        f'<a href="#{mark}-{place}" class="control {kind}" aria-label="{word}" transform="translate({right:g} 0)">'
        f'<title>{word}</title><rect width="19" height="18" rx="4"/><path d="{path}"/></a>'
        for place, kind, word, path in signs
    ])  # fmt: skip
