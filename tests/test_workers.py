"""Batches whose parts others compute, and sweeps: the same weights whoever works, and nothing lost with a worker."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrograd_plus as mp
from micrograd_plus.program import CompileError
from micrograd_plus.training import workers
from micrograd_plus.training.sweeps import Sweep, Trial, sweep
from micrograd_plus.training.workers import Workers

SPAWN = get_context("spawn")  # workers that begin with nothing, as on another machine
RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 3))
Y = np.sin(X.sum(axis=1))


def spawned(count: int = 2) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=SPAWN)


def trained(**options: Any) -> tuple[list[float], list[float]]:
    """The weights and the losses of a small training."""
    model = mp.MLP(3, [4, 1], activation="tanh", seed=1)
    adam = mp.optim.Adam(model.parameters(), lr=0.05)
    settings = {"batch_size": 25, "epochs": 3, "seed": 1, "progress": False} | options
    history = mp.fit(lambda x, y: mp.losses.squared_error(model(x), y), (X, Y), adam, **settings)
    return [p.data for p in model.parameters()], [epoch.loss for epoch in history]


@pytest.fixture(scope="module")
def alone() -> tuple[list[float], list[float]]:
    return trained()


@pytest.fixture(scope="module")
def parted() -> tuple[list[float], list[float]]:
    with ThreadPoolExecutor(1) as pool:
        return trained(executor=pool)


def close(one: Any, other: Any) -> bool:
    return np.allclose(one[0], other[0], rtol=1e-12, atol=1e-14) and np.allclose(one[1], other[1], rtol=1e-12)


@contextmanager
def pool_of(kind: str, count: int) -> Iterator[dict[str, Any]]:
    """What fit is told, for so many workers of a kind."""
    if kind == "threads":
        with ThreadPoolExecutor(count) as threads:
            yield {"executor": threads}
    elif kind == "processes":
        with spawned(count) as processes:
            yield {"executor": processes}
    elif kind == "a function that makes processes":
        yield {"executor": lambda: spawned(count)}
    elif kind == "a pool's map":
        with SPAWN.Pool(count) as pool:
            yield {"map": pool.map}
    else:
        yield {"map": map}


# ------------------------------------------------------------------------------------------------- the same for all


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("kind", ["threads", "processes", "a function that makes processes", "a pool's map", "map"])
def test_the_weights_do_not_depend_on_who_works(kind: str, count: int, alone: Any, parted: Any) -> None:
    with pool_of(kind, count) as how:
        got = trained(**how)
    assert got == parted  # to the last bit
    assert close(got, alone)
    assert workers._kept == {}


@pytest.mark.parametrize("parts", [1, 2, 7, 25, 100])
def test_however_many_parts_the_sum_is_that_of_the_batch(parts: int, alone: Any) -> None:
    assert close(trained(executor=Workers(lambda: ThreadPoolExecutor(3), parts=parts)), alone)


def test_one_part_is_the_batch_to_the_last_bit_but_for_the_mean(alone: Any) -> None:
    one = trained(executor=Workers(map=map, parts=1), batch_size=16, epochs=1)
    assert close(one, trained(batch_size=16, epochs=1))


def test_a_program_can_be_given_and_accuracy_is_judged_at_home() -> None:
    model = mp.MLP(3, [4, 1], activation="tanh", seed=1)
    program = mp.compile(lambda x, y: mp.losses.squared_error(model(x), y), x=3, y=(), parameters=model.parameters())
    sgd = mp.optim.SGD(model.parameters(), lr=0.1)
    sign = np.where(Y > 0.0, 1.0, -1.0)
    history = mp.fit(program, (X, sign), sgd, map=map, epochs=20, accuracy=model, seed=1, progress=False)
    assert history[-1].accuracy is not None
    assert history[-1].accuracy > 0.8


def test_a_way_through_the_function_that_no_worker_knows_is_gone_at_home() -> None:
    """A program that was unpickled cannot trace; so the part comes home, and the workers are told of the new way."""

    def run(**options: Any) -> list[float]:
        a = mp.Value(0.5)
        data = [[0.1 * i] for i in range(-4, 12)], [0.0] * 16

        def cost(x: Any, y: Any) -> Any:
            return (a * x[0] - 1.0) ** 2 if x[0] > 0.0 else (a + x[0]) ** 2

        sgd = mp.optim.SGD([a], lr=0.01)
        mp.fit(cost, data, sgd, batch_size=8, epochs=2, shuffle=False, progress=False, **options)
        return [a.data]

    with spawned(2) as pool:
        assert run(executor=pool) == run(map=map)
    assert run(map=map) == pytest.approx(run(), rel=1e-12)


# --------------------------------------------------------------------------------------------- workers that are lost


class Mortal(Executor):
    """An executor whose worker dies at some task, and with it the executor, as a process pool's does."""

    made = 0

    def __init__(self, deaths: int, at: int = 3) -> None:
        type(self).made += 1
        self.dies, self.at = type(self).made <= deaths, at
        self.tasks = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        self.tasks += 1
        future = Future[Any]()
        if self.dies and self.tasks > self.at + 2:
            raise BrokenExecutor("no more")
        if self.dies and self.tasks >= self.at:
            future.set_exception(BrokenExecutor("a process died"))
        else:
            future.set_result(fn(*args))
        return future


def test_what_a_dead_worker_had_is_computed_by_another(parted: Any) -> None:
    Mortal.made = 0
    assert trained(executor=lambda: Mortal(2)) == parted
    assert Mortal.made == 3


def test_workers_that_always_die_are_an_error_that_says_so() -> None:
    Mortal.made = 0
    with pytest.raises(RuntimeError, match=r"workers were lost \d+ times in a row, the last by BrokenExecutor"):
        trained(executor=lambda: Mortal(10**9, at=1))


def test_a_broken_executor_that_nobody_makes_again_is_told_with_the_way_out() -> None:
    Mortal.made = 0
    with pytest.raises(RuntimeError, match=r"a worker has died, .*executor=lambda: ProcessPoolExecutor\(2\)"):
        trained(executor=Mortal(1))


def test_a_process_that_is_killed_in_the_middle_loses_nothing(parted: Any) -> None:
    pools: list[ProcessPoolExecutor] = []

    def made() -> ProcessPoolExecutor:
        pools.append(spawned(2))
        return pools[-1]

    def kill(epoch: Any) -> None:
        if epoch.epoch == 1:
            os.kill(next(iter(pools[-1]._processes)), signal.SIGKILL)
            while not pools[-1]._broken:  # else the training may be over before the pool has noticed
                time.sleep(0.01)

    assert trained(executor=made, callbacks=[kill]) == parted
    assert len(pools) == 2


class Slow(ThreadPoolExecutor):
    """Its first worker sleeps."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__(3)
        self.go, self.tasks = go, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        self.tasks += 1
        if self.tasks == 1:
            return super().submit(lambda: self.go.wait(30.0) and fn(*args))
        return super().submit(fn, *args, **options)


def test_a_part_that_is_late_is_given_to_another_too(parted: Any) -> None:
    go = threading.Event()
    with Slow(go) as pool:
        assert trained(executor=Workers(pool, again_after=0.05)) == parted
        assert not go.is_set()
        go.set()


def test_errors_of_the_cost_are_not_taken_for_lost_workers() -> None:
    a = mp.Value(1e200)
    with pytest.raises(FloatingPointError, match="the loss is inf"):
        mp.fit(lambda x, y: (a * a * x - y) ** 2, (X[:, 0], Y), mp.optim.SGD([a]), map=map, progress=False)


SCRIPT = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import micrograd_plus as mp
def main():
    a = mp.Value(0.0)
    X = np.arange(40.0) / 40
    tell = lambda epoch: (print("epoch", epoch.epoch, flush=True), time.sleep(0.3)) and None
    pool = ProcessPoolExecutor(2)
    history = mp.fit(lambda x, y: (a * x - y) ** 2, (X, 2 * X), mp.optim.SGD([a], lr=0.1), executor=pool,
                     epochs=100000, seed=1, callbacks=[tell], progress=False)
    print("stopped", history.stopped, len(history) > 1, a.data > 0, flush=True)
    pool.shutdown()
if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a group of processes")
def test_ctrl_c_in_the_terminal_ends_the_training_and_breaks_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    way = [str(Path(mp.__file__).parents[1]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(way)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process: Any = subprocess.Popen([sys.executable, str(script)], env=environment, start_new_session=True, **pipes)
    try:
        for _ in range(3):
            process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out.splitlines()[-1] == "stopped interrupt True True", err
    assert err == ""


# --------------------------------------------------------------------------------------------------- other people's


def apart(function: Callable[[], None]) -> None:
    """Call one of this file's functions in a process of its own: Dask's and Ray's threads stay, and draw numbers."""
    code = f"import {__name__.rpartition('.')[2]} as tests; tests.{function.__name__}()"
    here = Path(__file__)
    way = os.pathsep.join([str(here.parents[1]), str(here.parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": way}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def in_threads() -> tuple[list[float], list[float]]:
    with ThreadPoolExecutor(1) as pool:
        return trained(executor=pool)


def by_dask() -> None:
    distributed: Any = import_module("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(host="127.0.0.1", **options) as cluster, distributed.Client(cluster) as client:
        assert trained(map=client.map) == in_threads()

        def kill(epoch: Any) -> None:
            if epoch.epoch == 1:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

        assert trained(executor=client, callbacks=[kill]) == in_threads()
        trials = sweep(squared, {"x": [1, 2, 3]}, executor=client, progress=False)
        assert [trial.results["result"] for trial in trials] == [1.0, 4.0, 9.0]


def by_ray() -> None:
    ray: Any = import_module("ray")
    pool_of_ray: Any = import_module("ray.util.multiprocessing").Pool
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        with pool_of_ray(2) as pool:
            assert trained(map=pool.map) == in_threads()
    finally:
        ray.shutdown()


def test_dasks_workers_one_of_which_is_killed() -> None:
    if find_spec("distributed") is None:
        pytest.skip("needs distributed")
    apart(by_dask)


def test_rays_pool() -> None:
    if find_spec("ray") is None:
        pytest.skip("needs ray")
    apart(by_ray)


def test_lokys_executor(parted: Any) -> None:
    loky = pytest.importorskip("joblib.externals.loky")
    with loky.ProcessPoolExecutor(2) as pool:  # the one that joblib reuses is scikit-learn's
        assert trained(executor=pool) == parted


# ------------------------------------------------------------------------------------------------------ what is told


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"executor": 3}, TypeError, r"executor=3\): expected a concurrent.futures.Executor"),
        ({"map": 3}, TypeError, r"map=3\): expected a function such as pool.map"),
        ({"executor": ThreadPoolExecutor, "map": map}, ValueError, "not both"),
        ({"executor": Workers(map=map), "map": map}, ValueError, "expected one of them"),
        ({"map": map, "compile": False}, ValueError, r"fit\(compile=False\): workers are sent a compiled program"),
    ],
)
def test_what_makes_no_workers_is_refused(options: dict[str, Any], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        trained(**options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "expected an executor, or a map function"),
        ({"map": map, "parts": 0}, "parts"),
        ({"map": map, "again_after": 1.0}, "a map function waits for all"),
        ({"executor": ThreadPoolExecutor, "again_after": 0.0}, r"again_after=0\.0\): expected seconds"),
    ],
)
def test_workers_out_of_range_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Workers(**options)


def test_a_pool_without_submit_is_told_of_its_map() -> None:
    class Pool:
        def map(self, function: Any, tasks: Any) -> Any:
            return list(map(function, tasks))

    with pytest.raises(TypeError, match=r"give map=pool\.map"):
        Workers(Pool())
    assert trained(map=Pool().map)


@pytest.mark.parametrize("executor", [lambda: ThreadPoolExecutor(1), lambda: spawned(1)])
def test_a_hook_that_comes_during_the_training_is_told_whoever_works(executor: Any) -> None:
    w = mp.Value(0.0)
    sgd = mp.optim.SGD([w], lr=0.01)
    with pytest.raises(CompileError, match="has a hook"):
        mp.fit(lambda x, y: (w * x - y) ** 2, ([1.0, 2.0], [2.0, 4.0]), sgd, executor=executor, progress=False,
               callbacks=[lambda _: w.register_hook(lambda gradient: 0.0) and None])  # fmt: skip


@pytest.mark.parametrize("workers", [{}, {"map": map}, {"executor": lambda: ThreadPoolExecutor(1)}])
def test_numbers_that_vanish_are_no_error_whatever_numpy_is_set_to(workers: dict[str, Any]) -> None:
    w = mp.Value(1.0)
    sgd = mp.optim.SGD([w], lr=1.0)
    with np.errstate(all="raise"):
        mp.fit(lambda x, y: 1e-310 * w * x - y, ([1e-5, 1e-6, 1e-7], [0.0] * 3), sgd, progress=False, **workers)
    assert w.data == 1.0


def test_what_cannot_be_compiled_cannot_be_sent() -> None:
    a = mp.Value(1.0)
    with pytest.raises(CompileError, match=r"float\(x\)"):
        mp.fit(lambda x, y: a * float(x), (X[:, 0], Y), mp.optim.SGD([a]), map=map, progress=False)


# ------------------------------------------------------------------------------------------------------------ sweeps


def squared(x: float) -> float:
    return x * x


def fussy(x: float, y: float = 0.0) -> dict[str, float]:
    if x == 2:
        raise ValueError("not two\nby no means")
    return {"loss": x + y, "steps": 10.0}


def deadly(x: float, folder: str) -> float:
    mark = Path(folder) / "died"
    if x == 2 and not mark.exists():
        mark.write_text("once")
        os._exit(1)
    return x


@pytest.mark.parametrize("executor", [None, lambda: ThreadPoolExecutor(2), lambda: spawned(2)])
def test_a_sweep_tries_all_in_the_order_of_the_grid_and_goes_on_after_errors(executor: Any) -> None:
    trials = sweep(fussy, {"x": [3, 2, 1], "y": [0.5, 0.0]}, executor=executor, progress=False)
    assert [tuple(trial.settings.values()) for trial in trials] == [(x, y) for x in (3, 2, 1) for y in (0.5, 0.0)]
    assert [trial.error for trial in trials if trial.error] == ["ValueError: not two"] * 2
    assert trials.best().settings == {"x": 1, "y": 0.0}
    assert trials.best(largest=True).results["loss"] == 3.5
    with pytest.raises(ValueError, match=r"best\('accuracy'\): no trial has such a number; expected one of \['loss', "):
        trials.best("accuracy")


def greedy(sizes: list[int], weight: mp.Value) -> float:
    sizes.append(1)
    weight.data += 1.0
    return len(sizes) + weight.data


@pytest.mark.parametrize("executor", [None, lambda: ThreadPoolExecutor(2), lambda: spawned(2)])
def test_a_trial_sees_nothing_of_what_another_did_to_its_settings(executor: Any, tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"sizes": [[4], [8, 8]], "weight": [mp.Value(0.0)] * 2}
    trials = sweep(greedy, grid, executor=executor, progress=False)
    assert [trial.results["result"] for trial in trials] == [3.0, 3.0, 4.0, 4.0]
    assert [trial.settings["sizes"] for trial in trials] == [[4], [4], [8, 8], [8, 8]]
    file, plain = tmp_path / "sweep.jsonl", {"x": [1], "sizes": [[4]]}
    for _ in range(2):  # the second time it is known
        sweep(lambda x, sizes: sizes.append(x) or x, plain, file=file, progress=False)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1


def test_a_sweep_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    file = tmp_path / "sweep.jsonl"
    called: list[float] = []

    def train(x: float) -> float:
        called.append(x)
        if x == 3 and called.count(3) == 1:
            raise KeyboardInterrupt
        if x == 1 and called.count(1) == 1:
            raise ValueError("bad luck")
        return -x

    with pytest.raises(KeyboardInterrupt):
        sweep(train, {"x": [1, 2, 3, 4]}, file=file, progress=False)
    with file.open("a", encoding="utf-8") as half:
        half.write('{"settings": {"x"')  # the machine went down here
    trials = sweep(train, {"x": [1, 2, 3, 4]}, file=file, progress=False)
    assert called == [1, 2, 3, 1, 3, 4]  # not 2 again
    assert [trial.results["result"] for trial in trials] == [-1, -2, -3, -4]
    again = sweep(train, [{"x": 4}, {"x": 2}], file=file, progress=False)
    assert (called, [trial.results["result"] for trial in again]) == ([1, 2, 3, 1, 3, 4], [-4, -2])
    assert len([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]) == 5
    file.write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep\.jsonl'\): line 1 is no trial: 'nonsense"):
        sweep(train, {"x": [1]}, file=file, progress=False)
    assert file.read_text(encoding="utf-8") == "nonsense\n"


def test_a_worker_that_dies_is_replaced_in_a_sweep(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"x": [1, 2, 3], "folder": [str(tmp_path)]}
    trials = sweep(deadly, grid, executor=lambda: spawned(1), progress=False)
    assert [trial.results["result"] for trial in trials] == [1, 2, 3]
    (tmp_path / "died").unlink()
    with spawned(1) as pool, pytest.raises(RuntimeError, match="give a function that makes it"):
        sweep(deadly, grid, executor=pool, progress=False)


def test_a_sweep_is_shown_as_a_table() -> None:
    trials = sweep(fussy, {"x": [3, 2]}, progress=False)
    lines = repr(trials).splitlines()
    assert lines[0] == "Sweep of 2 trials"
    assert lines[1].split() == ["x", "loss", "steps", "seconds", "error"]
    assert lines[2].split()[:3] == ["3", "3", "10"]
    assert lines[3].endswith("ValueError: not two")
    assert "<td" in trials._repr_html_()
    many = Sweep([Trial({"x": i}, {"loss": 1.0}) for i in range(30)])
    assert repr(many).splitlines()[-1] == "... and 10 trials more" or repr(many).endswith("10 trials more")


@pytest.mark.parametrize(
    ("train", "grid", "kind", "told"),
    [
        (3, {"x": [1]}, TypeError, r"sweep\(3\): expected a function"),
        (squared, {}, ValueError, "has nothing to try"),
        (squared, {"x": []}, ValueError, "has nothing to try"),
        (squared, {"x": 1}, TypeError, "x=1; expected a list of values"),
        (squared, {"x": "abc"}, TypeError, "x='abc'; expected a list of values"),
        (squared, [1, 2], TypeError, "expected a dict of lists, or a list of dicts"),
    ],
)
def test_wrong_use_of_a_sweep_is_told(train: Any, grid: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        sweep(train, grid, progress=False)


def test_a_result_that_is_no_number_is_told() -> None:
    (trial,) = sweep(lambda x: "good", {"x": [1]}, progress=False)
    assert trial.error.startswith("TypeError: sweep: train returned 'good'; expected a history, a number")


def test_a_bar_is_shown_where_there_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    sweep(squared, {"x": [1, 2]}, progress=None)
    assert "2/2" in capsys.readouterr().out


@pytest.mark.parametrize("whole", [True, False])
def test_a_sweep_tells_settings_apart_by_what_they_are(whole: bool, tmp_path: Path) -> None:
    """Not by how they are shown: long arrays are cut short."""
    file = tmp_path / "trials.jsonl"
    ones, others = np.ones(2000), np.where(np.arange(2000) == 1000, 0.0, 1.0)
    assert repr(ones) == repr(others)
    for weights, total in ((ones, 2000.0), (others, 1999.0)):
        (trial,) = sweep(lambda w: float(w.sum()), {"w": [weights]}, file=file, progress=False)
        assert trial.results == {"result": total}
    text = file.read_text()
    file.write_text(text if whole else text[:-1])  # a last byte that a full disk did not take
    for _ in range(2):
        assert len(sweep(lambda f: float(f(1.0)), {"f": [math.sqrt, math.exp]}, file=file, progress=False)) == 2
    assert len(file.read_text().splitlines()) == 4  # functions go by their names


def test_a_sweep_refuses_what_its_file_could_not_tell_again(tmp_path: Path) -> None:
    made: list[Any] = []
    for setting in (mp.MLP(2, [1], seed=1), lambda: None, {(0, 1): 2.0}, {1: 2, "b": 3}):
        with pytest.raises(TypeError, match=r"^sweep\(file=\.\.\.\): a=.* is nothing that a file can tell again"):
            sweep(made.append, [{"a": setting}], file=tmp_path / "trials.jsonl", progress=False)
        assert len(sweep(lambda a: 1.0, [{"a": setting}], progress=False)) == 1  # without a file there is no need
    assert not made
    with pytest.raises(TypeError, match="a setting is named 1; expected a string"):
        sweep(lambda **given: 1.0, [{1: 2}], progress=False)  # type: ignore[dict-item]  # as users do


def annealed(**given: Any) -> float:
    """A weight trained with a penalty that a callback changes, a Value that is no parameter."""
    w, penalty = mp.Value(0.0), mp.Value(0.0)

    def anneal(epoch: Any) -> None:
        penalty.data = float(epoch.epoch)

    mp.fit(lambda x, y: (w * x - y) ** 2 + penalty * w * w, ([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]),
           mp.optim.SGD([w], lr=0.01), epochs=8, seed=1, progress=False, callbacks=[anneal], **given)  # fmt: skip
    return w.data


def test_workers_know_what_other_values_are_by_now() -> None:
    expected = pytest.approx(annealed(compile=False), rel=1e-12)
    assert annealed() == expected
    with ThreadPoolExecutor(2) as threads:
        assert annealed(executor=threads) == expected
    assert annealed(executor=lambda: spawned(1)) == expected


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"executor": lambda: None}, TypeError, r"it made None; expected a concurrent.futures.Executor"),
        (
            {"map": lambda f, tasks: None},
            TypeError,
            r"map=\.\.\.\): it returned None; expected an iterable of 4",
        ),
        ({"map": lambda f, tasks: []}, ValueError, r"map=\.\.\.\): it gave 0 answers; expected an iterable of 4"),
        (
            {"map": lambda f, tasks: [1] * 4},
            TypeError,
            r"map=\.\.\.\): an answer is 1; expected what the function",
        ),
    ],
    ids=["executor", "nothing", "too few", "numbers"],
)
def test_what_is_no_executor_and_no_map_is_told_in_a_line(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        annealed(**given)
