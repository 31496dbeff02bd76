"""The two trainings of the command line, each from its settings to its last printed line."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

from click import echo

from micrograd_plus import losses, optim
from micrograd_plus._support.errors import unknown
from micrograd_plus._support.files import write_atomically
from micrograd_plus.cli import plots, terminal
from micrograd_plus.cli.runs import BOUNDARY_PLOT, HISTORY_PLOT, run_folder, save_run
from micrograd_plus.data.dataset import Dataset, hold_out, one_hot
from micrograd_plus.data.digits import load_digits
from micrograd_plus.data.mnist import load_mnist
from micrograd_plus.data.moons import make_moons
from micrograd_plus.nn import MLP, xavier
from micrograd_plus.ops.table import sigmoid
from micrograd_plus.ops.vectors import softmax
from micrograd_plus.program import compile
from micrograd_plus.training.judging import predictor
from micrograd_plus.training.loop import fit
from micrograd_plus.training.progress import percent
from micrograd_plus.training.records import History


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
    "binary_cross_entropy_with_logits": Choice(
        losses.binary_cross_entropy_with_logits, "linear", one_hot, sigmoid, 10.0
    ),
}
FALL = 0.1  # the learning rate falls in a straight line to a tenth, as in micrograd's demo


class Recipe(NamedTuple):
    """What a training is made of, unless its options say otherwise.

    Attributes:
        name: how it is called in the settings of a run.
        cosine: whether the rate falls along half a cosine to 0, and not in a straight line to a tenth.
        mnist_epochs: with MNIST, which has forty times as many images as the package.
    """

    name: str
    activation: str
    loss: str
    optimizer: str
    cosine: bool
    batch_size: int
    epochs: int
    mnist_epochs: int


# silu, as a relu that has died is a sixteenth of so small a layer: by 10,000 of MNIST's training images, held out
# from it, silu is right 96.7 % of the time, relu 95.6 to 96.3 %; without the decay silu loses half a percent
TODAY = Recipe("today", "silu", "cross_entropy", "adamw", True, 32, 40, 20)
TEXTBOOK = Recipe("textbook", "sigmoid", "squared_error", "sgd", False, 10, 10, 10)
TUNED = {"adam": {"lr": 0.006}, "adamw": {"lr": 0.006, "weight_decay": 0.1}}  # the others have PyTorch's defaults


def digits(
    out: str | os.PathLike[str] | None = None,
    *,
    mnist: str | os.PathLike[str] | None = None,
    download: bool = False,
    limit: int | None = None,
    textbook: bool = False,
    eager: bool = False,
    hidden: Sequence[int] = (16, 16),
    activation: str | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    seed: int = 2,
) -> bool:
    """Train a network to read handwritten digits; whether it came to the end, and not to Ctrl-C."""
    recipe = TEXTBOOK if textbook else TODAY
    activation, loss = activation or recipe.activation, loss or recipe.loss
    optimizer = optimizer or recipe.optimizer
    batch_size = batch_size or recipe.batch_size
    epochs = epochs or (recipe.epochs if mnist is None else recipe.mnist_epochs)
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    choice = LOSSES[loss]
    nin, *nouts = sizes = [64 if mnist is None else 784, *hidden, 10]
    init = _wide if activation == "sigmoid" else "he"
    model = MLP(nin, nouts, activation=activation, output=choice.output, init=init, seed=seed)
    tuned = {"sgd": {"lr": choice.lr}, **TUNED}.get(optimizer.lower(), {})
    descent = optim.by_name(optimizer, model.parameters(), **tuned | ({} if lr is None else {"lr": lr}))
    lr = descent.lr
    train, held_out = _digits(mnist, limit, download, arrays=not eager)
    steps = epochs * -(-len(train.labels) // batch_size)
    schedule: optim.Schedule = optim.LinearLR(descent, start_factor=1.0, end_factor=FALL, total_iters=steps)
    if recipe.cosine:
        schedule = optim.CosineAnnealingLR(descent, T_max=steps)

    def cost(image: list[float], target: Any) -> Any:
        return choice.cost(model(image), target)

    reader = model if eager else compile(model, x=nin)
    with run_folder(out, "digits-run", model) as folder:
        whose = "digits" if mnist is None else "of MNIST's training images"
        held = "held out" if mnist is None else "of its test images held out"
        echo(f"{len(train.labels):,} {whose} to learn from, {len(held_out.labels):,} {held}")
        echo(f"network {'-'.join(map(str, sizes))} of {len(model.parameters()):,} parameters, {activation}")
        last = 0.0 if recipe.cosine else FALL * lr
        echo(f"{loss}, {optimizer}, batches of {batch_size}, learning rate {lr:g} falling to {last:g}\n")
        history = fit(
            cost,
            (train.images, [choice.target(label) for label in train.labels]),
            descent,
            compile=not eager,
            batch_size=batch_size,
            epochs=epochs,
            seed=seed,
            accuracy=reader,
            validation=held_out,
            schedule=schedule,
            schedule_every="step",
        )
        settings: dict[str, object] = {
            "job": "digits", "mnist": mnist and os.fspath(mnist), "limit": limit, "recipe": recipe.name,
            "layers": sizes, "activation": activation, "output": choice.output, "loss": loss, "optimizer": optimizer,
            "lr": lr, "weight_decay": descent.weight_decay, "batch_size": batch_size, "epochs": epochs,
            "seed": seed, "eager": eager,
        }  # fmt: skip
        if not _saved(folder, model, history, settings, HISTORY_PLOT, partial(plots.history_plot, history)):
            return False
    outputs = predictor(reader, held_out.images, compile=not eager)(slice(None))
    _show_answers(held_out, [choice.beliefs(answer) for answer in outputs.tolist()])
    echo(f"held-out accuracy {percent(history[-1].accuracy or 0.0)}")
    return True


def moons(
    out: str | os.PathLike[str] | None = None,
    *,
    steps: int = 100,
    points: int = 100,
    noise: float = 0.1,
    seed: int = 1337,
    eager: bool = False,
) -> bool:
    """Train micrograd's demo, two moons told apart; whether it came to the end, and not to Ctrl-C."""
    places, labels = make_moons(points, noise, seed)
    model = MLP(2, [16, 16, 1], seed=seed)
    # micrograd adds 1e-4 · Σ p² to the loss, whose gradient is 2e-4 · p: that is weight decay
    descent = optim.SGD(model.parameters(), lr=1.0, weight_decay=2e-4)
    schedule = optim.LinearLR(descent, start_factor=1.0, end_factor=FALL, total_iters=steps)

    def cost(place: list[float], target: int) -> Any:
        return losses.hinge(model(place), target)

    reader = model if eager else compile(model, x=2)

    def scores(at: list[list[float]]) -> list[float]:
        outputs: list[list[float]] = predictor(reader, at, compile=not eager)(slice(None)).tolist()
        return [score for (score,) in outputs]

    with run_folder(out, "moons-run", model) as folder:
        echo(f"{points} points on two moons")
        echo(f"network 2-16-16-1 of {len(model.parameters())} parameters, relu")
        echo(f"hinge loss with L2, sgd, all points at once, learning rate 1 falling to {FALL:g}\n")
        history = fit(
            cost,
            (places, [2 * label - 1 for label in labels]),
            descent,
            compile=not eager,
            batch_size=None,
            epochs=steps,
            shuffle=False,
            accuracy=reader,
            schedule=schedule,
        )
        settings: dict[str, object] = {
            "job": "moons", "layers": [2, 16, 16, 1], "points": points, "noise": noise, "steps": steps, "seed": seed,
            "eager": eager,
        }  # fmt: skip
        draw = partial(plots.boundary_plot, scores, places, labels)
        if not _saved(folder, model, history, settings, BOUNDARY_PLOT, draw):
            return False
    echo(f"\n{terminal.plane(scores, places, labels, ramp=terminal.shades())}\n")
    echo(f"accuracy {percent(history[-1].accuracy or 0.0)}")
    return True


def _wide(generator: random.Random, nin: int, nout: int) -> float:
    """Twice Xavier's range: a sigmoid, whose slope is at most 1/4, passes on less than the tanh he had in mind."""
    return 2.0 * xavier(generator, nin, nout)


def _digits(
    mnist: str | os.PathLike[str] | None, limit: int | None, download: bool, *, arrays: bool
) -> tuple[Dataset, Dataset]:
    """The digits to learn from, and those held out: MNIST's test images, half as many as there are to learn from."""
    if mnist is None:
        return hold_out(load_digits())
    train = load_mnist(mnist, limit=limit, download=download, arrays=arrays)
    limit = limit and max(1, limit // 2)
    return train, load_mnist(mnist, train=False, limit=limit, download=download, arrays=arrays)


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
    except Exception as error:  # noqa: BLE001 - whatever fails in matplotlib, the training is there, and is shown
        echo(f"no {plot}: {' '.join(str(error).split())[:400]}")
    echo(f"weights, settings and history are in {os.fspath(folder)}")
    return True


def _show_answers(held_out: Dataset, beliefs: list[list[float]]) -> None:
    """The table of mistakes, a few digits that were read, and those misread with the most confidence."""
    from rich.console import Console

    console = Console()
    said = [belief.index(max(belief)) for belief in beliefs]
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
