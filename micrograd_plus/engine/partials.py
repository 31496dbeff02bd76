"""What is known of an operation: its value, its partial derivatives, how it is written; nothing here knows a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from reprlib import repr as short_repr
from typing import Any


class Row:
    """What one row of the table in `ops/table.py` holds.

    Attributes:
        name: what it is called.
        forward: its value, a function of one float for each argument, which gives a float.
        partials: for each argument the partial derivative, a function of `(out, *args)`; None for an option.
        masks: for each argument what stops the upstream gradient where it is 0, a function of `(out, *args)`, or None.
        flat: whether nothing at all flows back, as through `floor`.
        halts: for each argument whether nothing flows back to it; None where something does to all (see `flows_to`).
        arity: how many Values it takes: its arguments without the options.
        domain: for each argument the open interval in which it is defined.
        kinks: a function of the arguments that is 0 where the derivative jumps or the value has a pole, or None.
        options: the trailing arguments that are plain numbers, with their defaults, by name.
        symbol: how it is written in text: a sign, or its name.
        latex: how it is written in LaTeX, with #1 and #2 for the arguments.
        precedence: how tightly it binds when written: 1 sums, 2 products, 3 signs, 4 powers, 9 everything else.
        numpy: NumPy's name for it, or None.
        scipy: that of scipy.special, or None.
        arrays: its value for whole arrays, where NumPy has no name for it, or None.
        sympy: SymPy's name for it, or an expression in x, y, z; "" if that has the same name, or none.
        doc: one line that says what it is.
        rule: one sentence that says what it does with a gradient, "" where nobody wrote one.

    >>> from micrograd_plus.engine import TABLE
    >>> square = TABLE["square"]
    >>> out = square.forward(3.0)
    >>> out, square.partials[0](out, 3.0), square.arity
    (9.0, 6.0, 1)
    """

    __slots__ = (
        *("name", "forward", "partials", "masks", "flat", "halts", "domain", "kinks", "options"),
        *("symbol", "latex", "precedence", "numpy", "scipy", "arrays", "sympy", "doc", "rule"),
    )

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.forward: Callable[..., float] | None = None
        self.partials: tuple[Callable[..., Any] | None, ...] = ()
        self.masks: tuple[Callable[..., Any] | None, ...] = ()
        self.flat = False  # nothing at all flows back
        self.halts: tuple[bool, ...] | None = None  # to which arguments nothing flows back, where there are such
        self.domain: tuple[tuple[float, float], ...] = ()
        self.kinks: Callable[..., float] | None = None
        self.options: dict[str, float] = {}
        self.symbol = ""
        self.latex = ""
        self.precedence = 0
        self.numpy: str | None = None
        self.scipy: str | None = None
        self.arrays: Callable[..., Any] | None = None
        self.sympy = ""
        self.doc = ""
        self.rule = ""

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    @property
    def arity(self) -> int:
        """How many Values it takes: its arguments without the options, 3 for `where` and 1 for `clamp`."""
        return len(self.partials) - len(self.options)

    def flows_to(self, place: int) -> bool:
        """Whether anything can flow back to an argument: nothing does to one that the value jumps with, as a condition.

        Args:
            place: which argument, counted from 0.

        >>> from micrograd_plus.engine import TABLE
        >>> TABLE["where"].flows_to(0), TABLE["where"].flows_to(1)
        (False, True)
        """
        return self.halts is None or not self.halts[place]

    def gated_slope(self, place: int, compute: Callable[[Callable[..., Any]], Any]) -> tuple[Any, Any]:
        """The partial derivative by one argument, and its gate: nothing passes where that is 0.

        The rule that a mask's zero stops what comes from upstream stands here, for whoever computes with Values or
        arrays or writes another language, and in `slope` for numbers; everyone else asks one of these two.

        Args:
            place: which argument, counted from 0; not an option.
            compute: is called with the partial and, where the gate is another function, with that. Both are functions
                of `(out, *args)`.

        Returns:
            A pair of what `compute` gave for the two; the gate is None where nothing stops what comes.

        >>> from micrograd_plus.engine import TABLE
        >>> x = 2.0
        >>> TABLE["relu"].gated_slope(0, lambda rule: rule(x, x)), TABLE["exp"].gated_slope(0, lambda rule: rule(x, x))
        ((1.0, 1.0), (2.0, None))
        """
        partial, mask = self.partials[place], self.masks[place]
        assert partial is not None
        slope = compute(partial)
        return slope, None if mask is None else slope if mask is partial else compute(mask)

    def slope(self, place: int, out: float, numbers: Sequence[float]) -> tuple[float, bool]:
        """The partial derivative by one argument, and whether anything passes to it.

        Where a partial is a mask, a zero of the mask is a closed gate: nothing passes, not even an infinite gradient.
        This is `gated_slope` for numbers, written out: an eager backward pass is here for nearly every node.

        Args:
            place: which argument, counted from 0.
            out: what the operation gave.
            numbers: a list of what it was applied to, a number for each argument.

        Raises:
            TypeError: the partial gave no number.

        >>> from micrograd_plus.engine import TABLE
        >>> TABLE["mul"].slope(0, 6.0, [2.0, 3.0]), TABLE["maximum"].slope(0, 3.0, [2.0, 3.0])
        ((3.0, True), (0.0, False))
        """
        partial, mask = self.partials[place], self.masks[place]
        if partial is None:
            return 0.0, False
        found = partial(out, *numbers)
        slope: float = found if type(found) is float else self._floated(found)
        return slope, mask is None or bool(slope if mask is partial else mask(out, *numbers))

    def _floated(self, slope: Any) -> float:
        """What a partial gave as a float: NumPy's numbers, a Value that a user's function refers to."""
        if not hasattr(type(slope), "__float__"):
            raise TypeError(
                f"the partial of {self.name}({short_repr(slope)}): expected a real number, got {type(slope).__name__}"
            )
        return float(slope)
