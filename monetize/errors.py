"""Errors that the user can fix, and the exit code of each kind.

Anything else that is raised is a bug and keeps its traceback.

    MonetizeError
    ├── UsageError
    ├── PhotoError
    ├── InputError
    ├── CheckpointError
    ├── PaintingError
    │   └── OutOfMemory
    ├── StorageError
    └── Interrupted
"""

UNREADABLE_EXIT_CODE = 3
"""The job is done, but some photos could not be read: an outcome, so it has no exception."""


class MonetizeError(Exception):
    """A failure whose message says what happened, to which file or flag, and what to do.

    Each argument is a line of the message.
    """

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class UsageError(MonetizeError):
    """The command line or a configuration file asks for something that cannot be done."""

    exit_code = 2


class PhotoError(MonetizeError):
    """A photo cannot be read; the message is only the reason, so that a report can list it."""


class InputError(MonetizeError):
    """A folder, a captions file or a zip does not contain what is needed."""


class CheckpointError(MonetizeError):
    """A model cannot be found, downloaded or loaded."""


class PaintingError(MonetizeError):
    """A painting cannot be made with these settings on this device."""


class OutOfMemory(PaintingError):
    """A batch does not fit in the device's memory; a smaller one may."""


class StorageError(MonetizeError):
    """A result could not be written: full disk, missing permission, lost drive."""


class ReadError(StorageError):
    """A file could not be read because the system fails: a lost drive, too many open files."""


class Interrupted(MonetizeError):
    """The user stopped the job; the message says how to resume it."""

    exit_code = 130
