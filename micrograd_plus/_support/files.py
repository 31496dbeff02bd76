"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed
    fcntl = None  # type: ignore[assignment]

FULL = "the disk is full; free some space there or choose another place"
FORBIDDEN = "writing there is not permitted; change the permissions or choose another place"
PREFIX, SUFFIX = ".micrograd_plus-", ".tmp"  # of temporary files
WAYS_OUT = {
    errno.ENOENT: "the folder {folder!r} does not exist; make it first or choose another",
    errno.ENOTDIR: "{folder!r} is no folder; choose another place",
    errno.EISDIR: "that is a folder; name a file in it",
    errno.ENOTSUP: "that is no ordinary file; choose another name",
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: "the disk is read-only; choose another place",
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Make `content` the file at `path`, so that a crash leaves either the old file or the new one, never half of one.

    The content goes to a temporary file in the same folder, down to the disk, and then takes the old file's place in
    one step. The old file's permission bits stay. A symlink stays too: the file it points to is replaced. What a
    process that was killed while it wrote has left in the folder is removed.

    Args:
        path: where to write; its folder must exist.
        content: bytes, or text to be written as UTF-8.

    Raises:
        OSError: of the subclass that fits (FileNotFoundError, IsADirectoryError, PermissionError ...), with `errno`
            set, naming the path and the way out. Whatever was at `path` is untouched then.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "note.txt")
    ...     write_atomically(path, "one")
    ...     write_atomically(path, "two")
    ...     path.read_text(), [file.name for file in path.parent.iterdir()]
    ('two', ['note.txt'])
    """
    data = content.encode() if isinstance(content, str) else content
    target = os.path.realpath(path)
    try:
        _replace(target, data, _permissions(target))
    except OSError as error:
        raise _explained(error, os.fspath(path), os.path.dirname(target)) from None


def rehearse(path: str | os.PathLike[str], content: bytes) -> None:
    """Write as `write_atomically` does, but take it away again: what may fail then fails now.

    Raises:
        OSError: as there.
    """
    target = os.path.realpath(path)
    try:
        _replace(target, content, _permissions(target), rehearse=True)
    except OSError as error:
        raise _explained(error, os.fspath(path), os.path.dirname(target)) from None


def _permissions(target: str) -> int | None:
    """The permission bits of the file that is to be replaced, None where there is none; an OSError if it must stay."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "a folder")
    if not stat.S_ISREG(mode):  # os.replace would put a file in the place of a device
        raise OSError(errno.ENOTSUP, "no ordinary file")
    if not os.access(target, os.W_OK):  # os.replace asks the folder only
        raise OSError(errno.EACCES, "write-protected")
    return stat.S_IMODE(mode)


def _replace(target: str, data: bytes, permissions: int | None, *, rehearse: bool = False) -> None:
    folder = os.path.dirname(target)
    _sweep(folder)
    while not _written(folder, target, data, permissions, rehearse):
        pass


def _written(folder: str, target: str, data: bytes, permissions: int | None, rehearse: bool) -> bool:
    """Whether a temporary file took the target's place; not if somebody swept it away before it was locked."""
    # the name is short, whatever the target's: a long name plus a suffix may be too long for the file system
    temporary = os.path.join(folder, f"{PREFIX}{os.urandom(8).hex()}{SUFFIX}")
    try:
        with open(temporary, "xb") as file:
            with suppress(OSError):  # a file system without locks
                _lock(file, wait=True)
            if fcntl and not os.fstat(file.fileno()).st_nlink:
                return False
            if permissions is not None:
                os.chmod(temporary, permissions)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl and not rehearse:  # while it is locked
                os.replace(temporary, target)
        if not fcntl and not rehearse:  # Windows moves closed files only
            os.replace(temporary, target)
    finally:  # after Ctrl-C too
        with suppress(OSError):
            os.unlink(temporary)
    return True


def _sweep(folder: str) -> None:
    """Remove the temporary files of processes that were killed while they wrote: nobody holds a lock on them."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
                with suppress(OSError), open(entry.path, "r+b") as file:
                    _lock(file)
                    os.unlink(entry.path)


def _lock(file: IO[bytes], *, wait: bool = False) -> None:
    """Lock a file for as long as it is open, or raise an OSError: where another has locked it, unless told to wait."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _explained(error: OSError, path: str, folder: str) -> OSError:
    """The same kind of error, with one message that names the path and the way out."""
    code = error.errno or errno.EIO
    way_out = WAYS_OUT.get(code, "{problem}; try again or choose another place")
    kind = type(OSError(code, ""))  # OSError itself picks the subclass that fits
    explained = kind(f"cannot write {path!r}: {way_out.format(folder=folder, problem=error.strerror or error)}")
    explained.errno = code
    return explained
