"""Take the steps of a training by a compiled program, and undo one that leads to inf or nan."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from micrograd_plus.data.batches import take
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.optim import Optimizer
from micrograd_plus.program import CompileError
from micrograd_plus.training.eager import Eager, bad_gradient, bad_loss, bad_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd_plus.program import Program
    from micrograd_plus.training.workers import Crew

    Floats = NDArray[Any]


class Descent(Protocol):
    """What `fit` does to the parameters.

    Attributes:
        steps: how many were taken.
        reason: why it is not compiled although that was asked for; "" when there is nothing to tell.
    """

    steps: int
    reason: str

    def batches(self, order: Sequence[int], size: int) -> Iterator[Any]:
        """The examples in this order, cut into batches for `step`."""

    def step(self, batch: Any, epoch: int, number: int) -> float:
        """The mean loss of a batch, the `number`th of an epoch, by which the optimizer has then taken a step."""

    def publish(self) -> None:
        """Write the parameters into the Values."""

    def take_over(self) -> None:
        """Read the parameters from the Values, which a function of the user may have written."""

    def numbers(self) -> array[float]:
        """A copy of the parameters as they are."""

    def close(self) -> None:
        """Let go of whoever worked for it."""

    def eager_for(self, error: Exception) -> Descent | None:
        """What goes on after this error: the eager engine, where only compiling failed, with the parameters written to
        the Values; None where nothing can.
        """


class Compiled:
    """Runs a program on whole batches; the parameters are a flat vector, written to the Values by `publish`.

    Args:
        x: the examples, a float64 array.
        y: their targets, a float64 array.
        eager: the same by the eager engine, which knows the cost itself; None where nobody does.
        demanded: that engine must not take over.
        crew: who computes the parts of each batch; None for this process alone.
    """

    def __init__(
        self,
        program: Program,
        x: Floats,
        y: Floats,
        optimizer: Optimizer,
        eager: Eager | None,
        *,
        demanded: bool,
        crew: Crew | None = None,
    ) -> None:
        self.program = program
        self.crew = crew
        self.x, self.y = x, y
        self.optimizer = optimizer
        self.eager = eager
        self.demanded = demanded
        self.reason = ""
        self.steps = 0
        self.rebound = False
        self.theta: Floats
        self.gradient: Floats | None = None
        self.take_over()
        self.good = self.theta  # the last that gave a finite loss
        self.before = optimizer.state, optimizer.steps  # where the optimizer stood then

    def batches(self, order: Sequence[int], size: int) -> Iterator[Any]:
        if isinstance(order, range) or size >= len(order):  # nothing to pick out
            return (slice(i, i + size) for i in range(0, len(order), size))
        indices = np.array(order)
        return (indices[i : i + size] for i in range(0, len(indices), size))

    def step(self, batch: Any, epoch: int, number: int) -> float:
        if self.rebound:
            raise CompileError("names in the cost were given other Values during the training")
        if self.crew is None:
            loss, gradient = self.program.value_and_grad(self.x[batch], self.y[batch], parameters=self.theta)
        else:
            loss, gradient = self.crew.value_and_grad(batch, self.theta)
        if not isfinite(loss):
            self._go_back_from(batch)
            raise bad_loss(loss, epoch, number, self.optimizer, self.steps)
        if not np.isfinite(gradient).all():
            raise bad_gradient(loss, gradient, epoch, number)
        before = self.optimizer.state, self.optimizer.steps
        try:
            theta = self._updated(gradient)
            if not np.isfinite(theta).all():
                raise bad_step(loss, epoch, number, self.optimizer.lr)
            self.good, self.before, self.theta, self.gradient, self.pending = self.theta, before, theta, gradient, True
        except BaseException:  # a second Ctrl-C too: no half steps
            self.optimizer.state, self.optimizer.steps = before
            raise
        self.steps += 1
        return loss

    def _updated(self, gradient: Floats) -> Floats:
        """The parameters after a step of the optimizer, which has then counted it."""
        try:
            return self.optimizer.update(self.theta, gradient)
        except (TypeError, ValueError) as error:
            told = f"the rule of {self.optimizer!r} does not take arrays ({error})"
            raise CompileError(f"{told}; write it in + - * and mp's functions, which do") from error

    def publish(self) -> None:
        if not self.pending:
            return
        for parameter, number in zip(self.optimizer.params, self.theta.tolist()):
            parameter._data = number
        if self.gradient is not None:
            for parameter, number in zip(self.optimizer.params, self.gradient.tolist()):
                parameter._grad = number
        self.pending = False

    def take_over(self) -> None:
        self.theta = np.array([parameter._data for parameter in self.optimizer.params])
        self.pending = False
        self.rebound = self.eager is not None and self.program.rebound()

    def numbers(self) -> array[float]:
        return array("d", self.theta.tobytes())

    def close(self) -> None:
        if self.crew is not None:
            self.crew.close()

    def eager_for(self, error: Exception) -> Eager | None:
        self.publish()
        if self.eager is not None and not self.demanded and isinstance(error, CompileError):
            self.eager.reason, self.eager.steps = first_line(error), self.steps
            self.eager.good, self.eager.before = self.good.tolist(), self.before
            return self.eager
        return None

    def _go_back_from(self, batch: Any) -> None:
        """Undo the step that led to a loss that is not finite.

        The cost itself is called for the worst example first: its own error, if it raises one, tells more than ours.
        """
        try:
            if self.eager is not None:
                self.publish()
                losses = self.program.values(self.x[batch], self.y[batch], parameters=self.theta)
                worst = int(np.argmin(np.isfinite(losses)))
                with no_grad():
                    for x, y in zip(*[take(data, batch)[worst : worst + 1] for data in (self.eager.x, self.eager.y)]):
                        self.eager.cost(x, y)
        finally:
            self.theta, self.pending = self.good, True
            self.optimizer.state, self.optimizer.steps = self.before


def first_line(error: Exception) -> str:
    """What an error says, in a line; whose error it is where that is not ours."""
    line = next(iter(str(error).splitlines()), "")
    return line if isinstance(error, CompileError) else f"{type(error).__name__}: {line}"
