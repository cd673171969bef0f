"""What can go wrong in a way the user can mend, and the exit code of each kind.

Anything else that is raised is a bug and keeps its traceback.
"""

from collections.abc import Iterable

UNREADABLE_EXIT_CODE = 3
"""Done, but some photos could not be read: an outcome, so no exception has it."""


class MonetizeError(Exception):
    """A failure whose message says what happened, to which file or flag, and what to do."""

    exit_code = 1


class UsageError(MonetizeError):
    """The command line or a configuration file asks for something that cannot be done."""

    exit_code = 2


class PhotoError(MonetizeError):
    """One photo cannot be read; the message is the reason alone, fit for a report."""


class InputError(MonetizeError):
    """A folder, a captions file or a zip does not hold what is needed."""


class CheckpointError(MonetizeError):
    """A model cannot be found, fetched, or loaded."""


class PaintingError(MonetizeError):
    """A painting cannot be made with these settings on this device."""


class OutOfMemory(PaintingError):
    """A batch does not fit the device's memory; a smaller one may."""


class StorageError(MonetizeError):
    """A result could not be written: full disk, missing permission, lost drive."""


class Interrupted(MonetizeError):
    """The user stopped the job; the message says how to go on."""

    exit_code = 130


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
