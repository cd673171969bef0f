"""The folder next to the output that makes a job resumable.

OUT.zip.work/ holds

- job.json: the job's settings and photos, and how far publishing its outputs has come
- captions.csv: the captions so far, which a person may edit
- captions.jsonl: the captioner's own caption of each photo
- paintings/: finished chunks, see `painting_store.py`
- packed.*: zip and reports, just before they are renamed to their final names
- lock: held by the process that works here
- leases/: who does what, and captioned/: captions, where several processes have joined
"""

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from monetize.atomic_files import flush_folder, write_bytes
from monetize.captioning.caption_table import captions_to_csv, read_captions_of
from monetize.errors import InputError, UsageError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.job.caption_log import CaptionLog, SharedCaptions
from monetize.job.changes import check_settings, differences, photo_changes
from monetize.job.leases import LEASE_SECONDS, Leases
from monetize.job.outcome import Outcome
from monetize.job.painting_store import PaintingStore
from monetize.job.sealed_json import read_sealed, write_sealed
from monetize.job.workspace_lock import WorkspaceLock
from monetize.messages import printable

JOB, LOCK, CAPTIONS, LOG, PAINTINGS, LEASES, CAPTIONED = (
    "job.json", "lock", "captions.csv", "captions.jsonl", "paintings", "leases", "captioned",
)  # fmt: skip
# For as long as one process looks at what is there when it joins, or changes job.json.
LOCKED_SECONDS = 60.0
POLL_SECONDS = 0.5


class Workspace:
    """A job's folder, locked against a second process for as long as the `with` block lasts.

    Processes that `join` share it, and have `leases` on their parts of the work instead.
    """

    def __init__(self, out: Path, last: Path | None = None, *, join: bool = False) -> None:
        """`last` is the output that is published last, by default `out` itself."""
        self.out = out
        self._last = last or out
        self.folder = out.with_name(out.name + ".work")
        self.captions_file = self.folder / CAPTIONS
        self.caption_log = CaptionLog(self.folder / LOG)
        self.shared_captions = SharedCaptions(self.folder / CAPTIONED)
        self.leases = Leases(self.folder / LEASES) if join else None
        writer = f".{self.leases.name}" if self.leases else ""
        self.paintings = PaintingStore(self.folder / PAINTINGS, writer)
        self._job_file = self.folder / JOB
        self._lock = WorkspaceLock(self.folder / LOCK)
        self._began = False  # a new job, rather than resumed one

    def __enter__(self) -> "Workspace":
        folder = self.folder
        if folder.exists() and not self._is_ours():
            raise UsageError(f"{printable(folder)} is in the way: it is not monetize's workspace")
        with explain_write_errors(folder):
            if not folder.is_dir():
                folder.mkdir()
                flush_folder(folder.parent)
            self._acquire()
        try:
            self._enter_locked()
        except BaseException:
            self._lock.release()
            raise
        return self

    def _acquire(self) -> None:
        """Take the lock; processes that have joined hold it for moments only."""
        deadline = time.monotonic() + (LOCKED_SECONDS if self.leases else 0.0)
        while not self._lock.acquire():
            if time.monotonic() >= deadline:
                raise UsageError(
                    f"{printable(self.out)} is being written by another monetize run right now "
                    f"({printable(self.folder)} is locked)"
                )
            time.sleep(POLL_SECONDS)

    def _enter_locked(self) -> None:
        """Join those who are at work, or clear up what such processes have left."""
        folder = self.folder / LEASES
        if folder.exists():
            with Leases(folder) as probe:
                others = probe.others()
            if others and not self.leases:
                raise UsageError(
                    f"{printable(self.out)} is being written by {others} of monetize run --join: "
                    f"use --join, too, or wait {LEASE_SECONDS:.0f} seconds after the last has ended"
                )
            if not others:
                with explain_write_errors(folder):
                    shutil.rmtree(folder)
                entries, _, _ = self.shared_captions.load()
                if entries:
                    self.caption_log.append(entries)
                self.shared_captions.clear()
        if self.leases:
            self.leases.__enter__()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep processes that have joined from changing job.json at the same time."""
        if not self.leases:
            yield
            return
        with explain_write_errors(self.folder):
            self._acquire()
        try:
            yield
        finally:
            self._lock.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        others = 0
        if self.leases:
            others = self.leases.others() if self.leases.folder.exists() else 0
            self.leases.__exit__()
        try:
            left = self._names() - {LOCK, LEASES}
            if others:
                return
            if isinstance(error, UsageError | InputError) and self._began and left == {JOB}:
                # A job that was refused before it made anything does not count.
                with explain_write_errors(self._job_file):
                    self._job_file.unlink()
                left.clear()
        finally:
            self._lock.release()
        if not left:
            shutil.rmtree(self.folder / LEASES, ignore_errors=True)
            self._lock.remove()
            with suppress(OSError):  # another process may have begun here
                self.folder.rmdir()

    def remove_leftover(self) -> None:
        """Remove the folder of a job that was killed after it was done, if there is one."""
        if self.folder.is_dir() and self._names() <= {LOCK} and self._lock.acquire():
            self._lock.release()
            self._lock.remove()
            with suppress(OSError):
                self.folder.rmdir()

    @property
    def started(self) -> bool:
        """Whether a job has begun here, in this or an earlier process."""
        return self._job_file.exists()

    @property
    def may_replace(self) -> bool:
        """Whether the job was allowed to replace an existing output, or had begun to."""
        job = self._job()
        return bool(job.get("overwrite") or job.get("publishing"))

    @property
    def reported(self) -> bool:
        """Whether the reports next to the output are those of this job."""
        return bool(self._job().get("reported"))

    @property
    def published(self) -> Outcome | None:
        """The outcome of a job that was cut off between its last rename and its end."""
        outcome = self._job().get("publishing")
        whole = self._last.exists() and not self.packed(self._last).exists()
        return Outcome.from_json(outcome) if outcome and whole else None

    def begin(
        self,
        settings: Mapping[str, Any],
        photos: Sequence[str],
        versions: Mapping[str, str],
        *,
        overwrite: bool = False,
        update: bool = False,
    ) -> list[str]:
        """Begin a job with these settings, or continue it.

        Returns what is different since it began, in words: photos and library versions. Raises
        UsageError that names every setting which differs from those it began with; `overwrite`
        deletes that job, `update` allows replacing a finished zip.
        """
        if overwrite:
            self._clear()
        if self.leases and not self.started and self._last.exists():
            raise UsageError(f"{printable(self.out)} has just been finished by another machine")
        changes: list[str] = []
        if self.started and not (job := self._job()):
            changes.append(f"{printable(self._job_file)} was damaged and is written again")
        elif self.started:
            check_settings(self.folder, job["settings"], json.loads(json.dumps(settings)))
            changes = photo_changes(job["photos"], photos)
            if changes and self.leases and self.leases.others():
                raise UsageError(
                    f"{printable(self.folder)}: others work on other photos: stop them all first",
                    *(f"  {change}" for change in changes),
                )
            changes += differences(job["versions"], versions)
        self._began = not self.started
        before = self._job()
        self._save_job(
            {
                **before,
                "settings": settings,
                "photos": list(photos),
                "versions": before.get("versions", dict(versions)),
                "overwrite": overwrite or update or before.get("overwrite", False),
            }
        )
        if self.leases:
            self._lock.release()  # the next may join
        return changes

    @property
    def batch_plan(self) -> Mapping[str, Any] | None:
        """How the paintings so far were batched; None before the first."""
        return self._job().get("batch_plan")

    def keep_batch_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep how a job's paintings are batched, so that it continues in the same way."""
        if self.batch_plan is None:
            self._update_job(batch_plan=dict(plan))

    def captions(self) -> dict[str, str] | None:
        """The captions so far, as edited, or None; raises InputError for a broken file.

        An editor may change the Unicode form of names, which are the photos' own here.
        """
        if not self.captions_file.exists():
            return None
        try:
            return read_captions_of(self._job().get("photos", ()), self.captions_file)
        except InputError as error:
            raise InputError(
                f"{error} Or delete the file: the captioner's own captions are written to it again."
            ) from None

    def save_captions(self, captions: Mapping[str, str]) -> None:
        """Replace captions.csv."""
        write_bytes(self.captions_file, captions_to_csv(captions))

    def packed(self, output: Path) -> Path:
        """Where an output is written before it gets its final name."""
        return self.folder / f"packed{output.suffix}"

    def begin_publishing(self, paths: Iterable[Path], outcome: Outcome) -> None:
        """Record that outputs get their final names from now on, for `published`.

        Raises UsageError if one of these names was taken since the job began.
        """
        for path in paths:
            if path.exists() and not self.may_replace:
                raise UsageError(
                    f"{printable(path)} appeared while the job ran: move it away, and the "
                    "same command continues from there"
                )
        self._update_job(publishing=outcome.to_json())

    def publish(self, reports: tuple[Path, ...], outcome: Outcome) -> None:
        """Rename the packed reports and, last, the packed zip to their final names.

        Raises UsageError if one of these names was taken since the job began.
        """
        ours = reports if self.reported else ()
        paths = (*reports, self.out)
        self.begin_publishing([path for path in paths if path not in ours], outcome)
        with explain_write_errors(self.out):
            for path in paths:
                self.packed(path).replace(path)
            flush_folder(self.out.parent)

    def finish(self, *, keep: bool) -> None:
        """End the job: delete it, or keep it for a later look or repair."""
        if self.leases:
            self._wait_for_others(self.leases)
        if keep:
            self._update_job(overwrite=False, publishing=None, reported=True)
        else:
            self._clear()

    def _wait_for_others(self, leases: Leases) -> None:
        """Let others see how the job ended; those that have died count no longer in the end."""
        while leases.others():
            time.sleep(POLL_SECONDS)

    def _update_job(self, **values: Any) -> None:
        with self._locked():
            self._save_job({**self._job(), **values})

    def _is_ours(self) -> bool:
        names = self._names() if self.folder.is_dir() else {""}
        return bool(names & {JOB, LOCK, LOG}) or not names

    def _names(self) -> set[str]:
        with explain_read_errors(self.folder):
            return {path.name for path in self.folder.iterdir()}

    def _job(self) -> dict[str, Any]:
        """The content of job.json; empty if it is missing or damaged."""
        job: dict[str, Any] = read_sealed(self._job_file) or {}
        return job

    def _save_job(self, job: Mapping[str, Any]) -> None:
        write_sealed(self._job_file, job)

    def _clear(self) -> None:
        # job.json goes last: until then this is the old job, whatever is left of it.
        with explain_write_errors(self.folder):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in (LOCK, JOB):
                    path.unlink()
            flush_folder(self.folder)
            self._job_file.unlink(missing_ok=True)
