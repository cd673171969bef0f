"""Open a zip, and list the images in it."""

import struct
import zipfile
from pathlib import Path, PurePosixPath

from monetize.errors import InputError, UsageError
from monetize.images.photos import SUFFIXES


def is_image(name: str) -> bool:
    """Tell by its name whether a member is an image, damaged or not; skips macOS's extra files."""
    path = PurePosixPath(name)
    hidden = "__MACOSX" in path.parts or path.name.startswith(".")
    return not (hidden or name.endswith("/")) and path.suffix.lower() in SUFFIXES


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip for reading; this reads only the list of its members.

    Raises UsageError if there is no such file, InputError if it is not a zip or is damaged.
    """
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "no such file"
        raise UsageError(f"{path}: {what}; expected a zip such as monetize run writes")
    try:
        with path.open("rb") as file:
            starts_as_zip = file.read(2) == b"PK"
        return zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        if starts_as_zip:
            raise InputError(
                f"{path}: the zip is truncated or damaged: copy, download or create it again"
            ) from error
        raise InputError(f"{path}: not a zip; expected one such as monetize run writes") from error
