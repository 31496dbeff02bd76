"""Run a program by kernels: code for a machine, built natively, that computes it block by block of its samples.

`assembling` writes the code, `native/kernels.c` is the machine. Where it is not built, or cannot compute something in a
program, `Unfit` says why, and NumPy runs the program as `emitting` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.engine.loading import digest, in_c
from micrograd_plus.engine.operations import TABLE, Op
from micrograd_plus.ops.rows import is_ours
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.assembling import Output, assembled
from micrograd_plus.program.costs import UNKNOWN, Cost, of_instructions
from micrograd_plus.program.instructions import Unfit, encoded
from micrograd_plus.program.lowering import lowered
from micrograd_plus.program.sharing import parts_of, share_work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

machine = in_c("program.machine")

PART = 128  # samples whose sums are added up by themselves, so that threads can share the work


def why_not() -> str:
    """Why no kernel can run here; "" where some can."""
    if machine is not None:
        return ""
    return "kernels are not built here: there was no C compiler, or MICROGRAD_PLUS_PURE is set"


def ops() -> dict[Op, str]:
    """The rows of the package's own table that the machine has, with its names for them.

    Somebody's primitive may bear the name of anything else that the machine does.
    """
    return {TABLE[name]: name for name in machine.OPS if is_ours(name)}


def run_by_kernels(kernel: Kernel) -> str:
    """What runs a kernel here."""
    if not kernel.usable:
        return f"run by NumPy: {why_not() or 'the kernels were written for another version of the machine'}"
    return f"run by kernels, {kernel.block} examples at a time, with {machine.MACHINES[MACHINE]} vectors"


class Kernel:
    """A function over arrays, as code for the machine; it can be pickled, and called from several threads at once.

    Attributes:
        block: how many examples are computed together.
        version: what the machine was built from that the code is for.
        cost: what it takes.
    """

    def __init__(
        self, code: tuple[Any, ...], outputs: list[Output], dtype: str, version: str, cost: Cost = UNKNOWN
    ) -> None:
        self._code, self._outputs, self._dtype, self.version = code, outputs, np.dtype(dtype), version
        self.cost = cost
        self._totals, self.block = code[4][3], code[4][5]
        self._loaded: Any = None

    @property
    def usable(self) -> bool:
        """Whether the machine that is here is the one the code was written for."""
        return machine is not None and self.version == digest("kernels")

    def __call__(self, theta: Floats, x: Floats, y: Floats, share: float, threads: int = 1) -> tuple[Floats, ...]:
        """The outputs, as arrays with a row for each number and a column for each example, or a single one.

        Args:
            theta: the parameters, contiguous.
            x, y: a row for each example.
            share: what each example's part in the whole is.
            threads: how many work; the answer is the same for each number of them.
        """
        n = len(x)
        if self._loaded is None:
            self._loaded = machine.load(*self._code)
        outs = [
            np.empty((out.rows, n if out.batched else 1), dtype=self._dtype) for out in self._outputs if out.total < 0
        ]
        given = (np.ascontiguousarray(theta), np.ascontiguousarray(x), np.ascontiguousarray(y), share, n)
        parts = parts_of(n, PART)
        if min(threads, parts) < 2:
            sums = np.empty((1, self._totals))
            machine.run(self._loaded, MACHINE, *given, tuple(outs), sums, parts, 0, parts, True)
        else:
            sums = self._shared(given, tuple(outs), parts, threads)
        left = iter(outs)
        return tuple([self._found(out, sums, left) for out in self._outputs])

    def _found(self, out: Output, sums: Floats, left: Any) -> Floats:
        if out.total < 0:
            made: Floats = next(left)
            return made
        whole = sums[0, out.total : out.total + out.rows, None]
        return whole if out.rows == 1 or self._dtype == sums.dtype else whole.astype(self._dtype)

    def _shared(self, given: tuple[Any, ...], outs: tuple[Floats, ...], parts: int, threads: int) -> Floats:
        """The sums over all parts, each computed by one of so many threads, and added up in their order."""
        each = np.empty((parts, self._totals))

        def work(first: int, end: int, stop: Event) -> None:  # noqa: ARG001 - done sooner than one could stop it
            machine.run(self._loaded, MACHINE, *given, outs, each[first:end], parts, first, end, False)

        share_work(work, parts, threads)
        sums = each[:1].copy()
        for part in each[1:]:
            sums[0] += part
        machine.run(self._loaded, MACHINE, *given, outs, sums, parts, 0, 0, True)
        return sums

    def __reduce__(self) -> tuple[Any, ...]:
        return Kernel, (self._code, self._outputs, str(self._dtype), self.version, self.cost)


MACHINE = len(machine.MACHINES) - 1 if machine is not None else 0  # the widest that this processor has


def kernel_of(outputs: Sequence[Array], dtype: str) -> Kernel:
    """A kernel that computes these arrays.

    Raises:
        Unfit: it cannot be: kernels are not built here, or the machine lacks something; the message says what.
    """
    if machine is None:
        raise Unfit(why_not())
    known = ops()
    made = assembled(lowered(outputs, known), known, np.dtype(dtype).itemsize)
    counts = np.cumsum([0, *map(len, made.sections)]).tolist()
    spaces = made.columns, made.registers, made.partials, made.totals
    if max(spaces) >= 2**31:
        raise Unfit("it is too large for the machine's addresses")
    code = encoded([it for section in made.sections for it in section], machine.OPS, machine.SPACES)
    constants = np.array(made.constants.numbers)
    indices = np.array(made.indices.numbers, dtype=np.int32)
    sizes = (*spaces, made.gradient, made.block, made.whole, made.cleared)
    whole = (code.tobytes(), indices.tobytes(), constants.tobytes(), tuple(counts), sizes)
    before, inside, folds, after = made.sections
    cost = of_instructions(inside, [*before, *folds, *after], machine.LIBRARY, made.block, whole=made.whole)
    return Kernel(whole, made.outputs, dtype, digest("kernels"), cost)


__all__ = ["Kernel", "Unfit", "kernel_of", "run_by_kernels", "why_not"]
