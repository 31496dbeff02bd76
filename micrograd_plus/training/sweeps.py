"""Which settings learn best? Try each of a grid, by one's own workers or others', and go on where it was broken off."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product
from math import isnan, nan
from os import PathLike
from pathlib import Path
from reprlib import repr as short_repr
from time import perf_counter
from typing import Any

from micrograd_plus._support.files import write_atomically
from micrograd_plus._support.markup import table
from micrograd_plus._support.texts import cut, plural
from micrograd_plus.training.executors import MAKE, check_executor, opened
from micrograd_plus.training.records import History

SHOWN = 20  # rows of a sweep that its repr shows


@dataclass(frozen=True)
class Trial:
    """One setting, and what came of it.

    Attributes:
        settings: what `train` was called with, a dict by name.
        results: what it gave, numbers by name: a history's last `loss` and `accuracy`, a number as `result`, or a dict.
        error: what it raised instead, in a line; "" where it ended well.
        seconds: how many seconds it took; two trials that differ in nothing else are equal.

    >>> Trial({"lr": 0.1}, {"loss": 2.0}, seconds=1.0) == Trial({"lr": 0.1}, {"loss": 2.0}, seconds=3.0)
    True
    """

    settings: Mapping[str, Any]
    results: Mapping[str, float]
    error: str = ""
    seconds: float = field(default=0.0, compare=False)


class Sweep(list[Trial]):
    """The trials of a sweep in the order of its grid: a list, which shows itself as a table.

    >>> Sweep([Trial({"lr": 0.1}, {"loss": 2.0}), Trial({"lr": 0.2}, {"loss": 1.0})])
    Sweep of 2 trials
     lr  loss  seconds
    0.1     2      0.0
    0.2     1      0.0
    """

    def best(self, by: str = "loss", *, largest: bool = False) -> Trial:
        """The trial with the smallest number of that name, or with the largest.

        Args:
            by: the name, such as "loss" or "accuracy".
            largest: whether the largest number is the best.

        Raises:
            ValueError: no trial that ended well has one.

        >>> trials = Sweep([Trial({"lr": 0.1}, {"loss": 2.0}), Trial({"lr": 0.2}, {"loss": 1.0})])
        >>> trials.best().settings
        {'lr': 0.2}
        """
        having = [trial for trial in self if not isnan(trial.results.get(by, nan))]
        if not having:
            known = sorted({name for trial in self for name in trial.results})
            raise ValueError(f"best({by!r}): no trial has such a number; expected one of {known}")
        sign = -1.0 if largest else 1.0
        return min(having, key=lambda trial: sign * trial.results[by])

    def __repr__(self) -> str:
        head, rows = self._cells()
        widths = [max(map(len, column)) for column in zip(head, *rows[:SHOWN])]
        lines = ["  ".join([cell.rjust(width) for cell, width in zip(row, widths)]) for row in [head, *rows[:SHOWN]]]
        more = [f"... and {plural(len(self) - SHOWN, 'trial')} more"] if len(self) > SHOWN else []
        return "\n".join([f"Sweep of {plural(len(self), 'trial')}", *[line.rstrip() for line in lines], *more])

    def _repr_html_(self) -> str:
        head, rows = self._cells()
        return table(f"Sweep of {plural(len(self), 'trial')}", head, rows, numbers=range(len(head) - 1))

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        settings = list(dict.fromkeys([name for trial in self for name in trial.settings]))
        results = list(dict.fromkeys([name for trial in self for name in trial.results]))
        rows = [
            [
                *[cut(str(trial.settings.get(name, "")), 24) for name in settings],
                *[f"{trial.results[name]:.6g}" if name in trial.results else "" for name in results],
                f"{trial.seconds:.1f}",
                cut(trial.error, 40),
            ]
            for trial in self
        ]
        return [*settings, *results, "seconds", "error" if any(trial.error for trial in self) else ""], rows


def sweep(
    train: Callable[..., Any],
    grid: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    *,
    executor: Any = None,
    file: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> Sweep:
    """Call `train` with each setting of a grid, and keep what comes of each.

    Args:
        train: called with the settings by name, copies of its own, it builds a model, fits it, and returns the history,
            a number, or a dict of numbers by name. What it raises is kept, too, and the others go on. For processes it
            must be a function that pickle knows, one of a module.
        grid: lists of values by name, all combinations of which are tried, the last name fastest; or a list of dicts.
        executor: a `concurrent.futures.Executor`, Dask's client, or a function that makes one, which is called again
            when a worker's death has broken the one before. None tries one after the other, here.
        file: where each trial is kept as soon as it is through, in a line of JSON: a sweep that was broken off goes on
            where it was, and trials that raised are tried again. Settings are then numbers, strings, arrays, lists and
            dicts of these, and functions and classes that have a name in their module.
        progress: None shows a bar on a terminal and in a notebook; False is silent.

    Returns:
        A `Sweep`, the trials in the order of the grid.

    Raises:
        TypeError: train is no function, the grid is none, a result is no number, or a setting is nothing that a file
            can tell again.
        ValueError: the grid is empty, or the file holds something else.
        RuntimeError: the executor is broken, and nobody makes another.
        OSError: the file cannot be read, or written.

    >>> import micrograd_plus as mp
    >>> def train(lr, momentum):
    ...     slope = mp.Value(0.0)
    ...     sgd = mp.optim.SGD([slope], lr=lr, momentum=momentum)
    ...     return mp.fit(lambda x, y: (slope * x - y) ** 2, ([1.0, 2.0], [2.0, 4.0]), sgd, seed=1, progress=False)
    >>> trials = sweep(train, {"lr": [0.01, 0.1], "momentum": [0.0, 0.5]}, progress=False)
    >>> len(trials), trials.best().settings
    (4, {'lr': 0.1, 'momentum': 0.0})
    """
    if not callable(train):
        raise TypeError(f"sweep({short_repr(train)}): expected a function of a grid's settings")
    if executor is not None:
        check_executor("sweep", executor)
    settings = _settings(grid)
    path = None if file is None else Path(file)
    keys = [] if path is None else list(map(_key, settings))  # all of them, before anything is tried
    known = {} if path is None or not path.exists() else _read(path)
    found = {i: replace(known[key], settings=settings[i]) for i, key in enumerate(keys) if key in known}
    left = [i for i in range(len(settings)) if i not in found]
    with _shown(progress, len(settings), len(found)) as advance:
        for i, trial in _tried(train, settings, left, executor):
            found[i] = trial
            if path is not None:
                _append(path, trial)
            advance()
    return Sweep([found[i] for i in range(len(settings))])


def _settings(grid: Any) -> list[dict[str, Any]]:
    if isinstance(grid, Mapping):
        wrong = [name for name, values in grid.items() if isinstance(values, str) or not isinstance(values, Iterable)]
        if wrong:
            raise TypeError(f"sweep: the grid has {wrong[0]}={short_repr(grid[wrong[0]])}; expected a list of values")
        settings = [dict(zip(grid, values)) for values in product(*grid.values())]
    else:
        settings = list(grid) if isinstance(grid, Iterable) else []
        if not all(isinstance(setting, Mapping) for setting in settings) or isinstance(grid, str):
            raise TypeError(f"sweep: the grid is {short_repr(grid)}; expected a dict of lists, or a list of dicts")
    if not settings or settings == [{}]:
        raise ValueError(f"sweep: the grid {short_repr(grid)} has nothing to try")
    for setting in settings:
        for name in setting:
            if not isinstance(name, str):
                raise TypeError(f"sweep: a setting is named {short_repr(name)}; expected a string, a name of train's")
    return [dict(setting) for setting in settings]


def _key(settings: Mapping[str, Any]) -> str:
    """What tells settings apart in a file, whatever the order of their names."""
    return json.dumps({name: _told(name, value) for name, value in settings.items()}, sort_keys=True)


def _told(name: str, value: Any) -> str:
    """A setting as JSON, by which it is known again.

    Raises:
        TypeError: there is no such.
    """
    try:
        return json.dumps(value, sort_keys=True, default=_plain)
    except (TypeError, ValueError, RecursionError):
        told = f"{name}={short_repr(value)} is nothing that a file can tell again"
        raise TypeError(f"sweep(file=...): {told}; give it a name or a number, and make it of that in train") from None


def _plain(value: Any) -> Any:
    """What JSON lacks, exactly: NumPy's numbers and arrays; functions and classes, by their names."""
    if hasattr(value, "dtype") and hasattr(value, "tolist") and not value.dtype.hasobject:
        return value.tolist()
    place = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    found: Any = sys.modules.get(str(place[0]))
    for part in str(place[1]).split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise TypeError
    return ".".join(map(str, place))


def _trial(train: Callable[..., Any], settings: Mapping[str, Any]) -> Trial:
    """Try one setting."""
    begin = perf_counter()
    try:
        own = deepcopy(settings)  # what it does to a list or a model, no other trial sees
        results, error = _numbers(train(**own)), ""
    except Exception as problem:  # noqa: BLE001 - whatever it is: the others go on
        results, error = {}, f"{type(problem).__name__}: {problem}".partition("\n")[0]
    return Trial(settings, results, error, perf_counter() - begin)


def _numbers(returned: Any) -> dict[str, float]:
    if isinstance(returned, History):
        last = returned[-1]
        return {"loss": last.loss} | ({} if last.accuracy is None else {"accuracy": last.accuracy})
    numbers = returned if isinstance(returned, Mapping) else {"result": returned}
    try:
        return {str(name): float(number) for name, number in numbers.items()}
    except (TypeError, ValueError):
        expected = "expected a history, a number, or a dict of numbers by name"
        raise TypeError(f"sweep: train returned {short_repr(returned)}; {expected}") from None


def _tried(
    train: Callable[..., Any], settings: Sequence[Mapping[str, Any]], left: Sequence[int], executor: Any
) -> Iterator[tuple[int, Trial]]:
    """Each trial that is left, as it ends, with its place in the grid."""
    if executor is None:
        yield from ((i, _trial(train, settings[i])) for i in left)
        return
    waiting, fruitless = list(left), 0
    while waiting:
        at_work, made = opened(executor)
        try:
            asked = {at_work.submit(_trial, train, settings[i]): i for i in waiting}
            for future in as_completed(asked):
                trial = future.result()
                waiting.remove(asked[future])
                fruitless = 0
                yield asked[future], trial
        except BrokenExecutor as error:
            fruitless += 1
            if not made or fruitless > 3:
                told = f"sweep: a worker has died, and {at_work!r} is broken"
                raise RuntimeError(told if made else f"{told}; {MAKE}") from error
        finally:
            if made:
                at_work.shutdown(wait=False, cancel_futures=True)


def _read(path: Path) -> dict[str, Trial]:
    """The trials of a file that ended well, by their settings; a last line that was cut off is left out."""
    known = {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            trial = Trial(row["settings"], row["results"], row["error"], row["seconds"])
        except (ValueError, KeyError, TypeError):
            if number == len(lines) and not line.endswith("\n"):
                write_atomically(path, "".join(lines[:-1]))
                break
            raise ValueError(f"sweep(file={str(path)!r}): line {number} is no trial: {short_repr(line)}") from None
        if number == len(lines) and not line.endswith("\n"):
            write_atomically(path, "".join([*lines, "\n"]))  # the next one goes into a line of its own
        if not trial.error:
            known[_key(trial.settings)] = trial
    return known


def _append(path: Path, trial: Trial) -> None:
    row = {"settings": trial.settings, "results": trial.results, "error": trial.error, "seconds": trial.seconds}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, default=_plain) + "\n")


@contextmanager
def _shown(progress: bool | None, total: int, done: int) -> Iterator[Callable[[], None]]:
    """A bar; what moves it on by one trial."""
    if progress is False:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console()
    shown = console.is_interactive or console.is_jupyter
    columns = ["trials", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console, disable=not shown) as bar:  # type: ignore[arg-type]
        task = bar.add_task("trials", total=total, completed=done)
        yield lambda: bar.advance(task)
