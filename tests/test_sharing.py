"""Parts of a batch are shared between threads, and an error or Ctrl-C in one of them ends all."""

from __future__ import annotations

import threading
from threading import Event
from typing import Any

import numpy as np
import pytest

import micrograd_plus as mp
from micrograd_plus.program.sharing import PARTS, parts_of, share_work


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("parts", [1, 2, 13])
def test_each_part_is_done_once(parts: int, threads: int) -> None:
    done: list[int] = []
    share_work(lambda first, end, _: done.extend(range(first, end)), parts, threads)
    assert sorted(done) == list(range(parts))


def test_there_are_never_more_parts_than_so_many_and_always_enough() -> None:
    for n in (1, 64, 65, 10**6):
        assert 1 <= parts_of(n, 64) <= PARTS
        assert parts_of(n, 64) == PARTS or parts_of(n, 64) * 64 >= n


@pytest.mark.parametrize("wrong", [0, 3])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_the_first_error_is_raised_once_the_others_have_stopped(wrong: int, error: type[BaseException]) -> None:
    told: list[bool] = []

    def work(first: int, end: int, stop: Event) -> None:
        if first <= wrong < end:
            raise error
        told.append(stop.wait(timeout=60.0))

    before = threading.active_count()
    with pytest.raises(error):
        share_work(work, 4, 4)
    assert told == [True] * 3
    assert threading.active_count() == before


def test_a_training_shared_by_threads_is_the_same_to_the_last_bit() -> None:
    x = np.random.default_rng(0).normal(size=(600, 3))
    data = x, x[:, 0] * x[:, 1]
    weights = []
    for threads in (1, 2, 3):
        model = mp.MLP(3, [5, 1], activation="tanh", seed=1)

        def cost(x: Any, y: Any, model: mp.MLP = model) -> Any:
            return mp.losses.squared_error(model(x), y)

        adam = mp.optim.Adam(model.parameters())
        mp.fit(cost, data, adam, threads=threads, batch_size=300, epochs=3, seed=2, progress=False)
        weights.append([p.data for p in model.parameters()])
    assert weights[0] == weights[1] == weights[2]


def test_threads_of_fit_that_can_do_nothing_are_refused() -> None:
    slope = mp.Value(0.0)

    def cost(x: mp.Value, y: mp.Value) -> mp.Value:
        return mp.square(slope * x - y)

    data, sgd = ([1.0, 2.0], [2.0, 4.0]), mp.optim.SGD([slope])
    with pytest.raises(ValueError, match=r"fit\(threads=2, compile=False\): the engine works in one thread"):
        mp.fit(cost, data, sgd, threads=2, compile=False)
    with pytest.raises(ValueError, match=r"fit\(threads=2\): .* mp.compile takes threads="):
        mp.fit(mp.compile(cost, (), (), parameters=[slope]), data, sgd, threads=2)
    with pytest.raises(ValueError, match=r"fit\(threads=0\): expected a whole number of at least 1"):
        mp.fit(cost, data, sgd, threads=0)
