"""Wording for messages: counts, names of files, what a library says."""

from collections.abc import Iterable


def printable(name: object) -> str:
    """A file's name with control characters and undecodable bytes as escapes, for a message."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(name)
    )


def counted(number: int, noun: str) -> str:
    """A number and its noun: 1 painting, 7,038 paintings."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_line(error: object, most: int = 300) -> str:
    """What a library says, as far as it fits a message."""
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= most else line[:most] + " …"


def name_some(names: Iterable[object], most: int = 3) -> str:
    """The first few names and how many more there are, for a message."""
    texts = [printable(name) for name in names]
    rest = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {rest} more" if rest > 0 else "")
