"""One way through a function: what computes it for a whole batch, or number by number, whichever is faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus._support.texts import plural
from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.value import Value
from micrograd_plus.program.arrays import Array
from micrograd_plus.program.costs import UNKNOWN, faster_up_to, of_statements
from micrograd_plus.program.emitting import Source, emitted
from micrograd_plus.program.errors import CompileError
from micrograd_plus.program.explaining import described
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.fusing import groups
from micrograd_plus.program.kernels import Kernel, Unfit, kernel_of, run_by_kernels
from micrograd_plus.program.replay import Replay, costs_of
from micrograd_plus.program.reverse import gradient_of, total_of
from micrograd_plus.program.tensors import arrays_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

Choices = list[tuple[str, bool]]  # where each choice of Python's was made, and how
GROUPS = 300  # a graph that falls into more groups than this, and many for its size, is not written as arrays
CELLS = 4_000_000  # how many numbers an array may have before a batch is cut into parts: 32 MB
SINGLES = 1024  # how many examples float32 sums up by itself: 10⁶ times 0.1 would be 100958; the rest is float64's

writing = RLock()  # one thread at a time writes a function


class Path:
    """What was traced for some choices of Python's, and what runs it.

    Attributes:
        outcomes: how the choices went, in their order; examples that go this way are computed by this path.
        lines: where they are made.
        nodes: how many scalar nodes the graph has.
        found: what was found in it, for `explain`.
        size: how many parameters there are.
        chunk: how many examples are computed at a time.
        summed: how many of these are summed up in the program's own floats.
        irregular: whether there are no arrays, and it is gone through number by number.
        cost: what the arrays take.
        few: so many examples at most are faster number by number.
        backend: what it must be run by, "kernels" or "numpy"; None where the faster may be chosen.
        threads: how many run a kernel, or the interpreter.
        unfit: why no kernel runs it; "" where one does.
        older: whether it was pickled by a version without kernels, whose `gradient` does not sum the losses up.
    """

    older = False

    def __init__(
        self, listing: Listing, parameters: Sequence[Value], dtype: str, backend: str | None, threads: int
    ) -> None:
        self.outcomes = [guard.outcome for guard in listing.guards]
        self.lines = [guard.line for guard in listing.guards]
        self.nodes = listing.nodes
        self.size = len(parameters)
        self.dtype, self.backend, self.threads, self.unfit = dtype, backend, threads, ""
        found = groups(listing)
        self.arrays = self.replay = None
        self.sources: dict[str, Source] = {}
        self.kernels: dict[str, Kernel] = {}
        self.chunk = 1
        if len(found) <= max(GROUPS, listing.nodes // 50):
            self.arrays, self.root, self.guards = arrays_of(listing, found, parameters)
            widest = max([array.rows for array in self.arrays.made if array.batched], default=1)
            self.chunk = max(64, CELLS // widest)
        self.summed = self.chunk if dtype == "float64" else min(self.chunk, SINGLES)
        self._functions: dict[str, Any] = {}
        self._ones = np.empty((0, 1))
        self.cost, self.few, self.irregular = UNKNOWN, 0, self.arrays is None
        if self.arrays is not None:
            self._choose("gradient" if len(listing.roots) == 1 else "values")
        elif backend == "kernels":
            many = f"the graph falls into {len(found):,} groups, too many for arrays"
            raise CompileError(f"compile(backend='kernels'): {many}")
        if self.irregular:
            self.replay = Replay(listing, parameters)
        elif backend is None and (faster := faster_up_to(costs_of(listing)[0], self.cost)):
            self.replay, self.few = Replay(listing, parameters), faster
        self.found = described(listing, found, self.arrays)

    def _choose(self, needed: str) -> None:
        """Kernels where there can be some, else NumPy; a prediction, of several outputs, has no gradient."""
        if self.backend != "numpy":
            try:
                self.cost = self._kernel(needed).cost
            except Unfit as error:
                self.unfit = str(error)
        else:
            self.unfit = "backend='numpy' was asked for"
        if self.unfit and self.backend == "kernels":
            raise CompileError(f"compile(backend='kernels'): {self.unfit}")
        if self.unfit:
            self.cost = of_statements(self._source(needed).statements)

    @property
    def choices(self) -> Choices:
        """Where each choice was made, and how."""
        return list(zip(self.lines, self.outcomes))

    @property
    def way(self) -> str:
        """How its choices go, in words; "" where there are none."""
        return "; ".join([f"{line} is {outcome}" for line, outcome in zip(self.lines, self.outcomes)])

    def matches(self, theta: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """For each example whether it goes this way."""
        decided = self._outputs("guards", theta, x, y)
        return np.asarray(((decided != 0.0) == np.array(self.outcomes)[:, None]).all(axis=0))

    def values(self, theta: Floats, x: Floats, y: Floats) -> Floats:
        """The outputs: a row for each, a column for each example."""
        return self._outputs("values", theta, x, y)

    def gradient(self, theta: Floats, x: Floats, y: Floats, share: float) -> tuple[float, Floats]:
        """The sum of the losses; and of their gradients, times the share that each example has in the whole."""
        n = len(x)
        if self._replayed(n):
            assert self.replay is not None
            values, total = self.replay.gradients(theta, _joined(x, y), threads=self.threads)
            return float(values.sum()), (total * share).astype(self.dtype, copy=False)
        if n <= self.summed or not self.unfit:
            total, whole = self._run("gradient", theta, x, y, share)
            loss = self._sum(total, n)
        else:
            loss, whole = 0.0, np.zeros((self.size, 1))
            for i in range(0, n, self.summed):
                part = slice(i, i + self.summed)
                total, gradient = self._run("gradient", theta, x[part], y[part], share)
                loss += self._sum(total, len(x[part]))
                whole += gradient
            whole = whole.astype(self.dtype, copy=False)
        if not _all_finite(whole):  # else there is no 0 · inf in it, nor a sum of some examples' that came before · inf
            parts = self._parts("strong", theta, x, y, self.size)
            total = sum(part.sum(axis=1, keepdims=True, dtype=float) for part in parts)  # one part at a time
            whole = (total * share).astype(self.dtype, copy=False)
        return loss, whole

    def gradients(self, theta: Floats, x: Floats, y: Floats) -> Floats:
        """The gradient of each example's own loss: a row for each parameter, a column for each example."""
        if self._replayed(len(x)):
            assert self.replay is not None
            return self.replay.gradients(theta, _joined(x, y), each=True, threads=self.threads)[1]
        each = self._in_parts("gradients", theta, x, y, self.size)
        return each if _all_finite(each) else self._in_parts("strong", theta, x, y, self.size)

    def _sum(self, losses: Floats, n: int) -> float:
        """Their sum; there is but one number where the function summed them up."""
        return float(losses.sum()) * (n if self.older and losses.shape[1] == 1 else 1)

    def _outputs(self, name: str, theta: Floats, x: Floats, y: Floats) -> Floats:
        if self._replayed(len(x)):
            assert self.replay is not None
            return self.replay.outputs(name, theta, _joined(x, y), threads=self.threads)
        assert name != "guards" or self.outcomes
        return self._in_parts(name, theta, x, y, None)

    def _in_parts(self, name: str, theta: Floats, x: Floats, y: Floats, rows: int | None) -> Floats:
        """A function's first output for all examples, computed for so many at a time."""
        parts = list(self._parts(name, theta, x, y, rows))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _parts(self, name: str, theta: Floats, x: Floats, y: Floats, rows: int | None) -> Iterator[Floats]:
        n = len(x)
        chunk = self.chunk if rows is None else max(1, min(self.chunk, CELLS // max(rows, 1)))
        for i in range(0, n, chunk):
            part = slice(i, i + chunk)
            (out,) = self._run(name, theta, x[part], y[part], 1.0)
            yield np.broadcast_to(out, (len(out), len(x[part])))

    def _replayed(self, n: int) -> bool:
        """Whether going through the graph number by number is faster for so many examples."""
        return self.irregular or n <= self.few

    def _run(self, name: str, theta: Floats, x: Floats, y: Floats, share: float) -> tuple[Floats, ...]:
        function = self._functions.get(name)
        if function is None:
            function = locked(writing, self._written, name)
        out: tuple[Floats, ...]
        if isinstance(function, Kernel):
            out = function(theta, x, y, share, self.threads)
        else:
            out = function(theta, x, y, self._column(len(x)), len(x), share)
        return out

    def _written(self, name: str) -> Any:
        kernel = None if self.unfit else self._kernel_if_fit(name)
        self._functions[name] = function = self._source(name).function() if kernel is None else kernel
        return function

    def _kernel_if_fit(self, name: str) -> Kernel | None:
        """A kernel that runs here; what gates a gradient may need what the gradient itself does not."""
        try:
            kernel = self.kernels.get(name) if self.arrays is None else self._kernel(name)
        except Unfit:
            return None
        return kernel if kernel is not None and kernel.usable else None

    def _kernel(self, name: str) -> Kernel:
        if name not in self.kernels:
            self.kernels[name] = kernel_of(self._wanted(name), self.dtype)
        return self.kernels[name]

    def explained(self) -> str:
        """What was found, and what runs it."""
        unknown = self.replay.unknown if self.replay is not None else ""
        by = f"number by number, by {f'Python: {unknown}' if unknown else 'the interpreter'}"
        if self.irregular:
            return f"{self.found}\n  gone through {by}"
        arrays = f"run by NumPy: {self.unfit}" if self.unfit else run_by_kernels(next(iter(self.kernels.values())))
        if self.replay is None or not self.few:
            return f"{self.found}\n  {arrays}"
        one, other = [cost.seconds(1) * 1e6 for cost in (self.replay.costs[0], self.cost)]
        few = f"up to {plural(self.few, 'example')} {by}: some {one:,.0f} µs for one, not {other:,.0f}"
        return f"{self.found}\n  {arrays}; {few}"

    def _column(self, n: int) -> Floats:
        """So many ones, kept for the next call, which may come from another thread meanwhile."""
        ones = self._ones
        if len(ones) != n:
            self._ones = ones = np.ones((n, 1), dtype=self.dtype)
        return ones

    def _source(self, name: str) -> Source:
        """The text of a function, for NumPy."""
        if name not in self.sources:
            self.sources[name] = emitted(self._wanted(name), self.dtype)
        return self.sources[name]

    def _wanted(self, name: str) -> list[Array]:
        """What a function computes: `values`, `guards`, `gradient`, `gradients`; or `strong`, these with gates."""
        arrays = self.arrays
        assert arrays is not None
        if name == "values":
            return [self.root]
        if name == "guards":
            return [self.guards] if self.guards is not None else []
        if name == "gradient":
            return [total_of(arrays, self.root), gradient_of(arrays, self.root, self.size)]
        return [gradient_of(arrays, self.root, self.size, each=True, strong=name == "strong")]

    def __getstate__(self) -> dict[str, Any]:
        """What pickle takes: kernels, and the functions as text, for machines that have no kernels, or others."""
        if self.arrays is not None:
            for name in ("values", "guards", *(("gradient", "gradients", "strong") if self.root.rows == 1 else ())):
                self._source(name)
                if not self.unfit:
                    self._kernel_if_fit(name)
        return self.__dict__ | {"arrays": None, "root": None, "guards": None, "_functions": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "irregular" not in state:
            state = state | {"older": True, "irregular": state["statements"] == 0, "kernels": {}, "threads": 1}
            state |= {"backend": None, "unfit": "it was pickled by a version without kernels"}
        if "cost" not in state:
            state = state | {"cost": of_statements(state["statements"]), "few": 0}
        self.__dict__.update(state)
        if self.replay is not None and not self.irregular:
            self.few = faster_up_to(self.replay.costs, self.cost)


def _all_finite(numbers: Floats) -> bool:
    """Whether all are, and their sum is. BLAS would be as quick, but wakes its threads for 10,000 numbers."""
    return isfinite(np.add.reduce(numbers, axis=None))


def _joined(x: Floats, y: Floats) -> Floats:
    return np.concatenate([x, y], axis=1)
