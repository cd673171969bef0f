"""Read files, and distinguish an unreadable file from a system that fails to read any."""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tqdm import tqdm

from monetize.chunks import chunks
from monetize.errors import PhotoError, ReadError
from monetize.file_errors import reason
from monetize.messages import printable
from monetize.stores.files import look_up, read_bytes
from monetize.stores.remote_path import AnyPath, RemotePath

T = TypeVar("T")

MAX_FILE_BYTES = 1_000_000_000
RETRY_SECONDS = 0.2
# How many requests to a store are under way at a time where nothing else takes time.
REQUESTS = 32
# These concern one file. All other errors (too many open files, no memory, a failing disk) would
# hit the next file as well.
FILE_ERRORS = frozenset(
    {
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
        errno.ENXIO,  # a socket
    }
)


@dataclass(frozen=True)
class FileVersion:
    """What tells cheaply that a file has changed: its size in bytes, and its modification time.

    A file in a store has a text in place of the time, such as its ETag; empty if none is known. Its
    size is -1 if that is not known.
    """

    size: int
    version: int | str


def file_version(path: AnyPath) -> FileVersion:
    """Return a file's version; a listed file in a store has that of the listing.

    Raises OSError, and PhotoError if this is not a regular file.
    """
    if isinstance(path, RemotePath):
        listed = path if path.size is not None else look_up(path)
        return FileVersion(-1 if listed.size is None else listed.size, listed.version)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError("not a regular file")
    return FileVersion(status.st_size, status.st_mtime_ns)


def read_file(path: AnyPath) -> bytes:
    """Read a regular file completely.

    Raises PhotoError with the reason, or ReadError if the system fails twice in a row.
    """
    return read_versioned(path)[0]


def read_versioned(path: AnyPath) -> tuple[bytes, FileVersion]:
    """Read a file as `read_file` does; returns the version that it had before, too."""
    return _retrying(path, lambda: _read(path))


def read_head(path: AnyPath, length: int) -> bytes:
    """Read a regular file's first bytes; empty for any other. Raises ReadError."""
    try:
        return _retrying(path, lambda: _read_head(path, length))
    except PhotoError:
        return b""


def read_heads(paths: Sequence[AnyPath], length: int) -> Iterator[bytes]:
    """Read the first bytes of files, in order; raises ReadError."""
    return for_each(paths, lambda path: read_head(path, length))


def for_each(paths: Sequence[AnyPath], read: Callable[[AnyPath], T]) -> Iterator[T]:
    """Yield what `read` returns for each file, in order; it waits for many in a store at a time."""
    if not any(isinstance(path, RemotePath) for path in paths):
        yield from map(read, paths)
        return
    threads = ThreadPoolExecutor(REQUESTS)
    try:
        for part in chunks(paths, REQUESTS * REQUESTS):  # each has a future that takes memory
            yield from threads.map(read, part)
    finally:
        threads.shutdown(cancel_futures=True)


def _read(path: AnyPath) -> tuple[bytes, FileVersion]:
    version = file_version(path)
    _check_size(version.size)
    if not isinstance(path, RemotePath):
        return path.read_bytes(), version
    data = read_bytes(path, MAX_FILE_BYTES + 1 if version.size < 0 else None)
    _check_size(len(data))
    return data, version


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        shown, limit = (tqdm.format_sizeof(n, "B") for n in (size, MAX_FILE_BYTES))
        raise PhotoError(f"the file is too large: {shown}, and the limit is {limit}")


def _read_head(path: AnyPath, length: int) -> bytes:
    if isinstance(path, RemotePath):
        return read_bytes(path, length)
    # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, length) if regular else b""
    finally:
        os.close(descriptor)


def _retrying(path: AnyPath, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:
        _raise_if_file_error(path, error)
    time.sleep(RETRY_SECONDS)
    try:
        return read()
    except OSError as error:
        _raise_if_file_error(path, error)
        raise ReadError(f"{printable(path)}: cannot be read: {reason(error)}") from error


def _raise_if_file_error(path: AnyPath, error: OSError) -> None:
    if error.errno not in FILE_ERRORS:
        return
    if isinstance(path, RemotePath):
        raise PhotoError(reason(error)) from error
    if path.is_symlink() and not path.exists():
        target = printable(path.readlink())
        raise PhotoError(f"a link to {target}, which does not exist") from None
    if error.errno == errno.ENOENT and not path.parent.exists():
        folder = printable(path.parent)
        raise ReadError(f"{folder}: the folder has disappeared: is its drive connected?") from error
    raise PhotoError(reason(error)) from None
