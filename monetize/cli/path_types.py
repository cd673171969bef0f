"""Parameter types for paths: existing folders and files, and files to write."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import click

from monetize.file_errors import reason, unusable_name
from monetize.stores.remote_path import RemotePath, is_url, refuse_secrets

LOCAL_ONLY = "{} is a URL, but this must be a file or folder on a disk"


class InputPath(click.Path):
    """An existing file or folder; the error says what is there instead.

    With `url_okay`, it may also be in a store, where nothing is looked up yet.
    """

    def __init__(
        self, *, file_okay: bool = True, dir_okay: bool = True, url_okay: bool = False
    ) -> None:
        super().__init__(exists=True, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)
        self.url_okay = url_okay

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path, or fail for another kind of file."""
        shown = repr(os.fspath(value))
        if is_url(text := str(value)):
            if self.url_okay:
                return RemotePath.parse(text)
            refuse_secrets(text)
            advice = "download it first" if self.file_okay else "give one, such as ."
            self.fail(f"{LOCAL_ONLY.format(shown)}: {advice}", param, ctx)
        try:
            is_folder = stat.S_ISDIR(Path(value).stat().st_mode)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                self.fail(f"{shown}: {reason(error)}", param, ctx)
            if Path(value).suffix and not self.file_okay:
                self.fail(f"{shown} does not exist; give a folder", param, ctx)
        else:
            if is_folder and not self.dir_okay:
                self.fail(f"{shown} is a folder; give a file", param, ctx)
            if not is_folder and not self.file_okay:
                self.fail(f"{shown} is a file; give the folder that it is in", param, ctx)
        return super().convert(value, param, ctx)


class NamePath(click.Path):
    """A path that may exist or not, such as a file to write.

    `suffix` replaces that of the path in the longest name of the files that are written with it,
    or follows the name of a folder. `url_okay` as for InputPath.
    """

    def __init__(
        self,
        *,
        suffix: str = "",
        dir_okay: bool = False,
        is_folder: bool = False,
        url_okay: bool = False,
    ) -> None:
        super().__init__(dir_okay=dir_okay or is_folder, path_type=Path)
        self.suffix = suffix
        self.is_folder = is_folder
        self.url_okay = url_okay

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path, or fail for a name that no file can have."""
        if is_url(text := str(value)):
            if self.url_okay:
                return RemotePath.parse(text)
            refuse_secrets(text)
            self.fail(f"{LOCAL_ONLY.format(repr(text))}: upload it afterwards", param, ctx)
        path = Path(value)
        longest = path
        if self.suffix and path.name:
            stem = path.name if self.is_folder else path.stem
            longest = path.with_name(stem + self.suffix)
        if why := unusable_name(path) or unusable_name(longest):
            self.fail(f"{os.fspath(value)!r}: {why}", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = InputPath(file_okay=False)
PHOTOS = InputPath(file_okay=False, url_okay=True)
FILE = InputPath(dir_okay=False)
FILE_OR_URL = InputPath(dir_okay=False, url_okay=True)
FILE_OR_FOLDER = InputPath()
PHOTO_OR_FOLDER = InputPath(url_okay=True)
OUTPUT_FILE = NamePath()
# Problems with these are reported later, with advice.
ZIP = NamePath(dir_okay=True)
OUTPUT_PAGE = NamePath(suffix=".gallery.part", dir_okay=True)
OUTPUT_ZIP_OR_URL = NamePath(suffix=".gallery.part", dir_okay=True, url_okay=True)
OUTPUT_FOLDER = NamePath(suffix=".gallery.part", is_folder=True)
