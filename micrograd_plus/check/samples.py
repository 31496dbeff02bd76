"""The numbers that differences are taken of, as one argument moves."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from micrograd_plus.check.differences import Branch, Noise, Sample
from micrograd_plus.check.kinks import piece
from micrograd_plus.check.problems import Problem, Trace
from micrograd_plus.check.rounding import roundoffs


class Sampling:
    """The derivatives of some order of a problem's results, 0 for these themselves, around its point.

    Attributes:
        problem: which it is.
        order: of the derivatives.
        here: the derivatives at the point.
        numbers: the same as floats.
    """

    def __init__(self, problem: Problem, order: int) -> None:
        self.problem, self.order = problem, order
        self.here = self.trace(problem.point)
        self.numbers = [float(y) for y in self.here.results]

    def trace(self, point: list[float]) -> Trace:
        """The derivatives at a point."""
        trace: Trace = self.problem.trace(point)
        return trace.derivatives(self.order)

    def sample(self, j: int) -> Sample:
        """A function of argument j that gives them there, and the smooth piece they lie in."""

        def sample(x: float) -> tuple[Sequence[float], Branch]:
            try:
                results = self.trace(self._moved(j, x)).results
            except (ArithmeticError, ValueError):  # outside of what a plain function takes
                return [nan] * len(self.numbers), None
            return [float(y) for y in results], piece(results)

        return sample

    def noise(self, j: int) -> Noise:
        """A function of argument j that gives how large their rounding errors may be there."""

        def noise(x: float) -> Sequence[float]:
            trace = self.trace(self._moved(j, x))
            return [roundoff.error for roundoff in roundoffs(trace.results, trace.variables, trace.unit)]

        return noise

    def _moved(self, j: int, x: float) -> list[float]:
        return [x if i == j else old for i, old in enumerate(self.problem.point)]
