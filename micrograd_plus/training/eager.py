"""Train by the eager engine, example by example: take the steps, and judge the answers. It does without NumPy."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from math import isfinite
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from micrograd_plus.data.batches import take
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.optim import Optimizer

if TYPE_CHECKING:
    from micrograd_plus.training.progress import Meter

PROBABILITIES = ("sigmoid", "hardsigmoid")  # what a single output ends in that means a probability, not a score
KEEPING = ("clamp", "identity", "stop_gradient")  # after which it is still one


class Eager:
    """Builds the graph of each example, and runs it backward."""

    def __init__(self, cost: Callable[[Any, Any], Any], x: Any, y: Any, optimizer: Optimizer, reason: str = "") -> None:
        self.cost = cost
        self.x, self.y = x, y
        self.optimizer = optimizer
        self.reason = reason
        self.steps = 0
        self._mark()

    def batches(self, order: Sequence[int], size: int) -> Iterator[Any]:
        return (order[i : i + size] for i in range(0, len(order), size))

    def step(self, batch: Any, epoch: int, number: int) -> float:
        self.optimizer.zero_grad()
        loss = self._loss_and_gradient(take(self.x, batch), take(self.y, batch))
        if not isfinite(loss):
            self._go_back()
            raise bad_loss(loss, epoch, number, self.optimizer, self.steps)
        self._mark()
        gradient = [parameter.grad for parameter in self.optimizer.params]
        if not all(map(isfinite, gradient)):
            raise bad_gradient(loss, gradient, epoch, number)
        try:
            self.optimizer.step()
            if not all(map(isfinite, self._parameters())):
                raise bad_step(loss, epoch, number, self.optimizer.lr)
        except BaseException:  # a second Ctrl-C too: no half steps
            self._go_back()
            raise
        self.steps += 1
        return loss

    def publish(self) -> None:
        return None

    def take_over(self) -> None:
        return None

    def numbers(self) -> array[float]:
        return array("d", self._parameters())

    def close(self) -> None:
        return None

    def eager_for(self, error: Exception) -> None:  # noqa: ARG002 - there is no other way
        return None

    def _loss_and_gradient(self, xs: Any, ys: Any) -> float:
        """The mean loss of a batch; its derivatives are added to the parameters' gradients."""
        total, share = 0.0, 1.0 / len(xs)
        for x, y in zip(xs, ys):
            loss = self.cost(x, y)
            if not isinstance(loss, Value):
                got = f"{short_repr(loss)}, a {type(loss).__name__}"
                raise TypeError(f"fit: cost(x, y) returned {got}; expected a Value, the loss of one example")
            (loss * share).backward()
            total += loss.data
            del loss  # frees its graph before the next one is built
        return total * share

    def _parameters(self) -> list[float]:
        return [parameter.data for parameter in self.optimizer.params]

    def _mark(self) -> None:
        """Note where parameters and optimizer stand: here the loss is finite."""
        self.good = self._parameters()
        self.before = [copy(column) for column in self.optimizer.state], self.optimizer.steps

    def _go_back(self) -> None:
        for parameter, number in zip(self.optimizer.params, self.good):
            parameter.data = number
        self.optimizer.state, self.optimizer.steps = self.before


class ByFunction:
    """Asks a function about each example."""

    def __init__(self, accuracy: Callable[[Any, Any], Any], x: Any, y: Any) -> None:
        self.accuracy = accuracy
        self.x, self.y = x, y

    def share(self, meter: Meter) -> float | None:
        right = 0.0
        with no_grad():
            for i, (x, y) in enumerate(zip(self.x, self.y), start=1):
                if meter.stopping:
                    return None
                meter.check(i, len(self.x))
                verdict = self.accuracy(x, y)
                right += _share(verdict)
        return right / len(self.x)


def _share(verdict: Any) -> float:
    told = f"fit: accuracy(x, y) returned {short_repr(verdict)}; expected True or False, or a number from 0 to 1"
    try:
        share = float(verdict)
    except (TypeError, ValueError):
        raise TypeError(told) from None
    if not 0.0 <= share <= 1.0:
        raise ValueError(told)
    return share


def by_function(accuracy: Any, x: Any, y: Any) -> ByFunction:
    """The judge that asks what `fit(accuracy=...)` was given.

    Raises:
        TypeError: it is nothing that judges.
    """
    if not callable(accuracy):
        expected = "expected a function of an example and its target, or the model"
        raise TypeError(f"fit(accuracy={short_repr(accuracy)}): {expected}")
    return ByFunction(accuracy, x, y)


def right(model: Module, x: Any) -> Callable[[Any, Any], bool]:
    """What tells whether a model is right about an example, as `fit` tells it of all at once by arrays.

    Args:
        x: an example, by which is seen from where on a single output says yes.
    """
    call: Any = model
    least = middle(call(x))

    def judged(x: Any, y: Any) -> bool:
        outputs, target = [[float(each) for each in _many(given)] for given in (call(x), y)]
        if len(outputs) == 1:
            return (outputs[0] > least) == (target[0] > 0.0)
        return outputs.index(max(outputs)) == (target[0] if len(target) == 1 else target.index(max(target)))

    return judged


def middle(out: Any) -> float:
    """From where on a single output means yes: a probability from 1/2 on, a score from 0 on."""
    out = out[0] if hasattr(out, "__len__") and len(out) == 1 else out
    while isinstance(out, Value) and out.op is not None and out.op.name in KEEPING:
        out = out.args[0]
    return 0.5 if isinstance(out, Value) and out.op is not None and out.op.name in PROBABILITIES else 0.0


def _many(given: Any) -> Sequence[Any]:
    """Outputs, or a target, as a list of numbers."""
    return given if hasattr(given, "__len__") else [given]


def bad_loss(loss: float, epoch: int, number: int, optimizer: Optimizer, steps: int) -> FloatingPointError:
    """The error of a batch whose loss is not finite."""
    way_out = _smaller(optimizer.lr) if steps else "look for nan, inf and huge numbers in the data and the parameters"
    return FloatingPointError(f"fit: epoch {epoch}, batch {number}: the loss is {loss}; {way_out}")


def bad_gradient(loss: float, gradient: Iterable[float], epoch: int, number: int) -> FloatingPointError:
    """The error of a gradient that is not finite: it would spoil what the optimizer remembers."""
    i, slope = next((i, slope) for i, slope in enumerate(gradient) if not isfinite(slope))
    problem = f"the loss is {loss:.4g}, but its derivative by optimizer.params[{i}] is {slope}"
    way_out = "no learning rate mends that: call fit inside of mp.detect_anomaly(), which names the operation"
    return FloatingPointError(f"fit: epoch {epoch}, batch {number}: {problem}; {way_out}")


def bad_step(loss: float, epoch: int, number: int, lr: float) -> FloatingPointError:
    """The error of a step that leads to inf or nan."""
    problem = f"the loss is {loss:.4g}, but the step makes a parameter inf or nan"
    return FloatingPointError(f"fit: epoch {epoch}, batch {number}: {problem}; {_smaller(lr)}")


def _smaller(lr: float) -> str:
    return f"try a smaller learning rate than {lr:g}"
