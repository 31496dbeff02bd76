"""How a row of the table becomes a function, a method of Value, and something NumPy can call."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from functools import partial
from inspect import Parameter, Signature, signature
from keyword import iskeyword
from math import inf
from reprlib import repr as short_repr
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, overload

from micrograd_plus.engine.operations import TABLE, Op, operation
from micrograd_plus.engine.recording import leaving, within
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value, apply, node, overrides

if TYPE_CHECKING:
    from numpy.typing import NDArray

Forward = Callable[..., float]
Partial = Callable[..., Any]
Interval = tuple[float, float]


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
REAL, POSITIVE, UNIT = (-inf, inf), (0.0, inf), (-1.0, 1.0)
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
    options = dict(options or {})
    home = _caller()
    _check_name(name, home)
    _check_takes(f"the forward of {name!r}", forward, len(rules) + len(options), "one for each partial")
    for i, rule in enumerate(rules, 1):
        if rule is not None:
            partial = rule.partial if isinstance(rule, mask) else rule
            _check_takes(f"partial {i} of {name!r}", partial, 1 + len(rules) + len(options), "out and each argument")
    if kinks is not None and not callable(kinks):
        if not isinstance(kinks, Sequence) or isinstance(kinks, (str, bytes)):
            raise TypeError(f"primitive({name!r}, kinks={short_repr(kinks)}): expected a function, or a list of points")
        kinks = [number(point, f"primitive({name!r}, kinks=") for point in kinks]
    intervals = _intervals(name, domain, len(rules))
    texts = {"doc": doc, "symbol": symbol, "latex": latex, "numpy": numpy, "scipy": scipy, "sympy": sympy}
    _check_columns(name, texts, precedence, arrays)
    # a primitive that is made again, as in a notebook, leaves the graphs of the old one alone
    op = operation(name) if home == HOME else Op(name)
    op.forward = forward if home == HOME else lambda *args: number(forward(*args), name)
    rules = tuple([FLAT if rule is None else rule for rule in rules]) + (None,) * len(options)
    op.partials = tuple([rule.partial if isinstance(rule, mask) else rule for rule in rules])
    op.masks = tuple([rule.condition if isinstance(rule, mask) else None for rule in rules])
    op.flat = all(rule is FLAT for rule in rules[: len(intervals)])
    op.halts = tuple([rule is FLAT for rule in rules]) if FLAT in rules else None
    op.domain, op.options = intervals + (REAL,) * len(options), _checked_options(name, options, len(rules))
    op.kinks = (_to_nearest(kinks) if kinks else None) if isinstance(kinks, Sequence) else kinks
    op.symbol = symbol or name
    places = ", ".join([f"#{i}" for i in range(1, len(rules) + 1)])
    macro = latex or rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}"
    op.latex = macro if "#" in macro else rf"{macro}\left({places}\right)"
    op.precedence, op.numpy, op.scipy, op.arrays, op.sympy = precedence, numpy, scipy, arrays, sympy
    op.doc = doc if doc.partition("; ")[0].strip() else f"{name}, a primitive of {home}"
    make = _with_options if options else {1: _unary, 2: _binary}.get(len(rules), _general)
    made: Any = make(op)
    _introduce(made, op, home)
    FUNCTIONS[name] = made  # not before now: what is refused leaves nothing behind
    TABLE[name] = op
    setattr(Value, name, made)
    for theirs in [one for one in (numpy, *_SYNONYMS.get(numpy, ()), scipy) if one and one not in _BY_UFUNC]:
        _BY_UFUNC[theirs] = made
        if not hasattr(Value, theirs):  # np.arctan of an array of Values calls their method arctan
            setattr(Value, theirs, made)
    if home == HOME and name in _BY_PYTHON:  # as math.floor(v) does, and np.floor of an array of Values
        setattr(Value, _BY_PYTHON[name], made)
    return cast(Callable[..., Any], made)


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
        return  # one's own, made again
    if name in TABLE or hasattr(Value, name):
        taken = "a function of the package" if name in TABLE else "an attribute of Value"
        raise ValueError(f"primitive({name!r}): the name is taken by {taken}; choose another, such as 'my_{name}'")


def _check_takes(what: str, function: Any, count: int, expected: str) -> None:
    """Raise where the function can't be called with that many arguments."""
    if not callable(function):
        raise TypeError(f"{what} is {short_repr(function)}; expected a function, got {type(function).__name__}")
    try:
        takes = signature(function)
    except ValueError:  # a builtin that does not say
        return
    try:
        takes.bind(*range(count))
    except TypeError:
        arguments = "1 argument" if count == 1 else f"{count} arguments"
        raise TypeError(f"{what} takes {takes}; expected {arguments}, {expected}") from None


def _check_columns(name: str, texts: dict[str, str | None], precedence: int, arrays: object) -> None:
    """Raise where what is said about a function is no text, no number or no function."""
    for column, text in texts.items():
        if not isinstance(text, str) and not (text is None and column in ("numpy", "scipy")):
            raise TypeError(
                f"primitive({name!r}, {column}={short_repr(text)}): expected a string, got {type(text).__name__}"
            )
    if not isinstance(precedence, int):
        raise TypeError(f"primitive({name!r}, precedence={short_repr(precedence)}): expected a whole number")
    if arrays is not None and not callable(arrays):
        raise TypeError(f"primitive({name!r}, arrays={short_repr(arrays)}): expected a function of arrays")


def _checked_options(name: str, options: dict[str, float], count: int) -> dict[str, float]:
    """The options, whose names can be a function's, with defaults that are plain numbers."""
    for option, default in options.items():
        if not isinstance(option, str) or not option.isidentifier() or iskeyword(option):
            raise ValueError(f"primitive({name!r}, options={short_repr(options)}): {option!r} can't name an option")
        if option in _arguments(name, count):
            raise ValueError(f"primitive({name!r}): the option {option!r} has the name of an argument; choose another")
        if isinstance(default, Value):
            raise TypeError(f"primitive({name!r}): the option {option!r} is {default!r}; expected a plain number")
        number(default, f"primitive({name!r}, options: {option} =")
    return options


def _intervals(name: str, domain: Interval | Sequence[Interval] | None, count: int) -> tuple[Interval, ...]:
    """One open interval for each argument."""
    try:
        pairs: list[Any] = [REAL] if domain is None else list(domain)
        if len(pairs) == 2 and not isinstance(pairs[0], Sequence):
            pairs = [pairs]
        pairs = pairs * count if len(pairs) == 1 else pairs
        intervals = tuple([(float(low), float(high)) for low, high in pairs])
    except (TypeError, ValueError):
        intervals = ()
    if len(intervals) != count or not all(low < high for low, high in intervals):
        wanted = f"expected an interval (low, high) for each of its arguments ({count})"
        raise ValueError(f"primitive({name!r}, domain={short_repr(domain)}): {wanted}")
    return intervals


def _to_nearest(points: Sequence[float]) -> Callable[..., float]:
    """The distance to the nearest of some points."""

    def distance(x: float, *_: float) -> float:
        return min([x - point for point in points], key=abs, default=1.0)

    distance.__doc__ = f"Zero where x is {' or '.join([f'{point:g}' for point in points])}."
    return distance


def _unary(op: Op) -> Callable[..., Any]:
    forward = cast(Forward, op.forward)

    def call(x: Any, /) -> Any:
        if isinstance(x, Value):
            return node(op, forward(x._data), x)
        return forward(x) if type(x) is float else _spread(op, call, (x,))

    return call


def _binary(op: Op) -> Callable[..., Any]:
    forward = cast(Forward, op.forward)

    def call(x: Any, y: Any, /) -> Any:
        if type(x) is float and type(y) is float:
            return forward(x, y)
        if isinstance(x, Value) and isinstance(y, Value):
            return node(op, forward(x._data, y._data), x, y)
        return _spread(op, call, (x, y))

    return call


def _general(op: Op) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if len(args) != len(op.partials):
            raise TypeError(f"{op.name} takes {len(op.partials)} arguments, got {len(args)}")
        return _spread(op, call, args)

    return call


def _with_options(op: Op) -> Callable[..., Any]:
    names = list(op.options)
    count = len(op.partials) - len(names)

    def call(*given: Any, **named: Any) -> Any:
        if len(given) < count:
            raise TypeError(f"{op.name} takes {count} arguments and {len(names)} options, got {len(given)} in all")
        args, given = given[:count], given[count:]
        if len(given) > len(names):
            raise TypeError(f"{op.name} takes {len(names)} options ({', '.join(names)}), got {len(given)}")
        for name in named:
            if name not in op.options or name in names[: len(given)]:
                raise TypeError(f"{op.name}: unexpected option {name!r}; it takes {', '.join(names)}")
        chosen = op.options | dict(zip(names, given)) | named
        for name, default in op.options.items():
            if chosen[name] is None:
                chosen[name] = default
            if isinstance(chosen[name], Value):
                raise TypeError(f"{op.name}: {name} is {chosen[name]!r}; expected a plain number, it gets no gradient")
            chosen[name] = number(chosen[name], f"{op.name}: {name} =")
        return _spread(op, call, (*args, *chosen.values()))

    return call


def _spread(op: Op, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """The function over whatever it was given: numbers and Values at once, lists and arrays element by element."""
    np = sys.modules.get("numpy")
    if np is not None and any(isinstance(arg, np.ndarray) for arg in args):
        return _over_arrays(op, call, args)
    lists = [arg for arg in args if isinstance(arg, (list, tuple))]
    if lists:
        length = len(lists[0])
        if any(len(other) != length for other in lists):
            raise ValueError(f"{op.name}: lists of different lengths, {' and '.join(str(len(x)) for x in lists)}")
        columns = [arg if isinstance(arg, (list, tuple)) else [arg] * length for arg in args]
        return [call(*elements) for elements in zip(*columns)]
    numbers = tuple(arg if isinstance(arg, Value) else _argument(op, arg) for arg in args)
    if any(isinstance(arg, Value) for arg in numbers):
        return apply(op, *numbers)
    return cast(Forward, op.forward)(*numbers)


def _over_arrays(op: Op, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    import numpy as np

    arrays = [np.asarray(arg, dtype=object if isinstance(arg, Value) else None) for arg in args]
    for array in arrays:
        if array.dtype.kind not in "biufO":
            raise TypeError(f"{op.name}: expected an array of numbers or Values, got one of {array.dtype}")
    with np.errstate(all="ignore"):
        if any(array.dtype == object for array in arrays):
            return np.frompyfunc(call, len(args), 1)(*arrays)
        floats = [array.astype(float) for array in arrays]
        if op.arrays:
            result = op.arrays(*floats)
        elif op.numpy:
            result = getattr(np, op.numpy)(*floats)
        else:  # NumPy has no such function: element by element
            result = np.frompyfunc(cast(Forward, op.forward), len(args), 1)(*floats)
    return np.asarray(result, dtype=float)


def _argument(op: Op, arg: Any) -> float:
    try:
        return number(arg, op.name)
    except TypeError as error:
        expected = "expected a number, a Value, or a list or array of them"
        raise TypeError(f"{op.name}({short_repr(arg)}): {expected}, got {type(arg).__name__}") from error


def _introduce(made: Any, op: Op, home: str) -> None:
    """Give a function its name, its module, its signature and its docstring, from the row."""
    count = len(op.partials) - len(op.options)
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in _arguments(op.name, count)]
    parameters += [Parameter(k, Parameter.POSITIONAL_OR_KEYWORD, default=v) for k, v in op.options.items()]
    what, _, example = op.doc.partition("; ")
    source, _, answer = example.rpartition(" = ")
    made.__name__ = made.__qualname__ = op.name
    made.__module__ = home
    made.__signature__ = Signature(parameters)
    made.__doc__ = (
        f"{what if what[1:2] == ' ' else what[0].upper() + what[1:]}.\n\n"
        "A number gives a float, a Value gives a Value, a list or an array gives one of the same shape.\n\n"
        + (f">>> {source}\n{answer}\n" if source else "")
    )
    made.op = op


def _arguments(name: str, count: int) -> list[str]:
    """What a function of that name calls its arguments."""
    if name == "where":
        return ["condition", "x", "y"]
    return ["x", "y", "z"][:count] if count <= 3 else [f"x{i}" for i in range(1, count + 1)]


_BY_UFUNC: dict[str, Callable[..., Any]] = {}  # by NumPy's name, or SciPy's
_SYNONYMS: dict[str | None, tuple[str, ...]] = {"absolute": ("fabs",), "radians": ("deg2rad",), "degrees": ("rad2deg",)}
_SYNONYMS |= {"positive": ("conjugate",)}  # which np.var, np.std and np.vdot ask for
_BY_PYTHON = {"floor": "__floor__", "ceil": "__ceil__", "trunc": "__trunc__"}
_COMPARISONS = {"less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge}
_COMPARISONS |= {"equal": operator.eq, "not_equal": operator.ne}
_OPERATORS: dict[str, Callable[..., Any]] = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}
_OPERATORS |= {"divide": operator.truediv, "power": operator.pow, "negative": operator.neg}
_QUESTIONS = ("isnan", "isinf", "isfinite", "signbit")  # about the number alone: the answer is True or False


def _array_ufunc(_: Value, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
    """NumPy's functions and operators on a Value, such as np.exp(v) and array * v.

    Raises:
        TypeError: the result would go into an array of plain numbers, or there is no row for the function.
    """
    import numpy as np

    known = (np.ndarray, np.generic, Value, int, float, list, tuple)
    if not all(isinstance(x, known) for x in inputs):
        return NotImplemented  # somebody else's array may know what to do
    name = ufunc.__name__
    called = f"np.{name}" if method == "__call__" else f"np.{name}.{method}"
    asked = name in _COMPARISONS or name in _QUESTIONS  # True or False: no graph to cut
    for target in [inputs[0]] if method == "at" else out or ():
        if target is not None and target.dtype != object and not asked:
            raise TypeError(
                f"{called} of a Value into an array of {target.dtype} would cut the graph: "
                "write `total = total + v` instead of `total += v`, or make that array with dtype=object"
            )
    options = {key: option for key, option in options.items() if option is not None}
    if method == "__call__" and options:
        raise TypeError(f"{called} of a Value takes no {' and no '.join(options)}; make the array of dtype=object")
    objects = [np.asarray(x, dtype=object) if isinstance(x, Value) else x for x in inputs]
    made: Any
    if name in _COMPARISONS:
        objects = [np.asarray(x, dtype=object) for x in inputs]
        made = np.frompyfunc(_COMPARISONS[name], 2, 1)
    elif name in _QUESTIONS:
        made = np.frompyfunc(lambda x: ufunc(x.data), 1, 1)
    elif name in _OPERATORS and method == "__call__" and any(overrides(type(x)) for x in inputs):
        objects = [np.asarray(x.item() if isinstance(x, np.generic) else x, dtype=object) for x in inputs]
        made = np.frompyfunc(_OPERATORS[name], ufunc.nin, 1)
    elif name in _BY_UFUNC and method == "__call__":
        made, objects = _BY_UFUNC[name], [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs]
    elif name in _BY_UFUNC:
        made = np.frompyfunc(_BY_UFUNC[name], ufunc.nin, 1)
    elif all(set(kinds) <= set("O->") for kinds in ufunc.types):  # a function of Python's, by np.frompyfunc
        made = ufunc
    else:
        raise TypeError(
            f"{called} of a Value: the table has no row for it; write it in mp's functions, such as mp.maximum, "
            f"or make one by mp.primitive({name!r}, ..., numpy={name!r})"
        )
    with np.errstate(all="ignore"):
        result = getattr(made, method)(*objects, **options)
    if asked:
        result = np.asarray(result, dtype=bool)[()]
    if out is None:
        return result
    out[0][...] = result
    return out[0]


def _array_function(_: Value, function: Any, types: Any, args: Any, options: Any) -> Any:  # noqa: ARG001 - NumPy's order
    """NumPy's other functions: two are rows, such as np.sinc(v); the rest see an array of one Value.

    Raises:
        TypeError: the function makes plain numbers of it.
    """
    name = function.__name__
    if name in ("sinc", "clip") and not options:
        return FUNCTIONS["clamp" if name == "clip" else "sinc"](*args)
    if name in ("std", "var") and isinstance(args[0], Value):
        args = ([args[0]], *args[1:])
    cuts = _Cuts(leaving.get())
    result = within({leaving: cuts}, partial(function._implementation, *args, **options))
    kind = getattr(getattr(result, "dtype", None), "kind", "f" if type(result) is float else "O")
    if (cuts.heard and kind in "fc") or name == "nan_to_num":
        raise TypeError(
            f"np.{name} of a Value: it works on plain numbers, which would cut the graph; write it in mp's functions, "
            "mp.where for a choice, or give it v.data"
        )
    return result


class _Cuts:
    """Hears whether a function of NumPy's takes a Value for a plain number; and so does whoever listens already."""

    def __init__(self, outer: Any) -> None:
        self.outer, self.heard = outer, False

    def left(self, value: Value, how: str) -> None:
        self.heard = True
        if self.outer is not None:
            self.outer.left(value, how)


def _no_int(value: Value) -> int:
    raise TypeError(f"int({value!r}): expected a plain number; write int(v.data), or mp.trunc(v) to stay in the graph")


setattr(Value, "__array_ufunc__", _array_ufunc)  # noqa: B010 - the type checker knows no such method
setattr(Value, "__array_function__", _array_function)  # noqa: B010
setattr(Value, "__int__", _no_int)  # noqa: B010 - else Python would ask __trunc__, which gives a Value
