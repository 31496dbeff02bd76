"""What does a training leave behind? Its history, with a row for each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field, fields
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from micrograd_plus._support.files import write_atomically
from micrograd_plus.training.progress import percent
from micrograd_plus.training.recording import Snapshot, Trained

if TYPE_CHECKING:
    from micrograd_plus.nn import Module
    from micrograd_plus.training.films import Film


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
        snapshots: a list of what `record=` kept, a `Snapshot` each; empty without it.

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
    snapshots: Sequence[Snapshot] = ()
    _trained: Trained | None = None  # what a film asks for; a pickle lacks it, for functions are hard to pickle

    def __getstate__(self) -> dict[str, Any]:
        return {name: part for name, part in vars(self).items() if name != "_trained"}

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training; the last epoch may then be cut short."""
        return self.stopped == "interrupt"

    def film(self, model: Callable[[Any], Any] | Module | None = None) -> Film:
        """The recorded training as a film: weights, loss, and what the model answers, scrubbed by a slider.

        Of a model with two inputs it shows the plane with the boundary, of one that reads images some of these with its
        answers. A click on a point or an image opens its graph at that moment, to be stepped through.

        Args:
            model: what maps an example to outputs; None takes the module that the cost uses.

        Returns:
            A `Film`, which shows itself in Jupyter; `.save("film.html")` writes a page that needs no network.

        Raises:
            TypeError: the model is none.
            ValueError: nothing was recorded: `fit(..., record=True)`; or the history comes from a pickle.

        >>> import micrograd_plus as mp
        >>> points, labels = mp.data.make_moons(40, noise=0.1, seed=1)
        >>> model = mp.MLP(2, [4, 1], activation="tanh", seed=1)
        >>> cost = lambda x, y: mp.losses.binary_cross_entropy_with_logits(model(x), y)
        >>> adam = mp.optim.Adam(model.parameters(), lr=0.1)
        >>> history = mp.fit(cost, (points, labels), adam, epochs=20, seed=1, record=20, progress=False)
        >>> history.film()
        <film of a training: 20 snapshots of 17 parameters in 40 steps, loss 0.672 → 0.283, 36 of 40 points right>
        """
        from micrograd_plus.training.films import film  # imported here, for it brings NumPy

        return film(self, model)

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

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        from micrograd_plus.training.curves import drawn

        picture = drawn(self)._repr_mimebundle_() if self else {}
        return picture | {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __repr__(self) -> str:
        if not self:
            return "History(no epochs)"
        accuracy = "" if self[-1].accuracy is None else f", accuracy {percent(self[-1].accuracy)}"
        stopped = self.stopped and f", stopped by {self.stopped}"
        return f"History({len(self)} epochs, loss {self[-1].loss:.4g}{accuracy}{stopped})"
