"""What all tests and examples share: what one of them enters into the table of operations, the next does not find."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.rows import FUNCTIONS

settings.register_profile("micrograd_plus", deadline=None)  # no test asserts on a time
settings.load_profile("micrograd_plus")


@pytest.fixture(autouse=True)
def _primitives_are_forgotten() -> Iterator[None]:
    before = set(FUNCTIONS)
    yield
    for name in set(FUNCTIONS) - before:
        del FUNCTIONS[name], TABLE[name]
        delattr(Value, name)
