"""Import a natively built module in place of its source, if it was built from that very source.

setup.py builds `micrograd_plus/native/engine_<hash of engine.py and nodes.h>_<hash of setup.py>.<suffix>`; the second
hash counts where setup.py is there, in a checkout. The variable MICROGRAD_PLUS_PURE=1 picks
plain Python, so that a debugger can step in. `micrograd_plus.engine.NATIVE` says which one runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import source_hash, spec_from_file_location
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).parent
LIBRARY = "__mypyc"  # a native module imports itself by this longer name, too
HEADER = PACKAGE / "native" / "nodes.h"
RECIPE = PACKAGE.parent / "setup.py"
CHECKOUT = PACKAGE.parent / "pyproject.toml"  # beside it: an installed package has neither
PURE = os.environ.get("MICROGRAD_PLUS_PURE", "0") not in ("", "0")


class Native:
    """A finder of modules: those of this package that are built."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The native module of that name, if there is one that is up to date."""
        if not name.startswith("micrograd_plus."):
            return None
        file = built(name.removesuffix(LIBRARY))
        return spec_from_file_location(name, file, loader=ExtensionFileLoader(name, str(file))) if file else None


def built(module: str) -> Path | None:
    """The file that a module was built into. If it was built from something else, that is said, once, and None."""
    parts = module.split(".")[1:]
    start, suffix = f"{'_'.join(parts)}_", EXTENSION_SUFFIXES[0]
    files = list(PACKAGE.joinpath("native").glob(f"{start}*{suffix}"))
    source = PACKAGE.joinpath(*parts).with_suffix(".py")
    if not files or not source.exists():
        return None
    header = HEADER.read_bytes() if HEADER.exists() else b""
    begins = f"{start}{source_hash(source.read_bytes() + header).hex()}_"
    ends = f"{source_hash(RECIPE.read_bytes()).hex()}{suffix}" if RECIPE.exists() and CHECKOUT.exists() else suffix
    for file in files:
        if file.name.startswith(begins) and file.name.endswith(ends):
            return file
    warnings.warn(
        f"{files[0].name} was built from another {source.name}, nodes.h or setup.py, so plain Python runs, slower; "
        "build it again: pip install -e .  Or set MICROGRAD_PLUS_PURE=1, or delete it.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


if not PURE:
    sys.meta_path.insert(0, Native)
