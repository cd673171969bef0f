"""Styles: phrases appended to captions, or templates for captions and names of photos."""

import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from monetize.errors import InputError, UsageError
from monetize.text_files import lines, read_text

CAPTION = "caption"
FIELDS = (CAPTION, "stem", "folder")
TEMPLATE_FORM = "write {caption}, {stem} or {folder}, and {{ or }} for a brace"


def fill_style(style: str, caption: str, names: Mapping[str, str] | None = None) -> str:
    """Put a caption, and `names` of the other fields, into a style; raises UsageError.

    If the style has no place for the caption, it comes first, followed by a space.
    """
    values = {CAPTION: caption.strip(), **(names or {})}
    parts = _parse(style, "--style")
    text = "".join(literal + (values[field] if field else "") for literal, field in parts).strip()
    if any(field == CAPTION for _, field in parts):
        return text
    return " ".join(part for part in (values[CAPTION], text) if part)


def own_words(style: str) -> str:
    """Return a style without its fields; raises UsageError."""
    return "".join(literal for literal, _ in _parse(style, "--style")).strip()


def check_style(style: str, source: str = "--style") -> None:
    """Raise UsageError, naming the source, for a template with unknown or unpaired braces."""
    _parse(style, source)


def read_styles(path: Path) -> tuple[str, ...]:
    """Read one style per line; raises InputError for a file without any, and as `check_style`."""
    styles: dict[str, int] = {}
    for number, line in enumerate(map(str.strip, lines(read_text(path))), 1):
        if not line:
            continue
        if line in styles:
            raise InputError(
                f"{path}, line {number}: the same style as in line {styles[line]}: remove one"
            )
        check_style(line, f"{path}, line {number}")
        styles[line] = number
    if not styles:
        raise InputError(f"{path}: no style in it: write one per line")
    return tuple(styles)


def choose_style(styles: Sequence[str], seed: int) -> str:
    """Return the style for a seed.

    The order of the styles does not matter, and a style that is added or removed changes only the
    choices that it wins or had won (rendezvous hashing).
    """
    import hashlib  # --help reads the settings, but chooses no style

    return max(styles, key=lambda style: hashlib.sha256(f"{seed}:{style}".encode()).digest())


def _parse(style: str, source: str) -> list[tuple[str, str | None]]:
    """Return pairs of text and the field after it, if any."""
    parts = []
    try:
        for literal, field, spec, conversion in string.Formatter().parse(style):
            if field is not None and (field not in FIELDS or spec or conversion):
                raise UsageError(f"{source}: {_braces(field, spec, conversion)}: {TEMPLATE_FORM}")
            parts.append((literal, field))
    except ValueError:  # a brace without its partner
        raise UsageError(f"{source}: a single brace in {style!r}: {TEMPLATE_FORM}") from None
    return parts


def _braces(field: str, spec: str | None, conversion: str | None) -> str:
    suffix = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
    return f"unknown {{{field}{suffix}}}"
