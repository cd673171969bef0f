"""The folder beside the output that makes a job resumable.

OUT.zip.work/
settings.json       what the job was told; another job's settings are refused
captions.csv        the captions so far, which a person may edit
paintings/00012/    a finished chunk: its paintings and chunk.json, renamed into place whole
packed.zip          the whole zip, just before it is renamed to OUT.zip
publishing          stands from just before that rename to the end of the job
replacing           the job was begun with leave to replace an existing OUT.zip
lock                held by the process that works here
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import filelock

from monetize.captions import captions_to_csv, read_captions
from monetize.errors import UsageError, name_some
from monetize.settings import flag
from monetize.storage import explained, flush_folder, flush_to_disk, write_bytes


class Workspace:
    """A job's folder, locked against a second process for as long as the `with` block lasts."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.with_name(out.name + ".work")
        self.captions_file = self.folder / "captions.csv"
        self._settings_file = self.folder / "settings.json"
        self.packed_file = self.folder / "packed.zip"
        self._publishing = self.folder / "publishing"
        self._replacing = self.folder / "replacing"
        self._paintings = self.folder / "paintings"
        self._lock_file = self.folder / "lock"
        self._lock = filelock.FileLock(self._lock_file)

    def __enter__(self) -> "Workspace":
        if self.folder.exists() and not self._lock_file.exists() and any(self.folder.iterdir()):
            raise UsageError(f"{self.folder} is in the way: it is not a workspace of monetize")
        with explained(self.folder):
            self.folder.mkdir(exist_ok=True)
            try:
                self._lock.acquire(blocking=False)
            except filelock.Timeout:
                raise UsageError(
                    f"{self.out} is being made by another monetize run at this moment "
                    f"({self.folder} is locked)"
                ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()
        if not self.started:
            self._lock_file.unlink(missing_ok=True)
            with suppress(OSError):  # another process may have just begun here
                self.folder.rmdir()

    @property
    def started(self) -> bool:
        """Whether a job has begun here, in this or an earlier process."""
        return self._settings_file.exists()

    @property
    def may_replace(self) -> bool:
        """Whether the job may put its zip in the place of one that exists."""
        return self._replacing.exists() or self.published

    def start_afresh(self) -> None:
        """Forget the job that was here, and let the new one replace an existing zip."""
        self.clear()
        with explained(self.folder):
            self._replacing.touch()

    def clear(self) -> None:
        """Forget the job that was here."""
        with explained(self.folder):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path != self._lock_file:
                    path.unlink()

    def claim(self, fingerprint: Mapping[str, Any]) -> None:
        """Begin a job with these settings, or go on with it.

        Raises UsageError that names every setting which differs from those it began with.
        """
        wanted = json.loads(json.dumps(fingerprint))
        if not self.started:
            write_bytes(self._settings_file, json.dumps(wanted, indent=1).encode())
            return
        begun = json.loads(self._settings_file.read_bytes())
        differences = [
            _difference(name, begun.get(name), wanted.get(name))
            for name in dict.fromkeys([*begun, *wanted])
            if begun.get(name) != wanted.get(name)
        ]
        if differences:
            raise UsageError(
                f"{self.folder} holds a job that was begun with other settings:\n"
                + "\n".join(f"  {line}" for line in differences)
                + "\nGive those settings to go on with it, --overwrite to start afresh, "
                "or another output."
            )

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
        with explained(final):
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

    def publish(self) -> None:
        """Rename the whole zip to the output's name."""
        with explained(self.out):
            self._publishing.touch()
            self.packed_file.replace(self.out)
            flush_folder(self.out.parent)

    @property
    def published(self) -> bool:
        """Whether the job was cut off between the zip's rename and its end."""
        return self._publishing.exists() and self.out.exists() and not self.packed_file.exists()

    def finish(self, *, keep: bool) -> None:
        """End the job: forget it, or keep it for a later look or repair."""
        if keep:
            for mark in (self._publishing, self._replacing):
                mark.unlink(missing_ok=True)
        else:
            self.clear()


def _difference(name: str, begun: Any, wanted: Any) -> str:
    if isinstance(begun, list) and isinstance(wanted, list) and name == "photos":
        gone = [key for key in begun if key not in set(wanted)]
        new = [key for key in wanted if key not in set(begun)]
        return f"photos: {len(gone)} gone ({name_some(gone)}), {len(new)} new ({name_some(new)})"
    return f"{flag(name)}: {begun!r} then, {wanted!r} now"
