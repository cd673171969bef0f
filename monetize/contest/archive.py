"""The contest zip: names for its files, and packing that turns equal input into equal bytes."""

import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

# Characters that some unpacker or file system rejects in a name.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"/\\|?*]')
# Windows takes these names for devices, whatever extension follows.
RESERVED = re.compile(
    r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE
)
# The earliest time a zip can store; a fixed one keeps the bytes reproducible.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
UNIX = 3
MAX_STEM_BYTES = 200  # file systems allow names of 255 bytes


def name_files(keys: Sequence[str]) -> dict[str, str]:
    """Map each photo's key to the name of its painting at the root of the zip.

    That is the photo's stem and `.jpg`, changed if some system rejects it. If several photos share
    a stem, ignoring case and Unicode form as macOS and Windows do, the first in order of key keeps
    it and the others get `-2`, `-3` and so on.
    """
    stems = {key: _safe_stem(key) for key in sorted(keys)}
    # A photo that is itself called a-2 keeps its name.
    reserved = {_folded(stem) for stem in stems.values()}
    taken: set[str] = set()
    names = {}
    for key, stem in stems.items():
        name, number = stem, 1
        while _folded(name) in taken or (number > 1 and _folded(name) in reserved):
            number += 1
            name = f"{stem}-{number}"
        taken.add(_folded(name))
        names[key] = f"{name}.jpg"
    return names


def changed_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return those of `name_files` that some system rejects in the form of the photo's name."""
    return {key: name for key, name in names.items() if _safe_stem(key) != PurePosixPath(key).stem}


def _folded(name: str) -> str:
    """Return what file systems compare: equal for two names that one of them takes for the same."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _safe_stem(key: str) -> str:
    stem = UNSAFE.sub("_", PurePosixPath(key).stem)
    stem = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    kept = stem.rstrip(". ")
    stem = kept + "_" * (len(stem) - len(kept))
    if found := RESERVED.match(stem):
        stem = f"{stem[: found.start(3)].rstrip()}_{stem[found.start(3) :]}"
    return stem


def pack(file: BinaryIO, members: Iterable[tuple[str, Path]]) -> None:
    """Write (name, path) members as a zip: sorted, with a fixed time, uncompressed like JPEGs."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(members):
            info = zipfile.ZipInfo(name, TIMESTAMP)
            info.create_system = UNIX
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())
