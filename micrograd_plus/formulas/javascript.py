"""JavaScript for the rows of the table: each function and each partial, generated from what the row holds.

A row is written directly where it has an operator's sign or bears the name of a function of JavaScript's Math, or of
one that the page has besides (script/special.js: the error function and its like). Else its `sympy` column, an
expression of such functions, becomes a graph; partials become graphs anyway. One walk writes any graph as JavaScript.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.formulas.row_graphs import RowGraph, agrees, from_column, traced

MATH = {
    *("abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "exp", "expm1"),
    *("floor", "hypot", "log", "log10", "log1p", "log2", "max", "min", "sign", "sin", "sinh", "sqrt", "tan", "tanh"),
}
_SIGNS = {"+", "-", "*", "/", "<", "<=", "=="}
SPECIAL = {
    *("copysign", "direction", "erf", "erfc", "erfcx", "erfcx_derivative", "erfinv", "gelu", "log_ndtr", "logaddexp"),
    *("logsigmoid", "mish", "one_minus_square", "sinc", "softplus", "stop_gradient"),
}
_PYTHONS = {"pow", "pow_log", "mod", "round", "where"}  # JavaScript's own differ at edges: the page has Python's


@dataclass(frozen=True, slots=True)
class Script:
    """A row in JavaScript: functions of its arguments, and of out before them."""

    forward: str
    partials: tuple[str, ...]
    masks: tuple[str, ...]  # "null" where there is none, "true" where the partial itself is the mask
    needs: frozenset[str]  # the rows that it calls by name


def arithmetic(ops: Iterable[Op]) -> str:
    """Two JavaScript objects by the names of rows: `forward`, also with what they call, and `rules`, their partials.

    Raises:
        ValueError: a row cannot be written in JavaScript (`script` says why).
    """
    wanted = list(dict.fromkeys(ops))
    scripts: dict[str, Script] = {}
    forwards: dict[str, str] = {}
    for op in wanted:
        made = script(op)
        if isinstance(made, str):
            raise ValueError(f"{op.name}: {made}")
        scripts[op.name] = made
        for name in (op.name, *sorted(made.needs)):
            forwards[name] = _forward(TABLE[name]) or ""
    lines = [f"  {name}: {code}," for name, code in forwards.items()]
    rules = [
        f"  {name}: {{partials: [{', '.join(made.partials)}], masks: [{', '.join(made.masks)}]}},"
        for name, made in scripts.items()
    ]
    begin = "= { __proto__: null,"  # nothing is in it but what is written: a primitive may be called "constructor"
    return "\n".join([f"const forward {begin}", *lines, "};", f"const rules {begin}", *rules, "};"])


def script(op: Op) -> Script | str:
    """The row in JavaScript, or why it can't be written."""
    return _script(op) if TABLE.get(op.name) is op else "it does not stand in the table, or no longer"


class _UnwritableError(Exception):
    """A row that JavaScript hasn't; the message says why."""


@lru_cache(maxsize=1024)
def _script(op: Op) -> Script | str:
    forward = _forward(op)
    if forward is None:
        return "it is no function of JavaScript's Math, and its row has no formula of such functions that is as exact"
    needs: set[str] = set()
    partials, masks = [], []
    try:
        for place in range(op.arity):
            slope, gate = op.gated_slope(place, lambda rule: _rule(rule, op, needs))
            partials.append(slope)
            masks.append("null" if gate is None else "true" if gate is slope else gate)
    except _UnwritableError as why:
        return str(why)
    return Script(forward, tuple(partials), tuple(masks), frozenset(needs))


def _rule(rule: Callable[..., Any], op: Op, needs: set[str]) -> str:
    """A partial or a mask in JavaScript; the rows that it calls by name are added to `needs`."""
    graph = traced(rule, len(op.partials), with_out=True)
    if graph is None or not agrees(graph, rule, op, with_out=True):
        raise _UnwritableError("its derivative cannot be traced")
    code = _function(graph)
    if code is None:
        raise _UnwritableError("its derivative needs what JavaScript's Math has not")
    needs |= {node.op.name for node in walk(graph.root)[0] if node.op and _direct(node.op) is None}
    return code


@lru_cache(maxsize=1024)
def _forward(op: Op) -> str | None:
    """The row's forward function in JavaScript."""
    names = _parameters(len(op.partials))
    direct = _direct(op)
    if direct is not None:
        return f"({', '.join(names)}) => {_filled(direct, names)}"
    if not op.sympy or op.forward is None:
        return None
    graph = traced(lambda *marks: from_column(op, marks), len(op.partials), with_out=False)
    if graph is None or any(_direct(node.op) is None for node in walk(graph.root)[0] if node.op):
        return None
    return _function(graph) if agrees(graph, op.forward, op, with_out=False) else None


def _direct(op: Op) -> str | None:
    """The row as JavaScript's own operator or function, with #1 and #2 for the arguments."""
    count = len(op.partials)
    if op.name in _PYTHONS or op.name in SPECIAL:
        home = "python" if op.name in _PYTHONS else "special"
        return f"{home}.{op.name}({', '.join([f'#{i + 1}' for i in range(count)])})"
    if op.symbol in _SIGNS:
        compares = op.symbol[0] in "<="
        sign = "===" if op.symbol == "==" else op.symbol
        return "(-#1)" if count == 1 else f"+(#1 {sign} #2)" if compares else f"(#1 {sign} #2)"
    for name in (op.name, op.sympy.lower()):
        if name in MATH and not op.options:
            return f"Math.{name}({', '.join([f'#{i + 1}' for i in range(count)])})"
    return None


def _filled(template: str, args: Sequence[str]) -> str:
    for i, arg in reversed(list(enumerate(args, 1))):
        template = template.replace(f"#{i}", arg)
    return template


def _parameters(count: int) -> list[str]:
    return [f"a{i}" for i in range(1, count + 1)]


def _function(graph: RowGraph) -> str | None:
    """A graph as an arrow function; None where it has an operation that cannot be written."""
    parameters = _parameters(len(graph.marks))
    code = dict(zip(graph.marks, parameters))
    lines: list[str] = []
    for node in walk(graph.root)[0]:
        op = node.op
        if op is None or _forward(op) is None:
            return None
        args = [code.get(arg) or literal(arg.data) if isinstance(arg, Value) else literal(arg) for arg in node.args]
        template = _direct(op)
        written = f"forward.{op.name}({', '.join(args)})" if template is None else _filled(template, args)
        code[node] = f"t{len(lines) + 1}"
        lines.append(f"const {code[node]} = {written};")
    result = code.get(graph.root) or literal(graph.root.data)
    return f"({', '.join(parameters)}) => {{ {' '.join([*lines, f'return {result};'])} }}"


def literal(number: float) -> str:
    """A number as JavaScript writes it.

    >>> literal(0.1), literal(-1e300), literal(float("-inf"))
    ('0.1', '(-1e+300)', '(-Infinity)')
    """
    text = "NaN" if math.isnan(number) else repr(abs(number)).replace("inf", "Infinity")
    return f"(-{text})" if math.copysign(1.0, number) < 0.0 and text != "NaN" else text
