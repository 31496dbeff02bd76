"""What is known at each moment of a film? The leaves alone, then the values in a few waves, then each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import short
from micrograd_plus.stepping.notation import forward_text
from micrograd_plus.stepping.page.labels import Arrow
from micrograd_plus.stepping.page.levels import Level, note
from micrograd_plus.stepping.passes import Pass
from micrograd_plus.stepping.steps import Step

_FORWARD, _SEED = 2.1, 0.8  # seconds: all values together, the loss's own gradient; then gradients begin to flow
_STEP, _LEAST, _BACKWARD = 1.6, 0.3, 90.0  # seconds: a step, where there are not so many that all take too long
_END = 5.0  # seconds: the last frame
_WAVES = 8  # frames in which the values appear


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known at one moment of a pass, by the places of boxes."""

    phase: str
    text: str
    known: frozenset[int]  # boxes whose value has appeared
    grads: Mapping[int, float]
    sources: frozenset[int] = frozenset()
    targets: frozenset[int] = frozenset()
    lit: frozenset[Arrow] = frozenset()
    shares: Mapping[Arrow, float | None] = field(default_factory=dict)  # what each arrow has carried back so far
    seconds: float = _END


def frames(taken: Pass, level: Level) -> list[Frame]:
    """The moments of a pass: the leaves alone, each value, each step; a folded box passes all on at once."""
    made = [node for node in taken.nodes if node.op is not None]
    stops = level.stops(made, taken.steps)
    grads = {level.home[node]: grad for node, grad in taken.held.items() if _is_shown(level, node)}
    found = _appearing(taken, level, [level.home[made[k - 1]] for k in stops if k <= len(made)], grads)
    backward = [k - len(made) for k in stops if k > len(made)]
    pause = min(_STEP, max(_LEAST, _BACKWARD / len(backward)))
    for begin, end in zip([0, *backward], backward):
        phase = f"Backward, gradients flow: step {end - 1} of {len(taken.steps) - 1}"
        found.append(_flowing(level, taken.steps[begin:end], phase, found[-1], pause if begin else _SEED))
    last = found[-1]
    shown = [i for i in range(len(level.boxes)) if level.shown(i) is not None]
    wrong = "; ".join([str(each) for each in taken.wrong[:2]])
    end_text = f"In this order {len(taken.wrong)} come out wrong: {wrong}" if wrong else _result(taken)
    rest = dict.fromkeys(shown, 0.0) | dict(last.grads)
    return [*found, Frame("Done: every leaf has its gradient", end_text, last.known, rest, shares=last.shares)]


def _appearing(taken: Pass, level: Level, made: Sequence[int], grads: Mapping[int, float]) -> list[Frame]:
    """The leaves alone, then the values, in a few waves, so that gradients begin to flow within three seconds."""
    known = frozenset(range(len(level.boxes))) - frozenset(made)
    leaves = "1 leaf" if len(known) == 1 else f"{len(known)} leaves"
    again = f"; {taken.names[taken.root]}.backward() has run already: its pass starts afresh" if taken.again else ""
    size = max(1, ceil(len(made) / _WAVES))
    waves = [made[k : k + size] for k in range(0, len(made), size)]
    each = _FORWARD / (len(waves) + 1)
    old = f"; {warning}" if (warning := taken.warning) else ""
    begin = f"{leaves}, {len(made)} to compute{again}{old}"
    found = [Frame("The leaves: the numbers that were given", begin, known, grads, seconds=each)]
    for k, wave in enumerate(waves):
        known |= set(wave)
        into = {arrow: tail for arrow, tail in level.arrows.items() if arrow[0] in wave}
        phase = f"Forward, values appear: {k * size + len(wave)} of {len(made)}"
        text = _made(taken, level, wave)
        lit = frozenset(into.values()), frozenset(wave), frozenset(into)
        found.append(Frame(phase, text, known, grads, *lit, seconds=each))
    return found


def _made(taken: Pass, level: Level, wave: Sequence[int]) -> str:
    """What appears: how it came about, or, of several, their values."""
    shown = [(i, level.shown(i)) for i in wave]
    if len(wave) == 1 and shown[0][1] is not None and shown[0][1].op is not None:
        return forward_text(shown[0][1], taken.names, taken.dusty, taken.outdated)
    names = taken.names
    texts = [note(level.boxes[i]) if node is None else f"{names[node]} = {short(node.data)}" for i, node in shown]
    return ", ".join(texts)


def _flowing(level: Level, steps: Sequence[Step], phase: str, before: Frame, seconds: float) -> Frame:
    """What steps that are taken at once do: one, or all that a folded box passes on to others."""
    across = [step for step in steps if level.crosses(step)] or [steps[-1]]
    grads, shares = dict(before.grads), dict(before.shares)
    lit = []
    for step in across:
        bears = _is_shown(level, step.argument)
        if bears:
            grads[level.home[step.argument]] = step.without_dust("after")
        arrow = None if step.node is None else level.arrow(step.node, step.place)
        if arrow is not None:
            lit.append(arrow)
            shares[arrow] = (shares.get(arrow) or 0.0) + step.without_dust("contribution") if bears else None
    sources = frozenset([level.home[step.node] for step in across if step.node is not None])
    targets = frozenset([level.home[step.argument] for step in across])
    return Frame(phase, _told(level, across), before.known, grads, sources, targets, frozenset(lit), shares, seconds)


def _told(level: Level, steps: Sequence[Step]) -> str:
    """What goes from one box to others at once: to those that bear a number how much, else only to which."""
    source = steps[0].node
    if source is None or (len(steps) == 1 and level.shown(level.home[steps[0].argument]) is not None):
        return steps[0].text
    given: dict[object, str] = {}
    for step in steps:
        box = level.boxes[level.home[step.argument]]
        if level.shown(level.home[step.argument]) is None:
            given[box.title] = f"{box.title} ({note(box)})"
        else:
            given[id(step)] = f"{step.names[step.argument]}.grad += {short(step.without_dust('contribution'))}"
    listed, more = list(given.values())[:4], f", … and {len(given) - 4} more" if len(given) > 4 else ""
    begin = level.boxes[level.home[source]].title or steps[0].names[source]
    return f"{begin} passes on: {', '.join(listed)}{more}"


def _is_shown(level: Level, node: Value) -> bool:
    return level.shown(level.home[node]) is node


def _result(taken: Pass) -> str:
    leaves = [node for node in taken.nodes if node.op is None]
    grads = taken.gradients | dict.fromkeys(taken.dusty_grads, 0.0)
    given = [f"{taken.names[node]}.grad = {short(grads.get(node, 0.0))}" for node in leaves[:4]]
    return ", ".join(given) + (", …" if len(leaves) > 4 else "")
