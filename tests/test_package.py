"""What the package promises as a whole: its names, its types, its lightness, and one way of imports."""

from __future__ import annotations

import ast
import doctest
import runpy
import subprocess
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import micrograd_plus as mp
from micrograd_plus.ops.rows import FUNCTIONS, HOME

PACKAGE = Path(mp.__file__).parent
ROWS = {name: function for name, function in FUNCTIONS.items() if function.__module__ == HOME}


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_public_names_are_these_and_every_row_of_the_table() -> None:
    names = [
        *("CompileError", "ExportError", "GradientError", "History", "Layer", "MLP", "Module", "Neuron", "Program"),
        *("Value", "backprop", "check_engine", "check_grads", "compile", "data", "detect_anomaly", "dot", "draw"),
        *("draw_network", "draw_weights", "engine", "fit", "formula", "from_torch", "from_torch_graph", "grad"),
        *("gradient", "hessian", "hvp", "jacobian", "jvp", "log_softmax", "logsumexp", "lookup", "losses", "mask"),
        *("mean", "nn", "no_grad", "nudges", "ops", "optim", "primitive", "scope", "softmax", "source_lines", "sweep"),
        *("to_sympy", "value_and_grad"),
    ]
    assert sorted(vars(mp)["__all__"]) == sorted({*names, *ROWS} - {"abs", "compile", "pow", "round"})
    assert all(hasattr(mp, name) for name in (*names, *ROWS))


def test_star_import_leaves_pythons_own_names_alone() -> None:
    assert (
        python("from micrograd_plus import *; print(round(3.14159, 2), abs(-1), pow(2, 3), tanh(0.0))")
        == "3.14 1 8 0.0"
    )


def test_a_context_variable_is_called_by_its_own_name() -> None:
    """As its repr tells it."""
    found = {
        id(it): (name, it.name)
        for module, space in sys.modules.items()
        if module.partition(".")[0] == "micrograd_plus"
        for name, it in vars(space).items()
        if isinstance(it, ContextVar)
    }
    assert len(found) > 7
    assert [called for name, called in found.values() if called != name.strip("_").lower()] == []


def test_importing_brings_nothing_heavy() -> None:
    heavy = {"numpy", "graphviz", "hypothesis", "rich", "click", "pooch", "matplotlib", "safetensors", "torch"}
    loaded = python("import micrograd_plus, sys; print(*sys.modules)").split()
    assert heavy & set(loaded) == set()


def test_every_name_that_is_listed_is_there() -> None:
    assert all(hasattr(mp, name) for name in dir(mp))  # those that are imported when asked for, too


def test_no_module_of_tests_makes_a_primitive_when_it_is_imported() -> None:
    """All others would find it in the table: make it in a test, after which it is forgotten."""
    assert FUNCTIONS == ROWS


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
    value = 'Revealed type is "micrograd_plus.engine.value.Value"'
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


MAP = runpy.run_path(str(PACKAGE.parent / "docs" / "rooms.py"))


def test_the_map_is_todays() -> None:
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text == MAP["with_map"](text), "run python docs/rooms.py"


def imports(path: Path, late: bool) -> set[str]:
    """The modules of the package that a file imports, with those imported when they are needed, or without."""
    nodes = ast.walk if late else ast.iter_child_nodes
    found: set[str] = set()
    for statement in nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("micrograd_plus"):
            names = [f"{statement.module}.{alias.name}" for alias in statement.names]
            found |= {name.partition(".")[2] for name in (str(statement.module), *names)}
    return found


def test_imports_run_one_way() -> None:
    """A room imports only from rooms that stand before it in the map, so there are no circles."""
    rooms: list[str] = MAP["ROOMS"]
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room == "__init__":
            continue
        assert room in rooms, f"{room} has no place in the map"
        for module in imports(path, late=True):
            other = module.partition(".")[0]
            assert other not in rooms or rooms.index(other) <= rooms.index(room), f"{path} imports {module}"


def test_no_circle_within_a_room() -> None:
    """What a module imports when it is imported never imports that module again."""
    files = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    given = {name: {each for each in imports(path, late=False) if each in files} for name, path in files.items()}
    while given:
        free = {name for name, needs in given.items() if not needs}
        assert free, f"a circle among {sorted(given)}"
        given = {name: needs - free for name, needs in given.items() if name not in free}


def test_no_module_bears_the_name_of_a_function_in_it() -> None:
    for path in PACKAGE.rglob("*.py"):
        name = path.parent.name if path.stem == "__init__" else path.stem
        defined = ast.parse(path.read_text(encoding="utf-8")).body
        assert name not in [getattr(each, "name", None) for each in defined], path
