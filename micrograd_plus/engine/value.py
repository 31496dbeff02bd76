"""A Value is a number that remembers how it was made; `backward` walks that memory with the chain rule.

An interior node holds its operation and its arguments, nothing else: the arguments are always older than the node,
so a graph has no cycles and is freed the moment it is dropped. What the operations *are* stands in `ops/table.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import add, mul, neg
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Final, SupportsFloat

from micrograd_plus.engine.noticing import noticed
from micrograd_plus.engine.operations import (
    ABS,
    ADD,
    DIV,
    LESS,
    LESS_EQUAL,
    MOD,
    MUL,
    NEG,
    POW,
    SUB,
    Arg,
    Op,
    operation,
)
from micrograd_plus.engine.recording import linking, open_blocks, tell, tracing
from micrograd_plus.engine.scalars import number, operand

NATIVE: Final[bool] = not __file__.endswith((".py", ".pyc"))
"""Whether this engine is built by mypyc, or plain Python."""

if TYPE_CHECKING:
    from mypy_extensions import i32, mypyc_attr

    from micrograd_plus.engine.hooks import Handle, Hook
if not (NATIVE or TYPE_CHECKING):

    def mypyc_attr(**_):
        """What speaks to mypyc alone."""
        return lambda kind: kind


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
        self._mark: i32 = 0  # the number of the last walk that came here
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
        if open_blocks:
            tell(self, ".data")
        return self._data

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        if open_blocks:
            tell(self, ".data =")
        self._data = number(data, "Value.data =")

    @property
    def grad(self) -> float:
        """The derivative, by this value, of whatever `backward` was called on; 0.0 at birth.

        Raises:
            TypeError: what is written is no number.
        """
        if open_blocks:
            tell(self, ".grad")
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
        """The module whose output this is, a neuron for one, or the function, or the block it was made in; or None."""
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
        from micrograd_plus.engine.micrograd_names import children

        return children(self)

    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None:
        from micrograd_plus.engine.micrograd_names import check_children

        check_children(self, children)

    @property
    def _op(self) -> str:
        """How micrograd names the operation: '+', '*', '**2', 'ReLU'; others by their own name, or as one wrote it."""
        from micrograd_plus.engine.micrograd_names import op_name

        return op_name(self)

    @_op.setter
    def _op(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"Value._op = {short_repr(name)}: expected a string, got {type(name).__name__}")
        setattr(self, "_op_given", name)  # noqa: B010 - the same

    @property
    def _backward(self) -> Callable[[], None]:
        """Call it to apply this node's own rule once; set it to give a node a rule of one's own."""
        from micrograd_plus.engine.handmade import Rule

        return Rule(self.op, self)

    @_backward.setter
    def _backward(self, rule: Callable[[], None]) -> None:
        from micrograd_plus.engine.handmade import set_rule

        set_rule(self, rule)

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
        from micrograd_plus.engine.backward import add_gradients

        add_gradients(self)

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
        from micrograd_plus.engine.hooks import Handle

        return Handle(self, hook)

    def detach(self) -> Value:
        """A leaf with the same number, through which no gradient flows.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
        if open_blocks and (
            tracing.get() is not None or linking.get()
        ):  # a trace and a picture must still find where the number came from
            return apply(operation("stop_gradient"), self)
        return Value(self._data)

    # the other side may be an array, which then answers for itself; value.pyi says what comes of numbers

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
        if open_blocks and (trace := tracing.get()) is not None:
            return trace.decided(self)
        return self._data != 0.0

    def __float__(self) -> float:
        if open_blocks:
            tell(self, "float()")
        return self._data

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if open_blocks:
            tell(self, "a format")
        return format(self._data, spec)

    def __repr__(self) -> str:
        if open_blocks and (trace := tracing.get()) is not None:
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


_new: Final = Value.__new__


def node(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None = None) -> Value:
    """A new interior node; every one of them is made here."""
    if open_blocks:
        return noticed(Value, op, data, a, b)  # type: ignore[no-any-return]
    out = _new(Value)
    out._mark = 0
    out._data = data
    out._grad = 0.0
    out._note = None
    out.op = op
    out._a = a
    out._b = b
    return out


def apply(op: Op, *args: Arg) -> Value:
    """The operation applied to Values and plain floats, recorded."""
    data = op.forward(*[arg._data if isinstance(arg, Value) else arg for arg in args])  # type: ignore[misc]
    return node(op, data, args[0], _rest(args))


def _rest(args: tuple[Arg, ...]) -> Arg | tuple[Arg, ...] | None:
    """What follows the first argument: none, the second, or a tuple of those there are."""
    return None if len(args) < 2 else args[1] if len(args) == 2 else args[1:]


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
    if open_blocks and tracing.get() is not None:
        return apply(op, constant, value) if turned else apply(op, value, constant)
    number = constant._data if isinstance(constant, Value) else constant
    x, y = (number, value._data) if turned else (value._data, number)
    return x < y if op is LESS else x <= y
