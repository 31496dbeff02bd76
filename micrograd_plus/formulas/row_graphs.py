"""Make a graph of what a row of the table computes, and see that it gives what the row itself gives.

A row's functions are Python; put Values into them, and they leave a graph. Or the row's `sympy` column, an expression
of functions, is computed with Values. Such a graph is trusted only if it agrees with the row itself to 1e-12 at many
points: log(1 + exp(x)) is softplus, but overflows where softplus does not.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.recording import Block, enable_grad, watching
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import FUNCTIONS

TOLERANCE = 1e-12
_EDGES = (1e308, -1e308, 1e306, 1e160, 1e-160, -1e-308)  # whose squares and sums overflow, or are 0
_POINTS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0.3, 1e-3, -1e-8, 2.5, -2.5, 3.0, -7.25, 33.0, -40.0, 800.0, -800.0)
_FEWER = (0.0, 1.0, -1.0, 0.3, -2.5, 3.0, -40.0, 800.0, -1e308, 1e160, 1e-160)  # for each of several arguments
_PARAMETERS = ("x", "y", "z")  # what the column calls the arguments


@dataclass(frozen=True, slots=True)
class RowGraph:
    """What a function does to its arguments.

    Attributes:
        marks: leaves that stand for the arguments.
        root: the result.
    """

    marks: tuple[Value, ...]
    root: Value

    def at(self, numbers: Sequence[float]) -> float:
        """Its value there, by the forward functions of the rows."""
        known = dict(zip(self.marks, numbers))
        for node in walk(self.root)[0]:
            args = [known.get(arg, arg.data) if isinstance(arg, Value) else arg for arg in node.args]
            known[node] = node.op.forward(*args)  # type: ignore[union-attr, misc]  # only leaves have none
        return known.get(self.root, self.root.data)


def traced(rule: Callable[..., Any], count: int, *, with_out: bool) -> RowGraph | None:
    """The graph of what a function does; None if it will not take Values."""
    marks = tuple([Value(0.375 + i / 8) for i in range(count + with_out)])
    try:
        with enable_grad(), Block(watching, None):
            result = rule(*marks)
    except Exception:  # noqa: BLE001 - a primitive of the user's may do anything
        return None
    return RowGraph(marks, result if isinstance(result, Value) else Value(float(result)))


def agrees(graph: RowGraph, rule: Callable[..., Any], op: Op, *, with_out: bool) -> bool:
    """Whether a graph gives what the row's own function gives."""
    count = op.arity
    points = product((*_POINTS, *_EDGES) if count == 1 else _FEWER, repeat=count)
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


def from_column(op: Op, args: Sequence[Any]) -> Any:
    """The row's `sympy` column, computed with the rows' own functions."""
    count = op.arity
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
