"""A program as a pure function for JAX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.program.arrays import Choice, Places
from micrograd_plus.program.exports.differentiating import Differentiable
from micrograd_plus.program.exports.jax_rows import VALUES, applied, product

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


class JaxDialect:
    """Arrays of JAX, of one dtype, with so many examples."""

    def __init__(self, dtype: Any, examples: int) -> None:
        self.dtype, self.examples = dtype, examples

    def constant(self, numbers: Places) -> Any:
        return jnp.asarray(numbers, dtype=self.dtype)

    def take(self, array: Any, rows: Places) -> Any:
        return array if len(rows) == len(array) and (rows == np.arange(len(rows))).all() else array[rows]

    def join(self, arrays: Sequence[Any]) -> Any:
        return jnp.concatenate(arrays)

    def shaped(self, array: Any, *sizes: int) -> Any:
        return array.reshape(sizes)

    def wide(self, array: Any, rows: int) -> Any:
        return jnp.broadcast_to(array, (rows, self.examples))

    def zeros(self, rows: int, wide: bool) -> Any:
        return jnp.zeros((rows, self.examples if wide else 1), self.dtype)

    def total(self, array: Any, axis: int) -> Any:
        return array.sum(axis)

    def extreme(self, op: Op, array: Any) -> Any:
        return (jnp.max if op is TABLE["maximum"] else jnp.min)(lax.stop_gradient(array), 0)

    def product(self, matrix: Any, array: Any, gate: Any) -> Any:
        if gate is None:
            return matrix @ array
        return product(matrix, array, jnp.broadcast_to(gate, (len(matrix), array.shape[1])))

    def added(self, array: Any, rows: Places, more: Any) -> Any:
        return array.at[rows].add(more)

    def chosen(self, condition: Any, x: Any, y: Any) -> Any:
        """The one or the other for each example."""
        return jnp.where(condition, x, y)

    def somewhere(self, gate: Any) -> Any:
        return gate.any(1, keepdims=True)

    def applied(self, op: Op, args: Sequence[Any], gate: Any) -> Any:
        return applied(op, args, gate)

    def _entries(self, index: Any, choice: Choice) -> tuple[Any, Any, Any]:
        """For each row and example the row of the table, its column, and whether there is one."""
        count = choice.entries.shape[1]
        inside = (index >= 0) & (index < count) & (index == jnp.floor(index))
        place = jnp.where(inside, index, 0.0).astype(int)[choice.which]
        at = jnp.asarray(choice.entries)[np.arange(len(choice.which))[:, None], place]
        return at, jnp.broadcast_to(jnp.arange(at.shape[1]), at.shape), inside[choice.which]

    def looked_up(self, table: Any, index: Any, choice: Choice) -> Any:
        at, columns, inside = self._entries(index, choice)
        return jnp.where(inside, table[at, columns if table.shape[1] > 1 else 0], jnp.nan)

    def looked_up_back(self, back: Any, index: Any, rows: int, choice: Choice) -> Any:
        at, columns, inside = self._entries(index, choice)
        return self.zeros(rows, True).at[at, columns].add(jnp.where(inside, back, 0.0))


class JaxFunction:
    """What a program computes, as a pure function of parameters and inputs, which `Program.to_jax` makes.

    Attributes:
        parameters: the numbers of today: a dictionary of arrays, by the names of the model's parameters.

    >>> import jax
    >>> import micrograd_plus as mp
    >>> weight = mp.Value(3.0)
    >>> function = mp.compile(lambda x: mp.tanh(weight * x), x=()).to_jax()
    >>> function
    JaxFunction(<lambda>, weight())
    """

    def __init__(self, program: Program) -> None:
        self._program = Differentiable(program, "JAX", VALUES)
        theta = program._theta(None)
        tensors = self._program.parameters.tensors
        found = {tensor.name: theta[tensor.rows].reshape(tensor.shape) for tensor in tensors}
        self._constants = {tensor.name: found.pop(tensor.name) for tensor in tensors if not tensor.trained}
        self.parameters: dict[str, Any] = found
        self.__name__ = program._name

    def __call__(self, parameters: Mapping[str, Any], x: Any, y: Any = None) -> Any:
        """The function's value for an example, or for each of a batch; where it gives a list, as many for each.

        Args:
            parameters: a dictionary of arrays of the names and the shapes of `.parameters`.
            x: an example, an array of the program's shape for x, or a batch, a row for each.
            y: its target, or as many; None where the program takes none.

        Returns:
            An array of JAX, with a number for each example, or a row of numbers where the function gives a list.

        Raises:
            TypeError: y is missing, or there should be none; or the parameters are no dictionary.
            ValueError: something is of another shape, or the parameters bear other names.

        >>> import jax
        >>> import micrograd_plus as mp
        >>> weight = mp.Value(3.0)
        >>> function = mp.compile(lambda x: weight * x, x=()).to_jax()
        >>> print(function({"weight": 2.0}, jax.numpy.array([1.0, 10.0])))
        [ 2. 20.]
        """
        values = self._checked(parameters)
        dtype = jnp.result_type(float, *values.values()) if not values else jnp.result_type(*values.values())
        values = {name: value.astype(dtype) for name, value in values.items()}
        values |= {name: jnp.asarray(value, dtype) for name, value in self._constants.items()}
        inputs, single, n = self._program.columns(x, y, lambda data: jnp.asarray(data, dtype))
        out = self._program.outputs(JaxDialect(dtype, n), values, inputs, True, nullcontext)
        return self._program.shaped(out, single)

    def _checked(self, parameters: Any) -> dict[str, Any]:
        if not isinstance(parameters, Mapping):
            expected = "expected a dictionary of arrays, such as .parameters"
            raise TypeError(f"{self!r}: parameters of type {type(parameters).__name__}; {expected}")
        if parameters.keys() != self.parameters.keys():
            raise ValueError(f"{self!r}: parameters {sorted(parameters)}; expected {sorted(self.parameters)}")
        values = {name: jnp.asarray(value) for name, value in parameters.items()}
        for name, value in values.items():
            if value.shape != self.parameters[name].shape:
                expected = f"expected {self.parameters[name].shape}"
                raise ValueError(f"{self!r}: {name} of shape {value.shape}; {expected}")
        return values

    def __repr__(self) -> str:
        return f"JaxFunction({self.__name__}, {', '.join([f'{n}{v.shape}' for n, v in self.parameters.items()])})"
