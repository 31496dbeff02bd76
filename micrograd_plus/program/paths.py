"""One way through a function: the arrays that compute it for a whole batch, or the tape, whichever is faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_plus.engine.locking import locked
from micrograd_plus.engine.value import Value
from micrograd_plus.program.emitting import Source, emitted
from micrograd_plus.program.explaining import described
from micrograd_plus.program.flat_graphs import Listing
from micrograd_plus.program.fusing import groups
from micrograd_plus.program.replay import Replay
from micrograd_plus.program.reverse import gradient_of
from micrograd_plus.program.tensors import arrays_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

GROUPS = 300  # a graph that falls into more groups than this, and many for its size, is not written as arrays
LARGE = 15  # a graph with so many nodes an array statement never goes faster over the tape
CELLS = 4_000_000  # how many numbers an array may have before a batch is cut into parts: 32 MB
SINGLES = 1024  # how many examples float32 sums up by itself: 10⁶ times 0.1 would be 100958; the rest is float64's
STATEMENT = 1.0e-6  # seconds an array statement takes, as measured; see SECONDS in replay.py, too
# as measured, with the gradient and without: seconds it takes to get a tape going; what part of the time above and of
# that of an array statement is needed
BOTH, FORWARD = (1.0e-5, 1.0, 1.0), (3.5e-6, 0.25, 0.4)

_lock = RLock()  # one thread at a time writes a function


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
        statements: how many array statements compute a batch; 0 where there are none.
    """

    def __init__(self, listing: Listing, parameters: Sequence[Value], dtype: str) -> None:
        self.outcomes = [guard.outcome for guard in listing.guards]
        self.lines = [guard.line for guard in listing.guards]
        self.nodes = listing.nodes
        self.size = len(parameters)
        self.dtype = dtype
        found = groups(listing)
        self.arrays = self.replay = None
        self.sources: dict[str, Source] = {}
        self.chunk = 1
        if len(found) <= max(GROUPS, listing.nodes // 50):
            self.arrays, self.root, self.guards = arrays_of(listing, found, parameters)
            widest = max([array.rows for array in self.arrays.made if array.batched], default=1)
            self.chunk = max(64, CELLS // widest)
        self.summed = self.chunk if dtype == "float64" else min(self.chunk, SINGLES)
        self.found = described(listing, found, self.arrays)
        self._functions: dict[str, Any] = {}
        self._ones = np.empty((0, 1))
        # a prediction, of several outputs, has no gradient to be written
        needed = "gradient" if len(listing.roots) == 1 else "values"
        self.statements = 0 if self.arrays is None else max(1, self._source(needed).statements)
        if self.arrays is None or listing.nodes < LARGE * self.statements:
            self.replay = Replay(listing, parameters)

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
        if self._on_tape(n):
            assert self.replay is not None
            values, total = self.replay.gradients(theta, _joined(x, y))
            return float(values.sum()), (total * share).astype(self.dtype, copy=False)
        if n <= self.summed:
            root, whole = self._run("gradient", theta, x, y, share)
            loss = self._sum(root, n)
        else:
            loss, whole = 0.0, np.zeros((self.size, 1))
            for i in range(0, n, self.summed):
                part = slice(i, i + self.summed)
                root, gradient = self._run("gradient", theta, x[part], y[part], share)
                loss += self._sum(root, len(x[part]))
                whole += gradient
            whole = whole.astype(self.dtype, copy=False)
        if not _all_finite(whole):  # else there is no 0 · inf in it, nor a sum of some examples' that came before · inf
            parts = self._parts("strong", theta, x, y, self.size)
            total = sum(part.sum(axis=1, keepdims=True, dtype=float) for part in parts)  # one part at a time
            whole = (total * share).astype(self.dtype, copy=False)
        return loss, whole

    def gradients(self, theta: Floats, x: Floats, y: Floats) -> Floats:
        """The gradient of each example's own loss: a row for each parameter, a column for each example."""
        if self._on_tape(len(x)):
            assert self.replay is not None
            return self.replay.gradients(theta, _joined(x, y), each=True)[1]
        each = self._in_parts("gradients", theta, x, y, self.size)
        return each if _all_finite(each) else self._in_parts("strong", theta, x, y, self.size)

    def _sum(self, root: Floats, n: int) -> float:
        if root.shape[1] == 1:
            return float(root[0, 0]) * n
        return float(root.dot(self._column(n))[0, 0])

    def _outputs(self, name: str, theta: Floats, x: Floats, y: Floats) -> Floats:
        if self._on_tape(len(x), FORWARD):
            assert self.replay is not None
            wanted = self.replay.roots if name == "values" else self.replay.guards
            return self.replay.values(theta, _joined(x, y), wanted)
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

    def _on_tape(self, n: int, needed: tuple[float, float, float] = BOTH) -> bool:
        """Whether going through the graph number by number is faster for so many examples."""
        if self.statements == 0:
            return True
        start, tape, arrays = needed
        return self.replay is not None and start + tape * n * self.replay.seconds < arrays * STATEMENT * self.statements

    def _run(self, name: str, theta: Floats, x: Floats, y: Floats, share: float) -> tuple[Floats, ...]:
        function = self._functions.get(name)
        if function is None:
            function = locked(_lock, self._written, name)
        n = len(x)
        out: tuple[Floats, ...] = function(theta, x, y, self._column(n), n, share)
        return out

    def _written(self, name: str) -> Any:
        self._functions[name] = function = self._source(name).function()
        return function

    def _column(self, n: int) -> Floats:
        """So many ones, kept for the next call, which may come from another thread meanwhile."""
        ones = self._ones
        if len(ones) != n:
            self._ones = ones = np.ones((n, 1), dtype=self.dtype)
        return ones

    def _source(self, name: str) -> Source:
        """The text of a function: `values`, `guards`, `gradient`, `gradients`; or `strong`, these with gates."""
        if name not in self.sources:
            assert self.arrays is not None
            if name == "values":
                wanted = [self.root]
            elif name == "guards":
                wanted = [self.guards] if self.guards is not None else []
            elif name == "gradient":
                wanted = [self.root, gradient_of(self.arrays, self.root, self.size)]
            else:
                strong = name == "strong"
                wanted = [gradient_of(self.arrays, self.root, self.size, each=True, strong=strong)]
            self.sources[name] = emitted(wanted, self.dtype)
        return self.sources[name]

    def __getstate__(self) -> dict[str, Any]:
        """What pickle takes: the functions as text."""
        if self.arrays is not None:
            for name in ("values", "guards", *(("gradient", "gradients", "strong") if self.root.rows == 1 else ())):
                self._source(name)
        return self.__dict__ | {"arrays": None, "root": None, "guards": None, "_functions": {}}


def _all_finite(numbers: Floats) -> bool:
    """Whether all are, and not even their squares overflow: the quickest question of all."""
    flat = numbers.ravel()
    return isfinite(flat.dot(flat))


def _joined(x: Floats, y: Floats) -> Floats:
    return np.concatenate([x, y], axis=1)
