"""The folder beside the output that makes a job resumable.

OUT.zip.work/ holds

- job.json: what the job was told, and how far its end has come
- captions.csv: the captions so far, which a person may edit
- paintings/00012/: a finished chunk, its paintings and chunk.json, renamed into place whole
- packed.*: zip and reports, just before they are renamed to their final names
- lock: held by the process that works here
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import filelock

from monetize.atomic_files import flush_folder, flush_to_disk, write_bytes
from monetize.captioning.caption_table import captions_to_csv, read_captions
from monetize.errors import InputError, UsageError
from monetize.file_errors import explain_write_errors
from monetize.job.outcome import Outcome
from monetize.messages import name_some

PHOTOS = "photos"


class Workspace:
    """A job's folder, locked against a second process for as long as the `with` block lasts."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.with_name(out.name + ".work")
        self.captions_file = self.folder / "captions.csv"
        self._job_file = self.folder / "job.json"
        self._paintings = self.folder / "paintings"
        self._lock_file = self.folder / "lock"
        self._lock = filelock.FileLock(self._lock_file)
        self._began = False  # rather than went on with a job that was there

    def __enter__(self) -> "Workspace":
        folder = self.folder
        with explain_write_errors(folder):
            is_ours = folder.is_dir() and (self._lock_file.exists() or not any(folder.iterdir()))
            if folder.exists() and not is_ours:
                raise UsageError(f"{folder} is in the way: it is not a workspace of monetize")
            folder.mkdir(exist_ok=True)
            try:
                self._lock.acquire(blocking=False)
            except filelock.Timeout:
                raise UsageError(
                    f"{self.out} is being made by another monetize run at this moment "
                    f"({folder} is locked)"
                ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = {path for path in self.folder.iterdir() if path != self._lock_file}
        refused = isinstance(error, UsageError | InputError)
        if refused and self._began and left == {self._job_file}:
            self._job_file.unlink()  # what was refused before anything was made is no job
            left.clear()
        if not left:
            self._lock_file.unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):  # not empty: there is a job to go on with
            self.folder.rmdir()

    @property
    def started(self) -> bool:
        """Whether a job has begun here, in this or an earlier process."""
        return self._job_file.exists()

    @property
    def may_replace(self) -> bool:
        """Whether the job was given leave to replace an existing output, or had begun to."""
        job = self._job() if self.started else {}
        return bool(job.get("overwrite") or job.get("publishing"))

    @property
    def published(self) -> Outcome | None:
        """The outcome of a job that was cut off between its last rename and its end."""
        job = self._job() if self.started else {}
        whole = self.out.exists() and not self.packed(self.out).exists()
        outcome = job.get("publishing")
        return Outcome.from_json(outcome) if outcome and whole else None

    def begin(
        self, settings: Mapping[str, Any], versions: Mapping[str, str], *, overwrite: bool = False
    ) -> list[str]:
        """Begin a job with these settings, or go on with it.

        Returns the versions that have changed since it began, in words. Raises UsageError that
        names every setting which differs from those it began with; overwrite forgets them.
        """
        if overwrite:
            self._clear()
        wanted = json.loads(json.dumps(settings))
        if not self.started:
            job = {"settings": wanted, "versions": dict(versions), "overwrite": overwrite}
            self._save_job(job)
            self._began = True
            return []
        job = self._job()
        differences = _differences(job["settings"], wanted)
        if differences:
            raise UsageError(
                f"{self.folder} holds a job that was begun with other settings:",
                *(f"  {line}" for line in differences),
                "Give those settings to go on with it, --overwrite to start afresh, "
                "or another output.",
            )
        return _differences(job["versions"], dict(versions))

    def captions(self) -> dict[str, str]:
        """The captions made so far, as edited; raises InputError for a broken file."""
        return read_captions(self.captions_file) if self.captions_file.exists() else {}

    def save_captions(self, captions: Mapping[str, str]) -> None:
        """Put captions.csv in place as a whole."""
        write_bytes(self.captions_file, captions_to_csv(captions))

    def painting(self, chunk: int, name: str) -> Path:
        """Where a finished chunk has the painting of that name."""
        return self._paintings / f"{chunk:05d}" / name

    def chunk(self, number: int) -> dict[str, Any] | None:
        """The record of a finished chunk, None while it is not finished."""
        path = self.painting(number, "chunk.json")
        record: dict[str, Any] | None = json.loads(path.read_bytes()) if path.exists() else None
        return record

    def painted(self) -> int:
        """How many paintings the finished chunks hold."""
        return sum(1 for _ in self._paintings.glob("[0-9]*[0-9]/*.jpg"))

    def save_chunk(
        self, number: int, record: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> None:
        """Make a chunk's paintings and its record visible at once, replacing an older version."""
        final = self.painting(number, "chunk.json").parent
        temporary = final.with_name(final.name + ".part")
        with explain_write_errors(final):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            texts = {"chunk.json": json.dumps(record, indent=1).encode()}
            for name, data in {**files, **texts}.items():
                with (temporary / name).open("wb") as file:
                    file.write(data)
                    flush_to_disk(file)
            flush_folder(temporary)
            shutil.rmtree(final, ignore_errors=True)
            temporary.replace(final)
            flush_folder(final.parent)

    def packed(self, output: Path) -> Path:
        """Where an output is made before it gets its final name."""
        return self.folder / f"packed{output.suffix}"

    def publish(self, reports: tuple[Path, ...], outcome: Outcome) -> None:
        """Rename the packed reports and, last, the packed zip to their final names.

        Raises UsageError if one of these names was taken since the job began.
        """
        ours = reports if self._job().get("reported") else ()
        for path in (*reports, self.out):
            if path.exists() and path not in ours and not self.may_replace:
                raise UsageError(
                    f"{path} was put there while the job ran: move it away, and the same command "
                    "goes on from there"
                )
        self._save_job({**self._job(), "publishing": outcome.to_json()})
        with explain_write_errors(self.out):
            for path in (*reports, self.out):
                self.packed(path).replace(path)
            flush_folder(self.out.parent)

    def finish(self, *, keep: bool) -> None:
        """End the job: forget it, or keep it for a later look or repair."""
        if keep:
            end = {"overwrite": False, "publishing": None, "reported": True}
            self._save_job({**self._job(), **end})
        else:
            self._clear()

    def _job(self) -> dict[str, Any]:
        job: dict[str, Any] = json.loads(self._job_file.read_bytes())
        return job

    def _save_job(self, job: Mapping[str, Any]) -> None:
        write_bytes(self._job_file, json.dumps(job, indent=1).encode())

    def _clear(self) -> None:
        # job.json goes last: until then this is the old job, whatever it still has.
        with explain_write_errors(self.folder):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path not in (self._lock_file, self._job_file):
                    path.unlink()
            flush_folder(self.folder)
            self._job_file.unlink(missing_ok=True)


def _differences(begun: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [
        _difference(name, begun.get(name), wanted.get(name))
        for name in dict.fromkeys([*begun, *wanted])
        if begun.get(name) != wanted.get(name)
    ]


def _difference(name: str, begun: Any, wanted: Any) -> str:
    if name == PHOTOS:
        gone = [key for key in begun if key not in set(wanted)]
        new = [key for key in wanted if key not in set(begun)]
        parts = [f"{len(gone)} gone ({name_some(gone)})"] if gone else []
        parts += [f"{len(new)} new ({name_some(new)})"] if new else []
        return f"{name} (see --limit, --recursive): {', '.join(parts)}"
    return f"{name}: {_shown(begun)} then, {_shown(wanted)} now"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "none" if value in (None, "") else str(value)
