"""The gallery's page: entries into one HTML file that needs neither a server nor the network."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from urllib.parse import quote

from monetize import __version__

PARTS = Path(__file__).parent
SCRIPTS = ("entries.js", "grid.js", "viewer.js")  # each uses those before it


@dataclass(frozen=True)
class Entry:
    """A painting and what is known of it.

    `has_photo` says whether its photo can be shown; `settings` are the flags of `monetize paint`
    that it needs besides those of all.
    """

    file: str
    photo: str
    has_photo: bool
    caption: str
    prompt: str
    seed: str
    weights: tuple[str, ...]
    evaluations: str
    settings: str
    error: str


def render(
    title: str,
    about: str,
    folder: str,
    entries: Sequence[Entry],
    *,
    size: tuple[int, int],
    options: str | None,
) -> bytes:
    """The page as HTML.

    `folder`, beside the page, has the pictures; `size` is that of most of them, in pixels;
    `options` are the flags that `monetize paint` needs to paint alike, for a shell; None where
    they are not known.
    """
    style, script = _part("page.css"), "\n".join(_part(name) for name in SCRIPTS)
    data = {
        "names": [field.name for field in fields(Entry)],
        "rows": [astuple(entry) for entry in entries],
        "folder": quote(folder),
        "size": size,
        "options": options,
    }
    # The page runs its own script and loads pictures beside it, whatever a caption says.
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
    # In one pass, so that no value is taken for a part of the template.
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], _part("page.html"))
    # A name that is not valid Unicode is shown with a mark in place of the bad bytes.
    return page.encode("utf-8", errors="replace")


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The hash by which a Content-Security-Policy knows an inline script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _embedded(data: object) -> str:
    """JSON that no text in it can end or turn into markup: ASCII, and without <, > and &."""
    text = json.dumps(data, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
