"""detect_anomaly names the first operation that went wrong, forward or backward, and costs nothing when it is off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus.engine import recording
from micrograd_plus.engine.value import Value


def test_the_first_value_that_is_not_finite_is_named_with_its_inputs_and_its_line() -> None:
    x, b = Value(0.0, label="x"), Value(3.0, label="b")
    says = r"^log\(x=0\.0\) gave -inf, in `mp\.log\(x\) \+ b` \(test_anomalies\.py, line \d+\)$"
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match=says):
        mp.log(x) + b


def test_constants_and_nodes_without_a_label_are_shown_by_their_numbers() -> None:
    x = Value(0.0)
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match=r"^div\(1\.0, 0\.0\) gave inf, in `1 / x`"):
        1 / x


@pytest.mark.parametrize("second", [False, True])
def test_the_first_gradient_that_is_not_finite_is_named_with_the_line_that_made_the_node(second: bool) -> None:
    x = Value(0.0, label="x")
    says = (
        r"^backward: sqrt\(x=0\.0\) passed the gradient inf to x=0\.0, from its own 3\.0; "
        r"sqrt was made in `y = mp\.sqrt\(x\) \* 3` \(test_anomalies\.py, line \d+\)$"
    )
    with mp.detect_anomaly():
        y = mp.sqrt(x) * 3
        with pytest.raises(FloatingPointError, match=says):
            mp.gradient(y, [x], create_graph=True) if second else y.backward()


@pytest.mark.parametrize("graph", [False, True])
def test_a_branch_that_was_not_taken_is_named_only_where_that_is_asked_for(graph: bool) -> None:
    x, w = Value(0.0, label="x"), Value(1.0, label="w")

    def slopes() -> list[float]:
        y = mp.where(x > 0.0, mp.sqrt(x) * w, w * 2.0) + mp.exp(w)
        return [float(slope) for slope in mp.gradient(y, [x, w], create_graph=graph)]

    with mp.detect_anomaly():
        assert slopes() == [0.0, 2.0 + mp.exp(1.0)]
    says = (
        r"^backward: sqrt\(x=0\.0\) lies in a branch that was not taken; its derivative by x=0\.0 is inf there; sqrt "
    )
    with mp.detect_anomaly(unreached=True), pytest.raises(FloatingPointError, match=says):
        slopes()


def test_a_gradient_of_plain_numbers_is_watched_too() -> None:
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match=r"sqrt\(0\.0\) passed the gradient inf"):
        mp.grad(mp.sqrt)(0.0)


def test_a_node_from_before_the_block_has_no_line() -> None:
    y = mp.sqrt(Value(0.0))
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match="a line outside of detect_anomaly"):
        y.backward()


def test_leaves_stay_as_they_were_after_the_error() -> None:
    x = Value(0.0)
    x.grad = 5.0
    y = mp.sqrt(x)
    with mp.detect_anomaly(), pytest.raises(FloatingPointError):
        y.backward()
    z = Value(2.0)
    (z * z).backward()
    assert z.grad == 4.0


def test_what_is_masked_is_no_anomaly() -> None:
    x = Value(-1.0)
    with mp.detect_anomaly():
        (mp.relu(x) + mp.where(x > 0.0, 5.0, x)).backward()
    assert x.grad == 1.0


def test_off_nothing_is_watched_and_after_the_block_it_is_off() -> None:
    with pytest.raises(ZeroDivisionError), mp.detect_anomaly():
        raise ZeroDivisionError
    assert recording.open_blocks == []
    assert mp.log(Value(0.0)).data == -inf
    x = Value(0.0)
    mp.sqrt(x).backward()
    assert x.grad == inf


@pytest.mark.parametrize(
    "ask",
    [
        lambda f: mp.jvp(f)(0.0, 1.0),
        lambda f: mp.jvp(f)(Value(0.0), 1.0),
        lambda f: mp.jacobian(lambda x: [f(x), x])(0.0),
        lambda f: mp.jacobian(f, mode="forward")(0.0),
    ],
)
def test_a_change_that_is_not_finite_is_reported_going_forward_too(ask: Callable[[Any], Any]) -> None:
    says = r"^forward: sqrt\(0\.0\) changes by inf in this direction; sqrt was made in `ask.*` \(test_anomalies"
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match=says):
        ask(lambda x: 2.0 * mp.sqrt(x))


def test_a_product_with_the_hessian_is_watched() -> None:
    with mp.detect_anomaly(), pytest.raises(FloatingPointError, match=r"^forward: pow\(0\.0, 0\.5\) changes by inf"):
        mp.hvp(lambda x: x**1.5)(0.0, 1.0)


def test_it_decorates_and_works_beside_no_grad() -> None:
    @mp.detect_anomaly()
    def step(x: float) -> float:
        with mp.no_grad():
            return float(mp.log(Value(x)))

    assert step(1.0) == 0.0
    with pytest.raises(FloatingPointError, match=r"log\(-1\.0\) gave nan, in `return float"):
        step(-1.0)


def test_other_threads_are_not_watched() -> None:
    got = []
    with mp.detect_anomaly():
        thread = threading.Thread(target=lambda: got.append(mp.log(Value(-1.0)).data))
        thread.start()
        thread.join()
    assert len(got) == 1
    assert got[0] != got[0]


def test_a_whole_training_step_in_it_gives_the_same_gradients() -> None:
    model = mp.MLP(2, [4, 1], seed=1, activation="tanh")

    def gradients() -> list[float]:
        model.zero_grad()
        (model([0.5, -1.0]) - 2.0).square().backward()
        return [parameter.grad for parameter in model.parameters()]

    plain = gradients()
    with mp.detect_anomaly():
        assert gradients() == plain
    assert nan not in plain
