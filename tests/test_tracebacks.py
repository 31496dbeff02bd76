"""What one sees of an error: one traceback, every row with its source; natively its last row is one's own line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from micrograd_plus.engine.loading import built

modes = pytest.mark.parametrize(
    "pure",
    [pytest.param("0", marks=pytest.mark.skipif(built("engine") is None, reason="not built natively")), "1"],
    ids=["native", "plain"],
)

HUGE = "100000000000000000...0000000000000000000"  # as errors quote 10**400
BY_THE_ENGINE = {  # a line of a user's: the last line that its error shows
    "v + 'x'": "TypeError: Value + 'x': expected a number or a Value, got str",
    "[] - v": "TypeError: Value - []: expected a number or a Value, got list",
    "v * None": "TypeError: Value * None: expected a number or a Value, got NoneType",
    "v / 1j": "TypeError: Value / 1j: expected a number or a Value, got complex",
    "v ** 'x'": "TypeError: Value ** 'x': expected a number or a Value, got str",
    "v <= 'x'": "TypeError: Value <= 'x': expected a number or a Value, got str",
    "v + 10**400": f"OverflowError: Value + {HUGE}: expected a number that fits a float",
    "Value('x')": "TypeError: Value('x'): expected a real number, got str",
    "v.data = 'x'": "TypeError: Value.data = 'x': expected a real number, got str",
    "v.grad = 10**400": f"OverflowError: Value.grad = {HUGE}: expected a number that fits a float",
    "v.label = 3": "TypeError: Value.label = 3: expected a string, got int",
    "v.relux()": "AttributeError: 'Value' object has no attribute 'relux'",
    "hooked('x').backward()": "TypeError: a hook's gradient = 'x': expected a real number, got str",
}
BY_PYTHON = {  # where functions in Python come between
    "mp.relu('x')": "TypeError: relu('x'): expected a number, a Value, or a list or array of them, got str",
    "mp.tahn": "AttributeError: module 'micrograd_plus' has no attribute 'tahn'; did you mean 'tanh'?",
    "mp.MLP(2, [1])([v])": "ValueError: MLP: got 1 inputs; expected 2, as many as it was made for",
}
CASES = BY_THE_ENGINE | BY_PYTHON

MODULE = """
import micrograd_plus as mp
from micrograd_plus import Value

v = Value(1.0)

def hooked(answer):
    x = Value(2.0)
    x.register_hook(lambda gradient: answer)
    return x * x
"""
SHOWN = """
import json, sys, traceback
from IPython.core import ultratb
import test_lines

def shown(run):
    try:
        run()
    except Exception:
        in_ipython = [ultratb.FormattedTB(mode=mode).text(*sys.exc_info()) for mode in ("Context", "Verbose")]
        return [traceback.format_exc(), *in_ipython]

print(json.dumps([shown(run) for name, run in vars(test_lines).items() if name.startswith("test_")]))
"""


def ran(*command: str, folder: Path, pure: str) -> str:
    """What a program prints that runs in a folder where nothing of the package lies."""
    environment = os.environ | {"MICROGRAD_PLUS_PURE": pure, "IPYTHONDIR": str(folder), "COLUMNS": "500"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder with a module of functions, one for each case."""
    functions = [f"def test_{place}():\n    {line}\n" for place, line in enumerate(CASES)]
    (tmp_path / "test_lines.py").write_text("\n".join([MODULE, *functions]))
    (tmp_path / "shown.py").write_text(SHOWN)
    return tmp_path


@modes
def test_an_error_shows_one_traceback_in_a_script_and_in_ipython(pure: str, lines: Path) -> None:
    pytest.importorskip("IPython")
    told = json.loads(ran(sys.executable, "shown.py", folder=lines, pure=pure))
    for (line, last), (plain, *in_ipython) in zip(CASES.items(), told, strict=True):
        assert plain.endswith(f"{last}\n")
        assert plain.count("Traceback") == 1
        assert all(Path(row.partition('"')[0]).exists() for row in plain.split('File "')[1:])
        if pure == "0" and line in BY_THE_ENGINE:
            assert plain.rpartition('File "')[2].split("\n")[1].strip() == line
        for coloured in in_ipython:
            text = re.sub("\x1b\\[[0-9;]*m", "", coloured)
            assert last in text
            assert text.count("Traceback") == 1
            assert "Could not get source" not in text
            assert "During handling" not in text


@modes
def test_an_error_shows_one_traceback_in_pytest(pure: str, lines: Path) -> None:
    told = ran(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lines.py", folder=lines, pure=pure)
    assert f"{len(CASES)} failed" in told
    assert "During handling" not in told
    assert "direct cause" not in told
    assert "???" not in told  # how it shows a row without source
    rows = [row.removeprefix("E").strip() for row in told.splitlines()]
    assert [last for last in CASES.values() if last not in rows] == []
