"""Functions over lists, against mpmath, PyTorch and their definitions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort

logits = st.lists(st.floats(-1000, 1000), min_size=1, max_size=6)


def values(data: list[float]) -> list[Value]:
    return [Value(x) for x in data]


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=6))
def test_dot_is_the_sum_of_products_and_each_factor_gets_the_other(pairs: list[tuple[float, float]]) -> None:
    a, b = values([x for x, _ in pairs]), values([y for _, y in pairs])
    total = mp.dot(a, b)
    assert total.data == pytest.approx(sum(x * y for x, y in pairs), rel=1e-12, abs=1e-9)
    total.backward()
    assert [v.grad for v in a + b] == [y for _, y in pairs] + [x for x, _ in pairs]


def test_dot_and_neuron_build_one_product_and_one_sum_per_weight() -> None:
    for root, sums in ((mp.dot(values([1.0, 2.0, 3.0]), [4.0, 5.0, 6.0]), 2), (mp.Neuron(3)([1.0, 2.0, 3.0]), 3)):
        ops = [node._op for node in toposort(root)]
        assert (ops.count("*"), ops.count("+")) == (3, sums)


def test_dot_of_plain_numbers_is_a_float() -> None:
    assert (mp.dot([1, 2], [3, 4]), type(mp.dot([1, 2], [3, 4]))) == (11.0, float)
    assert mp.dot(np.array([1.0, 2.0]), (3, 4)) == 11.0


def test_dot_of_a_matrix_and_a_vector_reads_as_in_the_textbooks() -> None:
    weights = [values([1.0, 2.0]), values([-3.0, 1.0])]
    bias = [0.5, 1.0]
    out = mp.relu(mp.dot(weights, [1.0, 1.0]) + bias)
    assert isinstance(out, np.ndarray)
    assert (out.dtype, [v.data for v in out]) == (object, [3.5, 0.0])
    out.sum().backward()
    assert [w.grad for row in weights for w in row] == [1.0, 1.0, 0.0, 0.0]
    numbers = mp.dot(np.eye(2), [1.0, 2.0])
    assert (numbers.dtype, numbers.tolist()) == (float, [1.0, 2.0])


def test_without_numpy_a_layer_reads_as_in_the_textbooks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    W, x, b = [values([2.0, -1.0]), values([-3.0, 1.0])], [0.5, 0.25], values([1.0, 2.0])  # noqa: N806
    with_numpy = mp.relu(mp.dot(W, x) + b)
    monkeypatch.setitem(sys.modules, "numpy", None)
    sums = mp.dot(W, x)
    without = mp.relu(sums + b)
    assert [out.data for out in without] == [out.data for out in with_numpy]
    assert [v.data for v in b - sums * 2.0] == [-0.5, 4.5]
    assert [v.data for v in b + (1.0 - 2.0 * sums)] == [0.5, 5.5]
    without[0].backward()
    assert [v.grad for v in W[0]] == x
    with pytest.raises(ValueError, match="a column of 2 numbers and a list of 3; expected the same length"):
        sums + [1.0] * 3


@given(logits)
def test_softmax_agrees_with_mpmath(data: list[float]) -> None:
    with mpmath.workdps(50):
        exact = [mpmath.exp(mpmath.mpf(x)) for x in data]
        expected = [float(e / mpmath.fsum(exact)) for e in exact]
    assert mp.softmax(data) == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert [p.data for p in mp.softmax(values(data))] == mp.softmax(data)


@given(logits)
def test_logsumexp_agrees_with_mpmath_and_its_gradient_is_softmax(data: list[float]) -> None:
    with mpmath.workdps(50):
        exact = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(x)) for x in data))
    leaves = values(data)
    out = mp.logsumexp(leaves)
    rounding = 4e-16 * len(data) * max(map(abs, data))  # the inputs' own last digit
    assert out.data == pytest.approx(float(exact), rel=1e-12, abs=rounding + 1e-45)
    out.backward()
    assert [v.grad for v in leaves] == pytest.approx(mp.softmax(data), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize("small", [-40.0, -700.0])
def test_logsumexp_keeps_what_is_far_smaller(small: float) -> None:
    assert mp.logsumexp([0.0, small]) == pytest.approx(float(mpmath.log1p(mpmath.exp(small))), rel=1e-12)


@given(logits)
def test_log_softmax_is_the_logarithm_of_softmax(data: list[float]) -> None:
    with mpmath.workdps(50):
        total = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(x)) for x in data))
        expected = [float(mpmath.mpf(x) - total) for x in data]
    assert mp.log_softmax(data) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_softmax_and_its_kin_agree_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    data = [1.5, -2.0, 0.25, 30.0]
    pairs: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
        (lambda v: mp.softmax(v)[1], lambda t: torch.softmax(t, 0)[1]),
        (lambda v: mp.log_softmax(v)[2], lambda t: torch.log_softmax(t, 0)[2]),
        (mp.logsumexp, lambda t: torch.logsumexp(t, 0)),
        (mp.mean, torch.mean),
    ]
    for ours, theirs in pairs:
        leaves, tensor = values(data), torch.tensor(data, dtype=torch.float64, requires_grad=True)
        out, expected = ours(leaves), theirs(tensor)
        out.backward()
        expected.backward()
        assert out.data == pytest.approx(expected.item(), rel=1e-12)
        assert [v.grad for v in leaves] == pytest.approx(tensor.grad.tolist(), rel=1e-10, abs=1e-25)


def test_logsumexp_of_nothing_but_minus_infinity() -> None:
    leaves = values([-np.inf, -np.inf])
    out = mp.logsumexp(leaves)
    out.backward()
    assert out.data == -np.inf
    assert all(np.isnan(v.grad) for v in leaves)


@pytest.mark.parametrize(
    "data", [[-np.inf, -np.inf, 1.0], [1.0, -np.inf, 2.0, -np.inf], [3.0], [2.0, 2.0], [np.inf, 1.0]]
)
def test_logsumexp_with_infinities_and_ties_is_pytorchs(data: list[float]) -> None:
    torch = pytest.importorskip("torch")
    leaves, tensor = values(data), torch.tensor(data, dtype=torch.float64, requires_grad=True)
    out, expected = mp.logsumexp(leaves), torch.logsumexp(tensor, 0)
    out.backward()
    expected.backward()
    assert out.data == pytest.approx(expected.item(), rel=1e-15)
    assert [v.grad for v in leaves] == pytest.approx(tensor.grad.tolist(), rel=1e-15, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mp.dot([1, 2, 3], [1, 2, 3, 4]), ValueError, "dot: vectors of 3 and 4 numbers; expected the same"),
        (lambda: mp.dot([[1.0, 2.0]], [1.0, 2.0, 3.0]), ValueError, "dot: vectors of 2 and 3 numbers"),
        (lambda: mp.dot([], []), ValueError, "dot: got an empty list; expected at least one number"),
        (lambda: mp.dot(3, [1]), TypeError, r"dot\(3\): expected a list of numbers, got int"),
        (lambda: mp.mean([]), ValueError, "mean: got an empty list"),
        (lambda: mp.softmax([]), ValueError, "softmax: got an empty list"),
        (lambda: mp.logsumexp([]), ValueError, "logsumexp: got an empty list"),
        (lambda: mp.log_softmax([]), ValueError, "log_softmax: got an empty list"),
        (lambda: mp.softmax("abc"), TypeError, r"softmax\('abc'\): expected a list of numbers, got str"),
        (lambda: mp.dot(["a"], [1.0]), TypeError, r"dot\('a'\): expected a list of numbers, got str"),
    ],
)
def test_bad_lists_are_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("index", [2, 2.0, np.int64(2), np.float32(2)])
def test_lookup_gives_the_entry_itself(index: Any) -> None:
    table = [Value(float(i)) for i in range(4)]
    assert mp.lookup(table, index) is table[2]
    rows = [[Value(1.0), Value(2.0)] for _ in range(3)]
    assert all(a is b for a, b in zip(mp.lookup(rows, index), rows[2], strict=True))
    assert mp.lookup(np.arange(12.0).reshape(4, 3), index) == [6.0, 7.0, 8.0]


@pytest.mark.parametrize("index", [-1, 4, 1.5, nan, inf])
def test_lookup_refuses_what_is_not_in_the_table(index: Any) -> None:
    with pytest.raises(ValueError, match=r"lookup: index .*; expected a whole number from 0 to 3"):
        mp.lookup([1.0, 2.0, 3.0, 4.0], index)


@pytest.mark.parametrize("index", ["1", None, [1], 1j])
def test_lookup_refuses_what_is_no_index(index: Any) -> None:
    with pytest.raises(TypeError, match="lookup: index"):
        mp.lookup([1.0, 2.0, 3.0, 4.0], index)


def test_lookup_by_a_value_is_a_graph_of_it() -> None:
    table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    index = Value(1.0)
    row = mp.lookup(table, index)
    (row[0] * row[1]).backward()
    assert [entry.data for entry in row] == [3.0, 4.0]
    assert [entry.grad for entries in table for entry in entries] == [0.0, 0.0, 4.0, 3.0]
    assert index.grad == 0.0
    assert isnan(mp.lookup(table, Value(0.5))[0].data)


def test_lookup_refuses_what_is_no_table() -> None:
    with pytest.raises(ValueError, match="rows of the same length"):
        mp.lookup([[1.0], [1.0, 2.0]], 0)
    with pytest.raises(ValueError, match="rows of the same length"):
        mp.lookup([1.0, [1.0]], 0)
    with pytest.raises(ValueError, match="an empty list"):
        mp.lookup([], 0)
    with pytest.raises(TypeError, match="expected a list"):
        mp.lookup(Value(1.0), 0)


SMALL = [np.uint8, np.int8, np.int16, np.int64, np.float16, np.float32]


@pytest.mark.parametrize("kind", SMALL)
def test_numbers_of_numpy_in_few_bits_are_floats(kind: Any) -> None:
    """Among uint8, 200 + 100 is 44; float16 has no 2049."""
    data = [100.0, 120.0, 3.0]
    for numbers in (np.array(data, kind), list(np.array(data, kind)), [Value(100.0), kind(120), kind(3)]):
        assert float(mp.mean(numbers)) == pytest.approx(223.0 / 3.0, rel=1e-15)
        assert float(mp.dot(numbers, numbers)) == 10000.0 + 14400.0 + 9.0
        assert float(mp.logsumexp(numbers)) == float(mp.logsumexp(data))
        assert list(map(float, mp.softmax(numbers))) == mp.softmax(data)
        assert float(mp.losses.squared_error(numbers, np.array([0, 1, 2], kind))) == 10000.0 + 119.0**2 + 1.0
        assert float(mp.losses.huber(numbers, np.array([101, 0, 0], kind))) == pytest.approx((0.5 + 119.5 + 2.5) / 3.0)
    ones = np.ones(5000, kind)
    assert (mp.mean(ones), mp.dot(ones, ones)) == (1.0, 5000.0)
    logit = mp.losses.binary_cross_entropy_with_logits(kind(3), kind(1))
    assert logit == mp.losses.binary_cross_entropy_with_logits(3.0, 1.0)


@pytest.mark.parametrize(
    "function", [mp.mean, mp.softmax, mp.log_softmax, mp.logsumexp, lambda numbers: mp.dot([1.0], numbers)]
)
@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], r"\(\[1\.0, 2\.0\]\): expected a number or a Value, got list"),
        ([Value(1.0), [Value(2.0)]], "expected a number or a Value, got list"),
        ({1: Value(10.0), 2: Value(20.0)}, "expected a list of numbers, got dict"),
        (np.ones((2, 2)), r"expected a list of numbers, got an array of shape \(2, 2\)"),
        (np.array([[Value(1.0)], [Value(2.0)]]), r"got an array of shape \(2, 1\)"),
    ],
)
def test_what_is_nested_is_no_list_of_numbers(function: Any, numbers: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        function(numbers)


def test_an_array_in_a_list_is_many_numbers_at_once() -> None:
    whole = mp.mean([np.array([1, 2], np.uint8), np.array([255, 3], np.uint8), 0.5])
    assert whole.tolist() == pytest.approx([256.5 / 3.0, 5.5 / 3.0])


class Small:
    """A tensor as PyTorch makes them: its numbers wrap round among themselves, and its dtype is none of NumPy's."""

    dtype = object()

    def __init__(self, numbers: Any) -> None:
        self.numbers = np.asarray(numbers, dtype=np.uint8)
        self.shape = self.numbers.shape

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Small:
        return Small(self.numbers[place])

    def tolist(self) -> Any:
        return self.numbers.tolist()


def test_numbers_of_others_are_added_as_floats_not_as_bytes() -> None:
    many, few = Small([200, 100]), Small([2, 2])
    assert mp.mean(many) == mp.mean([many[0], many[1]]) == 150.0
    assert mp.dot(many, few) == 600.0
    assert mp.losses.squared_error(few, many) == 198.0**2 + 98.0**2
    assert mp.losses.squared_error([few[0]], [many[0]]) == 198.0**2
    assert mp.losses.cross_entropy(many, 1) == 100.0


@pytest.mark.parametrize("number", [Decimal("0.5"), Fraction(1, 2), np.float16(0.5)])
def test_numbers_of_any_kind_go_together(number: Any) -> None:
    assert mp.mean([number, 1.5]) == mp.dot([number], [2.0]) == 1.0
    assert mp.softmax([number, 0.5]) == [0.5, 0.5]
    assert mp.losses.squared_error([number], [1.5]) == 1.0


LOSSES = [name for name in mp.losses.LOSSES if name != "cross_entropy"]


@pytest.mark.parametrize("given", [{0: 1.0, 1: 0.0}, {0.0, 1.0}])
def test_what_has_no_order_is_no_list_of_outputs(given: Any) -> None:
    for name in LOSSES:
        loss = mp.losses.LOSSES[name].function
        for arguments in ((given, [1.0, 1.0]), ([1.0, 1.0], given)):
            with pytest.raises(TypeError, match=rf"{name}\(.*\): expected a number or a list of them, got"):
                loss(*arguments)
    for arguments in ((given, 0), ([1.0, 1.0], given)):
        with pytest.raises(TypeError, match=r"cross_entropy\(.*\): expected a (number or a )?list of"):
            mp.losses.cross_entropy(*arguments)
