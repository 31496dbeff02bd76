"""Rewrite instructions into what NumPy has: formulas for what it lacks, and the simplest that gives the same."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from math import inf

import numpy as np

from micrograd_plus.engine.operations import ABS, ADD, DIV, MUL, NEG, POW, SUB, TABLE, Op
from micrograd_plus.program.arrays import Array, Arrays, Operand, is_scalar

WHERE, EQUAL, SQUARE, SQRT, RECIPROCAL = (TABLE[name] for name in ("where", "equal", "square", "sqrt", "reciprocal"))


def lowered(outputs: Sequence[Array], known_rows: Container[Op] = ()) -> list[Array]:
    """The same outputs by other instructions, for NumPy; rows that are known besides stay as they are."""
    arrays = _Lowered(known_rows)
    known: dict[int, Operand] = {}
    for array in reached(outputs):
        if array.kind == "apply":
            args = [known[arg.number] if isinstance(arg, Array) else arg for arg in array.args]
            known[array.number] = arrays.apply(array.op, *args)
        else:
            solid = [arrays.shaped(known[arg.number], arg) if isinstance(arg, Array) else arg for arg in array.args]
            key = None if array.extra is None else array.number  # they were told apart when they were made
            known[array.number] = arrays.make(array.kind, solid, array.rows, array.batched, array.extra, key)
    return [arrays.shaped(known[array.number], array) for array in outputs]


def reached(outputs: Sequence[Array]) -> list[Array]:
    """All instructions that the outputs need, arguments before results."""
    order: list[Array] = []
    seen: set[int] = set()
    stack: list[tuple[Array, bool]] = [(array, False) for array in reversed(outputs)]
    while stack:
        array, ready = stack.pop()
        if ready:
            order.append(array)
        elif array.number not in seen:
            seen.add(array.number)
            stack.append((array, True))
            stack.extend([(arg, False) for arg in reversed(array.arrays)])
    return order


def is_bool(array: Operand) -> bool:
    """Whether NumPy gives True and False for it; all else gives numbers, also where it is made of these."""
    if not isinstance(array, Array) or array.scalar:
        return False
    return array.kind in ("not", "and") or (array.kind == "apply" and gives_bool(array.op))


def gives_bool(op: Op) -> bool:
    """Whether the array function for an operation gives True and False, as those for comparisons do."""
    known = ufunc(op)
    function = getattr(np, known[1]) if known is not None and known[0] == "np" else None
    return isinstance(function, np.ufunc) and f"{'d' * function.nin}->?" in function.types


def ufunc(op: Op) -> tuple[str, str] | None:
    """The module and the name of the array function for an operation, if there is one on this machine."""
    if op.numpy:
        return "np", op.numpy
    if op.scipy:
        try:
            import scipy.special
        except ImportError:
            return None
        if hasattr(scipy.special, op.scipy):
            return "special", op.scipy
    return None


class _Lowered(Arrays):
    """Instructions for NumPy; what is simpler is made instead."""

    def __init__(self, known_rows: Container[Op]) -> None:
        super().__init__()
        self.known_rows = known_rows

    def solid(self, arg: Operand) -> Operand:
        """As an array of numbers, where it is one of True and False."""
        if not is_bool(arg):
            return arg
        assert isinstance(arg, Array)
        return self.make("cast", (arg,), arg.rows, arg.batched)

    def shaped(self, arg: Operand, like: Array) -> Array:
        """As an array of numbers, with the rows and columns it should have, where what is simpler has fewer."""
        return self.spread(self.solid(arg), like.rows, like.batched)

    def apply(self, op: Op, *args: Operand) -> Operand:
        arrays = [arg for arg in args if isinstance(arg, Array)]
        if not arrays:
            return super().apply(op, *args)
        if op.name in ("stop_gradient", "identity"):
            return args[0]
        simpler = _SIMPLER.get(op)
        if simpler is not None and (made := simpler(self, *args)) is not None:
            return made
        if op.arrays is not None and op not in self.known_rows:
            return self.formula(op.arrays, *args)
        args = tuple([arg if op is WHERE and i == 0 else self.solid(arg) for i, arg in enumerate(args)])
        return super().apply(op, *args)


def _mul(made: _Lowered, a: Operand, b: Operand) -> Operand | None:
    for x, y in ((a, b), (b, a)):
        if x == 1.0:
            return y
        if x == -1.0:
            return made.apply(NEG, y)
    if is_bool(a) and is_bool(b):
        return made.elementwise("and", (a, b))
    for x, y in ((a, b), (b, a)):
        if is_scalar(x) and isinstance(y, Array) and y.kind == "apply" and not is_scalar(y):
            if y.op is NEG:
                return made.apply(MUL, made.apply(NEG, x), y.args[0])
            for inner, rest in (y.args, y.args[::-1]) if y.op is MUL else ():
                if is_scalar(inner) and _tame(x) and _tame(inner):
                    return made.apply(MUL, made.apply(MUL, x, inner), rest)
    return None


def _tame(x: Operand) -> bool:
    """A number that can be multiplied with another without leaving the range of floats."""
    return isinstance(x, Array) or 1e-100 < abs(x) < 1e100


def _neg(made: _Lowered, x: Operand) -> Operand | None:
    if isinstance(x, Array) and x.kind == "apply":
        if x.op is NEG:
            return x.args[0]
        if x.op is SUB:
            return made.apply(SUB, x.args[1], x.args[0])
        if x.op is WHERE and is_scalar(x.args[1]) and is_scalar(x.args[2]):
            return made.apply(WHERE, x.args[0], made.apply(NEG, x.args[1]), made.apply(NEG, x.args[2]))
        if x.op is MUL and is_scalar(x.args[0]):
            return made.apply(MUL, made.apply(NEG, x.args[0]), x.args[1])
    return None


def _add(made: _Lowered, a: Operand, b: Operand) -> Operand | None:
    for x, y in ((a, b), (b, a)):
        if x == 0.0:
            return y
        if isinstance(x, Array) and x.applies(NEG):
            return made.apply(SUB, y, x.args[0])
    return None


def _sub(made: _Lowered, a: Operand, b: Operand) -> Operand | None:
    if a == 1.0 and is_bool(b):
        return made.elementwise("not", (b,))
    if b == 0.0:
        return a
    if isinstance(b, Array) and b.applies(NEG):
        return made.apply(ADD, a, b.args[0])
    return None


def _where(made: _Lowered, condition: Operand, x: Operand, y: Operand) -> Operand | None:
    if not isinstance(condition, Array):
        return x if condition else y
    if condition.kind == "not":
        return made.apply(WHERE, condition.args[0], y, x)
    return _masked(made, condition, x, y) if is_bool(condition) else None


def _masked(made: _Lowered, condition: Array, x: Operand, y: Operand) -> Operand | None:
    """where(c, c · a, b) is where(c, a, b): in the branch that is taken the condition is 1 and need not multiply."""
    for branch, other, hit in ((x, y, condition), (y, x, made.elementwise("not", (condition,)))):
        if isinstance(branch, Array) and branch.applies(MUL):
            for a, b in (branch.args, branch.args[::-1]):
                if isinstance(b, Array) and (b is hit or (b.kind == "cast" and b.args[0] is hit)):
                    return made.apply(WHERE, condition, *((a, other) if branch is x else (other, a)))
    return None


def _pow(made: _Lowered, x: Operand, y: Operand) -> Operand | None:
    if y == 2.0:
        return made.apply(SQUARE, x)
    if y == -1.0:
        return made.apply(RECIPROCAL, x)
    if y == 1.0 or y == 0.0:
        return x if y else 1.0
    # where one exponent serves many numbers and is 1/2, NumPy takes the root, which is another thing at -inf and -0.0
    if y == 0.5:
        return made.apply(WHERE, made.apply(EQUAL, x, -inf), inf, made.apply(ABS, made.apply(SQRT, x)))
    arrays = [arg for arg in (x, y) if isinstance(arg, Array)]
    if isinstance(y, Array) and not y.scalar:
        own = made.spread(made.solid(y), max([arg.rows for arg in arrays]), any(arg.batched for arg in arrays))
        return None if own is y else made.apply(POW, x, own)
    return None


def _div(made: _Lowered, x: Operand, y: Operand) -> Operand | None:
    if y == 1.0:
        return x
    return made.apply(RECIPROCAL, y) if x == 1.0 else None


_SIMPLER: dict[Op, Callable[..., Operand | None]] = {
    MUL: _mul, NEG: _neg, ADD: _add, SUB: _sub, WHERE: _where, POW: _pow, DIV: _div,
}  # fmt: skip
