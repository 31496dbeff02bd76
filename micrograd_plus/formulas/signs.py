"""Which comparisons there are to write, and which says the contrary of which.

The table has `<`, `<=` and `==`, for that is all that masks need. A reader wants `x > 0`, not `1 - (x <= 0)`. At nan
these are not the same, as no comparison holds there: formulas are written for numbers.
"""

from __future__ import annotations

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.formulas.expressions import Expression, applied, factors_of, is_same


def _sign(name: str, symbol: str, latex: str) -> Op:
    """An operation that is only written; no graph holds it."""
    op = Op(name)
    op.symbol, op.latex = symbol, f"#1 {latex} #2"
    return op


GREATER, GREATER_EQUAL = _sign("greater", ">", ">"), _sign("greater_equal", ">=", r"\geq")
UNEQUAL = _sign("unequal", "!=", r"\neq")
_OURS = {op.name: op for op in (GREATER, GREATER_EQUAL, UNEQUAL)}
_CONTRARY = {"less": "greater_equal", "less_equal": "greater", "equal": "unequal"}
_CONTRARY |= {contrary: name for name, contrary in _CONTRARY.items()}
_TURNED = {"less": "greater", "less_equal": "greater_equal", "equal": "equal", "unequal": "unequal"}
_TURNED |= {"greater": "less", "greater_equal": "less_equal"}


def _op(name: str) -> Op:
    return _OURS.get(name) or TABLE[name]


def is_comparison(expression: Expression) -> bool:
    """Whether it is a comparison, 0 or 1, with nothing before it or under it."""
    return expression.is_plain and expression.op is not None and expression.op is _named(expression.op.name)


def _named(name: str) -> Op | None:
    return _op(name) if name in _TURNED else None


def compared(op: Op, x: Expression, y: Expression) -> Expression:
    """A comparison with its number at the right; that a comparison does not hold, `(x < y) == 0`, is its contrary."""
    if x.is_number and not y.is_number:
        return compared(_op(_TURNED[op.name]), y, x)
    if is_comparison(x) and y.is_the(0.0) and op.name in ("equal", "unequal"):
        return contrary_of(x) if op.name == "equal" else x
    return applied(op, (x, y))


def contrary_of(comparison: Expression) -> Expression:
    """What holds where a comparison does not.

    >>> x = Expression(2.0)
    >>> contrary_of(applied(GREATER, (x, x))).op
    <operation less_equal>
    """
    assert comparison.op is not None
    return applied(_op(_CONTRARY[comparison.op.name]), comparison.args)


def turned(comparison: Expression) -> Expression:
    """The same with its sides changed: y > x for x < y."""
    assert comparison.op is not None
    return applied(_op(_TURNED[comparison.op.name]), comparison.args[::-1])


def conditions_of(expression: Expression) -> list[Expression]:
    """The comparisons that must all hold where it is not 0; [] for what is no product of comparisons."""
    if expression.factor != 1.0 or expression.divisor != 1.0:
        return []
    factors = factors_of(expression)
    return list(factors) if all(map(is_comparison, factors)) else []


def as_chains(conditions: list[Expression]) -> list[Expression]:
    """The same conditions, of which x > a and x < b are one: a < x < b."""
    left, chains = list(conditions), []
    while left:
        first = left.pop(0)
        for other in left:
            low, high = sorted((first, other), key=_rank)
            if _rank(low) < _rank(high) == 1 and is_same(low.args[0], high.args[0]):
                left = [each for each in left if each is not other]
                low = turned(low)
                assert low.op is not None
                assert high.op is not None
                first = applied(_chain(low.op, high.op), (*low.args, high.args[1]))
                break
        chains.append(first)
    return chains


def _rank(comparison: Expression) -> int:
    """0 for what is more than something, 1 for what is less, 2 for the others."""
    name = comparison.op.name if comparison.op is not None else ""
    return 0 if name.startswith("greater") else 1 if name.startswith("less") else 2


def _chain(low: Op, high: Op) -> Op:
    op = Op("between")
    op.symbol = f"{low.symbol} {high.symbol}"
    op.latex = low.latex + high.latex.removeprefix("#1").replace("#2", "#3")
    return op
