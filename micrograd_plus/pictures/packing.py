"""Write bytes in few letters, which a page's script unpacks: deflated, and four bytes in five letters."""

from __future__ import annotations

import zlib
from base64 import b85decode, b85encode

from micrograd_plus._support.deflating import shortest
from micrograd_plus.pictures.scripts import asset

# 85 letters that mean nothing in JSON, HTML, Markdown's tables and templates, in which notebooks end; base64 takes 7 %
# more of its 64
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#%()*+,-./:;=?@[]^_|~$"
_PYTHONS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_OURS, _THEIRS = str.maketrans(_PYTHONS, LETTERS), str.maketrans(LETTERS, _PYTHONS)


def deflated(data: bytes) -> str:
    """Bytes as letters.

    >>> len(deflated(bytes(10_000))) < 50
    True
    """
    return b85encode(shortest(data, (5, 7))).decode().translate(_OURS)  # a page's script and its numbers coded apart


def inflated(letters: str) -> bytes:
    """The bytes again.

    >>> inflated(deflated(b"twice the same"))
    b'twice the same'
    """
    return zlib.decompress(b85decode(letters.translate(_THEIRS)))


def unpacking_script() -> str:
    """JavaScript that does the same: `await unpacked(letters)` are the bytes, where `unpacks` is true."""
    return asset("unpacking.js").replace("LETTERS", repr(LETTERS), 1)
