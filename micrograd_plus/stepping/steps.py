"""One use of the chain rule, in numbers and in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from micrograd_plus._support.identities import Identities
from micrograd_plus._support.letters import printable
from micrograd_plus._support.texts import cut_inside
from micrograd_plus._support.unique import UniqueNames
from micrograd_plus.engine.operations import Op, refused
from micrograd_plus.engine.recording import block, enable_grad, watching
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import enclosed, short
from micrograd_plus.formulas.writing import formula

_LONG = 60  # a longer derivative is named, not written: sinc'(x)


class Names(Identities[Value, str]):
    """What each node is called, no two alike.

    It is a dictionary by nodes: each has its label or the name of the caller's variable, else L, x1, x2, …, v1, v2, …

    Attributes:
        root: the loss.
        told: the nodes whose names are the user's, a set.

    >>> from micrograd_plus.stepping import backprop
    >>> x = Value(3.0)
    >>> backprop(x * (x + 1.0)).names[x]
    'x'
    """

    def __init__(self, root: Value, nodes: Iterable[Value], known: Mapping[Value, str]) -> None:
        super().__init__()
        self.root = root
        unique = UniqueNames()
        everything = list(Identities.fromkeys([root, *nodes]))
        self.told = Identities.fromkeys(known)  # whose names are the user's
        for node in everything:
            if node in known:
                name = _tidy(known[node])
                self[node] = name if unique.take(name) else unique.numbered(f"{name}_")
        for node in everything:
            if node not in known:
                free = node is root and unique.take("L")
                self[node] = "L" if free else unique.numbered("L_" if node is root else "v" if node.op else "x")


def _tidy(name: str) -> str:
    """A name on one line, and not too long."""
    name = " ".join(name.split()) or "?"
    name = "".join([letter if letter.isprintable() or letter == "\u200d" else "?" for letter in name])
    return cut_inside(name, 40)


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One use of the chain rule: what a node passes on to one of its arguments.

    The first step has no node: it says that ∂L/∂L is 1. A step of a hook has none either: it says what the hook made of
    a gradient. `print(step)` writes it out.

    Attributes:
        node: whose rule it is, or None.
        argument: whose gradient grows.
        place: which of the node's arguments that is, counted from 0.
        upstream: the node's gradient, at this moment.
        local: ∂node/∂argument.
        contribution: upstream · local, or 0 where a mask stops it.
        before: the argument's gradient before the step.
        after: the argument's gradient after it.
        masked: whether nothing passes here, not even inf: the rule stops it, or nothing comes to the node.
        names: what each node is called.
        kind: "chain", "seed" for the first step, or "hook".

    >>> from micrograd_plus.stepping import backprop
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> step = backprop(a * (b + 1.0))[1]
    >>> print(step)
    ∂L/∂a += ∂L/∂L · ∂L/∂a = 1.0 · v1 = 1.0 · (-2.0) = -2.0 (a.grad: 0.0 → -2.0)
    >>> step.upstream, step.local, step.formula, step.factor
    (1.0, -2.0, 'v1', 'v1')
    >>> step.pieces()[:3]
    [('target', '∂L/∂a'), ('', ' += '), ('upstream', '∂L/∂L')]
    """

    node: Value | None
    argument: Value
    place: int
    upstream: float
    local: float
    contribution: float
    before: float
    after: float
    masked: bool
    names: Names = field(compare=False)
    kind: str = "chain"

    @property
    def formula(self) -> str:
        """The local derivative, from the row's partial and the names of the arguments; "" where it is a constant."""
        return "" if self.node is None else local_formula(self.node, self.place, self.names)

    @property
    def factor(self) -> str:
        """The formula as a factor, in parentheses where it needs them."""
        return grouped(self.formula) if self.formula else ""

    @property
    def text(self) -> str:
        """The step in one line, with all of its letters, also where standard output lacks them.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(3.0)
        >>> mp.backprop(x * x)[1].text
        '∂L/∂x += ∂L/∂L · ∂L/∂x = 1.0 · x = 1.0 · 3.0 = 3.0 (x.grad: 0.0 → 3.0)'
        """
        return "".join([text for _, text in self.pieces()])

    def __str__(self) -> str:
        return printable(self.text)

    __repr__ = __str__

    def pieces(self) -> list[tuple[str, str]]:
        """The text in pieces, pairs of what each is ("" for mere text, else "upstream", "local", …) and its words."""
        x = self.names[self.argument]
        root = self.names[self.names.root]
        goes = [("", f" ({x}.grad: "), ("before", short(self.before)), ("", " → "), ("after", short(self.after))]
        goes.append(("", ")"))
        if self.node is None:
            by = ", made so by a hook" if self.kind == "hook" else ""
            given = ("contribution", short(self.contribution))
            return [("target", f"∂{root}/∂{x}"), ("", " = "), given, ("", by), *goes]
        out = self.names[self.node]
        head = [("target", f"∂{root}/∂{x}"), ("", " += "), ("upstream", f"∂{root}/∂{out}"), ("", " · ")]
        head += [("local", f"∂{out}/∂{x}"), ("", " = ")]
        if factor := self.factor:
            head += [("upstream", short(self.upstream)), ("", " · "), ("local", factor), ("", " = ")]
        head += [("upstream", short(self.upstream)), ("", " · "), ("local", enclosed(self.local)), ("", " = ")]
        stopped = [("masked", ", masked")] if self.masked else []
        return [*head, ("contribution", short(self.contribution)), *stopped, *goes]


def grouped(text: str) -> str:
    """A formula as a factor: in parentheses, unless it is one name, number or call.

    >>> grouped("b"), grouped("2 * x"), grouped("cos(2 * x)")
    ('b', '(2 * x)', 'cos(2 * x)')
    """
    return text if re.fullmatch(r"[^\s()+*/-]+(\([^()]*\))?", text) else f"({text})"


def local_formula(node: Value, place: int, names: Mapping[Value, str]) -> str:
    """∂node/∂argument as text; "" where it is a constant, sinc'(x) where it is long."""
    op, args = rule(node), node.args
    with enable_grad(), block(watching, None):
        values = [each for each in (node, *args) if isinstance(each, Value)]
        marks = Identities((each, Value(each.data, label=names[each])) for each in values)
        at = [marks[arg] if isinstance(arg, Value) else arg for arg in args]
        slope = op.partials[place](marks[node], *at)  # type: ignore[misc]  # a Value's partial is never None
        text = str(formula(slope)) if isinstance(slope, Value) else ""
    if len(text) <= _LONG and "\n" not in text:
        return text
    written = [names[arg] if isinstance(arg, Value) else short(arg) for arg in args]
    return f"{op.name}{chr(39) if len(args) == 1 else f'_{place + 1}'}({', '.join(written)})"


def parts(node: Value) -> list[str | int]:
    """How a node is written: text, and in it the places of the arguments that are Values.

    >>> import micrograd_plus as mp
    >>> x = mp.Value(2.0)
    >>> parts(3.0 * x), parts(mp.clamp(x, 0.0))
    (['3.0 * ', 1], ['clamp(', 0, ', min=0.0)'])
    """
    op, args = node.op, node.args
    if op is None:
        return []
    written: list[str | int] = [i if isinstance(arg, Value) else enclosed(arg) for i, arg in enumerate(args)]
    count = len(args) - len(op.options)
    if op.symbol not in ("", op.name) and not op.options and count in (1, 2):
        pieces = [op.symbol, *written] if count == 1 else [written[0], f" {op.symbol} ", written[1]]
    else:
        commas: list[str | int] = [piece for each in written[:count] for piece in (", ", each)]
        given = zip(op.options.items(), args[count:])
        options = [f", {name}={short(float(x))}" for (name, usual), x in given if x != usual]
        pieces = [f"{op.name}(", *commas[1:], *options, ")"]
    joined: list[str | int] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def forward_text(node: Value, names: Mapping[Value, str]) -> str:
    """How a value came about: its formula, the same with numbers, and the result."""
    given = {i: arg for i, arg in enumerate(node.args) if isinstance(arg, Value)}
    in_words = "".join([names[given[x]] if isinstance(x, int) else x for x in parts(node)])
    in_numbers = "".join([enclosed(given[x].data) if isinstance(x, int) else x for x in parts(node)])
    return f"{names[node]} = {in_words} = {in_numbers} = {short(node.data)}"


def rule(node: Value) -> Op:
    """The row of a node that an operation made.

    Raises:
        TypeError: its rule was set by hand.
    """
    if node.op is None or node.op.forward is None:
        raise refused(node, "backprop can write only rules that stand in the table; make it with mp.primitive")
    return node.op
