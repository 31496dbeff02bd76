"""Draw a training with matplotlib, as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from micrograd_plus.cli.terminal import bounds
from micrograd_plus.pictures.form import AREAS, LINES
from micrograd_plus.training.curves import in_words
from micrograd_plus.training.records import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def history_plot(history: History) -> bytes:
    """Loss and accuracy over the epochs, as the bytes of a PNG file.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = _figure(7.0, 4.0)
    epochs = [row.epoch for row in history]
    marker = "o" if len(epochs) <= 20 else ""
    loss, share = figure.subplots(1, 2)
    loss.plot(epochs, [row.loss for row in history], marker=marker, color=LINES.positive)
    loss.set(xlabel="epoch", ylabel="loss", title="loss", ylim=(0, None))
    judged = [row for row in history if row.accuracy is not None]
    percents = [100 * (row.accuracy or 0.0) for row in judged]
    share.plot([row.epoch for row in judged], percents, marker=marker, color=LINES.negative)
    share.set(xlabel="epoch", ylabel="accuracy in %", title="accuracy", ylim=(0, 102))
    for axes in (loss, share):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return _png(figure, in_words(history) if history else "no epochs")


def boundary_plot(
    scores: Callable[[list[list[float]]], Sequence[float]],
    points: Sequence[Sequence[float]],
    labels: Sequence[int],
    *,
    steps: int = 60,
) -> bytes:
    """The plane, coloured by the sign of the scores, with the points on it, as the bytes of a PNG file.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = _figure(6.0, 4.0)
    axes = figure.subplots()
    xs, ys = [[low + (high - low) * i / steps for i in range(steps + 1)] for low, high in bounds(points)]
    flat = scores([[x, y] for y in ys for x in xs])
    least, most = min(flat), max(flat)
    levels = [min(least, 0.0) - 1.0, 0.0, max(most, 0.0) + 1.0]
    rows = [flat[i : i + len(xs)] for i in range(0, len(flat), len(xs))]
    axes.contourf(xs, ys, rows, levels=levels, colors=[AREAS.negative, AREAS.positive])
    for label, colour, mark in ((0, LINES.negative, "o"), (1, LINES.positive, "X")):
        of_it = [point for point, other in zip(points, labels) if other == label]
        axes.scatter([x for x, _ in of_it], [y for _, y in of_it], c=colour, marker=mark, edgecolors="black")
    axes.set(aspect="equal", title="decision boundary")
    right = sum([(score > 0.0) == (label == 1) for score, label in zip(scores([list(p) for p in points]), labels)])
    return _png(figure, f"a decision boundary and {len(points):,} points, {right:,} of them on their side")


def _figure(width: float, height: float) -> Figure:
    """A figure of so many inches, without pyplot, which would look for a screen."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install 'micrograd-plus[plot]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any, told: str) -> bytes:
    """The figure as a PNG file, in which stands what it shows, for those who do not see it."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Description": told})
    return buffer.getvalue()
