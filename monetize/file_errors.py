"""One-line errors for files that cannot be read or written."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monetize.errors import MonetizeError, StorageError
from monetize.messages import printable
from monetize.stores.remote_path import AnyPath

REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your disk quota is used up; free some space",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "the name is too long for this disk",
    errno.EMFILE: "too many open files; raise the limit with ulimit -n",
    errno.ENFILE: "too many open files on this machine; close other programs",
    errno.ENOMEM: "out of memory; close other programs",
    errno.EIO: "the disk failed (input/output error); check its cables and its health",
    errno.ESTALE: "the network disk has lost this file; mount it again",
    errno.ELOOP: "a symbolic link that leads to itself",
}


def reason(error: OSError) -> str:
    """Return why a file operation failed, and what to do about it where that is known."""
    return REASONS.get(error.errno or 0) or error.strerror or str(error)


def unusable_name(path: Path) -> str:
    """Say why no file can have this path, to fail before any work; empty if one can."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return reason(error)
    return ""


@contextmanager
def explain_write_errors(path: AnyPath) -> Iterator[None]:
    """Turn an OSError in the block into a StorageError that names path and the reason."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{printable(path)}: cannot be written: {reason(error)}") from error


@contextmanager
def explain_read_errors(path: AnyPath, kind: type[MonetizeError] = StorageError) -> Iterator[None]:
    """Turn an OSError in the block into an error of this kind that names path and the reason."""
    try:
        yield
    except OSError as error:
        raise kind(f"{printable(path)}: cannot be read: {reason(error)}") from error
