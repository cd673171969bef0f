"""Read what a painting's file says about how it was made, as AUTOMATIC1111's web UI writes it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from monetize.errors import InputError, PhotoError
from monetize.images.decoding import user_comment
from monetize.images.metadata import png_text
from monetize.images.reading import read_file
from monetize.messages import printable
from monetize.stores.remote_path import AnyPath

KEYWORD = "parameters"
NEGATIVE = "Negative prompt: "
SETTINGS = "Steps: "  # begins the last line
# A name, then a value up to the next comma, or in quotes with JSON's escapes. A name is looked for
# only after a comma, and not shortened, so that hostile text takes no longer than other.
PAIR = re.compile(r'(?:^|(?<=,)) *([^:,"]++): *("(?:[^"\\]|\\.)*+"|[^,]*+)(?:,|$)')
# EXIF's character codes, of eight bytes each.
UNICODE, ASCII = b"UNICODE\0", b"ASCII\0\0\0"


@dataclass(frozen=True)
class Infotext:
    """A prompt, a negative prompt, and settings by the names that the web UI gives them."""

    prompt: str
    negative_prompt: str
    settings: Mapping[str, str]


def read_infotext(path: AnyPath) -> Infotext:
    """Read the text in a PNG's chunk `parameters`, or in the EXIF UserComment of another image.

    Raises InputError for a file that is no image, and for an image without such a text.
    """
    try:
        data = read_file(path)
        text = png_text(data, KEYWORD.encode()) if _is_png(data) else _comment(path, data)
    except PhotoError as error:
        raise InputError(f"{printable(path)}: {error}") from None
    infotext = parse_infotext(text or "")
    if infotext is None:
        raise InputError(
            f"{printable(path)} does not say how it was painted: it has no text of monetize or "
            "AUTOMATIC1111's web UI in its metadata"
        )
    return infotext


def parse_infotext(text: str) -> Infotext | None:
    """Parse such a text; None if it has no line of settings."""
    lines = text.splitlines()
    last = next((i for i in reversed(range(len(lines))) if lines[i].startswith(SETTINGS)), None)
    if last is None:
        return None
    prompts = "\n".join(lines[:last])
    before, _, negative = f"\n{prompts}".partition("\n" + NEGATIVE)
    pairs = {name.strip(): _unquoted(value) for name, value in PAIR.findall(lines[last])}
    return Infotext(before.removeprefix("\n"), negative, pairs)


def _is_png(data: bytes) -> bool:
    return data.startswith(b"\x89PNG")


def _comment(path: AnyPath, data: bytes) -> str | None:
    """The UserComment as text; None if there is none."""
    comment = user_comment(path, data)
    if comment is None:
        return None
    if comment.startswith(UNICODE):
        # EXIF leaves the byte order open; ASCII letters tell it.
        body = comment[len(UNICODE) :]
        order = "utf-16-be" if body[:1] == b"\0" else "utf-16-le"
        return body.decode(order, errors="replace")
    return comment.removeprefix(ASCII).decode("utf-8", errors="replace")


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value.strip()
    try:
        return str(json.loads(value))
    except ValueError:
        return value.strip('"')
