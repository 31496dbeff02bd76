"""Write a text with the letters that standard output knows."""

from __future__ import annotations

import sys


def printable(text: str) -> str:
    """The text, with a ? for each letter, such as ∂, that standard output cannot write.

    >>> printable("3 · x")
    '3 · x'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:  # an encoding of somebody's own
        pass
    return text
