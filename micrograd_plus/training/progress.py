"""Show how far a training is: a bar on a terminal or in a notebook, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Put = Callable[["Meter"], None]


@dataclass
class Meter:
    """Where a training stands: `fit` writes it down, a bar or lines show it.

    Attributes:
        put: what shows it, at the end of each epoch, and within one when `pause` seconds have passed since.
        loss: the mean loss of this epoch's batches so far.
        accuracy: from 0 to 1, of the last epoch that was judged, if any.
        checking: which example is being judged, of how many, such as "120/360"; "" while batches run.
        ended: the epoch is over and judged.
        stopping: Ctrl-C was pressed.
    """

    epochs: int
    batches: int
    put: Put = lambda _: None
    pause: float = inf
    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    accuracy: float | None = None
    checking: str = ""
    ended: bool = False
    stopping: bool = False
    started: float = field(default_factory=perf_counter)
    shown: float = field(default_factory=perf_counter)

    def ran(self, epoch: int, batch: int, loss: float) -> None:
        """Note that a batch has run."""
        self.epoch, self.batch, self.loss, self.checking, self.ended = epoch, batch, loss, "", False
        self._show_if_due()

    def check(self, example: int, examples: int) -> None:
        """Note that this example is about to be judged."""
        self.checking = f"{example}/{examples}"
        self._show_if_due()

    def end(self, accuracy: float | None) -> None:
        """Note that the epoch is over, and what the accuracy is."""
        self.accuracy, self.checking, self.ended = accuracy, "", True
        self._show_if_due()

    def _show_if_due(self) -> None:
        if self.ended or perf_counter() - self.shown >= self.pause:
            try:
                self.put(self)
            except (OSError, ValueError) as error:  # a full disk, a closed file: go on learning, and show nothing more
                self.put = lambda _: None
                if isinstance(error, BrokenPipeError) and not self.over:  # the reader has closed the pipe
                    self.stopping = True
            self.shown = perf_counter()

    @property
    def done(self) -> int:
        """How many batches have run, in all epochs."""
        return (self.epoch - 1) * self.batches + self.batch

    @property
    def seconds(self) -> float:
        """How long the training has taken so far."""
        return perf_counter() - self.started

    @property
    def seconds_left(self) -> float:
        """How long the rest takes at the pace so far."""
        return self.seconds * (self.epochs * self.batches / self.done - 1)

    @property
    def over(self) -> bool:
        """Whether this was the last epoch."""
        return self.ended and self.epoch == self.epochs


@contextmanager
def metered(progress: bool | None, epochs: int, batches: int) -> Iterator[Meter]:
    """A meter for a training of so many epochs, of so many batches each; False shows nothing of it."""
    meter = Meter(epochs, batches)
    ended = False
    try:
        with _place(progress, meter) as (meter.put, meter.pause):
            yield meter
            ended = True
    except OSError:
        if not ended:  # else a bar could not be closed, which is no reason to lose what has been learnt
            raise


def percent(share: float) -> str:
    """A share of 1 in percent, cut and not rounded at the top: only what is whole is 100.0 %.

    >>> percent(0.972), percent(0.9999), percent(1.0)
    ('97.2 %', '99.9 %', '100.0 %')
    """
    return f"{min(100 * share, 99.9) if share < 1 else 100 * share:.1f} %"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(7.26), duration(42), duration(65), duration(7260)
    ('7.3 s', '42 s', '1 min 05 s', '2 h 01 min')
    """
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _place(progress: bool | None, meter: Meter) -> AbstractContextManager[tuple[Put, float]]:
    """Where to show a position, and how many seconds to wait between two, but for the ends of epochs."""
    if progress is False or sys.stdout is None:
        return nullcontext((meter.put, meter.pause))
    from rich.console import Console

    console = Console()
    if console.is_jupyter:
        return nullcontext((_notebook(), 0.2))
    if not console.is_interactive:
        return nullcontext((_line, 30.0))
    return _bar(meter, console)


def _epoch(at: Meter) -> str:
    return "begin" if not at.epoch else f"epoch {at.epoch:>{len(str(at.epochs))}}/{at.epochs}"


def _figures(at: Meter) -> str:
    if not at.epoch:
        return ""
    accuracy = "" if at.accuracy is None else f"  accuracy {percent(at.accuracy):>7}"
    return f"loss {at.loss:<9.4g}{accuracy}"


def _time(at: Meter) -> str:
    if at.over:
        return f"took {duration(at.seconds)}"
    if at.stopping:
        return "stopped" if at.ended else "stopping after this batch"
    if not at.epoch:
        return ""
    return f"checking {at.checking}" if at.checking else f"{duration(at.seconds_left)} left"


def _line(at: Meter) -> None:
    """A line at the end of an epoch, and in a long one now and then."""
    within = "" if at.ended or at.checking else f"  batch {at.batch}/{at.batches}"
    so_far = "" if at.over else f"{duration(at.seconds)}, "
    sys.stdout.write(f"{_epoch(at)}{within}  {_figures(at)}  {so_far}{_time(at)}\n")
    sys.stdout.flush()


@contextmanager
def _bar(meter: Meter, console: Console) -> Iterator[tuple[Put, float]]:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task
    from rich.table import Column as TableColumn
    from rich.text import Text

    class Column(ProgressColumn):
        """A text of the meter, drawn anew several times a second, however long a batch takes."""

        def __init__(self, *texts: Callable[[Meter], str]) -> None:
            super().__init__(TableColumn(no_wrap=True))
            self.texts = texts

        def render(self, task: Task) -> Text:  # noqa: ARG002 - the meter knows more
            return Text("  ".join(text(meter) for text in self.texts))

    console.width -= 3  # room for the ^C that a terminal echoes
    with Progress(
        Column(_epoch), BarColumn(bar_width=None), Column(_figures, _time), console=console, expand=True
    ) as bar:
        task = bar.add_task("training", total=meter.epochs * meter.batches)
        yield lambda at: bar.update(task, completed=at.done), 0.05


def _notebook() -> Put:
    """A bar that stays in the saved notebook, and needs neither widgets nor a trusted page to be read."""
    from html import escape  # here, since only a notebook needs it

    show = import_module("IPython.display").display
    handle = show({"text/plain": ""}, raw=True, display_id=True)

    def put(at: Meter) -> None:
        text = f"{_epoch(at)}  {_figures(at)}  {_time(at)}"
        bar = f'<progress value="{at.done}" max="{at.epochs * at.batches}"></progress>'
        handle.update({"text/plain": text, "text/html": f"{bar} <code>{escape(text)}</code>"}, raw=True)

    return put
