"""A program as C gives what the engine gives, at edges too, compiled without a warning; and says what cannot leave."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from leaving import SCALE, STRICT, Case, in_c, random_case, row_case, three_ways, wrong
from programs import ROWS_OF_THE_TABLE, jagged

import micrograd_plus as mp
from micrograd_plus import Value
from micrograd_plus.program import Program

compiles = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
MODEL = mp.MLP(3, [4, 2], activation="relu", seed=1)


def loss(x: Any, y: Any) -> Any:
    return mp.losses.cross_entropy(MODEL(x), y)


def tried(program: Program, folder: Path, *flags: str, name: str = "model", **options: Any) -> str:
    """What the file's own main says."""
    program.to_c(folder / f"{name}.c", **options)
    built = folder / name
    source = [str(folder / f"{name}.c"), f"-D{name.upper()}_MAIN", "-lm", "-o", str(built)]
    subprocess.run([*STRICT, *flags, *source], check=True)
    return subprocess.run([str(built)], check=True, capture_output=True, text=True).stdout


@compiles
def test_every_row_gives_what_the_engine_gives(tmp_path: Path) -> None:
    cases = [row_case(function.__name__) for function in ROWS_OF_THE_TABLE]
    assert [wrong(case, answers) for case, answers in zip(cases, in_c(cases, tmp_path))] == [[]] * len(cases)


@compiles
def test_programs_that_nobody_would_write_give_what_the_engine_gives(tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(40)]
    assert [wrong(case, answers) for case, answers in zip(cases, in_c(cases, tmp_path))] == [[]] * len(cases)


@compiles
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("gradient", [False, True])
def test_the_file_tries_itself(tmp_path: Path, dtype: str, gradient: bool) -> None:
    program = mp.compile(loss, x=3, y=2)
    assert re.fullmatch(
        r"model: 3 examples, off by \d\.\de-\d\d at most\n|model: 3 examples, off by 0.0e\+00 at most\n",
        tried(program, tmp_path, gradient=gradient, dtype=dtype),
    )
    text = (tmp_path / "model.c").read_text()
    assert ("double sum" in text) == (dtype == "float64")
    assert ("gradient" in text) == gradient
    assert not re.search(r"malloc|calloc|alloca", text)


@compiles
def test_the_test_vector_can_fail(tmp_path: Path) -> None:
    mp.compile(loss, x=3, y=2).to_c(tmp_path / "model.c")
    file = tmp_path / "model.c"
    file.write_text(re.sub(r"(test_wanted_out.*\n    \{)", r"\g<1>1 + ", file.read_text()))
    built = tmp_path / "model"
    subprocess.run([*STRICT, str(file), "-DMODEL_MAIN", "-lm", "-o", str(built)], check=True)
    assert subprocess.run([str(built)], check=False, capture_output=True).returncode == 1


@compiles
def test_cpp_reads_the_header(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    mp.compile(loss, x=3, y=2).to_c(tmp_path / "model.c", gradient=True)
    (tmp_path / "use.cpp").write_text(
        '#include "model.h"\n#include <cstdio>\n'
        "int main() {\n"
        "    double x[MODEL_X] = {1.0, -2.0, 0.5}, y[MODEL_Y] = {0.0, 1.0}, out[MODEL_OUT], work[MODEL_WORK];\n"
        '    model(x, y, model_parameters, out, work);\n    std::printf("%.17g", out[0]);\n}\n'
    )
    subprocess.run([*STRICT, "-c", "model.c"], check=True, cwd=tmp_path)
    subprocess.run(["g++", "-Wall", "-Werror", "use.cpp", "model.o", "-lm", "-o", "use"], check=True, cwd=tmp_path)
    said = subprocess.run([str(tmp_path / "use")], check=True, capture_output=True, text=True).stdout
    assert float(said) == pytest.approx(float(loss([1.0, -2.0, 0.5], [0.0, 1.0])), rel=1e-12)


@compiles
def test_an_example_goes_its_way_and_one_that_goes_no_known_way_is_told(tmp_path: Path) -> None:
    program = mp.compile(three_ways, x=())
    program.values([0.5, 3.0])  # but none below -1
    assert "off by 0.0e+00" in tried(program, tmp_path, gradient=True)
    source = (tmp_path / "model.c").read_text()
    main = (
        "int main(void) { double x[3] = {0.5, 3.0, -3.0}, out[1], gradient[1], work[MODEL_WORK];\n"
        "for (int k = 0; k < 3; k++) { int unknown = model_gradient(x + k, model_parameters, out, gradient, work);\n"
        'printf("%d %g %g\\n", unknown, out[0], gradient[0]); } return 0; }\n'
    )
    (tmp_path / "ways.c").write_text(f"{source}\n#include <stdio.h>\n{main}")
    subprocess.run([*STRICT, "ways.c", "-lm", "-o", "ways"], check=True, cwd=tmp_path)
    said = subprocess.run([str(tmp_path / "ways")], check=True, capture_output=True, text=True).stdout
    assert said == "0 0.25 0.125\n0 5.5 3\n1 nan nan\n"


@compiles
def test_several_outputs_constants_and_none_of_anything(tmp_path: Path) -> None:
    fixed = Value(3.0, label="fixed")
    outputs = mp.compile(lambda x: [x[0], SCALE * 1.0, fixed * x[1], mp.maximum(x[0], x[1])], x=2, parameters=[SCALE])
    assert "off by 0.0e+00" in tried(outputs, tmp_path, name="outputs")
    assert "fixed, a constant" in (tmp_path / "outputs.c").read_text()
    assert "off by 0.0e+00" in tried(mp.compile(lambda x: SCALE * 1.0, x=2), tmp_path, name="still", gradient=True)
    assert "off by 0.0e+00" in tried(mp.compile(lambda x: 2.0 * x[1], x=2), tmp_path, name="loose")
    assert "off by 0.0e+00" in tried(mp.compile(lambda x: fixed * 2.0 * x, (), parameters=[SCALE]), tmp_path, name="un")


@compiles
def test_convolutions_and_what_is_not_regular_leave_too(tmp_path: Path) -> None:
    kernel = [[Value(0.1 * i - 0.2 * j) for j in range(3)] for i in range(2)]

    def slide(x: Any) -> Any:
        return mp.mean([mp.tanh(mp.dot(row, x[i : i + 3])) * 0.5 for row in kernel for i in range(6)])

    assert re.search(r"off by [0-9.]+e-1[5-9]|0\.0e\+00", tried(mp.compile(slide, x=8), tmp_path, gradient=True))
    program = mp.compile(jagged, x=3)
    assert re.search(r"off by [0-9.]+e-1[4-9]", tried(program, tmp_path, name="jagged", gradient=True))


@compiles
def test_entries_of_tables_by_an_index_of_the_data(tmp_path: Path) -> None:
    table = [[Value(0.1 * i * j - 0.3, label=f"{i}{j}") for j in range(3)] for i in range(3)]

    def surprise(text: Any) -> Any:
        rows = [mp.lookup(table, letter) for letter in text]
        return mp.mean([mp.losses.cross_entropy(row, letter) for row, letter in zip(rows, text[1:])]) * text[0]

    def entry(x: Any) -> Any:
        return mp.lookup(table[0], x[0]) * mp.lookup([x[1], table[0][1], 0.5], x[0])

    letters = [
        [0.0, 1.0, 2.0, 2.0],
        [2.0, 1.0, 0.0, 0.0],
        [1.0, 3.0, 1.0, 0.5],
        [1.0, -1.0, 1.0, nan],
        [0.0, inf, 1, 1],
    ]
    cases = [Case("text", surprise, mp.compile(surprise, x=4), letters)]
    cases.append(
        Case("entry", entry, mp.compile(entry, x=2), [[i, -2.0] for i in (0.0, 1.0, 2.0, 3.0, -0.5, nan, -inf)])
    )
    assert [wrong(case, answers) for case, answers in zip(cases, in_c(cases, tmp_path))] == [[], []]
    for case in cases:
        found = case.program._paths[0].arrays
        assert found is not None
        assert "lookup" in [array.kind for array in found.made]


@compiles
def test_a_program_that_is_gone_through_number_by_number_leaves_even_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micrograd_plus.program.paths.GROUPS", 1)
    fixed = Value(3.0)

    def tangled(x: Any, y: Any) -> Any:
        made = mp.tanh(SCALE * x[0]) - fixed * mp.sin(x[1]) * y
        return made if made > 0.0 else -made * x[0]

    program = mp.compile(tangled, x=2, y=(), parameters=[SCALE])
    assert "number by number" in program.explain()
    program.values([[0.1, 2.0], [3.0, -1.0]], [1.0, 1.0])
    again = pickle.loads(pickle.dumps(program))
    for each in (program, again):
        assert re.search(r"off by [0-9.]+e-1[5-9]|0\.0e\+00", tried(each, tmp_path, gradient=True))


@compiles
def test_web_assembly(tmp_path: Path) -> None:
    """By the compiler in the package ziglang, run by the package wasmtime."""
    pytest.importorskip("ziglang")
    wasmtime = pytest.importorskip("wasmtime")
    mp.compile(loss, x=3, y=2).to_c(tmp_path / "model.c", gradient=True)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", *STRICT[1:], "-DMODEL_MAIN", "model.c"]
    subprocess.run([*command, "-o", "model.wasm"], check=True, cwd=tmp_path)
    engine = wasmtime.Engine()
    store, linker, settings = wasmtime.Store(engine), wasmtime.Linker(engine), wasmtime.WasiConfig()
    linker.define_wasi()
    settings.stdout_file = str(tmp_path / "said")
    store.set_wasi(settings)
    module = linker.instantiate(store, wasmtime.Module.from_file(engine, str(tmp_path / "model.wasm")))
    module.exports(store)["_start"](store)
    assert re.search(r"off by [0-9.]+e-1[5-9]|0\.0e\+00", (tmp_path / "said").read_text())


def test_names_of_the_parameters(tmp_path: Path) -> None:
    program = mp.compile(loss, x=3, y=2)
    program.to_c(tmp_path / "model.c")
    names = re.findall(r"/\* (layers.*?) \*/", (tmp_path / "model.c").read_text())
    assert names[:4] == ["layers.0.weight[0]", "layers.0.bias[0]", "layers.0.weight[1]", "layers.0.bias[1]"]
    assert names[-1] == "layers.1.bias[1]"


def test_what_cannot_leave_is_named(tmp_path: Path) -> None:
    unknown = mp.primitive("unknown_python", lambda x: x * 3.0, lambda out, x: 3.0)
    bent = mp.primitive("bent_by_float", lambda x: x * x, lambda out, x: 2.0 * float(x), arrays=lambda x: x * x)
    with pytest.raises(
        mp.ExportError, match="'unknown_python' cannot leave for C: its forward is a function in Python"
    ):
        mp.compile(lambda x: unknown(x), x=()).to_c(tmp_path / "model.c")
    program = mp.compile(lambda x: bent(SCALE * x), x=())
    program.to_c(tmp_path / "model.c")  # forward it may
    with pytest.raises(mp.ExportError, match="the gradient of 'bent_by_float' by its argument 1 cannot leave for C"):
        program.to_c(tmp_path / "slope.c", gradient=True)
    assert not (tmp_path / "slope.c").exists()
    regular = pickle.loads(pickle.dumps(mp.compile(MODEL, x=3)))
    with pytest.raises(mp.ExportError, match="unpickled program keeps what runs it, and no more; compile its function"):
        regular.to_c(tmp_path / "model.c")


@pytest.mark.parametrize(
    ("path", "options", "error", "said"),
    [
        ("model.h", {}, ValueError, r"model\.h'\): expected a name in \.c; the header goes beside it"),
        ("double.c", {}, ValueError, r"'double' stands for something in C; choose another name, such as 'model.c'"),
        ("tanh.c", {}, ValueError, "'tanh' stands for something in C"),
        ("free.c", {}, ValueError, "'free' stands for something in C"),
        ("sinc.c", {}, ValueError, "'sinc' stands for something in C"),
        ("isnan.c", {}, ValueError, "'isnan' stands for something in C"),
        ("class.c", {}, ValueError, "'class' stands for something in C"),
        ("1st.c", {}, ValueError, "'1st' can't name a function in C"),
        (
            "model.c",
            {"dtype": "float16"},
            ValueError,
            r"to_c\(dtype='float16'\): expected 'float64', 'float32' or None",
        ),
        ("model.c", {"gradient": True}, TypeError, "the function returns a list of outputs"),
        ("nowhere/model.c", {}, FileNotFoundError, "the folder .* does not exist"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, path: str, options: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        mp.compile(MODEL, x=3).to_c(tmp_path / path, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_gradient_needs_parameters(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it has no parameters to differentiate by"):
        mp.compile(lambda x: 2.0 * x, x=()).to_c(tmp_path / "model.c", gradient=True)


@compiles
def test_a_name_with_a_dash_and_a_comment_that_would_end(tmp_path: Path) -> None:
    def cost(x: Any) -> Any:
        return x * SCALE

    cost.__name__ = "*/ é"
    program = mp.compile(cost, x=())
    program.to_c(tmp_path / "my-model.c")
    text = (tmp_path / "my-model.c").read_text()
    assert "int my_model(" in text
    assert np.all([ord(letter) < 128 for letter in text])
    subprocess.run([*STRICT, "-c", "my-model.c"], check=True, cwd=tmp_path)


@compiles
def test_a_table_whose_entries_are_one_leaves_without_a_warning(tmp_path: Path) -> None:
    w = Value(0.5)
    program = mp.compile(lambda i: mp.lookup([w, w, w], i) * 2.0, x=())
    assert "3 examples, off by" in tried(program, tmp_path, gradient=True)
