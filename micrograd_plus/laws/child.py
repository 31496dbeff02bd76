"""The child's side: load an engine, then answer questions about it.

Answers travel through a pipe of their own, each with the word that came with its question, so that nothing else that an
engine prints or does is taken for one.
"""

from __future__ import annotations

import io
import marshal
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from os import _exit, getpid, read, write
from time import process_time
from typing import Any, NoReturn

from micrograd_plus.laws.engines import find
from micrograd_plus.laws.originals import BUILTINS
from micrograd_plus.laws.running import Capture, error_text, functions_of_python, methods_of, replaced, run

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay

MEMORY = 4 << 30  # bytes


def begin() -> NoReturn:
    """What a new Python does: it keeps the pipes that are its standard files to itself, and serves."""
    ask, tell = os.dup(0), os.dup(1)
    text, methods, word, path = _message(ask)
    sys.path[:] = path
    serve(lambda: find(text), methods, word, ask, tell)


def serve(load: Callable[[], type], methods: tuple[str, ...], word: str, ask: int, tell: int) -> NoReturn:
    """Load the engine, then answer questions about it until there are no more.

    Args:
        load: gives the engine.
        methods: of which it is told whether the engine has them.
        word: comes with the first answer, which is about the engine.
        ask: the file in which questions come.
        tell: the file for the answers.
    """
    me = getpid()

    def answer(word: str, told: object) -> None:
        if getpid() != me:  # the engine forked: one of the two is enough
            _exit(0)
        line = f"{word} {told!r}\n".encode(errors="replace")
        while line:
            line = line[write(tell, line) :]

    _limit_memory()
    capture = Capture()
    out = _replace_standard_files(capture)
    before = functions_of_python()
    try:
        engine = load()
    except BaseException as error:  # noqa: BLE001 - whatever a student's file raises, it is no engine
        kind = type(error).__name__
        answer(word, (kind, str(error)) if kind in ("TypeError", "ValueError") else ("ValueError", error_text(error)))
        _exit(0)
    capture.taken()  # what is printed once, when a file is imported, is nobody's fault
    answer(word, ("engine", engine.__module__, engine.__qualname__, methods_of(engine, methods)))
    limit = sys.getrecursionlimit()
    while True:
        word, kind, seconds, *question = _message(ask)
        _limit_time(seconds)
        sys.setrecursionlimit(limit)  # a program may have raised it
        sys.stdout = out
        if kind == "replaced":
            answer(word, replaced(before))
        else:
            printed, raised, lost = run(engine, *question)
            answer(word, (printed, raised, capture.taken(), lost))


def _replace_standard_files(capture: Capture) -> io.TextIOWrapper:
    """Standard output goes to the capture, and the other standard files to nowhere; the new standard output."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    out = io.TextIOWrapper(capture, encoding="utf-8", errors="replace", write_through=True)
    sys.stdin, sys.stdout = open(0, closefd=False), out  # noqa: SIM115 - for as long as the process lives
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    return out


def _message(ask: int) -> Any:
    """The next question; where there are no more, the child ends."""
    size = int.from_bytes(_bytes(ask, 4), "big")
    return marshal.loads(_bytes(ask, size))  # noqa: S302 - from the parent, which runs nothing of the engine's


def _bytes(ask: int, count: int) -> bytes:
    """So many bytes of a file; where it has no more, the child ends."""
    taken = b""
    while len(taken) < count:
        more = read(ask, count - len(taken))
        if not more:
            _exit(0)
        taken += more
    return taken


def _limit_memory() -> None:
    """Let an engine that needs too much memory get a MemoryError, so that it cannot take the machine down."""
    with suppress(ImportError, ValueError, OSError):
        import faulthandler
        import resource

        faulthandler.disable()  # a crash is told by the parent
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        most = min(MEMORY, max(MEMORY // 4, pages * size // 2))
        for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, most)):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _limit_time(seconds: float) -> None:
    """End a child whose parent is gone after some time; a parent that is there ends it earlier."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        most = int(process_time() + 5 + 2 * seconds * (os.cpu_count() or 1))
        resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
