"""The two trainings of the command line, each from its settings to its last printed line."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

from click import echo

from micrograd_plus import losses, optim, plots, terminal
from micrograd_plus.data.dataset import Dataset, hold_out, one_hot
from micrograd_plus.data.digits import load_digits
from micrograd_plus.data.mnist import load_mnist
from micrograd_plus.data.moons import make_moons
from micrograd_plus.engine import no_grad
from micrograd_plus.errors import unknown
from micrograd_plus.files import write_atomically
from micrograd_plus.nn import MLP, xavier
from micrograd_plus.ops import sigmoid
from micrograd_plus.progress import percent
from micrograd_plus.runs import BOUNDARY_PLOT, HISTORY_PLOT, run_folder, save_run
from micrograd_plus.training import History, fit
from micrograd_plus.vectors import softmax


class Choice(NamedTuple):
    """What goes with a loss.

    Attributes:
        cost: the loss of an example's outputs and its target.
        output: the activation of the last layer.
        target: what to compare the outputs with, from the label.
        beliefs: how sure the network is of each digit, from 0 to 1, from its outputs.
        lr: a learning rate that suits plain gradient descent.
    """

    cost: Callable[[Any, Any], Any]
    output: str
    target: Callable[[int], Any]
    beliefs: Callable[[list[float]], list[float]]
    lr: float


LOSSES = {
    "squared_error": Choice(losses.squared_error, "sigmoid", one_hot, list, 3.0),
    "mean_squared_error": Choice(losses.mean_squared_error, "sigmoid", one_hot, list, 30.0),
    "cross_entropy": Choice(losses.cross_entropy, "linear", int, softmax, 1.0),
    "binary_cross_entropy": Choice(losses.binary_cross_entropy, "linear", one_hot, sigmoid, 10.0),
}
FALL = 0.1  # the learning rate falls in a straight line to a tenth, as in micrograd's demo


def digits(
    out: str | os.PathLike[str] | None = None,
    *,
    mnist: str | os.PathLike[str] | None = None,
    download: bool = False,
    limit: int | None = None,
    hidden: Sequence[int] = (16, 16),
    activation: str = "sigmoid",
    loss: str = "squared_error",
    optimizer: str = "sgd",
    lr: float | None = None,
    batch_size: int = 10,
    epochs: int = 10,
    seed: int = 2,
) -> bool:
    """Train a network to read handwritten digits; whether it came to the end, and not to Ctrl-C."""
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    choice = LOSSES[loss]
    nin, *nouts = sizes = [64 if mnist is None else 784, *hidden, 10]
    init = _wide if activation == "sigmoid" else "he"
    model = MLP(nin, nouts, activation=activation, output=choice.output, init=init, seed=seed)
    if lr is None and optimizer.lower() == "sgd":
        lr = choice.lr
    descent = optim.by_name(optimizer, model.parameters(), **({} if lr is None else {"lr": lr}))
    lr = descent.lr
    train, held_out = _digits(mnist, limit, download)
    steps = epochs * -(-len(train.labels) // batch_size)
    schedule = optim.LinearLR(descent, start_factor=1.0, end_factor=FALL, total_iters=steps)

    def cost(image: list[float], target: Any) -> Any:
        return choice.cost(model(image), target)

    answers: deque[list[float]] = deque(maxlen=len(held_out.labels))  # the outputs of the last epoch that was judged

    def right(image: list[float], label: int) -> bool:
        answers.append([float(output) for output in model(image)])
        return _said(answers[-1]) == label

    with run_folder(out, "digits-run", model) as folder:
        whose = "digits" if mnist is None else "of MNIST's training images"
        held = "held out" if mnist is None else "of its test images held out"
        echo(f"{len(train.labels):,} {whose} to learn from, {len(held_out.labels):,} {held}")
        echo(f"network {'-'.join(map(str, sizes))} of {len(model.parameters()):,} parameters, {activation}")
        echo(f"{loss}, {optimizer}, batches of {batch_size}, learning rate {lr:g} falling to {FALL * lr:g}\n")
        history = fit(
            cost,
            (train.images, [choice.target(label) for label in train.labels]),
            descent,
            batch_size=batch_size,
            epochs=epochs,
            seed=seed,
            accuracy=right,
            validation=held_out,
            schedule=schedule,
            schedule_every="step",
        )
        settings: dict[str, object] = {
            "job": "digits", "mnist": mnist and os.fspath(mnist), "limit": limit, "layers": sizes,
            "activation": activation, "output": choice.output, "loss": loss, "optimizer": optimizer, "lr": lr,
            "batch_size": batch_size, "epochs": epochs, "seed": seed,
        }  # fmt: skip
        if not _saved(folder, model, history, settings, HISTORY_PLOT, partial(plots.history_plot, history)):
            return False
    _show_answers(held_out, [choice.beliefs(outputs) for outputs in answers])
    echo(f"held-out accuracy {percent(history[-1].accuracy or 0.0)}")
    return True


def moons(
    out: str | os.PathLike[str] | None = None,
    *,
    steps: int = 100,
    points: int = 100,
    noise: float = 0.1,
    seed: int = 1337,
) -> bool:
    """Train micrograd's demo, two moons told apart; whether it came to the end, and not to Ctrl-C."""
    places, labels = make_moons(points, noise, seed)
    model = MLP(2, [16, 16, 1], seed=seed)
    # micrograd adds 1e-4 · Σ p² to the loss, whose gradient is 2e-4 · p: that is weight decay
    descent = optim.SGD(model.parameters(), lr=1.0, weight_decay=2e-4)
    schedule = optim.LinearLR(descent, start_factor=1.0, end_factor=FALL, total_iters=steps)

    def cost(place: list[float], target: int) -> Any:
        return losses.hinge(model(place), target)

    def right(place: list[float], target: int) -> bool:
        return bool((model(place) > 0) == (target > 0))

    def score(place: list[float]) -> float:
        with no_grad():
            return float(model(place))

    with run_folder(out, "moons-run", model) as folder:
        echo(f"{points} points on two moons")
        echo(f"network 2-16-16-1 of {len(model.parameters())} parameters, relu")
        echo(f"hinge loss with L2, sgd, all points at once, learning rate 1 falling to {FALL:g}\n")
        history = fit(
            cost,
            (places, [2 * label - 1 for label in labels]),
            descent,
            batch_size=None,
            epochs=steps,
            shuffle=False,
            accuracy=right,
            schedule=schedule,
        )
        settings: dict[str, object] = {
            "job": "moons", "layers": [2, 16, 16, 1], "points": points, "noise": noise, "steps": steps, "seed": seed,
        }  # fmt: skip
        draw = partial(plots.boundary_plot, score, places, labels)
        if not _saved(folder, model, history, settings, BOUNDARY_PLOT, draw):
            return False
    echo(f"\n{terminal.plane(score, places, labels, ramp=terminal.shades())}\n")
    echo(f"accuracy {percent(history[-1].accuracy or 0.0)}")
    return True


def _wide(generator: random.Random, nin: int, nout: int) -> float:
    """Twice Xavier's range: a sigmoid, whose slope is at most 1/4, passes on less than the tanh he had in mind."""
    return 2.0 * xavier(generator, nin, nout)


def _digits(mnist: str | os.PathLike[str] | None, limit: int | None, download: bool) -> tuple[Dataset, Dataset]:
    """The digits to learn from, and those held out: MNIST's test images, half as many as there are to learn from."""
    if mnist is None:
        return hold_out(load_digits())
    train = load_mnist(mnist, limit=limit, download=download)
    return train, load_mnist(mnist, train=False, limit=limit and max(1, limit // 2), download=download)


def _said(outputs: list[float]) -> int:
    return outputs.index(max(outputs))


def _saved(
    folder: Path,
    model: MLP,
    history: History,
    settings: dict[str, object],
    plot: str,
    draw: Callable[[], bytes],
) -> bool:
    """Write all there is to the folder, and say where; whether the training had come to its end."""
    last = history[-1]
    save_run(folder, model, history, settings | {"accuracy": last.accuracy, "stopped": history.stopped})
    if history.interrupted:
        echo(f"stopped by Ctrl-C in epoch {last.epoch}; what has been learnt is in {os.fspath(folder)}")
        return False
    try:
        write_atomically(folder / plot, draw())
    except ImportError as error:
        echo(f"no {plot}: {error}")
    echo(f"weights, settings and history are in {os.fspath(folder)}")
    return True


def _show_answers(held_out: Dataset, beliefs: list[list[float]]) -> None:
    """The table of mistakes, a few digits that were read, and those misread with the most confidence."""
    from rich.console import Console

    console = Console()
    said = [_said(belief) for belief in beliefs]
    echo("\nwhat was drawn (a row), and what the network said (a column)")
    console.print(terminal.confusion(held_out.labels, said, plain=not console.is_terminal))

    right: dict[int, int] = {}
    for i, label in enumerate(held_out.labels):
        if said[i] == label:
            right.setdefault(label, i)
    sure = [max(belief) for belief in beliefs]
    wrong = sorted((i for i, label in enumerate(held_out.labels) if said[i] != label), key=lambda i: -sure[i])
    count = 4 if isqrt(len(held_out.images[0])) <= 16 else 2
    ramp = terminal.shades()
    for title, chosen in (("right", [right[label] for label in sorted(right)]), ("wrong, the surest first", wrong)):
        pictures = [(held_out.images[i], _caption(said[i], sure[i], held_out.labels[i])) for i in chosen[:count]]
        if pictures:
            echo(f"\n{title} (in brackets how sure it was):\n")
            echo(terminal.gallery(pictures, width=console.width, ramp=ramp))
    echo()


def _caption(said: int, sure: float, label: int) -> list[str]:
    verdict = f"said {said} ({100 * sure:.0f} %)"
    return [verdict] if said == label else [verdict, f"it is {'an' if label == 8 else 'a'} {label}"]
