"""Copies and pickles keep structure, data, gradients and labels, and what was shared stays shared."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.copying import _holders
from micrograd_plus.engine import TABLE, toposort

DEEP = 1_000_000


def pickled(item: Any) -> Any:
    return pickle.loads(pickle.dumps(item))


def pickled_by_python(item: Any) -> Any:
    """By the pickler written in Python, which saves in another order than the one written in C."""
    stream = io.BytesIO()
    pickle._Pickler(stream).dump(item)
    return pickle.loads(stream.getvalue())


WAYS = pytest.mark.parametrize("again", [copy.deepcopy, pickled, pickled_by_python])


def graph() -> tuple[Value, Value, Value]:
    x = Value(2.0, label="x")
    inner = mp.where(x, x * x, 3.0) + mp.clamp(x, 0, 1)
    inner.label = "inner"
    return x, inner, inner.tanh() * x


@WAYS
def test_a_copy_has_the_same_structure_and_runs_backward(again: Callable[[Any], Any]) -> None:
    x, _, y = graph()
    y.backward()
    copied = again(y)
    old, new = toposort(y), toposort(copied)
    assert [(n.data, n.grad, n.label, n.op, len(n.args)) for n in new] == [
        (n.data, n.grad, n.label, n.op, len(n.args)) for n in old
    ]
    assert not set(old) & set(new)
    copied.backward()
    assert new[0].grad == pytest.approx(2 * x.grad, rel=1e-14)


@WAYS
def test_values_taken_together_share_what_they_shared(again: Callable[[Any], Any]) -> None:
    x, inner, y = graph()
    z = inner + x  # a second root over the same nodes
    for one, two, three, four in (again([y, z, inner, x]), reversed(again([x, inner, z, y]))):
        assert three in toposort(one)
        assert two.args == (three, four)
        assert [node for node in toposort(two) if not node.args] == [four]


@WAYS
def test_a_model_keeps_its_parameters_and_its_loss(again: Callable[[Any], Any]) -> None:
    model = mp.MLP(2, [3, 1], activation="tanh", seed=1)
    loss = model([1.0, 2.0])
    copied_loss, copied = again((loss, model))
    copied_loss.backward()
    assert [p.data for p in copied.parameters()] == [p.data for p in model.parameters()]
    assert all(p.grad != 0.0 for p in copied.layers[1].parameters())
    assert copied([1.0, 2.0]).data == loss.data


@pytest.mark.parametrize("again", [copy.deepcopy, pickled])
def test_a_chain_of_a_million_nodes(again: Callable[[Any], Any]) -> None:
    x = Value(1.0)
    y = x
    for _ in range(DEEP):
        y = y + x
    copied = again(y)
    copied.backward()
    assert (copied.data, toposort(copied)[0].grad, x.grad) == (DEEP + 1.0, DEEP + 1.0, 0.0)


def test_many_values_of_one_long_chain_pickle_in_either_order() -> None:
    chain = [Value(1.0)]
    for _ in range(20_000):
        chain.append(chain[-1] * 1.0)
    for order in (chain, chain[::-1]):
        new = pickled(order)
        assert all(len(toposort(new[i])) == len(toposort(order[i])) for i in (0, 100, 19_999))
    assert not _holders


def test_copy_shares_the_arguments() -> None:
    x, _, y = graph()
    again = copy.copy(y)
    assert again is not y
    assert again.args == y.args
    assert copy.copy(x).label == "x"


class Weight(Value):
    def __init__(self, data: float, group: list[str]) -> None:
        super().__init__(data)
        self.group = group


@WAYS
def test_a_subclass_keeps_its_class_and_attributes(again: Callable[[Any], Any]) -> None:
    weight = Weight(1.5, ["decay"])
    product = again(weight * 2)
    new = product.args[0]
    assert (type(new), new.group, new.data) == (Weight, ["decay"], 1.5)
    assert new.group is not weight.group


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])
def test_a_hand_made_rule_is_refused_by_its_label(way: Callable[[Any], Any]) -> None:
    x = Value(1.0)
    out = Value(2.0, (x,), "triple", label="o")
    assert way(out).op is not TABLE.get("triple")  # without a rule it is just a node
    out._backward = lambda: None
    root = out if way is copy.copy else out * 2
    with pytest.raises(TypeError, match=r"labelled 'o'.*rule of this 'triple' was set by hand"):
        way(root)


def test_a_pickle_with_an_operation_nobody_knows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(1.0)
    written = pickle.dumps(x.tanh())
    monkeypatch.delitem(TABLE, "tanh")
    with pytest.raises(ValueError, match="unknown operation 'tanh'; import the module"):
        pickle.loads(written)
