"""Finished paintings in the workspace, a folder for each chunk, identified by what they show.

paintings/00012-1f0c9a3b/ holds the JPEGs of a chunk and chunk.json, and appears by one rename.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monetize.atomic_files import flush_folder, flush_to_disk
from monetize.digests import sha256_of
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.job.sealed_json import read_sealed, seal

RECORD = "chunk.json"
# A disk syncs many files at once nearly as fast as one: 17 took 66 ms in turn, 5 to 15 in threads.
WRITERS = 8


@dataclass(frozen=True)
class SavedPainting:
    """A finished JPEG and what is reported about it.

    `settings` are the flags that a time budget changed, for a shell.
    """

    path: Path
    evaluations: int
    flagged: bool
    settings: str


@dataclass(frozen=True)
class SavedPaintings:
    """All finished paintings by identity, and the identities of each chunk that was painted.

    `damaged` counts the paintings, or records of chunks, that are no longer what was written.
    """

    paintings: Mapping[str, SavedPainting]
    chunks: frozenset[tuple[str, ...]]
    damaged: int


@dataclass(frozen=True)
class NewPainting:
    """A JPEG to save under its identity."""

    identity: str
    file: str
    data: bytes = field(repr=False)
    evaluations: int
    flagged: bool
    settings: str = ""

    def record(self) -> dict[str, Any]:
        """The painting's entry in the record of its chunk."""
        return {
            "identity": self.identity,
            "file": self.file,
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "evaluations": self.evaluations,
            "flagged": self.flagged,
            "settings": self.settings,
        }


class PaintingStore:
    """The folder of the finished chunks."""

    def __init__(self, folder: Path, writer: str = "") -> None:
        """`writer` names this process if there are others that write here."""
        self.folder = folder
        self._writer = writer

    def count(self) -> int:
        """How many paintings there are, damaged ones included; raises StorageError."""
        return sum(path.suffix == ".jpg" for chunk in self._chunks() for path in self._files(chunk))

    def names(self) -> set[str]:
        """The names of all chunks, as `chunk_name` gives them; raises StorageError."""
        return {path.name for path in self._chunks()}

    def has(self, name: str) -> bool:
        """Whether there is a chunk of this name."""
        return (self.folder / name).exists()

    def save(self, number: int, paintings: Sequence[NewPainting]) -> None:
        """Make a chunk visible as a whole; raises StorageError."""
        final = self.folder / chunk_name(number, [painting.identity for painting in paintings])
        temporary = final.with_name(f"{final.name}{self._writer}.part")
        with explain_write_errors(final):
            shutil.rmtree(temporary, ignore_errors=True)
            if not self.folder.exists():
                self.folder.mkdir()
                flush_folder(self.folder.parent)
            temporary.mkdir()
            files = {painting.file: painting.data for painting in paintings}
            record = seal([painting.record() for painting in paintings])
            contents = {temporary / name: data for name, data in {**files, RECORD: record}.items()}
            with ThreadPoolExecutor(WRITERS) as threads:
                list(threads.map(_write, contents.keys(), contents.values()))
            flush_folder(temporary)
            self._publish(temporary, final)
            flush_folder(self.folder)

    def _publish(self, temporary: Path, final: Path) -> None:
        if not self._writer or not _is_whole(final):
            shutil.rmtree(final, ignore_errors=True)
        try:
            temporary.replace(final)
        except OSError:
            if not self._writer or not final.is_dir():
                raise
            shutil.rmtree(temporary)  # another process has painted the same

    def load(self) -> SavedPaintings:
        """Read the records of all chunks and check every painting; raises StorageError."""
        found, chunks, damaged = dict[str, SavedPainting](), set[tuple[str, ...]](), 0
        for chunk in self._chunks():
            records = read_sealed(chunk / RECORD)
            if records is None:
                damaged += 1
                continue
            chunks.add(tuple(record["identity"] for record in records))
            for record in records:
                path = chunk / record["file"]
                if _is_intact(path, record["sha256"]):
                    found[record["identity"]] = SavedPainting(
                        path, record["evaluations"], record["flagged"], record["settings"]
                    )
                else:
                    damaged += 1
        return SavedPaintings(found, frozenset(chunks), damaged)

    def _chunks(self) -> list[Path]:
        """Finished chunks, in order."""
        if not self.folder.exists():
            return []
        return sorted(path for path in self._files(self.folder) if path.suffix != ".part")

    def _files(self, folder: Path) -> list[Path]:
        with explain_read_errors(folder):
            return list(folder.iterdir())


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        flush_to_disk(file)


def chunk_name(number: int, identities: Iterable[str]) -> str:
    """The name of a chunk with these paintings."""
    digest = hashlib.sha256("".join(identities).encode()).hexdigest()[:8]
    return f"{number:05d}-{digest}"


def _is_whole(chunk: Path) -> bool:
    """Whether all of a chunk is there and undamaged."""
    records = read_sealed(chunk / RECORD)
    return records is not None and all(
        _is_intact(chunk / record["file"], record["sha256"]) for record in records
    )


def _is_intact(path: Path, sha256: str) -> bool:
    with explain_read_errors(path):
        try:
            return sha256_of(path) == sha256
        except FileNotFoundError:
            return False
