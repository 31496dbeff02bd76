"""Are the arguments of `fit` of the right kind, and do they go together?"""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as short_repr
from typing import Any

from micrograd_plus._support.arguments import by_place, masked, paired, whole
from micrograd_plus.engine.value import Value
from micrograd_plus.optim import Optimizer, Schedule
from micrograd_plus.training.records import Epoch


def check_cost(cost: Any, compile: Any, threads: Any) -> None:
    """Raise unless the cost can be called, `compile` is one of its three values, and so many threads can work."""
    if compile is not None and not isinstance(compile, bool):
        raise ValueError(f"fit(compile={short_repr(compile)}): expected None, True or False")
    if not callable(cost):
        raise TypeError(f"fit(cost={short_repr(cost)}): expected a function of one example and its target")
    if whole("fit", "threads", threads) > 1 and compile is False:
        way_out = "the engine works in one thread; leave one of the two out"
        raise ValueError(f"fit(threads={threads}, compile=False): {way_out}")


def check_optimizer(optimizer: Any, schedule: Any, schedule_every: Any) -> None:
    """Raise unless the optimizer is one, and the schedule is one of it."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit(optimizer={short_repr(optimizer)}): expected one from optim, such as optim.SGD(...)")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(f"fit(schedule={short_repr(schedule)}): expected one from optim, such as optim.StepLR(...)")
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError(f"fit(schedule={short_repr(schedule)}): it was made for another optimizer")
    if schedule_every not in ("epoch", "step"):
        raise ValueError(f"fit(schedule_every={schedule_every!r}): expected 'epoch' or 'step'")


def snapshots(record: Any, usual: int) -> int:
    """How many snapshots `record` allows; 0 for none.

    Raises:
        TypeError: it is neither a bool nor a whole number.
        ValueError: it is below 2.
    """
    if isinstance(record, bool):
        return usual if record else 0
    return whole("fit", "record", record, least=2, hint=", how many snapshots to keep at most, or a bool")


def check_recording() -> None:
    """Raise inside no_grad(), where operations leave no graph."""
    if (Value(1.0) + 1.0).op is None:
        raise RuntimeError("fit: called inside no_grad(), where nothing is recorded to learn from; call it outside")


def pair(name: str, data: Any) -> tuple[Any, Any]:
    """The examples and their targets, as many of each.

    Raises:
        TypeError: they are no pair, or one of them has no length, or a mask.
        ValueError: there are more of the one than of the other, or none.
    """
    try:
        x, y = data
    except (TypeError, ValueError):
        expected = "expected a pair (X, Y), the examples and their targets"
        raise TypeError(f"fit({name}={short_repr(data)}): {expected}") from None
    paired(f"fit({name}=...)", x, y)
    if masked(x) or masked(y):
        way_out = "expected plain numbers: leave out what is masked, or fill it"
        raise TypeError(f"fit({name}=...): {'X' if masked(x) else 'Y'} is a masked array; {way_out}")
    return by_place(x), by_place(y)


def validated(validation: Any, accuracy: Any) -> tuple[Any, Any]:
    """The examples to judge on and their targets.

    Raises:
        TypeError: they are no pair, or one of them has no length.
        ValueError: there are more of the one than of the other, or none; or nothing judges them.
    """
    judged = pair("validation", validation)
    if accuracy is None:
        raise ValueError("fit(validation=...): nothing judges it; give accuracy=, a function of an example, too")
    return judged


def functions(callbacks: Any) -> list[Callable[[Epoch], object]]:
    """The callbacks as a list.

    Raises:
        TypeError: they are none, or one of them is no function.
    """
    try:
        functions = list(callbacks)
    except TypeError:
        functions = [None]
    for function in functions:
        if not callable(function):
            raise TypeError(f"fit(callbacks={short_repr(callbacks)}): expected a list of functions of an Epoch")
    return functions
