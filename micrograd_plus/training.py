"""Fit a model to data: draw a batch, forward, loss, backward, step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from math import inf, isfinite
from os import PathLike
from reprlib import repr as short_repr
from time import perf_counter
from types import FrameType
from typing import Any, Literal

from micrograd_plus.arguments import Seed, generator, paired, whole
from micrograd_plus.data.batches import minibatches
from micrograd_plus.engine import Value, no_grad
from micrograd_plus.files import write_atomically
from micrograd_plus.optim import Optimizer, Schedule
from micrograd_plus.progress import Meter, metered, percent


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: a row of the history, and what callbacks are called with.

    Attributes:
        epoch: 1, 2, ...
        step: how many steps the optimizer has taken since `fit` began.
        loss: the mean over the epoch's examples, each taken before the step it led to.
        accuracy: from 0 to 1; None when nobody asked, or Ctrl-C came first.
        lr: the learning rate of the epoch's last step.
        seconds: how long it took; the only thing in which two runs from the same seed differ, so not compared.
    """

    epoch: int
    step: int
    loss: float
    accuracy: float | None
    lr: float
    seconds: float = field(compare=False)


class History(list[Epoch]):
    """The epochs of a training, in order.

    Attributes:
        stopped: "" when all epochs ran; "callback", "patience" or "interrupt" when something ended it early.
    """

    stopped: Literal["", "callback", "patience", "interrupt"] = ""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training; the last epoch may then be cut short."""
        return self.stopped == "interrupt"

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write a table with a line for each epoch, whole or not at all; the numbers lose no digit.

        Raises:
            OSError: the file cannot be written; whatever was there is untouched.
        """
        rows = [[column.name for column in fields(Epoch)], *map(astuple, self)]
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
        write_atomically(path, "\n".join(lines) + "\n")

    def __repr__(self) -> str:
        if not self:
            return "History(no epochs)"
        accuracy = "" if self[-1].accuracy is None else f", accuracy {percent(self[-1].accuracy)}"
        stopped = self.stopped and f", stopped by {self.stopped}"
        return f"History({len(self)} epochs, loss {self[-1].loss:.4g}{accuracy}{stopped})"


def fit(
    cost: Callable[[Any, Any], Any],
    data: tuple[Any, Any],
    optimizer: Optimizer,
    *,
    batch_size: int | None = 32,
    epochs: int = 5,
    seed: Seed = None,
    shuffle: bool = True,
    accuracy: Callable[[Any, Any], float] | None = None,
    validation: tuple[Any, Any] | None = None,
    schedule: Schedule | None = None,
    schedule_every: Literal["epoch", "step"] = "epoch",
    callbacks: Iterable[Callable[[Epoch], object]] = (),
    patience: int | None = None,
    progress: bool | None = None,
) -> History:
    """Go through the data `epochs` times, batch by batch, and after each batch let the optimizer take a step.

    The loss of a batch is the mean over its examples. Each example's share of it runs backward as soon as it is
    computed, and its graph is freed: the gradients add up to those of the whole batch's graph, rounding aside, in a
    fraction of the memory and, since the small graph stays in the processor's cache, in less time.

    The same seed (and the same weights to begin with) gives the same run to the last bit.

    Ctrl-C stops the training after the running batch: the epoch so far is recorded, callbacks see it, and the history
    is returned with `.interrupted` set. A second Ctrl-C raises KeyboardInterrupt at once, with the parameters of the
    last whole step. (In the main thread, and while Python's own handler is at work; elsewhere Ctrl-C is left alone.)

    Args:
        cost: cost(x, y) is the loss of one example, a Value.
        data: the pair (X, Y) of the examples and their targets: lists, or arrays whose first axis counts them.
        optimizer: one from `optim`, made for the model's parameters.
        batch_size: how many examples a step; None takes the whole set, 1 is stochastic descent in the strict sense.
        seed: for the order of the examples: a whole number, a `random.Random`, or None for a new order every time.
        shuffle: False keeps the order of the data.
        accuracy: accuracy(x, y) judges one example, right or wrong, or anything from 0 to 1; the mean is taken at the
            end of each epoch, with nothing recorded for backward.
        validation: the pair (X, Y) to judge on; without it, the training data are.
        schedule: what sets the learning rate: its step() is called after each epoch, as in PyTorch, or after each
            step of the optimizer if `schedule_every` is "step".
        callbacks: functions called with the `Epoch` after each; one that returns True ends the training.
        patience: end the training after so many epochs without a higher accuracy, or a lower loss if none is asked for.
        progress: None shows a bar on a terminal and in a notebook, and plain lines elsewhere; False is silent.

    Raises:
        TypeError, ValueError: an argument is not what it should be, or `cost` returns no Value.
        RuntimeError: called inside `no_grad()`.
        FloatingPointError: a loss or a parameter is no longer a finite number. The parameters are then those of the
            last batch whose loss was finite.

    >>> from micrograd_plus import Value, optim
    >>> slope = Value(0.0)
    >>> X, Y = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
    >>> fit(lambda x, y: (slope * x - y) ** 2, (X, Y), optim.SGD([slope], lr=0.1), seed=1, progress=False)
    History(5 epochs, loss ...e-09)
    >>> print(f"{slope.data:.3f}")
    2.000
    """
    if not callable(cost):
        raise TypeError(f"fit(cost={short_repr(cost)}): expected a function of one example and its target")
    x, y = _pair("data", data)
    judged = (x, y) if validation is None else _pair("validation", validation)
    if validation is not None and accuracy is None:
        raise ValueError("fit(validation=...): nothing judges it; give accuracy=, a function of an example, too")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit(optimizer={short_repr(optimizer)}): expected one from optim, such as optim.SGD(...)")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(f"fit(schedule={short_repr(schedule)}): expected one from optim, such as optim.StepLR(...)")
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError(f"fit(schedule={short_repr(schedule)}): it was made for another optimizer")
    if schedule_every not in ("epoch", "step"):
        raise ValueError(f"fit(schedule_every={schedule_every!r}): expected 'epoch' or 'step'")
    size = None if batch_size is None else whole("fit", "batch_size", batch_size, hint=", or None for the whole set")
    epochs = whole("fit", "epochs", epochs)
    limit = inf if patience is None else whole("fit", "patience", patience)
    random = generator("fit", seed)
    listeners = _functions(callbacks)
    if (Value(1.0) + 1.0).op is None:
        raise RuntimeError("fit: called inside no_grad(), where nothing is recorded to learn from; call it outside")

    history, descent = History(), _Descent(cost, optimizer)
    batches = -(-len(x) // (size or len(x)))
    best, best_epoch = -inf, 0
    with metered(progress, epochs, batches) as meter, _ctrl_c(meter):
        for epoch in range(1, epochs + 1):
            begin, total, seen = perf_counter(), 0.0, 0
            for batch, (xs, ys) in enumerate(minibatches(x, y, size, seed=random, shuffle=shuffle), start=1):
                lr = optimizer.lr
                total += len(xs) * descent.step(xs, ys, f"epoch {epoch}, batch {batch}")
                seen += len(xs)
                if schedule is not None and schedule_every == "step":
                    schedule.step()
                meter.ran(epoch, batch, total / seen)
                if meter.stopping:
                    break
            share = None if accuracy is None else _judge(accuracy, *judged, meter)
            if schedule is not None and schedule_every == "epoch" and batch == batches:
                schedule.step()
            meter.end(share)
            history.append(Epoch(epoch, descent.steps, total / seen, share, lr, perf_counter() - begin))

            answers = [listener(history[-1]) for listener in listeners]
            score = -total / seen if share is None else share
            if score > best:
                best, best_epoch = score, epoch
            if meter.stopping:
                history.stopped = "interrupt"
            elif any(answer is True for answer in answers):
                history.stopped = "callback"
            elif epoch - best_epoch >= limit:
                history.stopped = "patience"
            if history.stopped:
                break
    return history


class _Descent:
    """One step after the other, with the way back from a bad one."""

    def __init__(self, cost: Callable[[Any, Any], Any], optimizer: Optimizer) -> None:
        self.cost = cost
        self.optimizer = optimizer
        self.steps = 0
        self.good = self._parameters()  # where the last finite loss was found

    def step(self, xs: Any, ys: Any, where: str) -> float:
        """The mean loss of a batch, by which the optimizer has then taken a step."""
        smaller = f"try a smaller learning rate than {self.optimizer.lr:g}"
        self.optimizer.zero_grad()
        loss = _loss_and_gradient(self.cost, xs, ys)
        if not isfinite(loss):
            self._go_back()
            way_out = smaller if self.steps else "look for nan, inf and huge numbers in the data and the parameters"
            raise FloatingPointError(f"fit: {where}: the loss is {loss}; {way_out}")
        self.good = self._parameters()
        try:
            self.optimizer.step()
        except BaseException:  # a second Ctrl-C too: no half steps
            self._go_back()
            raise
        if not all(map(isfinite, self._parameters())):
            self._go_back()
            problem = f"the loss is {loss:.4g}, but the step makes a parameter inf or nan"
            raise FloatingPointError(f"fit: {where}: {problem}; {smaller}")
        self.steps += 1
        return loss

    def _parameters(self) -> list[float]:
        return [parameter.data for parameter in self.optimizer.params]

    def _go_back(self) -> None:
        for parameter, number in zip(self.optimizer.params, self.good):
            parameter.data = number


def _loss_and_gradient(cost: Callable[[Any, Any], Any], xs: Any, ys: Any) -> float:
    """The mean loss of a batch; its derivatives are added to the parameters' gradients."""
    total, share = 0.0, 1.0 / len(xs)
    for x, y in zip(xs, ys):
        loss = cost(x, y)
        if not isinstance(loss, Value):
            got = f"{short_repr(loss)}, a {type(loss).__name__}"
            raise TypeError(f"fit: cost(x, y) returned {got}; expected a Value, the loss of one example")
        (loss * share).backward()
        total += loss.data
        del loss  # frees its graph before the next one is built
    return total * share


def _judge(accuracy: Callable[[Any, Any], float], xs: Any, ys: Any, meter: Meter) -> float | None:
    """The mean accuracy over the examples; None when Ctrl-C came first."""
    right = 0.0
    with no_grad():
        for i, (x, y) in enumerate(zip(xs, ys), start=1):
            if meter.stopping:
                return None
            meter.check(i, len(xs))
            verdict = accuracy(x, y)
            try:
                right += float(verdict)
            except (TypeError, ValueError):
                expected = "expected True or False, or a number from 0 to 1"
                raise TypeError(f"fit: accuracy(x, y) returned {short_repr(verdict)}; {expected}") from None
    return right / len(xs)


@contextmanager
def _ctrl_c(meter: Meter) -> Iterator[None]:
    """Ctrl-C sets `meter.stopping`; a second one raises KeyboardInterrupt.

    Only where Python's own handler is at work, and in the main thread, which alone may replace it.
    """

    def handler(number: int, frame: FrameType | None) -> None:
        if meter.stopping:
            signal.default_int_handler(number, frame)
        meter.stopping = True

    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _pair(name: str, data: Any) -> tuple[Any, Any]:
    """The examples and their targets, as many of each."""
    try:
        x, y = data
    except (TypeError, ValueError):
        expected = "expected a pair (X, Y), the examples and their targets"
        raise TypeError(f"fit({name}={short_repr(data)}): {expected}") from None
    paired(f"fit({name}=...)", x, y)
    return x, y


def _functions(callbacks: Any) -> list[Callable[[Epoch], object]]:
    try:
        functions = list(callbacks)
    except TypeError:
        functions = [None]
    for function in functions:
        if not callable(function):
            raise TypeError(f"fit(callbacks={short_repr(callbacks)}): expected a list of functions of an Epoch")
    return functions
