"""Print what the engine makes of much, to the last bit: test_native.py compares what both engines print."""

from __future__ import annotations

import inspect
import math
import pickle
import random
import sys
from collections.abc import Callable
from typing import Any

import micrograd_plus as mp
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import toposort
from micrograd_plus.stepping.page.labels import point_at

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -113.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]  # -113.0 is mypyc's nil


def show(*things: object) -> None:
    print(*[thing.hex() if isinstance(thing, float) else thing for thing in things])  # noqa: T201


def answers(make: Callable[..., Any], points: list[float]) -> None:
    """The value, the gradients and the second derivatives at a point; or the error."""
    try:
        xs = [Value(point) for point in points]
        y = make(*xs)
        y.backward()
        show(y.data, *[x.grad for x in xs])
        first = mp.gradient(make(*xs), xs, create_graph=True)
        show(*[d for slope in first for d in (slope.data, *mp.gradient(slope, xs))])
    except (ValueError, ArithmeticError, TypeError) as error:
        show(type(error).__name__, error)


def table(draw: random.Random) -> None:
    for name in sorted(TABLE):
        function = getattr(mp, name)
        count = len(TABLE[name].partials) - len(TABLE[name].options)
        for _ in range(20):
            answers(function, [draw.choice([draw.uniform(-3, 3), draw.choice(EDGES)]) for _ in range(count)])


def operators(draw: random.Random) -> None:
    uses: list[Callable[[Any, Any], Any]] = [
        *(lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y, lambda x, y: x % y),
        *(lambda x, y: x**y, lambda x, y: -x + abs(y), lambda x, y: 3 - x * 2 + 1 / y, lambda x, y: 2**x + y % 3),
    ]
    for use in uses:
        for _ in range(20):
            answers(use, [draw.choice([draw.uniform(-3, 3), draw.choice(EDGES)]) for _ in range(2)])
        for x in (Value(2.0), 2.0, 2, True):
            for y in (Value(-0.5), -0.5, -1, "no", None, [1], 1j, b"no"):
                try:
                    show(repr(use(x, y)))
                except (TypeError, ValueError, ArithmeticError) as error:
                    show(type(error).__name__, error)
    for left in EDGES:
        for right in EDGES:
            x, z = Value(left), Value(right)
            show(x < z, x <= right, left > z, x >= z, bool(x), f"{x:.3f}", float(x), x == z, x != left)


def networks(draw: random.Random) -> None:
    for activation in ("relu", "tanh", "sigmoid", "softplus", "gelu"):
        sizes = [draw.randint(1, 6) for _ in range(draw.randint(2, 4))]
        model = mp.MLP(3, sizes, activation=activation, seed=draw.randint(0, 99))
        inputs: list[Any] = [draw.uniform(-1, 1), Value(draw.uniform(-1, 1)), draw.randint(-2, 2)]
        for _ in range(2):
            out = model(inputs)
            loss = sum((x**2 for x in (out if isinstance(out, list) else [out])), Value(0.0)) * 0.5
            loss.backward()
            show(loss.data, *[parameter.grad for parameter in model.parameters()])
            show(*[node._op for node in toposort(loss)])
        again = pickle.loads(pickle.dumps(loss))
        show(len(toposort(again)), again.data, again.grad)


def oddities() -> None:
    x = Value(2.0, label="x")
    y = Value(8.0, (x, 3.0), "cube")
    y._backward = lambda: setattr(x, "grad", x.grad + 12.0 * y.grad)
    (y * x).backward()
    show(repr(x), repr(y), y._op, isinstance(y.op, HandMade), y.args == (x, 3.0), y._prev == {x})
    for bad in ("3", 1j, None, [1.0], Value(1.0), 10**400):
        uses: list[Callable[[Any], Any]] = [Value, lambda b: Value(1.0, (b,))]
        uses += [lambda b: setattr(x, "data", b), lambda b: setattr(x, "grad", b)]
        for use in uses:
            try:
                show(use(bad))
            except (TypeError, OverflowError) as error:
                show(type(error).__name__, error)
    with x.register_hook(lambda gradient: 10.0 * gradient):
        (x * x).backward()
    show(x.grad, x.detach().data, x.label, x.scope, hash(x) == object.__hash__(x), callable(x._backward))


def names() -> None:
    """Signatures and docstrings: those of a native function are not Python's own."""
    for kind in (mp.engine, Value, Op, HandMade):
        for name, thing in sorted(vars(kind).items()):
            said = inspect.isroutine(thing) or isinstance(thing, type) or inspect.isdatadescriptor(thing)
            ours = str(getattr(thing, "__module__", "micrograd_plus")).startswith("micrograd_plus")
            if said and ours and name[:2] != "__" and thing.__doc__ and name not in ("mypyc_attr", "_new"):
                show(name, inspect.getdoc(thing))


def sums(draw: random.Random) -> None:
    """Whatever adds plain floats: Python's own sum gives other bits from 3.12 on."""
    for _ in range(50):
        outputs = [draw.uniform(-3, 3) for _ in range(7)]
        targets = [draw.uniform(0, 1) for _ in range(7)]
        show(mp.losses.squared_error(outputs, targets), mp.losses.mean_squared_error(outputs, targets))
        show(mp.losses.cross_entropy(outputs, targets), mp.mean(outputs), mp.dot(outputs, targets))
        show(*mp.softmax(outputs), mp.logsumexp(outputs))
        xs = [Value(x) for x in outputs]
        for x, target in zip(xs, targets):
            x.grad = target
        show(mp.optim.clip_grad_norm_(xs, 1.0), *[x.grad for x in xs])
        w = Value(draw.uniform(-1, 1), label="w")
        show(mp.backprop(mp.mean([(w * x - t) ** 2 for x, t in zip(outputs, targets)])).ledger(w).total)
        show(mp.formula(outputs[0] + (outputs[1] + (outputs[2] + (outputs[3] + w)))))
    model = mp.MLP(3, [4, 2], seed=draw.randint(0, 99))
    examples = [[draw.uniform(-1, 1) for _ in range(3)] for _ in range(5)]
    wanted = mp.nudges(model, examples, [[0.3, 0.7]] * 5)
    show(wanted.cost, *[x for layer in wanted.layers for x in layer.before])
    curve = [(draw.uniform(0, 200), draw.uniform(-200, 0)) for _ in range(13)]
    show(*[x for t in range(13) for x in point_at(curve, t / 12)])


def main() -> None:
    draw = random.Random(int(sys.argv[1]))
    table(draw)
    operators(draw)
    networks(draw)
    oddities()
    sums(draw)
    names()


if __name__ == "__main__":
    main()
