"""Find the class that `module:Class` or `file.py:Class` names, for the command and `check_engine`."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from micrograd_plus._support.errors import nearest

EXAMPLE = "expected MODULE:CLASS, such as my_engine.py:Value"


def find(text: str) -> type:
    """The class that `module:Class` or `file.py:Class` stands for; its module is imported.

    A file that belongs to a package is imported as a part of it, so that its relative imports work.

    Args:
        text: MODULE:CLASS; the class may be left out if it is Value.

    Raises:
        ValueError: no such module, file or class, or the import raises; the message quotes what.
        TypeError: that is no class.

    >>> find("micrograd_plus.engine:Value").__name__
    'Value'
    >>> find("micrograd_plus.engine:Valeu")
    Traceback (most recent call last):
    ValueError: 'micrograd_plus.engine' has no class 'Valeu'; did you mean 'Value'?
    """
    where, _, name = text.partition(":")
    module = _imported(where)
    name = name or "Value"
    found = getattr(module, name, None)
    if found is None:
        classes = sorted(key for key, thing in vars(module).items() if isinstance(thing, type))
        near = nearest(name, classes)
        hint = f"did you mean {near!r}?" if near else f"it has {', '.join(classes) or 'none at all'}"
        raise ValueError(f"{where!r} has no class {name!r}; {hint}")
    if not isinstance(found, type):
        raise TypeError(f"{text!r}: expected a class, got {type(found).__name__}")
    return found


def _imported(where: str) -> ModuleType:
    """The module of that name, from the current folder or installed, or the one in that file."""
    file = Path(where)
    is_file = file.suffix == ".py"
    if not is_file and not all(part.isidentifier() for part in where.split(".")):
        raise ValueError(f"{where!r} is no module and no file of Python's; expected MODULE:CLASS or FILE.py:CLASS")
    sys.path.insert(0, str((file.parent if is_file else Path()).resolve()))
    try:
        return _of_file(file.resolve()) if is_file else import_module(where)
    except (Exception, SystemExit) as error:
        missing = isinstance(error, FileNotFoundError) and not file.exists()
        if missing or (isinstance(error, ModuleNotFoundError) and f"{where}.".startswith(f"{error.name}.")):
            kind = "file" if is_file else "module"
            raise ValueError(f"there is no {kind} {where!r}; {_meant(file, where)}") from error
        raise ValueError(f"importing {where!r} raised {type(error).__name__}: {error}") from error


def _of_file(file: Path) -> ModuleType:
    """The module in that file, after the packages that it belongs to, each from the folder where the file lies."""
    package = _package(file)
    names = [folder.name for folder in package]
    for depth, folder in enumerate(package, start=1):
        init = folder / "__init__.py"
        name = ".".join(names[:depth])
        if str(folder) in getattr(sys.modules.get(name), "__path__", ()):
            continue
        for other in [key for key in sys.modules if key.startswith(f"{name}.")]:  # of a package of the same name
            del sys.modules[other]
        if init.exists():
            spec = spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
        else:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(folder)]
        _executed(spec)
    if package:
        sys.path.insert(0, str(package[0].parent))
    if package and file.name == "__init__.py":
        return sys.modules[".".join(names)]
    full = ".".join([*names, file.stem])
    if package and full in sys.modules:  # the package has imported it
        return sys.modules[full]
    return _executed(spec_from_file_location(full, file), keep=not package)


def _executed(spec: ModuleSpec | None, *, keep: bool = False) -> ModuleType:
    """The module of this spec, run; known under its name, unless that is to keep what it has."""
    assert spec is not None
    module = module_from_spec(spec)
    if keep:
        sys.modules.setdefault(spec.name, module)
    else:
        sys.modules[spec.name] = module
    if spec.loader is not None:
        spec.loader.exec_module(module)
    return module


def _package(file: Path) -> list[Path]:
    """The folders of the package that a file belongs to, outermost first: those with an `__init__.py`, and as many as
    its relative imports climb."""
    climbs = 0
    if file.exists():
        try:
            statements = ast.walk(ast.parse(file.read_bytes()))
            climbs = max((each.level for each in statements if isinstance(each, ast.ImportFrom)), default=0)
        except (SyntaxError, ValueError):
            pass  # said when it is run
    folders: list[Path] = []
    for folder in file.parents[:-1]:
        if len(folders) >= climbs and not (folder / "__init__.py").exists():
            break
        folders.insert(0, folder)
    return folders


def _meant(file: Path, where: str) -> str:
    """What to give in the place of an engine's module that is not there."""
    is_file = file.suffix == ".py"
    nearby = [path.name if is_file else path.stem for path in (file.parent if is_file else Path()).glob("*.py")]
    module, _, name = where.rpartition(".")
    near = f"{module}:{name}" if module and name[:1].isupper() else nearest(file.name, nearby)
    return f"did you mean {near!r}?" if near else EXAMPLE
