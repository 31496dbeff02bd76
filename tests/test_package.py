"""What the package promises as a whole: its names, its types, its lightness, and one way of imports."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus.ops.rows import FUNCTIONS, HOME

PACKAGE = Path(mp.__file__).parent
ROWS = {name: function for name, function in FUNCTIONS.items() if function.__module__ == HOME}  # not other tests' own


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_public_names_are_these_and_every_row_of_the_table() -> None:
    names = [
        *(
            "CompileError",
            "GradientError",
            "History",
            "Layer",
            "MLP",
            "Module",
            "Neuron",
            "Program",
            "Value",
            "backprop",
        ),
        *("check_engine", "compile"),
        *("check_grads", "data", "detect_anomaly", "dot", "draw", "draw_network", "draw_weights", "engine", "fit"),
        *("formula", "grad", "gradient", "hessian", "hvp", "jacobian", "jvp", "log_softmax", "logsumexp", "losses"),
        *(
            "mask",
            "mean",
            "nn",
            "no_grad",
            "nudges",
            "ops",
            "optim",
            "primitive",
            "softmax",
            "to_sympy",
            "value_and_grad",
        ),
    ]
    assert sorted(vars(mp)["__all__"]) == sorted({*names, *ROWS} - {"abs", "compile", "pow", "round"})
    assert all(hasattr(mp, name) for name in (*names, *ROWS))


def test_star_import_leaves_pythons_own_names_alone() -> None:
    assert (
        python("from micrograd_plus import *; print(round(3.14159, 2), abs(-1), pow(2, 3), tanh(0.0))")
        == "3.14 1 8 0.0"
    )


def test_importing_brings_nothing_heavy() -> None:
    heavy = {"numpy", "graphviz", "hypothesis", "rich", "click", "pooch", "matplotlib", "safetensors", "torch"}
    loaded = python("import micrograd_plus, sys; print(*sys.modules)").split()
    assert heavy & set(loaded) == set()


def test_every_name_that_is_listed_is_there() -> None:
    assert all(hasattr(mp, name) for name in dir(mp))  # those that are imported when asked for, too


def test_every_function_of_the_table_has_an_example_that_runs() -> None:
    for name, function in ROWS.items():
        examples = doctest.DocTestParser().get_examples(function.__doc__ or "")
        assert [example.source.startswith(f"{name}(") for example in examples] == [True]


def test_the_stub_for_type_checkers_is_todays() -> None:
    pytest.importorskip("mypy")
    from micrograd_plus.ops.stubs import STUB, stub

    assert STUB.read_text(encoding="utf-8") == stub(), "run python -m micrograd_plus.ops.stubs"


def test_type_checkers_see_functions_and_methods(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    file = tmp_path / "use.py"
    file.write_text(
        "import micrograd_plus as mp\n"
        "x = mp.Value(1.0)\n"
        "reveal_type(mp.tanh(x))\n"
        "reveal_type(x.tanh())\n"
        "reveal_type(mp.tanh(1.0))\n"
        "reveal_type(x.clamp(min=0.0))\n"
        "x.tahn()\n"
        "mp.tahn(x)\n"
    )
    report, _, _ = api.run(["--strict", f"--cache-dir={tmp_path}", str(file)])
    value = 'Revealed type is "micrograd_plus.engine.Value"'
    said = [line.split(": ", 2)[2] for line in report.splitlines()[:6]]
    assert [said[0], said[1], said[3]] == [value] * 3
    assert said[2] == 'Revealed type is "float"' or said[2].endswith('.float"')
    assert "tahn" in said[4]
    assert "tahn" in said[5]


def test_a_mistyped_function_gets_a_did_you_mean() -> None:
    package: Any = mp
    with pytest.raises(AttributeError, match="has no attribute 'tahn'; did you mean 'tanh'"):
        package.tahn  # noqa: B018 - asking is what raises
    assert not hasattr(package, "nothing_of_ours")


def test_a_primitive_of_ones_own_is_not_asked_of_the_package() -> None:
    package: Any = mp
    mp.primitive("elsewhere", lambda x: x, lambda out, x: 1.0)
    with pytest.raises(
        AttributeError, match=r"a primitive made elsewhere; keep what mp\.primitive\('elsewhere', \.\.\.\)"
    ):
        package.elsewhere  # noqa: B018 - asking is what raises


def test_attributes_of_a_value_are_read_the_fast_way() -> None:
    """A __getattr__ would take every read of a slot past CPython's specialized one: backward at half the speed."""
    assert not hasattr(mp.Value, "__getattr__")


# the rooms of the package and the modules that stand alone, in the order in which they may import each other
LAYERS = [
    *("_support", "engine", "ops", "nn", "losses", "calculus", "data", "optim"),
    *("program", "formulas", "pictures", "networks", "stepping", "check", "laws", "strategies", "_hypothesis"),
    *("plugins", "training", "cli", "__main__"),
]


def test_imports_run_one_way() -> None:
    """A module imports only modules that stand before it in LAYERS, so there are no circles."""
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if module == "__init__":
            continue
        assert module in LAYERS, f"{module} has no place in LAYERS"
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(statement, ast.ImportFrom) or not (statement.module or "").startswith("micrograd_plus"):
                continue
            parts = (statement.module or "").split(".")[1:2] or [alias.name for alias in statement.names]
            for part in parts:
                if part != module and part in LAYERS:
                    assert LAYERS.index(part) < LAYERS.index(module), f"{module} imports {part}"


def test_no_module_bears_the_name_of_a_public_function() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    functions = {name for name, thing in vars(mp).items() if callable(thing) and not isinstance(thing, ModuleType)}
    assert modules & functions == set()
