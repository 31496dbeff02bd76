"""Compile a function of one example: `compile`, and what it checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from reprlib import repr as short_repr
from typing import Any, Literal

from micrograd_plus.engine.value import Value
from micrograd_plus.nn import Module
from micrograd_plus.optim.ranges import parameters as checked_parameters
from micrograd_plus.program.errors import CompileError as CompileError
from micrograd_plus.program.programs import Program
from micrograd_plus.program.tracing import shape_of


def compile(
    function: Callable[..., Any],
    x: int | Sequence[int],
    y: int | Sequence[int] | None = None,
    *,
    parameters: Module | Sequence[Value] | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    backend: Literal["kernels", "numpy"] | None = None,
    threads: int = 1,
) -> Program:
    """Compile a function of one example into a program that runs whole batches with NumPy.

    The function is traced once, on Values: what it computes scalar by scalar becomes a graph, in which sums of products
    are found to be matrix products again. Its gradient comes from the same partials as everywhere. What the function
    reads, inputs, targets and parameters, is read at each call; plain numbers in it are constants, and nodes that were
    there before are computed anew from their leaves.

    A Python `if` on a traced value is noted: examples that go the other way are traced anew. `float()` and `.data` of a
    traced value are refused; so are its hash and its text, by which sets, dicts and caches find a number, its equality
    to another Value, and anything at all in another thread. A function that draws random numbers is refused, where
    that can be seen: by the generators of `random`, `numpy.random` and PyTorch, and those that it reaches from its
    closure, its globals and the attributes of its models, or makes at its first run and keeps. Refused, too, is one
    whose graph changes from run to run.

    What can't be seen is kept for ever as it was: the time, os.urandom and `secrets`, generators seeded from them
    inside the function, generators it finds by a name in a string or after the first hundreds of a list, files, `id()`
    and `is`, the type of an argument, and what another thread makes of a parameter's number.

    Args:
        function: function(x, y), or function(x) without targets, of one example; returns a Value, or a list of them.
        x: how many numbers an example has: 784 for a list of 784, () for a single number, (28, 28) for a list of lists.
        y: the same of its target, such as 10 for a list of 10; None if there is no target.
        parameters: a model, or the Values to differentiate by, in the order of the gradient; None finds them: the
            parameters of the models that the function uses, in the order of `model.parameters()`.
        dtype: what to compute in; "float32" is faster and has seven digits, in means over many examples, too.
        backend: "kernels" runs it by kernels built natively, "numpy" with NumPy; None takes kernels where the program
            can be run by them, and for a few examples an interpreter of the graph where that is faster, by costs that
            were measured. `Program.explain` says which it is, and why. Answers differ by rounding at most.
        threads: how many threads share a batch of hundreds of examples or more, where kernels or the interpreter run
            it; the answers are the same to the last bit.

    Returns:
        A `Program`. Called with a batch it gives the mean of the function over it, with `.values` each example's own
        number, with `.value_and_grad` the mean and its gradient. One of a function that returns a list, a model for
        instance, gives each example's outputs.

    Raises:
        CompileError: the function cannot be traced; the message names the line and says what to write instead. Or
            kernels were asked for and cannot run it.
        TypeError: it is no function, or something in `parameters` is no Value.
        ValueError: a shape, the dtype, the backend or the number of threads is none; or `parameters` is empty, or holds
            a Value twice or a computed one.

    >>> import micrograd_plus as mp
    >>> model = mp.MLP(2, [3, 1], seed=1)
    >>> program = mp.compile(lambda x, y: mp.losses.squared_error(model(x), y), x=2, y=())
    >>> loss, gradient = program.value_and_grad([[0.5, -1.0], [2.0, 0.25]], [1.0, -1.0])
    >>> gradient.shape
    (13,)
    >>> print(program.explain().splitlines()[0])
    39 scalar nodes → 4 groups
    """
    if not callable(function):
        kind = type(function).__name__
        raise TypeError(f"compile({short_repr(function)}): expected a function of one example, got {kind}")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"compile(dtype={short_repr(dtype)}): expected 'float64' or 'float32'")
    if backend not in (None, "kernels", "numpy"):
        raise ValueError(f"compile(backend={short_repr(backend)}): expected 'kernels', 'numpy' or None")
    if type(threads) is not int or threads < 1:
        raise ValueError(f"compile(threads={short_repr(threads)}): expected how many threads run it, 1 or more")
    shapes = [shape_of("x", x)] if y is None else [shape_of("x", x), shape_of("y", y)]
    given = parameters.parameters() if isinstance(parameters, Module) else parameters
    wanted = None if given is None else checked_parameters("compile(parameters)", given)
    return Program(function, shapes, wanted, dtype, backend, threads)
