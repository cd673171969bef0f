"""Captions as a CSV table with the columns photo and caption, which people may edit."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from monetize.csv_tables import to_csv, unescape_formula
from monetize.errors import InputError
from monetize.messages import printable
from monetize.text_files import UNDECODED, canonical, read_text

# The first are those of this program, the last those of Hugging Face's image folders.
PHOTO_COLUMNS = ("photo", "image", "file_name")
CAPTION_COLUMNS = ("caption", "text")
# We write the first one; spreadsheets in many countries write semicolons.
DELIMITERS = (",", ";", "\t", "|")
# What Excel understands, and some programs write, before the header.
DELIMITER_LINE = re.compile(r"sep=(.)[\r\n]", re.IGNORECASE)


def read_captions(path: Path) -> dict[str, str]:
    """Read a CSV with the columns photo (or image, file_name) and caption (or text).

    The header decides the delimiter: comma, semicolon, tab or bar. Returns {photo: caption}. Raises
    InputError, with the line, for a wrong header, a row of the wrong length, a photo that is
    listed twice with different captions, or text that is not UTF-8.
    """
    text = read_text(path, errors="surrogateescape")
    captions: dict[str, str] = {}
    for line, photo, caption in _rows(path, text):
        if UNDECODED.search(caption):
            raise InputError(
                f"{path}, line {line}: the caption {printable(caption)} is not valid UTF-8: save "
                "the file as UTF-8"
            )
        if captions.setdefault(photo, caption) != caption:
            raise InputError(f"{path}, line {line}: a second, different caption for {photo!r}")
    return captions


def read_captions_of(photos: Iterable[str], path: Path) -> dict[str, str]:
    """Read captions under the names of these photos.

    Raises InputError as `read_captions` and `match_photos` do.
    """
    captions = read_captions(path)
    try:
        return match_photos(captions, photos)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def match_photos(captions: Mapping[str, str], photos: Iterable[str]) -> dict[str, str]:
    """Return the captions under the photos' own names, where only their Unicode forms differ.

    A Mac, for example, decomposes accented letters in file names. A caption that matches no photo
    keeps its name. Raises InputError for two captions of one photo.
    """
    wanted = set(photos)
    photo_of_form = {canonical(photo): photo for photo in wanted - captions.keys()}
    matched: dict[str, str] = {}
    for name, caption in captions.items():
        photo = name if name in wanted else photo_of_form.get(canonical(name), name)
        if matched.setdefault(photo, caption) != caption:
            raise InputError(f"two different captions for the photo {photo!r}: remove one of them")
    return matched


def captions_to_csv(captions: Mapping[str, str]) -> bytes:
    """Return captions as CSV, sorted by photo: the inverse of `read_captions`."""
    return to_csv((PHOTO_COLUMNS[0], CAPTION_COLUMNS[0]), sorted(captions.items()))


def _rows(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, photo and caption of each row."""
    delimiter_line = DELIMITER_LINE.match(text)
    delimiter = delimiter_line[1] if delimiter_line else _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if delimiter_line:
            next(reader)
        header = _column_names(reader)
        columns = _columns(header)
        if columns is None:
            raise InputError(
                f"{path}: the first line must name the columns 'photo' (or 'image') and 'caption', "
                f"separated by a comma; it is {printable(delimiter.join(header))!r}. Save the file "
                "as CSV in UTF-8."
            )
        for row in reader:
            cells = row[: len(header)]
            if any(row[len(header) :]) or (any(row) and len(cells) < len(header)):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(row)} columns, but the first line has "
                    f"{len(header)}; put quotes around a caption with a "
                    f"{'comma' if delimiter == ',' else repr(delimiter)}"
                )
            if any(cells):
                photo, caption = (unescape_formula(cells[column]) for column in columns)
                yield reader.line_num, photo, " ".join(caption.split())
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not valid CSV: {error}") from None


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the header into the expected columns, else a comma."""
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        if _columns(_column_names(reader)):
            return delimiter
    return DELIMITERS[0]


def _column_names(reader: Iterator[list[str]]) -> list[str]:
    return [name.strip().lower() for name in next((row for row in reader if any(row)), [])]


def _columns(header: list[str]) -> tuple[int, int] | None:
    """Return the indices of the photo and caption columns; None if one is missing."""
    photo, caption = (
        next((header.index(name) for name in names if name in header), None)
        for names in (PHOTO_COLUMNS, CAPTION_COLUMNS)
    )
    return None if photo is None or caption is None else (photo, caption)
