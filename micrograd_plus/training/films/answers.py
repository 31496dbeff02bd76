"""What does the model answer at each snapshot? Its outputs, and which of them are right."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.variables import values_and_modules
from micrograd_plus.nn import Module
from micrograd_plus.program import Program
from micrograd_plus.training.compiling import compiled_model
from micrograd_plus.training.judging import middle_of, right_answers
from micrograd_plus.training.recording import Snapshot, Trained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

Model = Callable[[Any], Any]


@dataclass(frozen=True)
class Answers:
    """What a model says of some examples at each snapshot.

    Attributes:
        scores: for each snapshot and example one number, above 0 where the model says yes; or, where there are more
            outputs than two, a number for each.
        middle: from where on a single output says yes.
    """

    scores: Floats
    middle: float

    @property
    def several(self) -> bool:
        """Whether there are more classes than yes and no."""
        return bool(self.scores.shape[2] > 1)

    def given(self) -> NDArray[Any]:
        """The class that is said, for each snapshot and example; 1 is yes."""
        return self.scores.argmax(axis=2) if self.several else (self.scores[:, :, 0] > 0.0).astype(int)


def outputs(snapshots: Sequence[Snapshot], model: Model, examples: Any, xs: Floats) -> Floats:
    """The outputs of a model for some examples, by the parameters of each snapshot: snapshots, examples, outputs.

    Args:
        examples: some that the model takes as they are, which tells the form it expects: lists, arrays, tuples.
        xs: those that are asked for, thousands perhaps, so that the model must be compiled.

    Raises:
        Exception: the model can't be compiled; what it says of that, or raises itself.
    """
    program = compiled_model(model, examples, xs)
    with as_found(snapshots[0].values):
        found = []
        for snapshot in snapshots:
            snapshot.restore()
            found.append(program.values(xs).reshape(len(xs), -1))
    return np.array(found)


def as_scores(found: Floats, model: Model, example: Any) -> Answers:
    """Outputs as scores: of two outputs the second one's lead."""
    if found.shape[2] == 2:
        return Answers(found[:, :, 1:] - found[:, :, :1], 0.0)
    middle = (middle_of(model, example) or 0.0) if found.shape[2] == 1 else 0.0
    return Answers(found - middle, middle)


def right(y: Any, count: int) -> NDArray[Any] | None:
    """The class of each target, 1 for yes; None where targets are no classes."""
    try:
        return right_answers(y, count).astype(int)
    except (TypeError, ValueError):  # a CompileError, for what is no number, is a TypeError
        return None


@contextmanager
def as_found(values: Sequence[Value]) -> Iterator[None]:
    """A block after which the parameters and their gradients are again what they were before it."""
    held = [(value._data, value._grad) for value in values]
    try:
        yield
    finally:
        for value, (data, grad) in zip(values, held):
            value._data, value._grad = data, grad


def surroundings(cost: Any) -> dict[str, Any]:
    """The variables that a cost uses, by name."""
    function: Any = cost.function if isinstance(cost, Program) else cost
    while isinstance(function, partial):
        function = function.func
    owner = getattr(function, "__self__", None)
    try:
        used = inspect.getclosurevars(inspect.unwrap(function))
    except TypeError:  # an object with a __call__
        return dict(getattr(function, "__dict__", {}))
    return {**used.globals, **used.nonlocals, **getattr(owner, "__dict__", {})}


def model_of(trained: Trained) -> tuple[str, Any] | None:
    """The module that a cost uses, with its name: the one that has most of the parameters; None where there is none."""
    params = Identities.fromkeys(trained.values)
    best, most = None, 0
    for path, thing in values_and_modules(surroundings(trained.cost)):
        if isinstance(thing, Module):
            count = sum(parameter in params for parameter in thing.parameters())
            if count > most:
                best, most = (path, thing), count
    return best
