"""Wording for messages: counts, file names, errors of libraries."""

from collections.abc import Iterable


def printable(name: object) -> str:
    """Return a file name with control characters and undecodable bytes escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(name)
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 painting, 7,038 paintings."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_line(error: object, max_length: int = 300) -> str:
    """Return the first line of a library's error, shortened to fit a message."""
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= max_length else line[:max_length] + " …"


def name_some(names: Iterable[object], max_count: int = 3) -> str:
    """Return the first few names and how many more there are."""
    texts = [printable(name) for name in names]
    rest = len(texts) - max_count
    return ", ".join(texts[:max_count]) + (f" and {rest} more" if rest > 0 else "")
