"""The commands that train: digits, moons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from micrograd_plus.cli.exit_codes import DONE, STOPPED
from micrograd_plus.cli.options import positive, sizes
from micrograd_plus.cli.recipes import LOSSES, RATES, TEXTBOOK, TODAY, default_rates, listed
from micrograd_plus.optim import OPTIMIZERS

OUT_HELP = "Folder for weights, history and picture; files of an earlier run in it are replaced once this one is over."


_option_eager = click.option(
    "--eager", is_flag=True, help="Build the graph of every example, instead of compiling it once: the same, slower."
)


def _option_out(default: str) -> Callable[[Any], Any]:
    free = f"  [default: the first of {default}, {default}-2, ... that is not there]"
    return click.option("--out", type=click.Path(), metavar="FOLDER", help=OUT_HELP + free)


def _default(part: str) -> str:
    """What an option is by default, in both recipes."""
    return f"[default: {getattr(TODAY, part)}; textbook: {getattr(TEXTBOOK, part)}]"


@click.command(
    epilog="""\b
Examples:
  micrograd-plus digits
  micrograd-plus digits --textbook
  micrograd-plus digits --hidden 32 --lr 0.01 --epochs 5 --out wide
  micrograd-plus digits --mnist mnist
  micrograd-plus digits --mnist mnist --textbook --epochs 5

\b
The weights in Python:
  model = mp.MLP(64, [16, 16, 10], activation="silu")
  model.load("digits-run/weights.json")"""
)
@click.option(
    "--mnist",
    type=click.Path(),
    metavar="FOLDER",
    help="Learn from the MNIST files in this folder, and hold out MNIST's test images.",
)
@click.option("--download", is_flag=True, help="Fetch the MNIST files into that folder if it lacks them.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --mnist: learn from the first N images only, and hold out the first N/2 test images.",
)
@click.option(
    "--textbook",
    is_flag=True,
    help=f"The recipe of the textbooks: {TEXTBOOK.activation} neurons, squared error, plain gradient descent at a rate "
    f"of {RATES[TEXTBOOK.loss]}.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"[default: {TODAY.epochs}, with --mnist {TODAY.mnist_epochs}; textbook: {TEXTBOOK.epochs}]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Images a step.  {_default('batch_size')}",
)
@click.option(
    "--lr",
    type=positive,
    metavar="RATE",
    help="Learning rate at the start; it falls along a cosine to 0, in the textbook recipe in a straight line to a "
    f"tenth.  [default: {default_rates()}]",
)
@click.option(
    "--optimizer",
    metavar="NAME",
    help=f"{listed(OPTIMIZERS, 'or')}.  {_default('optimizer')}",
)
@click.option(
    "--loss",
    metavar="NAME",
    help=f"{listed(LOSSES, 'or')}.  {_default('loss')}",
)
@click.option("--hidden", type=sizes, default="16,16", show_default=True, metavar="SIZES", help="Hidden layers.")
@click.option(
    "--activation",
    metavar="NAME",
    help="Of the hidden layers: linear, or a function of one argument that micrograd-plus ops lists.  "
    f"{_default('activation')}",
)
@click.option("--seed", type=int, default=2, show_default=True, metavar="N", help="Draws the weights and the batches.")
@_option_eager
@_option_out("digits-run")
def digits(**options: Any) -> int:
    """Learn to read handwritten digits.

    Trains a network on 1,437 of the 8x8 images that come with the package and tests it on the other 360, every fifth;
    or on MNIST's 60,000 and 10,000. Shows what it got right and wrong, and writes weights, settings, history and, with
    the plot extra, a picture to a folder. With most seeds it reads 96 to 97.5 % of the held-out digits.

    Ctrl-C stops after the running batch and saves what has been learnt; a second one stops at once.
    """
    if options["mnist"] is None and (options["limit"] or options["download"]):
        raise click.UsageError(f"{'--limit' if options['limit'] else '--download'} goes with --mnist FOLDER")
    from micrograd_plus.cli import jobs

    return DONE if jobs.digits(**options) else STOPPED


@click.command(
    epilog="""\b
Examples:
  micrograd-plus moons
  micrograd-plus moons --points 200 --noise 0.2 --steps 50"""
)
@click.option("--steps", type=click.IntRange(min=1), default=100, show_default=True, metavar="N")
@click.option("--points", type=click.IntRange(min=2), default=100, show_default=True, metavar="N")
@click.option(
    "--noise", type=float, default=0.1, show_default=True, metavar="NUMBER", help="How far points stray from the moons."
)
@click.option(
    "--seed", type=int, default=1337, show_default=True, metavar="N", help="Draws the points and the weights."
)
@_option_eager
@_option_out("moons-run")
def moons(**options: Any) -> int:
    """Tell two moons apart, as in micrograd's demo.

    Trains a network of 2-16-16-1 relu neurons with the hinge loss, L2 regularisation and a learning rate that falls
    from 1.0 to 0.1, all points in every step, and draws where it puts the boundary.
    """
    from micrograd_plus.cli import jobs

    return DONE if jobs.moons(**options) else STOPPED
