"""Read the paintings of a finished job from its zip or folder."""

import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monetize.errors import InputError
from monetize.file_errors import explain_read_errors
from monetize.images.photos import local_path
from monetize.images.reading import read_file
from monetize.images.zip_files import open_zip, read_member
from monetize.job.outputs import Outputs
from monetize.text_files import canonical


@dataclass(frozen=True)
class PaintedFiles:
    """The names of the files at the top, and a function that reads one.

    It raises PhotoError with the reason for a damaged one; threads may read at the same time.
    """

    names: Collection[str]
    read: Callable[[str], bytes]


@contextmanager
def opened(outputs: Outputs) -> Iterator[PaintedFiles]:
    """Open a job's zip or folder; raises as `open_zip`, and InputError for damage found later."""
    if outputs.is_folder:
        yield _of_folder(outputs.out)
        return
    try:
        with open_zip(outputs.out) as file:
            yield PaintedFiles(
                frozenset(file.namelist()), lambda name: read_member(file, file.getinfo(name))
            )
    except zipfile.BadZipFile as error:
        raise InputError(f"{outputs.out}: damaged: {error}. Create it again.") from None


def _of_folder(folder: Path) -> PaintedFiles:
    with explain_read_errors(folder, InputError):
        names = {path.name for path in folder.iterdir() if path.is_file()}
    # A Mac may have decomposed the letters of the names that the report has.
    names |= {canonical(name) for name in names}
    return PaintedFiles(names, lambda name: read_file(local_path(folder, name)))
