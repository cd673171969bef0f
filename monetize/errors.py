"""What can go wrong in a way the user can mend, and the exit code of each kind.

Anything else that is raised is a bug and keeps its traceback.
"""

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
