"""Training is nothing but: draw a batch, forward, loss, backward, step; and it can be watched, stopped and repeated."""

from __future__ import annotations

import csv
import gc
import os
import pty
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from math import ceil, inf, isfinite, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import MLP, Value, losses, no_grad, optim, progress
from micrograd_plus.data import hold_out, load_digits, make_moons, one_hot
from micrograd_plus.progress import Meter, duration, percent
from micrograd_plus.training import Epoch, History, fit

POINTS, LABELS = make_moons(20, noise=0.1, seed=3)
TARGETS = [2 * label - 1 for label in LABELS]
MOONS = (POINTS, TARGETS)


class Job:
    """A small network to be trained, and what `fit` wants to know of it."""

    def __init__(self, lr: float = 0.1, seed: int = 5) -> None:
        self.model = MLP(2, [4, 1], activation="tanh", seed=seed)
        self.optimizer = optim.SGD(self.model.parameters(), lr=lr, momentum=0.5)

    def cost(self, x: Any, y: Any) -> Value:
        loss = losses.hinge(self.model(x), y)
        assert isinstance(loss, Value)
        return loss

    def right(self, x: Any, y: Any) -> bool:
        return bool((self.model(x) > 0) == (y > 0))

    def fit(self, **options: Any) -> History:
        return fit(self.cost, MOONS, self.optimizer, **{"progress": False, "seed": 7} | options)

    @property
    def weights(self) -> list[float]:
        return [p.data for p in self.model.parameters()]


# ------------------------------------------------------------------------------------------------------------- descent


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_same_seed_gives_the_same_run_to_the_last_bit(batch_size: int | None) -> None:
    first, second = Job(), Job()
    histories = [job.fit(batch_size=batch_size, epochs=3, accuracy=job.right) for job in (first, second)]
    assert histories[0] == histories[1]
    assert first.weights == second.weights


def test_another_seed_takes_the_examples_in_another_order() -> None:
    first, second = Job(), Job()
    first.fit(batch_size=3, epochs=2, seed=1)
    second.fit(batch_size=3, epochs=2, seed=2)
    assert first.weights != second.weights


@given(st.integers(1, 12), st.integers(1, 15) | st.none(), st.integers(1, 3))
def test_an_epoch_visits_every_example_once_and_steps_once_a_batch(count: int, size: int | None, epochs: int) -> None:
    seen: list[float] = []
    slope = Value(0.0)

    def cost(x: float, y: float) -> Value:
        seen.append(x)
        return (slope * x - y) ** 2

    xs = [float(i) for i in range(count)]
    history = fit(
        cost, (xs, xs), optim.SGD([slope], lr=0.0), batch_size=size, epochs=epochs, progress=False, seed=count
    )
    for epoch in range(epochs):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == xs
    assert len(seen) == epochs * count
    assert [row.step for row in history] == [(k + 1) * ceil(count / (size or count)) for k in range(epochs)]


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=6))
def test_the_gradient_of_a_batch_is_that_of_the_mean_loss(points: list[tuple[float, float]]) -> None:
    job = Job(lr=0.0)
    targets = [(-1.0) ** i for i in range(len(points))]
    history = fit(job.cost, (points, targets), job.optimizer, batch_size=None, epochs=1, progress=False)
    gradients = [p.grad for p in job.model.parameters()]
    job.model.zero_grad()
    whole = mp.mean([job.cost(x, y) for x, y in zip(points, targets)])
    whole.backward()
    assert gradients == pytest.approx([p.grad for p in job.model.parameters()], rel=1e-12, abs=1e-14)
    assert history[0].loss == pytest.approx(whole.data, rel=1e-12)


@pytest.mark.parametrize("size", [1, 4, 10])
def test_linear_regression_goes_the_way_numpy_goes(size: int) -> None:
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(10, 3)), generator.normal(size=10)
    weights = [Value(0.0) for _ in range(3)]
    optimizer = optim.SGD(weights, lr=0.1)
    history = fit(
        lambda row, target: (mp.dot(weights, row) - target) ** 2,
        (x, y),
        optimizer,
        batch_size=size,
        epochs=4,
        shuffle=False,
        progress=False,
    )
    theta, expected = np.zeros(3), []
    for _ in range(4):
        total = 0.0
        for i in range(0, 10, size):
            xs, ys = x[i : i + size], y[i : i + size]
            error = xs @ theta - ys
            total += float(error @ error)
            theta = theta - 0.1 * 2 * xs.T @ error / len(xs)
        expected.append(total / 10)
    assert [w.data for w in weights] == pytest.approx(theta.tolist(), rel=1e-12)
    assert [row.loss for row in history] == pytest.approx(expected, rel=1e-12)


def test_a_graph_is_freed_before_the_next_one_is_built() -> None:
    job, graphs = Job(), list[Any]()

    def cost(x: Any, y: Any) -> Value:
        assert not any(graph() for graph in graphs)
        loss = job.cost(x, y)
        graphs.append(weakref.ref(loss))
        return loss

    gc.disable()
    try:
        fit(cost, MOONS, job.optimizer, batch_size=None, epochs=2, progress=False)
    finally:
        gc.enable()
    assert len(graphs) == 40


def test_two_epochs_on_two_hundred_real_digits_lift_the_accuracy_far_above_chance() -> None:
    images, labels = load_digits()
    train, held_out = hold_out((images[:250], labels[:250]))
    model = MLP(64, [16, 10], activation="sigmoid", output="sigmoid", seed=1)

    def right(image: list[float], label: int) -> bool:
        outputs = model(image)
        return bool(outputs[label] == max(outputs))

    history = fit(
        lambda image, target: losses.squared_error(model(image), target),
        (train.images, [one_hot(label) for label in train.labels]),
        optim.SGD(model.parameters(), lr=3.0),
        batch_size=5,
        epochs=2,
        seed=1,
        accuracy=right,
        validation=held_out,
        progress=False,
    )
    assert history[-1].loss < history[0].loss
    assert (history[-1].accuracy or 0.0) > 0.5  # chance is 0.1


# ------------------------------------------------------------------------------------------- accuracy, schedules, ends


def test_accuracy_is_the_mean_over_the_validation_data_with_nothing_recorded() -> None:
    job, recorded = Job(), list[Any]()

    def share(x: Any, y: Any) -> float:
        recorded.append(job.model(x).args)
        return float(y)

    history = job.fit(epochs=2, accuracy=share, validation=([[0.0, 0.0]] * 4, [0.0, 0.5, 1.0, 1.0]))
    assert [row.accuracy for row in history] == [0.625, 0.625]
    assert recorded == [()] * 8


def test_without_validation_the_training_data_are_judged_and_without_accuracy_nothing_is() -> None:
    job = Job()
    history = job.fit(epochs=1, accuracy=job.right)
    assert history[0].accuracy == sum(job.right(x, y) for x, y in zip(*MOONS)) / 20
    assert job.fit(epochs=1)[0].accuracy is None


def test_a_schedule_steps_after_each_epoch_or_each_step() -> None:
    job = Job(lr=1.0)
    history = job.fit(epochs=3, batch_size=5, schedule=optim.ExponentialLR(job.optimizer, gamma=0.5))
    assert [row.lr for row in history] == [1.0, 0.5, 0.25]
    assert job.optimizer.lr == 0.125
    job = Job(lr=1.0)
    schedule = optim.ExponentialLR(job.optimizer, gamma=0.5)
    history = job.fit(epochs=2, batch_size=5, schedule=schedule, schedule_every="step")
    assert [row.lr for row in history] == [0.125, 2.0**-7]  # of each epoch's last step
    assert job.optimizer.lr == 2.0**-8


def test_callbacks_see_every_epoch_with_the_weights_it_led_to() -> None:
    job, seen = Job(), list[tuple[Epoch, list[float]]]()
    history = job.fit(epochs=3, callbacks=[lambda epoch: seen.append((epoch, job.weights))])
    assert [epoch for epoch, _ in seen] == history
    assert seen[-1][1] == job.weights
    assert seen[0][1] != seen[1][1]
    assert history.stopped == ""


def test_a_callback_that_returns_true_ends_the_training_and_any_other_answer_does_not() -> None:
    history = Job().fit(epochs=5, callbacks=[lambda epoch: epoch.epoch == 2, lambda _: "go on"])
    assert (len(history), history.stopped, history.interrupted) == (2, "callback", False)


def test_patience_ends_a_training_that_no_longer_improves() -> None:
    answers = iter([0.1, 0.5, 0.5, 0.4, 0.6, 0.9])
    job = Job()
    history = job.fit(epochs=6, accuracy=lambda *_: next(answers), validation=([[0.0, 0.0]], [1]), patience=2)
    assert ([row.accuracy for row in history], history.stopped) == ([0.1, 0.5, 0.5, 0.4], "patience")
    assert len(Job(lr=0.0).fit(epochs=9, patience=3)) == 4  # no accuracy asked for: the loss, which stays


# -------------------------------------------------------------------------------------------------------------- Ctrl-C


@pytest.fixture(autouse=True)
def pythons_own_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # put back
    signal.signal(signal.SIGINT, before)


class Pressed:
    """A function that presses Ctrl-C when it is called for the n-th time."""

    def __init__(self, function: Callable[..., Any], *calls: int) -> None:
        self.function, self.calls, self.count = function, calls, 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        if self.count in self.calls:
            os.kill(os.getpid(), signal.SIGINT)
        return self.function(*args)


def test_ctrl_c_stops_after_the_running_batch() -> None:
    job, whole = Job(), Job()
    seen: list[Epoch] = []
    cost = Pressed(job.cost, 31)  # the first example of the third batch of the second epoch
    history = fit(
        cost,
        MOONS,
        job.optimizer,
        batch_size=5,
        epochs=9,
        seed=7,
        accuracy=job.right,
        callbacks=[seen.append],
        progress=False,
    )
    assert (history.interrupted, history.stopped) == (True, "interrupt")
    assert cost.count == 35
    assert [row.step for row in history] == [4, 7]
    assert history[1].accuracy is None
    assert seen == history

    def stop_there(x: Any, y: Any) -> Value:
        stop_there.count += 1  # type: ignore[attr-defined]  # a counter on the function
        if stop_there.count > 35:  # type: ignore[attr-defined]
            raise StopIteration
        return whole.cost(x, y)

    stop_there.count = 0  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        fit(stop_there, MOONS, whole.optimizer, batch_size=5, epochs=9, seed=7, progress=False)
    assert job.weights == whole.weights  # exactly the seven steps


def test_a_second_ctrl_c_stops_at_once_with_whole_steps_only() -> None:
    job, before = Job(), list[list[float]]()
    cost = Pressed(job.cost, 6, 8)
    with pytest.raises(KeyboardInterrupt):
        fit(cost, MOONS, job.optimizer, batch_size=5, epochs=9, seed=7, progress=False)
    assert cost.count == 8
    other = Job()
    other.fit(batch_size=5, epochs=1, callbacks=[lambda _: before.append(other.weights)])
    one = Job()
    with pytest.raises(ZeroDivisionError):
        fit(Failing(one.cost, 6), MOONS, one.optimizer, batch_size=5, epochs=9, seed=7, progress=False)
    assert job.weights == one.weights != before[0]


class Failing(Pressed):
    """A function that fails when it is called for the n-th time."""

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        if self.count in self.calls:
            raise ZeroDivisionError
        return self.function(*args)


def test_a_step_that_is_cut_short_is_undone() -> None:
    job = Job()
    before = job.weights

    def half_a_step() -> None:
        job.model.parameters()[0].data = 99.0
        raise KeyboardInterrupt

    job.optimizer.step = half_a_step  # type: ignore[method-assign]  # as if Ctrl-C came in it
    with pytest.raises(KeyboardInterrupt):
        job.fit(epochs=1)
    assert job.weights == before


def test_ctrl_c_while_the_network_is_judged_leaves_the_accuracy_out() -> None:
    job = Job()
    history = job.fit(epochs=9, accuracy=Pressed(job.right, 25))
    assert [row.accuracy is None for row in history] == [False, True]
    assert history.interrupted


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_another_handler_is_left_alone(handler: Any) -> None:
    signal.signal(signal.SIGINT, handler)
    try:
        job = Job()
        history = fit(Pressed(job.cost, 3), MOONS, job.optimizer, epochs=2, progress=False)
        assert (len(history), history.stopped) == (2, "")
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_thread_trains_too() -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(Job().fit(epochs=2)))
    thread.start()
    thread.join()
    assert histories == [Job().fit(epochs=2)]


# ------------------------------------------------------------------------------------------------------------ progress


def test_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    job = Job()
    history = job.fit(epochs=3, accuracy=job.right, progress=None)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len(lines) == 3
    for row, line in zip(history, lines):
        assert line.startswith(f"epoch {row.epoch}/3  loss {row.loss:.4g}")
        assert f"accuracy {percent(row.accuracy or 0.0):>7}" in line
    assert " s, " in lines[0]
    assert lines[0].endswith(" left")
    assert " took " in lines[-1]
    assert "\x1b" not in out


def test_a_long_epoch_says_now_and_then_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10**8, 10**9, 31))  # 31 seconds a look
    monkeypatch.setattr(progress, "perf_counter", lambda: float(next(clock)))
    job = Job()
    job.fit(epochs=1, batch_size=10, accuracy=job.right, validation=(POINTS[:2], TARGETS[:2]), progress=None)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("loss")[0] for line in lines] == [
        "epoch 1/1  batch 1/2  ", "epoch 1/1  batch 2/2  ", "epoch 1/1  ", "epoch 1/1  ", "epoch 1/1  ",
    ]  # fmt: skip
    assert [line.split()[-2:] for line in lines[2:4]] == [["checking", "1/2"], ["checking", "2/2"]]


def test_silence_on_request(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Job().fit(progress=False)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stdout", None)  # a program without a console
    Job().fit(progress=None)


def test_a_bar_on_a_terminal() -> None:
    program = """
from micrograd_plus import Value, optim
from micrograd_plus.training import fit
slope = Value(0.0)
fit(lambda x, y: (slope * x - y) ** 2, ([1.0, 2.0], [2.0, 4.0]), optim.SGD([slope], lr=0.1), epochs=3,
    accuracy=lambda x, y: True)
"""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    done = subprocess.run([sys.executable, "-c", program], stdout=theirs, stderr=theirs, env=environment, check=False)
    os.close(theirs)
    text = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert done.returncode == 0
    for part in ("\x1b[", "epoch 3/3", "━", "loss", "accuracy 100.0 %", "took"):
        assert part in text


def test_a_bar_in_a_notebook_is_one_display_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        assert data == {"text/plain": ""}
        return SimpleNamespace(update=lambda data, **_: shown.append(data))

    monkeypatch.setattr(
        progress, "import_module", lambda name: {"IPython.display": SimpleNamespace(display=display)}[name]
    )
    monkeypatch.setattr("rich.console.Console.is_jupyter", True, raising=False)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    Job().fit(epochs=3, batch_size=10, progress=None)
    assert [data["text/plain"][:9] for data in shown] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert shown[-1]["text/html"].startswith('<progress value="6" max="6"></progress> <code>epoch 3/3  loss ')


def test_time_left_is_the_time_so_far_for_what_is_still_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "perf_counter", lambda: 30.0)
    meter = Meter(epochs=4, batches=5, started=20.0)
    meter.ran(epoch=2, batch=3, loss=0.5)
    assert (meter.done, meter.seconds) == (8, 10.0)
    assert meter.seconds_left == pytest.approx(10.0 * 12 / 8)


@given(st.floats(0, 1))
def test_only_a_whole_share_is_a_hundred_percent(share: float) -> None:
    assert (percent(share) == "100.0 %") == (share == 1.0)
    assert abs(float(percent(share)[:-2]) - 100 * share) <= 0.1


@given(st.floats(0, 1e6))
def test_durations_are_short_and_never_say_sixty(seconds: float) -> None:
    text = duration(seconds)
    assert "60 s" not in text
    assert "60 min" not in text
    assert len(text) <= 12


# ------------------------------------------------------------------------------------------------------------- history


def test_a_history_is_data_and_its_table_loses_no_digit(tmp_path: Path) -> None:
    job = Job()
    history = job.fit(epochs=3, accuracy=job.right)
    history.append(Epoch(4, 16, 0.1 + 0.2, None, 0.1, 1.5))
    history.to_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "step", "loss", "accuracy", "lr", "seconds"]
    read = [
        Epoch(int(r["epoch"]), int(r["step"]), float(r["loss"]), float(r["accuracy"]) if r["accuracy"] else None,
              float(r["lr"]), float(r["seconds"])) for r in rows
    ]  # fmt: skip
    assert read == history
    assert [row.seconds for row in read] == [row.seconds for row in history]


def test_histories_compare_without_their_seconds() -> None:
    assert Epoch(1, 2, 0.5, None, 0.1, 3.0) == Epoch(1, 2, 0.5, None, 0.1, 4.0) != Epoch(1, 2, 0.6, None, 0.1, 3.0)


def test_a_history_says_how_it_ended() -> None:
    history = History([Epoch(1, 2, 0.5, 0.75, 0.1, 3.0)])
    assert repr(history) == "History(1 epochs, loss 0.5, accuracy 75.0 %)"
    history.stopped = "interrupt"
    assert repr(history) == "History(1 epochs, loss 0.5, accuracy 75.0 %, stopped by interrupt)"
    assert repr(History()) == "History(no epochs)"


def test_a_history_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        History().to_csv(tmp_path / "nowhere" / "history.csv")


# ----------------------------------------------------------------------------------------------------------- bad input

GOOD = Value(0.0)
SGD = optim.SGD([GOOD], lr=0.1)
OTHER = optim.StepLR(optim.SGD([Value(0.0)], lr=0.1), 2)


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"cost": 3}, TypeError, r"fit\(cost=3\): expected a function"),
        ({"cost": lambda *_: 3.5}, TypeError, r"cost\(x, y\) returned 3.5, a float; expected a Value"),
        ({"cost": lambda *_: [GOOD]}, TypeError, r"cost\(x, y\) returned \[Value.*a list; expected a Value"),
        ({"data": 3}, TypeError, r"fit\(data=3\): expected a pair \(X, Y\)"),
        ({"data": ([1.0], [1.0], [1.0])}, TypeError, r"expected a pair \(X, Y\)"),
        ({"data": ([1.0, 2.0], [1.0])}, ValueError, r"fit\(data=...\): 2 examples, but 1 labels"),
        ({"data": ([], [])}, ValueError, r"fit\(data=...\): x and y are empty"),
        ({"data": (1.0, 2.0)}, TypeError, r"fit\(data=...\)\(x=1.0\): expected a list or an array"),
        ({"optimizer": "sgd"}, TypeError, r"fit\(optimizer='sgd'\): expected one from optim"),
        ({"batch_size": 0}, ValueError, r"fit\(batch_size=0\): .* at least 1, or None for the whole set"),
        ({"batch_size": 2.5}, TypeError, r"fit\(batch_size=2.5\): .* got float"),
        ({"batch_size": True}, TypeError, r"fit\(batch_size=True\): .* got bool"),
        ({"epochs": 0}, ValueError, r"fit\(epochs=0\): expected a whole number of at least 1"),
        ({"epochs": "3"}, TypeError, r"fit\(epochs='3'\): .* got str"),
        ({"seed": "x"}, TypeError, r"fit\(seed='x'\)"),
        ({"accuracy": lambda *_: None}, TypeError, r"accuracy\(x, y\) returned None; expected True or False"),
        ({"validation": ([1.0], [1.0])}, ValueError, r"give accuracy="),
        ({"validation": ([1.0], []), "accuracy": lambda *_: True}, ValueError, r"fit\(validation=...\): 1 examples"),
        ({"schedule": 0.5}, TypeError, r"fit\(schedule=0.5\): expected one from optim"),
        ({"schedule": OTHER}, ValueError, "made for another optimizer"),
        ({"schedule_every": "batch"}, ValueError, r"fit\(schedule_every='batch'\): expected 'epoch' or 'step'"),
        ({"callbacks": print}, TypeError, r"fit\(callbacks=<built-in function print>\): expected a list of functions"),
        ({"callbacks": [3]}, TypeError, r"fit\(callbacks=\[3\]\)"),
        ({"patience": 0}, ValueError, r"fit\(patience=0\)"),
    ],
)
def test_bad_input_gets_one_error_that_quotes_it(changed: dict[str, Any], kind: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"cost": lambda x, y: (GOOD * x - y) ** 2, "data": ([1.0], [2.0]), "optimizer": SGD}
    with pytest.raises(kind, match=message):
        fit(**arguments | {"progress": False} | changed)


def test_inside_no_grad_nothing_can_be_learnt() -> None:
    with no_grad(), pytest.raises(RuntimeError, match="no_grad"):
        Job().fit()


def test_a_loss_that_is_not_finite_stops_and_puts_back_the_last_good_parameters() -> None:
    slope = Value(1.0)
    optimizer = optim.SGD([slope], lr=1e60)
    visited: list[float] = []

    def cost(x: float, y: float) -> Value:
        visited.append(slope.data)
        return (slope * x - y) ** 2

    data = ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
    with pytest.raises(FloatingPointError, match=r"epoch 2, batch 1: the loss is inf; .* smaller .* than 1e\+60"):
        fit(cost, data, optimizer, batch_size=1, epochs=3, shuffle=False, progress=False)
    assert slope.data == visited[-2]
    assert isfinite(slope.data)


@pytest.mark.parametrize("bad", [nan, inf])
def test_bad_data_are_told_from_a_bad_learning_rate(bad: float) -> None:
    slope = Value(1.0)
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1: the loss is (nan|inf); look for nan"):
        fit(lambda x, y: (slope * x - y) ** 2, ([bad], [1.0]), optim.SGD([slope], lr=0.1), progress=False)
    assert slope.data == 1.0


def test_a_step_to_infinity_is_not_taken() -> None:
    slope = Value(0.0)
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1: the loss is 0, but the step makes"):
        fit(lambda x, _: mp.sqrt(slope * x), ([1.0], [1.0]), optim.SGD([slope], lr=0.1), progress=False)
    assert slope.data == 0.0
