"""The gallery's page: one HTML file that needs neither a server nor the network."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from urllib.parse import quote

from monetize import __version__

PARTS = Path(__file__).parent
SCRIPTS = ("entries.js", "grid.js", "viewer.js")  # each uses the ones before it


@dataclass(frozen=True)
class Entry:
    """A painting and what is known about it.

    `has_photo` is whether its photo can be shown; `settings` are the flags and values that
    `monetize paint` needs in addition to the options of all paintings.
    """

    file: str
    photo: str
    has_photo: bool
    caption: str
    prompt: str
    seed: str
    weights: tuple[str, ...]
    evaluations: str
    settings: tuple[str, ...]
    error: str


def render(
    title: str,
    about: str,
    folder: str,
    entries: Sequence[Entry],
    *,
    size: tuple[int, int],
    options: Sequence[str] | None,
) -> bytes:
    """Return the page as HTML.

    `folder`, next to the page, holds the images; `size` is the width and height of most of them, in
    pixels; `options` are the flags and values that make `monetize paint` paint the same way, None
    if they are not known.
    """
    style, script = _part("page.css"), "\n".join(_part(name) for name in SCRIPTS)
    data = {
        "names": [field.name for field in fields(Entry)],
        "rows": [astuple(entry) for entry in entries],
        "folder": quote(os.fsencode(folder)),
        "size": size,
        "options": options,
    }
    # The page runs only its own script and loads only images next to it, whatever a caption says.
    policy = (
        f"default-src 'none'; img-src 'self' file: data:; style-src {_source(style)}; "
        f"script-src {_source(script)}; base-uri 'none'; form-action 'none'"
    )
    values = {
        "policy": html.escape(policy),
        "generator": f"monetize {__version__}",
        "title": html.escape(title),
        "about": html.escape(about),
        "folder": html.escape(folder),
        "style": style,
        "script": script,
        "data": _embedded(data),
    }
    # In one pass, so that no value is mistaken for a part of the template.
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], _part("page.html"))
    # In a name that is not valid Unicode, bad bytes are shown as question marks.
    return page.encode("utf-8", errors="replace")


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The hash that allows an inline script or style in a Content-Security-Policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _embedded(data: object) -> str:
    """JSON that no text in it can turn into markup: ASCII, and without <, > and &."""
    text = json.dumps(data, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
