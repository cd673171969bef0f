"""The entries of a folder and its subfolders, on this machine's disks or in a store."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from monetize.errors import InputError, UsageError
from monetize.file_errors import reason
from monetize.messages import printable
from monetize.stores.files import list_files
from monetize.stores.remote_path import AnyPath, RemotePath


class Entry(Protocol):
    """A file or folder, as os.scandir lists it; this says only what is used of it."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def is_dir(self) -> bool: ...  # noqa: D102

    def is_file(self) -> bool: ...  # noqa: D102

    def is_symlink(self) -> bool: ...  # noqa: D102


class FolderTree(Protocol):
    """Lists folders."""

    def entries(self, folder: AnyPath) -> Sequence[Entry]:
        """The entries of one folder, sorted by name; raises InputError if it cannot be listed."""

    def path(self, entry: Entry) -> AnyPath:
        """Where an entry is."""

    def identity(self, folder: AnyPath) -> str:
        """The same for the same folder, whatever links lead to it."""


def folder_tree(folder: AnyPath, *, recursive: bool) -> FolderTree:
    """The tree below a folder; raises InputError or UsageError if a store cannot be listed."""
    if isinstance(folder, RemotePath):
        return RemoteTree(folder, recursive=recursive)
    return LocalTree()


class LocalTree:
    """Folders on disks, listed as they are asked for."""

    def entries(self, folder: AnyPath) -> Sequence[os.DirEntry[str]]:
        """The entries of one folder, sorted by name."""
        try:
            with os.scandir(str(folder)) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"{printable(folder)}: cannot be listed: {reason(error)}") from error

    def path(self, entry: Entry) -> AnyPath:
        """Where an entry is."""
        assert isinstance(entry, os.DirEntry)
        return Path(entry.path)

    def identity(self, folder: AnyPath) -> str:
        """The folder at the end of links."""
        return os.path.realpath(str(folder))


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """An entry of a folder in a store; without a path, it is neither a file nor a folder."""

    name: str
    path: RemotePath | None
    is_folder: bool = False

    def is_dir(self) -> bool:
        """Whether this is a folder."""
        return self.is_folder

    def is_file(self) -> bool:
        """Whether this is a file."""
        return self.path is not None and not self.is_folder

    def is_symlink(self) -> bool:
        """Whether this is a link, which stores do not have."""
        return False


class RemoteTree:
    """Folders in a store, listed all at once: most stores have no folders, only long names."""

    def __init__(self, folder: RemotePath, *, recursive: bool) -> None:
        try:
            files = list_files(folder, recursive=recursive)
        except NotADirectoryError as error:
            raise UsageError(f"{printable(folder)}: {reason(error)}") from error
        except FileNotFoundError as error:
            raise UsageError(f"{printable(folder)}: {reason(error)}: check the name") from error
        except OSError as error:
            raise InputError(f"{printable(folder)}: cannot be listed: {reason(error)}") from error
        self._entries: dict[str, dict[tuple[str, bool], RemoteEntry]] = {}
        for key, path in files:
            self._add(folder, key, path)

    def _add(self, folder: RemotePath, key: str, path: RemotePath) -> None:
        """Add a file, and the folders that it is in."""
        if "" in (parts := key.split("/")):
            # A local folder cannot have such a name, nor a report.
            self._entries.setdefault(folder.url, {})[key, False] = RemoteEntry(key, None)
            return
        *parents, name = parts
        for parent in parents:
            entries = self._entries.setdefault(folder.url, {})
            folder /= parent
            entries.setdefault((parent, True), RemoteEntry(parent, folder, is_folder=True))
        self._entries.setdefault(folder.url, {})[name, False] = RemoteEntry(name, path)

    def entries(self, folder: AnyPath) -> Sequence[RemoteEntry]:
        """The entries of one folder, sorted by name."""
        return sorted(
            self._entries.get(str(folder), {}).values(),
            key=lambda entry: (entry.name, entry.is_folder),
        )

    def path(self, entry: Entry) -> AnyPath:
        """Where an entry is."""
        assert isinstance(entry, RemoteEntry)
        assert entry.path is not None
        return entry.path

    def identity(self, folder: AnyPath) -> str:
        """The URL."""
        return str(folder)
