"""Read an expression such as relu(w*x + b) as a graph of Values; it is never run as Python."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from math import inf, nan, pi
from reprlib import repr as short_repr
from typing import Any, NamedTuple, SupportsFloat
from unicodedata import combining, east_asian_width, normalize

from micrograd_plus._support.errors import nearest
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.engine.scalars import number
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.cards import usage
from micrograd_plus.ops.rows import FUNCTIONS

LONGEST = 10_000  # characters of an expression
WIDTH = 72  # characters of it that an error shows
EXPECTED = "expected names, numbers, + - * / % ** and functions such as relu(x)"
CONSTANTS = {"pi": pi, "π": pi, "inf": inf, "nan": nan}  # no e, which is a name like others: exp(1) is the number
BINARY: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
BINARY |= {ast.Mod: "mod", ast.Pow: "pow", ast.Lt: "less", ast.LtE: "less_equal", ast.Eq: "equal"}
TURNED: dict[type, str] = {ast.Gt: "less", ast.GtE: "less_equal"}  # x > y is y < x
SIGNS = (ast.USub, ast.UAdd)
HINTS = {"^": "write ** for powers", "²": "write **2", "³": "write **3", "√": "write sqrt(x)", "|": "write abs(x)"}
HINTS |= dict.fromkeys("·⋅×∙", "write *") | dict.fromkeys("÷∕", "write /") | dict.fromkeys("−–—", "write -")
HINTS |= {"≤": "write <=", "≥": "write >=", "∞": "write inf", "#": EXPECTED, "\\": EXPECTED}
HINTS |= {"//": "write floor(x / y)", "!=": "write 1 - (x == y)"}
_LEXEME = re.compile(
    r"(?P<number>(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?:\s*(?P<name>[^\W\d_²³][^\W²³]*))?"
    r"|[^\W²³]+|//|!=|\S"
)


class ExpressionError(ValueError):
    """An expression that cannot be read: its message holds the expression, the place marked below it, and why."""


class Parsed(NamedTuple):
    """A graph, and its leaves by name in the order in which the expression names them."""

    root: Value
    leaves: dict[str, Value]


def parse(text: str, values: Mapping[str, SupportsFloat]) -> Parsed:
    """The graph of an expression: names, numbers, + - * / % **, comparisons and the functions of the table.

    Each name becomes one leaf that bears it as its label, also where it is used twice. Numbers are floats, and what is
    made of numbers alone is one too. `pi`, `inf` and `nan` are numbers unless they are given values. The text is read
    by Python's parser, which runs nothing, and only what is listed here is made into a graph.

    Args:
        text: the expression, of at most 10,000 characters.
        values: a number for each name in it, and for no other.

    Returns:
        `Parsed`: the root, a leaf where the expression is a single name or number; and the leaves by name.

    Raises:
        TypeError: text is no string, or a value no number.
        ExpressionError: something else stands in the text; the message marks the place.
        ValueError: names without a value, or values whose name the expression lacks.

    >>> root, leaves = parse("relu(w*x + b)", {"w": 2, "x": -3, "b": 10})
    >>> root
    Value(data=4.0, grad=0.0)
    >>> root.backward()
    >>> leaves["w"]
    Value(data=2.0, grad=-3.0, label='w')
    >>> parse("relu(w*x + b.__class__)", {"w": 2, "x": -3})
    Traceback (most recent call last):
    micrograd_plus.cli.expressions.ExpressionError: cannot read the expression
      relu(w*x + b.__class__)
                 ^^^^^^^^^^^ expected names, numbers, + - * / % ** and functions such as relu(x)
    """
    if not isinstance(text, str):
        raise TypeError(f"parse({short_repr(text)}): expected an expression as a string, got {type(text).__name__}")
    if len(text) > LONGEST:
        raise ValueError(f"the expression has {len(text):,} characters; expected at most {LONGEST:,}")
    text = re.sub(r"\s", " ", text).strip()
    if not text:
        raise ValueError("the expression is empty; expected one such as relu(w*x + b)")
    numbers = {normalize("NFKC", name): number(value, f"{name} =") for name, value in values.items()}
    return _Reader(text, numbers).graph()


class _Reader:
    """One expression on its way to a graph."""

    def __init__(self, text: str, numbers: dict[str, float]) -> None:
        self.text = text
        self.numbers = numbers
        self.constants = {name: value for name, value in CONSTANTS.items() if name not in numbers}

    def graph(self) -> Parsed:
        self._look()
        order = self._order(self._tree())
        names = dict.fromkeys([node.id for node in order if isinstance(node, ast.Name)])
        wanted = [name for name in names if name not in self.constants]
        _match(wanted, self.numbers)
        leaves = {name: Value(self.numbers[name], label=name) for name in wanted}
        made: dict[ast.expr, Value | float] = {}
        for node in reversed(order):  # what it is made of comes first
            made[node] = self._made(node, made, leaves)
        root = made[order[0]]
        return Parsed(root if isinstance(root, Value) else Value(root), leaves)

    def _look(self) -> None:
        """Refuse what Python would read otherwise than it was meant, or not read at all."""
        for lexeme in _LEXEME.finditer(self.text):
            found, number, name = lexeme[0], lexeme["number"] or "", lexeme["name"]
            why = HINTS.get(found, "" if found.isprintable() else EXPECTED)
            if name and not iskeyword(name):
                why = f"write {number}*{name}" if len(found) < WIDTH // 2 else "write * between the factors"
            if len(number) > 1_000:  # Python refuses it too, but does not say where
                why = "expected a number of at most 1,000 digits"
            if why:
                raise self._error(lexeme.start(), lexeme.end(), why)

    def _tree(self) -> ast.expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            start = error.offset - 1 if error.offset else len(self.text)
            end = error.end_offset - 1 if error.end_offset else start
            why = re.match(r"'.' was never closed|unmatched '.'|too many nested parentheses", error.msg)
            if why:
                raise self._error(start, end, why[0]) from None
            for word in re.finditer(r"\w+", self.text):
                if iskeyword(word[0]):
                    raise self._error(*word.span(), f"{word[0]} is a word of Python, which cannot be a name") from None
            raise self._error(start, end, EXPECTED) from None
        except (RecursionError, MemoryError):
            raise self._error(0, 1, "the operations in it are nested too deeply") from None

    def _order(self, tree: ast.expr) -> list[ast.expr]:
        """Every part of the expression as one reads it; a function before its arguments."""
        order, stack = [], [tree]
        while stack:
            node = stack.pop()
            order.append(node)
            stack.extend(reversed(self._operands(node)))
        return order

    def _operands(self, node: ast.expr) -> list[ast.expr]:
        """What an operation is applied to; an error where it is none that may stand here."""
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                return []
            case ast.Name(id=name):
                if name in FUNCTIONS and name not in self.numbers:
                    raise self._error_at(node, f"{name} is a function; expected its arguments, as in {usage(name)}")
                return []
            case ast.UnaryOp(op=sign, operand=operand) if isinstance(sign, SIGNS):
                return [operand]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return [left, right]
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in BINARY or type(op) in TURNED:
                return [left, right]
            case ast.Compare(ops=[_, _, *_]):
                raise self._error_at(node, "expected a single comparison, as in x < y")
            case ast.Call():
                return self._arguments(node)
            case _:
                raise self._error_at(node, EXPECTED)

    def _arguments(self, call: ast.Call) -> list[ast.expr]:
        """The arguments of a function and its options."""
        function, keywords = call.func, call.keywords
        if not isinstance(function, ast.Name):
            bare = isinstance(function, ast.Constant | ast.BinOp | ast.UnaryOp | ast.Call)
            raise self._error_at(function, "write * between the factors" if bare else EXPECTED)
        name = function.id
        if name not in FUNCTIONS:
            is_number = name in self.numbers or name in self.constants
            raise self._error_at(function, f"{name} is a number; write {name}*(...)" if is_number else _unknown(name))
        unpacked = [arg for arg in call.args if isinstance(arg, ast.Starred)]
        for part in (*unpacked, *[keyword.value for keyword in keywords if keyword.arg is None]):
            raise self._error_at(part, EXPECTED)
        options, given = TABLE[name].options, len(call.args)
        count = len(TABLE[name].partials) - len(options)
        named = [str(keyword.arg) for keyword in keywords]
        taken = [*list(options)[: max(given - count, 0)], *named]
        if not count <= given <= count + len(options) or len(set(taken)) < len(taken) or not set(taken) <= set(options):
            raise self._error_at(call, f"expected {usage(name)}")
        return [*call.args, *[keyword.value for keyword in keywords]]

    def _made(self, node: ast.expr, made: dict[ast.expr, Value | float], leaves: dict[str, Value]) -> Value | float:
        """The Value of a part of the expression, or the float of one without names."""
        match node:
            case ast.Constant(value=value):
                return _float(value)
            case ast.Name(id=name):
                return leaves[name] if name in leaves else self.constants[name]
            case ast.UnaryOp(op=sign, operand=operand):
                return _applied("neg", made[operand]) if isinstance(sign, ast.USub) else made[operand]
            case ast.BinOp(left=left, op=op, right=right):
                return _applied(BINARY[type(op)], made[left], made[right])
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                if type(op) in TURNED:
                    return _applied(TURNED[type(op)], made[right], made[left])
                return _applied(BINARY[type(op)], made[left], made[right])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                count = len(TABLE[name].partials) - len(TABLE[name].options)
                for option in (*args[count:], *[keyword.value for keyword in keywords]):
                    if isinstance(made[option], Value):
                        raise self._error_at(option, "an option is a plain number, it gets no gradient")
                options = {str(keyword.arg): made[keyword.value] for keyword in keywords}
                return _applied(name, *[made[arg] for arg in args], **options)
        raise AssertionError("only what _operands lets pass comes here")

    def _error_at(self, node: ast.expr, why: str) -> ExpressionError:
        source = self.text.encode()  # Python counts bytes here
        start, end = [len(source[:place].decode()) for place in (node.col_offset, node.end_col_offset)]
        return self._error(start, end, why)

    def _error(self, start: int, end: int, why: str) -> ExpressionError:
        """The error that shows the place, and as much around it as fits a line."""
        start = min(start, len(self.text))
        end = max(min(end, len(self.text)), start + 1)
        first = max(0, min(start - WIDTH // 2, len(self.text) - WIDTH)) if len(self.text) > WIDTH else 0
        last = min(first + WIDTH, len(self.text))
        before, place, after = self.text[first:start], self.text[start : min(end, last)], self.text[end:last]
        before = "…" + before[1:] if first else before
        if last < len(self.text):
            after, place = (after[:-1] + "…", place) if after else (after, place[:-1] + "…")
        carets = " " * _columns(before) + "^" * max(_columns(place), 1)
        gap = " " if len(carets) + len(why) < 3 * WIDTH // 2 else "\n  "
        line = "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in before + place + after])
        return ExpressionError(f"cannot read the expression\n  {line}\n  {carets}{gap}{why}")


def _applied(name: str, *args: Value | float, **options: Value | float) -> Value | float:
    result: Any = FUNCTIONS[name](*args, **options)
    return result  # type: ignore[no-any-return]


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of 400 digits
        return inf


def _match(wanted: list[str], numbers: Mapping[str, float]) -> None:
    """Raise unless the names of the expression and those that have numbers are the same."""
    missing = [name for name in wanted if name not in numbers]
    spare = [name for name in numbers if name not in wanted]
    if missing:
        have = [name for name in wanted if name in numbers]
        said = f"{_listed(have)} {'has' if len(have) == 1 else 'have'} one; " if have else ""
        for name in spare:
            if near := nearest(name, missing):
                said = f"there is one for {name!r}, did you mean {near!r}? Or "
        example = ",".join([f"{name}={2 + i}" for i, name in enumerate(missing[:5])])
        euler = " (Euler's number is exp(1))" if "e" in missing else ""
        them = "it" if len(missing) == 1 else "them"
        raise ValueError(f"no value for {_listed(missing)}; {said}give {them} one: --at {example}{euler}")
    if spare:
        close = nearest(spare[0], wanted)
        has = f"its names are {_listed(wanted)}" if wanted else "it has no names"
        hint = f"did you mean {close!r}?" if close else has
        raise ValueError(f"a value for {spare[0]!r}, which is not in the expression; {hint}")


def _listed(names: Iterable[str]) -> str:
    """a, b and c."""
    *others, last = names
    if len(others) > 20:
        return f"{', '.join(others[:20])} and {len(others) - 19} more"
    return f"{', '.join(others)} and {last}" if others else last


def _unknown(name: str) -> str:
    """What to say of a function that is not in the table; many know it by NumPy's name."""
    by_other_name = {TABLE[known].numpy: known for known in FUNCTIONS} | {"ln": "log"}
    near = by_other_name.get(name) or nearest(name, FUNCTIONS)
    known = f"did you mean {near!r}?" if near else "the command micrograd-plus ops lists them"
    return f"unknown function {short_repr(name)}; {known}"


def _columns(text: str) -> int:
    """How wide a terminal writes it."""
    return sum([0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text])
