"""What can be asked of an engine, and what comes back?"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from micrograd_plus.laws.originals import BUILTINS

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay


class Printed(NamedTuple):
    """One thing that a program printed, as text, as a number and as a truth, where it is these."""

    text: str
    number: float | None
    truth: bool | None


class Answer(NamedTuple):
    """What a program did.

    Attributes:
        printed: what its last line printed.
        raised: the error that stopped it; "" if none did.
        aside: what the engine itself printed.
        lost: where the engine wrote over a gradient that had arrived; "" if it did not, or that was not asked.
        ended: how the process ended, with a verb; "" if it still runs.
    """

    printed: tuple[Printed, ...] = ()
    raised: str = ""
    aside: str = ""
    lost: str = ""
    ended: str = ""


class Engine(NamedTuple):
    """A class, as the side that asks knows it.

    Attributes:
        module: where it is imported from.
        name: its qualified name there.
        methods: those of the methods that were asked for which it has.
    """

    module: str
    name: str
    methods: tuple[str, ...]


class Bench(Protocol):
    """A place where an engine is tried."""

    engine: Engine

    def law(self, times: int = 1) -> Any:
        """A block in which one law is tried; it may take so many times the usual seconds."""

    def late(self) -> bool:
        """Whether half of that time is over, after which nothing new should be begun."""

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        """Run these lines, with these laws mended; with `watch`, gradients that are written over are noted."""

    def replaced(self) -> list[tuple[str, str]]:
        """What the engine has put into the place of Python's own: the names, and what stands there now."""


def printed_from(text: str, number: str | None, truth: bool | None) -> Printed:
    """What was printed, from the plain data in which it was sent."""
    return Printed(text, None if number is None else float.fromhex(number), truth)
