"""Say what a row of the table is: all rows in a list, or one of them in full."""

from __future__ import annotations

from inspect import signature
from math import inf, isfinite
from textwrap import wrap
from typing import Any

from micrograd_plus.engine import TABLE, Value, apply
from micrograd_plus.errors import unknown
from micrograd_plus.formulas import formula
from micrograd_plus.parsing import usage
from micrograd_plus.rows import FUNCTIONS, REAL

WIDTH = 80
_MARGIN = 14


def listing() -> str:
    """Every function, and what it is, in lines of 80 columns.

    >>> print(listing())
    add           x + y
    sub           x - y
    ...
    tanh          the hyperbolic tangent
    ...
    """
    return "\n".join([_entry(name, TABLE[name].doc.partition("; ")[0]) for name in FUNCTIONS])


def card(name: str) -> str:
    r"""One row of the table: what it is, its formula and derivatives, where it is defined, and an example.

    Raises:
        ValueError: the table has no function of that name.

    >>> print(card("tanh"))
    tanh(x)       the hyperbolic tangent
    derivative    sech(x)**2
    domain        every number
    kinks         none
    LaTeX         \tanh\left(x\right)
    NumPy         numpy.tanh
    example       tanh(0.5) = 0.46211...
    """
    if name not in FUNCTIONS:
        raise unknown("function", name, FUNCTIONS)
    op = TABLE[name]
    what, _, example = op.doc.partition("; ")
    args = [Value(_inside(*ends), label=label) for label, ends in zip(signature(FUNCTIONS[name]).parameters, op.domain)]
    out = apply(op, *args)
    count = len(op.partials) - len(op.options)
    lines = [_entry(usage(name), what)]
    for arg, partial in zip(args[:count], op.partials):
        slope: Any = partial(out, *args) if partial else 0.0
        written = formula(slope if isinstance(slope, Value) else Value(slope))
        lines.append(_entry("derivative" if count == 1 else f"∂/∂{arg.label}", written.text))
    smooth = [_interval(arg.label, *ends) for arg, ends in zip(args[:count], op.domain) if ends != REAL]
    lines.append(_entry("domain", ", ".join(smooth) or "every number"))
    lines.append(_entry("kinks", "some, or poles" if op.kinks else "none"))
    lines.append(_entry("LaTeX", formula(apply(op, *args[:count], *op.options.values())).latex))
    if op.numpy or op.scipy:
        lines.append(_entry("NumPy", f"numpy.{op.numpy}") if op.numpy else _entry("SciPy", f"scipy.special.{op.scipy}"))
    return "\n".join([*lines, _entry("example", example)] if example else lines)


def _entry(head: str, text: str) -> str:
    """A heading, and the text beside it; below it if the heading is long."""
    indent = " " * _MARGIN
    lines = [wrapped for line in text.split("\n") for wrapped in wrap(line, WIDTH - _MARGIN, subsequent_indent="  ")]
    head = f"{head:{_MARGIN}}" if len(head) < _MARGIN else f"{head}\n{indent}"
    return head + f"\n{indent}".join(lines)


def _inside(low: float, high: float) -> float:
    """A number of an open interval."""
    if low < 0.5 < high:
        return 0.5
    return low + min(1.0, (high - low) / 2.0) if isfinite(low) else high - 1.0


def _interval(name: str, low: float, high: float) -> str:
    if high == inf:
        return f"{name} > {low:g}"
    return f"{name} < {high:g}" if low == -inf else f"{low:g} < {name} < {high:g}"
