"""Keep the parameters as they are at some moments of a training: its snapshots."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from micrograd_plus.engine.value import Value

if TYPE_CHECKING:
    from micrograd_plus.training.descents import Descent

MOST = 60  # snapshots that `record=True` keeps: a film of six seconds


@dataclass(frozen=True)
class Snapshot:
    """The parameters at one moment of a training, an entry of `history.snapshots`.

    Attributes:
        step: how many steps the optimizer had taken.
        epoch: which epoch was running.
        loss: the mean over the batches since the snapshot before, each taken before its step; of the first snapshot
            that of the first batch.
        numbers: the parameters in the order of `optimizer.params`, an array of floats, to the last bit.
        values: a list of the parameters themselves, as they are now.

    >>> from micrograd_plus import Value, fit, optim
    >>> slope = Value(0.0)
    >>> sgd = optim.SGD([slope], lr=0.1)
    >>> data = [1.0, 2.0], [2.0, 4.0]
    >>> history = fit(lambda x, y: (slope * x - y) ** 2, data, sgd, epochs=4, record=3, progress=False)
    >>> [(snapshot.step, round(snapshot.numbers[0], 6)) for snapshot in history.snapshots]
    [(0, 0.0), (2, 1.5), (4, 1.875)]
    >>> history.snapshots[1].restore()
    >>> slope.data
    1.5
    """

    step: int
    epoch: int
    loss: float
    numbers: array[float] = field(repr=False)
    values: Sequence[Value] = field(repr=False, compare=False)

    def restore(self) -> None:
        """Write the numbers into the parameters, whatever these are now."""
        for value, number in zip(self.values, self.numbers):
            value._data = number


@dataclass(frozen=True)
class Trained:
    """What a film asks for beside the snapshots.

    Attributes:
        cost: the function that was trained on.
        x: the examples.
        y: their targets.
        values: the parameters.
    """

    cost: Callable[[Any, Any], Any]
    x: Any
    y: Any
    values: Sequence[Value]


class Recorder:
    """Takes a snapshot at the beginning, at the end, and evenly between them.

    Args:
        most: how many there may be.
        planned: how many steps there will be, if nothing ends the training early.
        values: the parameters.
    """

    def __init__(self, most: int, planned: int, values: Sequence[Value]) -> None:
        self.values = values
        most = min(most, planned + 1)
        self.due = {round(planned * i / (most - 1)) for i in range(most)}
        self.snapshots: list[Snapshot] = []
        self._losses: list[float] = []

    def begin(self, descent: Descent) -> None:
        """Keep the parameters before the first step."""
        self._before = descent.numbers()

    def stepped(self, descent: Descent, epoch: int, loss: float) -> None:
        """Look at what a step has made of the parameters, and of which loss."""
        if not self.snapshots:
            self.snapshots.append(Snapshot(0, epoch, loss, self._before, self.values))
        self._losses.append(loss)
        if descent.steps in self.due:
            self._take(descent, epoch)

    def end(self, descent: Descent, epoch: int) -> None:
        """Keep the parameters after the last step, where something ended the training early."""
        if self._losses:
            self._take(descent, epoch)

    def _take(self, descent: Descent, epoch: int) -> None:
        loss = sum(self._losses) / len(self._losses)
        self.snapshots.append(Snapshot(descent.steps, epoch, loss, descent.numbers(), self.values))
        self._losses.clear()
