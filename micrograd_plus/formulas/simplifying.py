"""Simplify a graph for the eye, node by node: what is known where a condition holds is not said again.

No number of a Value changes. A product with a mask becomes cases, as in books: 2x where x > 0, and 0 otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

from micrograd_plus.engine.operations import ADD, DIV, MUL, NEG, POW, SUB, TABLE, Op
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.expressions import (
    ONE,
    Expression,
    applied,
    factors_of,
    is_same,
    product,
    quotient,
    scaled,
    terms_of,
    total,
)
from micrograd_plus.formulas.signs import (
    GREATER,
    GREATER_EQUAL,
    compared,
    conditions_of,
    contrary_of,
    is_comparison,
    turned,
)

ZERO = Expression(0.0)
SHORT = 4  # operations of branches that a factor is written into
Options = tuple[tuple[str, float], ...]


def simplify(node: Value, args: list[Expression]) -> Expression:
    """What is written for a node, from what is written for its arguments."""
    op = node.op
    if op is None:
        raise AssertionError("only leaves have no operation")
    count = op.arity
    return _written(op, tuple(args[:count]), tuple([(name, arg.factor) for name, arg in zip(op.options, args[count:])]))


def _written(op: Op, args: tuple[Expression, ...], options: Options = ()) -> Expression:
    """An operation, applied to what is already simple."""
    first, last = args[0], args[-1]
    if op is ADD or op is SUB:
        return _sum([term for arg in args[:-1] for term in terms_of(arg)] + _last_terms(op, last))
    if op is NEG:
        return scaled(first, -1.0)
    if op is MUL:
        return reduce(product, args)
    if op is DIV or op is TABLE["reciprocal"]:
        return quotient(first if op is DIV else ONE, last)
    if op is POW or op is TABLE["square"]:
        exponent = last if op is POW else Expression(2.0)
        if exponent.is_the(1.0):
            return first
        return ONE if exponent.is_the(0.0) else applied(POW, (first, exponent))
    if op.latex == "#1":
        return first
    if op is TABLE["where"]:
        return _choice(*args)
    if op in (TABLE["less"], TABLE["less_equal"], TABLE["equal"]):
        return compared(op, first, last)
    return applied(op, args, options)


def _last_terms(op: Op, last: Expression) -> list[Expression]:
    return list(terms_of(last)) if op is ADD else [scaled(last, -1.0)]


def _sum(terms: list[Expression]) -> Expression:
    """The sum, in which 1 less a comparison is its contrary: 1 - (x <= 0) is x > 0."""
    parts = list(terms_of(total(terms)))
    one = next((part for part in parts if part.is_the(1.0)), None)
    less = next((part for part in parts if part.factor == -1.0 and is_comparison(part.body)), None)
    if one is not None and less is not None:
        parts = [contrary_of(less.body) if part is less else part for part in parts if part is not one]
    return total(_ties_apart(parts))


def _ties_apart(parts: list[Expression]) -> list[Expression]:
    """(x >= y) - c · (x == y) as (x > y) + (1 - c) · (x == y): a maximum shares its gradient where two tie."""
    for i, part in enumerate(parts):
        if part.op is GREATER_EQUAL and part.is_plain:
            tie = applied(TABLE["equal"], part.args)
            for j, other in enumerate(parts):
                if -1.0 < other.factor < 0.0 and other.divisor == 1.0 and is_same(other.body, tie):
                    rest = replace(other, factor=1.0 + other.factor)
                    changed = {i: applied(GREATER, part.args), j: rest}
                    return [changed.get(place, each) for place, each in enumerate(parts)]
    return parts


# --------------------------------------------------------------------------------------------------------------- cases


def _choice(condition: Expression, x: Expression, y: Expression) -> Expression:
    """What `where` gives: each branch with what is known in it."""
    conditions = conditions_of(condition.body)  # a number before it is none that decides
    if not conditions or condition.factor == 0.0 or condition.is_number:
        return applied(TABLE["where"], (condition, x, y))
    condition = condition.body
    x = in_cases(_known(x, conditions))
    if len(conditions) == 1:
        y = _known(y, [contrary_of(condition)])
    if y.is_the(0.0) and _is_gated(x):
        condition, x = product(condition, x.args[0]), x.args[1]
    if is_same(x, y):
        return x
    return condition if x.is_the(1.0) and y.is_the(0.0) else applied(TABLE["where"], (condition, x, y))


def _is_gated(expression: Expression) -> bool:
    """Whether it is a choice between something and 0, by comparisons."""
    return expression.op is TABLE["where"] and expression.is_plain and expression.args[2].is_the(0.0)


def replaced(expression: Expression, told: Callable[[Expression], Expression | None]) -> Expression:
    """The same with other parts in it.

    Args:
        expression: what is written.
        told: what stands for a part, with no number before it or under it; None for what stays.
    """
    found = told(expression.body)
    if found is None:
        args = tuple([replaced(arg, told) for arg in expression.args])
        if expression.op is None or all(map(lambda x, y: x is y, args, expression.args)):
            return expression
        gone = expression.op is MUL and any(arg.is_the(0.0) for arg in args)
        found = ZERO if gone else _written(expression.op, args, expression.options)
    return ZERO if found.is_the(0.0) else scaled(found, expression.factor, expression.divisor)


def _known(expression: Expression, conditions: Sequence[Expression]) -> Expression:
    """The same where all the conditions hold."""
    return replaced(expression, lambda part: _told(part, conditions))


def _told(body: Expression, conditions: Sequence[Expression]) -> Expression | None:
    """What a comparison, relu, maximum or minimum is by the conditions; None if they do not say."""
    if body.op is None:
        return None
    for condition in conditions:
        for told in (condition, turned(condition)):
            if is_same(body, told):
                return ONE
            if is_same(body, contrary_of(told)):
                return ZERO
            if body.op.name not in ("relu", "maximum", "minimum"):
                continue
            x, y = body.args if len(body.args) == 2 else (body.args[0], ZERO)
            if is_same(x, told.args[0]) and is_same(y, told.args[1]) and told.op is not None:
                above = {"greater": True, "greater_equal": True, "less": False, "less_equal": False}.get(told.op.name)
                if above is not None:
                    return x if above == (body.op.name != "minimum") else y
    return None


def in_cases(expression: Expression, *, masks: bool = True) -> Expression:
    """A product with masks or choices as one choice: f · (x > 0) is f where x > 0, else 0.

    Args:
        expression: what is written; the terms of a sum, too, but for masks.
        masks: whether masks that no choice stands beside become one.
    """
    if expression.op is ADD and expression.is_plain:
        if (either := _either(expression.args)) is not None:
            return either
        terms = [in_cases(term, masks=False) for term in expression.args]
        return expression if all(map(lambda x, y: x is y, terms, expression.args)) else _sum(terms)
    above, below = expression.body, ONE
    if above.op is DIV:
        above, below = above.args
    factors = factors_of(above)
    choices = [factor for factor in factors if factor.op is TABLE["where"] and factor.is_plain]
    gates = [factor for factor in factors if is_comparison(factor)]
    rest = [factor for factor in factors if not any(factor is each for each in (*choices, *gates))]
    by, under = Expression(expression.factor), quotient(below, ONE)

    def times(*more: Expression) -> Expression:
        return quotient(scaled(reduce(product, [by, *more, *rest]), 1.0, expression.divisor), under)

    if (choices and all(map(_is_gated, choices))) or (gates and rest and masks and not choices):
        condition = reduce(product, [*gates, *[choice.args[0] for choice in choices]])
        return _choice(condition, times(*[choice.args[1] for choice in choices]), ZERO)
    if len(choices) == 1 and not gates and (rest or below is not ONE or not expression.is_plain):
        condition, x, y = choices[0].args
        if x.size + y.size <= SHORT and sum([part.size for part in rest]) <= 1 and below is ONE:
            return _choice(condition, times(x), times(y))
    return expression


def _either(terms: Sequence[Expression]) -> Expression | None:
    """x where a condition holds plus y where it does not, as one choice; None for any other sum."""
    if len(terms) != 2:
        return None
    first, second = [
        each if _is_gated(each) else applied(TABLE["where"], (each.body, scaled(ONE, each.factor, each.divisor), ZERO))
        for each in map(in_cases, terms)
    ]
    if is_comparison(first.args[0]) and is_same(second.args[0], contrary_of(first.args[0])):
        return _choice(first.args[0], first.args[1], second.args[1])
    return None
