"""What a program may not be made of is refused, naming the line; choices that Python makes are followed."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import math
import pickle
import random
import threading
import types
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import nan
from random import uniform
from reprlib import repr as short_repr
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import EXECUTORS, checked, executor, hold

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus._support.identities import Identities
from micrograd_plus.engine import flattening
from micrograd_plus.engine.flattening import Flat
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.repeating import repeats
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.program import CompileError, fusing
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.ordering import named
from micrograd_plus.program.programs import PATHS
from micrograd_plus.program.tracing import trace

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


def test_a_new_way_is_that_of_the_vector_and_not_of_the_values() -> None:
    a, b = Value(1.0), Value(2.0)
    doubled = a * 2.0  # older than the trace
    program = mp.compile(
        lambda x: x * a if (a * a * a + b) * x > 0.0 and doubled < 6.0 else x * b, (), parameters=[a, b]
    )
    for theta in ([-3.0, 2.0], [4.0, 2.0], [2.0, -9.0]):
        first, second = theta
        wanted = first if first**3 + second > 0.0 and 2.0 * first < 6.0 else second
        assert program.values([1.0], parameters=theta).tolist() == [wanted]
    assert "3 ways" in repr(program)
    assert (a.data, b.data) == (1.0, 2.0)


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
    with pytest.raises(
        CompileError, match=rf"more than {PATHS} ways .*if x < float\(i\).*mp.where\(condition, a, b\)$"
    ):
        program(x)
    hold(program, steps(PATHS + 1), x[:3])  # the ways that were found still work


def test_loops_without_end_and_loops_too_many() -> None:
    def endless(x: Any) -> Any:
        while x > -1.0:
            x = x * A
        return x

    with pytest.raises(CompileError, match=r"^compile: 1000 choices in `while x > -1.0:` \(test_tracing") as caught:
        mp.compile(endless, ())
    assert str(caught.value).endswith(
        ") and others before; a program has no loops: compute a fixed number of steps, and choose between results by "
        "mp.where(condition, a, b)"
    )


def test_an_unpickled_program_goes_no_new_ways() -> None:
    program = pickle.loads(pickle.dumps(mp.compile(CHOICES["if"][0], (), parameters=[A, B])))
    assert program([-1.0]) == B.data  # the way that the numbers went with which it was traced
    with pytest.raises(CompileError, match=r"unpickled.*x > 0.3"):
        program([1.0])


def test_another_way_with_other_parameters_is_refused_with_two_ways_out() -> None:
    def parted(x: Any) -> Any:
        return x * A if x > 0.3 else x * B

    told = (
        r"a choice at .*x > 0.3.* leads to Values .*mp.where\(condition, a, b\), .*compile\(..., parameters=\[...\]\)$"
    )
    with pytest.raises(CompileError, match=told):
        mp.compile(parted, ()).values([1.0, -1.0])
    for program in (
        mp.compile(parted, (), parameters=[A, B]),
        mp.compile(lambda x: x * mp.where(x > 0.3, A, B), (), parameters=[A, B]),
    ):
        assert np.allclose(program.values([1.0, -1.0]), [A.data, -B.data])
        assert np.allclose(program.value_and_grad([1.0, -1.0])[1], [0.5, -0.5])


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

    def shifting(x: Any) -> Any:
        calls.append(1)
        return A * B * x if len(calls) % 2 else B * A * x

    def hollow(x: Any) -> Any:
        calls.append(1)
        return x * A if len(calls) % 2 else x * nan

    def longer(x: Any) -> Any:
        calls.append(1)
        return x * A if len(calls) % 2 else x * A * A

    told = r"^compile: two runs of the function, with different numbers, gave different graphs"
    end = (
        "; a number that depends on x, y or a parameter was baked in, or one that changes from run to run, a random "
        "one say; what is to change must come in by x or y$"
    )
    place = r"\(test_tracing\.py, line \d+\)"
    line = rf"in `return x \* A \* float\(len\(calls\)\)` {place}"
    refusal(counting, match=rf"{told}: mul with the number \d, then mul with the number \d, {line}{end}")
    calls.clear()
    line = rf"in `return x \* A if len\(calls\) % 2 else mp.tanh\(x\) \* A` {place}"
    refusal(switching, match=rf"{told}: mul with the number 0\.7, then tanh with no plain number, {line}{end}")
    calls.clear()
    line = rf"in `return A \* B \* x if .*` {place}"
    refusal(
        shifting, match=rf"{told}: mul with the number 0\.7, -0\.3, then mul with the number -0\.3, 0\.7, {line}{end}"
    )
    calls.clear()
    line = rf"in `return x \* A if .*` {place}"
    refusal(hollow, match=rf"{told}: mul with the number 0\.7, then mul with the number nan, {line}{end}")
    calls.clear()
    with pytest.raises(CompileError, match=rf"{told}, of 1 and 2 operations{end}"):
        mp.compile(longer, ())


def test_a_constant_that_is_nan_is_the_same_from_run_to_run_and_no_other_number_is() -> None:
    program = mp.compile(lambda x: mp.where(mp.less(x, 0.0), nan, x), ())
    assert np.array_equal(program.values([-1.0, 2.0]), [nan, 2.0], equal_nan=True)
    for first, second in ((nan, 2.0), (2.0, nan)):
        numbers = iter([first, second, first, second])
        with pytest.raises(CompileError, match=rf"with the number {first:g}, then mul with the number {second:g}, in "):
            mp.compile(lambda x: x * next(numbers), ())  # noqa: B023


def test_a_function_that_returns_nothing_is_told() -> None:
    with pytest.raises(
        CompileError, match=r"^compile: the function returned \[\]; expected a Value, or a list with at least one$"
    ):
        mp.compile(lambda x: [], ())


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


# -------------------------------------------------------------------------- questions that a number answers otherwise

LABELS = {1.0: 5.0, 2.0: 7.0}


@functools.cache
def _cached(x: Any) -> float:
    return 3.0


def _in_a_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


# each asks for a number, of an input or of what was computed from inputs alone, in a way that numbers answer otherwise
# than the Values that stand for them
QUESTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "in a set": lambda a, b: a in {1.0, 3.0},
    "a key": lambda a, b: LABELS.get(a, 1.0),
    "a set's size": lambda a, b: len({a, b}),
    "a counter": lambda a, b: max(Counter([a, b]).values()),
    "a cache": lambda a, b: _cached(a),
    "hash": lambda a, b: hash(a) % 7,
    "equal to another": lambda a, b: 1.0 if a == b else 2.0,
    "not equal to another": lambda a, b: 1.0 if a != b else 2.0,
    "in a list of others": lambda a, b: 1.0 if a in [b] else 2.0,
    "is it nan?": lambda a, b: 1.0 if a != a else 2.0,
    "groups": lambda a, b: len(list(groupby([a, b]))),
    "text": lambda a, b: len(str(a)),
    "a formatted string": lambda a, b: len(f"{a}"),
    "repr": lambda a, b: 1.0 if "=-" in repr(a) else 2.0,
    "a short repr": lambda a, b: len(short_repr(a)),
    "sorted by text": lambda a, b: sorted([a, b], key=str)[0],
    "int": lambda a, b: int(a),
    "round": lambda a, b: round(a),
    "floor": lambda a, b: math.floor(a),
    "trunc": lambda a, b: math.trunc(a),
    "a copy": lambda a, b: copy.copy(a),
    "a deep copy": lambda a, b: copy.deepcopy([a, b])[0],
    "a pickle": lambda a, b: len(pickle.dumps(a)),
    "a gradient": lambda a, b: a.grad,
    "backward": lambda a, b: a.backward() or 1.0,
    "a fraction": lambda a, b: 1.0 if a + b == a * b else 2.0,
}
EVERYWHERE = QUESTIONS | {
    "if": lambda a, b: 1.0 if a > 0.5 else 2.0,
    "bool": lambda a, b: 1.0 if a else 2.0,
    "equal to a number": lambda a, b: 1.0 if a == 1.0 else 2.0,
    "less": lambda a, b: 1.0 if a < 0.5 else 2.0,
    "at most": lambda a, b: 1.0 if a <= 0.5 else 2.0,
    "more": lambda a, b: 1.0 if a > 0.5 else 2.0,
    "at least": lambda a, b: 1.0 if a >= 0.5 else 2.0,
    "max": lambda a, b: max([a, b]),
    "float": lambda a, b: float(a),
    "data": lambda a, b: a.data,
    "detach": lambda a, b: a.detach(),
    "a result's data": lambda a, b: (a * 2.0).data,
    "a result's choice": lambda a, b: 1.0 if a * 2.0 > b else 2.0,
    "a result": lambda a, b: a * b,
    "a function's result": lambda a, b: mp.tanh(a),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_to_an_input_are_heard(name: str) -> None:
    ask = QUESTIONS[name]
    for question in (
        lambda x: ask(x, 2.0 * x) * x,
        lambda x: ask(mp.tanh(x), x * x) * x + A,  # of what is a plain number where x is one
    ):
        refusal(question)


MPS = "compute with the Value itself, by mp's functions"
GRADIENT = "use mp.gradient(y, [x], create_graph=True)"
# what is quoted, and the way out
SAID = {
    "a key": ("hash(x)", "sets, dicts and caches ask for it: compare by mp.equal(x, 1.0), and choose by mp.where"),
    "equal to another": ("x == y of two Values", "compare by mp.equal(x, y)"),
    "repr": ("repr(x)", MPS),
    "a formatted string": ("a format", MPS),
    **dict.fromkeys(("int", "floor", "trunc", "ceil"), ("int(x)", "as an index, write mp.lookup(table, x)")),
    "round": ("round(x)", MPS),
    **dict.fromkeys(("a copy", "a deep copy"), ("a copy", MPS)),
    "a pickle": ("a pickle", MPS),
    "a gradient": (".grad", GRADIENT),
    "backward": ("backward()", GRADIENT),
    "float": ("float(x)", MPS),
    "data": ("x.data", MPS),
    "a result equal to a number": ("x == 1.0 of a result", MPS),
    "an index": ("x[i]", "write mp.lookup(x, i)"),
    "a hook": ("a hook", "a program would not call it"),
    "no gradient": ("no_grad()", "write mp.stop_gradient(x) where no gradient is to flow"),
    "written": (".data =", "make a new Value instead of writing to one"),
    "a gradient written": (".grad", GRADIENT),
    "a parameter's data": ("x.data", MPS),
    "a parameter written": (".data =", "make a new Value instead of writing to one"),
    "a parameter's gradient": (".grad", GRADIENT),
    "a parameter's float": ("float(x)", MPS),
    "a parameter's format": ("a format", MPS),
    "a parameter's repr": ("repr(x)", MPS),
    "a parameter's hook": ("a hook", "a program would not call it"),
    "a gradient of numbers": ("a gradient that is no graph", "ask for create_graph=True"),
}


def _hooked(a: Any, b: Any) -> Any:
    a.register_hook(print)
    return 1.0


def _recording_nothing(a: Any, b: Any) -> Any:
    with mp.no_grad():
        return a * b


def _written(a: Any, b: Any) -> Any:
    a.data = 3.0
    return 1.0


ASKED: dict[str, Callable[[Any, Any], Any]] = EVERYWHERE | {
    "a result equal to a number": lambda a, b: 1.0 if a * A == 1.0 else 2.0,
    "an index": lambda a, b: [1.0, 2.0][a],
    "a hook": _hooked,
    "no gradient": _recording_nothing,
    "written": _written,
    "ceil": lambda a, b: math.ceil(a),
    "a gradient written": lambda a, b: setattr(a, "grad", 3.0),
    "a parameter's data": lambda a, b: A.data,
    "a parameter written": lambda a, b: setattr(A, "data", 3.0),
    "a parameter's gradient": lambda a, b: A.grad,
    "a parameter's float": lambda a, b: float(A),
    "a parameter's format": lambda a, b: float(f"{A:.3f}"),
    "a parameter's repr": lambda a, b: len(repr(A)),
    "a parameter's hook": lambda a, b: A.register_hook(print),
    "a gradient of numbers": lambda a, b: mp.gradient(A * A, [A])[0],
}


@pytest.mark.parametrize("name", SAID)
def test_the_question_is_quoted_with_the_way_out(name: str) -> None:
    quoted, way_out = SAID[name]
    with pytest.raises(CompileError) as caught:
        mp.compile(lambda x: ASKED[name](x, 2.0 * x) * x, ())
    said = str(caught.value)
    assert said.startswith(f"compile: {quoted} in `"), said
    assert said.endswith(f" would bake one example's number into the program; {way_out}"), said


@pytest.mark.parametrize("name", EVERYWHERE)
def test_questions_are_heard_in_every_thread(name: str) -> None:
    ask = EVERYWHERE[name]

    def caught(x: Any) -> Any:
        try:
            return _in_a_thread(lambda: ask(x, x * 3.0)) * x
        except Exception:  # noqa: BLE001 - as users do
            return x

    refusal(lambda x: _in_a_thread(lambda: ask(x, A)) * x)
    refusal(lambda x: _in_a_thread(functools.partial(ask, x * 2.0 + A, 1.0)) * x)
    refusal(caught)


@pytest.mark.parametrize("asked", [0, 1])
def test_a_question_from_elsewhere_is_heard_by_the_trace_it_belongs_to(asked: int) -> None:
    """Two functions are traced at once; a third thread asks for the number of a result of one of them."""
    both = threading.Barrier(3)
    results: dict[int, Any] = {}

    def compiled(i: int) -> Any:
        def function(x: Any) -> Any:
            result = x * 2.0
            if i not in results:  # in the first run
                results[i] = result
                both.wait(60)
                both.wait(60)
            return result

        try:
            return mp.compile(function, ())
        except CompileError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(compiled, i) for i in range(2)]
        both.wait(60)
        with pytest.raises(CompileError, match=r"float\(x\)"):
            float(results[asked])
        both.wait(60)
        ends = [future.result() for future in under_way]
    assert isinstance(ends[asked], CompileError)
    assert ends[1 - asked]([3.0]) == 6.0


def test_a_result_that_another_thread_makes_of_parameters_is_refused() -> None:
    with pytest.raises(CompileError) as caught:
        mp.compile(lambda x: x * _in_a_thread(lambda: A * (2.0 if A > 0.0 else -7.0)), ())
    assert str(caught.value) == (
        "compile: the function keeps a result from one call to the next, or has one made in another thread; compute "
        "all of it in each call, in one thread"
    )


def test_what_a_function_keeps_is_refused() -> None:
    kept: list[Any] = []

    def first(x: Any) -> Any:
        kept.append(x)
        return kept[0] * A

    says = "^compile: the function keeps x or y from one call to the next; compute with those it gets$"
    with pytest.raises(CompileError, match=says):
        mp.compile(first, ())
    for ask in (float, hash, lambda x: x.data, lambda x: x > 0.5 or x.grad):
        with pytest.raises(CompileError, match=r"left behind|another thread"):
            ask(kept[0])
    assert repr(kept[0]) == "Value(while it is traced)"  # a debugger may look


def test_parameters_answer_for_their_identity_as_always() -> None:
    """A parameter is a Value for the engine, too: what asks for its identity gets the same answer there."""
    names = {A: 2.0, B: 3.0}
    program = mp.compile(lambda x: x * names[A] if A in names and A != B and A != 0.7 else x, ())
    assert program([2.0]) == 4.0


def test_an_error_of_the_packages_own_is_told_while_tracing() -> None:
    parameter: Any = A
    wrong: list[Cost] = [lambda x: mp.leaky_relu(x, x), lambda x: mp.leaky_relu(x, parameter)]  # the error quotes it
    for cost in wrong:
        with pytest.raises(TypeError, match="expected a plain number"):
            mp.compile(cost, ())
    wanted = r"^compile: Value\(.*\) has a hook, which a program would not call; remove it, or run eagerly$"
    with pytest.raises(CompileError, match=wanted), A.register_hook(print):
        mp.compile(lambda x: x * A, ())


def test_an_error_of_the_functions_own_bears_a_note_of_what_its_arguments_are() -> None:
    index: Any = "a"
    with pytest.raises(TypeError, match="list indices must be integers") as caught:
        mp.compile(lambda x: [1.0, 2.0][index] * x, ())
    assert caught.value.__notes__ == [
        "While a function is compiled, its arguments are Values, or lists of them, not numbers: an index, int() or "
        "math's functions cannot use them. Write mp.where, mp.equal and mp's functions instead; give classes one-hot."
    ]


def test_gradients_within_ask_no_questions() -> None:
    model = mp.MLP(2, [3, 1], activation="tanh", seed=1)
    with B.register_hook(print):  # on a Value that has nothing to do with it
        program = mp.compile(lambda x: sum(mp.grad(model)(x)) * A, 2)
    x = np.random.default_rng(1).normal(size=(3, 2))
    with mp.no_grad():
        wanted = [float(sum(mp.grad(model)(row))) * A.data for row in x.tolist()]
    assert np.allclose(program.values(x), wanted)


# --------------------------------------------------------------------------------------------------------------- chance

DICE = random.Random(3)
NUMPYS = np.random.default_rng(3)


class Dropout(mp.nn.Module):
    """Leaves one out in twenty; the generator is an attribute of an attribute."""

    def __init__(self) -> None:
        self.model = mp.MLP(1, [2, 1], seed=1)
        self.options = types.SimpleNamespace(generator=random.Random(7))

    def __call__(self, x: Any) -> Any:
        return self.model([x]) * (0.0 if self.options.generator.random() < 0.05 else 1.0)


DROPOUT, DRAWS = Dropout(), (DICE.random() for _ in iter(int, 1))


def _held(generator: Any) -> Cost:
    return lambda x: x * A if generator.random() > 0.05 else -x


CHANCES: dict[str, Cost] = {
    "random": lambda x: -x if random.random() < 0.05 else x * A,
    "random, by a name": lambda x: -x if uniform(0.0, 1.0) < 0.05 else x * A,
    "NumPy's": lambda x: -x if np.random.rand() < 0.05 else x * A,
    "a global": lambda x: -x if DICE.random() < 0.05 else x * A,
    "NumPy's generator": lambda x: -x if NUMPYS.random() < 0.05 else x * A,
    "a closure": _held(random.Random(2)),
    "NumPy's in a closure": _held(np.random.RandomState(2)),
    "a default": lambda x, dice=DICE: -x if dice.random() < 0.05 else x * A,
    "a method": functools.partial(lambda draw, x: -x if draw() < 0.05 else x * A, random.Random(1).random),
    "a model's": Dropout(),
    "a model's, inside": lambda x: mp.square(DROPOUT(x)),
    "within C": lambda x: x * A if min(map(DICE.uniform, [0.0] * 3, [1.0] * 3)) > 0.01 else -x,
    "an iterator": lambda x: -x if next(DRAWS) < 0.05 else x * A,
    "in a list": lambda x, dice=[[DICE]]: -x if dice[0][0].random() < 0.05 else x * A,
}


def _states() -> list[Any]:
    legacy: Any = np.random.get_state()
    return [random.getstate(), legacy[1].tolist(), legacy[2], DICE.getstate(), NUMPYS.bit_generator.state]


@pytest.mark.parametrize("name", CHANCES)
def test_a_random_number_is_refused_however_rarely_it_decides(name: str) -> None:
    cost = CHANCES[name]
    for seed in range(5):
        random.seed(seed)
        np.random.seed(seed)
        before = _states()
        refusal(
            cost,
            match=r"^compile: a random number is drawn in .*test_tracing.py, line \d+\); a program would keep one draw "
            r"for ever: draw the numbers first, and pass them in by x or y$",
        )
        assert _states() == before  # as if it had never been called


def test_compiling_draws_no_random_number() -> None:
    before = _states()
    mp.compile(lambda x: x * random.Random(3).random() * A, ())([1.0])  # its own, the same in each run: a constant
    assert _states() == before


def test_random_numbers_of_other_threads_are_theirs() -> None:
    over = threading.Event()

    def draw() -> None:
        while not over.wait(0.002):
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(30):
            mp.compile(lambda x: mp.tanh(x * A), ())
            with pytest.raises(CompileError, match=r"a random number is drawn in .*DICE\.random"):
                mp.compile(lambda x: x * A if DICE.random() > 0.0 else x, ())
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def _waiting_threads() -> Iterator[None]:
    """Threads that wait in Python's library, as Jupyter has some, and pools."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(3)]
    with ThreadPoolExecutor(2) as pool:
        pool.submit(int).result()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("name", ["random", "NumPy's", "a closure", "within C"])
def test_beside_threads_that_wait_the_generators_get_their_states_back(name: str) -> None:
    with _waiting_threads():
        test_a_random_number_is_refused_however_rarely_it_decides(name)


@pytest.mark.parametrize("beside", [contextlib.nullcontext, _waiting_threads])
def test_fit_goes_on_eagerly_where_chance_decides_and_gives_the_same_numbers(beside: Callable[[], Any]) -> None:
    def trained(compile: bool | None) -> list[float]:
        w, dice = Value(0.1), random.Random(1)
        cost = lambda x, y: mp.square(w * (-x if dice.random() < 0.3 else x) - y)  # noqa: E731
        mp.fit(cost, ([1.0, 2.0] * 5, [1.0] * 10), mp.optim.SGD([w]), seed=1, compile=compile, progress=False)
        return [w.data, dice.random()]

    with (
        beside(),
        pytest.warns(UserWarning, match=r"not compiled.*a random number is drawn in .*dice.random\(\) < 0.3"),
    ):
        answer = trained(None)
    assert answer == trained(False)


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
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        mp.compile(lambda x, y: x, ())
    with pytest.raises(TypeError, match="not subscriptable") as caught:
        mp.compile(lambda x: x[0] * A, ())
    assert "mp.where" in "".join(caught.value.__notes__)


def test_nodes_made_by_hand_are_refused() -> None:
    with pytest.raises(TypeError, match="set by hand"):
        mp.compile(lambda x: Value(1.0, (x,), "mine") * A, ())


# ------------------------------------------------------------------------------------------------------ indices as data


def test_an_embedding_and_a_bigram_table_compile_once_for_all_texts_of_a_length() -> None:
    draw = random.Random(0)
    embedding, scores = [[[Value(draw.gauss(0, 1)) for _ in range(m)] for _ in range(5)] for m in (3, 5)]

    def cost(text: Any) -> Any:
        states = [mp.lookup(embedding, letter) for letter in text]
        pairs = [mp.losses.cross_entropy(mp.lookup(scores, a), b) for a, b in pairwise(text)]
        return sum(pairs) + mp.dot(states[0], states[1]) + mp.square(sum(states[-1]))

    texts = np.array([[draw.randrange(5) for _ in range(4)] for _ in range(9)])
    checked(cost, texts.astype(float))
    program = mp.compile(cost, x=4)
    gradient = dict(zip(map(id, program.parameters), program.gradients(texts[:1])[0]))
    for letter, row in enumerate(embedding):
        moved = [gradient[id(value)] != 0.0 for value in row]
        assert any(moved) == (letter in texts[0][[0, 1, 3]])


def test_an_index_that_is_not_in_the_table_gives_nan_and_no_gradient() -> None:
    table = [Value(1.0), Value(2.0)]
    program = mp.compile(lambda i: mp.lookup(table, i), x=(), parameters=table)
    assert np.array_equal(program.values([0, 1, 2, -1, 0.5]), [1.0, 2.0, nan, nan, nan], equal_nan=True)
    assert program.gradients([1]).tolist() == [[0.0, 1.0]]


def test_an_infinite_entry_that_is_not_chosen_has_no_part_in_it() -> None:
    table = [Value(0.0), Value(4.0)]
    checked(lambda i: mp.lookup([mp.log(entry) for entry in table], i), [1.0])
    assert mp.compile(lambda i: mp.lookup([mp.log(v) for v in table], i), x=()).gradients([1]).tolist() == [[0.0, 0.25]]


def test_a_number_is_computed_once_however_many_choices_ask_for_it() -> None:
    asked: list[float] = []

    def noted(x: float) -> float:
        asked.append(x)
        return x

    noting = mp.primitive("noting_it", noted, lambda out, x: 1.0)

    def choosing(times: int) -> Cost:
        def cost(x: Any) -> Any:
            y = noting(x * A)
            return sum([y for i in range(times) if y > float(i)], start=y)

        return cost

    try:
        counts = []
        for times in (1, 5):
            asked.clear()
            assert len(trace(choosing(times), [()], [0.5], Identities.fromkeys([A], 8.0)).guards) == times
            counts.append(asked.count(4.0))
    finally:
        del TABLE["noting_it"], FUNCTIONS["noting_it"]
        delattr(Value, "noting_it")
    assert counts == [1, 1]


def test_a_listing_of_one_result_says_so() -> None:
    one, two = [trace(f, [(), ()]) for f in (lambda x, y: x * y, lambda x, y: [x, y])]
    assert (one.several, two.several) == (False, True)
    assert (Listing((1, 1), Flat()).several, Listing((1, 1), Flat()).roots) == (False, [])


def test_the_columns_of_a_flat_graph_have_one_sign_for_no_place() -> None:
    """It stands in two groups of modules, which are built without each other."""
    assert fusing.NO_PLACE == flattening.NO_PLACE


def test_errors_about_what_was_left_behind_say_what_was_asked_where() -> None:
    left: list[Any] = []

    def leaving(x: Any) -> Any:
        left.append(x * 2.0)
        return x * x

    mp.compile(leaving, ())
    with pytest.raises(CompileError) as caught:
        str(left[0].data)
    assert str(caught.value).startswith("compile: x.data in `str(left[0].data)` (test_tracing.py, line ")
    assert str(caught.value).endswith(
        "of a Value that a traced function has left behind; it stands for no number any more"
    )


@pytest.mark.parametrize(
    ("out", "told"),
    [
        (3.0, "3.0, a float; {0}; does it use float(), .data or math instead of mp's functions?"),
        ("no", "'no', a str; {0}"),
        (None, "None, a NoneType; {0}"),
        ({"a": 1.0}, "{{'a': 1.0}}, a dict; {0}"),
        (
            [1.0, "no"],
            "[1.0, 'no'], a list; {0}; does it use float(), .data or math instead of mp's functions?",
        ),
    ],
)
def test_what_is_no_value_is_told_with_a_hint_only_where_it_is_a_number(out: Any, told: str) -> None:
    with pytest.raises(CompileError) as caught:
        mp.compile(lambda _: out, ())
    wanted = "expected a Value made from its arguments, or a list of them"
    assert str(caught.value) == f"compile: the function returned {told.format(wanted)}"


def test_a_programs_answer_within_a_trace_is_told_with_the_way_out() -> None:
    inner = mp.compile(lambda x: A * x, ())
    told = r"^compile: a program's answer in .* would bake .*; call the function that it was compiled from$"
    with pytest.raises(CompileError, match=told):
        mp.compile(lambda x: x * inner([1.0]), ())


# ------------------------------------------------------------------------------- a second run is held against the first


class Own(Value):
    """Values that nobody asks for their gradients."""


LEAVES = [Value(2.0), Value(3.0)]


def laid(draw: random.Random, inputs: list[Value], kind: type[Value]) -> tuple[list[Value], list[Value], list[Value]]:
    """Inputs, nodes and what is wanted of a small graph: with the same numbers drawn, the same graph."""
    known: list[Any] = [*inputs, *LEAVES, kind(1.0), 0.0, -0.0, 2.0, nan]
    for _ in range(draw.randint(1, 6)):
        op: Any = draw.choice([mp.add, mp.mul, mp.where, mp.exp, mp.clamp])
        made = op(*[draw.choice(known) for _ in range(op.op.arity)])
        known += [made] if isinstance(made, Value) else []
    wanted = [draw.choice([each for each in known if isinstance(each, Value)]) for _ in range(draw.randint(1, 2))]
    return inputs, walk(*wanted)[0], wanted


def test_a_run_that_repeats_another_is_told_from_one_that_does_not() -> None:
    """As if both were laid out and compared, place by place, leaf by leaf."""
    told = []
    for seed in range(3000):
        draw = random.Random(seed)
        kind = draw.choice([Value, Own])
        first, second = draw.choice([(seed, seed), (seed, seed + 1), (seed % 7, seed % 11)])
        one, other = [laid(random.Random(each), [kind(0.5), kind(0.7)], kind) for each in (first, second)]
        a, b = [Flat(*graph, Own if kind is Own else None) for graph in (one, other)]
        same = (a.ops, a.first, a.second, a.more, a.wanted) == (b.ops, b.first, b.second, b.more, b.wanted)
        same = same and {at: id(leaf) for at, leaf in a.leaves.items()} == {
            at: id(leaf) for at, leaf in b.leaves.items()
        }
        same = same and [(at, repr(x + 0.0)) for at, x in a.constants.items()] == [
            (at, repr(x + 0.0)) for at, x in b.constants.items()
        ]
        assert repeats(a, *other) == same, seed
        told.append(same)
    assert 500 < sum(told) < 2500


# ---------------------------------------------------------------------------------------- ways that do not go together


def test_ways_give_as_many_outputs() -> None:
    w = Value(2.0)
    ways: list[Any] = [
        lambda x: [x * w, x + 100.0] if x > 0 else [x * w],
        lambda x: x * w if x > 0 else [x * w, x],
        lambda x: x * w if x > 0 else [x * w],
        lambda x: [x * w] if x > 0 else [x * w, x, x],
    ]
    for function in ways:
        program = mp.compile(function, x=())
        with pytest.raises(CompileError, match=r"leads to a .*, the first way to a .*; return as many"):
            program.values([1.0, -1.0])
        assert program.values([1.0]).shape in ((1,), (1, 1), (1, 2))


CHANGED: dict[str, float] = {}


def by_a_scale(x: Any) -> Any:
    return CHANGED["scale"] * x if x > 0 else -CHANGED["scale"] * x


def by_a_flag(x: Any) -> Any:
    if CHANGED["scale"] == 2.0:
        return x * 2.0 if x > 0 else -2.0 * x
    return 100.0 * x


def by_another_question(x: Any) -> Any:
    if CHANGED["scale"] == 2.0:
        return x * 2.0 if x > 0 else -2.0 * x
    return x * 2.0 if x > 1 else -2.0 * x


@pytest.mark.parametrize("function", [by_a_scale, by_a_flag, by_another_question])
def test_a_constant_that_was_changed_is_in_no_new_way(function: Any) -> None:
    CHANGED["scale"] = 2.0
    program = mp.compile(function, x=())
    assert program([1.0]) == 2.0
    CHANGED["scale"] = 3.0
    for _ in range(2):
        with pytest.raises(CompileError, match="was changed; compile it again"):
            program.values([1.0, -1.0])
        assert program([1.0]) == 2.0
    CHANGED["scale"] = 2.0
    assert program.values([1.0, -1.0]).tolist() == [2.0, 2.0]


def test_what_each_run_makes_anew_is_no_change() -> None:
    def total(x: Any) -> Any:
        sum_of = Value(0.0)
        for part in x:
            sum_of = sum_of + part if part > 0 else sum_of - part
        return sum_of

    program = mp.compile(total, x=3)
    xs = np.array(list(itertools.product([1.0, -2.0], repeat=3)))
    assert program.values(xs).tolist() == np.abs(xs).sum(axis=1).tolist()


class Loud(Value):
    """It has an operator of its own on the right, which Python asks first."""

    def __rmul__(self, other: Any) -> Any:
        return Value(7.0) + 0.0 * other


def test_an_operator_of_ones_own_on_the_right_is_refused() -> None:
    loud = Loud(5.0)
    assert (Value(2.0) * loud).data == 7.0
    with pytest.raises(CompileError, match="Loud has its own __rmul__"):
        mp.compile(lambda x: x * loud, x=())


def test_a_0d_array_of_a_value_is_that_value() -> None:
    program = mp.compile(lambda x: np.where(x > 0.5, x, 2 * x), x=())
    assert program.values([1.0, 0.25]).tolist() == [1.0, 0.5]


# ------------------------------------------------------------------------------------------------ where models are kept


class Two(mp.Module):
    """A model that uses its parts in another order than it has them."""

    def __init__(self) -> None:
        self.a, self.b = mp.MLP(2, [2, 1], seed=1), mp.MLP(2, [2, 1], seed=2)

    def __call__(self, x: Any) -> Any:
        return self.b(x) * self.a(x)


class Keeper:
    """An ordinary object that has a model, and a method that is a cost."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def cost(self, x: Any) -> Any:
        return self.model(x)


class Slotted:
    """The same with a slot, and callable."""

    __slots__ = ("model",)

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, x: Any) -> Any:
        return self.model(x)


@dataclass
class Kept:
    """The same as a dataclass."""

    model: Any


class Namer:
    """An object that has no model, but names one in its methods."""

    def __call__(self, x: Any) -> Any:
        return self.asked(x) + self.static(x) - self.model(x)

    def asked(self, x: Any) -> Any:
        return NAMED[0](x)

    @staticmethod
    def static(x: Any) -> Any:
        return NAMED[0](x)

    @property
    def model(self) -> Any:
        return NAMED[0]


class Wrapping(mp.Module):
    """The same as a module."""

    def __call__(self, x: Any) -> Any:
        return Namer().asked(x)


NAMED: list[Any] = []


def functions_of(model: Any) -> dict[str, Any]:
    NAMED[:] = [model]
    space, kept, several, line = SimpleNamespace(model=model), Kept(model), {model}, deque([model])
    array, keeper = np.array([model, None], dtype=object), Keeper(model)
    shared: Any = type("Shared", (), {"model": model})()
    several_shared: Any = type("Several", (), {"models": {"only": [model]}})
    further: Any = type("Further", (several_shared,), {})
    namer, module = Namer(), ModuleType("module_of_the_test")
    vars(module)["model"] = model
    return {
        "itself": model,
        "method": keeper.cost,
        "partial": functools.partial(keeper.cost),
        "slot": Slotted(model),
        "namespace": lambda x: space.model(x),
        "dataclass": lambda x: kept.model(x),
        "set": lambda x: next(iter(several))(x),
        "deque": lambda x: line[0](x),
        "array": lambda x: array[0](x),
        "class": lambda x: shared.model(x),
        "module in a closure": lambda x: module.model(x),
        "class itself": lambda x: several_shared.models["only"][0](x),
        "what comes from it": lambda x: further.models["only"][0](x),
        "names in methods": namer,
        "names in a method that is called": lambda x: namer.asked(x),
        "names in a static method": lambda x: Namer.static(x),
        "names in a property": lambda x: namer.model(x),
        "names in a module's methods": Wrapping(),
        "list of keepers": lambda x, keepers=[keeper]: keepers[0].cost(x),
    }


@pytest.mark.parametrize("where", functions_of(None))
def test_parameters_stand_in_the_models_order_wherever_it_is_kept(where: str) -> None:
    model = Two()
    program = mp.compile(functions_of(model)[where], x=2)
    assert list(map(id, program.parameters)) == list(map(id, model.parameters()))
    theta = [parameter.data for parameter in model.parameters()]
    assert program([[0.5, -1.0]]) == program([[0.5, -1.0]], parameters=theta)


def test_a_value_rebound_in_an_object_is_noticed() -> None:
    keeper = Keeper(Value(2.0))
    program = mp.compile(lambda x: keeper.model * x, x=())
    assert not program.rebound()
    keeper.model = Value(5.0)
    assert program.rebound()

    class Line:
        slope = Value(2.0)

    program = mp.compile(lambda x: Line.slope * x, x=())
    assert not program.rebound()
    Line.slope = Value(5.0)
    assert program.rebound()


class Link:
    """An object in a long chain, or one of very many."""

    def __init__(self, further: Any) -> None:
        self.further = further


def test_what_reaches_half_a_world_is_compiled_all_the_same() -> None:
    chain: Any = None
    for _ in range(50_000):
        chain = Link(chain)
    many = [Link(i) for i in range(50_000)]
    w = Value(2.0)
    program = mp.compile(lambda x: x * w if chain and many and pytest else x, x=())
    assert (program([3.0]), program.parameters) == (6.0, [w])
    while chain is not None:  # freed one by one
        chain = chain.further


def test_the_search_for_models_does_not_go_through_the_package() -> None:
    """It keeps programs, tasks and tables, in which others' Values may lie."""
    w = Value(2.0)
    reached = named(lambda x: mp.square(mp.softmax([w * x])[0]))
    assert [thing for _, thing in reached] == [w]
