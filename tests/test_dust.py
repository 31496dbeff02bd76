"""What rounding leaves of larger terms is told from what is small in earnest."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.formulas.dust import dusty_gradients, dusty_values, is_dust
from micrograd_plus.pictures.drawing import DUSTY

decimals = st.integers(-1000, 1000).map(lambda n: n / 10)


def exactly(number: float) -> Fraction:
    return Fraction(round(number * 10), 10)


@given(st.lists(decimals, min_size=2, max_size=6))
def test_a_sum_of_decimals_that_is_zero_is_zero_or_dust(numbers: list[float]) -> None:
    total = Value(numbers[0])
    for number in [*numbers[1:], -float(sum(map(exactly, numbers)))]:
        total = total + Value(number)
    left = total.data
    assert left == 0.0 or total in dusty_values(toposort(total))


@given(st.lists(decimals, min_size=2, max_size=6), st.floats(1e-3, 1e6))
def test_dust_times_anything_is_dust(numbers: list[float], factor: float) -> None:
    total = Value(numbers[0])
    for number in [*numbers[1:], -float(sum(map(exactly, numbers)))]:
        total = total + Value(number)
    for product in (total * factor, total * -factor):
        assert total.data == 0.0 or product in dusty_values(toposort(product))


@given(decimals, decimals)
def test_what_differs_in_earnest_is_no_dust(a: float, b: float) -> None:
    difference = Value(a) - Value(b)
    assert exactly(a) == exactly(b) or difference not in dusty_values(toposort(difference))


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
def test_a_number_by_itself_is_no_dust(number: float) -> None:
    for v in (Value(number), Value(number) * 3.0, Value(number) + 0.0, mp.tanh(Value(number)), Value(number) * 1e-9):
        assert v not in dusty_values(toposort(v))
    assert not is_dust(number, abs(number))


def test_sines_of_pi_are_dust_and_small_numbers_beside_large_ones_are_not() -> None:
    z = mp.sin(Value(math.pi))
    assert z in dusty_values(toposort(z))
    tiny = Value(1e-17)
    both = tiny * Value(1e20)
    assert not dusty_values(toposort(both))


def test_gradients_that_cancel_are_dust_and_others_are_not() -> None:
    x, y = Value(0.3), Value(1e-17)
    loss = 0.1 * x + 0.2 * x - 0.3 * x + y * 1e-18
    loss.backward()
    assert 0.0 < abs(x.grad) < 1e-16
    nodes = toposort(loss)
    assert list(dusty_gradients(nodes, [loss])) == [x]
    x.grad = 1e-3  # held from before: no longer what this pass left
    assert not dusty_gradients(nodes, [loss])


@given(st.lists(st.sampled_from([1e308, -1e308, 1.7e308, 1e-5, 5e-324]), min_size=3, max_size=3))
def test_the_largest_numbers_are_no_dust_and_no_error(numbers: list[float]) -> None:
    a, b, c = map(Value, numbers)
    for v in ((a - b) * c, a * b - b * c, (a + b + c) * 1e-3 - a, mp.hypot(a, b) - a):
        v.backward()
        nodes = toposort(v)
        assert all(abs(node.data) < 1e308 for node in dusty_values(nodes))
        assert all(abs(node.grad) < 1e308 for node in dusty_gradients(nodes, [v]))
        assert mp.draw(v).source
        assert len(mp.backprop(v).forward) == len([node for node in nodes if node.op is not None])


def test_edges_and_rules_set_by_hand_are_no_dust() -> None:
    for number in (math.inf, math.nan, 0.0, -0.0, 5e-324):
        v = Value(number) * Value(1.0)
        v.backward()
        assert not dusty_values(toposort(v))
    x = Value(1e-300)
    out = Value(1e-17, (x,), "mine")
    out._backward = lambda: None
    assert not dusty_values(toposort(out + 1.0))
    assert not dusty_gradients(toposort(out), [out])


def test_a_ledger_whose_entries_cancel_sums_to_dust() -> None:
    x = Value(0.3, label="x")
    ledger = mp.backprop(0.1 * x + 0.2 * x - 0.3 * x).ledger(x)
    assert str(ledger).splitlines()[-1].split() == ["sum", "≈0", f"({ledger.total:.6g},", "left", "by", "rounding)"]
    assert "≈0" in ledger._repr_html_()


def test_a_picture_shows_dust_as_zero_and_says_so() -> None:
    x, tiny = Value(0.3, label="x"), Value(1e-17, label="tiny")
    loss = 0.1 * x + 0.2 * x - 0.3 * x + tiny * 1.0
    loss.backward()
    picture = mp.draw(loss)
    assert DUSTY in picture.captions
    assert "grad ≈0" in picture.source
    assert "data 1e-17" in picture.source
    assert DUSTY not in mp.draw(x * tiny).captions
