"""Draw expressions at random, which shrink to ones that can be read.

>>> from hypothesis import find
>>> print(find(expressions(["add", "tanh"], max_nodes=4), lambda expression: "tanh" in expression.functions))
a = 0.0
b = mp.tanh(a)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from reprlib import repr as short_repr

from hypothesis import strategies as st

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.errors import unknown
from micrograd_plus.engine.operations import Op
from micrograd_plus.ops.rows import FUNCTIONS, HOME
from micrograd_plus.strategies.builders import Builder, Wish
from micrograd_plus.strategies.leaves import numbers
from micrograd_plus.strategies.programs import Expression, Function, defaults, op_of

CONSTANTS = (2.0, 0.5, 3.0, -1.0, 1.5, -2.0, 0.1)


def expressions(
    functions: str | Function | Iterable[str | Function] | None = None,
    *,
    min_nodes: int = 2,
    max_nodes: int = 20,
    max_leaves: int = 4,
    near_kinks: bool = False,
) -> st.SearchStrategy[Expression]:
    """Random graphs of shared nodes, as programs that shrink to short ones.

    Each operation is applied to nodes that lie inside its domain and away from its kinks, as its row in the table
    tells (`Op.domain`, `Op.kinks`). All numbers stay below 100 or so and derivatives below some 10⁴, so that
    gradients can be compared. Leaves lie between -3 and 3, or where a function needs them.

    Args:
        functions: which to use, by name or the functions themselves, primitives of yours too; None for all that the
            package has.
        min_nodes: how many nodes a graph has at least, leaves among them; but fewer where the functions allow no more:
            a logarithm of a logarithm soon has no logarithm.
        max_nodes: how many it has at most.
        max_leaves: how many leaves at most.
        near_kinks: whether arguments may lie near kinks and on them, as 0 of relu; never at poles.

    Returns:
        A strategy for `Expression`.

    Raises:
        TypeError: a function is none of the table, or a size is no whole number.
        ValueError: no function of that name is known, there are none, or a size is too small.

    >>> from hypothesis import find
    >>> print(find(expressions(["mul", "sin"], max_nodes=4), lambda expression: "sin" in expression.functions))
    a = 0.0
    b = mp.sin(a)
    """
    chosen = _chosen(functions)
    least = whole("expressions", "min_nodes", min_nodes)
    most = whole("expressions", "max_nodes", max_nodes, least=max(2, least), hint=", and of min_nodes")
    leaves = whole("expressions", "max_leaves", max_leaves)
    return _expressions(chosen, least, most, leaves, bool(near_kinks))


def _chosen(functions: str | Function | Iterable[str | Function] | None) -> tuple[Function, ...]:
    """The functions that these names, or functions, stand for."""
    if functions is None:
        return tuple([function for function in FUNCTIONS.values() if function.__module__ == HOME])
    listed = [functions] if isinstance(functions, str) or callable(functions) else list(functions)
    if not listed:
        raise ValueError("expressions(functions=[]): expected at least one function, or None for all of them")
    found: list[Function] = []
    for function in listed:
        if isinstance(function, str):
            if function not in FUNCTIONS:
                raise unknown("function", function, FUNCTIONS)
            found.append(FUNCTIONS[function])
        elif isinstance(getattr(function, "op", None), Op):
            found.append(function)
        else:
            wanted = "expected a name such as 'tanh', a function such as mp.tanh, or one that mp.primitive made"
            raise TypeError(f"expressions(functions=[{short_repr(function)}]): {wanted}")
    return tuple(found)


@st.composite
def _wishes(draw: st.DrawFn, functions: tuple[Function, ...], most: int) -> Wish:
    """Any step, by its function; its arguments are nodes, or one of them is a constant or a new leaf."""
    function = draw(st.sampled_from(_weighted(functions)))
    count = op_of(function).arity
    picks = tuple([draw(st.integers(0, most)) for _ in range(count)])
    options = draw(_options(defaults(function)))
    kind = draw(st.integers(0, 5)) if count > 1 else 0
    if kind < 4:
        return Wish(function, picks, options)
    place = draw(st.integers(0, count - 1))
    if kind == 4:
        return Wish(function, picks, options, constant=(place, draw(st.sampled_from(CONSTANTS))))
    return Wish(function, picks, options, leaf=(place, draw(numbers(-3.0, 3.0))))


@cache
def _weighted(functions: tuple[Function, ...]) -> tuple[Function, ...]:
    """Functions of steps four times less often: in a long program a few of them stop every gradient."""
    flat = [f for f in functions if op_of(f).flat]
    return (*[f for f in functions if f not in flat] * 4, *flat)


@cache
def _options(usual: tuple[float, ...]) -> st.SearchStrategy[tuple[float, ...]]:
    """Mostly the defaults; else all of them doubled or halved, and bounds that were infinite finite."""

    def scaled(scale: float) -> tuple[float, ...]:
        return tuple([x * scale if math.isfinite(x) else math.copysign(scale, x) for x in usual])

    return st.sampled_from([usual] * 6 + [scaled(2.0), scaled(0.5)]) if usual else st.just(())


@st.composite
def _expressions(
    draw: st.DrawFn, functions: tuple[Function, ...], least: int, most: int, max_leaves: int, near_kinks: bool
) -> Expression:
    builder = Builder(functions, most, max_leaves, near_kinks)
    builder.add(draw(numbers(-3.0, 3.0)))
    wishes = _wishes(functions, most)
    for _ in range(draw(st.integers(least - 1, most - 1))):  # a list is short, or hardly shrinks
        builder.grant(draw(wishes))
    builder.fill(least)
    builder.join()
    return builder.expression()


st.register_type_strategy(Expression, expressions())
