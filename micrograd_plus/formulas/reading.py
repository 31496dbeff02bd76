"""Write an expression as one reads it aloud: 2 × x², 1 where x > 0; not for Python, which writes 2 * x**2."""

from __future__ import annotations

from collections.abc import Mapping

from micrograd_plus.engine.operations import POW, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import Expression
from micrograd_plus.formulas.graphs import graph_of
from micrograd_plus.formulas.lines import break_into_lines
from micrograd_plus.formulas.numerals import short
from micrograd_plus.formulas.signs import as_chains, conditions_of
from micrograd_plus.formulas.symbols import SymbolNames
from micrograd_plus.formulas.text import ATOM, POWER, SIGN, SUM, TextWriter

SIGNS = {"*": "×", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def sign(symbol: str) -> str:
    """A sign of the table as one reads it.

    >>> sign("*"), sign("+"), sign("tanh")
    ('×', '+', 'tanh')
    """
    return SIGNS.get(symbol, symbol)


def raised(exponent: float) -> str:
    """A number as an exponent: raised if it is a whole one, behind a ^ if not.

    >>> "x" + raised(2.0), "x" + raised(-1.0), "x" + raised(0.5)
    ('x²', 'x⁻¹', 'x^0.5')
    """
    if exponent.is_integer() and abs(exponent) < 1e6:
        return f"{exponent:.0f}".translate(_RAISED)
    text = short(exponent).removesuffix(".0")
    return f"^({text})" if text.startswith("-") else f"^{text}"


class Reader(TextWriter):
    """Writes expressions as they are read."""

    def call(self, op: Op, expression: Expression) -> tuple[str, int]:
        """An operation; powers are raised, choices and conditions told in words."""
        args = expression.args
        if op is POW:
            base, exponent = self.write(args[0], POWER + 1), args[1]
            plain = exponent.is_number and exponent.divisor == 1.0
            return base + (raised(exponent.factor) if plain else f"^{self.write(exponent, POWER + 1)}"), POWER
        if op.name == "where":
            test = self.conditions(args[0]) or f"{self.write(args[0], SIGN)} ≠ 0"
            return f"{self.write(args[1], SIGN)} where {test}, else {self.write(args[2], SIGN)}", 0
        if op.precedence == 0 and len(args) in (2, 3):  # a comparison, or two of them: a < x < b
            signs = [sign(symbol) for symbol in op.symbol.split()]
            written = [self.write(arg, SUM) for arg in args]
            return " ".join([written[0], *[word for pair in zip(signs, written[1:]) for word in pair]]), 0
        return super().call(op, expression)

    def conditions(self, expression: Expression) -> str:
        """What must hold where a mask is not 0; "" for what is no mask."""
        return " and ".join([self.write(condition) for condition in as_chains(conditions_of(expression))])

    def number(self, number: float) -> tuple[str, int]:
        return short(number).removesuffix(".0"), ATOM

    def times(self, factors: list[str]) -> str:
        return " × ".join(factors)


def aloud(v: Value) -> str:
    """The formula of a Value on one line, as one reads it; "" if it takes several.

    >>> from micrograd_plus import relu
    >>> x = Value(3.0, label="x")
    >>> aloud(2 * x**3), aloud(relu(x).op.partials[0](relu(x), x))
    ('2 × x³', '1 where x > 0')
    """
    graph = graph_of("backprop", v)
    parts, whole = break_into_lines(graph, 200)
    if parts:
        return ""
    names: Mapping[Value, str] = SymbolNames(graph)
    reader = Reader(names)
    mask = reader.conditions(whole)
    return f"1 where {mask}" if mask else reader.write(whole)
