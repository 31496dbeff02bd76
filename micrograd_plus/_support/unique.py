"""Give names no two of which are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


class UniqueNames:
    """The names that are taken, and the next number for each beginning of a name.

    Args:
        taken: names that are not free.

    >>> unique = UniqueNames(["x_1"])
    >>> unique.take("x"), unique.take("x"), unique.numbered("x_"), unique.numbered("v")
    (True, False, 'x_2', 'v1')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last = Counter[str]()

    def take(self, name: str) -> bool:
        """Whether the name was free; it is not any more."""
        if name in self._taken:
            return False
        self._taken.add(name)
        return True

    def numbered(self, stem: str, first: int = 1) -> str:
        """The stem with the next number that makes it a free name, from `first` on; it is taken then."""
        number = max(self._last[stem] + 1, first)
        while not self.take(f"{stem}{number}"):
            number += 1
        self._last[stem] = number
        return f"{stem}{number}"
