"""Count what check_grads gets wrong: false alarms at and near kinks, and planted faults that it misses.

    python benchmarks/checks.py [--kinked 20000] [--covered 2000] [--jobs 2]

The kinked cases are compositions of relu, abs, maximum, floor, where, softmax and their like, at points 0, 1e-16, ...
1e-1 away from the kinks of one or several of them. Where the check raises, mpmath judges, at 60 digits: if the slopes
to both sides are the same and the engine's gradient is another, as that of relu(x) - relu(-x) at 0 is, it was right to.

The faults are wrong derivatives of known functions, by themselves and under covers: softmax, cross-entropy, where, max,
clamp, mean. All are drawn from fixed seeds, so that every run counts the same.
"""

from __future__ import annotations

import argparse
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

import mpmath
from rich.console import Console
from rich.progress import track

import micrograd_plus as mp
from micrograd_plus.check.checking import check_grads
from micrograd_plus.check.reports import Finding, GradientError
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.rows import FUNCTIONS

Function = Callable[..., Any]
rows: Any = mp

# -------------------------------------------------------------------------------------------------------- kinked cases


def _exact_softmax(values: list[Any]) -> list[Any]:
    total = sum(map(mpmath.exp, values))
    return [mpmath.exp(value) / total for value in values]


exact = SimpleNamespace(  # the same functions by mpmath, for as many digits as it is told to keep
    relu=lambda t: max(t, mpmath.mpf(0)),
    sign=mpmath.sign,
    leaky_relu=lambda t: t if t > 0 else mpmath.mpf(0.01) * t,
    celu=lambda t: t if t > 0 else mpmath.expm1(t),
    clamp=lambda t, low, high: min(max(t, low), high),
    hardtanh=lambda t: min(max(t, mpmath.mpf(-1)), mpmath.mpf(1)),
    round=mpmath.nint,
    floor=mpmath.floor,
    maximum=max,
    minimum=min,
    where=lambda condition, t, u: t if condition else u,
    less=lambda t, u: t < u,
    equal=lambda t, u: t == u,
    tanh=mpmath.tanh,
    sin=mpmath.sin,
    square=lambda t: t * t,
    exp=mpmath.exp,
    sigmoid=lambda t: 1 / (1 + mpmath.exp(-t)),
    mean=lambda values: sum(values) / len(values),
    softmax=_exact_softmax,
    log_softmax=lambda values: [mpmath.log(value) for value in _exact_softmax(values)],
    logsumexp=lambda values: mpmath.log(sum(map(mpmath.exp, values))),
    losses=SimpleNamespace(cross_entropy=lambda logits, target: -mpmath.log(_exact_softmax(logits)[target])),
)
# each function takes the functions it is made of, mp's or those by mpmath
BENT: dict[str, tuple[Function, list[float]]] = {  # of one number, and where their kinks are
    "relu": (lambda m, t: m.relu(t), [0.0]),
    "abs": (lambda _, t: abs(t), [0.0]),
    "sign": (lambda m, t: m.sign(t), [0.0]),
    "leaky_relu": (lambda m, t: m.leaky_relu(t), [0.0]),
    "celu": (lambda m, t: m.celu(t), [0.0]),
    "hardtanh": (lambda m, t: m.hardtanh(t), [-1.0, 1.0]),
    "clamp": (lambda m, t: m.clamp(t, -0.5, 2.0), [-0.5, 2.0]),
    "round": (lambda m, t: m.round(t), [0.5, 1.5, -2.5]),
    "floor": (lambda m, t: m.floor(t), [0.0, 1.0, -3.0]),
    "branch": (lambda _, t: t * t if t > 0 else -2.0 * t, [0.0]),  # an if of the user's own
    "glued": (lambda m, t: m.where(m.less(t, 0.0), t, m.sin(t)), [0.0]),  # without a kink
    "relu - relu": (lambda m, t: m.relu(t) - m.relu(-t), [0.0]),  # two kinks that make none
    "hole": (lambda m, t: m.where(m.equal(t, 0.0), 0.0, t), [0.0]),
}
CHOICES: dict[str, Function] = {  # of two numbers, with a kink where these are the same, or one that could be there
    "maximum": lambda m, t, u: m.maximum(t, u),
    "minimum": lambda m, t, u: m.minimum(t, u),
    "max": lambda _, t, u: max(t, u),
    "where": lambda m, t, u: m.where(m.less(t, u), 3.0 * t, u * u),
    "where of the difference": lambda m, t, u: m.where(t - u, t, u + 1.0),
    "softmax": lambda m, t, u: m.softmax([t, u, 0.0])[0],
    "log_softmax": lambda m, t, u: m.log_softmax([t, u])[1],
    "logsumexp": lambda m, t, u: m.logsumexp([u, t]),
    "cross_entropy": lambda m, t, u: m.losses.cross_entropy([t, u, 0.0], 0),
    "mean": lambda m, t, u: m.mean([t, abs(u), t * u]),
}
SMOOTH: dict[str, Function] = {
    "tanh": lambda m, t: m.tanh(t),
    "sin": lambda m, t: m.sin(t),
    "square": lambda m, t: m.square(t),
    "exp": lambda m, t: m.exp(-t * t),
    "scale": lambda _, t: -1.7 * t + 0.3,
    "sigmoid": lambda m, t: m.sigmoid(t),
}
DISTANCES = [0.0, *[sign * 10.0**-k for k in range(1, 17) for sign in (1.0, -1.0)]]


class Kinked(NamedTuple):
    """A function with kinks, the same by mpmath, a point at or near them, and how it was made."""

    f: Function
    exact: Function
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
        numbers.append(step(mp, numbers))

    for _ in range(random.randint(1, 4)):
        i, j = random.randrange(len(numbers)), random.randrange(len(numbers))
        if random.random() < 0.4:
            name, smooth = random.choice(list(SMOOTH.items()))
            add(f"{name} of {i}", lambda m, v, f=smooth, i=i: f(m, v[i]))
            i = len(numbers) - 1
        if random.random() < 0.4:
            name, choose = random.choice(list(CHOICES.items()))
            shift = float(numbers[j]) - float(numbers[i]) if random.random() < 0.8 else 0.1
            add(f"{name} of {i} + {shift}, {j}", lambda m, v, f=choose, i=i, j=j, s=shift: f(m, v[i] + s, v[j]))
        else:
            name, (bent, kinks) = random.choice(list(BENT.items()))
            shift = random.choice(kinks) - float(numbers[i]) if random.random() < 0.8 else 0.0
            if random.random() < 0.5 and shift != 0.0 and numbers[i]:
                factor = 1.0 + shift / float(numbers[i])
                add(f"{name} of {factor} · {i}", lambda m, v, f=bent, i=i, s=factor: f(m, v[i] * s))
            else:
                add(f"{name} of {i} + {shift}", lambda m, v, f=bent, i=i, s=shift: f(m, v[i] + s))
    last, other = len(numbers) - 1, random.randrange(len(numbers))
    mix = random.choice([None, lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b])
    if mix is not None:
        add(f"mixed with {other}", lambda _, v: mix(v[last], v[other]))

    def by(m: Any) -> Function:
        def f(*xs: Any) -> Any:
            values = list(xs)
            for step in steps:
                values.append(step(m, values))
            return values[-1] + 0.0 * xs[0]

        return f

    distances = [random.choice(DISTANCES) for _ in point]
    return Kinked(by(mp), by(exact), tuple([x + d for x, d in zip(point, distances)]), "; ".join(said))


def justified(case: Kinked, finding: Finding) -> bool:
    """Whether mpmath says so too: all slopes near the point, to all its sides, are one that is not the engine's."""
    places = [int(place) for place in re.findall(r"xs\[(\d)\]", finding.derivative.partition("/")[2])]
    places = (places * finding.order)[: finding.order]  # ∂²f/∂x² names it once

    def slope(steps: tuple[Any, ...]) -> Any:
        """A quotient of differences, by each place with its step."""
        total = mpmath.mpf(0)
        for moved in product((False, True), repeat=len(places)):
            at = [mpmath.mpf(x) for x in case.args]
            for place, step, moves in zip(places, steps, moved):
                at[place] += step * moves
            total += (-1) ** (len(places) - sum(moved)) * case.exact(*at)
        return total / mpmath.fprod(steps)

    with mpmath.workdps(90):
        sizes = [mpmath.mpf(10) ** -k for k in (25, 20, 16, 14, 12, 10, 8)]
        near = [slope(steps) for size in sizes for steps in product((size, -size), repeat=len(places))]
        got = mpmath.mpf(finding.got)
        room = 1e-5 * max([abs(x) for x in (*near, got) if mpmath.isfinite(x)])
        return all(abs(other - near[0]) <= room for other in near) and not abs(got - near[0]) <= room


def false_alarms(count: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """Where the check has raised though nothing is wrong; and what has become of all the derivatives.

    Every fifth case is checked to order 2.
    """
    random = Random(seed)
    alarms = []
    fates: Counter[str] = Counter()
    for i in range(count):
        case = kinked(random)
        try:
            report = check_grads(case.f, case.args, order=2 if i % 5 == 0 else 1)
        except GradientError as error:
            report = error.report
            if not all(justified(case, finding) for finding in report.failures):
                alarms.append(f"{case.made} at {case.args}: {error}")
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


# -------------------------------------------------------------------------------------------------- faults under covers

# of a number t, which is c at the point, and of another, y: the slope by t is not 0
COVERS: dict[str, Function] = {
    "softmax": lambda t, c, y: mp.softmax([t, y, c])[0],  # t and c tie
    "softmax of another": lambda t, c, y: mp.softmax([c - 1.0, t, y])[2],
    "log_softmax": lambda t, _, y: mp.log_softmax([y, t])[0],
    "logsumexp": lambda t, c, y: mp.logsumexp([y, t, c]),
    "cross_entropy of a class": lambda t, c, y: mp.losses.cross_entropy([t, y, c], 0),
    "cross_entropy of another": lambda t, _, y: mp.losses.cross_entropy([y, t], 0),
    "cross_entropy of probabilities": lambda t, c, y: mp.losses.cross_entropy([t, y, c], [0.1, 0.6, 0.3]),
    "where, then": lambda t, c, y: mp.where(mp.less(t, c + 0.1), t, y),
    "where, else": lambda t, c, y: mp.where(mp.less(c + 0.1, t), y, t),
    "where of the number itself": lambda t, c, y: mp.where(t - c, t, 1.0 * t) + y,  # no kink, where both ways meet
    "where, both": lambda t, c, y: mp.where(mp.less(t, c), t, mp.identity(t)) * y,
    "max": lambda t, c, _: max(t, c - 0.1),
    "maximum": lambda t, c, y: mp.maximum(c - 0.1, t) * y,
    "minimum": lambda t, c, _: mp.minimum(t, c + 0.1),
    "ties": lambda t, _, y: mp.maximum(t, t) + y,
    "clamp": lambda t, c, _: mp.clamp(t, c - 0.1, c + 0.2),
    "relu": lambda t, c, _: mp.relu(t - c + 0.1),
    "celu at its joint": lambda t, c, y: mp.celu(t - c) + y,
    "mean": lambda t, c, y: mp.mean([t, y, c, 1.0]),
    "sum": lambda t, c, y: t + y - c,
}
BENT_TWICE = {"celu at its joint"}  # whose second derivative jumps there
UNARY = ["sin", "cos", "tanh", "exp", "sigmoid", "softplus", "square", "atan", "gelu", "log", "sqrt", "reciprocal"]
KINDS = ["data", "float", "missing path", "wrong branch", "not finite", *[k for k in FAULTS if k != "wrong beyond 3"]]


class Covered(NamedTuple):
    """A fault under one or two covers: the function with it, the same without, where, and the first wrong order."""

    name: str
    faulty: Function
    right: Function
    made: Any  # a block in which the faulty function is made
    args: tuple[float, float]
    order: int


def _inner(kind: str, name: str, random: Random) -> tuple[Function, Function, tuple[str, Function, list[Any]] | None]:
    """A function of x and y with a fault in it, which takes a primitive; the same without; what the primitive is."""
    f, op = FUNCTIONS[name], TABLE[name]
    partial: Any = op.partials[0]
    forward: Any = op.forward
    if kind == "data":
        return (lambda _, x, y: f(x) * y.data), (lambda x, y: f(x) * y), None
    if kind == "float":
        return (lambda _, x, y: f(y) + math.sin(x)), (lambda x, y: f(y) + mp.sin(x)), None
    if kind == "missing path":
        none: Any = random.choice([None, lambda *_: 0.0])
        rule = ("hypot", math.hypot, [lambda out, x, _: mp.div(x, out), none])
        return (lambda p, x, y: p(f(x), y)), (lambda x, y: mp.hypot(f(x), y)), rule
    if kind == "wrong branch":
        swapped: list[Any] = [lambda _, x, y: mp.less(x, y), lambda _, x, y: mp.less(y, x)]
        return (lambda p, x, y: p(f(x), y)), (lambda x, y: mp.maximum(f(x), y)), ("maximum", max, swapped)
    slope = random.choice([math.nan, math.inf])
    wrong = (lambda _, x: 0.0 * x + slope) if kind == "not finite" else FAULTS[kind](partial)
    return (lambda p, x, y: p(x) * y), (lambda x, y: f(x) * y), (name, forward, [wrong])


def covered(random: Random) -> Covered:
    """A fault under one or two covers."""
    kind, name = random.choice(KINDS), random.choice(UNARY)
    taken = [item for item in COVERS.items() if kind not in LATER or item[0] not in BENT_TWICE]
    covers = [random.choice(taken) for _ in range(random.choice([1, 1, 2]))]
    place = random.uniform(0.4, 1.6), random.uniform(0.5, 1.5)
    faulty, right, rule = _inner(kind, name, random)
    centres = [float(right(*place))]
    for _, cover in covers:
        centres.append(float(cover(centres[-1], centres[-1], place[1])))

    def under(inner: Function) -> Function:
        def f(x: Any, y: Any) -> Any:
            t = inner(x, y)
            for centre, (_, cover) in zip(centres, covers):
                t = cover(t, centre, y)
            return t

        return f

    block: Any = nullcontext() if rule is None else primitive(f"faulty_{rule[0]}", *rule[1:])
    said = f"{kind} in {name} at {place} under {', '.join([cover for cover, _ in covers])}"
    with_fault = lambda p: under(lambda x, y: faulty(p, x, y))  # noqa: E731 - a function of the primitive
    return Covered(said, with_fault, under(right), block, place, 2 if kind in LATER else 1)


def _slopes(f: Function, args: tuple[float, ...], order: int) -> list[float]:
    """The derivatives of that order, by the engine."""
    xs = [Value(x) for x in args]
    results = [f(*xs)]
    for _ in range(1, order):
        results = [slope for y in results for slope in mp.gradient(y, xs, create_graph=True)]
    return [slope for y in results for slope in mp.gradient(y, xs)]


def matters(wrong: list[float], right: list[float]) -> bool:
    """Whether one of the derivatives that are not too small is wrong by more than 2e-5 of its size."""
    return any(
        not abs(w - r) <= 2e-5 * max(abs(r), abs(w)) and not abs(r) + abs(w) < 1e-3 for w, r in zip(wrong, right)
    )


def missed_under_covers(count: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """The faults under covers that no check has seen, and how many there were of each kind."""
    random = Random(seed)
    missed: list[str] = []
    kinds: Counter[str] = Counter()
    while kinds.total() < count:
        case = covered(random)
        with case.made as function:
            faulty = case.faulty(function)
            if not matters(_slopes(faulty, case.args, case.order), _slopes(case.right, case.args, case.order)):
                continue  # as where the wrong branch is the right one
            kinds[case.name.partition(" in ")[0]] += 1
            try:
                check_grads(faulty, case.args, order=case.order)
            except GradientError:
                continue
            missed.append(case.name)
    return missed, kinds


# ---------------------------------------------------------------------------------------------------------------- main

CHUNK = 100


def main() -> None:
    """Count all, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinked", type=int, default=20_000, help="functions at and near kinks (default 20000)")
    parser.add_argument("--covered", type=int, default=2_000, help="faults under covers (default 2000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    chosen = parser.parse_args()
    warnings.simplefilter("error")
    with ProcessPoolExecutor(chosen.jobs) as pool:
        counted = _counted(pool, false_alarms, chosen.kinked, "at and near kinks")
        tried = _counted(pool, missed_under_covers, chosen.covered, "under covers")
        missed, planned = pool.submit(missed_faults).result()
    alarms = [alarm for found, _ in counted for alarm in found]
    hidden = [name for found, _ in tried for name in found]
    fates = sum([fates for _, fates in counted], start=Counter[str]())
    kinds = sum([kinds for _, kinds in tried], start=Counter[str]())
    for problem in [*alarms[:5], *missed[:20], *hidden[:20]]:
        print(problem)
    print(", ".join(f"{number:,} {fate}" for fate, number in fates.most_common()), "(wrong: by mpmath too)")
    print(f"false alarms: {len(alarms)} of {chosen.kinked:,}")
    print(f"missed faults: {len(missed)} of {planned:,}; under covers: {len(hidden)} of {kinds.total():,}")
    print(", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common()))


def _counted(pool: ProcessPoolExecutor, count: Function, cases: int, name: str) -> list[Any]:
    """What each piece of the work finds, by a seed of its own."""
    sizes = [min(CHUNK, cases - start) for start in range(0, cases, CHUNK)]
    return [*track(pool.map(count, sizes, range(len(sizes))), name, len(sizes), console=Console(stderr=True))]


if __name__ == "__main__":
    main()
