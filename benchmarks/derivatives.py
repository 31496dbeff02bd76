"""Check derivatives of higher order against mpmath and PyTorch, and time a Hessian-vector product in gradients.

    python benchmarks/derivatives.py
    python benchmarks/derivatives.py --symmetry 10000   # the Hessian of each row at so many points; minutes

Needs mpmath (`pip install 'micrograd-plus[dev]'`); the Hessian is compared where PyTorch is installed.
"""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import combinations
from math import inf, isclose, isfinite, isnan, nan
from statistics import median
from time import perf_counter
from typing import Any

import mpmath

import micrograd_plus as mp
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS

ROUNDS = 9
EDGES = (0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, 1e-8, 23.0, 700.0, 1e154, 1e308, -1e308, 1e-308, 5e-324, inf, -inf, nan)


def third_derivative() -> None:
    got = mp.grad(mp.grad(mp.grad(mp.tanh)))(0.3)
    with mpmath.workdps(60):
        want = mpmath.diff(mpmath.tanh, mpmath.mpf(0.3), 3)
        error = float(abs(got - want) / abs(want))
    print(f"grad(grad(grad(tanh)))(0.3) = {got!r}, mpmath {float(want)!r}: relative difference {error:.1e}")


def symmetry(points: int) -> None:
    """Compare the mixed derivatives of each row of several arguments, taken in both orders and by each kind of pass."""
    for name, f in FUNCTIONS.items():
        op, draw = TABLE[name], random.Random(1)
        count = len(op.partials) - len(op.options)
        if count < 2:
            continue
        bad = []
        for _ in range(points):
            args = [draw.choice((draw.choice(EDGES), draw.uniform(-3.0, 3.0), anywhere(draw))) for _ in range(count)]
            for i, j in combinations(range(count), 2):
                first, *others = mixed(f, i, j, args)
                size = max([abs(x) for k in (i, j) if isfinite(x := mp.grad(mp.grad(f, k), k)(*args))], default=0.0)
                close = [isclose(first, x, rel_tol=1e-9, abs_tol=1e-12 * size) for x in others]
                if not all(close) and not all(map(isnan, (first, *others))):
                    bad.append((args, first, *others))
        print(f"{name:12} {points:,} points, {len(bad)} without symmetry", *bad[:1])


def anywhere(draw: random.Random) -> float:
    """A number of any size."""
    return draw.choice((-1.0, 1.0)) * float(f"1e{draw.randint(-308, 307)}") * draw.uniform(1.0, 9.9)


def mixed(f: Callable[..., Any], i: int, j: int, args: list[float]) -> list[float]:
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


def function(lib: Any, v: Any) -> Any:
    """A function of five numbers."""
    a, b, c, d, e = v
    return lib.sin(a * b) * lib.exp(c) + lib.sigmoid(d * e) / (1.0 + a * a) + lib.tanh(b * c * d) * e**3


def hessian() -> None:
    if find_spec("torch") is None:
        print("5x5 Hessian: PyTorch is not installed")
        return
    torch: Any = import_module("torch")  # it may not be there, and its hessian has no types
    x = [0.3, -0.7, 1.1, 0.5, -1.3]
    ours = mp.hessian(lambda v: function(mp, v))(x)
    theirs = torch.autograd.functional.hessian(lambda v: function(torch, v), torch.tensor(x, dtype=torch.float64))
    differences = [abs(a - b) for mine, other in zip(ours, theirs.tolist()) for a, b in zip(mine, other)]
    print(f"5x5 Hessian: largest difference from torch.autograd.functional.hessian {max(differences):.1e}")


def hessian_vector_product() -> None:
    """On the cost of one image: the time in gradients, and the memory in graphs."""
    draw = random.Random(1)
    model = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", init="xavier", seed=1)
    pixels = [draw.random() for _ in range(784)]
    direction = {name: draw.gauss(0.0, 1.0) for name, _ in model.named_parameters()}

    def cost(network: mp.MLP) -> Any:
        return mp.losses.squared_error(network(pixels), mp.data.one_hot(3))

    def gradient() -> None:
        model.zero_grad()
        cost(model).backward()

    def product() -> dict[str, float]:
        got: dict[str, float] = mp.hvp(cost)(model, direction)
        return got

    check(cost, model, direction, product())
    times = [(seconds(gradient), seconds(lambda: mp.grad(cost)(model)), seconds(product)) for _ in range(ROUNDS)]
    eager, derived, along = [median(column) for column in zip(*times)]
    print(f"hvp on 784-16-16-10, {len(direction):,} parameters: {1e3 * along:.0f} ms")
    print(f"  {along / eager:.1f} times zero_grad, forward and backward ({1e3 * eager:.0f} ms)")
    print(f"  {along / derived:.1f} times mp.grad(cost)(model) ({1e3 * derived:.0f} ms)")
    small, large = peak(gradient), peak(product)
    print(f"  {large / 2**20:.0f} MiB at its peak, a gradient {small / 2**20:.0f}; a Hessian would be 1,290")


def check(cost: Callable[[Any], Any], model: mp.MLP, direction: dict[str, float], product: dict[str, float]) -> None:
    """The product is how the gradient changes along the direction, by a central difference."""
    step = 1e-5
    start = {name: parameter.data for name, parameter in model.named_parameters()}
    sides = []
    for sign in (1.0, -1.0):
        for name, parameter in model.named_parameters():
            parameter.data = start[name] + sign * step * direction[name]
        sides.append(mp.grad(cost)(model))
    for name, parameter in model.named_parameters():
        parameter.data = start[name]
    largest = max(map(abs, product.values()))
    off = max(abs((sides[0][n] - sides[1][n]) / (2 * step) - product[n]) for n in product) / largest
    if off > 1e-6:
        raise SystemExit(f"the product is off by {off:.1e} of its largest number")
    print(f"hvp agrees with differences of gradients to {off:.1e} of its largest number")


def seconds(run: Callable[[], Any]) -> float:
    gc.collect()
    start = perf_counter()
    run()
    return perf_counter() - start


def peak(run: Callable[[], Any]) -> int:
    """The most bytes that Python held at once in it."""
    gc.collect()
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    if sys.argv[1:2] == ["--symmetry"]:
        symmetry(int(sys.argv[2]))
    else:
        third_derivative()
        hessian()
        hessian_vector_product()
