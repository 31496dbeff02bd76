"""What stands in for what a browser lacks, when tests run inside Pyodide: they skip, and say why."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

MISSING = (
    "can't start new thread",
    "does not support processes",
    "Function not implemented",
    "No module named 'numpy'",
)

TOO_DEEP = ("test_attributes_of_ones_own_go_with_the_node",)  # chains of what is not ours: see engine/freeing.py

THREADS = (  # whose own thread hides that there are none
    "test_a_number_that_leaves_the_graph_in_a_thread_is_heard",
    "test_forward_mode_in_another_thread_is_heard_of",
)


class Missing:
    """A module that is not there, or what is asked of it: while tests are collected nothing of it, then a skip."""

    running = False

    def _asked(self, *_: Any, **__: Any) -> Any:
        if Missing.running:
            pytest.skip("needs NumPy")
        return Missing()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._asked()

    __call__ = __getitem__ = __mul__ = __rmul__ = __neg__ = __truediv__ = __add__ = __sub__ = _asked


numpy = Missing()


def _holds_missing(thing: Any) -> bool:
    return isinstance(thing, Missing) or (isinstance(thing, (tuple, list)) and any(map(_holds_missing, thing)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what was to be tried with NumPy's numbers."""
    Missing.running = True
    if _holds_missing(list(getattr(getattr(item, "callspec", None), "params", {}).values())):
        pytest.skip("needs NumPy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what would end the interpreter, or cannot tell why it fails."""
    items[:] = [item for item in items if not item.name.startswith(TOO_DEEP + THREADS)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Skip a test that asks for a thread, a process or NumPy: a browser has none."""
    try:
        yield
    except (OSError, RuntimeError, ImportError) as error:
        reasons = [str(each) for each in (error, error.__context__) if each is not None]
        for why in MISSING:
            if any(why in reason for reason in reasons):
                pytest.skip(why)
        raise


def prepared(folder: str) -> None:
    """Let tests take NumPy from here; the package itself must not find one."""
    for file in Path(folder).glob("*.py"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("import numpy as np\n", "from in_pyodide import numpy as np\n"), encoding="utf-8")


def main(files: list[str]) -> int:
    """Run the tests in these files of the folder /tests; the exit status of pytest."""
    prepared("/tests")
    sys.path.insert(0, "/tests")
    options = ["-v" if "-v" in files else "-q", "--rootdir=/tests", "--import-mode=importlib", "-rfE", "-W", "error"]
    options += [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        *[f"/tests/{name}" for name in files if name[0] != "-"],
    ]
    return int(pytest.main(options, plugins=[sys.modules[__name__]]))
