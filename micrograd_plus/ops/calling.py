"""From a row to a function, and what that does with numbers, Values, lists and arrays."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, Signature
from reprlib import repr as short_repr
from typing import Any, cast

from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value, apply, node
from micrograd_plus.ops.columns import argument_names

Forward = Callable[..., float]


def function_of(op: Op, home: str) -> Callable[..., Any]:
    """The function that a row stands for, which says that it comes from the module `home`."""
    count = op.arity
    make = _with_options if op.options else {1: _unary, 2: _binary}.get(count, _general)
    made = make(op)
    _introduce(made, op, home)
    return made


def _introduce(made: Any, op: Op, home: str) -> None:
    """Give a function its name, its module, its signature and its docstring, from the row."""
    count = op.arity
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in argument_names(op.name, count)]
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
    names, count = list(op.options), op.arity

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
    except TypeError:
        expected = "expected a number, a Value, or a list or array of them"
        raise TypeError(f"{op.name}({short_repr(arg)}): {expected}, got {type(arg).__name__}") from None
