"""What is a random expression? A short program, a list of steps, that makes a graph and whose text can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from micrograd_plus.engine.operations import Op
from micrograd_plus.engine.value import Value
from micrograd_plus.ops.rows import HOME

Function = Callable[..., Any]
INFIX = {"add", "sub", "mul", "div", "mod", "pow"}  # a < b is a bool in Python: it is no node


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an expression: a function, what it is applied to, and its options.

    Args:
        function: one of the table.
        args: for each of its arguments the index of an earlier node (the inputs come first), or a constant, a float.
        options: its plain numbers, all of them in their order, or none for the defaults.

    >>> import micrograd_plus as mp
    >>> print(Expression((0.5,), (Step(mp.mul, (0, 2.0)), Step(mp.leaky_relu, (1,), options=(0.2,)))))
    a = 0.5
    b = a * 2.0
    c = mp.leaky_relu(b, negative_slope=0.2)
    """

    function: Function
    args: tuple[int | float, ...]
    options: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Expression:
    """A program of a few inputs that makes a graph; its text is the program.

    Args:
        inputs: the numbers it was drawn with, at which every operation is inside its domain.
        steps: its operations, a tuple of them in their order; the last one's result is the result.

    >>> import micrograd_plus as mp
    >>> f = Expression((0.5, 2.0), (Step(mp.mul, (0, 1)), Step(mp.tanh, (2,)), Step(mp.add, (2, 3))))
    >>> print(f)
    a, b = 0.5, 2.0
    c = a * b
    d = mp.tanh(c)
    e = c + d
    >>> f(0.5, 2.0)
    1.76159...
    >>> f(mp.Value(0.5), 2.0)
    Value(data=1.76159..., grad=0.0)
    >>> f.names, sorted(f.functions)
    (['a', 'b', 'c', 'd', 'e'], ['add', 'mul', 'tanh'])
    >>> f.nodes(0.0, 2.0)
    [0.0, 2.0, 0.0, 0.0, 0.0]
    >>> leaves, result = f.build()
    >>> result.backward()
    >>> leaves[1].grad == 0.5 + 0.5 * (1.0 - mp.tanh(1.0) ** 2)
    True
    """

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> Any:
        """The result at other inputs, as many as it has.

        Returns:
            A float if all inputs are, else a Value.

        Raises:
            TypeError: there are more inputs, or fewer.
        """
        return self.nodes(*inputs)[-1]

    def nodes(self, *inputs: Any) -> list[Any]:
        """The inputs, then the result of each step, in a list.

        Raises:
            TypeError: there are more inputs, or fewer.
        """
        if len(inputs) != len(self.inputs):
            raise TypeError(f"an expression of {', '.join(self.names[: len(self.inputs)])} got {len(inputs)} inputs")
        nodes = list(inputs)
        for step in self.steps:
            nodes.append(step.function(*[nodes[x] if isinstance(x, int) else x for x in step.args], *step.options))
        return nodes

    def build(self) -> tuple[list[Value], Value]:
        """New leaves with the inputs it was drawn with, a list of them, and the result: a graph of its own."""
        leaves = [Value(x, label=name) for x, name in zip(self.inputs, self.names)]
        result: Value = self(*leaves)
        return leaves, result

    @property
    def names(self) -> list[str]:
        """The variables of the program, as many as it has nodes: those of the inputs, then those of the steps."""
        return [
            ascii_lowercase[i % 26] + (str(i // 26) if i >= 26 else "")
            for i in range(len(self.inputs) + len(self.steps))
        ]

    @property
    def functions(self) -> set[str]:
        """The names of the functions in it."""
        return {op_of(step.function).name for step in self.steps}

    def __len__(self) -> int:
        """How many nodes its graph has, leaves among them."""
        return len(self.inputs) + len(self.steps)

    def __repr__(self) -> str:
        names = self.names
        count = len(self.inputs)
        lines = [f"{', '.join(names[:count])} = {', '.join(map(repr, self.inputs))}"]
        lines += [f"{name} = {_written(step, names)}" for name, step in zip(names[count:], self.steps)]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's protocol, also Hypothesis's
        """The lines one under another, also inside a longer report."""
        for i, line in enumerate(repr(self).split("\n")):
            if i:
                printer.break_()
            printer.text(line)


def op_of(function: Function) -> Op:
    """The row of the table that a function stands for."""
    op: Op = function.op  # type: ignore[attr-defined]
    return op


def defaults(function: Function) -> tuple[float, ...]:
    """The options of a function, where none are given."""
    return tuple(op_of(function).options.values())


def _written(step: Step, names: Sequence[str]) -> str:
    """A step as Python, its arguments by their names."""
    op = op_of(step.function)
    args = [names[x] if isinstance(x, int) else repr(x) for x in step.args]
    ours = step.function.__module__ == HOME
    if ours and op.name == "neg":
        return f"-{args[0]}"
    if ours and op.name in INFIX:
        if isinstance(step.args[0], float) and step.args[0] < 0.0:  # -1.0 ** a is -(1.0 ** a)
            args[0] = f"({args[0]})"
        return f"{args[0]} {op.symbol} {args[1]}"
    if step.options != tuple(op.options.values()):
        args += [f"{name}={x!r}" for name, x in zip(op.options, step.options)]
    return f"{'mp.' if ours else ''}{op.name}({', '.join(args)})"
