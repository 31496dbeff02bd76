"""Error messages that quote what was given and show the way out."""

from __future__ import annotations

from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error for a name that nobody knows, with the nearest one that somebody does.

    >>> print(unknown("function", "tahn", ["sin", "tan", "tanh"]))
    unknown function 'tahn'; did you mean 'tanh'?
    """
    from difflib import get_close_matches

    known = sorted(known)
    near = get_close_matches(str(name), known, n=5)
    near.sort(key=lambda other: sorted(other) != sorted(str(name)))  # two letters swapped is the likeliest slip
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return ValueError(f"unknown {kind} {name!r}; {hint}")
