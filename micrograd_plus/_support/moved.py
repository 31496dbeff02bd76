"""Old names of modules that stand in rooms now: pickles, and other people's imports, still find them.

>>> from micrograd_plus.identities import Identities
>>> Identities.__module__
'micrograd_plus._support.identities'
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {  # the old name: the room, and the module's name there where it is another
    **dict.fromkeys(["arguments", "errors", "files", "identities", "letters"], "_support"),
    **dict.fromkeys(["anomalies", "copying", "loading"], "engine"),
    **dict.fromkeys(["rows", "stubs", "vectors"], "ops"),
    "weights": "nn",
    "nesting": "calculus",
    **dict.fromkeys(["naming", "numerals", "symbolic"], "formulas"),
    "reference": "formulas.cards",
    **dict.fromkeys(["folding", "rendering"], "pictures"),
    **dict.fromkeys(["scenes", "wishes"], "networks"),
    **dict.fromkeys(["ledgers", "page", "passes", "steps"], "stepping"),
    "differences": "check",
    "engines": "laws",
    "trials": "laws.benches",
    **dict.fromkeys(["compiling", "descents", "judging", "progress"], "training"),
    **dict.fromkeys(["jobs", "plots", "runs", "terminal"], "cli"),
    "parsing": "cli.expressions",
}


class Moved:
    """A finder of modules by their old names, and a loader that puts the one of today in the place of the old one."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module of an old name is to be had; None for every other name."""
        package, _, old = name.partition(".")
        loader: Any = Moved()  # no importlib.abc.Loader, whose import takes longer than all that is ours
        return ModuleSpec(name, loader) if package == "micrograd_plus" and old in MOVED else None

    def create_module(self, _: ModuleSpec) -> None:
        """Python makes the module as usual; it is not kept."""

    def exec_module(self, module: ModuleType) -> None:
        """Let the old name mean the module of today."""
        package, _, old = module.__name__.partition(".")
        room = MOVED[old]
        sys.modules[module.__name__] = import_module(f"{package}.{room if '.' in room else f'{room}.{old}'}")


sys.meta_path.append(Moved)  # comes last: it is asked for what nobody else finds
