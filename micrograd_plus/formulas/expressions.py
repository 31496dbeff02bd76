"""What is written in the place of a node, and how such expressions are put together.

Constants are gathered, signs moved to the front. No number of a Value changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from micrograd_plus.engine.operations import ADD, DIV, MUL, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.vectors import added


@dataclass(frozen=True, slots=True)
class Expression:
    """What is written in the place of a node; without `op` and `name` it is the number factor / divisor.

    Attributes:
        factor: what stands before it: factor · op(args) / divisor, or factor · name / divisor.
        divisor: what stands under it.
        op: an operation of the table; sums and products have two arguments or more.
        args: its arguments.
        options: the function's options by name, such as negative_slope.
        name: the node whose name is written.
        inner: how many operations op(args) has.
        depth: how many of them are inside each other.
    """

    factor: float = 1.0
    divisor: float = 1.0
    op: Op | None = None
    args: tuple[Expression, ...] = ()
    options: tuple[tuple[str, float], ...] = ()
    name: Value | None = None
    inner: int = 0
    depth: int = 0

    @property
    def size(self) -> int:
        """How many operations are written."""
        return self.inner + (abs(self.factor) != 1.0 and not self.is_number) + (self.divisor != 1.0)

    @property
    def is_number(self) -> bool:
        return self.op is None and self.name is None

    @property
    def is_plain(self) -> bool:
        """Whether no number stands before it or under it."""
        return self.factor == self.divisor == 1.0

    @property
    def is_short(self) -> bool:
        """Whether it is no longer than a name would be, such as -x, 2x, x²."""
        return self.size <= 1 and sum(1 for _ in self.names()) <= 1

    @property
    def body(self) -> Expression:
        """The same without factor and divisor."""
        return self if self.is_plain else replace(self, factor=1.0, divisor=1.0)

    def is_the(self, number: float) -> bool:
        return self.is_number and self.divisor == 1.0 and self.factor == number

    def names(self) -> Iterator[Value]:
        """The nodes whose names are written in it."""
        stack = [self]
        while stack:
            part = stack.pop()
            stack.extend(part.args)
            if part.name is not None:
                yield part.name


ONE = Expression()


def factors_of(expression: Expression) -> tuple[Expression, ...]:
    """The factors of a product, or what is no product by itself."""
    return expression.args if expression.op is MUL else (expression,)


def terms_of(expression: Expression) -> tuple[Expression, ...]:
    """The terms of a sum, or what is no sum by itself."""
    return expression.args if expression.op is ADD and expression.is_plain else (expression,)


def is_same(x: Expression, y: Expression) -> bool:
    """Whether two expressions are written alike; a node is the same only as itself."""
    if x is y:
        return True
    if x.op is not y.op or x.name is not y.name or len(x.args) != len(y.args):
        return False
    alike = (x.factor, x.divisor, x.options) == (y.factor, y.divisor, y.options)
    return alike and all(map(is_same, x.args, y.args))


def applied(op: Op, args: tuple[Expression, ...], options: tuple[tuple[str, float], ...] = ()) -> Expression:
    """An operation as it is, with nothing simplified."""
    own = len(args) - 1 if op is ADD or op is MUL else 1
    inner = own + sum([arg.size for arg in args])
    return Expression(op=op, args=args, options=options, inner=inner, depth=1 + max([arg.depth for arg in args]))


def scaled(expression: Expression, factor: float = 1.0, divisor: float = 1.0) -> Expression:
    """factor · expression / divisor, where the constants of both become one."""
    if factor == divisor == 1.0:
        return expression
    above, below = expression.factor * factor, expression.divisor * divisor
    # two constants whose product overflows, or is 0, stay two
    if not (_is_usual(above) or factor == 1.0 or expression.factor == 1.0):
        return applied(MUL, (Expression(factor), expression))
    if not _is_usual(below):
        return applied(DIV, (scaled(expression, factor), Expression(divisor)))
    above, below = _reduced(above, below)
    return replace(expression, factor=above, divisor=below)


def _is_usual(number: float) -> bool:
    return math.isfinite(number) and number != 0.0


def _reduced(above: float, below: float) -> tuple[float, float]:
    """The fraction in lowest terms, as far as it is one of integers."""
    if below < 0.0:
        above, below = -above, -below
    if below == 1.0 or not math.isfinite(above):
        return above, below
    if above % below == 0.0 and abs(above) < 2**53 * below:
        return above / below, 1.0
    if above.is_integer() and below.is_integer():
        common = math.gcd(int(above), int(below))
        return above / common, below / common
    return above, below


def total(terms: list[Expression]) -> Expression:
    """The sum, its constants gathered into one: where the first of them stood, or at the end if it is negative."""
    constants = [term.factor for term in terms if term.is_number and term.divisor == 1.0]
    whole = added([0.0, *constants])
    if constants and math.isfinite(whole):
        place = next(i for i, term in enumerate(terms) if term.is_number and term.divisor == 1.0)
        terms = [term for term in terms if not (term.is_number and term.divisor == 1.0)]
        if whole or not terms:
            terms.insert(place if whole >= 0.0 else len(terms), Expression(whole))
    return terms[0] if len(terms) == 1 else applied(ADD, tuple(terms))


def product(x: Expression, y: Expression) -> Expression:
    """x · y; a factor 1 / z becomes the divisor z."""
    if x.is_number or y.is_number:
        number, other = (x, y) if x.is_number else (y, x)
        return scaled(other, number.factor, number.divisor)
    a, b = x.body, y.body
    if b.op is DIV and b.args[0].is_the(1.0):
        product = applied(DIV, (a, b.args[1]))
    elif a.op is DIV and a.args[0].is_the(1.0):
        product = applied(DIV, (b, a.args[1]))
    else:
        product = applied(MUL, (*factors_of(a), *factors_of(b)))
    return scaled(scaled(product, x.factor, x.divisor), y.factor, y.divisor)


def quotient(x: Expression, y: Expression) -> Expression:
    """x / y, the constants of both in front of it."""
    if y.is_number:
        return scaled(x, y.divisor, y.factor)
    if not _is_usual(y.factor):
        return applied(DIV, (x, y))
    above = ONE if x.is_number else x.body
    return scaled(scaled(applied(DIV, (above, y.body)), x.factor, x.divisor), y.divisor, y.factor)
