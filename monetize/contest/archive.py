"""The contest zip: names of its files, packed so that same inputs make same bytes, and opened."""

import re
import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from monetize.errors import InputError, UsageError
from monetize.images.photos import SUFFIXES

CONTEST_NAME = "images.zip"
CONTEST_COUNT = range(7_000, 10_001)
CONTEST_SIZE = (256, 256)
# What some unpacker or file system refuses in a name.
UNSAFE = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff<>:"/\\|?*]')
# The oldest time that a zip can state; a fixed one keeps the bytes the same.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
UNIX = 3
LONGEST_STEM = 200  # bytes: file systems take names of 255


def name_files(keys: Sequence[str]) -> dict[str, str]:
    """Give each photo's key the name of its painting at the root of the zip.

    That is the photo's stem and `.jpg`; characters that not every system takes become `_`, and
    of several photos with one stem, whatever its case, all but the first in order of key get
    `-2`, `-3` and so on.
    """
    stems = {key: _safe_stem(key) for key in sorted(keys)}
    # A photo that is itself called a-2 keeps its name.
    reserved = {stem.casefold() for stem in stems.values()}
    taken: set[str] = set()
    names = {}
    for key, stem in stems.items():
        name, number = stem, 1
        while name.casefold() in taken or (number > 1 and name.casefold() in reserved):
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names[key] = f"{name}.jpg"
    return names


def _safe_stem(key: str) -> str:
    stem = UNSAFE.sub("_", PurePosixPath(key).stem)
    return stem.encode()[:LONGEST_STEM].decode(errors="ignore")


def pack(file: BinaryIO, members: Iterable[tuple[str, Path]]) -> None:
    """Write a zip of (name, path): names sorted, times fixed, stored as JPEGs cannot shrink."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(members):
            info = zipfile.ZipInfo(name, TIMESTAMP)
            info.create_system = UNIX
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())


def is_picture(name: str) -> bool:
    """Tell a member by its name, as a damaged picture is one too; macOS adds some that look so."""
    path = PurePosixPath(name)
    hidden = "__MACOSX" in path.parts or path.name.startswith(".")
    return not (hidden or name.endswith("/")) and path.suffix.lower() in SUFFIXES


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip to read it.

    Raises UsageError if there is no such file, InputError if it is no zip or not a whole one; of
    its members only the list is looked at.
    """
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such file"
        raise UsageError(f"{path}: {what}: give a zip such as monetize run writes")
    try:
        with path.open("rb") as file:
            begins_as_zip = file.read(2) == b"PK"
        return zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        if begins_as_zip:
            raise InputError(
                f"{path}: a zip that is cut short or damaged: copy, download or make it again"
            ) from error
        raise InputError(f"{path}: not a zip: give one such as monetize run writes") from error
