"""Make a node inside an open block, such as `no_grad()`, a trace or `scope`, which has a say in what is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from micrograd_plus.engine.operations import Arg, Op
from micrograd_plus.engine.recording import keeping, opened, recording, scoping, tell, tracing, watching

if TYPE_CHECKING:
    from micrograd_plus.engine.value import Value

_TRACE: Final = tracing.get  # asked for each node: not to look for the method each time is worth a tenth of a trace
_WATCH: Final = watching.get
_RECORDS: Final = recording.get
_KEEP: Final = keeping.get
_SCOPE: Final = scoping.get


def uncollected(kind: Any) -> Any:
    """Natively, the garbage collector shall not look at what is of this class, a subclass of Value without slots.

    It looks at no node: a graph has no cycles. But Python makes it look at what is of any class written in Python, and
    a sixth of the time that a trace of 50,000 nodes takes went there. setup.py puts C in the place of this.
    """
    return kind


def noticed(kind: type[Value], op: Op, data: float, a: Arg, b: Arg | tuple[Arg, ...] | None) -> Any:
    """The node that `value.node` makes while blocks are open: of the trace's class; a leaf inside of `no_grad()`.

    Args:
        kind: Value itself.
        op: the operation that makes it.
        data: its number.
        a: the first argument.
        b: the second, or a tuple of all others; None where there are none.
    """
    args = (a,) if b is None else (a, *b) if isinstance(b, tuple) else (a, b)
    trace = _TRACE()
    if trace is None:
        for other in opened(tracing):
            other.elsewhere(args)
    out = kind.__new__(kind if trace is None else trace.kind)
    out._mark = 0
    out._data = data
    out._grad = 0.0
    out._note = _SCOPE()
    out.op = out._a = out._b = None
    if (watch := _WATCH()) is not None:
        watch.made(out, op, args)
    if _RECORDS():
        out.op = op
        out._a = a
        out._b = b
        if (keep := _KEEP()) is not None:
            keep(out)
    else:
        tell(out, "no_grad()")
    return out
