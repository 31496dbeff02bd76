"""A neuron weighs its inputs, a layer is a list of neurons, an MLP is a list of layers.

Signatures, reprs and numbers are micrograd's: the same `random.seed` draws the same weights.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import islice
from reprlib import repr as short_repr
from typing import Any, cast

from micrograd_plus._support.arguments import Seed, generator, whole
from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.sums import weighed
from micrograd_plus.engine.value import Value
from micrograd_plus.nn.initialisers import Initialiser, initialiser
from micrograd_plus.nn.modules import Module
from micrograd_plus.ops.rows import FUNCTIONS


class Neuron(Module):
    """A weighted sum of its inputs and a bias, bent by an activation: activation(b + w·x).

    Args:
        nin: the number of inputs.
        nonlin: False for a linear neuron (micrograd's name for it).
        activation: the name of a function of the table ("relu", "sigmoid", ...), "linear", or a function of a Value.
        init: the name of an initialiser ("uniform", "xavier", "he", "zeros", "normal"), or an `Initialiser`.
        seed: a whole number or a `random.Random` of one's own; None draws from Python's `random`, as micrograd does.
        nout: how many neurons its layer has, for the initialiser.

    Attributes:
        w: the weights, a list of a Value for each input.
        b: the bias, a Value.
        activation: the function that bends the sum, None for a linear neuron; a name or another may be written to it.
        nonlin: whether there is one; writing False takes it away, True puts it back.

    Raises:
        TypeError: nin or the seed is no whole number.
        ValueError: nin is below 1, or the activation or the initialiser is unknown.

    >>> neuron = Neuron(2, seed=1)
    >>> neuron
    ReLUNeuron(2)
    >>> len(neuron.parameters())
    3
    >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 2.0, -1.0, 0.5
    >>> neuron([1.0, 1.0])
    Value(data=1.5, grad=0.0)
    >>> neuron.activation = "tanh"
    >>> neuron
    TanhNeuron(2)
    """

    activation: Any
    _method: str | None  # its name, where it is a row's: then a Value's method is asked, which may be overridden

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: str | Callable[[Any], Any] = "relu",
        init: str | Initialiser = "uniform",
        seed: Seed = None,
        nout: int = 1,
    ) -> None:
        draw = initialiser(init)
        # the module has a generator's methods: those that micrograd draws with
        source = cast(random.Random, random) if seed is None else generator("Neuron", seed)
        self.w = [Value(draw(source, nin, nout)) for _ in range(whole("Neuron", "nin", nin))]
        self.b = Value(0)
        self.activation = activation
        if not nonlin:
            self.nonlin = False

    @property
    def nonlin(self) -> bool:
        """Whether the sum is bent; writing False takes the activation away, True puts it back.

        >>> neuron = Neuron(2, activation="tanh")
        >>> neuron.nonlin = False
        >>> neuron
        LinearNeuron(2)
        """
        return self.activation is not None

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        now = getattr(self, "activation", None)
        if not nonlin and now is not None:
            self._bend = now  # for when it is wanted again
        if not nonlin or now is None:
            self.activation = getattr(self, "_bend", "relu") if nonlin else None

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "activation":
            value = _activation(value)
            called = getattr(value, "__name__", "")
            self._method = called if value is not None and FUNCTIONS.get(called) is value else None
        super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, part in state.items():
            if name != "nonlin":  # as an older version kept it
                setattr(self, name, part)

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The neuron's activation for a list of as many numbers or Values as it has inputs, or an iterator over them.

        Returns:
            A Value; whatever the activation returns, if that is a function of yours.

        Raises:
            ValueError: x has more numbers, or fewer.
            TypeError: x is no list, and no iterator.
        """
        xs: Any = x if isinstance(x, list) else _listed(self, x, len(self.w))
        if len(xs) != len(self.w):
            raise ValueError(f"{self!r}: got {len(xs)} inputs; expected {len(self.w)}, one for each weight")
        total = weighed(self.b, self.w, xs)
        if self._method is not None and isinstance(total, Value):
            out = getattr(total, self._method)()
        else:
            out = total if self.activation is None else self.activation(total)
        if isinstance(out, Value):
            out._note = self  # its scope, by which pictures fold
        return out

    def __repr__(self) -> str:
        if self.activation is None:
            return f"LinearNeuron({len(self.w)})"
        name = getattr(self.activation, "__name__", type(self.activation).__name__)
        return f"{_SPELLINGS.get(name, name[:1].upper() + name[1:])}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        seed: a whole number or a `random.Random` of one's own, as in `Neuron`.
        options: what `Neuron` takes besides, by name: `activation`, `init`, `nonlin`.

    Attributes:
        neurons: a list of them.

    Raises:
        TypeError: a number or the seed is no whole number, or there is no such option.
        ValueError: a number is below 1, or the activation or the initialiser is unknown.

    >>> layer = Layer(3, 2, activation="tanh", init="zeros")
    >>> layer
    Layer of [TanhNeuron(3), TanhNeuron(3)]
    >>> layer([1.0, 2.0, 3.0])
    [Value(data=0.0, grad=0.0), Value(data=0.0, grad=0.0)]
    """

    def __init__(self, nin: int, nout: int, *, seed: Seed = None, **options: Any) -> None:
        source = None if seed is None else generator("Layer", seed)
        self.neurons = [Neuron(nin, seed=source, nout=nout, **options) for _ in range(whole("Layer", "nout", nout))]

    def __setattr__(self, name: str, value: Any) -> None:
        _check_attribute(self, Layer, name, "layer.neurons")
        super().__setattr__(name, value)

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The neurons' activations for a list of as many numbers or Values as the layer has inputs, or an iterator.

        Returns:
            A list of Values, one for each neuron; of a single neuron, as in micrograd, the Value itself.

        Raises:
            ValueError: x has more numbers, or fewer.
            TypeError: x is no list, and no iterator.
        """
        xs = x if isinstance(x, list) else _listed(self, x, len(self.neurons[0].w))
        out = [neuron(xs) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(neuron) for neuron in self.neurons)}]"


class MLP(Module):
    """A multilayer perceptron: each layer's outputs are the next one's inputs.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons in each layer, the last of them the outputs.
        activation: of the hidden layers, a name or a function, as in `Neuron`.
        output: the activation of the last layer.
        init: the name of an initialiser, or an `Initialiser`, as in `Neuron`.
        seed: a whole number or a `random.Random` of one's own, as in `Neuron`.

    Attributes:
        layers: a list of them, the hidden ones first.

    Raises:
        TypeError: a number or the seed is no whole number.
        ValueError: a number is below 1, there are no layers, or the activation or the initialiser is unknown.

    >>> model = MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", seed=1)
    >>> len(model.parameters())
    13002
    >>> outputs = model([0.5] * 784)
    >>> len(outputs)
    10
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: str | Callable[[Any], Any] = "relu",
        output: str | Callable[[Any], Any] = "linear",
        init: str | Initialiser = "uniform",
        seed: Seed = None,
    ) -> None:
        if not isinstance(nouts, Sequence) or not nouts:
            raise ValueError(f"MLP: layers {nouts!r}; expected a list of their sizes, such as [16, 16, 10]")
        _activation(activation)  # a wrong name is wrong also where there is no hidden layer
        source = None if seed is None else generator("MLP", seed)
        sizes = [nin, *nouts]
        self.layers = [
            Layer(size, nout, activation=output if i == len(nouts) - 1 else activation, init=init, seed=source)
            for i, (size, nout) in enumerate(zip(sizes, nouts))
        ]

    def __setattr__(self, name: str, value: Any) -> None:
        _check_attribute(self, MLP, name, "model.layers[0].neurons")
        super().__setattr__(name, value)

    def __call__(self, x: Iterable[Value | float]) -> Any:
        """The outputs for a list of as many numbers or Values as the network has inputs, or an iterator over them.

        Returns:
            A list of Values, one for each output; of a single output, as in micrograd, the Value itself.

        Raises:
            ValueError: x has more numbers, or fewer.
            TypeError: x is no list, and no iterator.
        """
        expected = len(self.layers[0].neurons[0].w)
        out: Any = _listed(self, x, expected)
        if len(out) != expected:
            raise ValueError(f"MLP: got {len(out)} inputs; expected {expected}, as many as it was made for")
        for layer in self.layers[:-1]:
            out = layer(out)
            out = [out] if isinstance(out, Value) else out
        return self.layers[-1](out)

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"


def _listed(module: Module, x: Any, count: int) -> Any:
    """The inputs, an iterator read into a list; of an endless one no more than it takes to know that it is too long."""
    if isinstance(x, (list, tuple)):
        return x
    if not isinstance(x, (Set, Mapping)):  # which have a length, but no order, or keys and not numbers
        if getattr(x, "ndim", 1) > 1:  # its rows are examples, and would be taken for inputs where they are as many
            told = (
                f"{type(module).__name__}: got an array of shape {tuple(x.shape)}; expected {count} numbers or Values"
            )
            raise TypeError(f"{told}, one example at a time: [model(x) for x in X]")
        if hasattr(x, "__len__"):
            return x
        try:
            return list(islice(x, count + 1))
        except TypeError:
            if hasattr(x, "__iter__"):
                raise
    expected = f"expected a list of {count} numbers or Values"
    raise TypeError(f"{type(module).__name__}({short_repr(x)}): {expected}, got {type(x).__name__}")


def _check_attribute(module: Module, kind: type[Module], name: str, neurons: str) -> None:
    """Refuse what would change nothing; a subclass may have such attributes of its own."""
    if type(module) is kind and name in ("activation", "output", "nonlin"):
        raise AttributeError(
            f"{kind.__name__}.{name}: each neuron has its own activation; write to these, as in "
            f'for neuron in {neurons}: neuron.activation = "tanh"'
        )


_SPELLINGS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU", "celu": "CELU", "gelu": "GELU"}
_SPELLINGS |= {"silu": "SiLU", "logsigmoid": "LogSigmoid"}


def _activation(activation: str | Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """The function itself; None for "linear", and for None, as which one reads it."""
    if activation is None or (isinstance(activation, str) and activation == "linear"):
        return None
    if callable(activation):
        return activation
    known = [name for name in FUNCTIONS if TABLE[name].arity == 1]
    if activation not in known:
        raise unknown("activation", activation, [*known, "linear"])
    return FUNCTIONS[activation]
