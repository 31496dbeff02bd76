"""Fit a model to data: draw a batch, forward, loss, backward, step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal
from warnings import warn

from micrograd_plus._support.arguments import Seed, generator, whole
from micrograd_plus.data.batches import ordered
from micrograd_plus.nn import Module
from micrograd_plus.optim import Optimizer, Schedule
from micrograd_plus.training.arguments import (
    check_cost,
    check_optimizer,
    check_recording,
    functions,
    pair,
    snapshots,
    validated,
)
from micrograd_plus.training.eager import Eager, by_function, right
from micrograd_plus.training.interrupts import ctrl_c
from micrograd_plus.training.progress import Meter, metered
from micrograd_plus.training.recording import MOST, Recorder, Trained
from micrograd_plus.training.records import Epoch, History

if TYPE_CHECKING:
    from micrograd_plus.program import CompileError as CompileError  # named under Raises
    from micrograd_plus.program import Program
    from micrograd_plus.training.descents import Descent
    from micrograd_plus.training.judging import Judge


def fit(
    cost: Callable[[Any, Any], Any] | Program,
    data: tuple[Any, Any],
    optimizer: Optimizer,
    *,
    compile: bool | None = None,
    threads: int = 1,
    executor: Any = None,
    map: Callable[..., Any] | None = None,
    batch_size: int | None = 32,
    epochs: int = 5,
    seed: Seed = None,
    shuffle: bool = True,
    accuracy: Callable[[Any, Any], float] | Module | Program | None = None,
    validation: tuple[Any, Any] | None = None,
    schedule: Schedule | None = None,
    schedule_every: Literal["epoch", "step"] = "epoch",
    callbacks: Iterable[Callable[[Epoch], object]] = (),
    patience: int | None = None,
    progress: bool | None = None,
    record: bool | int = False,
) -> History:
    """Go through the data `epochs` times, batch by batch, and after each batch let the optimizer take a step.

    The loss of a batch is the mean over its examples. The cost is compiled, as `mp.compile` does it, from the shapes of
    the first example, and tried on a few against the cost itself; then whole batches run through NumPy, and the
    parameters are a flat vector, which is written to the Values whenever one of your functions is called, and at the
    end, however that comes. Plain numbers in the cost, other than those in X and Y, are constants then; nodes that were
    there before are computed anew from the parameters, where the eager engine takes them as they stand.

    What can't be compiled (a cost that draws random numbers, words instead of numbers) is left to the eager engine,
    with a warning. There each example's share of the loss runs backward as soon as it is computed, and its graph is
    freed: the gradients add up to those of the whole batch's graph in a fraction of the memory. So is everything where
    NumPy is not there, as in a browser tab.

    The same seed (and the same weights to begin with) gives the same run to the last bit; compiled or eager, to
    rounding.

    Ctrl-C stops the training after the running batch: the epoch so far is recorded, callbacks see it, and the history
    is returned with `.interrupted` set. A second Ctrl-C raises KeyboardInterrupt at once, with the parameters of the
    last whole step. (In the main thread, and while Python's own handler is at work; elsewhere Ctrl-C is left alone.)

    Args:
        cost: cost(x, y) is the loss of one example, a Value; or a program that `mp.compile` made of such a function,
            with `parameters=` those of the optimizer.
        data: the pair (X, Y) of the examples and their targets: lists, or arrays whose first axis counts them. They are
            made float64 arrays once, before the first step, if the cost is compiled.
        optimizer: one from `optim`, made for the model's parameters.
        compile: None compiles the cost, or warns and runs eagerly if it can't be; True demands it; False is the eager
            engine, where functions may do anything.
        threads: how many threads share a batch that is compiled, where it has hundreds of examples, and the outputs for
            `accuracy`; the answers are the same to the last bit. A program given as `cost` brings its own.
        executor: whose workers compute the parts of each batch: a `concurrent.futures.Executor`, Dask's client, a
            function that makes one, or `Workers(...)`, which also says into how many parts. The weights are the same
            however many workers there are.
        map: instead of it, a function that is used as Python's `map`, such as that of a `multiprocessing.Pool`.
        batch_size: how many examples a step; None takes the whole set, 1 is stochastic descent in the strict sense.
        seed: for the order of the examples: a whole number, a `random.Random`, or None for a new order every time.
        shuffle: False keeps the order of the data.
        accuracy: accuracy(x, y) judges one example, right or wrong, or anything from 0 to 1; the mean is taken at the
            end of each epoch, with nothing recorded for backward. Or the model, or a program that gives its outputs,
            for all examples at once: the largest of several outputs must stand in the place that the target, a class,
            names, or where the largest of the target's numbers stands; a single output must be above 0, or above 1/2
            if it comes from `sigmoid`, clamped or not, just where the target (of 0 and 1, or -1 and 1) is 1.
        validation: the pair (X, Y) to judge on; without it, the training data are.
        schedule: what sets the learning rate: its step() is called after each epoch, as in PyTorch, or after each
            step of the optimizer if `schedule_every` is "step".
        callbacks: functions called with the `Epoch` after each; one that returns True ends the training.
        patience: end the training after so many epochs without a higher accuracy, or a lower loss if none is asked for.
        progress: None shows a bar on a terminal and in a notebook, and plain lines elsewhere; False is silent.
        record: a whole number keeps the parameters at so many moments at most, evenly from the first step to the last,
            as `history.snapshots`, of which `history.film()` makes a film; True keeps 60 of them.

    Returns:
        A `History`, a list with an `Epoch` for each.

    Raises:
        TypeError: an argument is of the wrong kind, or `cost` returns no Value.
        ValueError: an argument is of the right kind, but out of its range, or does not go with the others.
        CompileError: `compile` is True, or there are workers, and the cost can't be compiled; it is a TypeError, too.
        RuntimeError: called inside `no_grad()`; or workers are lost again and again.
        FloatingPointError: a loss or a parameter is no longer a finite number. The parameters are then those of the
            last batch whose loss was finite, and the optimizer is where it was with them.

    >>> from micrograd_plus import Value, optim
    >>> slope = Value(0.0)
    >>> X, Y = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
    >>> fit(lambda x, y: (slope * x - y) ** 2, (X, Y), optim.SGD([slope], lr=0.1), seed=1, progress=False)
    History(5 epochs, loss ...e-09)
    >>> print(f"{slope.data:.3f}")
    2.000
    """
    check_cost(cost, compile, threads)
    x, y = pair("data", data)
    judged = (x, y) if validation is None else validated(validation, accuracy)
    check_optimizer(optimizer, schedule, schedule_every)
    size = len(x) if batch_size is None else whole("fit", "batch_size", batch_size, hint=", or None for the whole set")
    epochs = whole("fit", "epochs", epochs)
    limit = _Patience(inf if patience is None else whole("fit", "patience", patience))
    order = partial(ordered, len(x), generator("fit", seed), shuffle=shuffle)
    listeners = functions(callbacks)
    check_recording()
    most = snapshots(record, MOST)
    if compile or executor is not None or map is not None or _has_numpy():
        from micrograd_plus.training.backends import descent_for  # imported here, for these bring NumPy
        from micrograd_plus.training.judging import judge
        from micrograd_plus.training.workers import workers_of

        descent = descent_for(cost, x, y, optimizer, compile, threads, workers_of(executor, map))
        judging = None if accuracy is None else judge(accuracy, *judged, compile=compile, threads=threads)
    else:
        descent, judging = _eagerly(cost, x, y, optimizer, compile, accuracy, *judged)
    batches = -(-len(x) // size)
    recorder = Recorder(most, epochs * batches, optimizer.params) if most else None
    with metered(progress, epochs, batches) as meter, ctrl_c(meter), _published(descent):
        history = _Training(
            descent, optimizer, order, size, judging, schedule, schedule_every, listeners, meter, recorder
        ).run(epochs, limit)
    if recorder is not None:
        history._trained = Trained(cost, x, y, optimizer.params)
    return history


def _has_numpy() -> bool:
    try:
        import numpy  # noqa: F401 - the question is whether it can be
    except ModuleNotFoundError:
        return False
    return True


def _eagerly(
    cost: Any, x: Any, y: Any, optimizer: Optimizer, compile: bool | None, accuracy: Any, xs: Any, ys: Any
) -> tuple[Descent, Judge | None]:
    """What takes the steps and what judges on xs and ys where NumPy is not there, as in a browser tab."""
    descent = Eager(cost, x, y, optimizer, reason="" if compile is False else "NumPy is not there")
    if accuracy is None:
        return descent, None
    return descent, by_function(right(accuracy, xs[0]) if isinstance(accuracy, Module) else accuracy, xs, ys)


@dataclass
class _Training:
    """A training under way.

    Attributes:
        descent: what takes the steps.
        optimizer: whose rule and whose learning rate they follow.
        order: draws the order of the examples for an epoch.
        size: how many examples a step.
        judge: what measures the accuracy, if anything does.
        schedule, schedule_every: what sets the learning rate, if anything does, and when.
        listeners: the callbacks.
        meter: where the training stands.
        recorder: what takes snapshots, if anything does.
    """

    descent: Descent
    optimizer: Optimizer
    order: Callable[[], Sequence[int]]
    size: int
    judge: Judge | None
    schedule: Schedule | None
    schedule_every: str
    listeners: Sequence[Callable[[Epoch], object]]
    meter: Meter
    recorder: Recorder | None = None

    @property
    def watched(self) -> bool:
        """Whether functions of the user look at the Values after each epoch, and may write them."""
        return self.judge is not None or bool(self.listeners)

    def run(self, epochs: int, limit: _Patience) -> History:
        """Epoch after epoch, until something ends the training."""
        history = History()
        for number in range(1, epochs + 1):
            history.append(self.epoch(number))
            history.stopped = self.ended(history[-1], limit)
            if history.stopped:
                break
        if self.recorder is not None:
            self.recorder.end(self.descent, history[-1].epoch)
            history.snapshots = self.recorder.snapshots
        return history

    def epoch(self, number: int) -> Epoch:
        """Go through the examples once, then judge what has been learnt."""
        begin = perf_counter()
        order = self.order()
        loss, lr, seen = self._steps(number, order)
        if self.watched:
            self.descent.publish()
        share = None if self.judge is None else self.judge.share(self.meter)
        if self.schedule_every == "epoch" and seen == len(order):
            self._advance()
        self.meter.end(share)
        return Epoch(number, self.descent.steps, loss, share, lr, perf_counter() - begin)

    def ended(self, epoch: Epoch, limit: _Patience) -> Literal["", "interrupt", "callback", "patience"]:
        """What ends the training with this epoch, in a word; "" where it goes on."""
        told, impatient = self._tell(epoch), limit.reached(epoch)
        return "interrupt" if self.meter.stopping else "callback" if told else "patience" if impatient else ""

    def _tell(self, epoch: Epoch) -> bool:
        """Call the callbacks; whether one of them ends the training."""
        answers = [listener(epoch) for listener in self.listeners]
        if self.watched:
            self.descent.take_over()
        return any(type(answer).__name__ in ("bool", "bool_") and answer for answer in answers)  # NumPy's, too

    def _steps(self, epoch: int, order: Sequence[int]) -> tuple[float, float, int]:
        """A step for each batch: the mean loss, the last step's learning rate, and how many examples were seen."""
        total, seen, lr = 0.0, 0, self.optimizer.lr
        for batch, examples in enumerate(self.descent.batches(order, self.size), start=1):
            lr = self.optimizer.lr
            count = min(self.size, len(order) - seen)
            total += count * self._recorded(examples, epoch, batch)
            seen += count
            if self.schedule_every == "step":
                self._advance()
            self.meter.ran(epoch, batch, total / seen)
            if self.descent.reason:
                told = f"fit: not compiled, and so slower, because: {self.descent.reason}"
                warn(f"{told}\nIf that is meant: fit(..., compile=False)", stacklevel=5)  # the line that calls fit
                self.descent.reason = ""
            if self.meter.stopping:
                break
        return total / seen, lr, seen

    def _advance(self) -> None:
        """Let the schedule, if there is one, go on; one of the user's may look at the Values, and write them."""
        if self.schedule is None:
            return
        theirs = type(self.schedule).__module__ != Schedule.__module__
        if theirs:
            self.descent.publish()
        self.schedule.step()
        if theirs:
            self.descent.take_over()

    def _recorded(self, examples: Any, epoch: int, batch: int) -> float:
        """The loss of a batch; the recorder, if there is one, may take a snapshot after its step."""
        if self.recorder is None:
            return self._step(examples, epoch, batch)
        if not self.descent.steps:
            self.recorder.begin(self.descent)
        loss = self._step(examples, epoch, batch)
        self.recorder.stepped(self.descent, epoch, loss)
        return loss

    def _step(self, examples: Any, epoch: int, batch: int) -> float:
        """The loss of a batch; the eager engine takes over if the program turns out not to be able to run it."""
        try:
            return self.descent.step(examples, epoch, batch)
        except TypeError as error:
            if (eager := self.descent.eager_for(error)) is None:
                raise
        self.descent = eager
        return eager.step(examples, epoch, batch)


@dataclass
class _Patience:
    """Counts the epochs without a higher accuracy, or a lower loss where no accuracy is asked for."""

    epochs: float
    best: float = -inf
    best_epoch: int = 0

    def reached(self, epoch: Epoch) -> bool:
        """Whether the training ends with this epoch, for too many brought nothing better."""
        score = -epoch.loss if epoch.accuracy is None else epoch.accuracy
        if score > self.best:
            self.best, self.best_epoch = score, epoch.epoch
        return epoch.epoch - self.best_epoch >= self.epochs


@contextmanager
def _published(descent: Descent) -> Iterator[None]:
    """After this block the Values hold what the parameters are, whether it ended well or in an error."""
    try:
        yield
    finally:
        descent.publish()
        descent.close()
