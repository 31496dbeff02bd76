"""What `check_engine` reports: an outcome for each law, as text and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from micrograd_plus._support.markup import as_typed, on_demand, paragraph, table
from micrograd_plus.laws.programs import WIDTH, Failure, Trial, failure_text


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

    >>> from micrograd_plus.laws.table import LAWS
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

    def __reduce__(self) -> tuple[Any, ...]:
        return _law, (self.name,)  # what tries it, pickle does not know


def _law(name: str) -> Law:
    """The law of that name."""
    from micrograd_plus.laws.table import LAWS

    return next(law for law in LAWS if law.name == name)


@dataclass(frozen=True)
class Outcome:
    """What trying one law has shown.

    Attributes:
        law: which it is.
        verdict: "pass"; "FAIL"; "fails too", along with a law that it rests on; "not tried", as it rests on a law
            whose program did not come to its end; "not there", if the engine has no such method or operation.
        failure: the smallest program that shows it, where it fails.
        mend: the failed law that it rests on, where it "fails too" or is "not tried".

    >>> import micrograd_plus as mp
    >>> outcome = mp.check_engine(mp.Value).outcomes[0]
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
    >>> from micrograd_plus.laws.table import LAWS
    >>> report = mp.check_engine(mp.Value)
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
        >>> mp.check_engine(mp.Value, laws=["relu"]).holds
        True
        """
        return not self.failures and self._count("pass") > 0

    def as_dict(self) -> dict[str, Any]:
        """The report as a dict of plain data, as `check-engine --json` prints it.

        Returns:
            A dict with the keys "engine", "holds", "counts" and "laws"; the last is a list with a dict for each law.

        >>> import micrograd_plus as mp
        >>> told = mp.check_engine(mp.Value, laws=["relu"]).as_dict()
        >>> told["engine"], told["holds"], told["counts"]["pass"]
        ('micrograd_plus.engine.value.Value', True, 1)
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

    def _repr_html_(self) -> str:
        """What is broken, with the programs that show it, and all laws as a table that opens at a click."""
        failed = [
            paragraph(f"FAIL  {outcome.law.name}: {outcome.law.says}")
            + as_typed(failure_text(outcome.failure, shows=outcome.law.shows))
            for outcome in self.outcomes
            if outcome.verdict == "FAIL" and outcome.failure
        ]
        title = f"The laws of autograd, and {self.engine}: {' '.join(self._counts())}"
        every = table(
            "The laws, in the order in which they rest on each other",
            ("verdict", "law", "what it says"),
            [_row(outcome) for outcome in self.outcomes],
        )
        return paragraph(title) + "".join(failed) + on_demand("all laws", every)

    def __repr__(self) -> str:
        head = [f"The laws of autograd, and {self.engine}", ""]
        return "\n".join([*head, *self._table(), *self._failures(), "", *self._counts()])

    def _table(self) -> Iterator[str]:
        for verdict, name, remark in map(_row, self.outcomes):
            yield f"{verdict:<9}  {name:<27} {remark}"

    def _failures(self) -> Iterator[str]:
        for outcome in self.outcomes:
            if outcome.verdict == "FAIL" and outcome.failure:
                shown = failure_text(outcome.failure, shows=outcome.law.shows)
                yield from ("", f"FAIL  {outcome.law.name}: {outcome.law.says}", "", shown)

    def _counts(self) -> list[str]:
        counts = [
            f"{self._count('pass')} of {len(self.outcomes)} laws hold",
            *_counted(self._count("FAIL"), "{} fail", "{} fails"),
            *_counted(self._count("fails too"), "{} fail along with others", "{} fails along with another"),
            *_counted(self._count("not tried"), "{} were not tried", "{} was not tried"),
            *_counted(self._count("not there"), "{} are about what is not there", "{} is about what is not there"),
        ]
        return textwrap.wrap(", ".join(counts), WIDTH)


def _row(outcome: Outcome) -> tuple[str, str, str]:
    """The verdict, the law's name, and what is to be said: the law itself, or what is to be done first."""
    law = outcome.law
    remark = {"not there": f"no {law.extra or f'.{law.method}()'}"}
    remark |= dict.fromkeys(("fails too", "not tried"), f"mend first: {outcome.mend}")
    return outcome.verdict, law.name, remark.get(outcome.verdict, law.says)


def _counted(count: int, many: str, one: str) -> list[str]:
    """A count in words, if there is anything to count."""
    return [(one if count == 1 else many).format(count)] if count else []
