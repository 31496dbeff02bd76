"""What a training example wants: how each bias, each weight and each activation should change."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from reprlib import repr as short_repr
from textwrap import wrap
from typing import Any

from micrograd_plus._support.arguments import paired
from micrograd_plus._support.identities import distinct
from micrograd_plus._support.markup import on_demand, paragraph
from micrograd_plus.calculus import gradient
from micrograd_plus.engine.recording import enable_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.losses import squared_error
from micrograd_plus.networks.drawing import draw_nudges
from micrograd_plus.networks.models import check_calls, forward, inputs_of, layers_of
from micrograd_plus.networks.neurons import LayerNudges, NeuronNudges
from micrograd_plus.networks.scenes import Drawing
from micrograd_plus.networks.tables import example_markup, example_table, layer_markup, layer_tables
from micrograd_plus.nn import MLP, Layer
from micrograd_plus.ops.vectors import added


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
        """The picture, and below it tables that open at a click."""
        tables = layer_markup(self.layers)
        if self.examples:
            tables += example_markup(self.layers, self.examples, self.vector())
        return self.draw()._repr_html_() + on_demand(repr(self)[1:-1], "".join(map(paragraph, self._words())) + tables)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        return self.draw()._repr_mimebundle_() | {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        return f"<Nudges of {self._who()}, cost {self.cost:.6g}>"

    def _who(self) -> str:
        sizes = [len(self.inputs), *[len(layer.neurons) for layer in self.layers]]
        many = f"{len(self.examples)} examples" if self.examples else "one example"
        return f"{many} for a network {'-'.join(map(str, sizes))}"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _words(self) -> tuple[str, str]:
        """What the tables are of, and what stands in them."""
        average = "on average, " if self.examples else ""
        meaning = "w: for each weight, in proportion to the activation it stands by. "
        meaning += "a: for each activation before, to the weight there."
        return (
            f"{self._who()}: {average}cost {self.cost:.6g}",
            f"A wish is minus the derivative of the cost. {meaning}",
        )

    def _lines(self) -> Iterator[str]:
        """Lines of at most 80 characters, from the outputs back to the inputs."""
        head, meaning = self._words()
        yield from (head, *wrap(meaning, 80))
        yield from layer_tables(self.layers)
        if self.examples:
            yield ""
            yield from example_table(self.layers, self.examples, self.vector())


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
    check_calls("nudges", model, layers)
    parameters = [value for layer in layers for neuron in layer.neurons for value in (*neuron.w, neuron.b)]
    if len(distinct(parameters)) < len(parameters):
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
    """The same numbers, neuron by neuron and layer by layer."""
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
