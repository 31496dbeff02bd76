"""Read the MNIST handwritten digits from their standard files."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from micrograd_plus._support.arguments import whole
from micrograd_plus.data.dataset import Dataset
from micrograd_plus.data.download import download_mnist

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load_mnist(
    folder: str | os.PathLike[str],
    *,
    train: bool = True,
    limit: int | None = None,
    download: bool = False,
    arrays: bool = False,
) -> Dataset:
    """The MNIST digits in a folder: images of 784 floats from 0.0 (paper) to 1.0 (ink), labels 0 to 9.

    60,000 images to train on and 10,000 to test, by LeCun, Cortes and Burges. The folder holds the four files as
    published, such as `train-images-idx3-ubyte.gz`, gzipped or not, with `-idx3` or `.idx3`; an unpacked file
    is taken before a gzipped one. Fashion-MNIST and others in the same format load too.

    A pixel is its grey level divided by 255 and takes 8 bytes: 376 MB for all 60,000 images, as lists, which share 256
    floats, and as an array, which is there ten times sooner.

    Args:
        folder: where the files lie.
        train: True for the training images, False for the test images.
        limit: take only so many images, from the first on; None takes all.
        download: fetch the files with `download_mnist` if the folder lacks one that is needed.
        arrays: give a float64 array (n, 784) and an int64 array (n,) instead of lists.

    Raises:
        FileNotFoundError: the folder lacks a file; the message lists the names that would do.
        TypeError: the limit is no whole number.
        ValueError: a file is not what it should be (see `read_idx`), images and labels differ in number, there are
            none, or the limit is below 1.

    If files are to be fetched, its errors are those of `download_mnist`, too.

    >>> load_mnist("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: nowhere: no training images; looked for train-images-idx3-ubyte, ...
    """
    if limit is not None:
        limit = whole("load_mnist", "limit", limit, hint=", or None for all")
    folder = Path(folder)
    names = [f"{'train' if train else 't10k'}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    if download and None in [_find(folder, name) for name in names]:
        download_mnist(folder)
    paths = []
    for name, kind in zip(names, ("images", "labels")):
        path = _find(folder, name)
        if path is None:
            wanted = f"no {'training' if train else 'test'} {kind}; looked for {', '.join(_spellings(name))}"
            raise FileNotFoundError(f"{folder}: {wanted}; put one there, or ask for a download")
        paths.append(path)
    images, labels = read_idx(paths[0], dimensions=3), read_idx(paths[1], dimensions=1)
    if len(images) != len(labels):
        raise ValueError(
            f"{paths[0]} and {paths[1].name}: found {len(images)} images and {len(labels)} labels; "
            "expected one label an image, so the files do not belong together"
        )
    if not images.size:
        raise ValueError(f"{paths[0]}: found {' × '.join(map(str, images.shape))} pixels; expected at least one image")
    images, labels = images[:limit], labels[:limit]
    if arrays:
        return Dataset(images.reshape(len(images), -1) / 255.0, labels.astype("int64"))
    ink = [grey / 255 for grey in range(256)]
    return Dataset([[ink[grey] for grey in image.tobytes()] for image in images], labels.tolist())


def read_idx(path: str | os.PathLike[str], *, dimensions: int | None = None) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, the format of MNIST; unpacked if the name ends in .gz.

    The file begins with the magic number: two zero bytes, 8 for unsigned bytes, the number of dimensions. Then comes
    each dimension as four bytes, most significant first, then the numbers, the last index running fastest.

    Args:
        path: the file.
        dimensions: how many there must be: 3 for images, 1 for labels; None takes any.

    Returns:
        An array of bytes, of the shape that the file tells, (n, 28, 28) for MNIST's images, (n,) for its labels.

    Raises:
        ValueError: the gzip data are damaged or none at all, the magic number is another, or the file is shorter or
            longer than its dimensions say, or does not fit into the memory; of a file that is longer, no more is
            unpacked than they say. The message names the path, what was found, and what was expected.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "labels-idx1-ubyte")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1] + [0, 0, 0, 3] + [5, 0, 4]))
    ...     read_idx(file)
    array([5, 0, 4], dtype=uint8)
    """
    import gzip
    import zlib

    import numpy as np

    path = Path(path)
    packed = path.suffix == ".gz"
    try:
        with path.open("rb") as file:
            stream: Any = gzip.GzipFile(fileobj=file) if packed else file
            shape = _shape(stream, path, packed, dimensions)
            raw = _up_to(prod(shape) + 1, stream)  # a byte more tells that there are too many
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        way_out = "fetch it again, or drop .gz from the name if it is unpacked"
        raise ValueError(f"{path}: expected gzip data, found a fault: {error}; {way_out}") from error
    except MemoryError:
        raise ValueError(f"{path}: expected data that fit into the memory, found {prod(shape)} bytes") from None
    if len(raw) != prod(shape):
        too_long = len(raw) > prod(shape)
        fault = "bytes trail behind the data" if too_long else "it is truncated, fetch it again"
        start = 4 + 4 * len(shape)
        size = f"{start + prod(shape)} bytes for {' × '.join(map(str, shape))}"
        found = "more" if packed and too_long else str(path.stat().st_size if too_long else start + len(raw))
        raise ValueError(f"{path}: expected {size}, found {found}; {fault}")
    try:
        return np.frombuffer(raw, np.uint8).reshape(shape)
    except ValueError as error:
        raise ValueError(f"{path}: expected dimensions that fit an array, found {len(shape)}: {error}") from error


def _shape(stream: IO[bytes], path: Path, packed: bool, dimensions: int | None) -> tuple[int, ...]:
    """The dimensions that the header of an IDX file tells."""
    from struct import unpack

    magic = _up_to(4, stream)
    if not packed and magic.startswith(b"\x1f\x8b"):
        raise ValueError(f"{path}: expected unpacked data, found gzip data; add .gz to the name, or unpack it")
    count = magic[3] if len(magic) == 4 and magic.startswith(b"\0\0\x08") else 0
    if not count or dimensions not in (None, count):
        wanted = f"00 00 08 {dimensions:02x}" if dimensions else "00 00 08 and the number of dimensions"
        found = magic.hex(" ") or "an empty file"
        raise ValueError(f"{path}: expected the magic number {wanted}, found {found}")
    start, sizes = 4 + 4 * count, _up_to(4 * count, stream)
    if len(sizes) < 4 * count:
        fault = f"found {4 + len(sizes)}; it is truncated, fetch it again"
        raise ValueError(f"{path}: expected {start} bytes of header, {fault}")
    return unpack(f">{count}I", sizes)


def _up_to(count: int, stream: IO[bytes]) -> bytearray:
    """So many bytes, or all if there are fewer; memory grows with what comes, whatever a header says."""
    taken = bytearray()
    while len(taken) < count and (more := stream.read(min(count - len(taken), 1 << 20))):
        taken += more
    return taken


def _spellings(name: str) -> list[str]:
    """The names under which sites publish a file."""
    return [spelling + suffix for spelling in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]


def _find(folder: Path, name: str) -> Path | None:
    return next((folder / spelling for spelling in _spellings(name) if (folder / spelling).is_file()), None)
