"""How long it takes to run a program for so many examples, as measured: what chooses between the ways to run it.

Arrays cost what their instructions cost, for a single example as for a block or a whole batch; going through the
graph number by number costs what its numbers cost, for each example anew. So the latter is faster for few examples of
a graph in which little repeats. All of it is value and gradient; values alone take about two fifths by either.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from micrograd_plus.engine.operations import ADD, MUL, Op
from micrograd_plus.program import tape
from micrograd_plus.program.instructions import Instruction

# NumPy: an array statement, which costs the same for all the batches that are small enough to be asked about here
STATEMENT = 1e-6
# kernels: to get going; a row of a block, whatever is done with it; for each eight examples a row of a function that
# vectors compute, one that C's library computes number by number, and a product that is added to a sum
KERNEL, ROW, FUNCTION, LIBRARY, PRODUCT = 3.2e-6, 3.2e-9, 17e-9, 100e-9, 0.28e-9
# the interpreter: to get going; a step, one of a function that vectors compute, and one that C's library computes; for
# one example, and for eight side by side
INTERPRETER = 4e-6
ONE, EIGHT = (1, 1.1e-9, 10e-9, 10e-9), (8, 5.1e-9, 12e-9, 58e-9)
# Python: to get going, an example, a sum or a product in it, another operation
BY_PYTHON = (1e-5, 2.5e-6, 0.08e-6 if tape.NATIVE else 0.35e-6, 1e-6)
MOST = 1024  # so many examples are never few

GRAIN = 8  # examples, the fewest that kernels compute; see native/block.h
PRODUCTS = ("MATMUL", "MATMUL_INPUT", "OUTER_INPUT", "OUTER_SUM", "BACK_WHERE", "OUTER", "SEGSUM")
FUNCTIONS = (  # the rows of native/rows.h, and what takes as long
    *("exp", "expm1", "log", "log1p", "cosh", "sinh", "sech", "sin", "cos", "tanh", "sigmoid", "sigmoid_slope"),
    *("softplus", "logaddexp", "div", "reciprocal", "sqrt", "sech_square"),
    *("tanh_and_slope", "sigmoid_and_slope", "sin_and_slope"),
)
QUICK = (  # the steps of the interpreter that are no functions
    *("add", "sub", "mul", "div", "neg", "abs", "less", "less_equal", "equal", "where", "identity", "stop_gradient"),
    *("reciprocal", "square", "one_minus_square", "sqrt", "rsqrt", "sign", "floor", "ceil", "trunc", "round", "relu"),
    *("maximum", "minimum", "copysign", "radians", "degrees", "give", "take", "share", "gated"),
)


class Cost(NamedTuple):
    """What a way to run a program takes.

    Attributes:
        start: seconds to get going.
        lots: so many examples, and the seconds for each lot of them that is begun.
    """

    start: float
    lots: tuple[tuple[int, float], ...] = ()

    def seconds(self, examples: int) -> float:
        """How long so many examples take, about.

        >>> Cost(1.0, ((32, 0.5),)).seconds(33)
        2.0
        """
        return self.start + sum([-(-examples // size) * seconds for size, seconds in self.lots])


UNKNOWN = Cost(0.0)
"""Of a kernel that was pickled by a version which did not know; so nothing else is chosen."""


def of_statements(count: int) -> Cost:
    """What so many array statements of NumPy take."""
    return Cost(STATEMENT * count)


def of_instructions(
    inside: Iterable[Instruction], outside: Iterable[Instruction], library: Iterable[str], block: int, *, whole: bool
) -> Cost:
    """What a kernel takes.

    Args:
        inside: the instructions for each block of examples.
        outside: those before and after the blocks.
        library: the names of those that C's library computes.
        block: how many examples it has.
        whole: whether a block is always computed in full.
    """
    every = eight = 0.0
    weights = dict.fromkeys(FUNCTIONS, FUNCTION) | dict.fromkeys(library, LIBRARY)
    for it in inside:
        every += ROW * it.rows
        eight += weights.get(it.op, 0.0) * it.rows
        if it.op in PRODUCTS:
            columns = max(1, it.extra.get("LENGTH", 0) // block, it.extra.get("TIMES", 0))  # of an example
            eight += PRODUCT * it.rows * it.extra["INNER"] * columns
    start = KERNEL + ROW * sum([it.rows for it in outside])
    return Cost(start, ((block, every), (block if whole else GRAIN, eight * (block // GRAIN if whole else 1))))


def of_steps(steps: Counter[str]) -> tuple[Cost, Cost]:
    """What going through a graph by the interpreter takes: one example at a time, or eight side by side."""
    quick = sum([steps[name] for name in QUICK])
    functions = sum([steps[name] for name in FUNCTIONS if name not in QUICK])
    counts = (quick, functions, steps.total() - quick - functions)
    one, eight = [
        Cost(INTERPRETER, ((size, sum([count * seconds for count, seconds in zip(counts, each)])),))
        for size, *each in (ONE, EIGHT)
    ]
    return one, eight


def alone(steps: Counter[str]) -> int:
    """How many examples the interpreter goes through sooner one by one than side by side.

    >>> alone(Counter({"add": 1000})), alone(Counter({"sin": 1000}))
    (4, 1)
    """
    ((_, one),), ((size, eight),) = [cost.lots for cost in of_steps(steps)]
    return min(int(eight / one), size - 1) if one else 1


def by_python(ops: Counter[Op | None]) -> tuple[Cost, ...]:
    """What going through a graph of so many operations by Python takes, of which None stands for its leaves."""
    start, example, one, other = BY_PYTHON
    quick = ops[ADD] + ops[MUL]
    return (Cost(start, ((1, example + quick * one + (ops.total() - ops[None] - quick) * other),)),)


def faster_up_to(numbers: Sequence[Cost], arrays: Cost) -> int:
    """How many examples at most are computed sooner number by number than by arrays; 0 where none are.

    >>> faster_up_to([Cost(1.0, ((1, 2.0),))], Cost(6.0))
    2
    """

    def slower(examples: int) -> bool:
        return min([cost.seconds(examples) for cost in numbers]) >= arrays.seconds(examples)

    return bisect_left(range(1, MOST + 1), True, key=slower)
