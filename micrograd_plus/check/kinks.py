"""Where does a function change its formula: at a kink, at the end of a domain, or by an `if` of the user's own?

What formula it follows at a point is read from the graph there, as a `Piece`: two points with equal pieces lie in one
smooth piece of the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, ulp
from typing import Any, NamedTuple

from micrograd_plus._support.identities import Identities
from micrograd_plus.check.differences import Sample
from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.ops.rows import FLAT, REAL

APART = 1e-7  # relative to the argument, or to 1: how far to its sides a point is compared with what lies around


class Piece(NamedTuple):
    """The formula that a function follows at a point, one smooth piece of it.

    Attributes:
        operations: the operations, and what each is applied to. Constants are left out: a function that makes them
            from `.data` would seem to change its formula at every step.
        signs: for each operation with a kink or an end of its domain, on which side of that its arguments lie.
        gates: for each operation with a kink, which of its partials let a gradient through.
    """

    operations: list[Op | int | None]
    signs: list[tuple[Op, float]]
    gates: list[tuple[Op, Any]]


def piece(results: Sequence[Any]) -> Piece:
    """The piece that a function took to these results."""
    operations: list[Op | int | None] = []
    signs: list[tuple[Op, float]] = []
    gates: list[tuple[Op, Any]] = []
    places: Identities[Value, int] = Identities()
    for node in walk(*[y for y in results if isinstance(y, Value)])[0]:
        op = node.op
        operations.append(op)
        operations += [places.setdefault(arg, len(places)) if isinstance(arg, Value) else -1 for arg in node.args]
        if op is None or (op.kinks is None and op.domain == (REAL,) * len(op.domain)):
            continue
        args = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        if op.kinks is not None:
            signs.append((op, _sign(op.kinks(*args))))
            gates += [(op, mask(node.data, *args)) for mask in op.masks if mask not in (None, FLAT.condition)]
        for arg, (low, high) in zip(args, op.domain):
            if low != -inf:
                signs.append((op, _sign(arg - low)))
            if high != inf:
                signs.append((op, _sign(high - arg)))
    return Piece(operations, signs, gates)


def is_beside_kink(sample: Sample, x: float) -> bool:
    """Whether x lies beside a kink, closer than any step, and not on it: the slope at x itself cannot be measured."""
    near = [x + side * 4.0 * ulp(x) for side in (1.0, -1.0)]
    pieces: list[Any] = [sample(at)[1] for at in (*_with_sides(x), *near)]
    if None in pieces:
        return True
    here, sides, nearest = pieces[0], pieces[1:3], pieces[3:]
    alike = [side for side in sides if side.operations == here.operations]
    if not alike:  # an if of the user's own: for this point alone, or for those around it too?
        return any(side.operations == here.operations for side in nearest)
    return any(own * other < 0.0 for side in alike for (_, own), (_, other) in zip(here.signs, side.signs))


def kinked(sample: Sample, x: float) -> str:
    """The operations that change their formula at x, in words; "" if none is known to."""
    pieces: list[Any] = [sample(at)[1] for at in _with_sides(x)]
    here, *others = [[] if each is None else each.signs + each.gates for each in pieces]
    if any(len(other) != len(here) for other in others):
        return ""
    turned = [op.name for i, (op, side) in enumerate(here) if any(other[i] != (op, side) for other in others)]
    return f"a kink of {', '.join(dict.fromkeys(turned))}" if turned else ""


def _with_sides(x: float) -> tuple[float, float, float]:
    """The point and one on each side of it."""
    step = APART * max(1.0, abs(x))
    return x, x - step, x + step


def _sign(x: float) -> float:
    """1, -1 or 0; of nan, which is equal to nothing, 2."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else 2.0
