"""Atomic writes: a file is written under a temporary name, synced, then published."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from monetize.errors import StorageError, UsageError
from monetize.file_errors import explain_write_errors
from monetize.messages import printable

# The errors of fsync on disks that cannot sync folders, such as CIFS and FUSE.
SYNC_UNAVAILABLE = frozenset(
    [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF]
)
# The errors of opening a folder to sync it if it may be written but not listed.
LISTING_UNAVAILABLE = frozenset([errno.EACCES, errno.EPERM, errno.EISDIR])
# The errors of link on disks without hard links, such as FAT and many network disks.
LINKS_UNAVAILABLE = frozenset(
    [errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP]
)


# Of files while they are written.
TEMPORARY = ".monetize-{}.part"


@contextmanager
def writing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that appears at path only if the block ends without an error.

    A symbolic link is followed, and a replaced file keeps its permissions. Raises StorageError if
    the file cannot be written, and UsageError if it exists although it may not be overwritten;
    an existing file is then unchanged.
    """
    with explain_write_errors(path):
        target = output_target(path)
        temporary = target.with_name(TEMPORARY.format(secrets.token_hex(8)))
        try:
            with _create(temporary) as file:
                yield file
                _keep_permissions(target, file)
                flush_to_disk(file)
            if overwrite:
                temporary.replace(target)
            else:
                _publish_first(temporary, target)
            flush_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Write a file atomically; raises what `writing` raises."""
    with writing(path, overwrite=overwrite) as file:
        file.write(data)


def write_many(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files into a folder, each whole, and replace those that are there.

    They are synced together, which is quicker than one by one, so they appear at the end. Raises
    StorageError. What killed processes left is removed: nobody else may write into the folder now.
    """
    with explain_write_errors(folder):
        try:
            written = []
            for name, data in files:
                temporary = folder / TEMPORARY.format(secrets.token_hex(8))
                written.append((temporary, folder / name))
                with _create(temporary) as file:
                    file.write(data)
            flush_all()
            for temporary, final in written:
                temporary.replace(final)
            flush_folder(folder)
        finally:
            for left in folder.glob(TEMPORARY.format("*")):
                left.unlink(missing_ok=True)


def output_target(path: Path) -> Path:
    """Return the file that writing to path creates or replaces, at the end of symbolic links.

    Raises StorageError if that is a device, a pipe, a socket or a folder.
    """
    with explain_write_errors(path):
        try:
            target = path.resolve() if path.is_symlink() else path
            mode = target.lstat().st_mode
        except FileNotFoundError:
            return target
        except RuntimeError:  # what Python before 3.13 raises for a loop
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        if stat.S_ISDIR(mode):
            raise StorageError(f"{printable(path)} is a folder: use the name of a file")
        if not stat.S_ISREG(mode):
            raise StorageError(
                f"{printable(path)} is a device, pipe or socket, which cannot be replaced: use the "
                "name of a file"
            )
    return target


def _create(temporary: Path) -> BinaryIO:
    """Create a new file exclusively; a link that somebody put there is never followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(temporary, flags, 0o666), "wb")


def _keep_permissions(target: Path, file: BinaryIO) -> None:
    """Give a file the owner and the mode of the one that it replaces."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    if os.name == "posix":
        with suppress(OSError):  # only root may give a file to another user
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        with suppress(OSError):  # disks without permissions, such as FAT
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))


def _publish_first(temporary: Path, target: Path) -> None:
    """Give a file its final name; raises UsageError if another file has taken it by now."""
    try:
        if os.name == "nt":
            temporary.rename(target)  # never replaces a file there
        else:
            os.link(temporary, target, follow_symlinks=False)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        if error.errno not in LINKS_UNAVAILABLE:
            raise
        _reserve(target)
        try:
            temporary.replace(target)
        except OSError:
            target.unlink()
            raise


def _reserve(target: Path) -> None:
    """Create an empty file to replace, on a disk without hard links."""
    try:
        _create(target).close()
    except FileExistsError:
        raise _taken(target) from None


def _taken(target: Path) -> UsageError:
    return UsageError(f"{printable(target)} was created while this ran; --overwrite replaces it")


def flush_to_disk(file: BinaryIO) -> None:
    """Make sure that a file's content survives a power cut."""
    file.flush()
    _sync(file.fileno())


def flush_all() -> None:
    """Make sure that everything written so far survives a power cut; quicker for many files."""
    if os.name == "posix":
        os.sync()


def flush_folder(folder: Path) -> None:
    """Make sure that a rename in a folder survives a power cut, if its disk can do that.

    Windows needs no such call.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in LISTING_UNAVAILABLE:
            return
        raise
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in SYNC_UNAVAILABLE:
            raise
