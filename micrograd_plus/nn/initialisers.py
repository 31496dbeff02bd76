"""How weights are drawn before training: uniform, normal, Xavier's, He's, zeros."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from micrograd_plus._support.errors import unknown

Initialiser = Callable[[random.Random, int, int], float]
"""What draws one weight: it gets the generator, and how many numbers go into the neuron's layer and come out."""


def uniform(generator: random.Random, nin: int, nout: int) -> float:  # noqa: ARG001 - an initialiser's arguments
    """A number between -1 and 1, as in micrograd.

    Args:
        generator: what draws the random numbers.
        nin: how many numbers go into the neuron.
        nout: how many come out of its layer, one for each of its neurons.

    >>> uniform(random.Random(1), nin=2, nout=3)
    -0.73127...
    """
    return generator.uniform(-1, 1)


def normal(generator: random.Random, nin: int, nout: int) -> float:  # noqa: ARG001
    """A number from the standard normal distribution.

    Arguments `generator`, `nin` and `nout` are those of `uniform`.

    >>> normal(random.Random(1), nin=2, nout=3)
    1.28818...
    """
    return generator.gauss(0.0, 1.0)


def xavier(generator: random.Random, nin: int, nout: int) -> float:
    """A number between ±√(6 / (nin + nout)), which keeps the size of signals and gradients.

    After Glorot and Bengio 2010, equation 16. Arguments `generator`, `nin` and `nout` are those of `uniform`.

    >>> sizes = [abs(xavier(random.Random(seed), nin=300, nout=300)) for seed in range(100)]
    >>> max(sizes) < 0.1
    True
    """
    bound = math.sqrt(6.0 / (nin + nout))
    return generator.uniform(-bound, bound)


def he(generator: random.Random, nin: int, nout: int) -> float:  # noqa: ARG001
    """A normal number with standard deviation √(2 / nin), which keeps the size of signals behind relu.

    After He et al. 2015. Arguments `generator`, `nin` and `nout` are those of `uniform`.

    >>> he(random.Random(1), nin=200, nout=3) == 0.1 * normal(random.Random(1), nin=200, nout=3)
    True
    """
    return generator.gauss(0.0, math.sqrt(2.0 / nin))


def zeros(generator: random.Random, nin: int, nout: int) -> float:  # noqa: ARG001
    """Zero, with which every neuron of a layer stays like its neighbours; that is why one draws at random.

    Arguments `generator`, `nin` and `nout` are those of `uniform`.

    >>> zeros(random.Random(1), nin=2, nout=3)
    0.0
    """
    return 0.0


INITIALISERS: dict[str, Initialiser] = {
    "uniform": uniform, "normal": normal, "xavier": xavier, "glorot": xavier, "he": he, "zeros": zeros,
}  # fmt: skip
"""The initialisers by name, as `Neuron` takes them."""


def initialiser(init: str | Initialiser) -> Initialiser:
    """The one of that name; a function is one itself."""
    if callable(init):
        return init
    if init not in INITIALISERS:
        raise unknown("initialiser", init, INITIALISERS)
    return INITIALISERS[init]
