"""Go through a flat graph number by number, forward and back: the way for graphs in which nothing is regular.

The same work as the eager engine's, without making a node. Built natively where the engine is.
"""

from __future__ import annotations

from micrograd_plus.engine import Op

NATIVE = not __file__.endswith(".py")
LEAF, ADD, MUL = 0, 1, 2  # codes; all others are places in a list of operations


def run(
    ops: list[Op], code: bytes, first: list[int], second: list[int], more: dict[int, list[int]], numbers: list[float]
) -> None:
    """Compute every number from those of the leaves.

    Args:
        ops: the operations by code.
        code: for each place its operation, or LEAF.
        first, second: for each place where its first two arguments are.
        second: -1 where there is but one. more: where all arguments are, for operations of three and more.
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
            assert forward is not None
            if i in more:
                numbers[i] = forward(*[numbers[j] for j in more[i]])
            elif second[i] < 0:
                numbers[i] = forward(numbers[first[i]])
            else:
                numbers[i] = forward(numbers[first[i]], numbers[second[i]])


def pull(
    ops: list[Op],
    code: bytes,
    first: list[int],
    second: list[int],
    more: dict[int, list[int]],
    active: bytes,
    numbers: list[float],
    gradients: list[float],
) -> None:
    """Pass gradients back from results to arguments.

    Args:
        ops, code, first, second, more, numbers: as in `run`, which came before.
        active: for each place, 1 where it is on a way from a parameter to the result.
        gradients: that of the result is there, all others are 0.
    """
    for i in range(len(code) - 1, -1, -1):
        kind = code[i]
        if kind == LEAF or active[i] == 0:
            continue
        upstream = gradients[i]
        a, b = first[i], second[i]
        if kind == MUL:
            if active[a]:
                gradients[a] += upstream * numbers[b]
            if active[b]:
                gradients[b] += upstream * numbers[a]
        elif kind == ADD:
            if active[a]:
                gradients[a] += upstream
            if active[b]:
                gradients[b] += upstream
        else:
            op = ops[kind]
            args = more.get(i) or ([a] if b < 0 else [a, b])
            values = [numbers[j] for j in args]
            for j, partial, mask in zip(args, op.partials, op.masks):
                if active[j] and partial is not None:
                    slope = float(partial(numbers[i], *values))
                    if mask is None or (slope if mask is partial else mask(numbers[i], *values)):
                        gradients[j] += upstream * slope
