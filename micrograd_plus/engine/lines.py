"""Which line of the user's code made a node? Kept on demand, by `source_lines`."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from itertools import islice
from types import CodeType
from weakref import ReferenceType, ref

from micrograd_plus.engine.anomalies import called, users_frame
from micrograd_plus.engine.recording import Block, _Region, keeping
from micrograd_plus.engine.value import Value


@dataclass(frozen=True, slots=True)
class Line:
    """A place in code: where a node was made.

    Attributes:
        file: the file, as Python calls it.
        number: the line, counted from 1.
        code: the code that ran.
        at: the instruction in it, counted in bytes.

    >>> with source_lines():
    ...     y = Value(2.0) * 3.0
    >>> line = line_of(y)
    >>> line.number, line.text
    (2, 'y = Value(2.0) * 3.0')
    >>> line.text[slice(*line.columns)]
    'Value(2.0) * 3.0'
    >>> line.place
    '<doctest ...>, line 2'
    """

    file: str
    number: int
    code: CodeType
    at: int

    @property
    def text(self) -> str:
        """The line itself, without its indentation; "" where its source is not to be had."""
        return linecache.getline(self.file, self.number).strip()

    @property
    def columns(self) -> tuple[int, int] | None:
        """Which letters of the text made the node, from the first up to the last; None where that is not known."""
        line = linecache.getline(self.file, self.number)
        found = next(islice(self.code.co_positions(), self.at // 2, None), (None, None, None, None))
        begins, ends, first, last = found
        if begins != self.number or ends != self.number or first is None or last is None:
            return None
        letters, indent = line.encode(), len(line) - len(line.lstrip())
        start, stop = [len(letters[:at].decode(errors="ignore")) - indent for at in (first, last)]
        return start, stop

    @property
    def place(self) -> str:
        """Where it stands: "model.py, line 3", or "In[3], line 1" for a notebook's cell."""
        return f"{called(self.file)}, line {self.number}"


_lines: dict[int, tuple[ReferenceType[Value], Line]] = {}  # by the id of a node, as long as it lives


def source_lines() -> _Region:
    """Keep, in this block, which line of your code makes each node: `backprop`'s page shows it, and lights it.

    It also decorates functions. In it each node costs some microseconds and bytes more; without it, nothing. A line is
    kept as long as its node lives.

    >>> import micrograd_plus as mp
    >>> a, b = mp.Value(2.0), mp.Value(-3.0)
    >>> with source_lines():
    ...     c = a * b
    >>> mp.backprop(c)[1].line
    '`c = a * b` (<doctest ...>, line 2)'
    """
    return _Region(lambda: Block(keeping, _keep))


def line_of(node: Value) -> Line | None:
    """Where a node was made; None where nobody kept that.

    >>> line_of(Value(2.0) * 3.0) is None
    True
    """
    kept, line = _lines.get(id(node), (None, None))
    return line if kept is not None and kept() is node else None


def _keep(node: Value) -> None:
    frame = users_frame()
    if frame is not None:
        file = frame.f_code.co_filename
        linecache.lazycache(file, frame.f_globals)  # what lies in an archive can tell its source
        key, line = id(node), Line(file, frame.f_lineno or 0, frame.f_code, frame.f_lasti)
        _lines[key] = ref(node, lambda _: _lines.pop(key, None)), line
