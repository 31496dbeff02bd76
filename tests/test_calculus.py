"""Derivatives as functions: they are backward's, the mathematician's and PyTorch's, to any order and nested anyhow."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import random
import re
import threading
import warnings
from collections.abc import Callable
from functools import partial
from math import inf, nan
from typing import Any, Literal, NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.calculus.nesting import leaves as calculus_leaves
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.engine.walking import toposort
from micrograd_plus.ops.rows import FUNCTIONS

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e308, inf, -inf, nan)
moderate = st.floats(-3.0, 3.0)
loose: Any = mp  # for calls that a type checker would refuse


def same(a: float, b: float) -> bool:
    """Equal, or both nan; the sign of a zero does not count."""
    return a == b or (a != a and b != b)


def random_graph(data: st.DataObject, numbers: st.SearchStrategy[float]) -> tuple[Value, list[Value]]:
    """A Value made from some leaves by any operations, with shared nodes, at any numbers."""
    leaves = [Value(data.draw(numbers)) for _ in range(data.draw(st.integers(1, 3)))]
    nodes = list(leaves)
    for _ in range(data.draw(st.integers(1, 8))):
        op = data.draw(st.sampled_from(list(TABLE.values())))
        count = op.arity
        args = [data.draw(st.sampled_from(nodes)) for _ in range(count)]
        if count > 1 and data.draw(st.booleans()):
            made = apply(op, args[0], *[data.draw(numbers) for _ in args[1:]], *op.options.values())
        else:
            made = apply(op, *args, *op.options.values())
        nodes.append(made)
    return nodes[-1], leaves


# ------------------------------------------------------------------------------------------------------------- gradient


@given(st.data())
def test_the_gradient_is_backwards_to_the_last_bit_also_as_a_graph(data: st.DataObject) -> None:
    y, leaves = random_graph(data, st.sampled_from(SPECIAL) | moderate)
    numbers = mp.gradient(y, leaves)
    graphs = mp.gradient(y, leaves, create_graph=True)
    assert [leaf.grad for leaf in leaves] == [0.0] * len(leaves)
    y.backward()
    for leaf, number, graph in zip(leaves, numbers, graphs):
        assert type(number) is float
        assert isinstance(graph, Value)
        assert same(number, leaf.grad)
        assert same(graph.data, leaf.grad)


def test_gradient_reads_and_writes_no_grad() -> None:
    x = Value(3.0)
    h = x * x
    y = h * 2.0
    (y + 1.0).backward()
    before = [node.grad for node in toposort(y)]
    assert mp.gradient(y, [x, h]) == [12.0, 2.0]
    assert [node.grad for node in toposort(y)] == before
    y.backward()
    assert x.grad == 24.0  # and the next pass is not disturbed


def test_gradient_by_interior_nodes_and_by_the_result_itself() -> None:
    x = Value(2.0)
    h = x * x
    y = h * h
    for graph in (False, True):
        assert [float(g) for g in mp.gradient(y, [x, h, y], create_graph=graph)] == [32.0, 8.0, 1.0]


def test_an_argument_that_plays_no_part_has_the_derivative_zero() -> None:
    x, other = Value(2.0), Value(3.0)
    other.grad = 7.0
    assert mp.gradient(x * 2.0, [x, other]) == [2.0, 0.0]
    assert other.grad == 7.0
    unused = mp.gradient(x * 2.0, [other], create_graph=True)[0]
    assert isinstance(unused, Value)
    assert unused.data == 0.0


UNMET = "the result does not depend on"


@pytest.mark.parametrize("graph", [False, True])
def test_strict_asks_for_an_error_where_an_argument_plays_no_part(graph: bool) -> None:
    x, other = Value(2.0), Value(3.0, label="other")
    stopped = mp.stop_gradient(other) + x
    says = f"gradient: {UNMET} {other}; without strict=True its derivative is 0.0"
    for y in (x * 2.0, stopped):
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            mp.gradient(y, [x, other], create_graph=graph, strict=True)
    assert mp.gradient(other * 0.0, [other], strict=True) == [0.0]
    assert mp.jvp(first_squared)([1.0, 2.0], [1.0, 5.0]) == 2.0
    assert mp.hvp(first_squared)([1.0, 2.0], [1.0, 5.0]) == [2.0, 0.0]
    with pytest.raises(ValueError, match=rf"^jvp: {UNMET} argument 0 of first_squared, \[1\.0, 2\.0\]; "):
        mp.jvp(first_squared, strict=True)([1.0, 2.0], [1.0, 5.0])
    with pytest.raises(ValueError, match=r"argument 1 of f, 2\.0"):
        mp.grad(f, 1, strict=True)(1.0, 2.0)


def first_squared(v: list[Any]) -> Any:
    return v[0] * v[0]


def f(x: Any, y: Any) -> Any:
    return x * 1.0


def test_what_lies_under_operations_that_pass_nothing_back_gets_zero_not_nan() -> None:
    x = Value(0.0)
    for y in (mp.stop_gradient(mp.log(x)) + x, mp.where(mp.less(mp.log(x), 1.0), x, 2.0)):
        assert mp.gradient(y, [x]) == [1.0]
        x.grad = 0.0
        y.backward()
        assert x.grad == 1.0


@pytest.mark.parametrize("number", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize(
    ("f", "text"),
    [
        (mp.relu, "x > 0"),
        (lambda x: mp.relu(x) * x, "relu(x) + where(x > 0, x, 0)"),
        (lambda x: mp.exp(mp.relu(x)), "where(x > 0, exp(x), 0)"),
        (lambda x: mp.exp(mp.relu(mp.sqrt(x))), "where(sqrt(x) > 0, 0.5 * exp(sqrt(x)) / sqrt(x), 0)"),
        (lambda x: mp.exp(mp.relu(mp.exp(x) - 1.0)), "where(exp(x) - 1 > 0, exp(exp(x) - 1) * exp(x), 0)"),
        (lambda x: mp.exp(mp.relu(x)) + mp.exp(mp.relu(-x - 1.0)) * x, None),
        (lambda x: mp.exp(mp.relu(mp.relu(mp.sqrt(x)) - 1.0)), None),
        (lambda x: mp.exp(mp.relu(x * Value(math.inf))), None),
    ],
)
def test_a_gradient_through_a_mask_reads_the_same_on_both_its_sides(
    f: Callable[[Any], Any], text: str | None, number: float
) -> None:
    x = Value(number, label="x")
    y = f(x)
    (slope,) = mp.gradient(y, [x], create_graph=True)
    assert text is None or mp.formula(slope).text == text
    assert same(slope.data, mp.gradient(y, [x])[0])


@pytest.mark.parametrize("inner", [lambda x, y: x**y, lambda x, y: mp.maximum(x**y, 0.5), lambda x, y: (x**y) ** 1.0])
@pytest.mark.parametrize("x", [0.0, 2.0])
def test_nothing_comes_to_the_base_of_a_power_of_zero_and_yet_more_and_more(
    inner: Callable[[Any, Any], Any], x: float
) -> None:
    """y·x^(y-1) is 0 where y is 0, also at 0, and grows with y by 1/x."""
    base, exponent = Value(x), Value(0.0)
    for f in (inner, lambda x, y: mp.exp(inner(x, y))):
        (slope,) = mp.gradient(f(base, exponent), [base], create_graph=True)
        assert slope.data == 0.0
    mixed = [
        mp.grad(lambda y, f=f: mp.grad(lambda x: f(x, y))(2.0))(0.0) for f in (inner, lambda *v: mp.exp(inner(*v)))
    ]
    assert mixed == pytest.approx([0.5, math.e / 2.0], rel=1e-14)


def test_a_mask_around_a_power_of_zero_keeps_its_growth_out() -> None:
    def mixed(f: Callable[[Any, Any], Any], x: float) -> Any:
        return mp.grad(lambda y: mp.grad(lambda x: f(x, y))(x))(0.0)

    assert mixed(lambda x, y: mp.relu(x**y - 2.0), 2.0) == 0.0
    assert mixed(lambda x, y: mp.exp(mp.relu(x**y - 2.0)), 2.0) == 0.0
    assert mixed(lambda x, y: mp.relu(x - 3.0) ** y, 2.0) == 0.0
    assert mixed(lambda x, y: mp.maximum(x, 1.0) ** y, 0.5) == 0.0
    assert mixed(lambda x, y: mp.maximum(x, 1.0) ** y, 2.0) == 0.5
    assert mixed(lambda x, y: mp.exp(x) ** y, 2.0) == pytest.approx(1.0, rel=1e-14)
    assert mp.grad(lambda z: mixed(lambda x, y: (x**y) ** z, 2.0))(0.0) == 0.5


SHUT: dict[str, Callable[[Any], Any]] = {
    "relu": mp.relu,
    "maximum": lambda a: mp.maximum(a, 2.0),
    "where": lambda a: mp.where(0.0, a, 2.0),
    "clamp": lambda a: mp.clamp(a, 0.0, 1.0),
    "relu of what moves": lambda a: mp.relu(mp.exp(a) - 5.0),
    "twice": lambda a: mp.relu(mp.relu(a) - 1.0),
}


@pytest.mark.parametrize("name", SHUT)
def test_where_a_mask_stays_shut_nothing_else_changes_what_passes_however_steep_it_is(name: str) -> None:
    def slope(x: Any) -> Any:
        return mp.grad(lambda a: SHUT[name](a) * mp.sqrt(x))(-1.0)

    assert slope(0.0) == 0.0
    assert mp.grad(slope)(0.0) == 0.0
    assert mp.hessian(lambda x: mp.exp(mp.relu(mp.pow(x, 1.5) - 1.0)) + SHUT[name](-x - 1.0))(0.0) == 0.0
    assert mp.jvp(slope)(0.0, 1.0) == 0.0


@pytest.mark.parametrize("graph", [False, True])
def test_what_lies_under_a_condition_alone_plays_no_part(graph: bool) -> None:
    """It is not to be differentiable either."""
    x = Value(0.5)
    by_hand = Value(1.0, (x,), "step")
    by_hand._backward = lambda: None
    for condition in (by_hand, mp.less(by_hand, x)):
        y = mp.where(condition, 3.0, 2.0) * Value(1.0) + mp.copysign(4.0, condition)
        assert [float(slope) for slope in mp.gradient(y, [x], create_graph=graph)] == [0.0]
        with pytest.raises(ValueError, match=f"^gradient: {UNMET} Value"):
            mp.gradient(y, [x], create_graph=graph, strict=True)


@pytest.mark.usefixtures("cleared")
def test_no_rule_is_asked_where_nothing_that_is_asked_for_lies() -> None:
    asked: list[float] = []

    def slope(out: Any, x: Any) -> Any:
        asked.append(float(x))
        return 1.0

    noting = mp.primitive("noting", lambda x: x, slope)
    pair = mp.primitive("pair", lambda x, y: x + y, (lambda out, x, y: 1.0, lambda out, x, y: slope(out, y)))
    x, other = Value(2.0), Value(3.0)
    y = noting(x) * noting(noting(other))
    assert [g.data for g in mp.gradient(y, [x], create_graph=True)] == [3.0]
    assert asked == [2.0]
    assert mp.jvp(lambda v: noting(v) * noting(noting(other)))(5.0, 1.0) == 3.0
    assert asked == [2.0, 5.0]
    assert [g.data for g in mp.gradient(pair(x, other), [x], create_graph=True)] == [1.0]
    assert asked == [2.0, 5.0]


def test_interior_nodes_start_fresh_also_under_operations_that_pass_nothing_back() -> None:
    x = Value(2.0)
    h = x * x
    (h * 3.0).backward()
    assert h.grad == 3.0
    (mp.floor(h) + x).backward()
    assert h.grad == 0.0
    assert x.grad == 12.0 + 1.0


def test_deep_graphs_have_gradients_of_gradients() -> None:
    x = Value(0.5)
    y = x
    for _ in range(20_000):
        y = y * 1.0001 + 0.0
    (slope,) = mp.gradient(y * y, [x], create_graph=True)
    assert mp.gradient(slope, [x])[0] == pytest.approx(2.0 * 1.0001**40_000)


# ---------------------------------------------------------------------------------------------- higher orders, tidiness


def test_derivatives_of_a_cube_are_short() -> None:
    x = Value(2.0, label="x")
    first = mp.gradient(x**3, [x], create_graph=True)[0]
    second = mp.gradient(first, [x], create_graph=True)[0]
    third = mp.gradient(second, [x], create_graph=True)[0]
    fourth = mp.gradient(third, [x], create_graph=True)[0]
    assert [len(toposort(d)) for d in (first, second, third, fourth)] == [3, 3, 1, 1]
    assert [d.data for d in (first, second, third, fourth)] == [12.0, 12.0, 6.0, 0.0]
    assert (third.args, fourth.args) == ((), ())


def test_a_slope_of_one_passes_the_gradient_on_as_it_is() -> None:
    x = Value(0.5)
    (slope,) = mp.gradient(mp.sin(x + 1.0), [x], create_graph=True)
    assert (slope.op, len(toposort(slope))) == (TABLE["cos"], 3)


@pytest.mark.usefixtures("cleared")
def test_ones_are_dropped_on_either_side_and_inside() -> None:
    rules: list[Callable[..., Any]] = [
        lambda out, x: x * 1.0,
        lambda out, x: 1.0 * x,
        lambda out, x: (x * 1.0) ** 1.0,
        lambda out, x: x * (1.0 * x**0.0),
        lambda out, x: mp.sin(x * 1.0),
    ]
    x = Value(0.5)
    for i, rule in enumerate(rules):
        made = mp.primitive(f"tidy_{i}", lambda x: x, rule)
        (slope,) = mp.gradient(made(x), [x], create_graph=True)
        assert slope is x if i < 4 else (slope.op, slope.args) == (TABLE["sin"], (x,))
        assert slope.data == (0.5 if i < 4 else math.sin(0.5))


@given(st.data())
def test_dropping_terms_changes_no_number(data: st.DataObject) -> None:
    """x·1, x**1 and x**0 in the partials, at every number there is."""
    x = data.draw(st.sampled_from(SPECIAL) | st.floats())
    exponent = data.draw(st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, 0.5]))
    leaf = Value(x)
    (slope,) = mp.gradient(leaf**exponent, [leaf], create_graph=True)
    (partial,), (mask,) = TABLE["pow"].partials[:1], TABLE["pow"].masks[:1]
    assert partial is not None
    assert mask is not None
    out = mp.pow(x, exponent)
    want = partial(out, x, exponent) if mask(out, x, exponent) else 0.0
    assert same(slope.data, want)
    assert not any(
        node.op is TABLE["mul"] and 1.0 in [a for a in node.args if type(a) is float] for node in toposort(slope)
    )
    assert not any(node.op is TABLE["pow"] and node.args[1] in (0.0, 1.0) for node in toposort(slope))


@pytest.mark.parametrize(
    ("order", "function", "definition"),
    [
        (3, mp.tanh, mpmath.tanh),
        (4, mp.sin, mpmath.sin),
        (5, mp.exp, mpmath.exp),
        (3, mp.sqrt, mpmath.sqrt),
        (4, mp.log, mpmath.log),
        (3, mp.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
    ],
)
def test_gradients_of_gradients_are_the_derivatives(order: int, function: Any, definition: Callable[..., Any]) -> None:
    derived = function
    for _ in range(order):
        derived = mp.grad(derived)
    with mpmath.workdps(60):
        want = float(mpmath.diff(definition, mpmath.mpf(0.3), order))
    assert derived(0.3) == pytest.approx(want, rel=1e-12)
    assert type(derived(0.3)) is float


def test_nested_gradients_keep_the_inner_and_the_outer_apart() -> None:
    assert mp.grad(lambda x: mp.grad(lambda y: x * y)(1.0) * x)(3.0) == 6.0
    assert mp.grad(lambda x: x * mp.grad(lambda y: x + y)(x))(1.0) == 1.0  # Siskind and Pearlmutter 2005
    assert mp.grad(lambda x: mp.grad(lambda y: x * y * y)(x))(2.0) == 8.0  # 2x², not 3x²
    assert mp.grad(lambda x: x * mp.jvp(lambda y: x * y)(2.0, 1.0))(3.0) == 6.0
    assert mp.jvp(lambda x: x * mp.jvp(lambda y: x * y)(2.0, 1.0))(3.0, 1.0) == 6.0
    assert mp.jvp(lambda x: x * mp.grad(lambda y: x * y)(2.0))(3.0, 1.0) == 6.0
    assert mp.grad(lambda x: mp.hessian(lambda y: x * x * y * y)(1.0))(3.0) == 12.0
    assert mp.grad(lambda x: mp.value_and_grad(lambda y: x * y)(2.0)[0])(3.0) == 2.0


def test_a_value_as_argument_gives_values_that_lead_back_to_it() -> None:
    x = Value(2.0, label="x")
    slope = mp.grad(lambda v: v**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (12.0, 12.0)
    value, slopes = mp.value_and_grad(lambda v: v[0] * v[1])([x, 3.0])
    assert isinstance(value, Value)
    assert [float(s) for s in slopes] == [3.0, 2.0]


def test_gradients_are_taken_also_where_nothing_is_recorded() -> None:
    with mp.no_grad():
        assert mp.grad(mp.grad(lambda x: x**3))(2.0) == 12.0
        assert mp.gradient(Value(1.0) * 1.0, []) == []
        assert (Value(1.0) * 2.0).args == ()


# ----------------------------------------------------------------------------------------------------- nested arguments


class Point(NamedTuple):
    """A tuple with names."""

    x: Any
    y: Any


def total(tree: Any) -> Any:
    """Σ i·xᵢ² over the numbers of a nest, counted from 1."""
    from micrograd_plus.calculus.nesting import leaves

    return sum(i * leaf * leaf for i, leaf in enumerate(leaves(tree), 1))


@pytest.mark.parametrize(
    ("tree", "want"),
    [
        (3.0, 6.0),
        (3, 6.0),
        ([1.0, 2.0], [2.0, 8.0]),
        ((1.0, [2.0, (3.0,)]), (2.0, [8.0, (18.0,)])),
        ({"b": 1.0, "a": [2.0]}, {"b": 2.0, "a": [8.0]}),
        (Point(1.0, 2.0), Point(2.0, 8.0)),
        ([], []),
    ],
)
def test_results_are_nested_as_the_argument(tree: Any, want: Any) -> None:
    got = mp.grad(lambda t: total(t) + Value(0.0))(tree)
    assert got == want
    assert type(got) is type(want)


def test_arrays_in_arrays_out() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    slope = mp.grad(lambda a: (a * a).sum())(x)
    assert slope.dtype == float
    assert (slope == 2.0 * x).all()
    jacobian = mp.jacobian(lambda a: a * 3.0)(x)
    assert jacobian.shape == (2, 2, 2, 2)
    assert (jacobian.reshape(4, 4) == 3.0 * np.eye(4)).all()
    assert mp.jacobian(lambda a: {"sum": a[0] + a[1]})(np.array([1.0, 2.0]))["sum"].tolist() == [1.0, 1.0]


def test_several_arguments_and_options() -> None:
    def g(x: Any, y: Any, *, scale: float = 1.0) -> Any:
        return x * x * y * scale

    assert mp.grad(g)(2.0, 3.0) == 12.0
    assert mp.grad(g, 1)(2.0, 3.0, scale=2.0) == 8.0
    assert mp.grad(g, -1)(2.0, 3.0) == 4.0
    assert mp.grad(g, (0, 1))(2.0, 3.0) == (12.0, 4.0)
    assert mp.grad(g, (1,))(2.0, 3.0) == (4.0,)
    assert mp.value_and_grad(g, (0, 1))(2.0, 3.0) == (12.0, (12.0, 4.0))
    assert mp.hessian(g, (0, 1))(2.0, 3.0) == ((6.0, 4.0), (4.0, 0.0))
    assert mp.jvp(g, (0, 1))(2.0, 3.0, (1.0, 10.0)) == 52.0


def test_a_modules_parameters_by_their_names() -> None:
    model = mp.MLP(2, [3, 1], seed=1, activation="tanh")

    def cost(m: mp.MLP) -> Any:
        return mp.losses.squared_error([m([0.5, -1.0])], [2.0])

    value, slopes = mp.value_and_grad(cost)(model)
    loss = cost(model)
    loss.backward()
    assert value == loss.data
    assert slopes == {name: parameter.grad for name, parameter in model.named_parameters()}
    assert mp.grad(lambda pair: cost(pair[0]) * pair[1])([model, 2.0])[1] == value
    assert mp.grad(cost)(model)["layers.0.neurons.0.w.0"] == slopes["layers.0.neurons.0.w.0"]
    assert mp.gradient(cost(model), model.parameters()) == list(slopes.values())


def test_what_a_module_comes_to_keep_while_it_is_called_is_no_parameter_of_that_call() -> None:
    class Scaled(mp.Module):
        def __init__(self) -> None:
            self.scale = Value(2.0)

        def __call__(self, x: float) -> Value:
            self.out = self.scale * x
            return self.out

    assert mp.grad(lambda model: model(3.0))(Scaled()) == {"scale": 3.0}
    assert mp.hessian(lambda model: model(3.0) ** 2)(Scaled())["scale"]["scale"] == 18.0


DERIVATIVES: list[Callable[..., Any]] = [mp.grad, mp.value_and_grad, mp.jacobian, mp.hessian, mp.jvp, mp.hvp]


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_the_function_keeps_its_name_and_its_docstring(derivative: Callable[..., Any]) -> None:
    derived = derivative(total)
    assert derived.__name__ == "total"
    assert derived.__doc__ == total.__doc__


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_arguments_that_play_no_part_are_refused_only_if_strict(derivative: Callable[..., Any]) -> None:
    along = [(1.0, 1.0)] if derivative in (mp.jvp, mp.hvp) else []

    def first(x: Any, y: Any) -> Any:
        return x * x

    derivative(first, (0, 1))(2.0, 3.0, *along)
    with pytest.raises(ValueError, match=rf"^[a-z_]+: {UNMET} argument 1 of first, .*3\.0.*; "):
        derivative(first, (0, 1), strict=True)(2.0, 3.0, *along)


# ------------------------------------------------------------------------------------------ jacobian, hessian, jvp, hvp


def swirl(v: list[Any]) -> list[Any]:
    """Three numbers of two."""
    x, y = v
    return [mp.sin(x) * y, x / y, mp.exp(x * y)]


@given(moderate, st.floats(0.5, 3.0))
def test_forward_and_reverse_give_the_same_jacobian(x: float, y: float) -> None:
    reverse = mp.jacobian(swirl, mode="reverse")([x, y])
    forward = mp.jacobian(swirl, mode="forward")([x, y])
    assert np.allclose(reverse, forward, rtol=1e-12, atol=1e-12)
    columns = [mp.jvp(swirl)([x, y], direction) for direction in ([1.0, 0.0], [0.0, 1.0])]
    assert np.allclose(np.transpose(columns), forward, rtol=0, atol=0)


def noted(name: str, function: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    """The function, which now writes its name down whenever it is called."""

    def call(*args: Any) -> Any:
        calls.append(name)
        return function(*args)

    return call


@pytest.mark.parametrize("counts", [(1, 5), (5, 1), (3, 3)])
def test_the_cheaper_way_is_taken(counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    from micrograd_plus.calculus import functions

    inputs, outputs = counts
    passes: list[str] = []
    for name in ("pushed", "slopes_by"):
        monkeypatch.setattr(functions, name, noted(name, getattr(functions, name), passes))

    def f(v: list[Any]) -> list[Any]:
        return [mp.dot(v, v) * float(i) for i in range(outputs)]

    assert np.shape(mp.jacobian(f)([1.0] * inputs)) == (outputs, inputs)
    assert passes == ["pushed" if inputs < outputs else "slopes_by"] * min(counts)
    passes.clear()
    mp.jacobian(f, mode="forward")([1.0] * inputs)
    assert passes == ["pushed"] * inputs
    passes.clear()
    mp.jacobian(f, mode="reverse")([1.0] * inputs)
    assert passes == ["slopes_by"] * outputs


def test_along_a_direction_of_values_the_result_is_a_graph() -> None:
    direction = Value(3.0)
    moved = mp.jvp(lambda x: x * x)(2.0, direction)
    assert isinstance(moved, Value)
    assert mp.gradient(moved, [direction]) == [4.0]
    assert type(mp.jvp(lambda x: x * x)(2.0, 3.0)) is float


MODES: list[Literal["reverse", "forward"] | None] = ["reverse", "forward", None]


def test_constants_among_the_results_have_zero_rows() -> None:
    for mode in MODES:
        assert mp.jacobian(lambda x: [x * 2.0, 5.0], mode=mode)(1.0) == [2.0, 0.0]
    assert mp.jvp(lambda x: [x * 2.0, 5.0])(1.0, 1.0) == [2.0, 0.0]
    assert mp.jacobian(lambda x: x * 2.0)(1.0) == 2.0


@given(st.lists(moderate, min_size=3, max_size=3), st.lists(moderate, min_size=3, max_size=3))
def test_hvp_is_the_hessian_times_the_vector(x: list[float], v: list[float]) -> None:
    def g(w: list[Any]) -> Any:
        return mp.sin(w[0] * w[1]) + mp.exp(w[2]) * w[0] ** 2 + mp.softplus(w[1] - w[2])

    hessian = np.array(mp.hessian(g)(x))
    assert np.allclose(hessian, hessian.T, rtol=1e-9, atol=1e-9)
    assert np.allclose(mp.hvp(g)(x, v), hessian @ v, rtol=1e-9, atol=1e-9)


def test_a_hessian_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")

    def g(lib: Any, v: Any) -> Any:
        a, b, c, d, e = v
        return lib.sin(a * b) * lib.exp(c) + lib.sigmoid(d * e) / (1.0 + a * a) + lib.tanh(b * c * d) * e**3

    x = [0.3, -0.7, 1.1, 0.5, -1.3]
    want = torch.autograd.functional.hessian(lambda t: g(torch, t), torch.tensor(x, dtype=torch.float64))
    assert np.allclose(mp.hessian(lambda v: g(mp, v))(x), want.numpy(), rtol=1e-12, atol=1e-12)


def test_hvp_of_a_network_is_pytorchs_and_builds_no_hessian(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from micrograd_plus.calculus import flowing, functions

    draw = random.Random(0)
    w = [draw.uniform(-1, 1) for _ in range(12)]
    v = [draw.uniform(-1, 1) for _ in range(12)]

    def net(lib: Any, w: Any) -> Any:
        hidden = [lib.tanh(w[3 * i] * 0.5 + w[3 * i + 1] * -1.5 + w[3 * i + 2]) for i in range(3)]
        return lib.sigmoid(sum(a * b for a, b in zip(hidden, w[9:])))

    calls: list[str] = []
    monkeypatch.setattr(functions, "pushed", noted("pushed", flowing.pushed, calls))
    got = mp.hvp(lambda w: net(mp, w))(w, v)
    assert len(calls) == 1  # one forward pass, not one for each of the 12
    tensors = [torch.tensor(numbers, dtype=torch.float64) for numbers in (w, v)]
    _, want = torch.autograd.functional.hvp(lambda t: net(torch, t), *tensors)
    assert np.allclose(got, want.numpy(), rtol=1e-12, atol=1e-14)


def test_directions_are_nested_as_the_argument() -> None:
    p = {"w": [1.0, 2.0], "b": 3.0}
    assert mp.hvp(total)(p, {"w": [1.0, 0.0], "b": 1.0}) == {"w": [2.0, 0.0], "b": 6.0}
    model = mp.Neuron(2, seed=1, activation="tanh")
    direction = {name: 1.0 for name, _ in model.named_parameters()}
    assert set(mp.hvp(lambda m: m([1.0, 2.0]))(model, direction)) == set(direction)


def test_a_module_that_stands_in_two_places_moves_by_both_directions() -> None:
    model = mp.Neuron(1, seed=1, activation="linear")
    directions = [{"w.0": 1.0, "b": 0.0}, {"w.0": 0.0, "b": 5.0}]

    def product(pair: list[mp.Neuron]) -> Any:
        return pair[0]([2.0]) * pair[1]([3.0])

    slopes = mp.jacobian(product)([model, model])
    want = sum(slope[name] * move[name] for slope, move in zip(slopes, directions) for name in move)
    assert mp.jvp(product)([model, model], directions) == pytest.approx(want, rel=1e-12)


# ---------------------------------------------------------------------------------------------------------------- hooks


def test_a_hook_sees_and_changes_a_gradient_as_it_passes() -> None:
    x = Value(3.0)
    h = x * x
    seen: list[float] = []
    seeing = h.register_hook(seen.append)
    doubling = h.register_hook(lambda gradient: 2.0 * gradient)
    (h + h * 4.0).backward()
    assert seen == [5.0]  # once, what all uses gave
    assert (h.grad, x.grad) == (10.0, 60.0)
    assert mp.gradient(h * 1.0, [x]) == [12.0]
    (slope,) = mp.gradient(h * 1.0, [x], create_graph=True)
    assert slope.data == 12.0
    doubling.remove()
    doubling.remove()
    seeing.remove()
    x.grad = 0.0
    h.backward()
    assert x.grad == 6.0


def test_a_leafs_hook_sees_what_this_pass_brings() -> None:
    x = Value(3.0)
    x.grad = 100.0
    with x.register_hook(lambda gradient: -gradient):
        (x * 2.0).backward()
        assert x.grad == 98.0
        x.backward()
        assert x.grad == 97.0
        assert mp.gradient(x * 2.0, [x]) == [-2.0]
        (slope,) = mp.gradient(x * x, [x], create_graph=True)
        assert slope.data == -6.0
    (x * 2.0).backward()
    assert x.grad == 99.0


@pytest.mark.parametrize("graph", [False, True])
def test_a_hook_is_called_once_where_a_gradient_by_its_own_value_is_asked_for(graph: bool) -> None:
    x, other = Value(3.0), Value(1.0)
    inner, seen = x * x, list[float]()
    with inner.register_hook(lambda gradient: seen.append(float(gradient))), x.register_hook(lambda g: -g):
        slopes = mp.gradient(inner * 5.0, [inner, x, other], create_graph=graph)
    assert [float(slope) for slope in slopes] == [5.0, -30.0, 0.0]
    assert seen == [5.0]


@pytest.mark.parametrize("graph", [False, True])
def test_a_hook_of_what_leads_to_nothing_that_is_asked_for_is_heard_as_well(graph: bool) -> None:
    inner = Value(3.0) * 2.0
    with inner.register_hook(lambda gradient: 10.0 * gradient):
        assert [float(slope) for slope in mp.gradient(inner * 5.0, [inner], create_graph=graph)] == [50.0]
        assert [float(slope) for slope in mp.gradient(inner, [inner, inner], create_graph=graph)] == [10.0, 10.0]


def test_a_hook_that_a_function_sets_on_its_argument_acts_at_every_order() -> None:
    def doubled(x: Value) -> Value:
        x.register_hook(lambda gradient: 2.0 * gradient)
        return x**3

    assert mp.grad(doubled)(2.0) == mp.grad(doubled)(Value(2.0)).data == 24.0
    assert mp.hvp(doubled)(2.0, 1.0) == 24.0  # the slope of 6x²


def test_a_hook_that_is_none_is_refused_and_a_bad_answer_is_quoted() -> None:
    x = Value(3.0)
    with pytest.raises(TypeError, match=r"^register_hook\('print'\): expected a function of a gradient$"):
        x.register_hook("print")  # type: ignore[arg-type]
    with (
        x.register_hook(lambda _: "big"),
        pytest.raises(TypeError, match=r"^a hook's gradient = 'big': expected a real number, got str$"),
    ):
        (x * 1.0).backward()


# ----------------------------------------------------------------------------------------- numbers that leave the graph


def by_math(x: Any) -> Any:
    return x * x + math.exp(x)


def by_float(x: Any) -> Any:
    return x * x + float(x + 1.0)


def by_grad(x: Any) -> Any:
    y = x * x
    y.backward()
    return y + x.grad


def by_numpy(x: Any) -> Any:
    return x * x + np.asarray([x], dtype=float)[0]


def by_gradient(x: Any) -> Any:
    return x * mp.gradient(x * x, [x])[0]


def by_copy(x: Any) -> Any:
    return x * copy.deepcopy(x * 2.0)


def by_pickle(x: Any) -> Any:
    return x * pickle.loads(pickle.dumps(x))


LEAKY = [by_math, by_float, by_grad, by_numpy, by_gradient, by_copy, by_pickle]
DERIVED: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: mp.grad(f)(0.5),
    "value_and_grad": lambda f: mp.value_and_grad(f)(0.5),
    "jacobian": lambda f: mp.jacobian(f)(0.5),
    "hessian": lambda f: mp.hessian(f)(0.5),
    "jvp": lambda f: mp.jvp(f)(0.5, 1.0),
    "hvp": lambda f: mp.hvp(f)(0.5, 1.0),
    "a grad of a grad": lambda f: mp.grad(lambda x: mp.grad(f)(x) * x)(0.5),
    "a grad inside": lambda f: mp.grad(lambda x: x * mp.grad(f)(0.5))(3.0),
    "a Value": lambda f: mp.grad(f)(Value(0.5)),
}


@pytest.mark.parametrize("leaky", LEAKY)
@pytest.mark.parametrize("derived", DERIVED.values(), ids=DERIVED)
def test_a_number_that_leaves_the_graph_is_told_with_its_line(
    leaky: Callable[[Any], Any], derived: Callable[[Any], Any]
) -> None:
    """Once for each line, as a warning that bears the file and the line of whoever took the number."""
    lines, first = inspect.getsourcelines(leaky)
    with pytest.warns(UserWarning, match="takes a number out of the graph") as told:
        derived(leaky)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert first < told[0].lineno < first + len(lines)
    assert f"`{lines[told[0].lineno - first].strip()}` (test_calculus.py, line {told[0].lineno})" in str(
        told[0].message
    )


@pytest.mark.parametrize(
    ("leaky", "said", "way_out"),
    [
        (
            by_float,
            "float(x), by itself or as math's functions call it,",
            "write mp.exp for math.exp and so on; where a plain number is meant, say x.data or mp.stop_gradient(x)",
        ),
        (by_grad, "x.grad", "use mp.gradient(y, [x], create_graph=True)"),
        (by_gradient, "a gradient that is no graph", "ask for create_graph=True"),
        (
            by_copy,
            "a copy",
            "use x itself; where a plain number is meant, say x.data or mp.stop_gradient(x)",
        ),
        (by_pickle, "a pickle", "what it is read into is another graph"),
    ],
)
def test_what_takes_a_number_is_quoted_with_the_way_out(leaky: Callable[[Any], Any], said: str, way_out: str) -> None:
    with pytest.warns(UserWarning, match=rf"^grad\({leaky.__name__}\): {re.escape(said)} in `") as told:
        mp.grad(leaky)(0.5)
    end = " takes a number out of the graph, so that the derivative will lack its term; "
    assert str(told[0].message).endswith(f"{end}{way_out}")


def test_each_line_is_told_once_for_each_way_out() -> None:
    def f(x: Any) -> Any:
        y = x * x
        for _ in range(3):
            y = y + math.exp(x) * float(x)
        return y + float(x)

    with pytest.warns(UserWarning, match="takes a number out of the graph") as told:
        mp.grad(f)(0.5)
    first = inspect.getsourcelines(f)[1]
    assert [each.lineno - first for each in told] == [3, 4]


def test_it_is_told_as_warnings_of_that_module_are() -> None:
    """So that Python tells it once, and its filters find the module."""
    with warnings.catch_warnings(record=True) as told:
        warnings.filterwarnings("default", module=f"^{re.escape(__name__)}$")
        mp.grad(by_float)(0.5)
        mp.grad(by_float)(0.5)
    assert len(told) == 1
    assert (str(told[0].message), UserWarning, told[0].lineno) in globals()["__warningregistry__"]


def test_what_is_not_differentiated_may_leave_the_graph() -> None:
    """Warnings are errors here."""
    outside, cost = Value(2.0), Value(3.0)
    graph = sum([outside * float(i) for i in range(5)], start=cost)

    def f(x: Any) -> Any:
        with mp.no_grad():
            size = float(Value(1.0) * 2.0)
        said = f"{x:.3f} {x}", x.data, abs(x) > 1.0, bool(x), x.detach().data
        constant = float(mp.stop_gradient(x)) + float(mp.floor(x)) + float(mp.where(mp.less(0.0, x), 1.0, 2.0))
        return x * (float(graph) + float(outside) + math.exp(cost) + size + constant) if said else x

    for derived in DERIVED.values():
        derived(f)
    assert mp.grad(f)(0.5) == 23.0 + 2.0 + math.exp(3.0) + 2.0 + 1.5
    float(Value(2.0) * 3.0)
    mp.Value.backward(cost * math.exp(cost))


def test_a_shallow_copy_stays_in_the_graph_unless_it_is_one_of_a_leaf() -> None:
    def with_copy(x: Any) -> Any:
        y = x * x
        return copy.copy(y) * x  # x³

    assert mp.grad(with_copy)(2.0) == 12.0
    with pytest.warns(UserWarning, match=r"^grad\(<lambda>\): a copy in `"):
        assert mp.grad(lambda x: copy.copy(x) * x)(2.0) == 2.0  # which the copy is a constant in


def test_a_rule_that_takes_numbers_out_of_the_graph_is_told_where_it_matters() -> None:
    leaky = mp.primitive("leaky_cosine", math.sin, lambda out, x: math.cos(x))
    assert mp.grad(leaky)(0.5) == mp.gradient(leaky(x := Value(0.5)), [x])[0]  # the rule is right on floats
    with pytest.warns(UserWarning, match=r'jacobian\(leaky_cosine\): float\(x\).*"leaky_cosine", math.sin'):
        mp.hessian(leaky)(0.5)


def test_a_watch_takes_nothing_out_of_the_graph() -> None:
    with mp.detect_anomaly():
        assert mp.hessian(lambda x: mp.exp(x) * x)(0.0) == 2.0


# ------------------------------------------------------------------------------------------------------------ bad input


PLACE = "expected the place of an argument of"
NO_VALUE = "expected a Value made from its arguments; does it use float(), .data, or math instead of mp's functions?"


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: loose.grad(lambda _: 3.0)(1.0),
            TypeError,
            f"grad(<lambda>): the function returned 3.0 (float); {NO_VALUE}",
        ),
        (
            lambda: loose.value_and_grad(lambda x: x.data)(1.0),
            TypeError,
            f"value_and_grad(<lambda>): the function returned 1.0 (float); {NO_VALUE}",
        ),
        (
            lambda: loose.value_and_grad(lambda _: None)(1.0),
            TypeError,
            f"value_and_grad(<lambda>): the function returned None (NoneType); {NO_VALUE}",
        ),
        (
            lambda: loose.grad(lambda _: "four")(1.0),
            TypeError,
            f"grad(<lambda>): the function returned 'four' (str); {NO_VALUE}",
        ),
        (
            lambda: loose.grad(lambda x: [x])(1.0),
            TypeError,
            "grad(<lambda>): the function returned [Value(data=1.0, grad=0.0)]; expected a single Value: take its sum, "
            "or use jacobian for several results",
        ),
        *[
            (partial(derived, 3), TypeError, f"{derived.__name__}(3): expected a function, got int")
            for derived in (loose.grad, loose.value_and_grad, loose.jacobian, loose.hessian, loose.hvp, loose.jvp)
        ],
        (
            lambda: loose.grad(mp.tanh, 1)(1.0),
            ValueError,
            f"grad(argnums=1): {PLACE} tanh, which was called with 1, or a tuple of them, such as 0",
        ),
        (
            lambda: loose.grad(mp.tanh)(),
            ValueError,
            f"grad(argnums=0): {PLACE} tanh, which was called with 0, or a tuple of them, such as 0",
        ),
        (
            lambda: loose.grad(mp.tanh, ())(1.0),
            ValueError,
            f"grad(argnums=()): {PLACE} tanh, which was called with 1, or a tuple of them, such as 0",
        ),
        (
            lambda: loose.grad(mp.tanh, "x")(1.0),
            TypeError,
            f"grad(argnums='x'): {PLACE} tanh, which was called with 1, or a tuple of them",
        ),
        *[
            (
                partial(derived(mp.mul, argnums), 1.0, 2.0, *direction),
                ValueError,
                f"{name}(argnums={argnums}): a place stands there twice; {PLACE} mul, which was called with 2, or a "
                "tuple of them, each once",
            )
            for derived, name, argnums, direction in [
                (loose.grad, "grad", (0, 0), ()),
                (loose.value_and_grad, "value_and_grad", (1, -1), ()),
                (loose.jacobian, "jacobian", [-2, 0], ()),
                (loose.hessian, "jacobian", (0, 0), ()),
                (loose.jvp, "jvp", (0, 0), [(1.0, 1.0)]),
                (loose.hvp, "hvp", (1, 1), [(1.0, 1.0)]),
            ]
        ],
        (
            lambda: loose.grad(mp.tanh)("0.5"),
            TypeError,
            "grad(tanh), argument 0: '0.5' (str); expected a number, a Value, a list, tuple, dict or array of them, "
            "or a module",
        ),
        (
            lambda: loose.jacobian(lambda x: x)([]),
            ValueError,
            "jacobian(<lambda>): the function returned [], which is empty; expected at least one Value",
        ),
        (
            lambda: loose.jacobian(lambda _: [Value(1.0)])([]),
            ValueError,
            "jacobian(<lambda>): argument [] is empty; expected at least one number",
        ),
        (
            lambda: loose.jacobian(lambda _: [1.0])(2.0),
            TypeError,
            "jacobian(<lambda>): the function returned [1.0]; expected Values made from its arguments, not plain "
            "numbers",
        ),
        (
            lambda: loose.jacobian(lambda x: [x, "word"])(2.0),
            TypeError,
            "what <lambda> returned: 'word' (str); expected a number, a Value, a list, tuple, dict or array of them, "
            "or a module",
        ),
        (
            lambda: loose.grad(lambda x: [x, "word"], strict=True)(2.0),
            TypeError,
            "what <lambda> returned: 'word' (str); expected a number, a Value, a list, tuple, dict or array of them, "
            "or a module",
        ),
        (
            lambda: loose.jacobian(mp.tanh, mode="back"),
            ValueError,
            "jacobian(mode='back'): expected 'reverse', 'forward', or None for the cheaper one",
        ),
        *[
            (
                partial(derived(mp.tanh), 1.0),
                TypeError,
                f"{derived.__name__}(tanh): got 1 argument; expected those of the function and, after them, the "
                "direction",
            )
            for derived in (loose.jvp, loose.hvp)
        ],
        (
            lambda: loose.hvp(total)([1.0, 2.0], [1.0]),
            ValueError,
            "hvp(total), the direction: [1.0]; expected a list of 2 in this place, nested as the argument",
        ),
        (
            lambda: loose.jvp(total)([1.0, 2.0], [1.0, None]),
            TypeError,
            "jvp(total), the direction: None (NoneType); expected a number, a Value, a list, tuple, dict or array of "
            "them, or a module",
        ),
        (
            lambda: loose.gradient(3.0, []),
            TypeError,
            "gradient(3.0, ...): expected the Value to differentiate, got float",
        ),
        (
            lambda: loose.gradient(Value(1.0), Value(2.0)),
            TypeError,
            "gradient(y, Value(data=2.0, grad=0.0)): expected a list of Values, such as [x]",
        ),
        (
            lambda: loose.gradient(Value(1.0), [2.0]),
            TypeError,
            "gradient: 2.0 among xs; expected Values that y was made from, got float",
        ),
    ],
)
def test_bad_input_is_quoted_with_the_way_out(call: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == says


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(("label", "labelled"), [("mine", " labelled 'mine'"), ("", "")])
def test_a_node_whose_rule_was_set_by_hand_is_refused_by_its_label(graph: bool, label: str, labelled: str) -> None:
    x = Value(0.5)
    out = Value(math.tanh(0.5), (x,), "tanh", label=label)
    out._backward = lambda: None
    with pytest.raises(TypeError) as caught:
        mp.gradient(out * 2.0, [x], create_graph=graph)
    assert str(caught.value) == (
        f"{out!r}{labelled}: the rule of this 'tanh' was set by hand (its _backward), and its derivative is known to "
        "backward() alone; make it with mp.primitive, or detach() it"
    )


# ------------------------------------------------------------------------------------------- primitives of one's own


@pytest.fixture
def cleared() -> Any:
    """Takes away again what a test has put into the table."""
    before = dict(TABLE)
    yield
    for name in set(TABLE) - set(before):
        del TABLE[name], FUNCTIONS[name]
        delattr(Value, name)
    TABLE.update(before)


@pytest.mark.usefixtures("cleared")
def test_a_primitive_works_everywhere() -> None:
    trigamma = mp.primitive("trigamma_", lambda x: float(mpmath.polygamma(1, x)), None)
    digamma = mp.primitive("digamma_", lambda x: float(mpmath.digamma(x)), lambda out, x: trigamma(x))
    lgamma = mp.primitive("lgamma_", math.lgamma, lambda out, x: digamma(x), domain=(0.0, inf))
    x = Value(2.5)
    y = lgamma(x) * 2.0
    y.backward()
    assert x.grad == pytest.approx(2.0 * float(mpmath.digamma(2.5)))
    assert mp.grad(mp.grad(lgamma))(2.5) == pytest.approx(float(mpmath.polygamma(1, 2.5)))
    assert mp.grad(mp.grad(mp.grad(lgamma)))(2.5) == 0.0  # where no partial was given nothing flows
    assert lgamma([1.0, 3.0]) == [0.0, pytest.approx(math.log(2.0))]
    method: Any = Value(3.0)
    assert method.lgamma_().data == lgamma(3.0)
    assert TABLE["lgamma_"].domain == ((0.0, inf),)
    assert mp.MLP(1, [2, 1], activation="lgamma_", seed=1) is not None


@pytest.mark.usefixtures("cleared")
def test_kinks_of_a_primitive_are_a_function_or_points() -> None:
    with pytest.raises(TypeError, match=r"kinks=\{0\.0\}\): expected a function, or a list of points"):
        mp.primitive("spiked", abs, lambda out, x: mp.sign(x), kinks={0.0})  # type: ignore[arg-type]
    assert "spiked" not in mp.engine.TABLE
    smooth: Any = mp.primitive("smooth", lambda x: x, lambda out, x: 1.0, kinks=[])
    assert smooth.op.kinks is None


def test_a_primitive_of_several_arguments_with_options_and_kinks() -> None:
    blend = mp.primitive(
        "blend",
        lambda x, y, z, t: x * y * z * t,
        (lambda out, x, y, z, t: y * z * t, lambda out, x, y, z, t: x * z * t, lambda out, x, y, z, t: x * y * t),
        "x·y·z·t; blend(1.0, 2.0, 3.0) = 6.0",
        options={"t": 1.0},
        domain=[(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)],
    )
    assert blend(1.0, 2.0, 3.0, t=2.0) == 12.0
    assert mp.grad(blend, (0, 1, 2))(1.0, 2.0, 3.0) == (6.0, 3.0, 2.0)
    bent: Any = mp.primitive("bent", lambda x: abs(x - 1.0), lambda out, x: mp.sign(x - 1.0), kinks=[1.0, 5.0])
    kinks = bent.op.kinks
    assert [kinks(1.0), kinks(4.0), kinks(1.5)] == [0.0, -1.0, 0.5]


@pytest.mark.usefixtures("cleared")
def test_a_primitive_made_again_leaves_older_graphs_alone() -> None:
    old = mp.primitive("again", lambda x: x, lambda out, x: 1.0)
    x = Value(2.0)
    y = old(x)
    new = mp.primitive("again", lambda x: 2.0 * x, lambda out, x: 2.0)
    assert mp.gradient(y, [x]) == [1.0]
    assert mp.gradient(new(x), [x]) == [2.0]


@pytest.mark.usefixtures("cleared")
def test_what_a_primitives_forward_returns_is_made_a_float() -> None:
    count = mp.primitive("count_", lambda x: x > 1, None)
    assert type(count(2.0)) is float
    assert type(count(Value(2.0)).data) is float
    bad = mp.primitive("bad_", lambda x: x + 1j, None)
    with pytest.raises(TypeError, match=r"bad_\(\(2\+1j\)\): expected a real number, got complex"):
        bad(Value(2.0))


def rule(out: Any, x: Any) -> Any:
    return x


def both(x: float, y: float) -> float:
    return x + y


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: loose.primitive("p q", math.sin, rule), ValueError, "'p q'"),
        (lambda: loose.primitive("lambda", math.sin, rule), ValueError, "expected a name, such as 'cube'"),
        (lambda: loose.primitive("tanh", math.tanh, rule), ValueError, "'tanh'.*taken by a function of the package"),
        (lambda: loose.primitive("grad", math.tanh, rule), ValueError, "'grad'.*taken by an attribute of Value"),
        (
            lambda: loose.primitive("p", both, rule),
            TypeError,
            r"the forward of 'p' takes \(x.*; expected 1 argument, one",
        ),
        (
            lambda: loose.primitive("p", lambda x: x, (rule, rule)),
            TypeError,
            r"takes \(x\); expected 2 arguments, one",
        ),
        (
            lambda: loose.primitive("p", lambda x: x, lambda x: x),
            TypeError,
            r"partial 1 of 'p' takes \(x\); expected 2",
        ),
        (lambda: loose.primitive("p", lambda x: x, 3.0), TypeError, r"partial 1 of 'p' is 3\.0; expected a function"),
        (lambda: loose.primitive("p", 3.0, rule), TypeError, r"the forward of 'p' is 3\.0; expected a function"),
        (lambda: loose.primitive("p", math.sin, rule, domain=(1.0, 0.0)), ValueError, r"domain=\(1\.0, 0\.0\)"),
        (
            lambda: loose.primitive("p", math.sin, rule, domain=[(0, 1), (0, 1)]),
            ValueError,
            r"for each of its arguments",
        ),
        (lambda: loose.primitive("p", math.sin, rule, domain=3), ValueError, "domain=3"),
    ],
)
def test_a_primitive_that_does_not_fit_is_refused(make: Callable[[], Any], error: type[Exception], says: str) -> None:
    before = set(TABLE)
    with pytest.raises(error, match=says):
        make()
    assert set(TABLE) == before


# --------------------------------------------------------------------------------------------------------------- newton


def test_newton_finds_where_the_gradient_is_zero() -> None:
    assert mp.optim.newton_step(lambda w: (w - 3.0) ** 2, 10.0) == 3.0

    def rosenbrock(w: dict[str, Any]) -> Any:
        return (1.0 - w["x"]) ** 2 + 100.0 * (w["y"] - w["x"] ** 2) ** 2

    root = mp.optim.newton(rosenbrock, {"x": -1.2, "y": 1.0}, tolerance=1e-10)
    assert root == {"x": pytest.approx(1.0), "y": pytest.approx(1.0)}
    assert mp.optim.newton(lambda w: w * w, 0.0) == 0.0


def test_newton_says_where_it_cannot_go_on() -> None:
    with pytest.raises(ArithmeticError, match=r"at w = 1\.0 the Hessian is \[\[0\.0\]\]"):
        mp.optim.newton(lambda w: 2.0 * w, 1.0)
    with pytest.raises(ArithmeticError, match="after 3 steps the largest partial derivative is"):
        mp.optim.newton(lambda w: mp.exp(w), 1.0, steps=3)
    with pytest.raises(ValueError, match=r"newton\(steps=0\)"):
        mp.optim.newton(lambda w: w * w, 1.0, steps=0)


def test_a_number_that_leaves_the_graph_in_a_thread_is_heard() -> None:
    def f(x: Any) -> Any:
        found: list[float] = []
        thread = threading.Thread(target=lambda: found.append(math.exp(x)))
        thread.start()
        thread.join()
        return x * found[0]

    with pytest.warns(UserWarning, match=r"takes a number out of the graph"):
        mp.grad(f)(1.0)


def test_a_hook_that_is_the_same_function_is_taken_away_as_often_as_asked() -> None:
    x, seen = Value(1.0), list[float]()
    hook = seen.append
    handles = [x.register_hook(hook) for _ in range(3)]
    for left in (2, 1, 0):
        handles[left].remove()
        seen.clear()
        (x * 2.0).backward()
        assert seen == [2.0] * left


def test_a_hook_that_is_there_twice_is_taken_away_once_at_a_time() -> None:
    x, seen = Value(1.0), list[float]()
    first, second = x.register_hook(seen.append), x.register_hook(seen.append)
    (x * 2.0).backward()
    assert seen == [2.0, 2.0]
    first.remove()
    (x * 3.0).backward()
    assert seen == [2.0, 2.0, 3.0]
    second.remove()
    (x * 4.0).backward()
    assert seen == [2.0, 2.0, 3.0]


def test_whoever_listens_around_a_derivative_hears_of_the_inner_one_too() -> None:
    """The number that leaves is one of the outer's: in the inner function it is a constant."""

    def outer(x: Any) -> Any:
        return mp.grad(lambda y: y * y * float(x))(x)

    with pytest.warns(UserWarning, match=r"takes a number out of the graph") as told:
        assert mp.grad(outer)(3.0) == 6.0  # 2x · 3, and not 4x
    assert len(told) == 1
    assert "float(x)" in str(told[0].message)


def test_a_hook_that_gives_something_where_nothing_came_is_heard_in_either_way() -> None:
    for graph in (False, True):
        x = Value(4.0)
        unused = mp.sqrt(x)
        y = mp.where(0.0, unused, x * 3.0)
        with unused.register_hook(lambda _: 8.0):
            (got,) = mp.gradient(y, [x], create_graph=graph)
        assert float(got) == 3.0 + 8.0 / 4.0


def test_a_function_may_leave_arguments_out_unless_strict() -> None:
    def first(x: Any, y: Any) -> Any:
        return x * 2.0

    assert mp.grad(first, (0, 1))(1.0, 3.0) == (2.0, 0.0)
    assert mp.value_and_grad(first, (0, 1))(1.0, 3.0) == (2.0, (2.0, 0.0))
    assert mp.jacobian(first, (0, 1))(1.0, 3.0) == (2.0, 0.0)
    for derived in (mp.grad, mp.value_and_grad):
        says = f"{derived.__name__}: {UNMET} argument 1 of first, 3.0; without strict=True its derivative is 0.0"
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            derived(first, (0, 1), strict=True)(1.0, 3.0)


def test_a_direction_goes_by_its_places_not_by_its_order() -> None:
    def f(p: Any) -> Any:
        return p["a"] ** 2 * p["b"]

    at = {"a": 2.0, "b": 3.0}
    assert mp.jvp(f)(at, {"b": 1.0, "a": 0.0}) == mp.jvp(f)(at, {"a": 0.0, "b": 1.0}) == 4.0
    assert mp.hvp(f)(at, {"b": 1.0, "a": 0.0}) == {"a": 4.0, "b": 0.0}
    model = mp.MLP(2, [1], seed=1)
    names = {name: float(i) for i, (name, _) in enumerate(model.named_parameters())}
    turned = dict(reversed(names.items()))
    by_model = mp.jvp(lambda m: m([2.0, 3.0]))
    assert by_model(model, turned) == by_model(model, names) == by_model(model, list(names.values()))
    row = mp.jvp(lambda v: v[0] * v[1])
    assert row([2.0, 3.0], np.array([1.0, 0.0])) == row((2.0, 3.0), [1.0, 0.0]) == 3.0


@pytest.mark.parametrize(
    ("at", "direction"),
    [
        ({"a": 2.0, "b": 3.0}, {"q": 1.0, "z": 0.0}),
        ({"a": 2.0, "b": 3.0}, [1.0, 0.0]),
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.ones((2, 3)), np.ones(6)),
        ([[1.0, 2.0], [3.0]], [[0.0], [1.0, 0.0]]),
        (2.0, [1.0]),
        ([2.0], 1.0),
        (mp.MLP(1, [1], seed=1), {"w": 1.0, "b": 0.0}),
        (mp.MLP(1, [1], seed=1), [1.0]),
    ],
    ids=["keys", "a list for a dict", "shape", "flat", "nesting", "a list", "a number", "names", "too few"],
)
def test_a_direction_that_is_not_nested_as_the_argument_is_refused(at: Any, direction: Any) -> None:
    def total(nest: Any) -> Any:
        return sum(calculus_leaves(nest))

    with pytest.raises(ValueError, match=r"jvp\(total\), the direction: .*expected .* nested as the argument"):
        mp.jvp(total)(at, direction)


def test_forward_mode_in_another_thread_is_heard_of() -> None:
    def elsewhere(work: Callable[[], Any]) -> Any:
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(work()))
        thread.start()
        thread.join()
        return found[0]

    def f(x: Any) -> Any:
        return x * elsewhere(lambda: mp.jvp(lambda y: x * y)(1.0, 1.0))

    with pytest.warns(UserWarning, match="a gradient that is no graph"):
        mp.grad(f)(3.0)


def test_strict_is_about_the_function_not_about_its_gradient() -> None:
    line = loose.hvp(lambda x: 3.0 * x, strict=True)
    assert line(2.0, 1.0) == mp.hessian(lambda x: 3.0 * x, strict=True)(2.0) == 0.0
    with pytest.raises(ValueError, match="does not depend"):
        mp.hvp(lambda x: Value(3.0), strict=True)(2.0, 1.0)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("kind", [np.matrix, np.ma.masked_array])
def test_an_array_with_an_arithmetic_of_its_own_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="its arithmetic is its own; expected a plain array"):
        mp.grad(lambda p: (p * p).sum())(kind([[1.0, 2.0]]))


@pytest.mark.parametrize("mask", [lambda out, x: 1 if x > 0 else 0, lambda out, x: x > 0.0], ids=["int", "bool"])
def test_a_mask_may_give_any_number(mask: Any) -> None:
    ramp = mp.primitive("ramp_of_any_number", lambda x: max(x, 0.0), mp.mask(mask))
    assert mp.grad(ramp)(3.0) == mp.jvp(ramp)(3.0, 1.0) == 1.0
    assert mp.hessian(ramp)(3.0) == 0.0


@pytest.mark.parametrize(("derivative", "point"), [(mp.grad, [3.0]), (mp.hessian, [3.0]), (mp.jvp, [3.0, 1.0])])
def test_a_partial_that_is_no_number_is_named(derivative: Callable[..., Any], point: list[float]) -> None:
    lost: Any = mp.primitive("lost_partial", lambda x: x, lambda out, x: None)
    with pytest.raises(TypeError, match=r"the partial of lost_partial\(None\): expected a real number, got NoneType"):
        derivative(lost)(*point)
