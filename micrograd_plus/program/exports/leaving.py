"""What cannot leave, and why: an operation of somebody's own that is written in Python alone."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.program.arrays import Array, Operand
from micrograd_plus.program.errors import ExportError
from micrograd_plus.program.exports.formulas import formula_of
from micrograd_plus.program.exports.steps import Steps, gated, recorded
from micrograd_plus.program.lowering import reached

if TYPE_CHECKING:
    from micrograd_plus.program.programs import Program


def check(program: Program, target: str, outputs: Sequence[Array], known: Container[Op]) -> None:
    """Raise where an instruction cannot be written in the target.

    Args:
        program: for the message.
        target: what the language is called.
        outputs: the arrays that are to leave, lowered.
        known: the rows that the language has.

    Raises:
        ExportError: names the first operation that cannot leave.
    """
    for array in reached(outputs):
        if array.kind == "apply" and array.op not in known:
            raise ExportError(f"{program!r}: {reason(array.op, target)}")
        if array.kind == "partial":
            op, _, i = array.column
            way_out = "Python that can't be recorded; write it in mp's functions, with mp.where for a choice"
            what = f"the gradient of {op.name!r} by its argument {i + 1}"
            raise ExportError(f"{program!r}: {what} cannot leave for {target}: it is {way_out}")


def check_rows(program: Program, target: str, outputs: Sequence[Array], known: Container[str]) -> None:
    """Raise where a row cannot be applied in the target, or one that its derivatives are made of, of any order.

    Args:
        program, target: as above.
        outputs: the arrays that are to leave, not lowered.
        known: the names of the rows that it has; others have formulas.

    Raises:
        ExportError: names the first operation that cannot leave.
    """
    left = [_applied(array.op, array.args[array.op.arity :]) for array in reached(outputs) if array.kind == "apply"]
    seen: set[Op] = set()  # whatever the options: a derivative may be one of the next order
    while left:
        op, options = left.pop()
        if op in seen:
            continue
        seen.add(op)
        try:
            for steps in _needed(op, options, known):
                left += [_applied(inner, terms[inner.arity :]) for inner, terms in steps.made]
        except NotImplementedError:
            raise ExportError(f"{program!r}: {reason(op, target)}") from None
        except TypeError as error:
            what = f"{op.name!r} cannot leave for {target}: its formula or its gradient is {error}"
            raise ExportError(f"{program!r}: {what}; write it in mp's functions") from None


def _applied(op: Op, options: Sequence[Operand | int]) -> tuple[Op, tuple[float, ...]]:
    return op, tuple([float(option) for option in options if not isinstance(option, Array)])


def _needed(op: Op, options: tuple[float, ...], known: Container[str]) -> Iterator[Steps]:
    """The formulas that a row and its first derivatives need."""
    ours = TABLE.get(op.name) is op
    if not (ours and op.name in known):
        formula = formula_of(op)
        if formula is None:
            raise NotImplementedError
        yield recorded(formula, op.arity, options)
    for place in range(op.arity):
        if op.flows_to(place):
            yield from filter(None, gated(op, place, options))


def reason(op: Op, target: str) -> str:
    """Why a row cannot leave."""
    way_out = "mp.primitive(..., arrays=) takes the same as a formula in mp's functions, which leaves"
    return f"{op.name!r} cannot leave for {target}: its forward is a function in Python; {way_out}"
