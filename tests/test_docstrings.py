"""The docstrings of what is public: they tell what one needs, and what they tell is so.

Public are the functions and classes that `micrograd_plus` names, those that its public submodules define, of `engine`
those in ENGINE (the others serve the package's own modules), and the classes of what all these return; of a class, what
it defines without an underscore, and `__call__`. The functions of the table have their docstrings from their rows:
`test_package.py` looks at them.

All is read from the source, so that what is built natively is held to the same.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

import pytest

import micrograd_plus as mp
from micrograd_plus.ops.rows import FUNCTIONS

pytest.importorskip("hypothesis")  # which mp.strategies needs

PACKAGE = Path(mp.__file__).parent
ENGINE = ("Op", "enable_grad", "toposort")
DEPTH = 2  # calls into the package that are followed in search of errors

Definition = ast.FunctionDef | ast.ClassDef

# ---------------------------------------------------------------------------------------------------- what is public


@cache
def tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def scope(module: str) -> dict[str, tuple[str, str]]:
    """The names that a module defines or has from the package, each with where it comes from."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd_plus"):
            for alias in node.names:
                found[alias.asname or alias.name] = (str(node.module), alias.name)
    return found | {node.name: (module, node.name) for node in tree(module).body if isinstance(node, Definition)}


def find(module: str, name: str) -> tuple[str, Definition] | None:
    """The definition that a name in a module stands for, and its module; None for what is none of ours."""
    while name in scope(module):
        place = scope(module)[name]
        if place == (module, name):
            body = tree(module).body
            return module, next(node for node in body if isinstance(node, Definition) and node.name == name)
        module, name = place
    return None


@dataclass(frozen=True)
class Thing:
    """A public function, class, method or property."""

    module: str
    node: Definition
    owner: Thing | None = None
    returned: bool = False  # a class that is public since something returns it: nobody calls it

    @property
    def name(self) -> str:
        return f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"

    @cached_property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    @cached_property
    def prose(self) -> str:
        """All but the examples, which stand at the end."""
        return re.split(r"^>>> ", self.doc, maxsplit=1, flags=re.MULTILINE)[0]

    @cached_property
    def examples(self) -> str:
        """The code of those of its examples that are run."""
        parsed = doctest.DocTestParser().get_examples(self.doc)
        return "".join([example.source for example in parsed if doctest.SKIP not in example.options])

    def section(self, title: str) -> dict[str, str]:
        """The entries of a section, such as `Args:`, by name."""
        found = re.search(rf"^{title}:\n((?:(?:    .*)?\n)+)", self.doc + "\n", re.MULTILINE)
        entries = re.findall(r"^    (\S.*?): (.*(?:\n {8}.*)*)", found[1], re.MULTILINE) if found else []
        return {name: " ".join(text.split()) for name, text in entries}

    def part(self, name: str) -> Thing | None:
        """A method or a property, its own or inherited."""
        for node in self.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name and not is_variant(node):
                return Thing(self.module, node, self)
        bases = [find(self.module, base.id) for base in getattr(self.node, "bases", ()) if isinstance(base, ast.Name)]
        return next(filter(None, [Thing(*base).part(name) for base in bases if base]), None)

    @property
    def is_made(self) -> bool:
        """Whether it is a class that a function gives, and says so, so that users don't call it."""
        by = re.search(r"made by `(\w+)`", self.doc) if isinstance(self.node, ast.ClassDef) else None
        return self.returned or (by is not None and hasattr(mp, by[1]))

    @cached_property
    def function(self) -> ast.FunctionDef | None:
        """What is called: the function itself, or the class's own constructor where it is called by users."""
        if isinstance(self.node, ast.FunctionDef):
            return self.node
        own = [node for node in self.node.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
        return own[0] if own and not self.is_made else None

    @property
    def parameters(self) -> list[ast.arg]:
        if self.function is None:
            return []
        args = self.function.args
        every = [
            *args.posonlyargs,
            *args.args,
            *filter(None, [args.vararg]),
            *args.kwonlyargs,
            *filter(None, [args.kwarg]),
        ]
        return every[1:] if self.function is not self.node or self.owner else every

    @property
    def fields(self) -> list[str]:
        """Those of a dataclass or a named tuple, other attributes that a class declares, and those it is made with."""
        names = [name for name, _ in declared(self.node)]
        if isinstance(self.node, ast.ClassDef):
            made = [node for node in self.node.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
            stores = [node for each in made for node in ast.walk(each) if isinstance(node, ast.Attribute)]
            names += [
                node.attr
                for node in stores
                if ast.unparse(node).startswith("self.") and isinstance(node.ctx, ast.Store)
            ]
        return list(dict.fromkeys([name for name in names if name[0] != "_"]))

    def told(self, name: str) -> str:
        """What is said of a parameter or a field: its entry, or the sentences that name it."""
        for thing in filter(None, (self, self.owner)):
            for title in ("Args", "Attributes"):
                if name in (section := thing.section(title)):
                    return section[name]
            sentences = re.split(r"(?<=[.:])\s", thing.prose)
            sentences = [" ".join(sentence.split()) for sentence in sentences]
            if naming := [sentence for sentence in sentences if f"`{name}`" in sentence]:
                told = " ".join(naming)
                lent = [other.told(name) for other in lenders(told)]
                return " ".join([told, *lent]) if any(lent) or not lent else ""
        return ""


def lenders(text: str) -> list[Thing]:
    """Whose arguments or errors a text refers to, as in: argument `w` and errors are those of `newton_step`."""
    names = re.findall(r"those of `([\w.]+)`", text)
    return [thing for thing in public() if thing.name in names]


def is_variant(node: ast.FunctionDef) -> bool:
    """An overload or a setter: its first form is documented."""
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


def is_setter(node: ast.stmt, name: str) -> TypeGuard[ast.FunctionDef]:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return any(ast.unparse(decorator) == f"{name}.setter" for decorator in decorators)


def is_property(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).endswith("property") for decorator in node.decorator_list)


def declared(node: Definition) -> list[tuple[str, ast.expr]]:
    """The attributes that a class's body declares, with their types."""
    if isinstance(node, ast.FunctionDef):
        return []
    found = [
        (s.target.id, s.annotation)
        for s in node.body
        if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
    ]
    return [(name, annotation) for name, annotation in found if name[0] != "_"]


def parts(thing: Thing) -> Iterator[Thing]:
    for node in thing.node.body if isinstance(thing.node, ast.ClassDef) else ():
        if (
            isinstance(node, ast.FunctionDef)
            and (node.name[0] != "_" or node.name == "__call__")
            and not is_variant(node)
        ):
            yield Thing(thing.module, node, thing)


def results(thing: Thing) -> Iterator[Thing]:
    """The classes of what it returns, or holds."""
    functions = [thing, *parts(thing)]
    hints: list[ast.expr | None] = [each.node.returns for each in functions if isinstance(each.node, ast.FunctionDef)]
    if isinstance(thing.node, ast.ClassDef):
        hints += [*thing.node.bases, *[annotation for _, annotation in declared(thing.node)]]
    for name in [name for hint in hints if hint for name in ast.walk(hint) if isinstance(name, ast.Name)]:
        found = find(thing.module, name.id)
        if found and isinstance(found[1], ast.ClassDef) and found[1].name[0] != "_":
            yield Thing(*found, returned=True)


def roots() -> Iterator[object]:
    package = vars(mp)
    yield from [getattr(mp, name) for name in sorted({*package["__all__"], *package["_LATER"]} - {*FUNCTIONS})]
    for home in (mp.nn, mp.losses, mp.optim, mp.data, mp.strategies):
        mine = [thing for name, thing in vars(home).items() if name[0] != "_"]
        yield from [thing for thing in mine if str(getattr(thing, "__module__", "")).startswith(home.__name__)]
    yield from [getattr(mp.engine, name) for name in ENGINE]


@cache
def public() -> list[Thing]:
    found: dict[tuple[str, str], Thing] = {}
    for root in roots():
        if isinstance(root, ModuleType) or not (inspect.isclass(root) or inspect.isroutine(root)):
            continue
        definition = find(root.__module__, root.__name__)
        assert definition, f"{root} is defined nowhere"
        found.setdefault((definition[0], definition[1].name), Thing(*definition))
    waiting = list(found.values())
    while waiting:
        for result in results(waiting.pop()):
            if (key := (result.module, result.node.name)) not in found:
                found[key] = result
                waiting.append(result)
    return [thing for each in found.values() for thing in (each, *parts(each))]


# ------------------------------------------------------------------------------------------------------------ the laws


def first_sentence(thing: Thing) -> Iterator[str]:
    """The first paragraph is one sentence."""
    first = " ".join(thing.doc.partition("\n\n")[0].split())
    if not first.endswith(".") or len(first) < 12 or ">>>" in first:
        yield f"opens with {first!r}, which is no sentence"
    if re.search(r"[.!?][)\"”]? [A-Z]", first):
        yield f"opens with {first!r}; one sentence, then a blank line"


def types(thing: Thing) -> Iterator[str]:
    """Each parameter and each result has a type; where that is `Any`, words say what it may be; a property's own do."""
    for parameter in thing.parameters:
        if parameter.annotation is None:
            yield f"no type for {parameter.arg}"
        elif ast.unparse(parameter.annotation) == "Any" and not thing.told(parameter.arg):
            yield f"{parameter.arg} is Any, and no word on what it may be"
    if isinstance(thing.node, ast.FunctionDef):
        if thing.node.returns is None:
            yield "no type for what it returns"
        elif (
            ast.unparse(thing.node.returns) == "Any"
            and not is_property(thing.node)
            and not re.search(r"^Returns:\n    \S", thing.doc, re.MULTILINE)
        ):
            yield "it returns Any, and there is no section Returns"


def arguments(thing: Thing) -> Iterator[str]:
    """Each of several parameters is told of, as is each field; and no other."""
    names = [parameter.arg for parameter in thing.parameters]
    if len(names) > 1:
        yield from [f"no word on its argument {name}" for name in names if not thing.told(name)]
    yield from [f"no word on its field {name}" for name in thing.fields if not thing.told(name)]
    for name in thing.section("Args"):
        if name not in [*names, *thing.fields]:
            yield f"tells of an argument {name}, which it does not have"


NEVER = {
    ("Picture.svg", "ValueError"): "it asks for a format that there is",
    ("Step.formula", "TypeError"): "a step is only made of a node with a rule",
}


def errors(thing: Thing) -> Iterator[str]:
    """What its own body raises, and what it calls in this package, two calls deep, stands under Raises."""
    lent = re.findall(r"errors are those of `[\w.]+`", " ".join(thing.doc.split()))
    entries = [name for each in (thing, *lenders(" ".join(lent))) for name in each.section("Raises")]
    for name in thing.section("Raises"):
        if not kind(name, thing.module):
            yield f"Raises tells of {name!r}; expected the name of an error, one in each line"
    bodies = [thing.function] if thing.function else []
    if thing.owner:  # what may be written tells of both
        bodies += [node for node in thing.owner.node.body if is_setter(node, thing.node.name)]
    for name in sorted({name for body in bodies for name in raised(body, thing, DEPTH)}):
        if not {*lineage(name, thing.module)} & set(entries) and (thing.name, name) not in NEVER:
            yield f"{name} is raised, but not under Raises"


def example(thing: Thing) -> Iterator[str]:
    """An example shows it, and doctest finds that; a method may be shown with its class, or with what it overrides."""
    if not any(shows(place, thing) for place in (thing, thing.owner, *overridden(thing)) if place):
        yield "no example shows it"
    if thing.examples and not lacking(thing.module) and thing.path not in collected(thing.module):
        yield "doctest does not find its example"
    if re.search(r"^(Args|Returns|Raises|Attributes):", thing.doc.partition("\n>>> ")[2], re.MULTILINE):
        yield "its example is not the last thing it tells"


def overridden(thing: Thing) -> Iterator[Thing]:
    """The classes from which its class inherits a method of this name."""
    for base in thing.owner.node.bases if thing.owner and isinstance(thing.owner.node, ast.ClassDef) else ():
        found = find(thing.module, base.id) if isinstance(base, ast.Name) else None
        if found and (part := Thing(*found).part(thing.node.name)):
            yield from filter(None, (part, part.owner))


def shows(place: Thing, thing: Thing) -> bool:
    """Whether an example that runs uses the thing; of a class that a function gives, whether there is one."""
    code = ast.parse(place.examples)
    if thing.is_made:
        return bool(code.body)
    used = [*ast.walk(code)]
    if thing.node.name == "__call__":
        made = {node.id for node in used if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        called = [node.func for node in used if isinstance(node, ast.Call)]
        return any(isinstance(f, ast.Call) or (isinstance(f, ast.Name) and f.id in made) for f in called)
    names = [node.attr for node in used if isinstance(node, ast.Attribute)]
    names += [node.name for node in used if isinstance(node, Definition)]
    names += [node.id for node in used if isinstance(node, ast.Name) and not thing.owner]
    return thing.node.name in names


MANY = re.compile(r"\b(Sequence|Iterable|Iterator|list|tuple|dict|Mapping|ArrayLike|NDArray|Floats|Matrix)\b")
COUNTED = re.compile(
    r"\b(as many|how many|any number|one for each|for each|each|every|all|several|or these|pairs?|nested|vectors?"
    r"|by (its |their )?names?|in (that|their|its|the) order|lists? of|a list|tuples? of|arrays? of|rows?|first axis)\b"
    r"|\([nmk,\d]",
    re.IGNORECASE,
)


def shapes(thing: Thing) -> Iterator[str]:
    """Where there are several numbers, words say how many, or how they are nested."""
    for parameter in thing.parameters:
        if parameter.annotation and MANY.search(ast.unparse(parameter.annotation)):
            told = thing.told(parameter.arg) or thing.prose
            if not COUNTED.search(told):
                yield f"of what length or shape is {parameter.arg}?"
    for name, annotation in declared(thing.node):
        if MANY.search(ast.unparse(annotation)) and not COUNTED.search(thing.told(name)):
            yield f"of what length or shape is its field {name}?"
    returns = thing.node.returns if isinstance(thing.node, ast.FunctionDef) else None
    if returns and MANY.search(ast.unparse(returns).replace("Iterator[None]", "")) and not COUNTED.search(thing.prose):
        yield "of what length or shape is what it returns?"


UNITS = {"timeout": "seconds", "seconds": "seconds", "width": "pixels", "height": "pixels"}
UNITS |= {"step_size": "epochs", "T_max": "epochs", "total_iters": "epochs", "batch_size": "examples"}


def units(thing: Thing) -> Iterator[str]:
    """A number that counts something, or has a unit, says so."""
    for name, told in (thing.section("Args") | thing.section("Attributes")).items():
        if name in UNITS and UNITS[name] not in told:
            yield f"in what unit is {name}? expected {UNITS[name]}"


def rendering(thing: Thing) -> Iterator[str]:
    """The sections are such as the reference can be made from (griffe reads them, in Google's style)."""
    text = thing.prose
    for title in re.findall(r"^([A-Z]\w+):$", text, re.MULTILINE):
        if title not in ("Args", "Attributes", "Returns", "Raises"):
            yield f"a section {title}, which is none"
    for title, body in re.findall(r"^(Args|Attributes|Raises):\n((?:    .*\n?)+)", text, re.MULTILINE):
        for line in re.findall(r"^    (\S.*)", body, re.MULTILINE):
            if not re.match(r"\*{0,2}\w+: \S", line):
                yield f"{title}: {line!r}; expected one name, a colon, and what it is"
    for words in re.findall(r"\S*(?:\*\w|<\w)\S*", re.sub(r"`[^`]*`", "", text)):
        yield f"{words!r} stands outside of backticks, where it is Markdown"
    for line in re.findall(r"^Returns:\n    (.*)", text, re.MULTILINE):
        if ":" in line:
            yield f"Returns: {line!r}; what stands before a colon would be taken for a type"


LAWS: list[Callable[[Thing], Iterator[str]]] = [
    first_sentence, types, arguments, errors, example, shapes, units, rendering,
]  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_docstrings_tell(law: Callable[[Thing], Iterator[str]]) -> None:
    faults = [f"{thing.path}: {fault}" for thing in public() for fault in law(thing)]
    assert not faults, "\n" + "\n".join(faults)


# ------------------------------------------------------------------------------------------------------------- errors


def kind(name: str, module: str) -> type[BaseException] | None:
    """The error of that name, Python's or ours."""
    found = find(module, name)
    thing = getattr(import_module(found[0]), name) if found else getattr(builtins, name, None)
    return thing if isinstance(thing, type) and issubclass(thing, BaseException) else None


def lineage(name: str, module: str) -> Iterator[str]:
    """An error's name, and those of what it is a kind of, as far as they tell something."""
    error = kind(name, module)
    for ancestor in error.__mro__ if error else ():
        if ancestor is Exception:
            return
        yield ancestor.__name__


def raised(function: ast.FunctionDef, thing: Thing, depth: int) -> set[str]:
    """The errors that a function's body raises, or a function of the package that it calls."""
    return _raised(function.body, thing, depth) - {
        "AssertionError",  # which speaks to us
        "OverflowError",  # wherever a number is taken: Value tells of it
    }


def _raised(nodes: Iterable[ast.AST], thing: Thing, depth: int) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Try):
            caught = {name for handler in node.handlers for name in _caught(handler)}
            inside = _raised(node.body, thing, depth)
            found |= {name for name in inside if not caught & {"Exception", *lineage(name, thing.module)}}
            found |= _raised([*node.handlers, *node.orelse, *node.finalbody], thing, depth)
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            name = node.exc.func.id
            maker = find(thing.module, name)
            if maker and isinstance(maker[1], ast.FunctionDef):
                name = ast.unparse(maker[1].returns) if maker[1].returns else name
            found |= {name} if kind(name, thing.module) else set()
        elif depth and (called := _called(node, thing)) and called.function is not None:
            found |= {name for name in _raised(called.function.body, called, depth - 1) if kind(name, thing.module)}
        found |= _raised(ast.iter_child_nodes(node), thing, depth)
    return found


def _caught(handler: ast.ExceptHandler) -> list[str]:
    """What a handler keeps to itself."""
    if any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler)):
        return []
    return [name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)] if handler.type else ["Exception"]


def _called(node: ast.AST, thing: Thing) -> Thing | None:
    """The function, method or constructor of the package that is called here, or the property that is read."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "self":
            return (thing.owner or thing).part(node.attr)
        home = scope(thing.module).get(node.value.id)
        if home and home[0] == "micrograd_plus" and PACKAGE.joinpath(f"{home[1]}.py").exists():
            found = find(f"micrograd_plus.{home[1]}", node.attr)
            return Thing(*found) if found else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
        owner = thing if isinstance(thing.node, ast.ClassDef) else thing.owner
        bases = [find(thing.module, ast.unparse(base)) for base in getattr(owner and owner.node, "bases", ())]
        return Thing(*bases[0]) if bases and bases[0] else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != "Value":  # made of a float
        found = find(thing.module, node.func.id)
        return Thing(*found) if found else None
    return None


# ------------------------------------------------------------------------------------------------------------ examples


def lacking(module: str) -> set[str]:
    """The libraries that a module imports at once, and that are not installed: its examples can't run here."""
    names = {
        name.split(".")[0]
        for node in tree(module).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)])
    }
    return {name for name in names if find_spec(name) is None}


@cache
def collected(module: str) -> set[str]:
    """The names of the examples that doctest finds in a module."""
    return {
        test.name for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(module)) if test.examples
    }


DATA = {
    "nn.initialisers": ("INITIALISERS", "Initialiser"),
    "losses": ("LOSSES",),
    "optim.optimizers": ("OPTIMIZERS",),
    "engine.operations": ("TABLE",),
    "engine.value": ("NATIVE",),
}


@pytest.mark.parametrize("module", DATA)
def test_public_data_are_told_of(module: str) -> None:
    """A string stands below them, as what makes the reference reads it."""
    body = tree(f"micrograd_plus.{module}").body
    told = {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        for node, below in pairwise(body)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(below, ast.Expr)
    }
    assert set(DATA[module]) <= told


def test_every_file_opens_with_a_sentence() -> None:
    for path in PACKAGE.rglob("*.py"):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert doc.partition("\n\n")[0].endswith((".", ":", "?")), path


def test_the_examples_are_run() -> None:
    """pytest is told to run whatever doctest finds in the package."""
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    assert "micrograd_plus" in settings["ini_options"]["testpaths"]
    assert "--doctest-modules" in settings["ini_options"]["addopts"].split()


# --------------------------------------------------------------------------------------------------- the laws, tried

WANTING = '''
def halve(values: Any, names: list[str], timeout, /, **options: float) -> Any:
    """Halve the values. Or else

    Args:
        values, names: what is halved.
        other: nothing.
        timeout: how long it may take.

    Yields:
        Half.

    Returns:
        A half: of it, *values.

    Raises:
        TypeError, ValueError: they are not.

    >>> double(3.0)
    """
    whole("halve", "timeout", timeout)
    try:
        raise OSError("is seen to")
    except OSError:
        raise KeyError("is told to nobody")

class Half(list[float]):
    width: float
    parts: list[float]
    _own: int
'''

FAULTS = {
    "first_sentence": [
        "opens with 'Halve the values. Or else', which is no sentence",
        "opens with 'Halve the values. Or else'; one sentence, then a blank line",
        "opens with '', which is no sentence",
    ],
    "types": [
        "values is Any, and no word on what it may be",
        "no type for timeout",
    ],
    "arguments": [
        "no word on its argument values",
        "no word on its argument names",
        "no word on its argument options",
        "tells of an argument values, names, which it does not have",
        "tells of an argument other, which it does not have",
        "no word on its field width",
        "no word on its field parts",
    ],
    "errors": [
        "Raises tells of 'TypeError, ValueError'; expected the name of an error, one in each line",
        "KeyError is raised, but not under Raises",
        "TypeError is raised, but not under Raises",
        "ValueError is raised, but not under Raises",
    ],
    "example": [
        "no example shows it",
        "doctest does not find its example",
        "no example shows it",
    ],
    "shapes": [
        "of what length or shape is names?",
        "of what length or shape is its field parts?",
    ],
    "units": [
        "in what unit is timeout? expected seconds",
    ],
    "rendering": [
        "a section Yields, which is none",
        "Args: 'values, names: what is halved.'; expected one name, a colon, and what it is",
        "Raises: 'TypeError, ValueError: they are not.'; expected one name, a colon, and what it is",
        "'*values.' stands outside of backticks, where it is Markdown",
        "Returns: 'A half: of it, *values.'; what stands before a colon would be taken for a type",
    ],
}


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_the_laws_find_what_is_wanting(law: Callable[[Thing], Iterator[str]]) -> None:
    definitions = [node for node in ast.parse(WANTING).body if isinstance(node, Definition)]
    faults = [fault for node in definitions for fault in law(Thing("micrograd_plus._support.arguments", node))]
    assert faults == FAULTS[law.__name__]
