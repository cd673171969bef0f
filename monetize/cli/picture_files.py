"""Write pictures and print their names, without replacing new files of others or losing work."""

from itertools import count
from pathlib import Path

from monetize.atomic_files import write_bytes
from monetize.cli.terminal import Terminal
from monetize.errors import UsageError


class PictureFiles:
    """Writes pictures one after another.

    A name that was taken while they were painted is not replaced without `overwrite`: the picture
    goes to a free one next to it.
    """

    def __init__(self, terminal: Terminal, *, overwrite: bool) -> None:
        self._terminal = terminal
        self._overwrite = overwrite
        self._taken: list[str] = []

    def write(self, path: Path, data: bytes) -> Path:
        """Write a picture; returns and prints its file."""
        try:
            write_bytes(path, data, overwrite=self._overwrite)
        except UsageError as error:
            taken, path = error, _write_nearby(path, data)
            self._taken.append(f"{taken}. The picture is in {path}")
        self._terminal.result(str(path))
        return path

    def check(self) -> None:
        """Raise UsageError, naming the files with the pictures, if names were taken."""
        if self._taken:
            raise UsageError(*self._taken)


def _write_nearby(path: Path, data: bytes) -> Path:
    for number in count(2):
        free = path.with_stem(f"{path.stem}-{number}")
        try:
            write_bytes(free, data, overwrite=False)
        except UsageError:
            continue
        return free
    raise AssertionError("there is no last number")
