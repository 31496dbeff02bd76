"""A network of PyTorch's as one of ours, with its weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.nn import MLP, Layer
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.program.exports.activations import CLASSES

if TYPE_CHECKING:
    from torch import nn

ROWS = {name: row for row, name in CLASSES.items() if row != "identity"} | {"ReLU6": "hardtanh"}
PLAIN = ("Identity", "Flatten")  # what leaves a list of numbers as it is


def from_torch(module: nn.Module) -> MLP | Layer:
    """An `MLP` with the weights of a `torch.nn.Sequential` of `Linear` layers and activations.

    The weights are copied: what is learnt here stays here. `mp.compile(model, x=...).to_torch()` leads back, to a
    `Sequential` whose `state_dict` has the names of the one that came. A layer without a bias has the number 0 there,
    which is no parameter.

    Args:
        module: a `Sequential`, perhaps of others, or a single `Linear`, which becomes a `Layer`.

    Raises:
        TypeError: it is something else, or holds something else; the message names that.
        ValueError: it has no `Linear`, or something before the first; layers do not fit together; an activation has an
            option that changes it beyond what its row knows; something has a hook.

    >>> from torch import nn
    >>> import micrograd_plus as mp
    >>> mp.from_torch(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    MLP of [Layer of [TanhNeuron(2), TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(3)]]
    """
    from torch import nn

    if not isinstance(module, nn.Module):
        got = f"got {type(module).__name__}"
        raise TypeError(f"from_torch: expected a module of PyTorch, such as nn.Sequential(nn.Linear(2, 1)), {got}")
    layers: list[tuple[Any, list[Any]]] = []
    for path, part in _parts(module, ""):
        if isinstance(part, nn.Linear):
            _check_fit(path, part, layers)
            layers.append((part, []))
        elif (bend := _bend(path, part)) is not None:
            if not layers:
                raise ValueError(f"from_torch: {path} {part!r} stands before the first Linear; apply it to the inputs")
            layers[-1][1].append(bend)
    if not layers:
        raise ValueError(f"from_torch({module!r}): it has no Linear; expected one at least")
    model = MLP(layers[0][0].in_features, [linear.out_features for linear, _ in layers], init="zeros", seed=0)
    firsts: Identities[Any, Layer] = Identities()  # by parameters: what stands there twice learns as one
    for layer, (linear, bends) in zip(model.layers, layers):
        _fill(layer, linear, bends)
        for neuron, first in zip(layer.neurons, firsts.setdefault(linear.weight, layer).neurons):
            neuron.w = first.w
        if linear.bias is not None:
            for neuron, first in zip(layer.neurons, firsts.setdefault(linear.bias, layer).neurons):
                neuron.b = first.b
    return model.layers[0] if isinstance(module, nn.Linear) else model


def _parts(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """What a sequence is made of, with the names that a state_dict has for it."""
    from torch import nn

    _check_whole(path, module)
    if not isinstance(module, nn.Sequential):
        yield path, module
        return
    for name, part in module._modules.items():  # named_children() gives a part that stands there twice once
        if part is not None:
            yield from _parts(part, f"{path}.{name}" if path else name)


def _check_whole(path: str, module: nn.Module) -> None:
    """Refuse what does more than its class says."""
    where = _named(path, module)
    owner = next(kind for kind in type(module).__mro__ if "forward" in vars(kind))
    if "forward" in vars(module) or not owner.__module__.startswith("torch.nn.modules"):
        told = f"{owner.__name__} has a forward of its own"
        raise TypeError(f"{where}: {told}; expected Linear, activations, Sequential")
    way_out = "which would not be called here; remove it first"
    if any(getattr(module, f"_{when}_hooks") for when in ("forward", "forward_pre", "backward", "backward_pre")):
        raise ValueError(f"{where} has a hook, {way_out}")
    for name, parameter in module.named_parameters(recurse=False):
        if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
            raise ValueError(f"{where}: its {name} has a hook, {way_out}")


def _named(path: str, part: Any) -> str:
    """How an error names a part; one that stands by itself has no path."""
    return f"from_torch: {path} {part!r}".replace(":  ", ": ")


def _check_fit(path: str, linear: nn.Linear, layers: list[tuple[Any, list[Any]]]) -> None:
    if layers and layers[-1][0].out_features != linear.in_features:
        before = layers[-1][0].out_features
        raise ValueError(f"from_torch: {path} {linear!r} takes {linear.in_features} numbers; {before} come to it")


def _bend(path: str, part: Any) -> Any:
    """The function that an activation is; None where it changes nothing."""
    kind = type(part).__name__
    where = _named(path, part)
    ours = type(part).__module__.startswith("torch.nn.modules")
    if ours and kind in PLAIN:
        return None
    if ours and kind == "Dropout":
        if part.training and part.p > 0.0:
            raise ValueError(f"{where} draws at random; call .eval() first, and it is left out")
        return None
    if not ours or kind not in ROWS:
        known = ", ".join(["Linear", *ROWS])
        raise TypeError(f"{where}: expected one of {known}, in a Sequential; Identity, Flatten, Dropout are left out")
    for option, wanted in (("beta", (1.0,)), ("approximate", ("none",)), ("threshold", (20.0, 40.0))):
        if getattr(part, option, wanted[0]) not in wanted:
            raise ValueError(f"{where}: expected {option}={wanted[0]!r}, as mp.{ROWS[kind]} has it")
    op = TABLE[ROWS[kind]]
    options = {name: float(getattr(part, name)) for name in op.options}
    if options == op.options:
        return FUNCTIONS[op.name]
    made: Any = partial(FUNCTIONS[op.name], **options)
    made.__name__ = op.name
    return made


def _fill(layer: Layer, linear: nn.Linear, bends: list[Any]) -> None:
    """Give a layer weights, and what bends its sums."""
    weights = linear.weight.detach().tolist()
    biases: Any = [None] * len(weights) if linear.bias is None else linear.bias.detach().tolist()
    bend = None if not bends else bends[0] if len(bends) == 1 else Bends(bends)
    for neuron, row, bias in zip(layer.neurons, weights, biases):
        for weight, number in zip(neuron.w, row):
            weight.data = number
        if bias is None:
            neuron.b = 0.0  # type: ignore[assignment]  # no parameter
        else:
            neuron.b.data = bias
        neuron.activation = bend


class Bends:
    """Activations one after the other."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts
        self.__name__ = "_then_".join([part.__name__ for part in parts])

    def __call__(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x
