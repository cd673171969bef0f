"""Atomic writes: a file is written under a temporary name, synced, then renamed."""

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
    """Open a file for writing that appears at path only if the block ends without an error.

    Raises StorageError if it cannot be written; an existing file at path is then unchanged.
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
    """Write a file atomically; raises StorageError."""
    with writing(path) as file:
        file.write(data)


def flush_to_disk(file: BinaryIO) -> None:
    """Make sure that a file's content survives a power cut."""
    file.flush()
    os.fsync(file.fileno())


def flush_all() -> None:
    """Make sure that everything written so far survives a power cut; quicker for many files."""
    if os.name == "posix":
        os.sync()


def flush_folder(folder: Path) -> None:
    """Make sure that a rename in a folder survives a power cut; Windows needs no such call."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError in the block into a StorageError that names path and the reason."""
    try:
        yield
    except OSError as error:
        reason = REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StorageError(f"{path}: cannot be written: {reason}") from error
