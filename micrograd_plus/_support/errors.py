"""Error messages that quote what was given and show the way out."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; two letters swapped is the likeliest slip.

    >>> nearest("tahn", ["sin", "tan", "tanh"])
    'tanh'
    """
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), sorted(known), n=5)
    near.sort(key=lambda other: sorted(other) != sorted(name.lower()))
    return near[0] if near else None


def unknown(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error for a name that nobody knows, with the nearest one that somebody does.

    >>> print(unknown("function", "tahn", ["sin", "tan", "tanh"]))
    unknown function 'tahn'; did you mean 'tanh'?
    """
    known = sorted(known)
    near = nearest(str(name), known)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(known)}"
    return ValueError(f"unknown {kind} {name!r}; {hint}")
