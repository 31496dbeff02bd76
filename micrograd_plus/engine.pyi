# Written by `python -m micrograd_plus.ops.stubs` from engine.py and the table in ops/table.py; edit those.
from _typeshed import Incomplete
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import CellType
from typing import Any, Final, Protocol, SupportsFloat, TypeAlias
from weakref import ReferenceType

NATIVE: Final[bool]
Arg: TypeAlias = Value | float
Hook: TypeAlias = Callable[[Any], Any]

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
    '''One operation: a row of the table in `ops/table.py`, made by `primitive`.

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
        numpy: NumPy\'s name for it, or None.
        scipy: that of scipy.special, or None.
        arrays: its value for whole arrays, where NumPy has no name for it, or None.
        sympy: SymPy\'s name for it, or an expression in x, y, z; "" if that has the same name, or none.
        doc: one line that says what it is.

    >>> square = TABLE["square"]
    >>> out = square.forward(3.0)
    >>> out, square.partials[0](out, 3.0)
    (9.0, 6.0)
    '''
    __slots__: Incomplete
    name: str
    forward: Callable[..., float] | None
    partials: tuple[Callable[..., Any] | None, ...]
    masks: tuple[Callable[..., Any] | None, ...]
    flat: bool
    halts: tuple[bool, ...] | None
    domain: tuple[tuple[float, float], ...]
    kinks: Callable[..., float] | None
    options: dict[str, float]
    symbol: str
    latex: str
    precedence: int
    numpy: str | None
    scipy: str | None
    arrays: Callable[..., Any] | None
    sympy: str
    doc: str
    def __init__(self, name: str) -> None: ...
    def __repr__(self) -> str: ...
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
    def tame(self, node: Value) -> bool:
        """Whether a gradient of 0 passes on nothing but zeros there: every slope that no mask stops is finite.

        >>> x = Value(0.0)
        >>> x.square().op.tame(x.square()), x.sqrt().op.tame(x.sqrt())
        (True, False)
        """
    def reaches(self, node: Value) -> list[Value]:
        '''The arguments that something passes to there: all but those that a mask stops.

        >>> x, y = Value(2.0), Value(3.0)
        >>> z = TABLE["maximum"].reaches(x.maximum(y))
        >>> z == [y]
        True
        '''

class HandMade(Op):
    """The operation of a node whose rule a learner wrote: `out._backward = rule`, as in micrograd.

    Such a rule usually captures the node itself, or the rule that the node had before. Kept as it comes, it would close
    a reference cycle; so what is kept is how to make it from the node, which is done for each call.
    """
    __slots__: Incomplete
    made: Callable[[Any], Any] | None
    rule: Callable[[], None] | None
    def __init__(self, name: str, rule: Callable[[], None], node: Value) -> None: ...
    def pull(self, node: Value) -> None: ...
    def tame(self, node: Value) -> bool: ...
    def reaches(self, node: Value) -> list[Value]: ...

class Rule:
    '''What `node._backward` is: a node\'s rule as it was when somebody asked for it, whatever is set later.

    >>> x = Value(3.0)
    >>> y = x * 2
    >>> usual = y._backward
    >>> y._backward = lambda: (print("upstream", y.grad), usual())
    >>> y.backward()
    upstream 1.0
    >>> x.grad
    2.0
    '''
    __slots__: Incomplete
    op: Incomplete
    node: Incomplete
    def __init__(self, op: Op | None, node: Value) -> None: ...
    def __call__(self) -> None: ...

def _without(thing: Any, node: Value, seen: set[int]) -> Callable[[Any], Any] | None:
    """How to make a rule again from the node that it holds; None where it holds none, and may be kept as it is."""
def _content(cell: CellType) -> Any: ...

TABLE: Final[dict[str, Op]]

def operation(name: str) -> Op:
    """The operation of that name in the table, new and empty if there is none yet."""

ADD: Final[Op]
SUB: Final[Op]
MUL: Final[Op]
DIV: Final[Op]
MOD: Final[Op]
POW: Final[Op]
NEG: Final[Op]
ABS: Final[Op]
LESS: Final[Op]
LESS_EQUAL: Final[Op]

class Value:
    '''A real number in a computation graph.

    Args:
        data: a real number: int, float, bool, NumPy scalar, anything with `__float__`; kept as a float.
        _children: a list or tuple of the values that a hand-made node was made from (micrograd\'s name).
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
    (Value(data=10.0, grad=1.0, label=\'y\'), <operation add>, 1.0)
    >>> from micrograd_plus import Neuron
    >>> Neuron(1)([x]).scope
    ReLUNeuron(1)
    '''
    __slots__: Incomplete
    _mark: int
    _data: float
    _grad: float
    op: Op | None
    _a: Arg | None
    _b: Arg | tuple[Arg, ...] | None
    _note: Any
    def __init__(self, data: SupportsFloat, _children: Iterable[Arg] = (), _op: str = '', label: str = '') -> None: ...
    @property
    def data(self) -> float:
        """The number itself; writing it recomputes nothing that was made from it.

        Raises:
            TypeError: what is written is no number.
        """
    @data.setter
    def data(self, data: SupportsFloat) -> None: ...
    @property
    def grad(self) -> float:
        """The derivative, by this value, of whatever `backward` was called on; 0.0 at birth.

        Raises:
            TypeError: what is written is no number.
        """
    @grad.setter
    def grad(self, grad: SupportsFloat | None) -> None: ...
    @property
    def label(self) -> str:
        '''A name for reports and pictures; "" when there is none.

        Raises:
            TypeError: what is written is no string.
        '''
    @label.setter
    def label(self, label: str) -> None: ...
    @property
    def scope(self) -> Any:
        """The module whose output this is, a neuron for one; None for any other value."""
    @property
    def args(self) -> tuple[Arg, ...]:
        """What the operation was applied to, as many as it takes, in order; constants are floats, a leaf has none."""
    def _set_args(self, args: tuple[Arg, ...]) -> None: ...
    @property
    def _prev(self) -> set[Value]:
        """What it was made from, as micrograd keeps it: of each constant a leaf, the same whenever one asks."""
    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None: ...
    def _children(self) -> list[tuple[int, Arg]]:
        """The arguments with their places, but for those that are part of the operation's name or its options."""
    def _constant(self, place: int, number: float) -> Value:
        """The leaf that stands for a constant where micrograd would have one, with the gradient that is its due."""
    @property
    def _op(self) -> str:
        """How micrograd names the operation: '+', '*', '**2', 'ReLU'; others by their own name, or as one wrote it."""
    @_op.setter
    def _op(self, name: str) -> None: ...
    @property
    def _backward(self) -> Callable[[], None]:
        """Call it to apply this node's own rule once; set it to give a node a rule of one's own."""
    @_backward.setter
    def _backward(self, rule: Callable[[], None]) -> None: ...
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
    def detach(self) -> Value:
        """A leaf with the same number, through which no gradient flows.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
    def add(self, y: Arg, /) -> Value:
        """x + y."""
    def sub(self, y: Arg, /) -> Value:
        """x - y."""
    def mul(self, y: Arg, /) -> Value:
        """x · y."""
    def div(self, y: Arg, /) -> Value:
        """x / y, infinite or nan at y = 0."""
    def mod(self, y: Arg, /) -> Value:
        """The remainder of x / y, with the sign of y."""
    def pow(self, y: Arg, /) -> Value:
        """x to the power y, nan where that is complex."""
    def pow_log(self, y: Arg, z: Arg, /) -> Value:
        """X**y · ln(x)**n for n = 0, 1, 2, ..., how x**y grows with y, 0 at x = 0 with y ≥ 0 and n > 0."""
    def neg(self) -> Value:
        """-x."""
    def reciprocal(self) -> Value:
        """1 / x."""
    def square(self) -> Value:
        """X²."""
    def sqrt(self) -> Value:
        """The square root."""
    def cbrt(self) -> Value:
        """The cube root, of negative numbers too."""
    def one_minus_square(self) -> Value:
        """1 - x², exact near 1 and -1."""
    def rsqrt(self) -> Value:
        """1 / √x."""
    def exp(self) -> Value:
        """e to the power x."""
    def exp2(self) -> Value:
        """2 to the power x."""
    def expm1(self) -> Value:
        """Exp(x) - 1, exact near 0."""
    def log(self) -> Value:
        """The natural logarithm."""
    def log2(self) -> Value:
        """The logarithm to base 2."""
    def log10(self) -> Value:
        """The logarithm to base 10."""
    def log1p(self) -> Value:
        """Ln(1 + x), exact near 0."""
    def logaddexp(self, y: Arg, /) -> Value:
        """Ln(exp(x) + exp(y))."""
    def abs(self) -> Value:
        """The absolute value."""
    def sign(self) -> Value:
        """-1, 0 or 1."""
    def floor(self) -> Value:
        """The largest integer ≤ x."""
    def ceil(self) -> Value:
        """The smallest integer ≥ x."""
    def trunc(self) -> Value:
        """x without its fraction."""
    def round(self) -> Value:
        """The nearest integer, halves to the even one."""
    def maximum(self, y: Arg, /) -> Value:
        """The larger one, nan if either is."""
    def minimum(self, y: Arg, /) -> Value:
        """The smaller one, nan if either is."""
    def clamp(self, min: float = ..., max: float = ...) -> Value:
        """x held between min and max."""
    def less(self, y: Arg, /) -> Value:
        """1 where x < y, else 0."""
    def less_equal(self, y: Arg, /) -> Value:
        """1 where x ≤ y, else 0."""
    def equal(self, y: Arg, /) -> Value:
        """1 where x = y, else 0."""
    def where(self, x: Arg, y: Arg, /) -> Value:
        """x where the condition is not 0, else y."""
    def copysign(self, y: Arg, /) -> Value:
        """The size of x with the sign of y."""
    def hypot(self, y: Arg, /) -> Value:
        """√(x² + y²)."""
    def direction(self, y: Arg, /) -> Value:
        """x / √(x² + y²), the cosine of the angle of the point (x, y)."""
    def stop_gradient(self) -> Value:
        """x itself, through which no gradient flows."""
    def identity(self) -> Value:
        """x itself, as a node of its own."""
    def sin(self) -> Value:
        """The sine of x radians."""
    def cos(self) -> Value:
        """The cosine of x radians."""
    def tan(self) -> Value:
        """The tangent of x radians."""
    def asin(self) -> Value:
        """The angle in radians whose sine is x."""
    def acos(self) -> Value:
        """The angle in radians whose cosine is x."""
    def atan(self) -> Value:
        """The angle in radians whose tangent is x."""
    def atan2(self, y: Arg, /) -> Value:
        """The angle in radians of the point (y, x), the ordinate first."""
    def sinh(self) -> Value:
        """The hyperbolic sine."""
    def cosh(self) -> Value:
        """The hyperbolic cosine."""
    def tanh(self) -> Value:
        """The hyperbolic tangent."""
    def sech(self) -> Value:
        """The hyperbolic secant, 1 / cosh(x)."""
    def asinh(self) -> Value:
        """The inverse of sinh."""
    def acosh(self) -> Value:
        """The inverse of cosh, for x ≥ 1."""
    def atanh(self) -> Value:
        """The inverse of tanh."""
    def sinc(self) -> Value:
        """Sin(πx) / (πx), 1 at 0."""
    def radians(self) -> Value:
        """x degrees in radians."""
    def degrees(self) -> Value:
        """x radians in degrees."""
    def erf(self) -> Value:
        """The error function."""
    def erfc(self) -> Value:
        """1 - erf(x), exact for large x."""
    def erfinv(self) -> Value:
        """The inverse of erf."""
    def erfcx(self) -> Value:
        """Exp(x²) · erfc(x), erfc without its fall."""
    def erfcx_derivative(self, order: float = ...) -> Value:
        """The derivative of erfcx of that order, 0 to 100, with all its digits."""
    def log_ndtr(self) -> Value:
        """Ln(Φ(x)) with the normal distribution's Φ, exact far out."""
    def sigmoid(self) -> Value:
        """1 / (1 + exp(-x)), the logistic function."""
    def sigmoid_slope(self) -> Value:
        """The derivative of sigmoid, sigmoid(x) · sigmoid(-x)."""
    def relu(self) -> Value:
        """x if positive, else 0."""
    def leaky_relu(self, negative_slope: float = ...) -> Value:
        """x if positive, else a fraction of it."""
    def elu(self, alpha: float = ...) -> Value:
        """x if positive, else alpha · (exp(x) - 1), Clevert et al. 2015."""
    def selu(self) -> Value:
        """Elu scaled so that layers keep mean 0 and variance 1, Klambauer et al. 2017."""
    def celu(self, alpha: float = ...) -> Value:
        """Elu with a slope of 1 at 0 for every alpha, Barron 2017."""
    def gelu(self) -> Value:
        """x · Φ(x) with the normal distribution's Φ, Hendrycks and Gimpel 2016."""
    def silu(self) -> Value:
        """x · sigmoid(x), also called swish."""
    def mish(self) -> Value:
        """x · tanh(softplus(x)), Misra 2019."""
    def softplus(self) -> Value:
        """Ln(1 + exp(x)), a smooth relu."""
    def softsign(self) -> Value:
        """x / (1 + |x|)."""
    def logsigmoid(self) -> Value:
        """Ln(sigmoid(x))."""
    def logit(self) -> Value:
        """Ln(x / (1 - x)), the inverse of sigmoid."""
    def hardtanh(self, min_val: float = ..., max_val: float = ...) -> Value:
        """x held between two bounds."""
    def hardsigmoid(self) -> Value:
        """a sigmoid of three straight lines."""
    def __add__(self, other: Arg) -> Value: ...
    def __radd__(self, other: float) -> Value: ...
    def __mul__(self, other: Arg) -> Value: ...
    def __rmul__(self, other: float) -> Value: ...
    def __sub__(self, other: Arg) -> Value: ...
    def __rsub__(self, other: float) -> Value: ...
    def __truediv__(self, other: Arg) -> Value: ...
    def __rtruediv__(self, other: float) -> Value: ...
    def __mod__(self, other: Arg) -> Value: ...
    def __rmod__(self, other: float) -> Value: ...
    def __pow__(self, other: Arg) -> Value: ...
    def __rpow__(self, other: float) -> Value: ...
    def __neg__(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __abs__(self) -> Value: ...
    def __lt__(self, other: Arg) -> bool: ...
    def __le__(self, other: Arg) -> bool: ...
    def __gt__(self, other: Arg) -> bool: ...
    def __ge__(self, other: Arg) -> bool: ...
    def __eq__(self, other: object) -> Any: ...
    def __hash__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __format__(self, spec: str) -> str: ...
    def __repr__(self) -> str: ...

_ARITHMETIC: Final[Any]

def overrides(kind: type[Any]) -> bool:
    """Whether a class of Values has a +, *, ** or - of its own, overridden or patched.

    Then the other operators are made of these, as in micrograd: so whoever wrote them is asked. Natively, setup.py puts
    the comparison of four pointers in the place of this.
    """

_MICROGRAD_NAMES: Final[Incomplete]
_new: Final[Incomplete]
_set_grad: Final[Incomplete]
_lock: Final[Any]
_hooks_lock: Final[Any]
_running: Pass | None
recording: Final[ContextVar[bool]]
watching: Final[ContextVar[Watch | None]]
tracing: Final[ContextVar[Trace | None]]
leaving: Final[ContextVar[Leaving | None]]
linking: Final[ContextVar[bool]]
_marks: int
_open: Final[list[Block]]
_hooks: Final[dict[int, tuple[ReferenceType[Value], list[Hook]]]]

def _tell(value: Value, how: str) -> None:
    """Let those who listen know, if there are any, that somebody asks for a value's number."""

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
    _key: Incomplete
    _hook: Incomplete
    _list: list[Hook]
    def __init__(self, value: Value, hook: Hook) -> None: ...
    def _enter(self, value: Value) -> None: ...
    def remove(self) -> None:
        """Take the hook away; a second time is no error."""
    def _leave(self) -> None: ...
    def __enter__(self) -> Handle: ...
    def __exit__(self, *_: object) -> None: ...

def has_hook(value: Value) -> bool:
    """Whether somebody wants to see this value's gradient."""
def hooks_on(identities: Callable[[], Container[int]]) -> list[Value]:
    """Those of some Values, told by their id(), that have a hook; it takes no time while nothing has one."""
def hooked(value: Value, gradient: Any) -> Any:
    """The gradient after the value's hooks have seen it."""

class Pass:
    """A backward pass that goes on: it sums up in the leaves' own gradients, and keeps what these held before.

    While a hook runs, or a pass within this one, the leaves show what they held, and what is written there stays.
    """
    __slots__: Incomplete
    leaves: Incomplete
    grads: Incomplete
    sums: list[float] | None
    def __init__(self, leaves: list[Value], grads: list[float]) -> None: ...
    def show(self) -> None:
        """Put the sums aside."""
    def hide(self) -> None:
        """Go on with the sums."""

def _put(values: list[Value], grads: list[float]) -> None: ...
def _ending(values: list[Value], grads: list[float]) -> Any:
    """In plain Python, where an interrupt may come between any two steps, what sets all gradients in one call of C."""
def _end(ending: Any, values: list[Value], grads: list[float]) -> None: ...
def held(values: Sequence[Value]) -> list[float]:
    """The gradients of values, none of them in the middle of another thread's pass."""
def _held(values: Sequence[Value]) -> list[float]: ...

_OUTSIDE: Final[Incomplete]

def _pull(op: Op, node: Value) -> None:
    """One rule, called by hand."""
def _pass(root: Value, xs: Sequence[Value] | None) -> list[float]:
    """Add to the leaves' gradients; or, where there are xs, give the derivatives by these and leave all as it was.

    Every value that the leaves get at the end is put into place by one call in C, as in plain Python an interrupt can
    come between any two steps: before that call all of them are what they were, after it all are complete.
    """
def _alone(work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while no other thread's pass or walk runs."""
def _begun(within: bool, work: Callable[..., Any], args: tuple[Any, ...]) -> Any: ...
def locked(lock: Any, work: Callable[..., Any], *args: Any) -> Any:
    """What the work gives, done while this thread holds the lock."""
def _after_fork() -> None:
    """In a child, nobody ends what other threads had begun: their locks are free, their leaves hold what they held."""
def _pull_all(root: Value, order: list[Value]) -> None:
    """The chain rule at each node, results before arguments; sums and products without a call.

    A gradient of 0 is a number like any other where it has come; but where none comes, as in a branch that was not
    taken, nothing passes on, not even 0 · inf. The two are told apart only where that matters.
    """
def _finite(arg: Arg | tuple[Arg, ...] | None) -> bool: ...
def reached(roots: Iterable[Value], order: list[Value]) -> set[int]:
    '''The ids of the nodes that a gradient comes to: the roots, and on from each those that no mask cuts off.

    Args:
        roots: where gradients start.
        order: the nodes under them that operations made, arguments before results.

    >>> x = Value(-1.0)
    >>> y = x.exp()
    >>> z = apply(TABLE["where"], 0.0, y, x)
    >>> found = reached([z], walk(z)[0])
    >>> id(x) in found, id(y) in found
    (True, False)
    '''

UNKNOWN: str

def derivatives(root: Value, xs: Sequence[Value]) -> list[float]:
    """The derivative of root by each of xs, from a backward pass that leaves every gradient as it was."""
def refused(node: Value, why: str) -> TypeError:
    """The error for a node whose rule a learner wrote, where the rule of a row is needed."""
def _pull_watched(root: Value, order: list[Value]) -> None:
    """The same where somebody looks on: hooks on gradients, or a watch."""
def _show_to_hooks(value: Value) -> None:
    """Let the hooks see and change a value's gradient; the leaves meanwhile show what they held before the pass."""
def node(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None = None) -> Value:
    """A new interior node; every one of them is made here."""
def _noticed(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None) -> Value:
    """The same while blocks are open: a trace wants it to be one of its own, a watch looks at it, or it is a leaf."""
def apply(op: Op, *args: Arg) -> Value:
    """The operation applied to Values and plain floats, recorded."""
def weighed(total: Any, weights: Sequence[Any], xs: Sequence[Any]) -> Any:
    """total + weights[0] * xs[0] + weights[1] * xs[1] + ..., a node for each sign: the sum in a neuron.

    The operators make the same nodes; here nobody has to look for them, weight after weight.
    """
def _rest(args: tuple[Arg, ...]) -> Arg | tuple[Arg, ...] | None:
    """What follows the first argument: none, the second, or a tuple of those there are."""
def walk(*roots: Value, skip: Callable[[Value], object] | None = None, flowing: bool = False) -> tuple[list[Value], list[Value]]:
    """The nodes under the roots that operations made, arguments before results; and leaves, and what holds a gradient.

    Iterative, so depth is free. Made nodes that `skip` names are left out, and what is only under them. With `flowing`,
    what lies only where nothing is passed back, under a comparison or a condition, is left out of the order: not even
    0 · inf comes through these.
    """
def _walk(stack: list[Value], skip: Callable[[Value], object] | None, flowing: bool) -> tuple[list[Value], list[Value]]:
    """What `walk` does. Two numbers of its own mark the nodes it has come by: those still open, and those done with."""
def toposort(root: Value) -> list[Value]:
    """Every node under root once, arguments before results.

    It is iterative, so that depth is free: a chain of a million nodes is no problem.

    >>> x = Value(2.0)
    >>> [node._op for node in toposort((x + 1) * x)]
    ['', '+', '*']
    """

class Block:
    """What `block` gives, for a `with`."""
    variable: Incomplete
    value: Incomplete
    before: Any
    def __init__(self, variable: ContextVar[Any], value: Any) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None:
        """End the block, if it has not ended yet."""

def block(variable: ContextVar[Any], value: Any) -> Block:
    """A block in which the variable has this value and new nodes ask for it."""
def opened(variable: ContextVar[Any]) -> list[Any]:
    """The values that a variable has in the blocks which are open, in all threads."""
def within(values: dict[ContextVar[Any], Any], function: Callable[..., Any], *args: Any) -> Any:
    """What the function gives in blocks with these values. An interrupt in any line of this leaves no block open."""
@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing in this block, or in a function decorated with it: results are leaves.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.args
    ()
    """
@contextmanager
def enable_grad() -> Iterator[None]:
    """Record in this block, even inside `no_grad`: a gradient needs the graph of what it differentiates.

    >>> x = Value(2.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.args == (x, x)
    True
    """
def number(data: Any, where: str) -> float:
    """data as a float, or a TypeError that quotes it."""
def _no_number(data: Any, where: str) -> TypeError: ...
def operand(symbol: str, other: Any) -> Any:
    """The other side of an operator as a float; None where its own type, an array's say, should answer."""
def _operator(op: Op, value: Value, other: Any) -> Any:
    """value op other, where other stands on the right."""
def _reflected(op: Op, other: Any, value: Value) -> Any:
    """other op value, where other is no Value."""
def _inverse(other: Any) -> Any:
    """other**-1, where a number's is infinite at 0."""
def _comparison(symbol: str, op: Op, value: Value, other: Any, turned: bool = False) -> Any:
    """A bool; but a node while a function is traced, which is told when its bool() decides something."""
