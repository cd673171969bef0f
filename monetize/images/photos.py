"""Find the photos of a folder."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from monetize.errors import InputError
from monetize.file_errors import reason
from monetize.images.file_types import (
    HEAD_BYTES,
    PHOTO_SUFFIXES,
    image_format,
    is_foreign_folder,
    kind_by_name,
    other_kind,
    suffix,
)
from monetize.images.reading import read_head
from monetize.messages import counted, name_some, printable
from monetize.text_files import canonical

WORKSPACE_SUFFIX = ".zip.work"
# Every gallery folder contains this file; no other folder is ever replaced by a gallery.
GALLERY_MARK = "made-by-monetize.txt"
# The folder of a finished job contains this report.
OUTPUT_MARK = "monetize.json"
# A workspace contains these, whatever it was renamed to.
WORKSPACE_MARKS = (frozenset({"job.json", "paintings"}), frozenset({"job.json", "lock"}))


@dataclass(frozen=True)
class Photo:
    """A photo; `key` is its path relative to the photos folder, with `/` on every system."""

    key: str
    path: Path


@dataclass(frozen=True)
class Found:
    """The photos of a folder, sorted by key, and what was passed over.

    `others` counts other files by kind; `folders` are those of monetize itself, of the system and
    of other programs.
    """

    photos: tuple[Photo, ...]
    others: Mapping[str, int]
    folders: tuple[str, ...]

    @property
    def passed_over(self) -> str:
        """What was passed over, in words; empty if nothing was."""
        known = sorted(kind for kind in self.others if kind != "other file")
        kinds = [*known, "other file"] if "other file" in self.others else known
        parts = [counted(self.others[kind], kind) for kind in kinds]
        if self.folders:
            noun = "folder" if len(self.folders) == 1 else "folders"
            parts.append(f"the {noun} {name_some(self.folders)}")
        return ", ".join(parts)


def find(folder: Path, *, recursive: bool = True) -> Found:
    """List the photos in a folder and its subfolders.

    A photo has the extension or the content of one. Hidden files and folders are skipped; other
    files, folders that other programs fill with thumbnails or deleted files, and folders that
    monetize made are passed over and counted. Links to folders are followed once. Raises
    InputError if a folder cannot be listed, and ReadError if the system cannot read files.
    """
    photos: list[Photo] = []
    others: Counter[str] = Counter()
    skipped: list[str] = []
    for key, entry in _walk(folder, recursive, skipped):
        path = Path(entry.path)
        kind = _other_kind(entry, path)
        if kind is None:
            photos.append(Photo(key, path))
        else:
            others[kind] += 1
    photos.sort(key=lambda photo: photo.key)
    return Found(tuple(photos), others, tuple(sorted(skipped)))


def _walk(
    folder: Path, recursive: bool, skipped: list[str]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the visible files with their keys, and append the folders that were passed over."""
    visited = {os.path.realpath(folder)}
    waiting = [(folder, "")]
    while waiting:
        parent, prefix = waiting.pop()
        entries = _list(parent)
        if prefix and is_our_own(parent, {entry.name for entry in entries}):
            skipped.append(prefix.rstrip("/"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not entry.is_dir():
                yield prefix + entry.name, entry
            elif recursive and is_foreign_folder(entry.name):
                skipped.append(prefix + entry.name)
            elif recursive and (real := os.path.realpath(entry.path)) not in visited:
                visited.add(real)
                waiting.append((Path(entry.path), f"{prefix}{entry.name}/"))


def _list(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{printable(folder)}: cannot be listed: {reason(error)}") from error


def is_our_own(folder: Path, names: Collection[str]) -> bool:
    """Whether monetize made a folder with these names in it: a workspace, gallery or output."""
    names = set(names)
    return (
        folder.name.lower().endswith(WORKSPACE_SUFFIX)
        or any(map(names.issuperset, WORKSPACE_MARKS))
        or not names.isdisjoint({GALLERY_MARK, OUTPUT_MARK})
    )


def _other_kind(entry: os.DirEntry[str], path: Path) -> str | None:
    """Return the kind of a file that is not a photo; None for photos. Reads a few bytes at most."""
    if kind := kind_by_name(entry.name):
        return kind
    if suffix(entry.name) in PHOTO_SUFFIXES:
        return None if entry.is_file() or entry.is_symlink() else "other file"
    if not entry.is_file():
        return "other file"
    head = read_head(path, HEAD_BYTES)
    return None if image_format(head) else other_kind(head) or "other file"


def photo_path(folder: Path, key: str) -> Path:
    """Return a photo of a folder by its key, whose name on disk may differ in Unicode form.

    A Mac composes or decomposes accented letters in the names of files that it copies.
    """
    path = folder
    for name in PurePosixPath(key).parts:
        child = path / name
        if not name.isascii() and not os.access(child, os.F_OK) and path.is_dir():
            same = (each for each in path.iterdir() if canonical(each.name) == canonical(name))
            child = next(same, child)
        path = child
    return path


def require_some(found: Found, folder: Path, recursive: bool) -> None:
    """Raise InputError, with a hint, if no photo was found."""
    if not found.photos:
        passed_over = f" (passed over: {found.passed_over})" if found.passed_over else ""
        hint = "" if recursive else "; --recursive searches its subfolders too"
        raise InputError(
            f"{folder}: no photos in this folder{passed_over}{hint}. Photos are JPEG, PNG, HEIC, "
            "WebP, AVIF, TIFF, GIF or BMP files."
        )
