"""Leases on the parts of a job, as files in a folder that several machines share.

A lease is a file NAME.GENERATION. Creating the next generation, which only one machine can, takes
it; renewing it touches the file; giving it up makes the file old. It expires if it is not renewed.
No file is removed or renamed, so nobody can take by mistake what another has just taken.

All times are those that the folder's disk gives to files: the clocks of the machines may differ.
A machine that was suspended may still work on what has expired: leases save work, and what they
protect is put in place atomically.
"""

import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from monetize.file_errors import explain_write_errors

LEASE_SECONDS = 90.0
RENEWALS = 4  # in the time that a lease lasts
LISTING_SECONDS = 1.0  # how old the list of leases may be; creating one shows if it is wrong
MEMBER = "member"


class Leases:
    """The leases of this process in a folder, renewed for as long as the `with` block lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._member = folder / f"{MEMBER}-{secrets.token_hex(8)}.1"
        self._held: dict[str, Path] = {}
        self._generations: dict[str, int] = {}
        self._listed = -LISTING_SECONDS
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True)

    @property
    def name(self) -> str:
        """The name of this process, which no other has."""
        return self._member.stem

    def __enter__(self) -> Self:
        with explain_write_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
            _create(self._member)
        self._renewer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._renewer.join()
        for name in list(self._held):
            self.release(name)
        with suppress(OSError):  # the last one may have removed the folder
            self._member.unlink()

    def claim(self, name: str) -> bool:
        """Take a lease that nobody has; returns whether it was free. Raises StorageError."""
        with explain_write_errors(self.folder):
            generation = self._generation(name)
            if generation and not self._expired(self._path(name, generation)):
                return False
            self._generations[name] = generation + 1
            path = self._path(name, generation + 1)
            try:
                _create(path)
            except FileExistsError:
                return False
        self._held[name] = path
        return True

    def holds(self, name: str) -> bool:
        """Whether this process has taken a lease and not given it up."""
        return name in self._held

    def release(self, name: str) -> None:
        """Let another take a lease of this process at once."""
        if (path := self._held.pop(name, None)) is not None:
            with suppress(OSError):  # then it expires
                os.utime(path, (0, 0))

    def others(self) -> int:
        """How many other processes are at work in this folder; raises StorageError."""
        with explain_write_errors(self.folder):
            members = set(self.folder.glob(f"{MEMBER}-*")) - {self._member}
            return sum(not self._expired(path) for path in members)

    def _generation(self, name: str) -> int:
        """The latest generation of a lease, 0 if it was never taken."""
        now = time.monotonic()
        if now - self._listed >= LISTING_SECONDS:
            self._listed = now
            for path in self.folder.iterdir():
                known = self._generations.get(path.stem, 0)
                self._generations[path.stem] = max(known, int(path.suffix[1:]))
        return self._generations.get(name, 0)

    def _path(self, name: str, generation: int) -> Path:
        return self.folder / f"{name}.{generation}"

    def _expired(self, path: Path) -> bool:
        """Whether a file is older, by the disk's own clock, than a lease lasts."""
        try:
            then = _time_of(path)
        except FileNotFoundError:
            return True
        os.utime(self._member)
        return _time_of(self._member) - then > LEASE_SECONDS

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / RENEWALS):
            for path in (self._member, *list(self._held.values())):
                with suppress(OSError):  # a disk that is away for longer lets leases expire
                    os.utime(path)


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))


def _time_of(path: Path) -> float:
    """When a file was last touched; opening it has a network disk ask its server."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
