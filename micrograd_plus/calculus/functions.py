"""Derivatives as functions of functions: grad, jacobian, hessian, jvp, hvp, of any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import wraps
from itertools import repeat
from operator import index
from reprlib import repr as short_repr
from typing import Any, Literal, NamedTuple

from micrograd_plus.calculus.flowing import Number, pushed
from micrograd_plus.calculus.gradients import demand, finished, slopes_by
from micrograd_plus.calculus.leaks import WARNED_OF, listener, name_of, warning
from micrograd_plus.calculus.nesting import leaves, matched, rebuilt, replaced
from micrograd_plus.engine.recording import Block, enable_grad, leaving
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.table import identity

_inside: ContextVar[int] = ContextVar("inside", default=0)  # how many derivatives are being taken around this one


class _Run(NamedTuple):
    """One run of a function on variables, and what is needed to give its derivatives in the right shape."""

    name: str  # who asks: "grad", ...
    inputs: Any  # the arguments that are differentiated, as they were given: one, or a tuple
    shape: Any  # a nest like it, of the parameters that modules had before the run: a call may give them more
    variables: list[Value]
    out: Any
    graph: bool  # something outside is being differentiated, so results are Values

    def mirrored(self, slopes: Iterable[Number]) -> Any:
        """Derivatives by the variables, nested as the arguments are."""
        return rebuilt(self.shape, iter(finished(slopes, self.graph)))

    def gradient(self, y: Number) -> list[Number]:
        """The derivative of one result by each variable."""
        if not isinstance(y, Value):
            return [None] * len(self.variables)
        return slopes_by(y, self.variables, self.graph)

    def pushed(self, ys: Iterable[Number], xs: Sequence[Value], moves: Sequence[Number]) -> list[Number]:
        """How the results change when these variables change by these moves."""
        with enable_grad():
            return pushed(ys, xs, moves, self.graph)


def _run(
    name: str, f: Callable[..., Any], argnums: int | Sequence[int], strict: bool, args: tuple[Any, ...], options: Any
) -> _Run:
    """Call f with a variable for each number in the arguments that are differentiated.

    The variables are new, so that what f knows from outside, even the same Value, stays apart. A Value that comes in
    is outside as well: its variable remembers it, and the results are Values.
    """
    graph = _inside.get() > 0
    variables: list[Value] = []
    called: list[str] = []

    def variable(x: Number) -> Value:
        nonlocal graph
        if not isinstance(x, Value):
            return Value(x)
        graph = True
        return identity(x)

    places = _places(name, f, argnums, args)
    filled = list(args)
    with enable_grad():
        for place in places:
            filled[place], made = replaced(args[place], variable, f"{name}({name_of(f)}), argument {place}")
            called += [f"argument {place} of {name_of(f)}, {short_repr(args[place])}"] * len(made)
            variables += made
        inputs = tuple([args[place] for place in places]) if isinstance(argnums, Sequence) else args[places[0]]
        shape = rebuilt(inputs, repeat(0.0))
        heard = listener(variables, WARNED_OF, warning(name, f))
        with Block(_inside, _inside.get() + 1), Block(leaving, heard):
            out = f(*filled, **options)
    if strict:
        demand(name, leaves(out, f"what {name_of(f)} returned"), variables, called)
    return _Run(name, inputs, shape, variables, out, graph)


def _places(name: str, f: Callable[..., Any], argnums: int | Sequence[int], args: tuple[Any, ...]) -> list[int]:
    """The places of the arguments that are differentiated."""
    wanted = f"expected the place of an argument of {name_of(f)}, which was called with {len(args)}, or a tuple of them"
    try:
        places = [index(place) for place in (argnums if isinstance(argnums, Sequence) else [argnums])]
    except TypeError:
        raise TypeError(f"{name}(argnums={short_repr(argnums)}): {wanted}") from None
    if not places or not all(-len(args) <= place < len(args) for place in places):
        raise ValueError(f"{name}(argnums={short_repr(argnums)}): {wanted}, such as 0")
    places = [place % len(args) for place in places]
    if len(set(places)) < len(places):
        raise ValueError(f"{name}(argnums={short_repr(argnums)}): a place stands there twice; {wanted}, each once")
    return places


def _checked(name: str, f: Callable[..., Any]) -> None:
    if not callable(f):
        raise TypeError(f"{name}({short_repr(f)}): expected a function, got {type(f).__name__}")


def _single(run: _Run, f: Callable[..., Any]) -> Value:
    """The one Value that f has returned."""
    if isinstance(run.out, Value):
        return run.out
    told = f"{run.name}({name_of(f)}): the function returned {short_repr(run.out)}"
    if hasattr(run.out, "__len__") and not isinstance(run.out, str):
        raise TypeError(f"{told}; expected a single Value: take its sum, or use jacobian for several results")
    wanted = "expected a Value made from its arguments; does it use float(), .data, or math instead of mp's functions?"
    raise TypeError(f"{told} ({type(run.out).__name__}); {wanted}")


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False
) -> Callable[..., Any]:
    """The function that gives f's value and its gradient, as `grad` does.

    Arguments `f`, `argnums` and `strict` and errors are those of `grad`.

    Returns:
        A function of the same arguments, which gives a pair (the value of f, its gradient as from `grad`).

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _checked("value_and_grad", f)

    def finish(run: _Run) -> Any:
        y = _single(run, f)
        return y if run.graph else y._data, run.mirrored(run.gradient(y))

    return _of("value_and_grad", f, finish, argnums, strict)


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of f.

    Where f makes a plain number of what it is differentiated by, as `math.exp(x)` and `float(x)` do, that term is
    missing from the gradient, and a UserWarning names the line, once. `x.data` says that a plain number is meant.

    Args:
        f: a function that returns one Value. What it is given may be numbers, lists, tuples, dicts or arrays of
            numbers, and modules, whose parameters are then meant.
        argnums: the place of the argument to differentiate by, or a tuple of places.
        strict: raise where f does not depend on such an argument, instead of giving 0.0.

    Returns:
        A function of the same arguments. Its result is nested as the argument is (for a module a dict by the names of
        its parameters), of floats; but of Values where an argument was a Value, or where the gradient is taken inside
        a function that is being differentiated itself. Other Values that f uses count as constants.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or names one twice; or strict, and f does not depend on it.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0
    >>> grad(lambda p: p["w"] * 3.0 + p["b"])({"w": 2.0, "b": 1.0})
    {'w': 3.0, 'b': 1.0}
    >>> grad(lambda x: grad(lambda y: x * y)(1.0) * x)(3.0)
    6.0
    """
    _checked("grad", f)

    def finish(run: _Run) -> Any:
        return run.mirrored(run.gradient(_single(run, f)))

    return _of("grad", f, finish, argnums, strict)


def _of(
    name: str, f: Callable[..., Any], finish: Callable[[_Run], Any], argnums: int | Sequence[int], strict: bool
) -> Callable[..., Any]:
    """The function that runs f on variables and gives what `finish` makes of that run: its gradient, say."""

    @wraps(f, updated=())
    def derived(*args: Any, **options: Any) -> Any:
        return finish(_run(name, f, argnums, strict, args, options))

    return derived


def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    mode: Literal["reverse", "forward"] | None = None,
    strict: bool = False,
) -> Callable[..., Any]:
    """The function that gives the derivative of each result of f by each number of its argument.

    Args:
        f: a function that returns a Value, or a nest of them: lists, tuples, dicts or arrays.
        argnums: the place of the argument to differentiate by, or a tuple of places, as in `grad`.
        strict: raise where f does not depend on such an argument, instead of giving 0.0.
        mode: "reverse", one pass for each result; "forward", one for each number that goes in; None takes the fewer.

    Returns:
        A function of the same arguments; its result is nested as f's result, and in each place as the argument. From a
        list of n numbers to a list of m it is a list of m rows of n.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: the mode is none of these, argnums is no place of an argument, or names one twice, or there is
            nothing to differentiate.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    _checked("jacobian", f)
    if mode not in (None, "reverse", "forward"):
        raise ValueError(f"jacobian(mode={mode!r}): expected 'reverse', 'forward', or None for the cheaper one")

    def finish(run: _Run) -> Any:
        ys = _several(run, f)
        if not run.variables:
            raise ValueError(f"jacobian({name_of(f)}): argument {run.inputs!r} is empty; expected at least one number")
        reverse = len(ys) <= len(run.variables) if mode is None else mode == "reverse"
        if reverse:
            rows: Iterable[Sequence[Number]] = [run.gradient(y) for y in ys]
        else:
            rows = zip(*[run.pushed(ys, [x], [1.0]) for x in run.variables])
        return rebuilt(run.out, iter([run.mirrored(row) for row in rows]))

    return _of("jacobian", f, finish, argnums, strict)


def _several(run: _Run, f: Callable[..., Any]) -> list[Number]:
    """The numbers that f has returned, at least one of them a Value."""
    told = f"{run.name}({name_of(f)}): the function returned {short_repr(run.out)}"
    ys = leaves(run.out, f"what {name_of(f)} returned")
    if not ys:
        raise ValueError(f"{told}, which is empty; expected at least one Value")
    if not any(isinstance(y, Value) for y in ys):
        raise TypeError(f"{told}; expected Values made from its arguments, not plain numbers")
    return ys


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the second derivatives of f: the Jacobian of its gradient.

    Arguments `f`, `argnums` and `strict` and errors are those of `grad`.

    Returns:
        A function of the same arguments; its result is nested as the argument, and in each place as the argument again;
        for a list of n numbers it is a list of n rows of n.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    _checked("hessian", f)
    return jacobian(grad(f, argnums, strict=strict), argnums)


def jvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives how f changes in a direction: its Jacobian times a vector, in one forward pass.

    Arguments `f`, `argnums` and `strict` are those of `jacobian`.

    Returns:
        A function of the arguments of f and, after them, of the direction, which is nested as the argument that argnums
        names. Its result is nested as f's.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or the direction is not nested as the argument.

    >>> jvp(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 3.0], [1.0, 0.0])
    [3.0, 1.0]
    """
    return _along("jvp", f, f, argnums, strict)


def hvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, strict: bool = False) -> Callable[..., Any]:
    """The function that gives the Hessian of f times a vector, without building the Hessian: `jvp` of `grad`.

    Arguments `f`, `argnums` and `strict` are those of `grad`. After Pearlmutter, Fast exact multiplication by the
    Hessian, 1994.

    Returns:
        A function of the arguments of f and, after them, of the vector, which is nested as the argument that argnums
        names. So is its result.

    Raises:
        TypeError: f is no function or returns no Value, or an argument is no number.
        ValueError: argnums is no place of an argument, or the vector is not nested as the argument.

    >>> hvp(lambda v: v[0] ** 2 * v[1])([2.0, 3.0], [1.0, 0.0])
    [6.0, 4.0]
    """
    _checked("hvp", f)
    return _along("hvp", f, grad(f, argnums, strict=strict), argnums, False)


def _along(
    name: str, shown: Callable[..., Any], f: Callable[..., Any], argnums: int | Sequence[int], strict: bool
) -> Callable[..., Any]:
    """The function that pushes a direction, its last argument, through f."""
    _checked(name, f)

    @wraps(shown, updated=())
    def derived(*args: Any, **options: Any) -> Any:
        if len(args) < 2:
            raise TypeError(
                f"{name}({name_of(shown)}): got {len(args)} argument; expected those of the function and, "
                "after them, the direction"
            )
        *primals, direction = args
        run = _run(name, f, argnums, strict, tuple(primals), options)
        moves = matched(run.inputs, direction, f"{name}({name_of(shown)}), the direction")
        ys = _several(run, shown)
        graph = run.graph or any(isinstance(move, Value) for move in moves)
        tangents = run._replace(graph=graph).pushed(ys, run.variables, moves)
        return rebuilt(run.out, iter(finished(tangents, graph)))

    return derived
