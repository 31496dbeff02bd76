"""The lock that lets one thread at a time walk a graph or pass gradients back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

lock: Final[Any] = threading.RLock()  # re-entrant: a hand-made rule may call backward() itself


def alone(work: Callable[..., Any], *args: Any) -> Any:
    """Call the function while no other thread walks a graph or passes gradients back."""
    return locked(lock, work, *args)


# fmt: off
def locked(guard: Any, work: Callable[..., Any], *args: Any) -> Any:
    """Call the function while this thread holds the lock."""
    with guard: return work(*args)  # noqa: E701 - were it two lines, an interrupt between them would leave it locked
# fmt: on
