"""Recognize the paintings of monetize among other images by what their files say."""

from dataclasses import replace
from pathlib import Path

from monetize.errors import InputError
from monetize.images.encoding import FORMATS
from monetize.images.file_types import suffix
from monetize.images.infotext import KEYWORD, UNICODE, read_infotext
from monetize.images.photos import Found, is_our_own
from monetize.images.reading import read_head

KIND = "monetize painting"
# Both forms of the text begin before this, as monetize writes them; other files are not read.
HEAD_BYTES = 128


def pass_over_paintings(found: Found, folder: Path) -> Found:
    """Count the paintings of monetize among the photos of a folder, instead of listing them.

    In a folder that monetize made, they are what the user wants. Raises ReadError.
    """
    if is_our_own(folder, [path.name for path in folder.iterdir()]):
        return found
    photos = tuple(photo for photo in found.photos if not is_own_painting(photo.path))
    passed_over = len(found.photos) - len(photos)
    if not passed_over:
        return found
    return replace(found, photos=photos, others={**found.others, KIND: passed_over})


def is_own_painting(path: Path) -> bool:
    """Whether monetize wrote an image with its metadata; raises ReadError.

    Few other files are read beyond their first bytes.
    """
    if suffix(path.name) not in FORMATS or not path.is_file():
        return False
    head = read_head(path, HEAD_BYTES)
    if f"{KEYWORD}\0".encode() not in head and UNICODE not in head:
        return False
    try:
        settings = read_infotext(path).settings
    except InputError:
        return False
    return settings.get("Version", "").startswith("monetize ")
