"""Write an expression as plain text, Python's way: 4 * tanh(x)**2 / (y + 1)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from micrograd_plus.engine.operations import ADD, DIV, POW, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import Expression, factors_of

# how tightly an operation binds, as in `Op.precedence`; a comparison has 0
SUM, TIMES, SIGN, POWER, CALL, ATOM = 1, 2, 3, 4, 9, 10


class TextWriter:
    """Writes expressions as Python does; the last methods are those that LaTeX has otherwise.

    Methods that give a text and a number say with the number how tightly the text binds.

    Args:
        names: of the leaves and of the parts that stand on lines of their own.
    """

    def __init__(self, names: Mapping[Value, str]) -> None:
        self.names = names

    def write(self, expression: Expression, need: int = 0) -> str:
        """The text, in parentheses where it binds less tightly than `need`; it recurses `lines.DEPTH` deep at most."""
        text, precedence = self.scaled(expression)
        return text if precedence >= need else self.grouped(text)

    def scaled(self, expression: Expression) -> tuple[str, int]:
        """An expression with its factor and its divisor."""
        body: Expression = expression.body
        denominator: tuple[Expression, ...] = ()
        if expression.op is DIV:
            body, denominator = expression.args[0], factors_of(expression.args[1])
        above = () if body.is_number and (expression.is_number or body.is_the(1.0)) else factors_of(body)
        below = denominator if expression.divisor == 1.0 else (Expression(expression.divisor), *denominator)
        size = abs(expression.factor)
        if size != 1.0 or not above:
            above = (Expression(size), *above)
        negative = math.copysign(1.0, expression.factor) < 0.0
        if below:
            return self.fraction(negative, above, below)
        if len(above) > 1:
            return self.signed(negative, self.product(above, negative), TIMES)
        if negative:
            return self.signed(negative, self.write(above[0], SIGN), SIGN)
        return self.bare(above[0])

    def bare(self, expression: Expression) -> tuple[str, int]:
        """An expression whose factor and divisor are 1, or a positive number."""
        if expression.name is not None:
            return self.name(expression.name), ATOM
        if expression.op is None:
            return self.number(expression.factor)
        if expression.op is ADD:
            return self.sum(expression.args), SUM
        return self.call(expression.op, expression)

    def sum(self, terms: tuple[Expression, ...]) -> str:
        """x + y, but x - y where a term begins with a minus."""
        text = self.write(terms[0], SUM)
        for term in terms[1:]:
            sign = " - " if math.copysign(1.0, term.factor) < 0.0 else " + "
            text += sign + self.write(replace(term, factor=abs(term.factor)), TIMES)
        return text

    def product(self, factors: tuple[Expression, ...], negative: bool = False) -> str:
        """x * y, before which there may stand a minus."""
        first, *others = factors
        lead = SIGN if negative and not _bears_sign(first) else TIMES  # -a % b would be (-a) % b
        return self.times([self.write(first, lead), *[self.write(factor, SIGN) for factor in others]])

    def call(self, op: Op, expression: Expression) -> tuple[str, int]:
        """An operation other than a sum, a product, a quotient."""
        args = expression.args
        if op is POW:
            return f"{self.write(args[0], POWER + 1)}**{self.write(args[1], SIGN)}", POWER
        precedence = min(op.precedence, CALL - 1)
        if op.symbol != op.name and len(args) == 2:
            left, right = self.write(args[0], max(precedence, SUM)), self.write(args[1], precedence + 1)
            return f"{left} {op.symbol} {right}", precedence
        if op.symbol != op.name and len(args) == 1 and not op.symbol.isalnum():
            return f"{op.symbol}{self.write(args[0], max(precedence, SIGN))}", precedence
        options = [f"{key}={self.write(Expression(x))}" for key, x in expression.options if x != op.options[key]]
        return f"{op.name}({', '.join([*map(self.write, args), *options])})", CALL

    def grouped(self, text: str) -> str:
        """In parentheses."""
        return f"({text})"

    def name(self, node: Value) -> str:
        """A node's name; in quotes where it would be no Python."""
        name = self.names[node]
        return name if re.fullmatch(r"[^\W\d][\w.']*(\[('[^'\n]*'|[\w., ]*)\][\w.]*)*", name) else repr(name)

    def number(self, number: float) -> tuple[str, int]:
        """A number that is not negative."""
        return repr(number).removesuffix(".0"), ATOM

    def signed(self, negative: bool, text: str, precedence: int) -> tuple[str, int]:
        """With a minus before it, if it is negative."""
        return f"-{text}" if negative else text, precedence

    def times(self, factors: list[str]) -> str:
        """Factors, already written, side by side."""
        return " * ".join(factors)

    def fraction(self, negative: bool, above: tuple[Expression, ...], below: tuple[Expression, ...]) -> tuple[str, int]:
        """The product of some factors over that of others."""
        numerator = self.product(above, negative)
        denominator = self.write(below[0], SIGN) if len(below) == 1 else self.grouped(self.product(below))
        return self.signed(negative, f"{numerator} / {denominator}", TIMES)


def _bears_sign(expression: Expression) -> bool:
    """Whether a minus before a factor's text is one before all of it: as in -a / b, but not in -a % b / c."""
    begin = expression
    while begin.op is DIV and abs(begin.factor) == 1.0:
        begin = factors_of(begin.args[0])[0]
    loose = begin.op is not None and begin.op is not DIV and begin.op.precedence == TIMES and abs(begin.factor) == 1.0
    return expression.op is DIV and not loose
