"""Captions given by the user, in any form: CSV, JSON, JSON lines, or sidecar files."""

from collections.abc import Collection
from pathlib import Path

from monetize.captioning.caption_json import JSON_SUFFIXES, read_json_captions
from monetize.captioning.caption_table import match_photos, read_captions_of
from monetize.captioning.sidecars import read_sidecars
from monetize.errors import InputError


def read_given_captions(path: Path, photos: Collection[str]) -> tuple[dict[str, str], str]:
    """Read the captions in a file or a folder of sidecars; returns {photo: caption} and a note.

    Names match those of the photos in any Unicode form; a caption of no photo keeps its name, while
    a sidecar of no photo is not read. The note says which captions of a photo were left out, if
    any. Raises InputError.
    """
    if path.is_dir():
        return read_sidecars(path, photos), ""
    if path.suffix.lower() not in JSON_SUFFIXES:
        return read_captions_of(photos, path), ""
    captions, note = read_json_captions(path)
    try:
        return match_photos(captions, photos), note
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
