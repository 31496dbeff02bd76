"""Write a computation graph as a SymPy expression, to calculate with."""

from __future__ import annotations

from typing import Any

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.graphs import Graph, graph_of
from micrograd_plus.formulas.lines import DEPTH
from micrograd_plus.formulas.symbols import SymbolNames
from micrograd_plus.formulas.sympy_rows import exact, in_sympy, occurrences, sympy_module

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
    sympy_module()  # where it is missing, that is told first
    graph = graph_of("to_sympy", v, wrt)
    if not named:
        _check_size(graph)
    definitions, whole = _converted(graph, named)
    return (definitions, whole) if named else whole


def _converted(graph: Graph, named: bool) -> tuple[list[tuple[Any, Any]], Any]:
    """The graph in SymPy; with `named`, what is used more than once, or is deep, by itself with a symbol for it."""
    sympy = sympy_module()
    symbols = SymbolNames(graph)
    values = Identities((leaf, sympy.Symbol(name, real=True)) for leaf, name in symbols.items())
    values |= Identities((leaf, exact(leaf.data)) for leaf in graph.constants)
    depths: Identities[Value, int] = Identities()
    definitions: list[tuple[Any, Any]] = []
    uses: Identities[Value, int] = Identities()
    for node in graph.order:
        for arg, times in occurrences(node):
            uses[arg] = uses.get(arg, 0) + times
    for node in graph.order:
        values[node] = in_sympy(node, values)
        depths[node] = 1 + max([depths.get(arg, 0) for arg in node.args if isinstance(arg, Value)], default=0)
        shared = uses.get(node, 0) > 1 and sum(not arg.is_number for arg in values[node].args) > 1
        if named and node is not graph.root and (shared or depths[node] >= DEPTH):
            definitions.append((sympy.Symbol(symbols.add(node), real=True), values[node]))
            values[node] = definitions[-1][0]
            depths[node] = 0
    return definitions, values[graph.root]


def _check_size(graph: Graph) -> None:
    """Raise where the expression, written out, would be more than SymPy can bear."""
    sizes: Identities[Value, int] = Identities()
    depths: Identities[Value, int] = Identities()
    for node in graph.order:
        args = occurrences(node)
        sizes[node] = 1 + sum([times * sizes.get(arg, 0) for arg, times in args])
        depths[node] = 1 + max([depths.get(arg, 0) for arg, _ in args], default=0)
        if sizes[node] > _WRITTEN_OUT or depths[node] > _WRITTEN_DEEP:
            what = f"over {_WRITTEN_OUT:,} operations" if sizes[node] > _WRITTEN_OUT else f"over {_WRITTEN_DEEP} deep"
            raise ValueError(
                f"to_sympy: written out, this expression is {what}, too much for SymPy; named=True names its parts"
            )
