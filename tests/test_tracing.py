"""What a program may not be made of is refused, naming the line; choices that Python makes are followed."""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import EXECUTORS, executor, hold

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program import CompileError
from micrograd_plus.program.programs import PATHS

Cost = Callable[..., Any]
A, B = Value(0.7), Value(-0.3)


@pytest.fixture(autouse=True)
def parameters_afresh() -> None:
    A.data, B.data = 0.7, -0.3


# -------------------------------------------------------------------------------------------- choices that Python makes


def nested(x: Any) -> Any:
    if x > 0.0:
        if x * A > 0.5:
            return x * A
        return x + B
    if x < -1.0:
        return A * B
    return mp.exp(x * B) * A


def doubled(x: Any) -> Any:
    while abs(x) < 4.0:
        x = x * 2.0 * A + 0.5 * B
    return x


def clipped(x: Any) -> Any:
    total = A * B
    for bound in (-1.0, 0.0, 1.0):
        if bound < x:
            total = total + x * A
    return total


def first_positive(x: list[Any]) -> Any:
    for a in x:
        if a > 0.0:
            return a * A
    return B


CHOICES: dict[str, tuple[Cost, tuple[int, ...]]] = {
    "if": (lambda x: x * A if x > 0.3 else x * x * B, ()),
    "if, turned": (lambda x: x * A if 0.3 >= x else x * x * B + A, ()),  # noqa: SIM300 - a float asks the Value
    "two in one line": (lambda x: (A * x if x > 0.0 else B * x) + (A if x > 1.0 else B), ()),
    "a chained comparison": (lambda x: A * x if -1.0 < x < 1.0 else B * x, ()),
    "not, and, or": (lambda x: A * x[0] if not x[0] or (x[1] > 0.0 and x[2] < 1.0) else B + A, (3,)),
    "nested": (nested, ()),
    "between parameters": (lambda x: x * A if A > B else x * B, ()),
    "bool of an input": (lambda x: A * x if x else B + A, ()),
    "bool of a parameter": (lambda x: A * x if A else B + x, ()),
    "equal": (lambda x: A * x if mp.equal(x, 1.0) else B * x, ()),
    "max": (lambda x: max(x) * A, (3,)),
    "min of results": (lambda x: min([a * A for a in x]) * B, (3,)),
    "sorted": (lambda x: sorted(x)[1] * A + sorted(x)[0] * B, (3,)),
    "NumPy's sort": (lambda x: np.sort(np.array(x))[0] * A + B, (3,)),
    "while": (doubled, ()),
    "for": (clipped, ()),
    "return from a loop": (first_positive, (4,)),
    "any": (lambda x: A if any(a > 1.0 for a in x) else B * x[0], (4,)),
    "abs": (lambda x: abs(x) * A if abs(x) > 0.5 else B * x, ()),
}


@pytest.mark.parametrize("which", EXECUTORS)
@pytest.mark.parametrize("name", CHOICES)
def test_each_example_goes_its_own_way(name: str, which: str) -> None:
    cost, shape = CHOICES[name]
    x = np.random.default_rng(3).normal(size=(12, *shape)) * 1.5
    x[1] = np.round(x[1])
    x[2] = 0.0
    with executor(which):
        program = mp.compile(cost, shape, parameters=[A, B])
        hold(program, cost, x)
        hold(program, cost, x[:1])
        copied = pickle.loads(pickle.dumps(program))
        assert np.array_equal(copied.gradients(x), program.gradients(x))
    assert (A.data, B.data) == (0.7, -0.3)


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.3, math.inf, -math.inf, math.nan]), min_size=1, max_size=6))
@settings(max_examples=40)
def test_choices_at_edges(x: list[float]) -> None:
    for name in ("if", "if, turned", "a chained comparison", "bool of an input", "equal"):
        cost, _ = CHOICES[name]
        program = mp.compile(cost, (), parameters=[A, B])
        for number in x:  # alone: nan in one example is nan in the mean
            hold(program, cost, [number])
        assert len(program.values(x)) == len(x)


def test_a_choice_between_parameters_follows_them() -> None:
    a = Value(1.0)
    program = mp.compile(lambda x: x * a if a > 0.0 else x * a * a, ())
    assert program([2.0]) == 2.0
    a.data = -3.0
    assert program([2.0]) == 18.0
    assert program([2.0], parameters=[-3.0]) == 18.0
    assert program.value_and_grad([2.0], parameters=[5.0]) == (10.0, np.array([2.0]))
    assert a.data == -3.0


def test_comparisons_that_decide_nothing_are_numbers() -> None:
    for cost in (
        lambda x: mp.where(x > 0.0, x * A, B * x),
        lambda x: (x > 0.0) * A + (x <= A) * B,
        lambda x: mp.less(x, A) * A,
    ):
        program = mp.compile(cost, (), parameters=[A, B])
        hold(program, cost, [1.0, -1.0, 0.7, 0.0])
        assert "ways" not in repr(program)


def steps(count: int) -> Cost:
    """A function with so many ways."""

    def cost(x: Any) -> Any:
        for i in range(count - 1):
            if x < float(i):
                return A * i + x
        return x * A

    return cost


def test_so_many_ways_and_no_more() -> None:
    x = np.arange(PATHS + 1.0) - 0.5
    hold(mp.compile(steps(PATHS), ()), steps(PATHS), x)
    program = mp.compile(steps(PATHS + 1), ())
    with pytest.raises(CompileError, match=rf"more than {PATHS} ways .*if x < float\(i\).*mp.where\(condition, a, b\)"):
        program(x)
    hold(program, steps(PATHS + 1), x[:3])  # the ways that were found still work


def test_loops_without_end_and_loops_too_many() -> None:
    def endless(x: Any) -> Any:
        while x > -1.0:
            x = x * A
        return x

    with pytest.raises(CompileError, match=r"choices in `while x > -1.0:`.*fixed number of steps"):
        mp.compile(endless, ())


def test_an_unpickled_program_goes_no_new_ways() -> None:
    program = pickle.loads(pickle.dumps(mp.compile(CHOICES["if"][0], (), parameters=[A, B])))
    assert program([-1.0]) == B.data  # the way that the numbers went with which it was traced
    with pytest.raises(CompileError, match=r"unpickled.*x > 0.3"):
        program([1.0])


def test_another_way_with_other_parameters_is_refused_or_right() -> None:
    program = mp.compile(lambda x: x * A if x > 0.3 else x * B, ())
    with suppress(CompileError):
        assert np.allclose(program.values([1.0, -1.0]), [A.data, -B.data])


# --------------------------------------------------------------------------------------------------------- baked values


def refusal(cost: Cost, match: str = "compile: ") -> None:
    """The function is refused by one error that names the line in this file."""
    with pytest.raises(CompileError, match=match) as caught:
        mp.compile(cost, ())
    assert "test_tracing.py, line" in str(caught.value)
    assert caught.value.__cause__ is None
    assert (A.data, B.data) == (0.7, -0.3)


def seen(x: Any) -> float:
    """A number that leaves by a way nobody watches."""
    return float(repr(x).split("=")[1].split(",")[0])


BAKED: dict[str, Cost] = {
    "float": lambda x: x * float(x),
    "data": lambda x: x * x.data,
    "math": lambda x: x * math.sin(x),
    "a parameter's float": lambda x: x * float(A),
    "a parameter's data": lambda x: x * A.data + A,
    "a result's data": lambda x: x * (x * A).data,
    "np.float64": lambda x: x * np.float64(x),
    "an array of floats": lambda x: np.array([x], dtype=float)[0] * x,
    "a format": lambda x: x * float(f"{x:.17g}"),
    "a coarse format": lambda x: x * int(f"{1e-4 * x:.0f}"),
    "a parameter's format": lambda x: x * float(f"{A:.3f}") + A,
    "_data": lambda x: x * x._data,
    "repr": lambda x: x * seen(x),
    "a parameter's repr": lambda x: x * seen(A) + A,
    "a copy": lambda x: x * copy.copy(A) + A,
    "no_grad": lambda x: x * _without_gradient() + A,
    "a gradient of numbers": lambda x: x * mp.gradient(A * A * A, [A])[0] + A,
    "random": lambda x: x * random.random(),
    "NumPy's random": lambda x: x * np.random.default_rng().normal(),
}


def _without_gradient() -> Any:
    with mp.no_grad():
        return A * A


@pytest.mark.parametrize("name", BAKED)
def test_baked_values_are_caught(name: str) -> None:
    refusal(BAKED[name])


def test_what_changes_from_run_to_run_is_caught() -> None:
    calls = []

    def counting(x: Any) -> Any:
        calls.append(1)
        return x * A * float(len(calls))

    def switching(x: Any) -> Any:
        calls.append(1)
        return x * A if len(calls) % 2 else mp.tanh(x) * A

    refusal(counting, match="two runs of the function")
    refusal(switching, match="two runs of the function")


def test_a_refusal_that_is_swallowed_is_a_refusal() -> None:
    def cost(x: Any) -> Any:
        try:
            return A * math.sin(x)
        except Exception:  # noqa: BLE001 - as users do
            return A * x

    refusal(cost)


def test_data_written_inside_is_no_silent_mistake() -> None:
    def cost(x: Any) -> Any:
        x.data = 3.0
        return x * A

    refusal(cost)


def test_backward_inside_is_no_silent_mistake() -> None:
    def cost(x: Any) -> Any:
        (A * A).backward()
        slope, A.grad = A.grad, 0.0
        return x * slope + A

    refusal(cost)


RIGHT: dict[str, Cost] = {
    "a constant made inside": lambda x: Value(0.0) + x * A + Value(2.0) * A,
    "detach": lambda x: x * A.detach() + A * x.detach() + (A * x).detach(),
    "a gradient that is a graph": lambda x: x * mp.gradient(A * A * A * x, [A], create_graph=True)[0],
    "grad": lambda x: mp.grad(lambda y: y * y * A)(x),
    "stop_gradient": lambda x: mp.stop_gradient(A * x) * A,
    "NumPy's functions": lambda x: (
        np.sum(np.exp(np.array([x, A, B])) * 2.0) + np.dot(np.array([A, B]), np.array([x, x]))
    ),
    "a parameter's hash": lambda x: {A: B}[A] * x,
    "a parameter's identity": lambda x: A * x if A == A and A != B and A != 0.7 else B,
    "equal to a number": lambda x: A * x if mp.equal(x, 1.5) else B,
    "isinstance": lambda x: A * x if isinstance(x, Value) else B,
    "a label": lambda x: A * x if x.label == "" else B,
}


@pytest.mark.parametrize("which", EXECUTORS)
@pytest.mark.parametrize("name", RIGHT)
def test_what_looks_baked_and_is_right(name: str, which: str) -> None:
    with executor(which):
        program = mp.compile(RIGHT[name], (), parameters=[A, B])
        hold(program, RIGHT[name], [1.5, -2.0])
        A.data = 2.0
        hold(program, RIGHT[name], [1.5, -2.0])


def test_tracing_changes_no_number_and_leaves_nothing_on() -> None:
    a = Value(0.5)
    a.grad = 7.0
    for cost in (
        lambda x: x * a if a else x,
        lambda x: x * a if a > 0 else x,
        lambda x: x * float(a),
        lambda x: x / [][0],
    ):
        with suppress(CompileError, IndexError):
            mp.compile(cost, ())
        assert (a.data, a.grad) == (0.5, 7.0)
        assert (a > 0.0) is True  # a comparison is a bool again
    assert float(a) == 0.5


# -------------------------------------------------------------------------------------------------------- bad functions


@pytest.mark.parametrize("out", [3.0, None, "abc", {"a": 1.0}, [], [1.0], [[A]], True, iter([A])])
def test_functions_that_return_no_value(out: Any) -> None:
    with pytest.raises(CompileError, match="the function returned") as caught:
        mp.compile(lambda x: out, ())
    assert "expected a Value" in str(caught.value)


def test_functions_that_raise_raise_their_own_errors() -> None:
    with pytest.raises(IndexError, match="out of range"):
        mp.compile(lambda x: x[5], 3)
    with pytest.raises(ZeroDivisionError):
        mp.compile(lambda x: x * (1 / 0), ())
    with pytest.raises(TypeError, match="missing 1 required positional argument") as caught:
        mp.compile(lambda x, y: x, ())
    with pytest.raises(TypeError, match="list indices") as caught:
        mp.compile(lambda x: [1.0, 2.0][x] * A, ())
    assert "mp.where" in "".join(caught.value.__notes__)


def test_nodes_made_by_hand_are_refused() -> None:
    with pytest.raises(TypeError, match="set by hand"):
        mp.compile(lambda x: Value(1.0, (x,), "mine") * A, ())
