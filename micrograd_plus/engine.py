"""A Value is a number that remembers how it was made; `backward` walks that memory with the chain rule.

An interior node holds its operation and its arguments, nothing else: the arguments are always older than the node,
so a graph has no cycles and is freed the moment it is dropped. What the operations *are* stands in `ops/table.py`.
"""

from __future__ import annotations

import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Complex, Real
from operator import add, mul, neg
from reprlib import repr as short_repr
from types import CellType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Protocol, SupportsFloat, TypeAlias
from weakref import ReferenceType, ref

NATIVE: Final[bool] = not __file__.endswith((".py", ".pyc"))
"""Whether this engine is built by mypyc, or plain Python."""

if TYPE_CHECKING:
    from mypy_extensions import i32, mypyc_attr
if not (NATIVE or TYPE_CHECKING):

    def mypyc_attr(**_):
        """What speaks to mypyc alone."""
        return lambda kind: kind


Arg: TypeAlias = "Value | float"  # a constant argument is a plain float: its rule never runs
Hook: TypeAlias = Callable[[Any], Any]  # sees a gradient on its way; what it returns, unless None, goes on instead


class Watch(Protocol):
    """Somebody who looks at every node that is made, and at every gradient that is passed back (`detect_anomaly`).

    One that has a method `unreached(node)` is shown the nodes, too, that pass nothing on, for no gradient comes there.
    """

    def made(self, node: Value, op: Op, args: tuple[Arg, ...]) -> None:
        """A node is about to be recorded."""

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        """A node that has the upstream gradient has passed on to its argument, which has this gradient now."""


class Trace(Protocol):
    """Somebody who records a function as a graph, and must know when a number leaves it (`compile`).

    Attributes:
        kind: what the nodes are that are made in the thread that traces.
    """

    kind: type[Value]

    def asked(self, value: Value, how: str) -> None:
        """A plain number is about to be made of a Value, or written to one: `how` says by what."""

    def decided(self, value: Value) -> bool:
        """A Value's `bool()` is about to decide something; what it shall be."""

    def elsewhere(self, args: tuple[Arg, ...]) -> None:
        """A node is about to be made of these in a thread that traces nothing."""


class Leaving(Protocol):
    """Somebody who wants to know when a number leaves the graph of what is being differentiated (`grad`)."""

    def left(self, value: Value, how: str) -> None:
        """A plain number is about to be made of a Value: `how` says by what."""


class Op:
    """One operation: a row of the table in `ops/table.py`, made by `primitive`.

    Attributes:
        name: what it is called.
        forward: its value, a function of one float for each argument, which gives a float.
        partials: for each argument the partial derivative, a function of `(out, *args)`; None for an option.
        masks: for each argument what stops the upstream gradient where it is 0, a function of `(out, *args)`, or None.
        flat: whether nothing at all flows back, as through `floor`.
        halts: for each argument whether nothing flows back to it; None where something does to all.
        domain: for each argument the open interval in which it is defined.
        kinks: a function of the arguments that is 0 where the derivative jumps or the value has a pole, or None.
        options: the trailing arguments that are plain numbers, with their defaults, by name.
        symbol: how it is written in text: a sign, or its name.
        latex: how it is written in LaTeX, with #1 and #2 for the arguments.
        precedence: how tightly it binds when written: 1 sums, 2 products, 3 signs, 4 powers, 9 everything else.
        numpy: NumPy's name for it, or None.
        scipy: that of scipy.special, or None.
        arrays: its value for whole arrays, where NumPy has no name for it, or None.
        sympy: SymPy's name for it, or an expression in x, y, z; "" if that has the same name, or none.
        doc: one line that says what it is.

    >>> square = TABLE["square"]
    >>> out = square.forward(3.0)
    >>> out, square.partials[0](out, 3.0)
    (9.0, 6.0)
    """

    __slots__ = (
        *("name", "forward", "partials", "masks", "flat", "halts", "domain", "kinks", "options"),
        *("symbol", "latex", "precedence", "numpy", "scipy", "arrays", "sympy", "doc"),
    )

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.forward: Callable[..., float] | None = None
        self.partials: tuple[Callable[..., Any] | None, ...] = ()
        self.masks: tuple[Callable[..., Any] | None, ...] = ()
        self.flat = False  # nothing at all flows back
        self.halts: tuple[bool, ...] | None = None  # to which arguments nothing flows back, where there are such
        self.domain: tuple[tuple[float, float], ...] = ()
        self.kinks: Callable[..., float] | None = None
        self.options: dict[str, float] = {}
        self.symbol = ""
        self.latex = ""
        self.precedence = 0
        self.numpy: str | None = None
        self.scipy: str | None = None
        self.arrays: Callable[..., Any] | None = None
        self.sympy = ""
        self.doc = ""

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def pull(self, node: Value) -> None:
        """The chain rule at one node: give each argument its contribution, upstream · partial.

        Where a partial is a mask, a zero of the mask stops the upstream gradient, even an infinite one.

        Args:
            node: a node that this operation made; its gradient is passed on.

        >>> x = Value(3.0)
        >>> y = x.square()
        >>> y.grad = 10.0
        >>> y.op.pull(y)
        >>> x.grad
        60.0
        """
        args = node.args
        if len(args) == 1 and self.partials:  # the loop below for one argument: an activation, in most networks
            (arg,), partial, mask = args, self.partials[0], self.masks[0]
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(node._data, arg._data))
                if mask is None or (slope if mask is partial else mask(node._data, arg._data)):
                    arg._grad += node._grad * slope
            return
        numbers = [arg._data if isinstance(arg, Value) else arg for arg in args]
        for arg, partial, mask in zip(args, self.partials, self.masks):
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(node._data, *numbers))
                if mask is None or (slope if mask is partial else mask(node._data, *numbers)):
                    arg._grad += node._grad * slope

    def tame(self, node: Value) -> bool:
        """Whether a gradient of 0 passes on nothing but zeros there: every slope that no mask stops is finite.

        >>> x = Value(0.0)
        >>> x.square().op.tame(x.square()), x.sqrt().op.tame(x.sqrt())
        (True, False)
        """
        args = node.args
        numbers = [arg._data if isinstance(arg, Value) else arg for arg in args]
        for arg, partial, mask in zip(args, self.partials, self.masks):
            if isinstance(arg, Value) and partial is not None:
                slope = float(partial(node._data, *numbers))
                if slope - slope != 0.0 and (mask is None or mask is partial or mask(node._data, *numbers)):
                    return False
        return True

    def reaches(self, node: Value) -> list[Value]:
        """The arguments that something passes to there: all but those that a mask stops.

        >>> x, y = Value(2.0), Value(3.0)
        >>> z = TABLE["maximum"].reaches(x.maximum(y))
        >>> z == [y]
        True
        """
        args = node.args
        if not any(self.masks):
            return [arg for arg in args if isinstance(arg, Value)] if self.partials else []
        numbers = [arg._data if isinstance(arg, Value) else arg for arg in args]
        return [
            arg
            for arg, mask in zip(args, self.masks)
            if isinstance(arg, Value) and (mask is None or mask(node._data, *numbers))
        ]


class HandMade(Op):
    """The operation of a node whose rule a learner wrote: `out._backward = rule`, as in micrograd.

    Such a rule usually captures the node itself, or the rule that the node had before. Kept as it comes, it would close
    a reference cycle; so what is kept is how to make it from the node, which is done for each call.
    """

    __slots__ = ("rule", "made")

    def __init__(self, name: str, rule: Callable[[], None], node: Value) -> None:
        super().__init__(name)
        self.made: Callable[[Any], Any] | None = _without(rule, node, set())
        self.rule: Callable[[], None] | None = rule if self.made is None else None

    def pull(self, node: Value) -> None:
        rule = self.rule if self.made is None else self.made(node)
        rule()  # type: ignore[misc]  # one of the two is there

    def tame(self, node: Value) -> bool:  # noqa: ARG002 - nobody knows what a rule does
        return False

    def reaches(self, node: Value) -> list[Value]:
        return [arg for arg in node.args if isinstance(arg, Value)]


class Rule:
    """What `node._backward` is: a node's rule as it was when somebody asked for it, whatever is set later.

    >>> x = Value(3.0)
    >>> y = x * 2
    >>> usual = y._backward
    >>> y._backward = lambda: (print("upstream", y.grad), usual())
    >>> y.backward()
    upstream 1.0
    >>> x.grad
    2.0
    """

    __slots__ = ("op", "node")

    def __init__(self, op: Op | None, node: Value) -> None:
        self.op = op
        self.node = node

    def __call__(self) -> None:
        if self.op is not None:
            _alone(_pull, self.op, self.node)


def _without(thing: Any, node: Value, seen: set[int]) -> Callable[[Any], Any] | None:
    """How to make a rule again from the node that it holds; None where it holds none, and may be kept as it is."""
    if thing is node:
        return lambda node: node
    if isinstance(thing, Rule):
        op = thing.op
        return (lambda node: Rule(op, node)) if thing.node is node else None
    if not isinstance(thing, (FunctionType, MethodType, functools.partial)) or id(thing) in seen:
        return None
    seen.add(id(thing))
    if isinstance(thing, FunctionType):
        cells, named = thing.__closure__ or (), thing.__kwdefaults__ or {}
        held = [[_content(cell) for cell in cells], thing.__defaults__ or (), named.values()]
    elif isinstance(thing, functools.partial):
        held = [[thing.func], thing.args, thing.keywords.values()]
    else:
        held = [[thing.__func__, thing.__self__]]
    makers = [[_without(part, node, seen) for part in parts] for parts in held]
    if not any(maker is not None for part in makers for maker in part):
        return None
    kept = [[part if maker is None else None for part, maker in zip(*pair)] for pair in zip(held, makers)]

    def filled(node: Value) -> list[list[Any]]:
        return [[p if make is None else make(node) for p, make in zip(*pair)] for pair in zip(kept, makers)]

    if isinstance(thing, FunctionType):
        code, space, name, keys = thing.__code__, thing.__globals__, thing.__name__, list(named)
        own = [cell if maker is None else None for cell, maker in zip(cells, makers[0])]

        def function(node: Value) -> Any:
            contents, defaults, others = filled(node)
            closure = tuple([CellType(it) if cell is None else cell for cell, it in zip(own, contents)])
            made = FunctionType(code, space, name, tuple(defaults), closure)
            made.__kwdefaults__ = dict(zip(keys, others)) or None
            return made

        return function
    if isinstance(thing, functools.partial):
        words = list(thing.keywords)

        def part_of(node: Value) -> Any:
            (function,), given, others = filled(node)
            return functools.partial(function, *given, **dict(zip(words, others)))

        return part_of
    return lambda node: MethodType(*filled(node)[0])


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


TABLE: Final[dict[str, Op]] = {}
"""Every operation by name; `ops/table.py` fills it, and `primitive`."""


def operation(name: str) -> Op:
    """The operation of that name in the table, new and empty if there is none yet."""
    return TABLE.setdefault(name, Op(name))


# Python's operators need their operations here; the rows in ops/table.py say what these are.
ADD: Final[Op] = operation("add")
SUB: Final[Op] = operation("sub")
MUL: Final[Op] = operation("mul")
DIV: Final[Op] = operation("div")
MOD: Final[Op] = operation("mod")
POW: Final[Op] = operation("pow")
NEG: Final[Op] = operation("neg")
ABS: Final[Op] = operation("abs")
LESS: Final[Op] = operation("less")
LESS_EQUAL: Final[Op] = operation("less_equal")


@mypyc_attr(allow_interpreted_subclasses=True, acyclic=True)
class Value:
    """A real number in a computation graph.

    Args:
        data: a real number: int, float, bool, NumPy scalar, anything with `__float__`; kept as a float.
        _children: a list or tuple of the values that a hand-made node was made from (micrograd's name).
        _op: what made it, for a hand-made node.
        label: a name for reports and pictures.

    Attributes:
        op: the operation that made it, an `Op`; None for a leaf.

    Raises:
        TypeError: `data` is a string, a complex number, a container, a Value, or no number at all.
        OverflowError: `data` is an integer too large for a float, as wherever a number is taken.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    >>> y.label = "y"
    >>> y, y.op, y.args[1]
    (Value(data=10.0, grad=1.0, label='y'), <operation add>, 1.0)
    >>> from micrograd_plus import Neuron
    >>> Neuron(1)([x]).scope
    ReLUNeuron(1)
    """

    __slots__ = ("_data", "_grad", "op", "_a", "_b", "_note", "_mark", "__dict__", "__weakref__")

    def __init__(self, data: SupportsFloat, _children: Iterable[Arg] = (), _op: str = "", label: str = "") -> None:
        self._mark: i32 = 0  # the last walk that came by
        self._data: float = number(data, "Value")
        self._grad: float = 0.0
        self.op: Op | None = Op(_op) if _op or _children else None
        self._a: Arg | None = None
        self._b: Arg | tuple[Arg, ...] | None = None  # a tuple only where there are more than two arguments
        self._note: Any = None  # a label; or the scope; or (label, scope), where a node has both
        if label:
            self.label = label
        if _children:
            children: Iterable[Any] = _children
            self._set_args(tuple([x if isinstance(x, Value) else number(x, "Value") for x in children]))

    @property
    def data(self) -> float:
        """The number itself; writing it recomputes nothing that was made from it.

        Raises:
            TypeError: what is written is no number.
        """
        if _open:
            _tell(self, ".data")
        return self._data

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        if _open:
            _tell(self, ".data =")
        self._data = number(data, "Value.data =")

    @property
    def grad(self) -> float:
        """The derivative, by this value, of whatever `backward` was called on; 0.0 at birth.

        Raises:
            TypeError: what is written is no number.
        """
        if _open:
            _tell(self, ".grad")
        return self._grad

    @grad.setter
    def grad(self, grad: SupportsFloat | None) -> None:
        self._grad = 0.0 if grad is None else number(grad, "Value.grad =")  # None is PyTorch's way to say so

    @property
    def label(self) -> str:
        """A name for reports and pictures; "" when there is none.

        Raises:
            TypeError: what is written is no string.
        """
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
        """What the operation was applied to, as many as it takes, in order; constants are floats, a leaf has none."""
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
        """What it was made from, as micrograd keeps it: of each constant a leaf, the same whenever one asks."""
        return {arg if isinstance(arg, Value) else self._constant(place, arg) for place, arg in self._children()}

    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None:
        if set(children) != self._prev:
            raise AttributeError(
                f"Value._prev = {short_repr(children)}: what a node is made from is said when it is made, as in "
                "Value(data, (x, y), '+')"
            )

    def _children(self) -> list[tuple[int, Arg]]:
        """The arguments with their places, but for those that are part of the operation's name or its options."""
        if self.op is None:
            return []
        args = self.args[: len(self.args) - len(self.op.options)]
        return list(enumerate(args[:1] if self.op is POW and not isinstance(self._b, Value) else args))

    def _constant(self, place: int, number: float) -> Value:
        """The leaf that stands for a constant where micrograd would have one, with the gradient that is its due."""
        leaves: dict[int, Value] | None = getattr(self, "_constants", None)
        if leaves is None:
            setattr(self, "_constants", leaves := {})  # noqa: B010 - an attribute of one's own, as users have them
        leaf: Value = leaves.setdefault(place, Value(number))
        if self.op is not None and place < len(self.op.partials) and (slope := self.op.partials[place]) is not None:
            numbers = (self._data, *[arg._data if isinstance(arg, Value) else arg for arg in self.args])
            mask = self.op.masks[place]
            leaf._grad = 0.0 + self._grad * float(slope(*numbers)) if mask is None or mask(*numbers) else 0.0
        return leaf

    @property
    def _op(self) -> str:
        """How micrograd names the operation: '+', '*', '**2', 'ReLU'; others by their own name, or as one wrote it."""
        given: str | None = getattr(self, "_op_given", None)
        if given is not None:
            return given
        if self.op is None or (self._a is None and isinstance(self.op, HandMade)):
            return ""
        if self.op is POW and isinstance(self._b, float):
            return f"**{self._b:g}"
        return _MICROGRAD_NAMES.get(self.op.name, self.op.name)

    @_op.setter
    def _op(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"Value._op = {short_repr(name)}: expected a string, got {type(name).__name__}")
        setattr(self, "_op_given", name)  # noqa: B010 - the same

    @property
    def _backward(self) -> Callable[[], None]:
        """Call it to apply this node's own rule once; set it to give a node a rule of one's own."""
        return Rule(self.op, self)

    @_backward.setter
    def _backward(self, rule: Callable[[], None]) -> None:
        if not callable(rule):
            raise TypeError(f"Value._backward = {short_repr(rule)}: expected a function without arguments")
        if isinstance(rule, Rule) and rule.node is self:
            self.op = rule.op
        else:
            self.op = HandMade(self._op or "hand-made", rule, self)

    def backward(self) -> None:
        """Add to the gradient of every leaf the derivative of this value by that leaf.

        Interior nodes start fresh at every call and leaves accumulate, so two calls give exactly twice the
        gradient. One pass runs at a time: threads that share leaves lose nothing. A hook or a rule may call it, too:
        that pass adds to the leaves, and the one around it goes on as if nothing had been. Where a pass is broken off,
        by an error or by Ctrl-C, the leaves' gradients are what they were.

        >>> a, b = Value(2.0), Value(-3.0)
        >>> (a * b).backward()
        >>> a.grad, b.grad
        (-3.0, 2.0)
        """
        _alone(_pass, self, None)

    def register_hook(self, hook: Hook) -> Handle:
        """Let a function see this value's gradient as it passes; what it returns, unless None, goes on instead.

        It is called in each backward pass through this value, once, with what all uses gave together. A hook that
        holds this value itself keeps it alive until `.remove()` is called on what comes back.

        Args:
            hook: a function of a gradient, a float (a Value, while a gradient is built as a graph).

        Returns:
            A `Handle`, which takes the hook away again.

        Raises:
            TypeError: it is no function.

        >>> x = Value(3.0)
        >>> handle = x.register_hook(lambda gradient: 10.0 * gradient)
        >>> (x * x).backward()
        >>> x.grad
        60.0
        >>> handle.remove()
        """
        if _open:
            _tell(self, "a hook")
        if not callable(hook):
            raise TypeError(f"register_hook({short_repr(hook)}): expected a function of a gradient")
        return Handle(self, hook)

    def detach(self) -> Value:
        """A leaf with the same number, through which no gradient flows.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
        if _open and (tracing.get() is not None or linking.get()):  # where a leaf can't stand for what others make
            return apply(operation("stop_gradient"), self)
        return Value(self._data)

    # the other side may be an array, which then answers for itself; engine.pyi says what comes of numbers

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return node(ADD, self._data + other._data, self, other)
        if (constant := operand("+", other)) is None:
            return NotImplemented
        return node(ADD, self._data + constant, self, constant)

    def __radd__(self, other: Any) -> Any:
        if overrides(type(self)):
            return NotImplemented if isinstance(other, Value) else add(self, other)
        if (constant := operand("+", other)) is None:
            return NotImplemented
        return node(ADD, constant + self._data, constant, self)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return node(MUL, self._data * other._data, self, other)
        if (constant := operand("*", other)) is None:
            return NotImplemented
        return node(MUL, self._data * constant, self, constant)

    def __rmul__(self, other: Any) -> Any:
        if overrides(type(self)):
            return NotImplemented if isinstance(other, Value) else mul(self, other)
        if (constant := operand("*", other)) is None:
            return NotImplemented
        return node(MUL, constant * self._data, constant, self)

    def __sub__(self, other: Any) -> Any:
        if overrides(type(self)) or overrides(type(other)):
            return add(self, neg(other))
        return _operator(SUB, self, other)

    def __rsub__(self, other: Any) -> Any:
        if overrides(type(self)):
            return NotImplemented if isinstance(other, Value) else add(other, neg(self))
        return _reflected(SUB, other, self)

    def __truediv__(self, other: Any) -> Any:
        if overrides(type(self)) or overrides(type(other)):
            constant = other if isinstance(other, Value) else operand("/", other)
            return NotImplemented if constant is None else mul(self, _inverse(constant))
        return _operator(DIV, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if overrides(type(self)):
            return NotImplemented if isinstance(other, Value) else mul(other, _inverse(self))
        return _reflected(DIV, other, self)

    def __mod__(self, other: Any) -> Any:
        return _operator(MOD, self, other)

    def __rmod__(self, other: Any) -> Any:
        return _reflected(MOD, other, self)

    def __pow__(self, other: Any) -> Any:
        return _operator(POW, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _reflected(POW, other, self)

    def __neg__(self) -> Any:
        return mul(self, -1) if overrides(type(self)) else apply(NEG, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return apply(ABS, self)

    def __lt__(self, other: Any) -> Any:
        return _comparison("<", LESS, self, other)

    def __le__(self, other: Any) -> Any:
        return _comparison("<=", LESS_EQUAL, self, other)

    def __gt__(self, other: Any) -> Any:
        return _comparison(">", LESS, self, other, turned=True)

    def __ge__(self, other: Any) -> Any:
        return _comparison(">=", LESS_EQUAL, self, other, turned=True)

    def __eq__(self, other: object) -> Any:
        return True if self is other else NotImplemented

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __bool__(self) -> bool:
        if _open and (trace := tracing.get()) is not None:
            return trace.decided(self)
        return self._data != 0.0

    def __float__(self) -> float:
        if _open:
            _tell(self, "float()")
        return self._data

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if _open:
            _tell(self, "a format")
        return format(self._data, spec)

    def __repr__(self) -> str:
        if _open and (trace := tracing.get()) is not None:
            trace.asked(self, "repr()")
        label = f", label={self.label!r}" if self.label else ""
        return f"{type(self).__name__}(data={self._data}, grad={self._grad}{label})"


if not NATIVE:
    setattr(Value, "__hash__", object.__hash__)  # noqa: B010 - without the detour over Python; natively it is C anyway


_ARITHMETIC: Final[Any] = (Value.__add__, Value.__mul__, Value.__pow__, Value.__neg__)


def overrides(kind: type[Any]) -> bool:
    """Whether a class of Values has a +, *, ** or - of its own, overridden or patched.

    Then the other operators are made of these, as in micrograd: so whoever wrote them is asked. Natively, setup.py puts
    the comparison of four pointers in the place of this.
    """
    return issubclass(kind, Value) and (kind.__add__, kind.__mul__, kind.__pow__, kind.__neg__) != _ARITHMETIC


_MICROGRAD_NAMES: Final = {"add": "+", "mul": "*", "relu": "ReLU"}
_new: Final = Value.__new__
_set_grad: Final = vars(Value)["_grad"].__set__  # in C: nothing comes between the gradients that one call of it sets
_lock: Final[Any] = threading.RLock()  # re-entrant: a hand-made rule may call backward() itself
_hooks_lock: Final[Any] = threading.RLock()
_running: Pass | None = None  # the innermost pass of the thread that has the lock
recording: Final[ContextVar[bool]] = ContextVar("recording", default=True)
watching: Final[ContextVar[Watch | None]] = ContextVar("watch", default=None)
tracing: Final[ContextVar[Trace | None]] = ContextVar("trace", default=None)
leaving: Final[ContextVar[Leaving | None]] = ContextVar("leaving", default=None)
linking: Final[ContextVar[bool]] = ContextVar("linking", default=False)  # whether detached values remember their origin
_marks = 0  # the last that was given
_open: Final[list[Block]] = []  # those of all threads, no_grad() for one: without any, a new node asks nobody
_hooks: Final[dict[int, tuple[ReferenceType[Value], list[Hook]]]] = {}  # by the id of a value, as long as it lives


def _tell(value: Value, how: str) -> None:
    """Let those who listen know, if there are any, that somebody asks for a value's number."""
    if (trace := tracing.get()) is not None:
        trace.asked(value, how)
    listener = leaving.get()
    for each in opened(leaving) if listener is None else [listener]:  # a thread that the function starts has none
        each.left(value, how)


class Handle:
    """What `register_hook` returns: `remove()`, or the end of a `with` block, takes the hook away again.

    >>> x = Value(3.0)
    >>> with x.register_hook(print):
    ...     (2 * x).backward()
    2.0
    >>> handle = x.register_hook(print)
    >>> handle.remove()
    >>> (2 * x).backward()
    """

    def __init__(self, value: Value, hook: Hook) -> None:
        self._key = id(value)
        self._hook = hook
        self._list: list[Hook] = []
        locked(_hooks_lock, self._enter, value)

    def _enter(self, value: Value) -> None:
        key = self._key
        if key not in _hooks:
            _hooks[key] = (ref(value, lambda _: _hooks.pop(key, None)), [])
        self._list = _hooks[key][1]
        self._list.append(self._hook)

    def remove(self) -> None:
        """Take the hook away; a second time is no error."""
        locked(_hooks_lock, self._leave)

    def _leave(self) -> None:
        for i, hook in enumerate(self._list):
            if hook is self._hook:
                del self._list[i]
                break
        if not self._list and self._key in _hooks and _hooks[self._key][1] is self._list:
            del _hooks[self._key]

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def has_hook(value: Value) -> bool:
    """Whether somebody wants to see this value's gradient."""
    return bool(_hooks) and id(value) in _hooks


def hooks_on(identities: Callable[[], Container[int]]) -> list[Value]:
    """Those of some Values, told by their id(), that have a hook; it takes no time while nothing has one."""
    if not _hooks:
        return []
    those = identities()
    found = [(kept(), hooks) for key, (kept, hooks) in list(_hooks.items()) if key in those]
    return [value for value, hooks in found if value is not None and hooks]


def hooked(value: Value, gradient: Any) -> Any:
    """The gradient after the value's hooks have seen it."""
    entry = _hooks.get(id(value)) if _hooks else None
    if entry is None:
        return gradient
    for hook in tuple(entry[1]):
        changed = hook(gradient)
        if changed is not None:
            gradient = changed if isinstance(gradient, Value) else number(changed, "a hook's")
    return gradient


class Pass:
    """A backward pass that goes on: it sums up in the leaves' own gradients, and keeps what these held before.

    While a hook runs, or a pass within this one, the leaves show what they held, and what is written there stays.
    """

    __slots__ = ("leaves", "grads", "sums")

    def __init__(self, leaves: list[Value], grads: list[float]) -> None:
        self.leaves = leaves
        self.grads = grads  # what the leaves held before, and hold when all is over
        self.sums: list[float] | None = None  # what the pass has summed up, while the leaves show what they held

    def show(self) -> None:
        """Put the sums aside."""
        sums = [leaf._grad for leaf in self.leaves]
        _put(self.leaves, self.grads)
        self.sums = sums

    def hide(self) -> None:
        """Go on with the sums."""
        self.grads[:] = [leaf._grad for leaf in self.leaves]
        sums, self.sums = self.sums, None
        if sums is not None:
            _put(self.leaves, sums)


def _put(values: list[Value], grads: list[float]) -> None:
    _end(_ending(values, grads), values, grads)


def _ending(values: list[Value], grads: list[float]) -> Any:
    """In plain Python, where an interrupt may come between any two steps, what sets all gradients in one call of C."""
    return None if NATIVE else map(_set_grad, values, grads)


def _end(ending: Any, values: list[Value], grads: list[float]) -> None:
    if ending is not None:
        deque(ending, 0)
        return
    for i in range(len(values)):  # natively no interrupt comes in here
        values[i]._grad = grads[i]


def held(values: Sequence[Value]) -> list[float]:
    """The gradients of values, none of them in the middle of another thread's pass."""
    return _alone(_held, values)  # type: ignore[no-any-return]


def _held(values: Sequence[Value]) -> list[float]:
    return [value._grad for value in values]


_OUTSIDE: Final = Pass([], [])  # stands for micrograd's own loop over rules, where one of them calls backward()


def _pull(op: Op, node: Value) -> None:
    """One rule, called by hand."""
    global _running
    outer = _running
    _running = outer or _OUTSIDE
    try:
        op.pull(node)
    finally:
        _running = outer


def _pass(root: Value, xs: Sequence[Value] | None) -> list[float]:
    """Add to the leaves' gradients; or, where there are xs, give the derivatives by these and leave all as it was.

    Every value that the leaves get at the end is put into place by one call in C, as in plain Python an interrupt can
    come between any two steps: before that call all of them are what they were, after it all are complete.
    """
    global _running
    outer = _running
    order, held = _walk([root], None, True)
    if xs is not None:
        for node in order:
            if node.op is not None and node.op.forward is None:
                raise refused(node, UNKNOWN)
        held.extend(xs)
    aside = outer is not None and outer.sums is None
    if outer is not None and aside:
        outer.show()
    leaves = [node for node in held if node._a is None]  # one with a rule set by hand is a leaf, too
    grads = [leaf._grad for leaf in leaves]
    passing = xs is not None or outer is not None  # then what the nodes inside hold is not this pass's to keep
    inner = [(node, node._grad) for node in held if node._a is not None] if passing else []
    running = Pass(leaves, grads)
    ending = _ending(leaves, grads)  # made here, so that nothing need be made where all is put back
    _running = running
    try:
        for node in held:
            if node._grad:
                node._grad = 0.0
        root._grad += 1.0
        _pull_all(root, order)
        derivatives = [x._grad for x in xs] if xs is not None else []
        if xs is None:  # added to the sum, not summed into: so that twice is exactly twice
            grads[:] = [grad + leaf._grad if grad else leaf._grad for leaf, grad in zip(leaves, grads)]
        _end(ending, leaves, grads)
        return derivatives
    except BaseException:
        if running.sums is None:
            _end(ending, leaves, grads)
        raise
    finally:
        _running = outer
        if passing:
            for node in order:
                node._grad = 0.0
            for node, grad in inner:
                node._grad = grad
        if outer is not None and aside:
            outer.hide()


def _alone(work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while no other thread's pass or walk runs."""
    return locked(_lock, _begun, _lock._is_owned(), work, args)


def _begun(within: bool, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    global _running
    if not within:
        _running = None  # whatever an interrupt left there
    return work(*args)


# fmt: off
def locked(lock: Any, work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while this thread holds the lock."""
    with lock: return work(*args)  # noqa: E701 - were it two lines, an interrupt between them would leave it locked
# fmt: on


def _after_fork() -> None:
    """In a child, nobody ends what other threads had begun: their locks are free, their leaves hold what they held."""
    global _running
    if not _lock._is_owned():  # else this very thread is in a pass, which goes on
        if not _lock.acquire(blocking=False) and _running is not None and _running.sums is None:
            _put(_running.leaves, _running.grads)
        _running = None
        _lock._at_fork_reinit()
    if not _hooks_lock._is_owned():
        _hooks_lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _pull_all(root: Value, order: list[Value]) -> None:
    """The chain rule at each node, results before arguments; sums and products without a call.

    A gradient of 0 is a number like any other where it has come; but where none comes, as in a branch that was not
    taken, nothing passes on, not even 0 · inf. The two are told apart only where that matters.
    """
    if _hooks or (_open and watching.get()):
        return _pull_watched(root, order)
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


def reached(roots: Iterable[Value], order: list[Value]) -> set[int]:
    """The ids of the nodes that a gradient comes to: the roots, and on from each those that no mask cuts off.

    Args:
        roots: where gradients start.
        order: the nodes under them that operations made, arguments before results.

    >>> x = Value(-1.0)
    >>> y = x.exp()
    >>> z = apply(TABLE["where"], 0.0, y, x)
    >>> found = reached([z], walk(z)[0])
    >>> id(x) in found, id(y) in found
    (True, False)
    """
    found = {id(root) for root in roots}
    for node in reversed(order):
        if node.op is not None and id(node) in found:
            for arg in node.op.reaches(node):
                found.add(id(arg))
    return found


UNKNOWN = "its derivative is known to backward() alone; make it with mp.primitive"


def derivatives(root: Value, xs: Sequence[Value]) -> list[float]:
    """The derivative of root by each of xs, from a backward pass that leaves every gradient as it was."""
    _tell(root, "a gradient that is no graph")
    return _alone(_pass, root, xs)  # type: ignore[no-any-return]


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
    leaves = {id(root): root} if root.op is None else {}
    found = {id(root)}
    unreached = getattr(watch, "unreached", None)
    for node in reversed(order):
        if has_hook(node):
            _show_to_hooks(node)
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
            _show_to_hooks(leaf)


def _show_to_hooks(value: Value) -> None:
    """Let the hooks see and change a value's gradient; the leaves meanwhile show what they held before the pass."""
    gradient, running = value._grad, _running
    if running is not None:
        running.show()
    try:
        gradient = hooked(value, gradient)
    finally:
        if running is not None:
            running.hide()
    value._grad = gradient


def node(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None = None) -> Value:
    """A new interior node; every one of them is made here."""
    if _open:
        return _noticed(op, data, a, b)
    out = _new(Value)
    out._mark = 0
    out._data = data
    out._grad = 0.0
    out._note = None
    out.op = op
    out._a = a
    out._b = b
    return out


def _noticed(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None) -> Value:
    """The same while blocks are open: a trace wants it to be one of its own, a watch looks at it, or it is a leaf."""
    trace = tracing.get()
    if trace is None:
        for each in _open:
            if each.variable is tracing:
                each.value.elsewhere((a,) if b is None else (a, *b) if isinstance(b, tuple) else (a, b))
    out = _new(Value) if trace is None else _new(trace.kind)
    out._mark = 0
    out._data = data
    out._grad = 0.0
    out._note = None
    out.op = out._a = out._b = None
    if (watch := watching.get()) is not None:
        watch.made(out, op, (a,) if b is None else (a, *b) if isinstance(b, tuple) else (a, b))
    if recording.get():
        out.op = op
        out._a = a
        out._b = b
    else:
        _tell(out, "no_grad()")
    return out


def apply(op: Op, *args: Arg) -> Value:
    """The operation applied to Values and plain floats, recorded."""
    data = op.forward(*[arg._data if isinstance(arg, Value) else arg for arg in args])  # type: ignore[misc]
    return node(op, data, args[0], _rest(args))


def weighed(total: Any, weights: Sequence[Any], xs: Sequence[Any]) -> Any:
    """total + weights[0] * xs[0] + weights[1] * xs[1] + ..., a node for each sign: the sum in a neuron.

    The operators make the same nodes; here nobody has to look for them, weight after weight.
    """
    own = overrides(Value)
    for weight, x in zip(weights, xs):
        if type(weight) is Value and type(x) is Value and type(total) is Value and not own:
            product = node(MUL, weight._data * x._data, weight, x)
            total = node(ADD, total._data + product._data, total, product)
        else:
            total = total + weight * x
    return total


def _rest(args: tuple[Arg, ...]) -> Arg | tuple[Arg, ...] | None:
    """What follows the first argument: none, the second, or a tuple of those there are."""
    return None if len(args) < 2 else args[1] if len(args) == 2 else args[1:]


def walk(
    *roots: Value, skip: Callable[[Value], object] | None = None, flowing: bool = False
) -> tuple[list[Value], list[Value]]:
    """The nodes under the roots that operations made, arguments before results; and leaves, and what holds a gradient.

    Iterative, so depth is free. Made nodes that `skip` names are left out, and what is only under them. With `flowing`,
    what lies only where nothing is passed back, under a comparison or a condition, is left out of the order: not even
    0 · inf comes through these.
    """
    return _alone(_walk, list(reversed(roots)), skip, flowing)  # type: ignore[no-any-return]


def _walk(stack: list[Value], skip: Callable[[Value], object] | None, flowing: bool) -> tuple[list[Value], list[Value]]:
    """What `walk` does. Two numbers of its own mark the nodes it has come by: those still open, and those done with."""
    global _marks
    roots = stack.copy()
    _marks = _marks + 2 if _marks < 2**31 - 3 else 2
    opened: i32 = _marks
    closed: i32 = _marks + 1
    order: list[Value] = []
    held: list[Value] = []
    flat: list[Value] = []
    while True:  # not `while stack`: CPython 3.11 speeds up a loop in its first run only if it jumps back for certain
        if not stack:
            if _marks != opened:  # another walk came by in between, in a signal's handler perhaps
                return _walk(roots, skip, flowing)
            return order, held + _walk(flat, None, False)[1] if flat else held
        node = stack.pop()
        if node._mark == opened:  # by now all its arguments are in order
            node._mark = closed
            order.append(node)
            continue
        while node._mark != closed:  # down along the first arguments
            op = node.op
            if skip is not None and op is not None and skip(node):
                break
            node._mark = closed
            if op is None or node._grad:
                held.append(node)
            if op is None:
                break
            a, b = node._a, node._b
            if flowing and op.halts is not None:
                node._mark = opened
                stack.append(node)
                for arg, halted in reversed(list(zip(node.args, op.halts))):
                    if isinstance(arg, Value):
                        (flat if halted else stack).append(arg)
                break
            if isinstance(b, tuple):
                node._mark = opened
                stack.append(node)
                stack.extend([arg for arg in (*reversed(b), a) if isinstance(arg, Value)])
                break
            first: Value | None = None
            if isinstance(a, Value) and a._mark != closed:
                if a.op is not None:
                    first = a
                else:
                    a._mark = closed
                    held.append(a)
            second: Value | None = None
            if isinstance(b, Value) and b._mark != closed:
                if b.op is not None:
                    second = b
                else:
                    b._mark = closed
                    held.append(b)
            if first is not None:
                node._mark = opened
                stack.append(node)
                if second is not None:
                    stack.append(second)
                node = first
            elif second is not None:
                node._mark = opened
                stack.append(node)
                node = second
            else:
                order.append(node)


def toposort(root: Value) -> list[Value]:
    """Every node under root once, arguments before results.

    It is iterative, so that depth is free: a chain of a million nodes is no problem.

    >>> x = Value(2.0)
    >>> [node._op for node in toposort((x + 1) * x)]
    ['', '+', '*']
    """
    order, _ = walk(root)
    leaves = [arg for node in order for arg in node.args if isinstance(arg, Value) and arg.op is None]
    return [*{id(leaf): leaf for leaf in (leaves if order else [root])}.values(), *order]


class Block:
    """What `block` gives, for a `with`."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self.variable = variable
        self.value = value
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = self.variable.get()
        try:
            _open.append(self)
            self.variable.set(self.value)
        except BaseException:  # an interrupt
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the block, if it has not ended yet."""
        if self in _open:
            self.variable.set(self.before)
            _open.remove(self)


def block(variable: ContextVar[Any], value: Any) -> Block:
    """A block in which the variable has this value and new nodes ask for it."""
    return Block(variable, value)


def opened(variable: ContextVar[Any]) -> list[Any]:
    """The values that a variable has in the blocks which are open, in all threads."""
    return [each.value for each in _open if each.variable is variable]


def within(values: dict[ContextVar[Any], Any], function: Callable[..., Any], *args: Any) -> Any:
    """What the function gives in blocks with these values. An interrupt in any line of this leaves no block open."""
    blocks = [Block(variable, value) for variable, value in values.items()]
    try:
        try:
            for entered in blocks:
                entered.__enter__()
            return function(*args)
        finally:
            for closing in reversed(blocks):
                closing.close()
    finally:  # where an interrupt came into the first one
        for closing in reversed(blocks):
            closing.close()


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing in this block, or in a function decorated with it: results are leaves.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.args
    ()
    """
    with block(recording, False):
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
    with block(recording, True):
        yield


def number(data: Any, where: str) -> float:
    """data as a float, or a TypeError that quotes it."""
    kind = type(data)
    if kind is float:
        return data  # type: ignore[no-any-return]
    if isinstance(data, float):  # NumPy's, mostly: numbers out of an array
        return float(data)
    if kind is not int and (
        not hasattr(kind, "__float__")
        or isinstance(data, Value)
        or (isinstance(data, Complex) and not isinstance(data, Real))
        or hasattr(kind, "__len__")
    ):
        if getattr(data, "shape", None) == () and hasattr(kind, "item"):  # a 0-d array, a scalar of PyTorch's
            try:
                return number(data.item(), where)
            except TypeError:
                pass
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


def operand(symbol: str, other: Any) -> Any:
    """The other side of an operator as a float; None where its own type, an array's say, should answer."""
    kind = type(other)
    if kind is float:
        return other  # the object as it is: natively, a float would be made anew
    if kind is int:
        return number(other, symbol)
    try:
        return number(other, symbol)
    except TypeError:
        if kind.__module__ != "builtins":
            return None
        raise TypeError(
            f"Value {symbol} {short_repr(other)}: expected a number or a Value, got {kind.__name__}"
        ) from None


def _operator(op: Op, value: Value, other: Any) -> Any:
    """value op other, where other stands on the right."""
    if isinstance(other, Value):
        return apply(op, value, other)
    constant = operand(op.symbol, other)
    return NotImplemented if constant is None else apply(op, value, constant)


def _reflected(op: Op, other: Any, value: Value) -> Any:
    """other op value, where other is no Value."""
    constant = operand(op.symbol, other)
    return NotImplemented if constant is None else apply(op, constant, value)


def _inverse(other: Any) -> Any:
    """other**-1, where a number's is infinite at 0."""
    return POW.forward(other, -1.0) if isinstance(other, float) else pow(other, -1)  # type: ignore[misc]


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
