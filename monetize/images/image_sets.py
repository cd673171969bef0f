"""Pictures in a folder or a zip, told by their names."""

import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from PIL import Image

from monetize.contest.archive import is_picture, open_zip
from monetize.errors import InputError, PhotoError
from monetize.images.photos import find, open_photo
from monetize.messages import first_line

DECODED_AHEAD = 8  # large photos take 40 MB each


@dataclass(frozen=True)
class PictureSet:
    """A folder's or a zip's pictures, sorted by name."""

    source: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, source: Path) -> "PictureSet":
        """List the pictures; raises InputError if there is none, or for a file that is no zip."""
        if source.is_dir():
            names = [photo.key for photo in find(source).photos]
        elif is_picture(source.name):
            raise InputError(f"{source} is a picture: give a folder or a zip of pictures")
        else:
            with open_zip(source) as archive:
                names = [name for name in archive.namelist() if is_picture(name)]
        if not names:
            raise InputError(f"{source}: there is no picture in it")
        return cls(source, tuple(sorted(names)))

    def __len__(self) -> int:
        return len(self.names)

    def digest(self) -> str:
        """A hash of the names and the files' bytes."""
        whole = sha256()
        for name in self.names:
            data = self._read(name)
            whole.update(f"{name}\0{len(data)}\0".encode(errors="surrogateescape"))
            whole.update(data)
        return whole.hexdigest()

    def images(self) -> Iterator[Image.Image]:
        """The pictures, upright and RGB, decoded in threads; InputError names one that cannot be.

        None is left out, as a figure of the others would be one of another set.
        """
        with ThreadPoolExecutor() as threads:
            waiting = deque[Future[Image.Image]]()
            for name in self.names:
                waiting.append(threads.submit(self._decode, name, self._read(name)))
                if len(waiting) == DECODED_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    @cached_property
    def _root(self) -> Path | zipfile.Path:
        return self.source if self.source.is_dir() else zipfile.Path(self.source)

    def _read(self, name: str) -> bytes:
        try:
            return (self._root / name).read_bytes()
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:  # the last where encrypted
            raise InputError(f"{name} in {self.source}: {first_line(error)}") from error

    def _decode(self, name: str, data: bytes) -> Image.Image:
        try:
            return open_photo(Path(name), data)
        except PhotoError as error:
            raise InputError(f"{name} in {self.source}: {error}") from None
