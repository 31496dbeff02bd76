"""The laws of Value: what design.md's table of meanings says, row by row."""

from __future__ import annotations

import copy
import functools
import gc
import math
import operator
import pickle
import re
import threading
import tracemalloc
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.engine.walking import toposort

DEEP = 1_000_000
numbers = st.floats(-1e3, 1e3)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# --------------------------------------------------------------------------------------------------- construction


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (-0.0, -0.0),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.bool_(True), 1.0),
        (Fraction(1, 4), 0.25),
        (Decimal("1.5"), 1.5),
        (HTTPStatus.OK, 200.0),  # a member of an enumeration, whose kind has a length
        (math.inf, math.inf),
        (np.array(2.0), 2.0),
        (np.array(-0.0, dtype=np.float32), -0.0),
    ],
)
def test_data_is_any_real_number_kept_as_a_float(data: Any, expected: float) -> None:
    value = Value(data)
    assert type(value.data) is float
    assert (value.data, math.copysign(1, value.data)) == (expected, math.copysign(1, expected))
    assert type(value.grad) is float
    assert (value.grad, value.args, value.op, value.label) == (0.0, (), None, "")


@pytest.mark.parametrize(
    "data",
    [
        *("3", b"3", np.str_("3"), 1j, np.complex128(1), np.complex64(1), None, float, object(), Value(1.0)),
        *([1.0], (1.0,), {}, np.array([1.0]), np.array("1"), np.datetime64("2020-01-01")),
    ],
)
def test_anything_else_is_refused_by_its_type_and_value(data: Any) -> None:
    with pytest.raises(TypeError) as error:
        Value(data)
    assert type(data).__name__ in str(error.value)
    assert repr(data)[:8] in str(error.value)


def test_a_number_beyond_floats_is_refused() -> None:
    x, large = Value(1.0), 10**400
    for quoted, use in ((r"Value\(1000*\.+0+\)", Value), (r"Value \+ 1000*\.+0+", x.__add__)):
        with pytest.raises(OverflowError, match=f"^{quoted}: expected a number that fits a float$"):
            use(large)


def test_what_says_it_is_a_float_and_gives_none_is_refused() -> None:
    class Odd:
        def __float__(self) -> Any:
            return "3.0"

        def __repr__(self) -> str:
            return "Odd()"

    with pytest.raises(TypeError, match=r"^Value\(Odd\(\)\): expected a real number, got Odd$"):
        Value(Odd())


def test_written_data_and_grad_stay_floats() -> None:
    x = Value(1.0)
    x.data, x.grad = 3, 0  # as micrograd's zero_grad writes it
    assert (type(x.data), type(x.grad)) == (float, float)
    with pytest.raises(TypeError, match=r"^Value\('3'\): expected a real number, got str$"):
        Value("3")  # type: ignore[arg-type]  # as users do
    with pytest.raises(TypeError, match=r"^Value\.data = '4': expected a real number, got str$"):
        x.data = "4"  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^Value\.grad = 'no': expected a real number, got str$"):
        x.grad = "no"  # type: ignore[assignment]
    x.grad = 5.0
    x.grad = None  # as PyTorch's zero_grad writes it
    assert (x.data, x.grad) == (3.0, 0.0)
    with pytest.raises(TypeError, match=r"^Value\.label = 3: expected a string, got int$"):
        x.label = 3  # type: ignore[assignment]


# ------------------------------------------------------------------------------------------------ micrograd's ways


def test_micrograds_readme_prints_its_numbers() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert (f"{a.grad:.4f}", f"{b.grad:.4f}") == ("138.8338", "645.5773")


def test_prev_and_op_answer_as_in_micrograd() -> None:
    x, y = Value(2.0), Value(3.0)
    made = [x + y, x * y, x**2, x**0.5, x.relu(), x.tanh(), x.exp(), x - y, 2**x, x]
    assert [node._op for node in made] == ["+", "*", "**2", "**0.5", "ReLU", "tanh", "exp", "sub", "pow", ""]
    assert (x * y)._prev == {x, y}
    assert (x * x)._prev == {x}
    assert (x * x).args == (x, x)
    assert (2 * x).args == (2.0, x)
    assert x.clamp(0, 1).args == (x, 0.0, 1.0)
    assert x.clamp(0, 1)._prev == x.leaky_relu(0.1)._prev == {x}  # options are no children


@pytest.mark.parametrize(
    ("make", "children"),
    [
        (lambda x: x - 5.0, {(3.0, 1.0), (5.0, -1.0)}),
        (lambda x: 5.0 - x, {(5.0, 1.0), (3.0, -1.0)}),
        (lambda x: x / 2.0, {(3.0, 0.5), (2.0, -0.75)}),
        (lambda x: x.maximum(5.0), {(3.0, 0.0), (5.0, 1.0)}),
        (lambda x: x.maximum(2.0), {(3.0, 1.0), (2.0, 0.0)}),
        (lambda x: mp.where(0.0, x, 4.0), {(0.0, 0.0), (3.0, 0.0), (4.0, 1.0)}),
        (lambda x: mp.where(x, 1.0, 4.0), {(3.0, 0.0), (1.0, 1.0), (4.0, 0.0)}),
        (lambda x: x**2, {(3.0, 6.0)}),
        (lambda x: mp.pow(2.0, x), {(3.0, 8.0 * math.log(2.0)), (2.0, 12.0)}),
        (lambda x: mp.leaky_relu(x), {(3.0, 1.0)}),  # options are part of its name
    ],
)
def test_the_children_of_a_node_get_its_partials_and_constants_are_among_them(
    make: Callable[[Value], Value], children: set[tuple[float, float]]
) -> None:
    y = make(Value(3.0))
    y.backward()
    assert {(child.data, child.grad) for child in y._prev} == children


def test_backward_of_one_node_applies_its_own_rule_once() -> None:
    x, y = Value(2.0), Value(3.0)
    out = (x + 1) * y
    out.grad = 1.0
    out._backward()
    assert (out.args[0].grad, y.grad, x.grad) == (3.0, 3.0, 0.0)  # type: ignore[union-attr]
    x._backward()  # a leaf has no rule
    assert x.grad == 0.0


def _tanh_by_hand(x: Value) -> Value:
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


@pytest.mark.usefixtures("no_collector")
def test_a_hand_made_node_takes_part_in_backward_and_leaks_nothing() -> None:
    x = Value(0.5)
    y = _tanh_by_hand(x * 3) * 2
    for times in (1, 2):
        y.backward()
        assert x.grad == pytest.approx(times * 6 * (1 - math.tanh(1.5) ** 2))
    inner = y.args[0]
    assert isinstance(inner, Value)
    assert inner._op == "tanh"
    gone = weakref.ref(inner)
    del y, inner
    assert gone() is None


def test_a_rule_that_raises_does_so_and_holds_nothing_back() -> None:
    x = Value(1.0)
    out = Value(1.0, (x,), "odd")

    def rule() -> None:
        raise ZeroDivisionError(out.data)

    out._backward = rule
    x.grad = 5.0
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            out.backward()
    assert x.grad == 5.0
    gone = weakref.ref(out)
    out = Value(0.0)
    assert gone() is None


def test_methods_may_be_added_and_value_subclassed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "double", lambda self: self * 2, raising=False)

    class Named(Value):
        def shout(self) -> str:
            return self.label.upper()

    x = Named(3.0, label="x")
    y = x.double() + 1  # type: ignore[attr-defined]
    y.backward()
    assert (y.data, x.grad, x.shout()) == (7.0, 2.0, "X")
    assert repr(x) == "Named(data=3.0, grad=2.0, label='x')"


# ------------------------------------------------------------------------ micrograd's ways, side by side with micrograd

EXPRESSIONS: list[Callable[..., Any]] = [
    lambda kind, a, b: (a * b + b**3).relu(),
    lambda kind, a, b: 2 * a + 1,
    lambda kind, a, b: (1 + a) * (b + 3),
    lambda kind, a, b: sum([a, b, a]) * 0.5,
    lambda kind, a, b: a * a * -3 + a**2,
    lambda kind, a, b: kind(3.0) * a + kind(1.0),
]


def walked(root: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The nodes and the edges as a course's `trace` finds them: in sets, by `_prev`."""
    nodes, edges = set(), set()

    def build(v: Any) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return list(nodes), list(edges)


def boxes(nodes: list[Any]) -> list[str]:
    return sorted(f"{v._op} | data {v.data:.4f} | grad {v.grad:.4f}" for v in nodes)


@pytest.mark.parametrize("make", EXPRESSIONS)
def test_a_walker_finds_micrograds_boxes_and_its_gradients(make: Callable[..., Any]) -> None:
    theirs = pytest.importorskip("micrograd.engine")
    found: list[Any] = []
    for kind in (theirs.Value, Value):
        root = make(kind, kind(2.0), kind(-3.0))
        root.backward()
        nodes, edges = walked(root)
        assert set(walked(root)[0]) == set(nodes)  # the same boxes again
        found.append((boxes(nodes), len(edges)))
    assert found[0] == found[1]


@pytest.mark.parametrize("make", EXPRESSIONS)
def test_a_pass_by_hand_gives_micrograds_gradients(make: Callable[..., Any]) -> None:
    theirs = pytest.importorskip("micrograd.engine")
    found: list[Any] = []
    for kind in (theirs.Value, Value):
        leaves = kind(2.0), kind(-3.0)
        root = make(kind, *leaves)
        order: list[Any] = []

        def build(v: Any, order: list[Any] = order) -> None:
            if v not in order:
                for child in v._prev:
                    build(child)
                order.append(v)

        build(root)
        root.grad = 1.0
        for v in reversed(order):
            v._backward()
        found.append(([leaf.grad for leaf in leaves], boxes(walked(root)[0])))
    assert found[0] == found[1]


def test_micrograds_private_names_may_be_written_or_say_the_way_out() -> None:
    x = Value(2.0, (), "", "x")
    assert x.label == "x"
    y = x * 3
    y._op = "thrice"
    x._prev = set()
    y._prev = y._prev
    assert (y._op, y.op is mp.engine.TABLE["mul"], mp.grad(lambda v: v * 3)(2.0)) == ("thrice", True, 3.0)
    with pytest.raises(AttributeError) as caught:
        x._prev = {y}
    assert str(caught.value) == (
        f"Value._prev = {{{y}}}: what a node is made from is said when it is made, as in Value(data, (x, y), '+')"
    )
    with pytest.raises(TypeError, match=r"^Value\._op = 3: expected a string, got int$"):
        y._op = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^Value\._backward = 3: expected a function without arguments$"):
        y._backward = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match="expected"):
        Value(1.0, label=3)  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------- a rule is kept


def by_closure(old: Callable[[], None], _: Value, log: list[int]) -> Callable[[], None]:
    def rule() -> None:
        log.append(1)
        old()

    return rule


def by_default(old: Callable[[], None], node: Value, log: list[int]) -> Callable[[], None]:
    def rule(old: Any = old, *, node: Any = node) -> None:
        log.append(1)
        assert node.grad == 1.0
        old()

    return rule


def by_partial(old: Callable[[], None], node: Value, log: list[int]) -> Callable[[], None]:
    def rule(inner: Callable[[], None], *, seen: Value) -> None:
        log.append(int(seen.grad))
        inner()

    return functools.partial(rule, old, seen=node)


def by_a_function_in_a_function(old: Callable[[], None], node: Value, log: list[int]) -> Callable[[], None]:
    def inner() -> None:
        log.append(int(node.grad))

    @functools.wraps(old)
    def rule() -> None:
        inner()
        return old()

    return rule


WRAPPERS = [by_closure, by_default, by_partial, by_a_function_in_a_function]


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("wrap", WRAPPERS)
@pytest.mark.parametrize("make", [lambda x: x * x, lambda x: x.tanh(), _tanh_by_hand], ids=["mul", "tanh", "hand"])
def test_a_rule_may_be_wrapped_again_and_again_and_leaks_nothing(make: Any, wrap: Any) -> None:
    x, plain = Value(0.5), Value(0.5)
    make(plain).backward()
    node = make(x)
    log: list[int] = []
    for _ in range(3):
        node._backward = wrap(node._backward, node, log)
    for times in (1, 2):
        node.backward()
        assert (x.grad, log) == (times * plain.grad, [1] * 3 * times)
    gone = weakref.ref(node)
    del node
    assert gone() is None


class Doubling:
    """A rule that is a method, of an object that the node may be."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def rule(self) -> None:
        self.x.grad += 2.0


def _twice(node: Any, times: float = 2.0, *, more: float = 0.0) -> None:
    node.args[0].grad += (times + more) * node.grad


HAND_MADE: dict[str, Callable[[Value], Any]] = {
    "a method of the node": lambda node: types.MethodType(_twice, node),
    "a partial": lambda node: functools.partial(_twice, node, 2.0, more=0.0),
    "a default": lambda node: lambda node=node: _twice(node),
    "a keyword": lambda node: functools.partial(lambda *, node: _twice(node), node=node),
    "a method of another object": lambda node: Doubling(node.args[0]).rule,
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("name", HAND_MADE)
def test_a_rule_may_hold_its_node_in_any_way_and_leaks_nothing(name: str) -> None:
    x = Value(3.0)
    out = Value(6.0, (x,), "twice")
    out._backward = HAND_MADE[name](out)
    for times in (1, 2):
        out.backward()
        assert x.grad == 2.0 * times
    out.grad = 1.0
    out._backward()
    assert x.grad == 6.0
    gone = weakref.ref(out)
    del out
    assert gone() is None


def test_a_rule_once_fetched_is_that_rule_and_can_be_put_back() -> None:
    x = Value(4.0)
    y = x**2
    usual = y._backward
    y._backward = lambda: None
    y.grad = 1.0
    y._backward()
    assert x.grad == 0.0
    usual()
    assert x.grad == 8.0
    y._backward = usual
    assert mp.gradient(y, [x]) == [8.0]  # no rule of anybody's own any more
    x._backward()  # a leaf's does nothing
    assert x.grad == 8.0


def test_a_rule_may_ask_for_a_backward_pass_of_its_own_node() -> None:
    x = Value(3.0)
    out = Value(6.0, (x,), "twice")
    deep: list[int] = []

    def rule() -> None:
        if not deep:
            deep.append(1)
            out.backward()
        x.grad += 2.0 * out.grad

    out._backward = rule
    out.grad = 1.0
    out._backward()
    assert x.grad == 4.0


# ------------------------------------------------------------------------------------- a class with its own operators


def counted(base: Any, names: tuple[str, ...], log: list[str]) -> Any:
    """A subclass that overrides these operators, notes when it is asked, and stays what it is."""

    def asked(name: str) -> Callable[..., Any]:
        def method(self: Any, *other: Any) -> Any:
            log.append(name)
            out = getattr(base, name)(self, *other)
            return kind(out.data, (self,), name)

        return method

    kind = type("Mine", (base,), {name: asked(name) for name in names})
    return kind


NAMES = ("__add__", "__mul__", "__pow__", "__neg__")
USES: list[Callable[..., Any]] = [
    *(lambda a, b, v: a + b, lambda a, b, v: 1 + a, lambda a, b, v: a + 1, lambda a, b, v: 2 * a),
    *(lambda a, b, v: -a, lambda a, b, v: a - b, lambda a, b, v: a - 1, lambda a, b, v: 1 - a, lambda a, b, v: a / b),
    *(lambda a, b, v: a / 2, lambda a, b, v: 2 / a, lambda a, b, v: sum([a, b]), lambda a, b, v: a**2),
    *(lambda a, b, v: v + a, lambda a, b, v: a + v, lambda a, b, v: v - a, lambda a, b, v: a - v),
    *(lambda a, b, v: v * a, lambda a, b, v: a * v, lambda a, b, v: v / a, lambda a, b, v: a / v),
]


@pytest.mark.parametrize("names", [(), *[(name,) for name in NAMES], NAMES[:3], NAMES[:2], NAMES])
def test_overridden_operators_are_asked_wherever_micrograd_asks_them(names: tuple[str, ...]) -> None:
    theirs = pytest.importorskip("micrograd.engine")
    for i, use in enumerate(USES):
        answers = []
        for base in (theirs.Value, Value):
            log: list[str] = []
            kind = counted(base, names, log)
            out = use(kind(2.0), kind(3.0), base(5.0))
            answers.append((type(out).__name__, log, pytest.approx(out.data, rel=1e-15)))
        assert answers[0] == answers[1], i


DERIVED: list[Callable[[Any], Any]] = [
    *(lambda a: 1 + a, lambda a: 2 * a, lambda a: -a, lambda a: a - 1, lambda a: a / a, lambda a: a**2)
]


@pytest.mark.parametrize("name", NAMES)
def test_a_patched_operator_is_asked_and_forgotten_again(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Heir(Value):
        pass

    usual: Any = getattr(Value, name)
    log: list[str] = []

    def patched(*args: Any) -> Any:
        log.append(name)
        return usual(*args)

    def asked() -> list[list[str]]:
        told = []
        for a in (Value(2.0), Heir(2.0)):
            for use in DERIVED:
                log.clear()
                use(a)
                told.append(list(log))
        neuron = mp.Neuron(2)
        log.clear()
        neuron([a, Value(3.0)])
        mp.dot([a, a], [a, 1.0])
        return [*told, list(log)]

    before = asked()
    with monkeypatch.context() as patch:
        patch.setattr(Value, name, patched)
        during = asked()
    assert asked() == before
    assert not any(before)
    wanted = {"__add__": [[name], [], [], [name], [], []], "__mul__": [[], [name], [name], [], [name], []]}
    wanted |= {"__pow__": [[], [], [], [], [name], [name]], "__neg__": [[], [], [name], [], [], []]}
    assert during[:6] == during[6:12] == wanted[name]
    assert len(during[12]) == {"__add__": 3, "__mul__": 4}.get(name, 0)


def test_values_with_their_own_operators_go_through_neurons_and_sums() -> None:
    log: list[str] = []
    kind = counted(Value, NAMES[:2], log)
    neuron = mp.Neuron(2, nonlin=False)
    assert type(neuron([kind(1.0), kind(2.0)])) is Value  # a weight is asked first, and is none of them
    assert not log
    neuron.w = [kind(w.data) for w in neuron.w]
    neuron.b = kind(0.5)
    out = neuron([1.0, Value(2.0)])
    assert (type(out), log) == (kind, ["__mul__", "__add__"] * 2)
    log.clear()
    assert type(mp.dot(neuron.w, [1.0, 2.0])) is kind
    assert log == ["__mul__", "__mul__", "__add__"]


def test_a_patched_or_overridden_activation_is_asked_by_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(self: Value) -> Any:
        return self if self.data > 0 else self * 0.1

    neuron, layer = mp.Neuron(1), mp.Layer(1, 2, activation="tanh")
    for w in neuron.parameters() + layer.parameters():
        w.data = -1.0
    with monkeypatch.context() as patch:
        patch.setattr(Value, "relu", leaky)
        patch.setattr(Value, "tanh", leaky)
        assert neuron([2.0]).data == pytest.approx(-0.3)
        assert [out.data for out in layer([2.0])] == pytest.approx([-0.3, -0.3])
        assert mp.relu(Value(-3.0)).data == 0.0  # that is the row's function
    assert neuron([2.0]).data == 0.0

    class Mine(Value):
        def __mul__(self, other: Any) -> Any:
            return Mine(super().__mul__(other).data)

        def __add__(self, other: Any) -> Any:
            return Mine(super().__add__(other).data)

        def relu(self) -> Any:
            return Mine(-5.0)

    neuron.w, neuron.b = [Mine(1.0)], Mine(0.0)
    assert (neuron([2.0]).data, type(neuron([2.0]))) == (-5.0, Mine)


# ----------------------------------------------------------------------------------------- attributes of one's own


def test_a_value_keeps_attributes_of_ones_own_and_so_do_copies() -> None:
    x = Value(2.0, label="x")
    x.m, x.color = 0.5, "red"  # type: ignore[attr-defined]
    y = x * 3
    y.note = [x]  # type: ignore[attr-defined]
    others: list[Any] = [copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))]
    for other in others:
        assert other.note[0].m == 0.5
        assert (other.args[0].color, other.args[0].label, other.data) == ("red", "x", 6.0)
        assert other.note[0] is other.args[0]
    assert vars(x) == {"m": 0.5, "color": "red"}
    del x.m  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="has no attribute 'm'"):
        x.m  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", ["data", "grad", "label", "scope", "args", "_prev", "_op", "_backward"])
def test_what_every_value_has_cannot_be_deleted(name: str) -> None:
    y = Value(2.0) * 3.0
    with pytest.raises(AttributeError):  # natively it ended the process
        delattr(y, name)
    assert (y.data, y.grad, y._op) == (6.0, 0.0, "*")


@pytest.mark.usefixtures("no_collector")
def test_attributes_of_ones_own_go_with_the_node_however_many_hold_one_another() -> None:
    first = node = Value(0.0)
    gone = weakref.ref(first)
    for _ in range(100_000):
        node, before = Value(1.0), node
        node.before = before  # type: ignore[attr-defined]
    del first, before, node
    assert gone() is None


def test_a_dictionary_is_made_only_where_somebody_writes() -> None:
    y = chain(Value(2.0), 10_000)
    copy.deepcopy(Value(1.0) * 2)  # imports what it needs
    tracemalloc.start()
    try:
        for use in (copy.deepcopy, repr, lambda y: [node._op for node in toposort(y)]):
            use(y)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 100_000  # ten bytes a node; a dictionary takes 64
        for node in toposort(y):
            node.mark = 1  # type: ignore[attr-defined]
        assert tracemalloc.get_traced_memory()[0] > 500_000
    finally:
        tracemalloc.stop()


def test_a_subclass_whose_attributes_hold_one_another_is_collected() -> None:
    class Named(Value):
        pass

    x, y = Named(1.0), Named(2.0)
    x.other, y.other = y, x  # type: ignore[attr-defined]
    gone = weakref.ref(x)
    del x, y
    gc.collect()
    assert gone() is None


def test_scalars_of_numpy_and_pytorch_are_numbers() -> None:
    torch = pytest.importorskip("torch")
    twos: list[Any] = [np.array(2.0), np.array(2), torch.tensor(2.0), torch.tensor(2), np.float64(2)]
    for two in twos:
        x = Value(3.0)
        x.data, x.grad = 3.0, two
        answers = [Value(two), x + two, two + x, x - two, two - x, x * two, two * x, x / two, two / x, x**two]
        assert [v.data for v in answers] == [2.0, 5.0, 5.0, 1.0, -1.0, 6.0, 6.0, 1.5, pytest.approx(2 / 3), 9.0]
        assert (x.grad, x > two, mp.tanh(two)) == (2.0, True, math.tanh(2.0))
        assert mp.Neuron(2, seed=1)([two, two]).data == mp.Neuron(2, seed=1)([2.0, 2.0]).data
    for bad in (np.array("2"), np.array(2j), torch.tensor(2j), np.array(Value(2.0)), torch.tensor([2.0])):
        with pytest.raises(TypeError, match=rf"(?s)^Value\(.*\): expected a real number, got {type(bad).__name__}$"):
            Value(bad)


# ------------------------------------------------------------------------------------------------- gradients add up


def test_interior_nodes_start_fresh_and_leaves_accumulate() -> None:
    x = Value(3.0)
    middle = x * x
    y = middle * 2
    y.backward()
    assert (x.grad, middle.grad, y.grad) == (12.0, 2.0, 1.0)
    y.backward()
    assert (x.grad, middle.grad, y.grad) == (24.0, 2.0, 1.0)
    x.backward()
    assert x.grad == 25.0


@given(numbers, numbers)
def test_two_losses_add_their_gradients(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    (x * y).backward()
    (x + y).backward()
    assert (x.grad, y.grad) == (b + 1.0, a + 1.0)


IDLE: list[Callable[[Value], Value]] = [
    *(lambda x: x * x, lambda x: x * 3.0, mp.tanh, mp.sqrt),
    lambda x: mp.where(0.0, mp.sqrt(x - x), 1.0),  # slopes that are infinite, where nothing comes
    lambda x: mp.where(0.0, mp.exp(mp.sqrt(x - x)), 1.0),
    lambda x: mp.where(0.0, x * math.inf, 1.0),
    lambda x: mp.where(0.0, (x * math.inf) * x, 1.0),
]


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("idle", IDLE)
def test_what_gets_no_gradient_or_none_but_zero_keeps_it_from_nothing_else(
    idle: Callable[[Value], Value], watched: bool
) -> None:
    w, x = Value(0.5), Value(2.0)
    y = mp.exp(w) + idle(x) * 0.0  # the pass comes by it first
    somebody = Value(0.0)
    with somebody.register_hook(print) if watched else nullcontext():  # where there are hooks, it goes another way
        y.backward()
    assert (w.grad, x.grad) == (math.exp(0.5), 0.0)


@given(st.lists(numbers, min_size=2, max_size=6))
def test_a_second_backward_gives_exactly_twice_to_the_last_bit(factors: list[float]) -> None:
    x = Value(0.1)
    y = sum(x * factor for factor in factors) + x  # a leaf with several contributions
    y.backward()
    once = x.grad
    y.backward()
    assert x.grad == 2.0 * once


def test_augmented_assignment_makes_a_new_node() -> None:
    x = Value(2.0)
    y = x
    y += 1
    y *= 3
    assert (x.data, y.data) == (2.0, 9.0)
    y.backward()
    assert x.grad == 3.0


def test_a_diamond_counts_both_ways() -> None:
    x = Value(2.0)
    left, right = x * 3, x * x
    (left * right + left).backward()
    assert x.grad == 3 * 3 * 2.0**2 + 3


def test_toposort_gives_each_node_once_and_arguments_first() -> None:
    x = Value(1.0)
    y = x + x * 2
    z = mp.where(y, y * y, x) + y
    order = toposort(z)
    assert len(order) == len(set(order)) == 6
    place = {node: i for i, node in enumerate(order)}
    assert all(place[arg] < place[node] for node in order for arg in node.args if isinstance(arg, Value))
    assert order[-1] is z


# --------------------------------------------------------------------------------------- comparisons and conversions


@given(numbers, numbers)
def test_comparisons_compare_data_and_give_bools(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    for left, right in ((x, y), (x, b), (a, y)):
        assert (left < right, left <= right, left > right, left >= right) == (a < b, a <= b, a > b, a >= b)
        assert type(left < right) is bool


def test_equality_and_hash_are_identity() -> None:
    x, y = Value(1.0), Value(1.0)
    assert x == x
    assert x != y
    assert x != 1.0
    assert len({x, y, x}) == 2


def test_a_value_reads_like_a_number() -> None:
    x = Value(2.5)
    assert (float(x), bool(x), bool(Value(0)), bool(Value(math.nan))) == (2.5, True, False, True)
    assert f"{x:.3f}" == "2.500"
    assert f"{x}" == repr(x) == "Value(data=2.5, grad=0.0)"
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(2, label="w")) == "Value(data=2.0, grad=0.0, label='w')"
    values = [Value(3.0), Value(1.0), Value(2.0)]
    assert [v.data for v in sorted(values)] == [1.0, 2.0, 3.0]
    assert max(values).data == 3.0
    assert sum(values).data == 6.0  # type: ignore[union-attr]
    assert (+x) is x
    assert abs(Value(-1.0)).data == 1.0


@pytest.mark.parametrize("bad", ["3", 1j, [1], None, {}, b"x"], ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        lambda x, bad: x + bad,
        lambda x, bad: bad - x,
        lambda x, bad: x * bad,
        lambda x, bad: x / bad,
        lambda x, bad: x**bad,
        lambda x, bad: x < bad,
        lambda x, bad: bad >= x,
    ],
)
def test_an_operator_refuses_what_is_no_number(use: Callable[[Any, Any], Any], bad: Any) -> None:
    with pytest.raises(TypeError, match=rf"^Value \S+ .*: expected a number or a Value, got {type(bad).__name__}$"):
        use(Value(1.0), bad)


# --------------------------------------------------------------------------------------------------------- NumPy


def test_numpy_scalars_and_arrays_work_on_either_side() -> None:
    x = Value(2.0)
    array = np.array([1.0, 3.0])
    scalars: list[Any] = [np.float64(3), np.int32(3), np.float32(3)]
    for result in [scalar * x for scalar in scalars] + [x * scalar for scalar in scalars]:
        assert isinstance(result, Value)
        assert result.data == 6.0
    for result in (array * x, x * array):
        assert [v.data for v in result] == [2.0, 6.0]
    assert [v.data for v in x - array] == [1.0, -1.0]
    assert [v.data for v in array / x] == [0.5, 1.5]
    assert (x ** scalars[1]).data == 8.0
    assert (x < array).tolist() == [False, True]
    assert (array <= x).tolist() == [True, False]
    (array * x).sum().backward()
    assert x.grad == 4.0


@pytest.mark.parametrize("name", ["exp", "tanh", "arctan", "log1p", "sqrt", "sin", "arcsinh", "cbrt"])
def test_numpys_functions_work_on_values_and_object_arrays(name: str) -> None:
    x = Value(0.5)
    f = getattr(np, name)
    assert f(x).data == pytest.approx(f(0.5), rel=1e-15)
    out = f(np.array([x, Value(0.25)]))
    assert [v.data for v in out] == pytest.approx([f(0.5), f(0.25)], rel=1e-15)
    out[0].backward()
    assert x.grad != 0.0


def test_numpys_functions_of_two_and_out() -> None:
    x, y = Value(3.0), Value(4.0)
    assert np.hypot(x, y).data == 5.0  # type: ignore[call-overload]
    assert np.maximum(x, np.array([1.0, 9.0])).tolist()[1].data == 9.0  # type: ignore[call-overload]
    total = np.array([Value(1.0), Value(2.0)])
    total += x
    assert [v.data for v in total] == [4.0, 5.0]
    assert [v.data for v in np.array([[x, y], [y, x]]) @ np.array([1.0, 2.0])] == [11.0, 10.0]
    assert not np.isnan(x)  # type: ignore[call-overload]


# --------------------------------------------------------------------------------------------- no_grad and detach


def test_no_grad_records_nothing_in_a_block_or_a_decorated_function() -> None:
    x = Value(2.0)

    @mp.no_grad()
    def f() -> Value:
        return mp.tanh(x * x) + 1

    with mp.no_grad():
        with mp.no_grad():
            pass
        inside = x.clamp(0, 1) + x
    assert inside.args == f().args == ()
    assert inside.data == 3.0
    assert (x * x).args == (x, x)
    with pytest.raises(ZeroDivisionError), mp.no_grad():
        raise ZeroDivisionError
    assert (x + x).args == (x, x)


def test_no_grad_is_this_threads_affair() -> None:
    x = Value(2.0)
    made: list[Value] = []
    with mp.no_grad():
        thread = threading.Thread(target=lambda: made.append(x * x))
        thread.start()
        thread.join()
    assert made[0].args == (x, x)


def test_detach_cuts() -> None:
    x = Value(2.0)
    y = x * x
    (y.detach() * x).backward()
    assert (x.grad, y.detach().data, y.detach().args) == (4.0, 4.0, ())


# ------------------------------------------------------------------------------------- depth, memory and threads


def chain(x: Value, length: int) -> Value:
    out = x
    for _ in range(length):
        out = out * 1.0
    return out


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_a_million_nodes_builds_runs_backward_and_is_freed() -> None:
    x = Value(2.0)
    y = chain(x, DEEP)
    assert len(toposort(y)) == DEEP + 1
    y.backward()
    assert (y.data, x.grad) == (2.0, 1.0)
    first = weakref.ref(x)
    del x, y
    assert first() is None


@pytest.mark.usefixtures("no_collector")
def test_a_dropped_graph_is_gone_without_the_collector() -> None:
    model = mp.MLP(3, [4, 4, 1], activation="tanh")
    loss = mp.losses.squared_error(model([1.0, 2.0, 3.0]), 1.0) + mp.softmax([Value(1.0), Value(2.0)])[0]
    loss.backward()
    inner = [weakref.ref(node) for node in toposort(loss)]
    del loss, model
    assert [ref() for ref in inner if ref() is not None] == []


def test_nodes_hold_no_cycles() -> None:
    loss = chain(Value(1.0), 100).tanh().clamp(0, 1)
    loss.backward()
    gc.collect()
    del loss
    assert gc.collect() == 0


def test_threads_that_share_leaves_lose_no_gradient() -> None:
    shared = Value(1.0)
    each, threads = 200, 8

    def work() -> None:
        for _ in range(each):
            (shared * 1.0 + shared).backward()

    pool = [threading.Thread(target=work) for _ in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert shared.grad == 2.0 * each * threads


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_an_operator_quotes_what_is_no_number_and_itself(symbol: str) -> None:
    says = rf"^Value {re.escape(symbol)} 'two': expected a number or a Value, got str$"
    with pytest.raises(TypeError, match=says):
        OPERATORS[symbol](Value(1.0), "two")


TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_an_operator_quotes_what_stands_on_its_left_too(symbol: str) -> None:
    says = rf"^Value {re.escape(TURNED.get(symbol, symbol))} None: expected a number or a Value, got NoneType$"
    with pytest.raises(TypeError, match=says):
        OPERATORS[symbol](None, Value(1.0))


def test_a_hand_made_node_without_a_rule_passes_nothing_on_and_checks_its_children() -> None:
    x = Value(2.0)
    out = Value(4.0, (x, 2.0), "double")
    out.backward()
    assert (out.grad, x.grad, out.args) == (1.0, 0.0, (x, 2.0))
    with pytest.raises(TypeError, match=r"^Value\('x'\): expected a real number, got str$"):
        Value(4.0, ("x",), "double")  # type: ignore[arg-type]
