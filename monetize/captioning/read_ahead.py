"""Photos read in threads while the batch before them is captioned."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from torch import Tensor

from monetize.captioning.captioner import Captioner
from monetize.errors import PhotoError
from monetize.images.decoding import opened_photo
from monetize.images.image_notes import ImageNotes
from monetize.images.photos import Photo
from monetize.images.reading import FileVersion, read_versioned

T = TypeVar("T")

OnRead = Callable[[Photo, bytes, FileVersion], None]
"""Receives what a photo's file contains, and its version, in a thread."""

MOST_READERS = 4  # a large photo takes hundreds of megabytes while it is decoded


def of_readable(
    captioner: Captioner,
    batches: Iterable[Sequence[Photo]],
    make: Callable[[Sequence[Tensor]], Sequence[T]],
    notes: ImageNotes | None = None,
    contents: Mapping[str, bytes | str] | None = None,
    on_read: OnRead | None = None,
) -> Iterator[tuple[Sequence[Photo], dict[str, T], dict[str, str]]]:
    """Call `make` on the photos of each batch that can be read, while the next one is read.

    `contents` has the content of each photo's file, or why it cannot be read, where the files are
    on another machine.
    Yields each batch with {photo: result} and {photo: why it cannot be read}.
    """
    threads = ThreadPoolExecutor(min(MOST_READERS, os.cpu_count() or 1))
    taken = notes or ImageNotes()

    def read(photo: Photo) -> Tensor:
        note = partial(taken.add, photo.key)
        with opened_photo(photo.path, content(photo), note) as image:
            return captioner.prepare(image)

    def content(photo: Photo) -> bytes:
        if contents is None:
            return read_content(photo, on_read)
        data = contents[photo.key]
        if isinstance(data, str):
            raise PhotoError(data)
        return data

    ahead = deque[tuple[Sequence[Photo], list[Future[Tensor]]]]()
    try:
        for batch in batches:
            ahead.append((batch, [threads.submit(read, photo) for photo in batch]))
            if len(ahead) > 1:
                yield _made(*ahead.popleft(), make)
        while ahead:
            yield _made(*ahead.popleft(), make)
    finally:
        threads.shutdown(cancel_futures=True)


def read_content(photo: Photo, on_read: OnRead | None) -> bytes:
    """Read a photo's file; raises PhotoError and ReadError."""
    data, version = read_versioned(photo.path)
    if on_read is not None:
        on_read(photo, data, version)
    return data


def _made(
    batch: Sequence[Photo],
    reading: Sequence[Future[Tensor]],
    make: Callable[[Sequence[Tensor]], Sequence[T]],
) -> tuple[Sequence[Photo], dict[str, T], dict[str, str]]:
    prepared: dict[str, Tensor] = {}
    reasons: dict[str, str] = {}
    for photo, read in zip(batch, reading, strict=True):
        try:
            prepared[photo.key] = read.result()
        except PhotoError as error:
            reasons[photo.key] = str(error)
    made = make(list(prepared.values()))
    return batch, dict(zip(prepared, made, strict=True)), reasons
