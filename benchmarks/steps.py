"""A whole training step, batch in and optimizer stepped: ours, torch's own loop, and NumPy by hand.

Not a script: what compiled.py shares. A batch is a slice of examples that were shuffled before, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import cycle
from typing import Any

import numpy as np
from networks import Floats, Network, by_hand, flat, model_and_cost, program_of, torch_cost, torch_layers
from peers import Task

EXAMPLES = 1024
RATES = {"SGD": 0.1, "Adam": 0.001}
CHECKED = 3  # steps after which the parameters are compared

Steps = tuple[Callable[[], object], Callable[[], Floats]]  # takes a step; the parameters as they are now


def ours(case: Network, optimizer: str) -> Steps:
    mp = import_module("micrograd_plus")
    program, (x, y) = program_of(case), case.data(EXAMPLES)
    stepping = getattr(mp.optim, optimizer)(model_and_cost(case)[0].parameters(), lr=RATES[optimizer])
    theta, batches = case.theta(), slices(case)

    def step() -> float:
        nonlocal theta
        batch = next(batches)
        loss, gradient = program.value_and_grad(x[batch], y[batch], parameters=theta)
        theta = stepping.update(theta, gradient)
        return float(loss)

    return step, lambda: theta


def numpy_by_hand(case: Network, optimizer: str) -> Steps:
    layers, (x, y) = [(w.copy(), b.copy()) for w, b in case.layers()], case.data(EXAMPLES)
    stepping = sgd(RATES["SGD"]) if optimizer == "SGD" else adam(RATES["Adam"], layers)
    batches = slices(case)

    def step() -> float:
        batch = next(batches)
        loss, gradients = by_hand(layers, case, x[batch], y[batch])
        stepping(layers, gradients)
        return loss

    return step, lambda: flat(layers)


def sgd(rate: float) -> Callable[[Any, Any], None]:
    def step(layers: Any, gradients: Any) -> None:
        for layer, gradient in zip(layers, gradients):
            for p, g in zip(layer, gradient):
                g *= rate
                p -= g

    return step


def adam(rate: float, layers: Any, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Callable[..., None]:
    moments = [[(np.zeros_like(p), np.zeros_like(p)) for p in layer] for layer in layers]
    t = 0

    def step(layers: Any, gradients: Any) -> None:
        nonlocal t
        t += 1
        correction = (1.0 - beta2**t) ** 0.5
        for layer, gradient, remembered in zip(layers, gradients, moments):
            for p, g, (m, v) in zip(layer, gradient, remembered):
                m *= beta1
                m += (1.0 - beta1) * g
                g *= g
                v *= beta2
                g *= 1.0 - beta2
                v += g
                down = np.sqrt(v)
                down /= correction
                down += eps
                np.divide(m, down, out=down)
                down *= rate / (1.0 - beta1**t)
                p -= down

    return step


def torch_loop(case: Network, optimizer: str) -> Steps:
    torch = import_module("torch")
    layers, (x, y) = torch_layers(case), map(torch.tensor, case.data(EXAMPLES))
    stepping = getattr(torch.optim, optimizer)([p for layer in layers for p in layer], lr=RATES[optimizer])
    batches = slices(case)

    def step() -> Any:
        batch = next(batches)
        stepping.zero_grad()
        loss = torch_cost(case, layers, x[batch], y[batch])
        loss.backward()
        stepping.step()
        return loss.detach()

    return step, lambda: flat([(w.detach(), b.detach()) for w, b in layers])


def slices(case: Network) -> Iterator[slice]:
    """The batches of an epoch, over and over."""
    starts = range(0, EXAMPLES - case.batch + 1, case.batch)
    return cycle([slice(start, start + case.batch) for start in starts])


MAKERS: dict[str, Callable[[Network, str], Steps]] = {
    "ours": ours, "NumPy by hand": numpy_by_hand, "torch": torch_loop,
}  # fmt: skip


def training_step(name: str, case: Network, optimizer: str) -> Task:
    """The task of one peer; what must agree are the parameters after a few steps from the same start."""

    def answer() -> Floats:
        step, parameters = MAKERS[name](case, optimizer)
        for _ in range(CHECKED):
            step()
        return parameters()

    step, _ = MAKERS[name](case, optimizer)
    return Task(step, answer)
