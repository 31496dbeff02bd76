"""What is seen beside the loss: the plane of a model with two inputs, images with their answers, the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.networks.models import layers_of
from micrograd_plus.nn import Layer
from micrograd_plus.training.compiling import floats
from micrograd_plus.training.films.answers import Answers, Model, as_scores, outputs, right
from micrograd_plus.training.films.packing import changes, quantised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from micrograd_plus.training.recording import Snapshot, Trained

    Floats = NDArray[Any]

POINTS, IMAGES = 120, 12  # examples that are shown
CELLS = 48  # of the plane, from left to right
WEIGHTS = 30_000  # shown in all


@dataclass
class Panel:
    """What the page's script gets to know.

    Attributes:
        facts: what JSON holds.
        frames: what changes from snapshot to snapshot, bytes in a row for each, by name.
        chosen: the examples that are shown.
        right: for each snapshot how many of the shown are answered rightly; None where nobody knows.
    """

    facts: dict[str, Any]
    frames: dict[str, NDArray[np.uint8]]
    chosen: list[int] = field(default_factory=list)
    right: list[int] | None = None

    def thinned(self, chosen: Sequence[int]) -> dict[str, bytes]:
        """The frames of some snapshots, packed."""
        return {name: changes(rows[list(chosen)]) for name, rows in self.frames.items()}


def answering(snapshots: Sequence[Snapshot], model: Model, trained: Trained) -> Panel | str:
    """The panel that shows what the model answers, or why there is none."""
    try:
        xs = floats("film: X", trained.x)
    except TypeError as error:
        return str(error)
    form = xs.shape[1:]
    if xs[0].size == 2:
        return plane(snapshots, model, trained, xs.reshape(len(xs), 2), form)
    side = isqrt(xs[0].size)
    if side >= 4 and side * side == xs[0].size:
        return images(snapshots, model, trained, xs, side)
    return "its examples are neither points in a plane nor square images"


def plane(snapshots: Sequence[Snapshot], model: Model, trained: Trained, xs: Floats, form: tuple[int, ...]) -> Panel:
    """The plane with the sign of the model's answer, or its class, everywhere, and some examples as points."""
    low, high = xs.min(axis=0), xs.max(axis=0)
    span = np.where(high > low, high - low, np.maximum(1.0, np.abs(low)))
    low, high = low - 0.12 * span, high + 0.12 * span
    rows = int(np.clip(round(CELLS * (high[1] - low[1]) / (high[0] - low[0])), CELLS // 3, CELLS))
    x, y = np.meshgrid(np.linspace(low[0], high[0], CELLS), np.linspace(high[1], low[1], rows))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    chosen = np.unique(np.linspace(0, len(xs) - 1, min(len(xs), POINTS)).round().astype(int))
    asked = np.concatenate([grid, xs[chosen]]).reshape(-1, *form)
    found = outputs(snapshots, model, trained.x, asked)
    given = as_scores(found, model, trained.x[0])
    field, classes = _field(given, len(grid)), found.shape[2]
    targets = right(trained.y, classes)
    marks, verdicts, count = _judged(given, len(grid), None if targets is None else targets[chosen])
    facts = {
        "kind": "plane",
        "columns": CELLS,
        "rows": rows,
        "several": given.several,
        "box": [_shortened(edge) for edge in (low[0], high[0], low[1], high[1])],
        "points": [[_shortened(a), _shortened(b)] for a, b in xs[chosen]],
        "classes": marks if marks is not None else _signs(trained.y, chosen),
        "judged": targets is not None,
    }
    return Panel(facts, {"field": field, "wrong": verdicts}, chosen.tolist(), count)


def _shortened(number: float) -> float:
    return float(f"{number:.6g}")


def _field(given: Answers, count: int) -> NDArray[np.uint8]:
    if given.several:
        return np.asarray(given.scores[:, :count].argmax(axis=2), dtype=np.uint8)
    scores = given.scores[:, :count, 0]
    usual = float(np.median(np.abs(scores[np.isfinite(scores)]))) if np.isfinite(scores).any() else 1.0
    return quantised(np.tanh(scores / (2.0 * usual or 1.0)), 1.0)


def _judged(given: Answers, first: int, targets: Any) -> tuple[list[int] | None, NDArray[np.uint8], list[int] | None]:
    """The classes of the examples that come after the first ones, which of them are wrong, and how many are right."""
    said = given.given()[:, first:]
    if targets is None:
        return None, np.zeros(said.shape, dtype=np.uint8), None
    wrong = said != targets
    return targets.tolist(), wrong.astype(np.uint8), (~wrong).sum(axis=1).tolist()


def _signs(y: Any, chosen: NDArray[Any]) -> list[int]:
    """Two classes for targets that are any numbers: by their sign."""
    numbers = floats("film: Y", y).reshape(len(y), -1)[chosen, 0]
    return [int(number > 0.0) for number in numbers]


def images(snapshots: Sequence[Snapshot], model: Model, trained: Trained, xs: Floats, side: int) -> Panel:
    """Some images, one of each class in turn, and the model's outputs for each."""
    count = outputs(snapshots[:1], model, trained.x, xs[:1]).shape[2]
    targets = right(trained.y, count)
    chosen = _in_turn(targets, len(xs))
    found = outputs(snapshots, model, trained.x, xs[chosen])
    given = as_scores(found, model, trained.x[0])
    classes, verdicts, right_ones = _judged(given, 0, None if targets is None else targets[chosen])
    shares = found if found.min() >= 0.0 and found.max() <= 1.0 else _softmax(found)
    pixels = xs[chosen].reshape(len(chosen), -1)
    low, high = pixels.min(), pixels.max()
    facts = {
        "kind": "images",
        "side": side,
        "outputs": count,
        "classes": classes,
        "shares_are": "outputs" if shares is found else "softmax of the outputs",
        "pixels": np.round((pixels - low) / ((high - low) or 1.0) * 255).astype(int).tolist(),
    }
    said = given.given().astype(np.uint8)
    frames = {"shares": quantised(shares.reshape(len(shares), -1), 1.0), "said": said, "wrong": verdicts}
    return Panel(facts, frames, chosen, right_ones)


def _in_turn(targets: NDArray[Any] | None, count: int) -> list[int]:
    """One example of each class after the other, until there are enough."""
    if targets is None:
        return list(range(min(count, IMAGES)))
    waiting = [np.flatnonzero(targets == kind).tolist() for kind in np.unique(targets)]
    taken: list[int] = []
    while len(taken) < IMAGES and any(waiting):
        taken += [kind.pop(0) for kind in waiting if kind]
    return taken[:IMAGES]


def _softmax(found: Floats) -> Floats:
    if found.shape[2] == 1:
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-found)))
    grown = np.exp(found - found.max(axis=2, keepdims=True))
    return np.asarray(grown / grown.sum(axis=2, keepdims=True))


def weights(snapshots: Sequence[Snapshot], model: Any, side: int | None) -> list[Panel]:
    """A picture of the weights for each layer; of no MLP all parameters in one.

    Args:
        side: of images, whose weights are images then, too; None where the examples are none.
    """
    place = Identities((value, i) for i, value in enumerate(snapshots[0].values))
    numbers = np.array([snapshot.numbers for snapshot in snapshots])
    panels, left = [], WEIGHTS
    for title, values, shape in _pictured(model, snapshots[0].values, side):
        if len(values) > left:
            continue
        left -= len(values)
        columns = [
            numbers[:, place[value]] if value in place else np.full(len(numbers), value.data) for value in values
        ]
        table = np.stack(columns, axis=1)
        full = float(np.abs(table[np.isfinite(table)]).max(initial=0.0)) or 1.0
        panels.append(Panel({"title": title, "full": f"{full:.3g}", **shape}, {"weights": quantised(table, full)}))
    return panels


def _pictured(model: Any, values: Sequence[Value], side: int | None) -> list[tuple[str, list[Value], dict[str, Any]]]:
    """For each picture its title, its Values and its shape."""
    try:
        layers = layers_of("film", [model] if isinstance(model, Layer) else model)
    except (TypeError, ValueError):
        columns = ceil(sqrt(1.6 * len(values)))
        return [(f"{len(values):,} parameters", list(values), {"columns": columns, "tile": 0})]
    found = []
    for i, layer in enumerate(layers):
        inputs = len(layer.neurons[0].w)
        as_images = side is not None and i == 0 and inputs == side * side
        parts = [[*neuron.w, *([] if as_images else [neuron.b])] for neuron in layer.neurons]
        title = f"layer {i}, {len(parts)} × {inputs}" + ("" if as_images else ", biases last")
        shape = {"columns": side if as_images else inputs + 1, "tile": side if as_images else 0}
        found.append((title, [value for part in parts for value in part], shape))
    return found
