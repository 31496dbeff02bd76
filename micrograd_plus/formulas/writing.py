"""Write a computation graph as a formula to read: plain text, and LaTeX.

What is written is simplified for the eye alone: constants are gathered, signs moved to the front. No number of a Value
changes. What several places use gets a name, so that a formula never grows longer than its graph.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from reprlib import repr as short_repr

from micrograd_plus._support.arguments import whole
from micrograd_plus._support.identities import Identities
from micrograd_plus.calculus import gradient
from micrograd_plus.engine.operations import ADD, DIV, MUL, NEG, POW, SUB, TABLE, Op, refused
from micrograd_plus.engine.value import Value
from micrograd_plus.engine.walking import walk
from micrograd_plus.formulas.naming import callers_namespace
from micrograd_plus.formulas.naming import names as callers_names
from micrograd_plus.ops.vectors import added

_LINE, DEPTH = 1_000, 40  # no line holds more operations, nor more of them inside each other


@dataclass(frozen=True, slots=True, repr=False)
class Formula:
    r"""A formula: LaTeX in Jupyter, plain text in `str()` and at the prompt.

    Attributes:
        latex: the formula in LaTeX, without dollar signs.
        text: the same as plain text, on several lines where parts of it have names.
        operations: how many operations the graph holds.

    >>> import micrograd_plus as mp
    >>> x = mp.Value(2.0, label="x")
    >>> f = formula(mp.tanh(2 * x) + 1)
    >>> f
    tanh(2 * x) + 1
    >>> print(f.latex)
    \tanh\left(2 x\right) + 1
    """

    latex: str
    text: str
    operations: int

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


def formula(v: Value, wrt: Value | None = None, *, limit: int = 200) -> Formula:
    """The formula by which v was computed, or that of its derivative.

    A leaf is written as its label, or as the caller's variable that holds it; others are x_1, x_2, … in the order of
    their first use, and a label that several leaves bear is numbered. Parentheses stand only where they are needed.
    What is used more than once, unless it is as short as -x, is listed first under a name of its own, its label or t_1,
    t_2, …; so are the parts of a formula too long for one line.

    Args:
        v: a scalar, the root of a graph.
        wrt: write ∂v/∂wrt instead.
        limit: how many operations are written; of a formula with more, the first and the last lines.

    Returns:
        A `Formula`, which shows itself in Jupyter; `.latex` is its LaTeX, `str()` its text.

    Raises:
        TypeError: v or wrt is no Value, or a rule in the graph was set by hand.
        ValueError: limit is not positive.

    >>> import micrograd_plus as mp
    >>> w, x, b = mp.Value(0.5, label="w"), mp.Value(2.0, label="x"), mp.Value(-1.0, label="b")
    >>> print(formula(mp.tanh(w * x + b)))
    tanh(w * x + b)
    >>> print(formula(x**3, wrt=x))
    3 * x**2
    """
    limit = whole("formula", "limit", limit)
    graph = graph_of("formula", v, wrt)
    parts, shown = _lines(graph, limit)
    names = Names(graph.named, v)
    for node, _ in parts:
        names.part(node)
    kept = _keep([line.size for _, line in parts], limit - shown.size)
    gap = sum(line.size for i, (_, line) in enumerate(parts) if i not in kept)
    note = f"{gap:,} of {len(graph.order):,} operations not shown"
    text, latex = _Text(names), _Latex(names)
    rows, cells = [], []
    for i, (node, line) in enumerate(parts):
        if i in kept:
            rows.append(f"{text.name(node)} = {text.write(line)}")
            cells.append(f"{latex.name(node)} &= {latex.write(line)}")
        elif i - 1 in kept or i == 0:
            rows.append(f"… ({note})")
            cells.append(rf"&\vdots \quad \text{{({note})}}")
    rows.append(text.write(shown))
    final = latex.write(shown)
    if cells:
        final = r"\begin{aligned} " + r" \\ ".join([*cells, f"& {final}"]) + r" \end{aligned}"
    return Formula(final, "\n".join(rows), len(graph.order))


# ------------------------------------------------------------------------------------------------------------ the graph


@dataclass(frozen=True, slots=True)
class Graph:
    root: Value
    order: list[Value]  # what operations made, arguments before results
    leaves: list[Value]  # in the order of their first use
    named: list[Value]  # those of v first, so that they bear the same names in its formula and in its derivatives'
    constants: Identities[Value, None]  # leaves that stand for nothing but their number
    uses: Identities[Value, int]


def graph_of(function: str, v: Value, wrt: Value | None) -> Graph:
    """The graph of v, or that of its derivative."""
    for given in (v,) if wrt is None else (v, wrt):
        if not isinstance(given, Value):
            raise TypeError(f"{function}({short_repr(given)}): expected a Value, got {type(given).__name__}")
    order, root = _checked(function, v), v
    first = _leaves(v)
    known = Identities.fromkeys(first)
    if wrt is not None:
        slope = gradient(v, [wrt], create_graph=True)[0]
        root = slope if isinstance(slope, Value) else Value(slope)
        order = _checked(function, root)
    leaves = _leaves(root)
    constants = Identities.fromkeys([x for x in leaves if not x.label and (x not in known or x is root)])
    uses: Identities[Value, int] = Identities()
    for arg in [arg for node in order for arg in node.args if isinstance(arg, Value)]:
        uses[arg] = uses.get(arg, 0) + 1
    shown = [leaf for leaf in leaves if leaf not in constants]
    return Graph(root, order, shown, first + [leaf for leaf in shown if leaf not in known], constants, uses)


def _checked(function: str, root: Value) -> list[Value]:
    """The nodes under root that operations made, unless the rule of one is known to nobody but its maker."""
    order, _ = walk(root)
    for node in order:
        if node.op is None or node.op.forward is None:
            raise refused(node, f"{function} can write only what stands in the table; make it with mp.primitive")
    return order


def _leaves(root: Value) -> list[Value]:
    """The leaves under root as one meets them reading from left to right."""
    leaves: list[Value] = []
    seen: Identities[Value, None] = Identities()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend([arg for arg in reversed(node.args) if isinstance(arg, Value)])
            if node.op is None:
                leaves.append(node)
    return leaves


class Names(Identities[Value, str]):
    """A name for each leaf, and for each part that asks for one, no two of them alike."""

    def __init__(self, leaves: list[Value], root: Value) -> None:
        super().__init__()
        nameless = not all(leaf.label for leaf in leaves)
        known = callers_names([root], callers_namespace()) if nameless else {}
        called = Identities((leaf, leaf.label or known.get(leaf, "")) for leaf in leaves)
        often = Counter(called.values())
        self.taken = set(often)
        self.last = Counter[str]()
        for leaf, name in called.items():
            self[leaf] = name if name and often[name] == 1 else self.numbered(name or "x")

    def numbered(self, stem: str) -> str:
        """The stem with the next number that is free."""
        while True:
            self.last[stem] += 1
            if (name := f"{stem}_{self.last[stem]}") not in self.taken:
                self.taken.add(name)
                return name

    def part(self, node: Value) -> str:
        """The label of an interior node if it is free, else t_1, t_2, …"""
        free = node.label and node.label not in self.taken
        self[node] = node.label if free else self.numbered("t")
        self.taken.add(self[node])
        return self[node]


# -------------------------------------------------------------------------------------------------- what is to be shown


@dataclass(frozen=True, slots=True)
class _Shown:
    """factor · op(args) / divisor, or factor · name / divisor; or, with neither, the number factor / divisor."""

    factor: float = 1.0
    divisor: float = 1.0
    op: Op | None = None
    args: tuple[_Shown, ...] = ()  # two or more for sums and products
    options: tuple[tuple[str, float], ...] = ()
    name: Value | None = None
    inner: int = 0  # the operations of op(args)
    depth: int = 0

    @property
    def size(self) -> int:
        """How many operations are written."""
        return self.inner + (abs(self.factor) != 1.0 and not self.is_number) + (self.divisor != 1.0)

    @property
    def is_number(self) -> bool:
        return self.op is None and self.name is None

    @property
    def body(self) -> _Shown:
        """The same without factor and divisor."""
        return self if self.factor == self.divisor == 1.0 else replace(self, factor=1.0, divisor=1.0)

    def is_the(self, number: float) -> bool:
        return self.is_number and self.divisor == 1.0 and self.factor == number


_ONE = _Shown()


def _lines(graph: Graph, limit: int) -> tuple[list[tuple[Value, _Shown]], _Shown]:
    """The parts that get a name, each before those that use it, and the whole."""
    line = min(limit if len(graph.order) <= limit else max(limit // 5, 4), _LINE)
    parts: list[tuple[Value, _Shown]] = []
    shown = Identities((leaf, _Shown(name=leaf)) for leaf in graph.leaves)
    shown |= Identities((leaf, _Shown(leaf.data)) for leaf in graph.constants)

    def name(node: Value) -> None:
        parts.append((node, shown[node]))
        shown[node] = _Shown(name=node)

    for node in graph.order:
        args = [arg for arg in node.args if isinstance(arg, Value)]
        for arg in Identities.fromkeys(args):
            if shown[arg].depth >= DEPTH:
                name(arg)
        while sum(shown[arg].size for arg in args) >= line:
            largest = max(args, key=lambda arg: shown[arg].size)
            if not shown[largest].size:
                break
            name(largest)
        shown[node] = _simplified(node, [shown[x] if isinstance(x, Value) else _Shown(x) for x in node.args])
        if graph.uses.get(node, 0) > 1 and not _is_short(shown[node]):
            name(node)
    used = Identities.fromkeys(_named_in(shown[graph.root]))
    for node, part in reversed(parts):
        if node in used:
            used |= Identities.fromkeys(_named_in(part))
    return [(node, part) for node, part in parts if node in used], shown[graph.root]


def _is_short(shown: _Shown) -> bool:
    """Whether it is no longer than a name would be, such as -x, 2x, x²."""
    return shown.size <= 1 and sum(1 for _ in _named_in(shown)) <= 1


def _named_in(shown: _Shown) -> Iterator[Value]:
    stack = [shown]
    while stack:
        part = stack.pop()
        stack.extend(part.args)
        if part.name is not None:
            yield part.name


def _keep(sizes: list[int], budget: int) -> set[int]:
    """Which lines are written: all, or as many of the first and the last as the budget allows."""
    kept: set[int] = set()
    low, high = 0, len(sizes) - 1
    while low <= high:
        place = high if len(kept) % 2 == 0 else low
        budget -= sizes[place]
        if budget < 0:
            break
        kept.add(place)
        low, high = (low, high - 1) if place == high else (low + 1, high)
    return kept


def _simplified(node: Value, args: list[_Shown]) -> _Shown:
    """What a node shows, from what its arguments show."""
    op = node.op
    if op is None:
        raise AssertionError("only leaves have no operation")
    first, last = args[0], args[-1]
    if op is ADD or op is SUB:
        return _sum([*_terms(first), *(_terms(last) if op is ADD else [_scaled(last, -1.0)])])
    if op is NEG:
        return _scaled(first, -1.0)
    if op is MUL:
        return _product(first, last)
    if op is DIV or op is TABLE["reciprocal"]:
        return _quotient(first if op is DIV else _ONE, last)
    if op is POW or op is TABLE["square"]:
        exponent = last if op is POW else _Shown(2.0)
        if exponent.is_the(1.0):
            return first
        return _ONE if exponent.is_the(0.0) else _applied(POW, (first, exponent))
    if op.latex == "#1":
        return first
    count = len(op.partials) - len(op.options)
    options = tuple([(name, arg.factor) for name, arg in zip(op.options, args[count:])])
    return _applied(op, tuple(args[:count]), options)


def _applied(op: Op, args: tuple[_Shown, ...], options: tuple[tuple[str, float], ...] = ()) -> _Shown:
    own = len(args) - 1 if op is ADD or op is MUL else 1
    inner = own + sum([arg.size for arg in args])
    return _Shown(op=op, args=args, options=options, inner=inner, depth=1 + max([arg.depth for arg in args]))


def _scaled(shown: _Shown, factor: float = 1.0, divisor: float = 1.0) -> _Shown:
    """factor · shown / divisor, where the constants of both become one."""
    if factor == divisor == 1.0:
        return shown
    above, below = shown.factor * factor, shown.divisor * divisor
    if not (_plain(above) or factor == 1.0 or shown.factor == 1.0):  # two constants whose product is lost
        return _applied(MUL, (_Shown(factor), shown))
    if not _plain(below):
        return _applied(DIV, (_scaled(shown, factor), _Shown(divisor)))
    above, below = _reduced(above, below)
    return replace(shown, factor=above, divisor=below)


def _plain(number: float) -> bool:
    return math.isfinite(number) and number != 0.0


def _reduced(above: float, below: float) -> tuple[float, float]:
    """The fraction in lowest terms, as far as it is one of integers."""
    if below < 0.0:
        above, below = -above, -below
    if below == 1.0 or not math.isfinite(above):
        return above, below
    if above % below == 0.0 and abs(above) < 2**53 * below:
        return above / below, 1.0
    if above.is_integer() and below.is_integer():
        common = math.gcd(int(above), int(below))
        return above / common, below / common
    return above, below


def _terms(shown: _Shown) -> tuple[_Shown, ...]:
    return shown.args if shown.op is ADD and shown.factor == shown.divisor == 1.0 else (shown,)


def _factors(shown: _Shown) -> tuple[_Shown, ...]:
    return shown.args if shown.op is MUL else (shown,)


def _sum(terms: list[_Shown]) -> _Shown:
    """The sum, its constants gathered into one: where the first of them stood, or at the end if it is negative."""
    constants = [term.factor for term in terms if term.is_number and term.divisor == 1.0]
    total = added([0.0, *constants])
    if constants and math.isfinite(total):
        place = next(i for i, term in enumerate(terms) if term.is_number and term.divisor == 1.0)
        terms = [term for term in terms if not (term.is_number and term.divisor == 1.0)]
        if total or not terms:
            terms.insert(place if total >= 0.0 else len(terms), _Shown(total))
    return terms[0] if len(terms) == 1 else _applied(ADD, tuple(terms))


def _product(x: _Shown, y: _Shown) -> _Shown:
    if x.is_number or y.is_number:
        number, other = (x, y) if x.is_number else (y, x)
        return _scaled(other, number.factor, number.divisor)
    a, b = x.body, y.body
    if b.op is DIV and b.args[0].is_the(1.0):
        product = _applied(DIV, (a, b.args[1]))
    elif a.op is DIV and a.args[0].is_the(1.0):
        product = _applied(DIV, (b, a.args[1]))
    else:
        product = _applied(MUL, (*_factors(a), *_factors(b)))
    return _scaled(_scaled(product, x.factor, x.divisor), y.factor, y.divisor)


def _quotient(x: _Shown, y: _Shown) -> _Shown:
    if y.is_number:
        return _scaled(x, y.divisor, y.factor)
    if not _plain(y.factor):
        return _applied(DIV, (x, y))
    above = _ONE if x.is_number else x.body
    return _scaled(_scaled(_applied(DIV, (above, y.body)), x.factor, x.divisor), y.divisor, y.factor)


# -------------------------------------------------------------------------------------------------------- as plain text

_SUM, _TIMES, _SIGN, _POWER, _CALL, _ATOM = 1, 2, 3, 4, 9, 10  # how tightly it binds; a comparison has 0


class _Text:
    """Python's way: 4 * tanh(x)**2 / (y + 1)."""

    def __init__(self, names: Mapping[Value, str]) -> None:
        self.names = names

    def write(self, shown: _Shown, need: int = 0) -> str:
        """The formula, in parentheses where it binds less tightly than need; it recurses `DEPTH` deep at most."""
        text, precedence = self.scaled(shown)
        return text if precedence >= need else self.grouped(text)

    def scaled(self, shown: _Shown) -> tuple[str, int]:
        """A formula with its factor and divisor, and how tightly it binds."""
        body, denominator = (shown.args[0], _factors(shown.args[1])) if shown.op is DIV else (shown.body, ())
        above = () if body.is_number and (shown.is_number or body.is_the(1.0)) else _factors(body)
        below = denominator if shown.divisor == 1.0 else (_Shown(shown.divisor), *denominator)
        size = abs(shown.factor)
        if size != 1.0 or not above:
            above = (_Shown(size), *above)
        negative = math.copysign(1.0, shown.factor) < 0.0
        if below:
            return self.fraction(negative, above, below)
        if len(above) > 1:
            return self.signed(negative, self.product(above, negative), _TIMES)
        if negative:
            return self.signed(negative, self.write(above[0], _SIGN), _SIGN)
        return self.bare(above[0])

    def bare(self, shown: _Shown) -> tuple[str, int]:
        """A formula whose factor and divisor are 1, and a positive number."""
        if shown.name is not None:
            return self.name(shown.name), _ATOM
        if shown.op is None:
            return self.number(shown.factor)
        if shown.op is ADD:
            return self.sum(shown.args), _SUM
        return self.call(shown.op, shown)

    def sum(self, terms: tuple[_Shown, ...]) -> str:
        text = self.write(terms[0], _SUM)
        for term in terms[1:]:
            sign = " - " if math.copysign(1.0, term.factor) < 0.0 else " + "
            text += sign + self.write(replace(term, factor=abs(term.factor)), _TIMES)
        return text

    def product(self, factors: tuple[_Shown, ...], negative: bool = False) -> str:
        first, *others = factors
        lead = _SIGN if negative and first.op is not DIV else _TIMES  # -a % b would be (-a) % b
        return self.times([self.write(first, lead), *[self.write(factor, _SIGN) for factor in others]])

    def call(self, op: Op, shown: _Shown) -> tuple[str, int]:
        """An operation other than a sum, a product, a quotient."""
        args = shown.args
        if op is POW:
            return f"{self.write(args[0], _POWER + 1)}**{self.write(args[1], _SIGN)}", _POWER
        precedence = min(op.precedence, _CALL - 1)
        if op.symbol != op.name and len(args) == 2:
            left, right = self.write(args[0], max(precedence, _SUM)), self.write(args[1], precedence + 1)
            return f"{left} {op.symbol} {right}", precedence
        if op.symbol != op.name and len(args) == 1 and not op.symbol.isalnum():
            return f"{op.symbol}{self.write(args[0], max(precedence, _SIGN))}", precedence
        options = [f"{key}={self.write(_Shown(x))}" for key, x in shown.options if x != op.options[key]]
        return f"{op.name}({', '.join([*map(self.write, args), *options])})", _CALL

    # What LaTeX does otherwise.

    def grouped(self, text: str) -> str:
        return f"({text})"

    def name(self, node: Value) -> str:
        name = self.names[node]
        return name if re.fullmatch(r"[^\W\d][\w.']*(\[('[^'\n]*'|[\w., ]*)\][\w.]*)*", name) else repr(name)

    def number(self, number: float) -> tuple[str, int]:
        return repr(number).removesuffix(".0"), _ATOM

    def signed(self, negative: bool, text: str, precedence: int) -> tuple[str, int]:
        return f"-{text}" if negative else text, precedence

    def times(self, factors: list[str]) -> str:
        return " * ".join(factors)

    def fraction(self, negative: bool, above: tuple[_Shown, ...], below: tuple[_Shown, ...]) -> tuple[str, int]:
        numerator = self.product(above, negative)
        denominator = self.write(below[0], _SIGN) if len(below) == 1 else self.grouped(self.product(below))
        return self.signed(negative, f"{numerator} / {denominator}", _TIMES)


# ------------------------------------------------------------------------------------------------------------- as LaTeX


class _Latex(_Text):
    r"""The way of books, from the templates of the rows: \frac{4 \tanh\left(x\right)^{2}}{y + 1}."""

    def call(self, op: Op, shown: _Shown) -> tuple[str, int]:
        if op is TABLE["where"]:
            return self.cases(*shown.args), 0
        values = (*shown.args, *[_Shown(value) for _, value in shown.options])
        changed = [i for i, (name, value) in enumerate(shown.options, 1) if value != op.options[name]]
        last = len(shown.args) + max(changed, default=0)
        text = ""
        for piece in _pieces(op.latex, op.precedence):
            if isinstance(piece, str):
                text += piece
            elif piece.index >= last and text.endswith(", "):
                text = text.removesuffix(", ")  # an option that has its default
            else:
                written = self.write(values[piece.index], piece.need)
                if piece.unsigned and written.startswith("-"):
                    plus = text.endswith("+ ")  # 1 + (-x) is 1 - x
                    text, written = (text[:-2] + "- ", written[1:]) if plus else (text, self.grouped(written))
                text += written
        if op.precedence == 0:
            return rf"\left[{text}\right]", _ATOM  # Iverson's bracket: 1 where it holds, else 0
        return text, _SIGN if op.latex.startswith(r"\frac") else op.precedence

    def cases(self, condition: _Shown, x: _Shown, y: _Shown) -> str:
        test = self.write(condition)
        if condition.op is not None and condition.op.precedence == 0 and condition == condition.body:
            test = test.removeprefix(r"\left[").removesuffix(r"\right]")
        else:
            test = rf"{self.write(condition, _SUM)} \ne 0"
        first, second = self.write(x), self.write(y)
        return rf"\begin{{cases}} {first} & \text{{if }} {test} \\ {second} & \text{{otherwise}} \end{{cases}}"

    def product(self, factors: tuple[_Shown, ...], negative: bool = False) -> str:  # noqa: ARG002 - the text's matter
        return self.times([self.write(factor, _TIMES if factor.is_number else _SIGN) for factor in factors])

    def grouped(self, text: str) -> str:
        return rf"\left({text}\right)"

    def name(self, node: Value) -> str:
        return _latex_name(self.names[node])

    def number(self, number: float) -> tuple[str, int]:
        text, _, exponent = super().number(number)[0].partition("e")
        if not exponent:
            return {"inf": r"\infty", "nan": r"\mathrm{nan}"}.get(text, text), _ATOM
        power = f"10^{{{int(exponent)}}}"
        return (power, _POWER) if text == "1" else (rf"{text} \cdot {power}", _TIMES)

    def signed(self, negative: bool, text: str, precedence: int) -> tuple[str, int]:
        return (f"-{text}", _SUM) if negative else (text, precedence)

    def times(self, factors: list[str]) -> str:
        first, second, *_ = factors
        close = first[0].isdigit() and not second[0].isdigit() and not second.startswith(r"\frac")
        return (" " if close else r" \cdot ").join([first, r" \cdot ".join(factors[1:])])

    def fraction(self, negative: bool, above: tuple[_Shown, ...], below: tuple[_Shown, ...]) -> tuple[str, int]:
        top, bottom = [self.write(part[0]) if len(part) == 1 else self.product(part) for part in (above, below)]
        return self.signed(negative, rf"\frac{{{top}}}{{{bottom}}}", _SIGN)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an argument stands in a template."""

    index: int
    need: int  # how tightly it must bind
    unsigned: bool  # whether a minus before it asks for parentheses


@lru_cache
def _pieces(template: str, precedence: int) -> list[str | _Place]:
    """A template taken apart. An argument between delimiters needs no parentheses of its own."""
    pieces: list[str | _Place] = []
    end = 0
    for match in re.finditer(r"#(\d)", template):
        before, after = template[: match.start()].rstrip(), template[match.end() :].lstrip()
        opened = before.endswith(("{", "(", "[", "|", ",", "&", r"\lfloor", r"\lceil"))
        closed = after.startswith(("}", ")", "]", "|", ",", "&", r"\right"))
        binding = min(precedence, _CALL - 1)
        need = binding + 1 if before else max(binding, _SUM)
        if after.startswith("^") or (opened and after.startswith("}^")):
            need = _POWER + 1
        elif opened and closed:
            need = 0
        elif precedence == _CALL and (before.endswith("+") or after.startswith("+")):
            need = _SUM
        pieces += [template[end : match.start()], _Place(int(match[1]) - 1, need, bool(before and need and precedence))]
        end = match.end()
    return [*pieces, template[end:]]


_GREEK = {
    **dict(zip("αβγδεζηθ", ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"))),
    **dict(zip("ικλμνξπρ", ("iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho"))),
    **dict(zip("στυφχψω", ("sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"))),
    **dict(zip("ΓΔΘΛΞΠ", ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi"))),
    **dict(zip("ΣΥΦΨΩ", ("Sigma", "Upsilon", "Phi", "Psi", "Omega"))),
}
_MACROS = set(_GREEK.values())
_ESCAPES = str.maketrans(
    {"\\": r"\backslash ", " ": r"\ ", "^": r"\hat{\ }", "~": r"\sim ", **{c: f"\\{c}" for c in "_$%&#{}"}}
)


def _latex_name(label: str) -> str:
    r"""A label in LaTeX: w1 and w_1 get a subscript, theta is a Greek letter, a word stands upright."""
    match = re.fullmatch(r"([^\W\d_]+)((?:_?\d+|_[^\W\d_]+|\[\w+(?:, ?\w+)*\])*)('*)", label)
    if match is None:
        return _upright(label)
    stem, tail, primes = match.groups()
    indices = re.findall(r"\d+|[^\W\d_]+", tail)
    if len(_letter(stem)) > 1 and _letter(stem)[0] != "\\" and not all(index.isdigit() for index in indices):
        return _upright(label)  # learning_rate is one word
    below = ",".join([index if index.isdigit() else _word(index) for index in indices])
    name = _word(stem) + (f"_{{{below}}}" if below else "")
    return f"{{{name}{primes}}}" if primes else name


def _word(word: str) -> str:
    letter = _letter(word)
    return letter if len(letter) == 1 or letter[0] == "\\" else _upright(word)


def _letter(word: str) -> str:
    word = _GREEK.get(word, word)
    return f"\\{word}" if word in _MACROS else word


def _upright(word: str) -> str:
    return rf"\mathrm{{{word.translate(_ESCAPES)}}}"
