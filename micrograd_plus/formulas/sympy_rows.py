"""Make each row of the table a function of SymPy expressions, from what its column `sympy` says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, cast

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk


def sympy_module() -> Any:
    """SymPy, imported where it is needed.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import sympy  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("to_sympy needs SymPy: pip install 'micrograd-plus[sympy]'") from None
    return sympy


def occurrences(node: Value) -> list[tuple[Value, int]]:
    """The arguments that are Values, and how often each stands in the row's column."""
    if node.op is None:
        return []
    names = zip(node.args, _arguments(node.op))
    count = [(arg, len(re.findall(rf"\b{name}\b", node.op.sympy))) for arg, name in names if isinstance(arg, Value)]
    return [(arg, times or 1) for arg, times in count]


def _arguments(op: Op) -> list[str]:
    """What the row's column calls the arguments."""
    count = op.arity
    return ["x", "y", "z"][:count] if count <= 3 else [f"x{i}" for i in range(1, count + 1)]


def in_sympy(node: Value, values: Mapping[Value, Any]) -> Any:
    """What a node is in SymPy, from what its arguments are."""
    args = [values[arg] if isinstance(arg, Value) else exact(arg) for arg in node.args]
    return _function(node.op)(*args)


def exact(number: float) -> Any:
    """The number in SymPy: an integer or a simple fraction is exact."""
    sympy = sympy_module()
    if math.isfinite(number) and abs(number) < 2**53:
        above, below = number.as_integer_ratio()
        if below <= 1024:
            return sympy.Rational(above, below)
    return sympy.sympify(number)


@cache
def _function(op: Op) -> Callable[..., Any]:
    """The row's column as a function of SymPy expressions."""
    sympy = sympy_module()
    steps = _steps()
    column = op.sympy or op.name
    if column.isidentifier() and column not in ("x", "y", "z"):
        function: Any = steps.get(column) or getattr(sympy, column, None)
        if op.sympy and function is None:
            raise ValueError(f"the primitive {op.name!r}: SymPy has no {op.sympy!r}; expected a name of its own")
        if op.sympy or isinstance(function, sympy.core.function.FunctionClass):
            return partial(function, evaluate=False) if column in ("Max", "Min") else cast(Callable[..., Any], function)
        return _own(op)
    symbols = {name: sympy.Symbol(name, real=True) for name in (*_arguments(op), *op.options)}
    template = sympy.sympify(column, locals=symbols | steps)
    return lambda *args: _substituted(template, dict(zip(symbols.values(), args)))


def _substituted(template: Any, given: dict[Any, Any]) -> Any:
    """A column with arguments in the places of its symbols; as deep as the column."""
    sympy = sympy_module()
    if not template.args:
        return given.get(template, template)
    args = [_substituted(arg, given) for arg in template.args]
    if template.func in (sympy.Max, sympy.Min):  # SymPy takes what has a bound oo for a constant
        args = [arg for arg in args if arg != template.func.identity]
        if len(args) == 1:
            return args[0]
    if template.func in (sympy.Max, sympy.Min, sympy.Piecewise):
        return template.func(*args, evaluate=False)  # else each compares all that is inside it, again and again
    return template.func(*args)


@cache
def _steps() -> dict[str, Any]:
    """SymPy's floor and ceiling, but with the derivative 0; theirs is never worked out."""
    sympy = sympy_module()
    flat = {"fdiff": lambda self, argindex=1: sympy.S.Zero}  # noqa: ARG005 - as SymPy calls it
    return {kind.__name__: type(kind.__name__, (kind,), flat) for kind in (sympy.floor, sympy.ceiling)}


def _own(op: Op) -> Callable[..., Any]:
    """A SymPy function for an operation that SymPy doesn't have: its derivatives and its numbers are the row's."""
    sympy = sympy_module()
    count = op.arity

    def fdiff(self: Any, argindex: int = 1) -> Any:
        if argindex > count:  # an option
            return sympy.S.Zero
        out, *args = [Value(1.0) for _ in range(1 + count)]
        given = Identities([(out, self), *zip(args, self.args)])
        options = [float(option) for option in self.args[count:]]
        slope, gate = op.gated_slope(argindex - 1, lambda rule: _partial_in_sympy(rule(out, *args, *options), given))
        if gate is None or gate is slope:  # 0 where the gate is
            return slope
        return sympy.Piecewise((slope, sympy.Ne(gate, 0)), (0, True))

    def numbers(*args: Any) -> float:
        return op.forward(*map(float, args)) if op.forward else math.nan

    columns = {"fdiff": fdiff, "_imp_": staticmethod(numbers), "nargs": len(op.partials), "is_real": True}
    return type(op.name, (sympy.Function,), columns)


def _partial_in_sympy(result: Value | float, given: Identities[Value, Any]) -> Any:
    """What a partial gives, in SymPy."""
    if not isinstance(result, Value):
        return exact(float(result))
    values = Identities(given)
    for node in walk(result, skip=given.__contains__)[0]:
        values[node] = in_sympy(node, values)
    return values[result]
