"""Draw the pieces of a network: weights as lines, neurons as circles, the inputs as an image, labels and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import isqrt

from micrograd_plus.formulas.numerals import shortest
from micrograd_plus.networks.placing import IMAGE, Plan, gap
from micrograd_plus.networks.shades import greatest, greys_of, share, stepped
from micrograd_plus.networks.shapes import Box, Circle, Line, Pixels, Polygon, Shape, Text, in_rows
from micrograd_plus.nn import Layer
from micrograd_plus.pictures.form import BLACK, MARK, MIDDLE, SIZES, WEIGHTS, WHITE

Matrix = Sequence[Sequence[float]]  # of one layer: a row of weights for each neuron


def weight_lines(matrix: Matrix, plan: Plan, i: int, *, hollow: bool) -> list[Line]:
    """The weights of layer i between the neurons that are shown, the strongest on top.

    Args:
        matrix: its weights, or what else each line is to show.
        plan: where the neurons stand.
        i: which layer.
        hollow: whether one sees through the neurons; else lines go on to their middles, which they cover.
    """
    (x1, x2), (before, after) = plan.xs[i : i + 2], plan.ys[i : i + 2]
    full = greatest(weight for row in matrix for weight in row) or 1.0
    drawn = [(*_look(matrix[j][k], full), y1, y2) for j, y2 in after.items() for k, y1 in before.items()]
    drawn.sort()
    faintest = min(max(10.0 / len(drawn), 0.1), 0.35)  # among a few lines, the weak ones should be seen too
    thick = math.sqrt(plan.pitch / 28.0)
    lines: list[Line] = []
    for t, colour, y1, y2 in drawn:
        rim = plan.radius / math.hypot(x2 - x1, y2 - y1) if hollow else 0.0
        dx, dy = rim * (x2 - x1), rim * (y2 - y1)
        ends = (x1 + dx, y1 + dy, x2 - dx, y2 - dy)
        lines.append(Line(*ends, colour, (0.4 + 2.0 * t) * thick, faintest + (0.85 - faintest) * t * t))
    return lines


def _look(weight: float, full: float) -> tuple[float, str]:
    return stepped(weight, full), WEIGHTS.of(weight)


def neuron_column(
    layers: Sequence[Layer], i: int, plan: Plan, columns: Matrix | None, wishes: Matrix | None
) -> list[Shape]:
    """The neurons of column i that are shown, with their activations and what these are wished to do."""
    x, radius = plan.xs[i], plan.radius
    circles: list[Circle] = []
    texts: list[Text] = []
    arrows: list[tuple[Line, Polygon]] = []
    greys = greys_of(columns[i]) if columns is not None else []
    most = greatest(wishes[i]) if wishes is not None else 0.0
    for j, y in plan.ys[i].items():
        name = f"layers.{i - 1}.neurons.{j}" if i else f"input {j}"
        if i and wishes is None:  # wishes are of a moment that may be past, the bias is today's
            name += f", bias {float(layers[i - 1].neurons[j].b):.6g}"
        if columns is None:
            circles.append(Circle(x, y, radius, "none", MIDDLE, name))
            continue
        activation, grey = columns[i][j], greys[j]
        wish = f", wishes {wishes[i][j]:+.6g}" if wishes is not None else ""
        title = f"{name}, activation {activation:.6g}{wish}"
        circles.append(Circle(x, y, radius, f"#{grey:02x}{grey:02x}{grey:02x}", MIDDLE, title))
        text = shortest(activation)
        size = min(0.72 * radius, 3.1 * radius / len(text))
        texts.append(Text(x, y, text, size, BLACK if grey > 117 else WHITE))
        if wishes is not None:
            arrows += _arrow(x + radius + 7, y, 0.9 * radius, wishes[i][j], most)
    arrows.sort(key=lambda arrow: arrow[1].fill)  # what looks alike is written once
    return [*circles, *sorted(texts, key=Text.look), *[line for line, _ in arrows], *[head for _, head in arrows]]


def _arrow(x: float, y: float, reach: float, wish: float, most: float) -> list[tuple[Line, Polygon]]:
    """An arrow up or down, as long as the wish is strong; none where nothing is wished."""
    t = share(wish, most or 1.0)
    if not t or wish != wish:
        return []
    half = reach * (0.25 + 0.75 * t)
    up = -half if wish > 0 else half
    head = math.copysign(min(1.2 * half, 6.0), up)
    tip = ((x, y + up), (x - 4.0, y + up - head), (x + 4.0, y + up - head))
    return [(Line(x, y - up, x, y + up - head, WEIGHTS.of(wish), 2.4), Polygon(tip, WEIGHTS.of(wish)))]


def dots(x: float, ys: dict[int, float], pitch: float) -> list[Shape]:
    """Three dots in the place of the neurons that are left out."""
    return [Circle(x, gap(ys, pitch) + step * pitch / 4, 2.0, MIDDLE) for step in (-1, 0, 1)]


def input_image(numbers: Sequence[float], x: float, y: float) -> list[Shape]:
    """The inputs as the square picture that they are."""
    side = isqrt(len(numbers))
    greys = [(grey, grey, grey, 255) for grey in greys_of(numbers)]
    at = (x, y, IMAGE, IMAGE)
    return [Pixels(*at, in_rows(greys, side)), Box(*at, MIDDLE)]


def output_labels(plan: Plan, labels: Sequence[str], winner: int | None, room: float) -> tuple[list[Shape], float]:
    """The labels beside the outputs, a frame around the winner, and how far to the right they reach."""
    x, ys, size = plan.xs[-1], plan.ys[-1], min(max(0.8 * plan.radius, 12.0), 15.0)
    if winner is not None and winner not in ys:  # its label stands beside the dots
        ys = {**ys, winner: gap(ys, plan.pitch)}
    start = x + plan.radius + room + 10
    right = start + 0.64 * size * max(len(labels[i]) for i in ys) + 8
    shapes: list[Shape] = [Text(start, y, labels[i], size, anchor="start", bold=i == winner) for i, y in ys.items()]
    if winner is not None:
        left = x - plan.radius - 4
        shapes.append(Box(left, ys[winner] - plan.pitch / 2 + 0.5, right - left, plan.pitch - 1, MARK, 2.2))
    return shapes, right


def legend(x: float, y: float, positive: str, negative: str, last: str) -> list[Shape]:
    """What the two colours mean, and one thing more."""
    shapes: list[Shape] = []
    for colour, word in ((WEIGHTS.positive, positive), (WEIGHTS.negative, negative)):
        shapes += [Line(x, y, x + 18, y, colour, 3.0), Text(x + 24, y, word, SIZES.tiny, anchor="start")]
        x += 24 + 6.2 * len(word) + 16
    return [*shapes, Text(x, y, last, SIZES.tiny, anchor="start")]
