"""The captioner's own caption of each photo, one per line, appended as the job runs.

Captions may be edited in captions.csv; this log shows which were, and whether a photo is still the
one that was captioned.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from monetize.atomic_files import flush_to_disk
from monetize.errors import PhotoError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.images.reading import FileVersion, file_version, read_file
from monetize.job.sealed_json import read_sealed, seal, unseal, write_sealed
from monetize.stores.remote_path import AnyPath


@dataclass(frozen=True)
class PhotoRecord:
    """A photo's file: its `FileVersion`, and the SHA-256 of its content.

    `mtime_ns` is the version; logs have always had it under this name.
    """

    size: int
    mtime_ns: int | str
    sha256: str

    @classmethod
    def of(cls, data: bytes, version: FileVersion) -> "PhotoRecord":
        """The record of a photo that was read."""
        return cls(version.size, version.version, hashlib.sha256(data).hexdigest())

    def describes(self, path: AnyPath) -> bool:
        """Whether a file still has this content; it is read only if its version differs.

        Raises ReadError.
        """
        try:
            version = file_version(path)
            if version.version != "" and version == FileVersion(self.size, self.mtime_ns):
                return True
            return hashlib.sha256(read_file(path)).hexdigest() == self.sha256
        except (OSError, PhotoError):
            return True  # whatever reads the photo will say why it cannot


@dataclass(frozen=True)
class CaptionedPhoto:
    """A photo's record and its caption; `captioner` identifies the model and its settings."""

    photo: str
    record: PhotoRecord
    caption: str
    captioner: str

    def line(self) -> bytes:
        """One line for the log."""
        return seal(asdict(self)) + b"\n"

    @classmethod
    def of_line(cls, line: str) -> "CaptionedPhoto | None":
        """The inverse of `line`; None if the line is damaged."""
        values = unseal(line)
        if values is None:
            return None
        return cls(**{**values, "record": PhotoRecord(**values["record"])})


class SharedCaptions:
    """Captions of a job that several processes work on: a file for each finished chunk.

    Each appears at once, and has the entries and why other photos of the chunk have none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, number: int) -> bool:
        """Whether a chunk is done."""
        return self._path(number).exists()

    def save(
        self, number: int, entries: Iterable[CaptionedPhoto], unreadable: Mapping[str, str]
    ) -> None:
        """Finish a chunk; raises StorageError."""
        with explain_write_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
        lines = [entry.line().decode() for entry in entries]
        write_sealed(self._path(number), {"lines": lines, "unreadable": dict(unreadable)})

    def load(self) -> tuple[list[CaptionedPhoto], dict[str, str]]:
        """The entries, and {photo: why it has none}; raises StorageError."""
        entries, unreadable = list[CaptionedPhoto](), dict[str, str]()
        for path in sorted(self._folder.glob("*.json")):
            content = read_sealed(path)
            if content is not None:
                entries += filter(None, map(CaptionedPhoto.of_line, content["lines"]))
                unreadable |= content["unreadable"]
        return entries, unreadable

    def move_to(self, log: "CaptionLog") -> None:
        """Append all entries to a log, and remove the files; raises StorageError."""
        entries, _ = self.load()
        if entries:
            log.append(entries)
        with explain_write_errors(self._folder):
            if self._folder.exists():
                shutil.rmtree(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05d}.json"


class CaptionLog:
    """The file of a job's log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, captioner: str) -> dict[str, CaptionedPhoto]:
        """The latest entry of each photo by this captioner; raises StorageError.

        A damaged line, such as the last one after a power cut, is ignored.
        """
        with explain_read_errors(self.path):
            try:
                text = self.path.read_text("utf-8", errors="replace")
            except FileNotFoundError:
                return {}
        entries = filter(None, map(CaptionedPhoto.of_line, text.splitlines()))
        return {entry.photo: entry for entry in entries if entry.captioner == captioner}

    def append(self, entries: Iterable[CaptionedPhoto]) -> None:
        """Add entries, and make sure that they survive a power cut; raises StorageError."""
        with explain_write_errors(self.path), self.path.open("ab") as file:
            # A line that was cut off must not swallow the next one.
            file.write(b"\n" + b"".join(entry.line() for entry in entries))
            flush_to_disk(file)
