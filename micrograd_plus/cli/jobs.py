"""The two trainings of the command line, each from its settings to its last printed line."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from click import echo

from micrograd_plus import losses, optim
from micrograd_plus._support.files import write_atomically
from micrograd_plus.cli import plots, terminal
from micrograd_plus.cli.answers import show_answers
from micrograd_plus.cli.recipes import FALL, LOSSES, Recipe, chosen, tuned
from micrograd_plus.cli.runs import BOUNDARY_PLOT, HISTORY_PLOT, run_folder, save_run
from micrograd_plus.data.dataset import Dataset, hold_out
from micrograd_plus.data.digits import load_digits
from micrograd_plus.data.mnist import load_mnist
from micrograd_plus.data.moons import make_moons
from micrograd_plus.nn import MLP, xavier
from micrograd_plus.program import compile
from micrograd_plus.training.judging import predictor
from micrograd_plus.training.loop import fit
from micrograd_plus.training.progress import percent
from micrograd_plus.training.records import History


def digits(
    out: str | os.PathLike[str] | None = None,
    *,
    mnist: str | os.PathLike[str] | None = None,
    download: bool = False,
    limit: int | None = None,
    eager: bool = False,
    hidden: Sequence[int] = (16, 16),
    lr: float | None = None,
    seed: int = 2,
    **options: Any,
) -> bool:
    """Train a network to read digits, by the options of `recipes.chosen`; whether it came to the end, not to Ctrl-C."""
    recipe = chosen(mnist=mnist is not None, **options)
    choice = LOSSES[recipe.loss]
    nin, *nouts = sizes = [64 if mnist is None else 784, *hidden, 10]
    init = _wide if recipe.activation == "sigmoid" else "he"
    model = MLP(nin, nouts, activation=recipe.activation, output=choice.output, init=init, seed=seed)
    descent = _optimizer(model, recipe, lr)
    train, held_out = _images(mnist, limit, download, arrays=not eager)
    reader = model if eager else compile(model, x=nin)
    settings: dict[str, object] = {
        "job": "digits", "mnist": mnist and os.fspath(mnist), "limit": limit, "recipe": recipe.name,
        "layers": sizes, "activation": recipe.activation, "output": choice.output, "loss": recipe.loss,
        "optimizer": recipe.optimizer, "lr": descent.lr, "weight_decay": descent.weight_decay,
        "batch_size": recipe.batch_size, "epochs": recipe.epochs, "seed": seed, "eager": eager,
    }  # fmt: skip
    with run_folder(out, "digits-run", model) as folder:
        whose, held = ("digits", "") if mnist is None else ("of MNIST's training images", "of its test images ")
        echo(f"{len(train.labels):,} {whose} to learn from, {len(held_out.labels):,} {held}held out")
        _introduce(recipe, sizes, model, descent.lr)
        history = fit(
            lambda image, target: choice.cost(model(image), target),
            (train.images, [choice.target(label) for label in train.labels]),
            descent, compile=not eager, batch_size=recipe.batch_size, epochs=recipe.epochs, seed=seed,
            accuracy=reader, validation=held_out,
            schedule=_schedule(descent, recipe, len(train.labels)), schedule_every="step",
        )  # fmt: skip
        if not _saved(folder, model, history, settings, HISTORY_PLOT, partial(plots.history_plot, history)):
            return False
    outputs = predictor(reader, held_out.images, compile=not eager)(slice(None))
    show_answers(held_out, [choice.beliefs(answer) for answer in outputs.tolist()])
    echo(f"held-out accuracy {percent(history[-1].accuracy or 0.0)}")
    return True


def _optimizer(model: MLP, recipe: Recipe, lr: float | None) -> optim.Optimizer:
    """The recipe's optimizer for a model, at the rate that was asked for, or the one that suits the loss."""
    options = tuned(recipe.optimizer, recipe.loss) | ({} if lr is None else {"lr": lr})
    return optim.by_name(recipe.optimizer, model.parameters(), **options)


def _schedule(descent: optim.Optimizer, recipe: Recipe, examples: int) -> optim.Schedule:
    """How the learning rate falls, step by step."""
    steps = recipe.epochs * -(-examples // recipe.batch_size)
    if recipe.cosine:
        return optim.CosineAnnealingLR(descent, T_max=steps)
    return optim.LinearLR(descent, start_factor=1.0, end_factor=FALL, total_iters=steps)


def _introduce(recipe: Recipe, sizes: Sequence[int], model: MLP, lr: float) -> None:
    """Say which network learns, and how."""
    last = 0.0 if recipe.cosine else FALL * lr
    echo(f"network {'-'.join(map(str, sizes))} of {len(model.parameters()):,} parameters, {recipe.activation}")
    rate = f"learning rate {lr:g} falling to {last:g}"
    echo(f"{recipe.loss}, {recipe.optimizer}, batches of {recipe.batch_size}, {rate}\n")


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
    reader = model if eager else compile(model, x=2)

    def scores(at: list[list[float]]) -> list[float]:
        outputs: list[list[float]] = predictor(reader, at, compile=not eager)(slice(None)).tolist()
        return [score for (score,) in outputs]

    with run_folder(out, "moons-run", model) as folder:
        echo(f"{points} points on two moons")
        echo(f"network 2-16-16-1 of {len(model.parameters())} parameters, relu")
        echo(f"hinge loss with L2, sgd, all points at once, learning rate 1 falling to {FALL:g}\n")
        history = fit(
            lambda place, target: losses.hinge(model(place), target),
            (places, [2 * label - 1 for label in labels]),
            descent, compile=not eager, batch_size=None, epochs=steps, shuffle=False,
            accuracy=reader, schedule=schedule,
        )  # fmt: skip
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
    """Twice Xavier's range, which suits tanh: a sigmoid's slope is at most 1/4, where that of tanh is at most 1."""
    return 2.0 * xavier(generator, nin, nout)


def _images(
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
    """Write weights, history, settings and picture, and say where; whether the training ran to its end."""
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
