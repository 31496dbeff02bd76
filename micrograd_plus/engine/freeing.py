"""Free long chains of nodes one by one, where Python's own way runs out of stack: in a browser.

When a node is freed, so are its arguments, if nothing else uses them, and theirs. CPython bounds how deep this goes by
the machine's stack, but in a browser that of JavaScript ends first, at some 2,000 nodes, and the interpreter with it.
"""

from __future__ import annotations

import sys
from typing import Any

from micrograd_plus.engine.value import Value

_left: list[Any] = []  # arguments of nodes that are gone, yet to be let go
_busy = False


def end(node: Value) -> None:
    """What a node does last, as its `__del__`: it hands over its arguments, which are let go when it is gone.

    >>> x, y = Value(1.0), Value(2.0)
    >>> z = x * y
    >>> end(z)
    >>> z._a is None, x.data
    (True, 1.0)
    """
    global _busy
    _left.append((getattr(node, "_a", None), getattr(node, "_b", None)))  # one that was refused has neither
    node._a = node._b = None
    if not _busy:
        _busy = True
        try:
            while _left:
                _left.pop()
        finally:
            _busy = False


if sys.platform == "emscripten":
    Value.__del__ = end  # type: ignore[attr-defined]
