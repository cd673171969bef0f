"""Read files, and distinguish an unreadable file from a system that fails to read any."""

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from monetize.errors import PhotoError, ReadError
from monetize.file_errors import reason
from monetize.messages import printable

T = TypeVar("T")

MAX_FILE_BYTES = 1_000_000_000
RETRY_SECONDS = 0.2
# These concern one file. All other errors (too many open files, no memory, a failing disk) would
# hit the next file as well.
FILE_ERRORS = frozenset(
    {
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
        errno.ENXIO,  # a socket
    }
)


def read_file(path: Path) -> bytes:
    """Read a regular file completely.

    Raises PhotoError with the reason, or ReadError if the system fails twice in a row.
    """
    return _retrying(path, lambda: _read(path))


def read_head(path: Path, length: int) -> bytes:
    """Read a regular file's first bytes; empty for any other. Raises ReadError."""
    try:
        return _retrying(path, lambda: _read_head(path, length))
    except PhotoError:
        return b""


def _read(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError("not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        size, limit = (tqdm.format_sizeof(n, "B") for n in (status.st_size, MAX_FILE_BYTES))
        raise PhotoError(f"the file is too large: {size}, and the limit is {limit}")
    return path.read_bytes()


def _read_head(path: Path, length: int) -> bytes:
    # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, length) if regular else b""
    finally:
        os.close(descriptor)


def _retrying(path: Path, read: Callable[[], T]) -> T:
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


def _raise_if_file_error(path: Path, error: OSError) -> None:
    if error.errno not in FILE_ERRORS:
        return
    if path.is_symlink() and not path.exists():
        target = printable(path.readlink())
        raise PhotoError(f"a link to {target}, which does not exist") from None
    if error.errno == errno.ENOENT and not path.parent.exists():
        folder = printable(path.parent)
        raise ReadError(f"{folder}: the folder has disappeared: is its drive connected?") from error
    raise PhotoError(reason(error)) from None
