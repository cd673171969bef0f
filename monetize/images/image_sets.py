"""The images of a folder or a zip, identified by name."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from PIL import Image

from monetize.errors import InputError, PhotoError
from monetize.images.decoding import opened_photo
from monetize.images.file_types import is_image_path
from monetize.images.image_notes import ImageNotes
from monetize.images.photos import find
from monetize.images.reading import read_file
from monetize.images.zip_files import image_members, open_zip, read_member
from monetize.messages import printable
from monetize.progress import Reporter

T = TypeVar("T")

MAX_AHEAD = 8
Read = Callable[[int], bytes]


@dataclass(frozen=True)
class ImageSet:
    """The images of a folder or a zip, sorted by name, and what was passed over, in words."""

    source: Path
    names: tuple[str, ...]
    passed_over: str = ""

    @classmethod
    def of(cls, source: Path) -> "ImageSet":
        """List the images; raises InputError if there are none, or if a file is not a zip."""
        passed_over = ""
        if source.is_dir():
            found = find(source)
            names, passed_over = [photo.key for photo in found.photos], found.passed_over
        elif is_image_path(source.name):
            raise InputError(f"{source} is an image; expected a folder or a zip of images")
        else:
            with open_zip(source) as archive:
                names = [member.filename for member in image_members(archive)]
        if not names:
            raise InputError(f"{source}: no images found")
        return cls(source, tuple(sorted(names)), passed_over)

    def tell(self, reporter: Reporter) -> None:
        """Report what was passed over, if anything was."""
        if self.passed_over:
            reporter.say(f"{self.source}: passed over: {self.passed_over}")

    def __len__(self) -> int:
        return len(self.names)

    def digest(self) -> str:
        """Return a hash of the names and contents of all files."""
        digest = sha256()
        with self._reader() as read:
            for i, name in enumerate(self.names):
                data = read(i)
                digest.update(f"{name}\0{len(data)}\0".encode(errors="surrogateescape"))
                digest.update(data)
        return digest.hexdigest()

    def images(self) -> Iterator[Image.Image]:
        """Yield the images, upright and RGB, like `map` without a function."""
        return self.map(lambda image: image)

    def map(
        self, function: Callable[[Image.Image], T], notes: ImageNotes | None = None
    ) -> Iterator[T]:
        """Yield the function's value of each image; threads work a few images ahead.

        The function should return something small: only one large image is in memory at a time,
        unless it is returned. `notes` takes what was ignored. Raises InputError naming an image
        that cannot be read: skipping it would give the figures of another set.
        """
        with self._reader() as read:

            def work(i: int) -> T:
                name, data = self.names[i], read(i)
                note = partial((notes or ImageNotes()).add, name)
                try:
                    with opened_photo(Path(name), data, note) as image:
                        return function(image)
                except PhotoError as error:
                    raise self._unreadable(i, error) from None

            yield from _map_ahead(work, len(self))

    @contextmanager
    def _reader(self) -> Iterator[Read]:
        """Yield a function that reads the file of an image by its index."""
        if self.source.is_dir():
            yield self._checked(lambda i: read_file(self.source / self.names[i]))
            return
        with open_zip(self.source) as archive:
            members = sorted(image_members(archive), key=lambda member: member.filename)
            yield self._checked(lambda i: read_member(archive, members[i]))

    def _checked(self, read: Read) -> Read:
        def checked(i: int) -> bytes:
            try:
                return read(i)
            except PhotoError as error:
                raise self._unreadable(i, error) from None

        return checked

    def _unreadable(self, i: int, error: PhotoError) -> InputError:
        return InputError(f"{printable(self.names[i])} in {self.source}: {error}")


def _map_ahead(work: Callable[[int], T], count: int) -> Iterator[T]:
    threads = ThreadPoolExecutor()
    pending = deque[Future[T]]()
    try:
        for i in range(count):
            pending.append(threads.submit(work, i))
            if len(pending) == MAX_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)
