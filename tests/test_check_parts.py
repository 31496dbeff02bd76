"""The parts of the check by themselves: kinks, rounding errors, the complex step, verdicts, and whom to blame."""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from math import inf, nan, ulp
from pathlib import Path
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.check import complex_steps, culprits
from micrograd_plus.check.complex_steps import complex_step, complex_step_of_floats
from micrograd_plus.check.culprits import wrong_operation
from micrograd_plus.check.differences import NOTHING, Slope
from micrograd_plus.check.judging import Evidence, Verdict, contradicted, judged
from micrograd_plus.check.kinks import Piece, is_beside_kink, kinked, piece
from micrograd_plus.check.problems import Problem, problem_of_values
from micrograd_plus.check.rounding import EPSILON, MANY, Roundoff, roundoffs
from micrograd_plus.engine.operations import TABLE

planted = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "checks.py"))["planted"]
Function = Callable[[Any], Any]


def sampled(f: Function) -> Callable[[float], tuple[list[float], Piece]]:
    """What the check asks a function at a number."""

    def sample(x: float) -> tuple[list[float], Piece]:
        y = f(Value(x))
        return [y.data], piece([y])

    return sample


# ---------------------------------------------------------------------------------------------------------------- kinks


def test_a_piece_is_all_operations_with_what_they_were_applied_to() -> None:
    x = Value(0.5)
    shared = x * 2.0
    assert piece([mp.tanh(shared) + x, 3.0, shared]).operations == [
        *(TABLE["mul"], 0, -1),
        *(TABLE["tanh"], 1),
        *(TABLE["add"], 2, 0),
    ]


def test_a_piece_tells_the_side_of_each_kink_and_end_and_what_masks_let_through() -> None:
    x = Value(0.25)
    found = piece([mp.relu(x) + mp.sqrt(x) + mp.acosh(x) + mp.asin(x - 2.0) + mp.floor(x)])
    sides = [("relu", 1.0), ("sqrt", 1.0), ("acosh", -1.0), ("asin", -1.0), ("asin", 1.0), ("floor", 1.0)]
    assert [(op.name, side) for op, side in found.signs] == sides
    assert [(op.name, gate) for op, gate in found.gates] == [("relu", 1.0)]


BESIDE: dict[str, tuple[Function, float]] = {
    "relu, a kink to the left": (mp.relu, 1e-9),
    "relu, a kink to the right": (mp.relu, -1e-9),
    "as far as it looks": (mp.relu, 0.9e-7),
    "far out": (lambda x: mp.abs(x - 1e6), 1e6 + 0.09),
    "the lower end of a domain": (mp.sqrt, 1e-9),
    "an upper end": (mp.asin, 1.0 - 1e-9),
    "an end at minus one": (mp.asin, -1.0 + 1e-9),
}


@pytest.mark.parametrize("name", BESIDE)
def test_beside_a_kink_or_an_end_no_slope_can_be_measured(name: str) -> None:
    f, x = BESIDE[name]
    assert is_beside_kink(sampled(f), x)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        *((mp.relu, 1e-3), (mp.relu, 0.0), (mp.sqrt, 1e-3), (mp.asin, 0.99), (mp.log, 5.0), (mp.tanh, 0.0)),
        *((mp.relu, 1.1e-7), (mp.relu, -1.1e-7), (lambda x: mp.abs(x - 1e6), 1e6 + 0.11)),
    ],
)
def test_on_a_kink_and_away_from_it_one_can(f: Function, x: float) -> None:
    assert not is_beside_kink(sampled(f), x)


def test_an_if_of_ones_own_is_a_kink_beside_but_not_for_a_point_by_itself() -> None:
    assert not is_beside_kink(sampled(lambda x: x * 2.0 if x.data == 1.0 else mp.tanh(x)), 1.0)
    four = 4.0 * ulp(1.0)
    for below, above in ((1e-12, 1e-12), (four, 0.0), (0.0, four)):  # how far it goes on to each side
        assert is_beside_kink(sampled(lambda x: x * 2.0 if -below <= x.data - 1.0 <= above else mp.tanh(x)), 1.0)  # noqa: B023


def test_what_has_no_graph_lies_beside_a_kink_for_all_one_knows() -> None:
    assert is_beside_kink(lambda x: ([x], None), 1.0)
    assert kinked(lambda x: ([x], None), 1.0) == ""


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


# ------------------------------------------------------------------------------------------------------ rounding errors


def test_a_rounding_error_is_that_of_every_node_and_of_the_last_digit() -> None:
    x = Value(3.0)
    square, more, constant, number = roundoffs([x * x, x * x * 2.0 - x, Value(2.0), 5.0], [x])
    assert square == Roundoff(2.0 * EPSILON * (9.0 + 9.0), [6.0])
    assert more == Roundoff(2.0 * EPSILON * (15.0 + 15.0 + 18.0 + 2.0 * 9.0), [13.0])  # slopes don't cancel
    assert constant == Roundoff(2.0 * EPSILON * 2.0, [0.0])
    assert roundoffs([mp.exp(mp.exp(x)) * 0.0 + x], [x]) == [Roundoff(2.0 * EPSILON * (3.0 + 3.0), [1.0])]
    assert number == Roundoff(4.0 * EPSILON * 5.0, [])
    assert roundoffs([-5.0], [], unit=0.5) == [Roundoff(4.0 * 0.5 * 5.0, [])]


def test_where_a_slope_is_infinite_a_few_digits_of_the_result_are_off() -> None:
    x = Value(0.0)
    (found,) = roundoffs([mp.sqrt(x * x) + 1.0], [x])
    assert found.error == 8.0 * EPSILON * 1.0


def test_many_results_share_one_rounding_error() -> None:
    x = Value(3.0)
    assert roundoffs([x * x] * MANY, [x]) == [Roundoff(2.0 * EPSILON * 18.0, [6.0])] * MANY
    many = roundoffs([x * i for i in range(MANY + 1)], [x])
    (one,) = {(error, *reach) for error, reach in many}
    assert len(many) == MANY + 1
    assert one == (2.0 * EPSILON * 2.0 * 3.0 * sum(range(MANY + 1)), sum(range(MANY + 1)))
    assert len({roundoff.error for roundoff in roundoffs([float(i) for i in range(MANY + 1)], [])}) == MANY + 1


# ----------------------------------------------------------------------------------------------------- the complex step


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


@pytest.mark.parametrize("f", [mp.tan, mp.reciprocal, lambda x: 2.0 / x], ids=["tan", "reciprocal", "div"])
def test_away_from_a_pole_there_is_one(f: Function) -> None:
    variable, pole = Value(0.5), Value(0.0)
    steps = complex_step([f(variable)], [variable])
    assert steps is not None
    assert steps[0] == pytest.approx(mp.gradient(f(variable), [variable]), rel=1e-14)
    if f is not mp.tan:  # no float is as much as half of pi
        assert complex_step([f(pole)], [pole]) is None


def test_a_plain_function_of_several_numbers_has_one_if_it_takes_complex_numbers() -> None:
    (steps,) = complex_step_of_floats(lambda v: v[0] * v[0] * v[1], [2.0, 3.0]) or [[]]
    assert steps == pytest.approx([12.0, 4.0], rel=1e-14)
    assert complex_step_of_floats(lambda v: math.sin(v[0]), [2.0]) is None
    assert complex_step_of_floats(lambda v: abs(v[0]), [2.0]) is None


def test_a_slope_whose_imaginary_part_is_near_underflow_is_not_told() -> None:
    """It would have lost digits; the shorter step is 6.25e-22."""
    x = Value(1.0)
    steps = complex_step([x * 2.4e-269, x * 1.2e-269, x * -2.4e-269], [x])
    assert steps is not None
    assert [steps[0], steps[2]] == [pytest.approx([2.4e-269], rel=1e-12), pytest.approx([-2.4e-269], rel=1e-12)]
    assert math.isnan(steps[1][0])


def test_a_graph_that_would_need_too_many_complex_numbers_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = Value(2.0), Value(3.0)
    product = x * y * x  # two nodes, by two variables
    monkeypatch.setattr(complex_steps, "MOST", 4)
    (steps,) = complex_step([product], [x, y]) or [[]]
    assert steps == pytest.approx([12.0, 4.0], rel=1e-14)
    monkeypatch.setattr(complex_steps, "MOST", 3)
    assert complex_step([product], [x, y]) is None


# ------------------------------------------------------------------------------------------------------------- verdicts

SMOOTH = Slope("smooth", 2.0, 0.0, 2.0, 2.0, size=2.0, rounding=0.0)
EXACT = 2.0 + 2.0**-20


def verdict(
    got: float,
    slope: Slope = SMOOTH,
    exact: float = nan,
    reach: float = 0.0,
    rtol: float = 0.0,
    atol: float = 0.0,
    unstopped: float = nan,
) -> Verdict:
    return judged(Evidence(1.0, 1.0, got, slope, exact, reach), rtol, atol, lambda: unstopped)


@pytest.mark.parametrize(
    ("evidence", "expected", "tolerance"),
    [
        ({"atol": 0.25}, 2.0, 0.25),
        ({"rtol": 0.125, "atol": 0.25}, 2.0, 0.25 + 0.25),
        ({"rtol": 0.125, "got": -4.0}, 2.0, 0.5),  # of the larger of the two
        ({"rtol": 0.125, "got": inf}, 2.0, 0.25),
        ({"slope": SMOOTH._replace(error=0.25)}, 2.0, 5.0),  # twice the ten times that an estimate may be wrong by
        ({"reach": 2.0**50}, 2.0, 2.0),  # what may be left of slopes that cancel: eight times 2^-52 of them
        ({"exact": EXACT, "rtol": 0.125, "atol": 0.25}, EXACT, 0.25 + 0.125 * EXACT),
        ({"exact": EXACT, "rtol": 0.5, "reach": 1e9, "slope": SMOOTH._replace(rounding=0.25)}, EXACT, 5e3),
        ({"exact": EXACT, "rtol": 0.5, "reach": 1.0, "slope": SMOOTH._replace(rounding=0.25)}, EXACT, 5.0),
        ({"exact": EXACT, "atol": 2.0**-20}, EXACT, 2.0**-20),  # differences may be off as much and speak for it
        ({"exact": EXACT, "atol": 2.0**-21}, 2.0, 2.0**-21),
        ({"exact": inf, "atol": 0.25}, 2.0, 0.25),
        ({"exact": 9.0, "reach": 1.0, "slope": SMOOTH._replace(kind="unclear")}, 9.0, 0.0),
    ],
)
def test_what_is_expected_and_how_far_off_it_may_be(
    evidence: dict[str, Any], expected: float, tolerance: float
) -> None:
    found = verdict(**{"got": 2.0} | evidence)
    assert found.expected == expected
    assert found.tolerance == pytest.approx(tolerance, rel=1e-12)


@pytest.mark.parametrize(
    ("evidence", "status"),
    [
        ({"got": 2.0}, None),
        ({"got": 2.5, "atol": 0.5}, None),  # by as much as it may be off
        ({"got": 2.5, "rtol": 0.2}, None),
        ({"got": 2.0 + 2.0**-7, "atol": 2.0**-8}, "wrong"),
        ({"got": 2.0 + 2.0**-6, "slope": SMOOTH._replace(error=2.0**-6 / 20.0)}, None),  # a hundredth of it, at most
        ({"got": 2.0 + 2.0**-4, "slope": SMOOTH._replace(error=2.0**-4 / 20.0)}, "unclear"),
        ({"got": 2.0 + 2.0**-4, "slope": SMOOTH._replace(error=2.0**-4 / 20.0, size=8.0)}, None),
        ({"got": 2.0 + 2.0**-6, "slope": SMOOTH._replace(error=0.002, size=4.0)}, None),  # just a hundredth of the size
        ({"got": 4.0, "atol": 0.04}, "wrong"),
        ({"got": 3.0, "slope": SMOOTH._replace(error=0.0014)}, "wrong"),
        ({"got": 3.0, "slope": SMOOTH._replace(error=0.0016)}, "unclear"),
        ({"got": inf, "slope": SMOOTH._replace(error=0.0009)}, "wrong"),
        ({"got": inf, "slope": SMOOTH._replace(error=0.0011)}, "unclear"),
        ({"got": inf, "slope": SMOOTH._replace(error=0.0011, size=3.0)}, "wrong"),
        ({"got": nan, "slope": SMOOTH._replace(value=0.0, error=0.0004, size=0.5)}, "wrong"),
        ({"got": nan, "slope": SMOOTH._replace(value=0.0, error=0.0006, size=0.5)}, "unclear"),
        ({"got": 3.0, "unstopped": 2.0}, "stopped"),
        ({"got": 3.0, "unstopped": 2.0 + 2.0**-9, "atol": 2.0**-9}, "stopped"),
        ({"got": 3.0, "unstopped": 2.0 + 2.0**-8, "atol": 2.0**-9}, "wrong"),
        ({"got": 3.0, "unstopped": 3.0}, "wrong"),
        ({"got": 3.0, "slope": NOTHING}, "undefined"),
        ({"got": 3.0, "slope": SMOOTH._replace(kind="kink")}, "kink"),
        ({"got": 3.0, "slope": SMOOTH._replace(kind="unclear")}, "unclear"),
        ({"got": 9.0, "slope": SMOOTH._replace(kind="unclear"), "exact": 9.0, "reach": 1.0}, None),
        ({"got": 9.0, "slope": SMOOTH._replace(kind="unclear"), "exact": 9.0}, "unclear"),  # reach is not known
    ],
)
def test_a_derivative_is_right_or_there_is_a_reason(evidence: dict[str, Any], status: str | None) -> None:
    assert verdict(**evidence).status == status


def test_no_derivative_of_what_is_no_number_is_judged() -> None:
    assert judged(Evidence(1.0, nan, 2.0, SMOOTH), 0.0, 1.0, lambda: nan).status == "undefined"


@pytest.mark.parametrize(
    ("got", "speaks"),
    [(-1.25, True), (-1.0, True), (0.0, True), (1.25, True), (-1.26, False), (1.26, False), (nan, False)],
)
def test_between_the_slopes_of_a_sharp_kink_differences_speak_for_any_gradient(got: float, speaks: bool) -> None:
    """They are -1 and 1 at abs; a quarter is how far off a gradient may be."""
    given = Evidence(0.0, 0.0, got, SMOOTH), Verdict("wrong", 9.0, 0.25)
    assert contradicted(lambda x: ([abs(x)], None), lambda _: [0.0], 0, *given, [0.06]) == speaks


def test_smaller_steps_speak_for_the_gradient_that_they_are_nearer_to() -> None:
    """Beyond 0.001 the slope is 7, at 0 it is 2: so say the smaller steps alone."""

    def sample(x: float) -> tuple[list[float], None]:
        return [0.0, 2.0 * x if abs(x) < 0.001 else 7.0 * x], None

    def speaks(got: float, expected: float, tolerance: float, *starts: float) -> bool:
        given = Evidence(0.0, 0.0, got, SMOOTH), Verdict("wrong", expected, tolerance)
        return contradicted(sample, lambda _: [0.0, 0.0], 1, *given, starts)

    assert speaks(2.0, 7.0, 0.25, 1e-4)
    assert speaks(2.0, 7.0, 0.25, 3.0, 1e-4)
    assert not speaks(2.0, 7.0, 0.25, 3.0)
    assert not speaks(9.0, 7.0, 0.25, 1e-4)
    assert not speaks(2.0, 7.0, 6.0, 1e-4)  # the two are not apart
    assert not speaks(2.0, 2.0, 0.25, 1e-4)


# -------------------------------------------------------------------------------------------------------- whom to blame


def problem(f: Function, *point: float) -> Problem:
    return problem_of_values(f, "f", point)


def test_an_operation_is_blamed_for_what_the_derivative_of_that_order_is_made_of() -> None:
    """The logarithm's first derivative is a reciprocal, its second has a minus sign."""
    with planted(TABLE["reciprocal"], 0, "factor 2"):
        assert wrong_operation(problem(mp.log, 2.0), 1) == ""
        assert wrong_operation(problem(mp.log, 2.0), 2).startswith("operation reciprocal(2): partial 1 is ")
    with planted(TABLE["neg"], 0, "factor 2"):
        assert [wrong_operation(problem(mp.log, 2.0), order) for order in (1, 2)] == ["", ""]
        assert wrong_operation(problem(mp.log, 2.0), 3).startswith("operation neg(0.25): partial 1 is ")


def test_so_many_operations_are_searched_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(culprits, "SEARCHED", 2)
    with planted(TABLE["tanh"], 0, "factor 2"):
        assert wrong_operation(problem(lambda x: mp.tanh(mp.exp(x) + mp.exp(x)), 0.5), 1) == ""
        assert wrong_operation(problem(lambda x: mp.tanh(mp.exp(x)) + mp.exp(x), 0.5), 1).startswith("operation tanh(")
