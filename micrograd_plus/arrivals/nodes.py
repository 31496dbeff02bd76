"""What each node of PyTorch's autograd computes, one rule for each, over arrays of Values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops import (
    abs,
    celu,
    clamp,
    copysign,
    equal,
    hardtanh,
    leaky_relu,
    less,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    pow,
    relu,
    softmax,
    softplus,
    sqrt,
    square,
    where,
)
from micrograd_plus.ops.rows import FUNCTIONS

Numbers = Any  # an array of Values and plain numbers


class UnknownNumberError(Exception):
    """A number that PyTorch needs for no gradient, and does not keep."""


class Node:
    """A node of the graph, and the arrays that come to it.

    Attributes:
        name: what PyTorch calls it, `MulBackward0`.
        shape: that of its result.
        given: the arrays, in the order of its arguments; None for one that needs no gradient.
        out: the numbers that came out of it, where PyTorch keeps them; else None.
    """

    def __init__(
        self, function: Any, name: str, shape: tuple[int, ...], given: Sequence[Numbers | None], out: Any
    ) -> None:
        self._function, self.name, self.shape, self.given, self.out = function, name, shape, given, out

    def saved(self, name: str) -> Any:
        """What PyTorch keeps under a name, tensors as arrays of floats."""
        kept = getattr(self._function, f"_saved_{name}")
        return floats(kept) if hasattr(kept, "detach") else kept

    def arg(self, place: int, name: str = "") -> Numbers:
        """An argument; where it needs no gradient, the numbers that are kept of it under a name."""
        found = self.given[place] if place < len(self.given) else None
        if found is not None:
            return found
        kept = self.saved(name) if name else None
        if kept is None:
            raise UnknownNumberError
        return np.asarray(kept, dtype=object)

    def left(self, difference: Callable[[Any], Any]) -> Numbers:
        """A constant that is kept nowhere, from what came out: so it is in sums."""
        if self.out is None or np.isnan(self.out).any():
            raise UnknownNumberError
        return np.asarray(difference(self.out), dtype=object)


def floats(tensor: Any) -> Any:
    """A tensor of PyTorch's as an array of floats."""
    return tensor.detach().cpu().double().numpy()


def numbers(array: Numbers) -> Any:
    """The floats in an array of Values."""
    return np.vectorize(float, otypes=[float])(array) if np.size(array) else np.zeros(np.shape(array))


def each(function: Callable[..., Any], *arrays: Numbers) -> Numbers:
    """A function of numbers, element by element."""
    count = len(arrays)
    return np.asarray(np.frompyfunc(function, count, 1)(*arrays), dtype=object)


def _sum_of(node: Node, sign: float) -> Numbers:
    """x + alpha · y, or x - alpha · y; one of them may be a constant, which is what is left.

    Where y is a number, as in C++, PyTorch keeps no alpha: what is left is alpha · y.
    """
    alpha = _kept(node, "alpha")
    factor = sign * (1.0 if alpha is None else alpha)
    given: list[Any] = [*node.given, None]
    x, y = given[:2]
    if x is None:
        x = node.left(lambda out: out - factor * numbers(y))
    elif y is None:
        y = node.left(lambda out: (out - numbers(x)) / factor if factor else np.zeros_like(out))
    if factor in (1.0, -1.0):
        return np.add(x, y) if factor > 0.0 else np.subtract(x, y)
    return np.add(x, np.multiply(factor, y))


def _rsub(node: Node) -> Numbers:
    x = node.arg(0)
    factor = node.saved("alpha")
    return node.left(lambda out: out + factor * numbers(x)) - (x if factor == 1.0 else factor * x)


def _remainder(node: Node) -> Numbers:
    """x less a multiple of the divisor; of a divisor that is a number PyTorch keeps nothing."""
    if node.name.endswith("0"):
        x = node.arg(0)
        return np.subtract(x, node.left(lambda out: numbers(x) - out))
    return each(FUNCTIONS["mod"], node.arg(0, "self"), node.arg(1, "other"))


def _where(node: Node) -> Numbers:
    condition = np.broadcast_to(node.saved("condition") != 0.0, node.shape)
    x, y = [part if part is not None else node.left(lambda out: out) for part in node.given[:2]]
    picked = np.where(condition, np.broadcast_to(x, node.shape), np.broadcast_to(y, node.shape))
    return np.asarray(picked, dtype=object)


def _product(node: Node, left: str, right: str) -> Numbers:
    return np.asarray(node.arg(0, left) @ node.arg(1, right), dtype=object)


def _addmm(node: Node) -> Numbers:
    product = node.arg(1, "mat1") @ node.arg(2, "mat2")
    alpha, beta = node.saved("alpha"), node.saved("beta")
    product = product if alpha == 1 else alpha * product
    if node.given[0] is None:
        return node.left(lambda out: out - numbers(product)) + product
    return (node.given[0] if beta == 1 else beta * node.given[0]) + product


def _reduced(node: Node, function: Callable[[list[Any]], Any]) -> Numbers:
    """Along the axes that are named, or all of them."""
    x = node.arg(0, "self")
    dims = _kept(node, "dim")
    axes = tuple(range(x.ndim)) if dims is None or dims == () else dims if isinstance(dims, tuple) else (dims,)
    axes = tuple([_signed(axis) % x.ndim for axis in axes]) if x.ndim else ()
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    flat = x.transpose(*rest, *axes).reshape(*[x.shape[axis] for axis in rest], -1)
    made = np.empty(flat.shape[:-1], dtype=object)
    for place in np.ndindex(made.shape):
        made[place] = function(list(flat[place]))
    return made.reshape(node.shape)


def _kept(node: Node, name: str) -> Any:
    try:
        return node.saved(name)
    except AttributeError:
        return None


def _signed(number: Any) -> Any:
    """PyTorch tells a negative axis as an unsigned number; None, which a slice may have, stays."""
    return number - 2**64 if number is not None and number >= 2**63 else number


def _along(node: Node, function: Callable[[list[Any]], list[Any]]) -> Numbers:
    """A function from lists to lists, along an axis."""
    axis = _signed(node.saved("dim"))
    moved = np.moveaxis(np.atleast_1d(node.arg(0)), axis, -1)  # a single number is a list of one
    made = np.empty(moved.shape, dtype=object)
    for place in np.ndindex(moved.shape[:-1]):
        made[place] = function(list(moved[place]))
    return np.moveaxis(made, -1, axis).reshape(node.shape)


def _largest(node: Node, best: Callable[..., Any]) -> Numbers:
    """The largest or the smallest; equal ones share the gradient."""

    def chosen(values: list[Any]) -> Any:
        extreme = reduce(best, map(float, values))
        alike = [value for value in values if float(value) == extreme]
        return mean(alike) if len(alike) > 1 else reduce(best, values)

    return _reduced(node, chosen)


def _mean_or_sum(node: Node, losses: Numbers) -> Numbers:
    """A loss by its reduction: 0 none, 1 the mean, 2 the sum."""
    kind = node.saved("reduction")
    flat = list(np.ravel(losses))
    return losses if kind == 0 else np.asarray(mean(flat) if kind == 1 else _total(flat), dtype=object)


def _total(values: list[Any]) -> Any:
    return sum(values[1:], values[0])


def _mse(node: Node) -> Numbers:
    return _mean_or_sum(node, each(square, node.arg(0, "self") - node.arg(1, "target")))


def _smooth_l1(node: Node) -> Numbers:
    beta = float(node.saved("beta"))

    def loss(x: Any) -> Any:
        return where(less(abs(x), beta), square(x) * (0.5 / beta if beta else 0.0), abs(x) - 0.5 * beta)

    return _mean_or_sum(node, each(loss, node.arg(0, "self") - node.arg(1, "target")))


def _norm(node: Node) -> Numbers:
    _refuse(node, ord=2)

    def root(total: Any) -> Any:
        if float(total) == 0.0:
            return where(equal(total, 0.0), 0.0, sqrt(total))  # with PyTorch's slope there, 0
        return sqrt(total)

    return each(root, _reduced(node, lambda values: _total([square(value) for value in values])))


def _bce_with_logits(node: Node) -> Numbers:
    x, target = node.arg(0, "self"), node.arg(1, "target")
    _refuse(node, weight=None, pos_weight=None)
    return _mean_or_sum(node, each(softplus, x) - x * target)


def _nll(node: Node) -> Numbers:
    """A class that is ignored gives 0, and does not count in the mean; classes may have weights."""
    x, target = node.arg(0), node.saved("target").astype(int)
    counts = target.ravel() != _signed(node.saved("ignore_index"))
    rows, classes = x.reshape(-1, x.shape[-1]), np.where(counts, target.ravel(), 0)
    weights = node.saved("weight")
    shares = counts * (1.0 if weights is None else weights[classes])
    losses = [
        -(row[k] if share == 1.0 else row[k] * share) if share else 0.0 for row, k, share in zip(rows, classes, shares)
    ]
    if node.saved("reduction") == 1 and not all(shares == 1.0):
        return np.asarray(_total(losses) * float(np.divide(1.0, shares.sum())), dtype=object)
    return _mean_or_sum(node, np.array(losses, dtype=object).reshape(target.shape))


def _refuse(node: Node, **expected: Any) -> None:
    """Raise where an option is not what a rule is for."""
    for name, wanted in expected.items():
        got = _kept(node, name)
        if got is not None and (wanted is None or got != wanted):
            raise NotImplementedError(f"{name}={got!r}; expected {wanted!r}")


def _elu(node: Node) -> Numbers:
    """elu, selu and celu are one operation there."""
    alpha, scale, inner = node.saved("alpha"), node.saved("scale"), node.saved("input_scale")
    row = FUNCTIONS["elu" if inner == 1 else "celu"]
    bent = each(lambda v: row(v, alpha=alpha), node.arg(0))
    return bent if scale == 1 else bent * scale


def _clamp(node: Node) -> Numbers:
    """Between two bounds, each a number or a tensor, perhaps one that needs a gradient, or none."""
    places = {"max": 1} if node.name.startswith("ClampMax") else {"min": 1, "max": 2}
    bounds = {name: node.given[place] if place < len(node.given) else None for name, place in places.items()}
    bounds = {name: _kept(node, name) if bound is None else bound for name, bound in bounds.items()}
    if not any(isinstance(bound, np.ndarray) for bound in bounds.values()):
        options = {name: float(bound) for name, bound in bounds.items() if bound is not None}
        return each(lambda v: clamp(v, **options), node.arg(0))
    out = node.arg(0, "self")
    if bounds.get("min") is not None:
        out = each(lambda v, low: where(less(v, low), low, v), out, bounds["min"])
    if bounds["max"] is not None:
        out = each(lambda v, high: where(less(high, v), high, v), out, bounds["max"])
    return out


def _pow(node: Node) -> Numbers:
    exponent = node.saved("exponent")
    return each(square if exponent == 2 else lambda v: pow(v, float(exponent)), node.arg(0))


def _select(node: Node) -> Numbers:
    return np.asarray(node.arg(0).take(_signed(node.saved("index")), _signed(node.saved("dim"))), dtype=object)


def _slice(node: Node) -> Numbers:
    x, axis = node.arg(0), _signed(node.saved("dim"))
    cut = [slice(None)] * x.ndim
    cut[axis] = slice(_signed(node.saved("start")), _signed(node.saved("end")), node.saved("step"))
    return x[tuple(cut)]


def _index(node: Node) -> Numbers:
    places = tuple([slice(None) if at is None else at.cpu().numpy() for at in node.saved("indices")])
    return np.asarray(node.arg(0)[places], dtype=object)


def _gather(node: Node) -> Numbers:
    x, index, axis = node.arg(0), node.saved("index").astype(int), _signed(node.saved("dim"))
    if x.ndim == 0:
        return x.reshape(node.shape)
    cut = [slice(size) for size in index.shape]  # along the other axes an index may be shorter than the tensor
    cut[axis] = slice(None)
    return np.take_along_axis(x[tuple(cut)], index, axis)


def _joined(node: Node, join: Callable[..., Any]) -> Numbers:
    if any(part is None for part in node.given):
        raise UnknownNumberError
    return join(node.given, axis=_signed(node.saved("dim")))


def _transposed(node: Node) -> Numbers:
    x = node.arg(0)
    return x.swapaxes(_signed(node.saved("dim0")), _signed(node.saved("dim1"))) if x.ndim else x


def _shaped(node: Node) -> Numbers:
    return node.arg(0).reshape(node.shape)


def _softplus(node: Node) -> Numbers:
    """Beyond a threshold it is the number itself."""
    beta, threshold = float(node.saved("beta")), float(node.saved("threshold"))

    def bent(v: Any) -> Any:
        if beta * float(v) > threshold:
            return v
        return softplus(v) if beta == 1.0 else softplus(beta * v) / beta

    return each(bent, node.arg(0))


def _divided(node: Node) -> Numbers:
    quotient = node.arg(0, "self") / node.arg(1, "other")
    mode = _kept(node, "rounding_mode")
    return quotient if mode is None else each(FUNCTIONS[mode], quotient)


def _logit(node: Node) -> Numbers:
    eps = node.saved("eps")
    inside = node.arg(0) if eps is None else each(lambda v: clamp(v, min=eps, max=1.0 - eps), node.arg(0))
    return each(FUNCTIONS["logit"], inside)


def _copysign(node: Node) -> Numbers:
    """Where no gradient flows to the sign, PyTorch keeps the result, which has it."""
    sign = node.given[1] if len(node.given) > 1 else None
    return each(copysign, node.arg(0, "self"), node.saved("result") if sign is None else sign)


def _gelu(node: Node) -> Numbers:
    _refuse(node, approximate="none")
    return each(FUNCTIONS["gelu"], node.arg(0))


def _binary(function: Callable[..., Any]) -> Callable[[Node], Numbers]:
    return lambda node: each(function, node.arg(0, "self"), node.arg(1, "other"))


RULES: dict[str, Callable[[Node], Numbers]] = {
    "Add": lambda node: _sum_of(node, 1.0),
    "Sub": lambda node: _sum_of(node, -1.0),
    "Rsub": _rsub,
    "Mul": lambda node: node.arg(0, "self") * node.arg(1, "other"),
    "Div": _divided,
    "Round1": lambda node: node.left(lambda out: out),  # to some decimals: no gradient passes
    "Pow0": _pow,
    "Pow1": lambda node: each(pow, node.arg(0, "self"), node.arg(1, "exponent")),
    "Pow2": lambda node: each(pow, float(node.saved("self")), node.arg(0)),
    "Maximum": _binary(maximum),
    "Minimum": _binary(minimum),
    "Remainder": _remainder,
    "Atan2": _binary(FUNCTIONS["atan2"]),
    "Hypot": _binary(FUNCTIONS["hypot"]),
    "Copysign": _copysign,
    "Where": _where,
    "Clamp": _clamp,
    "ClampMin": _clamp,
    "ClampMax": _clamp,
    "Relu": lambda node: each(relu, node.arg(0)),
    "LeakyRelu": lambda node: each(lambda v: leaky_relu(v, node.saved("negative_slope")), node.arg(0)),
    "Hardtanh": lambda node: each(lambda v: hardtanh(v, node.saved("min_val"), node.saved("max_val")), node.arg(0)),
    "Elu": _elu,
    "Celu": lambda node: each(lambda v: celu(v, node.saved("alpha")), node.arg(0)),
    "Softplus": _softplus,
    "Logit": _logit,
    "Gelu": _gelu,
    "LogSigmoid": lambda node: each(FUNCTIONS["logsigmoid"], node.arg(0)),
    "Sum": lambda node: _reduced(node, _total),
    "Mean": lambda node: _reduced(node, mean),
    "Max1": lambda node: _largest(node, maximum),
    "Min1": lambda node: _largest(node, minimum),
    "Amax": lambda node: _largest(node, maximum),
    "Amin": lambda node: _largest(node, minimum),
    "Logsumexp": lambda node: _reduced(node, logsumexp),
    "Softmax": lambda node: _along(node, softmax),
    "LogSoftmax": lambda node: _along(node, log_softmax),
    "Mv": lambda node: _product(node, "self", "vec"),
    "Mm": lambda node: _product(node, "self", "mat2"),
    "Bmm": lambda node: _product(node, "self", "mat2"),
    "Dot": lambda node: _product(node, "self", "tensor"),
    "Addmm": _addmm,
    "LinalgVectorNorm": _norm,
    "MseLoss": _mse,
    "SmoothL1Loss": _smooth_l1,
    "NllLoss": _nll,
    "BinaryCrossEntropyWithLogits": _bce_with_logits,
    "T": lambda node: node.arg(0).T,
    "Transpose": _transposed,
    "Permute": lambda node: node.arg(0).transpose([_signed(dim) for dim in node.saved("dims")]),
    "Expand": lambda node: np.broadcast_to(node.arg(0), node.shape),
    "Select": _select,
    "Slice": _slice,
    "Index": _index,
    "Gather": _gather,
    "Stack": lambda node: _joined(node, np.stack),
    "Cat": lambda node: _joined(node, np.concatenate),
    "Unbind": lambda node: list(np.moveaxis(node.arg(0), _signed(node.saved("dim")), 0)),
    **dict.fromkeys(
        ("View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze", "Clone", "ToCopy", "Alias", "Detach"), _shaped
    ),
}
"""By PyTorch's name without `Backward` and the number; with the number, where that is another operation."""


def rule(name: str) -> Callable[[Node], Numbers] | None:
    """What a node computes; rows of one argument are called as they are here."""
    native = re.fullmatch(r"(\w+?)Backward(\d+)(_copy)?", name)  # other names are users' functions, and nested tensors
    if native is None:
        return None
    stem, number, _ = native.groups()
    found = RULES.get(f"{stem}{number}") or RULES.get(stem)
    row = TABLE.get(stem.lower())
    if found is None and row is not None and row.arity == 1 and not row.options:
        return lambda node: each(FUNCTIONS[row.name], node.arg(0))
    return found


def known() -> list[str]:
    """What there are rules for, as PyTorch calls it."""
    rows = [name.capitalize() for name, row in TABLE.items() if row.arity == 1 and not row.options and "_" not in name]
    return sorted({name.rstrip("0123456789") for name in RULES} | set(rows))


INVERSES: dict[str, Callable[[Any], Any]] = {
    "Neg": lambda out: -out,
    "Exp": np.log,
    "Tanh": np.arctanh,
    "Sqrt": np.square,
    "Sigmoid": lambda out: np.log(out) - np.log1p(-out),
    "Relu": lambda out: np.where(out > 0.0, out, np.nan),
}
"""What came in, from what came out; nan where that can't be told."""
__all__ = ["INVERSES", "RULES", "Node", "UnknownNumberError", "each", "floats", "known", "numbers", "rule"]
