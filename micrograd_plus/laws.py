"""Hold anybody's scalar autograd engine to the laws of differentiation, and show the smallest program that breaks one.

A law is a few programs, each with what it must print. The programs are what a student is shown, so what failed here
fails there too. No engine is trusted: what they must print follows from Python's own floats and fractions.
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from reprlib import repr as short_repr
from traceback import format_exception_only
from typing import Any, Literal, TypeAlias

Run: TypeAlias = "Callable[[Program], Failure | None]"
Trial: TypeAlias = "Callable[[Run, Collection[str]], Failure | None]"

WIDTH = 80
_FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "tanh", "sin", "cos", "sqrt")}


@dataclass(frozen=True)
class Program:
    """A few lines about `Value` whose last one prints, what they must print, and why."""

    lines: str
    expected: tuple[float | bool, ...]
    why: str


@dataclass(frozen=True)
class Failure:
    """A program that an engine got wrong: paste it, and see.

    Attributes:
        program: its lines, with the import.
        got: "prints ..." or "raises ...".
        expected: what it must print.
        why: the law, in words.

    >>> import micrograd_plus as mp
    >>> class Careless(mp.Value):
    ...     def sqrt(self):
    ...         return mp.Value(self.data**0.5)       # forgets where it came from
    >>> (broken,) = [outcome for outcome in check_engine(Careless).outcomes if outcome.failure]
    >>> broken.failure.got
    'prints 1.4142135623730951 0.0'
    >>> print(broken.failure.program)
    from micrograd_plus.laws import Careless as Value
    x = Value(2.0)
    z = x.sqrt()
    z.backward()
    print(z.data, x.grad)
    """

    program: str
    got: str
    expected: str
    why: str

    def __str__(self) -> str:
        rows = [("it", self.got), ("expected", f"prints {self.expected}"), ("because", self.why)]
        texts = [textwrap.wrap(text, WIDTH - 14) for _, text in rows]
        said = [f"  {name:<10}" + ("\n" + " " * 12).join(lines) for (name, _), lines in zip(rows, texts)]
        return "\n".join([textwrap.indent(self.program, " " * 6), "", *said])


@dataclass(frozen=True)
class Law:
    """One thing that every engine must get right.

    Attributes:
        name: what it is called.
        says: what it is, in words.
        trial: a function that tries it, and gives the `Failure` or None.
        rests: a tuple of the names of laws without which this one cannot hold: if one fails, too, that is to blame.
        method: the method that it is about, for engines that have it; "" if it is for all.

    >>> print(f"{LAWS[0].name}: {LAWS[0].says}")
    a new node: keeps its number; its gradient is 0
    """

    name: str
    says: str
    trial: Trial
    rests: tuple[str, ...] = ()
    method: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one law.

    Attributes:
        law: which it is.
        verdict: "pass"; "FAIL"; "fails too", along with a law that it rests on; "not there", if the method is missing.
        failure: the smallest program that shows it, where it fails.
        mend: the failed law that it rests on, where it "fails too".

    >>> import micrograd_plus as mp
    >>> outcome = check_engine(mp.Value).outcomes[0]
    >>> outcome.law.name, outcome.verdict
    ('a new node', 'pass')
    """

    law: Law
    verdict: Literal["pass", "FAIL", "fails too", "not there"]
    failure: Failure | None = None
    mend: str = ""


@dataclass(frozen=True, repr=False)
class EngineReport:
    """What `check_engine` found; printed, it is a table and the smallest failing programs.

    Attributes:
        engine: the name of the class.
        outcomes: an `Outcome` for each law.

    >>> import micrograd_plus as mp
    >>> report = check_engine(mp.Value)
    >>> report.failures
    []
    >>> print(str(report).splitlines()[-1])
    49 of 49 laws hold
    """

    engine: str
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> list[str]:
        """A list of the laws that are broken, but for those that only fail along with another; [] if all hold."""
        return [outcome.law.name for outcome in self.outcomes if outcome.verdict == "FAIL"]

    def _count(self, verdict: str) -> int:
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"The laws of autograd, and {self.engine}", "")
        for outcome in self.outcomes:
            law = outcome.law
            remark = {"not there": f"no .{law.method}()", "fails too": f"mend first: {outcome.mend}"}
            yield f"{outcome.verdict:<9}  {law.name:<27} {remark.get(outcome.verdict, law.says)}"
        for outcome in self.outcomes:
            if outcome.verdict == "FAIL":
                yield from ("", f"FAIL  {outcome.law.name}: {outcome.law.says}", "", str(outcome.failure))
        counts = [
            f"{self._count('pass')} of {len(self.outcomes)} laws hold",
            *_counted(self._count("FAIL"), "{} fail", "{} fails"),
            *_counted(self._count("fails too"), "{} fail along with others", "{} fails along with another"),
            *_counted(self._count("not there"), "{} are about methods that are not there", "{} is about a method "
                      "that is not there"),
        ]  # fmt: skip
        yield from ("", *textwrap.wrap(", ".join(counts), WIDTH))


def _counted(count: int, many: str, one: str) -> list[str]:
    return [(one if count == 1 else many).format(count)] if count else []


def check_engine(ValueClass: type) -> EngineReport:  # noqa: N803 - it takes a class, and says so
    """Hold a scalar autograd engine with micrograd's interface to the laws of differentiation.

    Args:
        ValueClass: a class with `ValueClass(data)`, `.data`, `.grad`, `.backward()` and `+ - * / **`. Laws about
            `relu`, `tanh`, `exp`, `log`, `sigmoid`, `sin`, `cos` and `sqrt` are tried where these methods are there.

    Returns:
        An `EngineReport`. Its `.failures` lists the names of the laws that are broken, `str()` is a table, and for each
        of them the smallest program that fails; `.outcomes` has all that as data.

    Raises:
        TypeError: ValueClass is no class.
        ImportError: Hypothesis is not installed.

    What the engine raises counts as a failure of the law at hand and is quoted; only SystemExit and KeyboardInterrupt
    pass. Random expressions are held to forward-mode derivatives in exact fractions. The same engine gives the same
    report every time.

    >>> import micrograd_plus as mp
    >>> check_engine(mp.Value).failures
    []
    """
    if not isinstance(ValueClass, type):
        hint = f"; did you mean {type(ValueClass).__name__}?" if hasattr(ValueClass, "backward") else ""
        quoted = f"check_engine({short_repr(ValueClass)})"
        raise TypeError(f"{quoted}: expected a class, such as Value, got {type(ValueClass).__name__}{hint}")
    try:
        import hypothesis  # noqa: F401 - said before the first law is tried
    except ImportError:
        raise ImportError("check_engine needs Hypothesis: pip install 'micrograd-plus[check]'") from None

    def run(program: Program) -> Failure | None:
        return _run(ValueClass, program)

    outcomes: dict[str, Outcome] = {}
    held: set[str] = set()
    limit = sys.getrecursionlimit()
    for law in LAWS:
        if law.method and not callable(getattr(ValueClass, law.method, None)):
            outcomes[law.name] = Outcome(law, "not there")
            continue
        try:
            failure = law.trial(run, held)
        finally:
            sys.setrecursionlimit(limit)  # an engine may have raised it
        blamed = [name for name in law.rests if name in outcomes and outcomes[name].failure]
        if failure is None:
            held.add(law.name)
            outcomes[law.name] = Outcome(law, "pass")
        elif blamed:
            first = outcomes[blamed[0]]
            outcomes[law.name] = Outcome(law, "fails too", failure, first.mend or first.law.name)
        else:
            outcomes[law.name] = Outcome(law, "FAIL", failure)
    return EngineReport(f"{ValueClass.__module__}.{ValueClass.__qualname__}", tuple(outcomes.values()))


# ------------------------------------------------------------------------------------------------- running a program


def _run(value_class: type, program: Program) -> Failure | None:
    """Run the program as the student would, but hear what it prints."""
    printed: list[Any] = []
    names = {"Value": value_class, "print": lambda *values: printed.extend(values)}
    try:
        exec(program.lines, names)  # noqa: S102 - the lines are ours, from this file
        if len(printed) == len(program.expected) and all(map(_agrees, printed, program.expected)):
            return None
        got = f"prints {' '.join(map(str, printed))}"
    except Exception as error:  # noqa: BLE001 - whatever a student's engine raises is its failure, never ours
        got = f"raises {format_exception_only(error)[0].strip()}"
    if len(got) > 300:
        got = f"{got[:297]}..."
    expected = " ".join(map(str, program.expected))
    return Failure(f"{_importing(value_class)}{program.lines}", got, expected, program.why)


def _agrees(got: Any, expected: float | bool) -> bool:
    if isinstance(expected, bool):
        return bool(got) is expected
    try:
        return math.isclose(float(got), expected, rel_tol=1e-7, abs_tol=1e-9)
    except (TypeError, ValueError):
        return False


def _importing(value_class: type) -> str:
    """The line that makes the class known as Value; none in a notebook that calls it so."""
    module, name = value_class.__module__, value_class.__qualname__
    if module in ("__main__", "builtins") or "<locals>" in name:
        return "" if value_class.__name__ == "Value" else f"Value = {value_class.__name__}\n"
    outer, _, inner = name.partition(".")
    if inner:
        return f"from {module} import {outer}\nValue = {name}\n"
    return f"from {module} import {name}\n" if name == "Value" else f"from {module} import {name} as Value\n"


def _programs(*programs: Program) -> Trial:
    """The trial by these programs, the smallest first."""
    return lambda run, _: next(filter(None, map(run, programs)), None)


# ---------------------------------------------------------------------------------------------------- laws, by kinds


def _exact(
    name: str,
    says: str,
    why: str,
    *programs: tuple[str, tuple[float | bool, ...]],
    rests: tuple[str, ...] = (),
    method: str = "",
) -> Law:
    """A law of programs written out, the smallest first."""
    return Law(name, says, _programs(*[Program(lines, expected, why) for lines, expected in programs]), rests, method)


def _operation(
    name: str,
    says: str,
    expressions: tuple[str, ...],
    slopes: tuple[str, ...],
    at: tuple[tuple[float, ...], ...],
    *,
    value: str = "",
    rests: tuple[str, ...] = (),
    method: str = "",
    more: tuple[Program, ...] = (),
) -> Law:
    """A law of one operation on x, or on x and y: its value and its slopes, alone and in a chain.

    Slopes are written in x, y and c, which is the plain number in the expression. `value` is the expression on plain
    floats, where that is written otherwise.
    """
    direct: list[Program] = []
    chained: list[Program] = []
    for expression in expressions:
        constant = (re.findall(r"-?\d[\d.]*", expression) or ["c"])[0]
        rules = [re.sub(r"\bc\b", constant, slope) for slope in slopes]
        said = " and ".join(f"by {leaf} is {rule}" for leaf, rule in zip("xy", rules))
        why = f"the derivative of {value or expression} {said}"
        for numbers in at:
            names = dict(zip("xy", numbers))
            results = tuple(_number(formula, names) for formula in (value or expression, *rules))
            leaves = "".join(f"{leaf} = Value({number})\n" for leaf, number in names.items())
            ask = "\nz.backward()\nprint(" + ", ".join(["z.data", *[f"{leaf}.grad" for leaf in names]]) + ")"
            direct.append(Program(f"{leaves}z = {expression}{ask}", results, f"{why}."))
            chain = f"{why}, and the chain rule multiplies it by the gradient that arrives, here 10."
            tenfold = tuple(10 * result for result in results)
            chained.append(Program(f"{leaves}z = ({expression}) * Value(10.0){ask}", tenfold, chain))
    return Law(name, says, _programs(*direct, *chained, *more), rests, method)


def _number(text: str, numbers: dict[str, float]) -> float:
    """The text, a formula of this file, worked out on plain floats."""
    return float(eval(text, dict(_FUNCTIONS), numbers))  # noqa: S307


def _deep(run: Run, _: Collection[str]) -> Failure | None:
    why = (
        "each step adds 1, and the gradient of a sum is 1 all the way down. A function that calls itself once for "
        "every node reaches Python's recursion limit: keep the nodes still to be visited in a list of your own."
    )
    lines = "x = y = Value(0.0)\nfor _ in range({}):\n    y = y + 1\ny.backward()\nprint(y.data, x.grad)"
    programs = [Program(lines.format(depth), (float(depth), 1.0), why) for depth in (100, 2_000, 10_000)]
    return _programs(*programs)(run, ())


# -------------------------------------------------------------------------------------------------- random expressions


class _Dual:
    """An exact number and its derivative by one leaf: forward mode, which needs no graph and no backward."""

    def __init__(self, value: Fraction | float, slope: Fraction | float = 0) -> None:
        self.value, self.slope = Fraction(value), Fraction(slope)
        if max(abs(self.value), abs(self.slope)) > 10_000:
            raise OverflowError("too large to compare floats with")

    def __add__(self, other: Any) -> _Dual:
        other = _dual(other)
        return _Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> _Dual:
        other = _dual(other)
        return _Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __pow__(self, n: int) -> _Dual:
        if n < 0 and abs(self.value) < Fraction(1, 8):
            raise ZeroDivisionError("too near to a pole to compare floats with")
        return _Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def relu(self) -> _Dual:
        if self.value == 0:
            raise ArithmeticError("relu has no derivative at 0")
        return self if self.value > 0 else _Dual(0)

    def __neg__(self) -> _Dual:
        return self * -1

    def __sub__(self, other: Any) -> _Dual:
        return self + _dual(other) * -1

    def __truediv__(self, other: Any) -> _Dual:
        return self * _dual(other) ** -1

    def __radd__(self, number: float) -> _Dual:
        return _dual(number) + self

    def __rmul__(self, number: float) -> _Dual:
        return _dual(number) * self

    def __rsub__(self, number: float) -> _Dual:
        return _dual(number) - self

    def __rtruediv__(self, number: float) -> _Dual:
        return _dual(number) / self


def _dual(number: _Dual | float) -> _Dual:
    return number if isinstance(number, _Dual) else _Dual(number)


# what a random expression is made of: l and r are nodes, c is a number; a form is drawn if the law of its name holds
_FORMS = {
    "Value + Value": "{l} + {r}",
    "Value * Value": "{l} * {r}",
    "Value - Value": "{l} - {r}",
    "-Value": "-{l}",
    "Value + number": "{l} + {c}",
    "number + Value": "{c} + {l}",
    "Value * number": "{l} * {c}",
    "number * Value": "{c} * {l}",
    "Value - number": "{l} - {c}",
    "number - Value": "{c} - {l}",
    "Value ** number": "{l} ** 2",
    "Value ** -number": "{l} ** -1",
    "Value / Value": "{l} / {r}",
    "Value / number": "{l} / {c}",
    "number / Value": "{c} / {l}",
    "relu": "{l}.relu()",
}


def _random(run: Run, held: Collection[str]) -> Failure | None:
    """Draw expressions until one fails, and shrink it; what is drawn is the same every time."""
    from hypothesis import Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException

    forms = [form for name, form in _FORMS.items() if name in held] or list(_FORMS.values())
    latest = st.sampled_from([0, 0, 0, 1, 2])  # mostly the node before, so that little is made for nothing
    steps = st.tuples(st.sampled_from(forms), latest, st.integers(0, 5), st.sampled_from([2, 3.0, 0.5]))
    leaves = st.lists(st.sampled_from([1.0, 2.0, 3.0, 0.5, 0.0, -1.0, -2.0]), min_size=1, max_size=3)
    smallest: list[Failure] = []

    def fails(drawn: tuple[list[float], list[tuple[str, int, int, float]]]) -> bool:
        program = _expression(*drawn)
        failure = program and run(program)
        if failure:
            smallest[:] = [failure]
        return bool(failure)

    once = settings(
        max_examples=200, derandomize=True, database=None, deadline=None, phases=[Phase.generate, Phase.shrink]
    )
    try:
        found = find(st.tuples(leaves, st.lists(steps, min_size=1, max_size=6)), fails, settings=once)
    except HypothesisException:  # none fails; or one did that then did not, as in an engine that asks the hash
        return smallest[0] if smallest else None
    program = _expression(*found)
    return (program and run(program)) or smallest[0]


def _expression(leaves: list[float], steps: list[tuple[str, int, int, float]]) -> Program | None:
    """The program that takes these steps, each from nodes counted backwards; None where floats would be no judge."""
    names = list("abc"[: len(leaves)])
    formulas: dict[str, str] = {}
    for name, (form, left, right, number) in zip("uvwxyz", steps):
        operands = [names[-1 - place % len(names)] for place in (left, right)]
        formulas[name] = form.format(l=operands[0], r=operands[1], c=number)
        names.append(name)
    last, slopes = names[-1], []
    try:
        for leaf in range(len(leaves)):
            duals = {name: _Dual(number, leaf == i) for i, (name, number) in enumerate(zip(names, leaves))}
            for name, formula in formulas.items():
                duals[name] = eval(formula, {}, duals)  # noqa: S307 - a form from above, filled in
            slopes.append(float(duals[last].slope))
    except ArithmeticError:
        return None
    assignments = [f"{name} = Value({number})" for name, number in zip(names, leaves)]
    assignments += [f"{name} = {formula}" for name, formula in formulas.items()]
    ask = "".join(f", {name}.grad" for name in names[: len(leaves)])
    lines = "\n".join([*assignments, f"{last}.backward()", f"print({last}.data{ask})"])
    why = "the same steps in exact fractions, each number together with its derivative (forward mode), give this."
    return Program(lines, (float(duals[last].value), *slopes), why)


# ----------------------------------------------------------------------------------------------------------- the laws

_NODE = ("a new node",)
_START = (*_NODE, "dy/dy is 1")
_PRODUCT = (*_START, "Value * Value")
_SUM = (*_PRODUCT, "Value + Value")
_NUMBERS = (*_SUM, "Value * number", "Value + number")
_GRAPHS = (*_NUMBERS, "a node used twice", "equal numbers, two nodes")
_TWO = ((3.0, 2.0), (-1.5, 4.0), (2.0, -4.0))
_ONE = ((2.0,), (-4.0,))
_POSITIVE = ((2.0,), (0.5,))

# fmt: off
LAWS: tuple[Law, ...] = (
    _exact(
        "a new node", "keeps its number; its gradient is 0",
        "nothing has been differentiated yet, so the gradient is 0; backward() adds to it.",
        ("x = Value(2.5)\nprint(x.data, x.grad)", (2.5, 0.0)),
        ("x = Value(-3)\nprint(x.data, x.grad)", (-3.0, 0.0)),
    ),
    _exact(
        "repr", "a node can be shown",
        "print(x) and the notebook call repr(x), which must be a string.",
        ("x = Value(2.5)\nprint(isinstance(repr(x), str))", (True,)),
        rests=_NODE,
    ),
    _exact(
        "dy/dy is 1", "where backward() starts, it puts a 1",
        "a number moves exactly as much as itself. Without that 1 at the start, the chain rule multiplies zeros.",
        ("x = Value(3.0)\nx.backward()\nprint(x.grad)", (1.0,)),
        rests=_NODE,
    ),

    _operation("Value * Value", "each factor gets the other one", ("x * y",), ("y", "x"), _TWO, rests=_START),
    _operation("Value * number", "the number is the slope", ("x * 3", "x * 2.5"), ("c",), _ONE, rests=_PRODUCT),
    _operation("number * Value", "__rmul__: the same, from the left", ("3 * x", "2.5 * x"), ("c",), _ONE,
               rests=(*_PRODUCT, "Value * number")),
    _operation("Value + Value", "each term gets all of the gradient", ("x + y",), ("1", "1"), _TWO, rests=_PRODUCT),
    _operation("Value + number", "a number shifts; the slope stays 1", ("x + 3", "x + 2.5"), ("1",), _ONE, rests=_SUM),
    _operation("number + Value", "__radd__: the same, from the left", ("3 + x", "2.5 + x"), ("1",), _ONE,
               rests=(*_SUM, "Value + number")),
    _operation("-Value", "the slope is -1", ("-x",), ("-1",), _ONE, rests=(*_PRODUCT, "Value * number")),
    _operation("Value - Value", "the second one gets a minus", ("x - y",), ("1", "-1"), _TWO, rests=(*_SUM, "-Value")),
    _operation("Value - number", "a number shifts; the slope stays 1", ("x - 3", "x - 2.5"), ("1",), _ONE,
               rests=(*_SUM, "Value + number", "Value - Value")),
    _operation("number - Value", "__rsub__: the number comes first", ("3 - x", "2.5 - x"), ("-1",), _ONE,
               rests=(*_SUM, "-Value", "number + Value", "Value - Value")),
    _operation("Value ** number", "slope n * x ** (n - 1)", ("x ** 2", "x ** 3", "x ** 1"), ("c * x ** (c - 1)",),
               _ONE, rests=_PRODUCT,
               more=(Program("x = Value(4.0)\nz = x ** 1.5\nz.backward()\nprint(z.data, x.grad)", (8.0, 3.0),
                             "the derivative of x ** 1.5 by x is 1.5 * x ** 0.5."),)),
    _operation("Value ** -number", "slope n * x ** (n - 1), n below 0", ("x ** -1", "x ** -2"), ("c * x ** (c - 1)",),
               _ONE, rests=(*_PRODUCT, "Value ** number")),
    _operation("Value ** 0", "always 1, so its slope is 0", ("x ** 0",), ("0",), _ONE,
               rests=(*_PRODUCT, "Value ** number")),
    _operation("Value ** Value", "base and exponent both get a slope", ("x ** y",),
               ("y * x ** (y - 1)", "x ** y * log(x)"), ((2.0, 3.0), (0.5, 2.0)),
               rests=(*_PRODUCT, "Value ** number")),
    _operation("number ** Value", "__rpow__: slope c ** x * log(c)", ("2 ** x", "0.5 ** x"), ("c ** x * log(c)",),
               ((3.0,), (-1.0,)), rests=_PRODUCT),
    _operation("Value / Value", "slopes 1 / y and -x / y ** 2", ("x / y",), ("1 / y", "-x / y ** 2"), _TWO,
               rests=(*_PRODUCT, "Value ** number", "Value ** -number"),
               more=(Program("x = Value(3)\ny = Value(2)\nz = x / y\nz.backward()\nprint(z.data, x.grad, y.grad)",
                             (1.5, 0.5, -0.75), "3 / 2 is 1.5, also where both are whole numbers."),)),
    _operation("Value / number", "slope 1 / c", ("x / 4", "x / 2.5"), ("1 / c",), _ONE,
               rests=(*_PRODUCT, "Value * number", "Value / Value")),
    _operation("number / Value", "__rtruediv__: the number is on top", ("3 / x", "2.5 / x"), ("-c / x ** 2",), _ONE,
               rests=(*_PRODUCT, "number * Value", "Value ** number", "Value ** -number", "Value / Value")),
    _exact(
        "numbers are constants", "they take part and stay as they are",
        "a plain number is no variable: it has no gradient and nothing changes it.",
        ("c = 3.0\nx = Value(2.0)\ny = x * c + c\ny.backward()\nprint(y.data, x.grad, c)", (9.0, 3.0, 3.0)),
        rests=_NUMBERS,
    ),

    _exact(
        "the output's gradient is 1", "also where operations made it",
        "y moves exactly as much as y.",
        ("x = Value(3.0)\ny = x * Value(2.0)\ny.backward()\nprint(y.grad)", (1.0,)),
        rests=_PRODUCT,
    ),
    _exact(
        "a node used twice", "what comes back from both uses adds up",
        "x stands on both sides, and both edges to x must add to its gradient: x + x is 2 x, with slope 2, and x * x "
        "has slope 2 x. Write += where the rule gives its gradient away, not =.",
        ("x = Value(3.0)\ny = x + x\ny.backward()\nprint(y.data, x.grad)", (6.0, 2.0)),
        ("x = Value(3.0)\ny = x * x\ny.backward()\nprint(y.data, x.grad)", (9.0, 6.0)),
        ("x = Value(3.0)\ny = x * Value(2.0) + x * Value(5.0)\ny.backward()\nprint(y.data, x.grad)", (21.0, 7.0)),
        rests=_SUM,
    ),
    _exact(
        "equal numbers, two nodes", "nodes that hold the same are not one",
        "x and y hold the same number and are two variables. Where nodes are kept in a set or a dict, they must be "
        "told apart by who they are: leave == and hash() as Python has them.",
        ("x = Value(2.0)\ny = Value(2.0)\nz = x * y * y\nz.backward()\nprint(x.grad, y.grad)", (4.0, 8.0)),
        ("x = Value(2.0)\ny = Value(2.0)\nz = (x + 1) * (y + 1) * 5\nz.backward()\nprint(x.grad, y.grad)",
         (15.0, 15.0)),
        rests=(*_NUMBERS, "a node used twice"),
    ),
    _exact(
        "zero is a number", "a factor 0 gives the other slope 0",
        "x * y has slope y by x and slope x by y, also where that is 0. Ask `is None` for what is not there, not `or`.",
        ("x = Value(0.0)\ny = Value(5.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 5.0, 0.0)),
        ("x = Value(5.0)\ny = Value(0.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 0.0, 5.0)),
        ("x = Value(5.0)\nz = 0 * x + 0\nz.backward()\nprint(z.data, x.grad)", (0.0, 0.0)),
        rests=(*_GRAPHS, "number * Value"),
    ),
    _exact(
        "x - x and x / x", "what comes back from both uses cancels",
        "x - x is always 0 and x / x always 1, so their slope is 0: both edges to x must add to its gradient.",
        ("x = Value(4.0)\ny = x - x\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(4.0)\ny = x / x\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        rests=(*_GRAPHS, "Value - Value", "Value / Value", "zero is a number"),
    ),
    _exact(
        "topological order", "a node waits for all that use it",
        "y is used twice, on paths of its own length. Its rule may run only once, and only when the gradients of both "
        "uses have arrived: sort the nodes topologically and go through them from the output back.",
        ("x = Value(1.0)\ny = x * 2\nz = y * 3 + y\nz.backward()\nprint(x.grad)", (8.0,)),
        ("x = Value(1.0)\ny = x * 2\nz = y + y * 3\nz.backward()\nprint(x.grad)", (8.0,)),
        ("x = Value(2.0)\ny = x * x\nz = (y * 2) * (y * 3)\nz.backward()\nprint(x.grad)", (192.0,)),
        ("x = y = Value(1.0)\nfor _ in range(6):\n    y = y * 0.5 + y\ny.backward()\nprint(x.grad)", (1.5**6,)),
        ("x = y = Value(1.0)\nfor _ in range(6):\n    y = y + y * 0.5 * 1\ny.backward()\nprint(x.grad)", (1.5**6,)),
        rests=_GRAPHS,
    ),
    _exact(
        "a sum of a list", "sum() starts with 0 + Value",
        "sum(values) is 0 + a + b + c, and each term has slope 1.",
        ("a, b, c = Value(1.0), Value(2.0), Value(3.0)\ny = sum([a, b, c])\ny.backward()\n"
         "print(y.data, a.grad, b.grad, c.grad)", (6.0, 1.0, 1.0, 1.0)),
        rests=(*_GRAPHS, "number + Value"),
    ),
    _exact(
        "+= makes a new node", "the old one stays as it was",
        "y += 1 is y = y + 1: a new node under the name y, while x is still the old one. Leave out __iadd__, and "
        "Python does just that.",
        ("x = Value(2.0)\ny = x\ny += 1\nprint(x.data, y.data)", (2.0, 3.0)),
        ("x = Value(2.0)\ny = x * 1\ny += x\ny.backward()\nprint(y.data, x.grad)", (4.0, 2.0)),
        ("start = total = Value(0.0)\nfor v in [Value(1.0), Value(2.0)]:\n    total += v\ntotal.backward()\n"
         "print(start.data, total.data, v.grad)", (0.0, 3.0, 1.0)),
        rests=_GRAPHS,
    ),
    _exact(
        "-=, *= and /= do, too", "the old one stays as it was",
        "y -= 1 is y = y - 1: a new node under the name y, while x is still the old one. Leave out __isub__, __imul__ "
        "and __itruediv__, and Python does just that.",
        *[(f"x = Value(2.0)\ny = x\ny {symbol}= 4\ny.backward()\nprint(x.data, y.data, x.grad)", (2.0, *expected))
          for symbol, expected in {"-": (-2.0, 1.0), "*": (8.0, 4.0), "/": (0.5, 0.25)}.items()],
        rests=(*_GRAPHS, "Value - number", "Value / number"),
    ),

    _exact(
        "data stays", "backward() changes gradients only",
        "going back asks how much the numbers matter; it does not change them.",
        ("x = Value(3.0)\ny = x * x\nz = y + 1\nz.backward()\nprint(x.data, y.data, z.data)", (3.0, 9.0, 10.0)),
        rests=_GRAPHS,
    ),
    _exact(
        "backward from the middle", "what was built on top stays out of it",
        "y.backward() differentiates y. z was made from y, so y does not depend on z, and z's gradient stays 0.",
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\ny.backward()\nprint(x.grad, y.grad, z.grad)", (2.0, 1.0, 0.0)),
        rests=_GRAPHS,
    ),
    _exact(
        "two graphs do not mix", "backward() touches its own graph only",
        "a and b have nothing to do with each other. Let every node know its own parents, and share nothing else: no "
        "list or tape for all.",
        ("b = Value(3.0)\nb.grad = 7.0\na = Value(2.0)\ny = a * 5\ny.backward()\nprint(a.grad, b.grad)", (5.0, 7.0)),
        ("a, b = Value(2.0), Value(3.0)\ny = a * 5\nz = b * 4\ny.backward()\nz.backward()\nprint(a.grad, b.grad)",
         (5.0, 4.0)),
        rests=_GRAPHS,
    ),
    _exact(
        "two losses add up", "gradients of a leaf accumulate",
        "backward() adds to the gradient of a leaf; setting it to 0 between two steps is up to whoever trains.",
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = x * 5\nz.backward()\nprint(x.grad)", (7.0,)),
        ("x = Value(3.0)\ny = x * 2\nz = x * 5\ny.backward()\nz.backward()\nprint(x.grad)", (7.0,)),
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),
    _exact(
        "a second backward()", "adds the same to the leaves once more",
        "every call must add the same to the leaves. The nodes in between start again from 0 at every call; what an "
        "earlier call left in them must not flow down a second time.",
        ("x = Value(3.0)\ny = x * 2 * 5\ny.backward()\ny.backward()\nprint(x.grad)", (20.0,)),
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = y * 5\nz.backward()\nprint(x.grad)", (12.0,)),
        ("x = Value(3.0)\ny = x * 2\na, b = y * 3, y * 5\na.backward()\nb.backward()\nprint(x.grad)", (16.0,)),
        rests=(*_GRAPHS, "two graphs do not mix", "two losses add up"),
    ),
    _exact(
        "zero, and go again", "gradients set to 0 start afresh",
        "once the gradients are 0 again, backward() must give what it gave the first time.",
        ("x = Value(4.0)\nfor _ in range(3):\n    loss = x * x\n    x.grad = 0.0\n    loss.backward()\n"
         "    x.data -= 0.25 * x.grad\nprint(x.data)", (0.5,)),
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\nz.backward()\nx.grad = y.grad = z.grad = 0.0\nz.backward()\n"
         "print(x.grad)", (10.0,)),
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),
    Law("deep chains", "10,000 operations, one on the other", _deep, _GRAPHS),

    _operation("relu", "slope 1 above 0, and 0 below", ("x.relu()",), ("float(x > 0)",), ((3.0,), (-2.0,)),
               value="max(x, 0.0)", rests=_PRODUCT, method="relu",
               more=(Program("x = Value(0.0)\ny = x.relu()\ny.backward()\nprint(y.data, 0 <= x.grad <= 1)", (0.0, True),
                             "relu(0) is 0, and its slope there may be anything from 0 to 1; most take 0."),)),
    _operation("exp", "is its own slope", ("x.exp()",), ("exp(x)",), _ONE,
               value="exp(x)", rests=_PRODUCT, method="exp"),
    _operation("log", "slope 1 / x", ("x.log()",), ("1 / x",), _POSITIVE,
               value="log(x)", rests=_PRODUCT, method="log"),
    _operation("tanh", "slope 1 - tanh(x) ** 2", ("x.tanh()",), ("1 - tanh(x) ** 2",), ((0.5,), (-2.0,)),
               value="tanh(x)", rests=_PRODUCT, method="tanh"),
    _exact(
        "tanh far out", "nears -1 and 1, and never overflows",
        "tanh levels off at -1 and 1. exp(2 * x) is too large for a float there: math.tanh knows the way.",
        ("x = Value(1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        ("x = Value(-1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (-1.0, 0.0)),
        rests=(*_START, "tanh"), method="tanh",
    ),
    _operation("sigmoid", "slope s * (1 - s)", ("x.sigmoid()",), ("exp(-x) / (1 + exp(-x)) ** 2",), ((0.5,), (-2.0,)),
               value="1 / (1 + exp(-x))", rests=_PRODUCT, method="sigmoid"),
    _exact(
        "sigmoid far out", "nears 0 and 1, and never overflows",
        "the sigmoid levels off at 0 and 1. exp(1000) is too large for a float: below 0, take exp(x) / (1 + exp(x)).",
        ("x = Value(-1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        rests=(*_START, "sigmoid"), method="sigmoid",
    ),
    _operation("sin", "slope cos(x)", ("x.sin()",), ("cos(x)",), _ONE,
               value="sin(x)", rests=_PRODUCT, method="sin"),
    _operation("cos", "slope -sin(x)", ("x.cos()",), ("-sin(x)",), _ONE,
               value="cos(x)", rests=_PRODUCT, method="cos"),
    _operation("sqrt", "slope 1 / (2 * sqrt(x))", ("x.sqrt()",), ("1 / (2 * sqrt(x))",), _POSITIVE,
               value="sqrt(x)", rests=_PRODUCT, method="sqrt"),

    Law("random expressions", "agree with exact fractions", _random,
        (*_GRAPHS, "zero is a number", "x - x and x / x", "topological order")),
)
# fmt: on
