"""Captions as a CSV table with the columns photo and caption, which people may edit."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from monetize.csv_tables import to_csv, unescape_formula
from monetize.errors import InputError
from monetize.messages import printable
from monetize.text_files import UNDECODED

PHOTO_COLUMNS = ("photo", "image")


def read_captions(path: Path) -> dict[str, str]:
    """Read a CSV with the columns photo (or image) and caption into {photo: caption}.

    Raises InputError, with the line, for a wrong header, a row of the wrong length, a photo that
    is listed twice with different captions, or text that is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            text = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    captions: dict[str, str] = {}
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        photo_column = next((header.index(n) for n in PHOTO_COLUMNS if n in header), None)
        if photo_column is None or "caption" not in header:
            raise InputError(
                f"{path}: the first line must name the columns 'photo' (or 'image') and 'caption'; "
                f"it is {printable(','.join(header))!r}. Save the file as CSV in UTF-8."
            )
        caption_column = header.index("caption")
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(row)} columns, but the first line "
                    f"has {len(header)}; put quotes around a caption with a comma"
                )
            photo = unescape_formula(row[photo_column])
            caption = " ".join(unescape_formula(row[caption_column]).split())
            if UNDECODED.search(caption):
                raise InputError(
                    f"{path}, line {reader.line_num}: the caption {printable(caption)} is not "
                    "valid UTF-8: save the file as UTF-8"
                )
            if captions.setdefault(photo, caption) != caption:
                raise InputError(
                    f"{path}, line {reader.line_num}: a second, different caption for {photo!r}"
                )
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not valid CSV: {error}") from None
    return captions


def captions_to_csv(captions: Mapping[str, str]) -> bytes:
    """Return captions as CSV, sorted by photo: the inverse of `read_captions`."""
    return to_csv((PHOTO_COLUMNS[0], "caption"), sorted(captions.items()))
