"""A core part of the tests, run inside Pyodide by Node.js: the engine that a browser has is the engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sites import OFFLINE
from test_playground import playground as playground

HERE = Path(__file__).parent
PINNED = HERE.parent / "docs" / "playground" / "requirements-tests.txt"
CORE = ("test_engine.py", "test_anomalies.py", "test_calculus.py")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pytest and mpmath as pure wheels, each held to its hash."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    done = subprocess.run(
        [*pip, "--dest", str(folder), "--requirement", str(PINNED)], capture_output=True, text=True, check=False
    )
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip("the registry of PyPI is not there")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not there")
@pytest.mark.parametrize("file", CORE)
def test_the_core_of_the_tests_passes_in_pyodide(file: str, playground: Path, wheels: Path) -> None:
    command = ["node", str(HERE / "in_pyodide.mjs"), str(playground), str(wheels), file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 5
