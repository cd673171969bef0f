"""A job in which each operation on files fails in turn, or is the last one before a kill.

Whatever fails, one line says so, nothing half-written is left under a final name, and the same
command then writes the same bytes as an undisturbed job.
"""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
OUTS = ("a.zip", "painted")


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


@dataclass(frozen=True)
class Job:
    """A job of two photos; `out` is the name of its zip or of its folder of paintings."""

    command: Callable[..., Any]
    out: str

    def run(self, folder: Path) -> Any:
        """Run it with its outputs in a folder."""
        out = folder / self.out
        return self.command(*((out,) if out.suffix else ("--output-folder", out)))

    def result(self, folder: Path) -> object:
        """What it made there; None unless that has its final name."""
        out = folder / self.out
        if out.suffix:
            return out.read_bytes() if out.exists() else None
        files = {path.name: path.read_bytes() for path in out.glob("*") if path.suffix != ".json"}
        return files if "monetize.csv" in files else None


@pytest.fixture
def job(cli: Run, tiny: Tiny, tmp_path: Path, request: pytest.FixtureRequest) -> Job:
    """A job into a zip, or into what the test says."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (20, 20), name).save(photos / f"{name}.png")
    run = partial(cli, "run", photos, *tiny.flags, "--steps", 1, "--keep-work")
    return Job(run, getattr(request, "param", "a.zip"))


def check(job: Job, tmp_path: Path, whole: object, *, at: int, number: int) -> None:
    folder = tmp_path / f"{number}-{at}"
    folder.mkdir()
    with disk(folder, fail_at=at, number=number) as watched:
        failed = job.run(folder)  # an error that is no message of ours would be raised here
    assert watched.count > at, "nothing failed"
    where = f"operation {at}, {errno.errorcode[number]}: {failed.stderr[-400:]}"
    if failed.exit_code:
        assert failed.exit_code in (1, 2), where
        assert failed.stderr.splitlines()[-1].startswith("Error: "), where
    else:
        assert job.result(folder) == whole, where
    if job.result(folder) is None:
        again = job.run(folder)
        assert again.exit_code == 0, f"{where}\n{again.stderr[-400:]}"
    assert job.result(folder) == whole, where
    assert not [name for name in names(folder) if name.endswith(".part")], where


def check_killed(job: Job, tmp_path: Path, whole: object, *, at: int) -> None:
    folder = tmp_path / f"killed-{at}"
    folder.mkdir()
    child = os.fork()
    if child == 0:
        with disk(folder, fail_at=at):
            job.run(folder)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    again = job.run(folder)
    published = again.exit_code == 2 and f"{job.out} exists" in again.stderr
    assert again.exit_code == 0 or published, f"operation {at}: {again.stderr[-400:]}"
    assert job.result(folder) == whole, f"operation {at}"


def count(job: Job, tmp_path: Path) -> tuple[object, int]:
    """What an undisturbed job makes, and how many operations it takes."""
    folder = tmp_path / "whole"
    folder.mkdir()
    with disk(folder) as watched:
        assert job.run(folder).exit_code == 0
    return job.result(folder), watched.count


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
@pytest.mark.parametrize("job", OUTS, indirect=True)
@pytest.mark.parametrize("number", REASONS, ids=lambda number: errno.errorcode[number])
def test_every_failed_operation_loses_nothing(job: Job, tmp_path: Path, number: int) -> None:
    whole, operations = count(job, tmp_path)
    for at in range(operations):
        check(job, tmp_path, whole, at=at, number=number)


@pytest.mark.slow
@pytest.mark.parametrize("job", OUTS, indirect=True)
def test_a_job_killed_at_every_operation_loses_nothing(job: Job, tmp_path: Path) -> None:
    whole, operations = count(job, tmp_path)
    for at in range(operations):
        check_killed(job, tmp_path, whole, at=at)
