"""NumPy's functions on Values and on arrays of Values: they give what NumPy gives for the numbers, or an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import micrograd_plus as mp
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.rows import FUNCTIONS

Function = Callable[..., Any]

UFUNCS = {one.__name__: one for one in vars(np).values() if isinstance(one, np.ufunc)}
numpy: Any = np  # whose types know no Values
POINTS = [(1.7, 0.6), (-0.4, 2.3), (0.3, -1.6)]

# what NumPy's functions are for us: a row of that name, or this
ROWS = {
    **{op.numpy: name for name, op in reversed(TABLE.items()) if op.numpy and op.precedence},
    "fabs": "abs",
    "deg2rad": "radians",
    "rad2deg": "degrees",
    "conjugate": "identity",
}
QUESTIONS = {
    "less",
    "less_equal",
    "equal",
    "greater",
    "greater_equal",
    "not_equal",
    "isnan",
    "isinf",
    "isfinite",
    "signbit",
}  # True or False
# NumPy itself has no way to apply these to an array of objects, which hides no method that it would ask: an error
REFUSED_BY_NUMPY = {"logaddexp", "copysign", "isnan", "isinf", "isfinite", "signbit"}

each_ufunc = pytest.mark.parametrize("ufunc", list(UFUNCS.values()), ids=list(UFUNCS))


def slopes(f: Function, numbers: tuple[float, ...]) -> list[float]:
    """The derivative by each number, from differences."""
    h = 1e-6
    sides = [[float(f(*numbers[:i], x + d, *numbers[i + 1 :])) for d in (h, -h)] for i, x in enumerate(numbers)]
    return [(above - below) / (2 * h) for above, below in sides]


def check(got: Any, leaves: list[Value], f: Function, numbers: tuple[float, ...]) -> None:
    """Fail unless got is f(numbers), and its gradient is the slope of f; a plain number has none."""
    with np.errstate(all="ignore"):
        want, by = float(f(*numbers)), slopes(f, numbers)
    assert float(got) == pytest.approx(want, rel=1e-12, abs=1e-12, nan_ok=True)
    gradient = mp.gradient(got, leaves) if isinstance(got, Value) else [0.0] * len(leaves)
    if math.isfinite(want):
        assert gradient == pytest.approx(by, rel=1e-5, abs=1e-5)


def parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def test_every_row_that_numpy_has_is_found_by_numpys_name() -> None:
    assert {name for name in ROWS if name not in UFUNCS} <= {"where", "clip"}  # which NumPy has, but not as ufuncs


@each_ufunc
@pytest.mark.parametrize("point", POINTS)
def test_of_values_it_gives_the_row_or_says_the_way_out(ufunc: np.ufunc, point: tuple[float, ...]) -> None:
    name, numbers = ufunc.__name__, point[: ufunc.nin]
    leaves = [Value(x) for x in numbers]
    if name in ROWS:
        assert ufunc(*leaves).op is TABLE[ROWS[name]]
    if name in ROWS or name in QUESTIONS:
        check(ufunc(*leaves), leaves, ufunc, numbers)
    else:
        with pytest.raises(TypeError, match=r"no row for it; write it in mp's functions"):
            ufunc(*leaves)


@each_ufunc
@pytest.mark.parametrize("point", POINTS)
def test_of_arrays_of_values_it_gives_the_row_or_an_error(ufunc: np.ufunc, point: tuple[float, ...]) -> None:
    name, numbers = ufunc.__name__, point[: ufunc.nin]
    leaves = [Value(x) for x in numbers]
    if name in {"gcd", "lcm", "logical_and", "logical_or"}:
        pytest.skip("NumPy refuses floats to the first two, and the others choose one of two objects, as Python does")
    try:
        with np.errstate(all="ignore"):
            got = ufunc(*[np.array([leaf]) for leaf in leaves])
    except (TypeError, AttributeError, ValueError):
        assert name in REFUSED_BY_NUMPY or name not in ROWS | dict.fromkeys(QUESTIONS)
        return
    assert name not in REFUSED_BY_NUMPY
    if ufunc.signature is not None:
        assert isinstance(got, Value)
        return
    if name not in {"equal", "not_equal"}:  # these ask whether they are the same object
        for one, f in zip(parts(got), [lambda *x, i=i: parts(ufunc(*x))[i] for i in range(ufunc.nout)]):
            check(one[0], leaves, f, numbers)


@each_ufunc
def test_nothing_writes_a_value_into_an_array_of_plain_numbers(ufunc: np.ufunc) -> None:
    v = Value(1.5)
    into = np.array([2.0, 3.0])
    others = [np.ones(2)] * (ufunc.nin - 1)
    if ufunc.__name__ in QUESTIONS:  # True and False may be written anywhere
        return
    for first in (v, np.array([v, v])):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            ufunc(first, *others, out=(into,) * ufunc.nout)
        assert into.tolist() == [2.0, 3.0]
    if ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None:
        with pytest.raises(TypeError, match="would cut the graph"):  # of an array of Values NumPy does it itself
            cast(Any, ufunc).at(into, [0, 1], v)


def add(a: Any, b: Any) -> Any:
    a += b
    return a


def sub(a: Any, b: Any) -> Any:
    a -= b
    return a


def mul(a: Any, b: Any) -> Any:
    a *= b
    return a


def div(a: Any, b: Any) -> Any:
    a /= b
    return a


def power(a: Any, b: Any) -> Any:
    a **= b
    return a


def mod(a: Any, b: Any) -> Any:
    a %= b
    return a


@pytest.mark.parametrize("change", [add, sub, mul, div, power, mod])
def test_an_array_of_numbers_is_not_changed_in_place_by_a_value(change: Function) -> None:
    v, total = Value(1.3), np.array([2.0, 3.0])
    with pytest.raises(TypeError, match=r"float64.*total = total \+ v.*dtype=object"):
        change(total, v)
    assert total.tolist() == [2.0, 3.0]
    changed = change(np.array([2.0, 3.0], dtype=object), v)
    check(changed[0] + changed[1], [v], lambda x: change(np.array([2.0, 3.0]), x).sum(), (1.3,))


# functions of an array, each as a sum of what comes out, so that a gradient reaches all of it
FUNCTIONS_OF_ONE: dict[str, Function] = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "std": np.std, "var": np.var, "median": np.median,
    "max": np.max, "min": np.min, "ptp": np.ptp, "average": lambda a: np.average(a, weights=[1.0, 2.0, 3.0, 4.0]),
    "cumsum": lambda a: np.cumsum(a)[2], "cumprod": lambda a: np.cumprod(a)[2], "diff": lambda a: np.diff(a, 2).sum(),
    "sort": lambda a: numpy.sort(a)[1], "clip": lambda a: np.clip(a, -0.3, 1.0).sum(),
    "round": lambda a: numpy.round(a)[0],
    "sinc": lambda a: np.sinc(a).sum(), "where": lambda a: np.where(a > 0.0, a, 2.0 * a).sum(),
    "norm": np.linalg.norm, "trace": lambda a: np.trace(a.reshape(2, 2)), "nansum": np.nansum,
    "einsum": lambda a: np.einsum("ij,ij->", a.reshape(2, 2), a.reshape(2, 2)),
    "trapezoid": lambda a: ((a[1:] + a[:-1]) / 2.0).sum(), "polyval": lambda a: np.polyval(a, 0.7),
    "floor": lambda a: (np.floor(a) * a).sum(), "ceil": lambda a: (np.ceil(a) * a).sum(),
    "trunc": lambda a: (np.trunc(a) * a).sum(), "sign": lambda a: (np.sign(a) * a).sum(),
    "fix": lambda a: (np.fix(a) * a).sum(), "abs": lambda a: np.abs(a).sum(),
    "add.accumulate": lambda a: np.add.accumulate(a)[-1], "maximum.accumulate": lambda a: np.maximum.accumulate(a)[-1],
    "multiply.outer": lambda a: np.multiply.outer(a, a).sum(), "add.reduceat": lambda a: np.add.reduceat(a, [0, 2])[1],
}  # fmt: skip
FUNCTIONS_OF_TWO: dict[str, Function] = {
    "dot": np.dot, "vdot": np.vdot, "inner": np.inner, "outer": lambda a, b: np.outer(a, b).sum(),
    "matmul": np.matmul, "tensordot": lambda a, b: np.tensordot(a, b, 1), "kron": lambda a, b: np.kron(a, b).sum(),
    "convolve": lambda a, b: np.convolve(a, b)[3], "maximum": lambda a, b: np.maximum(a, b).sum(),
    "minimum": lambda a, b: np.minimum(a, b).sum(), "hypot": lambda a, b: np.hypot(a, b).sum(),
    "matrices": lambda a, b: (a.reshape(2, 2) @ b.reshape(2, 2)).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FUNCTIONS_OF_ONE, *FUNCTIONS_OF_TWO])
def test_functions_of_arrays_of_values_have_the_gradient_of_those_of_numbers(name: str) -> None:
    numbers = (0.4, -1.3, 2.6, 0.9)
    other = np.array([1.2, 0.7, -0.5, 2.2])
    one = FUNCTIONS_OF_ONE.get(name)
    f = one or (lambda a: FUNCTIONS_OF_TWO[name](a, other))
    leaves = [Value(x) for x in numbers]
    got = f(np.array(leaves))
    check(got.item() if isinstance(got, np.ndarray) else got, leaves, lambda *x: f(np.array(x)), numbers)


@pytest.mark.parametrize("row", [name for name, op in TABLE.items() if op.scipy])
def test_scipys_function_of_a_value_is_the_row(row: str) -> None:
    special = pytest.importorskip("scipy.special")
    v, name = Value(0.3), str(TABLE[row].scipy)
    got = getattr(special, name)(v)
    assert got.op.scipy == name
    check(got, [v], getattr(special, name), (0.3,))
    with pytest.raises(TypeError):
        getattr(special, name)(np.array([v]))


@pytest.mark.parametrize("row", [name for name, op in TABLE.items() if op.numpy])
def test_the_row_names_a_function_that_numpy_has(row: str) -> None:
    assert callable(getattr(np, str(TABLE[row].numpy)))


def test_a_single_value_is_an_array_of_one() -> None:
    v = Value(0.3)
    assert numpy.sum(v).data == numpy.max(v).data == numpy.prod(v).data == 0.3
    assert numpy.sinc(v).op is TABLE["sinc"]
    assert numpy.clip(v, 0.0, 0.2).op is TABLE["clamp"]
    assert numpy.multiply.outer(np.array([1.0, 2.0]), v)[1].data == 0.6
    assert numpy.frompyfunc(lambda x: x * x, 1, 1)(v).args == (v, v)
    for name in ("floor", "ceil", "trunc"):
        assert getattr(math, name)(v).op is TABLE[name]


def test_questions_are_answered_and_int_is_not() -> None:
    assert numpy.isnan(Value(math.nan))
    assert not numpy.isfinite(Value(math.inf))
    assert numpy.less(np.array([1.0, 3.0]), Value(2.0)).tolist() == [True, False]
    with pytest.raises(TypeError, match=r"int\(v.data\), or mp.trunc"):
        int(cast(Any, Value(2.5)))


class Loud(Value):
    def __mul__(self, other: Any) -> Any:
        return super().__mul__(other)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.bool_])
def test_a_number_of_any_of_numpys_kinds_stands_on_the_left(kind: Any) -> None:
    for one in (kind(1), np.array([kind(1)])):
        assert (one < Value(2.0), one >= Value(2.0)) == (True, False)
        product = np.ravel(one * Loud(2.0))[0]
        assert product.data == 2.0


def test_somebody_elses_array_is_asked() -> None:
    class Theirs:
        def __array_ufunc__(self, ufunc: Any, *_: Any, **__: Any) -> str:
            return str(ufunc.__name__)

    assert numpy.exp2(Value(1.0)).data == 2.0
    assert numpy.hypot(Value(1.0), Theirs()) == "hypot"


def test_a_primitive_of_ones_own_is_found_by_numpy() -> None:
    with pytest.raises(TypeError, match=r"mp.primitive\('fmod', \.\.\., numpy='fmod'\)"):
        numpy.fmod(Value(7.0), 3.0)
    mp.primitive("my_fmod", math.fmod, (lambda out, x, y: 1.0, lambda out, x, y: -mp.trunc(mp.div(x, y))), numpy="fmod")
    try:
        assert numpy.fmod(Value(7.0), 3.0).data == 1.0
        assert numpy.fmod(np.array([Value(7.0)]), np.array([3.0]))[0].data == 1.0
    finally:
        from micrograd_plus.ops.ufuncs import BY_UFUNC

        del BY_UFUNC["fmod"]
        del Value.fmod  # type: ignore[attr-defined]
    assert "my_fmod" in FUNCTIONS


CUTTING: dict[str, Function] = {
    "interp": lambda v: np.interp(v, [0.0, 1.0], [0.0, 2.0]),
    "i0": lambda v: np.i0(v),
    "nan_to_num": lambda v: np.nan_to_num(v),
}


@pytest.mark.parametrize("name", CUTTING)
def test_a_function_that_would_take_a_value_for_its_number_says_the_way_out(name: str) -> None:
    with pytest.raises(TypeError, match=rf"np\.{name} of a Value: .* mp\.where for a choice, or give it v\.data"):
        CUTTING[name](Value(0.5))
    assert CUTTING[name](0.5) is not None


def test_functions_that_ask_or_arrange_take_a_value() -> None:
    v: Any = Value(0.5)
    assert (np.isclose(v, 0.5), np.allclose(v, 0.5), np.array_equal(v, v)) == (True, True, True)
    assert [type(each) for each in np.stack([v, v])] == [Value, Value]
    assert np.sum(v) is v
    for spread in (np.std, np.var):
        assert float(spread(v)) == 0.0
        assert isinstance(spread(v), Value)
