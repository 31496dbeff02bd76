"""A Value is a number that remembers how it was made; `backward` walks that memory with the chain rule.

An interior node holds its operation and its arguments, nothing else: the arguments are always older than the node,
so a graph has no cycles and is freed the moment it is dropped. What the operations *are* stands in `ops.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Complex, Real
from reprlib import repr as short_repr
from types import CellType, FunctionType
from typing import Any, Protocol, SupportsFloat, TypeAlias
from weakref import WeakKeyDictionary

NATIVE = False

Arg: TypeAlias = "Value | float"  # a constant argument is a plain float: its rule never runs
Hook: TypeAlias = Callable[[Any], Any]  # sees a gradient on its way; what it returns, unless None, goes on instead


class Watch(Protocol):
    """Somebody who looks at every node that is made, and at every gradient that is passed back (`detect_anomaly`)."""

    def made(self, node: Value, op: Op, args: tuple[Arg, ...]) -> None:
        """A node is about to be recorded."""

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """A node that has the upstream gradient has passed on to its argument, which has this gradient now."""


class Trace(Protocol):
    """Somebody who records a function as a graph, and must know when a number leaves it (`compile`)."""

    def asked(self, value: Value, how: str) -> None:
        """A plain number is about to be made of a Value, by `float()` or `.data`; or a choice, by `bool()`."""


class Op:
    """One operation: a row of the table in `ops.py`, which says what each column means."""

    __slots__ = (
        *("name", "forward", "partials", "masks", "flat", "domain", "kinks", "options"),
        *("symbol", "latex", "precedence", "numpy", "scipy", "sympy", "doc"),
    )

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.forward: Callable[..., float] | None = None
        self.partials: tuple[Callable[..., Any] | None, ...] = ()
        self.masks: tuple[Callable[..., Any] | None, ...] = ()
        self.flat = False  # nothing at all flows back
        self.domain: tuple[tuple[float, float], ...] = ()
        self.kinks: Callable[..., float] | None = None
        self.options: dict[str, float] = {}
        self.symbol = ""
        self.latex = ""
        self.precedence = 0
        self.numpy: str | None = None
        self.scipy: str | None = None
        self.sympy = ""
        self.doc = ""

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def pull(self, node: Value) -> None:
        """The chain rule at one node: give each argument its contribution, upstream · partial.

        Where a partial is a mask, a zero of the mask stops the upstream gradient, even an infinite one.
        """
        args = node.args
        numbers = [arg._data if isinstance(arg, Value) else arg for arg in args]
        for arg, partial, mask in zip(args, self.partials, self.masks):
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(node._data, *numbers))
                if mask is None or (slope if mask is partial else mask(node._data, *numbers)):
                    arg._grad += node._grad * slope


class HandMade(Op):
    """The operation of a node whose rule a learner wrote: `out._backward = rule`, as in micrograd.

    Such a rule usually captures the node itself. Kept as it comes, it would close a reference cycle, so the cells
    that hold the node are replaced by empty ones, which are filled only while the rule runs.
    """

    __slots__ = ("rule", "cells")

    def __init__(self, name: str, rule: Callable[[], None], node: Value) -> None:
        super().__init__(name)
        self.rule = rule
        self.cells: list[CellType] = []
        if isinstance(rule, FunctionType) and rule.__closure__:
            closure = list(rule.__closure__)
            for i, cell in enumerate(closure):
                if _holds(cell, node):
                    closure[i] = CellType()
                    self.cells.append(closure[i])
            own = FunctionType(rule.__code__, rule.__globals__, rule.__name__, rule.__defaults__, tuple(closure))
            own.__kwdefaults__ = rule.__kwdefaults__
            self.rule = own

    def pull(self, node: Value) -> None:
        for cell in self.cells:
            cell.cell_contents = node
        try:
            self.rule()
        finally:
            for cell in self.cells:
                del cell.cell_contents


def _holds(cell: CellType, node: Value) -> bool:
    try:
        return cell.cell_contents is node
    except ValueError:  # an empty cell
        return False


TABLE: dict[str, Op] = {}  # every operation by name; ops.py fills it


def operation(name: str) -> Op:
    """The operation of that name in the table, new and empty if there is none yet."""
    return TABLE.setdefault(name, Op(name))


# Python's operators need their operations here; the rows in ops.py say what these are.
ADD: Op = operation("add")
SUB: Op = operation("sub")
MUL: Op = operation("mul")
DIV: Op = operation("div")
MOD: Op = operation("mod")
POW: Op = operation("pow")
NEG: Op = operation("neg")
ABS: Op = operation("abs")
LESS: Op = operation("less")
LESS_EQUAL: Op = operation("less_equal")


class Value:
    """A real number in a computation graph.

    Args:
        data: a real number: int, float, bool, NumPy scalar, anything with `__float__`; kept as a float.
        _children: the values a hand-made node was made from (micrograd's name).
        _op: what made it, for a hand-made node.
        label: a name for reports and pictures.

    Raises:
        TypeError: `data` is a string, a complex number, a container, a Value, or no number at all.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = ("_data", "_grad", "op", "_a", "_b", "_note", "__weakref__")

    def __init__(
        self, data: SupportsFloat, _children: tuple[Arg, ...] | set[Value] = (), _op: str = "", *, label: str = ""
    ) -> None:
        self._data: float = number(data, "Value")
        self._grad: float = 0.0
        self.op: Op | None = Op(_op) if _op or _children else None
        self._note: Any = label or None  # a label; or the scope; or (label, scope), where a node has both
        self._a: Arg | None = None
        self._b: Arg | tuple[Arg, ...] | None = None  # a tuple only where there are more than two arguments
        if _children:
            self._set_args(tuple(x if isinstance(x, Value) else number(x, "Value") for x in _children))

    @property
    def data(self) -> float:
        """The number itself. Writing it recomputes nothing that was made from it."""
        if _open:
            _tell(self, ".data")
        return self._data

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        self._data = number(data, "Value.data =")

    @property
    def grad(self) -> float:
        """The derivative, by this value, of whatever `backward` was called on; 0.0 at birth."""
        return self._grad

    @grad.setter
    def grad(self, grad: SupportsFloat) -> None:
        self._grad = number(grad, "Value.grad =")

    @property
    def label(self) -> str:
        """A name for reports and pictures; "" when there is none."""
        note = self._note
        return note if isinstance(note, str) else note[0] if isinstance(note, tuple) else ""

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value.label = {short_repr(label)}: expected a string, got {type(label).__name__}")
        scope = self.scope
        self._note = (label, scope) if label and scope is not None else label or scope

    @property
    def scope(self) -> Any:
        """The module whose output this is, a neuron for one; None for any other value."""
        note = self._note
        return note[1] if isinstance(note, tuple) else None if isinstance(note, str) else note

    @property
    def args(self) -> tuple[Arg, ...]:
        """What the operation was applied to, in order; constants are plain floats, a leaf has none."""
        if self._a is None:
            return ()
        if self._b is None:
            return (self._a,)
        if isinstance(self._b, tuple):
            return (self._a, *self._b)
        return (self._a, self._b)

    def _set_args(self, args: tuple[Arg, ...]) -> None:
        self._a = args[0] if args else None
        self._b = _rest(args)

    @property
    def _prev(self) -> set[Value]:
        """The arguments that are Values, as micrograd keeps them."""
        return {arg for arg in self.args if isinstance(arg, Value)}

    @property
    def _op(self) -> str:
        """How micrograd names the operation: '+', '*', '**2', 'ReLU'; others by their own name."""
        if self.op is None:
            return ""
        if self.op is POW and isinstance(self._b, float):
            return f"**{self._b:g}"
        return _MICROGRAD_NAMES.get(self.op.name, self.op.name)

    @property
    def _backward(self) -> Callable[[], None]:
        """Call it to apply this node's own rule once; set it to give a hand-made node a rule."""
        return self._pull

    @_backward.setter
    def _backward(self, rule: Callable[[], None]) -> None:
        if not callable(rule):
            raise TypeError(f"Value._backward = {short_repr(rule)}: expected a function without arguments")
        self.op = HandMade(self._op or "hand-made", rule, self)

    def _pull(self) -> None:
        with _lock:
            if self.op is not None:
                self.op.pull(self)

    def backward(self) -> None:
        """Add to the gradient of every leaf the derivative of this value by that leaf.

        Interior nodes start fresh at every call and leaves accumulate, so two calls give exactly twice the
        gradient. One pass runs at a time: threads that share leaves lose nothing.

        >>> a, b = Value(2.0), Value(-3.0)
        >>> (a * b).backward()
        >>> a.grad, b.grad
        (-3.0, 2.0)
        """
        with _lock:
            order, held = walk(self, flowing=True)
            before = {node: node._grad for node in held if node.op is None}
            for node in held:
                node._grad = 0.0
            self._grad += 1.0
            try:
                _pull_all(self, order)
            finally:
                for leaf, grad in before.items():  # added to the sum, not summed into: so that twice is exactly twice
                    leaf._grad += grad

    def register_hook(self, hook: Hook) -> Handle:
        """Let a function see this value's gradient as it passes; what it returns, unless None, goes on instead.

        It is called in each backward pass through this value, once, with what all uses gave together. A hook that
        holds this value itself keeps it alive until `.remove()` is called on what comes back.

        >>> x = Value(3.0)
        >>> handle = x.register_hook(lambda gradient: 10.0 * gradient)
        >>> (x * x).backward()
        >>> x.grad
        60.0
        >>> handle.remove()
        """
        if not callable(hook):
            raise TypeError(f"register_hook({short_repr(hook)}): expected a function of a gradient")
        return Handle(self, hook)

    def detach(self) -> Value:
        """A leaf with the same number, through which no gradient flows."""
        return Value(self._data)

    def __add__(self, other: Arg) -> Value:
        if isinstance(other, Value):
            return node(ADD, self._data + other._data, self, other)
        if (constant := operand("+", other)) is None:
            return NotImplemented
        return node(ADD, self._data + constant, self, constant)

    def __radd__(self, other: float) -> Value:
        if (constant := operand("+", other)) is None:
            return NotImplemented
        return node(ADD, constant + self._data, constant, self)

    def __mul__(self, other: Arg) -> Value:
        if isinstance(other, Value):
            return node(MUL, self._data * other._data, self, other)
        if (constant := operand("*", other)) is None:
            return NotImplemented
        return node(MUL, self._data * constant, self, constant)

    def __rmul__(self, other: float) -> Value:
        if (constant := operand("*", other)) is None:
            return NotImplemented
        return node(MUL, constant * self._data, constant, self)

    def __sub__(self, other: Arg) -> Value:
        return _operator(SUB, self, other)

    def __rsub__(self, other: float) -> Value:
        return _reflected(SUB, other, self)

    def __truediv__(self, other: Arg) -> Value:
        return _operator(DIV, self, other)

    def __rtruediv__(self, other: float) -> Value:
        return _reflected(DIV, other, self)

    def __mod__(self, other: Arg) -> Value:
        return _operator(MOD, self, other)

    def __rmod__(self, other: float) -> Value:
        return _reflected(MOD, other, self)

    def __pow__(self, other: Arg) -> Value:
        return _operator(POW, self, other)

    def __rpow__(self, other: float) -> Value:
        return _reflected(POW, other, self)

    def __neg__(self) -> Value:
        return apply(NEG, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return apply(ABS, self)

    def __lt__(self, other: Arg) -> Any:
        return _comparison("<", LESS, self, other)

    def __le__(self, other: Arg) -> Any:
        return _comparison("<=", LESS_EQUAL, self, other)

    def __gt__(self, other: Arg) -> Any:
        return _comparison(">", LESS, self, other, turned=True)

    def __ge__(self, other: Arg) -> Any:
        return _comparison(">=", LESS_EQUAL, self, other, turned=True)

    def __bool__(self) -> bool:
        if _open:
            _tell(self, "bool()")
        return self._data != 0.0

    def __float__(self) -> float:
        if _open:
            _tell(self, "float()")
        return self._data

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"{type(self).__name__}(data={self._data}, grad={self._grad}{label})"


_MICROGRAD_NAMES = {"add": "+", "mul": "*", "relu": "ReLU"}
_new = Value.__new__
_lock = threading.RLock()  # re-entrant: a hand-made rule may call backward() itself
_recording: ContextVar[bool] = ContextVar("recording", default=True)
watching: ContextVar[Watch | None] = ContextVar("watch", default=None)
tracing: ContextVar[Trace | None] = ContextVar("trace", default=None)
_open = 0  # how many blocks, such as no_grad(), are open in any thread: while there is none, a new node asks nobody
_hooks: WeakKeyDictionary[Value, list[Hook]] = WeakKeyDictionary()


def _tell(value: Value, how: str) -> None:
    """Let the trace know, if there is one, that somebody asks for a value's number."""
    if (trace := tracing.get()) is not None:
        trace.asked(value, how)


class Handle:
    """What `register_hook` returns: `remove()`, or the end of a `with` block, takes the hook away again."""

    def __init__(self, value: Value, hook: Hook) -> None:
        self._list = _hooks.setdefault(value, [])
        self._hook = hook
        self._list.append(hook)

    def remove(self) -> None:
        """Take the hook away; a second time is no error."""
        if self._hook in self._list:
            self._list.remove(self._hook)
        for value in [value for value, hooks in _hooks.items() if not hooks]:
            del _hooks[value]

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def hooked(value: Value, gradient: Any) -> Any:
    """The gradient after the value's hooks have seen it."""
    if not _hooks:
        return gradient
    for hook in tuple(_hooks.get(value, ())):
        changed = hook(gradient)
        if changed is not None:
            gradient = changed if isinstance(gradient, Value) else number(changed, "a hook's")
    return gradient


def _pull_all(root: Value, order: list[Value]) -> None:
    """The chain rule at each node, results before arguments; sums and products without a call."""
    if _hooks or (_open and watching.get()):
        return _pull_watched(root, order)
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
            if not isinstance(a, Value):
                b._grad += upstream * a  # type: ignore[union-attr, operator]  # one of the two is a Value
            elif isinstance(b, Value):
                a._grad += upstream * b._data
                b._grad += upstream * a._data
            else:
                a._grad += upstream * b  # type: ignore[operator]
        elif op is not None:
            op.pull(node)
    return None


UNKNOWN = "its derivative is known to backward() alone; make it with mp.primitive"


def derivatives(root: Value, xs: Sequence[Value]) -> list[float]:
    """The derivative of root by each of xs, from a backward pass that leaves every gradient as it was."""
    with _lock:
        order, held = walk(root, flowing=True)
        for node in order:
            if node.op is not None and node.op.forward is None:
                raise refused(node, UNKNOWN)
        before = {node: node._grad for node in (*held, *xs)}
        for node in before:
            node._grad = 0.0
        root._grad = 1.0
        try:
            _pull_all(root, order)
            return [x._grad for x in xs]
        finally:
            for node in walk(root)[1]:
                node._grad = 0.0
            for node, grad in before.items():
                node._grad = grad


def refused(node: Value, why: str) -> TypeError:
    """The error for a node whose rule a learner wrote, where the rule of a row is needed."""
    label = f" labelled {node.label!r}" if node.label else ""
    name = node.op.name if node.op else ""
    return TypeError(
        f"{node!r}{label}: the rule of this {name!r} was set by hand (its _backward), and {why}, or detach() it"
    )


def _pull_watched(root: Value, order: list[Value]) -> None:
    """The same where somebody looks on: hooks on gradients, or a watch."""
    watch = watching.get()
    leaves = {root: None} if root.op is None else {}
    for node in reversed(order):
        node._grad = hooked(node, node._grad)
        if node.op is not None:
            node.op.pull(node)
        for arg in node.args:
            if isinstance(arg, Value):
                if watch is not None:
                    watch.passed(node, arg, node._grad, arg._grad)
                if arg.op is None:
                    leaves[arg] = None
    for leaf in leaves:
        leaf._grad = hooked(leaf, leaf._grad)


def node(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None = None) -> Value:
    """A new interior node; every one of them is made here."""
    out = _new(Value)
    out._data = data
    out._grad = 0.0
    out._note = None
    if _open and not _recorded(out, op, a, b):
        out.op = out._a = out._b = None
    else:
        out.op = op
        out._a = a
        out._b = b
    return out


def _recorded(out: Value, op: Op, a: Arg, b: Arg | tuple[Arg, ...] | None) -> bool:
    """Whether the blocks that are open want this node recorded; a watch may look at it first."""
    if (watch := watching.get()) is not None:
        watch.made(out, op, (a,) if b is None else (a, *b) if isinstance(b, tuple) else (a, b))
    return _recording.get()


def apply(op: Op, *args: Arg) -> Value:
    """The operation applied to Values and plain floats, recorded."""
    data = op.forward(*[arg._data if isinstance(arg, Value) else arg for arg in args])  # type: ignore[misc]
    return node(op, data, args[0], _rest(args))


def _rest(args: tuple[Arg, ...]) -> Arg | tuple[Arg, ...] | None:
    """What follows the first argument: none, the second, or a tuple of those there are."""
    return None if len(args) < 2 else args[1] if len(args) == 2 else args[1:]


def walk(
    *roots: Value, skip: Callable[[Value], object] | None = None, flowing: bool = False
) -> tuple[list[Value], list[Value]]:
    """The nodes under the roots that operations made, arguments before results; and all nodes that hold a gradient.

    Iterative, so depth is free. Made nodes that `skip` names are left out, and what is only under them. With `flowing`,
    what lies only under operations that pass nothing back, such as a comparison, is left out of the order: not even
    0 · inf comes through these.
    """
    order: list[Value] = []
    held: list[Value] = []
    flat: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = list(reversed(roots))
    while True:  # not `while stack`: CPython 3.11 speeds up a loop in its first run only if it jumps back for certain
        if not stack:
            return order, held + walk(*flat)[1] if flat else held
        node = stack.pop()
        if node is None:  # all arguments of the node below are in order
            order.append(stack.pop())  # type: ignore[arg-type]  # a node lies below every None
        elif (op := node.op) is None:
            if node._grad:
                held.append(node)
        elif node not in seen and (skip is None or not skip(node)):
            seen.add(node)
            if node._grad:
                held.append(node)
            if flowing and op.flat:
                order.append(node)
                flat.append(node)
                continue
            stack.append(node)
            stack.append(None)
            a, b = node._a, node._b
            if isinstance(b, Value):
                if b.op is None:
                    if b._grad:
                        held.append(b)
                elif b not in seen:
                    stack.append(b)
            elif isinstance(b, tuple):
                stack.extend([arg for arg in reversed(b) if isinstance(arg, Value)])
            if isinstance(a, Value):
                if a.op is None:
                    if a._grad:
                        held.append(a)
                elif a not in seen:
                    stack.append(a)


def toposort(root: Value) -> list[Value]:
    """Every node under root once, arguments before results.

    >>> x = Value(2.0)
    >>> [node._op for node in toposort((x + 1) * x)]
    ['', '+', '*']
    """
    order, _ = walk(root)
    leaves = [arg for node in order for arg in node.args if isinstance(arg, Value) and arg.op is None]
    return [*dict.fromkeys(leaves if order else [root]), *order]


@contextmanager
def block(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """A block in which the variable has this value and new nodes ask for it."""
    global _open
    with _lock:
        _open += 1
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
        with _lock:
            _open -= 1


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing in this block, or in a function decorated with it: results are leaves.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.args
    ()
    """
    with block(_recording, False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record in this block, even inside `no_grad`: a gradient needs the graph of what it differentiates.

    >>> x = Value(2.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.args == (x, x)
    True
    """
    with block(_recording, True):
        yield


def number(data: Any, where: str) -> float:
    """data as a float, or a TypeError that quotes it."""
    kind = type(data)
    if kind is float:
        return data  # type: ignore[no-any-return]
    if kind is not int and (
        not hasattr(kind, "__float__")
        or isinstance(data, Value)
        or (isinstance(data, Complex) and not isinstance(data, Real))
        or hasattr(kind, "__len__")
    ):
        raise _no_number(data, where)
    try:
        return float(data)
    except TypeError:
        raise _no_number(data, where) from None
    except OverflowError:
        raise OverflowError(f"{where}({short_repr(data)}): expected a number that fits a float") from None


def _no_number(data: Any, where: str) -> TypeError:
    quoted = f"{where} {short_repr(data)}" if where[-1] == "=" else f"{where}({short_repr(data)})"
    return TypeError(f"{quoted}: expected a real number, got {type(data).__name__}")


def operand(symbol: str, other: Any) -> float | None:
    """The other side of an operator as a float; None where its own type, an array's say, should answer."""
    if type(other) is float:
        return other
    if type(other) is int:
        return number(other, symbol)
    try:
        return number(other, symbol)
    except TypeError:
        if type(other).__module__ != "builtins":
            return None
        kind = type(other).__name__
        raise TypeError(f"Value {symbol} {short_repr(other)}: expected a number or a Value, got {kind}") from None


def _operator(op: Op, value: Value, other: Any) -> Value:
    """value op other, where other stands on the right."""
    if isinstance(other, Value):
        return apply(op, value, other)
    constant = operand(op.symbol, other)
    return NotImplemented if constant is None else apply(op, value, constant)


def _reflected(op: Op, other: Any, value: Value) -> Value:
    """other op value, where other is no Value."""
    constant = operand(op.symbol, other)
    return NotImplemented if constant is None else apply(op, constant, value)


def _comparison(symbol: str, op: Op, value: Value, other: Any, turned: bool = False) -> Any:
    """A bool; but a node while a function is traced, which is told when its bool() decides something."""
    constant = other if isinstance(other, Value) else operand(symbol, other)
    if constant is None:
        return NotImplemented
    if _open and tracing.get() is not None:
        return apply(op, constant, value) if turned else apply(op, value, constant)
    number = constant._data if isinstance(constant, Value) else constant
    x, y = (number, value._data) if turned else (value._data, number)
    return x < y if op is LESS else x <= y
