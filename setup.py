"""Build the engine natively, with mypyc, and the kernels of compiled programs, where there is a C compiler.

If anything is amiss, plain Python is installed.

    MICROGRAD_PLUS_PURE=1 pip install .     builds nothing natively

An install never fails for want of it: one line says what was amiss. `micrograd_plus/engine/loading.py` says which
modules are built, a group into one file, which bears in its name the hashes of all it was built from.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from contextlib import chdir
from pathlib import Path
from textwrap import shorten
from typing import Any

from setuptools import Extension, setup  # type: ignore[import-untyped]
from setuptools.command.build_ext import build_ext  # type: ignore[import-untyped]

# exactly this version: what `finished` changes is C that it writes. It is asked for only where it can be of use.
MYPY = "mypy==2.4.1"
ALONE = ["--follow-imports=skip", "--ignore-missing-imports"]  # what comes from outside the group may be anything
FLAGS = [
    "-g0",
    "-fvisibility=hidden",  # so that functions of the module can be inlined
    "-ffp-contract=off",  # a fused multiply-add would round once where Python rounds twice
]
# what speeds up vectors and changes no nan, no infinity and no sign: nobody reads errno or the flags of floating point.
# In kernels a multiply-add may round once, which is nearer the truth, as in BLAS; the interpreter gives the same bits
# for one example and for many. Never -ffast-math: it takes nan for impossible
C_FLAGS = ["-g0", "-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"]
SANITIZERS: list[str] = []
if os.environ.get("MICROGRAD_PLUS_SANITIZE"):  # for the tests: what goes wrong in a kernel ends the process
    SANITIZERS = ["-g", "-O1", "-DDEBUG_KERNELS", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
ROOT = Path(__file__).parent
_spec: Any = importlib.util.spec_from_file_location("loading", ROOT / "micrograd_plus" / "engine" / "loading.py")
loading: Any = importlib.util.module_from_spec(_spec)  # by itself: to import the package would import the engine
_spec.loader.exec_module(loading)


def obstacle() -> str:
    """Why this machine can't build natively; "" where it can."""
    if os.environ.get("MICROGRAD_PLUS_PURE", "0") not in ("", "0"):
        return "MICROGRAD_PLUS_PURE is set"
    if sys.implementation.name != "cpython":
        return f"mypyc is for CPython, this is {sys.implementation.name}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "nodes are counted and freed under the GIL, this is Python without it"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python's header files are missing (the package python3-dev, for one)"
    return ""


def native(group: str) -> Extension:
    """The extension for a group of modules, without sources yet; loading.py looks for it by this name."""
    recipe = importlib.util.source_hash(Path(__file__).read_bytes()).hex()
    name = f"micrograd_plus.engine.native.{group}_{loading.digest(group)}_{recipe}"
    if group not in loading.IN_C:
        return Extension(name, [])
    source, *headers = [str(file.relative_to(ROOT)) for file in loading.sources(group)]
    fused = [f"-ffp-contract={'fast' if group == 'kernels' else 'off'}"]
    flags = {"extra_compile_args": C_FLAGS + fused + SANITIZERS, "extra_link_args": SANITIZERS}
    return Extension(name, [source], depends=headers, **flags)


class Build(build_ext):  # type: ignore[misc]  # setuptools carries no types
    """Builds the native modules, or says why not."""

    extensions: list[Extension]

    def run(self) -> None:
        if not self.extensions:
            return
        try:
            for group, extension in zip(loading.GROUPS, self.extensions, strict=True):
                if group not in loading.IN_C:
                    self.translate(group, extension)
            super().run()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a compiler is unhappy about
            self.extensions = []
            tell(shorten(f"{type(error).__name__}: {error}", 200))

    def build_extension(self, ext: Extension) -> None:
        """What is written in C may fail by itself: the engine is native all the same."""
        try:
            super().build_extension(ext)
        except Exception as error:
            group = ext.name.rpartition(".")[2].partition("_")[0]
            if group not in loading.IN_C:
                raise
            self.extensions = [extension for extension in self.extensions if extension is not ext]
            instead = "NumPy and Python run programs instead"
            tell(shorten(f"{type(error).__name__}: {error}", 200), f"{group} not built, {instead}")

    def translate(self, group: str, extension: Extension) -> None:
        """Let mypyc write the group in C. It sees these files alone, so that it needs no other package."""
        from mypyc.build import mypycify

        folder = Path(self.build_temp, extension.name).absolute()
        shutil.rmtree(folder, ignore_errors=True)
        sources = loading.sources(group)
        files = [file.relative_to(ROOT) for file in sources]
        for source, file in zip(sources, files):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            for package in file.parents[:-1]:
                (folder / package / "__init__.py").touch()
            shutil.copy(source, folder / file)
        with chdir(folder):
            library, *entries = mypycify(
                ["--config-file=", *ALONE, f"--cache-dir={os.devnull}", *map(str, files)],
                target_dir=str(folder / "c"),
                group_name=loading.library(group),
            )
        (written,) = library.sources
        text = Path(written).read_text(encoding="utf-8")
        for source in sources:
            text = finished(text, source.stem, source.read_text(encoding="utf-8"))
        text = undeletable(text)
        include = "".join([f'#include "{header.name}"\n' for header in loading.headers()])
        text = replaced(r'(#include "__native_\w+\.h"\n)(?!#include)', rf"\1{include}", text)
        Path(written).write_text(text, encoding="utf-8")
        entry_files = [Path(file) for entry in entries for file in entry.sources]
        for file in entry_files:  # each brings a function for a compiler of Microsoft's; in one library it may be once
            text = file.read_text(encoding="utf-8").replace(" PyInit___init__(", f" PyInit___init__{file.stem}(")
            file.write_text(text, encoding="utf-8")
        extension.sources = [*library.sources, *map(str, entry_files)]
        extension.include_dirs = [*library.include_dirs, str(loading.NATIVE)]
        extension.extra_compile_args = FLAGS

    def copy_extensions_to_source(self) -> None:
        """For an editable install; what was built from older sources goes."""
        for extension in self.extensions:
            file = Path(self.get_ext_fullpath(extension.name))
            for old in file.parent.glob(f"{file.name.partition('_')[0]}_*{file.name.partition('.')[2]}"):
                old.unlink()
        super().copy_extensions_to_source()


def finished(text: str, module: str, plain: str) -> str:
    """The C text with what mypyc leaves out: docstrings, and for nodes weak references, a hash and a safe end."""
    for path, doc in docstrings(ast.parse(plain)).items():
        text = documented(text, module, path, doc)
    if module == "noticing":
        text = rewritten(r"PyObject \*", f"{module}___uncollected", r"node_uncollected(\3)", text)
    nodes = re.findall(r"@mypyc_attr\(.*acyclic=True.*\)\nclass (\w+)", plain)
    if not nodes:
        return text
    for node in nodes:
        name = f"{module}___{node}"  # what mypyc calls it; it indents at random, so where a block ends its indent tells
        size = rf"(\.tp_basicsize = sizeof\((\w+___{node}Object)\)),"
        slots = [".tp_weaklistoffset = sizeof(\\2)", ".tp_dictoffset = sizeof(\\2) + sizeof(PyObject *)"]
        slots += [".tp_hash = node_hash", ".tp_alloc = node_alloc", ".tp_traverse = node_traverse"]
        text = replaced(size, ",\n".join([r"\1 + 2 * sizeof(PyObject *)", *slots, ""]), text)
        attributes = rf"(\n *static PyGetSetDef {name}_getseters\[\] = {{\n)"
        text = replaced(attributes, r"\1    NODE_DICT,\n", text)
        numbers = rf"(\n *static) (PyNumberMethods {name}_as_number)( = {{.*?\n *}};\n)"
        text = replaced(numbers, r"\1 \2\3\1 const \2_made\3", text)
        own = rf"node_own(\3, CPyType_{name}, &{name}_as_number_made)"
        text = rewritten("char ", f"{module}___overrides", own, text)
        end = rf"(\n( *){name}_dealloc\(\w+ \*self\)\n\2{{\n).*?\n\2}}\n"
        text = replaced(end, rf"\1node_dealloc((PyObject *)self, CPyDef_{name}_clear);\n}}\n", text)
        new = rf"(\nPyObject \*CPyDef_{module}___node\([^\n]*\) {{.*?)PyObject_Vectorcall\(\w+, \w+, 1, 0\)"
        text = replaced(new, rf"\1CPyDef_{module}_____mypyc__{node}_setup((PyObject *)CPyType_{name})", text)
    return text


def undeletable(text: str) -> str:
    """The C text with an error where a property is deleted: mypyc's setters take the NULL that comes for a value."""
    head = r"\n *\w+___(\w+?)_set_(\w+)\(\w+ \*self, PyObject \*value, void \*closure\)\n *{\n(?= *char retval = 2;\n)"
    error = r"""PyErr_SetString(PyExc_AttributeError, "property '\2' of '\1' object has no deleter");"""
    text, count = re.subn(head, rf"\g<0>if (value == NULL) {{\n{error}\nreturn -1;\n}}\n", text)
    if count != len(re.findall(r"CPyDef_\w+_____mypyc_setter__\w+\(\(PyObject \*\) self, value\)", text)):
        raise ValueError(f"mypyc writes other setters of properties than expected: {count} of them")
    return text


def rewritten(result: str, function: str, instead: str, text: str) -> str:
    r"""The C text with what a function of one argument, \3, gives instead."""
    body = rf"(\n( *){result}CPyDef_{function}\(PyObject \*(\w+)\) {{\n).*?\n\2}}\n"
    return replaced(body, rf"\1return {instead};\n}}\n", text)


def replaced(pattern: str, replacement: str, text: str) -> str:
    """The text with its one match replaced."""
    text, count = re.subn(pattern, replacement, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"mypyc writes other C than expected: {count} times {pattern}")
    return text


def docstrings(tree: ast.Module) -> dict[tuple[str, ...], str]:
    """The docstrings of a module's functions, classes and methods, by their names."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    outer = [((item.name,), item) for item in tree.body if isinstance(item, kinds)]
    inner = [((*name, item.name), item) for name, it in outer for item in it.body if isinstance(item, ast.FunctionDef)]
    return {name: doc for name, item in [*outer, *inner] if (doc := ast.get_docstring(item))}


def documented(text: str, module: str, name: tuple[str, ...], doc: str) -> str:
    """The C text with a docstring put where mypyc has the signature alone; a property has not even that."""
    quoted = "".join([chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in doc.encode()])
    function = (
        rf'(CPyPy_(?:{module}___)?{"___".join(name)},\s*METH_FASTCALL \| METH_KEYWORDS, PyDoc_STR\("(?:[^"\\]|\\.)*)'
    )
    class_ = rf'(\.tp_doc = PyDoc_STR\("{name[0]}\((?:[^"\\]|\\.)*)'
    text = re.sub(class_ if len(name) == 1 and name[0][0].isupper() else function, lambda m: m[1] + quoted, text)
    getter = rf"(\(getter\)(?:{module}___)?{'_get_'.join(name)},\s*(?:\(setter\)\w+|NULL),\s*)NULL"
    return re.sub(getter, lambda m: f'{m[1]}PyDoc_STR("{quoted}")', text)


def tell(why: str, what: str = "the engine is not built natively, plain Python runs instead") -> None:
    print(f"micrograd_plus: {what}: {why}", file=sys.stderr)  # noqa: T201


why_not = obstacle()
if why_not:
    tell(why_not)
setup(
    ext_modules=[] if why_not else [native(group) for group in loading.GROUPS],
    cmdclass={"build_ext": Build},
    setup_requires=[] if why_not else [MYPY],  # pip installs it where it builds, and nowhere else
)
