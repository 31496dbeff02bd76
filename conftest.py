"""What all tests and examples share: what one of them enters into the table of operations, the next does not find."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import settings

from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.rows import FUNCTIONS

LENT = {  # what examples of these need
    "to_torch": "torch",
    "from_torch": "torch",
    "to_jax": "jax",
    "to_onnx": "onnx",
    "InferenceSession": "onnxruntime",
}
# modules that import such a library when they are imported themselves
collect_ignore_glob = [
    f"micrograd_plus/program/exports/{library}_*.py" for library in set(LENT.values()) if find_spec(library) is None
]

settings.register_profile("micrograd_plus", deadline=None)  # no test asserts on a time
settings.load_profile("micrograd_plus")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip examples of what leaves for a library, or comes from one, where that is not installed."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            examples = "".join([example.source for example in getattr(item.dtest, "examples", ())])
            for name, library in LENT.items():
                if name in examples and find_spec(library) is None:
                    item.add_marker(pytest.mark.skip(reason=f"needs {library}"))


@pytest.fixture(autouse=True)
def _primitives_are_forgotten() -> Iterator[None]:
    before = set(FUNCTIONS)
    yield
    for name in set(FUNCTIONS) - before:
        del FUNCTIONS[name], TABLE[name]
        delattr(Value, name)
