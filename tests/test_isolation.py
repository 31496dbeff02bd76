"""Compiling touches nothing that it did not make: seen from other threads, and after an interrupt in any line."""

from __future__ import annotations

import random
import struct
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import count, islice, repeat
from pathlib import Path
from types import FrameType, MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine import recording
from micrograd_plus.engine.operations import MUL
from micrograd_plus.program import CompileError
from micrograd_plus.training.compiling import compiled_cost

PACKAGE = Path(mp.__file__).parent
FILES = ["engine.py", "compiling.py", *[f"program/{name}.py" for name in ("tracing", "programs", "paths", "chance")]]
WATCHED = {str(PACKAGE / name) for name in (*FILES, "program/ordering.py", "program/arrays.py")}


@contextmanager
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_threads(*jobs: Callable[[], object]) -> None:
    """All jobs at once; what one of them raises is raised."""
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    with switching_often():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def bits(values: list[Value]) -> bytes:
    return b"".join([struct.pack("dd", value.data, value.grad) for value in values])


# ------------------------------------------------------------------------------------------------------------- threads


def test_models_trained_in_threads_are_those_trained_in_turn() -> None:
    x = np.random.default_rng(1).normal(size=(12, 3))
    y = x.sum(axis=1)

    def trained(seed: int) -> Callable[[], None]:
        def train() -> None:
            model = mp.MLP(3, [4, 1], seed=seed)
            cost = lambda a, b: mp.square(model(a) - b) if model(a) > -3.0 else model(a) * 2.0  # noqa: E731
            optimizer = mp.optim.SGD(model.parameters(), lr=0.01)
            mp.fit(cost, (x, y), optimizer, compile=True, batch_size=4, epochs=2, seed=seed, progress=False)
            weights[seed] = bits(model.parameters())

        return train

    weights: dict[int, bytes] = {}
    jobs = [trained(seed) for seed in range(4)]
    for job in jobs:
        job()
    wanted = dict(weights)
    for _ in range(50):
        weights.clear()
        in_threads(*jobs)
        assert weights == wanted


def test_who_works_with_a_model_while_others_compile_it_sees_nothing() -> None:
    model = mp.MLP(4, [6, 1], seed=1)
    parameters = model.parameters()
    before = bits(parameters)
    over = threading.Event()
    expected = model([0.5] * 4).data
    program = mp.compile(lambda x: model(x) if model(x) > 0.0 else -model(x), x=4)
    example = np.full((3, 4), 0.5)
    answer = program.values(example)

    def compile() -> None:
        try:
            for _ in range(10):
                mp.compile(lambda x, y: mp.square(model(x) - y) if model(x) > y else model(x) * 0.5, x=4, y=())
                with suppress(CompileError):
                    mp.compile(lambda x: model(x) * float(x[0]), x=4)
        finally:
            over.set()

    def look() -> None:
        while not over.is_set():
            assert bits(parameters) == before
            out = model([0.5] * 4)
            assert out.data == expected
            assert type(out) is Value
            assert (out > 1e9) is False
            assert hash(out) == object.__hash__(out)
            with mp.no_grad():
                assert model([0.5] * 4).args == ()
            assert np.array_equal(program.values(example), answer)

    in_threads(compile, compile, look)
    assert bits(parameters) == before
    assert not recording.open_blocks


def test_one_program_answers_many_threads() -> None:
    model = mp.MLP(3, [4, 1], seed=1)

    def cost(x: Any, y: Any) -> Any:
        out = model(x)
        for bound in (-0.5, 0.0, 0.5):
            if x[0] < bound:
                return mp.square(out - y) * (2.0 + bound)
        return mp.square(out - y)

    draw = np.random.default_rng(2)
    batches = [(draw.normal(size=(n, 3)), draw.normal(size=n)) for n in (1, 7, 40, 300)]
    reference = mp.compile(cost, 3, ())
    wanted = [(reference.values(*batch), reference.gradients(*batch)) for batch in batches]
    means = [reference.value_and_grad(*batch)[1] for batch in batches]
    for _ in range(5):
        program = mp.compile(cost, 3, ())  # has gone one way so far, and written no function

        def ask(first: int, program: Any = program) -> None:
            for k in range(12):
                i = (first + k) % len(batches)
                values, gradients = wanted[i]
                assert np.array_equal(program.values(*batches[i]), values)
                assert np.allclose(program.gradients(*batches[i]), gradients, rtol=1e-12, atol=1e-12)
                assert np.allclose(program.value_and_grad(*batches[i])[1], means[i], rtol=1e-12, atol=1e-12)

        in_threads(*[lambda i=i: ask(i) for i in range(4)])
        assert "4 ways" in repr(program)


# ---------------------------------------------------------------------------------------------------------- interrupts


class Interrupt(BaseException):
    pass


class Tracer:
    """Raises at the so-many-th line of this package's compiling code; counts them all if that is None."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.lines: list[tuple[str, int]] = []

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG002
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            if self.at == len(self.lines) - 1:
                raise Interrupt
        return self


def interrupted(run: Callable[[], object], at: int | None) -> Tracer:
    tracer, before = Tracer(at), sys.gettrace()
    sys.settrace(tracer)
    try:
        run()
    except Interrupt:
        pass
    finally:
        sys.settrace(before)
    return tracer


def first_visits(lines: list[tuple[str, int]]) -> list[int]:
    """For each line its first visit and its last: those between are like one of them."""
    visits: dict[tuple[str, int], list[int]] = {}
    for i, line in enumerate(lines):
        visits.setdefault(line, []).append(i)
    return sorted({i for each in visits.values() for i in (each[0], each[-1])})


W, DICE = Value(0.7), random.Random(5)


def _two_ways(x: Any) -> Any:
    return mp.tanh(x * W) if x > 0.5 else W * x


def _new_way() -> None:
    program = mp.compile(_two_ways, x=())
    program.value_and_grad([0.7, -3.0], parameters=[-2.0])


def _refused() -> None:
    with suppress(CompileError):
        mp.compile(lambda x: x * float(x), x=())
    with suppress(CompileError):
        mp.compile(lambda x: x * W * DICE.random(), x=())
    with suppress(CompileError):
        mp.compile(lambda x: x * len(x.__dict__.setdefault("a", "b")) if x in {1.0} else x, x=())


def _tried() -> None:
    data = ([1.0, 2.0], [1.0, 0.0])
    compiled_cost(lambda x, y: mp.square(W * x - y), data, (np.array(data[0]), np.array(data[1])), [W])


@pytest.mark.parametrize("run", [_new_way, _refused, _tried])
def test_an_interrupt_in_any_line_changes_no_number_and_leaves_the_engine_usable(run: Callable[[], None]) -> None:
    """In a thread of its own: where a trace function raises, Python forgets to take back what it was handling there."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_interrupted_everywhere, run).result()


def _interrupted_everywhere(run: Callable[[], None]) -> None:
    W.data, W.grad = 0.7, 0.0
    run()  # what is loaded once is loaded
    lines = interrupted(run, None).lines
    W.grad = 3.0
    before = bits([W])
    for at in first_visits(lines):
        tracer = interrupted(run, at)
        where = tracer.lines[-1]
        assert bits([W]) == before, where
        assert not recording.open_blocks, where
        assert recording.tracing.get() is None, where
        assert recording.recording.get() is True, where
        assert recording.watching.get() is None, where
        assert (W * 2.0).op is MUL, where
        assert (W > 0.0) is True, where
    assert mp.compile(_two_ways, x=())([0.7]) == pytest.approx(mp.tanh(0.7 * 0.7))
    other = threading.Thread(target=run, daemon=True)  # no lock was left to it closed
    other.start()
    other.join(60.0)
    assert not other.is_alive()


# -------------------------------------------------------------------------------------- generators, wherever they hide


class _Holder(dict[str, Any]):
    """A dict that draws by a method of its own."""

    def draw(self) -> float:
        return float(self["dice"].random())


class _Lcg(random.Random):
    """A generator of somebody's own, whose state is an attribute."""

    def __init__(self) -> None:  # it leaves out that of random.Random
        self.number = 1

    def random(self) -> float:
        self.number = self.number * 16807 % 2147483647
        return self.number / 2147483647


def _places() -> dict[str, Callable[[], float]]:
    """Ways to draw, each from a generator that it alone knows."""
    dice = [random.Random(seed) for seed in range(20)]
    made: dict[str, random.Random] = {}
    array = np.array([dice[0], None])
    variable: ContextVar[random.Random] = ContextVar("dice", default=dice[1])
    kept = weakref.ref(dice[2])
    bits, own = np.random.PCG64(3), _Lcg()
    module: Any = ModuleType("module_of_the_test")
    module.dice = dice[12]
    view, proxy = {1: dice[9]}.values(), MappingProxyType({1: dice[10]})
    ways: dict[str, Iterator[float]] = {
        "callable": iter(dice[3].random, None),
        "map": map(dice[4].uniform, repeat(0.0), repeat(1.0)),
        "islice": islice(iter(dice[5].random, None), None),
        "generator": (dice[6].random() for _ in count()),
    }
    return {
        **{name: ways[name].__next__ for name in ways},
        "made at the first run": lambda: made.setdefault("dice", random.Random(7)).random(),
        "array": lambda: array[0].random(),
        "context": lambda: variable.get().random(),
        "weak reference": lambda: (kept() or dice[2]).random(),
        "key": lambda d={dice[8]: 1}: next(iter(d)).random(),  # type: ignore[misc]
        "view": lambda: next(iter(view)).random(),
        "proxy": lambda: proxy[1].random(),
        "method of a dict": _Holder(dice=dice[11]).draw,
        "module in a closure": lambda: module.dice.random(),
        "bits": lambda: bits.random_raw() / 2**64,
        "own": own.random,
    }


@pytest.mark.parametrize("name", list(_places()))
def test_a_rare_draw_is_seen_wherever_the_generator_is_kept(name: str) -> None:
    draw = _places()[name]
    with pytest.raises(CompileError, match=r"random number|different"):
        mp.compile(lambda x: -x if draw() < 0.001 else 3.0 * x, x=())


@pytest.mark.parametrize("own", [False, True])
def test_a_rare_draw_of_pytorchs_is_seen_and_put_back(own: bool) -> None:
    torch = pytest.importorskip("torch")
    dice = torch.Generator().manual_seed(1) if own else torch.default_generator
    before = dice.get_state()
    with pytest.raises(CompileError, match=r"a random number is drawn in .*test_isolation"):
        mp.compile(lambda x: -x if torch.rand((), generator=dice) < 0.001 else 3.0 * x, x=())
    assert torch.equal(dice.get_state(), before)


def test_a_draw_in_some_runs_is_seen_beside_another_thread() -> None:
    dice, runs, end = random.Random(1), [0], threading.Event()

    def sometimes(x: Any) -> Any:
        runs[0] += 1
        return 3.0 * (-x if runs[0] % 3 == 1 and dice.random() < 0.001 else x)

    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        with pytest.raises(CompileError, match="random number"):
            mp.compile(sometimes, x=())
    finally:
        end.set()
        thread.join()


def test_the_search_for_generators_asks_objects_for_nothing() -> None:
    class Settings(dict[str, Any]):
        """A dict whose keys are attributes, as many write it; what it lacks is a KeyError."""

        __getattr__ = dict.__getitem__

    settings: Any = Settings(w=Value(2.0), dice=random.Random(1))
    assert mp.compile(lambda x: settings.w * x, ())([3.0]) == 6.0
    with pytest.raises(mp.CompileError, match="a random number is drawn"):
        mp.compile(lambda x: settings.w * x if settings.dice.random() < 2.0 else x, ())


def test_a_generator_made_and_dropped_in_each_run_is_a_constant() -> None:
    assert mp.compile(lambda x: x * random.Random(5).random(), x=())([2.0]) == 2.0 * random.Random(5).random()


def test_a_hook_on_a_node_older_than_the_program_is_an_error() -> None:
    w = Value(2.0)
    older = w * 3.0
    program = mp.compile(lambda x: older * x, x=(), parameters=[w])
    with older.register_hook(lambda gradient: 10.0 * gradient):
        with pytest.raises(CompileError, match="has a hook"):
            program.value_and_grad([1.0])
        with pytest.raises(CompileError, match="has a hook"):
            mp.compile(lambda x: older * x, x=(), parameters=[w])
    assert program.value_and_grad([1.0])[0] == 6.0


def test_a_parameter_that_joins_later_is_noticed() -> None:
    w, more = Value(0.1), [Value(1.0)]

    def cost(x: Any) -> Any:
        total = w * x
        for each in more:
            total = total * each
        return total

    program = mp.compile(cost, x=())
    assert not program.rebound()
    more.append(Value(3.0))
    assert program.rebound()
