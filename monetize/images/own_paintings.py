"""Recognize the paintings of monetize among other images by what their files say."""

from dataclasses import replace

from monetize.errors import InputError
from monetize.images.encoding import FORMATS
from monetize.images.file_types import suffix
from monetize.images.infotext import KEYWORD, UNICODE, read_infotext
from monetize.images.photos import Found
from monetize.images.reading import read_heads
from monetize.stores.remote_path import AnyPath, RemotePath

KIND = "monetize painting"
# Both forms of the text begin before this, as monetize writes them; other files are not read.
HEAD_BYTES = 128


def pass_over_paintings(found: Found) -> Found:
    """Count the paintings of monetize among the photos of a folder, instead of listing them.

    Few other files are read beyond their first bytes. In a folder that monetize made, paintings are
    what the user wants. Raises ReadError.
    """
    if found.is_our_own:
        return found
    maybe = [photo for photo in found.photos if _may_be_painting(photo.path)]
    heads = read_heads([photo.path for photo in maybe], HEAD_BYTES)
    ours = {
        photo.key for photo, head in zip(maybe, heads, strict=True) if _is_own(photo.path, head)
    }
    photos = tuple(photo for photo in found.photos if photo.key not in ours)
    passed_over = len(found.photos) - len(photos)
    if not passed_over:
        return found
    return replace(found, photos=photos, others={**found.others, KIND: passed_over})


def _may_be_painting(path: AnyPath) -> bool:
    return suffix(path.name) in FORMATS and (isinstance(path, RemotePath) or path.is_file())


def _is_own(path: AnyPath, head: bytes) -> bool:
    if f"{KEYWORD}\0".encode() not in head and UNICODE not in head:
        return False
    try:
        settings = read_infotext(path).settings
    except InputError:
        return False
    return settings.get("Version", "").startswith("monetize ")
