"""Files that are whole or not there: written under another name, flushed, then renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from monetize.errors import StorageError

REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your disk quota is used up; free some space",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.ENAMETOOLONG: "the name is too long for this disk",
}


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write that appears at path only when the block ends without an error.

    Raises StorageError, and leaves what stood at path untouched, if it cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    with explained(path):
        try:
            with temporary.open("wb") as file:
                yield file
                flush_to_disk(file)
            temporary.replace(path)
            flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as a whole; raises StorageError."""
    with writing(path) as file:
        file.write(data)


def flush_to_disk(file: BinaryIO) -> None:
    """Make a file's content outlast a power cut."""
    file.flush()
    os.fsync(file.fileno())


def flush_all() -> None:
    """Make all that was written outlast a power cut, at one go where there are many files."""
    if os.name == "posix":
        os.sync()


def flush_folder(folder: Path) -> None:
    """Make a rename in a folder outlast a power cut; Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into a StorageError that names path and the reason."""
    try:
        yield
    except OSError as error:
        reason = REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StorageError(f"{path}: cannot be written: {reason}") from error
