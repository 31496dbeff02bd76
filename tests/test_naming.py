"""Nodes are called what the user calls them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus.formulas.naming import under, users_names
from micrograd_plus.formulas.variables import callers_namespace


def called(root: mp.Value, **variables: Any) -> list[str]:
    return list(users_names(under([root]), variables).nodes.values())


def test_the_callers_variables() -> None:
    q = mp.Value(2.0)
    loss = q * q
    assert list(users_names(under([loss]), callers_namespace()).nodes.values()) == ["q", "loss"]


def test_variables_of_the_function_around_a_comprehension_or_a_lambda() -> None:
    outer = mp.Value(1.0)
    inside = [callers_namespace() for step in [1]][0]  # noqa: RUF015 - a comprehension is what is tried
    assert inside["outer"] is outer
    assert inside["step"] == 1
    assert (lambda y: callers_namespace())(3)["outer"] is outer


def test_locals_come_before_globals() -> None:
    called = users_names
    assert callers_namespace()["called"] is called
    assert callers_namespace()["mp"] is mp


def test_a_label_comes_first() -> None:
    x = mp.Value(1.0, label="speed")
    assert called(x * 2.0, x=x) == ["speed"]


def test_underscores_and_what_ipython_keeps_do_not_count() -> None:
    x = mp.Value(1.0)
    assert called(x * 2.0, _=x, _x=x, __x=x, Out={3: x}, In=[x]) == []
    assert called(x * 2.0, _=x, Out={3: x}, x=x) == ["x"]


def test_parameters_by_their_path_even_where_a_loop_left_them_in_a_variable() -> None:
    model = mp.MLP(2, [2, 1])
    out = model([1.0, 2.0])
    p = model.parameters()[-1]
    found = users_names(under([out]), {"p": p, "model": model, "out": out}).nodes
    assert {found[value] for value in model.parameters()} == {f"model.{name}" for name, _ in model.named_parameters()}
    assert found[out] == "out"


def test_a_model_that_no_variable_holds_is_known_by_its_neurons() -> None:
    out = mp.MLP(2, [2, 1])([1.0, 2.0])
    assert set(called(out)) == {f"neuron{i}.{part}" for i in (1, 2, 3) for part in ("w.0", "w.1", "b")}
    assert [name for name, _ in users_names(under([out]), {"neuron1": mp.Neuron(1)}).modules] == [
        "neuron1", "neuron2", "neuron3", "neuron4"
    ]  # fmt: skip


def test_places_in_lists_tuples_dicts_and_arrays() -> None:
    a, b, c, d, e = [mp.Value(float(i)) for i in range(5)]
    array = np.array([[0.0, d], [0.0, 0.0]], dtype=object)
    total = a + b + c + d + e
    shown = called(total, xs=[a, (0.0, b)], table={"k": c}, grid=array, deep=[[[e]]], models=[mp.Neuron(1)])
    assert shown == ["xs[0]", "xs[1][1]", "table['k']", "grid[0, 1]", "deep[0][0][0]"]


def test_what_the_object_holds_whose_method_draws() -> None:
    class Trainer:
        def __init__(self) -> None:
            self.model = mp.Neuron(1)
            self.rate = mp.Value(0.1)

        def names(self) -> set[str]:
            return set(users_names(under([self.model([2.0]) * self.rate]), callers_namespace()).nodes.values())

    assert Trainer().names() == {"self.model.w.0", "self.model.b", "self.rate"}


class PlainNeuron:
    """As a learner writes one, without any class of ours."""

    def __init__(self, nin: int) -> None:
        self.w = [mp.Value(0.5) for _ in range(nin)]
        self.b = mp.Value(0.0)
        self.parent: Any = None

    def __call__(self, xs: list[Any]) -> Any:
        return mp.tanh(sum([w * x for w, x in zip(self.w, xs)], self.b))


class PlainLayer:
    __slots__ = ("neurons", "unset")

    def __init__(self, nin: int, nout: int) -> None:
        self.neurons = [PlainNeuron(nin) for _ in range(nout)]


def test_what_plain_classes_hold_is_named_by_its_path() -> None:
    neuron = PlainNeuron(2)
    assert set(called(neuron([1.0, 2.0]), neuron=neuron)) == {"neuron.w[0]", "neuron.w[1]", "neuron.b"}
    layers = [PlainLayer(1, 2), PlainLayer(2, 1)]
    for layer in layers:
        for one in layer.neurons:
            one.parent = layer  # a cycle
    out = layers[1].neurons[0]([one([3.0]) for one in layers[0].neurons])
    names = set(called(out, net={"layers": layers}))
    assert {"net['layers'][0].neurons[1].w[0]", "net['layers'][1].neurons[0].w[1]"} < names


def test_no_code_of_an_object_runs_and_no_library_is_searched() -> None:
    class Loud:
        def __init__(self) -> None:
            self.inside = a

        def __getattribute__(self, name: str) -> Any:
            assert name == "__class__", "never ask"
            return Loud

        @property
        def computed(self) -> mp.Value:
            raise RuntimeError("never ask")

    a = mp.Value(1.0)
    assert called(a * 2.0, loud=Loud()) == ["loud.inside"]
    a.label = ""
    picture = mp.draw(a)
    picture.extra = a  # type: ignore[attr-defined]
    array: Any = np.ma.masked_array([1.0])
    array.extra = a
    assert called(a * 2.0, picture=picture, array=array) == []


def test_the_name_defined_first() -> None:
    a = mp.Value(1.0)
    assert called(a * 2.0, a=a, params=[a]) == ["a"]
    assert called(a * 2.0, params=[a], a=a) == ["params[0]"]


def test_a_list_that_holds_itself() -> None:
    a = mp.Value(1.0)
    ring: list[Any] = []
    ring += [ring, a]
    assert called(a * 2.0, ring=ring) == ["ring[1]"]


def test_large_variables_do_not_hide_small_ones() -> None:
    a = mp.Value(1.0)
    huge = [[0.0] * 100 for _ in range(20_000)]
    assert called(a * 2.0, images=huge, labels=list(range(200_000)), a=a) == ["a"]


def test_an_unhashable_or_strange_variable_is_no_trouble() -> None:
    class Strange:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("never ask")

        __hash__ = None  # type: ignore[assignment]

    a = mp.Value(1.0)
    assert called(a * 2.0, strange=Strange(), array=np.zeros(3), text="a", a=a) == ["a"]


@given(st.lists(st.sampled_from(["x", "x_2", "x_3", "y"]), min_size=1, max_size=8))
def test_no_two_nodes_are_called_alike(labels: list[str]) -> None:
    leaves = [mp.Value(1.0, label=label) for label in labels]
    given = users_names(under([sum(leaves, mp.Value(0.0))])).nodes
    assert len(set(given.values())) == len(leaves)
    assert {given[leaf] for leaf in leaves} >= set(labels)  # the first of each keeps its name


def test_a_lambda_that_the_package_calls_sees_its_own_variables() -> None:
    weight = mp.Value(3.0)
    seen: list[str] = []

    def note(text: str, value: mp.Value) -> mp.Value:
        seen.append(text)
        return value

    mp.grad(lambda z: note(str(mp.formula(z * weight)), z * weight))(2.0)
    assert seen == ["z * weight"]
