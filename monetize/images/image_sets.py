"""The images of a folder or a zip, identified by name."""

import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from PIL import Image

from monetize.errors import InputError, PhotoError
from monetize.images.photos import find, open_photo
from monetize.images.zip_files import is_image, open_zip
from monetize.messages import first_line

MAX_DECODED_AHEAD = 8  # a large photo takes 40 MB


@dataclass(frozen=True)
class ImageSet:
    """The images of a folder or a zip, sorted by name."""

    source: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, source: Path) -> "ImageSet":
        """List the images; raises InputError if there are none, or if a file is not a zip."""
        if source.is_dir():
            names = [photo.key for photo in find(source).photos]
        elif is_image(source.name):
            raise InputError(f"{source} is an image; expected a folder or a zip of images")
        else:
            with open_zip(source) as archive:
                names = [name for name in archive.namelist() if is_image(name)]
        if not names:
            raise InputError(f"{source}: no images found")
        return cls(source, tuple(sorted(names)))

    def __len__(self) -> int:
        return len(self.names)

    def digest(self) -> str:
        """Return a hash of the names and contents of all files."""
        digest = sha256()
        for name in self.names:
            data = self._read(name)
            digest.update(f"{name}\0{len(data)}\0".encode(errors="surrogateescape"))
            digest.update(data)
        return digest.hexdigest()

    def images(self) -> Iterator[Image.Image]:
        """Yield the images, upright and RGB; threads decode a few ahead.

        Raises InputError naming an image that cannot be read: skipping it would give the figures
        of another set.
        """
        with ThreadPoolExecutor() as threads:
            pending = deque[Future[Image.Image]]()
            for name in self.names:
                pending.append(threads.submit(self._decode, name, self._read(name)))
                if len(pending) == MAX_DECODED_AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    @cached_property
    def _root(self) -> Path | zipfile.Path:
        return self.source if self.source.is_dir() else zipfile.Path(self.source)

    def _read(self, name: str) -> bytes:
        try:
            return (self._root / name).read_bytes()
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: encrypted
            raise InputError(f"{name} in {self.source}: {first_line(error)}") from error

    def _decode(self, name: str, data: bytes) -> Image.Image:
        try:
            return open_photo(Path(name), data)
        except PhotoError as error:
            raise InputError(f"{name} in {self.source}: {error}") from None
