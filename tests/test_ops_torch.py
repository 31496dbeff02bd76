"""The table against PyTorch, function by function and on random graphs, with each difference listed and checked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from math import inf, isfinite, isinf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import toposort
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.strategies.drawing import expressions
from micrograd_plus.strategies.programs import Expression, Step

torch = pytest.importorskip("torch")
functional = torch.nn.functional

Numbers = tuple[float, ...]

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e308, -1e308, inf, -inf, nan)

# options with which the rows that take some are compared, where the default shows too little
OPTIONS: dict[str, Numbers] = {"clamp": (-1.0, 1.0), "elu": (0.5,), "celu": (2.0,), "leaky_relu": (0.2,)}

SAME_NAME = """add sub mul div neg reciprocal pow square sqrt rsqrt exp exp2 expm1 log log2 log10 log1p logaddexp
    abs sign floor ceil trunc round maximum minimum clamp copysign hypot sin cos tan asin acos atan atan2 sinh cosh tanh
    asinh acosh atanh sinc erf erfc erfinv sigmoid relu logit"""
IN_SPECIAL = ("erfcx", "log_ndtr")
ACTIVATIONS = "leaky_relu elu selu celu gelu silu mish softsign logsigmoid hardtanh hardsigmoid"
TORCH: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in SAME_NAME.split()},
    **{name: getattr(functional, name) for name in ACTIVATIONS.split()},
    **{name: getattr(torch.special, name) for name in IN_SPECIAL},
    "mod": torch.remainder,
    "radians": torch.deg2rad,
    "degrees": torch.rad2deg,
    "stop_gradient": torch.Tensor.detach,
    "identity": torch.positive,
    "softplus": lambda x: functional.softplus(x, threshold=700.0),  # its default leaves out what is beyond 20
    "where": lambda condition, x, y: torch.where(condition != 0.0, x, y),
    "less": lambda x, y: torch.lt(x, y).double(),
    "less_equal": lambda x, y: torch.le(x, y).double(),
    "equal": lambda x, y: torch.eq(x, y).double(),
}
NOT_IN_TORCH = {"cbrt", "sech", "direction", "one_minus_square", "sigmoid_slope", "erfcx_derivative", "pow_log"}

# (function, what): at which of the special points we differ from PyTorch, and why
DIFFERENCES: dict[tuple[str, str], tuple[Callable[..., bool], str]] = {
    ("mod", "d/dy"): (
        lambda x, y: (isinf(x) and isfinite(y) and y != 0.0) or (isfinite(x) and isinf(y) and x * y < 0.0),
        "the design has -floor(x / y); PyTorch has nan for an infinite x, and 1 where x / y is a negative zero",
    ),
    ("abs", "d/dx"): (isnan, "the derivative is sign(x), and the design has sign(nan) = nan; PyTorch has 0"),
    ("sign", "value"): (isnan, "the design has sign(nan) = nan, as NumPy; PyTorch has 0"),
    ("copysign", "d/dx"): (
        lambda *args: isinf(args[0]),
        "the design has sign(x)·sign(out); PyTorch divides out by x: inf / inf",
    ),
    ("acosh", "d/dx"): (lambda x: x <= -1.0, "outside the domain; PyTorch's 1/√(x² - 1) does not see the sign of x"),
    ("erfcx", "d/dx"): (lambda x: x >= 1e308, "it falls to 0; PyTorch's 2x·erfcx(x) - 2/√π is inf or nan there"),
    ("log_ndtr", "d/dx"): (lambda x: x == -1e308, "it is -x far out; PyTorch has inf - inf"),
    ("softsign", "d/dx"): (isinf, "1 / (1 + |x|)² is 0 at ±inf; PyTorch differentiates x / (1 + |x|): inf / inf"),
    ("sinc", "value"): (lambda x: abs(x) == 1e308, "0 at whole numbers; PyTorch's π·x overflows"),
    ("sinc", "d/dx"): (lambda x: abs(x) == 1e308, "PyTorch's π·x overflows"),
    ("hardsigmoid", "d/dx"): (lambda x: -3.0 < x < 3.0, "PyTorch's 1/6 has the precision of a float32"),
}

WHAT = ("value", "d/dx", "d/dy", "d/dz")

each_row = pytest.mark.parametrize("op", [TABLE[name] for name in TABLE if name in TORCH], ids=repr)


def near(a: float, b: float, relative: float = 1e-12, absolute: float = 1e-15) -> bool:
    return a == b or (a != a and b != b) or (isfinite(b) and abs(a - b) <= relative * abs(b) + absolute)


def options_of(op: Op) -> Numbers:
    return OPTIONS.get(op.name, tuple(op.options.values()))


def ours(op: Op, args: Numbers) -> list[float]:
    """The value, then the gradient by each argument."""
    leaves = [Value(x) for x in args]
    out = apply(op, *leaves, *options_of(op))
    out.backward()
    return [out.data, *[leaf.grad for leaf in leaves]]


def theirs(op: Op, args: Numbers) -> list[float]:
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in args]
    out = TORCH[op.name](*leaves, *options_of(op))
    if out.requires_grad:
        out.backward()
    return [out.item(), *[0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves]]


# ------------------------------------------------------------------------------------------------- function by function


def test_every_row_is_compared_or_unknown_to_pytorch() -> None:
    missing = set(TABLE) - set(TORCH) - NOT_IN_TORCH
    assert not missing, f"{missing}: add PyTorch's function to TORCH, or the name to NOT_IN_TORCH"
    assert not NOT_IN_TORCH & {*dir(torch), *dir(functional)}


@each_row
def test_special_points_agree_but_for_the_listed_differences(op: Op) -> None:
    """A listed difference that is none fails as well: the list says exactly where we differ."""
    differing = {}
    for args in itertools.product(SPECIAL, repeat=op.arity):
        for what, a, b in zip(WHAT, ours(op, args), theirs(op, args)):
            listed, reason = DIFFERENCES.get((op.name, what), (lambda *_: False, ""))
            if near(a, b) == listed(*args):
                differing[what, args] = (a, b, reason)
    shown = "\n".join(f"{what} at {args}: {a}, PyTorch {b} {why}" for (what, args), (a, b, why) in differing.items())
    assert not differing, f"{op.name} differs where none is listed, or agrees where a difference is:\n{shown}"


def test_listed_differences_are_of_the_table() -> None:
    assert all(name in TORCH and what in WHAT and reason for (name, what), (_, reason) in DIFFERENCES.items())


def thousandths(low: float, high: float) -> st.SearchStrategy[float]:
    first, last = math.floor(max(low, -9.0) * 1e3) + 1, math.ceil(min(high, 9.0) * 1e3) - 1
    return st.integers(first, last).map(lambda n: n / 1e3)


@each_row
@given(st.data())
@settings(max_examples=20)
def test_ordinary_points_agree(op: Op, data: st.DataObject) -> None:
    args = tuple(data.draw(thousandths(*interval)) for interval in op.domain[: op.arity])
    for what, a, b in zip(WHAT, ours(op, args), theirs(op, args)):
        relative = 1e-7 if (op.name, what) == ("hardsigmoid", "d/dx") else 1e-10
        assert near(a, b, relative, 1e-11), f"{op.name}{args}: {what} is {a}, PyTorch {b}"


# ----------------------------------------------------------------------------------------------------- on random graphs

COMPARED = [name for name in TABLE if name in TORCH and name != "hardsigmoid"]  # its 1/6, see above
TOLERANCE = 1e-11  # as in tests/test_expressions.py, which says why; but PyTorch's 1 - tanh² and its like lose digits


def partials_at(op: Op, out: float, args: Numbers) -> list[float]:
    rules = zip(op.partials, op.masks)
    return [rule(out, *args) if rule and (not mask or mask(out, *args)) else 0.0 for rule, mask in rules]


def contributions(root: Value) -> dict[Value, float]:
    """For each node the sum of the absolute contributions to its gradient: what a rounding error is relative to."""
    order = toposort(root)
    sizes = dict.fromkeys(order, 0.0)
    sizes[root] = 1.0
    for node in reversed(order):
        if node.op is not None:
            slopes = partials_at(node.op, node.data, tuple(map(float, node.args)))
            for arg, slope in zip(node.args, slopes):
                if isinstance(arg, Value):
                    sizes[arg] += sizes[node] * abs(slope)
    return sizes


def twin(expression: Expression, inputs: list[Any]) -> Any:
    """The same program in PyTorch."""
    nodes = list(inputs)
    for step in expression.steps:
        args = [nodes[x] if isinstance(x, int) else torch.tensor(x, dtype=torch.float64) for x in step.args]
        nodes.append(TORCH[step.function.__name__](*args, *step.options))
    return nodes[-1]


def compare(expression: Expression) -> None:
    leaves, root = expression.build()
    root.backward()
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in expression.inputs]
    result = twin(expression, tensors)
    if result.requires_grad:
        result.backward()
    sizes = contributions(root)
    scale = sum(size * (1.0 + abs(node.data)) for node, size in sizes.items())
    assert abs(root.data - result.item()) <= TOLERANCE * scale
    for leaf, tensor in zip(leaves, tensors):
        want = 0.0 if tensor.grad is None else tensor.grad.item()
        off = abs(leaf.grad - want)
        assert off <= TOLERANCE * (1.0 + sizes[leaf]), f"{leaf.label}: {leaf.grad!r}, PyTorch {want!r}"


@given(expressions(COMPARED, max_nodes=200))
@settings(max_examples=100)
def test_random_graphs_of_shared_nodes_agree(expression: Expression) -> None:
    compare(expression)


@pytest.mark.parametrize("wrong", [1.0 + 1e-9, 2.0, -1.0])
def test_a_wrong_partial_in_a_graph_is_caught(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    tanh = TABLE["tanh"]
    expression = Expression((0.5,), (Step(FUNCTIONS["tanh"], (0,)), Step(FUNCTIONS["mul"], (0, 1))))
    compare(expression)
    monkeypatch.setattr(tanh, "partials", (lambda out, _: (1.0 - out * out) * wrong,))
    with pytest.raises(AssertionError):
        compare(expression)
