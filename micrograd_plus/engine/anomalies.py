"""Stop at the first value or gradient that is no finite number, and say which line of the user's code made it."""

from __future__ import annotations

import linecache
import sys
from functools import cache
from math import isfinite
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import ReferenceType, ref

from micrograd_plus.engine.operations import Arg, Op
from micrograd_plus.engine.recording import Block, _Region, watching
from micrograd_plus.engine.value import Value

_PACKAGE = str(Path(__file__).parents[1])
LIBRARIES = sys.stdlib_module_names - {"__main__"} | {"numpy"}
INSTALLED = frozenset({"site-packages", "dist-packages"})  # folders with code that is not the user's


def detect_anomaly(*, unreached: bool = False) -> _Region:
    """Raise, in this block, at the first value or gradient that is inf or nan.

    Build the graph and call `backward` or `gradient` both inside; it also decorates functions. The error names the
    operation, what it was given with the labels, and the line that made the node. Without such a block nothing of this
    costs time; in it, each node costs some microseconds.

    A value is reported where it is made, also in a branch that `where` will not take, for nobody knows yet. A gradient
    is reported where it is passed back; in such a branch none is. A change in a direction, as `jvp`, `hvp` and forward
    Jacobians compute it, is reported where it comes to be.

    Args:
        unreached: report, on the way back, operations in branches that were not taken as well, whose own derivative is
            inf or nan: it plays no part, since no gradient comes there, but at other numbers the branch may be taken.

    Raises:
        FloatingPointError: an operation gave inf or nan, or passed it back as a gradient.

    >>> from micrograd_plus import where
    >>> x = Value(0.0, label="x")
    >>> with detect_anomaly():
    ...     y = x.sqrt()
    ...     y.backward()
    Traceback (most recent call last):
    FloatingPointError: backward: sqrt(x=0.0) passed the gradient inf to x=0.0, from its own 1.0; sqrt was made in ...
    >>> with detect_anomaly(unreached=True):
    ...     where(x > 0.0, x.sqrt(), 0.0).backward()
    Traceback (most recent call last):
    FloatingPointError: backward: sqrt(x=0.0) lies in a branch that was not taken; its derivative by x=0.0 is inf ...
    """
    return _Region(lambda: Block(watching, _Look(unreached)))


class _Look:
    """A watch over what is made and what is passed back."""

    def __init__(self, unreached: bool) -> None:
        self.asked = unreached
        self.lines: dict[int, tuple[ReferenceType[Value], str]] = {}  # by a node's id: it, and where it was made

    def made(self, node: Value, op: Op, args: tuple[Arg, ...]) -> None:
        line = users_line()
        self.lines[id(node)] = (ref(node), line)
        if not isfinite(node.data):
            raise FloatingPointError(f"{_call(op, args)} gave {node.data}, in {line}")

    def passed(self, node: Value, arg: Value, upstream: float, gradient: float) -> None:
        if isfinite(gradient) or node.op is None:
            return
        passed = f"{_call(node.op, node.args)} passed the gradient {gradient} to {_shown(arg)}"
        raise FloatingPointError(f"backward: {passed}, from its own {upstream}; {self._made(node)}")

    def moved(self, node: Value, change: float) -> None:
        if isfinite(change) or node.op is None:
            return
        raise FloatingPointError(
            f"forward: {_call(node.op, node.args)} changes by {change} in this direction; {self._made(node)}"
        )

    def unreached(self, node: Value) -> None:
        if not self.asked or node.op is None:
            return
        numbers = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
        for place, arg in enumerate(node.args):
            if isinstance(arg, Value):
                slope, _ = node.op.slope(place, node.data, numbers)
                if not isfinite(slope):
                    where = f"{_call(node.op, node.args)} lies in a branch that was not taken"
                    slopes = f"its derivative by {_shown(arg)} is {slope} there"
                    raise FloatingPointError(f"backward: {where}; {slopes}; {self._made(node)}")

    def _made(self, node: Value) -> str:
        made, line = self.lines.get(id(node), (None, ""))
        if made is None or made() is not node:  # another one lay there
            line = "a line outside of detect_anomaly, by a derivative, or by hand"
        return f"{node.op.name if node.op else 'it'} was made in {line}"


def _call(op: Op, args: tuple[Arg, ...]) -> str:
    return f"{op.name}({', '.join([_shown(arg) for arg in args])})"


def _shown(arg: Arg) -> str:
    if not isinstance(arg, Value):
        return str(arg)
    return f"{arg.label}={arg.data}" if arg.label else str(arg.data)


def users_frame(frame: FrameType | None = None) -> FrameType | None:
    """The innermost frame that runs outside of this package, of NumPy and of Python's own library.

    Args:
        frame: where to begin; None is the caller.
    """
    first = None
    frame = frame or sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            first = first or frame
            if str(frame.f_globals.get("__name__")).partition(".")[0] not in LIBRARIES:
                break
        frame = frame.f_back
    return frame or first


@cache
def is_users(module: str) -> bool:
    """Whether a module is neither Python's, nor this package's, nor that of an installed one.

    >>> is_users("json"), is_users("numpy"), is_users("micrograd_plus.nn"), is_users("__main__")
    (False, False, False, True)
    """
    if module.partition(".")[0] in LIBRARIES | {"micrograd_plus"}:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return not INSTALLED.intersection(Path(file).parts)


def users_line(frame: FrameType | None = None) -> str:
    """The line that `users_frame` is in, with its place."""
    frame = users_frame(frame or sys._getframe(1))
    if frame is None:
        return "a line that is not known"
    return quoted_line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)


def quoted_line(file: str, number: int, names: dict[str, Any]) -> str:
    """A line of a file, and where it stands; `names` are the globals that it sees."""
    source = linecache.getline(file, number, names).strip()
    place = f"{called(file)}, line {number}"
    return f"`{source}` ({place})" if source else place


def called(file: str) -> str:
    """What a file is called: its name; for a notebook's cell what stands beside it, such as In[3]."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    cell = shell.compile.format_code_name(file) if shell else None
    return str(cell[1]) if cell else Path(file).name
