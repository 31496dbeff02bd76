"""Training is nothing but: draw a batch, forward, loss, backward, step; and it can be watched, stopped and repeated."""

from __future__ import annotations

import csv
import gc
import os
import pickle
import pty
import signal
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from itertools import product
from math import ceil, inf, isfinite, nan
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import MLP, Value, losses, no_grad, optim
from micrograd_plus.data import hold_out, load_digits, make_moons, one_hot
from micrograd_plus.training import progress
from micrograd_plus.training.compiling import TRIED, _of_all_features
from micrograd_plus.training.loop import fit
from micrograd_plus.training.progress import Meter, duration, percent
from micrograd_plus.training.records import Epoch, History

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


ways = pytest.mark.parametrize("compile", [True, False])


@ways
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_the_same_seed_gives_the_same_run_to_the_last_bit(batch_size: int | None, compile: bool) -> None:
    first, second = Job(), Job()
    histories = [
        job.fit(batch_size=batch_size, epochs=3, accuracy=job.right, compile=compile) for job in (first, second)
    ]
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
        cost, (xs, xs), optim.SGD([slope], lr=0.0), batch_size=size, epochs=epochs, progress=False, seed=count,
        compile=False,
    )  # fmt: skip
    for epoch in range(epochs):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == xs
    assert len(seen) == epochs * count
    assert [row.step for row in history] == [(k + 1) * ceil(count / (size or count)) for k in range(epochs)]


@ways
@given(points=st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=6))
def test_the_gradient_of_a_batch_is_that_of_the_mean_loss(points: list[tuple[float, float]], compile: bool) -> None:
    job = Job(lr=0.0)
    targets = [(-1.0) ** i for i in range(len(points))]
    data = (points, targets)
    history = fit(job.cost, data, job.optimizer, batch_size=None, epochs=1, progress=False, compile=compile)
    gradients = [p.grad for p in job.model.parameters()]
    job.model.zero_grad()
    whole = mp.mean([job.cost(x, y) for x, y in zip(points, targets)])
    whole.backward()
    assert gradients == pytest.approx([p.grad for p in job.model.parameters()], rel=1e-12, abs=1e-14)
    assert history[0].loss == pytest.approx(whole.data, rel=1e-12)


@ways
@pytest.mark.parametrize("size", [1, 4, 10])
def test_linear_regression_goes_the_way_numpy_goes(size: int, compile: bool) -> None:
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
        compile=compile,
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
        fit(cost, MOONS, job.optimizer, batch_size=None, epochs=2, progress=False, compile=False)
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


# ------------------------------------------------------------------------------------------------- compiled and eager


def close(first: Any, second: Any) -> bool:
    return bool(np.allclose(first, second, rtol=1e-9, atol=1e-12))


def note_gradients(optimizer: Any, gradients: list[Any]) -> None:
    """Let a compiled training note the gradients by which it steps."""
    update = optimizer.update

    def noting(theta: Any, gradient: Any) -> Any:
        gradients.append(gradient.copy())
        return update(theta, gradient)

    optimizer.update = noting


def take_gradients(optimizer: Any, gradients: Iterator[Any]) -> None:
    """Let an eager training compare its gradients with those, and step by them."""
    step = optimizer.step

    def stepping() -> None:
        given = next(gradients)
        largest = np.abs(given).max()
        assert np.allclose([p.grad for p in optimizer.params], given, rtol=1e-9, atol=1e-9 * max(1.0, largest))
        for p, gradient in zip(optimizer.params, given.tolist()):
            p.grad = gradient
        step()

    optimizer.step = stepping


@pytest.mark.parametrize("name", [made.__name__ for made in optim.OPTIMIZERS.values()])
@settings(max_examples=5)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=2),
    activation=st.sampled_from(["relu", "tanh", "sigmoid", "gelu"]),
    loss=st.sampled_from(["squared_error", "binary_cross_entropy_with_logits", "cross_entropy", "labels"]),
    batch_size=st.integers(1, 21) | st.none(),
    seed=st.integers(0, 99),
    shuffle=st.booleans(),
    arrays=st.booleans(),
)
def test_compiled_and_eager_go_the_same_way(
    name: str, sizes: list[int], activation: str, loss: str, batch_size: int | None, seed: int, shuffle: bool,
    arrays: bool,
) -> None:  # fmt: skip
    """Their gradients are the same but for rounding; and from the same gradients they take the same steps.

    A rule such as Adagrad's divides a gradient by its own size, and so makes a step of what is rounding alone.
    """
    targets: Any = LABELS if loss == "labels" else [one_hot(label, 3) for label in LABELS]
    data = (np.array(POINTS), np.array(targets)) if arrays else (POINTS, targets)
    function = getattr(losses, "cross_entropy" if loss == "labels" else loss)
    ends = []
    gradients: list[Any] = []
    for compile in (True, False):
        model = MLP(2, [*sizes, 3], activation=activation, seed=seed)
        optimizer = getattr(optim, name)(model.parameters())
        if compile:
            note_gradients(optimizer, gradients)
        else:
            take_gradients(optimizer, iter(gradients))
        history = fit(
            lambda x, y, model=model: function(model(x), y),  # type: ignore[misc]
            data,
            optimizer,
            compile=compile,
            batch_size=batch_size,
            epochs=2,
            seed=seed,
            shuffle=shuffle,
            accuracy=model,
            schedule=optim.LinearLR(optimizer),
            progress=False,
        )
        parameters = [(p.data, p.grad) for p in model.parameters()]
        ends.append((parameters, [(row.epoch, row.step, row.loss, row.accuracy or 0.0, row.lr) for row in history]))
    (compiled, told), (eager, expected) = ends
    assert np.allclose(compiled, eager, rtol=1e-12, atol=1e-15)
    assert close(told, expected)


class Line(mp.Module):
    """A straight line, with a name."""

    def __init__(self) -> None:
        self.slope, self.offset = Value(1.0), Value(0.0)

    def __call__(self, x: Any) -> Any:
        return self.slope * x + self.offset


LINE = ([1.0, 2.0, 3.0], [2.0, 4.0, 6.5])


@pytest.mark.parametrize(
    "x",
    [
        [(1.0, 2.0), (0.5, -1.0)],
        np.array([[1.0, 2.0], [0.5, -1.0]]),
        [np.array([1.0, 2.0]), np.array([0.5, -1.0])],
        np.array([[1, 2], [3, -1]]),
        np.array([[1.0, 9.0, 2.0], [0.5, 9.0, -1.0]], dtype=np.float32)[:, ::2],
    ],
)
def test_a_cost_gets_what_it_is_given_tuples_and_arrays_too(x: Any) -> None:
    slope = Value(1.0)
    ends = []
    for compile in (True, False):
        slope.data = 1.0

        def cost(row: Any, y: Any) -> Value:
            first = row.sum() if isinstance(row, np.ndarray) else (row + row)[2] + row[1]
            loss = mp.square(slope * first - y)
            assert isinstance(loss, Value)
            return loss

        fit(cost, (x, [1.0, 2.0]), optim.SGD([slope], lr=0.01), seed=1, compile=compile, progress=False)
        ends.append(slope.data)
    assert close(*ends)
    assert ends[0] != 1.0


def test_a_program_can_be_trained_if_it_has_the_optimizers_parameters() -> None:
    line = Line()
    cost: Callable[..., Any] = lambda x, y: (line(x) - y) ** 2  # noqa: E731
    program = mp.compile(cost, x=(), y=(), parameters=line)
    history = fit(program, LINE, optim.SGD(line.parameters(), lr=0.05), shuffle=False, progress=False)
    end = [p.data for p in line.parameters()]
    line.slope.data, line.offset.data = 1.0, 0.0
    again = fit(cost, LINE, optim.SGD(line.parameters(), lr=0.05), shuffle=False, progress=False, compile=False)
    assert close(end, [p.data for p in line.parameters()])
    assert close([row.loss for row in history], [row.loss for row in again])
    for params, message in (
        ([line.offset, line.slope], "the same parameters, but in another order"),
        ([line.slope], "they have other parameters"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(program, LINE, optim.SGD(params, lr=0.05), progress=False)
    with pytest.raises(ValueError, match="give the function instead"):
        fit(program, LINE, optim.SGD(line.parameters(), lr=0.05), progress=False, compile=False)
    with pytest.raises(ValueError, match=r"X of shape \(1, 2\); expected \(examples,\)"):
        fit(program, ([[1.0, 2.0]], [1.0]), optim.SGD(line.parameters(), lr=0.05), progress=False)
    with pytest.raises(TypeError, match=r"X .* is uneven"):
        fit(program, ([[1.0, 2.0], [1.0]], [1.0, 2.0]), optim.SGD(line.parameters(), lr=0.05), progress=False)


class Column:
    """What is neither a list nor an array, but is indexed as one."""

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at: Any) -> Any:
        return Column([self.numbers[i] for i in at]) if isinstance(at, (list, range)) else self.numbers[at]


def refused(cost: Callable[..., Any], data: Any = LINE, **options: Any) -> str:
    """What `fit` warns of, once, while it trains all the same; `compile=True` raises it, and False is silent."""

    def train(compile: bool | None, epochs: int = 2) -> None:
        line = Line()
        optimizer = optim.SGD(line.parameters(), lr=1e-3)
        run = options | {"epochs": epochs, "progress": False, "batch_size": 1, "compile": compile}
        fit(lambda x, y: cost(line, x, y), data, optimizer, **run)
        assert line.slope.data != 1.0

    with pytest.warns(UserWarning, match="fit: not compiled, and so slower, because") as warned:
        train(None)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    with pytest.raises(TypeError) as raised:
        train(True)
    message = str(warned[0].message)
    assert (str(raised.value).splitlines() or [""])[0][:20] in message
    assert "compile=False" in message
    train(False)
    return message


def test_what_cannot_be_compiled_is_trained_eagerly_with_a_warning_that_says_why() -> None:
    generator = Random(1)
    message = refused(lambda line, x, y: line(x) * generator.random() - y)
    assert "a random number is drawn in" in message
    assert "float(x)" in refused(lambda line, x, y: line(x) * float(y))
    assert "TypeError: list indices" in refused(lambda line, x, y: [line(x), line(x)][y], (LINE[0], [0, 1, 0]))
    assert "plain numbers, got an array of <U" in refused(lambda line, x, y: line(len(x)) - y, (["a", "bcd"], [1, 2]))
    assert "is uneven" in refused(lambda line, x, y: line(sum(x)) - y, ([[1.0], [2.0, 3.0]], [1, 2]))
    assert "expected a list or a NumPy array" in refused(lambda line, x, y: line(x) - y, (Column(LINE[0]), LINE[1]))


def test_a_program_that_gives_something_else_is_found_out() -> None:
    message = refused(lambda line, x, y: line(x) * (3.0 if isinstance(y, float) else 7.0), (LINE[0], [0.0, 0.0, 1.0]))
    assert "cost(x, y) is 3 for the example 0, and 7 once it is compiled" in message


def test_examples_that_differ_in_their_features_are_tried() -> None:
    """What no trace can hear is found where the examples that are tried have it, whichever their targets are."""
    rare = 2.5
    xs = [[float(i % 3), float(i)] for i in range(100)] + [[rare, 0.0]]
    message = refused(lambda line, x, y: line(x[0]) * (9.0 if x[0] is rare else 1.0) + y, (xs, [1.0] * 101))
    assert "for the example 100, and" in message
    many = np.random.default_rng(1).normal(size=(50, 4))
    many[7] = abs(many[7])
    chosen = _of_all_features(many)
    assert len(chosen) <= TRIED
    for column in many.T:  # both signs of each
        assert {bool(number > 0.0) for number in column[chosen]} == {True, False}


def test_a_name_that_means_another_value_is_noticed() -> None:
    def trained(compile: bool | None, rebind: bool) -> float:
        slope = Value(1.0)
        first = slope

        def rebound(epoch: Any) -> None:
            nonlocal slope
            if epoch.epoch == 2 and rebind:
                slope = Value(5.0)

        run: Any = {"callbacks": [rebound], "epochs": 4, "progress": False, "seed": 1, "compile": compile}
        history = fit(lambda x, y: (slope * x - y) ** 2, LINE, optim.SGD([first], lr=0.01), **run)
        return history[-1].loss

    with pytest.warns(UserWarning, match="names in the cost were given other Values"):
        compiled = trained(None, True)
    assert compiled == pytest.approx(trained(False, True))
    with pytest.raises(mp.CompileError, match="names in the cost were given other Values"):
        trained(True, True)
    assert trained(True, False) == pytest.approx(trained(False, False))


@pytest.mark.parametrize("compile", [None, False])
def test_a_model_that_gets_another_value_is_judged_with_it(compile: bool | None) -> None:
    line = Line()

    def listener(_: Epoch) -> None:
        line.offset = Value(2.0)

    with warnings.catch_warnings(action="ignore"):  # that it is not compiled
        history = fit(
            lambda x, y: (line(x) - y) ** 2, ([-3.0, -1.0, 1.0], [0.0, 1.0, 1.0]), optim.SGD([line.slope], lr=0.0),
            compile=compile, accuracy=line, epochs=2, callbacks=[listener], progress=False,
        )  # fmt: skip
    assert [epoch.accuracy for epoch in history] == [2 / 3, 1.0]


def test_a_model_of_more_ways_than_can_be_compiled_is_judged_one_by_one() -> None:
    class Tree(mp.Module):
        def __init__(self) -> None:
            self.slopes = [Value(0.1 * i) for i in range(5)]

        def __call__(self, x: Any) -> Any:
            return sum([slope * each if each > 0 else slope * -0.5 for slope, each in zip(self.slopes, x)])

    tree = Tree()
    signs = np.array(list(product([-1.0, 1.0], repeat=5)))
    program = mp.compile(lambda x, y: (mp.dot(tree.slopes, x) - y) ** 2, 5, ())
    accuracies = []
    for judge in (tree, lambda x, y: (tree(x).data > 0.0) == (y > 0.0)):
        sgd = optim.SGD(program.parameters, lr=0.0)
        accuracies.append(fit(program, (signs, signs[:, 4]), sgd, accuracy=judge, epochs=1, progress=False)[0].accuracy)
    assert accuracies[0] == accuracies[1]
    with pytest.raises(mp.CompileError, match="more than 16 ways"):
        fit(program, (signs, signs[:, 4]), sgd, accuracy=tree, compile=True, epochs=1, progress=False)


def test_a_program_that_is_older_than_its_names_is_told() -> None:
    slope = first = Value(1.0)
    program = mp.compile(lambda x, y: (slope * x - y) ** 2, (), ())
    fit(program, LINE, optim.SGD([first], lr=0.01), progress=False)
    slope = Value(3.0)
    with pytest.warns(UserWarning, match="names in its function were given other Values since it was compiled"):
        fit(program, LINE, optim.SGD([first], lr=0.01), progress=False)


def test_what_only_the_eager_engine_can_do_is_left_to_it() -> None:
    class Halved(optim.SGD):
        def step(self) -> None:
            for p in self.params:
                p.grad /= 2
            super().step()

    line = Line()
    with pytest.warns(UserWarning, match=r"Halved has a step\(\) of its own"):
        fit(lambda x, y: (line(x) - y) ** 2, LINE, Halved(line.parameters(), lr=0.1), epochs=1, progress=False)
    other, slope = Line(), Value(0.0)
    fit(lambda x, y: (other(x) - y) ** 2, LINE, optim.SGD(other.parameters(), lr=0.05), epochs=1, progress=False)
    assert close([p.data for p in line.parameters()], [p.data for p in other.parameters()])

    class Heavy(optim.SGD):  # each gradient stays, as a momentum does
        def zero_grad(self) -> None:
            pass

    lines = [Line(), Line()]
    with pytest.warns(UserWarning, match=r"Heavy has a zero_grad\(\) of its own"):
        fit(lambda x, y: (lines[0](x) - y) ** 2, LINE, Heavy(lines[0].parameters(), lr=0.01), seed=1, progress=False)
    heavy = optim.SGD(lines[1].parameters(), lr=0.01, momentum=1.0)
    fit(lambda x, y: (lines[1](x) - y) ** 2, LINE, heavy, seed=1, progress=False)
    assert close([p.data for p in lines[0].parameters()], [p.data for p in lines[1].parameters()])

    seen: list[Any] = []
    with slope.register_hook(seen.append), pytest.warns(UserWarning, match="a parameter has a hook"):
        fit(lambda x, y: (slope * x - y) ** 2, LINE, optim.SGD([slope]), epochs=1, progress=False)
    assert len(seen) == 3
    with mp.detect_anomaly(), pytest.raises(ArithmeticError, match="log"):
        fit(lambda x, y: mp.log(slope * 0.0 * x) - y, LINE, optim.SGD([slope]), progress=False)


def test_a_rule_that_takes_floats_only_is_left_to_the_eager_engine() -> None:
    def rule(t: int, *, lr: float) -> Any:
        return lambda theta, g: (theta - lr * (1.0 if g > 0 else -1.0),)

    line = Line()
    cost: Callable[..., Any] = lambda x, y: (line(x) - y) ** 2  # noqa: E731
    with pytest.warns(UserWarning, match="the rule of Optimizer.* does not take arrays"):
        history = fit(cost, LINE, optim.Optimizer(line.parameters(), rule, 0.25), epochs=1, progress=False)
    assert (history[0].step, line.slope.data, line.offset.data) == (1, 1.25, 0.25)
    with pytest.raises(TypeError, match="does not take arrays"):
        fit(cost, LINE, optim.Optimizer(line.parameters(), rule, 0.25), progress=False, compile=True)


def test_an_unpickled_program_judges_several_outputs_only() -> None:
    one, three = [pickle.loads(pickle.dumps(mp.compile(MLP(2, [k], seed=1), x=2))) for k in (1, 3)]
    assert Job().fit(epochs=1, accuracy=three, validation=(POINTS, LABELS))[0].accuracy is not None
    with pytest.raises(ValueError, match="a score or a probability; give a function"):
        Job().fit(epochs=1, accuracy=one)


def test_a_way_that_cannot_be_compiled_may_turn_up_late() -> None:
    line = Line()

    def cost(x: Any, y: Any) -> Any:
        loss = mp.square(line(x) - y)
        return loss * float(loss) if line.slope > 1.1 else loss

    with pytest.warns(UserWarning, match=r"float\(x\)"):
        history = fit(cost, LINE, optim.SGD(line.parameters(), lr=0.02), batch_size=1, epochs=4, seed=1, progress=False)
    ends = [p.data for p in line.parameters()]
    line.slope.data, line.offset.data = 1.0, 0.0
    optimizer = optim.SGD(line.parameters(), lr=0.02)
    expected = fit(cost, LINE, optimizer, batch_size=1, epochs=4, seed=1, progress=False, compile=False)
    assert close(ends, [p.data for p in line.parameters()])
    assert close([row.loss for row in history], [row.loss for row in expected])
    assert [row.step for row in history] == [3, 6, 9, 12]


@ways
def test_what_a_callback_does_to_the_parameters_counts(compile: bool) -> None:
    line = Line()

    def fix(epoch: Epoch) -> None:
        line.offset.data = float(epoch.epoch)

    optimizer = optim.SGD(line.parameters(), lr=0.0)
    history = fit(
        lambda x, y: (line(x) - y) ** 2, LINE, optimizer, epochs=3, callbacks=[fix], progress=False, compile=compile
    )
    assert line.offset.data == 3.0
    assert [row.loss for row in history] == pytest.approx(
        [sum((x + b - y) ** 2 for x, y in zip(*LINE)) / 3 for b in (0, 1, 2)]
    )


def test_a_value_that_is_no_parameter_may_change_between_epochs() -> None:
    line, weight = Line(), Value(1.0)

    def fall(epoch: Epoch) -> None:
        weight.data = 1.0 / (1 + epoch.epoch)

    optimizer = optim.SGD(line.parameters(), lr=0.0)
    history = fit(
        lambda x, y: weight * mp.square(line(x) - y), LINE, optimizer, epochs=3, callbacks=[fall], progress=False,
        compile=True,
    )  # fmt: skip
    assert [row.loss / history[0].loss for row in history] == pytest.approx([1.0, 1 / 2, 1 / 3])


def test_a_label_that_is_no_class_is_named() -> None:
    model = MLP(2, [3], seed=1)
    for compile in (None, True, False):
        with pytest.raises(ValueError, match="target 7; expected a class from 0 to 2"):
            fit(
                lambda x, y: losses.cross_entropy(model(x), y), (POINTS, [*LABELS[:-1], 7]),
                optim.Adam(model.parameters()), progress=False, compile=compile,
            )  # fmt: skip
        with pytest.raises(ValueError, match="hinge: target 0; expected -1 or 1"):
            fit(
                lambda x, y: losses.hinge(model(x)[0], y), (POINTS, LABELS),
                optim.Adam(model.parameters()), progress=False, compile=compile,
            )  # fmt: skip


def test_a_rare_label_that_is_no_class_is_named_when_its_turn_comes() -> None:
    model, labels = MLP(1, [30], seed=1), [*range(30), 31]
    points = [[float(i)] for i in range(31)]
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match="target 31; expected a class from 0 to 29"):
        fit(
            lambda x, y: losses.cross_entropy(model(x), y), (points, labels), optim.SGD(model.parameters(), lr=1e-3),
            batch_size=10, shuffle=False, progress=False, compile=True,
        )  # fmt: skip
    assert before != [p.data for p in model.parameters()]
    assert all(isfinite(p.data) for p in model.parameters())


def test_a_training_that_diverges_ends_with_the_last_good_parameters_compiled_too() -> None:
    slope = Value(1.0)
    data = ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
    optimizer = optim.SGD([slope], lr=1e60)
    with pytest.raises(FloatingPointError, match=r"epoch 2, batch 1: the loss is inf; .* smaller .* than 1e\+60"):
        fit(
            lambda x, y: (slope * x - y) ** 2, data, optimizer, batch_size=1, epochs=3, shuffle=False, progress=False,
            compile=True,
        )  # fmt: skip
    reached, slope.data = slope.data, 1.0
    with pytest.raises(FloatingPointError):
        fit(
            lambda x, y: (slope * x - y) ** 2, data, optim.SGD([slope], lr=1e60), batch_size=1, epochs=3, shuffle=False,
            progress=False, compile=False,
        )  # fmt: skip
    assert reached == pytest.approx(slope.data, rel=1e-12)
    assert isfinite(reached)


# ------------------------------------------------------------------------------------------- accuracy, schedules, ends


@ways
@pytest.mark.parametrize(
    ("output", "loss", "targets"),
    [
        ("linear", losses.hinge, TARGETS),
        ("sigmoid", losses.squared_error, LABELS),
        ("linear", losses.binary_cross_entropy_with_logits, LABELS),
        ("sigmoid", losses.binary_cross_entropy, LABELS),
        ("tanh", losses.squared_error, np.array(TARGETS, dtype=float).reshape(-1, 1)),
    ],
)
def test_a_model_with_one_output_is_judged_by_its_sign_or_by_a_half(
    output: str, loss: Any, targets: Any, compile: bool
) -> None:
    model = MLP(2, [3, 1], output=output, seed=4)
    middle = 0.5 if output == "sigmoid" else 0.0
    accuracies = []
    for judge in (model, mp.compile(model, x=2), lambda x, y: (model(x) > middle) == (float(np.ravel(y)[0]) > 0)):
        optimizer = optim.SGD(model.parameters(), lr=0.0)
        history = fit(
            lambda x, y: loss(model(x), y), (POINTS, targets), optimizer, epochs=1, accuracy=judge, progress=False,
            compile=compile,
        )  # fmt: skip
        accuracies.append(history[0].accuracy)
    assert accuracies[0] == accuracies[1] == accuracies[2]
    assert 0.0 < (accuracies[0] or 0.0) < 1.0


@ways
def test_a_probability_that_is_held_off_0_and_1_is_still_one(compile: bool) -> None:
    class Careful(mp.Module):
        def __init__(self) -> None:
            self.network = MLP(2, [3, 1], seed=6)

        def __call__(self, x: Any) -> Any:
            return mp.clamp(mp.sigmoid(self.network(x)), 1e-7, 1.0 - 1e-7)

    model = Careful()
    accuracies = []
    for judge in (model, lambda x, y: (model(x) > 0.5) == (y > 0)):
        optimizer = optim.SGD(model.parameters(), lr=0.0)
        history = fit(
            lambda x, y: losses.binary_cross_entropy(model(x), y), (POINTS, LABELS), optimizer, epochs=1,
            accuracy=judge, progress=False, compile=compile,
        )  # fmt: skip
        accuracies.append(history[0].accuracy)
    assert accuracies[0] == accuracies[1]


@ways
def test_a_model_with_several_outputs_is_judged_by_the_largest(compile: bool) -> None:
    model = MLP(2, [3, 3], activation="tanh", seed=4)
    hot = [one_hot(label, 3) for label in LABELS]

    def right(x: Any, y: int) -> bool:
        outputs = [out.data for out in model(x)]
        return bool(outputs[y] == max(outputs))

    expected = Job().fit(epochs=1, accuracy=right, validation=(POINTS, LABELS))[0].accuracy
    for judge, targets in ((model, LABELS), (model, hot), (mp.compile(model, x=2), np.array(hot))):
        history = Job().fit(epochs=1, accuracy=judge, validation=(POINTS, targets), compile=compile)
        assert history[0].accuracy == expected
    assert 0.0 < (expected or 0.0) < 1.0


@pytest.mark.parametrize(
    ("model", "targets", "message"),
    [
        (MLP(2, [3]), [5], "target 5 for 3 outputs; expected a class from 0 to 2, or give accuracy="),
        (MLP(2, [3]), [0.5], "target 0.5 for 3 outputs"),
        (MLP(2, [3]), [[0.0, 1.0]], r"targets of shape \(2,\) for 3 outputs; expected a class, or 3 numbers"),
        (MLP(2, [1]), [3.5], "target 3.5 for 1 outputs; expected 0 and 1, or -1 and 1"),
        (MLP(2, [1]), [0.0, 1.0, nan], "target nan for 1 outputs; expected 0 and 1, or -1 and 1"),
        (MLP(2, [1]), [-1.0, 0.0, 1.0], "target 0 for 1 outputs; expected 0 and 1, or -1 and 1"),
        (MLP(2, [1]), [[0.0, 1.0]], "expected a single one"),
    ],
)
def test_targets_that_no_answer_can_be_held_to_are_refused(model: MLP, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Job().fit(accuracy=model, validation=([[1.0, 2.0]] * len(targets), targets))


def test_accuracy_is_the_mean_over_the_validation_data_with_nothing_recorded() -> None:
    job, recorded = Job(), list[Any]()

    def share(x: Any, y: Any) -> float:
        recorded.append(job.model(x).args)
        return float(y)

    history = job.fit(epochs=2, accuracy=share, validation=([[0.0, 0.0]] * 4, [0.0, 0.5, 1.0, 1.0]))
    assert [row.accuracy for row in history] == [0.625, 0.625]
    assert recorded == [()] * 8


@pytest.mark.parametrize("outputs", [1, 2])
def test_without_numpy_the_eager_engine_trains_and_judges(outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    classes = [[1.0 - label, float(label)] for label in LABELS] if outputs == 2 else LABELS

    def trained(**options: Any) -> tuple[History, list[float]]:
        model = MLP(2, [4, outputs], activation="tanh", output="sigmoid", seed=5)
        optimizer = optim.Adam(model.parameters(), lr=0.1)

        def cost(x: Any, y: Any) -> Any:
            return losses.squared_error(model(x), y)

        options |= {"accuracy": model, "seed": 7, "epochs": 3, "progress": False}
        return fit(cost, (POINTS, classes), optimizer, **options), [p.data for p in model.parameters()]

    history, weights = trained(compile=False)
    monkeypatch.setitem(sys.modules, "numpy", None)
    for compile in (False, None):
        hint = pytest.warns(UserWarning, match="because: NumPy is not there") if compile is None else nullcontext()
        with hint:
            assert trained(compile=compile) == (history, weights)
    assert 0.5 < (history[-1].accuracy or 0.0) < 1.0
    assert "<img" in history._repr_html_()
    with pytest.raises(TypeError, match=r"expected a function of an example and its target, or the model"):
        Job().fit(compile=False, accuracy=3)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        Job().fit(compile=True)


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


@ways
def test_callbacks_see_every_epoch_with_the_weights_it_led_to(compile: bool) -> None:
    job, seen = Job(), list[tuple[Epoch, list[float]]]()
    history = job.fit(epochs=3, callbacks=[lambda epoch: seen.append((epoch, job.weights))], compile=compile)
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
        compile=False,
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
        fit(stop_there, MOONS, whole.optimizer, batch_size=5, epochs=9, seed=7, progress=False, compile=False)
    assert job.weights == whole.weights  # exactly the seven steps


class Interrupting(optim.ExponentialLR):
    """A schedule that presses Ctrl-C at some steps, once or twice, or fails there."""

    def __init__(self, optimizer: optim.Optimizer, at: int, presses: int, *, fails: bool = False) -> None:
        super().__init__(optimizer, gamma=0.9)
        self.at, self.presses, self.fails = at, presses, fails

    def next_lr(self, lr: float) -> float:
        if self.last_epoch == self.at:
            for _ in range(self.presses):
                os.kill(os.getpid(), signal.SIGINT)
            if self.fails:
                raise ZeroDivisionError
        return super().next_lr(lr)


@pytest.mark.parametrize(("presses", "fails"), [(1, False), (2, False), (0, True)])
def test_whatever_ends_a_training_the_values_are_those_of_the_last_whole_step(presses: int, fails: bool) -> None:
    ends = []
    for compile in (True, False):
        job = Job()
        schedule = Interrupting(job.optimizer, 7, presses, fails=fails)
        error: Any = ZeroDivisionError if fails else KeyboardInterrupt if presses == 2 else None
        history = None
        with pytest.raises(error) if error else nullcontext():
            history = job.fit(batch_size=5, epochs=9, schedule=schedule, schedule_every="step", compile=compile)
        if history is not None:
            assert [row.step for row in history] == [4, 7]
            assert history.interrupted
        ends.append([(p.data, p.grad) for p in job.model.parameters()])
    assert close(*ends)


def test_a_second_ctrl_c_stops_at_once_with_whole_steps_only() -> None:
    job, before = Job(), list[list[float]]()
    cost = Pressed(job.cost, 6, 8)
    with pytest.raises(KeyboardInterrupt):
        fit(cost, MOONS, job.optimizer, batch_size=5, epochs=9, seed=7, progress=False, compile=False)
    assert cost.count == 8
    other = Job()
    other.fit(batch_size=5, epochs=1, callbacks=[lambda _: before.append(other.weights)])
    one = Job()
    with pytest.raises(ZeroDivisionError):
        fit(Failing(one.cost, 6), MOONS, one.optimizer, batch_size=5, epochs=9, seed=7, progress=False, compile=False)
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
        job.fit(epochs=1, compile=False)
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
from micrograd_plus.training.loop import fit
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
        (
            {"data": (np.ma.array([1.0, 9.0], mask=[False, True]), [1.0, 2.0])},
            TypeError,
            "X is a masked array; .* or fill it",
        ),
        ({"data": ([1.0], np.ma.array([1.0]))}, TypeError, r"fit\(data=...\): Y is a masked array"),
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
        ({"compile": 1}, ValueError, r"fit\(compile=1\): expected None, True or False"),
        ({"accuracy": 3}, TypeError, r"fit\(accuracy=3\): expected a function of an example and its target"),
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
        fit(cost, data, optimizer, batch_size=1, epochs=3, shuffle=False, progress=False, compile=False)
    assert slope.data == visited[-2]
    assert isfinite(slope.data)


@ways
@pytest.mark.parametrize("bad", [nan, inf])
def test_bad_data_are_told_from_a_bad_learning_rate(bad: float, compile: bool) -> None:
    slope = Value(1.0)
    optimizer = optim.SGD([slope], lr=0.1)
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1: the loss is (nan|inf); look for nan"):
        fit(lambda x, y: (slope * x - y) ** 2, ([bad], [1.0]), optimizer, progress=False, compile=compile)
    assert slope.data == 1.0


@ways
def test_a_step_to_infinity_is_not_taken(compile: bool) -> None:
    slope = Value(0.0)
    optimizer = optim.SGD([slope], lr=1e308)
    told = r"epoch 1, batch 1: the loss is 4, but the step makes .* try a smaller learning rate than 1e\+308$"
    with pytest.raises(FloatingPointError, match=told):
        fit(lambda x, y: (slope * x - y) ** 2, ([1.0], [2.0]), optimizer, progress=False, compile=compile)
    assert slope.data == 0.0


@ways
def test_a_gradient_that_is_not_finite_is_told_from_too_large_a_step(compile: bool) -> None:
    weights = [Value(1.0), Value(0.0)]
    optimizer = optim.SGD(weights, lr=0.1)
    told = r"the loss is 1, but its derivative by optimizer.params\[1\] is (inf|nan); no learning rate mends that"
    data = ([1.0], [1.0])
    with pytest.raises(FloatingPointError, match=told):
        fit(lambda x, _: weights[0] + mp.sqrt(weights[1] * x), data, optimizer, progress=False, compile=compile)
    assert [w.data for w in weights] == [1.0, 0.0]


def overwriting(t: int, *, lr: float) -> Any:
    """A rule of one's own, whose update overwrites its state."""

    def update(theta: Any, g: Any, m: Any) -> tuple[Any, ...]:
        m *= 0.5
        m += g
        return theta - lr * m, m

    return update


def own(params: list[Value]) -> optim.Optimizer:
    return optim.Optimizer(params, overwriting, 1e-3, [0.0])


class Leaping(optim.Schedule):
    """A learning rate that is far too large from the fourth step on."""

    def next_lr(self, lr: float) -> float:
        return 1e308 if self.last_epoch == 3 else lr


@ways
@pytest.mark.parametrize(
    ("make", "bad"),
    [(make, bad) for make in (*optim.OPTIMIZERS.values(), own) for bad in ("gradient", "loss")]
    + [(own, "step"), (lambda params: optim.SGD(params, momentum=0.5), "step")],
)
def test_after_an_error_the_optimizer_is_where_it_was(make: Any, bad: str, compile: bool) -> None:
    """And so a training may go on from there, on better data or with a smaller rate."""
    w, reached = Value(1.0), Value(1.0)
    optimizer, expected = make([w]), make([reached])
    good = ([1.0, 2.0, 3.0], [5.0, 6.0, 7.0])
    x, y = {"gradient": (0.0, 5.0), "loss": (1.0, inf), "step": (1.0, 5.0)}[bad]
    count = 2 if bad == "loss" else 3  # the step that led there is undone, too

    def train(w: Value, data: Any, optimizer: Any, schedule: Any = None) -> None:
        fit(
            lambda x, y: mp.sqrt(w * x) + (w - y) ** 2, data, optimizer, epochs=1, batch_size=1, shuffle=False,
            schedule=schedule, schedule_every="step", progress=False, compile=compile,
        )  # fmt: skip

    def found(w: Value, optimizer: Any) -> Any:
        return w.data, optimizer.steps, [list(column) for column in optimizer.state]

    with pytest.raises(FloatingPointError):
        train(w, ([*good[0], x], [*good[1], y]), optimizer, Leaping(optimizer) if bad == "step" else None)
    train(reached, (good[0][:count], good[1][:count]), expected)
    assert found(w, optimizer) == found(reached, expected)
    optimizer.lr = expected.lr
    for _ in range(2):
        train(w, good, optimizer)
        train(reached, good, expected)
    assert found(w, optimizer) == found(reached, expected)
    assert isfinite(w.data)


def test_a_step_is_undone_whoever_took_it() -> None:
    """Here a program took it, and the eager engine, which goes on, finds the loss that is not finite."""

    def trained(compile: bool | None) -> list[float]:
        line = Line()
        optimizer = optim.SGD(line.parameters(), lr=0.02, momentum=0.5)

        def cost(x: Any, y: Any) -> Any:
            loss = mp.square(line(x) - y)
            return loss * (inf * float(loss)) if line.slope > 1.4 else loss

        with pytest.raises(FloatingPointError, match="the loss is inf"):
            fit(cost, LINE, optimizer, batch_size=1, shuffle=False, progress=False, compile=compile)
        return [*[p.data for p in line.parameters()], optimizer.steps, *optimizer.state[0]]

    assert trained(None) == pytest.approx(trained(False), rel=1e-12)


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_optimizer_whose_step_fails_is_where_it_was(error: type[BaseException], compile: bool) -> None:
    class Failing(optim.Adam):
        def update(self, theta: Any, gradient: Any) -> Any:
            moved = super().update(theta, gradient)
            if self.steps == 3:
                raise error
            return moved

    class FailingByOne(optim.Adam):
        def step(self) -> None:
            super().step()
            if self.steps == 3:
                raise error

    w = Value(0.0)
    adam: optim.Adam = (Failing if compile else FailingByOne)([w], lr=0.1)
    ends: list[Any] = []
    with pytest.raises(error):
        fit(
            lambda x, y: (w * x - y) ** 2, LINE, adam, batch_size=3, progress=False, compile=compile, shuffle=False,
            callbacks=[lambda _: ends.append((w.data, adam.steps, list(map(list, adam.state))))],
        )  # fmt: skip
    assert (w.data, adam.steps, list(map(list, adam.state))) == ends[-1]


def test_a_callback_may_answer_by_a_comparison_of_numpys() -> None:
    w, goal = Value(0.0), np.float64(1e9)
    history = mp.fit(
        lambda x, y: (w * x - y) ** 2,
        ([1.0, 2.0], [2.0, 4.0]),
        mp.optim.SGD([w], lr=0.1),
        epochs=5,
        progress=False,
        callbacks=[lambda epoch: epoch.loss < goal],
    )
    assert (len(history), history.stopped) == (1, "callback")


class Watching(optim.Schedule):
    """A schedule that looks at a Value, and may write one."""

    watched: Value
    put: float | None = None

    def next_lr(self, lr: float) -> float:
        SEEN.append(self.watched.data)
        if self.put is not None:
            self.watched.data = self.put
        return lr / 2 if self.watched.data > 1.5 else lr


SEEN: list[float] = []


def line(w: Value, x: Any, y: Any) -> Any:
    return (w * x - y) ** 2


@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize("put", [None, 0.5])
def test_a_schedule_of_ones_own_sees_the_values_and_may_write_them(every: Any, put: float | None) -> None:
    runs = []
    for compile in (True, False):
        SEEN.clear()
        w = Value(1.0)
        sgd = optim.SGD([w], lr=0.05)
        schedule = Watching(sgd)
        schedule.watched, schedule.put = w, put
        fit(partial(line, w), ([1.0] * 4, [2.0] * 4), sgd, batch_size=2, epochs=6, compile=compile,
            schedule=schedule, schedule_every=every, progress=False)  # fmt: skip
        runs.append([*SEEN, w.data, sgd.lr])
    assert runs[0] == pytest.approx(runs[1], rel=1e-12)
    assert put is not None or len(set(SEEN)) > 3


@pytest.mark.parametrize("judged", [5.0, -0.5, nan, inf])
def test_an_accuracy_out_of_its_range_is_refused(judged: float) -> None:
    w = Value(1.0)
    with pytest.raises(
        ValueError, match=r"accuracy\(x, y\) returned .*; expected True or False, or a number from 0 to 1"
    ):
        fit(lambda x, y: (w * x - y) ** 2, ([1.0], [2.0]), optim.SGD([w], lr=0.1), accuracy=lambda x, y: judged,
            progress=False)  # fmt: skip


def test_more_snapshots_than_steps_are_no_work() -> None:
    w = Value(1.0)
    history = fit(lambda x, y: (w * x - y) ** 2, ([1.0], [2.0]), optim.SGD([w], lr=0.1), epochs=2, record=10**20,
                  progress=False)  # fmt: skip
    assert [snapshot.step for snapshot in history.snapshots] == [0, 1, 2]
