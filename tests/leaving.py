"""What programs that left are held to: the eager engine, example by example, edges included."""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Callable, Sequence
from math import inf, nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from programs import ROWS_OF_THE_TABLE, Random, agree, eager, trembles

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program import Program
from micrograd_plus.program.exports.parameters import tensors

Floats = NDArray[Any]
TOLERANCE = 1e-12
POINTS: list[float] = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0.3, 2.0, 3.0, -2.7, 7.5, 40.0, -40.0, 800.0, -800.0]
POINTS += [1e-9, 1e-300, 5e-324, 1e9, 1e155, -1e155, 1e308, -1e308, inf, -inf, nan]
STRICT = ("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1")

SCALE = Value(2.0, label="scale")


def two_ways(x: Any) -> Any:
    """A function that goes one way near 0, the other far out."""
    return SCALE * x * x / 2 if abs(x) < 1.0 else SCALE * (abs(x) - 0.5)


def three_ways(x: Any) -> Any:
    """The same with a choice more."""
    if abs(x) < 1.0:
        return SCALE * x * x / 2
    return SCALE * x - 0.5 if x > 0.0 else -SCALE * x - 0.5


class Answers(NamedTuple):
    """What came out of examples: a value for each, and a row of its gradient."""

    values: Floats
    gradients: Floats


class Case(NamedTuple):
    """A program, and examples for it.

    Attributes:
        name: what it is.
        cost: the function, of a list of numbers.
        program: the same, compiled.
        examples: a row for each.
    """

    name: str
    cost: Callable[..., Any]
    program: Program
    examples: list[list[float]]


def masked_case() -> Case:
    """A matrix product whose rows are behind masks, some of which are shut where it meets infinities and nan."""
    weights = [[Value(1.0), Value(1.0)], [Value(-1.0), Value(-1.0)]]

    def cost(x: Any) -> Any:
        hidden = [mp.relu(total) for total in mp.dot(weights, [mp.exp(v) for v in x])]
        return hidden[0] + hidden[1]

    flat = [weight for row in weights for weight in row]
    examples = [[1000.0, 1.0], [1.0, 2.0], [nan, 1.0], [-inf, 3.0]]
    return Case("masked", cost, mp.compile(cost, 2, parameters=flat), examples)


def shared_case() -> Case:
    """What is the same for all examples, a matrix product too, and is reached in some of them, as masks let it be."""
    weights = [[Value(0.1 * i - 0.3 * j + 0.5) for j in range(3)] for i in range(2)]
    column = [Value(1.5), Value(-0.5), Value(2.0)]

    def cost(x: Any) -> Any:
        shared = [mp.exp(mp.sin(total)) for total in mp.dot(weights, column)]
        return sum([mp.where(v > 0.0, each, v) * (v + 2.0) for v, each in zip(x, shared)])

    flat = [*[weight for row in weights for weight in row], *column]
    examples = [[1.0, -1.0], [-1.0, -2.0], [0.0, 3.0], [0.5, 0.25]]
    return Case("shared", cost, mp.compile(cost, 2, parameters=flat), examples)


def random_case(seed: int) -> Case:
    """A program that nobody would write; see `programs.Random`."""
    made = Random(random.Random(seed))
    return Case(f"seed {seed}: {made}", made, mp.compile(made, made.inputs, parameters=made.parameters), made.examples)


def row_case(name: str, points: Sequence[float] = POINTS) -> Case:
    """A row of the table, with each argument a parameter times an input that is 1, at points of all kinds."""
    function = next(function for function in ROWS_OF_THE_TABLE if function.__name__ == name)
    count = function.op.arity
    weights = [Value(1.0) for _ in range(count)]

    def cost(x: Any) -> Any:
        return function(*[weight * given for weight, given in zip(weights, x)])

    draw = random.Random(name)
    rows = [[point] * count for point in points]
    rows += [[draw.choice(points) for _ in range(count)] for _ in range(80 - len(points))]  # as many for each row
    return Case(name, cost, mp.compile(cost, count, parameters=weights), rows)


class Judged(NamedTuple):
    """Answers beside the engine's.

    Attributes:
        wrong: those that are not the engine's, in words.
        excused: how many of the others are not, and may: rounding decides about them, or the order of a sum.
    """

    wrong: list[str]
    excused: int


def judged(case: Case, answers: Answers, tolerance: float = TOLERANCE) -> Judged:
    """Where the answers are not the engine's; its own hang on rounding where `programs.eager` says so."""
    found, excused = [], 0
    for row, value, gradient in zip(case.examples, answers.values, answers.gradients):
        one = eager(case.cost, [row], case.program.parameters)
        fine = bool(agree(value, one.value, one.value_size, tolerance))
        if fine and bool(agree(gradient, one.gradient, one.gradient_sizes, tolerance).all()):
            continue
        if one.unsettled or trembles(case.cost, [row], case.program.parameters, tolerance):
            excused += 1
        else:
            found.append(f"{case.name} at {row}: {value}, {gradient}; engine {one.value}, {one.gradient}")
    return Judged(found, excused)


def wrong(case: Case, answers: Answers, tolerance: float = TOLERANCE) -> list[str]:
    """Where the answers are not the engine's, but for examples where rounding decides about that."""
    return judged(case, answers, tolerance).wrong


def in_torch(case: Case) -> Answers:
    """What a program answers once it is a module of PyTorch; each example's gradient by `torch.func`."""
    import torch
    from torch.func import functional_call, grad_and_value, vmap

    from micrograd_plus.program.exports.torch_module import ProgramModule

    module = ProgramModule(case.program)
    examples = torch.tensor(case.examples, dtype=torch.float64)
    ask = grad_and_value(lambda weights, x: functional_call(module, weights, (x,)))
    gradients, values = vmap(ask, (None, 0))({name: p.detach() for name, p in module.named_parameters()}, examples)
    made = [gradient.numpy() for gradient in gradients.values()]
    answers = Answers(values.numpy(), _in_order(case, module._program.parameters.tensors, made))
    value = module(examples[0])  # and of one example, by backward()
    if value.requires_grad:
        value.backward()
        for parameter, gradient in zip(module.parameters(), made):
            got = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
            np.testing.assert_allclose(got, gradient[0], TOLERANCE, 1e-290)
    np.testing.assert_allclose(value.detach().numpy(), answers.values[0], TOLERANCE, 1e-290)
    return answers


def in_jax(case: Case) -> Answers:
    """What a program answers once it is a function for JAX."""
    import jax

    with jax.enable_x64(True):
        function = case.program.to_jax()
        examples = jax.numpy.array(case.examples)
        ask = jax.vmap(jax.value_and_grad(function), (None, 0))
        values, gradients = ask(function.parameters, examples)
        made = [np.asarray(gradients[tensor.name]) for tensor in function._program.parameters.tensors]
        np.testing.assert_allclose(function(function.parameters, examples), values, TOLERANCE, 1e-290)
        return Answers(np.asarray(values), _in_order(case, function._program.parameters.tensors, made))


def in_onnx(case: Case) -> Answers:
    """What a program answers once it is an ONNX model, run by onnxruntime; each example's gradient by itself."""
    session = onnx_session(case.program, gradient=True)
    tensors_ = [tensor for tensor in tensors(case.program) if tensor.trained]
    whole = session.run(None, {"x": np.array(case.examples)})
    each = [session.run(None, {"x": np.array([row])}) for row in case.examples]
    np.testing.assert_allclose(whole[0], [values[0] for values, *_ in each], TOLERANCE, 1e-290)
    gradients = [np.array(parts) for parts in zip(*[slopes for _, *slopes in each])]
    for mean, parts in zip(whole[1:], gradients):  # all examples at once take other ways than one
        with np.errstate(all="ignore"):
            sizes = np.abs(np.where(np.isfinite(parts), parts, 0.0)).mean(axis=0)
            tame = np.isfinite(np.abs(parts).sum(axis=0)) | ~np.isfinite(parts).all(axis=0)
            fine = agree(mean, parts.mean(axis=0), sizes, TOLERANCE)
        assert (fine | ~tame).all(), f"{case.name}: {mean} is the mean of {parts.tolist()}"
    return Answers(whole[0], _in_order(case, tensors_, gradients))


def onnx_session(program: Program, **options: Any) -> Any:
    """What runs a program that left for ONNX, and was checked."""
    import onnx
    import onnxruntime

    with TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        program.to_onnx(path, **options)
        model = path.read_bytes()
    onnx.checker.check_model(model, full_check=True)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level, quiet.intra_op_num_threads = 3, 1
    return onnxruntime.InferenceSession(model, quiet, providers=["CPUExecutionProvider"])


def _in_order(case: Case, tensors: Sequence[Any], gradients: Sequence[Floats]) -> Floats:
    """The gradients of tensors as rows in the order of the program's parameters."""
    rows = np.zeros((len(case.examples), len(case.program.parameters)))
    for tensor, gradient in zip(tensors, gradients):
        rows[:, tensor.rows] = gradient.reshape(len(rows), -1)
    return rows


def in_c(cases: Sequence[Case], folder: Path, dtype: Literal["float64", "float32"] = "float64") -> list[Answers]:
    """What the programs answer once they are C, built with every warning an error."""
    for i, case in enumerate(cases):
        case.program.to_c(folder / f"case{i}.c", gradient=True, dtype=dtype)
    sources = [str(folder / f"case{i}.c") for i in range(len(cases))]
    built = folder / "cases.so"
    subprocess.run([*STRICT, "-shared", "-fPIC", *sources, "-lm", "-o", str(built)], check=True)
    library = ctypes.CDLL(str(built))
    functions = [getattr(library, f"case{i}_gradient") for i in range(len(cases))]
    rooms = [room_for(folder / f"case{i}.h") for i in range(len(cases))]
    return [_asked(*asked, dtype) for asked in zip(cases, functions, rooms)]


def room_for(header: Path) -> int:
    """How many numbers the array `work` must hold."""
    (room,) = [line.split()[2] for line in header.read_text().splitlines() if "_WORK " in line]
    return int(room)


@np.errstate(over="ignore")
def _asked(case: Case, function: Any, room: int, dtype: str) -> Answers:
    parameters = np.array([parameter.data for parameter in case.program.parameters]).astype(dtype)
    values, gradients = [], []
    for row in case.examples:
        out, gradient, work = [np.full(size, 7.0, dtype) for size in (1, len(parameters), room)]
        given = [np.array(row).astype(dtype), parameters, out, gradient, work]
        function(*[array.ctypes.data_as(ctypes.c_void_p) for array in given])
        values.append(out[0])
        gradients.append(gradient)
    return Answers(np.array(values), np.array(gradients))


W = [Value(number) for number in (0.7, -0.4, 1.1)]
BEHIND_MASKS: dict[str, tuple[Any, list[float]]] = {
    "a quotient by what is shared": (lambda x: mp.relu(x / W[2]) * W[0] + W[1] * x, [0.3, 0.5, -0.9]),
    "standardised": (lambda x: mp.relu((x - W[1]) / W[2]) * W[0] * x, [0.3, 0.5, 0.9, -0.8]),
    "a share of all": (lambda x: _shares(mp.softmax([w * x for w in W])), [0.3, 0.6]),
    "one example": (lambda x: _shares(mp.softmax([w * x for w in W])), [0.3]),
    "a choice": (lambda x: x**2 / W[2] * W[0] + W[1] * x if x > 0 else W[0] * x / W[1] * W[2], [0.3, 0.5, -0.9]),
    "bounds": (lambda x: mp.clamp(mp.exp(W[0] / W[2]) * x, -1.0, 1.0) ** 3 + W[1], [0.2, 0.5, 0.9]),
    "the largest": (lambda x: mp.maximum(W[0] * x / W[1], mp.sqrt(W[2]) * x * x), [-0.3, 0.5, 0.9]),
}
"""Functions of a number whose second derivatives lie behind masks, and are computed from what all examples share."""


def _shares(shares: Any) -> Any:
    return 2.0 * shares[0] + mp.relu(shares[1])


def penalty(function: Any, points: list[float]) -> list[float]:
    """The gradient, by W, of the sum over the points of the squared derivative there."""
    xs = [Value(point) for point in points]
    slopes = [mp.gradient(function(x), [x], create_graph=True)[0] for x in xs]
    return list(mp.gradient(mp.dot(slopes, slopes), W))


def curvature(function: Any, points: list[float]) -> list[list[float]]:
    """The second derivatives, by W, of the sum over the points."""
    total = mp.dot([1.0] * len(points), [function(Value(point)) for point in points])
    slopes = mp.gradient(total, W, create_graph=True)
    return [list(mp.gradient(slope, W)) for slope in slopes]
