"""Import natively built modules in place of their sources, if they were built from these very sources.

setup.py builds each group of modules into one file, `micrograd_plus/engine/native/<group>_<hash>_<hash>.<suffix>`: the
first hash is that of the group's sources and of the headers beside it, the second that of setup.py, which counts where
it is there, in a checkout. Two groups are written in C; without them NumPy and plain Python run compiled programs. The
variable MICROGRAD_PLUS_PURE=1 picks plain Python, so that a debugger can step in. `micrograd_plus.engine.NATIVE` says
which runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import source_hash, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = Path(__file__).parents[1]
NATIVE = Path(__file__).parent / "native"  # the folder of what is built, and of the headers that it is built with
C_SOURCES = PACKAGE / "program" / "native"  # that of what is written in C
RECIPE = PACKAGE.parent / "setup.py"
CHECKOUT = PACKAGE.parent / "pyproject.toml"  # beside it: an installed package has neither
PURE = os.environ.get("MICROGRAD_PLUS_PURE", "0") not in ("", "0")

_ENGINE = (
    *("recording", "partials", "operations", "scalars", "noticing", "value", "calls", "sums", "locking", "walking"),
    *("flattening", "repeating", "hooks", "leaves", "chain", "backward", "handmade", "micrograd_names"),
)
GROUPS = {  # what is built natively, each group of modules into one file
    "engine": [f"engine.{name}" for name in _ENGINE],
    "program": ["program.tape", "program.fusing"],
    "kernels": ["program.machine"],
    "interpreter": ["program.interpreter"],
}
IN_C = {  # the groups that are written in C, with the files of program/native that they are built from
    "kernels": ["kernels.c", "types.h", "block.h", "functions.h", "rows.h", "products.h", "reductions.h", "scalars.h"],
    "interpreter": ["interpreter.c", "interpreter.h", "functions.h", "rows.h", "operations.h", "scalars.h"],
}


def library(group: str) -> str:
    """The module that holds the code of a group, which each of its modules asks for; mypyc adds __mypyc to the name."""
    return f"micrograd_plus.{group}.native"


_BY_NAME = {f"micrograd_plus.{module}": group for group, modules in GROUPS.items() for module in modules}
_BY_NAME |= {f"{library(group)}__mypyc": group for group in GROUPS if group not in IN_C}


class Native:
    """A finder of modules: those of this package that are built."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The native module of that name, if there is one that is up to date."""
        file = built(_BY_NAME[name]) if name in _BY_NAME else None
        return spec_from_file_location(name, file, loader=ExtensionFileLoader(name, str(file))) if file else None


def sources(group: str) -> list[Path]:
    """The files that a group is built from."""
    if group in IN_C:
        return [C_SOURCES / name for name in IN_C[group]]
    return [PACKAGE.joinpath(*module.split(".")).with_suffix(".py") for module in GROUPS[group]]


def headers() -> list[Path]:
    """What else each group is built from."""
    return sorted(NATIVE.glob("*.h"))


def digest(group: str) -> str:
    """The hash of what a group is built from."""
    read = [*sources(group), *(headers() if group not in IN_C else [])]
    return source_hash(b"".join([file.read_bytes() for file in read])).hex()


def built(group: str) -> Path | None:
    """The file that a group was built into. If it was built from something else, that is said, once, and None."""
    if group not in _found:
        _found[group] = _searched(group)
    return _found[group]


_found: dict[str, Path | None] = {}  # for each group that was asked for


def _searched(group: str) -> Path | None:
    suffix = EXTENSION_SUFFIXES[0]
    files = list(NATIVE.glob(f"{group}_*{suffix}"))
    if not files or not all(file.exists() for file in sources(group)):
        return None
    begins = f"{group}_{digest(group)}_"
    ends = f"{source_hash(RECIPE.read_bytes()).hex()}{suffix}" if RECIPE.exists() and CHECKOUT.exists() else suffix
    for file in files:
        if file.name.startswith(begins) and file.name.endswith(ends):
            return file
    warnings.warn(
        f"{files[0].name} was built from another source of {group}, header or setup.py, so "
        f"{'NumPy' if group == 'kernels' else 'plain Python'} runs, slower; "
        "build it again: pip install -e .  Or set MICROGRAD_PLUS_PURE=1, or delete it.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def in_c(module: str) -> Any:
    """A module of the package that is written in C; None where it is not built."""
    try:
        return import_module(f"micrograd_plus.{module}")
    except ImportError:
        return None


if not PURE:
    sys.meta_path.insert(0, Native)
