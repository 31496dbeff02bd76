"""What cannot leave, and why: an operation of somebody's own that is written in Python alone."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from micrograd_plus.engine.operations import Op
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.errors import ExportError
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


def reason(op: Op, target: str) -> str:
    """Why a row cannot leave."""
    way_out = "mp.primitive(..., arrays=) takes the same as a formula in mp's functions, which leaves"
    return f"{op.name!r} cannot leave for {target}: its forward is a function in Python; {way_out}"
