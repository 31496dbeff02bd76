"""Compile a cost, or a model, for data at hand: the shapes are read from the data, and the program is tried on some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import isfinite
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.engine.recording import recording, within
from micrograd_plus.engine.value import Value
from micrograd_plus.program import CompileError, Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

TRIED = 16  # examples that a program is tried on: at most so many for their targets, and so many for their features
LOOKED_AT = 10_000  # examples among which those are looked for
CELLS = 300_000  # numbers among which those are looked for
FEW = 32  # different numbers: a feature that has more is told apart by its sign alone


def floats(name: str, data: Any) -> Floats:
    """Examples as a float64 array whose first axis counts them.

    Raises:
        CompileError: they are no numbers, or not all of one shape.
    """
    if not isinstance(data, (Sequence, np.ndarray)):
        way_out = "give np.asarray of it, if that is an array of numbers"
        raise CompileError(f"{name} is a {type(data).__name__}; expected a list or a NumPy array: {way_out}")
    try:
        array = np.asarray(data)
    except ValueError:
        expected = "expected numbers, as many in each example"
        raise CompileError(f"{name} {short_repr(data)} is uneven; {expected}") from None
    if array.dtype.kind not in "fiub":
        got = f"an array of {array.dtype}" if array.dtype != object else "something else"
        raise CompileError(f"{name} {short_repr(data)}; expected plain numbers, got {got}")
    if not all(array.shape):
        raise CompileError(f"{name} of shape {array.shape}; expected at least one number in each example")
    return array.astype(np.float64, copy=False)


def compiled_cost(
    cost: Callable[[Any, Any], Any],
    given: tuple[Any, Any],
    arrays: tuple[Floats, Floats],
    params: list[Value],
    threads: int = 1,
) -> Program:
    """A program for a cost(x, y), which gives what the cost itself gives for some of the examples.

    Args:
        given: the examples and their targets as they came, which says what the cost expects: lists, arrays, tuples.
        arrays: the same as `floats` makes them.
        params: what to differentiate by.
        threads: how many share a large batch.

    Raises:
        CompileError: it can't be compiled, or the program gives something else.
        Exception: whatever the cost itself raises for an example that is tried.
    """
    x, y = given
    program = Program(_taking(cost, (x[0], y[0])), [a.shape[1:] for a in arrays], params, "float64", None, threads)
    if program.several:
        raise CompileError("cost(x, y) returned a list; expected a Value, the loss of one example")
    tried = list(dict.fromkeys([*_one_of_each(arrays[1]), *_of_all_features(arrays[0])]))
    compiled = program.values(arrays[0][tried], arrays[1][tried])
    for i, got in zip(tried, compiled.tolist()):
        expected = within({recording: False}, cost, x[i], y[i])  # as in no_grad()
        number = expected.data if isinstance(expected, Value) else float("nan")
        if isfinite(number) and not abs(got - number) <= 1e-6 * abs(number) + 1e-9:
            why = "does it ask for the type or the identity of its arguments?"
            told = f"cost(x, y) is {number:g} for the example {i}, and {got:g} once it is compiled"
            raise CompileError(f"{told}; {why} Write mp.where and mp.equal instead")
    return program


def compiled_model(model: Any, x: Any, array: Floats, threads: int = 1) -> Program:
    """A program for the outputs of a model.

    Raises:
        CompileError: it can't be compiled.
        Exception: whatever the model raises.
    """
    return Program(_taking(model, (x[0],)), [array.shape[1:]], None, "float64", None, threads)


def _taking(function: Callable[..., Any], examples: tuple[Any, ...]) -> Callable[..., Any]:
    """A function of nested lists that calls the given one with arrays and tuples, where the examples have these."""
    if not any(needs_form(example) for example in examples):
        return function

    @wraps(function, updated=())
    def taking(*given: Any) -> Any:
        return function(*[formed(arg, example) for arg, example in zip(given, examples)])

    return taking


def needs_form(example: Any) -> bool:
    if isinstance(example, list):
        return any(needs_form(part) for part in example)
    return isinstance(example, (tuple, np.ndarray)) and np.ndim(example) > 0


def formed(nested: Any, example: Any) -> Any:
    """Nested lists as the containers that the example has: arrays and tuples instead of lists."""
    if isinstance(example, np.ndarray):
        array = np.empty(example.shape, dtype=object)
        array[...] = nested
        return array
    if isinstance(example, (list, tuple)):
        parts = [formed(part, form) for part, form in zip(nested, example)]
        return getattr(type(example), "_make", type(example))(parts)  # a namedtuple takes its fields one by one
    return nested


def _one_of_each(y: Floats) -> list[int]:
    """The first example of each different target: a cost may branch on labels, which a program could get wrong."""
    first: dict[bytes, int] = {}
    for i, target in enumerate(y[:LOOKED_AT]):
        first.setdefault(target.tobytes(), i)
        if len(first) == TRIED:
            break
    return list(first.values())


def _of_all_features(x: Floats) -> list[int]:
    """Examples that have between them most of the different numbers in each feature, so many at most.

    Greedily: each next one is the first of those that have most of what the ones before it lack.
    """
    rows = x.reshape(len(x), -1)[: min(LOOKED_AT, max(2 * TRIED, CELLS // max(1, x[0].size)))]
    words = np.empty(rows.shape, dtype=np.intp)  # which of the different numbers in its column each is
    count = 0
    for i, column in enumerate(rows.T):
        values, places = np.unique(column, return_inverse=True)
        if len(values) > FEW:
            values, places = np.unique(np.sign(column), return_inverse=True)
        words[:, i] = places + count
        count += len(values)
    chosen: list[int] = []
    lacking = np.ones(count, dtype=bool)
    while len(chosen) < TRIED and lacking.any():
        chosen.append(int(np.argmax(lacking[words].sum(axis=1))))
        lacking[words[chosen[-1]]] = False
    return chosen
