"""How are the laws tried that no list of programs can say?"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection

from micrograd_plus.laws.kinds import evaluated
from micrograd_plus.laws.programs import Failure, Program, Run, all_of, failed

# for the law of each operation: the operation on x, its value and its slope
ON_X = {
    "Value * Value": ("x * Value(4.0)", "4 * x", "4"),
    "Value + Value": ("x + Value(1.5)", "x + 1.5", "1"),
    "Value * number": ("x * 3", "3 * x", "3"),
    "Value + number": ("x + 3", "x + 3", "1"),
    "number * Value": ("3 * x", "3 * x", "3"),
    "number + Value": ("3 + x", "3 + x", "1"),
    "-Value": ("-x", "-x", "-1"),
    "Value - Value": ("x - Value(1.5)", "x - 1.5", "1"),
    "Value - number": ("x - 3", "x - 3", "1"),
    "number - Value": ("3 - x", "3 - x", "-1"),
    "Value ** number": ("x ** 2", "x ** 2", "2 * x"),
    "Value ** -number": ("x ** -1", "1 / x", "-1 / x ** 2"),
    "Value / Value": ("x / Value(4.0)", "x / 4", "1 / 4"),
    "Value / number": ("x / 4", "x / 4", "1 / 4"),
    "number / Value": ("3 / x", "3 / x", "-3 / x ** 2"),
    "relu": ("x.relu()", "max(x, 0.0)", "float(x > 0)"),
    "exp": ("x.exp()", "exp(x)", "exp(x)"),
    "log": ("x.log()", "log(x)", "1 / x"),
    "tanh": ("x.tanh()", "tanh(x)", "1 - tanh(x) ** 2"),
    "sigmoid": ("x.sigmoid()", "1 / (1 + exp(-x))", "exp(-x) / (1 + exp(-x)) ** 2"),
    "sin": ("x.sin()", "sin(x)", "cos(x)"),
    "cos": ("x.cos()", "cos(x)", "-sin(x)"),
    "sqrt": ("x.sqrt()", "sqrt(x)", "1 / (2 * sqrt(x))"),
    "Value ** Value": ("x ** Value(3.0)", "x ** 3", "3 * x ** 2"),
    "number ** Value": ("2 ** x", "2 ** x", "2 ** x * log(2)"),
}


def prints_nothing(run: Run, _: Collection[str]) -> Failure | None:
    """The engine prints nothing of its own."""
    why = "whoever uses an engine says what is printed; take out what you printed to see how it works."
    for operation in ("x + y", "x * y", "x - y", "x / y", "x ** 2"):
        lines = f"x = Value(2.0)\ny = Value(4.0)\nz = {operation}\nz.backward()\nprint('done')"
        answer = run.place.ask(lines, run.mends)
        aside = " ".join(answer.aside.split())
        if aside:
            return failed(lines, f"prints {aside} done", "done", why, run.place.engine)
    return None


def leaves_python_alone(run: Run, _: Collection[str]) -> Failure | None:
    """The engine leaves Python's own functions as they are."""
    why = "a function of Python's belongs to all: give yours another name, or keep it in your own module."
    for name, now in run.place.replaced():
        module, _, function = name.rpartition(".")
        ask = f"print({name}.__module__, {name}.__qualname__)"
        lines = f"import {module}\n{ask}" if module else ask
        return failed(lines, f"prints {now}", f"{module or 'builtins'} {function}", why, run.place.engine)
    return None


# in a browser a longer chain ends the interpreter when it is freed, whatever the engine
DEPTHS = (100, 1_000) if sys.platform == "emscripten" else (100, 2_000, 10_000)


def deep_chains(run: Run, _: Collection[str]) -> Failure | None:
    """A chain of so many operations that recursion over nodes does not come to its end."""
    why = (
        "each step adds 1, and the gradient of a sum is 1 all the way down. A function that calls itself once for "
        "every node reaches Python's recursion limit: keep the nodes still to be visited in a list of your own."
    )
    lines = "x = y = Value(0.0)\nfor _ in range({}):\n    y = y + 1\ny.backward()\nprint(y.data, x.grad)"
    programs = [Program(lines.format(depth), (float(depth), 1.0), why) for depth in DEPTHS]
    return all_of(*programs)(run, ())


def used_again(run: Run, held: Collection[str]) -> Failure | None:
    """Each operation that has held so far, on what another one uses as well, and twice in one graph."""
    programs: list[Program] = []
    for expression, value, slope in _operations(run, held):
        first, last = _two_numbers(expression)
        number, by, other = [evaluated(text, {"x": x}) for text, x in ((value, last), (slope, last), (slope, first))]
        why = f"x * 10 uses x as well as {expression}, and what both give back adds up: in each rule write +=, not =."
        for both in (f"{expression} + x * Value(10.0)", f"x * Value(10.0) + {expression}"):
            lines = f"x = Value({last})\nz = {both}\nz.backward()\nprint(z.data, x.grad)"
            programs.append(Program(lines, (number + 10.0 * last, by + 10.0), why))
        on_y = re.sub(r"\bx\b", "y", expression)
        lines = f"x, y = Value({first}), Value({last})\nz = {expression} + ({on_y})\nz.backward()\n"
        why = "a rule must remember its own numbers, not the last that there were."
        programs.append(Program(f"{lines}print(x.grad, y.grad)", (other, by), why))
    return all_of(*programs)(run, held)


def asked_again(run: Run, held: Collection[str]) -> Failure | None:
    """Each operation that has held so far, on an x whose number is another one when it is asked a second time."""
    programs: list[Program] = []
    for expression, value, slope in _operations(run, held):
        first, last = _two_numbers(expression)
        lines = f"x = Value({first})\nz = {expression}\nz.backward()\nx.data, x.grad = {last}, 0.0\n"
        lines += f"z = {expression}\nz.backward()\nprint(z.data, x.grad)"
        expected = tuple([evaluated(text, {"x": last}) for text in (value, slope)])
        why = f"x holds {last} when it is asked for {expression} the second time; what came of {first} is over."
        programs.append(Program(lines, expected, why))
    return all_of(*programs)(run, held)


def _operations(run: Run, held: Collection[str]) -> list[tuple[str, str, str]]:
    """Those that hold; where none was tried, as when a law is asked for by name, those that are there."""
    there = [each for name, each in ON_X.items() if name in held]
    return there or [each for each in ON_X.values() if not run.place.ask(f"x = Value(2.0)\n{each[0]}").raised]


def _two_numbers(expression: str) -> tuple[float, float]:
    """Two for x, at which the operation has two slopes, if it has more than one."""
    return -1.5 if "relu" in expression else 0.5, 2.0
