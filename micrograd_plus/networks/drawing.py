"""Draw a network as 3Blue1Brown does: neurons in columns, weights as coloured lines, a neuron's weights as an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from math import isqrt
from reprlib import repr as short_repr
from typing import Any, NamedTuple

from micrograd_plus._support.arguments import whole
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.networks.scenes import (
    MARK,
    MIDDLE,
    NEGATIVE,
    POSITIVE,
    RGBA,
    Box,
    Circle,
    Drawing,
    Line,
    Pixels,
    Polygon,
    Shape,
    Text,
    shortened,
)
from micrograd_plus.nn import MLP, Layer, Neuron

Matrix = Sequence[Sequence[float]]  # of one layer: a row of weights for each neuron


def draw_network(
    model: MLP | Sequence[Layer],
    x: Sequence[Value | float] | None = None,
    *,
    labels: Sequence[object] | None = None,
    image: bool | None = None,
    shown: int = 16,
) -> Drawing:
    """Draw a network: a column of neurons for each layer, and a line for each weight.

    A line is blue where the weight is positive, orange where it is negative, and the wider the stronger within its
    layer. With an input, each neuron shows its activation as a number and as grey, from black for 0 to white for 1
    (where a column leaves these, from its least to its greatest number), and a frame marks the strongest output.

    Args:
        model: an MLP, or a list of layers.
        x: a list of numbers, one for each input; None draws the network at rest.
        labels: what to write beside each output, a list of as many; None writes their indices.
        image: show the inputs as a square image beside their neurons; None does if they are n² with n of at least 4.
        shown: a taller column shows only its first and its last neurons, this many together.

    Returns:
        A `Drawing`, which shows itself in Jupyter; `.save("x.svg")` (or .html, .png, .pdf), `.svg`.

    Raises:
        TypeError: model is no MLP and no list of layers, or x holds something that is no number.
        ValueError: x or labels are too many or too few, or the inputs are asked for as an image and are no square.

    After 3Blue1Brown, But what is a neural network?, 2017.

    >>> draw_network(MLP(2, [3, 1], seed=1), [0.5, -1.0])
    <Drawing of a network 2-3-1, ...>
    """
    layers = layers_of("draw_network", model)
    columns = None
    if x is not None:
        with no_grad():
            run = forward(layers, inputs_of("draw_network", layers, x))
        columns = [[float(activation) for activation in column] for column in run]
    weights = [[[float(weight) for weight in neuron.w] for neuron in layer.neurons] for layer in layers]
    return _drawing(layers, weights, columns, labels=labels, image=image, shown=shown)


def draw_nudges(
    model: Sequence[Layer],
    columns: Matrix,
    weights: Sequence[Matrix],
    wishes: Matrix,
    *,
    labels: Sequence[object] | None = None,
    image: bool | None = None,
    shown: int = 16,
) -> Drawing:
    """The same picture of what an example wants: lines are wished changes of weights, arrows those of activations."""
    return _drawing(model, weights, columns, wishes, labels=labels, image=image, shown=shown)


def draw_weights(part: Neuron | Layer, *, shape: tuple[int, int] | None = None, scale: float | None = None) -> Drawing:
    """Draw the weights of a neuron as an image, or those of a layer as one image for each neuron.

    Blue is positive, orange is negative, and nothing is 0: the background shows. Grey is a weight that is nan.

    Args:
        part: a neuron or a layer, usually of the first layer, where each weight belongs to a pixel.
        shape: rows and columns of the image; None takes the square, 28 x 28 for 784 weights.
        scale: the size of weight that has the full colour; None takes the greatest there is.

    Returns:
        A `Drawing`, which shows itself in Jupyter; `.save("x.svg")` (or .html, .png, .pdf), `.svg`.

    Raises:
        TypeError: part is neither a neuron nor a layer.
        ValueError: the weights do not fill a square, or the shape; or the scale is not positive.

    >>> draw_weights(MLP(784, [16, 10]).layers[0])
    <Drawing of the weights of 16 neurons, 28 x 28 each, ...>
    """
    if not isinstance(part, (Neuron, Layer)):
        hint = "; give one of its layers, such as model.layers[0]" if isinstance(part, MLP) else ""
        raise TypeError(
            f"draw_weights({short_repr(part)}): expected a Neuron or a Layer, got {type(part).__name__}{hint}"
        )
    neurons = part.neurons if isinstance(part, Layer) else [part]
    weights = [[float(weight) for weight in neuron.w] for neuron in neurons]
    rows, columns = _shape(len(weights[0]), shape)
    if scale is not None and not 0 < scale < math.inf:
        raise ValueError(f"draw_weights(scale={scale!r}): expected a positive number")
    full = scale or _greatest(w for row in weights for w in row) or 1.0

    in_a_row = min(len(neurons), max(1, math.ceil(math.sqrt(1.6 * len(neurons)))))
    side = 196.0 if len(neurons) == 1 else 112.0
    width, height = [side * length / max(rows, columns) for length in (columns, rows)]
    left, top, gap, line = 14.0, 14.0, 16.0, 18.0
    shapes: list[Shape] = []
    for i, (neuron, row) in enumerate(zip(neurons, weights)):
        x = left + i % in_a_row * (max(width, 92.0) + gap)
        y = top + i // in_a_row * (height + line + gap)
        pixels = [_tinted(weight, full) for weight in row]
        shapes += [Pixels(x, y, width, height, _rows(pixels, columns)), Box(x, y, width, height, MIDDLE, 0.8)]
        caption = f"bias {_short(float(neuron.b))}"
        shapes.append(Text(x, y + height + 10, f"{i} · {caption}" if len(neurons) > 1 else caption, 11, anchor="start"))
    total = left * 2 + in_a_row * (max(width, 92.0) + gap) - gap
    bottom = top + math.ceil(len(neurons) / in_a_row) * (height + line + gap)
    shapes += _colour_bar(left, bottom, 112.0, full)
    many = f"{len(neurons)} neurons" if len(neurons) > 1 else "a neuron"
    each = " each" if len(neurons) > 1 else ""
    return Drawing(max(total, 210.0), bottom + 34, tuple(shapes), f"the weights of {many}, {rows} x {columns}{each}")


# ------------------------------------------------------------------------------------------------ the model, and a run


def layers_of(function: str, model: Any) -> list[Layer]:
    """The layers of a model, each as wide as the next one expects.

    Raises:
        TypeError: the model is no MLP and no list of layers.
        ValueError: it has no neurons, or the sizes of its layers don't fit.
    """
    layers = model.layers if isinstance(model, MLP) else model
    if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Layer) for layer in layers):
        hint = " ([layer] for one)" if isinstance(model, Layer) else ""
        got = f"got {type(model).__name__}"
        raise TypeError(f"{function}({short_repr(model)}): expected an MLP or a list of Layers{hint}, {got}")
    if not layers or not all(layer.neurons for layer in layers):
        raise ValueError(f"{function}({short_repr(model)}): expected at least one layer, and neurons in each")
    size = len(layers[0].neurons[0].w)
    for i, layer in enumerate(layers):
        for neuron in layer.neurons:
            if len(neuron.w) != size:
                wanted = f"expected {size}, as many as there are numbers before it"
                raise ValueError(f"{function}: a neuron of layers.{i} has {len(neuron.w)} weights; {wanted}")
        size = len(layer.neurons)
    return list(layers)


def inputs_of(function: str, layers: Sequence[Layer], x: Any) -> list[float]:
    """The numbers of one example, as many as the first layer has inputs."""
    expected = len(layers[0].neurons[0].w)
    if not hasattr(x, "__len__") or isinstance(x, (str, dict)):
        raise TypeError(f"{function}(x={short_repr(x)}): expected a list of {expected} numbers, got {type(x).__name__}")
    if len(x) != expected:
        rows = "; its rows must stand in one list" if len(x) and hasattr(x[0], "__len__") else ""
        raise ValueError(f"{function}: x has {len(x)} numbers; expected {expected}, one for each input{rows}")
    return [value.data if isinstance(value, Value) else number(value, f"{function}: x") for value in x]


def forward(layers: Sequence[Layer], x: Sequence[Any]) -> list[list[Any]]:
    """The activations of the inputs and of each layer."""
    columns = [list(x)]
    for layer in layers:
        columns.append([neuron(columns[-1]) for neuron in layer.neurons])
    return columns


# ----------------------------------------------------------------------------------------------------------- the scene


_MARGIN = 14.0
_IMAGE = 150.0  # the side of the input picture


class _Plan(NamedTuple):
    """Where things stand: the columns, in each column the neurons that are shown, and how large these are."""

    xs: list[float]
    ys: list[dict[int, float]]
    middle: float
    bottom: float
    pitch: float
    radius: float


def _plan(sizes: Sequence[int], shown: int, pictured: bool) -> _Plan:
    slots = [_slots(size, shown) for size in sizes]
    tallest = max(map(len, slots))
    pitch = min(max(476.0 / tallest, 28.0), 64.0)
    radius = min(0.43 * pitch, 22.0)
    spacing = min(max(0.36 * tallest * pitch, 140.0), 190.0)
    left = _MARGIN + radius + 36.0 + (_IMAGE if pictured else 0.0)
    height = max(tallest * pitch, _IMAGE if pictured else 0.0)
    middle = 12.0 + height / 2
    ys = [
        {i: middle + (place - (len(column) - 1) / 2) * pitch for place, i in enumerate(column) if i is not None}
        for column in slots
    ]
    return _Plan([left + i * spacing for i in range(len(sizes))], ys, middle, 12.0 + height, pitch, radius)


def _drawing(
    layers: Sequence[Layer],
    weights: Sequence[Matrix],
    columns: Matrix | None,
    wishes: Matrix | None = None,
    *,
    labels: Sequence[object] | None,
    image: bool | None,
    shown: int,
) -> Drawing:
    """The network at rest, or with the activations in these columns, or with wishes for them as well."""
    sizes = [len(layers[0].neurons[0].w), *[len(layer.neurons) for layer in layers]]
    pictured = _pictured(sizes[0], image) and columns is not None
    plan = _plan(sizes, whole("draw_network", "shown", shown, least=2), pictured)
    captions = [f"{sizes[0]} input{'s' if sizes[0] > 1 else ''}", *[_caption(layer) for layer in layers]]

    shapes: list[Shape] = []
    for i, matrix in enumerate(weights):
        shapes += _lines(matrix, plan, i)
    for i, size in enumerate(sizes):
        if len(plan.ys[i]) < size:
            shapes += _dots(plan.xs[i], plan.ys[i], plan.pitch)
        shapes += _neurons(layers, i, plan, columns, wishes)
        shapes.append(Text(plan.xs[i], plan.bottom + 16, captions[i], 12))
    if pictured and columns is not None:
        shapes += _digit(columns[0], _MARGIN, plan.middle - _IMAGE / 2)
    winner = _winner(columns[-1]) if columns is not None else None
    outputs, right = _outputs(plan, _labels(labels, sizes[-1]), winner, 12.0 if wishes is not None else 0.0)
    shapes += outputs
    if wishes is None:
        legend, what = ("positive weight", "negative weight", "wider: stronger in its layer"), "a network"
    else:
        legend, what = ("weight up", "weight down", "arrow: activation up or down"), "what is wanted of a network"
    shapes += _legend(_MARGIN, plan.bottom + 40, *legend)
    width = max(max(right, plan.xs[-1] + 3.6 * len(captions[-1])) + _MARGIN, 456.0)
    return Drawing(width, plan.bottom + 56, tuple(shapes), f"{what} {'-'.join(map(str, sizes))}")


def _slots(size: int, shown: int) -> list[int | None]:
    """Which neurons of a column are shown; None for those left out."""
    if size <= shown:
        return list(range(size))
    return [*range((shown + 1) // 2), None, *range(size - shown // 2, size)]


def _labels(labels: Sequence[object] | None, size: int) -> list[str]:
    if labels is None:
        return [str(i) if size > 1 else "" for i in range(size)]
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise TypeError(f"draw_network(labels={short_repr(labels)}): expected a list, such as ['cat', 'dog']")
    if len(labels) != size:
        raise ValueError(f"draw_network: {len(labels)} labels; expected {size}, one for each output")
    return [shortened(str(label)) for label in labels]


def _pictured(size: int, image: bool | None) -> bool:
    square = isqrt(size) ** 2 == size
    if image and not square:
        raise ValueError(f"draw_network(image=True): {size} inputs are no square, such as 8 x 8; leave it out")
    return square and size >= 16 if image is None else image


def _lines(matrix: Matrix, plan: _Plan, i: int) -> list[Shape]:
    """The weights of layer i between the neurons that are shown, from rim to rim, the strongest on top."""
    (x1, x2), (before, after) = plan.xs[i : i + 2], plan.ys[i : i + 2]
    greatest = _greatest(weight for row in matrix for weight in row) or 1.0
    drawn = [
        (_strength(matrix[j][k], greatest), matrix[j][k], y1, y2) for j, y2 in after.items() for k, y1 in before.items()
    ]
    drawn.sort(key=lambda line: line[0])
    faintest = min(max(10.0 / len(drawn), 0.1), 0.35)  # among a few lines, the weak ones should be seen too
    thick = math.sqrt(plan.pitch / 28.0)
    lines: list[Shape] = []
    for t, weight, y1, y2 in drawn:
        share = plan.radius / math.hypot(x2 - x1, y2 - y1)
        dx, dy = share * (x2 - x1), share * (y2 - y1)
        ends = (x1 + dx, y1 + dy, x2 - dx, y2 - dy)
        lines.append(Line(*ends, _colour(weight), (0.4 + 2.0 * t) * thick, faintest + (0.85 - faintest) * t * t))
    return lines


def _neurons(
    layers: Sequence[Layer], i: int, plan: _Plan, columns: Matrix | None, wishes: Matrix | None
) -> list[Shape]:
    """The neurons of column i that are shown, with their activations and what these are wished to do."""
    x, radius = plan.xs[i], plan.radius
    shapes: list[Shape] = []
    greys = _greys(columns[i]) if columns is not None else []
    most = _greatest(wishes[i]) if wishes is not None else 0.0
    for j, y in plan.ys[i].items():
        name = f"layers.{i - 1}.neurons.{j}" if i else f"input {j}"
        if i and wishes is None:  # wishes are of a moment that may be past, the bias is today's
            name += f", bias {float(layers[i - 1].neurons[j].b):.6g}"
        if columns is None:
            shapes.append(Circle(x, y, radius, "none", MIDDLE, name))
            continue
        activation, grey = columns[i][j], greys[j]
        wish = f", wishes {wishes[i][j]:+.6g}" if wishes is not None else ""
        title = f"{name}, activation {activation:.6g}{wish}"
        shapes.append(Circle(x, y, radius, f"#{grey:02x}{grey:02x}{grey:02x}", MIDDLE, title))
        text = _short(activation)
        size = min(0.72 * radius, 3.1 * radius / len(text))
        shapes.append(Text(x, y, text, size, "#000000" if grey > 128 else "#ffffff"))
        if wishes is not None:
            shapes += _arrow(x + radius + 7, y, 0.9 * radius, wishes[i][j], most)
    return shapes


def _arrow(x: float, y: float, reach: float, wish: float, most: float) -> list[Shape]:
    """An arrow up or down, as long as the wish is strong; none where nothing is wished."""
    t = _strength(wish, most or 1.0)
    if not t or wish != wish:
        return []
    half = reach * (0.25 + 0.75 * t)
    up = -half if wish > 0 else half
    head = math.copysign(min(1.2 * half, 6.0), up)
    tip = ((x, y + up), (x - 4.0, y + up - head), (x + 4.0, y + up - head))
    return [Line(x, y - up, x, y + up - head, _colour(wish), 2.4), Polygon(tip, _colour(wish))]


def _dots(x: float, ys: dict[int, float], pitch: float) -> list[Shape]:
    """Three dots in the place of the neurons that are left out."""
    return [Circle(x, _gap(ys, pitch) + step * pitch / 4, 2.0, MIDDLE) for step in (-1, 0, 1)]


def _gap(ys: dict[int, float], pitch: float) -> float:
    """The height of the dots in a column."""
    return next(above + pitch for above, below in pairwise(sorted(ys.values())) if below - above > 1.5 * pitch)


def _digit(numbers: Sequence[float], x: float, y: float) -> list[Shape]:
    """The inputs as the square picture that they are."""
    side = isqrt(len(numbers))
    greys = [(grey, grey, grey, 255) for grey in _greys(numbers)]
    at = (x, y, _IMAGE, _IMAGE)
    return [Pixels(*at, _rows(greys, side)), Box(*at, MIDDLE)]


def _outputs(plan: _Plan, labels: Sequence[str], winner: int | None, room: float) -> tuple[list[Shape], float]:
    """The labels beside the outputs, a frame around the winner, and how far to the right they reach."""
    x, ys, size = plan.xs[-1], plan.ys[-1], min(max(0.8 * plan.radius, 12.0), 15.0)
    if winner is not None and winner not in ys:  # its label stands beside the dots
        ys = {**ys, winner: _gap(ys, plan.pitch)}
    start = x + plan.radius + room + 10
    right = start + 0.64 * size * max(len(labels[i]) for i in ys) + 8
    shapes: list[Shape] = [Text(start, y, labels[i], size, anchor="start", bold=i == winner) for i, y in ys.items()]
    if winner is not None:
        left = x - plan.radius - 4
        shapes.append(Box(left, ys[winner] - plan.pitch / 2 + 0.5, right - left, plan.pitch - 1, MARK, 2.2))
    return shapes, right


def _legend(x: float, y: float, positive: str, negative: str, last: str) -> list[Shape]:
    shapes: list[Shape] = []
    for colour, word in ((POSITIVE, positive), (NEGATIVE, negative)):
        shapes += [Line(x, y, x + 18, y, colour, 3.0), Text(x + 24, y, word, 11, anchor="start")]
        x += 24 + 6.2 * len(word) + 16
    return [*shapes, Text(x, y, last, 11, anchor="start")]


def _caption(layer: Layer) -> str:
    """How many neurons, and what bends their sums if they agree: 16 sigmoid."""
    functions = [neuron.activation for neuron in layer.neurons]
    names = {"linear" if function is None else getattr(function, "__name__", "<lambda>") for function in functions}
    name = names.pop()
    if names or name == "<lambda>":
        name = "neuron" if len(functions) == 1 else "neurons"
    return f"{len(layer.neurons)} {shortened(name, 14)}"


def _winner(outputs: Sequence[float]) -> int | None:
    """Which of several outputs is greater than all others, if one is."""
    greatest = max((output for output in outputs if output == output), default=math.nan)
    best = [i for i, output in enumerate(outputs) if output == greatest]
    return best[0] if len(best) == 1 < len(outputs) else None


# ------------------------------------------------------------------------------------------- numbers as colour and text


def _greatest(numbers: Any) -> float:
    """The greatest absolute value of those that are finite; 0.0 where there is none."""
    return max((abs(number) for number in numbers if math.isfinite(number)), default=0.0)


def _strength(number: float, greatest: float) -> float:
    """How strong a number is, from 0 to 1; nan is as strong as can be, for it should be seen."""
    return 1.0 if number != number else min(abs(number) / greatest, 1.0)


def _colour(number: float) -> str:
    return POSITIVE if number > 0 else NEGATIVE if number < 0 else MIDDLE


def _tinted(weight: float, full: float) -> RGBA:
    """The weight's colour, the more transparent the nearer it is to 0."""
    red, green, blue = (int(_colour(weight)[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, round(255 * _strength(weight, full))


def _greys(column: Sequence[float]) -> list[int]:
    """Grey for each number: from black for 0 to white for 1, or as far as the numbers go; nan is in between."""
    finite = [number for number in column if math.isfinite(number)]
    low, high = min([0.0, *finite]) / 2, max([1.0, *finite]) / 2  # halves, so that their difference is finite
    shares = [0.5 if number != number else (number / 2 - low) / (high - low) for number in column]
    return [round(255 * min(max(share, 0.0), 1.0)) for share in shares]


def _short(number: float) -> str:
    """A number in five characters or so: 0.87, -12.3, 1e+09.

    >>> [_short(x) for x in (0.871, -3.14159, -12.345, 1234.5, 1e9, float("nan"), -0.001)]
    ['0.87', '-3.14', '-12.3', '1e3', '1e9', 'nan', '0.00']
    """
    if not math.isfinite(number):
        return f"{number}"
    if abs(number) >= 999.5:
        return f"{number:.0e}".replace("e+0", "e").replace("e+", "e")
    text = f"{number:.{2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0}f}"
    return text.lstrip("-") if float(text) == 0 else text


def _shape(size: int, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of an image of so many weights."""
    if shape is None:
        side = isqrt(size)
        if side * side != size:
            width = next(width for width in range(side, 0, -1) if size % width == 0)
            hint = f"give shape=(rows, columns), such as shape=({width}, {size // width})"
            raise ValueError(f"draw_weights: {size} weights are no square image; {hint}")
        return side, side
    rows, columns = (whole("draw_weights", "shape", length) for length in shape)
    if rows * columns != size:
        raise ValueError(
            f"draw_weights(shape={shape!r}): that is {rows * columns} pixels; expected {size}, one a weight"
        )
    return rows, columns


def _rows(pixels: Sequence[RGBA], columns: int) -> tuple[tuple[RGBA, ...], ...]:
    return tuple(tuple(pixels[start : start + columns]) for start in range(0, len(pixels), columns))


def _colour_bar(x: float, y: float, width: float, full: float) -> list[Shape]:
    """The colours from the most negative weight to the most positive."""
    steps = 41
    row = tuple(
        _tinted(2 * i / (steps - 1) - 1, 1.0) for i in range(steps)
    )  # the same for every scale, to the last bit
    shapes: list[Shape] = [Pixels(x + 20, y, width, 10, (row,)), Box(x + 20, y, width, 10, MIDDLE, 0.8)]
    for share, text in ((0.0, f"-{full:.3g}"), (0.5, "0"), (1.0, f"+{full:.3g}")):
        shapes.append(Text(x + 20 + share * width, y + 20, text, 11))
    return shapes
