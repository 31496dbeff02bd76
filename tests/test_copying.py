"""Copies and pickles keep structure, data, gradients and labels, and what was shared stays shared."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.pickling import _here
from micrograd_plus.engine.walking import toposort
from micrograd_plus.ops.rows import FUNCTIONS

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
    assert not _here.holders


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


@WAYS
def test_what_a_node_holds_may_lead_back_to_it_and_to_what_was_made_from_it(again: Callable[[Any], Any]) -> None:
    x: Any = Value(2.0)
    y: Any = x * 3.0
    z: Any = y * x
    x.users, y.users, z.itself = [y, z], {"z": z}, z
    for new in (again(x), again(y).args[0], again(z).args[1], again([z, x])[1]):
        first, last = new.users
        assert first.args == (new, 3.0)
        assert last.args == (first, new)
        assert first.users["z"] is last.itself is last
        last.backward()
        assert new.grad == 12.0


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled])
def test_a_hand_made_rule_is_refused_by_its_label(way: Callable[[Any], Any]) -> None:
    x = Value(1.0)
    out = Value(2.0, (x,), "triple", label="o")
    assert way(out).op is not TABLE.get("triple")  # without a rule it is just a node
    out._backward = lambda: None
    root = out if way is copy.copy else out * 2
    with pytest.raises(TypeError) as caught:
        way(root)
    assert str(caught.value) == (
        f"{out!r} labelled 'o': the rule of this 'triple' was set by hand (its _backward), and a function that "
        "captures other nodes can't be copied or pickled; copy what it was made from, or detach() it"
    )


def test_a_leaf_with_a_rule_is_refused_as_hand_made() -> None:
    leaf = Value(2.0)
    leaf._backward = lambda: None
    with pytest.raises(
        TypeError, match=r"^Value\(data=2\.0, grad=0\.0\): the rule of this 'hand-made' was set by hand"
    ):
        copy.copy(leaf)


SCALED = """
def scaled(factor, unused=None):
    return mp.primitive("scaled", lambda x: factor * x, lambda out, x: factor)
"""


@pytest.fixture
def scaled() -> Iterator[Callable[..., Any]]:
    names: dict[str, Any] = {"mp": mp}
    exec(SCALED, names)

    def again(factor: float, code: str = SCALED) -> Any:
        exec(code, names)  # as a cell that is run again
        return names["scaled"](factor)

    yield again
    TABLE.pop("scaled", None)
    FUNCTIONS.pop("scaled", None)
    delattr(Value, "scaled")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_a_copy_keeps_the_rule_it_was_made_by(again: Callable[[Any], Any], scaled: Callable[..., Any]) -> None:
    """Whatever has become of its name since."""
    y = scaled(2.0)(Value(1.0))
    scaled(3.0)
    y = again(again(y))
    y.backward()
    assert y.args[0].grad == 2.0
    assert mp.gradient(y, [y.args[0]]) == [2.0]


def test_a_pickle_refuses_a_rule_that_its_name_no_longer_means(scaled: Callable[..., Any]) -> None:
    function = scaled(2.0)
    y = function(Value(1.0)) * 5.0
    scaled(2.0)  # the cell run again: nothing has changed
    z = pickled(y)
    z.backward()
    assert z.args[0].args[0].grad == 10.0
    for otherwise in (scaled(3.0), scaled(2.0, SCALED.replace("factor * x", "factor + x"))):
        assert otherwise.op is not function.op
        for item in (y, function.op):
            with pytest.raises(TypeError) as caught:
                pickled(item)
            assert str(caught.value) == (
                "<operation scaled> was defined otherwise since, and pickle writes no more than its name: make the "
                "graph again; or copy it by copy.deepcopy, which keeps the rule"
            )


def test_a_pickle_takes_no_two_objects_for_the_same_by_what_they_look_like(scaled: Callable[..., Any]) -> None:
    class Factor:
        """One cannot see what it is."""

        def __init__(self, number: float) -> None:
            self.number = number

        def __repr__(self) -> str:
            return "Factor()"

        def __mul__(self, x: float) -> float:
            return self.number * x

    two: Any = Factor(2.0)
    y = scaled(two)(Value(1.0))
    scaled(two)
    assert pickled(y).data == 2.0
    scaled(Factor(3.0))
    with pytest.raises(TypeError, match=r"^<operation scaled> was defined otherwise since"):
        pickled(y)


def test_copies_and_pickles_in_threads_find_gradients_whole() -> None:
    """Never what a pass of another thread has summed up so far."""
    x = Value(1.0, label="x")
    y = x
    for _ in range(50):
        y = (y + x).tanh()
    x.grad = 1000.0
    y.backward()
    once = x.grad - 1000.0
    end, found, errors = threading.Event(), [], []

    def train() -> None:
        while not end.is_set():
            x.grad = 1000.0
            x.label = x.label + "x" if len(x.label) < 9 else "x"
            y.backward()

    def take() -> None:
        try:
            for _ in range(40):
                for again in (copy.deepcopy, pickled):
                    new = again([y, x])
                    found.append(new[1].grad)
                    assert new[1] in toposort(new[0])
                    assert len(toposort(new[0])) == 101
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    trainer, takers = threading.Thread(target=train), [threading.Thread(target=take) for _ in range(3)]
    for thread in (trainer, *takers):
        thread.start()
    for thread in takers:
        thread.join()
    end.set()
    trainer.join()
    sys.setswitchinterval(before)
    assert not errors
    assert len(found) == 240
    assert set(found) <= {1000.0, 1000.0 + once}


def test_a_pickle_with_an_operation_nobody_knows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Value(1.0)
    written = pickle.dumps(x.tanh())
    monkeypatch.delitem(TABLE, "tanh")
    with pytest.raises(
        ValueError, match=r"^unpickling: unknown operation 'tanh'; import the module that adds it to the table first$"
    ):
        pickle.loads(written)


RECURSIVE = """
def factorial(n):
    def times(n):
        return 1.0 if n <= 0 else n * times(n - 1)
    return mp.primitive("times_factorial", lambda x: times(n) * x, lambda out, x: times(n))
"""


def test_a_rule_that_calls_itself_may_be_defined_again() -> None:
    names: dict[str, Any] = {"mp": mp}
    exec(RECURSIVE, names)
    y = names["factorial"](3)(Value(2.0))
    exec(RECURSIVE, names)
    names["factorial"](3)
    try:
        with pytest.raises(
            TypeError,
            match=r"^<operation times_factorial> was defined otherwise since, .*make the graph again; or copy it by",
        ):  # how deep it looks has an end
            pickle.dumps(y)
    finally:
        del TABLE["times_factorial"], FUNCTIONS["times_factorial"]
        delattr(Value, "times_factorial")


class Named(Value):
    """A subclass that keeps an attribute in a slot."""

    __slots__ = ("name",)

    def __init__(self, data: float, name: str) -> None:
        super().__init__(data)
        self.name = name


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickled], ids=["copy", "deepcopy", "pickle"])
def test_what_a_subclass_keeps_in_slots_is_kept(way: Any) -> None:
    value = Named(2.0, "w")
    value.colour = "red"  # type: ignore[attr-defined]
    again = way(value)
    assert (type(again), again.data, again.name, again.colour) == (Named, 2.0, "w", "red")
    assert way(Named(2.0, "w") * 3.0).data == 6.0


def test_a_copy_shares_its_operation() -> None:
    assert copy.deepcopy([TABLE["exp"]]) == [TABLE["exp"]]
