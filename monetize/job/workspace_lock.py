"""The lock of a workspace, also on disks that cannot lock files."""

import errno
from contextlib import suppress
from pathlib import Path

import filelock

# The errors of flock on network and FUSE disks that have no locks. filelock itself replaces flock
# with a soft lock, a file that names its holder, only for ENOSYS.
LOCKS_UNAVAILABLE = frozenset([errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL])


class WorkspaceLock:
    """Held by one process at a time; a process that dies releases it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: filelock.BaseFileLock = filelock.FileLock(path)

    def acquire(self) -> bool:
        """Take the lock; returns False if another process has it. Raises OSError."""
        try:
            return self._acquired()
        except OSError as error:
            if error.errno not in LOCKS_UNAVAILABLE:
                raise
        with suppress(FileNotFoundError):  # the attempt's file would block the soft lock
            if self._path.stat().st_size == 0:
                self._path.unlink()
        self._lock = filelock.SoftFileLock(self._path)
        return self._acquired()

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def remove(self) -> None:
        """Remove the file of a lock that is not held."""
        with suppress(OSError):
            self._path.unlink()

    def _acquired(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        return True
