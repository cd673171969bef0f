"""The URL of a file or folder that is not on this machine's disks."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from monetize.errors import UsageError
from monetize.messages import printable

# One letter is a drive of Windows.
URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<host>[^/]*)(?P<path>.*)", re.DOTALL)
# name:password@host, where a password may contain slashes; host:port has none.
PASSWORD = re.compile(r"[^/]*:(?!\d*(?:/|$))[^@]*@", re.DOTALL)
# Stores of objects in buckets; they have no folders, only long names.
BUCKET_STORES = frozenset({"s3", "gs"})
SAME_STORES = {"s3a": "s3", "gcs": "gs"}


@dataclass(frozen=True, slots=True)
class RemotePath:
    """A file or folder by its URL, without a slash at the end; its names are those of a Path.

    `size`, in bytes, and `version` are what a listing says of a file; the version changes with the
    content. Both are empty if they are not known.
    """

    url: str
    size: int | None = field(default=None, compare=False)
    version: str = field(default="", compare=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Check a URL that a user gives; raises UsageError without showing what may be secret."""
        match = URL.fullmatch(url)
        if match is None:
            raise UsageError(f"{printable(url)!r} is not a URL such as s3://bucket/photos")
        refuse_secrets(url)
        scheme, host, path = match["scheme"].lower(), match["host"], match["path"]
        scheme = SAME_STORES.get(scheme, scheme)
        if scheme in ("file", "local"):
            raise UsageError(
                f"{printable(url)} is on a disk: give its path, such as {printable(host + path)}"
            )
        if "::" in url:
            raise UsageError(f"{printable(url)}: chained URLs cannot be used: give a plain one")
        path = path.removesuffix("/")
        if not host and (scheme in BUCKET_STORES or not path):
            raise UsageError(
                f"{printable(url)} names no bucket or folder: give one such as s3://bucket/photos"
            )
        if not {"", ".", ".."}.isdisjoint(path.split("/")[1:]):
            raise UsageError(
                f"{printable(url)}: no part of a path may be empty, . or ..: leave out what is not "
                "part of the name"
            )
        return cls(f"{scheme}://{host}{path}")

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def scheme(self) -> str:
        """The kind of the store: s3, gs."""
        return self.url.partition("://")[0]

    @property
    def root(self) -> str:
        """The URL of the bucket or host."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @property
    def parent(self) -> "RemotePath":
        """The folder that this is in; of a bucket, the bucket itself."""
        return self if self.url == self.root else RemotePath(self.url.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part; of a bucket, its name."""
        return self.url.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    def resolve(self) -> "RemotePath":
        """The path itself: it depends on no current folder."""
        return self


AnyPath = Path | RemotePath


def any_path(text: str | AnyPath) -> AnyPath:
    """What a text names, a file on a disk or a URL; raises UsageError as `parse`."""
    if isinstance(text, RemotePath):
        return text
    return RemotePath.parse(str(text)) if is_url(str(text)) else Path(text)


def refuse_secrets(url: str) -> None:
    """Raise UsageError for a URL that contains what may be secret, without showing it."""
    scheme, _, rest = url.partition("://")
    # github://organization:repository@branch
    if scheme.lower() != "github" and PASSWORD.match(rest):
        raise UsageError(
            f"a URL of {scheme}:// has a password, which others could see in the list of processes "
            "and in reports: leave it out, and give it as the documentation of fsspec says"
        )
    if scheme.lower() in ("http", "https") and "?" in rest:
        raise UsageError(
            f"a URL of {scheme}:// has a query, which may be a signature that others could see in "
            "the list of processes and in reports: leave it out, or download the file"
        )


def is_url(text: str) -> bool:
    """Whether a text is a URL, and so never the path of a local file."""
    return URL.fullmatch(text) is not None
