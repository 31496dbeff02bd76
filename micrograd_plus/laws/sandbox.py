"""Ask an engine that runs in a process of its own, and end what takes too long."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from time import monotonic, sleep
from typing import Any

from micrograd_plus.laws.answers import Answer, Engine, printed_from
from micrograd_plus.laws.originals import BUILTINS
from micrograd_plus.laws.processes import Process, ending, message

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay


class Apart:
    """An engine in a process of its own; a new one is started for the next law when one has ended."""

    def __init__(self, make: Callable[[str], Process], engine: type | str, seconds: float) -> None:
        self.make, self.seconds, self.limit = make, seconds, seconds
        self.what = repr(engine) if isinstance(engine, str) else engine.__name__
        self.engine = Engine("", "", ())
        self.refusal: Exception = ValueError(self.what)
        self.process: Process | None = None
        self.lock = Lock()  # so that the time limit kills no process that has just been ended
        self.ended, self.word, self.begun = "", "", 0.0

    def start(self) -> bool:
        """Start a child, which loads the engine; whether it did. If not, `refusal` says why."""
        with self._limit(3 * self.seconds):
            self.ended, self.word = "", _word()
            self.process = self.make(self.word)
            told = self._told()
        if told is None:
            self.refusal = ValueError(f"importing {self.what} {self.ended}")
        elif told[0] == "engine":
            self.engine = Engine(*told[1:])
        else:
            self.ended = self.end()
            self.refusal = {"TypeError": TypeError, "ValueError": ValueError}[told[0]](told[1])
        return self.process is not None

    @contextmanager
    def law(self, times: int = 1) -> Iterator[None]:
        if self.process is None and not self.start():
            self.ended = f"cannot be loaded again: {self.refusal}"
        self.begun, self.limit = monotonic(), times * self.seconds
        with self._limit(self.limit):
            yield

    def late(self) -> bool:
        return self.process is None or monotonic() - self.begun > self.limit / 2

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        told = self._told("run", self.limit, lines, mends, watch)
        if told is None:
            return Answer(ended=self.ended)
        printed, raised, aside, lost = told
        return Answer(tuple([printed_from(*each) for each in printed]), raised, aside, lost)

    def replaced(self) -> list[tuple[str, str]]:
        return self._told("replaced", self.limit) or []

    def end(self) -> str:
        """End the child, if it has not ended by itself; how it did, with a verb."""
        with self.lock:
            process, self.process = self.process, None
        if process is None:
            return self.ended
        process.kill()  # and what it may have started; an exit code that is there already stays
        code = process.wait()
        for pipe in (process.asks, process.tells):
            with suppress(OSError):
                pipe.close()
        return ending(code)

    @contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Kill the child when the time is over."""

        def stop() -> None:
            with self.lock:
                if self.process is not None:
                    self.ended = f"does not end within {seconds:g} s"
                    self.process.kill()

        timer = Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # no thread of ours lives when the next child is forked
            if self.ended:
                self.end()

    def _told(self, *question: Any) -> Any:
        """The child's answer to a question, or what it says when it starts; None if it ended, or sends no answer."""
        if self.process is None:
            return None
        line = b""
        with suppress(OSError):
            if question:
                self.word = _word()
                self.process.asks.write(message((self.word, *question)))
                self.process.asks.flush()
            line = self.process.tells.readline()
        word, _, told = line.decode(errors="replace").partition(" ")
        if word == self.word and told.endswith("\n"):
            with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
                return ast.literal_eval(told)
        if not line:
            self._let_end()
        how = self.end()
        self.ended = self.ended or ("answers what cannot be read" if line else how)
        return None

    def _let_end(self, seconds: float = 1.0) -> None:
        """Wait until a child that answers no more has ended by itself, so that the exit code is its own."""
        last = monotonic() + seconds
        while self.process is not None and not self.process.gone() and monotonic() < last:
            sleep(0.002)


def _word() -> str:
    """A random word that parent and child alone know: what begins with it is an answer, not print of the engine's."""
    return os.urandom(8).hex()
