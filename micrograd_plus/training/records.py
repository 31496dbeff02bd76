"""What does a training leave behind? Its history, with a row for each epoch."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, fields
from os import PathLike
from typing import Literal

from micrograd_plus._support.files import write_atomically
from micrograd_plus.training.progress import percent


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

    >>> from micrograd_plus import Value, fit, optim
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

    >>> from micrograd_plus import Value, fit, optim
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

    def _repr_html_(self) -> str:
        """The curves, and below them the epochs as a table."""
        from micrograd_plus.training.curves import markup  # what draws is not needed to train

        return markup(self)

    def __repr__(self) -> str:
        if not self:
            return "History(no epochs)"
        accuracy = "" if self[-1].accuracy is None else f", accuracy {percent(self[-1].accuracy)}"
        stopped = self.stopped and f", stopped by {self.stopped}"
        return f"History({len(self)} epochs, loss {self[-1].loss:.4g}{accuracy}{stopped})"
