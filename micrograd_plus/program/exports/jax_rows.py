"""Rows of the table for JAX: their values, and derivatives of every order by the table's own partials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.ops.rows import is_ours
from micrograd_plus.program.exports.formulas import formula_of
from micrograd_plus.program.exports.steps import gated, recorded


def _mod(x: Any, y: Any) -> Any:
    rest = lax.rem(*jnp.broadcast_arrays(x, y))
    return jnp.where(rest == 0.0, jnp.copysign(rest, y), jnp.where((y < 0.0) != (rest < 0.0), rest + y, rest))


_LACKING = ("erfinv", "erfcx", "log_ndtr", "logit", "logsigmoid")  # or has with fewer digits


def _values() -> dict[str, Callable[..., Any]]:
    """What JAX has of the rows, by NumPy's and SciPy's names."""
    found: dict[str, Callable[..., Any]] = {}
    ours = {name: op for name, op in TABLE.items() if is_ours(name)}  # somebody's may be made again, as something else
    for name, op in ours.items():
        if op.numpy not in (None, "clip") and hasattr(jnp, op.numpy):
            found[name] = getattr(jnp, op.numpy)
        elif op.scipy and name not in _LACKING and hasattr(jax.scipy.special, op.scipy):
            found[name] = getattr(jax.scipy.special, op.scipy)
    found |= {"mod": _mod, "where": lambda condition, x, y: jnp.where(condition != 0.0, x, y)}
    found |= {"stop_gradient": lambda x: x, "relu": lambda x: jnp.where(x <= 0.0, 0.0, x)}
    for name in ("less", "less_equal", "equal"):
        compare = found[name]
        found[name] = lambda x, y, compare=compare: compare(x, y).astype(jnp.result_type(x))
    return found


VALUES = _values()
LINEAR: dict[str, Callable[..., Any]] = {"add": jnp.add, "sub": jnp.subtract, "neg": jnp.negative, "mul": jnp.multiply}
"""Rows whose derivatives are JAX's own."""


def computed(op: Op, args: Sequence[Any]) -> Any:
    """The value of a row, without a derivative."""
    given = _arrays(args)
    known = VALUES.get(op.name) if TABLE.get(op.name) is op else None
    if known is not None:
        return known(*given)
    formula = formula_of(op)
    assert formula is not None
    out = recorded(formula, op.arity, _options(op, args)).evaluated(given[: op.arity], computed)
    return jnp.full_like(given[0], out) if isinstance(out, float) else out


def _options(op: Op, args: Sequence[Any]) -> tuple[float, ...]:
    return tuple([float(option) for option in args[op.arity :]])


def _arrays(args: Sequence[Any]) -> list[Any]:
    """Plain numbers as arrays, too."""
    like = next(arg for arg in args if not isinstance(arg, float))
    return [jnp.asarray(arg, dtype=like.dtype) if isinstance(arg, float) else arg for arg in args]


def applied(op: Op, args: Sequence[Any], opened: Any = None) -> Any:
    """A row with its derivatives.

    Args:
        op: the row.
        args: arrays and plain numbers; options are plain numbers.
        opened: where what comes back passes at all; None where it does everywhere.
    """
    if all(isinstance(arg, float) for arg in args):
        assert op.forward is not None
        return op.forward(*args)
    if opened is None and op.name in LINEAR and TABLE[op.name] is op:
        return LINEAR[op.name](*_arrays(args))
    row, arrays = _row(op, _options(op, args), opened is not None), _arrays(args[: op.arity])
    if opened is None:
        return row(*arrays)
    return row(_narrowed(opened, jnp.broadcast_shapes(*[array.shape for array in arrays])), *arrays)


def _narrowed(opened: Any, shape: Sequence[int]) -> Any:
    """Where something passes to numbers of this shape, each of which may stand for several: where it does to any."""
    opened = opened.any(tuple(range(opened.ndim - len(shape))))
    return opened.any([axis for axis in range(-opened.ndim, 0) if shape[axis] == 1], keepdims=True)


@cache
def _row(op: Op, options: tuple[float, ...], shut: bool) -> Callable[..., Any]:
    """A row as a function whose derivative JAX asks for; its partials are rows again, so they have derivatives, too."""

    def value(*given: Any) -> Any:
        return computed(op, [*given[shut:], *options])

    row = jax.custom_jvp(value)

    def rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
        out, args = row(*primals), primals[shut:]
        opened = primals[0] if shut else None
        total = jnp.zeros_like(out)
        for place, tangent in enumerate(tangents[shut:]):
            if not isinstance(tangent, SymbolicZero) and op.flows_to(place):  # a constant's rule never runs
                total = total + _part(op, place, options, opened, out, args, tangent)
        return out, total

    row.defjvp(rule, symbolic_zeros=True)
    return row


def _part(
    op: Op, place: int, options: tuple[float, ...], opened: Any, out: Any, args: Sequence[Any], tangent: Any
) -> Any:
    """What a tangent contributes: the partial derivative times it, where something passes."""
    slope, gate = gated(op, place, options)
    if gate is not None:
        passing = jnp.asarray(gate.evaluated([out, *args], applied)) != 0.0
        opened = passing if opened is None else opened & passing
    local = slope.evaluated([out, *args], lambda op, args: applied(op, args, opened))
    if opened is None:
        return tangent * local
    return jnp.where(opened, tangent * jnp.where(opened, local, 0.0), 0.0)


@jax.custom_jvp
def product(matrix: Any, array: Any, opened: Any) -> Any:  # noqa: ARG001 - its rule asks for it
    """A matrix product whose gradient passes only where it is open, and then adds not even 0 · inf."""
    return matrix @ array


def _product_rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
    matrix, array, opened = primals
    by_matrix, by_array, _ = tangents
    finite = jnp.isfinite(matrix).all() & jnp.isfinite(array).all()

    def quick(by_matrix: Any, by_array: Any) -> Any:
        return jnp.where(opened, by_matrix @ array + matrix @ by_array, 0.0)

    def exact(by_matrix: Any, by_array: Any) -> Any:
        here = opened[:, None, :]  # m, k, n
        terms = jnp.where(here, by_matrix[:, :, None] * jnp.where(here, array, 0.0), 0.0)
        return (terms + jnp.where(here, jnp.where(here, matrix[:, :, None], 0.0) * by_array, 0.0)).sum(1)

    return matrix @ array, lax.cond(finite, quick, exact, by_matrix, by_array)


product.defjvp(_product_rule)
