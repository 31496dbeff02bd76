"""Go through a flat graph number by number, forward and back: the way for graphs in which nothing is regular.

The same work as the eager engine's, without making a node. Built natively where the engine is, in a group without it:
what comes from the engine has no type here.
"""

from __future__ import annotations

from typing import Any, Final

NATIVE: Final = not __file__.endswith(".py")
LEAF: Final = 0  # codes for what computes a number; all others are places in a list of operations
ADD: Final = 1
MUL: Final = 2
NOTHING: Final = 0  # codes for what passes a gradient back, and to which arguments
ADD_BOTH: Final = 1
ADD_FIRST: Final = 2
ADD_SECOND: Final = 3
MUL_BOTH: Final = 4
MUL_FIRST: Final = 5
MUL_SECOND: Final = 6
OTHER: Final = 7


def run(
    ops: list[Any], code: bytes, first: list[int], second: list[int], more: dict[int, list[int]], numbers: list[float]
) -> None:
    """Compute every number from those of the leaves.

    Args:
        ops: the operations by code.
        code: for each place its operation, or LEAF.
        first: for each place where its first argument is.
        second: for each place where its second argument is; -1 where there is but one.
        more: where all arguments are, for operations of three and more.
        numbers: those of the leaves are there; the others are written.
    """
    for i in range(len(code)):
        kind = code[i]
        if kind == LEAF:
            continue
        if kind == MUL:
            numbers[i] = numbers[first[i]] * numbers[second[i]]
        elif kind == ADD:
            numbers[i] = numbers[first[i]] + numbers[second[i]]
        else:
            forward = ops[kind].forward
            if i in more:
                numbers[i] = forward(*[numbers[j] for j in more[i]])
            elif second[i] < 0:
                numbers[i] = forward(numbers[first[i]])
            else:
                numbers[i] = forward(numbers[first[i]], numbers[second[i]])


def pull(
    ops: list[Any],
    code: bytes,
    first: list[int],
    second: list[int],
    more: dict[int, list[int]],
    rules: bytes,
    active: bytes,
    numbers: list[float],
    gradients: list[float],
) -> None:
    """Pass gradients back from results to arguments, in the columns of `run`, which came before.

    Args:
        rules: for each place what is to be done: nothing, to both arguments or one of a sum or a product, or OTHER.
        active: for each place, 1 where it is on a way from a parameter to the result.
        gradients: that of the result is there, all others are 0.
    """
    for i in range(len(rules) - 1, -1, -1):
        rule = rules[i]
        if rule == NOTHING:
            continue
        upstream = gradients[i]
        a = first[i]
        if rule == MUL_BOTH:
            b = second[i]
            gradients[a] += upstream * numbers[b]
            gradients[b] += upstream * numbers[a]
        elif rule == ADD_BOTH:
            gradients[a] += upstream
            gradients[second[i]] += upstream
        elif rule == MUL_FIRST:
            gradients[a] += upstream * numbers[second[i]]
        elif rule == MUL_SECOND:
            gradients[second[i]] += upstream * numbers[a]
        elif rule == ADD_FIRST:
            gradients[a] += upstream
        elif rule == ADD_SECOND:
            gradients[second[i]] += upstream
        else:
            args = more.get(i) or ([a] if second[i] < 0 else [a, second[i]])
            _pull_by_row(ops[code[i]], i, args, active, numbers, gradients)


def _pull_by_row(op: Any, i: int, args: list[int], active: bytes, numbers: list[float], gradients: list[float]) -> None:
    """Pass the gradient of place i back to its arguments, by the partials of its row."""
    values = [numbers[j] for j in args]
    for place, j in enumerate(args):
        if active[j]:
            slope, passes = op.slope(place, numbers[i], values)
            if passes:
                gradients[j] += gradients[i] * slope


def reached(
    ops: list[Any],
    code: bytes,
    first: list[int],
    second: list[int],
    more: dict[int, list[int]],
    rules: bytes,
    active: bytes,
    numbers: list[float],
    root: int,
) -> bytes:
    """The rules without those of places that no gradient reaches, in the columns of `pull`.

    A place is reached by another that is, unless a mask is 0 there. Whatever the slopes are further down, 0 comes to
    the others, and `pull` with these rules gives that.

    Args:
        root: the place of the result.
    """
    here = [False] * len(rules)
    here[root] = True
    for i in range(len(rules) - 1, -1, -1):
        if not here[i] or rules[i] == NOTHING:
            continue
        args = more.get(i) or ([first[i]] if second[i] < 0 else [first[i], second[i]])
        if rules[i] != OTHER:
            for j in args:
                here[j] = True
            continue
        op = ops[code[i]]
        values = [numbers[j] for j in args]
        for place, j in enumerate(args):
            if active[j] and op.slope(place, numbers[i], values)[1]:
                here[j] = True
    return bytes([rules[i] if here[i] else NOTHING for i in range(len(rules))])
