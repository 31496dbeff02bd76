"""How one example wants a neuron to change, and a layer of neurons."""

from __future__ import annotations

from dataclasses import dataclass


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

    >>> import micrograd_plus as mp
    >>> model = mp.MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> neuron = mp.nudges(model, [0.5, -1.0], [1.0, 0.0]).layers[0].neurons[0]
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

    >>> import micrograd_plus as mp
    >>> model = mp.MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    >>> hidden, output = mp.nudges(model, [0.5, -1.0], [1.0, 0.0]).layers
    >>> output.name, output.before == tuple([neuron.wish for neuron in hidden.neurons])
    ('layers.1', True)
    """

    name: str
    neurons: tuple[NeuronNudges, ...]
    before: tuple[float, ...]
