"""Draw a network as 3Blue1Brown does: neurons in columns, weights as coloured lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from math import isqrt
from reprlib import repr as short_repr

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.texts import cut, plural
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import shorter, signed
from micrograd_plus.networks.models import check_calls, forward, inputs_of, layers_of
from micrograd_plus.networks.pieces import Matrix, dots, input_image, legend, neuron_column, output_labels, weight_lines
from micrograd_plus.networks.placing import IMAGE, MARGIN, plan_of
from micrograd_plus.networks.scenes import Drawing
from micrograd_plus.networks.shapes import Shape, Text
from micrograd_plus.nn import MLP, Layer
from micrograd_plus.pictures.form import SIZES
from micrograd_plus.pictures.telling import numbers_in_words

GREYS = "circle: black for 0 or its column's least, white for 1 or its greatest"
OUTPUTS = 10  # of which the sentence tells that stands for a picture


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
            check_calls("draw_network", model, layers)
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
    plan = plan_of(sizes, whole("draw_network", "shown", shown, least=2), pictured)
    captions = [plural(sizes[0], "input"), *[_caption(layer) for layer in layers]]

    lines = [line for i, each in enumerate(weights) for line in weight_lines(each, plan, i, hollow=columns is None)]
    lines.sort(key=lambda line: (line.width, line.look()))  # what looks alike is written once, whatever layer it is of
    shapes: list[Shape] = [*lines]
    for i, size in enumerate(sizes):
        if len(plan.ys[i]) < size:
            shapes += dots(plan.xs[i], plan.ys[i], plan.pitch)
        shapes += neuron_column(layers, i, plan, columns, wishes)
    for i in range(len(sizes)):
        shapes.append(Text(plan.xs[i], plan.bottom + 16, captions[i], SIZES.note))
    if pictured and columns is not None:
        shapes += input_image(columns[0], MARGIN, plan.middle - IMAGE / 2)
    winner = _winner(columns[-1]) if columns is not None else None
    beside, right = output_labels(plan, _labels(labels, sizes[-1]), winner, 12.0 if wishes is not None else 0.0)
    shapes += beside
    if wishes is None:
        words, what = ("positive weight", "negative weight", "wider: stronger in its layer"), "a network"
    else:
        words, what = ("weight up", "weight down", "arrow: activation up or down"), "what is wanted of a network"
    shapes += legend(MARGIN, plan.bottom + 40, *words)
    if columns is not None:
        shapes.append(Text(MARGIN, plan.bottom + 58, GREYS, SIZES.tiny, anchor="start"))
    height = plan.bottom + (56 if columns is None else 74)
    width = max(max(right, plan.xs[-1] + 3.6 * len(captions[-1])) + MARGIN, 456.0)
    description = f"{what} {'-'.join(map(str, sizes))}"
    told = "; ".join([description, *_told(weights, columns, wishes, _labels(labels, sizes[-1]), winner)])
    return Drawing(width, height, tuple(shapes), description, told)


def _told(
    weights: Sequence[Matrix], columns: Matrix | None, wishes: Matrix | None, labels: Sequence[str], winner: int | None
) -> Iterator[str]:
    """What is in the picture, in words: the weights, the outputs and what is wished of them."""
    kind = "weight" if wishes is None else "wished weight change"
    yield numbers_in_words(kind, [number for matrix in weights for row in matrix for number in row])
    if columns is None:
        return
    told = []
    for i, (label, output) in enumerate(zip(labels, columns[-1])):
        wish = f", wished {signed(wishes[-1][i])}" if wishes is not None else ""
        told.append(f"{label}: {shorter(output)}{wish}" if label else f"{shorter(output)}{wish}")
    more = [f"and {len(told) - OUTPUTS:,} more"] if len(told) > OUTPUTS else []
    yield f"output{'s' * (len(told) != 1)} {'; '.join([*told[:OUTPUTS], *more])}"
    if winner is not None:
        yield f"the greatest is {labels[winner]}"


def _labels(labels: Sequence[object] | None, size: int) -> list[str]:
    """What stands beside each output."""
    if labels is None:
        return [str(i) if size > 1 else "" for i in range(size)]
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise TypeError(f"draw_network(labels={short_repr(labels)}): expected a list, such as ['cat', 'dog']")
    if len(labels) != size:
        raise ValueError(f"draw_network: {len(labels)} labels; expected {size}, one for each output")
    return [cut(str(label), 24) for label in labels]


def _pictured(size: int, image: bool | None) -> bool:
    """Whether the inputs are shown as an image."""
    square = isqrt(size) ** 2 == size
    if image and not square:
        raise ValueError(f"draw_network(image=True): {size} inputs are no square, such as 8 x 8; leave it out")
    return square and size >= 16 if image is None else image


def _caption(layer: Layer) -> str:
    """How many neurons, and what bends their sums if they agree: 16 sigmoid."""
    functions = [neuron.activation for neuron in layer.neurons]
    names = {"linear" if function is None else getattr(function, "__name__", "<lambda>") for function in functions}
    name = names.pop()
    if names or name == "<lambda>":
        name = "neuron" if len(functions) == 1 else "neurons"
    return f"{len(layer.neurons)} {cut(name, 14)}"


def _winner(outputs: Sequence[float]) -> int | None:
    """Which of several outputs is greater than all others, if one is."""
    best = max((output for output in outputs if output == output), default=math.nan)
    winners = [i for i, output in enumerate(outputs) if output == best]
    return winners[0] if len(winners) == 1 < len(outputs) else None
