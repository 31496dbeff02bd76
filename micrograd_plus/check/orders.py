"""Check all derivatives of a problem, one order after the other.

Those of order k are compared with differences of those of order k - 1, which were confirmed before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import isfinite, nan

from micrograd_plus.calculus import gradient as engine_gradient
from micrograd_plus.check.differences import Slope, slopes
from micrograd_plus.check.explaining import HINT, derivative_name, leaks, unexplained
from micrograd_plus.check.judging import STARTS, Evidence, Verdict, contradicted, judged
from micrograd_plus.check.kinks import is_beside_kink, kinked
from micrograd_plus.check.problems import Problem, Trace
from micrograd_plus.check.reports import Finding
from micrograd_plus.check.rounding import roundoffs
from micrograd_plus.check.samples import Sampling
from micrograd_plus.check.stops import without_stops

Search = Callable[[Problem, int], str]  # finds the operation to blame for a wrong derivative of some order, in words


def examined(problem: Problem, order: int, search: Search | None = None) -> tuple[int, list[Finding]]:
    """How many derivatives agree with differences, and what there is to say of the others.

    Args:
        problem: what is checked.
        order: the highest order.
        search: finds the wrong operation; None where the problem is a single operation.
    """
    findings: list[Finding] = []
    agreed = 0
    bent: set[int] = set()
    try:
        for level in range(1, order + 1):
            check = Order(problem, level, search, bent)
            agreed += check.run()
            bent = check.bent
            findings += check.findings
            if any(finding.status == "wrong" for finding in check.findings):
                break  # differences of a wrong gradient say nothing
    finally:
        problem.restore()
    return agreed, findings


class Order:
    """The derivatives of one order.

    Attributes:
        bent: the derivatives that have no slope here, so that those of the next order have none; derivative number i of
            the order before by argument j is i times the number of arguments, plus j.
        findings: one for each derivative that was not confirmed.
    """

    def __init__(self, problem: Problem, order: int, search: Search | None, bent_before: set[int]) -> None:
        self.problem, self.order, self.bent_before = problem, order, bent_before
        self.search = search if problem.given is None else None
        self.starts = STARTS[:1] if search is None else STARTS
        self.sampling = Sampling(problem, order - 1)
        self.bent: set[int] = set()
        self.findings: list[Finding] = []

    def run(self) -> int:
        """Check each derivative; how many agree."""
        problem, numbers, here = self.problem, self.sampling.numbers, self.sampling.here
        count, agreed = len(problem.point), 0
        got = self._got()
        rounding = roundoffs(here.results, here.variables, here.unit)
        exact = problem.complex_step(here.results, here.variables) if self.order == 1 else None
        for j, x in enumerate(problem.point):
            found = slopes(self.sampling.sample(j), x, self.sampling.noise(j))
            for i, slope in enumerate(found):
                reach = rounding[i].reach[j] if rounding[i].reach and isfinite(rounding[i].reach[j]) else 0.0
                evidence = Evidence(x, numbers[i], got[i][j], slope, exact[i][j] if exact else nan, reach)
                verdict = self._verdict(i, j, evidence)
                if verdict.status is None:
                    agreed += 1
                    continue
                if verdict.status in ("kink", "undefined"):
                    self.bent.add(i * count + j)
                self.findings.append(self._finding(i, j, evidence, verdict))
        return agreed

    def _got(self) -> list[list[float]]:
        """The derivatives to be checked: for each number a row, with one by each argument."""
        count = len(self.problem.point)
        if self.problem.given is not None:
            given = self.problem.given(self.order)
            return [given[i : i + count] for i in range(0, len(given), count)]
        return [engine_gradient(y, self.sampling.here.variables) for y in self.sampling.here.results]

    def _verdict(self, i: int, j: int, evidence: Evidence) -> Verdict:
        """The verdict on the derivative of number i by argument j.

        Where it seems wrong, but no operation is, the reason may be a kink so near that no step shows it.
        """
        problem = self.problem
        verdict = judged(evidence, problem.rtol, problem.atol, lambda: self._unstopped(i, j))
        if verdict.status != "wrong" or self._culprit:
            return verdict
        sample, noise = self.sampling.sample(j), self.sampling.noise(j)
        if i in self.bent_before or (evidence.slope.crossed and is_beside_kink(sample, evidence.x)):
            return verdict._replace(status="kink")
        if contradicted(sample, noise, i, evidence, verdict, self.starts):
            return verdict._replace(status="unclear")
        return verdict

    def _unstopped(self, i: int, j: int) -> float:
        """What the derivative would be, had the function no stop_gradient and no detach; nan if it has none."""
        if self.problem.given is not None or self._free is None:
            return nan
        slope: float = engine_gradient(self._free.results[i], self._free.variables)[j]
        return slope

    @cached_property
    def _free(self) -> Trace | None:
        return without_stops(self.problem, self.order - 1)

    @cached_property
    def _culprit(self) -> str:
        """The operation whose own partial is wrong at its own arguments, in words; "" if none is."""
        return self.search(self.problem, self.order) if self.search else ""

    @cached_property
    def _leaks(self) -> list[str]:
        return leaks(self.problem, self.order - 1)

    def _finding(self, i: int, j: int, evidence: Evidence, verdict: Verdict) -> Finding:
        """The derivative of number i by argument j, described."""
        assert verdict.status is not None
        problem, count = self.problem, len(self.problem.point)
        by = [problem.arguments[j]]
        result = i
        for _ in range(1, self.order):
            result, place = divmod(result, count)
            by.insert(0, problem.arguments[place])
        several = verdict.status == "wrong" and len(self.sampling.numbers) > count ** (self.order - 1)
        return Finding(
            verdict.status,
            problem.name,
            derivative_name(problem.name, f"[{result}]" if several else "", by),
            by[-1],
            tuple(zip(problem.arguments, problem.point)),
            self.order,
            evidence.got,
            verdict.expected,
            verdict.tolerance,
            evidence.slope.left,
            evidence.slope.right,
            self._explained(j, evidence, verdict),
        )

    def _explained(self, j: int, evidence: Evidence, verdict: Verdict) -> str:
        """What is known of the reason for a verdict, in words."""
        told = [self._kinked(j)] if verdict.status == "kink" else []
        if self.search and verdict.status in ("wrong", "kink"):
            if verdict.status == "wrong":
                culprit = self._culprit.removesuffix(HINT if self._leaks else "")
                told = [culprit or self._unexplained(j, evidence.slope)]
            told += self._leaks
        return "; ".join(filter(None, told))

    def _unexplained(self, j: int, slope: Slope) -> str:
        """What may be wrong where each operation is right; "" where the leaks say it."""
        return "" if self._leaks else unexplained(self._kinked(j) if slope.crossed else "", slope)

    def _kinked(self, j: int) -> str:
        return kinked(self.sampling.sample(j), self.problem.point[j])
