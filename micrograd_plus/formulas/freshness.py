"""Which numbers of a graph are no longer what their arguments give, since somebody wrote data after they were made?

`loss.backward(); optimizer.step()` leaves such a graph: the weights are new, what was computed from them is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.texts import one_line, plural
from micrograd_plus.engine.value import Value

TOLERANCE = 1e-12  # of the number: two mathematical libraries differ by less
_MOST, _LONGEST = 3, 40  # names that are told, and letters of each


def outdated(nodes: Sequence[Value]) -> Identities[Value, float]:
    """Those of the nodes that do not hold what their operation gives, with what it gives from their arguments now.

    >>> x = Value(2.0)
    >>> y = x * x
    >>> z = y + 1.0
    >>> x.data = 3.0
    >>> found = outdated([x, y, z])
    >>> found[y], z in found                                # y + 1.0 is z still
    (9.0, False)
    """
    found: Identities[Value, float] = Identities()
    for node in nodes:
        if node.op is not None and node.op.forward is not None:
            now = _now(node)
            if not _same(now, node.data) and _same(now, _now(node)):  # not one that gives another number each time
                found[node] = now
    return found


def outdated_in_words(nodes: Sequence[Value], names: Mapping[Value, str]) -> str:
    """Which nodes are outdated, in a sentence without its full stop; "" where none is.

    Args:
        nodes: all that are.
        names: what nodes are called; those without a name are counted.

    >>> x, y = Value(2.0), Value(3.0)
    >>> outdated_in_words([x], {x: "x"})
    'x is no longer what its arguments give, since data were written after it was computed'
    >>> outdated_in_words([x, y], {x: "x"})
    'x and 1 node more are no longer what their arguments give, since data were written after they were computed'
    """
    if not nodes:
        return ""
    told = [one_line(names[node], _LONGEST) for node in nodes if names.get(node)][:_MOST]
    rest = plural(len(nodes) - len(told), "node") + (" more" if told else "")
    who = " and ".join([", ".join(told), rest] if told and len(nodes) > len(told) else [", ".join(told) or rest])
    are, its, was = ("is", "its", "it was") if len(nodes) == 1 else ("are", "their", "they were")
    return f"{who} {are} no longer what {its} arguments give, since data were written after {was} computed"


def _now(node: Value) -> float:
    """What its operation gives today; nan where a primitive of the user's refuses these arguments."""
    try:
        return float(node.op.forward(*[arg.data if isinstance(arg, Value) else arg for arg in node.args]))  # type: ignore[union-attr, misc]  # asked for
    except Exception:  # noqa: BLE001 - it may raise anything
        return math.nan


def _same(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))
