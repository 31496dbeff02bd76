"""Take a network's layers and an example's numbers, checked, and run the one on the other."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import MLP, Layer


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


def check_calls(function: str, model: Any, layers: Sequence[Layer]) -> None:
    """Refuse what computes in a way of its own, which neurons in layers would not show.

    Raises:
        TypeError: the model, or one of its layers, has a `__call__` of its own.
    """
    usual: list[tuple[Any, type[Any]]] = [(model, MLP), *[(layer, Layer) for layer in layers]]
    for part, kind in usual:
        if isinstance(part, kind) and type(part).__call__ is not kind.__call__:
            told = f"{type(part).__name__} has a __call__ of its own, whose numbers its neurons do not show"
            raise TypeError(f"{function}: {told}; expected an MLP or Layers as they are")


def forward(layers: Sequence[Layer], x: Sequence[Any]) -> list[list[Any]]:
    """The activations of the inputs and of each layer."""
    columns = [list(x)]
    for layer in layers:
        columns.append([neuron(columns[-1]) for neuron in layer.neurons])
    return columns
