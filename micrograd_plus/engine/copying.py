"""Copy and pickle graphs of any depth, so that values taken together still share the nodes they shared.

Python's own way recurses along the arguments and gives up after some hundred of them. Here a graph is laid out flat,
arguments before results, and each node names its arguments by their places.
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
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import TABLE, Arg, Op, refused
from micrograd_plus.engine.recording import tracing
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk


def _copy(value: Value) -> Value:
    """What copy.copy does: another node, made from the same arguments."""
    _tell(value)
    (grad,) = held([value])
    return _build(type(value), _rule(value), value.args, value._data, grad, value.label, _extras(value))


def _deepcopy(value: Value, memo: dict[int, Any]) -> Value:
    """What copy.deepcopy does: the whole graph under the value, but for what has been copied already."""
    from copy import deepcopy

    _tell(value)

    def copied(node: Value) -> Value:
        if id(node) not in memo:
            args = tuple([copied(arg) if isinstance(arg, Value) else arg for arg in node.args])
            extras = deepcopy(_extras(node), memo)
            grad = grads[id(node)]
            memo[id(node)] = _build(type(node), _rule(node), args, node._data, grad, node.label, extras)
        again: Value = memo[id(node)]
        return again

    order, found = walk(value, skip=lambda node: id(node) in memo)
    nodes = [*order, *found]
    grads = dict(zip(map(id, nodes), held(nodes)))
    for node in order:
        copied(node)  # its arguments are leaves, or have been copied: so this goes one level deep
    return copied(value)


def _reduce_ex(value: Value, _: Any) -> tuple[Any, ...]:
    """What pickle asks for: a leaf is written by itself, an interior node as its place in a flat graph."""
    _tell(value)
    if value.op is None:
        return _build, (type(value), "", (), value._data, held([value])[0], value.label, _extras(value))
    graph = _holder(value) or _Graph(value)
    return getitem, (graph, graph.places[id(value)])


def _tell(value: Value) -> None:
    """Let a trace know, if there is one, that the numbers are about to be written down."""
    if (trace := tracing.get()) is not None:
        trace.asked(value, "a copy")


class _Graph:
    """The nodes under a root, laid out for pickle; it lives as long as the pickler that remembers it.

    Leaves, and nodes that an earlier graph holds, are written for themselves: so pickle's own memory lets values that
    are pickled together share what they shared.
    """

    def __init__(self, root: Value) -> None:
        self.inside, _ = walk(root, skip=_holder)
        arguments = [arg for node in self.inside for arg in node.args if isinstance(arg, Value)]
        inside = Identities.fromkeys(self.inside)
        self.outside = [arg for arg in Identities.fromkeys(arguments) if arg not in inside]
        self.places = {id(node): place for place, node in enumerate([*self.outside, *self.inside])}
        self.ref = ref(self)
        self.holders = _here.holders
        for node in self.inside:
            _written(_rule(node))  # refuses what can't be written before anything is
            self.holders[id(node)] = self.ref

    def __reduce__(self) -> tuple[Any, ...]:
        ops = [_written(_rule(node)) for node in self.inside]
        args = [
            tuple([self.places[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
            for node in self.inside
        ]
        data = array("d", [node._data for node in self.inside])
        grad = array("d", held(self.inside))
        details = {
            i: detail
            for i, node in enumerate(self.inside)
            if (detail := (type(node), node.label, _extras(node))) != (Value, "", {})
        }
        return _restore, (self.outside, ops, args, data, grad, details)

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


def _restore(
    outside: list[Value],
    ops: list[str],
    args: list[tuple[int | float, ...]],
    data: array[float],
    grad: array[float],
    details: dict[int, tuple[type[Value], str, dict[str, Any]]],
) -> list[Value]:
    """The nodes of a `_Graph` again; an argument's place is an int, a constant a float."""
    nodes = list(outside)
    for i, op in enumerate(ops):
        kind, label, extras = details.get(i, (Value, "", {}))
        values = tuple([nodes[arg] if isinstance(arg, int) else arg for arg in args[i]])
        nodes.append(_build(kind, op, values, data[i], grad[i], label, extras))
    return nodes


def _build(
    kind: type[Value],
    op: Op | str | None,
    args: tuple[Arg, ...],
    data: float,
    grad: float,
    label: str,
    extras: dict[str, Any],
) -> Value:
    value = kind.__new__(kind)
    value._data, value._grad, value._note, value._mark = data, grad, label or None, 0
    value.op = _known(op) if isinstance(op, str) else op
    value._set_args(args)
    for name, attribute in extras.items():
        setattr(value, name, attribute)
    return value


def _rule(node: Value) -> Op | None:
    """A node's operation, which its copy shares, also where the table has a newer one of that name by now."""
    if isinstance(node.op, HandMade):
        raise refused(
            node, "a function that captures other nodes can't be copied or pickled; copy what it was made from"
        )
    return node.op


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


def _known(name: str) -> Op | None:
    if not name:
        return None
    if name[0] == "?":
        return Op(name[1:])
    if name not in TABLE:
        raise ValueError(f"unpickling: unknown operation {name!r}; import the module that adds it to the table first")
    return TABLE[name]


def _extras(node: Value) -> dict[str, Any]:
    """The attributes that a user added. Not by asking for `__dict__`: that would make one for every node."""
    state: Any = object.__getstate__(node)  # those in a dict, if there is one; and, in plain Python, those in slots
    added = state[0] if isinstance(state, tuple) else state
    return {name: it for name, it in added.items() if name != "_constants"} if added else {}


def _reduce_op(op: Op) -> tuple[Any, ...]:
    """What pickle asks for: an operation of the table is written as its name."""
    return _known, (_written(op),)


copyreg.pickle(Op, _reduce_op)
setattr(Op, "__deepcopy__", lambda op, _: op)  # noqa: B010 - the same rule: a copied graph keeps what it was made by
for _name, _function in {"__copy__": _copy, "__deepcopy__": _deepcopy, "__reduce_ex__": _reduce_ex}.items():
    setattr(Value, _name, _function)
