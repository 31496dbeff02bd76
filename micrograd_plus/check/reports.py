"""What `check_grads` reports: a finding for each derivative that was not confirmed, and the error that is raised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import nan
from textwrap import fill
from typing import Literal

from micrograd_plus._support.letters import printable
from micrograd_plus._support.markup import paragraph, table

Status = Literal["wrong", "kink", "undefined", "stopped", "unclear"]
SHOWN = 3  # findings of each kind in a message
TITLES: dict[Status, str] = {
    "wrong": "wrong",
    "kink": "at a kink or too near one to tell",
    "undefined": "undefined: no finite value or slope, or the end of a domain",
    "stopped": "with stop_gradient on the way, which means to differ",
    "unclear": "not checkable: rounding errors hide the slope",
}


@dataclass(frozen=True)
class Finding:
    """One derivative that was not simply confirmed: wrong, or with a reason not to be judged.

    Attributes:
        status: "wrong", "kink", "undefined", "stopped" or "unclear".
        function: its name.
        derivative: such as "∂f/∂x" or "∂²f/∂x∂y[0]".
        argument: the name, with its index or path, of the argument that was moved.
        point: a pair for each argument, its name and its number.
        order: of the derivative.
        got: from the engine (or the gradient that was given).
        expected: what differences say; nan where they say nothing.
        tolerance: how far `got` may be off.
        left: the slope on the left of the point, where it has one on each side; else nan.
        right: that on the right.
        operation: the wrong operation, if one was found, or what else is known.

    >>> import micrograd_plus as mp
    >>> (kink,) = mp.check_grads(abs, (0.0,), order=1).findings
    >>> kink.status, kink.derivative, kink.left, kink.right
    ('kink', '∂abs/∂x', -1.0, 1.0)
    """

    status: Status
    function: str
    derivative: str
    argument: str
    point: tuple[tuple[str, float], ...]
    order: int
    got: float
    expected: float = nan
    tolerance: float = nan
    left: float = nan
    right: float = nan
    operation: str = ""

    def __str__(self) -> str:
        details = [f"    {detail}" for detail in (self._numbers(), self.operation) if detail]
        lines = [f"{self.derivative} (order {self.order}) at {self._place()}", *details]
        return printable("\n".join([fill(line, 78, subsequent_indent="      ") for line in lines]))

    def _cells(self) -> tuple[str, str, str, str, str]:
        """What a table tells of it: a tuple of its status, the derivative, the point, the numbers and the operation."""
        derivative = f"{self.derivative} (order {self.order})"
        return self.status, derivative, self._place(), self._numbers(), self.operation

    def _place(self) -> str:
        """The point in words, at most six of its numbers, that of the moved argument first."""
        others = [pair for pair in self.point if pair[0] != self.argument]
        shown = [(self.argument, dict(self.point)[self.argument]), *others][:6] if self.argument else others[:6]
        more = f" and {len(self.point) - len(shown)} more" if len(self.point) > len(shown) else ""
        return ", ".join([f"{name} = {number!r}" for name, number in shown]) + more

    def _numbers(self) -> str:
        """What was got and what differences say, in words; "" for a wrong derivative of which they say nothing."""
        if self.status == "wrong":
            expected = f"expected {self.expected:.12g}, tolerance {self.tolerance:.1g}"
            return "" if math.isnan(self.expected) else f"got {self.got:.12g}, {expected}"
        if self.status == "stopped":
            return f"got {self.got:.6g}, differences say {self.expected:.6g}"
        if math.isnan(self.left) or math.isnan(self.right):
            return f"got {self.got:.6g}"
        return f"got {self.got:.6g}; slope {self.left:.6g} to the left, {self.right:.6g} to the right"


@dataclass(frozen=True)
class GradientReport:
    """What `check_grads` has found: how many derivatives agree, and a finding for each other one.

    Attributes:
        function: the name of what was checked.
        order: the highest order of its derivatives.
        agreed: how many derivatives agree with differences.
        findings: a `Finding` for each of the others.

    >>> import micrograd_plus as mp
    >>> report = mp.check_grads(mp.relu, (0.0,), order=1)
    >>> report.agreed, len(report.of("kink")), report.failures
    (0, 1, [])
    """

    function: str
    order: int
    agreed: int
    findings: tuple[Finding, ...] = ()

    def of(self, status: Status) -> list[Finding]:
        """A list of the findings of one kind, such as "kink"."""
        return [finding for finding in self.findings if finding.status == status]

    @property
    def failures(self) -> list[Finding]:
        """A list of the derivatives that are wrong."""
        return self.of("wrong")

    def _title(self) -> str:
        total = self.agreed + len(self.findings)
        orders = "of order 1" if self.order == 1 else f"of orders 1 to {self.order}"
        return f"check_grads({self.function}): {self.agreed} of {total} derivatives {orders} agree"

    def _repr_html_(self) -> str:
        """The findings as a table, those that are wrong first."""
        rows = []
        for status in TITLES:
            found = self.of(status)
            rows += [finding._cells() for finding in found[:SHOWN]]
            if len(found) > SHOWN:
                rows.append((status, f"… and {len(found) - SHOWN:,} more", "", "", ""))
        if not rows:
            return paragraph(self._title())
        return table(self._title(), ("verdict", "derivative", "at", "numbers", "operation"), rows)

    def __str__(self) -> str:
        lines = [fill(self._title(), 80)]
        for status, title in TITLES.items():
            found = self.of(status)
            if found:
                lines.append(f"{len(found)} {title}")
                lines += ["  " + str(finding).replace("\n", "\n  ") for finding in found[:SHOWN]]
                if len(found) > SHOWN:
                    lines.append(f"  ... and {len(found) - SHOWN} more")
        return printable("\n".join(lines))


class GradientError(AssertionError):
    """A gradient is wrong.

    Attributes:
        report: a `GradientReport`, which says which, and what was expected.

    >>> import micrograd_plus as mp
    >>> try:
    ...     mp.check_grads(lambda x: x**3, 2.0, gradient=lambda x: 3 * x)
    ... except GradientError as error:
    ...     (wrong,) = error.report.failures
    >>> wrong.got, round(wrong.expected, 6)
    (6.0, 12.0)
    """

    def __init__(self, report: GradientReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)
