"""Write value.pyi, which tells type checkers what a Value can do: what value.py says, and a method for each row.

The methods are made from the table when the package is imported, where no type checker sees them. So after adding a
row, run `python -m micrograd_plus.ops.stubs`; a test compares the file with what this module would write.
"""

from __future__ import annotations

import re
import tempfile
from inspect import Parameter, signature
from pathlib import Path

import micrograd_plus.ops.table  # noqa: F401 - fills the table
from micrograd_plus.ops.rows import FUNCTIONS, HOME

STUB = Path(__file__).parents[1] / "engine" / "value.pyi"
NOTE = "# Written by `python -m micrograd_plus.ops.stubs` from value.py and the table in ops/table.py; edit those.\n"


def method(name: str) -> str:
    """The row's method on Value, as a stub.

    >>> print(method("tanh"))
        def tanh(self) -> Value:
            \"\"\"The hyperbolic tangent.\"\"\"
    """
    function = FUNCTIONS[name]
    arguments = ["self"]
    for parameter in list(signature(function).parameters.values())[1:]:
        option = parameter.kind is not Parameter.POSITIONAL_ONLY
        arguments.append(f"{parameter.name}: float = ..." if option else f"{parameter.name}: Arg, /")
    line = (function.__doc__ or "").splitlines()[0]
    return f'    def {name}({", ".join(arguments).replace(", /, ", ", ")}) -> Value:\n        """{line}"""'


def stub() -> str:
    """The text of value.pyi: mypy's stub of value.py, with the methods put into the class Value."""
    from mypy.stubgen import main as stubgen

    with tempfile.TemporaryDirectory() as folder:
        options = ["--include-private", "--include-docstrings", "--quiet", "--output", folder]
        stubgen([*options, str(STUB.with_suffix(".py"))])
        (written,) = Path(folder).rglob("value.pyi")
        text = written.read_text(encoding="utf-8")
    methods = "\n".join(method(name) for name, f in FUNCTIONS.items() if f.__module__ == HOME)
    text = text.replace("\nArg: TypeAlias\n", "\nArg: TypeAlias = Value | float\n")  # stubgen drops what it is
    text = text.replace("from mypy_extensions import i32\n", "").replace(": i32\n", ": int\n")  # mypyc's own
    for operator, given, made in (("[lg][te]", "Arg", "bool"), (r"r\w+", "float", "Value"), (r"\w+", "Arg", "Value")):
        # what comes of numbers: not where an array answers for itself, and not while a function is traced
        text = re.sub(rf"(def __{operator}__\(self, other:) Any\) -> Any", rf"\1 {given}) -> {made}", text)
    text = text.replace("def __neg__(self) -> Any", "def __neg__(self) -> Value")
    head, mark, tail = text.partition("    def __add__")
    return f"{NOTE}{head}{methods}\n{mark}{tail}"


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
