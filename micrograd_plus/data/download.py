"""Fetch the MNIST files from the net."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from micrograd_plus.engine.scalars import number

if TYPE_CHECKING:
    from rich.progress import Progress

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"  # PyTorch's copy
PUBLISHED = {  # the MD5 checksums of the files as first published
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


def download_mnist(
    folder: str | os.PathLike[str],
    *,
    url: str = MIRROR,
    checksums: Mapping[str, str] = PUBLISHED,
    timeout: float = 30.0,
    progress: bool = True,
) -> list[Path]:
    """Fetch the four MNIST files (11 MB) into a folder, which is made if need be, and return their paths.

    What is there already is left alone. A file appears under its name only when it is whole and its checksum right.
    Needs pooch: `pip install 'micrograd-plus[data]'`.

    Args:
        folder: where the files go.
        url: the address under which the files lie.
        checksums: the MD5 checksum of each file, by its name.
        timeout: how many seconds the server may be silent.
        progress: draw a bar for each file.

    Raises:
        ImportError: pooch is not installed.
        ConnectionError: a file cannot be fetched; the message says how to do it by hand.
        FileExistsError: another file bears the name of one of these; it is not touched.
        NotADirectoryError: the folder is a file.
        TypeError: the timeout is no number.
        ValueError: what came has another checksum (it is thrown away), or the address or the timeout is no such thing.

    >>> download_mnist("mnist")  # doctest: +SKIP
    [PosixPath('mnist/train-images-idx3-ubyte.gz'), ...]
    >>> download_mnist("mnist", url="my-mirror/mnist")
    Traceback (most recent call last):
    ValueError: download_mnist(url='my-mirror/mnist'): expected an address that begins with https:// or http://
    """
    if not str(url).startswith(("http://", "https://")):
        raise ValueError(f"download_mnist(url={url!r}): expected an address that begins with https:// or http://")
    timeout = number(timeout, "download_mnist: timeout =")
    if not 0 < timeout < inf:
        raise ValueError(f"download_mnist(timeout={timeout}): expected a positive number of seconds")
    folder = Path(folder).absolute()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder, found a file")
    try:
        import pooch  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        raise ImportError("download_mnist needs pooch: pip install 'micrograd-plus[data]'") from None
    for name, md5 in checksums.items():
        if (folder / name).exists() and (found := pooch.file_hash(folder / name, alg="md5")) != md5:
            raise FileExistsError(
                f"{folder / name}: expected MD5 {md5}, found {found}; "
                "it is damaged or another data set: move it away, or choose another folder"
            )
    with _tidied(folder):
        _fetch_all(url, folder, checksums, timeout, progress)
    return [folder / name for name in checksums]


@contextmanager
def _tidied(folder: Path) -> Iterator[None]:
    """Take away afterwards the folder, and those above it, that were made meanwhile and into which nothing came."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield
    finally:
        for place in made:
            with suppress(OSError):
                place.rmdir()


def _fetch_all(url: str, folder: Path, checksums: Mapping[str, str], timeout: float, progress: bool) -> None:
    """Fetch each file; errors name its address and say what to do."""
    from requests import RequestException
    from rich.console import Console
    from rich.progress import Progress

    address = url
    try:
        with Progress(console=Console(stderr=True), disable=not progress) as bars:
            for name, md5 in checksums.items():
                address = f"{url.rstrip('/')}/{name}"
                _fetch(address, folder / name, md5, timeout, _Bar(bars, name))
    except RequestException as error:
        answer = error.response
        silent = f"the server cannot be reached, or fell silent for {timeout:g} s"
        fault = silent if answer is None else f"the server answers {answer.status_code} {answer.reason}"
        by_hand = f"fetch {', '.join(checksums)} by hand and put them into {folder}"
        raise ConnectionError(f"{address}: {fault}; try later, pass another url, or {by_hand}") from error
    except ValueError as error:
        raise ValueError(f"{address}: {error}") from error


def _fetch(address: str, path: Path, md5: str, timeout: float, bar: _Bar) -> None:
    import pooch

    # identity: else a server may call the gzip file compressed for the journey, and it would arrive unpacked
    headers = {"Accept-Encoding": "identity"}
    loader = pooch.HTTPDownloader(bar, chunk_size=1 << 16, timeout=timeout, headers=headers)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # the bar says the same
    try:
        pooch.retrieve(address, f"md5:{md5}", fname=path.name, path=path.parent, downloader=loader)
    finally:
        logger.setLevel(level)


class _Bar:
    """The progress bar that pooch asks for, drawn by rich."""

    def __init__(self, bars: Progress, name: str) -> None:
        self.total = 0
        self.bars = bars
        self.task = bars.add_task(name, total=None)

    def update(self, size: int) -> None:
        self.bars.update(self.task, total=self.total or None, advance=size)

    def reset(self) -> None:
        self.bars.update(self.task, completed=0)

    def close(self) -> None:
        self.bars.refresh()
