"""Show a training in Jupyter: its loss and accuracy as curves, and its epochs as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micrograd_plus._support.markup import on_demand, paragraph, table
from micrograd_plus._support.texts import plural
from micrograd_plus.formulas.numerals import short, shorter
from micrograd_plus.networks.scenes import Drawing
from micrograd_plus.networks.shapes import Circle, Line, Polyline, Shape, Text
from micrograd_plus.pictures.form import GREY, LINES, SIZES
from micrograd_plus.pictures.stills import FOLLOWING
from micrograd_plus.training.progress import percent
from micrograd_plus.training.records import Epoch, History

WIDTH, HEIGHT = 300.0, 190.0  # of one panel
LEFT, RIGHT, TOP, BOTTOM = 58.0, 12.0, 24.0, 42.0  # what is free around the curve, for words and numbers
DOTTED = 20  # so many epochs bear a dot each
SHOWN = 20  # epochs in the table: the first and the last
TICKS = 5  # steps of an axis, or fewer


def markup(history: History) -> str:
    """The curves, and below them the epochs, the first and the last of many, as a table that opens at a click.

    >>> markup(History([Epoch(1, 10, 2.0, None, 0.1, 1.0)]))
    '<style>...</style><img alt="loss from 2 to 2 over 1 epoch"
    ...<details><summary>History(1 epochs, loss 2)</summary><table ...'
    """
    if not history:
        return paragraph(repr(history))
    judged = any(row.accuracy is not None for row in history)
    head = ["epoch", "steps", "loss", *["accuracy"] * judged, "learning rate", "seconds"]
    rows = [_cells(row, judged) for row in history]
    if len(rows) > SHOWN:
        rows[SHOWN // 2 : -SHOWN // 2] = [[f"… {len(rows) - SHOWN:,} more", *[""] * (len(head) - 1)]]
    epochs = table("the epochs", head, rows, numbers=range(len(head)))
    pictures = [drawing.as_image("max-width:100%;height:auto") for drawing in apart(history)]
    return FOLLOWING + "".join(pictures) + on_demand(repr(history), epochs)


def _cells(row: Epoch, judged: bool) -> list[str]:
    """An epoch as a row of the table."""
    share = [percent(row.accuracy) if row.accuracy is not None else ""] * judged
    return [str(row.epoch), f"{row.step:,}", short(row.loss), *share, short(row.lr), f"{row.seconds:.3g}"]


def drawn(history: Sequence[Epoch]) -> Drawing:
    """The loss of each epoch as a curve and, where it was asked for, the accuracy beside it.

    >>> drawn([Epoch(1, 10, 2.0, 0.5, 0.1, 1.0), Epoch(2, 20, 0.5, 0.875, 0.1, 1.0)])
    <Drawing of loss from 2 to 0.5 and accuracy from 50.0 % to 87.5 % over 2 epochs, 600 x 190>
    """
    curves = _curves(history)
    shapes = [shape for i, curve in enumerate(curves) for shape in _panel(i * WIDTH, curve)]
    return Drawing(WIDTH * len(curves), HEIGHT, tuple(shapes), in_words(history))


def apart(history: Sequence[Epoch]) -> list[Drawing]:
    """The same, each curve a drawing of its own, so that a line of them breaks where there is no room for two.

    >>> apart([Epoch(1, 10, 2.0, None, 0.1, 1.0), Epoch(2, 20, 0.5, None, 0.1, 1.0)])
    [<Drawing of loss from 2 to 0.5 over 2 epochs, 300 x 190>]
    """
    over = f"over {plural(len(history), 'epoch')}"
    return [Drawing(WIDTH, HEIGHT, tuple(_panel(0.0, curve)), f"{curve.told} {over}") for curve in _curves(history)]


def in_words(history: Sequence[Epoch]) -> str:
    """What the curves show, in a sentence.

    >>> in_words([Epoch(1, 10, 2.0, None, 0.1, 1.0), Epoch(2, 20, 0.5, None, 0.1, 1.0)])
    'loss from 2 to 0.5 over 2 epochs'
    """
    return f"{' and '.join([curve.told for curve in _curves(history)])} over {plural(len(history), 'epoch')}"


class _Curve(NamedTuple):
    """What is to be drawn: the numbers by epoch, where their axis begins and ends, and how one says it."""

    title: str
    colour: str
    points: list[tuple[int, float]]
    span: tuple[float, float]
    told: str


def _curves(history: Sequence[Epoch]) -> list[_Curve]:
    losses = [(row.epoch, row.loss) for row in history]
    told = f"loss from {shorter(history[0].loss)} to {shorter(history[-1].loss)}"
    curves = [_Curve("loss", LINES.positive, losses, _span([loss for _, loss in losses]), told)]
    if shares := [(row.epoch, row.accuracy) for row in history if row.accuracy is not None]:
        told = f"accuracy from {percent(shares[0][1])} to {percent(shares[-1][1])}"
        points = [(epoch, 100.0 * accuracy) for epoch, accuracy in shares]
        curves.append(_Curve("accuracy in %", LINES.negative, points, (0.0, 100.0), told))
    return curves


def _span(losses: Sequence[float]) -> tuple[float, float]:
    """Where the axis of the loss begins and ends: at 0, unless a loss is negative."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    return low, high if high > low else low + 1.0


def _panel(left: float, curve: _Curve) -> Iterator[Shape]:
    """One curve with its axes: epochs to the right, numbers upwards."""
    title, colour, points, (low, high), _ = curve
    first, last = points[0][0], points[-1][0]
    x0, x1, y0, y1 = left + LEFT, left + WIDTH - RIGHT, HEIGHT - BOTTOM, TOP

    def x(epoch: float) -> float:
        return (x0 + x1) / 2.0 if first == last else x0 + (x1 - x0) * (epoch - first) / (last - first)

    def y(number: float) -> float:
        return y0 + (y1 - y0) * (number / (high - low) - low / (high - low))

    yield Text(x0, TOP / 2.0, title, SIZES.note, GREY, "start", bold=True)
    yield Text((x0 + x1) / 2.0, HEIGHT - 11.0, "epoch", SIZES.note, GREY)
    for tick in _ticks(low, high):
        yield Line(x0, y(tick), x1, y(tick), GREY, 0.8, 0.35)
        yield Text(x0 - 6.0, y(tick), shorter(tick), SIZES.tiny, GREY, "end")
    for tick in [tick for tick in _ticks(first, last) if tick == int(tick)]:
        yield Text(x(tick), y0 + 13.0, f"{tick:.0f}", SIZES.tiny, GREY)
    yield from [Polyline(tuple([(x(e), y(n)) for e, n in run]), colour, 2.0) for run in _runs(points) if len(run) > 1]
    for epoch, number in points if len(points) <= DOTTED else [run[0] for run in _runs(points) if len(run) == 1]:
        if math.isfinite(number):
            yield Circle(x(epoch), y(number), 3.0, colour, title=f"epoch {epoch}: {shorter(number)}")


def _runs(points: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """The points without those that are no finite numbers, which part the curve."""
    runs: list[list[tuple[int, float]]] = [[]]
    for point in points:
        if math.isfinite(point[1]):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high: multiples of 1, 2 or 5 times a power of ten.

    >>> _ticks(0.0, 0.7), _ticks(1, 50), _ticks(3, 3)
    ([0.0, 0.2, 0.4, 0.6], [10.0, 20.0, 30.0, 40.0, 50.0], [3.0])
    """
    if not 1e-290 < high - low < 1e300:
        return sorted({float(low), float(high)})
    power = math.floor(math.log10((high - low) / TICKS))

    def scaled(number: int) -> float:  # one product or quotient of whole numbers: 0.6 is no 0.6000000000000001
        return number * 10.0**power if power >= 0 else number / 10.0**-power

    step = next(step for step in (1, 2, 5, 10) if scaled(step) * TICKS >= (high - low) * 0.999)
    begin, end = math.ceil(low / scaled(step)), math.floor(high / scaled(step))
    return [scaled(step * i) for i in range(begin, end + 1)]
