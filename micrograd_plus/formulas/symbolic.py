"""Write a computation graph as a SymPy expression, to calculate with; each row says what it is there."""

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
from micrograd_plus.formulas.writing import DEPTH, Graph, Names, graph_of

_WRITTEN_OUT, _WRITTEN_DEEP = 10_000, 150  # SymPy compares expressions term by term, and recursively


def to_sympy(v: Value, wrt: Value | None = None, *, named: bool = False) -> Any:
    """The graph of v, or of its derivative, as a SymPy expression.

    Leaves become real symbols with the names that `formula` gives them. Constants that are integers or fractions such
    as 0.5 are exact. A primitive that SymPy doesn't know becomes a function of that name, with the derivative and the
    numbers that its row says; stop_gradient is one of these: its derivative is 0.

    Args:
        v: a scalar, the root of a graph.
        wrt: give ∂v/∂wrt instead, as the engine computes it.
        named: give what is used more than once, and every fiftieth of a chain, a symbol of its own. A graph too deep
            for SymPy is then no problem, and no result can outgrow its graph.

    Returns:
        A SymPy expression; with `named`, as from `sympy.cse`, a list of (symbol, expression), and the expression.

    Raises:
        TypeError: v or wrt is no Value, or a rule in the graph was set by hand.
        ValueError: the graph is too deep for SymPy.
        ImportError: SymPy is not installed.

    >>> import micrograd_plus as mp
    >>> x, y = mp.Value(1.0, label="x"), mp.Value(2.0, label="y")
    >>> to_sympy(mp.log1p(x) * y + 0.5)
    y*log(x + 1) + 1/2
    >>> to_sympy(x**3, wrt=x)
    3*x**2
    """
    sympy = _sympy()
    graph = graph_of("to_sympy", v, wrt)
    if not named:
        _check_size(graph)
    names = Names(graph.named, v)
    values = Identities((leaf, sympy.Symbol(name, real=True)) for leaf, name in names.items())
    values |= Identities((leaf, _exact(leaf.data)) for leaf in graph.constants)
    depths: Identities[Value, int] = Identities()
    definitions: list[tuple[Any, Any]] = []
    uses: Identities[Value, int] = Identities()
    for node in graph.order:
        for arg, times in _occurrences(node):
            uses[arg] = uses.get(arg, 0) + times
    for node in graph.order:
        values[node] = _symbolic(node, values)
        depths[node] = 1 + max([depths.get(arg, 0) for arg in node.args if isinstance(arg, Value)], default=0)
        shared = uses.get(node, 0) > 1 and sum(not arg.is_number for arg in values[node].args) > 1
        if named and node is not graph.root and (shared or depths[node] >= DEPTH):
            definitions.append((sympy.Symbol(names.part(node), real=True), values[node]))
            values[node] = definitions[-1][0]
            depths[node] = 0
    return (definitions, values[graph.root]) if named else values[graph.root]


def _sympy() -> Any:
    try:
        import sympy  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("to_sympy needs SymPy: pip install 'micrograd-plus[sympy]'") from None
    return sympy


def _check_size(graph: Graph) -> None:
    """Raise where the expression, written out, would be more than SymPy can bear."""
    sizes: Identities[Value, int] = Identities()
    depths: Identities[Value, int] = Identities()
    for node in graph.order:
        args = _occurrences(node)
        sizes[node] = 1 + sum([times * sizes.get(arg, 0) for arg, times in args])
        depths[node] = 1 + max([depths.get(arg, 0) for arg, _ in args], default=0)
        if sizes[node] > _WRITTEN_OUT or depths[node] > _WRITTEN_DEEP:
            what = f"over {_WRITTEN_OUT:,} operations" if sizes[node] > _WRITTEN_OUT else f"over {_WRITTEN_DEEP} deep"
            raise ValueError(
                f"to_sympy: written out, this expression is {what}, too much for SymPy; named=True names its parts"
            )


def _occurrences(node: Value) -> list[tuple[Value, int]]:
    """The arguments that are Values, and how often each stands in the row's column."""
    if node.op is None:
        return []
    names = zip(node.args, _arguments(node.op))
    count = [(arg, len(re.findall(rf"\b{name}\b", node.op.sympy))) for arg, name in names if isinstance(arg, Value)]
    return [(arg, times or 1) for arg, times in count]


def _arguments(op: Op) -> list[str]:
    """What the row's column calls the arguments."""
    count = len(op.partials) - len(op.options)
    return ["x", "y", "z"][:count] if count <= 3 else [f"x{i}" for i in range(1, count + 1)]


def _symbolic(node: Value, values: Mapping[Value, Any]) -> Any:
    """What a node is in SymPy, from what its arguments are."""
    args = [values[arg] if isinstance(arg, Value) else _exact(arg) for arg in node.args]
    return _maker(node.op)(*args)


def _exact(number: float) -> Any:
    """The number in SymPy: an integer or a simple fraction is exact."""
    sympy = _sympy()

    if math.isfinite(number) and abs(number) < 2**53:
        above, below = number.as_integer_ratio()
        if below <= 1024:
            return sympy.Rational(above, below)
    return sympy.sympify(number)


@cache
def _maker(op: Op) -> Callable[..., Any]:
    """The row's column as a function of SymPy expressions."""
    sympy = _sympy()

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
    return lambda *args: _filled(template, dict(zip(symbols.values(), args)))


def _filled(template: Any, given: dict[Any, Any]) -> Any:
    """A column with arguments in the places of its symbols; as deep as the column."""
    sympy = _sympy()
    if not template.args:
        return given.get(template, template)
    args = [_filled(arg, given) for arg in template.args]
    if template.func in (sympy.Max, sympy.Min, sympy.Piecewise):
        return template.func(*args, evaluate=False)  # else each compares all that is inside it, again and again
    return template.func(*args)


@cache
def _steps() -> dict[str, Any]:
    """SymPy's floor and ceiling, but with the derivative 0; theirs is never worked out."""
    sympy = _sympy()

    flat = {"fdiff": lambda self, argindex=1: sympy.S.Zero}  # noqa: ARG005 - as SymPy calls it
    return {kind.__name__: type(kind.__name__, (kind,), flat) for kind in (sympy.floor, sympy.ceiling)}


def _own(op: Op) -> Callable[..., Any]:
    """A SymPy function for an operation that SymPy doesn't have: its derivatives and its numbers are the row's."""
    sympy = _sympy()

    count = len(op.partials) - len(op.options)

    def fdiff(self: Any, argindex: int = 1) -> Any:
        rule, mask = op.partials[argindex - 1], op.masks[argindex - 1]
        if rule is None:
            return sympy.S.Zero
        out, *args = [Value(1.0) for _ in range(1 + count)]
        given = Identities([(out, self), *zip(args, self.args)])
        options = [float(option) for option in self.args[count:]]
        slope = _in_sympy(rule(out, *args, *options), given)
        if mask is None or mask is rule:
            return slope
        return sympy.Piecewise((slope, sympy.Ne(_in_sympy(mask(out, *args, *options), given), 0)), (0, True))

    def numbers(*args: Any) -> float:
        return op.forward(*map(float, args)) if op.forward else math.nan

    columns = {"fdiff": fdiff, "_imp_": staticmethod(numbers), "nargs": len(op.partials), "is_real": True}
    return type(op.name, (sympy.Function,), columns)


def _in_sympy(result: Value | float, given: Identities[Value, Any]) -> Any:
    """What a partial gives, in SymPy."""
    if not isinstance(result, Value):
        return _exact(float(result))
    values = Identities(given)
    for node in walk(result, skip=given.__contains__)[0]:
        values[node] = _symbolic(node, values)
    return values[result]
