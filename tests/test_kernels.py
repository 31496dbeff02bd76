"""Kernels answer as NumPy and the engine do: on each kind of vector, in both floats, at every size of a batch."""

from __future__ import annotations

import math
import os
import pickle
import random
import subprocess
import sys
import threading
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import A, B, agree, leaves, littered, numbers

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.program import kernels
from micrograd_plus.program.instructions import Instruction, Memory, Place, instruction, settled

pytestmark = pytest.mark.skipif(kernels.machine is None, reason=kernels.why_not())
MACHINES: list[str] = [] if kernels.machine is None else list(kernels.machine.MACHINES)
ROWS = () if kernels.machine is None else [name for name in kernels.machine.OPS if name in TABLE]
POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -0.3, 40.0, -40.0, 708.5, -709.5, 745.0, -745.0, 1e10, 1e300, -1e308)
EDGES = (*POINTS, 5e-324, -5e-324, 1e-310, -1e-310, math.inf, -math.inf, math.nan)
EXACT = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "tanh": mpmath.tanh, "cosh": mpmath.cosh, "sinh": mpmath.sinh,
    "log": mpmath.log, "log1p": mpmath.log1p, "sin": mpmath.sin, "cos": mpmath.cos,
}  # fmt: skip
NEARLY = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sech": mpmath.sech,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}


@pytest.fixture(params=range(len(MACHINES)), ids=MACHINES)
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each kind of vector that this processor has, from the narrowest on."""
    monkeypatch.setattr(kernels, "MACHINE", request.param)
    return MACHINES[request.param]


def compiled(cost: Any, x: Any, y: Any = None, **options: Any) -> list[mp.program.Program]:
    """The same by kernels and by NumPy."""
    return [mp.compile(cost, x, y, backend=backend, **options) for backend in ("kernels", "numpy")]


def same(programs: list[mp.program.Program], x: Any, y: Any = None, tolerance: float = 1e-12) -> None:
    """All answers agree, relative to the largest number in them."""
    for call in ("values", "gradients", "value_and_grad"):
        got, want = [getattr(program, call)(x, y) for program in programs]
        for ours, theirs in zip(got, want) if call == "value_and_grad" else [(got, want)]:
            assert np.shape(ours) == np.shape(theirs)
            assert agree(ours, theirs, np.abs(theirs).max(), tolerance).all(), call


# ------------------------------------------------------------------------------------------------ functions of vectors


@pytest.mark.parametrize("name", [*EXACT, *NEARLY])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_functions_are_right_to_the_last_digits(vectors: str, name: str, dtype: Any) -> None:
    """Errors in units in the last place, against 40 digits."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-size, size, 400) for size in (0.5, 1.0, 6.0, 40.0, 80.0)])
    x = np.concatenate([x, 10.0 ** rng.uniform(-30.0, 0.0, 400) * rng.choice([-1.0, 1.0], 400)]).astype(dtype)
    if name.startswith("log"):
        x = np.concatenate([np.abs(x), 1.0 + x[:400] / 1000.0])
    if name in ("sin", "cos"):  # at the multiples of π / 2 all digits of x but the last are lost
        turns = np.pi / 2.0 * np.concatenate([np.arange(-200, 200), rng.integers(-6_000, 6_000, 400)])
        x = np.concatenate([x, turns.astype(dtype), np.nextafter(turns.astype(dtype), np.inf), 1e5 * x]).astype(dtype)
    got = mp.compile(getattr(mp, name), (), dtype=dtype, backend="kernels").values(x)
    with mpmath.workdps(40):
        exact = (EXACT | NEARLY)[name]
        wanted = [exact(mpmath.mpf(float(number))) for number in x]
        unit = np.spacing(np.abs(np.array([float(want) for want in wanted], dtype=dtype)))
        errors = [float(abs(mpmath.mpf(float(a)) - b)) for a, b in zip(got, wanted)] / unit.astype(float)
    assert errors.max() < (1.6 if name in EXACT and (name, dtype) != ("tanh", "float32") else 2.5)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_the_engines_at_every_edge(vectors: str, name: str) -> None:
    """The sign of a zero included; and all else to the last digits."""
    op = TABLE[name]
    function: Any = FUNCTIONS[name]
    points = list(product(EDGES, repeat=op.arity))
    points = random.Random(0).sample(points, min(len(points), 300))
    got = mp.compile(lambda x: function(*x), op.arity, backend="kernels").values(points)
    wanted = np.array([op.forward(*point, *op.options.values()) for point in points])  # type: ignore[misc]
    fine = agree(got, wanted, 0.0, 1e-13)
    assert fine.all(), [(point, *pair) for point, *pair, good in zip(points, got, wanted, fine) if not good]
    if name not in ("add", "sub", "copysign", "atan2"):  # x + 0 is x; a nan's sign means nothing
        assert (np.signbit(got) == np.signbit(wanted))[wanted == 0.0].all()


def test_the_slope_of_tanh_keeps_its_digits(vectors: str) -> None:
    """1 - tanh² keeps its digits where tanh is 1."""
    program = mp.compile(lambda x: mp.tanh(x * A), (), parameters=[A], backend="kernels")
    for x in (0.0, 1e-3, 1.0, 15.0, 100.0, 340.0, 1000.0):
        slope = program.gradients([x / A.data])[0, 0] * A.data
        want = float(mpmath.sech(x) ** 2 * mpmath.mpf(x))
        assert slope == pytest.approx(want, rel=1e-12, abs=1e-300)


# ----------------------------------------------------------------------------------------------------- sizes of a batch

WIDE = mp.MLP(52, [5, 3, 2], activation="tanh", seed=1)
NARROW = mp.MLP(3, [9, 40, 40, 1], activation="sigmoid", seed=2)


def wide(x: list[Any], y: list[Any]) -> Any:
    """Reads its inputs as they lie in the batch, some of them twice."""
    return mp.losses.cross_entropy(WIDE(x), y) + mp.square(x[3] * A - x[50])


def narrow(x: list[Any], y: list[Any]) -> Any:
    """A layer of 40 times 40, whose sums do not stay vectors."""
    return mp.losses.squared_error(NARROW(x), y[0]) + 0.01 * sum([p * p for p in NARROW.parameters()])


@pytest.mark.parametrize("cost", [wide, narrow])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batches_of_all_sizes(vectors: str, cost: Any, dtype: Any) -> None:
    inputs = 52 if cost is wide else 3
    programs = compiled(cost, inputs, 2, dtype=dtype)
    x, y = numbers(300, inputs), np.eye(2)[np.arange(300) % 2]
    for n in (*range(1, 70), 95, 96, 97, 127, 128, 129, 255, 256, 257, 299, 300):
        same(programs, x[:n], y[:n], 1e-12 if dtype == "float64" else 3e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_batches(dtype: Any) -> None:
    """Of more blocks than are summed up at once, and more parts than there are."""
    programs = compiled(lambda x: mp.tanh(x * A) * B + A * A, (), dtype=dtype)
    for n in (1023, 1024, 1025, 9000, 100_001):
        x = numbers(n)
        got, want = [program.value_and_grad(x) for program in programs]
        assert got[0] == pytest.approx(want[0], rel=1e-12 if dtype == "float64" else 1e-5)
        assert agree(got[1], want[1], 1.0, 1e-12 if dtype == "float64" else 1e-5).all()


KEPT = leaves(3, 3, seed=2)
STRUCTURES: dict[str, tuple[Any, Any]] = {
    "parts of wide inputs": (lambda x: sum(mp.MLP(50, [2], seed=3)(x[4:54])) * A + x[0], numbers(40, 60)),
    "every other input": (lambda x: mp.dot(leaves(30), x[::2]) * A, numbers(40, 60)),
    "backwards": (lambda x: mp.dot(leaves(5), [a * A for a in x[::-1]]), numbers(40, 5)),
    "columns of a matrix": (lambda x: sum(mp.square(mp.dot(r, c)) for r in KEPT for c in zip(*x)), numbers(40, 3, 4)),
    "a sum times a weight": (
        lambda x: mp.dot([A, B], [A * x[0] + KEPT[0][0], mp.exp(x[1]) * (B * KEPT[0][0] + x[1])]),
        numbers(40, 2),
    ),
    "weights alone": (lambda x: x * sum(mp.square(mp.dot(r, r)) for r in KEPT), numbers(40)),
    "the largest": (lambda x: mp.logsumexp([a * A for a in x]) * B, numbers(40, 7)),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_any_structure(vectors: str, name: str) -> None:
    cost, x = STRUCTURES[name]
    same(compiled(cost, np.shape(x)[1:], parameters=[A, B, *KEPT[0]]), x)


def test_what_is_given_may_lie_anywhere() -> None:
    programs = compiled(wide, 52, 2)
    big, y = numbers(120, 60), np.eye(2)[np.arange(60) % 2]
    same(programs, big[::2, 4:56], y)
    same(programs, np.asfortranarray(big[:60, :52]), y[::-1])


# -------------------------------------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_threads_gives_the_same_bits(dtype: Any) -> None:
    x, y = numbers(3001, 3), numbers(3001, 2)
    for n in (1, 129, 3001):
        answers = []
        for count in (1, 2, 3, 7, 100):
            program = mp.compile(narrow, 3, 2, dtype=dtype, backend="kernels", threads=count)
            loss, gradient = program.value_and_grad(x[:n], y[:n])
            answers.append((loss, gradient.tobytes(), program.values(x[:n], y[:n]).tobytes()))
        assert len(set(answers)) == 1


def test_a_program_is_called_from_many_threads_at_once() -> None:
    program = mp.compile(wide, 52, 2, backend="kernels")
    x, y = numbers(500, 52), np.eye(2)[np.arange(500) % 2]
    thetas = [numbers(len(program.parameters), seed=seed) for seed in range(8)]
    wanted = [program.value_and_grad(x, y, parameters=theta) for theta in thetas]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(30):
            loss, gradient = program.value_and_grad(x, y, parameters=thetas[i])
            if loss != wanted[i][0] or not np.array_equal(gradient, wanted[i][1]):
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


# ------------------------------------------------------------------------------------ sums that meet in the gradient


MEETINGS: dict[str, Any] = {  # of three numbers and three others
    "product": lambda one, other: one[0] * other[0],
    "sum": lambda one, _: one[0] + one[1] + one[2],
    "difference": lambda one, other: one[0] - other[0],
    "tanh": lambda one, _: mp.tanh(one[0]),
    "dot": lambda one, other: mp.dot(one, other),
    "choice": lambda one, other: mp.where(one[0] < other[0], one[1], other[1]),
    "quotient": lambda one, other: one[0] / (1.0 + other[0] * other[0]),
}


def entangled(rng: random.Random) -> tuple[Any, list[mp.Value], int]:
    """A cost in which inputs and parameters meet again and again, the parameters, and how many inputs there are."""
    parameters = [mp.Value(round(rng.gauss(0.0, 1.0), 2)) for _ in range(rng.randint(2, 5))]
    count = rng.randint(1, 4)
    known, steps = count + len(parameters), []
    for last in range(known, known + rng.randint(2, 14)):
        kind = rng.choice([*MEETINGS, "product", "dot"])
        steps.append((kind, [[rng.randrange(last) for _ in range(3)] for _ in range(2)]))

    def cost(x: Any) -> Any:
        made = [*x, *parameters]
        for kind, places in steps:
            made.append(MEETINGS[kind](*[[made[i] for i in row] for row in places]))
        return mp.tanh(made[-1]) + 0.1 * made[-2]

    return cost, parameters, count


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_every_sum_comes_to_the_gradient_once(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "empty", littered)
    for seed in range(start, start + 50):
        rng = random.Random(seed)
        cost, parameters, count = entangled(rng)
        x = numbers(rng.choice([1, 3, 40, 70]), count, seed=seed)
        program = mp.compile(cost, count, parameters=parameters, backend="kernels")
        wanted = mp.compile(cost, count, parameters=parameters, backend="numpy").gradients(x)
        assert agree(program.value_and_grad(x)[1], wanted.mean(axis=0), np.abs(wanted).max(), 1e-12).all(), seed


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_weights_that_lie_over_each_other(vectors: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wide layers share some of their weights."""
    monkeypatch.setattr(np, "empty", littered)
    rows = leaves(8, 80, seed=1)

    def cost(x: Any) -> Any:
        first, second = [[mp.dot(row[i : i + 60], part) for row in rows] for i, part in ((0, x[:60]), (20, x[60:]))]
        return sum([mp.square(a) + mp.tanh(b) for a, b in zip(first, second)])

    programs = compiled(cost, 120, dtype=dtype)
    for n in (5, 64, 70, 300):
        same(programs, numbers(n, 120), None, 1e-12 if dtype == "float64" else 3e-6)


# ------------------------------------------------------------------------------------------------- which of them runs


def test_kernels_of_another_version_are_left_to_numpy() -> None:
    """As in a program that was pickled before an update."""
    old, new = [mp.compile(lambda x: mp.tanh(x) * A, ()) for _ in range(2)]
    old._paths[0].kernels["gradient"].version = "another"
    again = pickle.loads(pickle.dumps(old))
    assert again.explain().endswith("run by NumPy: the kernels were written for another version of the machine")
    x = numbers(100)
    assert agree(again.gradients(x), new.gradients(x), 1.0, 1e-12).all()
    assert again.value_and_grad(x)[0] == pytest.approx(new.value_and_grad(x)[0], rel=1e-12)


def test_explain_says_what_runs_and_why() -> None:
    ours, theirs = compiled(lambda x: mp.tanh(x) * A, ())
    assert ours.explain().endswith(f"run by kernels, 64 examples at a time, with {MACHINES[-1]} vectors")
    assert theirs.explain().endswith("run by NumPy: backend='numpy' was asked for")
    assert mp.compile(lambda x: mp.tanh(x) * A, ()).explain() == ours.explain()


def test_what_no_kernel_can_run_is_told() -> None:
    own = mp.primitive("p_kernel", math.sin, lambda out, x: math.cos(x))
    program = mp.compile(lambda x: own(x * A), ())
    assert "run by NumPy: there is no kernel for p_kernel" in program.explain()
    assert program([0.5], parameters=[1.0]) == math.sin(0.5)
    with pytest.raises(mp.CompileError, match=r"backend='kernels'.*no kernel for p_kernel"):
        mp.compile(lambda x: own(x * A), (), backend="kernels")


@pytest.mark.parametrize("name", ["sech_square", "tanh_and_slope", "MATMUL", "OUTPUT"])
def test_a_primitive_may_bear_the_name_of_what_else_the_machine_does(name: str) -> None:
    assert name in kernels.machine.OPS
    thrice = mp.primitive(name, lambda x: 3.0 * x, lambda out, x: 3.0, arrays=lambda x: 3.0 * x)
    try:
        program = mp.compile(lambda x: thrice(x * A), (), backend="kernels")
        assert program.values([2.0] * 40, parameters=[0.5]).tolist() == [3.0] * 40
        assert program.gradients([2.0] * 40, parameters=[0.5]).tolist() == [[6.0]] * 40
    finally:
        delattr(Value, name)
        del TABLE[name], FUNCTIONS[name]


def test_bad_options() -> None:
    wrong: list[dict[str, Any]] = [{"backend": "cuda"}, {"threads": 0}, {"threads": 1.0}, {"threads": True}]
    for options in wrong:
        with pytest.raises(ValueError, match=r"compile\((backend|threads)=.*expected"):
            mp.compile(lambda x: x * A, (), **options)


def test_a_pickled_program_runs_where_there_are_no_kernels_too(tmp_path: Any) -> None:
    program = mp.compile(wide, 52, 2)
    x, y = numbers(40, 52), np.eye(2)[np.arange(40) % 2]
    (tmp_path / "program").write_bytes(pickle.dumps((program, x, y)))
    code = (
        f"import pickle; program, x, y = pickle.load(open({str(tmp_path / 'program')!r}, 'rb'))\n"
        "print([*program.value_and_grad(x, y)[1]], '|', program.explain().splitlines()[-1])"
    )
    for pure, said in (("0", "run by kernels"), ("1", "run by NumPy: kernels are not built here")):
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"MICROGRAD_PLUS_PURE": pure}, capture_output=True, text=True
        )
        answer, told = done.stdout.split("|")
        got = [float(word.strip("[] )").removeprefix("np.float64(")) for word in answer.split(",")]
        assert agree(got, program.value_and_grad(x, y)[1], 1.0, 1e-12).all()
        assert said in told


def test_a_kernel_of_another_version_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    program = mp.compile(wide, 52, 2)
    x, y = numbers(4, 52), np.eye(2)[:1].repeat(4, 0)
    want = program.value_and_grad(x, y)
    stored = pickle.dumps(program)
    monkeypatch.setattr(kernels, "digest", lambda group: "another")
    loss, gradient = pickle.loads(stored).value_and_grad(x, y)
    assert loss == pytest.approx(want[0], rel=1e-12)
    assert agree(gradient, want[1], 1.0, 1e-12).all()


# ------------------------------------------------------------------------------------------------------------ registers


@given(st.lists(st.tuples(st.integers(1, 4), st.lists(st.integers(0, 30), max_size=3), st.booleans()), max_size=30))
@settings(max_examples=200)
def test_registers_that_are_read_later_are_not_written_over(plan: list[tuple[int, list[int], bool]]) -> None:
    """Each instruction is played with the addresses: what it reads is what was written there."""
    made: list[Instruction] = []
    for rows, reads, in_place in plan:
        operands = [made[i % len(made)].to for i in reads if made]
        made.append(instruction("add", rows, Place(Memory("REGISTERS", rows * 32), 0, 32), *operands))
        made[-1].in_place = in_place and all(place.memory.size == rows * 32 for place in operands)
    size = settled(made, "REGISTERS")
    holds: dict[int, Memory] = {}
    for it in made:
        for place in it.reads:
            if place.memory.size:
                cells = range(place.memory.start, place.memory.start + place.memory.size)
                assert all(holds[cell] is place.memory for cell in cells)
        assert it.to.memory.start + it.to.memory.size <= size
        for cell in range(it.to.memory.start, it.to.memory.start + it.to.memory.size):
            holds[cell] = it.to.memory


def test_a_row_that_all_rows_are_multiplied_by_is_not_written_over() -> None:
    """The product of rows with one of themselves can't lie where they do: the first result would be the next factor."""

    def cost(x: Any) -> Any:
        made = [mp.exp(number) for number in x]
        return sum([mp.tanh(made[0] * number) for number in made])

    x = numbers(9, 3)
    ours, theirs = compiled(cost, 3)
    assert agree(ours.values(x), theirs.values(x), 1.0, 1e-12).all()


def test_a_layers_numbers_stay_in_the_nearest_cache() -> None:
    """As many rows as are alive at once: of a deep network not all layers at once are kept twice."""
    deep = mp.MLP(8, [16] * 6, activation="tanh", seed=1)
    program = mp.compile(lambda x: sum([mp.square(out) for out in deep(x)]), 8, backend="kernels")
    program.values(numbers(3, 8))
    registers = program._paths[0].kernels["values"]._code[4][1]
    assert registers <= (16 + 16 + 16) * 64


def test_values_are_as_the_eager_engines() -> None:
    x = numbers(33, 3)
    program = mp.compile(lambda x: NARROW(x), 3, backend="kernels")
    assert agree(program.values(x), [NARROW(row).data for row in x.tolist()], 1.0, 1e-13).all()
    assert isinstance(NARROW.parameters()[0], Value)
