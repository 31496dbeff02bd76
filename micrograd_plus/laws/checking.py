"""Hold anybody's scalar autograd engine to the laws of differentiation.

A law is a few programs, each with what it must print. No engine is trusted: what they must print follows from Python's
own floats and fractions, and where they run nothing is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from reprlib import repr as short_repr

from micrograd_plus._support.errors import unknown
from micrograd_plus.laws.answers import Bench
from micrograd_plus.laws.benches import SECONDS, bench
from micrograd_plus.laws.mends import MENDABLE
from micrograd_plus.laws.programs import Failure, Run, importing
from micrograd_plus.laws.reports import EngineReport, Law, Outcome
from micrograd_plus.laws.table import LAWS

DAY = 24 * 60 * 60  # seconds: what a thread may be told to wait has an end


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
        session = _Session(place)
        for law in chosen:
            session.outcomes[law.name] = session.outcome(law)
        return EngineReport(f"{place.engine.module}.{place.engine.name}", tuple(session.outcomes.values()))


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


class _Session:
    """The laws that were tried on one engine so far.

    Attributes:
        place: where the engine is.
        outcomes: the outcome of each law, by its name.
        held: the names of those that hold.
        mended: for a law that fails the laws to mend so that it holds; a law that no mending helps is not in it.
    """

    def __init__(self, place: Bench) -> None:
        self.place = place
        self.outcomes: dict[str, Outcome] = {}
        self.held: set[str] = set()
        self.mended: dict[str, tuple[str, ...]] = {}

    def outcome(self, law: Law) -> Outcome:
        """Try a law, unless one that it rests on did not come to its end."""
        rests = [self.outcomes[name] for name in law.rests if name in self.outcomes]
        blamed = [each for each in rests if each.verdict not in ("pass", "not there")]
        for each in blamed:
            if each.verdict == "not tried" or (each.failure and _stops(each.failure)):
                return Outcome(law, "not tried", mend=each.mend or each.law.name)
        with self.place.law(law.times):
            if not self._is_there(law):
                return Outcome(law, "not there")
            failure = law.trial(Run(self.place), self.held)
        if failure is None:
            self.held.add(law.name)
            return Outcome(law, "pass")
        return self._failing(law, failure, blamed)

    def _failing(self, law: Law, failure: Failure, blamed: list[Outcome]) -> Outcome:
        """The outcome of a law that fails: is it broken itself, or does it hold once those that it rests on are mended?

        It is broken also where they can be mended and it fails all the same.
        """
        first = blamed[0].mend or blamed[0].law.name if blamed else ""
        known = all(each.law.name in self.mended for each in blamed)
        mends = tuple(dict.fromkeys([name for each in blamed for name in self.mended.get(each.law.name, ())]))
        if blamed and not known:
            return Outcome(law, "fails too", failure, first)
        if blamed and self._holds(law, mends, self.held.union(self.mended)):
            self.mended[law.name] = mends
            return Outcome(law, "fails too", failure, first)
        broken = Outcome(law, "FAIL", self._with_lost(failure))
        if law.name in MENDABLE and not _stops(failure) and self._holds(law, (*mends, law.name), self.held):
            self.mended[law.name] = (*mends, law.name)
        return broken

    def _is_there(self, law: Law) -> bool:
        """Whether the engine has what the law is about: it may refuse what nobody promised."""
        if not law.extra:
            return not law.method or law.method in self.place.engine.methods
        operands = law.extra.replace("Value", "Value(2.0)").replace("number", "2.0")
        kind = self.place.ask(operands).raised.partition(":")[0]
        return kind not in ("TypeError", "NotImplementedError", "AssertionError", "AttributeError", "ValueError")

    def _holds(self, law: Law, mends: tuple[str, ...], held: Collection[str]) -> bool:
        """Whether a law holds while others are mended."""
        with self.place.law(law.times):
            return law.trial(Run(self.place, mends), held) is None

    def _with_lost(self, failure: Failure) -> Failure:
        """The failure, with the line that wrote over a gradient, if one did."""
        if not failure.got.startswith("prints "):
            return failure
        lines = failure.program.removeprefix(importing(self.place.engine))
        with self.place.law():
            return replace(failure, lost=self.place.ask(lines, watch=True).lost)


def _stops(failure: Failure) -> bool:
    """Whether the program did not come to its end: it hung, or Python ended."""
    return not failure.got.startswith(("prints ", "raises "))
