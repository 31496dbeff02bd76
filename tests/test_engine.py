"""The laws of Value: what design.md's table of meanings says, row by row."""

from __future__ import annotations

import gc
import math
import operator
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine import toposort

DEEP = 1_000_000
numbers = st.floats(-1e3, 1e3)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# --------------------------------------------------------------------------------------------------- construction


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (-0.0, -0.0),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.bool_(True), 1.0),
        (Fraction(1, 4), 0.25),
        (Decimal("1.5"), 1.5),
        (math.inf, math.inf),
        (np.array(2.0), 2.0),
        (np.array(-0.0, dtype=np.float32), -0.0),
    ],
)
def test_data_is_any_real_number_kept_as_a_float(data: Any, expected: float) -> None:
    value = Value(data)
    assert type(value.data) is float
    assert (value.data, math.copysign(1, value.data)) == (expected, math.copysign(1, expected))
    assert type(value.grad) is float
    assert (value.grad, value.args, value.op, value.label) == (0.0, (), None, "")


@pytest.mark.parametrize(
    "data",
    [
        *("3", b"3", np.str_("3"), 1j, np.complex128(1), np.complex64(1), None, float, object(), Value(1.0)),
        *([1.0], (1.0,), {}, np.array([1.0]), np.array("1"), np.datetime64("2020-01-01")),
    ],
)
def test_anything_else_is_refused_by_its_type_and_value(data: Any) -> None:
    with pytest.raises(TypeError) as error:
        Value(data)
    assert type(data).__name__ in str(error.value)
    assert repr(data)[:8] in str(error.value)


def test_a_number_beyond_floats_is_refused() -> None:
    with pytest.raises(OverflowError, match="expected a number that fits a float"):
        Value(10**400)


def test_written_data_and_grad_stay_floats() -> None:
    x = Value(1.0)
    x.data, x.grad = 3, 0  # as micrograd's zero_grad writes it
    assert (type(x.data), type(x.grad)) == (float, float)
    with pytest.raises(TypeError, match=r"Value.data = '4': expected a real number, got str"):
        x.data = "4"  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"Value.grad = 'no': expected a real number, got str"):
        x.grad = "no"  # type: ignore[assignment]
    x.grad = 5.0
    x.grad = None  # as PyTorch's zero_grad writes it
    assert (x.data, x.grad) == (3.0, 0.0)
    with pytest.raises(TypeError, match="label = 3: expected a string"):
        x.label = 3  # type: ignore[assignment]


# ------------------------------------------------------------------------------------------------ micrograd's ways


def test_micrograds_readme_prints_its_numbers() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert (f"{a.grad:.4f}", f"{b.grad:.4f}") == ("138.8338", "645.5773")


def test_prev_and_op_answer_as_in_micrograd() -> None:
    x, y = Value(2.0), Value(3.0)
    made = [x + y, x * y, x**2, x**0.5, x.relu(), x.tanh(), x.exp(), x - y, 2**x, x]
    assert [node._op for node in made] == ["+", "*", "**2", "**0.5", "ReLU", "tanh", "exp", "sub", "pow", ""]
    assert (x * y)._prev == {x, y}
    assert (x * x)._prev == {x}
    assert (x * x).args == (x, x)
    assert (2 * x).args == (2.0, x)
    assert x.clamp(0, 1).args == (x, 0.0, 1.0)


def test_backward_of_one_node_applies_its_own_rule_once() -> None:
    x, y = Value(2.0), Value(3.0)
    out = (x + 1) * y
    out.grad = 1.0
    out._backward()
    assert (out.args[0].grad, y.grad, x.grad) == (3.0, 3.0, 0.0)  # type: ignore[union-attr]
    x._backward()  # a leaf has no rule
    assert x.grad == 0.0


def _tanh_by_hand(x: Value) -> Value:
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


@pytest.mark.usefixtures("no_collector")
def test_a_hand_made_node_takes_part_in_backward_and_leaks_nothing() -> None:
    x = Value(0.5)
    y = _tanh_by_hand(x * 3) * 2
    for times in (1, 2):
        y.backward()
        assert x.grad == pytest.approx(times * 6 * (1 - math.tanh(1.5) ** 2))
    inner = y.args[0]
    assert isinstance(inner, Value)
    assert inner._op == "tanh"
    gone = weakref.ref(inner)
    del y, inner
    assert gone() is None


def test_a_rule_that_raises_does_so_and_holds_nothing_back() -> None:
    x = Value(1.0)
    out = Value(1.0, (x,), "odd")

    def rule() -> None:
        raise ZeroDivisionError(out.data)

    out._backward = rule
    x.grad = 5.0
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            out.backward()
    assert x.grad == 5.0
    gone = weakref.ref(out)
    out = Value(0.0)
    assert gone() is None


def test_methods_may_be_added_and_value_subclassed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "double", lambda self: self * 2, raising=False)

    class Named(Value):
        def shout(self) -> str:
            return self.label.upper()

    x = Named(3.0, label="x")
    y = x.double() + 1  # type: ignore[attr-defined]
    y.backward()
    assert (y.data, x.grad, x.shout()) == (7.0, 2.0, "X")
    assert repr(x) == "Named(data=3.0, grad=2.0, label='x')"


# ------------------------------------------------------------------------------------------------- gradients add up


def test_interior_nodes_start_fresh_and_leaves_accumulate() -> None:
    x = Value(3.0)
    middle = x * x
    y = middle * 2
    y.backward()
    assert (x.grad, middle.grad, y.grad) == (12.0, 2.0, 1.0)
    y.backward()
    assert (x.grad, middle.grad, y.grad) == (24.0, 2.0, 1.0)
    x.backward()
    assert x.grad == 25.0


@given(numbers, numbers)
def test_two_losses_add_their_gradients(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    (x * y).backward()
    (x + y).backward()
    assert (x.grad, y.grad) == (b + 1.0, a + 1.0)


@given(st.lists(numbers, min_size=2, max_size=6))
def test_a_second_backward_gives_exactly_twice_to_the_last_bit(factors: list[float]) -> None:
    x = Value(0.1)
    y = sum(x * factor for factor in factors) + x  # a leaf with several contributions
    y.backward()
    once = x.grad
    y.backward()
    assert x.grad == 2.0 * once


def test_augmented_assignment_makes_a_new_node() -> None:
    x = Value(2.0)
    y = x
    y += 1
    y *= 3
    assert (x.data, y.data) == (2.0, 9.0)
    y.backward()
    assert x.grad == 3.0


def test_a_diamond_counts_both_ways() -> None:
    x = Value(2.0)
    left, right = x * 3, x * x
    (left * right + left).backward()
    assert x.grad == 3 * 3 * 2.0**2 + 3


def test_toposort_gives_each_node_once_and_arguments_first() -> None:
    x = Value(1.0)
    y = x + x * 2
    z = mp.where(y, y * y, x) + y
    order = toposort(z)
    assert len(order) == len(set(order)) == 6
    place = {node: i for i, node in enumerate(order)}
    assert all(place[arg] < place[node] for node in order for arg in node.args if isinstance(arg, Value))
    assert order[-1] is z


# --------------------------------------------------------------------------------------- comparisons and conversions


@given(numbers, numbers)
def test_comparisons_compare_data_and_give_bools(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    for left, right in ((x, y), (x, b), (a, y)):
        assert (left < right, left <= right, left > right, left >= right) == (a < b, a <= b, a > b, a >= b)
        assert type(left < right) is bool


def test_equality_and_hash_are_identity() -> None:
    x, y = Value(1.0), Value(1.0)
    assert x == x
    assert x != y
    assert x != 1.0
    assert len({x, y, x}) == 2


def test_a_value_reads_like_a_number() -> None:
    x = Value(2.5)
    assert (float(x), bool(x), bool(Value(0)), bool(Value(math.nan))) == (2.5, True, False, True)
    assert f"{x:.3f}" == "2.500"
    assert f"{x}" == repr(x) == "Value(data=2.5, grad=0.0)"
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(2, label="w")) == "Value(data=2.0, grad=0.0, label='w')"
    values = [Value(3.0), Value(1.0), Value(2.0)]
    assert [v.data for v in sorted(values)] == [1.0, 2.0, 3.0]
    assert max(values).data == 3.0
    assert sum(values).data == 6.0  # type: ignore[union-attr]
    assert (+x) is x
    assert abs(Value(-1.0)).data == 1.0


@pytest.mark.parametrize("bad", ["3", 1j, [1], None, {}, b"x"], ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        lambda x, bad: x + bad,
        lambda x, bad: bad - x,
        lambda x, bad: x * bad,
        lambda x, bad: x / bad,
        lambda x, bad: x**bad,
        lambda x, bad: x < bad,
        lambda x, bad: bad >= x,
    ],
)
def test_an_operator_refuses_what_is_no_number(use: Callable[[Any, Any], Any], bad: Any) -> None:
    with pytest.raises(TypeError, match="expected a number or a Value, got " + type(bad).__name__):
        use(Value(1.0), bad)


# --------------------------------------------------------------------------------------------------------- NumPy


def test_numpy_scalars_and_arrays_work_on_either_side() -> None:
    x = Value(2.0)
    array = np.array([1.0, 3.0])
    scalars: list[Any] = [np.float64(3), np.int32(3), np.float32(3)]
    for result in [scalar * x for scalar in scalars] + [x * scalar for scalar in scalars]:
        assert isinstance(result, Value)
        assert result.data == 6.0
    for result in (array * x, x * array):
        assert [v.data for v in result] == [2.0, 6.0]
    assert [v.data for v in x - array] == [1.0, -1.0]
    assert [v.data for v in array / x] == [0.5, 1.5]
    assert (x ** scalars[1]).data == 8.0
    assert (x < array).tolist() == [False, True]
    assert (array <= x).tolist() == [True, False]
    (array * x).sum().backward()
    assert x.grad == 4.0


@pytest.mark.parametrize("name", ["exp", "tanh", "arctan", "log1p", "sqrt", "sin", "arcsinh", "cbrt"])
def test_numpys_functions_work_on_values_and_object_arrays(name: str) -> None:
    x = Value(0.5)
    f = getattr(np, name)
    assert f(x).data == pytest.approx(f(0.5), rel=1e-15)
    out = f(np.array([x, Value(0.25)]))
    assert [v.data for v in out] == pytest.approx([f(0.5), f(0.25)], rel=1e-15)
    out[0].backward()
    assert x.grad != 0.0


def test_numpys_functions_of_two_and_out() -> None:
    x, y = Value(3.0), Value(4.0)
    assert np.hypot(x, y).data == 5.0  # type: ignore[call-overload]
    assert np.maximum(x, np.array([1.0, 9.0])).tolist()[1].data == 9.0  # type: ignore[call-overload]
    total = np.array([Value(1.0), Value(2.0)])
    total += x
    assert [v.data for v in total] == [4.0, 5.0]
    assert [v.data for v in np.array([[x, y], [y, x]]) @ np.array([1.0, 2.0])] == [11.0, 10.0]
    with pytest.raises(TypeError):
        np.isnan(x)  # type: ignore[call-overload]


# --------------------------------------------------------------------------------------------- no_grad and detach


def test_no_grad_records_nothing_in_a_block_or_a_decorated_function() -> None:
    x = Value(2.0)

    @mp.no_grad()
    def f() -> Value:
        return mp.tanh(x * x) + 1

    with mp.no_grad():
        with mp.no_grad():
            pass
        inside = x.clamp(0, 1) + x
    assert inside.args == f().args == ()
    assert inside.data == 3.0
    assert (x * x).args == (x, x)
    with pytest.raises(ZeroDivisionError), mp.no_grad():
        raise ZeroDivisionError
    assert (x + x).args == (x, x)


def test_no_grad_is_this_threads_affair() -> None:
    x = Value(2.0)
    made: list[Value] = []
    with mp.no_grad():
        thread = threading.Thread(target=lambda: made.append(x * x))
        thread.start()
        thread.join()
    assert made[0].args == (x, x)


def test_detach_cuts() -> None:
    x = Value(2.0)
    y = x * x
    (y.detach() * x).backward()
    assert (x.grad, y.detach().data, y.detach().args) == (4.0, 4.0, ())


# ------------------------------------------------------------------------------------- depth, memory and threads


def chain(x: Value, length: int) -> Value:
    out = x
    for _ in range(length):
        out = out * 1.0
    return out


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_a_million_nodes_builds_runs_backward_and_is_freed() -> None:
    x = Value(2.0)
    y = chain(x, DEEP)
    assert len(toposort(y)) == DEEP + 1
    y.backward()
    assert (y.data, x.grad) == (2.0, 1.0)
    first = weakref.ref(x)
    del x, y
    assert first() is None


@pytest.mark.usefixtures("no_collector")
def test_a_dropped_graph_is_gone_without_the_collector() -> None:
    model = mp.MLP(3, [4, 4, 1], activation="tanh")
    loss = mp.losses.squared_error(model([1.0, 2.0, 3.0]), 1.0) + mp.softmax([Value(1.0), Value(2.0)])[0]
    loss.backward()
    inner = [weakref.ref(node) for node in toposort(loss)]
    del loss, model
    assert [ref() for ref in inner if ref() is not None] == []


def test_nodes_hold_no_cycles() -> None:
    loss = chain(Value(1.0), 100).tanh().clamp(0, 1)
    loss.backward()
    gc.collect()
    del loss
    assert gc.collect() == 0


def test_threads_that_share_leaves_lose_no_gradient() -> None:
    shared = Value(1.0)
    each, threads = 200, 8

    def work() -> None:
        for _ in range(each):
            (shared * 1.0 + shared).backward()

    pool = [threading.Thread(target=work) for _ in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert shared.grad == 2.0 * each * threads


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_an_operator_quotes_what_is_no_number_and_itself(symbol: str) -> None:
    says = rf"^Value {re.escape(symbol)} 'two': expected a number or a Value, got str$"
    with pytest.raises(TypeError, match=says):
        OPERATORS[symbol](Value(1.0), "two")


def test_a_hand_made_node_without_a_rule_passes_nothing_on_and_checks_its_children() -> None:
    x = Value(2.0)
    out = Value(4.0, (x, 2.0), "double")
    out.backward()
    assert (out.grad, x.grad, out.args) == (1.0, 0.0, (x, 2.0))
    with pytest.raises(TypeError, match=r"^Value\('x'\): expected a real number, got str$"):
        Value(4.0, ("x",), "double")  # type: ignore[arg-type]
