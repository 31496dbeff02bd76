"""What an operation does at a node of a graph, and which operations there are: the table that `ops/table.py` fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from micrograd_plus.engine.partials import Row

if TYPE_CHECKING:
    from micrograd_plus.engine.value import Value

Arg: TypeAlias = "Value | float"  # a constant argument is a plain float: its rule never runs


class Op(Row):
    """One operation: a row of the table, made by `primitive`, and how a gradient passes through a node that it made.

    >>> from micrograd_plus.engine import Value
    >>> Value(3.0).square().op is TABLE["square"]
    True
    """

    __slots__ = ()

    def slopes(self, out: float, args: tuple[Arg, ...]) -> list[tuple[Value, float]]:
        """The Values among the arguments that something passes to, and the partial derivative by each.

        Args:
            out: what the operation gave.
            args: a tuple of what it was applied to, a Value or a constant for each argument.

        Raises:
            TypeError: a partial gave no number.

        >>> from micrograd_plus.engine import Value
        >>> x, y = Value(2.0), Value(3.0)
        >>> TABLE["maximum"].slopes(3.0, (x, y)) == [(y, 1.0)]
        True
        """
        numbers = [arg if isinstance(arg, (float, int)) else arg._data for arg in args]
        found = []
        for place, arg in zip(range(len(self.partials)), args):  # a hand-made one without a rule has none
            if not isinstance(arg, (float, int)):
                slope, passes = self.slope(place, out, numbers)
                if passes:
                    found.append((arg, slope))
        return found

    def pull(self, node: Value) -> None:
        """Give each argument its contribution to the gradient, upstream · partial.

        Args:
            node: a node that this operation made; its gradient is passed on.

        Raises:
            TypeError: a partial gave no number.

        >>> from micrograd_plus.engine import Value
        >>> x = Value(3.0)
        >>> y = x.square()
        >>> y.grad = 10.0
        >>> y.op.pull(y)
        >>> x.grad
        60.0
        """
        arg = node._a
        if len(self.partials) == 1 and not isinstance(arg, (float, int)) and arg is not None:
            # the loop below without its lists, for what most networks have most of: a tenth of a pass in plain Python
            slope, passes = self.slope(0, node._data, (arg._data,))
            if passes:
                arg._grad += node._grad * slope
            return
        for arg, slope in self.slopes(node._data, node.args):
            arg._grad += node._grad * slope

    def tame(self, node: Value) -> bool:
        """Whether a gradient of 0 passes on nothing but zeros there, for every slope is finite.

        >>> from micrograd_plus.engine import Value
        >>> x = Value(0.0)
        >>> x.square().op.tame(x.square()), x.sqrt().op.tame(x.sqrt())
        (True, False)
        """
        return all(slope - slope == 0.0 for _, slope in self.slopes(node._data, node.args))

    def reaches(self, node: Value) -> list[Value]:
        """The arguments that something passes to there: all but those that a mask stops.

        >>> from micrograd_plus.engine import Value
        >>> x, y = Value(2.0), Value(3.0)
        >>> z = TABLE["maximum"].reaches(x.maximum(y))
        >>> z == [y]
        True
        """
        if not any(self.masks):  # all of them, whatever the partials are
            return [arg for arg in node.args if not isinstance(arg, (float, int))] if self.partials else []
        return [arg for arg, _ in self.slopes(node._data, node.args)]


TABLE: Final[dict[str, Op]] = {}
"""Every operation by name; `ops/table.py` fills it, and `primitive`."""


def operation(name: str) -> Op:
    """The operation of that name in the table, new and empty if there is none yet."""
    return TABLE.setdefault(name, Op(name))


# Python's operators need their operations here; the rows in ops/table.py say what these are.
ADD: Final[Op] = operation("add")
SUB: Final[Op] = operation("sub")
MUL: Final[Op] = operation("mul")
DIV: Final[Op] = operation("div")
MOD: Final[Op] = operation("mod")
POW: Final[Op] = operation("pow")
NEG: Final[Op] = operation("neg")
ABS: Final[Op] = operation("abs")
LESS: Final[Op] = operation("less")
LESS_EQUAL: Final[Op] = operation("less_equal")

UNKNOWN = "its derivative is known to backward() alone; make it with mp.primitive"


def refused(node: Value, why: str) -> TypeError:
    """The error for a node whose rule a learner wrote, where the rule of a row is needed."""
    label = f" labelled {node.label!r}" if node.label else ""
    name = node.op.name if node.op else ""
    return TypeError(
        f"{node!r}{label}: the rule of this {name!r} was set by hand (its _backward), and {why}, or detach() it"
    )
