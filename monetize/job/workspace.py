"""The folder next to the output that makes a job resumable.

OUT.zip.work/ holds

- job.json: the job's settings and photos, and how far publishing its outputs has come
- captions.csv: the captions so far, which a person may edit
- captions.jsonl: the captioner's own caption of each photo
- paintings/: finished chunks, see `painting_store.py`
- packed.*: zip and reports, just before they are renamed to their final names
- lock: held by the process that works here
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from monetize.atomic_files import flush_folder, write_bytes
from monetize.captioning.caption_table import captions_to_csv, read_captions_of
from monetize.errors import InputError, UsageError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.job.caption_log import CaptionLog
from monetize.job.changes import check_settings, differences, photo_changes
from monetize.job.outcome import Outcome
from monetize.job.painting_store import PaintingStore
from monetize.job.sealed_json import read_sealed, write_sealed
from monetize.job.workspace_lock import WorkspaceLock
from monetize.messages import printable

JOB, LOCK, CAPTIONS, LOG, PAINTINGS = (
    "job.json", "lock", "captions.csv", "captions.jsonl", "paintings",
)  # fmt: skip


class Workspace:
    """A job's folder, locked against a second process for as long as the `with` block lasts."""

    def __init__(self, out: Path, last: Path | None = None) -> None:
        """`last` is the output that is published last, by default `out` itself."""
        self.out = out
        self._last = last or out
        self.folder = out.with_name(out.name + ".work")
        self.captions_file = self.folder / CAPTIONS
        self.caption_log = CaptionLog(self.folder / LOG)
        self.paintings = PaintingStore(self.folder / PAINTINGS)
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
            if not self._lock.acquire():
                raise UsageError(
                    f"{printable(self.out)} is being written by another monetize run right now "
                    f"({printable(folder)} is locked)"
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            left = self._names() - {LOCK}
            if isinstance(error, UsageError | InputError) and self._began and left == {JOB}:
                # A job that was refused before it made anything does not count.
                with explain_write_errors(self._job_file):
                    self._job_file.unlink()
                left.clear()
        finally:
            self._lock.release()
        if not left:
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
        changes = []
        if self.started and not (job := self._job()):
            changes.append(f"{printable(self._job_file)} was damaged and is written again")
        elif self.started:
            check_settings(self.folder, job["settings"], json.loads(json.dumps(settings)))
            changes = [
                *photo_changes(job["photos"], photos),
                *differences(job["versions"], versions),
            ]
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
        return changes

    @property
    def batch_plan(self) -> Mapping[str, Any] | None:
        """How the paintings so far were batched; None before the first."""
        return self._job().get("batch_plan")

    def keep_batch_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep how a job's paintings are batched, so that it continues in the same way."""
        if self.batch_plan is None:
            self._save_job({**self._job(), "batch_plan": dict(plan)})

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
        self._save_job({**self._job(), "publishing": outcome.to_json()})

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
        if keep:
            end = {"overwrite": False, "publishing": None, "reported": True}
            self._save_job({**self._job(), **end})
        else:
            self._clear()

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
