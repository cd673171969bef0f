"""List, read and write files in stores.

Whatever goes wrong is raised as an OSError, see `errors.py`; a UsageError for a URL of an unknown
kind, or of one whose package is missing.
"""

import shutil
from collections.abc import Callable
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
# Here nothing is left of an upload that is begun and discarded.
TRIED = frozenset({"s3", "s3a"})


class _Discarded(Exception):
    """An upload that is not to be completed."""


def list_files(folder: RemotePath, *, recursive: bool = True) -> list[tuple[str, RemotePath]]:
    """List the files of a folder: their paths relative to it, and their own, in any order.

    Subfolders are listed together with it, where the store can do that: a request for each 1,000
    files.
    """
    with explained(folder):
        system, base = _opened(folder)
        prefix = base.rstrip("/") + "/"
        system.invalidate_cache()
        found = system.find(base, maxdepth=None if recursive else 1, detail=True)
        system.invalidate_cache()  # it would keep all of this in memory
    keys = ((path.removeprefix(prefix), info) for path, info in found.items() if path != base)
    return [
        (key, RemotePath(f"{folder.url}/{key}", info.get("size"), _version(info)))
        for key, info in keys
        if not key.endswith("/")  # what some programs write in place of a folder
    ]


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


def upload(file: Path, target: RemotePath, on_block: Callable[[], None]) -> None:
    """Write a file to a store, where it appears as a whole, or not at all.

    An existing one is replaced. `on_block` is called after each block of BLOCK_BYTES.
    """
    with file.open("rb") as source, explained(target):
        system, name = _opened(target)
        # Without a transaction, an error in this block would complete what is there so far.
        with system.transaction, system.open(name, "wb", block_size=PART_BYTES) as sink:
            while block := source.read(BLOCK_BYTES):
                sink.write(block)
                on_block()


def check_writable(target: RemotePath) -> None:
    """Begin an upload and discard it, in stores where that leaves nothing behind."""
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
        raise UsageError(f"{printable(path)}: needs another package: {first_line(error)}") from None
    except ValueError as error:
        raise UsageError(f"{printable(path)}: {first_line(error)}") from None
    return system, system._strip_protocol(path.url)


def _version(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in VERSIONS if info.get(name)), "")
