"""Write a program as C: one file in C99 and its header, without allocation, that needs nothing but <math.h>."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib.metadata import version
from math import prod
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.files import write_atomically
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.exports.c_places import WIDTH, Tables, wrapped
from micrograd_plus.program.exports.c_rows import MATH, called, entry, known_rows, real, rows
from micrograd_plus.program.exports.c_statements import Statements
from micrograd_plus.program.exports.leaving import check
from micrograd_plus.program.exports.parameters import runs, tensors
from micrograd_plus.program.exports.ways import Way, ways_of
from micrograd_plus.program.lowering import lowered
from micrograd_plus.program.tracing import made_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd_plus.program.programs import Program

    Floats = NDArray[Any]

EXAMPLES = 3  # in the test vector
TOLERANCE = {"float64": "1e-9", "float32": "1e-3f"}  # of it
_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main
abort abs atexit atof atoi bsearch calloc div exit fdim fma fmax fmin fprintf frac free frexp getenv gamma hypot ilogb
isalpha isdigit labs ldiv lgamma logb malloc memcmp memcpy memset modf nan nearbyint nextafter perror printf putc puts
qsort rand realloc remainder remove rename round scanf signal srand strcat strcmp strcpy strlen system tgamma time
tolower toupper isnan isinf isfinite isnormal signbit fpclassify isgreater isless isunordered float_t double_t NAN
INFINITY HUGE_VAL math_errhandling alignas alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t
class co_await co_return co_yield compl concept const_cast consteval constexpr constinit decltype delete dynamic_cast
explicit export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected
public reinterpret_cast requires static_assert static_cast template this thread_local throw true try typeid typename
typeof using virtual wchar_t xor xor_eq x y parameters index inside out gradient work off sum best decided i j c"""
WORDS = frozenset(_WORDS.split())  # of C, of C++ and of the file: no function may bear them
ABOUT = {
    "x": "the numbers of an example",
    "y": "its target",
    "parameters": "as in {name}_parameters, or others",
    "out": "what comes out",
    "gradient": "its derivative by each parameter",
    "work": "room to compute in; what is there before and after means nothing",
}
HEADER = """\
/* {title}

   For one example, in C99, with <math.h> and nothing else; nothing is allocated.
{about}

   Each function returns 0{otherwise}. No two arrays may overlap. */

#ifndef {upper}_H
#define {upper}_H

{sizes}

#ifdef __cplusplus
extern "C" {{
#endif

{declarations}

#ifdef __cplusplus
}}
#endif

#endif
"""
SOURCE = """\
/* {title}

   {stem}.h says how it is called. To try it: cc -std=c99 -O2 -D{upper}_MAIN {stem}.c -lm && ./a.out
   Not for -ffast-math, which takes nan and infinity for impossible. */

#include "{stem}.h"

#include <math.h>

{constants}{functions}
#ifdef {upper}_MAIN

#include <stdio.h>

{test}
#endif
"""
OTHERWISE = """; or 1, with nan for results, where an example goes a way through the
   function's choices that no example had gone when this was written"""
MAIN = """\
static {real} off({real} got, {real} want)
{{
    if (got == want || (got != got && want != want))
        return 0;
    return fabs{f}(got - want) < INFINITY ? fabs{f}(got - want) / (1 + fabs{f}(want)) : INFINITY;
}}

int main(void)
{{
    static {real} {room};
    {real} worst = 0;
    for (int k = 0; k < {count}; k++) {{
{calls}
    }}
    printf("{name}: {count} examples, off by %.1e at most\\n", (double)worst);
    return worst > {tolerance};
}}
"""


def write(program: Program, path: str | os.PathLike[str], gradient: bool, dtype: str) -> None:
    """Write the file and, beside it, the header."""
    stem, ending = os.path.splitext(os.fspath(path))
    if ending != ".c":
        raise ValueError(f"{program!r}.to_c({os.fspath(path)!r}): expected a name in .c; the header goes beside it")
    made = _File(program, _named(program, os.path.basename(stem)), os.path.basename(stem), gradient, dtype)
    header, source = made.header(), made.source()
    write_atomically(f"{stem}.h", header)
    write_atomically(path, source)


def _named(program: Program, stem: str) -> str:
    """The name that the function gets: that of the file."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    taken = name in WORDS | MATH | rows("float64").functions.keys() or re.fullmatch(r"(v|rows|numbers|way)\d+", name)
    if taken or not re.fullmatch(r"[A-Za-z]\w*", name, flags=re.ASCII):
        reason = "stands for something in C" if taken else "can't name a function in C"
        raise ValueError(f"{program!r}.to_c: {stem!r} {reason}; choose another name, such as 'model.c'")
    return name


class _File:
    """The texts of the header and of the file."""

    def __init__(self, program: Program, name: str, stem: str, gradient: bool, dtype: str) -> None:
        self.program, self.name, self.stem, self.dtype = program, name, stem, dtype
        self.upper, self.real = name.upper(), real(dtype)
        self.ways = ways_of(program)
        self.guarded = self.ways[0].guards is not None
        x, *y = [prod(shape) for shape in program._shapes]
        trained = len(program.parameters)
        self.sizes = {"x": x, "y": sum(y), "parameters": trained + len(program._others)}
        self.sizes |= {"out": self.ways[0].root.rows, "gradient": trained}
        self.inputs = [name for name in ("x", "y", "parameters") if self.sizes[name]]
        self.kinds = {"": ["out"]} | ({"_gradient": ["out", "gradient"]} if gradient and trained else {})
        self.tables, self.used, self.work = Tables(dtype), set[str](), 1
        self.functions = self._guards()
        for suffix, results in self.kinds.items():
            self.functions += self._function(suffix, results)

    # --------------------------------------------------------------------------------------------------- the functions

    def _guards(self) -> list[str]:
        """A function for each way that says whether an example goes it."""
        made = []
        for i, way in enumerate(self.ways):
            if way.guards is not None:
                body = self._statements({"decided": way.guards})
                tests = [f"decided[{j}] {'!=' if outcome else '=='} 0" for j, outcome in enumerate(way.outcomes)]
                head = self._head(f"static int goes_way{i}", [])
                body = f"    {self.real} decided[{len(tests)}];\n{body}    return {' && '.join(tests)};\n"
                made.append(f"{self._said('whether', way)}{head}\n{{\n{body}}}\n")
        return made

    def _function(self, suffix: str, results: Sequence[str]) -> list[str]:
        """The function for the values or for the gradient; where there are several ways, one for each besides."""
        head = self._head(f"int {self.name}{suffix}", results)
        if not self.guarded:
            return [f"{head}\n{{\n{self._body(self.ways[0], results)}    return 0;\n}}\n"]
        made, lines = [], []
        for i, way in enumerate(self.ways):
            inner = self._head(f"static void way{i}{suffix}", results)
            made.append(f"{self._said('where', way)}{inner}\n{{\n{self._body(way, results)}}}\n")
            given = ", ".join([*self.inputs, *results, "work"])
            lines += [f"    if (goes_way{i}({', '.join([*self.inputs, 'work'])})) {{"]
            lines += [f"        way{i}{suffix}({given});", "        return 0;", "    }"]
        for name in results:
            lines += [f"    for (int i = 0; i < {self.sizes[name]}; i++)", f"        {name}[i] = NAN;"]
        return [*made, "\n".join([head, "{", *lines, "    return 1;", "}", ""])]

    def _said(self, word: str, way: Way) -> str:
        """A comment: which choices lead this way."""
        return "/* " + "\n   ".join(wrap(f"{word} {_plain(way.said)}", WIDTH)) + " */\n"

    def _head(self, name: str, results: Sequence[str]) -> str:
        """A function with its arguments: what it reads, and what it writes to."""
        given = [f"const {self.real} {name}[]" for name in self.inputs]
        arguments = [*given, *[f"{self.real} {result}[]" for result in (*results, "work")]]
        return f"{name}({wrapped(arguments).strip()})"

    def _body(self, way: Way, results: Sequence[str]) -> str:
        arrays = {"out": way.root}
        if "gradient" in results:
            arrays["gradient"] = way.gradient(self.sizes["gradient"])
        return self._statements(arrays)

    def _statements(self, outputs: dict[str, Array]) -> str:
        known = known_rows()
        arrays = lowered(list(outputs.values()), known)
        check(self.program, "C", arrays, known)
        made = Statements(dict(zip(outputs, arrays)), self.tables, self.used)
        self.work = max(self.work, made.work)
        text = "\n".join(made.lines)
        unused = [f"    (void){name};" for name in [*self.inputs, "work"] if not re.search(rf"\b{name}\b", text)]
        return "\n".join([*unused, text, ""])

    # -------------------------------------------------------------------------------------------------------- the texts

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"{_plain(self.program._name)}, written by micrograd_plus {version('micrograd-plus')}"

    def header(self) -> str:
        """The header."""
        results = list(dict.fromkeys([name for names in self.kinds.values() for name in names]))
        used = [name for name in (*self.inputs, *results) if self.sizes[name]]
        sizes = {name: self.sizes[name] for name in used if name != "gradient"} | {"work": self.work}
        declarations = [f"{self._head(f'int {self.name}{suffix}', names)};" for suffix, names in self.kinds.items()]
        if self.sizes["parameters"]:
            declarations.insert(0, f"extern const {self.real} {self.name}_parameters[{self.sizes['parameters']}];")
        return HEADER.format(
            title=self.title,
            upper=self.upper,
            about="".join([f"\n     {name:<12}{self._about(name)}" for name in [*used, "work"]]),
            otherwise=OTHERWISE if self.guarded else "",
            sizes="\n".join([f"#define {self.upper}_{name.upper()} {count}" for name, count in sizes.items()]),
            declarations="\n".join(declarations),
        )

    def _about(self, name: str) -> str:
        count = {**self.sizes, "gradient": self.sizes["gradient"], "work": self.work}[name]
        return f"{ABOUT[name].format(name=self.name)} ({count})"

    def source(self) -> str:
        """The file."""
        functions = rows(self.dtype).functions
        needed = set().union(*[called(expression, self.dtype) for expression in self.used])
        helpers = [text for name, text in functions.items() if name in needed]
        constants = [self._parameters(), self.tables.text(), *helpers]
        return SOURCE.format(
            title=self.title,
            stem=self.stem,
            upper=self.upper,
            constants="".join([f"{text.rstrip()}\n\n" for text in constants if text]),
            functions="\n".join(self.functions),
            test=self._test(),
        )

    def _parameters(self) -> str:
        """The numbers of the parameters as they are now, and what each is called."""
        theta = self.program._theta(None).tolist()
        if not theta:
            return ""
        lines: list[str] = []
        for start, end, name in runs(tensors(self.program)):
            numbers = [entry(number, self.dtype) for number in theta[start:end]]
            lines += [f"    /* {_plain(name)} */", wrapped(numbers) + ","]
        content = "\n".join(lines).rstrip(",")
        return f"const {self.real} {self.name}_parameters[{len(theta)}] = {{\n{content}\n}};"

    def _test(self) -> str:
        """Examples, what comes out of them, and a `main` that compares."""
        given = {name: self._examples(name) for name in ("x", "y") if self.sizes[name]}
        shaped = [data.reshape(EXAMPLES, *shape) for data, shape in zip(given.values(), self.program._shapes)]
        wanted = {"out": self.program.values(*shaped).reshape(EXAMPLES, -1)}
        if "_gradient" in self.kinds:
            wanted["gradient"] = self.program.gradients(*shaped)
        shown = given | {f"wanted_{name}": data for name, data in wanted.items()}
        tables = [self._table(name, data) for name, data in shown.items()]
        calls = []
        for suffix, results in self.kinds.items():
            arguments = [f"test_{name}[k]" if name in given else f"{self.name}_{name}" for name in self.inputs]
            calls.append(f"        {self.name}{suffix}({', '.join([*arguments, *results, 'work'])});")
            for name in results:
                off = f"off({name}[i], test_wanted_{name}[k][i])"
                calls.append(f"        for (int i = 0; i < {self.sizes[name]}; i++)")
                calls.append(f"            worst = {off} > worst ? {off} : worst;")
        room = {name: self.sizes[name] for name in wanted} | {"work": self.work}
        main = MAIN.format(
            real=self.real,
            f="f" if self.dtype == "float32" else "",
            name=self.name,
            count=EXAMPLES,
            room=", ".join([f"{name}[{size}]" for name, size in room.items()]),
            calls="\n".join(calls),
            tolerance=TOLERANCE[self.dtype],
        )
        return "\n".join([*tables, main])

    def _table(self, name: str, data: Floats) -> str:
        """A row for each example."""
        lines = []
        for row in data.tolist():
            numbers = wrapped([entry(number, self.dtype) for number in row], " " * 8)
            lines.append(f"    {{{numbers.strip()}}}" if "\n" not in numbers else f"    {{\n{numbers}\n    }}")
        shape = f"[{EXAMPLES}][{data.shape[1]}]"
        return f"static const {self.real} test_{name}{shape} = {{\n" + ",\n".join(lines) + "\n};\n"

    def _examples(self, name: str) -> Floats:
        """Numbers for some examples, or for their targets."""
        numbers = np.array(made_up(EXAMPLES * self.sizes[name], 0.754877666 if name == "x" else 0.569840291))
        return numbers.astype(self.dtype).astype(float).reshape(EXAMPLES, -1)


def _plain(text: str) -> str:
    """Fit for a comment."""
    return re.sub(r"[^ -~]", "?", text).replace("*/", "* /")
