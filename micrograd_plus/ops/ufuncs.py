"""NumPy's functions of Values: what the table has of them, and an error for what would cut the graph."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.recording import leaving, within
from micrograd_plus.engine.value import Value, overrides

BY_UFUNC: dict[str, Callable[..., Any]] = {}  # by NumPy's name, or SciPy's
_SYNONYMS: dict[str | None, tuple[str, ...]] = {"absolute": ("fabs",), "radians": ("deg2rad",), "degrees": ("rad2deg",)}
_SYNONYMS |= {"positive": ("conjugate",)}  # which np.var, np.std and np.vdot ask for
_BY_PYTHON = {"floor": "__floor__", "ceil": "__ceil__", "trunc": "__trunc__"}
_COMPARISONS = {"less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge}
_COMPARISONS |= {"equal": operator.eq, "not_equal": operator.ne}
_OPERATORS: dict[str, Callable[..., Any]] = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}
_OPERATORS |= {"divide": operator.truediv, "power": operator.pow, "negative": operator.neg}
_QUESTIONS = ("isnan", "isinf", "isfinite", "signbit")  # about the number alone: the answer is True or False


def answer(made: Callable[..., Any], op: Op, *, ours: bool) -> None:
    """Let NumPy's and SciPy's functions of the names in a row do on Values what the row's function does.

    Args:
        ours: whether it is a row of the package, and may answer to Python's own functions, too.
    """
    for theirs in [one for one in (op.numpy, *_SYNONYMS.get(op.numpy, ()), op.scipy) if one and one not in BY_UFUNC]:
        BY_UFUNC[theirs] = made
        if not hasattr(Value, theirs):  # np.arctan of an array of Values calls their method arctan
            setattr(Value, theirs, made)
    if ours and op.name in _BY_PYTHON:  # as math.floor(v) does, and np.floor of an array of Values
        setattr(Value, _BY_PYTHON[op.name], made)


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
    made, objects = _of_values(ufunc, method, inputs, called)
    with np.errstate(all="ignore"):
        result = getattr(made, method)(*objects, **options)
    if asked:
        result = np.asarray(result, dtype=bool)[()]
    if out is None:
        return result
    out[0][...] = result
    return out[0]


def _of_values(ufunc: Any, method: str, inputs: tuple[Any, ...], called: str) -> tuple[Any, list[Any]]:
    """The function that takes the place of NumPy's, and the inputs as that wants them."""
    import numpy as np

    name = ufunc.__name__
    objects = [np.asarray(x, dtype=object) if isinstance(x, Value) else x for x in inputs]
    if name in _COMPARISONS:
        return np.frompyfunc(_COMPARISONS[name], 2, 1), [_pythons(x) for x in inputs]
    if name in _QUESTIONS:
        return np.frompyfunc(lambda x: ufunc(x.data), 1, 1), objects
    if name in _OPERATORS and method == "__call__" and any(overrides(type(x)) for x in inputs):
        return np.frompyfunc(_OPERATORS[name], ufunc.nin, 1), [_pythons(x) for x in inputs]
    if name in BY_UFUNC and method == "__call__":
        return BY_UFUNC[name], [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs]
    if name in BY_UFUNC:
        return np.frompyfunc(BY_UFUNC[name], ufunc.nin, 1), objects
    if all(set(kinds) <= set("O->") for kinds in ufunc.types):  # a function of Python's, by np.frompyfunc
        return ufunc, objects
    raise TypeError(
        f"{called} of a Value: the table has no row for it; write it in mp's functions, such as mp.maximum, "
        f"or make one by mp.primitive({name!r}, ..., numpy={name!r})"
    )


def _pythons(x: Any) -> Any:
    """An array of Values and of Python's own numbers; NumPy's, as long doubles would stay, ask NumPy once more."""
    import numpy as np

    array = np.asarray(x)
    return array.astype(float if array.dtype.kind == "f" else array.dtype).astype(object)


_ROWS = {"clip": "clamp", "sinc": "sinc"}  # NumPy's functions that are no ufuncs, and our rows for them


def _array_function(_: Value, function: Any, types: Any, args: Any, options: Any) -> Any:  # noqa: ARG001 - NumPy's order
    """NumPy's other functions: two are rows, such as np.sinc(v); the rest see an array of one Value.

    Raises:
        TypeError: the function makes plain numbers of it.
    """
    name = function.__name__
    if name in _ROWS and not options:
        return getattr(Value, _ROWS[name])(*args)
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
    """Notes whether a function of NumPy's takes a Value for a plain number, and tells the watcher set before."""

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
