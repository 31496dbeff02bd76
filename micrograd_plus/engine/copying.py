"""Copy graphs of any depth, and make again what `pickling` wrote; values taken together still share their nodes.

Python's own way recurses along the arguments and gives up after some hundred of them. Here a graph is walked, arguments
before results. Pickles name the functions `_restore`, `_build`, `_attach`, `_attach_all` and `_known`, which therefore
stay where they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from micrograd_plus.engine.backward import held
from micrograd_plus.engine.handmade import HandMade
from micrograd_plus.engine.operations import TABLE, Arg, Op, refused
from micrograd_plus.engine.recording import tell
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk


def _copy(value: Value) -> Value:
    """What copy.copy does: another node, made from the same arguments; a leaf's copy is a leaf of its own."""
    tell(value, "a copy" if value.op is None else "a shallow copy")  # which stays in the graph
    (grad,) = held([value])
    return _build(type(value), rule_of(value), value.args, value._data, grad, value.label, attributes(value))


def _deepcopy(value: Value, memo: dict[int, Any]) -> Value:
    """What copy.deepcopy does: the whole graph under the value, but for what has been copied already."""
    from copy import deepcopy

    tell(value, "a copy")

    made: list[Value] = []

    def copied(node: Value) -> Value:
        if id(node) not in memo:
            args = tuple([copied(arg) if isinstance(arg, Value) else arg for arg in node.args])
            grad = grads[id(node)]
            memo[id(node)] = _build(type(node), rule_of(node), args, node._data, grad, node.label, {})
            made.append(node)
        again: Value = memo[id(node)]
        return again

    order, found = walk(value, skip=lambda node: id(node) in memo)
    nodes = [*order, *found]
    grads = dict(zip(map(id, nodes), held(nodes)))
    for node in order:
        copied(node)  # its arguments are leaves, or have been copied: so this goes one level deep
    result = copied(value)
    for node in made:  # only now, for what a node holds may lead back to any of these
        if added := attributes(node):
            _attach(memo[id(node)], deepcopy(added, memo))
    return result


def _restore(
    outside: Sequence[Value],
    ops: list[str],
    args: list[tuple[int | float, ...]],
    data: array[float],
    grad: array[float],
    details: dict[int, tuple[type[Value], str, dict[str, Any]]],
) -> list[Value]:
    """The nodes of a `pickling._Graph` again; an argument's place is an int, a constant a float."""
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
    _attach(value, extras)
    return value


def _attach(value: Value, extras: dict[str, Any]) -> None:
    """Give a node the attributes that a user had added."""
    for name, attribute in extras.items():
        setattr(value, name, attribute)


def _attach_all(nodes: list[Value], extras: dict[int, dict[str, Any]]) -> None:
    """The same for some of the nodes that `_restore` has made, by their places."""
    for place, added in extras.items():
        _attach(nodes[place], added)


def rule_of(node: Value) -> Op | None:
    """A node's operation, which its copy shares, also where the table has a newer one of that name by now."""
    if isinstance(node.op, HandMade):
        raise refused(
            node, "a function that captures other nodes can't be copied or pickled; copy what it was made from"
        )
    return node.op


def _known(name: str) -> Op | None:
    if not name:
        return None
    if name[0] == "?":
        return Op(name[1:])
    if name not in TABLE:
        raise ValueError(f"unpickling: unknown operation {name!r}; import the module that adds it to the table first")
    return TABLE[name]


_ENGINES = {"_constants", *getattr(Value, "__slots__", ())}  # attributes; in plain Python slots


def attributes(node: Value) -> dict[str, Any]:
    """The attributes that a user added. Not by asking for `__dict__`: that would make one for every node."""
    state: Any = object.__getstate__(node)  # those in a dict, if there is one; and those in slots
    places = state if isinstance(state, tuple) else (state,)
    return {name: it for place in places for name, it in (place or {}).items() if name not in _ENGINES}


setattr(Op, "__deepcopy__", lambda op, _: op)  # noqa: B010 - the same rule: a copied graph keeps what it was made by
setattr(Value, "__copy__", _copy)  # noqa: B010 - the engine knows nothing of copies
setattr(Value, "__deepcopy__", _deepcopy)  # noqa: B010 - the same
