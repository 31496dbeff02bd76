"""What runs a batch is chosen by what it costs, and the answers are the same."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import micrograd_plus as mp
from micrograd_plus.program import replay, templates
from micrograd_plus.program.costs import Cost, by_python, faster_up_to, of_steps
from micrograd_plus.program.kernels import why_not
from micrograd_plus.program.replay import Replay

native = pytest.mark.skipif(bool(why_not()) or not templates.interpreter, reason="needs what is built natively")
A, B = mp.Value(1.5), mp.Value(-0.5)
MODEL = mp.MLP(3, [12, 12, 3], activation="tanh", seed=1)
seconds = st.floats(0.0, 10.0)


def unlike(x: Any) -> Any:
    """Half of it is a network, half stands by itself, so that for a few examples the interpreter is faster."""
    made = [A, B, *MODEL(x)]
    for i in range(100):
        a, b = made[-1 - i % 3], made[-4]
        made.append([mp.sin(a - b), mp.atan(a) * b, mp.cbrt(a + 2.0), mp.maximum(a, 0.5 * b)][i % 7 % 4])
    return sum(made[-9:], mp.Value(0.0))


@given(st.lists(st.tuples(seconds, st.integers(1, 8), seconds), min_size=1, max_size=2), seconds)
def test_few_are_those_that_are_faster(numbers: list[tuple[float, int, float]], arrays: float) -> None:
    costs, other = [Cost(start, ((size, each),)) for start, size, each in numbers], Cost(arrays)
    few = faster_up_to(costs, other)
    faster = [min([cost.seconds(n) for cost in costs]) < other.seconds(n) for n in range(1, 1026)]
    assert all(faster[:few])
    assert few == 1024 or not any(faster[few:])


def test_more_work_costs_more() -> None:
    graph, more, dearer = [Counter({"add": 2} | other) for other in ({}, {"mul": 1}, {"sin": 1})]
    for size, examples in ((0, 1), (1, 8)):
        costs = [of_steps(steps)[size].seconds(examples) for steps in (graph, more, dearer)]
        assert costs == sorted(costs)
        assert len(set(costs)) == 3
    add, sine = mp.engine.TABLE["add"], mp.engine.TABLE["sin"]
    one, two, three = [by_python(Counter(ops))[0].seconds(3) for ops in ([add, None], [add, add], [add, sine])]
    assert one < two < three


@native
def test_few_examples_go_through_the_interpreter_and_many_through_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    gradients = Replay.gradients

    def noted(self: Replay, theta: Any, examples: Any, **options: Any) -> Any:
        batches.append(len(examples))
        return gradients(self, theta, examples, **options)

    monkeypatch.setattr(Replay, "gradients", noted)
    program, kernels = mp.compile(unlike, 3), mp.compile(unlike, 3, backend="kernels")
    few = program._paths[0].few
    assert 0 < few < 200
    x = np.random.default_rng(0).normal(size=(200, 3))
    for n in (1, few, few + 1, 200):
        mine, theirs = program.value_and_grad(x[:n]), kernels.value_and_grad(x[:n])
        assert_allclose(np.append(*mine[::-1]), np.append(*theirs[::-1]), rtol=1e-11)
        assert_allclose(program.values(x[:n]), kernels.values(x[:n]), rtol=1e-12)
        assert_allclose(program.gradients(x[:n]), kernels.gradients(x[:n]), rtol=1e-10)
    assert set(batches) == {1, few}


@native
def test_explain_says_which_and_why() -> None:
    program = mp.compile(unlike, 3)
    few = program._paths[0].few
    told = rf"; up to {few} examples number by number, by the interpreter: some (\d+) µs for one, not (\d+)$"
    ((one, other),) = re.findall(told, program.explain())
    assert int(one) < int(other)
    for backend in ("kernels", "numpy"):
        assert "number by number" not in mp.compile(unlike, 3, backend=backend).explain()
    model = mp.MLP(8, [16, 4], seed=1)
    assert "number by number" not in mp.compile(model, 8).explain()


@native
def test_a_pickled_program_chooses_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stored, x = pickle.dumps(mp.compile(unlike, 3)), [[0.5, -0.25, 2.0]]
    want = mp.compile(unlike, 3).value_and_grad(x)[1]
    again = pickle.loads(stored)
    assert again.explain() == mp.compile(unlike, 3).explain()
    monkeypatch.setattr(replay, "interpreter", None)  # there Python would be slower than the arrays
    without = pickle.loads(stored)
    assert "number by number" not in without.explain()
    for program in (again, without):
        assert_allclose(program.value_and_grad(x)[1], want, rtol=1e-11)


@native
def test_a_row_that_the_interpreter_lacks_is_known_before_it_is_asked() -> None:
    own = mp.primitive("cube_of_costs", lambda x: x**3, lambda out, x: 3.0 * float(x) ** 2)
    way = mp.compile(lambda x: own(unlike(x)), 3)
    assert "by the interpreter" not in way.explain()
