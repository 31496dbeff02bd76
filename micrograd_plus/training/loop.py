"""Fit a model to data: draw a batch, forward, loss, backward, step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from math import inf
from os import PathLike
from reprlib import repr as short_repr
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal
from warnings import warn

from micrograd_plus._support.arguments import Seed, generator, paired, whole
from micrograd_plus._support.files import write_atomically
from micrograd_plus.data.batches import ordered
from micrograd_plus.engine.hooks import has_hook
from micrograd_plus.engine.recording import watching
from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.optim import Optimizer, Schedule
from micrograd_plus.training.progress import Meter, metered, percent

if TYPE_CHECKING:
    from micrograd_plus.program import Program
    from micrograd_plus.training.descents import Descent
    from micrograd_plus.training.judging import Judge


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to: a row of the history, and what callbacks are called with.

    Attributes:
        epoch: 1, 2, ...
        step: how many steps the optimizer has taken since `fit` began.
        loss: the mean over the epoch's examples, each taken before the step it led to.
        accuracy: from 0 to 1; None when nobody asked, or Ctrl-C came first.
        lr: the learning rate of the epoch's last step.
        seconds: how many seconds it took; the only thing in which two runs from the same seed differ, so not compared.

    >>> from micrograd_plus import Value, optim
    >>> def tell(epoch):
    ...     print(f"epoch {epoch.epoch}, after {epoch.step} steps: loss {epoch.loss:.3f}")
    >>> slope = Value(0.0)
    >>> data = [1.0, 2.0], [2.0, 4.0]
    >>> sgd = optim.SGD([slope], lr=0.1)
    >>> fit(lambda x, y: (slope * x - y) ** 2, data, sgd, epochs=2, callbacks=[tell], progress=False)
    epoch 1, after 1 steps: loss 10.000
    epoch 2, after 2 steps: loss 2.500
    History(2 epochs, loss 2.5)
    """

    epoch: int
    step: int
    loss: float
    accuracy: float | None
    lr: float
    seconds: float = field(compare=False)


class History(list[Epoch]):
    """The epochs of a training, in order, a list made by `fit`.

    Attributes:
        stopped: "" when all epochs ran; "callback", "patience" or "interrupt" when something ended it early.

    >>> from micrograd_plus import Value, optim
    >>> slope = Value(0.0)
    >>> data = [1.0, 2.0], [2.0, 4.0]
    >>> sgd = optim.SGD([slope], lr=0.1)
    >>> history = fit(lambda x, y: (slope * x - y) ** 2, data, sgd, epochs=3, progress=False)
    >>> [round(epoch.loss, 3) for epoch in history]
    [10.0, 2.5, 0.625]
    >>> history.stopped, history.interrupted
    ('', False)
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     history.to_csv(Path(folder, "history.csv"))
    ...     print(Path(folder, "history.csv").read_text().splitlines()[0])
    epoch,step,loss,accuracy,lr,seconds
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
    cost: Callable[[Any, Any], Any] | Program,
    data: tuple[Any, Any],
    optimizer: Optimizer,
    *,
    compile: bool | None = None,
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
) -> History:
    """Go through the data `epochs` times, batch by batch, and after each batch let the optimizer take a step.

    The loss of a batch is the mean over its examples. The cost is compiled, as `mp.compile` does it, from the shapes of
    the first example, and tried on a few against the cost itself; then whole batches run through NumPy, and the
    parameters are a flat vector, which is written to the Values whenever one of your functions is called, and at the
    end, however that comes. Plain numbers in the cost, other than those in X and Y, are constants then.

    What can't be compiled (a cost that draws random numbers, words instead of numbers) is left to the eager engine,
    with a warning. There each example's share of the loss runs backward as soon as it is computed, and its graph is
    freed: the gradients add up to those of the whole batch's graph in a fraction of the memory.

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
        batch_size: how many examples a step; None takes the whole set, 1 is stochastic descent in the strict sense.
        seed: for the order of the examples: a whole number, a `random.Random`, or None for a new order every time.
        shuffle: False keeps the order of the data.
        accuracy: accuracy(x, y) judges one example, right or wrong, or anything from 0 to 1; the mean is taken at the
            end of each epoch, with nothing recorded for backward. Or the model, or a program that gives its outputs,
            for all examples at once: the largest of several outputs must stand in the place that the target, a class,
            names, or where the largest of the target's numbers stands; a single output must be above 0, or above 1/2
            if it comes from a sigmoid, just where the target (of 0 and 1, or -1 and 1) is 1.
        validation: the pair (X, Y) to judge on; without it, the training data are.
        schedule: what sets the learning rate: its step() is called after each epoch, as in PyTorch, or after each
            step of the optimizer if `schedule_every` is "step".
        callbacks: functions called with the `Epoch` after each; one that returns True ends the training.
        patience: end the training after so many epochs without a higher accuracy, or a lower loss if none is asked for.
        progress: None shows a bar on a terminal and in a notebook, and plain lines elsewhere; False is silent.

    Returns:
        A `History`, a list with an `Epoch` for each.

    Raises:
        TypeError: an argument is of the wrong kind, or `cost` returns no Value.
        ValueError: an argument is of the right kind, but out of its range, or does not go with the others.
        CompileError: `compile` is True, and the cost can't be compiled; it is a TypeError, too.
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
    if compile is not None and not isinstance(compile, bool):
        raise ValueError(f"fit(compile={short_repr(compile)}): expected None, True or False")
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

    history, descent = History(), _descent(cost, x, y, optimizer, compile)
    judge = None if accuracy is None else _judge(accuracy, *judged, compile)
    size = size or len(x)
    batches = -(-len(x) // size)
    best, best_epoch = -inf, 0
    with metered(progress, epochs, batches) as meter, _ctrl_c(meter), _published(descent):
        for epoch in range(1, epochs + 1):
            begin, total, seen = perf_counter(), 0.0, 0
            for batch, examples in enumerate(descent.batches(ordered(len(x), random, shuffle=shuffle), size), start=1):
                lr = optimizer.lr
                count = min(size, len(x) - seen)
                try:
                    loss = descent.step(examples, epoch, batch)
                except TypeError as error:
                    if (eager := descent.eager_for(error)) is None:
                        raise
                    descent = eager
                    loss = descent.step(examples, epoch, batch)
                total += count * loss
                seen += count
                if schedule is not None and schedule_every == "step":
                    schedule.step()
                meter.ran(epoch, batch, total / seen)
                if descent.reason:
                    told = f"fit: not compiled, and so slower, because: {descent.reason}"
                    warn(f"{told}\nIf that is meant: fit(..., compile=False)", stacklevel=2)
                    descent.reason = ""
                if meter.stopping:
                    break
            if judge is not None or listeners:
                descent.publish()
            share = None if judge is None else judge.share(meter)
            if schedule is not None and schedule_every == "epoch" and batch == batches:
                schedule.step()
            meter.end(share)
            history.append(Epoch(epoch, descent.steps, total / seen, share, lr, perf_counter() - begin))

            answers = [listener(history[-1]) for listener in listeners]
            if judge is not None or listeners:
                descent.take_over()
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


def _descent(cost: Any, x: Any, y: Any, optimizer: Optimizer, compile: bool | None) -> Descent:
    """The way down: compiled where that may and can be."""
    from micrograd_plus.program import CompileError, Program
    from micrograd_plus.training.compiling import compiled_cost, floats
    from micrograd_plus.training.descents import Compiled, Eager, first_line

    if isinstance(cost, Program):
        if compile is False:
            raise ValueError("fit(compile=False): the cost is a compiled program already; give the function instead")
        _same_parameters(cost, optimizer)
        if reason := _only_eager(optimizer):
            raise CompileError(f"fit: {reason}; give the function instead of the program, and compile=False")
        xs, ys = floats("fit: X", x), floats("fit: Y", y)
        cost.value_and_grad(xs[:1], ys[:1])  # refuses what does not fit
        if cost.rebound():
            told = (
                "names in its function were given other Values since it was compiled, and it goes on with the old ones"
            )
            warn(f"fit: {cost!r}: {told}; compile it again, if that is not meant", stacklevel=3)
        return Compiled(cost, xs, ys, optimizer, None, demanded=True)
    eager = Eager(cost, x, y, optimizer)
    if compile is False or (compile is None and watching.get() is not None):  # detect_anomaly() looks at every number
        return eager
    try:
        if reason := _only_eager(optimizer):
            raise CompileError(reason)
        xs, ys = floats("fit: X", x), floats("fit: Y", y)
        program = compiled_cost(cost, (x, y), (xs, ys), optimizer.params)
        return Compiled(program, xs, ys, optimizer, eager, demanded=bool(compile))
    except Exception as error:
        if compile:
            raise
        eager.reason = first_line(error)
        return eager


def _only_eager(optimizer: Optimizer) -> str:
    """Why no program can take this optimizer's steps, or ""."""
    name = type(optimizer).__name__
    if watching.get() is not None:
        return "detect_anomaly() looks at every number, one by one"
    if type(optimizer).step is not Optimizer.step or "step" in vars(optimizer):
        return f"{name} has a step() of its own; give an Optimizer its rule, and it steps vectors, too"
    if any(map(has_hook, optimizer.params)):
        return "a parameter has a hook, which wants to see each example's gradient"
    return ""


def _same_parameters(program: Program, optimizer: Optimizer) -> None:
    ours, theirs = program.parameters, optimizer.params
    if len(ours) == len(theirs) and all(p is q for p, q in zip(ours, theirs)):
        return
    same = len(ours) == len(theirs) and set(map(id, ours)) == set(map(id, theirs))
    problem = "they have the same parameters, but in another order" if same else "they have other parameters"
    way_out = "expected mp.compile(..., parameters=those that the optimizer was made for)"
    raise ValueError(f"fit: {program!r} and {optimizer!r}: {problem}; {way_out}")


def _judge(accuracy: Any, x: Any, y: Any, compile: bool | None) -> Judge:
    from micrograd_plus.training.judging import judge

    return judge(accuracy, x, y, compile=compile)


@contextmanager
def _published(descent: Descent) -> Iterator[None]:
    """The Values are what the parameters are in the end, however that comes."""
    try:
        yield
    finally:
        descent.publish()


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
