"""Keep a training run in a folder: its weights, its history, its settings and its picture."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from micrograd_plus._support.files import write_atomically
from micrograd_plus.nn import Module
from micrograd_plus.nn.weights import rehearse
from micrograd_plus.training.records import History

WEIGHTS, HISTORY, SETTINGS = "weights.json", "history.csv", "settings.json"
HISTORY_PLOT, BOUNDARY_PLOT = "history.png", "moons.png"


@contextmanager
def run_folder(out: str | os.PathLike[str] | None, default: str, model: Module) -> Iterator[Path]:
    """A folder to write a run of this model to, proved to take it before hours of training are spent.

    The folder `out` is made if need be, and may hold an earlier run. Without `out` it is the first of `default`,
    `default`-2, `default`-3, ... that does not exist. A folder that was made goes again if nothing came into it.

    Raises:
        ValueError: the name is empty.
        OSError: the folder cannot be made, cannot be written to, has no room for the weights, or holds something under
            one of the names that cannot be replaced. Nothing that is there is touched.
    """
    if out == "":
        raise ValueError("cannot write to the folder '': expected a name")
    made, folder = _made(Path(out)) if out is not None else _first_free(default)
    try:
        _rehearse(folder, model)
        yield folder
    finally:
        for place in made:
            with suppress(OSError):  # not empty
                place.rmdir()


def save_run(folder: Path, model: Module, history: History, settings: Mapping[str, object]) -> None:
    """Write weights, history and settings; each replaces an earlier file of its name whole or not at all.

    A folder that has vanished is made again.

    Raises:
        OSError: as in `files.write_atomically`; what has been learnt is then in a folder for temporary files, which the
            message names, if there is room for it.
    """
    try:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        _save(folder, model, history, settings)
    except OSError as error:
        refuge = Path(mkdtemp(prefix="micrograd_plus-run-"))
        try:
            _save(refuge, model, history, settings)
        except OSError:
            rmtree(refuge, ignore_errors=True)
            raise error from None
        told = type(error)(f"{error}; what has been learnt is in {os.fspath(refuge)}")
        told.errno = error.errno
        raise told from None


def _save(folder: Path, model: Module, history: History, settings: Mapping[str, object]) -> None:
    model.save(folder / WEIGHTS)
    history.to_csv(folder / HISTORY)
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in settings.items()]
    write_atomically(folder / SETTINGS, "{\n" + ",\n".join(lines) + "\n}\n")


def _made(folder: Path) -> tuple[list[Path], Path]:
    """The folders that had to be made, innermost first, and the last of them."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from None
    return missing, folder


def _first_free(default: str) -> tuple[list[Path], Path]:
    for number in count(1):
        folder = Path(default if number == 1 else f"{default}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise _no_folder(folder, error) from None
        return [folder], folder
    raise AssertionError("count has no end")


def _no_folder(folder: Path, error: OSError) -> OSError:
    problem = "there is a file of that name" if isinstance(error, FileExistsError) else error.strerror
    return type(error)(f"cannot make the folder {os.fspath(folder)!r}: {problem}; choose another")


def _rehearse(folder: Path, model: Module) -> None:
    """Write the weights for a moment, and look at what stands under the names of all."""
    if (folder / WEIGHTS).is_file() or not (folder / WEIGHTS).exists():
        rehearse(model, folder / WEIGHTS)
    for name in (WEIGHTS, HISTORY, SETTINGS, HISTORY_PLOT, BOUNDARY_PLOT):
        path = folder / name
        if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
            problem = "it is write-protected" if path.is_file() else "it is no ordinary file"
            raise OSError(f"cannot replace {os.fspath(path)!r}: {problem}; choose another folder")
