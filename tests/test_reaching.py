"""The strong zero: where no gradient comes, nothing passes on, not even 0 · inf; in every order and every mode."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import micrograd_plus as mp
from micrograd_plus import nn  # noqa: F401 - the package whole
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import reached, toposort, walk
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.pictures.drawing import draw
from micrograd_plus.stepping.stepper import backprop

inf, nan = math.inf, math.nan
Program = list[tuple[str, int, int, int]]

SMOOTH = ("sqrt", "log", "reciprocal", "rsqrt", "cbrt", "neg", "exp", "square")
JOINING = ("add", "mul", "sub")
CHOOSING = ("relu", "clamp", "maximum", "minimum", "where")
NUMBERS = [0.0, 0.0, 1.0, -1.0, 2.0, 0.5, -0.25]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Steps of a computation: a function's name, and the places of what it is applied to."""
    steps: Program = []
    for size in range(2, 2 + draw(st.integers(2, 9))):
        name = draw(st.sampled_from(SMOOTH + JOINING + 2 * CHOOSING))
        first, second, third = (draw(st.integers(0, size - 1)) for _ in range(3))
        steps.append((name, first, second, third))
    return steps


def run(program: Program, xs: list[Any], *, taken: bool) -> Any:
    """What the program computes; with `taken` what chooses is not there, and what was chosen stands for it."""
    made = list(xs)
    for name, i, j, k in program:
        a, b, c = made[i], made[j], made[k]
        if name not in CHOOSING:
            made.append(getattr(mp, name)(*((a, b) if name in JOINING else (a,))))
        elif not taken:
            options = {"relu": (a,), "clamp": (a, -1.0, 1.0), "where": (a, b, c)}
            made.append(getattr(mp, name)(*options.get(name, (a, b))))
        else:
            made.append(chosen(name, a, b, c))
    return made[-1]


def chosen(name: str, a: Any, b: Any, c: Any) -> Any:
    x, y = number(a), number(b)
    if name == "where":
        return b if x else c
    if name == "relu":
        return 0.0 if x <= 0.0 else a
    if name == "clamp":
        assume(not math.isnan(x))
        return a if -1.0 <= x <= 1.0 else max(-1.0, min(x, 1.0))
    assume(x != y and not math.isnan(x) and not math.isnan(y))  # who shares is another question
    return a if (x > y) == (name == "maximum") else b


def number(x: Any) -> float:
    return x.data if isinstance(x, Value) else x


def alike(x: float, y: float) -> bool:
    return (math.isnan(x) and math.isnan(y)) or x == y or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)


def first_order(f: Callable[..., Any], point: list[float]) -> dict[str, list[float]]:
    """The gradient by every way there is to it."""
    xs = [Value(x) for x in point]
    y = f(xs)
    ways: dict[str, list[float]] = {}
    if not isinstance(y, Value):
        return dict.fromkeys(("backward", "gradient", "graph", "forward", "steps"), [0.0] * len(point))
    y.backward()
    ways["backward"] = [x.grad for x in xs]
    y.backward()
    assert repr([x.grad for x in xs]) == repr([2.0 * grad for grad in ways["backward"]]) or inf in map(
        abs, ways["backward"]
    )
    ways["gradient"] = mp.gradient(y, xs)
    ways["graph"] = [slope.data for slope in mp.gradient(y, xs, create_graph=True)]
    directions = [[float(i == j) for j in range(len(xs))] for i in range(len(xs))]
    ways["forward"] = [mp.jvp(lambda v: f(v))(point, direction) for direction in directions]
    for x in xs:
        x.grad = 0.0
    steps = backprop(y)
    ways["steps"] = [steps.gradients.get(x, 0.0) for x in xs]
    return ways


@given(programs(), st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=2))
def test_the_gradient_is_that_of_what_was_taken(program: Program, point: list[float]) -> None:
    whole = first_order(lambda xs: run(program, xs, taken=False), point)
    want = first_order(lambda xs: run(program, xs, taken=True), point)["backward"]
    for way, got in whole.items():
        if way == "forward" and not all(map(math.isfinite, want)):
            continue  # 0 · inf comes from above in one pass, from below in the other
        assert all(map(alike, got, want)), f"{way} gives {got}, what was taken {want}"


def second_order(f: Callable[..., Any], point: list[float]) -> dict[str, list[float]]:
    def total(*xs: Any) -> Any:
        y = f(list(xs))
        return y if isinstance(y, Value) else mp.identity(next(x for x in xs if isinstance(x, Value))) * 0.0 + y

    n = len(point)
    ways: dict[str, list[float]] = {"reverse over reverse": [], "forward over reverse": [], "reverse over forward": []}
    for i, j in itertools.product(range(n), repeat=2):
        ways["reverse over reverse"].append(mp.grad(mp.grad(total, i), j)(*point))
        ways["forward over reverse"].append(mp.jvp(mp.grad(total, i), j)(*point, 1.0))
        ways["reverse over forward"].append(mp.grad(lambda *xs, i=i: mp.jvp(total, i)(*xs, 1.0), j)(*point))
    return ways


@given(programs(), st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=2))
def test_so_are_the_second_derivatives(program: Program, point: list[float]) -> None:
    want = second_order(lambda xs: run(program, xs, taken=True), point)["reverse over reverse"]
    assume(all(map(math.isfinite, want)))
    for way, got in second_order(lambda xs: run(program, xs, taken=False), point).items():
        assert all(map(alike, got, want)), f"{way} gives {got}, what was taken {want}"


# ------------------------------------------------------------------------------------------- the Hessian of every row

SEVERAL = [op for op in TABLE.values() if op.name in FUNCTIONS and op.arity > 1]
EDGES = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, 23.0, 1e-8, 1e154, 1e308, -1e308, 1e-308, 5e-324, inf, -inf, nan]


def mixed(f: Callable[..., Any], i: int, j: int, args: tuple[float, ...]) -> list[float]:
    """The derivative of f by arguments i and j, by every way there is to it."""
    ways = []
    for a, b in ((i, j), (j, i)):
        ways += [
            mp.grad(mp.grad(f, a), b)(*args),
            mp.jvp(mp.grad(f, a), b)(*args, 1.0),
            mp.grad(lambda *xs, a=a: mp.jvp(f, a)(*xs, 1.0), b)(*args),
            mp.jvp(lambda *xs, a=a: mp.jvp(f, a)(*xs, 1.0), b)(*args, 1.0),
        ]
    return ways


@pytest.mark.parametrize("op", SEVERAL, ids=repr)
@given(data=st.data())
def test_the_hessian_of_every_row_is_symmetric_at_edges_too(op: Op, data: st.DataObject) -> None:
    args = tuple(
        [data.draw(st.one_of(st.sampled_from(EDGES), st.floats(-3.0, 3.0)), label="argument") for _ in op.partials]
    )
    far = op.name in ("atan2", "direction") and any(0.0 < abs(x) < 1e-150 for x in args)
    assume(not far)  # there they are of the size of 1 / r², beyond all floats
    for i, j in itertools.combinations(range(len(args)), 2):
        first, *others = mixed(FUNCTIONS[op.name], i, j, args)
        squares = [abs(mp.grad(mp.grad(FUNCTIONS[op.name], k), k)(*args)) for k in (i, j)]
        size = 1e-12 * max([x for x in squares if math.isfinite(x)], default=0.0)  # where terms cancel
        for other in others:
            close = math.isclose(first, other, rel_tol=1e-9, abs_tol=size) if math.isfinite(first) else first == other
            assert close or (math.isnan(first) and math.isnan(other)), f"{op.name}{args}: {first} and {other}"


@given(st.floats(0.01, 100.0), st.one_of(st.just(0.0), st.floats(-3.0, 3.0)))
def test_the_mixed_derivative_of_a_power_is_mpmaths(x: float, y: float) -> None:
    with mpmath.workdps(60):
        want = float(mpmath.mpf(x) ** (y - 1) * (1 + y * mpmath.log(x)))
    for got in mixed(mp.pow, 0, 1, (x, y)):
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12)


def test_a_power_of_zero_no_longer_moves() -> None:
    second = mp.grad(mp.grad(lambda n: 0.0**n))
    assert (second(2.0), second(0.5), mp.grad(second)(2.0)) == (0.0, 0.0, 0.0)


def test_a_masks_own_derivative_is_that_of_the_partial() -> None:
    """A mask of one's own, which is 0 at one point and has a slope there."""
    half = mp.primitive("half_square", lambda x: x * x / 2.0, mp.mask(lambda out, x: 1.0 * x))
    assert [mp.grad(mp.grad(half))(x) for x in (-1.0, 0.0, 2.0)] == [1.0, 1.0, 1.0]
    assert mp.grad(mp.grad(mp.relu))(0.0) == mp.grad(mp.grad(mp.relu))(2.0) == 0.0


# ---------------------------------------------------------------------------------------- who meets it, and who watches


def guarded(x: Any) -> Any:
    return mp.where(x > 0.0, mp.sqrt(x) * mp.log(x), -x)


def test_what_cancels_is_reached() -> None:
    x, y = Value(0.0), Value(0.0)
    z = x * 1.0
    (z.sqrt() + y.sqrt() - y.sqrt()).backward()
    assert (x.grad, math.isnan(y.grad)) == (inf, True)
    assert math.isnan(mp.grad(lambda x: 0.0 * mp.log(x))(0.0))


def test_a_hand_made_rule_is_asked_where_a_gradient_comes() -> None:
    asked = []

    def made(x: Value) -> Value:
        out = Value(x.data, (x,), "own")

        def rule() -> None:
            asked.append(out.grad)
            x.grad += inf * out.grad

        out._backward = rule
        assert isinstance(out.op, HandMade)
        return out

    x = Value(-1.0)
    (mp.where(x > 0.0, made(x), 2.0 * x)).backward()
    assert (x.grad, asked) == (2.0, [])
    (0.0 * made(x)).backward()
    assert asked == [0.0]
    assert math.isnan(x.grad)


def test_a_hook_sees_zero_and_can_make_something_of_it() -> None:
    x = Value(4.0)
    root = mp.sqrt(x)
    seen: list[float] = []

    def gradients() -> tuple[float, float]:
        x.grad = 0.0
        mp.where(0.0, root, 0.0).backward()
        (slope,) = mp.gradient(mp.where(x * 0.0, root, 0.0), [x], create_graph=True)
        return x.grad, slope.data

    with root.register_hook(lambda gradient: seen.append(float(gradient))):
        assert gradients() == (0.0, 0.0)
    assert seen == [0.0, 0.0]
    with root.register_hook(lambda gradient: 2.0 + gradient):
        assert gradients() == (0.5, 0.5)


def test_anomalies_in_a_branch_that_was_not_taken_are_told_when_asked() -> None:
    x = Value(0.0, label="x")
    with mp.detect_anomaly():
        y = mp.where(x > 0.0, mp.sqrt(x), 2.0 * x)
        y.backward()
        assert mp.gradient(y, [x], create_graph=True)[0].data == 2.0
    assert x.grad == 2.0
    says = r"sqrt\(x=0\.0\) lies in a branch that was not taken; its derivative by x=0\.0 is inf there; sqrt was made"
    for graph in (False, True):
        with mp.detect_anomaly(unreached=True):
            y = mp.where(x > 0.0, mp.sqrt(x), 2.0 * x)
            with pytest.raises(FloatingPointError, match=says):
                mp.gradient(y, [x], create_graph=True) if graph else y.backward()


def test_ledgers_steps_and_pictures_tell_the_same() -> None:
    x = Value(0.0, label="x")
    y = guarded(x)
    steps = backprop(y)
    assert steps.gradients[x] == steps.ledger(x).total == -1.0
    assert [str(step) for step in steps if step.masked and "inf" in str(step)] != []
    y.backward()
    assert x.grad == -1.0
    assert ">nan<" not in draw(y, edges="contribution").source
    assert {id(node) for node in toposort(y) if node.op and node.op.name == "log"}.isdisjoint(
        reached([y], walk(y, flowing=True)[0])
    )


def test_a_compiled_derivative_is_right_on_either_side() -> None:
    w = Value(1.0)
    orders: list[Callable[..., Any]] = [mp.grad(guarded), mp.grad(mp.grad(guarded))]
    orders.append(lambda x: mp.jvp(guarded)(x, 1.0))
    for order in orders:
        program = mp.compile(lambda x, order=order: order(x * w) * w, x=())
        for x in (-1.0, 0.0, 4.0, 0.5):
            assert program([x]) == pytest.approx(float(order(Value(x))), rel=1e-12)


def test_what_stands_before_a_branch_that_is_not_taken_gets_its_gradient() -> None:
    """Results come before arguments: so the branch's nodes are passed by first, and the others must not be."""
    w, z, one = Value(2.0), Value(0.0), Value(1.0)
    for untaken in (mp.sqrt(z), 1.0 / z, mp.log(z) * z, z * math.inf):
        w.grad = z.grad = 0.0
        mp.where(one, w * 3.0, untaken).backward()
        assert (w.grad, z.grad) == (3.0, 0.0)


def test_a_gradient_of_zero_goes_on_from_node_to_node_with_hooks_too() -> None:
    """It has come, and 0 · inf is nan; with a hook somewhere a pass goes another way, which must say the same."""
    c, x = Value(0.0), Value(0.0)
    slopes = []
    for hooked, between in itertools.product((False, True), (1, 2)):
        x.grad = c.grad = 0.0
        out = c * functools.reduce(lambda out, _: out * 1.0, range(between), mp.sqrt(x))
        handle = out.register_hook(lambda gradient: None) if hooked else None
        out.backward()
        if handle is not None:
            handle.remove()
        slopes.append(x.grad)
    assert all(map(math.isnan, slopes))
