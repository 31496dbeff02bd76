"""Which lines of code made the nodes, for the page to show? Those that `mp.source_lines` kept, and their neighbours."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Any

from micrograd_plus.engine.anomalies import called
from micrograd_plus.engine.lines import line_of
from micrograd_plus.engine.value import Value

_AROUND = 2  # lines above and below one that made a node
_LONG = 200  # letters of a line


def sources(nodes: Sequence[Value]) -> dict[str, Any] | None:
    """The files, each with its name and the lines that are of interest; and for each node the file, line and letters.

    Args:
        nodes: those of a graph; the list that comes back has a place for each, None where nobody kept its line.

    Returns:
        None where nobody kept any.

    >>> import micrograd_plus as mp
    >>> with mp.source_lines():
    ...     y = mp.Value(2.0) * 3.0
    >>> found = sources([y])
    >>> found["made"], found["files"][0]["lines"][2]
    ([[0, 2, 4, 23]], '    y = mp.Value(2.0) * 3.0')
    """
    lines = [line_of(node) for node in nodes]
    if not any(lines):
        return None
    files: dict[str, dict[int, str]] = {}
    made: list[list[Any] | None] = []
    for line in lines:
        if line is None:
            made.append(None)
            continue
        files.setdefault(line.file, {}).update(_around(line.file, line.number))
        made.append([list(files).index(line.file), line.number, *(line.columns or (None, None))])
    return {"files": [{"name": called(file), "lines": texts} for file, texts in files.items()], "made": made}


def _around(file: str, number: int) -> dict[int, str]:
    """A line and its neighbours, as far as there are such, with their indentation."""
    numbers = range(max(1, number - _AROUND), number + _AROUND + 1)
    source = linecache.getlines(file)
    return {each: _shown(source[each - 1]) for each in numbers if each <= len(source)}


def _shown(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())].strip("\r\n").expandtabs()
    return (indent + line.strip())[:_LONG]
