"""Entries of tables by an index that comes with the example: found in the graph, and computed as what they are."""

from __future__ import annotations

import random
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import ARRAYS, EXECUTORS, executor, hold

import micrograd_plus as mp
from micrograd_plus import Value

ODD = (0.5, -1.0, 7.0, 1e300, nan, inf, -inf, -0.0)


def table(draw: random.Random, rows: int, columns: int) -> list[list[Any]]:
    """Values, the same one in two places here and there, and some plain numbers."""
    entries: list[Any] = [Value(draw.gauss(0.0, 1.0)) for _ in range(rows * columns)]
    for i in range(rows * columns):
        if draw.random() < 0.2:
            entries[i] = draw.choice([draw.gauss(0.0, 1.0), draw.choice(entries)])
    return [entries[i * columns : (i + 1) * columns] for i in range(rows)]


def kinds(program: Any) -> list[str]:
    return [array.kind for array in program._paths[0].arrays.made]


@pytest.mark.parametrize("name", EXECUTORS)
@given(st.integers(0, 10**9), st.sampled_from([1, 3, 33, 70]))
@settings(max_examples=25)
def test_drawn_tables_and_indices(name: str, seed: int, n: int) -> None:
    """Tables of parameters and of what was computed, by inputs and by what was found in another table."""
    draw = random.Random(seed)
    letters, width = draw.randint(1, 6), draw.randint(1, 4)
    first, second = table(draw, letters, width), table(draw, width, 2)
    numbers: list[Any] = [float(draw.randrange(width)) for _ in range(letters)]
    weight = Value(draw.gauss(0.0, 1.0))

    def cost(x: Any) -> Any:
        states = [mp.lookup(first, i) for i in x]
        scores = [mp.dot(states[0], state) * weight for state in states]
        found = mp.lookup(second, mp.lookup(numbers, x[0]))
        return mp.square(mp.lookup(scores, mp.minimum(x[1], 2.0))) + mp.tanh(sum(found)) * sum(states[-1], weight)

    with executor(name):
        program = mp.compile(cost, 3)
        hold(program, cost, [[draw.randrange(letters) for _ in range(3)] for _ in range(n)])
        odd = [[draw.choice([*ODD, 0.0]) for _ in range(3)] for _ in range(5)]
        hold(program, cost, odd)


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_embedding_is_taken_from_the_table_and_given_back_to_it(backend: Any, dtype: Any) -> None:
    rows = [[Value(float(10 * i + j)) for j in range(3)] for i in range(40)]
    program = mp.compile(lambda i: mp.dot(mp.lookup(rows, i), [1.0, 2.0, 3.0]), (), dtype=dtype, backend=backend)
    assert kinds(program).count("lookup") == 1
    assert "equal" not in program.explain()
    x = np.random.default_rng(0).integers(0, 40, 2_000)
    loss, gradient = program.value_and_grad(x)
    assert loss == np.mean(60.0 * x + 8.0)
    count = np.bincount(x, minlength=40) / len(x)
    assert gradient == pytest.approx(
        np.outer(count, [1.0, 2.0, 3.0]).ravel(), rel=1e-6 if dtype == "float32" else 1e-12
    )


def test_threads_give_the_same_bits() -> None:
    draw = random.Random(1)
    rows = table(draw, 9, 4)
    x = np.random.default_rng(0).integers(0, 9, (1_000, 2))

    def cost(x: Any) -> Any:
        return mp.losses.cross_entropy([mp.dot(mp.lookup(rows, x[0]), row) for row in rows], x[1])

    programs = [mp.compile(cost, 2, threads=threads) for threads in (1, 2, 3)]
    answers = [np.append(*program.value_and_grad(x)[::-1]) for program in programs]
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


def test_what_else_is_made_of_its_parts_is_there_too() -> None:
    """The comparisons and sums that a lookup is written in may be wanted for themselves."""
    entries = [Value(2.0), Value(3.0), Value(5.0)]

    def cost(i: Any) -> list[Any]:
        here = [mp.equal(i, float(k)) for k in range(3)]
        parts = [mp.where(it, entry, 0.0) for it, entry in zip(here, entries)]
        chosen, count = parts[0] + parts[1] + parts[2], here[0] + here[1] + here[2]
        return [chosen / count, count, parts[1], chosen * 2.0]

    program = mp.compile(cost, ())
    assert "lookup" in kinds(program)
    assert program([1, 2]).tolist() == [[3.0, 1.0, 3.0, 6.0], [5.0, 1.0, 0.0, 10.0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda here, entries: [mp.where(it, entry, 1.0) for it, entry in zip(here, entries)],  # not 0 elsewhere
        lambda here, entries: [mp.where(it, entry, 0.0) for it, entry in zip(here[::-1], entries)],  # another order
        lambda here, entries: [mp.where(it, entry, 0.0) for it, entry in zip(here[:2], entries)],  # fewer
        lambda here, entries: [it * entry for it, entry in zip(here, entries)],  # 0 · inf would be nan
        lambda here, entries: [mp.where(it, 0.0, entry) for it, entry in zip(here, entries)],
    ],
)
def test_what_only_looks_like_a_lookup_is_none(change: Any) -> None:
    entries = [Value(2.0), Value(3.0), Value(inf)]

    def cost(i: Any) -> Any:
        here = [mp.equal(i, float(k)) for k in range(3)]
        parts = change(here, entries)
        return sum(parts[1:], parts[0]) / (here[0] + here[1] + here[2])

    program = mp.compile(cost, ())
    assert "lookup" not in kinds(program)
    hold(program, cost, [0.0, 1.0, 2.0, 3.0])


def test_an_index_that_is_the_same_for_all_examples() -> None:
    """A parameter, say: that is computed once as it is written."""
    index, entries = Value(1.0), [Value(2.0), Value(3.0)]
    program = mp.compile(lambda x: mp.lookup(entries, index) * x, (), parameters=entries)
    assert program([4.0]) == 12.0
    index.data = 0.0
    assert program.value_and_grad([4.0])[1].tolist() == [4.0, 0.0]
