"""What Hypothesis runs when it is imported, by the entry point in pyproject.toml.

It is installed beside the package, not in it: whoever uses Hypothesis without micrograd_plus should not have to import
micrograd_plus, which loading anything inside it would do.
"""

import sys


def register() -> None:
    """Teach Hypothesis our types if micrograd_plus is here already; else its own import will."""
    if "micrograd_plus" in sys.modules:
        from micrograd_plus._hypothesis import register

        register()
