"""Deflate bytes, in the way that takes the fewest."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import product


def shortest(data: bytes, memories: Iterable[int], strategies: Iterable[int] = (zlib.Z_DEFAULT_STRATEGY,)) -> bytes:
    """The shortest of what zlib gives.

    Args:
        data: what is deflated.
        memories: zlib's levels of memory, 1 to 9; with less of it blocks end sooner, each with a code of its own.
        strategies: zlib's, by their numbers.

    >>> len(shortest(bytes(10_000), (5, 9))) < 40
    True
    """
    tried = []
    for strategy, memory in product(strategies, memories):
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, memory, strategy)
        tried.append(packer.compress(data) + packer.flush())
    return min(tried, key=len)
