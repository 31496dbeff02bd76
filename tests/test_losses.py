"""Losses against PyTorch, mpmath and their definitions; stable at ±1000."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf, isfinite, isnan, nan
from typing import Any

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value, losses

outputs = st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 1)), min_size=1, max_size=5)
wrong: Any = losses  # the type checker would see some mistakes
large = st.lists(st.floats(-1000, 1000), min_size=2, max_size=5)


def values(data: list[float]) -> list[Value]:
    return [Value(x) for x in data]


EVERY = list(losses.LOSSES)
TARGETS: dict[losses.Target, st.SearchStrategy[float]] = {
    "number": st.floats(-50, 50), "sign": st.sampled_from([-1.0, 1.0]), "probability": st.floats(0, 1)
}  # fmt: skip
over_every_loss = pytest.mark.parametrize("name", EVERY)


@st.composite
def examples(draw: st.DrawFn, name: str) -> tuple[list[float], Any]:
    """Outputs that a loss takes, and a target for them."""
    _, target, (low, high) = losses.LOSSES[name]
    margin = 0.01 if high == 1.0 else 0.0  # nearer to 0 and 1 a derivative is too large to be compared with
    within = st.floats(max(low, -50.0) + margin, min(high, 50.0) - margin)
    outputs = draw(st.lists(within, min_size=2, max_size=3))
    if target == "class":
        return outputs, draw(st.integers(0, len(outputs) - 1))
    return outputs, [draw(TARGETS[target]) for _ in outputs]


@over_every_loss
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_derivative_is_that_of_finite_differences(name: str, data: st.DataObject) -> None:
    loss = losses.LOSSES[name].function
    outputs, target = data.draw(examples(name))
    assert mp.check_grads(lambda p: loss(p, target), (outputs,)).agreed > 0


@over_every_loss
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_loss_is_the_same_compiled(name: str, data: st.DataObject) -> None:
    loss = losses.LOSSES[name].function
    outputs, target = data.draw(examples(name))
    leaves = values(outputs)
    loss(leaves, target).backward()
    moves = values([0.0] * len(outputs))  # by which the gradient is that by the outputs
    shape = () if isinstance(target, int) else len(target)
    program = mp.compile(lambda x, y: loss([a + w for a, w in zip(x, moves)], y), x=len(outputs), y=shape)
    value, gradient = program.value_and_grad([outputs], [target])
    scale = 1.0 + max(map(abs, outputs))
    assert value == pytest.approx(loss(outputs, target), rel=1e-12, abs=1e-14 * scale)
    assert gradient.tolist() == pytest.approx([v.grad for v in leaves], rel=1e-9, abs=1e-14 * scale)


def pytorchs(torch: Any, name: str) -> Callable[..., Any]:
    """PyTorch's own loss, by our name or by another; or what it is in its functions."""
    functional = torch.nn.functional
    elsewhere = {
        "squared_error": lambda x, t: functional.mse_loss(x, t, reduction="sum"),
        "mean_squared_error": functional.mse_loss,
        "hinge": lambda x, t: torch.relu(1 - t * x).mean(),
    }
    found = elsewhere.get(name) or getattr(functional, name, None) or getattr(functional, f"{name}_loss", None)
    if found is None:
        pytest.skip(f"PyTorch has no {name}")
    theirs: Callable[..., Any] = found
    return theirs


def assert_pytorchs(name: str, outputs: list[float], target: Any, **options: float) -> None:
    torch = pytest.importorskip("torch")
    leaves = values(outputs)
    tensor = torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
    right = torch.tensor(target, dtype=None if isinstance(target, int) else torch.float64)
    loss = losses.LOSSES[name].function(leaves, target, **options)
    expected = pytorchs(torch, name)(tensor, right, **options)
    loss.backward()
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), rel=1e-12, abs=1e-13)
    assert [v.grad for v in leaves] == pytest.approx(tensor.grad.tolist(), rel=1e-10, abs=1e-13)


@over_every_loss
@given(data=st.data())
def test_every_loss_is_pytorchs(name: str, data: st.DataObject) -> None:
    assert_pytorchs(name, *data.draw(examples(name)))


@given(outputs)
def test_cross_entropy_of_probabilities_is_pytorchs(pairs: list[tuple[float, float]]) -> None:
    total = sum([t for _, t in pairs]) or 1.0
    assert_pytorchs("cross_entropy", [x for x, _ in pairs], [t / total for _, t in pairs])


@given(data=st.data(), delta=st.floats(0.01, 100))
def test_huber_with_any_delta_is_pytorchs(data: st.DataObject, delta: float) -> None:
    assert_pytorchs("huber", *data.draw(examples("huber")), delta=delta)


def test_huber_has_no_edge_and_no_overflow() -> None:
    for difference in (0.0, 1.0, -1.0, 2.0, 1e200, -1e308):
        x = Value(difference)
        loss = losses.huber(x, 0.0)
        loss.backward()
        assert loss.data == (0.5 * difference**2 if abs(difference) <= 1.0 else abs(difference) - 0.5)
        assert x.grad == max(-1.0, min(difference, 1.0))
    assert losses.huber(3.0, 0.0, delta=inf) == 4.5


@given(large, st.data())
def test_cross_entropy_of_a_class_keeps_its_digits_at_any_size(data: list[float], draw: st.DataObject) -> None:
    right = draw.draw(st.integers(0, len(data) - 1))
    with mpmath.workdps(900):
        rest = mpmath.fsum(
            mpmath.exp(mpmath.mpf(x) - mpmath.mpf(data[right])) for i, x in enumerate(data) if i != right
        )
        expected = float(mpmath.log1p(rest))
    one_hot = [float(i == right) for i in range(len(data))]
    for target in (right, one_hot):
        leaves = values(data)
        loss = losses.cross_entropy(leaves, target)
        assert loss.data == pytest.approx(expected, rel=1e-12, abs=1e-300)
        loss.backward()
        wanted = [p - t for p, t in zip(mp.softmax(data), one_hot)]
        assert [v.grad for v in leaves] == pytest.approx(wanted, rel=1e-9, abs=1e-15)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5))
def test_binary_cross_entropy_takes_what_pytorchs_takes(pairs: list[tuple[float, float]]) -> None:
    torch = pytest.importorskip("torch")
    data, target = [p for p, _ in pairs], [t for _, t in pairs]
    leaves = values(data)
    tensor = torch.tensor(data, dtype=torch.float64, requires_grad=True)
    out = losses.binary_cross_entropy(leaves, target)
    expected = torch.nn.functional.binary_cross_entropy(tensor, torch.tensor(target, dtype=torch.float64))
    assert out.data == pytest.approx(expected.item(), rel=1e-12, abs=1e-300)
    assert losses.binary_cross_entropy(data, target) == out.data
    out.backward()
    expected.backward()
    for leaf, theirs in zip(leaves, tensor.grad.tolist()):
        if leaf.data * (1.0 - leaf.data) > 1e-12:  # nearer to 0 and 1 PyTorch divides by 1e-12 instead
            assert leaf.grad == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("p", [0.0, 1e-50, 1e-13, 0.5, 1.0 - 2**-53, 1.0])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_is_finite_at_0_and_1(p: float, t: float) -> None:
    assert isfinite(losses.binary_cross_entropy(p, t))
    assert losses.binary_cross_entropy(p, t) <= 100.0
    program = mp.compile(losses.binary_cross_entropy, x=(), y=())
    assert program([p], [t]) == pytest.approx(losses.binary_cross_entropy(p, t), rel=1e-12)


def test_a_network_learns_xor_by_probabilities() -> None:
    model = mp.MLP(2, [4, 1], activation="tanh", output="sigmoid", seed=2)
    optimizer = mp.optim.Adam(model.parameters(), lr=0.1)
    data = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    history = mp.fit(
        lambda x, y: losses.binary_cross_entropy(model(x), y), data, optimizer, epochs=300, progress=False, seed=1
    )
    assert history[-1].loss < 0.01


LOGITS: list[tuple[Callable[..., Any], Callable[[list[Value]], Any], Any]] = [
    (losses.binary_cross_entropy_with_logits, lambda x: [mp.sigmoid(v) for v in x], [0.0, 1.0, 0.5]),
    (losses.binary_cross_entropy_with_logits, lambda x: x[0].sigmoid(), 1.0),
    (losses.cross_entropy, mp.softmax, 1),
    (losses.cross_entropy, lambda x: [v.exp() / sum([v.exp() for v in x]) for v in x], 0),
    (losses.cross_entropy, mp.softmax, [0.5, 0.25, 0.25]),
    (losses.cross_entropy, lambda x: [mp.sigmoid(v) for v in x], 1),
]


@pytest.mark.parametrize(("loss", "made", "target"), LOGITS)
def test_a_loss_of_logits_warns_where_it_is_given_probabilities(
    loss: Callable[..., Any], made: Callable[[list[Value]], Any], target: Any
) -> None:
    x = values([0.5, -1.0, 2.0])
    with pytest.warns(UserWarning, match="takes logits and was given the output of a") as told:
        loss(made(x), target)
    assert {warning.filename for warning in told} == {__file__}
    with pytest.warns(UserWarning, match="takes logits"):
        mp.compile(lambda x: loss(made(x), target), x=3)
    with warnings.catch_warnings(record=True) as once:
        warnings.simplefilter("default")
        for _ in range(3):
            loss(made(x), target)
    assert len(once) == 1


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_a_loss_of_logits_says_nothing_about_what_only_looks_like_probabilities(data: list[float]) -> None:
    x = values(data)
    total = x[0].exp() + x[1].exp()
    for logits in (mp.log_softmax(x), [v / total for v in x], [v.exp() / total for v in x], [v.exp() for v in x]):
        losses.cross_entropy(logits, 1)  # a warning would be an error
    losses.binary_cross_entropy_with_logits([mp.sigmoid(x[0]) * 2.0, x[1].tanh()], [0.0, 1.0])
    losses.cross_entropy(data, 1)


def test_exponentials_that_overflow_together_are_no_softmax() -> None:
    assert losses.cross_entropy([mp.exp(Value(709.0)) / 0.6] * 2, 1).data == pytest.approx(0.6931471805599453)
    assert losses.cross_entropy([mp.exp(Value(0.0)) / 0.0, mp.exp(Value(0.0)) / -0.0], 0).data == 0.0


@given(st.floats(-1000, 1000), st.sampled_from([0.0, 1.0]))
def test_binary_cross_entropy_with_logits_keeps_its_digits_at_any_size(x: float, target: float) -> None:
    with mpmath.workdps(900):
        expected = float(mpmath.log1p(mpmath.exp(mpmath.mpf(x) * (1 if target == 0.0 else -1))))
    assert losses.binary_cross_entropy_with_logits(x, target) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_squared_error_sums_over_outputs_as_3blue1brown_does() -> None:
    assert losses.squared_error([0.5, 0.0, 1.0], [0.0, 0.0, 0.0]) == 1.25
    assert losses.squared_error(Value(3.0), 1.0).data == 4.0


def test_hinge_is_micrograds() -> None:
    scores, targets = values([0.5, -2.0, 3.0]), [1, -1, -1]
    expected = sum((1 + -t * s.data if 1 + -t * s.data > 0 else 0.0) for s, t in zip(scores, targets)) / 3
    assert losses.hinge(scores, targets).data == pytest.approx(expected, rel=1e-15)


def test_targets_may_be_values() -> None:
    target = values([0.25, 0.75])
    losses.cross_entropy([1.0, 2.0], target).backward()
    assert [t.grad for t in target] == pytest.approx([-x for x in mp.log_softmax([1.0, 2.0])])
    assert losses.hinge(1.0, Value(0.5)).data == 0.5


@given(large, st.data())
def test_a_class_may_be_a_value_and_compiled(data: list[float], draw: st.DataObject) -> None:
    right = draw.draw(st.integers(0, len(data) - 1))
    leaves, others = values(data), values(data)
    expected, loss = losses.cross_entropy(leaves, right), losses.cross_entropy(others, Value(right))
    expected.backward()
    loss.backward()
    scale = 1.0 + max(map(abs, data))
    assert loss.data == pytest.approx(expected.data, rel=1e-12, abs=1e-14 * scale)
    assert [v.grad for v in others] == pytest.approx([v.grad for v in leaves], rel=1e-9, abs=1e-14)
    program = mp.compile(losses.cross_entropy, x=len(data), y=())
    assert program([data], [right]) == pytest.approx(expected.data, rel=1e-12, abs=1e-14 * scale)


@pytest.mark.parametrize("target", [2, -1, 0.5])
def test_a_value_that_is_no_class_has_no_loss(target: float) -> None:
    assert isnan(losses.cross_entropy([0.0, 1.0], Value(target)).data)
    program = mp.compile(losses.cross_entropy, x=2, y=())
    assert isnan(program([[0.0, 1.0]], [target]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: losses.squared_error([1.0, 2.0], [1.0]), ValueError, "squared_error: 2 outputs and 1 targets"),
        (lambda: losses.mean_squared_error([], []), ValueError, "mean_squared_error: got an empty list"),
        (lambda: losses.huber(0.5, 0.0, delta=0), ValueError, "huber: delta 0.0; expected a number above 0"),
        (lambda: losses.huber(0.5, 0.0, delta=nan), ValueError, "huber: delta nan; expected a number above 0"),
        (lambda: wrong.huber(0.5, 0.0, delta="a"), TypeError, "huber: delta = 'a': expected a real number"),
        (lambda: losses.hinge(0.5, 0), ValueError, "hinge: target 0; expected -1 or 1"),
        (lambda: losses.binary_cross_entropy(0.5, 2), ValueError, "target 2; expected a probability from 0 to 1"),
        (lambda: losses.binary_cross_entropy_with_logits(9, 2), ValueError, "target 2; expected a probability from 0"),
        (lambda: losses.binary_cross_entropy(1.5, 1), ValueError, "1.5.*there is binary_cross_entropy_with_logits"),
        (lambda: losses.binary_cross_entropy(Value(-2), 1), ValueError, "there is binary_cross_entropy_with_logits"),
        (lambda: losses.cross_entropy([0.0, 1.0], 2), ValueError, "target 2; expected a class from 0 to 1"),
        (lambda: losses.cross_entropy([0.0, 1.0], -1), ValueError, "target -1; expected a class from 0 to 1"),
        (lambda: losses.cross_entropy([0.0, 1.0], 0.5), TypeError, "target 0.5; expected the right class's index"),
        (lambda: losses.cross_entropy([0.0, 1.0], [1.0]), ValueError, "cross_entropy: 2 outputs and 1 targets"),
        (lambda: losses.squared_error([[1.0]], [[1.0]]), TypeError, "give one example at a time and average a batch"),
        (lambda: losses.squared_error("a", 1.0), TypeError, "squared_error"),
    ],
)
def test_bad_losses_are_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
