"""What a row computes, as steps by other rows: its formula, its partials, and the masks that stop a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.recording import recording, tracing, watching, within
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.program.arrays import NoNumbers

Term = int | float  # the place of a number, or the number itself


class Steps(NamedTuple):
    """A formula, step by step.

    Attributes:
        made: each step's row, and what it reads: a place, first those of the arguments and then of the steps before; or
            a plain number.
        out: what comes out.
    """

    made: tuple[tuple[Op, tuple[Term, ...]], ...]
    out: Term

    def evaluated(self, args: Sequence[Any], apply: Callable[[Op, Sequence[Any]], Any]) -> Any:
        """What comes out for these arguments, where a row is applied in this way."""
        known = list(args)
        for op, terms in self.made:
            known.append(apply(op, [known[term] if isinstance(term, int) else term for term in terms]))
        return known[self.out] if isinstance(self.out, int) else self.out


@lru_cache(maxsize=4096)
def recorded(function: Callable[..., Any], count: int, options: tuple[float, ...] = ()) -> Steps:
    """The steps of a function of so many arguments, written in mp's functions.

    Raises:
        TypeError: it is Python that cannot be recorded.
    """
    stand_ins = [Value(0.5) for _ in range(count)]
    try:
        out = within({tracing: NoNumbers(), watching: None, recording: True}, function, *stand_ins, *options)
    except Exception as error:
        raise TypeError(f"Python that can't be recorded ({error})") from error
    places = {id(value): place for place, value in enumerate(stand_ins)}
    if not isinstance(out, Value):
        return Steps((), float(out))
    made: list[tuple[Op, tuple[Term, ...]]] = []
    for node in walk(out)[0]:
        if node.op is None or node.op.forward is None:
            raise TypeError(f"{node!r}, which was made by hand")
        terms = [places.get(id(arg), arg._data) if isinstance(arg, Value) else float(arg) for arg in node.args]
        made.append((node.op, tuple(terms)))
        places[id(node)] = count + len(made) - 1
    return Steps(tuple(made), places.get(id(out), out._data))


def gated(op: Op, place: int, options: tuple[float, ...]) -> tuple[Steps, Steps | None]:
    """The partial derivative by an argument and its gate, which may be None, each of the result and the arguments."""
    found: tuple[Steps, Steps | None] = op.gated_slope(place, lambda rule: recorded(rule, op.arity + 1, options))
    return found
