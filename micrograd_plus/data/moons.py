"""Two moons: the smallest problem in the plane that no straight line solves."""

from __future__ import annotations

from math import cos, inf, pi, sin

from micrograd_plus._support.arguments import Seed, generator, whole
from micrograd_plus.engine.scalars import number


def make_moons(n: int = 100, noise: float = 0.1, seed: Seed = None) -> tuple[list[list[float]], list[int]]:
    """Points on two half circles that reach into each other, and on which of them each lies.

    The outer moon, label 0, is (cos t, sin t); the inner one, label 1, is (1 - cos t, 0.5 - sin t); t runs evenly
    from 0 to π. They are drawn as scikit-learn draws them, with Python's random numbers in place of NumPy's.
    micrograd's demo wants labels -1 and 1, for the hinge loss: `[2 * label - 1 for label in labels]`.

    Args:
        n: how many points, half of them on each moon; the inner one takes the odd one.
        noise: the standard deviation of the Gaussian noise on each coordinate; 0 puts the points on the circles.
        seed: a whole number for the same points every time, a `random.Random` to draw from, or None.

    Returns:
        The points, a list of n pairs [x, y], and their labels, a list of n ints, shuffled together.

    Raises:
        TypeError: n or the seed is no whole number, or the noise no number.
        ValueError: n is below 2, or the noise negative or not finite.

    >>> points, labels = make_moons(n=4, noise=0, seed=1)
    >>> sorted(zip(labels, points))
    [(0, [-1.0, 1.2...e-16]), (0, [1.0, 0.0]), (1, [0.0, 0.5]), (1, [2.0, 0.4999...])]
    """
    n = whole("make_moons", "n", n, least=2)
    noise = number(noise, "make_moons: noise =")
    if not 0 <= noise < inf:
        raise ValueError(f"make_moons(noise={noise}): expected a finite number of at least 0")
    random = generator("make_moons", seed)
    outer = [(cos(t), sin(t), 0) for t in _half_turn(n // 2)]
    inner = [(1 - cos(t), 0.5 - sin(t), 1) for t in _half_turn(n - n // 2)]
    moons = [([x + random.gauss(0, noise), y + random.gauss(0, noise)], label) for x, y, label in outer + inner]
    random.shuffle(moons)
    return [point for point, _ in moons], [label for _, label in moons]


def _half_turn(count: int) -> list[float]:
    """Angles evenly from 0 to π, both included; a single one is 0."""
    return [pi * i / max(count - 1, 1) for i in range(count)]
