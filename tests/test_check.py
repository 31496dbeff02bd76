"""check_grads raises for every planted fault, never at a kink, and says what is wrong and where."""

from __future__ import annotations

import copy
import math
import pickle
import random
import re
import runpy
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.check.checking import check_grads
from micrograd_plus.check.differences import slopes
from micrograd_plus.check.reports import Finding, GradientError, GradientReport
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS

CASES = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "checks.py"))
planted, primitive = CASES["planted"], CASES["primitive"]


def failed(f: Callable[..., Any], *args: Any, **options: Any) -> GradientReport:
    with pytest.raises(GradientError) as caught:
        check_grads(f, *args, **options)
    return caught.value.report


def fates(report: GradientReport) -> dict[str, int]:
    """How many derivatives agree, and how many have each other fate."""
    counts = {status: len(report.of(status)) for status in ("wrong", "kink", "undefined", "stopped", "unclear")}
    return {"agreed": report.agreed} | {status: count for status, count in counts.items() if count}


# ------------------------------------------------------------------------------------- faults are caught, kinks are not


def test_no_false_alarm_at_and_near_kinks() -> None:
    alarms, counted = CASES["false_alarms"](1_500)
    assert alarms == []
    assert counted["agree"] > 2_000  # the check does not excuse itself everywhere
    assert counted["kink"] > 20  # at them, not beside them


def test_where_the_check_raises_at_a_kink_mpmath_says_so_too() -> None:
    """The oracle of the counts above tells a gradient that is not the slope from one that a kink leaves open."""
    (odd, _), wrong = (
        CASES["BENT"]["relu - relu"],
        Finding("wrong", "f", "∂f/∂xs[0]", "xs[0]", (("xs[0]", 0.0),), 1, 0.0),
    )
    case = CASES["Kinked"](lambda x: odd(mp, x), lambda x: odd(CASES["exact"], x), (0.0,), "")
    assert CASES["justified"](case, wrong)
    assert not CASES["justified"](case, replace(wrong, got=1.0))
    assert not CASES["justified"](case._replace(exact=abs), wrong)
    assert not CASES["justified"](case._replace(exact=lambda x: abs(x - 1e-9) + x), wrong)
    twice = replace(wrong, order=2, derivative="∂²f/∂xs[0]²")
    assert CASES["justified"](case._replace(exact=lambda x: x * x), twice)
    assert not CASES["justified"](case._replace(exact=lambda x: x * abs(x)), twice)


def test_faults_under_covers_are_caught() -> None:
    missed, kinds = CASES["missed_under_covers"](60, seed=-1)
    assert missed == []
    assert len(kinds) > 5


def test_planted_faults_are_caught() -> None:
    missed = []
    for name, check in islice(CASES["faults"](), 0, None, 7):
        try:
            check()
        except GradientError:
            continue
        missed.append(name)
    assert missed == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_row_passes_by_itself(name: str) -> None:
    report = check_grads(FUNCTIONS[name])
    assert not report.failures
    if name == "stop_gradient":
        assert set(fates(report)) == {"agreed", "stopped"}
    else:
        assert report.agreed >= len(report.findings) / 2


@pytest.mark.parametrize("name", ["tanh", "sin", "exp", "softplus", "mul", "div", "atan2"])
def test_three_orders(name: str) -> None:
    assert check_grads(FUNCTIONS[name], (0.7, 1.3)[: len(TABLE[name].partials)], order=3).findings == ()


def test_a_fault_of_the_third_order_is_seen_at_the_third_order() -> None:
    wrong = [lambda out, x: mp.stop_gradient(-mp.sin(x))]
    with (
        primitive("cosine", math.cos, wrong) as cosine,
        primitive("late", math.sin, [lambda out, x: cosine(x)]) as late,
    ):
        assert check_grads(late, 0.7).findings == ()
        (finding,) = failed(late, 0.7, order=3).failures
    assert finding.order == 3


# ------------------------------------------------------------------------------------------------ what it says at kinks


@pytest.mark.parametrize(
    ("f", "at", "left", "right", "operation"),
    [
        (mp.relu, 0.0, 0.0, 1.0, "relu"),
        (abs, 0.0, -1.0, 1.0, "abs"),
        (lambda x: mp.maximum(x, 2.0 * x), 0.0, 1.0, 2.0, "maximum"),
        (lambda x: mp.clamp(x, 0.0, 1.0), 1.0, 1.0, 0.0, "clamp"),
        (mp.hardtanh, -1.0, 0.0, 1.0, "hardtanh"),
        (lambda x: mp.where(mp.less(x, 0.0), -3.0 * x, x), 0.0, -3.0, 1.0, "less"),
        (mp.cbrt, 0.0, math.inf, math.inf, "cbrt"),
        # only one of the two sides goes another way than the point itself
        (lambda x: mp.where(mp.less_equal(x, 0.0), -3.0 * x, x), 0.0, -3.0, 1.0, "where"),
        (lambda x: mp.where(mp.less_equal(0.0, x), x, -3.0 * x), 0.0, -3.0, 1.0, "where"),
    ],
)
def test_a_kink_is_reported_with_both_slopes(
    f: Callable[..., Any], at: float, left: float, right: float, operation: str
) -> None:
    (finding,) = check_grads(f, at, order=1).findings
    assert finding.status == "kink"
    assert (finding.left, finding.right) == pytest.approx((left, right), rel=1e-6, abs=1e-9)
    assert operation in finding.operation


def test_where_both_sides_of_a_kink_agree_the_gradient_is_judged() -> None:
    assert fates(check_grads(mp.celu, 0.0, order=1)) == {"agreed": 1}
    with planted(TABLE["celu"], 0, "factor 2"):
        assert fates(failed(mp.celu, 0.0, order=1)) == {"agreed": 0, "wrong": 1}


@pytest.mark.parametrize(
    ("f", "slope", "operation"),
    [
        (lambda x: mp.relu(x) - mp.relu(-x), 1.0, "relu"),  # is x, but the chain rule gives 0 (Kakade and Lee 2018)
        (lambda x: 3.0 * abs(x) * mp.sign(x), 3.0, "abs, sign"),
        (lambda x: mp.where(mp.equal(x, 0.0), 0.0, x), 1.0, "equal, where"),
        (lambda x: mp.sqrt(x**4.0) + x, 1.0, "pow, sqrt"),
    ],
)
def test_where_the_slopes_agree_no_kink_excuses_another_gradient(
    f: Callable[..., Any], slope: float, operation: str
) -> None:
    """Each row is right by its own rule at its own kink; the chain rule through several of them is not."""
    (finding,) = failed(f, 0.0, order=1).failures
    assert finding.expected == pytest.approx(slope)
    assert finding.got != pytest.approx(slope)
    assert "each operation is right by itself, but this is a kink of " + operation in finding.operation
    assert f"the slopes to the left and to the right of it are both {slope:g}" in finding.operation


@pytest.mark.parametrize("at", [0.0, 1.0, -300.0])
@pytest.mark.parametrize("width", [1e-3, 1e-7, 1e-9, 1e-12, 1e-14, 1e-15, 1e-16])
def test_a_point_between_two_kinks_has_a_slope_of_its_own(at: float, width: float) -> None:
    """Beyond both the slope is 1, between them 0, as the engine says, however near they are."""
    width *= abs(at) or 1.0

    def between(x: Any) -> Any:
        return 0.0 * x if abs(x.data - at) < width else x - at

    bent: Callable[[Any], Any] = lambda x: mp.relu(x - at - width) - mp.relu(at - x - width)  # noqa: E731
    for f in (between, bent) if width > 4.0 * math.ulp(at) else (bent,):  # else the if is for few numbers alone
        report = check_grads(f, at, order=1)
        assert not report.failures
        assert width < 1e-4 * (abs(at) or 1.0) or report.agreed == 1


BESIDE = [s * d for d in (1e-14, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7) for s in (1.0, -1.0)]
LEAKS: dict[str, Callable[[Any, Any], Any]] = {
    "max": lambda x, y: 0.0 * mp.maximum(x, y) + x * float(x),
    "softmax": lambda x, y: mp.softmax([x * float(x), y, x])[0],
    "cross-entropy": lambda x, y: mp.losses.cross_entropy([x * float(x), y, x], 0),
    "logsumexp": lambda x, y: mp.logsumexp([y, x]) * float(x),
    "smooth": lambda x, y: mp.relu(x - y) ** 2 + x * float(x),
    "branch": lambda x, y: mp.where(mp.less(x, y), x * float(x), x * float(x) + (x - y) ** 2),
}


@pytest.mark.parametrize("beside", [0.0, *BESIDE])
@pytest.mark.parametrize("name", LEAKS)
def test_beside_a_kink_its_own_side_says_what_the_gradient_is(name: str, beside: float) -> None:
    """However near the kink lies, to one side the function keeps to the formula it has at the point."""
    assert failed(LEAKS[name], (0.5, 0.5 + beside), order=1).failures


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("beside", [0.0, *BESIDE])
def test_beside_a_kink_what_is_right_is_not_blamed(beside: float, order: int) -> None:
    rights: list[Callable[[Any, Any], Any]] = [
        lambda x, y: mp.relu(x - y),
        lambda x, y: mp.maximum(x, y) * mp.sin(x),
        lambda x, y: mp.softmax([x, y, x * y])[0],
        lambda x, y: mp.losses.cross_entropy([x, y, 0.3], 1),
        lambda x, y: mp.relu(x - y) - mp.relu(x - y - 2e-9),  # a slope that no step sees
        lambda x, y: mp.hypot(x - 0.5, y - 0.5),
        lambda x, y: mp.round(x) * y,
        lambda x, y: mp.sqrt((x - y) ** 2),  # of whose second derivative nothing is left but rounding errors
        lambda x, y: mp.where(mp.less(x, y), mp.exp(x), mp.sin(x)),
    ]
    for f in rights:
        assert not check_grads(f, (0.5, 0.5 + beside), order=order).failures


@pytest.mark.parametrize("point", [(-1e-9, 0.0), (1e-9, 2e-9), (-1e-9, 1e-8), (1e-9, -0.5), (-1e-12, 0.0), (0.0, 0.0)])
def test_a_tie_beside_does_not_make_the_check_coarse(point: tuple[float, float]) -> None:
    off = mp.primitive("p_sin", math.sin, [lambda out, x: mp.cos(x) * 1.001])
    assert failed(lambda x, y: mp.softmax([off(x), y, x])[0], point, order=1).failures


@pytest.mark.parametrize("at", [-1e-10, 3e-10, 1e-9])
def test_a_slope_below_what_rounding_leaves_of_the_terms_at_a_tie_is_not_judged(at: float) -> None:
    one_over_e = math.exp(-1.0)

    def f(x: Any) -> Any:  # its minimum is a tie for all x this near to 0, where the slope is as small as x
        return mp.minimum(mp.exp(-(mp.exp(-x * x) ** 2)) - one_over_e, mp.exp(x) * 0.0)

    assert not check_grads(f, (at,)).failures


@pytest.mark.parametrize("at", [1e-12, 1e-9, 1e-8, 1e-7, 1e-6, -1e-9, -1e-7])
def test_a_kink_that_no_table_tells_of_excuses_no_wrong_branch_beside_it(at: float) -> None:
    wrong = mp.primitive("p_relu", lambda x: max(x, 0.0), [lambda out, x: mp.less(x, 0.0)])
    assert failed(lambda x: wrong(x) + 0.5 * x, at, order=1).failures


def test_what_has_no_first_derivative_has_no_second() -> None:
    """relu(x²) is x²; its second derivative of 0 at 0 is wrong, but not so where the function jumps."""
    assert [finding.order for finding in failed(lambda x: mp.relu(x * x), 0.0).failures] == [2]
    assert fates(check_grads(lambda x: mp.relu(x * x) + mp.sign(x), 0.0)) == {"agreed": 0, "kink": 2}
    with planted(TABLE["exp"], 0, "data"):  # an operation that is wrong by itself is wrong anywhere
        assert [finding.order for finding in failed(lambda x: mp.exp(x) + mp.sign(x), 0.0).failures] == [2]


def test_a_hole_that_an_if_makes_is_seen() -> None:
    assert failed(lambda x: x if x.data else 0.0 * x, 0.0, order=1).failures
    assert failed(lambda x: x if x.data != 3.0 else 0.0 * x + 3.0, 3.0, order=1).failures


@pytest.mark.parametrize("condition", [0.0, 1.0])
@pytest.mark.parametrize("at", [-1.0, 0.0, 1.0])
def test_a_where_is_no_excuse(condition: float, at: float) -> None:
    """Neither branch makes a kink of a point where nothing turns: a wrong gradient is wrong, infinite ones too."""
    for slope in (math.nan, math.inf, -2.0):
        with primitive("hollow", math.sin, [lambda out, x: 0.0 * x + slope]) as hollow:  # noqa: B023
            (finding,) = failed(lambda x: mp.where(condition, hollow(x), hollow(x)), at, order=1).failures
            assert finding.operation.startswith("operation hollow(")
            with pytest.raises(GradientError):  # at 0 the condition turns, and the slopes agree
                check_grads(lambda x: mp.where(mp.less(x, 0.0), hollow(x), hollow(x)), at, order=1)


@pytest.mark.parametrize("f", [abs, lambda x: max(x, 0.0), math.floor, lambda x: x if x < 0 else 3 * x])
@pytest.mark.parametrize("distance", [0.0, 1e-16, -1e-12, 1e-8, -1e-3])
def test_kinks_of_plain_functions_are_no_failures(f: Callable[..., Any], distance: float) -> None:
    def slope(x: float) -> float:
        return 0.0 if f is math.floor else (f(x + 1e-20) - f(x)) / 1e-20 if x == 0.0 else f(x) / x

    check_grads(f, distance, gradient=slope)


def test_undefined_is_not_judged() -> None:
    assert fates(check_grads(mp.log, -1.0, order=1)) == {"agreed": 0, "undefined": 1}
    assert fates(check_grads(mp.sqrt, 0.0, order=1)) == {"agreed": 0, "undefined": 1}
    assert fates(check_grads(mp.tanh, math.inf)) == {"agreed": 0, "undefined": 2}
    assert fates(check_grads(lambda x, y: x**y, (-2.0, 3.0), order=1)) == {"agreed": 1, "undefined": 1}
    assert fates(check_grads(lambda x: mp.sqrt(x * x), 0.0, order=1)) == {"agreed": 0, "kink": 1}


@pytest.mark.parametrize("slope", [math.nan, math.inf])
def test_a_slope_that_is_no_number_is_a_failure_where_the_function_is_smooth(slope: float) -> None:
    with primitive("hollow", math.sin, [lambda out, x: 0.0 * x + slope]) as hollow:
        (finding,) = failed(hollow, 0.5, order=1).failures
    assert finding.got == slope or math.isnan(finding.got)
    assert finding.expected == pytest.approx(math.cos(0.5))


def test_stop_gradient_is_reported_and_hides_no_fault() -> None:
    def f(x: Value) -> Any:
        return mp.tanh(x) * mp.stop_gradient(x)

    assert fates(check_grads(f, 0.7)) == {"agreed": 0, "stopped": 2}
    with planted(TABLE["tanh"], 0, "wrong sign"):
        assert "operation tanh(0.7)" in failed(f, 0.7).failures[0].operation


STOPS: dict[str, Callable[[Any], Any]] = {"stop_gradient": mp.stop_gradient, "detach": Value.detach}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_a_stop_is_an_excuse_only_if_it_is_the_reason(stop: Callable[[Any], Any]) -> None:
    """Without the stop the gradient must be the slope: a leak beside it, under it or around it is a failure."""
    assert fates(check_grads(lambda x: x + stop(mp.round(x) - x), 2.2)) == {"agreed": 1, "stopped": 1}
    assert fates(check_grads(lambda x: mp.softmax([x, stop(x * x)])[0], 0.7)) == {"agreed": 0, "stopped": 2}
    for faulty in (
        lambda x: x * stop(x) + x * x.data,
        lambda x: stop(x) * mp.softmax([x * x.data, 0.5])[0],
        lambda x: x * stop(x * x.data),
        lambda x: mp.tanh(x + stop(x)) * x.data,
    ):
        assert failed(faulty, 0.7, order=1).failures
    with planted(TABLE["sin"], 0, "stop_gradient"):  # in a rule, and not the function's own
        assert [finding.order for finding in failed(lambda x: mp.sin(x) * stop(x), 0.7).failures] == [2]


@pytest.mark.parametrize("values", [[0.3, -1.0, 2.0], [0.5, 0.5, 0.5], [0.0, 0.0, -1.0]])
def test_the_stops_of_softmax_excuse_nothing(values: list[float]) -> None:
    """They change no derivative, so that the check holds gradients to the slopes, at ties too."""
    for f in (mp.softmax, mp.log_softmax, mp.logsumexp, lambda v: mp.losses.cross_entropy(v, 1)):
        assert check_grads(f, (values,)).findings == ()
        report = failed(lambda v: f([v[0] + 3.0 * (v[1] - v[1].data), *v[1:]]), (values,), order=1)  # noqa: B023
        assert {finding.argument for finding in report.failures} == {"v[1]"}


def test_what_rounding_hides_is_no_evidence() -> None:
    assert not check_grads(lambda x: mp.floor(x * 1e15) * 1e-15 + x, 0.3, order=1).failures
    assert fates(check_grads(lambda x: (x + 1e9) - 1e9, 1.0)) == {"agreed": 2}
    assert fates(check_grads(lambda x: x, 1.0, gradient=lambda x: 1.0)) == {"agreed": 1}


@given(st.floats(-1e3, 1e3), st.floats(-3.0, 3.0))
@settings(max_examples=25)
def test_right_gradients_pass_and_wrong_ones_do_not(x: float, y: float) -> None:
    def f(x: Any, y: Any) -> Any:
        return mp.tanh(0.01 * x) + mp.sin(x) * y + mp.exp(y)

    assert check_grads(f, (x, y)).agreed >= 5
    slope = 0.01 / math.cosh(0.01 * x) ** 2 + math.cos(x) * y
    report = failed(f, (x, y), gradient=lambda x, y: (slope, 1.001 * (math.sin(x) + math.exp(y) + 3.0)))
    assert [finding.argument for finding in report.failures] == ["y"]


# --------------------------------------------------------------------------------------- networks, nests and primitives


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (mp.losses.squared_error, [0.2, 1.0]),
        (mp.losses.mean_squared_error, [0.2, 1.0]),
        (mp.losses.hinge, [1, -1]),
        (lambda p, t: mp.losses.binary_cross_entropy([mp.sigmoid(x) for x in p], t), [0.2, 1.0]),
        (mp.losses.binary_cross_entropy_with_logits, [0.2, 1.0]),
        (mp.losses.cross_entropy, 1),
        (mp.losses.cross_entropy, [0.25, 0.75]),
    ],
)
def test_networks_with_every_loss(loss: Callable[..., Any], target: Any) -> None:
    class Cost(mp.Module):
        def __init__(self) -> None:
            self.model = mp.MLP(2, [2, 2], activation="tanh", seed=1)

        def __call__(self, x: Sequence[Any]) -> Any:
            return loss(self.model(x), target)

    cost = Cost()
    before = [p.data for p in cost.parameters()]
    assert fates(check_grads(cost, ([0.3, -0.8],))) == {"agreed": 14 + 14 * 14}
    assert [p.data for p in cost.parameters()] == before
    with planted(TABLE["tanh"], 0, "factor 2"):
        report = failed(cost, ([0.3, -0.8],))
    assert {f.argument for f in report.failures} >= {
        "model.layers.0.neurons.1.w.0",
        "model.layers.0.neurons.0.b",
        "x[1]",
    }
    assert all("operation tanh(" in finding.operation for finding in report.failures)
    assert [p.data for p in cost.parameters()] == before


@pytest.mark.parametrize("power", [2, 3])
def test_a_slope_of_zero_is_none_of_a_tiny_step(power: int) -> None:
    """The complex step leaves h² where all else is zero: -2e-40 here, which is no derivative."""
    assert check_grads(lambda x: mp.pow(x + x * x, float(power)), 0.0, order=1).agreed == 1

    def f(x: Any) -> Any:
        return (x + x * x) * (x + x * x)

    assert check_grads(f, 0.0).agreed == 2
    assert check_grads(f, 0.0, gradient=lambda x: 0.0, order=1).agreed == 1
    assert failed(f, 0.0, gradient=lambda x: 1e-9, order=1)


def test_every_output_of_a_module_is_checked() -> None:
    layer = mp.Layer(2, 2, activation="sigmoid", seed=3)
    assert check_grads(layer, ([0.5, -1.0],), order=1).agreed == 2 * 8
    with planted(TABLE["sigmoid"], 0, "wrong sign"):
        report = failed(layer, ([0.5, -1.0],), order=1)
    assert report.failures[0].derivative == "∂f[0]/∂x[0]"
    assert {finding.derivative[:5] for finding in report.failures} == {"∂f[0]", "∂f[1]"}


def test_arguments_are_named_by_their_place_in_the_nest() -> None:
    def f(p: Any, *rest: Any) -> Any:
        return p["w"][0] * p["w"][1].data + p["b"] * rest[0] * rest[1].data

    report = failed(f, ({"w": (1.5, 2.0), "b": 3.0}, 0.5, 2.0), order=1)
    assert [finding.argument for finding in report.failures] == ["p['w'][1]", "rest[1]"]
    assert [finding.expected for finding in report.failures] == pytest.approx([1.5, 1.5])


def test_a_gradient_in_a_dict_goes_by_its_keys() -> None:
    def f(p: Any, s: float = 1.0) -> list[float]:
        return [p["a"] ** 2 + p["b"][0] * s, p["b"][0]]

    point = {"a": 1.0, "b": [2.0]}
    first, second = {"b": [1.0], "a": 2.0}, {"b": [1.0], "a": 0.0}
    assert check_grads(lambda p: f(p)[0], (point,), gradient=lambda p: first).agreed == 2
    assert check_grads(lambda p: f(p)[0], (point,), gradient=lambda p: (first,)).agreed == 2
    assert check_grads(f, (point,), gradient=lambda p: [first, second]).agreed == 4
    assert check_grads(lambda p, s: f(p, s)[0], (point, 1.0), gradient=lambda p, s: (first, 2.0)).agreed == 3
    with pytest.raises(ValueError, match=r"its gradient returned: the keys \['a'\]; expected a dict with the keys"):
        check_grads(lambda p: f(p)[0], (point,), gradient=lambda p: {"a": 2.0})


def test_a_gradient_of_ones_own_mirrors_the_arguments() -> None:
    def f(v: list[float], s: float) -> float:
        return v[0] * v[1] * math.sin(s)

    def gradient(v: list[float], s: float) -> Any:
        return [v[1] * math.sin(s), v[0] * math.sin(s)], v[0] * v[1] * math.cos(s)

    assert check_grads(f, ([2.0, 3.0], 0.5), gradient=gradient).agreed == 3
    report = failed(f, ([2.0, 3.0], 0.5), gradient=lambda v, s: [v, 0.0])
    assert [finding.argument for finding in report.failures] == ["v[0]", "v[1]", "s"]


def test_the_complex_step_sees_what_differences_cannot() -> None:
    with primitive("nearly", math.sin, [lambda out, x: (1.0 + 1e-9) * mp.cos(x)]) as nearly:
        assert check_grads(nearly, 0.5, order=1).agreed == 1
        nearly.op.numpy = "sin"
        assert failed(nearly, 0.5, order=1).failures[0].tolerance < 1e-10


def test_a_primitive_is_tested_by_one_call() -> None:
    def faults(forward: Callable[..., Any], *partials: Callable[..., Any]) -> list[Finding]:
        with primitive("mine", forward, list(partials)) as mine:
            return failed(mine).failures

    with primitive("mine", lambda x, y: x * x * y, [lambda out, x, y: 2.0 * x * y, lambda out, x, y: x * x]) as mine:
        report = check_grads(mine)
    assert report.agreed > 100
    assert not report.findings
    (first, *_) = faults(lambda x: 1.0 / x, lambda out, x: -out * out)
    assert first.operation == "forward raised ZeroDivisionError: float division by zero"
    (first, *_) = faults(math.sin, lambda out, x: math.cos(x) if type(x) is float else mp.cos(x) + 1.0)
    assert first.operation.startswith("partial 1 is 1.0 of floats, but 2.0 of Values")
    (first, *_) = faults(math.sin, lambda out, x: x.cos())
    assert first.operation.startswith("partial 1 of floats raised AttributeError")


@pytest.mark.parametrize("domain", [(-math.inf, -10.0), (100.0, 101.0), (-1e-3, 1e-3)])
def test_points_are_drawn_from_any_domain(domain: tuple[float, float]) -> None:
    with primitive("mine", math.sin, [lambda out, x: mp.cos(x)]) as mine:
        mine.op.domain = (domain,)
        assert check_grads(mine).agreed >= 14


def test_drawn_points_are_the_same_every_time() -> None:
    first, again = check_grads(mp.hardtanh), check_grads(mp.hardtanh)
    assert repr(first) == repr(again)  # from Python 3.13 on, data classes with a nan in them are not equal


# --------------------------------------------------------------------------------------------------------- what it says


def test_the_message_says_it_all() -> None:
    def model(x: Any, w: Any) -> Any:
        hidden = mp.tanh(x * w[0])
        hidden.label = "hidden"
        return hidden * w[1]

    with planted(TABLE["tanh"], 0, "factor 2"), pytest.raises(GradientError) as caught:
        check_grads(model, (0.5, [1.0, 3.0]))
    assert str(caught.value) == (
        "check_grads(model): 1 of 3 derivatives of orders 1 to 2 agree\n"
        "2 wrong\n"
        "  ∂model/∂x (order 1) at x = 0.5, w[0] = 1.0, w[1] = 3.0\n"
        "      got 4.7186863978, expected 2.3593431989, tolerance 5e-11\n"
        "      operation tanh(0.5) at the node labelled 'hidden': partial 1 is 1.5729,\n"
        "        expected 0.786448\n"
        "  ∂model/∂w[0] (order 1) at w[0] = 1.0, x = 0.5, w[1] = 3.0\n"
        "      got 2.3593431989, expected 1.17967159945, tolerance 2e-11\n"
        "      operation tanh(0.5) at the node labelled 'hidden': partial 1 is 1.5729,\n"
        "        expected 0.786448"
    )
    finding = caught.value.report.failures[0]
    assert (finding.function, finding.argument, finding.order) == ("model", "x", 1)
    assert finding.point == (("x", 0.5), ("w[0]", 1.0), ("w[1]", 3.0))


def test_a_fault_outside_of_all_operations_is_called_so() -> None:
    (finding,) = failed(lambda x: x * x._data, 2.0).failures
    assert (
        finding.operation == "no operation is wrong by itself: does the function branch, or use .data, float() or math?"
    )


def _leaks() -> dict[str, Callable[[Any], Any]]:
    def grads(x: Any) -> Any:
        y = x * x
        y.backward()
        return x.grad * x

    def unrecorded(x: Any) -> Any:
        with mp.no_grad():
            y = x * x
        return y * x

    return {
        "x.data in `": lambda x: x * x.data,
        "float(x) in `": lambda x: math.exp(x) + x,
        "x.grad in `return x.grad * x": grads,
        "a gradient that is no graph in `": lambda x: mp.gradient(x * x, [x])[0] * x,
        "no_grad() in `y = x * x": unrecorded,
        "a copy in `": lambda x: copy.copy(x) * x,
        "a pickle in `": lambda x: pickle.loads(pickle.dumps(x * x)) * x,
    }


@pytest.mark.parametrize("said", _leaks())
def test_a_number_that_leaves_the_graph_is_reported_with_its_line(said: str) -> None:
    leak = _leaks()[said]
    wraps: list[Callable[[Any], Any]] = [lambda y: y, lambda y: mp.softmax([y, 0.5])[0], lambda y: mp.mean([y, 1.0])]
    for wrap in wraps:
        (finding,) = failed(lambda x: wrap(leak(x)), 0.7).failures  # noqa: B023
        assert finding.operation.startswith(said)
        assert "(test_check.py, line" in finding.operation
        assert finding.operation.endswith("takes a number out of the graph")


def test_a_number_that_leaves_the_graph_where_nothing_is_wrong_is_no_finding() -> None:
    scale = Value(3.0)

    def f(x: Any) -> Any:
        assert float(x) == x.data
        return x * float(scale) * scale.data if float(x) > 0.0 else x

    assert check_grads(f, 0.7).findings == ()


def test_a_leak_in_a_rule_is_reported_with_its_line() -> None:
    with primitive("leaky", math.sin, [lambda out, x: math.cos(x)]) as leaky:
        (finding,) = failed(lambda x: leaky(x) * x, 0.7).failures
    assert finding.order == 2
    assert "operation leaky(0.7): the derivative of order 2 by argument 1 is 0" in finding.operation
    assert "float(x) in `with primitive(" in finding.operation


def test_a_fault_of_the_second_order_names_the_operation() -> None:
    with planted(TABLE["exp"], 0, "data"):
        (finding,) = failed(lambda x: mp.exp(x) + x, 0.0).failures
    assert finding.order == 2
    assert re.fullmatch(
        r"operation exp\(0\): the derivative of order 2 by argument 1 is 0, expected 1; "
        r"float\(x\) in `\"data\": lambda p: lambda out, \*x: float\(p\(out, \*x\)\),` \(checks.py, line \d+\) "
        r"takes a number out of the graph",
        finding.operation,
    )
    with planted(TABLE["exp"], 0, "stop_gradient"):
        (finding,) = failed(lambda x: mp.exp(x) + x, 0.0).failures
    assert finding.operation.endswith("expected 1; does a partial use .data, float(), math or stop_gradient?")


def test_a_wrong_partial_within_a_derivative_is_called_one_of_the_first_order() -> None:
    """Where it is only the graph of the derivatives that uses it: here 1/x, which log's partial is made of."""
    with planted(TABLE["reciprocal"], 0, "factor 2"):
        report = failed(mp.log, 2.0, order=2)
    assert [finding.order for finding in report.failures] == [2]
    assert report.failures[0].operation.startswith("operation reciprocal(2): partial 1 is -0.5, expected -0.25")


def test_the_operation_that_is_wrong_is_named_with_all_that_it_was_given() -> None:
    with planted(TABLE["hypot"], 1, "factor 2"):
        report = failed(lambda x: mp.hypot(3.0, x) + x, 4.0)
    assert report.failures[0].operation == "operation hypot(3, 4): partial 2 is 1.6, expected 0.8"


def test_a_derivative_of_the_third_order_names_its_arguments_in_the_order_in_which_they_were_taken() -> None:
    """Its result is a number for each pair of arguments; here the second derivative by x stops y."""
    wrong = [lambda out, x, y: 2.0 * mp.stop_gradient(y) + 0.0 * x * y]
    rest = [lambda out, x, y: 2.0 * x, lambda out, x, y: 0.0 * x]
    with (
        primitive("second", lambda x, y: 2.0 * x * y, [*wrong, rest[0]]) as second,
        primitive("first", lambda x, y: x * x * y, [lambda out, x, y: second(x, y), lambda out, x, y: x * x]) as first,
    ):
        assert check_grads(first, (0.5, 2.0)).findings == ()
        names = [finding.derivative for finding in failed(first, (0.5, 2.0), order=3).of("wrong")]
    assert names == ["∂³first/∂x∂x∂y"]


def test_long_reports_are_cut_and_fit_the_terminal() -> None:
    model = mp.MLP(3, [4, 1], activation="tanh", seed=1)
    with planted(TABLE["tanh"], 0, "wrong sign"):
        report = failed(model, ([0.1, 0.2, 0.3],))
    assert len(report.failures) > 10
    assert f"... and {len(report.failures) - 3} more" in str(report)
    assert max(len(line) for line in str(report).splitlines()) <= 80


def test_the_error_is_an_assertion_and_can_be_pickled() -> None:
    error = GradientError(failed(mp.sin, 1.0, gradient=math.sin))
    assert isinstance(error, AssertionError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_it_works_where_nothing_is_recorded() -> None:
    with mp.no_grad():
        assert check_grads(mp.tanh, 0.5).agreed == 2


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: check_grads(3), TypeError, r"check_grads\(3\): expected a function, got int"),  # type: ignore[arg-type]
        (lambda: check_grads(mp.tanh, "a"), TypeError, r"check_grads\(tanh\), args: 'a' \(str\)"),
        (lambda: check_grads(mp.tanh, ()), ValueError, r"check_grads\(tanh, \(\)\): no number to differentiate by"),
        (lambda: check_grads(lambda x: x), TypeError, r"args=None\): expected its arguments, such as"),
        (lambda: check_grads(mp.tanh, 1.0, 0), ValueError, r"check_grads\(order=0\): expected a whole number"),
        (lambda: check_grads(mp.tanh, 1.0, 1.5), TypeError, r"check_grads\(order=1.5\)"),  # type: ignore[arg-type]
        (lambda: check_grads(lambda x: x.data, 1.0), TypeError, r"it returned 1.0; expected a Value"),
        (lambda: check_grads(math.sin, 1.0, gradient=2), TypeError, r"gradient=2\): expected a function"),  # type: ignore[arg-type]
        (
            lambda: check_grads(math.sin, 1.0, gradient=lambda x: (x, x)),
            ValueError,
            r"returned \(1.0, 1.0\); expected 1",
        ),
    ],
)
def test_wrong_use_is_told(call: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


# ------------------------------------------------------------------------------------------------------ the differences


@given(st.floats(-5.0, 5.0), st.floats(0.1, 3.0))
def test_the_error_estimate_holds(x: float, rate: float) -> None:
    (slope,) = slopes(lambda x: ([math.sin(rate * x)], None), x, lambda x: [4e-16])
    assert slope.kind == "smooth"
    assert abs(slope.value - rate * math.cos(rate * x)) <= 10.0 * slope.error
    assert slope.error < 1e-6


@given(st.floats(-1.0, 1.0), st.floats(-3.0, 3.0), st.floats(0.1, 5.0))
@example(1.192092896e-07, 1.0, 0.125)  # where short steps, blurred by rounding, could hold it for none
def test_a_kink_is_seen_without_a_table(x: float, left: float, turn: float) -> None:
    (slope,) = slopes(lambda t: ([(left if t < x else left + turn) * (t - x) + 1.0], None), x, lambda x: [4e-16])
    assert slope.kind == "kink"
    assert (slope.left, slope.right) == pytest.approx((left, left + turn), abs=1e-6)


@pytest.mark.parametrize("offset", [1e8, 1e10, 1e12])
def test_beside_a_large_number_a_wrong_derivative_does_not_pass_for_a_right_one(offset: float) -> None:
    """Its differences are lost in rounding, so nothing can be said; a right one may be told by the complex step."""
    lost = mp.primitive("lost_beside", lambda x: x * x, lambda out, x: 0.0 * x)
    report = check_grads(lambda x: 1e-3 * lost(x) + offset, 1.0, order=1)
    assert [finding.status for finding in report.findings] == ["unclear"]
    assert check_grads(lambda x: 1e-3 * x * x + offset, 1.0, order=1).findings == ()


def test_a_function_that_changes_from_call_to_call_is_refused() -> None:
    draw = random.Random(1)
    with pytest.raises(ValueError, match=r"it gave 0\.\d+, then 0\.\d+ at the same point; draw random numbers outside"):
        check_grads(lambda x: mp.tanh(x) * draw.random(), (1.0,))
    with pytest.raises(ValueError, match="at the same point"):
        check_grads(lambda x: x * draw.random(), (1.0,), gradient=lambda x: 100.0)
    assert check_grads(
        lambda x: mp.where(mp.less(0.0, x), math.inf, x), (1.0,)
    ).findings  # inf is no other number than inf


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: x if x >= 0 else -x, -1.0, 1.0),
        (lambda x: -x if x <= 0 else x, -1.0, 1.0),
        (lambda x: x + 1 if x > 0 else x, 1.0, math.inf),
        (lambda x: max(x, 0.0) * 1.0, 0.0, 1.0),
        (lambda x: 3.0 * x if x < 0 else mp.sin(x), 3.0, 1.0),
    ],
    ids=["abs", "abs from the left", "jump", "max", "two formulas"],
)
def test_a_kink_of_an_if_is_a_kink(f: Any, left: float, right: float) -> None:
    (finding,) = check_grads(f, 0.0, order=1).findings
    assert finding.status == "kink"
    assert [finding.left, finding.right] == pytest.approx([left, right])


def test_an_if_whose_sides_go_on_into_each_other_is_none() -> None:
    for f in (lambda x: x * x if x >= 0 else 2 * x * x, lambda x: mp.exp(x) if x > 0 else 1.0 + x + x * x / 2.0):
        assert not check_grads(f, 0.0, order=1).findings


def test_at_a_kink_of_an_if_the_gradient_is_that_of_its_own_side() -> None:
    twice = mp.primitive("twice_at_an_if", lambda x: x, lambda out, x: 2.0 + 0.0 * x)
    assert failed(lambda x: twice(x) if x >= 0 else -x, (0.0,), order=1).failures
