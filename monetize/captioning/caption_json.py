"""Captions as JSON: records in a list or a line each, a mapping, or COCO's two tables."""

import json
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monetize.captioning.caption_table import CAPTION_COLUMNS, PHOTO_COLUMNS
from monetize.errors import InputError
from monetize.messages import counted, first_line, printable
from monetize.text_files import UNDECODED, lines, read_text

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
FORMS = (
    'write a list of objects such as {"file_name": "a.jpg", "text": "a lake"}, one such object a '
    'line in a .jsonl file, an object such as {"a.jpg": "a lake"}, or COCO\'s captions'
)


def read_json_captions(path: Path) -> tuple[dict[str, str], str]:
    """Read captions from JSON into {photo: caption}, with a note on what was left out, if any.

    A `.json` file is a list of records, an object {photo: caption}, or COCO's captions (`images`
    and `annotations`), where the first caption of a photo counts. Other files have a record a line,
    such as the `metadata.jsonl` of Hugging Face's image folders. A record has the photo as `photo`,
    `image` or `file_name`, and the caption as `caption` or `text`. Raises InputError, with the
    place, for anything else, and for a photo that is listed twice with different captions.
    """
    text = read_text(path)
    if path.suffix.lower() != ".json":
        return _without_contradictions(path, _of_lines(path, text)), ""
    content = _parse(str(path), text)
    if isinstance(content, dict) and "annotations" in content:
        return _of_coco(path, content)
    if isinstance(content, dict):
        pairs = ((f"{path}, key {reprlib.repr(key)}", key, content[key]) for key in content)
        return _without_contradictions(path, pairs), ""
    if isinstance(content, list):
        places = ((f"{path}, entry {number}", each) for number, each in enumerate(content, 1))
        return _without_contradictions(path, _of_records(places)), ""
    raise InputError(f"{path}: {reprlib.repr(content)} is not a table of captions: {FORMS}")


def _parse(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"{place}: not valid JSON: nested too deeply") from None
    except ValueError as error:  # of syntax, or a number of too many digits
        raise InputError(f"{place}: not valid JSON: {first_line(error)}") from None


def _of_lines(path: Path, text: str) -> Iterator[tuple[str, str, Any]]:
    places = ((f"{path}, line {number}", line) for number, line in enumerate(lines(text), 1))
    return _of_records((place, _parse(place, line)) for place, line in places if line.strip())


def _of_records(records: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """Yield the place, the photo and the caption of each record that has a caption."""
    for place, record in records:
        if not isinstance(record, dict):
            raise InputError(f"{place}: {reprlib.repr(record)} is not an object: {FORMS}")
        photo = _member(place, record, PHOTO_COLUMNS)
        if "error" in record and not record.keys() & set(CAPTION_COLUMNS):
            continue  # `monetize caption --json` lists unreadable photos, too
        yield place, photo, _member(place, record, CAPTION_COLUMNS)


def _member(place: str, record: dict[str, Any], names: tuple[str, ...]) -> Any:
    name = next((name for name in names if name in record), None)
    if name is None:
        known = ", ".join(map(reprlib.repr, record)) or "nothing"
        raise InputError(
            f"{place}: there is none of {', '.join(map(repr, names))}; it has {known[:200]}"
        )
    return record[name]


def _without_contradictions(path: Path, pairs: Iterator[tuple[str, Any, Any]]) -> dict[str, str]:
    captions: dict[str, str] = {}
    for place, photo, caption in pairs:
        name, text = _photo(place, photo), _caption(place, caption)
        if captions.setdefault(name, text) != text:
            raise InputError(f"{place}: a second, different caption for {name!r}")
    if not captions:
        raise InputError(f"{path}: there is no caption in it: {FORMS}")
    return captions


def _of_coco(path: Path, content: dict[str, Any]) -> tuple[dict[str, str], str]:
    photo_of_id: dict[str | int, str] = {}
    for place, image in _objects(path, content, "images"):
        identity = _identity(place, image, "id")
        photo = _photo(place, image.get("file_name"))
        if photo_of_id.setdefault(identity, photo) != photo:
            raise InputError(f"{place}: a second image with the id {identity!r}")
    captions: dict[str, str] = {}
    for place, annotation in _objects(path, content, "annotations"):
        identity = _identity(place, annotation, "image_id")
        if identity not in photo_of_id:
            raise InputError(f"{place}: no image has the id {identity!r}")
        if "caption" not in annotation:
            raise InputError(f"{place}: there is no caption: give COCO's captions_*.json")
        photo, text = photo_of_id[identity], _caption(place, annotation["caption"])
        captions[photo] = captions.get(photo) or text
    if not captions:
        raise InputError(f"{path}: there is no caption in its annotations")
    count = len(content["annotations"])
    if count == len(captions):
        return captions, ""
    photos = counted(len(captions), "photo")
    return captions, f"{count} captions of {photos}: the first of each is used"


def _objects(
    path: Path, content: dict[str, Any], name: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = content.get(name)
    if not isinstance(entries, list):
        raise InputError(f"{path}: its {name!r} are not a list, as in COCO's captions")
    for number, entry in enumerate(entries, 1):
        place = f"{path}, {name} {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{place}: {reprlib.repr(entry)} is not an object")
        yield place, entry


def _identity(place: str, entry: dict[str, Any], name: str) -> str | int:
    value = entry.get(name)
    if not isinstance(value, str | int):
        raise InputError(f"{place}: the {name} {reprlib.repr(value)} is not a number or text")
    return value


def _photo(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InputError(f"{place}: {reprlib.repr(value)} is not the name of a photo")
    return value


def _caption(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{place}: the caption {reprlib.repr(value)} is not text")
    if UNDECODED.search(value) or "\0" in value:
        raise InputError(f"{place}: the caption {printable(value)[:100]} is not valid text")
    return " ".join(value.split())
