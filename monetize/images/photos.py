"""Find the photos of a folder."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from monetize.errors import InputError
from monetize.images.file_types import (
    HEAD_BYTES,
    PHOTO_SUFFIXES,
    image_format,
    is_foreign_folder,
    kind_by_name,
    other_kind,
    suffix,
)
from monetize.images.folder_trees import Entry, FolderTree, folder_tree
from monetize.images.reading import read_heads
from monetize.messages import counted, name_some
from monetize.stores.remote_path import AnyPath, RemotePath
from monetize.text_files import canonical

WORKSPACE_SUFFIX = ".zip.work"
# Every gallery folder contains this file; no other folder is ever replaced by a gallery.
GALLERY_MARK = "made-by-monetize.txt"
# The folder of a finished job contains this report.
OUTPUT_MARK = "monetize.json"
# A workspace contains these, whatever it was renamed to.
WORKSPACE_MARKS = (frozenset({"job.json", "paintings"}), frozenset({"job.json", "lock"}))
PHOTO, UNKNOWN, OTHER = "photo", "unknown", "other file"


@dataclass(frozen=True)
class Photo:
    """A photo; `key` is its path relative to the photos folder, with `/` on every system."""

    key: str
    path: AnyPath


@dataclass(frozen=True)
class Found:
    """The photos of a folder, sorted by key, and what was passed over.

    `others` counts other files by kind; `folders` are those of monetize itself, of the system and
    of other programs. `is_our_own` says that monetize made the folder that was searched.
    """

    photos: tuple[Photo, ...]
    others: Mapping[str, int]
    folders: tuple[str, ...]
    is_our_own: bool = False

    @property
    def passed_over(self) -> str:
        """What was passed over, in words; empty if nothing was."""
        known = sorted(kind for kind in self.others if kind != OTHER)
        kinds = [*known, OTHER] if OTHER in self.others else known
        parts = [counted(self.others[kind], kind) for kind in kinds]
        if self.folders:
            noun = "folder" if len(self.folders) == 1 else "folders"
            parts.append(f"the {noun} {name_some(self.folders)}")
        return ", ".join(parts)


def find(folder: AnyPath, *, recursive: bool = True) -> Found:
    """List the photos in a folder and its subfolders, on a disk or in a store.

    A photo has the extension or the content of one. Hidden files and folders are skipped; other
    files, folders that other programs fill with thumbnails or deleted files, and folders that
    monetize made are passed over and counted. Links to folders are followed once. Raises
    InputError if a folder cannot be listed, UsageError for a URL that leads nowhere, and ReadError
    if the system cannot read files.
    """
    tree = folder_tree(folder, recursive=recursive)
    top = tree.entries(folder)
    photos: list[Photo] = []
    unknown: list[Photo] = []
    others: Counter[str] = Counter()
    skipped: list[str] = []
    for key, entry in _walk(tree, folder, top, recursive, skipped):
        kind = _kind(entry)
        if kind in (PHOTO, UNKNOWN):
            (photos if kind == PHOTO else unknown).append(Photo(key, tree.path(entry)))
        else:
            others[kind] += 1
    heads = read_heads([photo.path for photo in unknown], HEAD_BYTES)
    for photo, head in zip(unknown, heads, strict=True):
        if image_format(head):
            photos.append(photo)
        else:
            others[other_kind(head) or OTHER] += 1
    photos.sort(key=lambda photo: photo.key)
    own = is_our_own(folder, [entry.name for entry in top])
    return Found(tuple(photos), others, tuple(sorted(skipped)), own)


def _walk(
    tree: FolderTree, folder: AnyPath, top: Sequence[Entry], recursive: bool, skipped: list[str]
) -> Iterator[tuple[str, Entry]]:
    """Yield the visible files with their keys, and append the folders that were passed over.

    `top` has the entries of `folder` itself.
    """
    visited = {tree.identity(folder)}
    waiting = [(folder, "")]
    while waiting:
        parent, prefix = waiting.pop()
        entries = tree.entries(parent) if prefix else top
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
            elif recursive and (real := tree.identity(path := tree.path(entry))) not in visited:
                visited.add(real)
                waiting.append((path, f"{prefix}{entry.name}/"))


def is_our_own(folder: AnyPath, names: Collection[str]) -> bool:
    """Whether monetize made a folder with these names in it: a workspace, gallery or output."""
    names = set(names)
    return (
        folder.name.lower().endswith(WORKSPACE_SUFFIX)
        or any(map(names.issuperset, WORKSPACE_MARKS))
        or not names.isdisjoint({GALLERY_MARK, OUTPUT_MARK})
    )


def _kind(entry: Entry) -> str:
    """PHOTO, UNKNOWN if only the first bytes can tell, or the kind of another file."""
    if kind := kind_by_name(entry.name):
        return kind
    if suffix(entry.name) in PHOTO_SUFFIXES:
        return PHOTO if entry.is_file() or entry.is_symlink() else OTHER
    return UNKNOWN if entry.is_file() else OTHER


def photo_path(folder: AnyPath, key: str) -> AnyPath:
    """Return a photo of a folder by its key, whose name on disk may differ in Unicode form."""
    return folder / key if isinstance(folder, RemotePath) else local_path(folder, key)


def local_path(folder: Path, key: str) -> Path:
    """Return a file of a folder on a disk by its key.

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


def require_some(found: Found, folder: AnyPath, recursive: bool) -> None:
    """Raise InputError, with a hint, if no photo was found."""
    if not found.photos:
        passed_over = f" (passed over: {found.passed_over})" if found.passed_over else ""
        hint = "" if recursive else "; --recursive searches its subfolders too"
        raise InputError(
            f"{folder}: no photos in this folder{passed_over}{hint}. Photos are JPEG, PNG, HEIC, "
            "WebP, AVIF, TIFF, GIF or BMP files."
        )
