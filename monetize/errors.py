"""What can go wrong in a way the user can mend, and the exit code of each kind.

Anything else that is raised is a bug and keeps its traceback.
"""

from collections.abc import Iterable


class MonetizeError(Exception):
    """A failure whose message says what happened, to which file or flag, and what to do."""

    exit_code = 1


class UsageError(MonetizeError):
    """The command line or a configuration file asks for something that cannot be done."""

    exit_code = 2


class PhotoError(MonetizeError):
    """One photo cannot be read; the message is the reason alone, fit for a report."""


class InputError(MonetizeError):
    """A folder or a captions file does not hold what the job needs."""


class CheckpointError(MonetizeError):
    """A model cannot be found, fetched, or loaded."""


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


def name_some(names: Iterable[object], most: int = 3) -> str:
    """The first few names and how many more there are, for a message."""
    texts = [printable(name) for name in names]
    rest = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {rest} more" if rest > 0 else "")
