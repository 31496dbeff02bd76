"""The parts of the check by themselves: where a function changes its formula, and the complex step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.check.complex_steps import complex_step
from micrograd_plus.check.kinks import Piece, is_beside_kink, kinked, piece

Function = Callable[[Any], Any]


def sampled(f: Function) -> Callable[[float], tuple[list[float], Piece]]:
    """What the check asks a function at a number."""

    def sample(x: float) -> tuple[list[float], Piece]:
        y = f(Value(x))
        return [y.data], piece([y])

    return sample


BESIDE: dict[str, tuple[Function, float]] = {
    "relu, a kink to the left": (mp.relu, 1e-9),
    "relu, a kink to the right": (mp.relu, -1e-9),
    "far out": (lambda x: mp.abs(x - 1e6), 1e6 + 1e-4),
    "the lower end of a domain": (mp.sqrt, 1e-9),
    "an upper end": (mp.asin, 1.0 - 1e-9),
    "an end at minus one": (mp.asin, -1.0 + 1e-9),
}


@pytest.mark.parametrize("name", BESIDE)
def test_beside_a_kink_or_an_end_no_slope_can_be_measured(name: str) -> None:
    f, x = BESIDE[name]
    assert is_beside_kink(sampled(f), x)


@pytest.mark.parametrize(
    ("f", "x"), [(mp.relu, 1e-3), (mp.relu, 0.0), (mp.sqrt, 1e-3), (mp.asin, 0.99), (mp.log, 5.0), (mp.tanh, 0.0)]
)
def test_on_a_kink_and_away_from_it_one_can(f: Function, x: float) -> None:
    assert not is_beside_kink(sampled(f), x)


def test_an_if_of_ones_own_is_a_kink_beside_but_not_for_a_point_by_itself() -> None:
    assert not is_beside_kink(sampled(lambda x: x * 2.0 if x.data == 1.0 else mp.tanh(x)), 1.0)
    assert is_beside_kink(sampled(lambda x: x * 2.0 if abs(x.data - 1.0) < 1e-12 else mp.tanh(x)), 1.0)


@pytest.mark.parametrize(
    ("f", "x", "told"),
    [
        (mp.relu, 0.0, "a kink of relu"),
        (lambda x: mp.abs(x - 1e6), 1e6, "a kink of abs"),  # the step to the sides grows with the number
        (lambda x: mp.relu(x) + mp.abs(x) + mp.relu(2.0 * x), 0.0, "a kink of relu, abs"),
        (mp.sqrt, 0.0, "a kink of sqrt"),
        (mp.relu, 1.0, ""),
        (mp.tanh, 0.0, ""),
        (lambda x: mp.relu(x) if x.data > 0.0 else x * 1.0, 0.0, ""),  # nothing to compare with
    ],
)
def test_what_has_a_kink_is_named(f: Function, x: float, told: str) -> None:
    assert kinked(sampled(f), x) == told


@pytest.mark.parametrize("x", [1e-12, 0.5, 3.0, -40.0])
def test_the_step_is_in_proportion_to_small_numbers(x: float) -> None:
    variable = Value(x)
    steps = complex_step([variable * variable * variable, variable * 2.0, Value(7.0)], [variable])
    assert steps is not None
    assert [row[0] for row in steps[:2]] == pytest.approx([3.0 * x * x, 2.0], rel=1e-14)
    assert math.isnan(steps[2][0])  # what does not depend on it leaves no imaginary part


@pytest.mark.parametrize(("f", "x"), [(mp.log, 0.0), (mp.asin, 1.0), (mp.asin, -1.0), (mp.abs, 1.0), (mp.erf, 1.0)])
def test_at_the_end_of_a_domain_and_of_what_is_not_analytic_there_is_no_complex_step(f: Function, x: float) -> None:
    variable = Value(x)
    assert complex_step([f(variable)], [variable]) is None
