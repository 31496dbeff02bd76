"""Python's built-in functions as they were before an engine could replace them.

A module whose functions must work whatever an engine does to `builtins` says `__builtins__ = BUILTINS` before it
defines them: a function looks its built-in names up in what stands there when it is defined.
"""

from __future__ import annotations

import builtins
from typing import Any

BUILTINS: Any = dict(vars(builtins))  # Python takes a dict in the place of the module
