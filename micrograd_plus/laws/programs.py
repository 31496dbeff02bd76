"""What must a program print, and does it?

A program is what a student is shown, so what failed here fails there too.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from micrograd_plus.laws.answers import Answer, Bench, Engine, Printed

WIDTH = 80


@dataclass(frozen=True)
class Program:
    """A few lines about `Value` whose last one prints.

    Attributes:
        lines: these.
        expected: what they must print.
        why: the law, in words.
    """

    lines: str
    expected: tuple[float | bool, ...]
    why: str


@dataclass(frozen=True)
class Failure:
    """A program that an engine got wrong: paste it, and see.

    Attributes:
        program: its lines, with the import.
        got: "prints ...", "raises ...", "does not end within 10 s", "crashes Python ...".
        expected: what it must print.
        why: the law, in words.
        lost: the line of the engine's that wrote over a gradient, if one did and it can be seen; else "".

    >>> import micrograd_plus as mp
    >>> class Careless(mp.Value):
    ...     def sqrt(self):
    ...         return mp.Value(self.data**0.5)       # forgets where it came from
    >>> (broken,) = [outcome for outcome in mp.check_engine(Careless).outcomes if outcome.failure]
    >>> broken.failure.got
    'prints 1.4142135623730951 0.0'
    >>> print(broken.failure.program)
    from micrograd_plus.laws.programs import Careless as Value
    x = Value(2.0)
    z = x.sqrt()
    z.backward()
    print(z.data, x.grad)
    """

    program: str
    got: str
    expected: str
    why: str
    lost: str = ""

    def __str__(self) -> str:
        return failure_text(self)


def failure_text(failure: Failure, **more: str) -> str:
    """The program, and below it what it prints and why that is wrong; `more` are further rows, by their names."""
    rows = {"it": failure.got, "expected": f"prints {failure.expected}", "because": failure.why, "there": failure.lost}
    said = []
    for name, text in (rows | more).items():
        if text:
            said.append(f"  {name:<10}" + ("\n" + " " * 12).join(textwrap.wrap(text, WIDTH - 14)))
    return "\n".join([textwrap.indent(failure.program, " " * 6), "", *said])


@dataclass(frozen=True)
class Run:
    """What a trial runs its programs with: `run(program)` is None where it prints what it must.

    Attributes:
        place: where the engine is.
        mends: the laws that are mended for as long as each program runs.
    """

    place: Bench
    mends: tuple[str, ...] = ()

    def __call__(self, program: Program) -> Failure | None:
        return _judged(program, self.place.ask(program.lines, self.mends), self.place.engine)


def _judged(program: Program, answer: Answer, engine: Engine) -> Failure | None:
    """None where the answer is what the program must print."""
    if answer.ended or answer.raised:
        got = answer.ended or f"raises {answer.raised}"
    elif len(answer.printed) == len(program.expected) and all(map(_agrees, answer.printed, program.expected)):
        return None
    else:
        got = f"prints {' '.join([printed.text for printed in answer.printed])}"
    return failed(program.lines, got, " ".join(map(str, program.expected)), program.why, engine)


def failed(lines: str, got: str, expected: str, why: str, engine: Engine) -> Failure:
    """The failure of these lines, ready to be pasted; what was got is cut short."""
    if len(got) > 300:
        got = f"{got[:297]}..."
    return Failure(f"{importing(engine)}{lines}", got, expected, why)


def _agrees(got: Printed, expected: float | bool) -> bool:
    if isinstance(expected, bool):
        return got.truth is expected
    return got.number is not None and math.isclose(got.number, expected, rel_tol=1e-7, abs_tol=1e-9)


def importing(engine: Engine) -> str:
    """The line that makes the class known as Value; none in a notebook that calls it so."""
    module, name = engine.module, engine.name
    last = name.rpartition(".")[2]
    if module in ("__main__", "builtins") or "<locals>" in name:
        return "" if last == "Value" else f"Value = {last}\n"
    outer, _, inner = name.partition(".")
    if inner:
        return f"from {module} import {outer}\nValue = {name}\n"
    return f"from {module} import {name}\n" if name == "Value" else f"from {module} import {name} as Value\n"


Trial: TypeAlias = Callable[[Run, Collection[str]], Failure | None]  # is also given the names of the laws that hold


def all_of(*programs: Program) -> Trial:
    """The trial by these programs, the smallest first."""
    return lambda run, _: next(filter(None, map(run, programs)), None)
