"""A program as a module of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.program.arrays import Choice, Places
from micrograd_plus.program.exports.activations import CLASSES, EXACT
from micrograd_plus.program.exports.chains import Activation, Linear, chain
from micrograd_plus.program.exports.differentiating import Differentiable
from micrograd_plus.program.exports.torch_rows import VALUES, Product, Tensor, applied
from micrograd_plus.program.exports.ways import ways_of
from micrograd_plus.program.strides import stride

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


class TorchDialect:
    """Arrays of PyTorch.

    Args:
        like: a tensor of the dtype and on the device that all are of.
        examples: how many there are.
        constants: what was made for these before.
    """

    def __init__(self, like: Tensor, examples: int, constants: dict[Any, Tensor]) -> None:
        self.like, self.examples, self._constants = like, examples, constants

    def _kept(self, key: bytes, numbers: Places, dtype: torch.dtype) -> Tensor:
        known = (key, dtype, self.like.device)
        if known not in self._constants:
            self._constants[known] = torch.as_tensor(numbers, dtype=dtype, device=self.like.device)
        return self._constants[known]

    def constant(self, numbers: Places) -> Tensor:
        return self._kept(numbers.tobytes(), numbers, self.like.dtype)

    def _indices(self, rows: Places) -> Tensor:
        return self._kept(rows.tobytes(), rows, torch.long)

    def take(self, array: Tensor, rows: Places) -> Tensor:
        spaced = stride(rows) if len(rows) else None
        if spaced is not None and spaced[1] > 0:
            start, step = spaced
            if (start, step, len(rows)) == (0, 1, len(array)):
                return array
            return array[start : start + step * len(rows) : step]
        return array[self._indices(rows)]

    def join(self, arrays: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(arrays))

    def shaped(self, array: Tensor, *sizes: int) -> Tensor:
        return array.reshape(sizes)

    def wide(self, array: Tensor, rows: int) -> Tensor:
        return array.expand(rows, self.examples)

    def zeros(self, rows: int, wide: bool) -> Tensor:
        return self.like.new_zeros(rows, self.examples if wide else 1)

    def total(self, array: Tensor, axis: int) -> Tensor:
        return array.sum(axis)

    def extreme(self, op: Op, array: Tensor) -> Tensor:
        return (torch.amax if op is TABLE["maximum"] else torch.amin)(array.detach(), 0)

    def product(self, matrix: Tensor, array: Tensor, gate: Tensor | None) -> Any:
        return matrix @ array if gate is None else Product.apply(matrix, array, gate)  # type: ignore[no-untyped-call]

    def added(self, array: Tensor, rows: Places, more: Tensor) -> Tensor:
        return array.index_add(0, self._indices(rows), more.expand(len(rows), array.shape[1]))

    def chosen(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The one or the other for each example."""
        return torch.where(condition, x, y)

    def somewhere(self, gate: Tensor) -> Tensor:
        return gate.any(1, keepdim=True)

    def applied(self, op: Op, args: Sequence[Any], gate: Tensor | None) -> Any:
        return applied(op, args, gate)

    def _entries(self, index: Tensor, choice: Choice) -> tuple[Tensor, Tensor]:
        """For each row and example the row of the table, and whether there is one."""
        count = choice.entries.shape[1]
        inside = (index >= 0) & (index < count) & (index == index.floor())
        place = torch.where(inside, index, 0.0).long()
        flat = self._indices(np.ascontiguousarray(choice.entries.ravel())).reshape(choice.entries.shape)
        which = self._indices(choice.which)
        return flat.gather(1, place[which]), inside[which]

    def looked_up(self, table: Tensor, index: Tensor, choice: Choice) -> Tensor:
        at, inside = self._entries(index, choice)
        found = table.expand(len(table), at.shape[1]).gather(0, at)
        return torch.where(inside, found, float("nan"))

    def looked_up_back(self, back: Tensor, index: Tensor, rows: int, choice: Choice) -> Tensor:
        at, inside = self._entries(index, choice)
        return self.zeros(rows, True).scatter_add(0, at, torch.where(inside, back, 0.0))


def module_of(program: Program) -> nn.Module:
    """A network as a sequence of layers, anything else as a `ProgramModule`."""
    (way, *others) = ways_of(program)
    layers = None if others else chain(program, way)
    if layers is None or any(isinstance(layer, Activation) and layer.op.name not in CLASSES for layer in layers):
        return ProgramModule(program)
    theta = program._theta(None)
    return nn.Sequential(*[_module(layer, theta) for layer in layers])


def _module(layer: Linear | Activation, theta: Places) -> nn.Module:
    if isinstance(layer, Activation):
        name, options = layer.op.name, dict(zip(layer.op.options, layer.options))
        made: nn.Module = getattr(nn, CLASSES[name])(**options, **EXACT.get(name, {}))
        return made
    weight = torch.from_numpy(theta[layer.weight])
    size = int(layer.outputs)
    linear = nn.Linear(len(weight) // size, size, bias=layer.bias is not None, dtype=weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(weight.reshape(size, -1))
        if layer.bias is not None:
            linear.bias.copy_(torch.from_numpy(theta[layer.bias]))
    return linear


class ProgramModule(nn.Module):
    """What a program computes, as a module, which `Program.to_torch` makes.

    Its parameters bear the names of the model's; what the function reads besides is a buffer.
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = Differentiable(program, "PyTorch", VALUES)
        values = program._theta(None)
        dtype = getattr(torch, str(program._dtype))
        self._places: dict[str, tuple[str, ...]] = {}
        for tensor in self._program.parameters.tensors:
            data = torch.tensor(values[tensor.rows].reshape(tensor.shape), dtype=dtype)
            self._places[tensor.name] = _placed(self, tensor.name, data, tensor.trained)
        self._constants: dict[Any, Tensor] = {}

    def forward(self, x: Any, y: Any = None) -> Tensor:
        """The function's value for an example, or for each of a batch; where it gives a list, as many for each."""
        values = {name: _found(self, path) for name, path in self._places.items()}
        like = next(iter(values.values()), None)
        inputs, single, n = self._program.columns(x, y, lambda data: _as_tensor(data, like))
        like = next(iter(inputs.values())) if like is None else like
        dialect = TorchDialect(like, n, self._constants)
        gated = torch.is_grad_enabled() and any(each.requires_grad for each in [*values.values(), *inputs.values()])
        out = self._program.outputs(dialect, values, inputs, gated, torch.no_grad)
        shaped: Tensor = self._program.shaped(out, single)
        return shaped

    def extra_repr(self) -> str:
        """What it computes."""
        return self._program.said

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_constants": {}}


def _placed(module: nn.Module, name: str, data: Tensor, trained: bool) -> tuple[str, ...]:
    """Put a tensor into a module, at a path with modules for each part of its name; the path."""
    *owners, last = name.split(".")
    path: list[str] = []
    for owner in owners:
        if not isinstance(getattr(module, owner, None), nn.Module):
            owner = _free(module, owner)
            module.add_module(owner, nn.Module())
        path.append(owner)
        module = getattr(module, owner)
    last = _free(module, last)
    if trained:
        module.register_parameter(last, nn.Parameter(data))
    else:
        module.register_buffer(last, data)
    return *path, last


def _free(module: nn.Module, name: str) -> str:
    """A name that the module has no use for yet."""
    while not name or hasattr(module, name):
        name += "_"
    return name


def _found(module: Any, path: tuple[str, ...]) -> Tensor:
    for name in path:
        module = getattr(module, name)
    tensor: Tensor = module
    return tensor


def _as_tensor(data: Any, like: Tensor | None) -> Tensor:
    if like is not None:
        return torch.as_tensor(data, dtype=like.dtype, device=like.device)
    tensor = torch.as_tensor(data)
    return tensor if tensor.is_floating_point() else tensor.double()
