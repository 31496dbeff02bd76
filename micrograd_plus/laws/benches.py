"""Where is an engine tried: in a process of its own, or, where there can be none, in this one?"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from time import monotonic

from micrograd_plus.laws.answers import Answer, Bench, Engine, printed_from
from micrograd_plus.laws.engines import find
from micrograd_plus.laws.originals import BUILTINS
from micrograd_plus.laws.processes import forked, spawned
from micrograd_plus.laws.running import Capture, functions_of_python, methods_of, replaced, run
from micrograd_plus.laws.sandbox import Apart

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay

SECONDS = 10.0  # for one law, and three times that for the import


@contextmanager
def bench(engine: type | str, methods: tuple[str, ...], seconds: float = SECONDS) -> Iterator[Bench]:
    """A bench for a class, or for what `engines.find` finds: another process, if there can be one.

    Raises:
        ValueError, TypeError: there is no such engine.
    """
    if hasattr(os, "fork") and sys.platform != "emscripten":  # which has the name, and no processes
        apart = Apart(lambda word: forked(_loader(engine), isinstance(engine, str), methods, word), engine, seconds)
    elif sys.platform != "emscripten" and (text := _importable(engine)):
        apart = Apart(lambda word: spawned(text, methods, word), engine, seconds)
    else:
        yield Here(_loader(engine)(), methods)
        return
    try:
        if not apart.start():
            raise apart.refusal
        yield apart
    finally:
        apart.end()


def _loader(engine: type | str) -> Callable[[], type]:
    """A function that gives the class."""
    return lambda: find(engine) if isinstance(engine, str) else engine


def _importable(engine: type | str) -> str:
    """The text by which another process finds the class; "" if it has no way."""
    if isinstance(engine, str):
        return engine
    module, name = engine.__module__, engine.__qualname__
    found = getattr(sys.modules.get(module), name, None)
    return f"{module}:{name}" if found is engine and module not in ("__main__", "builtins") else ""


class Here:
    """An engine in this very process, where there can be no other: no time limit, and a crash is a crash."""

    def __init__(self, engine: type, methods: tuple[str, ...]) -> None:
        self.value = engine
        self.engine = Engine(engine.__module__, engine.__qualname__, methods_of(engine, methods))
        self.before = functions_of_python()
        self.until = 0.0

    @contextmanager
    def law(self, times: int = 1) -> Iterator[None]:
        limit, self.until = sys.getrecursionlimit(), monotonic() + times * SECONDS / 2
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)  # an engine may have raised it

    def late(self) -> bool:
        return monotonic() > self.until

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        capture = Capture()
        with redirect_stdout(io.TextIOWrapper(capture, encoding="utf-8", errors="replace", write_through=True)):
            printed, raised, lost = run(self.value, lines, mends, watch)
        if raised.partition(":")[0] == "KeyboardInterrupt":  # whoever pressed Ctrl-C means us
            raise KeyboardInterrupt
        return Answer(tuple([printed_from(*each) for each in printed]), raised, capture.taken(), lost)

    def replaced(self) -> list[tuple[str, str]]:
        return replaced(self.before)
