"""List, read and write files in stores.

Whatever goes wrong is raised as an OSError, see `errors.py`; a UsageError for a URL of an unknown
kind, or of one whose package is missing.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.messages import first_line, printable
from monetize.stores.errors import explained
from monetize.stores.remote_path import BUCKET_STORES, RemotePath

# Where the kinds of stores say which content a file has, the most reliable first.
VERSIONS = (
    *("ETag", "etag", "md5Hash", "content_md5", "generation"),
    *("LastModified", "last_modified", "updated", "mtime", "modified", "created"),
)
BLOCK_BYTES = 1_000_000
# Size of an uploaded part; the stores want at least 5 MiB, and Ctrl-C waits for one part.
PART_BYTES = 8 * 2**20
# S3 takes 10,000 of them, whatever their size.
MOST_PARTS = 9_000
# A file that is written to other kinds of stores may become visible before it is complete.
WRITABLE = BUCKET_STORES
# These delete at once an upload that is begun and discarded.
CAN_TRY_UPLOADS = frozenset({"s3"})
PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}


class _Discarded(Exception):
    """An upload that is not to be completed."""


def list_files(folder: RemotePath, *, recursive: bool = True) -> list[tuple[str, RemotePath]]:
    """List the files of a folder: their paths relative to it, and their own, in any order.

    Subfolders are listed together with it where the store has none: a request for each 1,000
    files. Raises NotADirectoryError for a file.
    """
    with explained(folder):
        system, base = _opened(folder)
        system.invalidate_cache()
        found = list(_list(system, base, folder.scheme, recursive=recursive))
        system.invalidate_cache()  # it would keep all of this in memory
    if [info["name"] for _, info in found] == [base]:
        raise NotADirectoryError(errno.ENOTDIR, "this is a file: give the folder that it is in")
    return [
        (key, RemotePath(f"{folder.url}/{key}", info.get("size"), _version(info)))
        for key, info in found
        if key and not key.endswith("/")  # what some programs write in place of a folder
    ]


def _list(
    system: Any, base: str, scheme: str, *, recursive: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield everything except folders, with its path relative to the folder `base`."""
    prefix = f"{base.rstrip('/')}/" if base.strip("/") else ""
    if scheme in BUCKET_STORES and recursive:
        for info in system.find(base, detail=True).values():
            yield _key(info["name"], base, prefix), info
        return
    # Elsewhere `find` and `walk` pass over folders that they cannot list.
    waiting = [base]
    seen = {base.rstrip("/")}  # pages link to themselves
    while waiting:
        for info in system.ls(waiting.pop(), detail=True):
            name = info["name"]
            if scheme in ("http", "https") and not name.startswith(prefix):
                continue  # pages also link to others
            key = _key(name, base, prefix)
            if info["type"] != "directory":
                yield key, info
            elif recursive and name.rstrip("/") not in seen:
                seen.add(name.rstrip("/"))
                waiting.append(name)


def _key(name: str, base: str, prefix: str) -> str:
    """The path relative to a folder of what is listed in it; empty for the folder itself."""
    if name == base:
        return ""
    if not name.startswith(prefix):
        raise OSError(
            errno.EINVAL, f"the store lists {printable(name)}, which is not in this folder"
        )
    return name.removeprefix(prefix) if prefix else name.lstrip("/")


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
        if info.get("type") == "directory":
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
    """Write a file to a store, where it appears complete or not at all.

    An existing one is replaced. `on_sent` receives how many more bytes are on their way. Raises
    StorageError if the file on the disk cannot be read.
    """
    with explain_read_errors(file):
        size = file.stat().st_size
    with _writing(target, part_bytes(size)) as write:
        for block in _blocks(file):
            write(block)
            on_sent(len(block))


def part_bytes(size: int) -> int:
    """How large the parts of a file of this size are, so that it has few enough of them."""
    return PART_BYTES * max(1, -(-size // (PART_BYTES * MOST_PARTS)))


def _blocks(file: Path) -> Iterator[bytes]:
    with explain_read_errors(file), file.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            yield block


@contextmanager
def _writing(target: RemotePath, block_size: int) -> Iterator[Callable[[bytes], None]]:
    """Write a file that appears when the block ends, or never if the block raises."""
    failed: BaseException | None = None

    def write(block: bytes) -> None:
        with explained(target):
            sink.write(block)

    with explained(target), suppress(_Discarded):
        system, name = _opened(target)
        # Without a transaction, an error would publish the incomplete file.
        with system.transaction, system.open(name, "wb", block_size=block_size) as sink:
            try:
                yield write
            except BaseException as error:
                failed = error
                raise _Discarded from error
    if failed is not None:
        raise failed


def check_writable(target: RemotePath) -> None:
    """Check what can be known before the work; leaves nothing behind.

    Begins an upload and discards it in stores where that leaves nothing behind; others must at
    least answer. Raises UsageError for stores where incomplete files could be seen.
    """
    if target.scheme not in WRITABLE:
        raise UsageError(
            f"{printable(target)}: only s3:// and gs:// can be written to: write the zip to "
            "a disk, and copy it there"
        )
    if target.scheme not in CAN_TRY_UPLOADS:
        exists(target)
        return
    with suppress(_Discarded), _writing(target, PART_BYTES) as write:
        write(b"x")
        raise _Discarded


def download(path: RemotePath, file: Path) -> None:
    """Copy a file from a store to a disk; raises StorageError if it cannot be written there."""
    with explain_write_errors(file):
        target = file.open("wb", buffering=0)  # closing it writes nothing that could fail
    with target:
        for block in _stored_blocks(path):
            rest = memoryview(block)
            with explain_write_errors(file):
                while rest:
                    rest = rest[target.write(rest) :]


def _stored_blocks(path: RemotePath) -> Iterator[bytes]:
    with explained(path):
        system, name = _opened(path)
        with system.open(name, "rb") as source:
            while block := source.read(BLOCK_BYTES):
                yield block


def _opened(path: RemotePath) -> tuple[Any, str]:
    """The file system of a URL, and what it calls the path."""
    from fsspec.core import url_to_fs  # takes a tenth of a second to import

    try:
        system, _ = url_to_fs(path.root)
    except ImportError as error:
        hint = first_line(error)
        if package := PACKAGES.get(path.scheme):
            hint = f"pip install {package} ({first_line(error.__cause__ or error)})"
        raise UsageError(f"{printable(path)}: needs another package: {hint}") from None
    except ValueError as error:
        raise UsageError(f"{printable(path)}: {first_line(error)}") from None
    # Given the whole URL, url_to_fs would take parts of some names for options or other URLs.
    return system, system._strip_protocol(path.url)


def _version(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in VERSIONS if info.get(name)), "")
