"""One use of the chain rule, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from micrograd_plus._support.letters import printable
from micrograd_plus.engine.value import Value
from micrograd_plus.formulas.numerals import enclosed, short
from micrograd_plus.stepping.naming import Names
from micrograd_plus.stepping.notation import grouped


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
            again = f", afresh: {root}.backward() has run already"
            by = {"hook": ", made so by a hook", "again": again}.get(self.kind, "")
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
