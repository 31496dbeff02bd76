"""What pytest loads, by the entry point in pyproject.toml: the fixture `gradcheck`.

It is installed beside the package, not in it: whoever runs pytest should not have to import micrograd_plus for that,
which loading anything inside it would do. The fixture imports it when a test asks for it.
"""

from typing import Any

import pytest


@pytest.fixture(scope="session")  # so that Hypothesis lets a test with @given use it
def gradcheck() -> Any:
    """What fails a test where a derivative is wrong: check_grads of micrograd_plus.

    A test calls it as gradcheck(f, args), with f a function of numbers, of PyTorch's tensors or of JAX's arrays.
    """
    from micrograd_plus import check_grads

    return check_grads
