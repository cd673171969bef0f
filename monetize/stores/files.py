"""List, read and write files in stores.

Whatever goes wrong is raised as an OSError, see `errors.py`; a UsageError for a URL of an unknown
kind, or of one whose package is missing.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.messages import first_line, printable
from monetize.stores.errors import explained
from monetize.stores.remote_path import RemotePath

# Where the kinds of stores say which content a file has, the surest first.
VERSIONS = (
    *("ETag", "etag", "md5Hash", "content_md5", "generation"),
    *("LastModified", "last_modified", "updated", "mtime", "modified", "created"),
)
BLOCK_BYTES = 1_000_000
# What is sent at a time; the stores want at least 5 MiB, and one part is waited for after Ctrl-C.
PART_BYTES = 8 * 2**20
# These have no folders, only long names.
FLAT = frozenset({"s3", "s3a", "gs", "gcs"})
# Here nothing is left of an upload that is begun and discarded.
TRIED = frozenset({"s3", "s3a"})
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}


class _Discarded(Exception):
    """An upload that is not to be completed."""


def list_files(folder: RemotePath, *, recursive: bool = True) -> list[tuple[str, RemotePath]]:
    """List the files of a folder: their paths relative to it, and their own, in any order.

    Subfolders are listed together with it where the store has none: a request for each 1,000
    files. Raises NotADirectoryError for a file.
    """
    with explained(folder):
        system, base = _opened(folder)
        prefix = base.rstrip("/") + "/"
        system.invalidate_cache()
        found = list(_list(system, base, flat=folder.scheme in FLAT, recursive=recursive))
        system.invalidate_cache()  # it would keep all of this in memory
    keys = [(info["name"].removeprefix(prefix), info) for info in found]
    files = [
        (key, RemotePath(f"{folder.url}/{key}", info.get("size"), _version(info)))
        for key, info in keys
        if not key.endswith("/")  # what some programs write in place of a folder
    ]
    if [key for key, _ in files] == [base]:
        raise NotADirectoryError(errno.ENOTDIR, "this is a file: give the folder that it is in")
    return files


def _list(system: Any, base: str, *, flat: bool, recursive: bool) -> Iterator[dict[str, Any]]:
    if flat and recursive:
        yield from system.find(base, detail=True).values()
        return
    # Elsewhere `find` and `walk` pass over folders that they cannot list.
    waiting = [base]
    while waiting:
        folder = waiting.pop()
        for info in system.ls(folder, detail=True):
            if info["type"] == "file":
                yield info
            elif recursive and info["type"] == "directory" and not info.get("islink"):
                waiting.append(info["name"])


def read_bytes(path: RemotePath, length: int | None = None) -> bytes:
    """Read a file, or its first bytes, in one request."""
    if path.size == 0:
        return b""  # a range of nothing is an error to some stores
    with explained(path):
        system, name = _opened(path)
        data: bytes = system.cat_file(name, start=0, end=length)
        return data


def look_up(path: RemotePath) -> RemotePath:
    """Ask for a file's size and version; raises FileNotFoundError if there is none."""
    with explained(path):
        system, name = _opened(path)
        system.invalidate_cache()
        info = system.info(name)
        if info.get("type") != "file":
            raise FileNotFoundError(name)
        return RemotePath(path.url, info.get("size"), _version(info))


def exists(path: RemotePath) -> bool:
    """Whether there is a file."""
    try:
        look_up(path)
    except FileNotFoundError:
        return False
    return True


def upload(file: Path, target: RemotePath, on_sent: Callable[[int], None]) -> None:
    """Write a file to a store, where it appears as a whole, or not at all.

    An existing one is replaced. `on_sent` receives how many more bytes are on their way.
    """
    with file.open("rb") as source, explained(target):
        system, name = _opened(target)
        # Without a transaction, an error in this block would complete what is there so far.
        with system.transaction, system.open(name, "wb", block_size=PART_BYTES) as sink:
            while block := source.read(BLOCK_BYTES):
                sink.write(block)
                on_sent(len(block))


def check_writable(target: RemotePath) -> None:
    """Begin an upload and discard it, in stores where that leaves nothing behind."""
    if target.scheme in ("http", "https"):
        raise UsageError(f"{printable(target)}: files can only be read there: give another place")
    if target.scheme not in TRIED:
        return
    with explained(target), suppress(_Discarded):
        system, name = _opened(target)
        with system.transaction, system.open(name, "wb") as sink:
            sink.write(b"x")
            raise _Discarded


def download(path: RemotePath, file: Path) -> None:
    """Copy a file from a store to a disk."""
    with file.open("wb") as target, explained(path):
        system, name = _opened(path)
        with system.open(name, "rb") as source:
            shutil.copyfileobj(source, target)


def _opened(path: RemotePath) -> tuple[Any, str]:
    """The file system of a URL, and what it calls the path."""
    from fsspec.core import url_to_fs  # takes a tenth of a second to import

    try:
        system, _ = url_to_fs(path.root)
    except ImportError as error:
        package = PACKAGES.get(path.scheme)
        hint = f"pip install {package}" if package else first_line(error)
        raise UsageError(f"{printable(path)}: needs another package: {hint}") from None
    except ValueError as error:
        raise UsageError(f"{printable(path)}: {first_line(error)}") from None
    return system, system._strip_protocol(path.url)


def _version(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in VERSIONS if info.get(name)), "")
