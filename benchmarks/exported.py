"""Programs that left, by every way out: as tasks to time, as files, and as answers of WebAssembly.

Not a script: what `exports.py` needs besides the tests' own ways (tests/leaving.py).
"""

from __future__ import annotations

import ctypes
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from peers import Task

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program import Program
from micrograd_plus.program.exports.parameters import tensors

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from leaving import Answers, Case, room_for

Floats = NDArray[Any]
DType = Literal["float64", "float32"]
GCC = ("gcc", "-std=c99", "-O2", "-shared", "-fPIC")
CLANG = ("-target", "wasm32-wasi", "-mexec-model=reactor", "-O2", "-s")
# what is called: all examples in a loop, the gradients of all added up; WebAssembly has its own arrays, which it names
LOOP = """\
#include "model.h"
{exports}
void forward(int n, const {real} *x, const {real} *y, const {real} *p, {real} *out, {real} *work)
{{
    for (int k = 0; k < n; k++)
        model(x + k * MODEL_X, y + k * MODEL_Y, p, out + k, work);
}}

void mean(int n, const {real} *x, const {real} *y, const {real} *p, {real} *out, {real} *slope, {real} *one,
    {real} *work)
{{
    for (int i = 0; i < MODEL_PARAMETERS; i++)
        slope[i] = 0;
    for (int k = 0; k < n; k++) {{
        model_gradient(x + k * MODEL_X, y + k * MODEL_Y, p, out + k, one, work);
        for (int i = 0; i < MODEL_PARAMETERS; i++)
            slope[i] += one[i] / n;
    }}
}}
"""
EXPORTED = '__attribute__((export_name("{name}"))) '


class Given(NamedTuple):
    """A program, a batch for it, and its parameters."""

    program: Program
    x: Floats
    y: Floats
    theta: Floats

    def ordered(self, slopes: Sequence[Any]) -> Floats:
        """Slopes by each tensor in the order of the parameters."""
        out = np.empty(len(self.theta))
        for tensor, slope in zip(tensors(self.program), slopes):
            out[tensor.rows] = np.asarray(slope).ravel()
        return out


def _digits(dtype: DType) -> Given:
    model = mp.MLP(784, [16, 16, 10], activation="sigmoid", output="sigmoid", seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 784)), np.eye(10)[rng.integers(0, 10, 32)]
    return _given(mp.compile(lambda x, y: mp.losses.squared_error(model(x), y), x=784, y=10, dtype=dtype), x, y)


def _moons(dtype: DType) -> Given:
    model = mp.MLP(2, [16, 16, 1], activation="relu", seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 2)), rng.choice([-1.0, 1.0], 100)
    return _given(mp.compile(lambda x, y: mp.losses.hinge(model(x), y), x=2, y=(), dtype=dtype), x, y)


def _spring(dtype: DType) -> Given:
    height, decay, pace, start = [Value(number) for number in (1.5, 0.25, 3.0, 0.4)]

    def cost(t: Any, y: Any) -> Any:
        return mp.losses.squared_error(height * mp.exp(-decay * t) * mp.cos(pace * t + start), y)

    return _given(mp.compile(cost, x=(), y=(), dtype=dtype), np.array([0.7]), np.array([0.2]))


def _given(program: Program, x: Floats, y: Floats) -> Given:
    dtype = program._dtype
    return Given(program, x.astype(dtype), y.astype(dtype), program._theta(None))


MODELS: dict[str, tuple[str, Callable[[DType], Given]]] = {
    "digits": ("784-16-16-10, sigmoid, squared error, 32 examples", _digits),
    "moons": ("2-16-16-1, relu, hinge, 100 examples", _moons),
    "spring": ("a damped spring of four Values, 1 example", _spring),
}

# -------------------------------------------------------------------------------------------------------------- to time


def prepare(name: str, model: str, work: str) -> Task:
    """What one of `TASKS` makes of a model; work is "forward" or "gradient"."""
    given = MODELS[model][1]("float32" if name in SINGLES else "float64")
    return TASKS[name](given, work == "gradient")


def _ours(given: Given, gradient: bool) -> Task:
    program, x, y, theta = given
    if gradient:
        return Task(lambda: program.value_and_grad(x, y, parameters=theta), lambda: program.value_and_grad(x, y)[1])
    return Task(lambda: program.values(x, y, parameters=theta), lambda: program.values(x, y))


def _c(given: Given, gradient: bool) -> Task:
    with TemporaryDirectory() as folder:
        library = ctypes.CDLL(str(built(given, Path(folder))))
        room = room_for(Path(folder, "model.h"))
    out, slope, one, work = [np.empty(size, given.x.dtype) for size in (len(given.x), *[len(given.theta)] * 2, room)]
    arrays = [given.x, given.y, given.theta, out, *([slope, one] if gradient else []), work]
    held = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    function, n = library.mean if gradient else library.forward, len(given.x)
    return Task(lambda: function(n, *held), lambda: (function(n, *held), arrays)[1][4 if gradient else 3].copy())


def built(given: Given, folder: Path) -> Path:
    """The program as C, with a loop over examples, as a library."""
    _written(given, folder)
    library = folder / "model.so"
    files = [str(folder / "model.c"), str(folder / "loop.c")]
    subprocess.run([*GCC, *files, "-lm", "-o", str(library)], check=True)
    return library


def _written(given: Given, folder: Path, exports: str = "") -> None:
    real = "float" if given.x.dtype == np.float32 else "double"
    given.program.to_c(folder / "model.c", gradient=True)
    (folder / "loop.c").write_text(LOOP.format(real=real, exports=exports))


def _wasm(given: Given, gradient: bool) -> Task:
    with TemporaryDirectory() as folder:
        wasm = _Wasm(built_for_wasm(given, Path(folder)))
    n, out, slope = len(given.x), np.empty(len(given.x)), np.empty(len(given.theta))
    for name, array in (("x", given.x), ("y", given.y), ("p", given.theta)):
        wasm.put(name, array)
    run = wasm.function("all_slopes" if gradient else "all_values")
    return Task(lambda: run(n), lambda: (run(n), wasm.get("slope", slope) if gradient else wasm.get("out", out))[1])


def built_for_wasm(given: Given, folder: Path) -> Path:
    """The same as WebAssembly, with arrays of its own for the batch."""
    sizes = {"x": given.x.size, "y": given.y.size, "p": len(given.theta), "out": len(given.x)}
    sizes |= {"slope": len(given.theta), "one": len(given.theta), "work": 0}
    given.program.to_c(folder / "model.c", gradient=True)
    sizes["work"] = room_for(folder / "model.h")
    _written(given, folder)
    own = "".join([_room(name, size) for name, size in sizes.items()])
    values, slopes = [EXPORTED.format(name=name) for name in ("all_values", "all_slopes")]
    calls = f"{values}void all_values(int n)\n{{\n    forward(n, x_, y_, p_, out_, work_);\n}}\n"
    calls += f"{slopes}void all_slopes(int n)\n{{\n    mean(n, x_, y_, p_, out_, slope_, one_, work_);\n}}\n"
    (folder / "loop.c").write_text((folder / "loop.c").read_text() + own + calls)
    return _compiled(folder, ["model.c", "loop.c"])


def _room(name: str, size: int) -> str:
    """An array of so many numbers, and a function that tells where it is."""
    where = f"{EXPORTED.format(name=name)}double *where_{name}(void)\n{{\n    return {name}_;\n}}\n"
    return f"static double {name}_[{size}];\n{where}"


def _compiled(folder: Path, files: Sequence[str]) -> Path:
    command = [sys.executable, "-m", "ziglang", "cc", *CLANG, *files, "-o", "model.wasm"]
    subprocess.run(command, check=True, cwd=folder)
    return folder / "model.wasm"


class _Wasm:
    """A module that runs, and the arrays that it has."""

    def __init__(self, path: Path) -> None:
        wasmtime: Any = import_module("wasmtime")
        engine = wasmtime.Engine()
        self._store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        linker.define_wasi()
        self._store.set_wasi(wasmtime.WasiConfig())
        module = wasmtime.Module.from_file(engine, str(path))
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self._exports["_initialize"](self._store)
        self._memory = self._exports["memory"]

    def function(self, name: str) -> Callable[..., Any]:
        """One of its functions."""
        return partial(self._exports[name], self._store)

    def put(self, name: str, array: Floats) -> None:
        """Write numbers into one of its arrays."""
        self._memory.write(self._store, np.ascontiguousarray(array, dtype=float).tobytes(), self.function(name)())

    def get(self, name: str, like: Floats) -> Floats:
        """As many numbers of one of its arrays."""
        start = self.function(name)()
        return np.frombuffer(self._memory.read(self._store, start, start + 8 * like.size), dtype=float).copy()


def _torch(given: Given, gradient: bool) -> Task:
    import torch

    torch.set_num_threads(1)
    module = given.program.to_torch()
    x, y = torch.from_numpy(given.x), torch.from_numpy(given.y)

    def forward() -> Any:
        with torch.no_grad():
            return module(x, y)

    def back() -> Any:
        module.zero_grad()
        module(x, y).mean().backward()

    def slopes() -> Floats:
        back()
        return given.ordered([parameter.grad.numpy() for parameter in module.parameters()])

    return Task(back, slopes) if gradient else Task(forward, lambda: forward().numpy())


def _jax(given: Given, gradient: bool) -> Task:
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # as in networks.py
    function = given.program.to_jax()
    names = [tensor.name for tensor in tensors(given.program)]
    weights = {name: jax.numpy.array(array, given.x.dtype) for name, array in function.parameters.items()}
    x, y = jax.numpy.array(given.x), jax.numpy.array(given.y)
    forward = jax.jit(function)
    back = jax.jit(jax.grad(lambda weights, x, y: function(weights, x, y).mean()))

    def slopes() -> Floats:
        found = back(weights, x, y)
        return given.ordered([found[name] for name in names])

    if gradient:
        return Task(lambda: jax.block_until_ready(back(weights, x, y)), slopes)
    return Task(lambda: forward(weights, x, y).block_until_ready(), lambda: np.asarray(forward(weights, x, y)))


def _onnx(given: Given, gradient: bool) -> Task:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # that parameters may be given is what we want
    with TemporaryDirectory() as folder:
        given.program.to_onnx(Path(folder, "model.onnx"), gradient=gradient)
        session = onnxruntime.InferenceSession(Path(folder, "model.onnx"), options)
    feed = {"x": given.x, "y": given.y}
    if gradient:
        return Task(lambda: session.run(None, feed), lambda: given.ordered(session.run(None, feed)[1:]))
    return Task(lambda: session.run(None, feed), lambda: session.run(None, feed)[0])


TASKS: dict[str, Callable[[Given, bool], Task]] = {
    "ours": _ours,
    "C": _c,
    "WebAssembly": _wasm,
    "torch": _torch,
    "JAX jit": _jax,
    "ONNX": _onnx,
    "ours float": _ours,
    "C float": _c,
    "torch float": _torch,
    "JAX jit float": _jax,
    "ONNX float": _onnx,
}
SINGLES = [name for name in TASKS if name.endswith("float")]

# ------------------------------------------------------------------------------------------------------------ as files


def _bytes(make: Callable[[Given, Path], Path | None], model: str, dtype: DType) -> int | None:
    with TemporaryDirectory() as folder:
        made = make(MODELS[model][1](dtype), Path(folder))
        return None if made is None else made.stat().st_size


def _source(given: Given, folder: Path) -> Path:
    given.program.to_c(folder / "model.c", gradient=True)
    return folder / "model.c"


def _web_assembly(given: Given, folder: Path) -> Path | None:
    return built_for_wasm(given, folder) if find_spec("ziglang") else None


def _state(given: Given, folder: Path) -> Path | None:
    if find_spec("torch") is None:
        return None
    import torch

    kept = io.BytesIO()
    torch.save(given.program.to_torch().state_dict(), kept)
    (folder / "state").write_bytes(kept.getvalue())
    return folder / "state"


def _model(gradient: bool, given: Given, folder: Path) -> Path | None:
    if find_spec("onnx") is None:
        return None
    given.program.to_onnx(folder / "model.onnx", gradient=gradient)
    return folder / "model.onnx"


FILES: dict[str, Callable[[str], int | None]] = {
    "C, source": lambda model: _bytes(_source, model, "float64"),
    "C float, source": lambda model: _bytes(_source, model, "float32"),
    "C, library": lambda model: _bytes(built, model, "float64"),
    "WebAssembly, code": lambda model: _bytes(_web_assembly, model, "float64"),
    "torch, state_dict": lambda model: _bytes(_state, model, "float64"),
    "ONNX": lambda model: _bytes(lambda *made: _model(False, *made), model, "float64"),
    "ONNX with gradient": lambda model: _bytes(lambda *made: _model(True, *made), model, "float64"),
    "ONNX float": lambda model: _bytes(lambda *made: _model(False, *made), model, "float32"),
}
"""How large they are, with the gradient unless it says otherwise; None where what writes them is not installed."""

# --------------------------------------------------------------------------------------- answers of WebAssembly


def in_wasm(cases: Sequence[Case], folder: Path) -> list[Answers]:
    """What the programs answer once they are C, compiled to WebAssembly by ziglang and run by wasmtime."""
    for i, case in enumerate(cases):
        case.program.to_c(folder / f"case{i}.c", gradient=True)
    sizes = {"x": max([prod(case.program._shapes[0]) for case in cases])}
    sizes |= dict.fromkeys(("p", "slope"), max([len(case.program.parameters) for case in cases]))
    sizes |= {"out": 1, "work": max([room_for(folder / f"case{i}.h") for i in range(len(cases))])}
    headers = "".join([f'#include "case{i}.h"\n' for i in range(len(cases))])
    call = "void run{i}(void)\n{{\n    case{i}_gradient(x_, p_, out_, slope_, work_);\n}}\n"
    calls = [EXPORTED.format(name=f"run{i}") + call.format(i=i) for i in range(len(cases))]
    text = headers + "".join([_room(name, size) for name, size in sizes.items()]) + "".join(calls)
    (folder / "all.c").write_text(text)
    wasm = _Wasm(_compiled(folder, ["all.c", *[f"case{i}.c" for i in range(len(cases))]]))
    return [_answers(case, wasm, wasm.function(f"run{i}")) for i, case in enumerate(cases)]


def _answers(case: Case, wasm: _Wasm, run: Callable[..., Any]) -> Answers:
    parameters = np.array([parameter.data for parameter in case.program.parameters])
    wasm.put("p", parameters)
    values, gradients = [], []
    for row in case.examples:
        wasm.put("x", np.array(row))
        run()
        values.append(wasm.get("out", np.empty(1))[0])
        gradients.append(wasm.get("slope", parameters))
    return Answers(np.array(values), np.array(gradients))
