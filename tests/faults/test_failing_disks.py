"""A job in which each operation on files fails in turn, or is the last one before a kill.

Whatever fails, one line says so, nothing half-written is left under a final name, and the same
command then writes the same bytes as an undisturbed job.
"""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers import Run, Tiny, names
from PIL import Image

OPERATIONS = (
    (io, "open"), (os, "open"), (os, "replace"), (os, "fsync"), (os, "mkdir"), (os, "unlink"),
    (os, "rmdir"), (os, "listdir"), (os, "scandir"),
)  # fmt: skip
KILLED = 9
REASONS = (errno.ENOSPC, errno.EIO, errno.EMFILE)
# Of each reason, in the default run; -m slow takes all of them.
SAMPLED = 5
Job = Callable[[Path], Any]


class Disk:
    """Counts operations on files below a folder; one of them fails, or kills the process."""

    def __init__(self, folder: Path, fail_at: int | None = None, number: int = 0) -> None:
        self.folder = str(folder)
        self.fail_at = fail_at
        self.number = number
        self.count = 0

    def around(self, operation: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The operation, counted."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            # A descriptor does not tell its path; only this job syncs files here.
            if name == "fsync" or (args and str(args[0]).startswith(self.folder)):
                self.count += 1
                if self.count - 1 == self.fail_at:
                    if not self.number:
                        os._exit(KILLED)
                    raise OSError(self.number, os.strerror(self.number), str(args[0]))
            return operation(*args, **kwargs)

        return counted


@contextmanager
def disk(folder: Path, **options: int) -> Iterator[Disk]:
    watched = Disk(folder, **options)
    with pytest.MonkeyPatch.context() as patch:
        for module, name in OPERATIONS:
            patch.setattr(module, name, watched.around(getattr(module, name), name))
        yield watched


@pytest.fixture
def job(cli: Run, tiny: Tiny, tmp_path: Path) -> Job:
    """Run a job of two photos into a folder."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (20, 20), name).save(photos / f"{name}.png")

    def run(folder: Path) -> Any:
        return cli("run", photos, folder / "a.zip", *tiny.flags, "--steps", 1, "--keep-work")

    return run


def check(job: Job, tmp_path: Path, whole: bytes, *, at: int, number: int) -> None:
    folder = tmp_path / f"{number}-{at}"
    folder.mkdir()
    with disk(folder, fail_at=at, number=number) as watched:
        failed = job(folder)  # an error that is no message of ours would be raised here
    assert watched.count > at, "nothing failed"
    where = f"operation {at}, {errno.errorcode[number]}: {failed.stderr[-400:]}"
    if failed.exit_code:
        assert failed.exit_code in (1, 2), where
        assert failed.stderr.splitlines()[-1].startswith("Error: "), where
    else:
        assert (folder / "a.zip").read_bytes() == whole, where
    if not (folder / "a.zip").exists():
        again = job(folder)
        assert again.exit_code == 0, f"{where}\n{again.stderr[-400:]}"
    assert (folder / "a.zip").read_bytes() == whole, where
    assert not [name for name in names(folder) if name.endswith(".part")], where


def check_killed(job: Job, tmp_path: Path, whole: bytes, *, at: int) -> None:
    folder = tmp_path / f"killed-{at}"
    folder.mkdir()
    child = os.fork()
    if child == 0:
        with disk(folder, fail_at=at):
            job(folder)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    again = job(folder)
    published = again.exit_code == 2 and "a.zip exists" in again.stderr
    assert again.exit_code == 0 or published, f"operation {at}: {again.stderr[-400:]}"
    assert (folder / "a.zip").read_bytes() == whole, f"operation {at}"


def count(job: Job, tmp_path: Path) -> tuple[bytes, int]:
    """The bytes of an undisturbed job, and how many operations it takes."""
    folder = tmp_path / "whole"
    folder.mkdir()
    with disk(folder) as watched:
        assert job(folder).exit_code == 0
    return (folder / "a.zip").read_bytes(), watched.count


@pytest.mark.parametrize("number", REASONS, ids=lambda number: errno.errorcode[number])
def test_a_failed_operation_loses_nothing(job: Job, tmp_path: Path, number: int) -> None:
    whole, operations = count(job, tmp_path)
    offset = REASONS.index(number)
    for i in range(SAMPLED):
        at = (i * operations + offset * operations // len(REASONS)) // SAMPLED
        check(job, tmp_path, whole, at=min(at, operations - 1), number=number)


def test_a_killed_job_loses_nothing(job: Job, tmp_path: Path) -> None:
    whole, operations = count(job, tmp_path)
    for i in range(2 * SAMPLED):
        check_killed(job, tmp_path, whole, at=i * operations // (2 * SAMPLED))


@pytest.mark.slow
@pytest.mark.parametrize("number", REASONS, ids=lambda number: errno.errorcode[number])
def test_every_failed_operation_loses_nothing(job: Job, tmp_path: Path, number: int) -> None:
    whole, operations = count(job, tmp_path)
    for at in range(operations):
        check(job, tmp_path, whole, at=at, number=number)


@pytest.mark.slow
def test_a_job_killed_at_every_operation_loses_nothing(job: Job, tmp_path: Path) -> None:
    whole, operations = count(job, tmp_path)
    for at in range(operations):
        check_killed(job, tmp_path, whole, at=at)
