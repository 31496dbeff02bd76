"""How many answers are right: judged example by example by a function, or all at once by a model's outputs."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from micrograd_plus.data.batches import take
from micrograd_plus.engine.recording import no_grad
from micrograd_plus.nn import Module
from micrograd_plus.program import CompileError, Program
from micrograd_plus.training.compiling import compiled_model, floats
from micrograd_plus.training.eager import by_function, middle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd_plus.training.progress import Meter

    Floats = NDArray[Any]
    Outputs = Callable[[slice], Floats]


class Judge(Protocol):
    """Measures the accuracy, after each epoch."""

    def share(self, meter: Meter) -> float | None:
        """The mean over the examples, of the Values as they are; None when Ctrl-C came first."""


class ByOutputs:
    """Compares a model's answers with the targets: the largest output's place with a class, a sign with a sign.

    Args:
        outputs: gives the outputs for some of the examples, an array with a row for each.
        y: the targets; see `fit`.
        middle: from where on a single output says yes; None where nobody knows.
    """

    def __init__(self, outputs: Outputs, y: Any, middle: float | None) -> None:
        self.outputs = outputs
        self.middle = middle
        count = outputs(slice(1)).shape[1]
        self.right = right_answers(y, count)
        if count == 1 and middle is None:
            told = "an unpickled program does not tell whether its output is a score or a probability"
            raise ValueError(f"fit(accuracy=...): {told}; give a function of an example and its target")

    def share(self, meter: Meter) -> float | None:
        if meter.stopping:
            return None
        outputs = self.outputs(slice(None))
        given = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > self.middle
        return int((given == self.right).sum()) / len(given)


def judge(accuracy: Any, x: Any, y: Any, *, compile: bool | None, threads: int = 1) -> Judge:
    """The judge for what `fit(accuracy=...)` was given.

    Raises:
        TypeError: it is nothing that judges.
        ValueError: a target is none that it can be held to.
        CompileError: `compile` is True, and the model can't be compiled.
    """
    if isinstance(accuracy, (Module, Program)):
        return ByOutputs(predictor(accuracy, x, compile=compile, threads=threads), y, middle_of(accuracy, x[0]))
    return by_function(accuracy, x, y)


def predictor(model: Module | Program, x: Any, *, compile: bool | None = None, threads: int = 1) -> Outputs:
    """What gives a model's outputs for some of these examples, by its parameters as they are when it is called.

    Args:
        threads: as in `fit`.
        compile: as in `fit`; None compiles the model if that can be, and says nothing if not.

    Raises:
        CompileError: `compile` is True, and the model can't be compiled.
    """
    if compile is not False or isinstance(model, Program):
        try:
            array = floats("fit: X", x)
            program = model if isinstance(model, Program) else compiled_model(model, x, array, threads)
            program.values(array[:1])

            def answers(part: slice) -> Floats:
                nonlocal program
                try:
                    if program is not model and program.rebound():  # the model has other Values by now
                        program = compiled_model(model, x, array, threads)
                    return program.values(array[part]).reshape(len(array[part]), -1)
                except CompileError:  # of an example that goes a way of its own
                    if compile or isinstance(model, Program):
                        raise
                    return _one_by_one(model, take(x, part))

            return answers
        except Exception:  # a model may fail in its own way where it gets no numbers; by numbers the engine goes on
            if compile or isinstance(model, Program):
                raise
    return lambda part: _one_by_one(model, take(x, part))


def _one_by_one(model: Module, xs: Any) -> Floats:
    call: Any = model
    with no_grad():
        outputs = [call(x) for x in xs]
    try:
        return np.array([[float(y) for y in out] if hasattr(out, "__len__") else [float(out)] for out in outputs])
    except (TypeError, ValueError):
        expected = "expected a Value, or a list of as many each time"
        raise TypeError(f"fit: the model returned {short_repr(outputs[0])}; {expected}") from None


def middle_of(model: Any, x: Any) -> float | None:
    """From where on a single output means yes: a probability from 1/2 on, a score from 0 on."""
    function = model.function if isinstance(model, Program) else model
    if function is None:
        return None
    return middle(function(x))


def right_answers(y: Any, count: int) -> NDArray[Any]:
    """The place of the right output for each example, out of so many; or whether a single one should say yes."""
    targets = floats("fit: Y", y)
    targets = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    way_out = "or give accuracy=, a function of an example and its target"
    if count > 1 and targets.shape[1:] == (count,):
        return np.asarray(targets.argmax(axis=1))
    if targets.ndim != 1:
        expected = f"expected a class, or {count} numbers" if count > 1 else "expected a single one"
        raise ValueError(f"fit(accuracy=...): targets of shape {targets.shape[1:]} for {count} outputs; {expected}")
    kinds = np.unique(targets)
    allowed = [np.arange(count)] if count > 1 else [np.array([0.0, 1.0]), np.array([-1.0, 1.0])]
    if not any(np.isin(kinds, labels).all() for labels in allowed):
        odd = [kind for labels in (np.concatenate(allowed), allowed[-1]) for kind in kinds if kind not in labels]
        expected = f"expected a class from 0 to {count - 1}" if count > 1 else "expected 0 and 1, or -1 and 1"
        raise ValueError(f"fit(accuracy=...): target {odd[0]:g} for {count} outputs; {expected}, {way_out}")
    return targets if count > 1 else targets > 0.0
