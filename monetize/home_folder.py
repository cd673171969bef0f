"""A home folder for libraries that keep their caches in one, where the user has none."""

import os
import stat
import tempfile
from pathlib import Path


def ensure_home() -> None:
    """Set HOME for this process if the system does not know the user's home folder.

    In a container that runs as a user id without an account, the libraries would fail on import.
    The folder is the same at the next start, so downloads are kept.
    """
    # Path.home raises an error instead.
    if os.name == "posix" and os.path.expanduser("~") == "~":  # noqa: PTH111
        os.environ["HOME"] = str(_private_folder())


def _private_folder() -> Path:
    """Return a folder for temporary files that no other user has prepared or can read."""
    try:
        folder = Path(tempfile.gettempdir(), f"monetize-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        private = status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700
        if stat.S_ISDIR(status.st_mode) and private:
            return folder
        return Path(tempfile.mkdtemp(prefix="monetize-"))
    except OSError:  # no folder is writable: whatever needs a cache will fail and name it
        return Path("/nonexistent")
