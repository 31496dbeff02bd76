"""Start a process for an engine, which may hang, crash or leave, and tell how it ended."""

from __future__ import annotations

import marshal
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from os import _exit
from pathlib import Path
from typing import IO, Any, NamedTuple

from micrograd_plus.laws.child import serve
from micrograd_plus.laws.originals import BUILTINS

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay


class Process(NamedTuple):
    """A child, and the pipes to it and from it.

    Attributes:
        gone: tells whether it has ended.
        kill: ends it, and what it may have started.
        wait: waits for its end, and gives its exit code.
        asks: takes questions.
        tells: has the answers.
    """

    gone: Callable[[], bool]
    kill: Callable[[], None]
    wait: Callable[[], int]
    asks: IO[bytes]
    tells: IO[bytes]


def message(question: Any) -> bytes:
    """A question as it is sent to a child: its length, then plain data."""
    data = marshal.dumps(question)
    return len(data).to_bytes(4, "big") + data


def ending(code: int) -> str:
    """How a process ended that has this exit code, with a verb."""
    if code >= 0:
        return f"ends Python with the exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", as endless recursion does where the limit is raised" if name in ("SIGSEGV", "SIGBUS") else ""
    return f"crashes Python ({name}{why})"


def forked(load: Callable[[], type], clean: bool, methods: tuple[str, ...], word: str) -> Process:
    """A copy of this process: it knows classes that have no file, and starts at once.

    Args:
        load: gives the engine.
        clean: whether files that are open here are closed there, as an engine that is yet to be loaded needs none.
        methods: of which it is to tell whether the engine has them.
        word: comes with its first answer.
    """
    ask, asks = _pipe()
    tells, tell = _pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads, of which the child uses none
        child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.close(asks)
            os.close(tells)
            if clean:
                _close_all_but(ask, tell)
            serve(load, methods, word, ask, tell)
        finally:
            _exit(1)
    os.close(ask)
    os.close(tell)

    def gone() -> bool:
        try:
            return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # this process does not hear of its children
            return True

    def kill() -> None:
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
        with suppress(OSError):
            os.killpg(child, signal.SIGKILL)

    def wait() -> int:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except ChildProcessError:
            return 0

    return Process(gone, kill, wait, open(asks, "wb"), open(tells, "rb"))


def _close_all_but(*pipes: int) -> None:
    """Close all files but the first three and two pipes."""
    one, other = sorted(pipes)
    for low, high in ((3, one), (one + 1, other), (other + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(low, high)


def _pipe() -> list[int]:
    """A pipe that is none of the first three files, which may be closed."""
    import fcntl

    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return moved


def spawned(text: str, methods: tuple[str, ...], word: str) -> Process:
    """A new Python, where there is no fork; by `text` it finds the engine."""
    program = [sys.executable, "-P", "-c", "from micrograd_plus.laws.child import begin; begin()"]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    child = subprocess.Popen(  # noqa: S603 - Python itself
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(OSError):
        child.stdin.write(message((text, methods, word, sys.path)))
        child.stdin.flush()
    return Process(lambda: child.poll() is not None, child.kill, child.wait, child.stdin, child.stdout)
