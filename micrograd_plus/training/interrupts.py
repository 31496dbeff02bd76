"""What does Ctrl-C do to a training?"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from micrograd_plus.training.progress import Meter


@contextmanager
def ctrl_c(meter: Meter) -> Iterator[None]:
    """Within this block Ctrl-C sets `meter.stopping`; a second one raises KeyboardInterrupt.

    Only where Python's own handler is at work, and in the main thread, which alone may replace it.
    """

    def handler(number: int, frame: FrameType | None) -> None:
        if meter.stopping:
            signal.default_int_handler(number, frame)
        meter.stopping = True

    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
