"""The engine that mypyc builds is what plain Python is, to the last bit, only faster; and it harms no memory."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import tracemalloc
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_plus import Value
from micrograd_plus.engine.loading import C_SOURCES, IN_C, PACKAGE, built
from micrograd_plus.engine.sums import weighed
from micrograd_plus.engine.value import NATIVE
from micrograd_plus.engine.walking import toposort

TESTS = Path(__file__).parent
ROOT = TESTS.parent
BUILT = built("engine") is not None
native = pytest.mark.skipif(not BUILT, reason="the engine is not built natively")
modes = pytest.mark.parametrize("pure", [pytest.param("0", marks=native), "1"], ids=["native", "plain"])
# other Pythons that have the package installed, separated as on the PATH: .ci/run makes them
OTHERS = [python for python in os.environ.get("MICROGRAD_PLUS_PYTHONS", "").split(os.pathsep) if python]
sources = pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the sources")


def run(*command: str | Path, pure: str = "0", folder: Path | None = None, **environment: str) -> Any:
    return subprocess.run(
        [str(part) for part in command],
        env=os.environ | {"MICROGRAD_PLUS_PURE": pure} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def output(*command: str | Path, **options: Any) -> str:
    done = run(*command, **options)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


# ----------------------------------------------------------------------------------------------------- the same answers


@native
@pytest.mark.parametrize("seed", [1, 2])
def test_native_and_plain_results_are_equal_to_the_last_bit(seed: int) -> None:
    """The table, the operators, networks, errors, hand-made rules, docstrings: see both.py."""
    built, plain = (output(sys.executable, TESTS / "both.py", str(seed), pure=pure) for pure in "01")
    assert built.count("\n") > 4000
    assert built.splitlines() == plain.splitlines()


@pytest.mark.parametrize("python", OTHERS)
@modes
def test_every_python_gives_the_same_bits(python: str, pure: str, tmp_path: Path) -> None:
    script = shutil.copy(TESTS / "both.py", tmp_path)  # so that the installed package is found, not this one
    theirs = output(python, script, "1", pure=pure, folder=tmp_path)
    assert theirs.splitlines() == output(sys.executable, TESTS / "both.py", "1", pure="1").splitlines()


@modes
def test_the_variable_picks_and_native_says_which_runs(pure: str) -> None:
    code = "import micrograd_plus as mp; print(mp.engine.NATIVE, mp.engine.value.__file__[-3:], mp.Value.__module__)"
    expected = "True .so" if pure == "0" else "False .py"
    assert output(sys.executable, "-c", code, pure=pure) == f"{expected} micrograd_plus.engine.value\n"


@native
def test_a_graph_pickled_by_the_one_is_read_by_the_other(tmp_path: Path) -> None:
    write = f"x = Value(0.5, label='x'); y = (x * x).tanh() + x; open({str(tmp_path / 'g')!r}, 'wb').write(dumps(y))"
    read = f"y = loads(open({str(tmp_path / 'g')!r}, 'rb').read()); y.backward(); print(y.data, y.args[1])"
    start = "from pickle import dumps, loads; from micrograd_plus import Value; "
    said = set()
    for writer, reader in ("01", "10", "00"):
        output(sys.executable, "-c", start + write, pure=writer)
        said.add(output(sys.executable, "-c", start + read, pure=reader))
    assert len(said) == 1
    assert "label='x'" in said.pop()


numbers = st.one_of(st.floats(), st.integers(-9, 9), st.booleans())
sides = st.tuples(numbers, numbers, st.booleans(), st.booleans())


def same(left: Any, right: Any) -> bool:
    """Equal to the last bit and of one type; nan is nan."""
    if isinstance(left, Value) and isinstance(right, Value):
        return same(left.data, right.data)
    return type(left) is type(right) and repr(left) == repr(right)


@given(numbers, st.booleans(), st.lists(sides, max_size=5))
def test_a_weighed_sum_is_what_the_operators_make(start: float, recorded: bool, pairs: list[Any]) -> None:
    weights = [Value(w) if as_value else w for w, _, as_value, _ in pairs]
    xs = [Value(x) if as_value else x for _, x, _, as_value in pairs]
    total: Any = Value(start) if recorded else start
    ours = weighed(total, weights, xs)
    for weight, x in zip(weights, xs):
        total = total + weight * x
    assert same(ours, total)
    if isinstance(total, Value):
        mine, theirs = toposort(ours), toposort(total)
        assert [node._op for node in mine] == [node._op for node in theirs]
        places = [{node: i for i, node in enumerate(order)} for order in (mine, theirs)]
        for one, other in zip(mine, theirs):
            for a, b in zip(one.args, other.args, strict=True):
                constant = not isinstance(a, Value) and not isinstance(b, Value)
                assert same(a, b) if constant else places[0][a] == places[1][b]  # type: ignore[index]
        ours.backward()
        slopes = [x.grad for x in (*weights, *xs) if isinstance(x, Value)]
        for x in (*weights, *xs):
            if isinstance(x, Value):
                x.grad = 0.0
        total.backward()
        assert list(map(repr, slopes)) == [repr(x.grad) for x in (*weights, *xs) if isinstance(x, Value)]


# ------------------------------------------------------------------------------------------------------ freeing, memory


@pytest.mark.parametrize("python", [sys.executable, *OTHERS])
@modes
def test_graphs_of_a_million_nodes_are_freed_and_their_neighbours_unharmed(
    python: str, pure: str, tmp_path: Path
) -> None:
    script = shutil.copy(TESTS / "freeing.py", tmp_path)  # so that the installed package is found, not this one
    said = output(python, script, pure=pure, folder=tmp_path, PYTHONMALLOC="debug")
    assert said.startswith(f"freed, {'native' if pure == '0' else 'plain'}, ")


def chain(length: int) -> Value:
    out = Value(1.0)
    for _ in range(length):
        out = out * 1.0
    return out


@pytest.mark.parametrize("length", [10_000, 1_000_000])
def test_a_node_is_one_small_object(length: int) -> None:
    gc.collect()
    tracemalloc.start()
    out = chain(length)
    out.backward()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    plain = {(3, 11): 176, (3, 12): 168}.get(sys.version_info[:2], 152)  # these keep room for attributes of one's own
    assert held // length <= (96 if NATIVE else plain)  # whole bytes: Python itself keeps some hundred here and there
    if NATIVE:
        assert not gc.is_tracked(out)
        assert not gc.get_referents(out)
    del out


def test_the_collector_finds_nothing_to_do_in_a_graph() -> None:
    gc.collect()
    before = len(gc.get_objects())
    out = chain(1000)
    assert len(gc.get_objects()) - before <= (10 if NATIVE else 1010)
    del out


ALLOCATORS = """
import ctypes

def allocators():
    structs = [(ctypes.c_void_p * 5)() for _ in range(4)]
    for domain in range(3):  # raw, mem, object
        ctypes.pythonapi.PyMem_GetAllocator(domain, structs[domain])
    ctypes.pythonapi.PyObject_GetArenaAllocator(structs[3])
    return [list(struct) for struct in structs]

before = allocators()
import micrograd_plus
print(micrograd_plus.engine.NATIVE, allocators() == before)
"""


@native
def test_the_memory_of_the_process_is_pythons_own_affair() -> None:
    """Whoever replaces an allocator of the process does so for interpreters that never heard of this package."""
    assert output(sys.executable, "-c", ALLOCATORS) == "True True\n"


INTERPRETERS = """
import importlib, sys, threading, time

interpreters = importlib.import_module("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
import micrograd_plus as mp

end = time.monotonic() + 3.0
code = f"import time\\nwhile time.monotonic() < {end}: x = [[object() for _ in range(100)] for _ in range(500)]"

def elsewhere():
    while time.monotonic() < end:
        other = interpreters.create()
        interpreters.run_string(other, code)
        interpreters.destroy(other)

def here():
    weight = mp.Value(1.0)
    while time.monotonic() < end:
        out = weight
        for _ in range(20_000):
            out = out * 1.0
        out.backward()

threads = [threading.Thread(target=work) for work in (elsewhere, elsewhere, elsewhere, elsewhere, here)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


@native
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the module of interpreters has other names")
def test_interpreters_that_know_nothing_of_the_package_live_beside_it() -> None:
    assert output(sys.executable, "-W", "ignore", "-c", INTERPRETERS) == "done\n"


# ---------------------------------------------------------------------------------------------------- loading, building


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what is needed to build the package, and of what is built."""
    shutil.copytree(PACKAGE, tmp_path / "micrograd_plus", ignore=shutil.ignore_patterns("__pycache__", "*.gz"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path)
    return tmp_path


ALSO_READ = [*[f"micrograd_plus/engine/native/{header}.h" for header in ("nodes", "tracebacks")], "setup.py"]
SHOW = "import micrograd_plus as mp; print(mp.engine.NATIVE, mp.engine.value.__file__)"


@native
@pytest.mark.parametrize("read", ["micrograd_plus/engine/walking.py", *ALSO_READ])
def test_a_native_module_built_from_something_else_is_not_used_and_that_is_said_once(read: str, copy: Path) -> None:
    """From another source, or another of the files that the build reads."""
    if not (copy / read).exists():
        pytest.skip("an installed package has no setup.py")
    show = [sys.executable, "-c", SHOW]
    assert output(*show, folder=copy).startswith(f"True {copy}")
    with (copy / read).open("a") as file:
        file.write("\n#error newer\n")
    done = run(*show, folder=copy)
    assert done.stdout == f"False {copy / 'micrograd_plus' / 'engine' / 'value.py'}\n"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "build it again: pip install -e ." in done.stderr
    assert run(*show, folder=copy, pure="1").stderr == ""
    assert run(sys.executable, "-W", "error", "-c", SHOW, folder=copy).returncode == 1
    for old in copy.glob("micrograd_plus/engine/native/*.so"):
        old.unlink()
    assert run(*show, folder=copy).stderr == ""


def fake(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


NO_MYPYC = "raise ImportError('no mypyc here')"
SHOW_KERNELS = (
    "import micrograd_plus as mp; program = mp.compile(lambda x: mp.tanh(x), ());"
    "print(mp.engine.NATIVE, program([0.0]), program.explain().splitlines()[-1])"
)
kernels = pytest.mark.skipif(built("kernels") is None, reason="the kernels are not built")


@kernels
def test_kernels_built_from_something_else_are_not_run_and_that_is_said_once(copy: Path) -> None:
    show = [sys.executable, "-c", SHOW_KERNELS]
    assert output(*show, folder=copy).startswith("True 0.0   run by kernels")
    with (copy / "micrograd_plus/program/native/block.h").open("a") as file:
        file.write("\n#error newer\n")
    done = run(*show, folder=copy)
    assert done.stdout.startswith("True 0.0   run by NumPy: kernels are not built here")
    assert done.stderr.count("RuntimeWarning") == 1
    assert "so NumPy runs, slower; build it again: pip install -e ." in done.stderr
    assert output(*show, folder=copy, pure="1").startswith("False 0.0   run by NumPy")


def test_the_hash_of_what_is_written_in_c_counts_every_file_that_is_included() -> None:
    """And no file lies there for nothing."""
    for names in IN_C.values():
        texts = [(C_SOURCES / name).read_text(encoding="utf-8") for name in names]
        included = {name for text in texts for name in re.findall(r'#include "(.+)"', text)}
        assert sorted(names) == sorted({names[0], *included})
    assert {file.name for file in C_SOURCES.iterdir()} == {name for names in IN_C.values() for name in names}


@kernels
@sources
def test_the_engine_is_native_where_only_the_kernels_cannot_be_built(copy: Path) -> None:
    """An older compiler, say, that does not know a kind of vectors."""
    pytest.importorskip("mypyc")
    for old in copy.glob("micrograd_plus/engine/native/*.so"):
        old.unlink()
    compiler = fake(copy, "cc", '#!/bin/sh\ncase "$*" in *kernels.c*) exit 1;; *) exec cc -O0 "$@";; esac\n')
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = run(*build, folder=copy, CC=compiler, LDSHARED="cc -shared")
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("micrograd_plus:")]
    assert "kernels not built, NumPy and Python run programs instead" in said
    assert output(sys.executable, "-c", SHOW_KERNELS, folder=copy).startswith("True 0.0   run by NumPy")


TROUBLES: dict[str, Callable[[Path], dict[str, str]]] = {
    "there is no C compiler": lambda folder: {"CC": str(folder / "none")},
    "MICROGRAD_PLUS_PURE is set": lambda folder: {"MICROGRAD_PLUS_PURE": "1"},
    "no mypyc here": lambda folder: {"PYTHONPATH": str(Path(fake(folder, "m/mypyc/__init__.py", NO_MYPYC)).parents[1])},
    "CompileError": lambda folder: {"CC": fake(folder, "cc", "#!/bin/sh\necho broken >&2\nexit 1\n")},
}


@sources
@pytest.mark.parametrize("why", TROUBLES)
def test_a_build_that_is_in_trouble_says_so_in_one_line_and_goes_on(why: str, copy: Path) -> None:
    for old in copy.glob("micrograd_plus/engine/native/*.so"):
        old.unlink()
    done = run(sys.executable, "setup.py", "-q", "build_ext", "--inplace", folder=copy, **TROUBLES[why](copy))
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("micrograd_plus:")]
    assert "not built natively, plain Python runs instead" in said
    assert why in said
    assert output(sys.executable, "-c", SHOW, folder=copy).startswith("False")


@native
@sources
def test_a_build_takes_the_place_of_the_old_one(copy: Path) -> None:
    pytest.importorskip("mypyc")
    engine = copy / "micrograd_plus" / "engine" / "value.py"
    engine.write_text(engine.read_text().replace("A real number in a computation graph.", 'A "number", ½.'))
    output(sys.executable, "setup.py", "-q", "build_ext", "--inplace", folder=copy, CFLAGS="-O0")
    code = "import json, micrograd_plus as mp; print(json.dumps([mp.engine.NATIVE, mp.Value.__doc__.splitlines()[0]]))"
    assert json.loads(output(sys.executable, "-c", code, folder=copy)) == [True, 'A "number", ½.']
    assert len(list(copy.glob(f"micrograd_plus/engine/native/engine_*{EXTENSION_SUFFIXES[0]}"))) == 1


@sources
def test_the_tests_environment_has_what_builds() -> None:
    """A fresh environment's setuptools is too old to read pyproject.toml, or is not there at all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {line.split("==")[0].split(">=")[0]: line for line in project["project"]["optional-dependencies"]["dev"]}
    assert wanted["setuptools"] in project["build-system"]["requires"]
    assert f'MYPY = "{wanted["mypy"]}"' in (ROOT / "setup.py").read_text(encoding="utf-8")
