"""Standard output and error that may be closed, full, or abandoned by their reader.

A failed write to either never stops the work: what could not be written is remembered, and the
command reports it at its end.
"""

import errno
import io
import os
import sys
from typing import Any, TextIO


class TolerantFile(io.FileIO):
    """A file that remembers the first write error and drops everything after it."""

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or drop the data."""
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return len(data)


def install() -> None:
    """Replace standard output and error with tolerant ones; open what is closed.

    A closed descriptor would otherwise be given to the next file that is opened, and messages of
    libraries would end up in it. Writing to a closed standard output remains an error; there is
    nobody to tell about standard error.
    """
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free descriptor, which is this one
    if os.name == "posix":
        sys.stdout, sys.stderr = _tolerant(1, sys.stdout), _tolerant(2, sys.stderr)


def _tolerant(descriptor: int, stream: TextIO | None) -> TextIO:
    if stream is not None:
        stream.flush()
    file = TolerantFile(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding if stream else "utf-8",
        errors=stream.errors if stream else "backslashreplace",
        line_buffering=descriptor == 2 or file.isatty(),
        write_through=descriptor == 2,
    )


def write_error(stream: TextIO | None) -> OSError | None:
    """Return the error that made a stream drop what was written to it, if any."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, TolerantFile) else None


def lost_output() -> str:
    """Flush standard output; say why a part of it is lost, or nothing.

    A reader that has gone, such as `head`, has what it wanted: that is not an error.
    """
    sys.stdout.flush()
    error = write_error(sys.stdout)
    if error is None or error.errno == errno.EPIPE:
        return ""
    return f"standard output cannot be written: {error.strerror}"
