"""Write a PNG: a picture in a few colours, or in any."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(width: int, pixels: bytes, colours: Sequence[bytes] = ()) -> bytes:
    """A PNG file (W3C, Portable Network Graphics, third edition), as small as zlib makes it.

    Args:
        width: how many pixels a row has.
        pixels: row by row, of each the place of its colour, a byte; without colours red, green, blue and how much it
            covers, four bytes.
        colours: at most 256, each its red, green, blue and how much it covers.

    >>> len(png(2, bytes([0, 1, 1, 0]), [bytes([255, 0, 0, 255]), bytes(4)]))
    101
    """
    row = width if colours else 4 * width
    lines = b"".join([b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row)])
    header = struct.pack(">IIBBBBB", width, len(pixels) // row, 8, 3 if colours else 6, 0, 0, 0)
    covers = bytes([colour[3] for colour in colours])
    covers = covers.rstrip(b"\xff")  # those at the end need not be told
    chunks = [(b"IHDR", header)]
    chunks += [(b"PLTE", b"".join([colour[:3] for colour in colours]))] if colours else []
    chunks += [(b"tRNS", covers)] if covers else []
    chunks += [(b"IDAT", _deflated(lines)), (b"IEND", b"")]
    return _SIGNATURE + b"".join([_chunk(kind, data) for kind, data in chunks])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _deflated(data: bytes) -> bytes:
    """The shortest of what zlib's strategies give."""
    tried = []
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_RLE):
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
        tried.append(packer.compress(data) + packer.flush())
    return min(tried, key=len)
