"""What a training example wants: how each bias, each weight and each activation should change."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.arguments import paired
from micrograd_plus._support.identities import Identities
from micrograd_plus.calculus import gradient
from micrograd_plus.engine.recording import enable_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.losses import squared_error
from micrograd_plus.networks.drawing import draw_nudges, forward, inputs_of, layers_of
from micrograd_plus.networks.scenes import Drawing, clean
from micrograd_plus.nn import MLP, Layer
from micrograd_plus.ops.vectors import added


@dataclass(frozen=True)
class NeuronNudges:
    """What is wished of one neuron a = f(z), z = b + w·before, and what it wishes in its turn.

    Attributes:
        name: its path in the model.
        activation: a, what it gives now.
        wish: how a should change, -∂C/∂a: the sum of what all neurons of the next layer wish.
        bias: how its bias should, -∂C/∂b.
        weights: how each weight should, -∂C/∂w: in proportion to the activation that the weight stands by.
        before: its part in the wish for each activation before it: in proportion to its weights.

    >>> model = MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> neuron = nudges(model, [0.5, -1.0], [1.0, 0.0]).layers[0].neurons[0]
    >>> neuron.name, len(neuron.weights)
    ('layers.0.neurons.0', 2)
    >>> neuron.weights == (0.5 * neuron.bias, -1.0 * neuron.bias)
    True
    """

    name: str
    activation: float
    wish: float
    bias: float
    weights: tuple[float, ...]
    before: tuple[float, ...]


@dataclass(frozen=True)
class LayerNudges:
    """The nudges of a layer's neurons.

    Attributes:
        name: its path in the model.
        neurons: those of each neuron.
        before: the wish for each activation before the layer: the neurons' parts, summed.

    >>> model = MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> hidden, output = nudges(model, [0.5, -1.0], [1.0, 0.0]).layers
    >>> output.name, output.before == tuple([neuron.wish for neuron in hidden.neurons])
    ('layers.1', True)
    """

    name: str
    neurons: tuple[NeuronNudges, ...]
    before: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Nudges:
    """What one example wants of a network, or several on average; `print` it, or let Jupyter show it.

    Attributes:
        cost: of the example, or the mean of the costs.
        inputs: the numbers that went into the network, one for each input.
        layers: the nudges of each layer, the first one first.
        examples: of several examples, what each of them wants of each parameter, in the order of `vector`.

    >>> model = MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> wanted = nudges(model, [0.5, -1.0], [1.0, 0.0])
    >>> wanted
    <Nudges of one example for a network 2-3-2, cost 0.525999>
    >>> len(wanted.vector())
    17
    >>> wanted.draw()
    <Drawing of what is wanted of a network 2-3-2, ...>
    """

    cost: float
    inputs: tuple[float, ...]
    layers: tuple[LayerNudges, ...]
    examples: tuple[Sequence[float], ...]
    _model: tuple[Layer, ...] = field(compare=False)

    def vector(self) -> list[float]:
        """The negative gradient of the cost: how each of `model.parameters()` should change, in that order."""
        neurons = [neuron for layer in self.layers for neuron in layer.neurons]
        return [nudge for neuron in neurons for nudge in (*neuron.weights, neuron.bias)]

    def draw(self, *, labels: Sequence[object] | None = None, image: bool | None = None, shown: int = 16) -> Drawing:
        """The picture of the network with these nudges: blue is up, orange is down.

        A line is the wished change of a weight, an arrow that of an activation.
        Arguments `labels`, `image` and `shown` are those of `draw_network`.

        Raises:
            TypeError: labels are no list, or shown is no whole number.
            ValueError: there are too many labels or too few, the inputs are asked for as an image and are no square, or
                shown is below 2.
        """
        activations = [self.inputs, *[[neuron.activation for neuron in layer.neurons] for layer in self.layers]]
        wishes = [self.layers[0].before, *[[neuron.wish for neuron in layer.neurons] for layer in self.layers]]
        weights = [[neuron.weights for neuron in layer.neurons] for layer in self.layers]
        return draw_nudges(self._model, activations, weights, wishes, labels=labels, image=image, shown=shown)

    def _repr_html_(self) -> str:
        table = f"<details><summary>{clean(repr(self))}</summary><pre>{clean(str(self))}</pre></details>"
        return self.draw()._repr_html_() + table

    def __repr__(self) -> str:
        return f"<Nudges of {self._who()}, cost {self.cost:.6g}>"

    def _who(self) -> str:
        sizes = [len(self.inputs), *[len(layer.neurons) for layer in self.layers]]
        many = f"{len(self.examples)} examples" if self.examples else "one example"
        return f"{many} for a network {'-'.join(map(str, sizes))}"

    def __str__(self) -> str:
        return "\n".join(_table(self))


def nudges(model: MLP | Sequence[Layer], x: Any, target: Any, loss: Callable[[Any, Any], Any] | None = None) -> Nudges:
    """How a training example wants a network to change, in 3Blue1Brown's three ways, from the outputs backwards.

    To change its activation, a neuron can change its bias; its weights, in proportion to the activations they stand
    by; and the activations before it, in proportion to its weights. The wishes of all neurons for an activation
    before them add up to what is wished of that one, and so on back. Several examples are averaged. All of these
    numbers are the cost's negative derivatives. No gradient of the model is read or written.

    Args:
        model: an MLP, or a list of layers.
        x: a list of numbers, one for each input; or a list of examples, each such a list.
        target: what loss takes: by default one number for each output. For a list of examples, a list of targets.
        loss: of a prediction and a target, as in `losses`; None is `losses.squared_error`.

    Returns:
        `Nudges`, with each neuron's activation, its wish and its nudges, layer by layer; `str` is a table.

    Raises:
        TypeError: model is no MLP and no list of layers, x holds something that is no number, or the loss is no Value.
        ValueError: too many numbers or too few, or a parameter has two places in the model.

    After 3Blue1Brown, What is backpropagation really doing?, 2017.

    >>> model = MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> wanted = nudges(model, [0.5, -1.0], [1.0, 0.0])
    >>> neuron = wanted.layers[-1].neurons[0]
    >>> neuron.wish == 2 * (1.0 - neuron.activation)
    True
    >>> befores = [neuron.before for neuron in wanted.layers[-1].neurons]
    >>> wanted.layers[-1].before == tuple(a + b for a, b in zip(*befores))
    True
    """
    layers = layers_of("nudges", model)
    parameters = [value for layer in layers for neuron in layer.neurons for value in (*neuron.w, neuron.b)]
    if len(Identities.fromkeys(parameters)) < len(parameters):
        raise ValueError("nudges: a parameter has two places in the model; expected one neuron for each")
    if loss is not None and not callable(loss):
        raise TypeError(f"nudges(loss={short_repr(loss)}): expected a function of a prediction and a target")
    loss = loss or squared_error
    if hasattr(x, "__len__") and not isinstance(x, str) and len(x) and hasattr(x[0], "__len__"):
        count = paired("nudges", x, target)
        several = [_wanted(layers, parameters, one, aim, loss) for one, aim in zip(x, target)]
        now, wants = [array("d", (added(column) / count for column in zip(*part))) for part in zip(*several)]
        examples = tuple(wanted[len(now) - 1 :] for _, wanted in several)
        return _nudges(layers, now, wants, examples)
    return _nudges(layers, *_wanted(layers, parameters, x, target, loss), ())


def _wanted(
    layers: list[Layer], parameters: list[Value], x: Any, target: Any, loss: Callable[[Any, Any], Any]
) -> tuple[array[float], array[float]]:
    """For one example: the cost and the activations; and the wishes for the activations and for the parameters."""
    with enable_grad():
        columns = forward(layers, [Value(number) for number in inputs_of("nudges", layers, x)])
        out = columns[-1]
        cost = loss(out[0] if len(out) == 1 else out, target)
    if not isinstance(cost, Value):
        raise TypeError(f"nudges: the loss gave {short_repr(cost)}; expected a Value made from the prediction")
    nodes = [node for column in columns for node in column]
    slopes = gradient(cost, [*nodes, *parameters])
    return array("d", [cost.data, *[node.data for node in nodes]]), array("d", (0.0 - slope for slope in slopes))


def _nudges(
    layers: list[Layer], now: array[float], wants: array[float], examples: tuple[Sequence[float], ...]
) -> Nudges:
    cost, *activations = now
    size = len(layers[0].neurons[0].w)
    node, parameter = size, len(activations)
    done = []
    for i, layer in enumerate(layers):
        neurons = []
        for j, neuron in enumerate(layer.neurons):
            *weights, bias = wants[parameter : parameter + len(neuron.w) + 1]
            before = tuple(bias * weight.data for weight in neuron.w)
            name = f"layers.{i}.neurons.{j}"
            neurons.append(NeuronNudges(name, activations[node], wants[node], bias, tuple(weights), before))
            node, parameter = node + 1, parameter + len(weights) + 1
        together = tuple(added(parts) for parts in zip(*[neuron.before for neuron in neurons]))
        done.append(LayerNudges(f"layers.{i}", tuple(neurons), together))
    return Nudges(cost, tuple(activations[:size]), tuple(done), examples, tuple(layers))


# ----------------------------------------------------------------------------------------------------------- the table

_ROWS = 10  # a layer of more neurons shows the strongest few


def _table(nudges: Nudges) -> Iterable[str]:
    """Lines of at most 80 characters, from the outputs back to the inputs."""
    average = "on average, " if nudges.examples else ""
    yield f"{nudges._who()}: {average}cost {nudges.cost:.6g}"
    yield "A wish is minus the derivative of the cost. w: for each weight, in proportion to"
    yield "the activation it stands by. a: for each activation before, to the weight there."
    last = len(nudges.layers) - 1
    for i in range(last, -1, -1):
        layer = nudges.layers[i]
        count = len(layer.neurons)
        yield ""
        yield f"{layer.name}{', the output' if i == last else ''}: {count} neuron{'s' if count > 1 else ''}"
        yield f"neuron activation {'wish':>9} {'bias':>9}  {'weights, strongest':20} before, strongest"
        chosen = _strongest([neuron.wish for neuron in layer.neurons], _ROWS if count <= _ROWS else _ROWS - 2)
        for j in sorted(chosen):
            neuron = layer.neurons[j]
            numbers = f"{neuron.activation:>10.3g} {_signed(neuron.wish, 3):>9} {_signed(neuron.bias, 3):>9}"
            row = f"{j:>6} {numbers}  {_largest('w', neuron.weights, 20):20} "
            yield row + _largest("a", neuron.before, 80 - len(row))
        if count > len(chosen):
            weaker = _size(neuron.wish for j, neuron in enumerate(layer.neurons) if j not in chosen)
            yield f"{'…':>6} {count - len(chosen)} more, with wishes of at most {weaker:.3g}"
        where = nudges.layers[i - 1].name if i else "the inputs"
        yield _line(f"  together, of {where}: ", "a", layer.before)
    if nudges.examples:
        yield ""
        yield from _by_example(nudges)


def _by_example(nudges: Nudges) -> Iterable[str]:
    """What the first examples want of the parameters that are wanted most, and the average over all."""
    vector = nudges.vector()
    names = [
        f"{neuron.name}.{part}"
        for layer in nudges.layers
        for neuron in layer.neurons
        for part in [*[f"w.{k}" for k in range(len(neuron.weights))], "b"]
    ]
    first = nudges.examples[:3]
    yield "what each example wants of the parameters that are nudged most"
    heads = [f"example {i}" for i in range(len(first))]
    more = ["…"] if len(nudges.examples) > len(first) else []
    yield (
        f"{'':30}"
        + "".join(f"{head:>11}" for head in heads)
        + "".join(f"{dots:>3}" for dots in more)
        + f"{'average':>11}"
    )
    for k in sorted(_strongest(vector, 6)):
        each = "".join(f"{_signed(example[k]):>11}" for example in first)
        yield f"  {names[k]:28}{each}" + "".join(f"{dots:>3}" for dots in more) + f"{_signed(vector[k]):>11}"


def _strongest(numbers: Sequence[float], most: int) -> list[int]:
    """Where the numbers of greatest size stand, the greatest first."""
    return sorted(range(len(numbers)), key=lambda i: (-_size([numbers[i]]), i))[:most]


def _size(numbers: Iterable[float]) -> float:
    """The greatest size; nan is infinitely great, for it should be seen."""
    return max(math.inf if number != number else abs(number) for number in numbers)


def _signed(number: float, digits: int = 4) -> str:
    return f"{number + 0.0:+.{digits}g}" if number else "0"


def _largest(letter: str, numbers: Sequence[float], width: int) -> str:
    """The numbers of greatest size with their places, as many as the width allows."""
    text = ""
    for i in _strongest(numbers, 3):
        item = f"{letter}{i} {_signed(numbers[i], 2)}"
        if text and len(text) + 2 + len(item) > width:
            break
        text = f"{text}, {item}" if text else item
    return text


def _line(head: str, letter: str, numbers: Sequence[float]) -> str:
    """The same after some words, on one line, with how many more there are."""
    text = _largest(letter, numbers, 64 - len(head))
    more = len(numbers) - text.count(",") - 1
    return f"{head}{text}" + (f", … {more} more" if more else "")
