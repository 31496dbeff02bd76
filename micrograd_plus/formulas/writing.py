"""Write a computation graph as a formula to read: plain text, and LaTeX.

What is written is simplified for the eye alone: constants are gathered, signs moved to the front. No number of a Value
changes. What several places use gets a name, so that a formula never grows longer than its graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from micrograd_plus._support.arguments import whole
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import ONE, Expression, applied
from micrograd_plus.formulas.graphs import Graph, graph_of
from micrograd_plus.formulas.latex import LatexWriter
from micrograd_plus.formulas.latex_names import latex_name
from micrograd_plus.formulas.lines import break_into_lines, lines_that_fit
from micrograd_plus.formulas.naming import users_names
from micrograd_plus.formulas.signs import conditions_of
from micrograd_plus.formulas.symbols import SymbolNames
from micrograd_plus.formulas.text import TextWriter
from micrograd_plus.formulas.variables import callers_namespace


@dataclass(frozen=True, slots=True, repr=False)
class Formula:
    r"""A formula: LaTeX in Jupyter, plain text in `str()` and at the prompt.

    Jupyter and the prompt begin with what it is the formula of, `y =` or `∂y/∂x =`, where that has a name.

    Attributes:
        latex: the formula in LaTeX, without dollar signs.
        text: the same as plain text, on several lines where parts of it have names.
        operations: how many operations the graph holds.
        of: the names of what it is the formula of, a tuple of one or two of them: ("y",), or ("y", "x") for ∂y/∂x;
            () where one has no name.

    >>> import micrograd_plus as mp
    >>> x = mp.Value(2.0, label="x")
    >>> y = mp.tanh(2 * x) + 1
    >>> f = formula(y)
    >>> f
    y = tanh(2 * x) + 1
    >>> print(f)
    tanh(2 * x) + 1
    >>> print(f.latex)
    \tanh\left(2 x\right) + 1
    >>> formula(y, x).of
    ('y', 'x')
    """

    latex: str
    text: str
    operations: int
    of: tuple[str, ...] = ()

    def __setstate__(self, state: list[Any]) -> None:
        for name, part in zip(("latex", "text", "operations", "of"), [*state, ()]):  # older pickles lack the last
            object.__setattr__(self, name, part)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        lines, newline, last = self.text.rpartition("\n")
        head = "/".join([f"∂{name}" for name in self.of] if len(self.of) > 1 else self.of)
        return f"{lines}{newline}{head} = {last}" if head else self.text

    def _repr_latex_(self) -> str:
        names = [latex_name(name) for name in self.of]
        head = rf"\frac{{\partial {names[0]}}}{{\partial {names[1]}}}" if len(names) > 1 else "".join(names)
        if not head:
            return rf"$\displaystyle {self.latex}$"
        lines, several, last = self.latex.rpartition(_LAST)
        whole = rf"{lines}\\ {head} &= {last}" if several else f"{head} = {last}"
        return rf"$\displaystyle {whole}$"


def formula(v: Value, wrt: Value | None = None, *, limit: int = 200) -> Formula:
    """The formula by which v was computed, or that of its derivative.

    A leaf is written as its label, or as the caller's variable that holds it; others are x_1, x_2, … in the order of
    their first use, and a label that several leaves bear is numbered. Parentheses stand only where they are needed.
    What is used more than once, unless it is as short as -x, is listed first under a name of its own, its label or t_1,
    t_2, …; so are the parts of a formula too long for one line.

    Args:
        v: a scalar, the root of a graph.
        wrt: write ∂v/∂wrt instead.
        limit: how many operations are written; of a formula with more, the first and the last lines.

    Returns:
        A `Formula`, which shows itself in Jupyter; `.latex` is its LaTeX, `str()` its text.

    Raises:
        TypeError: v or wrt is no Value, or a rule in the graph was set by hand.
        ValueError: limit is not positive.

    >>> import micrograd_plus as mp
    >>> w, x, b = mp.Value(0.5, label="w"), mp.Value(2.0, label="x"), mp.Value(-1.0, label="b")
    >>> print(formula(mp.tanh(w * x + b)))
    tanh(w * x + b)
    >>> print(formula(x**3, wrt=x))
    3 * x**2
    """
    graph = graph_of("formula", v, wrt)
    of = _names([v] if wrt is None else [v, wrt], graph)
    return replace(written(graph, whole("formula", "limit", limit)), of=of)


def written(graph: Graph, limit: int = 200) -> Formula:
    """The formula of a graph, without a word on what it is the formula of.

    >>> import micrograd_plus as mp
    >>> y = 2 * mp.Value(3.0, label="x")
    >>> written(graph_of("formula", y))
    2 * x
    """
    parts, root = break_into_lines(graph, limit)
    symbols = SymbolNames(graph)
    for node, _ in parts:
        symbols.add(node)
    shown = lines_that_fit([part.size for _, part in parts], limit - root.size)
    hidden = sum(part.size for i, (_, part) in enumerate(parts) if i not in shown)
    gap = f"({hidden:,} of {len(graph.order):,} operations not shown)"
    lines = [part if i in shown else None for i, part in enumerate(parts) if i in shown or i - 1 in shown or i == 0]
    text = _text(symbols, lines, gap, root)
    if conditions_of(root) and not _is_comparison(graph.root):
        root = applied(TABLE["where"], (root, ONE, Expression(0.0)))  # a slope that is 1 or 0
    return Formula(_latex(symbols, lines, gap, root), text, len(graph.order))


def _is_comparison(node: Value) -> bool:
    return node.op is not None and node.op.precedence == 0


def _names(of: list[Value], graph: Graph) -> tuple[str, ...]:
    """What the user calls them; () if one has no name, or a leaf's formula would say that x = x."""
    if len(of) == 1 and of[0].op is None:
        return ()
    names = [each.label for each in of]
    if not all(names):
        known = users_names([*graph.nodes, *of], callers_namespace()).nodes
        names = [known.get(each, "") for each in of]
    return tuple(names) if all(names) else ()


_LAST = r"\\ & "  # before the last of several lines in LaTeX
_Lines = list[tuple[Value, Expression] | None]  # None where lines are left out


def _text(symbols: Mapping[Value, str], lines: _Lines, gap: str, root: Expression) -> str:
    """The lines one under another, the whole last."""
    text = TextWriter(symbols)
    rows = [f"… {gap}" if line is None else f"{text.name(line[0])} = {text.write(line[1])}" for line in lines]
    return "\n".join([*rows, text.write(root)])


def _latex(symbols: Mapping[Value, str], lines: _Lines, gap: str, root: Expression) -> str:
    """The same with all signs = in one column."""
    latex = LatexWriter(symbols)
    rows = [
        rf"&\vdots \quad \text{{{gap}}}" if line is None else f"{latex.name(line[0])} &= {latex.write(line[1])}"
        for line in lines
    ]
    final = latex.write(root)
    if not rows:
        return final
    return r"\begin{aligned} " + r" \\ ".join(rows) + rf" {_LAST}{final} \end{{aligned}}"
