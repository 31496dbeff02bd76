"""Share a batch between threads: in parts that do not depend on how many there are, so that sums come out the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from threading import Event, Thread

PARTS = 64  # there are no more parts than this, whatever the number of threads


def parts_of(examples: int, size: int) -> int:
    """How many parts a batch has: of so many examples each, or of more, where these would be too many parts."""
    return min(PARTS, -(-examples // size))


def share_work(work: Callable[[int, int, Event], None], parts: int, threads: int) -> None:
    """Have all parts worked on by so many threads, of which the caller's is one.

    Args:
        work: does the parts from the first up to the second, unless the event is set, which says that all can stop.
        parts: how many there are.
        threads: how many work.

    Raises:
        BaseException: what the first of them raised that did; or KeyboardInterrupt, once all have stopped.
    """
    stop, errors = Event(), list[BaseException]()
    threads = min(threads, parts)
    if threads < 2:
        work(0, parts, stop)
        return

    def guarded(first: int, end: int) -> None:
        try:
            work(first, end, stop)
        except BaseException as error:  # noqa: BLE001 - raised again below, where it belongs
            errors.append(error)
            stop.set()

    cuts = [parts * i // threads for i in range(threads + 1)]
    workers = [Thread(target=guarded, args=cut) for cut in pairwise(cuts[1:])]
    started = []
    try:
        for worker in workers:
            worker.start()
            started.append(worker)
        work(0, cuts[1], stop)
        for worker in started:
            worker.join()
    except BaseException:
        stop.set()
        for worker in started:
            worker.join()
        raise
    if errors:
        raise errors[0]
