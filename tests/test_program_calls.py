"""What goes into a compiled program and comes out of it: batches, parameters, outputs, pickles, errors."""

from __future__ import annotations

import math
import pickle
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    ACTIVATIONS,
    ARRAYS,
    EXECUTORS,
    MODEL,
    ROWS,
    A,
    B,
    Cost,
    agree,
    checked,
    executor,
    hold,
    jagged,
    numbers,
)

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program import Program
from micrograd_plus.strategies.networks import mlps

# ------------------------------------------------------------------------------------------- what goes in and comes out


@pytest.mark.parametrize("name", ARRAYS)
def test_outputs(name: str) -> None:
    with executor(name):
        program = mp.compile(lambda x: [A, x, Value(2.0), x * A, x], ())
    assert np.array_equal(
        program([3.0, 1.0], parameters=[7.0]), [[7.0, 3.0, 2.0, 21.0, 3.0], [7.0, 1.0, 2.0, 7.0, 1.0]]
    )
    for call in (program.value_and_grad, program.gradients):
        with pytest.raises(TypeError, match="returns a list of outputs"):
            call([3.0])
    model = mp.MLP(3, [4, 2], seed=1)
    prediction = mp.compile(model, 3)
    x = numbers(7, 3)
    assert prediction(x).shape == (7, 2)
    assert agree(prediction(x), [[out.data for out in model(row)] for row in x.tolist()], 1.0).all()
    assert mp.compile(lambda x: np.array([x, 2.0 * x]), ())([1.0]).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("name", EXECUTORS)
def test_functions_that_return_what_they_were_given(name: str) -> None:
    with executor(name):
        for cost in (lambda x: x, lambda x: A, lambda x: x - x + A, lambda x: x * 0.0 + 3.0, lambda x: Value(3.0)):
            hold(mp.compile(cost, (), parameters=[A]), cost, [3.0, -1.0])
        hold(mp.compile(lambda x, y: A * A, 3, 2), lambda x, y: A * A, numbers(4, 3), numbers(4, 2))
        hold(mp.compile(lambda x: x * x, ()), lambda x: x * x, [3.0])  # no parameters


def test_shapes_of_examples() -> None:
    checked(lambda x, y: mp.square(x[2][3] * A - y[1]) + x[0][1] * y[0], numbers(5, 3, 4), numbers(5, 2))
    checked(lambda x: x[1][0][1] * A + x[0][0][0], numbers(3, 2, 1, 2))
    checked(lambda x, y: x * A - y, numbers(3), numbers(3))


def test_parameters() -> None:
    """Values are read afresh; a vector counts instead of them; what is not differentiated is read all the same."""
    a, b = Value(2.0), Value(3.0)
    program = mp.compile(lambda x: a * b * x, (), parameters=[b])
    assert program.parameters == [b]
    assert program.value_and_grad([1.0]) == (6.0, np.array([2.0]))
    a.data, b.data = 5.0, 7.0
    assert program.value_and_grad([1.0]) == (35.0, np.array([5.0]))
    assert program.value_and_grad([1.0], parameters=[1.0]) == (5.0, np.array([5.0]))
    assert program.gradients([1.0, 2.0], parameters=[1.0]).tolist() == [[5.0], [10.0]]
    assert program.values([1.0, 2.0], parameters=np.array([1])).tolist() == [5.0, 10.0]
    assert (a.data, b.data, a.grad, b.grad) == (5.0, 7.0, 0.0, 0.0)


@given(mlps(activations=ACTIVATIONS), st.integers(0, 99), st.sampled_from(EXECUTORS))
@settings(max_examples=20)
def test_a_flat_vector_is_the_values(model: mp.MLP, seed: int, name: str) -> None:
    inputs = len(model.layers[0].neurons[0].w)
    with executor(name):
        program = mp.compile(lambda x: mp.mean([mp.square(z) for z in _listed(model(x))]), inputs)
        theta, x = np.random.default_rng(seed).normal(size=len(model.parameters())), numbers(4, inputs, seed=seed)
        given_ = program.value_and_grad(x, parameters=theta), program.gradients(x, parameters=theta)
        for parameter, number in zip(model.parameters(), theta.tolist()):
            parameter.data = number
        read = program.value_and_grad(x), program.gradients(x)
    assert given_[0][0] == read[0][0]
    assert np.array_equal(given_[0][1], read[0][1])
    assert np.array_equal(given_[1], read[1])


def _listed(out: Any) -> list[Any]:
    return out if isinstance(out, list) else [out]


def test_nothing_that_is_given_or_returned_is_shared() -> None:
    x, y = numbers(6, 3), numbers(6)
    theta = numbers(len(MODEL.parameters()))
    kept = x.copy(), y.copy(), theta.copy()
    program = mp.compile(lambda x, y: mp.square(sum(MODEL(x)) - y) + A, 3, (), parameters=MODEL)
    for call in (program.value_and_grad, program.gradients, program.values):
        first = call(x, y, parameters=theta)
        array = first[1] if isinstance(first, tuple) else first
        before = array.copy()
        array[...] = 7.0
        again = call(x, y, parameters=theta)
        assert np.array_equal(again[1] if isinstance(again, tuple) else again, before)
    assert all(np.array_equal(now, then) for now, then in zip((x, y, theta), kept))


@pytest.mark.parametrize("name", EXECUTORS)
def test_float32(name: str) -> None:
    special = mp.primitive("p_single", math.sin, lambda out, x: math.cos(x))

    def cost(x: list[Any]) -> Any:
        parts = [mp.tanh(A * a) * B + mp.erf(a * A) + mp.softplus(a) * mp.mish(a * B) + special(a * A) for a in x]
        return sum(parts) + sum([mp.relu(z) for z in MODEL(x)]) + mp.where(x[0] < A, A, 1.0)

    with executor(name):
        program = mp.compile(cost, 3, dtype="float32")
        x = numbers(5, 3)
        hold(program, cost, x, tolerance=1e-5)
        for answer in (program.values(x), program.gradients(x), program.value_and_grad(x)[1]):
            assert answer.dtype == np.float32
        mp.compile(lambda x: x[0] * A * 1e300 + x[1] * 1e299, 2, dtype="float32")(
            [[1.0, 1e300]]
        )  # infinite, no warning


def test_every_kind_of_batch() -> None:
    """Integers, booleans, lists, small floats, arrays in any order of memory: all give what plain floats give."""
    program = mp.compile(lambda x, y: mp.square(x[0] * A + x[1] - y) * x[1], 2, ())
    big = numbers(8, 6)
    for x, y in (
        ([[1, 2], [3, 4]], [0, 1]),
        (((1, 2.0), (True, 4)), (0, 1)),
        (np.array([[True, False]]), np.array([True])),
        (np.arange(6, dtype=np.uint8).reshape(3, 2), np.arange(3, dtype=np.int16)),
        (big[::2, ::3], big[::2, 1]),
        (big[::-1, 4:], big[::-1, 0]),
        (np.asfortranarray(big[:, :2]), big[:, 3]),
        (np.broadcast_to(1.5, (4, 2)), np.broadcast_to(2.0, 4)),
        (big[:, :2].astype(np.float16), big[:, 0].astype(np.float32)),
    ):
        plain = np.array(x, dtype=float, order="C"), np.array(y, dtype=float, order="C")
        assert program(x, y) == program(*plain)
        assert np.array_equal(program.gradients(x, y), program.gradients(*plain))
    table: Any = type("Table", (np.ndarray,), {"mask": lambda *_: None})  # as pandas calls a method
    assert program(big[:, :2].view(table), big[:, 0]) == program(big[:, :2], big[:, 0])
    block = numbers(4, 3, 2).transpose(2, 1, 0)
    nested = mp.compile(lambda x: x[0][1] * A + x[2][3], (3, 4))
    assert nested(block) == nested(block.copy())


BAD: dict[str, tuple[tuple[Any, ...], type[Exception], str]] = {
    "wide": (([[1.0, 2.0, 3.0]], [1.0]), ValueError, r"X of shape \(1, 3\); expected \(examples, 2\)"),
    "one example": (([1.0, 2.0], [1.0]), ValueError, r"shape \(2,\).*a single example goes into a list, \[x\]"),
    "empty": ((np.empty((0, 2)), []), ValueError, "X is empty; expected at least one example"),
    "strings": (([["1", "2"]], [1.0]), TypeError, r"X \[\['1', '2'\]\]; expected plain numbers, got an array of <U1"),
    "uneven": (
        ([[1.0, 2.0], [3.0]], [1.0, 2.0]),
        ValueError,
        r"X \[\[1.0, 2.0\], \[3.0\]\] is uneven; expected 2 numbers",
    ),
    "nothing": ((None, [1.0]), TypeError, "X None; expected plain numbers"),
    "Values": (([[A, B]], [1.0]), TypeError, "expected plain numbers"),
    "complex": (([[1j, 2.0]], [1.0]), TypeError, "got an array of complex128"),
    "masked": (
        (np.ma.array([[1.0, 2.0]], mask=[[False, True]]), [1.0]),
        TypeError,
        "expected plain numbers, got a masked array",
    ),
    "no targets": (([[1.0, 2.0]],), TypeError, "got X alone; expected targets Y, too"),
    "targets of two": (([[1.0, 2.0]], [[1.0, 2.0]]), ValueError, r"Y of shape \(1, 2\); expected \(examples,\)"),
    "too many targets": (([[1.0, 2.0]], [1.0, 2.0]), ValueError, "1 examples? and 2 targets; expected as many of each"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_batches(name: str) -> None:
    arguments, error, message = BAD[name]
    program = mp.compile(lambda x, y: mp.square(x[0] * A + x[1] - y), 2, ())
    for call in (program, program.values, program.value_and_grad, program.gradients):
        with pytest.raises(error, match=message) as caught:
            call(*arguments)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_bad_parameters() -> None:
    program = mp.compile(lambda x: x * A, ())
    with pytest.raises(TypeError, match="got Y, but it was compiled without targets"):
        program([1.0], [1.0])
    shapes: list[Any] = [[1.0, 2.0], [[1.0]], []]
    for given_ in shapes:
        with pytest.raises(ValueError, match=r"parameters of shape .*; expected \(1,\)"):
            program([1.0], parameters=given_)
    others: list[Any] = ["abc", [3j], [None], [[1.0], [2.0, 3.0]]]
    for given_ in others:
        with pytest.raises((TypeError, ValueError)):
            program([1.0], parameters=given_)


def test_bad_arguments_of_compile() -> None:
    for shape in ("2", 0, -1, True, 2.5, None, (3, 0), (2, 0.5)):
        for name, options in (("x", {"x": shape}), ("y", {"x": (), "y": shape})):
            if shape is None and name == "y":
                continue
            says = (
                f"compile({name}={shape!r}): expected how many numbers an example has, such as 784, () for a single "
                "one, or a shape (28, 28)"
            )
            with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
                mp.compile(lambda *_: A, **options)
    with pytest.raises(ValueError, match=r"'float16'.*expected 'float64' or 'float32'"):
        mp.compile(lambda x: x, (), dtype="float16")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"'tanh'.*expected a function of one example, got str"):
        mp.compile("tanh", ())  # type: ignore[arg-type]
    wrong: list[tuple[Any, type[Exception]]] = [([], ValueError), ([A, A], ValueError), ([1.0], TypeError)]
    for given_, error in wrong:
        with pytest.raises(error, match="expected Values"):
            mp.compile(lambda x: x * A, (), parameters=given_)


# ------------------------------------------------------------------------------------------------------ taken elsewhere


def _branching(x: Any) -> Any:
    return x * A if x > 0.0 else mp.gelu(x) * A


PICKLED: dict[str, tuple[Cost, Any]] = {
    "regular": (lambda x: mp.square(sum(MODEL(x))) + mp.erfinv(0.5 * mp.sigmoid(x[0])), numbers(4, 3)),
    "irregular": (jagged, numbers(2, 3)),
    "branching": (_branching, numbers(6)),
    "several": (lambda x: [x * A, A * A, mp.mish(x)], numbers(3)),
}


@pytest.mark.parametrize("name", PICKLED)
@pytest.mark.parametrize("which", EXECUTORS)
def test_a_pickled_program_answers_the_same(name: str, which: str) -> None:
    cost, x = PICKLED[name]
    with executor(which):
        program = mp.compile(cost, np.shape(x)[1:])
        program(x)  # all ways have been gone
        bytes_ = pickle.dumps(program)
        copy = pickle.loads(bytes_)
        assert repr(copy) == repr(program)
        assert copy.explain() == program.explain()
        assert [leaf.data for leaf in copy.parameters] == [leaf.data for leaf in program.parameters]
        calls = [Program.values] if name == "several" else [Program.values, Program.gradients]
        for call in calls:
            assert np.array_equal(call(copy, x), call(program, x))
        if name != "several":
            assert copy.value_and_grad(x)[0] == program.value_and_grad(x)[0]
            assert np.array_equal(copy.value_and_grad(x)[1], program.value_and_grad(x)[1])
        assert np.array_equal(pickle.loads(pickle.dumps(copy)).values(x), program.values(x))


def test_a_pickled_program_answers_the_same_in_another_process(tmp_path: Any) -> None:
    pickles = []
    for which in EXECUTORS:
        with executor(which):
            pickles.append(mp.compile(lambda x: mp.square(sum(MODEL(x))) + mp.gelu(x[0] * A), 3))
    x = numbers(4, 3)
    path = tmp_path / "programs.pickle"
    path.write_bytes(pickle.dumps((pickles, x)))
    code = (
        f"import pickle; programs, x = pickle.load(open({str(path)!r}, 'rb'))\n"
        "for program in programs: print([program(x), *program.value_and_grad(x)[1].tolist()])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for program, line in zip(pickles, run.stdout.splitlines(), strict=True):
        want = [program(x), *program.value_and_grad(x)[1].tolist()]
        assert agree([float(word) for word in line.strip("[]").split(",")], want, 1.0).all()


# -------------------------------------------------------------------------------------------------------- what it tells


@pytest.mark.parametrize("name", ARRAYS)
def test_explain_names_the_matrix_products(name: str) -> None:
    model = mp.MLP(20, [8, 5], activation="tanh", seed=1)
    with executor(name):
        told = mp.compile(lambda x, y: mp.losses.squared_error(model(x), y), 20, 5).explain()
        one = mp.compile(lambda x: sum(mp.square(mp.dot(r, c)) for r in ROWS for c in zip(*x)), (3, 4)).explain()
        none = mp.compile(lambda x: mp.tanh(x) * A, ()).explain()
    assert "8 x 20" in told
    assert "5 x 8" in told
    assert "3 x 3 for 4 columns" in one
    assert "matrix product" not in none
    assert "scalar nodes" in none
    assert "2 ways" in repr(_both_ways())
    assert "x > 0.0" in _both_ways().explain()


def _both_ways() -> mp.program.Program:
    program = mp.compile(_branching, ())
    program([1.0, -1.0])
    return program


# ------------------------------------------------------------------------------------------------ what comes afterwards


@pytest.mark.parametrize("which", EXECUTORS)
def test_a_hook_that_comes_after_compiling_is_no_silent_mistake(which: str) -> None:
    w, other, kept = Value(2.0), Value(1.0), Value(3.0)
    with executor(which):
        program = mp.compile(lambda x: w * x * kept, x=(), parameters=[w])
        for value in (w, kept):
            with value.register_hook(lambda gradient: 10.0 * gradient):
                for call in (program.value_and_grad, program.gradients):
                    with pytest.raises(mp.CompileError, match="has a hook"):
                        call([1.0])
                    with pytest.raises(mp.CompileError, match="has a hook"):
                        call([1.0], parameters=[2.0])
                assert program([1.0]) == 6.0  # no gradient, no hook
        with other.register_hook(print):
            assert program.value_and_grad([1.0])[1] == 3.0
        assert program.value_and_grad([1.0])[1] == 3.0


def test_a_program_keeps_its_values_and_tells_that_names_have_others() -> None:
    model = mp.MLP(1, [2, 1], seed=1)
    program = mp.compile(lambda x: model([x]), x=())
    before = program([1.0])
    assert not program.rebound()
    model.layers[0].neurons[1].b = Value(3.0)
    assert program.rebound()
    model = mp.MLP(1, [2, 1], seed=2)
    assert program.rebound()
    assert program([1.0]) == before
    assert not pickle.loads(pickle.dumps(program)).rebound()
