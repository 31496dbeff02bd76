"""Which gradients does an engine write over? Methods that see each one that it reads and writes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from micrograd_plus.engine.anomalies import quoted_line
from micrograd_plus.laws.originals import BUILTINS

__builtins__ = BUILTINS  # an engine may replace built-in functions; those called here stay

PROGRAM = "<program>"  # the file that the lines of a program seem to come from


class _Watch:
    """What is known of the gradients that an engine has written.

    A gradient is lost if a number other than 0 is there, which the function that writes has not read since it came, and
    which arrived in the same `backward()` or belongs to a leaf: what stands between may start afresh in the next one.

    Attributes:
        get: reads an attribute of a node as the engine does.
        lost: a list of lost gradients, in words.
        add: whether one that would be lost is added to what is written, and not noted.
        leaves: the nodes that the program itself made; nodes that are kept keep their ids to themselves.
        passes: how many calls of `backward()` have begun.
        depth: how many of them, one inside the other, have not ended.
    """

    def __init__(self, get: Callable[[Any, str], Any], lost: list[str], *, add: bool) -> None:
        self.get, self.lost, self.add = get, lost, add
        self.leaves: list[Any] = []
        self.passes = self.depth = 0
        self.written: list[Any] = []  # nodes, kept for their ids
        self.readers: dict[int, set[Any]] = {}  # for a node's id the functions that have read what is there
        self.arrived: dict[int, int] = {}  # for a node's id the pass that has written what is there

    def reads(self, node: Any, frame: FrameType) -> None:
        """A function reads the gradient of a node."""
        self.readers.setdefault(id(node), set()).add(frame.f_code)

    def writes(self, node: Any, frame: FrameType, new: Any) -> Any:
        """A function writes the gradient of a node; returns what is to be written."""
        self.written.append(node)
        old = _gradient(self.get, node)
        leaf = any(node is each for each in self.leaves)
        unread = frame.f_code not in self.readers.get(id(node), ())
        if old and unread and (leaf or self.arrived.get(id(node)) == self.passes):
            if self.add:
                new = new + old
            else:
                self.lost.append(_lost(frame, old, new))
        self.arrived[id(node)] = self.passes
        self.readers.pop(id(node), None)
        return new


def watched(engine: Any, names: dict[str, Any], lost: list[str], *, add: bool) -> dict[str, Any]:
    """Methods for an engine's class that see each gradient which it reads and writes, and note those it would lose.

    Args:
        engine: the class.
        names: the globals of the program; its Value becomes one that remembers leaves.
        lost: takes the notes.
        add: whether a gradient that would be lost is added, so that it is not.
    """
    get, put, go = engine.__getattribute__, engine.__setattr__, engine.backward
    watch = _Watch(get, lost, add=add)

    def value(*args: Any, **options: Any) -> Any:
        watch.leaves.append(engine(*args, **options))
        return watch.leaves[-1]

    def backward(self: Any, *args: Any, **options: Any) -> Any:
        watch.passes += not watch.depth
        watch.depth += 1
        try:
            return go(self, *args, **options)
        finally:
            watch.depth -= 1

    def getattribute(self: Any, name: str) -> Any:
        if name == "grad":
            watch.reads(self, sys._getframe(1))
        return get(self, name)

    def setattr_(self: Any, name: str, new: Any) -> None:
        frame = sys._getframe(1)
        if name == "grad" and watch.depth and frame.f_code.co_filename != PROGRAM:
            new = watch.writes(self, frame, new)
        put(self, name, new)

    names["Value"] = value
    return {"__getattribute__": getattribute, "__setattr__": setattr_, "backward": backward}


def _gradient(get: Callable[[Any, str], Any], node: Any) -> float:
    """The gradient of a node, 0 if it has none yet."""
    try:
        return float(get(node, "grad"))
    except Exception:  # noqa: BLE001 - whatever reading it raises
        return 0.0


def _lost(frame: FrameType, old: float, new: object) -> str:
    where = quoted_line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
    return f"{where} put {new} in the place of a gradient of {old:g} that had arrived"
