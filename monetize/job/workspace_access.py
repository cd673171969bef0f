"""Who may work in a workspace: the process that holds its lock, or several that have joined.

The lock file is held by the process that works alone, or for a moment by one that joins or changes
the job's record. leases/ says which processes have joined, and who does what.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from monetize.errors import UsageError
from monetize.file_errors import explain_write_errors
from monetize.job.leases import LEASE_SECONDS, Leases
from monetize.job.workspace_lock import WorkspaceLock
from monetize.messages import printable
from monetize.stores.remote_path import AnyPath

LOCK, LEASES = "lock", "leases"
# How long a process that joins waits for the lock: the others hold it only while they look at what
# is there when they join, or while they change job.json.
LOCKED_SECONDS = 60.0
POLL_SECONDS = 0.5


class WorkspaceAccess:
    """Keeps other processes out of a workspace's folder, except those that `join`.

    A process that has joined has `leases` on its parts of the work.
    """

    def __init__(self, out: AnyPath, folder: Path, *, join: bool) -> None:
        """`out` is the job's output, which messages name."""
        self.leases = Leases(folder / LEASES) if join else None
        self._out = out
        self._folder = folder
        self._leases_folder = folder / LEASES
        self._lock = WorkspaceLock(folder / LOCK)

    def enter(self, clear_up: Callable[[], None]) -> None:
        """Take the lock, and join the others if this process is to.

        `clear_up` is called if all processes that had joined have ended. Raises UsageError while
        the workspace is in use by others that this process does not join, and StorageError.
        """
        self._acquire()
        try:
            self._enter_locked(clear_up)
        except BaseException:
            self._lock.release()
            raise

    def _acquire(self) -> None:
        with explain_write_errors(self._folder):
            deadline = time.monotonic() + (LOCKED_SECONDS if self.leases else 0.0)
            while not self._lock.acquire():
                if time.monotonic() >= deadline:
                    raise UsageError(
                        f"{printable(self._out)} is being written by another monetize run right "
                        f"now ({printable(self._folder)} is locked)"
                    )
                time.sleep(POLL_SECONDS)

    def _enter_locked(self, clear_up: Callable[[], None]) -> None:
        folder = self._leases_folder
        if folder.exists():
            with Leases(folder) as probe:
                others = probe.others()
            if others and not self.leases:
                raise UsageError(
                    f"{printable(self._out)} is being written by {others} of monetize run --join: "
                    f"use --join, too, or wait {LEASE_SECONDS:.0f} seconds after the last has ended"
                )
            if not others:
                with explain_write_errors(folder):
                    shutil.rmtree(folder)
                clear_up()
        if self.leases:
            self.leases.__enter__()

    def admit_others(self) -> None:
        """Let the next process join, if this one has joined."""
        if self.leases:
            self._lock.release()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep processes that have joined from changing the job's record at the same time."""
        if not self.leases:
            yield
            return
        self._acquire()
        try:
            yield
        finally:
            self._lock.release()

    def others(self) -> int:
        """How many other processes have joined, if this one has; raises StorageError."""
        return self.leases.others() if self.leases and self._leases_folder.exists() else 0

    def wait_for_others(self) -> None:
        """Wait until all others have seen in the workspace how the job ended, and have ended too.

        Those that have died count until they expire.
        """
        while self.others():
            time.sleep(POLL_SECONDS)

    def end_leases(self) -> None:
        """Give up this process's leases, if it has joined."""
        if self.leases:
            self.leases.__exit__()

    def release(self) -> None:
        """Release the lock, if it is held."""
        self._lock.release()

    def is_free(self) -> bool:
        """Whether no process holds the lock."""
        free = self._lock.acquire()
        self._lock.release()
        return free

    def remove_folder(self) -> None:
        """Remove lock and leases, which are not held, and the folder if it has nothing else."""
        shutil.rmtree(self._leases_folder, ignore_errors=True)
        self._lock.remove()
        with suppress(OSError):  # another process may have begun here
            self._folder.rmdir()
