"""What the leaves hold while a backward pass runs, and how all their gradients are set at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from micrograd_plus.engine.value import NATIVE, Value

_set_grad: Final = vars(Value)["_grad"].__set__  # in C: nothing comes between the gradients that one call of it sets


class Pass:
    """A backward pass under way: it sums in the leaves' own `.grad`, and remembers what these held before it began.

    While a hook runs, or another pass inside this one, the leaves show what they held before; what is written to
    them then is kept.
    """

    __slots__ = ("leaves", "grads", "sums")

    def __init__(self, leaves: list[Value], grads: list[float]) -> None:
        self.leaves = leaves
        self.grads = grads  # what the leaves held before; at the end, what they hold
        self.sums: list[float] | None = None  # what the pass has summed up, while the leaves show what they held

    def show(self) -> None:
        """Put the sums aside, so that the leaves show what they held before the pass."""
        sums = [leaf._grad for leaf in self.leaves]
        put(self.leaves, self.grads)
        self.sums = sums

    def hide(self) -> None:
        """Put the sums back into the leaves, and go on."""
        self.grads[:] = [leaf._grad for leaf in self.leaves]
        sums, self.sums = self.sums, None
        if sums is not None:
            put(self.leaves, sums)


def put(values: list[Value], grads: list[float]) -> None:
    """Set all gradients, at once."""
    setting(values, grads)()


def setting(values: list[Value], grads: list[float]) -> Callable[[], object]:
    """A function that sets all gradients at once.

    In plain Python it is a single call in C: Ctrl-C may interrupt between any two steps of Python, at the beginning of
    a function, and once more while an interrupt is handled.
    """
    return partial(_set_each, values, grads) if NATIVE else partial(deque, map(_set_grad, values, grads), 0)


def _set_each(values: list[Value], grads: list[float]) -> None:
    for i in range(len(values)):  # compiled by mypyc, this loop cannot be interrupted
        values[i]._grad = grads[i]
