"""Hold anybody's scalar autograd engine to the laws of differentiation, and show the smallest program that breaks one.

A law is a few programs, each with what it must print. The programs are what a student is shown, so what failed here
fails there too. No engine is trusted: what they must print follows from Python's own floats and fractions, and where
they run (`trials`) nothing is judged.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from reprlib import repr as short_repr
from typing import Any, Literal, TypeAlias

from micrograd_plus._support.errors import unknown
from micrograd_plus.laws.trials import DAY, MENDABLE, SECONDS, Answer, Bench, Engine, Printed, bench

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
        got: "prints ...", "raises ...", "does not end within 10 s", "crashes Python ...".
        expected: what it must print.
        why: the law, in words.
        lost: the line of the engine's that wrote over a gradient, if one did and it can be seen; else "".

    >>> import micrograd_plus as mp
    >>> class Careless(mp.Value):
    ...     def sqrt(self):
    ...         return mp.Value(self.data**0.5)       # forgets where it came from
    >>> (broken,) = [outcome for outcome in check_engine(Careless).outcomes if outcome.failure]
    >>> broken.failure.got
    'prints 1.4142135623730951 0.0'
    >>> print(broken.failure.program)
    from micrograd_plus.laws.holding import Careless as Value
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
        return self._with({})

    def _with(self, more: dict[str, str]) -> str:
        rows = {"it": self.got, "expected": f"prints {self.expected}", "because": self.why, "there": self.lost, **more}
        said = []
        for name, text in rows.items():
            if text:
                said.append(f"  {name:<10}" + ("\n" + " " * 12).join(textwrap.wrap(text, WIDTH - 14)))
        return "\n".join([textwrap.indent(self.program, " " * 6), "", *said])


@dataclass(frozen=True)
class Law:
    """One thing that every engine must get right.

    Attributes:
        name: what it is called.
        says: what it is, in words.
        trial: a function that tries it, and gives the `Failure` or None.
        shows: the kinds of fault that break it, in words.
        rests: a tuple of the names of laws without which this one cannot hold: if one fails, too, that is to blame.
        method: the method that it is about, for engines that have it; "" if it is for all.
        extra: an expression that not every engine knows, for those that do; "" if it is for all.
        times: how many times as long as others it may take.

    >>> print(f"{LAWS[0].name}: {LAWS[0].says}")
    a new node: keeps its number; its gradient is 0
    >>> print(LAWS[0].shows)
    the gradient begins as None, or not at all; the number is rounded or kept as text
    """

    name: str
    says: str
    trial: Trial
    shows: str
    rests: tuple[str, ...] = ()
    method: str = ""
    extra: str = ""
    times: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of one law.

    Attributes:
        law: which it is.
        verdict: "pass"; "FAIL"; "fails too", along with a law that it rests on; "not tried", as it rests on a law
            whose program did not come to its end; "not there", if the engine has no such method or operation.
        failure: the smallest program that shows it, where it fails.
        mend: the failed law that it rests on, where it "fails too" or is "not tried".

    >>> import micrograd_plus as mp
    >>> outcome = check_engine(mp.Value).outcomes[0]
    >>> outcome.law.name, outcome.verdict
    ('a new node', 'pass')
    """

    law: Law
    verdict: Literal["pass", "FAIL", "fails too", "not tried", "not there"]
    failure: Failure | None = None
    mend: str = ""


@dataclass(frozen=True, repr=False)
class EngineReport:
    """What `check_engine` found; printed, it is a table and the smallest failing programs, the first to mend first.

    Attributes:
        engine: the name of the class.
        outcomes: an `Outcome` for each law.

    >>> import micrograd_plus as mp
    >>> report = check_engine(mp.Value)
    >>> report.failures
    []
    >>> print(str(report).splitlines()[-1] == f"{len(LAWS)} of {len(LAWS)} laws hold")
    True
    """

    engine: str
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> list[str]:
        """A list of the laws that are broken, but for those that only fail along with another; [] if all hold."""
        return [outcome.law.name for outcome in self.outcomes if outcome.verdict == "FAIL"]

    @property
    def holds(self) -> bool:
        """Whether no law is broken, and at least one was tried and holds.

        >>> import micrograd_plus as mp
        >>> check_engine(mp.Value, laws=["relu"]).holds
        True
        """
        return not self.failures and self._count("pass") > 0

    def as_dict(self) -> dict[str, Any]:
        """The report as a dict of plain data, as `check-engine --json` prints it.

        Returns:
            A dict with the keys "engine", "holds", "counts" and "laws"; the last is a list with a dict for each law.

        >>> import micrograd_plus as mp
        >>> told = check_engine(mp.Value, laws=["relu"]).as_dict()
        >>> told["engine"], told["holds"], told["counts"]["pass"]
        ('micrograd_plus.engine.Value', True, 1)
        >>> told["laws"][0]["name"], told["laws"][0]["verdict"]
        ('relu', 'pass')
        """
        laws = []
        for outcome in self.outcomes:
            law, failure = outcome.law, outcome.failure
            told: dict[str, Any] = {"name": law.name, "says": law.says, "shows": law.shows, "verdict": outcome.verdict}
            laws.append(told | {"mend": outcome.mend, "failure": failure and vars(failure)})
        counts = {verdict: self._count(verdict) for verdict in ("pass", "FAIL", "fails too", "not tried", "not there")}
        return {"engine": self.engine, "holds": self.holds, "counts": counts, "laws": laws}

    def _count(self, verdict: str) -> int:
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"The laws of autograd, and {self.engine}", "")
        for outcome in self.outcomes:
            law = outcome.law
            remark = {"not there": f"no {law.extra or f'.{law.method}()'}"}
            remark |= dict.fromkeys(("fails too", "not tried"), f"mend first: {outcome.mend}")
            yield f"{outcome.verdict:<9}  {law.name:<27} {remark.get(outcome.verdict, law.says)}"
        for outcome in self.outcomes:
            if outcome.verdict == "FAIL" and outcome.failure:
                shown = outcome.failure._with({"shows": outcome.law.shows})
                yield from ("", f"FAIL  {outcome.law.name}: {outcome.law.says}", "", shown)
        counts = [
            f"{self._count('pass')} of {len(self.outcomes)} laws hold",
            *_counted(self._count("FAIL"), "{} fail", "{} fails"),
            *_counted(self._count("fails too"), "{} fail along with others", "{} fails along with another"),
            *_counted(self._count("not tried"), "{} were not tried", "{} was not tried"),
            *_counted(self._count("not there"), "{} are about what is not there", "{} is about what is not there"),
        ]
        yield from ("", *textwrap.wrap(", ".join(counts), WIDTH))


def _counted(count: int, many: str, one: str) -> list[str]:
    return [(one if count == 1 else many).format(count)] if count else []


def check_engine(
    ValueClass: type | str,  # noqa: N803 - it takes a class, and says so
    *,
    laws: Iterable[str] | None = None,
    seconds: float = SECONDS,
) -> EngineReport:
    """Hold a scalar autograd engine with micrograd's interface to the laws of differentiation.

    Args:
        ValueClass: a class with `ValueClass(data)`, `.data`, `.grad`, `.backward()` and `+ - * / **`, or a str that
            says where it is, such as "my_engine.py:Value" or "my_engine:Value". Laws about `Value ** Value`,
            `number ** Value`, `relu`, `tanh`, `exp`, `log`, `sigmoid`, `sin`, `cos` and `sqrt` are tried where these
            are there.
        laws: the names of those to try; None tries all.
        seconds: how many seconds a law may take; importing the engine may take three times as long, the many random
            expressions together ten times.

    Returns:
        An `EngineReport`. Its `.failures` lists the names of the laws that are broken, the first to mend first, `str()`
        is a table, and for each of them the smallest program that fails; `.outcomes` has all that as data.

    Raises:
        TypeError: ValueClass is no class.
        ValueError: there is no such module, class or law; the time is no positive number.
        ImportError: Hypothesis is not installed.

    Whatever the engine does counts as a failure of the law at hand and is quoted: what it raises, SystemExit too, that
    it does not end, that it leaves or crashes Python, that it needs more than 4 GiB or half of the memory. It runs in a
    process of its own, a fork of this one, and only what its programs print is sent back and judged here. Where Python
    has no fork, as on Windows, another Python imports the class; there, a class of a notebook, which nobody can import,
    runs in this process, without limits. Random expressions are held to forward-mode derivatives in exact fractions.
    The same engine gives the same report every time.

    >>> import micrograd_plus as mp
    >>> check_engine(mp.Value).failures
    []
    >>> check_engine("micrograd_plus.engine:Value", laws=["topological order", "relu"]).failures
    []
    """
    if not isinstance(ValueClass, (type, str)):
        hint = f"; did you mean {type(ValueClass).__name__}?" if hasattr(ValueClass, "backward") else ""
        quoted = f"check_engine({short_repr(ValueClass)})"
        raise TypeError(f"{quoted}: expected a class, such as Value, got {type(ValueClass).__name__}{hint}")
    chosen = _chosen(laws)
    if not 0 < seconds <= DAY:
        raise ValueError(f"check_engine(seconds={seconds!r}): expected a positive number of seconds, at most {DAY}")
    try:
        import hypothesis  # noqa: F401 - said before the first law is tried
    except ImportError:
        raise ImportError("check_engine needs Hypothesis: pip install 'micrograd-plus[check]'") from None
    methods = tuple({law.method for law in LAWS if law.method})
    with bench(ValueClass, methods, seconds) as place:
        outcomes = _tried(chosen, place)
        return EngineReport(f"{place.engine.module}.{place.engine.name}", outcomes)


def _chosen(names: Iterable[str] | None) -> tuple[Law, ...]:
    """The laws of these names, in the order of all."""
    if names is None:
        return LAWS
    names = [names] if isinstance(names, str) else list(names)
    known = [law.name for law in LAWS]
    for name in names:
        if name not in known:
            raise unknown("law", name, known)
    if not names:
        raise ValueError("check_engine(laws=[]): expected at least one name, or None for all")
    return tuple([law for law in LAWS if law.name in names])


def _tried(laws: tuple[Law, ...], place: Bench) -> tuple[Outcome, ...]:
    """What becomes of each law. A law that fails with one that it rests on is tried again with that one mended."""
    outcomes: dict[str, Outcome] = {}
    held: set[str] = set()
    mended: dict[str, tuple[str, ...]] = {}  # for a law that fails, what to mend so that it holds
    for law in laws:
        blamed = [outcomes[name] for name in law.rests if name in outcomes and outcomes[name].verdict != "pass"]
        blamed = [outcome for outcome in blamed if outcome.verdict != "not there"]
        first = blamed[0].mend or blamed[0].law.name if blamed else ""
        stopped = [each for each in blamed if each.verdict == "not tried" or (each.failure and _stops(each.failure))]
        if stopped:
            outcomes[law.name] = Outcome(law, "not tried", mend=stopped[0].mend or stopped[0].law.name)
            continue
        with place.law(law.times):
            if not _is_there(law, place):
                outcomes[law.name] = Outcome(law, "not there")
                continue
            failure = law.trial(Run(place), held)
        if failure is None:
            held.add(law.name)
            outcomes[law.name] = Outcome(law, "pass")
            continue
        known = all(each.law.name in mended for each in blamed)
        mends = tuple(dict.fromkeys([name for each in blamed for name in mended.get(each.law.name, ())]))
        if blamed and not known:
            outcomes[law.name] = Outcome(law, "fails too", failure, first)
        elif blamed and _holds(law, place, mends, held.union(mended)):
            outcomes[law.name] = Outcome(law, "fails too", failure, first)
            mended[law.name] = mends
        else:
            outcomes[law.name] = Outcome(law, "FAIL", _seen(failure, place))
            if law.name in MENDABLE and not _stops(failure) and _holds(law, place, (*mends, law.name), held):
                mended[law.name] = (*mends, law.name)
    return tuple(outcomes.values())


def _is_there(law: Law, place: Bench) -> bool:
    """Whether the engine has what the law is about: it may refuse what nobody promised."""
    if not law.extra:
        return not law.method or law.method in place.engine.methods
    operands = law.extra.replace("Value", "Value(2.0)").replace("number", "2.0")
    kind = place.ask(operands).raised.partition(":")[0]
    return kind not in ("TypeError", "NotImplementedError", "AssertionError", "AttributeError", "ValueError")


def _holds(law: Law, place: Bench, mends: tuple[str, ...], held: Collection[str]) -> bool:
    with place.law(law.times):
        return law.trial(Run(place, mends), held) is None


def _stops(failure: Failure) -> bool:
    return not failure.got.startswith(("prints ", "raises ", "replaces "))


def _seen(failure: Failure, place: Bench) -> Failure:
    """The failure, with the line that wrote over a gradient, if one did."""
    if not failure.got.startswith("prints "):
        return failure
    lines = failure.program.removeprefix(_importing(place.engine))
    with place.law():
        return replace(failure, lost=place.ask(lines, watch=True).lost)


# ------------------------------------------------------------------------------------------------- running a program


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
    if answer.ended or answer.raised:
        got = answer.ended or f"raises {answer.raised}"
    elif len(answer.printed) == len(program.expected) and all(map(_agrees, answer.printed, program.expected)):
        return None
    else:
        got = f"prints {' '.join([printed.text for printed in answer.printed])}"
    return _failure(program.lines, got, " ".join(map(str, program.expected)), program.why, engine)


def _failure(lines: str, got: str, expected: str, why: str, engine: Engine) -> Failure:
    if len(got) > 300:
        got = f"{got[:297]}..."
    return Failure(f"{_importing(engine)}{lines}", got, expected, why)


def _agrees(got: Printed, expected: float | bool) -> bool:
    if isinstance(expected, bool):
        return got.truth is expected
    return got.number is not None and math.isclose(got.number, expected, rel_tol=1e-7, abs_tol=1e-9)


def _importing(engine: Engine) -> str:
    """The line that makes the class known as Value; none in a notebook that calls it so."""
    module, name = engine.module, engine.name
    last = name.rpartition(".")[2]
    if module in ("__main__", "builtins") or "<locals>" in name:
        return "" if last == "Value" else f"Value = {last}\n"
    outer, _, inner = name.partition(".")
    if inner:
        return f"from {module} import {outer}\nValue = {name}\n"
    return f"from {module} import {name}\n" if name == "Value" else f"from {module} import {name} as Value\n"


def _programs(*programs: Program) -> Trial:
    """The trial by these programs, the smallest first."""
    return lambda run, _: next(filter(None, map(run, programs)), None)


def _quiet(run: Run, _: Collection[str]) -> Failure | None:
    why = "whoever uses an engine says what is printed; take out what you printed to see how it works."
    for operation in ("x + y", "x * y", "x - y", "x / y", "x ** 2"):
        lines = f"x = Value(2.0)\ny = Value(4.0)\nz = {operation}\nz.backward()\nprint('done')"
        answer = run.place.ask(lines, run.mends)
        aside = " ".join(answer.aside.split())
        if aside:
            return _failure(lines, f"prints {aside} done", "done", why, run.place.engine)
    return None


def _unpatched(run: Run, _: Collection[str]) -> Failure | None:
    why = "a function of Python's belongs to all: give yours another name, or keep it in your own module."
    for name, now in run.place.replaced():
        module, _, function = name.rpartition(".")
        ask = f"print({name}.__module__, {name}.__qualname__)"
        lines = f"import {module}\n{ask}" if module else ask
        return _failure(lines, f"prints {now}", f"{module or 'builtins'} {function}", why, run.place.engine)
    return None


# ---------------------------------------------------------------------------------------------------- laws, by kinds


def _exact(
    name: str,
    says: str,
    why: str,
    *programs: tuple[str, tuple[float | bool, ...]],
    shows: str,
    rests: tuple[str, ...] = (),
    method: str = "",
) -> Law:
    """A law of programs written out, the smallest first."""
    trial = _programs(*[Program(lines, expected, why) for lines, expected in programs])
    return Law(name, says, trial, shows, rests, method)


def _operation(
    name: str,
    says: str,
    expressions: tuple[str, ...],
    slopes: tuple[str, ...],
    at: tuple[tuple[float, ...], ...],
    *,
    shows: str,
    value: str = "",
    rests: tuple[str, ...] = (),
    method: str = "",
    extra: str = "",
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
    return Law(name, says, _programs(*direct, *chained, *more), shows, rests, method, extra)


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


# an operation on x, its value and its slope, as the law of that name has them
_AGAIN = {
    "-Value": ("-x", "-x", "-1"),
    "Value - Value": ("x - Value(1.5)", "x - 1.5", "1"),
    "Value ** number": ("x ** 2", "x ** 2", "2 * x"),
    "Value / Value": ("x / Value(4.0)", "x / 4", "1 / 4"),
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


def _again(run: Run, held: Collection[str]) -> Failure | None:
    """Each operation that has held so far, on what another one uses as well, and twice in one graph."""
    programs: list[Program] = []
    for name, (expression, value, slope) in _AGAIN.items():
        if name not in held:
            continue
        first, last = -1.5 if name == "relu" else 0.5, 2.0
        number, by, other = [_number(text, {"x": x}) for text, x in ((value, last), (slope, last), (slope, first))]
        why = f"x * 10 uses x as well as {expression}, and what both give back adds up: in each rule write +=, not =."
        for both in (f"{expression} + x * Value(10.0)", f"x * Value(10.0) + {expression}"):
            lines = f"x = Value({last})\nz = {both}\nz.backward()\nprint(z.data, x.grad)"
            programs.append(Program(lines, (number + 10.0 * last, by + 10.0), why))
        again = re.sub(r"\bx\b", "y", expression)
        lines = f"x, y = Value({first}), Value({last})\nz = {expression} + ({again})\nz.backward()\n"
        why = "a rule must remember its own numbers, not the last that there were."
        programs.append(Program(f"{lines}print(x.grad, y.grad)", (other, by), why))
    return _programs(*programs)(run, held)


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
        if run.place.late():  # of a slow engine fewer are tried; one that has ended is not asked again
            return False
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
    again = None if run.place.late() or program is None else run(program)
    return again or smallest[0]


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
        shows="the gradient begins as None, or not at all; the number is rounded or kept as text",
    ),
    _exact(
        "dy/dy is 1", "where backward() starts, it puts a 1",
        "a number moves exactly as much as itself. Without that 1 at the start, the chain rule multiplies zeros.",
        ("x = Value(3.0)\nx.backward()\nprint(x.grad)", (1.0,)),
        shows="backward() puts no 1 at its start; it leaves out the node it is called on",
        rests=_NODE,
    ),
    _operation("Value * Value", "each factor gets the other one", ("x * y",), ("y", "x"), _TWO,
               shows="each factor gets itself and not the other one; the gradient that arrives is left out (chain "
                     "rule); the wrong end first",
               rests=_START),
    _operation("Value + Value", "each term gets all of the gradient", ("x + y",), ("1", "1"), _TWO,
               shows="a term is left out; the gradient that arrives is left out (chain rule)",
               rests=_PRODUCT),
    _exact(
        "a node used twice", "what comes back from both uses adds up",
        "x stands on both sides, and both edges to x must add to its gradient: x + x is 2 x, with slope 2, and x * x "
        "has slope 2 x. Write += where the rule gives its gradient away, not =.",
        ("x = Value(3.0)\ny = x + x\ny.backward()\nprint(y.data, x.grad)", (6.0, 2.0)),
        ("x = Value(3.0)\ny = x * x\ny.backward()\nprint(y.data, x.grad)", (9.0, 6.0)),
        ("x = Value(3.0)\ny = x * Value(2.0) + x * Value(5.0)\ny.backward()\nprint(y.data, x.grad)", (21.0, 7.0)),
        shows="= where += belongs; a node's rule that runs once for each kind of parent, as in a set",
        rests=_SUM,
    ),
    _exact(
        "the output's gradient is 1", "also where operations made it",
        "y moves exactly as much as y.",
        ("x = Value(3.0)\ny = x * Value(2.0)\ny.backward()\nprint(y.grad)", (1.0,)),
        shows="the 1 is put at a leaf only, or the output starts again from 0 after it",
        rests=_PRODUCT,
    ),

    _operation("Value * number", "the number is the slope", ("x * 3", "x * 2.5"), ("c",), _ONE,
               shows="a number is not made a Value; it is taken for 1",
               rests=_PRODUCT),
    _operation("Value + number", "a number shifts; the slope stays 1", ("x + 3", "x + 2.5"), ("1",), _ONE,
               shows="a number is not made a Value; its gradient goes to the wrong node",
               rests=_SUM),
    _exact(
        "equal numbers, two nodes", "nodes that hold the same are not one",
        "x and y hold the same number and are two variables. Where nodes are kept in a set or a dict, they must be "
        "told apart by who they are: leave == and hash() as Python has them.",
        ("x = Value(2.0)\ny = Value(2.0)\nz = x * y * y\nz.backward()\nprint(x.grad, y.grad)", (4.0, 8.0)),
        ("x = Value(2.0)\ny = Value(2.0)\nz = (x + 1) * (y + 1) * 5\nz.backward()\nprint(x.grad, y.grad)",
         (15.0, 15.0)),
        shows="== and hash() by data; a set or dict of numbers and not of nodes",
        rests=(*_NUMBERS, "a node used twice"),
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
        shows="rules that run as nodes are met, breadth or depth first; rules that run once for every use",
        rests=_GRAPHS,
    ),

    _operation("number * Value", "__rmul__: the same, from the left", ("3 * x", "2.5 * x"), ("c",), _ONE,
               shows="__rmul__ is not there, or turns the wrong way round",
               rests=(*_PRODUCT, "Value * number")),
    _operation("number + Value", "__radd__: the same, from the left", ("3 + x", "2.5 + x"), ("1",), _ONE,
               shows="__radd__ is not there",
               rests=(*_SUM, "Value + number")),
    _operation("-Value", "the slope is -1", ("-x",), ("-1",), _ONE,
               shows="__neg__ is not there; it forgets where it came from",
               rests=(*_PRODUCT, "Value * number")),
    _operation("Value - Value", "the second one gets a minus", ("x - y",), ("1", "-1"), _TWO,
               shows="both slopes are 1; the two sides are swapped",
               rests=(*_SUM, "-Value")),
    _operation("Value - number", "a number shifts; the slope stays 1", ("x - 3", "x - 2.5"), ("1",), _ONE,
               shows="the number is not made a Value; the sign is lost",
               rests=(*_SUM, "Value + number", "Value - Value")),
    _operation("number - Value", "__rsub__: the number comes first", ("3 - x", "2.5 - x"), ("-1",), _ONE,
               shows="__rsub__ is not there, or gives Value - number",
               rests=(*_SUM, "-Value", "number + Value", "Value - Value")),
    _operation("Value ** number", "slope n * x ** (n - 1)", ("x ** 2", "x ** 3", "x ** 1"), ("c * x ** (c - 1)",),
               _ONE,
               shows="the n in front, or the n - 1 in the exponent, is left out; n must be whole",
               rests=_PRODUCT,
               more=(Program("x = Value(4.0)\nz = x ** 1.5\nz.backward()\nprint(z.data, x.grad)", (8.0, 3.0),
                             "the derivative of x ** 1.5 by x is 1.5 * x ** 0.5."),)),
    _operation("Value ** -number", "slope n * x ** (n - 1), n below 0", ("x ** -1", "x ** -2"), ("c * x ** (c - 1)",),
               _ONE,
               shows="n below 0 is taken for its absolute value; abs or // in the slope",
               rests=(*_PRODUCT, "Value ** number")),
    _operation("Value ** 0", "always 1, so its slope is 0", ("x ** 0",), ("0",), _ONE,
               shows="the slope is 1 and not 0; 0 is taken for what is not there",
               rests=(*_PRODUCT, "Value ** number")),
    _operation("Value / Value", "slopes 1 / y and -x / y ** 2", ("x / y",), ("1 / y", "-x / y ** 2"), _TWO,
               shows="// for /; the minus or the square of the divisor's slope is left out",
               rests=(*_PRODUCT, "Value ** number", "Value ** -number"),
               more=(Program("x = Value(3)\ny = Value(2)\nz = x / y\nz.backward()\nprint(z.data, x.grad, y.grad)",
                             (1.5, 0.5, -0.75), "3 / 2 is 1.5, also where both are whole numbers."),)),
    _operation("Value / number", "slope 1 / c", ("x / 4", "x / 2.5"), ("1 / c",), _ONE,
               shows="the number is not made a Value; the slope is the number and not 1 / c",
               rests=(*_PRODUCT, "Value * number", "Value / Value")),
    _operation("number / Value", "__rtruediv__: the number is on top", ("3 / x", "2.5 / x"), ("-c / x ** 2",), _ONE,
               shows="__rtruediv__ is not there, or gives Value / number",
               rests=(*_PRODUCT, "number * Value", "Value ** number", "Value ** -number", "Value / Value")),
    _exact(
        "numbers are constants", "they take part and stay as they are",
        "a plain number is no variable: it has no gradient and nothing changes it.",
        ("c = 3.0\nx = Value(2.0)\ny = x * c + c\ny.backward()\nprint(y.data, x.grad, c)", (9.0, 3.0, 3.0)),
        shows="a number in an expression is changed, or gets a gradient that something else reads",
        rests=_NUMBERS,
    ),
    _exact(
        "zero is a number", "a factor 0 gives the other slope 0",
        "x * y has slope y by x and slope x by y, also where that is 0. Ask `is None` for what is not there, not `or`.",
        ("x = Value(0.0)\ny = Value(5.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 5.0, 0.0)),
        ("x = Value(5.0)\ny = Value(0.0)\nz = x * y\nz.backward()\nprint(z.data, x.grad, y.grad)", (0.0, 0.0, 5.0)),
        ("x = Value(5.0)\nz = 0 * x + 0\nz.backward()\nprint(z.data, x.grad)", (0.0, 0.0)),
        shows="`or` and `if x:` where `is None` belongs; a factor 0 taken for 1",
        rests=(*_GRAPHS, "number * Value"),
    ),
    _exact(
        "x - x and x / x", "what comes back from both uses cancels",
        "x - x is always 0 and x / x always 1, so their slope is 0: both edges to x must add to its gradient.",
        ("x = Value(4.0)\ny = x - x\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(4.0)\ny = x / x\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        shows="both edges to one node, with slopes that differ, are taken for one",
        rests=(*_GRAPHS, "Value - Value", "Value / Value", "zero is a number"),
    ),
    _exact(
        "a sum of a list", "sum() starts with 0 + Value",
        "sum(values) is 0 + a + b + c, and each term has slope 1.",
        ("a, b, c = Value(1.0), Value(2.0), Value(3.0)\ny = sum([a, b, c])\ny.backward()\n"
         "print(y.data, a.grad, b.grad, c.grad)", (6.0, 1.0, 1.0, 1.0)),
        shows="0 + Value does not go, or starts with a gradient",
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
        shows="__iadd__ changes the node on the left",
        rests=_GRAPHS,
    ),
    _exact(
        "-=, *= and /= do, too", "the old one stays as it was",
        "y -= 1 is y = y - 1: a new node under the name y, while x is still the old one. Leave out __isub__, __imul__ "
        "and __itruediv__, and Python does just that.",
        *[(f"x = Value(2.0)\ny = x\ny {symbol}= 4\ny.backward()\nprint(x.data, y.data, x.grad)", (2.0, *expected))
          for symbol, expected in {"-": (-2.0, 1.0), "*": (8.0, 4.0), "/": (0.5, 0.25)}.items()],
        shows="__isub__, __imul__ or __itruediv__ changes the node on the left",
        rests=(*_GRAPHS, "Value - number", "Value / number"),
    ),

    _exact(
        "data stays", "backward() changes gradients only",
        "going back asks how much the numbers matter; it does not change them.",
        ("x = Value(3.0)\ny = x * x\nz = y + 1\nz.backward()\nprint(x.data, y.data, z.data)", (3.0, 9.0, 10.0)),
        shows="backward() sets nodes to 0 with their gradients; rules that write to .data",
        rests=_GRAPHS,
    ),
    _exact(
        "backward from the middle", "what was built on top stays out of it",
        "y.backward() differentiates y. z was made from y, so y does not depend on z, and z's gradient stays 0.",
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\ny.backward()\nprint(x.grad, y.grad, z.grad)", (2.0, 1.0, 0.0)),
        shows="a list of all nodes that were ever made; nodes that know who uses them and follow that",
        rests=_GRAPHS,
    ),
    _exact(
        "two graphs do not mix", "backward() touches its own graph only",
        "a and b have nothing to do with each other. Let every node know its own parents, and share nothing else: no "
        "list or tape for all.",
        ("b = Value(3.0)\nb.grad = 7.0\na = Value(2.0)\ny = a * 5\ny.backward()\nprint(a.grad, b.grad)", (5.0, 7.0)),
        ("a, b = Value(2.0), Value(3.0)\ny = a * 5\nz = b * 4\ny.backward()\nz.backward()\nprint(a.grad, b.grad)",
         (5.0, 4.0)),
        shows="one tape, list or set for all graphs",
        rests=_GRAPHS,
    ),
    _exact(
        "two losses add up", "gradients of a leaf accumulate",
        "backward() adds to the gradient of a leaf; setting it to 0 between two steps is up to whoever trains.",
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = x * 5\nz.backward()\nprint(x.grad)", (7.0,)),
        ("x = Value(3.0)\ny = x * 2\nz = x * 5\ny.backward()\nz.backward()\nprint(x.grad)", (7.0,)),
        shows="backward() sets the gradients of leaves to 0, or writes = where += belongs",
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),
    _exact(
        "a second backward()", "adds the same to the leaves once more",
        "every call must add the same to the leaves. The nodes in between start again from 0 at every call; what an "
        "earlier call left in them must not flow down a second time.",
        ("x = Value(3.0)\ny = x * 2 * 5\ny.backward()\ny.backward()\nprint(x.grad)", (20.0,)),
        ("x = Value(3.0)\ny = x * 2\ny.backward()\nz = y * 5\nz.backward()\nprint(x.grad)", (12.0,)),
        ("x = Value(3.0)\ny = x * 2\na, b = y * 3, y * 5\na.backward()\nb.backward()\nprint(x.grad)", (16.0,)),
        shows="nodes in between keep what an earlier call left in them; nodes are marked as visited for ever",
        rests=(*_GRAPHS, "two graphs do not mix", "two losses add up"),
    ),
    _exact(
        "zero, and go again", "gradients set to 0 start afresh",
        "once the gradients are 0 again, backward() must give what it gave the first time.",
        ("x = Value(4.0)\nfor _ in range(3):\n    loss = x * x\n    x.grad = 0.0\n    loss.backward()\n"
         "    x.data -= 0.25 * x.grad\nprint(x.data)", (0.5,)),
        ("x = Value(3.0)\ny = x * 2\nz = y * 5\nz.backward()\nx.grad = y.grad = z.grad = 0.0\nz.backward()\n"
         "print(x.grad)", (10.0,)),
        shows="an order or a mark kept from the first call; gradients kept in a second place",
        rests=(*_GRAPHS, "two graphs do not mix"),
    ),

    _operation("relu", "slope 1 above 0, and 0 below", ("x.relu()",), ("float(x > 0)",), ((3.0,), (-2.0,)),
               value="max(x, 0.0)",
               shows="the slope asks the wrong side; the negative side is not 0; a slope outside of 0 to 1 at 0",
               rests=_PRODUCT, method="relu",
               more=(Program("x = Value(0.0)\ny = x.relu()\ny.backward()\nprint(y.data, 0 <= x.grad <= 1)", (0.0, True),
                             "relu(0) is 0, and its slope there may be anything from 0 to 1; most take 0."),)),
    _operation("exp", "is its own slope", ("x.exp()",), ("exp(x)",), _ONE,
               value="exp(x)",
               shows="the slope is x, or exp is taken of the gradient",
               rests=_PRODUCT, method="exp"),
    _operation("log", "slope 1 / x", ("x.log()",), ("1 / x",), _POSITIVE,
               value="log(x)",
               shows="the slope is x and not 1 / x; log of another base",
               rests=_PRODUCT, method="log"),
    _operation("tanh", "slope 1 - tanh(x) ** 2", ("x.tanh()",), ("1 - tanh(x) ** 2",), ((0.5,), (-2.0,)),
               value="tanh(x)",
               shows="1 - x ** 2 for 1 - tanh(x) ** 2",
               rests=_PRODUCT, method="tanh"),
    _operation("sigmoid", "slope s * (1 - s)", ("x.sigmoid()",), ("exp(-x) / (1 + exp(-x)) ** 2",), ((0.5,), (-2.0,)),
               value="1 / (1 + exp(-x))",
               shows="x * (1 - x) for s * (1 - s)",
               rests=_PRODUCT, method="sigmoid"),
    _operation("sin", "slope cos(x)", ("x.sin()",), ("cos(x)",), _ONE,
               value="sin(x)",
               shows="-cos(x), or sin(x) itself, for cos(x)",
               rests=_PRODUCT, method="sin"),
    _operation("cos", "slope -sin(x)", ("x.cos()",), ("-sin(x)",), _ONE,
               value="cos(x)",
               shows="sin(x) without its minus",
               rests=_PRODUCT, method="cos"),
    _operation("sqrt", "slope 1 / (2 * sqrt(x))", ("x.sqrt()",), ("1 / (2 * sqrt(x))",), _POSITIVE,
               value="sqrt(x)",
               shows="the 2 is left out; the slope multiplies by the root and does not divide",
               rests=_PRODUCT, method="sqrt"),
    _operation("Value ** Value", "base and exponent both get a slope", ("x ** y",),
               ("y * x ** (y - 1)", "x ** y * log(x)"), ((2.0, 3.0), (0.5, 2.0)),
               shows="the exponent is taken for a number and gets no slope",
               rests=(*_PRODUCT, "Value ** number"), extra="Value ** Value"),
    _operation("number ** Value", "__rpow__: slope c ** x * log(c)", ("2 ** x", "0.5 ** x"), ("c ** x * log(c)",),
               ((3.0,), (-1.0,)),
               shows="the slope is that of Value ** number; log(c) is left out",
               rests=_PRODUCT, extra="number ** Value"),

    _exact(
        "tanh far out", "nears -1 and 1, and never overflows",
        "tanh levels off at -1 and 1. exp(2 * x) is too large for a float there: math.tanh knows the way.",
        ("x = Value(1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        ("x = Value(-1000.0)\ny = x.tanh()\ny.backward()\nprint(y.data, x.grad)", (-1.0, 0.0)),
        shows="exp(2 * x), which overflows",
        rests=(*_START, "tanh"), method="tanh",
    ),
    _exact(
        "sigmoid far out", "nears 0 and 1, and never overflows",
        "the sigmoid levels off at 0 and 1. exp(1000) is too large for a float: below 0, take exp(x) / (1 + exp(x)).",
        ("x = Value(-1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (0.0, 0.0)),
        ("x = Value(1000.0)\ny = x.sigmoid()\ny.backward()\nprint(y.data, x.grad)", (1.0, 0.0)),
        shows="exp(-x), which overflows",
        rests=(*_START, "sigmoid"), method="sigmoid",
    ),
    Law(
        "deep chains", "10,000 operations, one on the other", _deep,
        "a function that calls itself once for every node", _GRAPHS,
    ),
    _exact(
        "repr", "a node can be shown",
        "print(x) and the notebook call repr(x), which must be a string.",
        ("x = Value(2.5)\nprint(isinstance(repr(x), str))", (True,)),
        shows="__repr__ names an attribute that is not there, or returns no string",
        rests=_NODE,
    ),
    Law(
        "prints nothing", "an engine computes in silence", _quiet,
        "print() left over from looking for a fault", (*_SUM, "Value - Value", "Value / Value", "Value ** number"),
    ),
    Law(
        "Python stays", "its own functions are left alone", _unpatched,
        "a built-in function, or one of math's, replaced for everybody", _NODE,
    ),
    Law(
        "used again", "each rule adds, by its own numbers", _again,
        "= where += belongs in one operation alone; what a rule needs is kept in one place for all nodes",
        _GRAPHS, times=3,
    ),
    Law(
        "random expressions", "agree with exact fractions", _random,
        "what no law above asks for: several operations together",
        (*_GRAPHS, "zero is a number", "x - x and x / x", "topological order"), times=10,
    ),
)
# fmt: on
