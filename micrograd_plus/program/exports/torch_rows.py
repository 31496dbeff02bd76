"""Rows of the table for PyTorch: their values, and derivatives of every order by the table's own partials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.program.exports.formulas import formula_of
from micrograd_plus.program.exports.steps import gated, recorded

Tensor = torch.Tensor


def _mod(x: Tensor, y: Tensor) -> Tensor:
    rest = torch.fmod(x, y)
    return torch.where(rest == 0.0, torch.copysign(rest, y), torch.where((y < 0.0) != (rest < 0.0), rest + y, rest))


def _comparison(compare: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, y: compare(x, y).to(x.dtype)


_NAMES = """add sub mul div neg reciprocal square sqrt exp exp2 expm1 log log2 log10 log1p logaddexp abs floor ceil
trunc round maximum minimum copysign hypot sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh sigmoid
pow erf erfc erfinv"""
VALUES: dict[str, Callable[..., Tensor]] = {
    **{name: getattr(torch, name) for name in _NAMES.split()},
    "mod": _mod,
    "sign": lambda x: torch.where(x == x, torch.sign(x), x),
    "less": _comparison(torch.lt),
    "less_equal": _comparison(torch.le),
    "equal": _comparison(torch.eq),
    "where": lambda condition, x, y: torch.where(condition != 0.0, x, y),
    "identity": lambda x: x.clone(),
    "stop_gradient": lambda x: x.clone(),
    "radians": torch.deg2rad,
    "degrees": torch.rad2deg,
    "erfcx": torch.special.erfcx,
    "relu": lambda x: torch.where(x <= 0.0, 0.0, x),
}
"""What PyTorch has, by the names of the rows."""
LINEAR: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "neg": torch.neg,
    "mul": torch.mul,
}  # whose derivatives are PyTorch's own


def computed(op: Op, args: Sequence[Tensor | float]) -> Tensor:
    """The value of a row, without a derivative."""
    given = _tensors(args)
    known = VALUES.get(op.name) if TABLE.get(op.name) is op else None
    if known is not None:
        return known(*given)
    options = tuple([float(option) for option in args[op.arity :]])
    formula = formula_of(op)
    assert formula is not None
    out: Any = recorded(formula, op.arity, options).evaluated(given[: op.arity], computed)
    return out if isinstance(out, Tensor) else torch.full_like(given[0], out)


def _tensors(args: Sequence[Tensor | float]) -> list[Tensor]:
    """Plain numbers as tensors, too."""
    like = next(arg for arg in args if isinstance(arg, Tensor))
    return [arg if isinstance(arg, Tensor) else like.new_tensor(arg) for arg in args]


def applied(op: Op, args: Sequence[Any], opened: Tensor | None = None) -> Any:
    """A row with its derivatives.

    Args:
        op: the row.
        args: tensors and plain numbers; options are plain numbers.
        opened: where what comes back passes at all; None where it does everywhere.
    """
    if not any(isinstance(arg, Tensor) for arg in args):
        assert op.forward is not None
        return op.forward(*args)
    if opened is None and op.name in LINEAR and TABLE[op.name] is op:
        return LINEAR[op.name](*_tensors(args))
    called = _Called(op, tuple([float(option) for option in args[op.arity :]]))
    tensors = _tensors(args[: op.arity])
    if opened is not None:
        shape: Any = torch.broadcast_shapes(*[each.shape for each in tensors])  # type: ignore[no-untyped-call]  # torch's
        opened = _narrowed(opened, shape)
    return _Row.apply(called, opened, *tensors)  # type: ignore[no-untyped-call]  # torch's own


def _narrowed(opened: Tensor, shape: Sequence[int]) -> Tensor:
    """Where something passes to numbers of this shape, each of which may stand for several: where it does to any."""
    while opened.dim() > len(shape):
        opened = opened.any(0)
    for axis in range(-opened.dim(), 0):
        opened = opened.any(axis, keepdim=True) if shape[axis] == 1 else opened
    return opened


@dataclass(frozen=True)
class _Called:
    """A row and its options, as one thing, which torch.func does not look into."""

    op: Op
    options: tuple[float, ...]


class _Row(torch.autograd.Function):
    """A row, forward and back; its partials are rows again, so that derivatives have derivatives."""

    generate_vmap_rule = True

    @staticmethod
    def forward(called: _Called, opened: Tensor | None, *args: Tensor) -> Tensor:  # noqa: ARG004 - torch wants it here
        return computed(called.op, [*args, *called.options])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.called, opened, *args = inputs
        ctx.set_materialize_grads(False)  # where nothing comes back, it is not 0 that does: 0 · inf would be nan
        ctx.save_for_backward(output, opened, *args)
        ctx.save_for_forward(output, opened, *args)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None) -> tuple[Any, ...]:
        out, opened, *args = ctx.saved_tensors
        if upstream is None:
            return None, None, *[None for _ in args]
        given: list[Any] = []
        for place, arg in enumerate(args):
            if not ctx.needs_input_grad[2 + place] or not ctx.called.op.flows_to(place):
                given.append(None)
                continue
            local, opened_here = _local(ctx.called, place, opened, out, args)
            part = upstream * local
            part = part if opened_here is None else torch.where(opened_here, part, 0.0)
            given.append(part.sum_to_size(arg.shape))
        return None, None, *given

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        out, opened, *args = ctx.saved_tensors
        total = torch.zeros_like(out)
        for place, tangent in enumerate(tangents[2:]):
            if tangent is not None and ctx.called.op.flows_to(place):
                local, opened_here = _local(ctx.called, place, opened, out, args)
                part = tangent * local
                total = total + (part if opened_here is None else torch.where(opened_here, part, 0.0))
        return total


def _local(
    called: _Called, place: int, opened: Tensor | None, out: Tensor, args: Sequence[Tensor]
) -> tuple[Any, Tensor | None]:
    """The partial derivative by an argument, 0 where nothing passes; and where something does."""
    slope, gate = gated(called.op, place, called.options)
    if gate is not None:
        passing = gate.evaluated([out, *args], applied)
        passing = passing != 0.0 if isinstance(passing, Tensor) else out.new_full((), passing) != 0.0
        opened = passing if opened is None else opened & passing
    local = slope.evaluated([out, *args], lambda op, args: applied(op, args, opened))
    if opened is not None:
        local = torch.where(opened, local if isinstance(local, Tensor) else out.new_full((), local), 0.0)
    return local, opened


class Product(torch.autograd.Function):
    """A matrix product whose gradient passes only where it is open, and then adds not even 0 · inf."""

    generate_vmap_rule = True

    @staticmethod
    def forward(matrix: Tensor, array: Tensor, opened: Tensor) -> Tensor:  # noqa: ARG004 - torch wants it here
        return matrix @ array

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004 - torch wants it here
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None) -> tuple[Any, ...]:
        matrix, array, opened = ctx.saved_tensors
        if upstream is None:
            return None, None, None
        upstream = torch.where(opened, upstream, 0.0)
        if _all_finite(matrix) and _all_finite(array):
            return (
                (upstream @ array.mT).sum_to_size(matrix.shape),
                (matrix.mT @ upstream).sum_to_size(array.shape),
                None,
            )
        opened = opened.expand_as(upstream)[:, None, :]  # m, k, n
        by_matrix = torch.where(opened, upstream[:, None, :] * array, 0.0).sum(2)
        by_array = torch.where(opened, matrix[:, :, None] * upstream[:, None, :], 0.0).sum(0)
        return by_matrix, by_array.sum_to_size(array.shape), None

    @staticmethod
    def jvp(ctx: Any, by_matrix: Tensor | None, by_array: Tensor | None, _: Any) -> Tensor:
        matrix, array, opened = ctx.saved_tensors
        parts = [] if by_matrix is None else [by_matrix @ array]
        parts += [] if by_array is None else [matrix @ by_array]
        return torch.where(opened, sum(parts[1:], parts[0]), 0.0)


def _all_finite(tensor: Tensor) -> bool:
    """Whether all are, as far as that can be asked: what is mapped over examples by torch.func can't be."""
    try:
        return bool(torch.isfinite(tensor).all())
    except RuntimeError:
        return False
