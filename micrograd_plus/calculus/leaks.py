"""Which numbers leave the graph while a function is differentiated, so that their terms are missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from reprlib import repr as short_repr
from typing import Any, NamedTuple

from micrograd_plus.engine.anomalies import users_frame, users_line
from micrograd_plus.engine.recording import leaving
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk


class Listener(NamedTuple):
    """Hears, while a function is differentiated, which numbers leave the graph, and tells each line once."""

    variables: list[Value]
    kinds: frozenset[str]  # the ways out that matter, such as "float()"
    report: Callable[[str], None]
    told: set[tuple[str, str, int]]

    def left(self, value: Value, how: str) -> None:
        if how not in self.kinds:
            return
        frame = users_frame()
        place = (how, frame.f_code.co_filename, frame.f_lineno) if frame else (how, "", 0)
        if place not in self.told and (how == "no_grad()" or _depends(value, self.variables)):
            self.told.add(place)
            self.report(how)


def listener(variables: list[Value], kinds: frozenset[str], report: Callable[[str], None]) -> Listener:
    """For a Block(leaving, ...) in which `report` is told how a number leaves the graph of these variables.

    Whoever listens already goes on, and hears of these variables too.
    """
    outer: Listener | None = leaving.get()  # type: ignore[assignment]  # there is no other kind
    if outer is None:
        return Listener(variables, kinds, report, set())
    return outer._replace(variables=[*outer.variables, *variables])


def _depends(value: Value, variables: Iterable[Value]) -> bool:
    """Whether the value has a derivative by one of the variables, as far as the graph knows."""
    ids = {id(variable) for variable in variables}
    return id(value) in ids or any(
        id(arg) in ids and (node.op is None or node.op.flows_to(i))
        for node in walk(value, flowing=True)[0]
        for i, arg in enumerate(node.args)
    )


_WAYS_OUT = {  # not .data: it says that a plain number is meant
    "float()": "write mp.exp for math.exp and so on; where a plain number is meant, say x.data or mp.stop_gradient(x)",
    ".grad": "use mp.gradient(y, [x], create_graph=True)",
    "a gradient that is no graph": "ask for create_graph=True",
    "a copy": "use x itself; where a plain number is meant, say x.data or mp.stop_gradient(x)",
    "a pickle": "what it is read into is another graph",
}
WARNED_OF = frozenset(_WAYS_OUT)


def warning(name: str, f: Callable[..., Any]) -> Callable[[str], None]:
    """A function that warns, at the user's line, of a number that leaves the graph while f is differentiated."""

    def warn(how: str) -> None:
        what = {"float()": "float(x), by itself or as math's functions call it,", ".grad": "x.grad"}.get(how, how)
        message = (
            f"{name}({name_of(f)}): {what} in {users_line()} takes a number out of the graph, so that the derivative "
            f"will lack its term; {_WAYS_OUT[how]}"
        )
        frame = users_frame()
        if frame is None:
            warnings.warn(message, stacklevel=2)
        else:  # as warnings.warn would at that line, which lies in no fixed depth
            registry = frame.f_globals.setdefault("__warningregistry__", {})
            module = frame.f_globals.get("__name__")
            warnings.warn_explicit(message, UserWarning, frame.f_code.co_filename, frame.f_lineno, module, registry)

    return warn


def name_of(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", None) or short_repr(f))
