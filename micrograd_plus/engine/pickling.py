"""Pickle graphs of any depth, so that values pickled together still share the nodes they shared.

Python's own way recurses along the arguments and gives up after some hundred of them. Here a graph is laid out flat,
arguments before results, and each node names its arguments by their places; `copying` makes it again.
"""

from __future__ import annotations

import copyreg
import threading
from array import array
from operator import getitem
from types import CellType, FunctionType
from typing import Any
from weakref import ReferenceType, ref

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.backward import held
from micrograd_plus.engine.copying import _attach, _attach_all, _build, _known, _restore, attributes, rule_of
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.engine.recording import tell
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk


def _reduce_ex(value: Value, _: Any) -> tuple[Any, ...]:
    """What pickle asks for: a leaf is written by itself, an interior node as its place in a flat graph."""
    tell(value, "a pickle")
    if value.op is None:
        parts: tuple[Any, ...] = (type(value), "", (), value._data, held([value])[0], value.label, {})
        return _build, parts, attributes(value) or None, None, None, _attach
    graph = _holder(value) or _Graph(value)
    return getitem, (graph, graph.places[id(value)])


class _Graph:
    """The nodes under a root, laid out for pickle; it lives as long as the pickler that remembers it.

    Leaves, and nodes that an earlier graph holds, are written for themselves: so pickle's own memory lets values that
    are pickled together share what they shared. What a user added to a node comes after all nodes are there, for it may
    lead back to any of them.
    """

    def __init__(self, root: Value) -> None:
        self.inside, _ = walk(root, skip=_holder)
        arguments = [arg for node in self.inside for arg in node.args if isinstance(arg, Value)]
        inside = Identities.fromkeys(self.inside)
        self.outside = tuple([arg for arg in Identities.fromkeys(arguments) if arg not in inside])
        self.places = {id(node): place for place, node in enumerate([*self.outside, *self.inside])}
        self.ref = ref(self)
        self.holders = _here.holders
        for node in self.inside:
            _written(rule_of(node))  # refuses what can't be written before anything is
            self.holders[id(node)] = self.ref

    def __reduce__(self) -> tuple[Any, ...]:
        ops = [_written(rule_of(node)) for node in self.inside]
        args = [
            tuple([self.places[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
            for node in self.inside
        ]
        data = array("d", [node._data for node in self.inside])
        grad = array("d", held(self.inside))
        details = {
            i: (type(node), node.label, dict[str, Any]())
            for i, node in enumerate(self.inside)
            if type(node) is not Value or node.label
        }
        extras = {self.places[id(node)]: added for node in self.inside if (added := attributes(node))}
        return _restore, (self.outside, ops, args, data, grad, details), extras or None, None, None, _attach_all

    def __del__(self) -> None:
        for node in self.inside:
            if self.holders.get(id(node)) is self.ref:
                self.holders.pop(id(node), None)


class _Here(threading.local):
    """For each thread the graphs that its picklers are writing: one pickler runs in one thread."""

    def __init__(self) -> None:
        self.holders: dict[int, ReferenceType[_Graph]] = {}  # by a node's id: the living graph that holds it


_here = _Here()


def _holder(node: Value) -> _Graph | None:
    """The graph that already holds this node, if that graph still lives."""
    reference = _here.holders.get(id(node))
    return reference() if reference else None


def _written(op: Op | None) -> str:
    """How pickle writes an operation: its name, "?" before it where it is a name and nothing else, "" for none."""
    if op is None:
        return ""
    if op.forward is None:
        return f"?{op.name}"
    now = TABLE.get(op.name)
    if now is op or (now is not None and all(_alike(getattr(now, part), getattr(op, part)) for part in _RULES)):
        return op.name
    raise TypeError(
        f"{op!r} was defined otherwise since, and pickle writes no more than its name: make the graph again; "
        "or copy it by copy.deepcopy, which keeps the rule"
    )


_RULES = ("forward", "partials", "masks", "options")  # what an operation does


def _around(function: FunctionType) -> tuple[Any, ...]:
    """What a function refers to besides its globals: defaults, and variables of the functions around it."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
    return function.__defaults__, function.__kwdefaults__, tuple(cells)


def _alike(one: Any, other: Any, depth: int = 9) -> bool:
    """Whether two functions surely do the same: equal code that refers to equal things, as when a cell runs twice."""
    if one is other:
        return True
    if type(one) is not type(other) or depth == 0:
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(_alike(a, b, depth - 1) for a, b in zip(one, other))
    if isinstance(one, FunctionType):
        same = one.__code__ == other.__code__ and one.__globals__ is other.__globals__
        return same and _alike(_around(one), _around(other), depth - 1)
    return isinstance(one, (int, float, str, dict)) and repr(one) == repr(other)


def _reduce_op(op: Op) -> tuple[Any, ...]:
    """What pickle asks for: an operation of the table is written as its name."""
    return _known, (_written(op),)


copyreg.pickle(Op, _reduce_op)
setattr(Value, "__reduce_ex__", _reduce_ex)  # noqa: B010 - the engine knows nothing of pickle
