"""Find in the instructions what one would write by hand: linear layers, one after the other, with activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from micrograd_plus.engine.operations import ADD, Op
from micrograd_plus.program.arrays import Array, Operand, Places
from micrograd_plus.program.exports.ways import Way

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


class Linear(NamedTuple):
    """A layer.

    Attributes:
        weight: which rows of the parameters are its matrix.
        bias: which are its bias; None where it has none.
        outputs: how many numbers come out.
    """

    weight: Places
    bias: Places | None
    outputs: int


class Activation(NamedTuple):
    """A row of the table, applied to each number, with its options."""

    op: Op
    options: tuple[float, ...]


def chain(program: Program, way: Way) -> list[Linear | Activation] | None:
    """The layers of a network from its inputs on; None where it is anything else.

    That is: a function of a single list of inputs, in which each parameter belongs to one layer.
    """
    if len(program._shapes) > 1 or len(program._shapes[0]) != 1 or way.guards is not None or program._others:
        return None
    found: list[Linear | Activation] = []
    array = way.root
    while array.kind != "x":
        layer = _layer(array)
        if layer is None:
            return None
        made, array = layer
        found.append(made)
    layers = [layer for layer in found if isinstance(layer, Linear)]
    rows = [part for layer in layers for part in (layer.weight, layer.bias) if part is not None]
    used = np.sort(np.concatenate(rows)) if rows else np.empty(0)
    return found[::-1] if np.array_equal(used, np.arange(len(program.parameters))) else None


def _layer(array: Array) -> tuple[Linear | Activation, Array] | None:
    """What an instruction is, and what it is applied to."""
    bias: Places | None = None
    if array.kind == "apply" and array.op is ADD:
        product, shift = array.args
        bias = _rows_of_theta(shift)
        if not isinstance(product, Array) or bias is None or product.rows != array.rows or len(bias) != array.rows:
            return None
        array = product
    elif array.kind == "apply":
        first, *rest = array.args
        options = [float(option) for option in rest if not isinstance(option, Array)]
        if not isinstance(first, Array) or len(options) != len(array.op.options):
            return None
        return Activation(array.op, tuple(options)), first
    if array.kind != "matmul" or array.sizes.q != 1:
        return None
    weight = _rows_of_theta(array.args[0])
    return None if weight is None else (Linear(weight, bias, array.rows), array.arrays[1])


def _rows_of_theta(arg: Operand) -> Places | None:
    """Which of the parameters these are; None where they are something else."""
    if not isinstance(arg, Array):
        return None
    if arg.kind == "theta":
        return np.arange(arg.rows)
    if arg.kind == "rows" and [source.kind for source in arg.arrays] == ["theta"]:
        return arg.pieces[0].source
    return None
