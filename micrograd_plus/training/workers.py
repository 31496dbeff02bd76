"""Who computes the parts of a batch? Other threads, processes or machines, by whatever executor one has.

A batch is split into parts; each worker keeps the data and the program, is sent the parameters and which examples are
its part, and sends back the sum of their gradients. These are added in the order of the parts. So the new weights are
the average of what all the examples want, whoever asked them.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from itertools import count
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from micrograd_plus._support.arguments import whole
from micrograd_plus.program import CompileError
from micrograd_plus.training.executors import MAKE, check_executor, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd_plus.program import Program

    Floats = NDArray[Any]
    Answer = tuple[float, Floats]  # the sum of a part's losses, and of their gradients
    Task = tuple[str, int, Floats, list[float], Any, bytes | None]  # see _answer_to

TRIES = 3  # workers that may be lost one after the other without an answer in between
KEPT = 8  # trainings whose data a process keeps: those begun last
LOST = (CancelledError, ConnectionError, EOFError)  # what it looks like when a worker has gone


@dataclass(frozen=True)
class Workers:
    """Whose workers compute the parts of each batch, and how: for `fit(executor=...)`.

    Args:
        executor: a `concurrent.futures.Executor` of threads or processes, or one that is used alike: loky's,
            mpi4py's, or Dask's client. Or a function that makes one: it is called again when a worker's death has
            broken the one before, and what it made is shut down at the end.
        map: instead of it, a function that is used as Python's `map` is, such as that of a `multiprocessing.Pool` or
            of Ray's.
        parts: how many parts a batch is split into. The weights depend on this number, in their last bits, and not on
            how many workers there are.
        again_after: how many seconds until a part that nobody has answered is given to another worker, too; the first
            answer counts. None waits.

    Raises:
        TypeError: executor or map is none.
        ValueError: not just one of them is given, or a number is out of its range.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import micrograd_plus as mp
    >>> slope = mp.Value(0.0)
    >>> X, Y = [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]
    >>> sgd = mp.optim.SGD([slope], lr=0.05)
    >>> workers = Workers(lambda: ThreadPoolExecutor(2), parts=2)
    >>> mp.fit(lambda x, y: (slope * x - y) ** 2, (X, Y), sgd, executor=workers, seed=1, progress=False)
    History(5 epochs, loss ...)
    >>> print(f"{slope.data:.3f}")
    1.998
    """

    executor: Any = None
    map: Callable[..., Iterable[Any]] | None = None
    parts: int = 8
    again_after: float | None = None

    def __post_init__(self) -> None:
        whole("Workers", "parts", self.parts)
        if (self.executor is None) == (self.map is None):
            raise ValueError("Workers: expected an executor, or a map function instead, and not both")
        if self.map is not None and not callable(self.map):
            raise TypeError(f"Workers(map={short_repr(self.map)}): expected a function such as pool.map")
        if self.executor is not None:
            check_executor("Workers", self.executor)
        if self.again_after is not None:
            if not self.again_after > 0:
                raise ValueError(f"Workers(again_after={self.again_after!r}): expected seconds, above 0, or None")
            if self.executor is None:
                raise ValueError("Workers(again_after=...): a map function waits for all; give executor=")


class Crew:
    """The workers of one training, who know its program and its data.

    Args:
        workers: whose they are.
        program: of the cost.
        x, y: arrays of all examples and their targets.
    """

    def __init__(self, workers: Workers, program: Program, x: Floats, y: Floats) -> None:
        self.workers = workers
        self.program, self.x, self.y = program, x, y
        self._indices = np.arange(len(x))
        self._serial = count()
        self._token = ""
        self._payload: bytes | None = None  # what a worker is sent that does not know the token
        self._executor: Any = None
        self._made = False  # by a function that can make another
        self._introduce()

    @np.errstate(all="ignore")
    def value_and_grad(self, batch: Any, theta: Floats) -> tuple[float, Floats]:
        """What `Program.value_and_grad` gives for these examples.

        Raises:
            RuntimeError: workers were lost again and again; or their executor is broken, and nobody makes another.
            Exception: whatever the program raises.
        """
        self.program._demand_gradient("value_and_grad")  # of hooks that came later, workers know nothing
        parts, n = self._parts(batch)
        answers = self._mapped(theta, parts) if self.workers.map is not None else self._submitted(theta, parts)
        loss, gradient = answers[0]
        for more, part in answers[1:]:  # always in this order
            loss, gradient = loss + more, gradient + part
        return loss / n, gradient / n

    def _parts(self, batch: Any) -> tuple[list[Any], int]:
        """The parts of a batch, slices where it is one and arrays of indices else, and how many examples it has."""
        indices = self._indices[batch]
        count = min(self.workers.parts, len(indices))
        if not isinstance(batch, slice):
            return np.array_split(indices, count), len(indices)
        ends = [part[-1] + 1 for part in np.array_split(indices, count)]
        return [slice(int(begin), int(end)) for begin, end in zip([indices[0], *ends], ends)], len(indices)

    def close(self) -> None:
        """Forget what was kept here, and shut down the executor, if it was made for this training."""
        _kept.pop(self._token, None)
        if self._made:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _introduce(self) -> None:
        """Give program and data a new token; threads of this process find them by it at once."""
        _kept.pop(self._token, None)
        self._token, self._payload = uuid4().hex, None
        _keep(self._token, (self.program, self.x, self.y))

    def _packed(self) -> bytes:
        if self._payload is None:
            self._payload = pickle.dumps((self.program, self.x, self.y), protocol=pickle.HIGHEST_PROTOCOL)
        return self._payload

    def _at_home(self, theta: Floats, parts: Sequence[Any]) -> list[Answer]:
        """Parts that go a way through the function which no worker has seen; they are told of it for the next."""
        answers = [_sums(self.program, self.x, self.y, theta, part) for part in parts]
        self._introduce()
        return answers

    def _mapped(self, theta: Floats, parts: Sequence[Any]) -> list[Answer]:
        """The answers by a map function, which may give futures, as Dask's does."""
        assert self.workers.map is not None
        answers: list[Answer | None] = [None] * len(parts)
        lost = 0
        payload = None
        while left := [place for place, answer in enumerate(answers) if answer is None]:
            tasks = [self._task(theta, parts[place], payload) for place in left]
            try:
                for place, answer in zip(left, _several(self.workers.map(_answer_to, tasks), len(tasks))):
                    answers[place] = _answer(answer.result() if hasattr(answer, "result") else answer)
            except CompileError:
                return self._at_home(theta, parts)
            except LOST as error:
                lost = self._lost(lost, error)
            payload = self._packed()
        return [answer for answer in answers if answer is not None]

    def _submitted(self, theta: Floats, parts: Sequence[Any]) -> list[Answer]:
        """The answers by an executor: as they come, with what is lost or late given to another worker."""
        answers: dict[int, Answer] = {}
        asked: dict[Future[Any], tuple[int, Any]] = {}
        lost = 0

        def give(place: int, payload: bytes | None = None) -> None:
            future, executor = self._asked(self._task(theta, parts[place], payload))
            asked[future] = place, executor

        for place in range(len(parts)):
            give(place)
        while len(answers) < len(parts):
            done, _ = wait(asked, timeout=self.workers.again_after, return_when="FIRST_COMPLETED")
            for place in range(len(parts)) if not done else ():
                if place not in answers:
                    give(place)
            for future in done:
                place, executor = asked.pop(future)
                if place in answers:
                    continue
                try:
                    answer = future.result()
                except CompileError:
                    (answers[place],) = self._at_home(theta, [parts[place]])
                except (BrokenExecutor, *LOST) as error:
                    lost = self._lost(lost, error)
                    if isinstance(error, BrokenExecutor) and executor is self._executor:
                        self._another(executor)
                    give(place)
                else:
                    if answer is None:
                        give(place, self._packed())
                    else:
                        answers[place], lost = answer, 0
        for future in asked:
            future.cancel()
        return [answers[place] for place in range(len(parts))]

    def _task(self, theta: Floats, part: Any, payload: bytes | None) -> Task:
        return self._token, next(self._serial), theta, [value._data for value in self.program._others], part, payload

    def _asked(self, task: Task) -> tuple[Future[Any], Any]:
        """A task, handed to the executor, and which that was; another one where it is broken by now."""
        executor = self._at_work()
        try:
            return executor.submit(_answer_to, task), executor
        except (BrokenExecutor, *LOST):
            executor = self._another(executor)
            return executor.submit(_answer_to, task), executor

    def _at_work(self) -> Any:
        """The executor, made when it is first needed."""
        if self._executor is None:
            self._executor, self._made = opened(self.workers.executor)
        return self._executor

    def _another(self, broken: Any) -> Any:
        """An executor instead of a broken one."""
        if not self._made:
            raise RuntimeError(f"fit: a worker has died, and {broken!r} is broken; {MAKE}") from None
        broken.shutdown(wait=False, cancel_futures=True)
        self._executor = None
        return self._at_work()

    def _lost(self, lost: int, error: BaseException) -> int:
        """One more; too many in a row are no accident."""
        if lost >= TRIES * self.workers.parts:
            told = f"fit: workers were lost {lost + 1} times in a row, the last by {type(error).__name__}: {error}"
            raise RuntimeError(f"{told}; does one have the memory for the data?") from error
        return lost + 1


# ---------------------------------------------------------------------------------------------------- where they work

_kept: dict[str, tuple[Program, Floats, Floats]] = {}  # what this process knows, by token
_guard = threading.Lock()


def workers_of(executor: Any, map: Any) -> Workers | None:
    """What `fit` was told about workers; None for none.

    Raises:
        TypeError, ValueError: those of `Workers`; or a map beside Workers.
    """
    if executor is None and map is None:
        return None
    if isinstance(executor, Workers):
        if map is not None:
            raise ValueError("fit(executor=Workers(...), map=...): expected one of them; Workers takes map=, too")
        return executor
    return Workers(executor, map=map)


def _keep(token: str, what: tuple[Program, Floats, Floats]) -> None:
    with _guard:
        _kept[token] = what
        while len(_kept) > KEPT:
            del _kept[next(iter(_kept))]


def _answer_to(task: Task) -> Answer | None:
    """The answer of a worker; None where it needs the program and the data first.

    Args:
        task: the training's token; a number that makes this task another than any before; the parameters; the numbers
            of the other Values, which somebody may write between two batches; the examples of the part; and the program
            and the data, pickled, for one that does not know the token.
    """
    if multiprocessing.parent_process() is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's to answer, after the batch
    token, _, theta, others, part, payload = task
    known = _kept.get(token)
    if known is None:
        if payload is None:
            return None
        known = pickle.loads(payload)  # noqa: S301 - sent by the training that this works for
        _keep(token, known)
    program, x, y = known
    for value, number in zip(program._others, others):
        if value._data != number:  # threads of the training's own process have the very Values
            value._data = number
    return _sums(program, x, y, theta, part)


def _several(answers: Any, count: int) -> list[Any]:
    """What a map function gave, an answer for each task."""
    wanted = f"expected an iterable of {count} answers, one for each task, as Python's map gives them"
    if not hasattr(answers, "__iter__"):
        raise TypeError(f"fit(map=...): it returned {short_repr(answers)}; {wanted}")
    several = list(answers)
    if len(several) != count:
        raise ValueError(f"fit(map=...): it gave {len(several)} answers; {wanted}")
    return several


def _answer(given: Any) -> Answer | None:
    """An answer of `_answer_to`, and not something that a map function made of it."""
    if given is not None and not (isinstance(given, tuple) and len(given) == 2):
        raise TypeError(f"fit(map=...): an answer is {short_repr(given)}; expected what the function returned")
    return given


@np.errstate(all="ignore")
def _sums(program: Program, x: Floats, y: Floats, theta: Floats, part: Any) -> Answer:
    xs, ys = x[part], y[part]
    loss, gradient = program.value_and_grad(xs, ys, parameters=theta)
    return loss * len(xs), gradient * len(xs)
