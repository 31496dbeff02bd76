"""Who may pass through a graph now: one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

lock: Final[Any] = threading.RLock()  # re-entrant: a hand-made rule may call backward() itself


def alone(work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while no other thread's pass or walk runs."""
    return locked(lock, work, *args)


# fmt: off
def locked(guard: Any, work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while this thread holds the lock."""
    with guard: return work(*args)  # noqa: E701 - were it two lines, an interrupt between them would leave it locked
# fmt: on
