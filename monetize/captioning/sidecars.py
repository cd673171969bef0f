"""Captions as sidecar files: a text file next to each photo, named after it."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from monetize.images.photos import local_path
from monetize.text_files import read_text

SUFFIX = ".txt"


def read_sidecars(folder: Path, photos: Iterable[str]) -> dict[str, str]:
    """Read the captions of the photos that have a sidecar: `a/b.txt` in folder is for `a/b.jpg`.

    The lines of a sidecar are joined. Raises InputError for one that cannot be read or is not text.
    """
    captions: dict[str, str] = {}
    for photo in photos:
        path = local_path(folder, str(PurePosixPath(photo).with_suffix(SUFFIX)))
        if os.path.isfile(path):  # noqa: PTH113 # pathlib raises for a name that is too long
            captions[photo] = _caption(path)
    return captions


def _caption(path: Path) -> str:
    return " ".join(read_text(path).split())
