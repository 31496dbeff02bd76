"""The rows of the table: what one holds, and how `primitive` enters it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from keyword import iskeyword
from reprlib import repr as short_repr
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, overload

from micrograd_plus.engine.operations import TABLE, Op, operation
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.calling import Forward as Forward
from micrograd_plus.ops.calling import function_of
from micrograd_plus.ops.columns import POSITIVE as POSITIVE
from micrograd_plus.ops.columns import REAL as REAL
from micrograd_plus.ops.columns import UNIT as UNIT
from micrograd_plus.ops.columns import (
    Interval,
    check_columns,
    check_takes,
    checked_domain,
    checked_kinks,
    checked_options,
)
from micrograd_plus.ops.ufuncs import answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

Partial = Callable[..., Any]


class Unary(Protocol):
    """A function of one number, which may take options by name, such as a slope or a bound."""

    __name__: str
    op: Op

    @overload
    def __call__(self, x: Value, /, *options: float, **named: float) -> Value: ...
    @overload
    def __call__(self, x: float, /, *options: float, **named: float) -> float: ...
    @overload
    def __call__(self, x: list[Any] | tuple[Any, ...], /, *options: float, **named: float) -> list[Any]: ...
    @overload
    def __call__(self, x: NDArray[Any], /, *options: float, **named: float) -> NDArray[Any]: ...


class Binary(Protocol):
    """A function of two numbers."""

    __name__: str
    op: Op

    @overload
    def __call__(self, x: Value, y: Value | float, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, /) -> float: ...
    @overload
    def __call__(self, x: Any, y: Any, /) -> Any: ...


class Ternary(Protocol):
    """A function of three numbers."""

    __name__: str
    op: Op

    def __call__(self, x: Any, y: Any, z: Any, /) -> Any: ...


FUNCTIONS: dict[str, Callable[..., Any]] = {}  # every function of the table by name


class mask:  # noqa: N801 - it reads as a word in the rows
    """A partial whose zeros are a closed gate: where it is zero, nothing flows back, not even an infinite gradient.

    Args:
        partial: a function of `(out, *args)`, as `primitive` takes it.
        where: a function of the same, whose zeros close the gate in its stead.

    Attributes:
        partial: the partial, as it was given.
        condition: the function whose zeros close the gate.

    >>> import micrograd_plus as mp
    >>> ramp = mp.primitive("ramp", lambda x: max(x, 0.0), mp.mask(lambda out, x: mp.less(0.0, x)))
    >>> mp.grad(lambda x: ramp(mp.log(x)))(0.0)
    0.0
    """

    def __init__(self, partial: Partial, where: Partial | None = None) -> None:
        self.partial = partial
        self.condition = where or partial


Rule: TypeAlias = Partial | mask | None
HOME = "micrograd_plus.ops"  # where pickle finds the table's functions
FLAT = mask(lambda out, *args: 0.0)  # noqa: ARG005 - the partial of a function of steps: nothing flows back


def primitive(
    name: str,
    forward: Forward,
    partials: Rule | Sequence[Rule],
    doc: str = "",
    *,
    symbol: str = "",
    latex: str = "",
    precedence: int = 9,
    domain: Interval | Sequence[Interval] | None = None,
    kinks: Callable[..., float] | Sequence[float] | None = None,
    numpy: str | None = None,
    scipy: str | None = None,
    arrays: Callable[..., Any] | None = None,
    sympy: str = "",
    options: dict[str, float] | None = None,
    rule: str = "",
) -> Callable[..., Any]:
    r"""Enter an operation into the table and get its function back, which becomes a method of Value, too.

    This is how the package's own functions are made. What it makes works in backward and in gradients of every order,
    in checks, formulas and pictures, and takes numbers, Values, lists and arrays.

    Args:
        name: what it is called.
        forward: the value, a float, from one float per argument.
        partials: for each argument the partial derivative, a function of `(out, *args)` written in `mp`'s functions and
            in `+ - *`, which serves floats, arrays and Values, so that higher orders come free. None where nothing
            flows back. `mp.mask(partial)` marks one whose zeros stop even an infinite upstream gradient.
        doc: one line that says what it is, perhaps with an example: "x cubed; cube(2.0) = 8.0".
        symbol: the infix sign, if it has one; else it is written name(x, y).
        latex: a macro (`\tanh`), or a template in which #1 and #2 stand for the arguments.
        precedence: how tightly it binds when written: 1 sums, 2 products, 3 signs, 4 powers, 9 everything else.
        domain: for each argument (or once for all) the open interval in which it is defined and smooth, but for kinks.
        kinks: a function of the arguments that is 0 where the derivative jumps or the value has a pole; of a function
            of one argument simply a list of the points.
        numpy: NumPy's name for it.
        scipy: that of scipy.special, where NumPy has none.
        arrays: where NumPy has none, the value of its arguments in `mp`'s functions that NumPy has, for whole arrays.
        sympy: SymPy's name for it, or an expression in x, y, z; "" if SymPy calls it by the same name or not at all.
        options: trailing arguments that are plain numbers, by name with their defaults.
        rule: one sentence that says in words what it does with a gradient, as the stepper shows it at each step:
            "a cube multiplies what comes by three times the square".

    Returns:
        The function. It gives a float for a number, a Value for a Value, and for a list or an array one of its shape.

    Raises:
        TypeError: forward or a partial does not take that many arguments; kinks is no function and no list of numbers;
            another column is of the wrong type.
        ValueError: the name is no name, begins with "_", or is taken by something that is not a primitive of yours;
            an option's name is no name, or that of an argument.

    >>> import micrograd_plus as mp
    >>> cube = mp.primitive("cube", lambda x: x * x * x, lambda out, x: 3.0 * mp.square(x), latex="{#1}^{3}")
    >>> mp.grad(mp.grad(cube))(2.0)
    12.0
    """
    rules = tuple(partials) if isinstance(partials, Sequence) else (partials,)
    home = _caller()
    _check_name(name, home)
    _check_functions(name, forward, rules, len(options or {}))
    kinks, intervals = checked_kinks(name, kinks), checked_domain(name, domain, len(rules))
    texts = {"doc": doc, "symbol": symbol, "latex": latex, "numpy": numpy, "scipy": scipy, "sympy": sympy}
    texts["rule"] = rule
    check_columns(name, texts, precedence, arrays)
    options = checked_options(name, dict(options or {}), len(rules))
    # a primitive that is made again, as in a notebook, leaves the graphs of the old one alone
    op = operation(name) if home == HOME else Op(name)
    op.forward = forward if home == HOME else lambda *args: number(forward(*args), name)
    _set_partials(op, rules, len(options))
    op.domain, op.options, op.kinks = intervals + (REAL,) * len(options), options, kinks
    op.symbol, op.latex = symbol or name, _template(name, latex, len(rules) + len(options))
    op.precedence, op.numpy, op.scipy, op.arrays, op.sympy = precedence, numpy, scipy, arrays, sympy
    op.doc = doc if doc.partition("; ")[0].strip() else f"{name}, a primitive of {home}"
    op.rule = rule
    made = function_of(op, home)
    FUNCTIONS[name] = made  # last, so that a row that is refused leaves nothing behind
    TABLE[name] = op
    setattr(Value, name, made)
    answer(made, op, ours=home == HOME)
    return made


def _set_partials(op: Op, rules: tuple[Rule, ...], options: int) -> None:
    """Write the partials into a row, with what is known of them: their masks, and where nothing flows back."""
    rules = tuple([FLAT if rule is None else rule for rule in rules])
    op.flat = all(rule is FLAT for rule in rules)
    rules += (None,) * options
    op.partials = tuple([rule.partial if isinstance(rule, mask) else rule for rule in rules])
    op.masks = tuple([rule.condition if isinstance(rule, mask) else None for rule in rules])
    op.halts = tuple([rule in (FLAT, None) for rule in rules]) if FLAT in rules else None


def _template(name: str, latex: str, count: int) -> str:
    """How it is written in LaTeX: the template that was given, or one of a macro or a name before its arguments."""
    places = ", ".join([f"#{i}" for i in range(1, count + 1)])
    macro = latex or rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"
    return macro if "#" in macro else rf"{macro}\left({places}\right)"


def _check_functions(name: str, forward: Forward, rules: tuple[Rule, ...], options: int) -> None:
    """Raise where the forward or a partial can't be called with its arguments."""
    check_takes(f"the forward of {name!r}", forward, len(rules) + options, "one for each partial")
    for i, rule in enumerate(rules, 1):
        if rule is not None:
            partial = rule.partial if isinstance(rule, mask) else rule
            check_takes(f"partial {i} of {name!r}", partial, 1 + len(rules) + options, "out and each argument")


def is_ours(name: str) -> bool:
    """Whether a name is that of a row of the package's own, not of a primitive of somebody's.

    >>> is_ours("tanh"), is_ours("copy")
    (True, False)
    """
    return name in FUNCTIONS and FUNCTIONS[name].__module__ == HOME


def unary(name: str, forward: Forward, partial: Partial | mask, doc: str, **columns: Any) -> Unary:
    """A row for a function of one argument, and perhaps of options after it."""
    return cast(Unary, primitive(name, forward, (partial,), doc, **columns))


def binary(name: str, forward: Forward, x: Partial | mask, y: Partial | mask, doc: str, **columns: Any) -> Binary:
    """A row for a function of two arguments."""
    return cast(Binary, primitive(name, forward, (x, y), doc, **columns))


def ternary(
    name: str, forward: Forward, x: Partial | mask, y: Partial | mask, z: Partial | mask, doc: str, **columns: Any
) -> Ternary:
    """A row for a function of three arguments."""
    return cast(Ternary, primitive(name, forward, (x, y, z), doc, **columns))


def _caller() -> str:
    """The module that called into this one; the room, where that is the table."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    name = str(frame.f_globals.get("__name__")) if frame else "__main__"
    return HOME if name == f"{HOME}.table" else name


def _check_name(name: str, home: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"primitive({short_repr(name)}): expected a name, such as 'cube'")
    if home == HOME:
        return
    if name.startswith("_"):
        raise ValueError(f"primitive({name!r}): such names are Python's own, and Value's; choose one without the '_'")
    if name in FUNCTIONS and FUNCTIONS[name].__module__ != HOME:
        return  # a primitive of the user's, made a second time
    if name in TABLE or hasattr(Value, name):
        taken = "a function of the package" if name in TABLE else "an attribute of Value"
        raise ValueError(f"primitive({name!r}): the name is taken by {taken}; choose another, such as 'my_{name}'")
