# Written by `python -m micrograd_plus.ops.stubs` from value.py and the table in ops/table.py; edit those.
from _typeshed import Incomplete
from collections.abc import Callable as Callable, Iterable
from micrograd_plus.engine.hooks import Handle as Handle, Hook as Hook
from micrograd_plus.engine.noticing import noticed as noticed
from micrograd_plus.engine.operations import ABS as ABS, ADD as ADD, Arg as Arg, DIV as DIV, LESS as LESS, LESS_EQUAL as LESS_EQUAL, MOD as MOD, MUL as MUL, NEG as NEG, Op as Op, POW as POW, SUB as SUB, operation as operation
from micrograd_plus.engine.recording import linking as linking, open_blocks as open_blocks, tell as tell, tracing as tracing
from micrograd_plus.engine.scalars import number as number, operand as operand
from typing import Any, Final, SupportsFloat

NATIVE: Final[bool]

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
        """The module whose output this is, a neuron for one, or the function, or the block it was made in; or None."""
    @property
    def args(self) -> tuple[Arg, ...]:
        """What the operation was applied to, as many as it takes, in order; constants are floats, a leaf has none."""
    def _set_args(self, args: tuple[Arg, ...]) -> None: ...
    @property
    def _prev(self) -> set[Value]:
        """What it was made from, as micrograd keeps it: of each constant a leaf, the same whenever one asks."""
    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None: ...
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
        """The derivative of erfcx of that order, 0 to 100, to 1e-12 up to 15, to 1e-10 up to 40."""
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

_new: Final[Incomplete]

def node(op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None = None) -> Value:
    """A new interior node; every one of them is made here."""
def apply(op: Op, *args: Arg) -> Value:
    """The operation applied to Values and plain floats, recorded."""
def _rest(args: tuple[Arg, ...]) -> Arg | tuple[Arg, ...] | None:
    """What follows the first argument: none, the second, or a tuple of those there are."""
def _operator(op: Op, value: Value, other: Any) -> Any:
    """value op other, where other stands on the right."""
def _reflected(op: Op, other: Any, value: Value) -> Any:
    """other op value, where other is no Value."""
def _inverse(other: Any) -> Any:
    """other**-1, where a number's is infinite at 0."""
def _comparison(symbol: str, op: Op, value: Value, other: Any, turned: bool = False) -> Any:
    """A bool; but a node while a function is traced, which is told when its bool() decides something."""
