"""Rows of the table in C: the text of two headers in program/native, which the interpreter is built with."""

from __future__ import annotations

import re
from functools import cache
from math import inf, isinf, isnan
from typing import NamedTuple

import numpy as np

from micrograd_plus.engine.loading import C_SOURCES
from micrograd_plus.engine.operations import TABLE, Op

_MATH = """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs floor fmod
hypot ldexp log log10 log1p log2 pow rint sin sinh sqrt tan tanh trunc"""
MATH = frozenset(_MATH.split())  # what is used of C99's <math.h>; with an f behind them they take floats
SINGLE = {  # rows that the interpreter computes as vectors, here for one number
    **{name: f"{name}(x)" for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "sinh", "cosh", "tanh")},
    **{name: f"{name}(x)" for name in ("sigmoid", "sigmoid_slope")},  # of scalars.h
    "sech": "1.0 / cosh(x)",
    "logaddexp": "log_add_exp(x, y)",
    "softplus": "(x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)))",
}
_FUNCTION = re.compile(r"(?:^/\*(?:(?!\*/).)*\*/\n)?^static \w+ (\w+)\(.*?^}\n", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^    ROW\((\w+), (.*)\)[ \\]*$", re.MULTILINE)
_NAMED = re.compile(r"^#define (\w+) ([\d.]+)$", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[-+]?\d+)?(?![\w.])")


class Rows(NamedTuple):
    """What operations.h and scalars.h hold.

    Attributes:
        expressions: for each row an expression in x, y, z.
        functions: the functions that these call besides those of <math.h>, as text, in the order in which they stand.
    """

    expressions: dict[str, str]
    functions: dict[str, str]


@cache
def rows(dtype: str) -> Rows:
    """The rows for `float64` or `float32`."""
    listed, scalars = [(C_SOURCES / name).read_text(encoding="utf-8") for name in ("operations.h", "scalars.h")]
    listed = "".join([f"    ROW({name}, {expression})\n" for name, expression in SINGLE.items()]) + listed
    text = listed.partition("#define REVERSE")[0] + scalars.replace("\nSCALAR ", "\nstatic double ")
    numbers = dict(_NAMED.findall(text))
    text = re.sub(rf"\b({'|'.join(numbers)})\b", lambda found: numbers[found[0]], text)
    if dtype == "float32":
        text = _as_floats(text)
    functions = {found[1]: found[0] for found in _FUNCTION.finditer(text)}
    return Rows(dict(_ROW.findall(text)), functions)


def real(dtype: str) -> str:
    """C's name for such a number."""
    return {"float64": "double", "float32": "float"}[dtype]


def known_rows() -> set[Op]:
    """The rows that can be written in C as they are."""
    return {TABLE[name] for name in rows("float64").expressions}


def called(expression: str, dtype: str) -> set[str]:
    """The functions that must stand before an expression, those that they call included."""
    found: set[str] = set()
    left = [expression]
    while left:
        words = set(re.findall(r"\w+", left.pop())) & rows(dtype).functions.keys()
        left += [rows(dtype).functions[name] for name in words - found]
        found |= words
    return found


def literal(number: float, dtype: str) -> str:
    """A number as C writes it, to the last bit; in parentheses, where it has a sign."""
    text = entry(number, dtype)
    return f"({text})" if text.startswith("-") else text


def entry(number: float, dtype: str) -> str:
    """The same as an entry of a table."""
    if isnan(number):
        return "NAN"
    if dtype == "float32":
        with np.errstate(over="ignore"):
            number = float(np.float32(number))
    if isinf(number):
        return "INFINITY" if number > 0.0 else "-INFINITY"
    return repr(number) if dtype == "float64" else f"{np.float32(number)!s}f"


def _as_floats(text: str) -> str:
    """The same in float: its functions, its numbers; a number that is too large is infinite."""
    text = re.sub(r"\bdouble\b", "float", text)
    text = re.sub(rf"\b({'|'.join(MATH)})\(", r"\1f(", text)
    return _NUMBER.sub(lambda found: literal(float(found[0]), "float32") if float(found[0]) < inf else found[0], text)
