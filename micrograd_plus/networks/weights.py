"""Draw a neuron's weights as an image: blue is positive, orange negative."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from math import isqrt
from reprlib import repr as short_repr

from micrograd_plus._support.arguments import whole
from micrograd_plus.formulas.numerals import shortest
from micrograd_plus.networks.scenes import Drawing
from micrograd_plus.networks.shades import greatest, tinted
from micrograd_plus.networks.shapes import Box, Pixels, Shape, Text, in_rows
from micrograd_plus.nn import MLP, Layer, Neuron
from micrograd_plus.pictures.form import MIDDLE, SIZES, SPACES
from micrograd_plus.pictures.telling import numbers_in_words


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
    full = scale or greatest(w for row in weights for w in row) or 1.0
    grid = _grid(neurons, weights, rows, columns, full)
    many = f"{len(neurons)} neurons" if len(neurons) > 1 else "a neuron"
    each = " each" if len(neurons) > 1 else ""
    description = f"the weights of {many}, {rows} x {columns}{each}"
    biases = numbers_in_words("bias term", [float(neuron.b) for neuron in neurons])
    told = f"{description}: {numbers_in_words('weight', [weight for row in weights for weight in row])}; {biases}"
    return replace(grid, description=description, told=told)


def _grid(
    neurons: Sequence[Neuron], weights: Sequence[Sequence[float]], rows: int, columns: int, full: float
) -> Drawing:
    """The images side by side, a bias under each, and the colours under all."""
    in_a_row = min(len(neurons), max(1, math.ceil(math.sqrt(1.6 * len(neurons)))))
    side = 196.0 if len(neurons) == 1 else 112.0
    width, height = [side * length / max(rows, columns) for length in (columns, rows)]
    left, top, gap, line = SPACES.room, SPACES.room, 2 * SPACES.gap, 18.0
    images: list[Pixels] = []
    boxes: list[Box] = []
    texts: list[Text] = []
    for i, (neuron, row) in enumerate(zip(neurons, weights)):
        x = left + i % in_a_row * (max(width, 92.0) + gap)
        y = top + i // in_a_row * (height + line + gap)
        pixels = [tinted(weight, full) for weight in row]
        images.append(Pixels(x, y, width, height, in_rows(pixels, columns)))
        boxes.append(Box(x, y, width, height, MIDDLE, 0.8))
        caption = f"bias {shortest(float(neuron.b))}"
        told = f"{i} · {caption}" if len(neurons) > 1 else caption
        texts.append(Text(x, y + height + 10, told, SIZES.tiny, anchor="start"))
    total = left * 2 + in_a_row * (max(width, 92.0) + gap) - gap
    bottom = top + math.ceil(len(neurons) / in_a_row) * (height + line + gap)
    shapes: list[Shape] = [*images, *boxes, *texts, *_colour_bar(left, bottom, 112.0, full)]
    return Drawing(max(total, 210.0), bottom + 34, tuple(shapes), "weights")


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


def _colour_bar(x: float, y: float, width: float, full: float) -> list[Shape]:
    """The colours from the most negative weight to the most positive."""
    steps = 41
    # without `full`, so that it is the same for every scale, to the last bit
    row = tuple(tinted(2 * i / (steps - 1) - 1, 1.0) for i in range(steps))
    shapes: list[Shape] = [Pixels(x + 20, y, width, 10, (row,)), Box(x + 20, y, width, 10, MIDDLE, 0.8)]
    for share, text in ((0.0, f"-{full:.3g}"), (0.5, "0"), (1.0, f"+{full:.3g}")):
        shapes.append(Text(x + 20 + share * width, y + 20, text, SIZES.tiny))
    return shapes
