"""One use of the chain rule, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from micrograd_plus._support.letters import printable
from micrograd_plus.engine.lines import line_of
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.dust import is_dust
from micrograd_plus.formulas.numerals import DUST, enclosed, short
from micrograd_plus.stepping.naming import Names
from micrograd_plus.stepping.notation import grouped

_COLUMNS = ("upstream", "contribution", "before", "after")


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
        sizes: a tuple of the sizes of the terms that made upstream, contribution, before and after, by which dust, that
            is what rounding leaves, is told from what is small in earnest; () where they are not known.
        kind: "chain", "seed" for the first step ("again" where `backward()` has run already), or "hook".

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
    sizes: tuple[float, ...] = field(default=(), compare=False)

    @property
    def formula(self) -> str:
        """The local derivative, from the row's partial and the names of the arguments; "" where it is a constant."""
        return "" if self.node is None else self.names.derivative(self.node, self.place)

    @property
    def why(self) -> str:
        """The rule of the operation in words; "" in a step without a node, and for a primitive that has no such words.

        >>> from micrograd_plus.stepping import backprop
        >>> backprop(Value(2.0) * Value(-3.0))[1].why
        'a product hands each factor the other one, times what comes from above'
        """
        return self.node.op.rule if self.node is not None and self.node.op is not None else ""

    @property
    def line(self) -> str:
        """The line of code that made the node, and where it stands; "" where `mp.source_lines` did not keep it.

        >>> import micrograd_plus as mp
        >>> with mp.source_lines():
        ...     y = mp.Value(2.0) * -3.0
        >>> mp.backprop(y)[1].line
        '`y = mp.Value(2.0) * -3.0` (<doctest ...>, line 2)'
        """
        line = line_of(self.node) if self.node is not None else None
        return "" if line is None else f"`{line.text}` ({line.place})" if line.text else line.place

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
        dust = self.dust()
        upstream, given, before, after = [
            DUST if column in dust else short(getattr(self, column)) for column in _COLUMNS
        ]
        goes = [("", f" ({x}.grad: "), ("before", before), ("", " → "), ("after", after), ("", ")")]
        if left := [column for column in ("after", "contribution", "upstream") if column in dust]:
            goes.append(("", f", {DUST} is {short(getattr(self, left[0]))}, left by rounding"))
        if self.node is None:
            again = f", afresh: {root}.backward() has run already"
            by = {"hook": ", made so by a hook", "again": again}.get(self.kind, "")
            return [("target", f"∂{root}/∂{x}"), ("", " = "), ("contribution", given), ("", by), *goes]
        out = self.names[self.node]
        head = [("target", f"∂{root}/∂{x}"), ("", " += "), ("upstream", f"∂{root}/∂{out}"), ("", " · ")]
        head += [("local", f"∂{out}/∂{x}"), ("", " = ")]
        if factor := self.factor:
            head += [("upstream", upstream), ("", " · "), ("local", factor), ("", " = ")]
        head += [("upstream", upstream), ("", " · "), ("local", enclosed(self.local)), ("", " = ")]
        stopped = [("masked", ", masked")] if self.masked else []
        return [*head, ("contribution", given), *stopped, *goes]

    def dust(self) -> list[str]:
        """A list of those of upstream, contribution, before and after that are nothing but what rounding left.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(0.3, label="x")
        >>> steps = mp.backprop(0.1 * x + 0.2 * x - 0.3 * x)
        >>> 0.0 < abs(steps[-1].after) < 1e-16, steps[-1].dust()
        (True, ['after'])
        """
        sizes = getattr(self, "sizes", ())  # an older pickle has none
        return [column for column, size in zip(_COLUMNS, sizes) if is_dust(getattr(self, column), size)]

    def without_dust(self, column: str) -> float:
        """One of upstream, contribution, before and after; 0 where it is nothing but what rounding left.

        Args:
            column: which.

        >>> import micrograd_plus as mp
        >>> x = mp.Value(0.3, label="x")
        >>> mp.backprop(0.1 * x + 0.2 * x - 0.3 * x)[-1].without_dust("after")
        0.0
        """
        return 0.0 if column in self.dust() else float(getattr(self, column))
