"""Copy and pickle graphs of any depth, so that values taken together still share the nodes they shared.

Python's own way recurses along the arguments and gives up after some hundred of them. Here a graph is laid out flat,
arguments before results, and each node names its arguments by their places.
"""

from __future__ import annotations

import copyreg
from array import array
from operator import getitem
from typing import Any
from weakref import ReferenceType, ref

from micrograd_plus.engine import TABLE, Arg, HandMade, Op, Value, refused, walk


def _copy(value: Value) -> Value:
    """What copy.copy does: another node, made from the same arguments."""
    return _build(type(value), _operation(value), value.args, value._data, value._grad, value.label, _extras(value))


def _deepcopy(value: Value, memo: dict[int, Any]) -> Value:
    """What copy.deepcopy does: the whole graph under the value, but for what has been copied already."""
    from copy import deepcopy

    def copied(node: Value) -> Value:
        if id(node) not in memo:
            args = tuple([copied(arg) if isinstance(arg, Value) else arg for arg in node.args])
            extras = deepcopy(_extras(node), memo)
            memo[id(node)] = _build(type(node), _operation(node), args, node._data, node._grad, node.label, extras)
        again: Value = memo[id(node)]
        return again

    order, _ = walk(value, skip=lambda node: id(node) in memo)
    for node in order:
        copied(node)  # its arguments are leaves, or have been copied: so this goes one level deep
    return copied(value)


def _reduce_ex(value: Value, _: Any) -> tuple[Any, ...]:
    """What pickle asks for: a leaf is written by itself, an interior node as its place in a flat graph."""
    if value.op is None:
        return _build, (type(value), _operation(value), (), value._data, value._grad, value.label, _extras(value))
    graph = _holder(value) or _Graph(value)
    return getitem, (graph, graph.places[id(value)])


class _Graph:
    """The nodes under a root, laid out for pickle; it lives as long as the pickler that remembers it.

    Leaves, and nodes that an earlier graph holds, are written for themselves: so pickle's own memory lets values that
    are pickled together share what they shared.
    """

    def __init__(self, root: Value) -> None:
        self.inside, _ = walk(root, skip=_holder)
        arguments = [arg for node in self.inside for arg in node.args if isinstance(arg, Value)]
        inside = set(self.inside)
        self.outside = [arg for arg in dict.fromkeys(arguments) if arg not in inside]
        self.places = {id(node): place for place, node in enumerate([*self.outside, *self.inside])}
        self.ref = ref(self)
        for node in self.inside:
            _operation(node)  # refuses a hand-made rule before anything is written
            _holders[id(node)] = self.ref

    def __reduce__(self) -> tuple[Any, ...]:
        ops = [_operation(node) for node in self.inside]
        args = [
            tuple([self.places[id(arg)] if isinstance(arg, Value) else arg for arg in node.args])
            for node in self.inside
        ]
        data = array("d", [node._data for node in self.inside])
        grad = array("d", [node._grad for node in self.inside])
        details = {
            i: (type(node), node.label, _extras(node))
            for i, node in enumerate(self.inside)
            if node.label or type(node) is not Value
        }
        return _restore, (self.outside, ops, args, data, grad, details)

    def __del__(self) -> None:
        for node in self.inside:
            if _holders.get(id(node)) is self.ref:
                del _holders[id(node)]


_holders: dict[int, ReferenceType[_Graph]] = {}  # by a node's id: the living graph it is laid out in


def _holder(node: Value) -> _Graph | None:
    """The living graph that has this node inside."""
    reference = _holders.get(id(node))
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
    op: str,
    args: tuple[Arg, ...],
    data: float,
    grad: float,
    label: str,
    extras: dict[str, Any],
) -> Value:
    value = kind.__new__(kind)
    value._data, value._grad, value._note, value._mark = data, grad, label or None, 0
    value.op = None if not op else Op(op[1:]) if op[0] == "?" else _known(op)
    value._set_args(args)
    for name, attribute in extras.items():
        setattr(value, name, attribute)
    return value


def _operation(node: Value) -> str:
    """How a node's operation is written down: its name, "?" before it where it is no row of the table, "" for none."""
    op = node.op
    if op is None:
        return ""
    if isinstance(op, HandMade):
        raise refused(
            node, "a function that captures other nodes can't be copied or pickled; copy what it was made from"
        )
    return op.name if TABLE.get(op.name) is op else f"?{op.name}"


def _known(name: str) -> Op:
    if name not in TABLE:
        raise ValueError(f"unpickling: unknown operation {name!r}; import the module that adds it to the table first")
    return TABLE[name]


def _extras(node: Value) -> dict[str, Any]:
    """The attributes that a subclass added."""
    return {} if type(node) is Value else dict(getattr(node, "__dict__", {}))


def _reduce_op(op: Op) -> tuple[Any, ...]:
    """What pickle asks for: an operation of the table is written as its name."""
    if TABLE.get(op.name) is not op:
        raise TypeError(f"{op!r} is no operation of the table, or was made again since; it can't be copied or pickled")
    return _known, (op.name,)


copyreg.pickle(Op, _reduce_op)
for _name, _function in {"__copy__": _copy, "__deepcopy__": _deepcopy, "__reduce_ex__": _reduce_ex}.items():
    setattr(Value, _name, _function)
