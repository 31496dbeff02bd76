"""Say what a row of the table is: all rows in a list, or one of them in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from math import inf, isfinite
from textwrap import wrap
from typing import Any

from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value, apply
from micrograd_plus.formulas.graphs import graph_of
from micrograd_plus.formulas.writing import Formula, written
from micrograd_plus.ops.rows import FUNCTIONS, REAL

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


def usage(name: str) -> str:
    """How a function of the table is called.

    >>> usage("clamp")
    'clamp(x, min=-inf, max=inf)'
    """
    return f"{name}{signature(FUNCTIONS[name])}".replace(", /", "")


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be said of one row of the table."""

    usage: str  # its arguments: clamp(x, min=-inf, max=inf)
    what: str
    example: str
    formula: Formula
    derivatives: list[tuple[str, Formula]]  # by which argument, and what it is
    domain: str
    kinks: str
    elsewhere: str  # NumPy's or SciPy's name for it; "" where there is none
    rule: str  # what it does with a gradient, in words; "" for a primitive of the user's that does not say


def row(name: str) -> Row:
    """One row of the table, in words and formulas.

    Raises:
        ValueError: the table has no function of that name.

    >>> row("relu").kinks
    'where x = 0'
    """
    if name not in FUNCTIONS:
        raise unknown("function", name, FUNCTIONS)
    op = TABLE[name]
    what, _, example = op.doc.partition("; ")
    args = [Value(_inside(*ends), label=label) for label, ends in zip(signature(FUNCTIONS[name]).parameters, op.domain)]
    out = apply(op, *args)
    count = op.arity
    slopes = [partial(out, *args) if partial else 0.0 for partial in op.partials[:count]]
    smooth = [_interval(arg.label, *ends) for arg, ends in zip(args[:count], op.domain) if ends != REAL]
    return Row(
        usage(name),
        what,
        example,
        _formula(apply(op, *args[:count], *op.options.values())),
        [
            (arg.label, _formula(slope if isinstance(slope, Value) else Value(slope)))
            for arg, slope in zip(args, slopes)
        ],
        ", ".join(smooth) or "every number",
        _kinks(op, args),
        f"numpy.{op.numpy}" if op.numpy else f"scipy.special.{op.scipy}" if op.scipy else "",
        op.rule,
    )


def card(name: str) -> str:
    r"""One row of the table as text: what it is, its rule in words, its derivatives, its domain, and an example.

    Raises:
        ValueError: the table has no function of that name.

    >>> print(card("tanh"))
    tanh(x)       the hyperbolic tangent
    rule          the hyperbolic tangent multiplies what comes by 1 minus its own
                    square: little passes where it is flat
    derivative    sech(x)**2
    domain        every number
    kinks         none
    LaTeX         \tanh\left(x\right)
    NumPy         numpy.tanh
    example       tanh(0.5) = 0.46211...
    """
    told = row(name)
    lines = [_entry(told.usage, told.what), *([_entry("rule", told.rule)] if told.rule else [])]
    for by, slope in told.derivatives:
        lines.append(_entry("derivative" if len(told.derivatives) == 1 else f"∂/∂{by}", slope.text))
    lines += [_entry("domain", told.domain), _entry("kinks", told.kinks), _entry("LaTeX", told.formula.latex)]
    if told.elsewhere:
        lines.append(_entry("NumPy" if told.elsewhere.startswith("numpy") else "SciPy", told.elsewhere))
    return "\n".join([*lines, _entry("example", told.example)] if told.example else lines)


def _kinks(op: Op, args: Sequence[Value]) -> str:
    """Where a row has kinks or poles, in words: its function of them says so, or is written as a formula."""
    if op.kinks is None:
        return "none"
    if (op.kinks.__doc__ or "").startswith("Zero where "):
        return str(op.kinks.__doc__)[len("Zero ") :].rstrip(".")
    found = {_written(op.kinks, args)}
    for x in (-3.0, -0.5, 0.5, 3.0):  # one that branches is not one formula
        if all(low < x < high for low, high in op.domain):
            found.add(_written(op.kinks, [Value(x, label=arg.label) for arg in args]))
    told = found.pop()
    return f"where {told} = 0" if told and not found else "some"


def _written(kinks: Callable[..., Any], args: Sequence[Value]) -> str:
    try:
        zero = kinks(*args)
    except Exception:  # noqa: BLE001 - a function of the user's, of floats alone
        return ""
    return _formula(zero).text if isinstance(zero, Value) else ""


def _formula(v: Value) -> Formula:
    return written(graph_of("ops", v))


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
