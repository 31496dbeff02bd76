"""Write a PNG: a picture in a few colours, or in any."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from micrograd_plus._support.deflating import shortest

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
    rows = [pixels[start : start + row] for start in range(0, len(pixels), row)]
    tried = {8: _deflated(rows)} | ({4: _deflated(list(map(_halved, rows)))} if 0 < len(colours) <= 16 else {})
    bits = min(tried, key=lambda bits: len(tried[bits]))
    header = struct.pack(">IIBBBBB", width, len(rows), bits, 3 if colours else 6, 0, 0, 0)
    covers = bytes([colour[3] for colour in colours])
    covers = covers.rstrip(b"\xff")  # those at the end need not be told
    chunks = [(b"IHDR", header)]
    chunks += [(b"PLTE", b"".join([colour[:3] for colour in colours]))] if colours else []
    chunks += [(b"tRNS", covers)] if covers else []
    chunks += [(b"IDAT", tried[bits]), (b"IEND", b"")]
    return _SIGNATURE + b"".join([_chunk(kind, data) for kind, data in chunks])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _halved(row: bytes) -> bytes:
    """Two pixels in a byte."""
    return bytes([16 * left + right for left, right in zip(row[::2], row[1::2] + b"\0")])


def _deflated(rows: Sequence[bytes]) -> bytes:
    data = b"".join([b"\0" + row for row in rows])
    return shortest(data, (5, 9), (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY))
