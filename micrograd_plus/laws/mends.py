"""Mend an engine for as long as a program runs, so that a law that rests on a broken one can be tried.

A class gets methods in the place of its own, and has its own again after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from micrograd_plus.laws.originals import BUILTINS
from micrograd_plus.laws.watching import watched

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay

# for some laws, methods that mend an engine which breaks them; they use only what the laws before these promise
_MENDS: dict[str, Callable[[type], dict[str, Any]]] = {
    "a new node": lambda engine: {"__init__": _with_gradient(engine)},
    "Value * number": lambda engine: _with_values(engine),
    "Value + number": lambda engine: _with_values(engine),
    "equal numbers, two nodes": lambda _: {"__eq__": object.__eq__, "__hash__": object.__hash__},
    "number * Value": lambda _: {"__rmul__": lambda self, number: self * number},
    "number + Value": lambda _: {"__radd__": lambda self, number: self + number},
    "-Value": lambda _: {"__neg__": lambda self: self * -1},
    "Value - Value": lambda _: {"__sub__": lambda self, other: self + other * -1},
    "Value - number": lambda _: {"__sub__": lambda self, other: self + other * -1},
    "number - Value": lambda _: {"__rsub__": lambda self, number: self * -1 + number},
    "Value / Value": lambda _: {"__truediv__": lambda self, other: self * other**-1},
    "number / Value": lambda _: {"__rtruediv__": lambda self, number: self**-1 * number},
}
ADDING = "a node used twice"
MENDABLE = (*_MENDS, ADDING)


def _with_gradient(engine: Any) -> Callable[..., None]:
    """An `__init__` after which the gradient is a number."""
    own = engine.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        own(self, *args, **options)
        self.grad = self.grad or 0.0

    return init


def _with_values(engine: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """The operators, each of which makes a Value of a plain number first."""

    def taking_values(own: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda self, other: own(self, engine(other) if isinstance(other, (int, float)) else other)

    names = [f"__{turned}{name}__" for name in ("add", "sub", "mul", "truediv") for turned in ("", "r")]
    return {name: taking_values(getattr(engine, name)) for name in names if hasattr(engine, name)}


@contextmanager
def mended(engine: Any, mends: tuple[str, ...], names: dict[str, Any], *, watch: bool) -> Iterator[list[str]]:
    """A block in which the engine keeps these laws; with `watch`, the list says where it writes over gradients."""
    lost: list[str] = []
    methods: dict[str, Any] = {}
    for mend in mends:
        if mend in _MENDS:
            methods |= _MENDS[mend](engine)
    if (watch or ADDING in mends) and hasattr(engine, "backward"):
        methods |= watched(engine, names, lost, add=ADDING in mends)
    home = next((each for each in engine.__mro__ if "backward" in vars(each)), engine)  # nodes may be of a base class
    before = [(place, name, name in vars(place), vars(place).get(name)) for place in {engine, home} for name in methods]
    try:
        with suppress(TypeError):  # a class that was not made in Python takes none: all stays as it is
            for place, name, *_ in before:
                type.__setattr__(place, name, methods[name])
        yield lost
    finally:
        for place, name, there, old in before:
            with suppress(TypeError, AttributeError):
                type.__setattr__(place, name, old) if there else type.__delattr__(place, name)
