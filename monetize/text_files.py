"""Text that people edit: decoding files from any editor, and comparing words and names."""

import codecs
import re
import unicodedata
from pathlib import Path

from monetize.errors import InputError
from monetize.file_errors import explain_read_errors

# Longer marks first, as that of UTF-32 begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BYTE_ORDER_MARK = "\ufeff"
# Python reads bytes that are not valid UTF-8, in file names and arguments, as these.
UNDECODED = re.compile("[\ud800-\udfff]")


def read_text(path: Path, *, errors: str = "strict") -> str:
    """Read a text file, decoded as by `decode`; raises InputError that names it."""
    with explain_read_errors(path, InputError):
        data = path.read_bytes()
    try:
        return decode(data, errors=errors)
    except UnicodeError as error:
        raise InputError(f"{path}: {error}") from None


def decode(data: bytes, *, errors: str = "strict") -> str:
    """Decode text by its byte order mark, and as UTF-8 if it has none; the marks are removed.

    `errors` applies to UTF-8 without a mark. Raises UnicodeError, with what to do, for anything
    that is not text.
    """
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), None)
    try:
        text = data.decode(encoding or "utf-8", "strict" if encoding else errors)
    except UnicodeDecodeError as error:
        raise UnicodeError(
            f"not valid {(encoding or 'utf-8').upper()} (byte {error.start + 1}): save the file "
            "as UTF-8"
        ) from None
    if "\0" in text:
        raise UnicodeError("not a text file, or in another encoding: save the file as UTF-8")
    # Files that were joined have a mark in the middle, which would be a word of its own.
    return without_marks(text)


def without_marks(text: str) -> str:
    """Return a text without byte order marks, which are copied with text from a file."""
    return text.replace(BYTE_ORDER_MARK, "")


def lines(text: str) -> list[str]:
    """Return the lines of a text from any system, without their ends."""
    return re.split(r"\r\n|\r|\n", text)


def canonical(name: str) -> str:
    """Return the form in which names that look the same are equal: composed letters (NFC)."""
    return unicodedata.normalize("NFC", name)
