"""Run a program with an engine in this process, and keep what it prints and raises."""

from __future__ import annotations

import builtins
import io
import math
from contextlib import suppress
from typing import Any

from micrograd_plus.laws.mends import mended
from micrograd_plus.laws.originals import BUILTINS
from micrograd_plus.laws.watching import PROGRAM

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay


Shown = tuple[str, str | None, bool | None]
Functions = dict[Any, dict[str, object]]


class Capture(io.BytesIO):
    """A file in the place of standard output, which keeps the beginning of what is written."""

    kept = b""

    def fileno(self) -> int:
        return 1

    def write(self, data: Any) -> int:
        if len(self.kept) < 300:
            self.kept += bytes(data[:300])
        return len(data)

    def taken(self) -> str:
        """What was kept since this was last asked."""
        kept, self.kept = self.kept, b""
        return kept.decode(errors="replace")


def methods_of(engine: type, methods: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these methods that the engine has."""
    return tuple([name for name in methods if callable(getattr(engine, name, None))])


def functions_of_python() -> Functions:
    """What stands in `builtins` and `math` now, by module and name."""
    return {module: dict(vars(module)) for module in (builtins, math)}


def replaced(before: Functions) -> list[tuple[str, str]]:
    """Each function of Python's that is another one than it was before, and what it is now."""
    return [
        (name if module is builtins else f"{module.__name__}.{name}", _described(vars(module).get(name)))
        for module, names in before.items()
        for name, thing in names.items()
        if callable(thing) and vars(module).get(name) is not thing
    ]


def _described(thing: object) -> str:
    return f"{getattr(thing, '__module__', '?')} {getattr(thing, '__qualname__', type(thing).__qualname__)}"


def run(engine: type, lines: str, mends: tuple[str, ...], watch: bool) -> tuple[list[Shown], str, str]:
    """Run a program as the student would: what it prints, what it raises, and where a gradient was written over."""
    printed: list[object] = []
    names = {"Value": engine, "print": lambda *values: printed.extend(values), "__builtins__": builtins}
    try:
        with mended(engine, mends, names, watch=watch) as lost:
            exec(compile(lines, PROGRAM, "exec"), names)  # noqa: S102 - the lines are ours, from the laws
        return [_shown(value) for value in printed[:20]], "", "".join(lost[:1])
    except BaseException as error:  # noqa: BLE001 - whatever a student's engine raises is its failure, never ours
        return [], error_text(error), ""


def _shown(value: Any) -> Shown:
    """A value as text, as the digits of a number and as a truth, None where it is not these."""
    number = truth = None
    text = str(value)
    with suppress(Exception):
        number = float(value).hex()
    with suppress(Exception):
        truth = bool(value)
    return text[:300], number, truth


def error_text(error: BaseException) -> str:
    """An error in one line, as a traceback ends."""
    kind = type(error)
    home = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - its __str__ is the student's own
        text = "(its text cannot be made)"
    return f"{home}{kind.__qualname__}{': ' if text else ''}{text}"[:2000]
