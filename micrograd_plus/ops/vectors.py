"""Functions over lists of numbers: dot, mean, softmax, log_softmax, logsumexp, lookup.

Each is built from the table's functions, one scalar operation at a time, and keeps no branch that depends on a number,
so that a graph traced at one point is right at every other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from functools import reduce
from math import inf
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from micrograd_plus._support.arguments import by_place
from micrograd_plus.engine.calls import made
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.table import abs, div, equal, exp, less, log1p, maximum, stop_gradient, where

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dot(a: Any, b: Any) -> Any:
    """The sum of products a[0]·b[0] + a[1]·b[1] + ..., one multiplication and one addition per pair.

    Args:
        a: a vector (list of n numbers or Values), or a matrix (list of m rows of n).
        b: a vector of n numbers or Values.

    Returns:
        For a vector a Value, or a float where nothing is a Value; for a matrix a NumPy array of m of them, so that
        `relu(dot(W, x) + b)` reads as in the textbooks. Where NumPy is not there, as in a browser tab, a list that is
        added, subtracted and multiplied as an array is.

    Raises:
        TypeError: one of them is no list.
        ValueError: the lengths differ, or a list is empty.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    a, b = _checked("dot", a), numbers_in("dot", b)
    if isinstance(a[0], Sequence) or getattr(a, "ndim", 1) == 2:
        return _matrix_times_vector(a, b)
    a = numbers_in("dot", a)
    if len(a) != len(b):
        raise ValueError(f"dot: vectors of {len(a)} and {len(b)} numbers; expected the same length")
    return made("dot", (tuple(a), tuple(b)), _number(added(x * y for x, y in zip(a, b))))


def _matrix_times_vector(rows: Any, vector: Any) -> NDArray[Any] | Column:
    vector = tuple(vector)  # which all rows remember
    sums = [dot(row, vector) for row in rows]
    try:
        import numpy as np
    except ModuleNotFoundError:
        return Column(sums)
    result = np.empty(len(sums), dtype=object if any(isinstance(total, Value) for total in sums) else float)
    result[:] = sums
    return result


class Column(list[Any]):
    """A list that + - and * take number by number, as those of an array do; it stands in where NumPy is not there.

    >>> Column([1.0, 2.0]) + [3.0, 4.0], 1.0 - Column([1.0, 2.0])
    ([4.0, 6.0], [0.0, -1.0])
    """

    __slots__ = ()

    def _with(self, operation: Callable[[Any, Any], Any], other: Any) -> Column:
        others = other if isinstance(other, (list, tuple)) else [other] * len(self)
        if len(others) != len(self):
            raise ValueError(f"a column of {len(self)} numbers and a list of {len(others)}; expected the same length")
        return Column(map(operation, self, others))

    def __add__(self, other: Any) -> Column:
        return self._with(operator.add, other)

    def __radd__(self, other: Any) -> Column:
        return self._with(lambda own, given: given + own, other)

    def __sub__(self, other: Any) -> Column:
        return self._with(operator.sub, other)

    def __rsub__(self, other: Any) -> Column:
        return self._with(lambda own, given: given - own, other)

    def __mul__(self, other: Any) -> Column:
        return self._with(operator.mul, other)

    def __rmul__(self, other: Any) -> Column:
        return self._with(lambda own, given: given * own, other)


def mean(values: Any) -> Any:
    """The sum of the values divided by their number.

    Args:
        values: a list of n numbers or Values, or an array of them.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: it is no list.
        ValueError: it is empty.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    values = numbers_in("mean", values)
    return made("mean", tuple(values), div(added(values), float(len(values))))


def softmax(values: Any) -> list[Any]:
    """The values' exponentials, divided by their sum: positive numbers that sum to 1.

    The largest value is taken from all of them first, which changes nothing but keeps exp from overflowing.

    Args:
        values: a list of n numbers or Values, or an array of them.

    Returns:
        A list of n Values, or of floats where nothing is a Value.

    Raises:
        TypeError: it is no list.
        ValueError: it is empty.

    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    values = numbers_in("softmax", values)
    largest = stop_gradient(reduce(maximum, values))
    exponentials = [exp(value - largest) for value in values]
    total = added(exponentials)
    return made("softmax", tuple(values), [div(exponential, total) for exponential in exponentials])


def log_softmax(values: Any) -> list[Any]:
    """The logarithms of softmax, without a detour over numbers too small for a float.

    Args:
        values: a list of n numbers or Values, or an array of them.

    Returns:
        A list of n Values, or of floats where nothing is a Value.

    Raises:
        TypeError: it is no list.
        ValueError: it is empty.

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    values = numbers_in("log_softmax", values)
    total = logsumexp(values)
    return made("log_softmax", tuple(values), [value - total for value in values])


def logsumexp(values: Any) -> Any:
    """The logarithm of the sum of the values' exponentials: a smooth maximum.

    The largest value m is taken out first, so that nothing overflows: m + ln(Σ exp(v - m)). Its own term is 1 and left
    to log1p, so that what is far smaller is not lost beside it.

    Args:
        values: a list of n numbers or Values, or an array of them.

    Returns:
        A Value, or a float where nothing is a Value.

    Raises:
        TypeError: it is no list.
        ValueError: it is empty.

    >>> logsumexp([1000.0, 1000.0])
    1000.69...
    >>> logsumexp([0.0, -40.0])
    4.24...e-18
    """
    values = numbers_in("logsumexp", values)
    largest = reduce(maximum, values)
    largest = stop_gradient(where(less(abs(largest), inf), largest, 0.0))
    tops = [equal(value, largest) for value in values]
    others = added([exp(value - largest) - top for value, top in zip(values, tops)])
    return made("logsumexp", tuple(values), largest + log1p(others + (added(tops) - 1.0)))


def lookup(table: Any, index: Any) -> Any:
    """The entry of a table at an index, which may be part of the data: an embedding's row, the logit of a class.

    `table[index]` needs a plain number. Here a Value will do, and the answer is a graph of it: so a compiled function
    takes indices as data, for whole batches. The gradient goes to the entry that was chosen, and to no other.

    Args:
        table: a list of n numbers or Values, or a list of n rows of m.
        index: a whole number from 0 to n - 1, plain or a Value; no gradient flows to it.

    Returns:
        The entry itself for a plain index, a number or a Value, or a list of m. For a Value a new one, or m of them,
        which are nan if it is not in the table.

    Raises:
        TypeError: the table is no list, or the index no number.
        ValueError: the table is empty, its rows are of different lengths, or a plain index is not in it.

    >>> from micrograd_plus import compile
    >>> embedding = [[Value(0.0), Value(1.0)], [Value(2.0), Value(3.0)], [Value(4.0), Value(5.0)]]
    >>> lookup(embedding, 2)[1]
    Value(data=5.0, grad=0.0)
    >>> program = compile(lambda i: sum(lookup(embedding, i)), x=())
    >>> program.values([2, 0, 1])
    array([9., 1., 5.])
    """
    table = _checked("lookup", table)
    rows: list[Any] = [_checked("lookup", entry) if is_many(entry) else None for entry in table]
    if len({entry if entry is None else len(entry) for entry in rows}) > 1:
        raise ValueError(f"lookup({short_repr(table)}): expected rows of the same length")
    if isinstance(index, Value):
        here = [equal(index, float(i)) for i in range(len(table))]
        if rows[0] is None:
            return made("lookup", (*table, index), _chosen(here, table))
        return made("lookup", (*map(tuple, rows), index), [_chosen(here, column) for column in zip(*rows)])
    place = _place(len(table), index)
    return table[place] if rows[0] is None else list(table[place])


def _chosen(here: Sequence[Any], entries: Sequence[Any]) -> Any:
    """The entry at whose place `here` is 1, all others being 0; where `here` is 0 everywhere, 0 / 0 gives nan."""
    return div(added([where(it, entry, 0.0) for it, entry in zip(here, entries)]), added(here))


def _place(count: int, index: Any) -> int:
    place = number(index, "lookup: index")
    if place not in range(count):
        raise ValueError(f"lookup: index {index!r}; expected a whole number from 0 to {count - 1}")
    return int(place)


def is_many(x: Any) -> bool:
    """Whether it has elements; a 0-d array is a number."""
    return hasattr(x, "__len__") and getattr(x, "shape", None) != ()


def added(numbers: Iterable[Any]) -> Any:
    """The numbers added one after the other: Python's own sum of floats has other bits from 3.12 on."""
    return reduce(operator.add, numbers)


def _number(result: Any) -> Any:
    """A Value as it is, a plain number of any type as a float."""
    return result if isinstance(result, Value) else float(result)


_USUAL = {float, int, Value}


def numbers_in(name: str, values: Any) -> Any:
    """Values and plain numbers, those of NumPy's as floats; an error where there is something else, such as lists."""
    values = _checked(name, values)
    if getattr(values, "ndim", 1) > 1 or isinstance(values, Mapping):
        shape = f"an array of shape {values.shape}" if hasattr(values, "shape") else type(values).__name__
        raise TypeError(f"{name}({short_repr(values)}): expected a list of numbers, got {shape}")
    values = widened(values)
    return values if _USUAL.issuperset(map(type, values)) else [_single(name, value) for value in values]


def _single(name: str, value: Any) -> Any:
    """One of the numbers; an array in a list may be there for many numbers at once."""
    if not isinstance(value, Value) and not hasattr(value, "dtype") and (is_many(value) or isinstance(value, str)):
        raise TypeError(f"{name}({short_repr(value)}): expected a number or a Value, got {type(value).__name__}")
    return widened(value)


def widened(numbers: Any) -> Any:
    """Numbers of other kinds as Python's, and arrays as floats, for 200 + 100 is 44 among uint8; all else as it is.

    >>> import numpy as np
    >>> float(widened(np.uint8(200)) + widened(np.uint8(100)))
    300.0
    >>> from decimal import Decimal
    >>> widened(Decimal("0.5"))
    0.5
    """
    if type(numbers) in _USUAL or isinstance(numbers, Value):
        return numbers
    dtype = getattr(numbers, "dtype", None)
    if dtype is None:
        return float(numbers) if hasattr(type(numbers), "__float__") else numbers
    if not hasattr(dtype, "kind") and hasattr(numbers, "tolist"):  # a tensor of PyTorch's
        return numbers.tolist()
    small = getattr(dtype, "kind", "O") in "biuf" and getattr(dtype, "char", "d") != "d"
    return numbers.astype(float) if small and hasattr(numbers, "astype") else numbers


def _checked(name: str, values: Any) -> Any:
    """The values, an iterator's in a list, a table's in an array; or an error that says what they are instead."""
    values = list(values) if isinstance(values, (Iterator, ValuesView)) else by_place(values)
    if isinstance(values, str) or not (is_many(values) and hasattr(values, "__getitem__")):
        raise TypeError(f"{name}({short_repr(values)}): expected a list of numbers, got {type(values).__name__}")
    if not len(values):
        raise ValueError(f"{name}: got an empty list; expected at least one number")
    return values
