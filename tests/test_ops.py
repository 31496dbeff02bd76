"""Every row of the table against mathematics: mpmath at many digits, and the edges, one by one."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from math import inf, nan
from random import Random
from typing import Any

import exactness
import mpmath
import numpy as np
import pytest
from definitions import DEFINITIONS, Definition
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.engine.operations import ADD, MUL, TABLE, Op
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.ops.vectors import logsumexp, softmax

Numbers = tuple[float, ...]

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e308, -1e308, inf, -inf, nan)

each_row = pytest.mark.parametrize("op", list(TABLE.values()), ids=list(TABLE))
any_float = st.one_of(st.sampled_from(SPECIAL), st.floats())


def definition(op: Op) -> Definition:
    if op.name not in DEFINITIONS:
        pytest.fail(f"the row {op.name!r} has no definition in mpmath: add one in tests/definitions.py")
    return DEFINITIONS[op.name]


def exact(f: Definition, args: Sequence[Any], by: tuple[int, ...] = (), least: float = 1e-310) -> Any:
    """The derivative of f by the arguments of these indices (none: f itself), right to some twenty digits.

    Central differences with steps of 10⁻⁶⁰; where cancelled digits leave too few, as in tanh'(100), it takes more,
    unless the result is below what counts at least, or f is so far beyond the floats that no digits are enough.
    """
    digits = (
        50 + 60 * max(1, len(by)) + math.ceil(math.log10(max(1, *[abs(arg) for arg in args if mpmath.isfinite(arg)])))
    )
    while True:
        with mpmath.workdps(digits):
            point = [mpmath.mpf(arg) for arg in args]
            h = min([mpmath.mpf(1), *[abs(x) for x in point if x != 0]]) * mpmath.mpf(10) ** -60
            slope = difference(f, point, by, h)
            size = abs(f(*point))
            noise = (size if size > 1e10 * h else 1) * mpmath.mpf(10) ** -digits / h ** len(by)
        if not by or abs(slope) > noise * mpmath.mpf(10) ** 20 or noise < least or digits > 4000:
            return slope
        digits *= 2


def difference(f: Definition, point: list[Any], by: tuple[int, ...], h: Any) -> Any:
    if not by:
        return f(*point)
    i, rest = by[0], by[1:]
    above, below = [*point[:i], point[i] + h, *point[i + 1 :]], [*point[:i], point[i] - h, *point[i + 1 :]]
    return (difference(f, above, rest, h) - difference(f, below, rest, h)) / (2 * h)


# -------------------------------------------------------------------------------------------- comparing, and the points


def same(a: float, b: float) -> bool:
    """Equal, or both nan; the sign of a zero does not count."""
    return a == b or (a != a and b != b)


def near(a: float, b: float, relative: float = 1e-12, absolute: float = 1e-300) -> bool:
    return same(a, b) or (math.isfinite(b) and abs(a - b) <= relative * abs(b) + absolute)


def compare(
    op: Op, args: Numbers, got: float, by: tuple[int, ...], relative: float = 1e-12, absolute: float = 1e-300
) -> None:
    """Fail where got is not the exact derivative by these arguments.

    Near a root of the result no float is that good: there the result may be as far off as it would be, had each
    argument been a few units in the last place off. A result close to the largest float may overflow.
    """
    f = definition(op)
    want = exact(f, args, by, absolute * 1e-10)
    if near(got, float(want), relative, absolute) or (math.isinf(got) and got * want > 0 and abs(want) > 1e307):
        return
    allowance = mpmath.mpf(0)
    for i, (x, (low, high)) in enumerate(zip(args, op.domain)):
        x, ulp = mpmath.mpf(x), mpmath.mpf(2) ** -52
        nudge = 1 + ulp if low < x * (1 + ulp) < high else 1 - ulp
        moved = exact(f, [*args[:i], x * nudge, *args[i + 1 :]], by, absolute * 1e-10)
        allowance += 0 if mpmath.isnan(moved) else 4 * abs(moved - want)  # an order, say, is a whole number
    if not (math.isfinite(got) and abs(got - want) <= allowance):
        what = "value" if not by else "derivative by argument " + " and ".join(map(str, by))
        pytest.fail(f"{op.name}{args}: {what} is {got!r}, expected {float(want)!r} within {float(allowance):.1e}")


def numbers(low: float, high: float, smallest: float = 1e-300, largest: float = 1e20) -> st.SearchStrategy[float]:
    """Floats of an open interval: ordinary ones, and some very small, very large and very near its ends."""
    directed = [1e-300, 1e-20, 1e-9, 1e-6, 0.1, 0.5, 0.75, 1.0, 2.0, 3.0, 6.0, 20.0, 40.0, 355.0, 710.0, 1e3, 1e6, 1e20]
    ends = [math.nextafter(low, inf), math.nextafter(high, -inf)]
    inside = [
        x for x in [*directed, *[-x for x in directed], *ends] if low < x < high and smallest <= abs(x) <= largest
    ]
    bound = min(largest, 1e3)
    ordinary = st.floats(max(low, -bound), min(high, bound), exclude_min=True, exclude_max=True)
    return st.one_of(ordinary.filter(lambda x: x == 0.0 or abs(x) >= smallest), st.sampled_from(inside))


@st.composite
def points(draw: st.DrawFn, op: Op, smallest: float = 1e-300, largest: float = 1e20) -> Numbers:
    """Arguments inside the domain and off the kinks; an option is its default half of the time."""
    count = op.arity
    args = tuple(draw(numbers(*interval, smallest, largest)) for interval in op.domain[:count])
    for default in op.options.values():
        args += (draw(st.one_of(st.just(default), numbers(-inf, inf, smallest, largest).filter(bool))),)
    assume(op.kinks is None or op.kinks(*args) != 0.0)
    assume(op.name != "erfcx_derivative" or args[1] <= 12.0)  # digits go with the order, as its docstring says
    return args


@st.composite
def arguments(draw: st.DrawFn, op: Op) -> Numbers:
    """Any floats at all."""
    return tuple(draw(any_float) for _ in op.partials)


def partial_at(op: Op, args: Numbers, i: int) -> float:
    """The partial by argument i on plain floats, exactly 0 where it is masked."""
    partial, mask = op.partials[i], op.masks[i]
    assert partial is not None
    assert op.forward is not None
    out = op.forward(*args)
    return 0.0 if mask is not None and not mask(out, *args) else partial(out, *args)


def differentiable(op: Op) -> list[int]:
    return [i for i, partial in enumerate(op.partials) if partial is not None]


def check(op: Op, args: Numbers) -> None:
    """Fail where the forward function or a partial of the row is not its definition's."""
    assert op.forward is not None
    compare(op, args, op.forward(*args), ())
    for i in differentiable(op):
        if op.name == "stop_gradient":  # here the derivative is not that of the function: it is 0, which is its purpose
            assert partial_at(op, args, i) == 0.0
        else:
            compare(op, args, partial_at(op, args, i), (i,))


# -------------------------------------------------------------------------------------------------- laws over the table


def fault_of_rule(op: Op) -> str:
    """What is wrong with the sentence that says a row's rule in words; "" if nothing is."""
    if not op.rule:
        return f"{op.name} does not say its rule in words; give the row a sentence, rule=..."
    if not 20 <= len(op.rule) <= 120 or op.rule != " ".join(op.rule.split()):
        return f"the rule of {op.name} has {len(op.rule)} letters; expected one line of 20 to 120"
    if op.rule[0].isupper() or op.rule[-1] in ".;,":
        return f"the rule of {op.name} should begin small and end without a stop, as the line above it does"
    return ""


@each_row
def test_each_row_says_its_rule_in_words(op: Op) -> None:
    assert fault_of_rule(op) == ""


def test_a_row_without_its_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for rule, why in (("", "does not say its rule"), ("it is", "has 5 letters"), ("A" * 30, "begin small")):
        monkeypatch.setattr(mp.tanh.op, "rule", rule)
        assert why in fault_of_rule(mp.tanh.op)


@each_row
def test_each_row_says_what_it_is_in_a_line_that_ends_with_an_example(op: Op) -> None:
    assert re.fullmatch(rf"[^;]+; {op.name}\(.*\) = [-\d.einfa]+", op.doc)
    assert op.doc[:2] != op.doc[:2].upper() or not op.doc[:2].isalpha()  # it begins small, as the inside of a sentence


@each_row
def test_beyond_the_ends_of_its_domain_a_function_has_no_value(op: Op) -> None:
    """So that the domain is as wide as it can be: what draws points, and the check, keep to it."""
    ends = [(i, end, side) for i, pair in enumerate(op.domain) for end, side in zip(pair, (-1.0, 1.0))]
    for i, end, side in ends:
        if math.isfinite(end) and (op.name, i) != ("pow_log", 2):  # a whole number that counts, from a few
            inside = [max(low, -5.0) + 0.37 * (min(high, 5.0) - max(low, -5.0)) for low, high in op.domain]
            inside[i] = end + side * 1e-9
            assert math.isnan(op.forward(*inside, *op.options.values()))  # type: ignore[misc]
            inside[i] = end - side * 1e-9
            assert math.isfinite(op.forward(*inside, *op.options.values()))  # type: ignore[misc]


def test_an_operation_begins_with_empty_columns() -> None:
    op = Op("new")
    assert [getattr(op, name) for name in ("symbol", "latex", "sympy", "doc", "rule")] == [""] * 5
    assert [op.numpy, op.scipy, op.arrays, op.kinks, op.halts, op.forward] == [None] * 6
    assert (op.partials, op.masks, op.domain, op.options, op.precedence, op.flat) == ((), (), (), {}, 0, False)


def test_where_nothing_flows_back_there_is_no_slope() -> None:
    flat = [("where", 0, [1.0, 2.0, 3.0]), ("less", 0, [1.0, 2.0]), ("floor", 0, [1.5]), ("leaky_relu", 1, [1.0, 0.1])]
    for name, place, numbers in flat:
        assert TABLE[name].slope(place, 2.0, numbers) == (0.0, False)


def test_a_node_is_tame_where_its_slopes_are_finite() -> None:
    for y, tame in ((mp.exp(Value(1.0)), True), (mp.sqrt(Value(0.0)), False), (Value(math.inf) * Value(0.0), False)):
        assert y.op is not None
        assert y.op.tame(y) == tame


def test_the_function_itself_is_its_derivative_of_order_0() -> None:
    x = Value(0.7)
    y = mp.erfcx_derivative(x, 0.0)
    y.backward()
    assert (y.data, x.grad) == pytest.approx((mp.erfcx(0.7), mp.erfcx_derivative(0.7, 1.0)), rel=1e-12)
    for order in (-1.0, 0.5):
        assert math.isnan(mp.erfcx_derivative(0.7, order))
        assert math.isnan(mp.grad(mp.erfcx_derivative)(0.7, order))


def test_the_sign_of_zero_is_zero_without_a_sign() -> None:
    for zero in (0.0, -0.0):
        assert str(mp.sign(zero)) == str(float(np.sign(zero))) == "0.0"


@each_row
@given(st.data())
@settings(max_examples=50)
def test_value_and_partials_are_those_of_the_definition(op: Op, data: st.DataObject) -> None:
    args = data.draw(points(op))
    # there x**(y-1) · ln(x)**n is beyond all floats, which its product with y, 0 or nearly so, is not
    assume(op.name != "pow_log" or args[0] > 1e-290 or abs(args[1]) > 0.1)
    check(op, args)


@each_row
@given(st.data())
@settings(max_examples=20)
def test_partials_of_values_give_the_second_derivatives(op: Op, data: st.DataObject) -> None:
    args = data.draw(points(op, 1e-3, 30.0))
    count = op.arity
    for i in differentiable(op):
        leaves = [Value(x) for x in args[:count]]
        out = apply(op, *leaves, *args[count:])
        partial, mask = op.partials[i], op.masks[i]
        assert partial is not None
        assume(mask is None or mask is partial or mask(out.data, *args))
        slope = partial(out, *leaves, *args[count:])
        if isinstance(slope, Value):
            slope.backward()
        absolute = 1e-12 * max(1.0, abs(float(slope)))  # its terms may cancel, as 1/r - x²/r³ does in hypot
        for j, leaf in enumerate(leaves):
            if op.name == "stop_gradient":
                assert leaf.grad == 0.0
            else:
                compare(op, args, leaf.grad, (i, j), 1e-10, absolute)


@each_row
@given(st.data())
@settings(max_examples=15)
def test_third_derivatives_are_those_of_the_definition(op: Op, data: st.DataObject) -> None:
    """By gradients of gradients; where terms cancel, as good as the largest of them lets it be."""
    args = data.draw(points(op, 0.05, 5.0))
    count = op.arity
    if op.name == "stop_gradient":  # passes nothing back, which is its purpose
        return
    # x**0 is masked by policy, so by the exponent as well: at 0, and where x has lowered it to 0
    assume(op.name != "pow" or args[1] not in (0.0, 1.0, 2.0))
    by = tuple(sorted(data.draw(st.integers(0, count - 1)) for _ in range(3)))
    leaves = [Value(x) for x in args[:count]]
    slope = apply(op, *leaves, *args[count:])
    for i in by:
        (slope,) = mp.gradient(slope, [leaves[i]], create_graph=True)
    compare(op, args, slope.data, by, 1e-9, 1e-9)


CANCELLING: dict[str, list[Numbers]] = {  # where a formula that is right on paper has lost its digits, or overflows
    "exp2": [(1024.0,), (1024.9,)],
    "logaddexp": [(1e-20, 3e-20), (5.0, 5.0 + 1e-9)],
    "hypot": [(1e-20, -1e-8), (3e100, 2e90), (746.0, 9e-16)],
    "direction": [(1e-20, -1e-8), (1.0, 1e-60)],
    "asin": [(1e-20,), (1.0 - 1e-15,)],
    "acos": [(-1e-20,), (-1.0 + 1e-15,)],
    "atanh": [(1e-20,), (1.0 - 1e-15,)],
    "atan": [(1e85,), (-1e100,), (1e-20,)],
    "atan2": [(1e-80, 1e-85), (1e80, -1e85)],
    "logit": [(0.5 + 1e-9,), (1e-300,), (1.0 - 1e-15,)],
    "log_ndtr": [(-1e9,), (-40.0,), (30.0,), (-1e-20,)],
    "erfcx": [(1e9,), (-20.0,), (0.499,), (0.501,)],
    **{name: [(1e-20,), (-30.0,)] for name in ("sigmoid", "sigmoid_slope", "silu", "softplus", "logsigmoid", "gelu")},
}


@each_row
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_keep_their_digits(op: Op, order: int) -> None:
    """Far out and near ends, where terms like to cancel; benchmarks/digits.py goes on to where they overflow."""
    if op.flat or op.name == "stop_gradient":
        return
    drawn = list(itertools.islice(exactness.points(op, Random(op.name)), 10))
    tame = [args for args in drawn if all(1e-90 < abs(x) < 1e90 or x in op.options.values() for x in args)]
    for args in CANCELLING.get(op.name, []) + tame:
        for one in exactness.errors(op, args, order):
            assert one.error <= exactness.BOUND or one.root, f"{op.name}{args} by {one.by}: {one.got}, not {one.want}"


def test_every_definition_has_a_row() -> None:
    assert set(DEFINITIONS) <= set(TABLE)


@each_row
@given(st.data())
@settings(max_examples=15)
def test_backward_gives_the_partials(op: Op, data: st.DataObject) -> None:
    args = data.draw(arguments(op))
    count = op.arity
    leaves = [Value(x) for x in args[:count]]
    apply(op, *leaves, *args[count:]).backward()
    for i in differentiable(op):
        assert same(leaves[i].grad, partial_at(op, args, i))


@each_row
@given(st.data())
@settings(max_examples=15)
def test_partials_of_values_are_values_of_the_same_numbers(op: Op, data: st.DataObject) -> None:
    args = data.draw(arguments(op))
    count = op.arity
    assert op.forward is not None
    out = op.forward(*args)
    for rule in [*op.partials, *op.masks]:
        if rule is not None:
            number = rule(out, *args)
            value = rule(Value(out), *map(Value, args[:count]), *args[count:])
            assert isinstance(number, float)
            assert isinstance(value, (Value, float))
            assert same(float(value), number)


@each_row
@given(st.data())
@settings(max_examples=25)
def test_nothing_raises_and_nothing_turns_complex(op: Op, data: st.DataObject) -> None:
    args = data.draw(arguments(op))
    assert_real(op, args)


@each_row
def test_nothing_raises_and_nothing_turns_complex_at_special_numbers(op: Op) -> None:
    for args in itertools.product(SPECIAL, repeat=len(op.partials)):
        assert_real(op, args)


def assert_real(op: Op, args: Numbers) -> None:
    assert op.forward is not None
    out = op.forward(*args)
    assert type(out) is float
    for rule in [*op.partials, *op.masks]:
        assert rule is None or type(rule(out, *args)) is float
    if op.kinks is not None:
        assert type(op.kinks(*args)) is float


@each_row
@given(st.data())
@settings(max_examples=10)
def test_on_arrays_function_and_partials_give_the_same_numbers(op: Op, data: st.DataObject) -> None:
    rows = data.draw(st.lists(points(op), min_size=1, max_size=4))
    count = op.arity
    rows = [row[:count] + rows[0][count:] for row in rows]
    assume(op.kinks is None or all(op.kinks(*row) for row in rows))
    for row, by, got, want in on_arrays(op, rows):
        if not near(got, want):
            compare(op, row, got, by)


@each_row
def test_on_arrays_special_numbers_give_the_same_numbers(op: Op) -> None:
    count = op.arity
    rows = [args + tuple(op.options.values()) for args in itertools.product(SPECIAL, repeat=count)]
    for row, by, got, want in on_arrays(op, rows):
        assert near(got, want), f"{op.name}{row} by {by}: {got} on an array, {want} on floats"


def on_arrays(op: Op, rows: list[Numbers]) -> list[tuple[Numbers, tuple[int, ...], float, float]]:
    """Function and partials on arrays, which hold one row's arguments at each index, and on floats."""
    count = op.arity
    columns = [np.array(column) for column in zip(*[row[:count] for row in rows])]
    options = rows[0][count:]
    out = FUNCTIONS[op.name](*columns, *options)
    assert isinstance(out, np.ndarray)
    assert out.dtype == float
    assert op.forward is not None
    results: list[tuple[Numbers, tuple[int, ...], float, float]] = [
        (row, (), float(got), op.forward(*row)) for row, got in zip(rows, out)
    ]
    for i in differentiable(op):
        partial, mask = op.partials[i], op.masks[i]
        assert partial is not None
        with np.errstate(all="ignore"):
            slope = partial(out, *columns, *options)
            if mask is not None:
                slope = np.where(mask(out, *columns, *options), slope, 0.0)
        slopes = np.broadcast_to(slope, len(rows))
        results += [(row, (i,), float(got), partial_at(op, row, i)) for row, got in zip(rows, slopes)]
    return results


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.scipy], ids=repr)
@given(st.data())
@settings(max_examples=20)
def test_scipys_function_of_that_name_is_the_same(op: Op, data: st.DataObject) -> None:
    special = pytest.importorskip("scipy.special")
    args = data.draw(points(op, 1e-9, 50.0))
    assert op.forward is not None
    assert near(float(getattr(special, op.scipy or "")(*args)), op.forward(*args), 1e-11, 1e-300)


# ----------------------------------------------------------------------------------- the functions, on what people pass


@each_row
@given(st.data())
@settings(max_examples=10)
def test_function_and_method_agree_and_numbers_give_floats(op: Op, data: st.DataObject) -> None:
    args = data.draw(arguments(op))
    count = op.arity
    numbers, options = args[:count], args[count:]
    f = FUNCTIONS[op.name]
    assert op.forward is not None
    want = op.forward(*args)
    assert type(f(*args)) is float
    assert same(f(*args), want)
    for constants in itertools.product([False, True], repeat=count):
        mixed = [x if constant else Value(x) for x, constant in zip(numbers, constants)]
        if not all(constants):
            made = f(*mixed, *options)
            assert isinstance(made, Value)
            assert made.op is op
            assert same(made.data, want)
            assert all(a is b or same(float(a), float(b)) for a, b in zip(made.args, [*mixed, *options]))
        if isinstance(mixed[0], Value):
            assert same(getattr(mixed[0], op.name)(*mixed[1:], *options).data, want)


@each_row
def test_function_maps_over_lists_and_arrays(op: Op) -> None:
    f = FUNCTIONS[op.name]
    count = op.arity
    grid = [[0.25, 0.5, 0.75], [1.0, 2.0, 3.0]]
    want = [[f(*[x] * count) for x in row] for row in grid]
    lists = f(*[grid] * count)
    tuples = f(*[tuple(map(tuple, grid))] * count)
    array = f(*[np.array(grid)] * count)
    values = f(*[[[Value(x) for x in row] for row in grid]] * count)
    objects = f(*[np.array([[Value(x) for x in row] for row in grid])] * count)
    assert isinstance(lists, list)
    assert isinstance(array, np.ndarray)
    assert array.dtype == float
    assert array.shape == objects.shape == (2, 3)
    for i, j in itertools.product(range(2), range(3)):
        assert same(lists[i][j], want[i][j])
        assert same(tuples[i][j], want[i][j])
        assert near(array[i, j], want[i][j])
        for made in (values[i][j], objects[i, j]):
            assert isinstance(made, Value)
            assert same(made.data, want[i][j])


@each_row
@pytest.mark.parametrize("number", [2, True, np.float32(0.5), np.float64(0.5), np.int64(3)], ids=repr)
def test_any_real_number_gives_the_float_of_its_float(op: Op, number: Any) -> None:
    count = op.arity
    f = FUNCTIONS[op.name]
    assert type(f(*[number] * count)) is float
    assert same(f(*[number] * count), f(*[float(number)] * count))


@each_row
@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.float32])
def test_any_array_of_numbers_gives_the_floats_of_its_floats(op: Op, dtype: type) -> None:
    count = op.arity
    f = FUNCTIONS[op.name]
    columns: list[Any] = [np.array([3, 2, 1, 0]).astype(dtype), *[np.array([-2, 2, 0, 1]).astype(dtype)] * (count - 1)]
    got, want = f(*columns), f(*[column.astype(float) for column in columns])
    assert got.dtype == float
    assert all(map(near, got, want)), f"{got} but {want}"


def test_options_are_given_by_place_or_by_name() -> None:
    assert mp.clamp(5.0, 0.0, 1.0) == mp.clamp(5.0, max=1.0) == mp.clamp(5.0, min=0.0, max=1.0) == 1.0
    assert mp.leaky_relu(-1.0) == -0.01
    assert Value(-1.0).leaky_relu(0.5).data == mp.leaky_relu(-1.0, negative_slope=0.5) == -0.5


# ------------------------------------------------------------------------------- the engine's short cut through + and *


@pytest.mark.parametrize("op", [ADD, MUL], ids=["add", "mul"])
@given(any_float, any_float, any_float)
@example(0.0, inf, 1.0)
@example(nan, 0.0, inf)
def test_the_short_cut_is_the_row(op: Op, x: float, y: float, upstream: float) -> None:
    def combine(a: Any, b: Any) -> Value:
        made = a + b if op is ADD else a * b
        assert isinstance(made, Value)
        return made

    for form in ("both", "left", "right", "same"):
        pairs: list[tuple[Any, Any]] = []
        for _ in range(2):
            a: Any = x if form == "right" else Value(x)
            b: Any = a if form == "same" else y if form == "left" else Value(y)
            pairs.append((a, b))
        quick, slow = combine(*pairs[0]), combine(*pairs[1])
        (quick * upstream).backward()
        slow.grad = upstream
        op.pull(slow)
        assert op.forward is not None
        assert quick.op is op
        assert same(quick.data, op.forward(x, x if form == "same" else y))
        for short, long in zip(*pairs):
            if isinstance(short, Value):
                assert same(short.grad, long.grad)


# ---------------------------------------------------------------------------------------------------- edges, one by one


def gradients(f: Callable[..., Any], *args: float) -> tuple[float, ...]:
    """The value of f, and its gradient by each argument."""
    leaves = [Value(x) for x in args]
    out = f(*leaves)
    out.backward()
    return (out.data, *[leaf.grad for leaf in leaves])


def edge(f: Callable[..., Any], args: Numbers, *want: float) -> Any:
    name = getattr(f, "__name__", "")
    shown = ", ".join(map(str, args))
    return pytest.param(f, args, want, id=f"{name}({shown})" if name != "<lambda>" else f"expression({shown})")


ROOT_PI = math.sqrt(math.pi)
LN2 = math.log(2.0)


@pytest.mark.parametrize(
    ("f", "args", "want"),
    [
        # domains
        edge(mp.log, (0.0,), -inf, inf),
        edge(mp.log, (-1.0,), nan, -1.0),
        edge(lambda x: x / 0, (1.0,), inf, inf),
        edge(lambda x: x / 0, (0.0,), nan, inf),
        edge(lambda x: 1 / x, (0.0,), inf, -inf),
        edge(lambda x: 0 / x, (0.0,), nan, nan),
        edge(mp.reciprocal, (0.0,), inf, -inf),
        edge(mp.reciprocal, (-0.0,), -inf, -inf),
        edge(lambda x: x ** (1 / 3), (-8.0,), nan, nan),
        edge(mp.exp, (1000.0,), inf, inf),
        edge(mp.exp2, (2000.0,), inf, inf),
        edge(mp.expm1, (1000.0,), inf, inf),
        edge(mp.sinh, (-1000.0,), -inf, inf),
        edge(mp.cosh, (-1000.0,), inf, -inf),
        edge(mp.log1p, (-1.0,), -inf, inf),
        edge(mp.atanh, (1.0,), inf, inf),
        edge(mp.atanh, (-1.0,), -inf, inf),
        edge(mp.logit, (0.0,), -inf, inf),
        edge(mp.logit, (1.0,), inf, inf),
        edge(mp.asin, (1.0,), math.pi / 2, inf),
        edge(mp.acos, (-1.0,), math.pi, -inf),
        edge(mp.acosh, (1.0,), 0.0, inf),
        edge(mp.sin, (inf,), nan, nan),
        edge(mp.tan, (-inf,), nan, nan),
        # relu, leaky_relu, elu at 0
        edge(mp.relu, (0.0,), 0.0, 0.0),
        edge(mp.relu, (-0.0,), 0.0, 0.0),
        edge(mp.relu, (nan,), nan, 1.0),
        edge(mp.relu, (inf,), inf, 1.0),
        edge(mp.leaky_relu, (0.0,), 0.0, 0.01),
        edge(lambda x: mp.leaky_relu(x, 0.3), (0.0,), 0.0, 0.3),
        edge(mp.elu, (0.0,), 0.0, 1.0),
        edge(lambda x: mp.elu(x, 0.3), (0.0,), 0.0, 0.3),
        edge(lambda x: mp.celu(x, 0.3), (0.0,), 0.0, 1.0),
        edge(mp.elu, (-1000.0,), -1.0, 0.0),
        # abs, sign, floor, ceil, round
        edge(mp.abs, (0.0,), 0.0, 0.0),
        edge(abs, (-0.0,), 0.0, 0.0),
        edge(mp.abs, (-inf,), inf, -1.0),
        edge(mp.sign, (0.0,), 0.0, 0.0),
        edge(mp.sign, (nan,), nan, 0.0),
        edge(mp.sign, (-inf,), -1.0, 0.0),
        edge(mp.floor, (-0.5,), -1.0, 0.0),
        edge(mp.ceil, (-0.5,), 0.0, 0.0),
        edge(mp.floor, (-inf,), -inf, 0.0),
        edge(mp.ceil, (nan,), nan, 0.0),
        edge(mp.round, (0.5,), 0.0, 0.0),
        edge(mp.round, (1.5,), 2.0, 0.0),
        edge(mp.round, (2.5,), 2.0, 0.0),
        edge(mp.round, (-2.5,), -2.0, 0.0),
        edge(mp.round, (inf,), inf, 0.0),
        # maximum, minimum
        edge(mp.maximum, (2.0, 2.0), 2.0, 0.5, 0.5),
        edge(mp.minimum, (2.0, 2.0), 2.0, 0.5, 0.5),
        edge(mp.maximum, (0.0, -0.0), 0.0, 0.5, 0.5),
        edge(mp.maximum, (inf, inf), inf, 0.5, 0.5),
        edge(mp.maximum, (nan, 1.0), nan, 1.0, 1.0),
        edge(mp.maximum, (1.0, nan), nan, 1.0, 1.0),
        edge(mp.minimum, (nan, 1.0), nan, 1.0, 1.0),
        edge(mp.minimum, (1.0, nan), nan, 1.0, 1.0),
        edge(mp.maximum, (nan, nan), nan, 1.0, 1.0),
        edge(lambda x: mp.maximum(x, x), (2.0,), 2.0, 1.0),
        # clamp, hardtanh, hardsigmoid
        edge(lambda x: mp.clamp(x, -1.0, 1.0), (1.0,), 1.0, 1.0),
        edge(lambda x: mp.clamp(x, -1.0, 1.0), (-1.0,), -1.0, 1.0),
        edge(lambda x: mp.clamp(x, -1.0, 1.0), (2.0,), 1.0, 0.0),
        edge(lambda x: mp.clamp(x, -1.0, 1.0), (-inf,), -1.0, 0.0),
        edge(lambda x: mp.clamp(x, -1.0, 1.0), (nan,), nan, 0.0),
        edge(lambda x: mp.clamp(x, min=1.0), (0.0,), 1.0, 0.0),
        edge(mp.clamp, (inf,), inf, 1.0),
        edge(mp.hardtanh, (1.0,), 1.0, 0.0),
        edge(mp.hardtanh, (-1.0,), -1.0, 0.0),
        edge(mp.hardtanh, (0.5,), 0.5, 1.0),
        edge(mp.hardsigmoid, (3.0,), 1.0, 0.0),
        edge(mp.hardsigmoid, (-3.0,), 0.0, 0.0),
        edge(mp.hardsigmoid, (0.0,), 0.5, 1 / 6),
        # masks: exactly 0, whatever comes from upstream
        edge(lambda x: mp.relu(x) * inf, (-1.0,), nan, 0.0),
        edge(lambda x: mp.relu(x) * nan, (-1.0,), nan, 0.0),
        edge(lambda x: mp.relu(x) * inf, (0.0,), nan, 0.0),
        edge(lambda x: mp.clamp(x, 0.0, 1.0) * inf, (2.0,), inf, 0.0),
        edge(lambda x: mp.hardtanh(x) * inf, (2.0,), inf, 0.0),
        edge(lambda x: mp.hardsigmoid(x) * nan, (4.0,), nan, 0.0),
        edge(lambda x: mp.floor(x) * inf, (1.5,), inf, 0.0),
        edge(lambda x, y: mp.maximum(x, y) * inf, (1.0, 2.0), inf, 0.0, inf),
        edge(lambda x, y: mp.minimum(x, y) * nan, (1.0, 2.0), nan, nan, 0.0),
        edge(lambda x: x**0 * inf, (3.0,), inf, 0.0),
        edge(lambda x: mp.leaky_relu(x, 0.0) * inf, (-1.0,), nan, nan),  # no mask: 0·inf is nan
        edge(lambda x: x * 0.0 * inf, (3.0,), nan, nan),
        # where
        edge(lambda x, y: mp.where(1.0, x, y), (2.0, 3.0), 2.0, 1.0, 0.0),
        edge(lambda x, y: mp.where(False, x, y), (2.0, 3.0), 3.0, 0.0, 1.0),
        edge(lambda x, y: mp.where(x < y, x, y), (2.0, 3.0), 2.0, 1.0, 0.0),
        edge(mp.where, (nan, 2.0, 3.0), 2.0, 0.0, 1.0, 0.0),
        edge(lambda x, y: mp.where(0.0, x, y) * inf, (2.0, 3.0), inf, 0.0, inf),
        edge(lambda x: mp.where(x > 0.0, mp.log(x), x), (-1.0,), -1.0, 1.0),
        edge(lambda x: mp.where(x > 0.0, mp.sqrt(x), x), (0.0,), 0.0, 1.0),  # not taken: not even 0·inf
        # pow
        edge(lambda x: x**0, (0.0,), 1.0, 0.0),
        edge(lambda x: x**0, (nan,), 1.0, 0.0),
        edge(lambda x: x**0.0, (-inf,), 1.0, 0.0),
        edge(mp.pow, (0.0, 0.0), 1.0, 0.0, 0.0),
        edge(mp.pow, (0.0, 2.0), 0.0, 0.0, 0.0),
        edge(mp.pow, (0.0, 1.0), 0.0, 1.0, 0.0),
        edge(mp.pow, (0.0, 0.5), 0.0, inf, 0.0),
        edge(mp.pow, (0.0, -1.0), inf, -inf, -inf),
        edge(mp.pow, (-0.0, -1.0), -inf, -inf, inf),
        edge(mp.pow, (2.0, 3.0), 8.0, 12.0, 8.0 * LN2),
        edge(mp.pow, (-2.0, 3.0), -8.0, 12.0, nan),
        edge(mp.pow, (-1e308, 3.0), -inf, inf, nan),
        edge(lambda x: x**3, (-2.0,), -8.0, 12.0),
        edge(lambda x: x**-1, (-2.0,), -0.5, -0.25),
        edge(lambda x: x**2.0, (0.0,), 0.0, 0.0),
        edge(lambda x: 2**x, (3.0,), 8.0, 8.0 * LN2),
        edge(lambda x: 0**x, (3.0,), 0.0, 0.0),
        edge(lambda x: (-2.0) ** x, (3.0,), -8.0, nan),
        edge(lambda x, y: x**y, (2.0, 3.0), 8.0, 12.0, 8.0 * LN2),
        edge(lambda x: x**x, (2.0,), 4.0, 4.0 + 4.0 * LN2),
        # mod
        edge(lambda x, y: x % y, (7.0, 3.0), 1.0, 1.0, -2.0),
        edge(lambda x, y: x % y, (-7.0, 3.0), 2.0, 1.0, 3.0),
        edge(lambda x, y: x % y, (7.0, -3.0), -2.0, 1.0, 3.0),
        edge(lambda x, y: x % y, (-7.0, -3.0), -1.0, 1.0, -2.0),
        edge(lambda x: 7 % x, (-3.0,), -2.0, 3.0),
        edge(mp.mod, (0.9, 0.1), 0.9 % 0.1, 1.0, -8.0),  # 0.9 / 0.1 rounds up to 9
        edge(mp.mod, (5.0, 0.0), nan, 1.0, -inf),
        # roots
        edge(mp.sqrt, (0.0,), 0.0, inf),
        edge(mp.sqrt, (-1.0,), nan, nan),
        edge(mp.rsqrt, (0.0,), inf, -inf),
        edge(mp.cbrt, (-8.0,), -2.0, 1 / 12),
        edge(mp.cbrt, (0.0,), 0.0, inf),
        edge(mp.cbrt, (-0.0,), 0.0, inf),
        # copysign, hypot, logaddexp, atan2
        edge(mp.copysign, (3.0, -1.0), -3.0, -1.0, 0.0),
        edge(mp.copysign, (-3.0, -0.0), -3.0, 1.0, 0.0),
        edge(mp.copysign, (0.0, -1.0), 0.0, 0.0, 0.0),
        edge(mp.copysign, (-inf, 1.0), inf, -1.0, 0.0),
        edge(mp.hypot, (0.0, 0.0), 0.0, nan, nan),
        edge(mp.hypot, (1e200, 0.0), 1e200, 1.0, 0.0),
        edge(mp.hypot, (inf, nan), inf, nan, nan),
        edge(mp.logaddexp, (-inf, -inf), -inf, nan, nan),
        edge(mp.logaddexp, (-inf, 0.0), 0.0, 0.0, 1.0),
        edge(mp.logaddexp, (1000.0, 1000.0), 1000.0 + LN2, 0.5, 0.5),
        edge(lambda x, y: logsumexp([x, y]), (-inf, -inf), -inf, nan, nan),
        edge(mp.atan2, (0.0, 0.0), 0.0, 0.0, 0.0),
        edge(mp.atan2, (-0.0, -0.0), -math.pi, 0.0, 0.0),
        edge(mp.atan2, (1e200, 0.0), math.pi / 2, 0.0, -1e-200),
        edge(mp.atan2, (1e-200, 0.0), math.pi / 2, 0.0, -1e200),
        # erfinv, sinc
        edge(mp.erfinv, (1.0,), inf, inf),
        edge(mp.erfinv, (-1.0,), -inf, inf),
        edge(mp.erfinv, (0.0,), 0.0, ROOT_PI / 2),
        edge(mp.sinc, (0.0,), 1.0, 0.0),
        edge(mp.sinc, (1.0,), 0.0, -1.0),
        edge(mp.sinc, (-2.0,), 0.0, -0.5),
        edge(mp.sinc, (0.5,), 2 / math.pi, -4 / math.pi),
        edge(mp.sinc, (inf,), nan, nan),
        # gelu and softplus have no cut-off
        edge(mp.gelu, (-10.0,), -7.61985302416052589e-23, -7.618400096464814e-22),
        edge(mp.softplus, (-40.0,), 4.248354255291589e-18, 4.248354255291589e-18),
        edge(mp.softplus, (25.0,), 25.000000000013888, 0.999999999986112),
        # stability
        edge(mp.sigmoid, (1000.0,), 1.0, 0.0),
        edge(mp.sigmoid, (-1000.0,), 0.0, 0.0),
        edge(mp.sigmoid, (-700.0,), 9.85967654375977e-305, 9.85967654375977e-305),
        edge(mp.softplus, (1000.0,), 1000.0, 1.0),
        edge(mp.softplus, (-1000.0,), 0.0, 0.0),
        edge(mp.tanh, (1000.0,), 1.0, 0.0),
        edge(mp.tanh, (-1000.0,), -1.0, 0.0),
        edge(mp.logsigmoid, (-1000.0,), -1000.0, 1.0),
        edge(mp.logaddexp, (1000.0, -1000.0), 1000.0, 1.0, 0.0),
        edge(mp.silu, (-1000.0,), 0.0, 0.0),
        edge(mp.mish, (-1000.0,), 0.0, 0.0),
        edge(mp.gelu, (1000.0,), 1000.0, 1.0),
        edge(lambda x, y: logsumexp([x, y]), (1000.0, -1000.0), 1000.0, 1.0, 0.0),
        edge(lambda x, y: softmax([x, y])[0], (1000.0, -1000.0), 1.0, 0.0, 0.0),
        edge(lambda x, y: softmax([x, y])[1], (1000.0, -1000.0), 0.0, 0.0, 0.0),
    ],
)
def test_values_and_gradients_at_the_edges(f: Callable[..., Any], args: Numbers, want: Numbers) -> None:
    got = gradients(f, *args)
    assert all(map(near, got, want)), f"value and gradients are {got}, expected {want}"


@given(st.data())
def test_outside_its_domain_a_value_is_nan(data: st.DataObject) -> None:
    rows = [op for op in TABLE.values() if op.domain[0] != (-inf, inf) and len(op.domain) == 1]
    op = data.draw(st.sampled_from(rows))
    low, high = op.domain[0]
    x = data.draw(st.floats(allow_nan=False).filter(lambda x: not low <= x <= high))
    assert math.isnan(FUNCTIONS[op.name](x))


def test_masks_stand_where_the_design_has_them() -> None:
    """In every other row 0·inf is nan; the comparisons, stop_gradient and copysign's sign are functions of steps."""
    wanted = "relu clamp where maximum minimum hardtanh hardsigmoid sign floor ceil trunc round pow pow_log"
    steps = "less less_equal equal stop_gradient copysign"
    assert {op.name for op in TABLE.values() if any(op.masks)} == set(f"{wanted} {steps}".split())


@each_row
def test_a_slope_with_its_gate_says_for_anything_what_a_slope_says_for_numbers(op: Op) -> None:
    """`Op.slope` is `Op.gated_slope` written out; where nothing can flow at all, its gate is shut everywhere."""
    for args in itertools.product(SPECIAL, repeat=len(op.partials)):
        out = op.forward(*args)  # type: ignore[misc]  # rows have one
        for place in range(op.arity):
            slope, gate = op.gated_slope(place, lambda rule: rule(out, *args))  # noqa: B023 - called at once
            assert repr(op.slope(place, out, args)) == repr((slope, gate is None or bool(gate)))
            assert op.flows_to(place) or not op.slope(place, out, args)[1]
        assert not any(map(op.flows_to, range(op.arity, len(args)))) or op.halts is None


@each_row
@pytest.mark.parametrize("upstream", [inf, -inf, nan])
def test_a_zero_of_a_mask_stops_even_an_infinite_upstream(op: Op, upstream: float) -> None:
    count = op.arity
    for args in itertools.product(SPECIAL, repeat=count):
        options = tuple(op.options.values())
        leaves = [Value(x) for x in args]
        out = apply(op, *leaves, *options)
        (out * upstream).backward()
        for leaf, mask in zip(leaves, op.masks):
            if mask is not None and not mask(out.data, *args, *options):
                assert leaf.grad == 0.0


def test_the_second_derivative_of_sinc_is_right_everywhere() -> None:
    for x, want in [(0.0, -(math.pi**2) / 3), (1.0, 2.0), (0.4, -1.8719587335), (1e20, -2e-40)]:
        leaf = Value(x)
        (rule,) = TABLE["sinc"].partials
        assert rule is not None
        rule(mp.sinc(leaf), leaf).backward()
        assert near(leaf.grad, want, 1e-9, 1e-30), f"sinc''({x}) is {leaf.grad}, expected {want}"


FLAT_FAR_OUT = ["sigmoid", "softplus", "tanh", "logsigmoid", "gelu", "silu", "mish", "selu", "elu", "celu", "softsign"]
FLAT_FAR_OUT += ["erf", "erfc", "atan", "asinh", "sinc"]


@pytest.mark.parametrize("name", FLAT_FAR_OUT)
@pytest.mark.parametrize("x", [1000.0, -1000.0, 1e8, -1e8])
def test_far_out_even_the_second_derivative_is_finite(name: str, x: float) -> None:
    op, leaf = TABLE[name], Value(x)
    options = op.options.values()
    partial = op.partials[0]
    assert partial is not None
    slope = partial(apply(op, leaf, *options), leaf, *options)
    slope.backward()
    assert math.isfinite(slope.data)
    assert math.isfinite(leaf.grad)


# ---------------------------------------------------------------------------------------------------------------- kinks

# where each row with a kink has one: at those of JUMPING the value or its derivative jumps, at the others the second
JUMPING: dict[str, list[Numbers]] = {
    "div": [(1.0, 0.0)],
    "mod": [(6.0, 3.0), (-6.0, 2.0), (1.0, 0.0)],
    "reciprocal": [(0.0,)],
    "cbrt": [(0.0,)],
    "abs": [(0.0,)],
    "sign": [(0.0,)],
    "floor": [(0.0,), (-2.0,)],
    "ceil": [(0.0,), (3.0,)],
    "trunc": [(1.0,), (-2.0,)],
    "round": [(0.5,), (-1.5,)],
    "maximum": [(2.0, 2.0), (0.0, 0.0)],
    "minimum": [(2.0, 2.0), (0.0, 0.0)],
    "clamp": [(-1.0, -1.0, 2.0), (2.0, -1.0, 2.0), (2.0, -inf, 2.0), (2.0, 2.0, inf)],
    "less": [(2.0, 2.0)],
    "less_equal": [(2.0, 2.0)],
    "equal": [(2.0, 2.0)],
    "where": [(0.0, 1.0, 2.0)],
    "copysign": [(0.0, 1.0), (1.0, 0.0)],
    "hypot": [(0.0, 0.0)],
    "atan2": [(0.0, 0.0), (0.0, -1.0)],
    "direction": [(0.0, 0.0)],
    "relu": [(0.0,)],
    "leaky_relu": [(0.0, 0.01)],
    "elu": [(0.0, 0.5)],
    "selu": [(0.0,)],
    "hardtanh": [(-1.0, -1.0, 1.0), (1.0, -1.0, 1.0)],
    "hardsigmoid": [(-3.0,), (3.0,)],
}
BENDING: dict[str, list[Numbers]] = {"elu": [(0.0, 1.0)], "celu": [(0.0, 1.0), (0.0, 0.5)], "softsign": [(0.0,)]}
NO_ZERO = {"tan", "pow_log"}  # no float is a multiple of π/2; pow_log jumps by its count, which has no derivative
INFINITE = {"div", "mod", "reciprocal", "cbrt", "hypot", "direction"}  # the policy there: infinite or nan

kinked = [op for op in TABLE.values() if op.kinks is not None and op.name not in NO_ZERO]


@pytest.mark.parametrize("op", kinked, ids=repr)
def test_at_a_kink_the_sides_disagree_and_the_gradient_is_finite(op: Op) -> None:
    if op.name not in JUMPING | BENDING:
        pytest.fail(f"the row {op.name!r} has kinks, but none is listed: add one to JUMPING in tests/test_ops.py")
    assert op.forward is not None
    corners = [(op.forward, args) for args in JUMPING.get(op.name, [])]
    corners += [(lambda *args: partial_at(op, args, 0), args) for args in BENDING.get(op.name, [])]
    for f, args in corners:
        assert op.kinks is not None
        assert op.kinks(*args) == 0.0
        assert any(sides_disagree(f, args, i) for i in differentiable(op))
        if op.name not in INFINITE:
            assert all(math.isfinite(partial_at(op, args, i)) for i in differentiable(op))


def sides_disagree(f: Callable[..., float], args: Numbers, i: int) -> bool:
    """Whether f has a corner, a jump or a pole there along argument i."""
    h = 1e-7
    left, middle, right = [f(*args[:i], args[i] + d, *args[i + 1 :]) for d in (-h, 0.0, h)]
    before, after = (middle - left) / h, (right - middle) / h
    steep = max(abs(before), abs(after))
    return not (abs(before - after) < 1e-4 and steep < 1e4)


@pytest.mark.parametrize("op", kinked, ids=repr)
@given(st.data())
@settings(max_examples=15)
def test_off_the_kinks_the_sides_agree(op: Op, data: st.DataObject) -> None:
    count = op.arity
    thousandths = st.integers(600, 9400).filter(lambda n: n % 500 != 0)  # so none is near a whole or half number
    drawn = data.draw(st.lists(thousandths, min_size=count, max_size=count, unique=True))
    signs = data.draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=count, max_size=count))
    args = tuple(sign * (n / 1e3 + 1e-4 * math.pi) for n, sign in zip(drawn, signs)) + tuple(op.options.values())
    assert op.kinks is not None
    assert op.forward is not None
    assert op.kinks(*args) != 0.0
    assert not any(sides_disagree(op.forward, args, i) for i in differentiable(op))


# ------------------------------------------------------------------------------------------------- these tests can fail


@pytest.mark.parametrize(
    ("name", "args", "wrong"),
    [
        ("tanh", (0.5,), lambda out, _: 2.0 * (1.0 - out * out)),
        ("tanh", (0.5,), lambda out, _: out * out - 1.0),
        ("tanh", (20.0,), lambda out, _: 1.0 - out * out),  # right but for lost digits
        ("exp", (1.0,), lambda out, _: out + 1e-9),
        ("sinc", (1e-4,), lambda out, x: (math.cos(math.pi * x) - out) / x),
        ("relu", (-1.0,), lambda *_: 1.0),
        ("log", (3.0,), lambda *_: nan),
        ("log", (3.0,), lambda *_: inf),
    ],
)
def test_a_wrong_partial_is_caught(
    name: str, args: Numbers, wrong: Callable[..., float], monkeypatch: pytest.MonkeyPatch
) -> None:
    op = TABLE[name]
    check(op, args)
    monkeypatch.setattr(op, "partials", (wrong, *op.partials[1:]))
    monkeypatch.setattr(op, "masks", (None, *op.masks[1:]))
    with pytest.raises(pytest.fail.Exception, match=rf"{name}\(.*derivative by argument 0 is .* expected"):
        check(op, args)


def test_a_wrong_value_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TABLE["erf"], "forward", lambda x: math.erf(x) * (1.0 + 1e-10))
    with pytest.raises(pytest.fail.Exception, match="value is"):
        check(TABLE["erf"], (0.5,))


def test_comparing_tells_the_infinite_from_the_finite() -> None:
    assert near(inf, inf)
    assert near(nan, nan)
    assert not any(near(a, b) for a, b in itertools.permutations([1.0, inf, -inf, nan], 2))


def test_a_row_without_a_definition_is_caught() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"add one in tests/definitions\.py"):
        definition(Op("unheard_of"))


def test_the_logit_of_arrays_keeps_its_digits_around_a_half() -> None:
    x = 0.5 + np.array([-0.2499, -1e-3, -1e-12, 1e-12, 1e-3, 0.2499])
    with mpmath.workdps(40):
        want = [float(mpmath.log(mpmath.mpf(p) / (1 - mpmath.mpf(p)))) for p in x.tolist()]
    arrays = mp.logit.op.arrays
    assert arrays is not None
    assert np.allclose(arrays(x), want, rtol=1e-14, atol=0.0)


def test_erfcx_keeps_its_digits_left_of_zero() -> None:
    for x in (-26.3, -9.87654321, -1.0, -0.1, 0.49):
        with mpmath.workdps(40):
            want = mpmath.exp(mpmath.mpf(x) ** 2) * mpmath.erfc(x)
        assert mp.erfcx(x) == pytest.approx(float(want), rel=1e-14)


def test_the_slopes_of_hypot_stay_what_they_are_where_it_overflows() -> None:
    slopes = mp.grad(mp.hypot, (0, 1))(1.5e308, -1.2e308)
    assert slopes == pytest.approx((1.5 / math.hypot(1.5, 1.2), -1.2 / math.hypot(1.5, 1.2)), rel=1e-15)
