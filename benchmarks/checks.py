"""Count what check_grads gets wrong: false alarms at and near kinks, and planted faults that it misses.

    python benchmarks/checks.py [count of kinked cases]

The kinked cases are compositions of relu, abs, maximum, floor and their like, at points 0, 1e-16, ... 1e-1 away from
the kinks of one or several of them. The faults are wrong derivatives of known functions. Both are drawn from fixed
seeds, so that every run counts the same.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import micrograd_plus as mp
from micrograd_plus.check import GradientError, check_grads
from micrograd_plus.engine import TABLE, Op, Value
from micrograd_plus.rows import FUNCTIONS

Function = Callable[..., Any]
rows: Any = mp

# -------------------------------------------------------------------------------------------------------- kinked cases

BENT: dict[str, tuple[Function, list[float]]] = {  # functions of one number, and where their kinks are
    "relu": (mp.relu, [0.0]),
    "abs": (abs, [0.0]),
    "sign": (mp.sign, [0.0]),
    "leaky_relu": (mp.leaky_relu, [0.0]),
    "hardtanh": (mp.hardtanh, [-1.0, 1.0]),
    "clamp": (lambda t: mp.clamp(t, -0.5, 2.0), [-0.5, 2.0]),
    "round": (mp.round, [0.5, 1.5, -2.5]),
    "floor": (mp.floor, [0.0, 1.0, -3.0]),
    "branch": (lambda t: t * t if t > 0 else -2.0 * t, [0.0]),  # an if of the user's own
}
CHOICES: dict[str, Function] = {  # functions of two numbers, with a kink where these are the same
    "maximum": mp.maximum,
    "minimum": mp.minimum,
    "max": max,
    "where": lambda t, u: mp.where(mp.less(t, u), 3.0 * t, u * u),
    "where of the difference": lambda t, u: mp.where(t - u, t, u + 1.0),
}
SMOOTH: dict[str, Function] = {
    "tanh": mp.tanh,
    "sin": mp.sin,
    "square": mp.square,
    "exp": lambda t: mp.exp(-t * t),
    "scale": lambda t: -1.7 * t + 0.3,
    "sigmoid": mp.sigmoid,
}
DISTANCES = [0.0, *[sign * 10.0**-k for k in range(1, 17) for sign in (1.0, -1.0)]]


class Kinked(NamedTuple):
    """A function with kinks, a point at or near them, and how it was made."""

    f: Function
    args: tuple[float, ...]
    made: str


def kinked(random: Random) -> Kinked:
    """A composition of one to four bent functions and some smooth ones, near its kinks."""
    point = [random.choice([0.0, 1.0, -2.0, random.uniform(-3.0, 3.0)]) for _ in range(random.randint(1, 2))]
    steps: list[Function] = []
    said: list[str] = []
    numbers: list[Any] = list(point)

    def add(name: str, step: Function) -> None:
        steps.append(step)
        said.append(name)
        numbers.append(step(numbers))

    for _ in range(random.randint(1, 4)):
        i, j = random.randrange(len(numbers)), random.randrange(len(numbers))
        if random.random() < 0.4:
            name, smooth = random.choice(list(SMOOTH.items()))
            add(f"{name} of {i}", lambda v, f=smooth, i=i: f(v[i]))
            i = len(numbers) - 1
        if random.random() < 0.35:
            name, choose = random.choice(list(CHOICES.items()))
            shift = float(numbers[j]) - float(numbers[i]) if random.random() < 0.8 else 0.1
            add(f"{name} of {i} + {shift}, {j}", lambda v, f=choose, i=i, j=j, s=shift: f(v[i] + s, v[j]))
        else:
            name, (bent, kinks) = random.choice(list(BENT.items()))
            shift = random.choice(kinks) - float(numbers[i]) if random.random() < 0.8 else 0.0
            if random.random() < 0.5 and shift != 0.0 and numbers[i]:
                factor = 1.0 + shift / float(numbers[i])
                add(f"{name} of {factor} · {i}", lambda v, f=bent, i=i, s=factor: f(v[i] * s))
            else:
                add(f"{name} of {i} + {shift}", lambda v, f=bent, i=i, s=shift: f(v[i] + s))
    last, other = len(numbers) - 1, random.randrange(len(numbers))
    mix = random.choice([None, lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b])
    if mix is not None:
        add(f"mixed with {other}", lambda v: mix(v[last], v[other]))

    def f(*xs: Any) -> Any:
        values = list(xs)
        for step in steps:
            values.append(step(values))
        return values[-1] + 0.0 * xs[0]

    distances = [random.choice(DISTANCES) for _ in point]
    return Kinked(f, tuple([x + d for x, d in zip(point, distances)]), "; ".join(said))


def false_alarms(count: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """Where the check has raised though nothing is wrong; and what has become of all the derivatives.

    Every fifth case is checked to order 2.
    """
    random = Random(seed)
    alarms = []
    fates: Counter[str] = Counter()
    for i in range(count):
        f, args, made = kinked(random)
        try:
            report = check_grads(f, args, order=2 if i % 5 == 0 else 1)
        except GradientError as error:
            alarms.append(f"{made} at {args}: {error}")
            report = error.report
        fates["agree"] += report.agreed
        fates.update([finding.status for finding in report.findings])
    return alarms, fates


# -------------------------------------------------------------------------------------------------------------- faults


class Fault(NamedTuple):
    """A wrong derivative, and the check that has to see it."""

    name: str
    check: Callable[[], object]


# what is done to a partial p at its argument x; and the first order that is wrong
FAULTS: dict[str, Callable[[Function], Function]] = {
    "wrong sign": lambda p: lambda out, *x: -p(out, *x),
    "factor 2": lambda p: lambda out, *x: 2.0 * p(out, *x),
    "missing term": lambda p: lambda out, *x: p(out, *x) - mp.square(out),
    "off by 1e-4": lambda p: lambda out, *x: 1.0001 * p(out, *x),
    "wrong beyond 3": lambda p: lambda out, *x: mp.where(mp.less(3.0, x[0]), 1.1, 1.0) * p(out, *x),
    "stop_gradient": lambda p: lambda out, *x: mp.stop_gradient(p(out, *x)),
    "data": lambda p: lambda out, *x: float(p(out, *x)),
}
LATER = {"stop_gradient", "data"}  # wrong in the second order only
CURVED = ["sin", "cos", "tanh", "exp", "sigmoid", "softplus", "square", "atan", "gelu", "silu", "erf", "asinh"]
HALF = ["log", "sqrt", "reciprocal", "cbrt", "rsqrt", "log1p"]  # for positive numbers
PAIRS = ["mul", "div", "pow", "hypot", "logaddexp", "atan2"]


@contextmanager
def planted(op: Op, place: int, fault: str) -> Iterator[None]:
    """A row with a wrong partial, for as long as the block lasts."""
    before = op.partials
    wrong = FAULTS[fault](before[place])  # type: ignore[arg-type]  # the rows above have their partials
    op.partials = (*before[:place], wrong, *before[place + 1 :])
    try:
        yield
    finally:
        op.partials = before


@contextmanager
def primitive(name: str, forward: Function, partials: list[Function]) -> Iterator[Function]:
    """A primitive that is forgotten at the end of the block."""
    try:
        yield mp.primitive(name, forward, partials)
    finally:
        TABLE.pop(name, None)
        FUNCTIONS.pop(name, None)
        if hasattr(Value, name):
            delattr(Value, name)


def faults() -> Iterator[Fault]:
    """Wrong partials in the table's rows, in primitives, and in gradients that are given."""
    for fault in FAULTS:
        beyond = fault == "wrong beyond 3"
        for name in CURVED + HALF:
            yield Fault(f"{name}, {fault}, by itself", _row(name, 0, fault, rows_of(name), None))
            x = 3.4 if beyond else 0.7
            yield Fault(f"{name}, {fault}, composed", _row(name, 0, fault, _composed(name, beyond), (x, 1.3)))
            yield Fault(f"{name}, {fault}, a primitive", _primitive(name, fault))
            if fault not in LATER:
                yield Fault(f"{name}, {fault}, given", _gradient(name, fault))
        for name in PAIRS:
            for place in (0, 1):
                if name == "mul" and fault in LATER:
                    continue
                where = f"{name}, {fault}, argument {place + 1}"
                if name != "mul":  # sums and products have a short cut past their rows
                    yield Fault(where, _row(name, place, fault, rows_of(name), None))
                yield Fault(f"{where}, a primitive", _pair(name, place, fault))


def rows_of(name: str) -> Function:
    return FUNCTIONS[name]


def _row(name: str, place: int, fault: str, f: Function, args: Any) -> Callable[[], object]:
    def check() -> object:
        with planted(TABLE[name], place, fault):
            return check_grads(f, args)

    return check


def _composed(name: str, beyond: bool) -> Function:
    function = FUNCTIONS[name]
    if beyond:
        return lambda x, y: function(x) * mp.tanh(y)
    return lambda x, y: mp.tanh(function(x * y) + mp.square(y)) * y


def _primitive(name: str, fault: str) -> Callable[[], object]:
    op = TABLE[name]

    def check() -> object:
        wrong = FAULTS[fault](op.partials[0])  # type: ignore[arg-type]
        with primitive(f"faulty_{name}", op.forward, [wrong]) as function:  # type: ignore[arg-type]
            return check_grads(lambda x: mp.mean([function(x), 1.0]), 3.6)

    return check


def _pair(name: str, place: int, fault: str) -> Callable[[], object]:
    op = TABLE[name]

    def check() -> object:
        partials: list[Any] = list(op.partials)
        partials[place] = FAULTS[fault](partials[place])
        with primitive(f"faulty_{name}", op.forward, partials) as function:  # type: ignore[arg-type]
            return check_grads(lambda v: function(v["a"], v["b"][0]), [{"a": 3.5, "b": [1.2]}])

    return check


def _gradient(name: str, fault: str) -> Callable[[], object]:
    op = TABLE[name]
    wrong = FAULTS[fault](op.partials[0])  # type: ignore[arg-type]

    def check() -> object:
        return check_grads(op.forward, 3.3, gradient=lambda x: wrong(op.forward(x), x))  # type: ignore[arg-type, misc]

    return check


def missed_faults() -> tuple[list[str], int]:
    """The faults that no check has seen, and how many there were."""
    missed, count = [], 0
    for name, check in faults():
        count += 1
        try:
            check()
        except GradientError:
            continue
        missed.append(name)
    return missed, count


def main() -> None:
    """Count both, and print them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    alarms, fates = false_alarms(count)
    missed, planned = missed_faults()
    for problem in [*alarms[:5], *missed[:20]]:
        print(problem)
    print(", ".join(f"{number:,} {fate}" for fate, number in fates.most_common()))
    print(f"false alarms: {len(alarms)} of {count:,}; missed faults: {len(missed)} of {planned}")


if __name__ == "__main__":
    main()
