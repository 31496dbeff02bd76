"""A subclass of Value may say by itself what it equals: the package tells values apart by identity alone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort


class ByNumber(Value):
    """It equals every value with the same number."""

    def __eq__(self, other: object) -> Any:
        return isinstance(other, Value) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)


class Unhashable(Value):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return isinstance(other, Value) and self.data == other.data


class Touchy(Value):
    """Not to be compared at all, nor hashed."""

    def __eq__(self, other: object) -> Any:
        raise AssertionError("somebody asked what it equals")

    def __hash__(self) -> int:
        raise AssertionError("somebody asked for its hash")


def graph(kind: type[Value]) -> tuple[list[Value], Value]:
    """Leaves of the same number, each with another derivative; nodes made by hand of that class, too."""
    a, b, c = leaves = [kind(2.0, label=name) for name in "abc"]
    made = kind(4.0, (a, b), "made")
    made._backward = lambda: None
    cut = made.detach() + a * b
    return leaves, mp.where(cut, a * 3.0 + b * 5.0, c) * a + (c - b) + a.maximum(c)


def run_backward(kind: type[Value]) -> Any:
    leaves, y = graph(kind)
    hooks = [y.register_hook(lambda gradient: 2.0 * gradient), leaves[1].register_hook(lambda gradient: gradient + 1.0)]
    for _ in range(3):
        y.backward()
    for hook in hooks:
        hook.remove()
    y.backward()
    return [leaf.grad for leaf in leaves], len(toposort(y))


def run_derivatives(kind: type[Value]) -> Any:
    leaves, y = graph(kind)
    first = mp.gradient(y, leaves, create_graph=True)
    return mp.gradient(y, leaves), [g.data for g in first], mp.gradient(first[0], leaves), mp.gradient(y, [y])


def run_functions(kind: type[Value]) -> Any:
    def f(x: Any) -> Any:
        return x[0] * x[0] * x[1] + x[1]

    point = [kind(2.0), kind(2.0)]
    found = [mp.grad(f)(point), mp.jacobian(f)(point), mp.hessian(f)(point), mp.jvp(f)(point, [1.0, 0.0])]
    return str([[getattr(x, "data", x) for x in flat(each)] for each in found])


def flat(nest: Any) -> list[Any]:
    return [x for part in nest for x in flat(part)] if isinstance(nest, (list, tuple)) else [nest]


def run_pictures(kind: type[Value]) -> Any:
    leaves, y = graph(kind)
    return mp.draw(y, names={"y": y}).source, mp.draw(y, path_from=leaves[0], nearest=4, names={}).source


def run_words(kind: type[Value]) -> Any:
    _, y = graph(kind)
    leaves, plain = graph(kind)
    sympy = pytest.importorskip("sympy")
    return str(mp.formula(y)), mp.formula(y, wrt=y)._repr_latex_(), sympy.srepr(mp.to_sympy(plain, wrt=leaves[0]))


def run_steps(kind: type[Value]) -> Any:
    leaves, y = graph(kind)
    steps = mp.backprop(y)
    wrong = mp.backprop(y, order="depth-first").wrong
    accounts = [[(entry.path and len(entry.path), entry.contribution) for entry in steps.ledger(x)] for x in leaves]
    steps.apply()
    return list(map(str, steps)), len(wrong), accounts, [x.grad for x in leaves], len(steps.html())


def run_models(kind: type[Value]) -> Any:
    model = mp.MLP(2, [2, 1], activation="tanh", seed=1)
    for neuron in [neuron for layer in model.layers for neuron in layer.neurons]:
        neuron.w = [kind(0.5) for _ in neuron.w]
        neuron.b = kind(0.5)
    optimizer = mp.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (model([1.0, 2.0]) - 1.0).square().backward()
        optimizer.step()
    names = [name for name, _ in model.named_parameters()]
    return names, [p.data for p in model.parameters()], len(mp.draw(model([1.0, 2.0]), depth=1, names={}).source)


def run_copies(kind: type[Value]) -> Any:
    leaves, y = graph(kind)
    y = mp.tanh(leaves[0] * leaves[1]) + leaves[0]
    found = []
    ways: list[Callable[[Any], Any]] = [copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))]
    for again in ways:
        new, *others = again([y, *leaves])
        new.backward()
        found.append([(type(x) is kind, x.grad) for x in others])
    return found


def run_anomalies(kind: type[Value]) -> Any:
    x = kind(0.0)
    with mp.detect_anomaly(), pytest.raises(FloatingPointError) as error:
        (x.sqrt() + kind(0.0)).backward()
    return str(error.value)


def run_checks(kind: type[Value]) -> Any:
    return str(mp.check_grads(lambda x, y: x * x * y, [kind(2.0), kind(2.0)]))


RUNS = [run_backward, run_derivatives, run_functions, run_pictures, run_words, run_steps, run_models, run_copies]
RUNS += [run_anomalies, run_checks]


@pytest.mark.parametrize("kind", [ByNumber, Unhashable, Touchy])
@pytest.mark.parametrize("run", RUNS)
def test_it_is_a_value_like_any_other(run: Callable[[type[Value]], Any], kind: type[Value]) -> None:
    assert str(run(kind)).replace(kind.__name__, "Value") == str(run(Value))


def test_a_numpy_number_on_the_left_asks_too() -> None:
    np = pytest.importorskip("numpy")

    class Other(Value):
        def __mul__(self, other: Any) -> Any:
            return Other(10.0 * self.data * float(other), (self,), "*")

        def __add__(self, other: Any) -> Any:
            return Other(100.0 + self.data, (self,), "+")

    a = Other(2.0)
    for three in (3, np.float64(3.0), np.float32(3.0), np.int64(3), np.array(3.0)):
        assert [each.data for each in (three * a, three + a, three - a)] == [60.0, 102.0, 80.0]
        assert type(three * a) is Other
    assert [each.data for each in np.array([3.0, 1.0]) * a] == [60.0, 20.0]


def test_a_leaf_with_a_rule_of_its_own_is_a_leaf() -> None:
    """Whoever logs each rule wraps those of leaves, too: their gradients add up from pass to pass, as in micrograd."""
    called: list[float] = []
    a = Value(2.0)
    usual = a._backward

    def logged() -> None:
        called.append(a.grad)
        usual()

    a._backward = logged
    assert a._op == ""
    (a * 3 + a).backward()
    (a * 5).backward()
    assert (a.grad, called) == (9.0, [4.0, 5.0])
