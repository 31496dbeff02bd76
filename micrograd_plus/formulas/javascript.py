"""JavaScript for the rows of the table: each function and each partial, generated from what the row holds.

A row is written directly where it has an operator's sign or bears the name of a function of JavaScript's Math. Else its
`sympy` column, an expression of such functions, becomes a graph; partials become graphs anyway, when Values are put
into them. One walk writes any graph as JavaScript. A graph is trusted only if it agrees with the row itself to 1e-12 at
many points: log(1 + exp(x)) is softplus, but overflows where softplus does not.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.recording import block, enable_grad, watching
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import FUNCTIONS

TOLERANCE = 1e-12
MATH = {
    *("abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "exp", "expm1"),
    *("floor", "hypot", "log", "log10", "log1p", "log2", "max", "min", "sign", "sin", "sinh", "sqrt", "tan", "tanh"),
}
_SIGNS = {"+", "-", "*", "/", "<", "<=", "=="}
_PYTHONS = {"pow", "pow_log", "mod", "round", "where"}  # JavaScript's own differ at edges: page.js has Python's
_POINTS = (*(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0.3, 1e-3, -1e-8, 2.5, -2.5, 3.0, -7.25, 33.0, -40.0, 800.0, -800.0),)
_FEWER = (0.0, 1.0, -1.0, 0.3, -2.5, 3.0, -40.0, 800.0)
_PARAMETERS = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class Script:
    """A row in JavaScript: functions of its arguments, and of out before them."""

    forward: str
    partials: tuple[str, ...]
    masks: tuple[str, ...]  # "null" where there is none, "true" where the partial itself is the mask
    needs: frozenset[str]  # the rows that it calls by name


def arithmetic(ops: Iterable[Op]) -> str:
    """A JavaScript object with a member for each row, `{forward, partials, masks}`, and for each that it calls.

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
    return "\n".join(["const forward = {", *lines, "};", "const rules = {", *rules, "};"])


def script(op: Op) -> Script | str:
    """The row in JavaScript, or why it can't be written."""
    return _script(op) if TABLE.get(op.name) is op else "it does not stand in the table, or no longer"


@lru_cache(maxsize=1024)
def _script(op: Op) -> Script | str:
    forward = _forward(op)
    if forward is None:
        return "it is no function of JavaScript's Math, and its row has no formula of such functions that is as exact"
    needs: set[str] = set()
    partials, masks = [], []
    for partial, mask in zip(op.partials, op.masks):
        if partial is None:
            continue
        codes = []
        for rule in (partial, mask):
            if rule is None:
                codes.append("null")
            elif rule is partial and codes:
                codes.append("true")
            else:
                graph = _traced(rule, len(op.partials), with_out=True)
                if graph is None or not _agrees(graph, rule, op, with_out=True):
                    return "its derivative cannot be traced"
                code = _function(graph)
                if code is None:
                    return "its derivative needs what JavaScript's Math has not"
                codes.append(code)
                needs |= {node.op.name for node in walk(graph.root)[0] if node.op and _direct(node.op) is None}
        partials.append(codes[0])
        masks.append(codes[1])
    return Script(forward, tuple(partials), tuple(masks), frozenset(needs))


# --------------------------------------------------------------------------------------------------- a row's own graph


@dataclass(frozen=True, slots=True)
class _Graph:
    """What some arithmetic does to its arguments."""

    marks: tuple[Value, ...]
    root: Value

    def at(self, numbers: Sequence[float]) -> float:
        """Its value there, by the forward functions of the rows."""
        known = dict(zip(self.marks, numbers))
        for node in walk(self.root)[0]:
            args = [known.get(arg, arg.data) if isinstance(arg, Value) else arg for arg in node.args]
            known[node] = node.op.forward(*args)  # type: ignore[union-attr, misc]  # only leaves have none
        return known.get(self.root, self.root.data)


def _traced(rule: Callable[..., Any], count: int, *, with_out: bool) -> _Graph | None:
    """The graph of what a function does; None if it will not take Values."""
    marks = tuple([Value(0.375 + i / 8) for i in range(count + with_out)])
    try:
        with enable_grad(), block(watching, None):
            result = rule(*marks)
    except Exception:  # noqa: BLE001 - a primitive of the user's may do anything
        return None
    return _Graph(marks, result if isinstance(result, Value) else Value(float(result)))


def _agrees(graph: _Graph, rule: Callable[..., Any], op: Op, *, with_out: bool) -> bool:
    """Whether a graph gives what the row's own function gives."""
    count = len(op.partials) - len(op.options)
    points = product(_POINTS if count == 1 else _FEWER, repeat=count)
    options = product(*[(default, default + 0.5) for default in op.options.values()])
    compared = 0
    for args in [(*point, *chosen) for point, chosen in product(points, options)]:
        try:
            at = (op.forward(*args), *args) if with_out else args  # type: ignore[misc]  # rows have one
            expected = float(rule(*at))
        except (ArithmeticError, ValueError):  # a primitive of the user's has no answer there
            continue
        compared += 1
        if not is_close(graph.at(at), expected):
            return False
    return compared > 0


def is_close(got: float, expected: float) -> bool:
    """Whether two numbers are equal to 1e-12, relative for those above 1."""
    if math.isfinite(got) and math.isfinite(expected):
        return abs(got - expected) <= TOLERANCE * max(1.0, abs(expected))
    return got == expected or (math.isnan(got) and math.isnan(expected))


@lru_cache(maxsize=1024)
def _forward(op: Op) -> str | None:
    """The row's forward function in JavaScript."""
    names = _parameters(len(op.partials))
    direct = _direct(op)
    if direct is not None:
        return f"({', '.join(names)}) => {_filled(direct, names)}"
    if not op.sympy or op.forward is None:
        return None
    graph = _traced(lambda *marks: _parsed(op, marks), len(op.partials), with_out=False)
    if graph is None or any(_direct(node.op) is None for node in walk(graph.root)[0] if node.op):
        return None
    return _function(graph) if _agrees(graph, op.forward, op, with_out=False) else None


def _parsed(op: Op, args: Sequence[Any]) -> Any:
    """The row's `sympy` column, computed with the rows' own functions."""
    count = len(op.partials) - len(op.options)
    known = dict(zip(_PARAMETERS, args[:count])) | dict(zip(op.options, args[count:])) | {"pi": math.pi}
    return _computed(ast.parse(op.sympy, mode="eval").body, known)


_BINARY: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_BINARY[ast.Pow] = "pow"


def _computed(tree: ast.expr, known: dict[str, Any]) -> Any:
    """An expression of the column; it is short, so recursion does no harm."""
    match tree:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return FUNCTIONS["neg"](_computed(operand, known))
        case ast.BinOp(left=left, op=sign, right=right):
            return FUNCTIONS[_BINARY[type(sign)]](_computed(left, known), _computed(right, known))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return FUNCTIONS[_rows_by_sympy()[name]](*[_computed(arg, known) for arg in args])
    raise ValueError(f"no arithmetic: {ast.unparse(tree)}")


@lru_cache(maxsize=1)
def _rows_by_sympy() -> dict[str, str]:
    """SymPy's names of the rows that it knows by a name."""
    return {op.sympy if op.sympy.isidentifier() else name: name for name, op in TABLE.items() if name in FUNCTIONS}


# -------------------------------------------------------------------------------------------------------- as JavaScript


def _direct(op: Op) -> str | None:
    """The row as JavaScript's own operator or function, with #1 and #2 for the arguments."""
    count = len(op.partials)
    if op.name in _PYTHONS:
        return f"python.{op.name}({', '.join([f'#{i + 1}' for i in range(count)])})"
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


def _function(graph: _Graph) -> str | None:
    """A graph as an arrow function; None where a row on the way has no JavaScript."""
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
