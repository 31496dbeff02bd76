"""Time ours beside its peers: each in a process of its own, all in turn, on one core, answers compared first.

Not a script: what the scripts beside it share. A process of its own means that nobody pays for another's garbage,
threads or crashes, that plain Python and the native engine can run side by side, and that what is not installed is not
missed. All others wait while one works, so a round takes its times in one mood of the machine.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 9
TOLERANCE = 1e-9  # of the largest number in an answer
SETTLED = 0.04  # seconds that a round should take of what is quick
# libraries read these when they are first imported, which in a new process comes later
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
) | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu"}


@dataclass(frozen=True)
class Task:
    """What a peer makes of a case: work to time, numbers that must agree, and where one is asked, a size."""

    run: Callable[[], object]
    answer: Callable[[], Any]
    size: Callable[[], float] | None = None
    before: Callable[[], object] | None = None  # what a run needs, on nobody's time


class Peer:
    """A process that prepares cases, answers and times them.

    Args:
        name: what the table calls it.
        prepare: makes a Task of a case; a function of a module, since it is called in the other process.
        package: what must be installed for it, by its name in `pip install`, which is its import name too.
        environment: variables to set in its process.
        first: positional arguments for `prepare` before the case.
    """

    def __init__(
        self,
        name: str,
        prepare: Callable[..., Task],
        package: str = "",
        *,
        environment: Mapping[str, str] | None = None,
        first: tuple[Any, ...] = (),
    ) -> None:
        self.name, self.package, self.first = name, package, first
        self.trouble = ""  # why there is no time, in a few words
        self._prepare = prepare
        self._environment = ONE_THREAD | dict(environment or {})
        self._connection: Connection | None = None
        self._last: Any = None  # what it replied
        if package and find_spec(package) is None:
            self.trouble = f"not installed: pip install {PINNED.get(package, package)}"

    def prepare(self, *case: Any) -> bool:
        """Make it ready for a case; False when it cannot, with the reason in `trouble`."""
        if self.trouble.startswith("not installed"):
            return False
        self.trouble = ""
        if self._connection is None:
            self._connection = self._start()
        return self._tried("prepare", *self.first, *case)

    def repeats(self) -> int:
        """How many runs make a round long enough; 0 when it cannot run, with the reason in `trouble`."""
        for _ in range(2):  # what is made at the first call, as JAX's programs are, does not count
            if not self._tried("seconds", 1):
                return 0
        return max(1, round(SETTLED / self.seconds(1))) if self._last < SETTLED else 1

    def answer(self) -> NDArray[np.float64]:
        return np.asarray(self._ask("answer"), dtype=float)

    def seconds(self, repeats: int) -> float:
        """The mean of so many runs, after one that is not counted where there are several."""
        return float(self._ask("seconds", repeats))

    def size(self) -> float:
        return float(self._ask("size"))

    def _tried(self, what: str, *args: Any) -> bool:
        try:
            self._last = self._ask(what, *args)
        except RuntimeError as error:
            self.trouble = str(error)
        return not self.trouble

    def _ask(self, what: str, *args: Any) -> Any:
        assert self._connection is not None, "prepare comes first"
        try:
            self._connection.send((what, args))
            well, reply = self._connection.recv()
        except (EOFError, OSError):
            self._connection = None
            raise RuntimeError("its process died") from None
        if not well:
            raise RuntimeError(reply)
        return reply

    def _start(self) -> Connection:
        here, there = multiprocessing.Pipe()
        before = dict(os.environ)
        os.environ.update(self._environment)
        try:
            # daemonic: it ends with this process, whatever happens
            spawn = multiprocessing.get_context("spawn")
            spawn.Process(target=_serve, args=(there, self._prepare), daemon=True).start()
        finally:
            os.environ.clear()
            os.environ.update(before)
        there.close()  # so that its death is an end of file here
        return here


# names in `pip install` that ask for more than a name
PINNED = {"torch": "torch==2.13.0", "micrograd": "micrograd==0.1.0"}


def _serve(connection: Connection, prepare: Callable[..., Task]) -> None:
    """The other process: does what is asked until nobody asks."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    task: Task | None = None
    while True:
        try:
            what, args = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            if what == "prepare":
                task = None  # frees the last one first
                gc.collect()
                task, reply = prepare(*args), None
            else:
                reply = _do(what, task, *args)
        except Exception as error:  # noqa: BLE001 - it is told in the table
            connection.send((False, f"{type(error).__name__}: {error}"))
        else:
            connection.send((True, reply))


def _do(what: str, task: Task | None, *args: Any) -> Any:
    assert task is not None
    if what == "answer":
        return task.answer()
    if what == "size":
        assert task.size is not None
        return task.size()
    return _seconds(task, *args)


def _seconds(task: Task, repeats: int) -> float:
    """The mean of so many runs, garbage collection on; what they return is freed on their time."""
    gc.collect()
    if task.before:
        taken = 0.0
        for _ in range(repeats):
            task.before()
            start = perf_counter()
            task.run()
            taken += perf_counter() - start
        return taken / repeats
    if repeats > 1:
        task.run()
    start = perf_counter()
    for _ in range(repeats):
        task.run()
    return (perf_counter() - start) / repeats


# -------------------------------------------------------------------------------------------------------------- racing


def race(
    peers: Sequence[Peer], *case: Any, rounds: int = ROUNDS, tolerance: float = TOLERANCE
) -> tuple[dict[Peer, float], float]:
    """The median seconds of each peer that can run the case, and by how much their answers differ at most.

    The first that can is the one the others are compared with. Its difference is relative to the largest number.

    Raises:
        SystemExit: two answers differ by more than the tolerance.
    """
    able = {peer: peer.repeats() for peer in peers if peer.prepare(*case)}
    repeats = {peer: number for peer, number in able.items() if number}
    difference = compare(list(repeats), tolerance)
    times: dict[Peer, list[float]] = {peer: [] for peer in repeats}
    for _ in range(rounds):
        for peer, number in repeats.items():
            times[peer].append(peer.seconds(number))
    return {peer: median(taken) for peer, taken in times.items()}, difference


def compare(peers: Sequence[Peer], tolerance: float = TOLERANCE) -> float:
    """By how much the peers' answers differ from the first one's, relative to its largest number."""
    if not peers:
        return 0.0
    first, *others = [peer.answer() for peer in peers]
    largest = 0.0
    for peer, other in zip(peers[1:], others):
        if other.shape != first.shape:
            raise SystemExit(f"{peers[0].name} gives {first.size} numbers, {peer.name} {other.size}")
        difference = float(np.max(np.abs(other - first)) / np.max(np.abs(first)))
        if not difference <= tolerance:
            raise SystemExit(f"{peers[0].name} and {peer.name} differ by {difference:.1e} of the largest number")
        largest = max(largest, difference)
    return largest


# ------------------------------------------------------------------------------------------------------------ printing


def versions(packages: Iterable[str] = ()) -> str:
    """Python, NumPy and the peers with their versions, on lines of at most 80 letters."""
    names = [f"Python {platform.python_version()}"]
    for package in ("micrograd-plus", "numpy", *packages):
        try:
            names.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            names.append(f"{package} not installed")
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > 77:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + name
    return ",\n".join(lines)


def duration(seconds: float) -> str:
    """A time in the unit that suits it: 812.4 ms."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def print_times(
    title: str,
    peers: Sequence[Peer],
    medians: Mapping[Peer, float],
    difference: float,
    *,
    ours: Sequence[Peer] = (),
    per: int = 1,
    sizes: Mapping[Peer, float] | None = None,
) -> None:
    """A table of what each peer takes, at most 80 letters wide.

    Args:
        title: what was timed.
        peers, medians, difference: as `race` takes and gives them.
        ours: a column for each of these, of theirs / ours; for none, one of the first peer's time / theirs.
        per: times are divided by this.
        sizes: a last column, of bytes a node.
    """
    ours = [peer for peer in ours if peer in medians]
    columns = [f"/ {peer.name}" for peer in ours] or ["ours / it"]
    print(f"\n{title}")
    heads = f"{'':24}{'median':>12}" + "".join(f"{column:>15}" for column in columns)
    print(heads + (f"{'bytes a node':>14}" if sizes else ""))
    for peer in peers:
        if peer not in medians:
            print(f"  {peer.name:22}  {peer.trouble}"[:80])
            continue
        ratios = [medians[peer] / medians[own] for own in ours]
        if not ours and peers[0] in medians:
            ratios = [medians[peers[0]] / medians[peer]]
        row = f"  {peer.name:22}{duration(medians[peer] / per):>12}" + "".join(f"{ratio:15.2f}" for ratio in ratios)
        print(row + (f"{sizes[peer]:14.0f}" if sizes and peer in sizes else ""))
    if len(medians) > 1:
        print(f"  answers agree to {difference:.0e} of the largest number")


def options(description: str | None, **numbers: int) -> argparse.Namespace:
    """What was asked on the command line: --rounds, and whole numbers of other names with their defaults."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=shape)
    for name, default in {"rounds": ROUNDS, **numbers}.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"(default {default})")
    return parser.parse_args()
