"""The folder next to the output that makes a job resumable.

OUT.zip.work/ holds

- job.json: settings, photos and how far publishing has come, see `job_record.py`
- captions.csv: the captions so far, which a person may edit
- captions.jsonl: the captioner's own caption of each photo
- paintings/: finished chunks, see `painting_store.py`
- packed.*: zip and reports, just before they get their final names
- finished.*: those of an earlier job in a store, while they are imported
- lock and leases/: who works here, see `workspace_access.py`
- captioned/: captions by several processes that have joined
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from monetize.atomic_files import flush_folder, write_bytes
from monetize.captioning.caption_table import captions_to_csv, read_captions_of
from monetize.errors import InputError, UsageError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.job.caption_log import CaptionLog, SharedCaptions
from monetize.job.destinations import Destination
from monetize.job.job_record import JobRecord
from monetize.job.outcome import Outcome
from monetize.job.painting_store import PaintingStore
from monetize.job.workspace_access import LEASES, LOCK, WorkspaceAccess
from monetize.messages import printable
from monetize.progress import Reporter

JOB, CAPTIONS, LOG, PAINTINGS, CAPTIONED = (
    "job.json", "captions.csv", "captions.jsonl", "paintings", "captioned",
)  # fmt: skip


class Workspace:
    """A job's folder, locked against a second process for as long as the `with` block lasts.

    Processes that `join` share it instead, and have `leases` on their parts of the work.
    """

    def __init__(
        self,
        out: Path,
        last: Path | None = None,
        *,
        join: bool = False,
        destination: Destination | None = None,
    ) -> None:
        """`last` is the output that is published last, by default `out` itself."""
        self.out = out
        self._last = last or out
        self._destination = destination or Destination()
        self.folder = out.with_name(out.name + ".work")
        self.captions_file = self.folder / CAPTIONS
        self.caption_log = CaptionLog(self.folder / LOG)
        self.shared_captions = SharedCaptions(self.folder / CAPTIONED)
        self._access = WorkspaceAccess(self._destination.locate(out), self.folder, join=join)
        self.leases = self._access.leases
        self.record = JobRecord(self.folder / JOB, self._access)
        writer = f".{self.leases.name}" if self.leases else ""
        self.paintings = PaintingStore(self.folder / PAINTINGS, writer)
        self._began = False  # a new job, rather than a resumed one

    def __enter__(self) -> "Workspace":
        folder = self.folder
        if folder.exists() and not self._is_ours():
            raise UsageError(f"{printable(folder)} is in the way: it is not monetize's workspace")
        with explain_write_errors(folder):
            if not folder.is_dir():
                folder.mkdir()
                flush_folder(folder.parent)
        self._access.enter(lambda: self.shared_captions.move_to(self.caption_log))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        others = self._access.others()
        self._access.end_leases()
        try:
            left = self._names() - {LOCK, LEASES}
            if others:
                return
            if isinstance(error, UsageError | InputError) and self._began and left == {JOB}:
                # A job that was refused before it made anything does not count.
                self.record.remove()
                left.clear()
        finally:
            self._access.release()
        if not left:
            self._access.remove_folder()

    def remove_leftover(self) -> None:
        """Remove the folder of a job that was killed after it was done, if there is one."""
        if self.folder.is_dir() and self._names() <= {LOCK} and self._access.is_free():
            self._access.remove_folder()

    @property
    def published(self) -> Outcome | None:
        """The outcome of a job that was cut off between its last rename and its end."""
        outcome = self.record.publishing
        if outcome is None or self.packed(self._last).exists():
            return None
        return outcome if self._destination.exists(self._last) else None

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
        UsageError for the work of another output, and that names every setting which differs from
        those it began with; `overwrite` deletes that job, `update` allows replacing a finished zip.
        """
        self.record.check_out(settings)
        if overwrite:
            self._clear()
        is_new = not self.record.started
        if self.leases and is_new and self._destination.exists(self._last):
            name = printable(self._destination.locate(self.out))
            raise UsageError(f"{name} has just been finished by another machine")
        changes = self.record.begin(settings, photos, versions, may_replace=overwrite or update)
        self._began = is_new
        self._access.admit_others()
        return changes

    def captions(self) -> dict[str, str] | None:
        """The captions so far, as edited, or None; raises InputError for a broken file.

        An editor may change the Unicode form of names, which are the photos' own here.
        """
        if not self.captions_file.exists():
            return None
        try:
            return read_captions_of(self.record.photos, self.captions_file)
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
            if self._destination.exists(path) and not self.record.may_replace:
                name = printable(self._destination.locate(path))
                raise UsageError(
                    f"{name} appeared while the job ran: move it away, and the same command "
                    "continues from there"
                )
        self.record.update(publishing=outcome.to_json())

    def publish(self, reports: tuple[Path, ...], outcome: Outcome, reporter: Reporter) -> None:
        """Give the packed reports and, last, the packed zip their final names.

        Raises UsageError if one of these names was taken since the job began.
        """
        ours = reports if self.record.reported else ()
        paths = (*reports, self.out)
        self.begin_publishing([path for path in paths if path not in ours], outcome)
        self._destination.publish([(self.packed(path), path) for path in paths], reporter)

    def finish(self, *, keep: bool) -> None:
        """End the job: delete it, or keep it for a later look or repair."""
        self._access.wait_for_others()
        if keep:
            self.record.update(overwrite=False, publishing=None, reported=True)
        else:
            self._clear()

    def _is_ours(self) -> bool:
        names = self._names() if self.folder.is_dir() else {""}
        return bool(names & {JOB, LOCK, LOG}) or not names

    def _names(self) -> set[str]:
        with explain_read_errors(self.folder):
            return {path.name for path in self.folder.iterdir()}

    def _clear(self) -> None:
        # job.json goes last: until then this is the old job, whatever is left of it.
        with explain_write_errors(self.folder):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in (LOCK, JOB):
                    path.unlink()
            flush_folder(self.folder)
        self.record.remove()
