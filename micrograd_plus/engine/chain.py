"""The chain rule at each node: results before arguments, each argument its share."""

from __future__ import annotations

from micrograd_plus.engine.hooks import has_hook, hooked, hooks
from micrograd_plus.engine.leaves import Pass
from micrograd_plus.engine.operations import ADD, MUL, Arg
from micrograd_plus.engine.recording import open_blocks, watching
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import reached


def pull_all(root: Value, order: list[Value], running: Pass) -> None:
    """The chain rule at each node, results before arguments; sums and products without a call.

    A gradient of 0 is a number like any other where it has come; but where none comes, as in a branch that was not
    taken, nothing passes on, not even 0 · inf. The two are told apart only where that matters.
    """
    if hooks or (open_blocks and watching.get()):
        return _pull_watched(root, order, running)
    found: set[int] | None = None
    for node in reversed(order):
        op, a, b = node.op, node._a, node._b
        if op is ADD:
            upstream = node._grad
            if isinstance(a, Value):  # the first contribution is kept as it is: half of all gradients
                a._grad = a._grad + upstream if a._grad else upstream  # share one float object so
            if isinstance(b, Value):
                b._grad = b._grad + upstream if b._grad else upstream
        elif op is MUL:
            upstream = node._grad
            if upstream == 0.0:
                if _finite(a) and _finite(b):
                    continue
                if found is None:
                    found = reached([root], order)
                if id(node) not in found:
                    continue
            if not isinstance(a, Value):
                b._grad += upstream * a  # type: ignore[union-attr, operator]  # one of the two is a Value
            elif isinstance(b, Value):
                a._grad += upstream * b._data
                b._grad += upstream * a._data
            else:
                a._grad += upstream * b  # type: ignore[operator]
        elif op is not None:
            if node._grad == 0.0:
                if op.tame(node):
                    continue
                if found is None:
                    found = reached([root], order)
                if id(node) not in found:
                    continue
            op.pull(node)
    return None


def _finite(arg: Arg | tuple[Arg, ...] | None) -> bool:
    number: float = arg._data if isinstance(arg, Value) else arg  # type: ignore[assignment]  # a product has two
    return number - number == 0.0


def _pull_watched(root: Value, order: list[Value], running: Pass) -> None:
    """The same where somebody looks on: hooks on gradients, or a watch."""
    watch = watching.get()
    leaves = {id(root): root} if root.op is None else {}
    found = {id(root)}
    unreached = getattr(watch, "unreached", None)
    for node in reversed(order):
        if has_hook(node):
            _show_to_hooks(node, running)
        if node.op is not None:
            if node._grad == 0.0 and (node.op.tame(node) or id(node) not in found):
                if unreached is not None and id(node) not in found:
                    unreached(node)
            else:
                node.op.pull(node)
            if node._grad or id(node) in found:  # a hook can make a gradient where none came
                found.update([id(arg) for arg in node.op.reaches(node)])
        for arg in node.args:
            if isinstance(arg, Value):
                if watch is not None:
                    watch.passed(node, arg, node._grad, arg._grad)
                if arg.op is None:
                    leaves[id(arg)] = arg
    for leaf in leaves.values():
        if has_hook(leaf):
            _show_to_hooks(leaf, running)


def _show_to_hooks(value: Value, running: Pass) -> None:
    """Let the hooks see and change a value's gradient; the leaves meanwhile show what they held before the pass."""
    gradient = value._grad
    running.show()
    try:
        gradient = hooked(value, gradient)
    finally:
        running.hide()
    value._grad = gradient
