"""The backward pass as a film: one SVG that plays by itself, wherever pictures are shown."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate, groupby
from math import ceil
from zlib import crc32

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import cut
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import boxed, short, shorter
from micrograd_plus.pictures.colours import css
from micrograd_plus.stepping.notation import forward_text
from micrograd_plus.stepping.page.assets import asset
from micrograd_plus.stepping.page.layouts import Layout, columns, layout, most, share
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.stepping.steps import Step

_FORWARD, _SEED = 2.1, 0.8  # seconds: all values together, the loss's own gradient; then gradients begin to flow
_STEP, _LEAST, _BACKWARD = 1.6, 0.3, 90.0  # seconds: a step, where there are not so many that all take too long
_END = 5.0  # seconds: the last frame
_WAVES = 8  # frames in which the values appear
LIMIT = 100  # nodes: a film of more takes minutes
_LONG = 120  # letters in a line
_MARGIN, _LINE, _LETTER = 14.0, 19.0, 7.3  # pixels

# What is drawn in one place as long as nothing changes there, and in which frames: from the first up to the last.
Run = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known at one moment of a pass."""

    phase: str
    text: str
    known: frozenset[int]  # nodes whose value has appeared
    grads: Mapping[int, float]
    sources: frozenset[int] = frozenset()
    targets: frozenset[int] = frozenset()
    lit: frozenset[tuple[int, int]] = frozenset()  # arrows: into which node, as which argument
    shares: Mapping[tuple[int, int], float] = field(default_factory=dict)  # what each arrow has carried back so far
    seconds: float = _END


def film(taken: Pass, nodes: Sequence[Value]) -> str:
    """The film as SVG: the values appear one by one, then the gradients; where nothing moves, the end is shown.

    Args:
        taken: the pass.
        nodes: those of its graph, arguments before results.

    Raises:
        ValueError: the graph is too large.
        RuntimeError: Graphviz is missing, or fails.
    """
    if len(nodes) > LIMIT:
        raise ValueError(
            f"a graph of {len(nodes):,} nodes is too large for a film, which shows {LIMIT} at most; save the page, "
            "'steps.html', where one takes the steps by hand"
        )
    shot, drawn = frames(taken, nodes), layout(nodes, taken.names)
    widest = max([columns(text) for frame in shot for text in (frame.phase, cut(frame.text, _LONG))]) * _LETTER
    width, height = max(drawn.width, widest) + 2 * _MARGIN, drawn.height + 2 * _LINE + 3 * _MARGIN
    moments = [(frame, most(frame.grads.values())) for frame in shot]
    runs = [
        run
        for i, node in enumerate(nodes)
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
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph film" role="group" width="{width:g}" '
        f'height="{height:g}" viewBox="{-_MARGIN:g} {-_MARGIN:g} {width:g} {height:g}">\n'
        f"<title>{title}</title><style>{style}</style>\n"
        f'<g id="{mark}-paused"/><g id="{mark}-playing"/>\n'
        f'<rect class="back" x="{-_MARGIN:g}" y="{-_MARGIN:g}" width="{width:g}" height="{height:g}" rx="8"/>{bar}\n'
        f'<svg x="{middle:g}" width="{drawn.width:g}" height="{drawn.height:g}" {drawn.view}><g{drawn.moved}>\n'
        f"{body}\n</g></svg>\n{words}\n{_controls(mark, width - 2 * _MARGIN - 19)}\n</svg>\n"
    )


def frames(taken: Pass, nodes: Sequence[Value]) -> list[Frame]:
    """The moments of a pass, as the page shows them: the leaves alone, each value, each step."""
    number = Identities((node, i) for i, node in enumerate(nodes))
    grads = {number[node]: grad for node, grad in taken.held.items()}
    found = _appearing(taken, nodes, number, grads)
    known = found[-1].known
    shares: dict[tuple[int, int], float] = {}
    pause = min(_STEP, max(_LEAST, _BACKWARD / len(taken.steps)))
    for k, step in enumerate(taken.steps):
        grads = grads | {number[step.argument]: step.without_dust("after")}
        phase = f"Backward, gradients flow: step {k} of {len(taken.steps) - 1}"
        found.append(_stepped(step, phase, number, known, grads, shares, pause if k else _SEED))
        shares = dict(found[-1].shares)
    last = found[-1]
    rest = dict.fromkeys(range(len(nodes)), 0.0) | dict(last.grads)
    wrong = "; ".join([str(each) for each in taken.wrong[:2]])
    end = f"In this order {len(taken.wrong)} come out wrong: {wrong}" if wrong else _result(taken, nodes)
    return [*found, Frame("Done: every leaf has its gradient", end, known, rest, shares=last.shares)]


def _appearing(
    taken: Pass, nodes: Sequence[Value], number: Mapping[Value, int], grads: Mapping[int, float]
) -> list[Frame]:
    """The leaves alone, then the values, in a few waves, so that gradients begin to flow within three seconds."""
    made = [i for i, node in enumerate(nodes) if node.op is not None]
    known = frozenset(range(len(nodes))) - frozenset(made)
    leaves = "1 leaf" if len(known) == 1 else f"{len(known)} leaves"
    again = f"; {taken.names[taken.root]}.backward() has run already: its pass starts afresh" if taken.again else ""
    size = max(1, ceil(len(made) / _WAVES))
    waves = [made[k : k + size] for k in range(0, len(made), size)]
    each = _FORWARD / (len(waves) + 1)
    begin = f"{leaves}, {len(made)} to compute{again}"
    found = [Frame("The leaves: the numbers that were given", begin, known, grads, seconds=each)]
    for k, wave in enumerate(waves):
        known |= set(wave)
        given = [(i, place) for i in wave for place, arg in enumerate(nodes[i].args) if isinstance(arg, Value)]
        sources = frozenset([number[nodes[i].args[place]] for i, place in given])  # type: ignore[index]
        phase = f"Forward, values appear: {k * size + len(wave)} of {len(made)}"
        text = ", ".join([f"{taken.names[nodes[i]]} = {short(nodes[i].data)}" for i in wave])
        text = forward_text(nodes[wave[0]], taken.names, taken.dusty) if len(wave) == 1 else text
        found.append(Frame(phase, text, known, grads, sources, frozenset(wave), frozenset(given), seconds=each))
    return found


def _stepped(
    step: Step,
    phase: str,
    number: Mapping[Value, int],
    known: frozenset[int],
    grads: Mapping[int, float],
    shares: dict[tuple[int, int], float],
    seconds: float,
) -> Frame:
    targets = frozenset([number[step.argument]])
    if step.node is None:
        return Frame(phase, step.text, known, grads, targets=targets, shares=shares, seconds=seconds)
    source = number[step.node]
    key = source, step.place
    carried = shares | {key: step.without_dust("contribution")}
    return Frame(phase, step.text, known, grads, frozenset([source]), targets, frozenset([key]), carried, seconds)


def _result(taken: Pass, nodes: Sequence[Value]) -> str:
    grads = taken.gradients | dict.fromkeys(taken.dusty_grads, 0.0)
    given = [f"{taken.names[node]}.grad = {short(grads.get(node, 0.0))}" for node in nodes if node.op is None]
    return ", ".join(given[:4]) + (", …" if len(given) > 4 else "")


# --------------------------------------------------------------------------------------------------------- what is seen


def _box(frame: Frame, largest: float, i: int, node: Value, drawn: Layout, dusty: Container[Value]) -> str:
    seen, reached = i in frame.known, i in frame.grads
    strength = share(frame.grads[i], largest) if reached else 0.0
    data, grad = boxed(node.data, dust=node in dusty) if seen else "?", shorter(frame.grads[i]) if reached else "–"
    kinds = ["node", "leaf" if node.op is None else "made"]
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
    """What an arrow has carried back, written on it."""
    given = frame.shares.get(key)
    if given is None:
        return ""
    x, y = drawn.labels[key]
    return f'<text class="share {"minus" if given < 0.0 else "plus"}" x="{x:g}" y="{y:g}">{shorter(given)}</text>'


def _caption(frame: Frame, below: float) -> str:
    y = below + _MARGIN + _LINE - 4
    return (
        f'<text class="phase" x="0" y="{y:g}">{escape(frame.phase)}</text>'
        f'<text class="step" x="0" y="{y + _LINE:g}">{escape(cut(frame.text, _LONG))}</text>'
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
