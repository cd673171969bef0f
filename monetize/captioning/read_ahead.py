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

T = TypeVar("T")

MOST_READERS = 4  # a large photo takes hundreds of megabytes while it is decoded


def of_readable(
    captioner: Captioner,
    batches: Iterable[Sequence[Photo]],
    make: Callable[[Sequence[Tensor]], Sequence[T]],
    notes: ImageNotes | None = None,
    contents: Mapping[str, bytes | str] | None = None,
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
        data = contents[photo.key] if contents is not None else None
        if isinstance(data, str):
            raise PhotoError(data)
        with opened_photo(photo.path, data, note) as image:
            return captioner.prepare(image)

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
