"""The interpreter for graphs in which nothing is regular gives what Python gives, which goes through them step by step.

What programs answer by it, compared with the eager engine, stands in test_program.py, where it is one of the executors.
"""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.program import coding, templates
from micrograd_plus.program.replay import Replay
from micrograd_plus.program.templates import KIND
from micrograd_plus.program.tracing import trace

pytestmark = pytest.mark.skipif(templates.interpreter is None, reason="needs the interpreter, which is built natively")

POINTS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 3.0, -7.5, 40.0, -800.0, 1e-300, 1e308, 5e-324, inf, -inf, nan]


def irregular(numbers: int, seed: int, functions: tuple[str, ...] = ("sin", "tanh", "abs", "exp")) -> Any:
    """A function of four inputs in which each number is made from any two before it; and its parameters."""
    weights = [Value(random.Random(seed).uniform(-1, 1)) for _ in range(5)]

    def cost(x: Any) -> Any:
        draw = random.Random(seed)
        made = [*weights, *x]
        for _ in range(numbers):
            a, b = draw.choice(made), draw.choice(made)
            kind = draw.randrange(6)
            if kind < 4:
                made.append([a * b * 0.5, a - 0.3 * b, mp.maximum(a, b), mp.where(a < b, a, mp.square(b))][kind])
            else:
                made.append(getattr(mp, draw.choice(functions))(mp.clamp(a, -3.0, 3.0)))
        return mp.mean(made[-30:])

    return cost, weights


def interpreted(cost: Any, weights: list[Value], inputs: int) -> Replay:
    return Replay(trace(cost, [(inputs,)]), weights)


def by_python(cost: Any, weights: list[Value], inputs: int) -> Replay:
    way = interpreted(cost, weights, inputs)
    way.unknown = "the test wants Python"
    return way


@pytest.mark.parametrize("name", sorted(set(KIND) & set(TABLE)))
def test_each_row_it_knows_is_the_row_of_the_table(name: str) -> None:
    op: Any = TABLE[name]
    count = op.arity
    options = list(op.options.values())
    points = list(product(POINTS, repeat=count))
    points = random.Random(0).sample(points, min(len(points), 1_000))
    way = interpreted(lambda x: getattr(mp, name)(*x, *options), [], count)
    got = way.outputs("values", np.zeros(0), np.array(points))[0]
    for point, number in zip(points, got.tolist()):
        wanted = op.forward(*point, *options)
        assert number == pytest.approx(wanted, rel=2e-14, abs=0.0, nan_ok=True), point


@pytest.mark.parametrize("seed", range(8))
def test_it_gives_what_python_gives(seed: int) -> None:
    cost, weights = irregular(400, seed)
    fast, slow = interpreted(cost, weights, 4), by_python(cost, weights, 4)
    theta = np.array([weight.data for weight in weights])
    examples = np.random.default_rng(seed).normal(size=(19, 4))
    examples[3, 1], examples[5, 0], examples[7, 2] = inf, nan, 0.0
    got, want = [way.outputs("values", theta, examples) for way in (fast, slow)]
    assert got == pytest.approx(want, rel=1e-12, nan_ok=True)
    for each in (False, True):
        (root, mine), (other, wanted) = [way.gradients(theta, examples, each=each) for way in (fast, slow)]
        assert root == pytest.approx(other, rel=1e-12, nan_ok=True)
        assert mine == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)


def test_an_example_is_the_same_alone_and_among_others_and_a_sum_goes_by_their_order() -> None:
    cost, weights = irregular(300, 1)
    way = interpreted(cost, weights, 4)
    theta = np.array([weight.data for weight in weights])
    examples = np.random.default_rng(0).normal(size=(40, 4))
    alone = [way.gradients(theta, examples[i : i + 1])[1][:, 0] for i in range(40)]
    for n in range(1, 41):
        each = way.gradients(theta, examples[:n], each=True)[1]
        assert np.array_equal(each, np.array(alone[:n]).T)
        total = np.zeros(len(theta))
        for gradient in alone[:n]:
            total += gradient
        assert np.array_equal(way.gradients(theta, examples[:n])[1][:, 0], total)


@pytest.mark.parametrize("n", [65, 200, 1_001])
def test_any_number_of_threads_gives_the_same_bits(n: int) -> None:
    cost, weights = irregular(300, 2)
    way = interpreted(cost, weights, 4)
    theta = np.array([weight.data for weight in weights])
    examples = np.random.default_rng(0).normal(size=(n, 4))
    values, total = way.gradients(theta, examples)
    _, each = way.gradients(theta, examples, each=True)
    assert total == pytest.approx(each.sum(axis=1, keepdims=True), rel=1e-9)
    for threads in (2, 3, 100):
        assert np.array_equal(way.outputs("values", theta, examples, threads=threads), values)
        assert np.array_equal(way.gradients(theta, examples, threads=threads)[1], total)
        assert np.array_equal(way.gradients(theta, examples, each=True, threads=threads)[1], each)


def test_vectors_of_any_width_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one number included, by which few examples go through one by one."""
    names = ("sin", "cos", "tanh", "exp", "log1p", "sigmoid", "softplus", "sinh", "expm1", "erf", "sqrt", "atan")
    cost, weights = irregular(600, 3, names)
    way = interpreted(cost, weights, 4)
    theta = np.array([weight.data for weight in weights])
    examples = 100.0 * np.random.default_rng(0).normal(size=(8, 4))
    examples[3, 1], examples[5, 0], examples[7, 2] = inf, nan, 1e7
    alone = [way.gradients(theta, examples[i : i + 1]) for i in range(8)]
    for machine in range(templates.interpreter.MACHINES):
        monkeypatch.setattr(coding, "MACHINE", machine)
        values, each = way.gradients(theta, examples, each=True)
        assert np.array_equal(values, np.hstack([value for value, _ in alone]), equal_nan=True)
        assert np.array_equal(each, np.hstack([gradient for _, gradient in alone]), equal_nan=True)


def test_what_nobody_reaches_gets_exactly_0_among_others_that_are_fine() -> None:
    a = Value(0.0)
    way = interpreted(lambda x: mp.where(x[0], mp.sqrt(a) * x[0], a * x[1]), [a], 2)
    examples = np.array([[0.0, 2.0], [0.0, 3.0], [0.0, 4.0], [1.0, 5.0]])
    _, gradients = way.gradients(np.array([0.0]), examples, each=True)
    assert gradients.tolist() == [[2.0, 3.0, 4.0, inf]]


def test_a_root_that_is_a_parameter_an_input_or_a_constant() -> None:
    a = Value(3.0)
    for root, slope in ((lambda x: a, 1.0), (lambda x: x[0], 0.0), (lambda x: a * 0.0 + 5.0, 0.0)):
        way = interpreted(root, [a], 1)
        value, gradient = way.gradients(np.array([3.0]), np.array([[2.0], [2.0], [2.0], [2.0]]))
        assert value.tolist() == [[root([Value(2.0)]).data] * 4]
        assert gradient.tolist() == [[4.0 * slope]]


def test_primitives_of_ones_own_are_lowered_or_left_to_python() -> None:
    cube = mp.primitive("cube_of_a_test", lambda x: x**3, lambda out, x: 3.0 * mp.square(x))
    told = mp.primitive(
        "cube_told_to_arrays", lambda x: x**3, lambda out, x: 3.0 * mp.square(x), arrays=lambda x: x * mp.square(x)
    )
    a = Value(2.0)
    way = interpreted(lambda x: cube(x[0]) * a, [a], 1)
    assert way.gradients(np.array([2.0]), np.array([[0.5]]))[1].tolist() == [[0.125]]
    assert way.unknown == "it has no steps for cube_of_a_test"
    way = interpreted(lambda x: told(x[0] * a), [a], 1)
    assert way.gradients(np.array([2.0]), np.array([[0.5]]))[1].tolist() == [[1.5]]
    assert way.unknown == ""


def test_pickles_and_many_threads_at_once() -> None:
    cost, weights = irregular(4_000, 3)
    program = mp.compile(cost, 4, parameters=weights)
    assert program._paths[0].irregular
    rows = np.random.default_rng(1).normal(size=(60, 4))
    wanted = [program.gradients(rows[:n]) for n in range(1, 61)]
    copy = pickle.loads(pickle.dumps(program))
    with ThreadPoolExecutor(8) as pool:
        for run in (program, copy):
            assert all(map(np.array_equal, pool.map(lambda n, run=run: run.gradients(rows[:n]), range(1, 61)), wanted))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX's signals")
def test_ctrl_c_breaks_a_long_run_off() -> None:
    code = """
import signal, threading, numpy as np, micrograd_plus as mp
a = mp.Value(0.5)
def cost(x):
    for _ in range(3_000):
        x = mp.sin(x * a)
    return x
program = mp.compile(cost, ())
rows = np.linspace(0.0, 1.0, 400_000)
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job of a shell does without
threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
try:
    program.gradients(rows)
    print("it went on to the end")
except KeyboardInterrupt:
    print("broken off")
print(program.gradients(rows[:2]).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert done.stdout.split("\n")[:2] == ["broken off", "(2, 1)"], done.stderr
