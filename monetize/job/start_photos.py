"""The photos that a job's paintings depend on: which can be read, their content and their sizes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from monetize.errors import PhotoError
from monetize.image_sizes import FIT, Pixels
from monetize.images.decoding import image_size, opened_photo
from monetize.images.photos import Photo
from monetize.images.reading import read_versioned
from monetize.job.caption_log import PhotoRecord
from monetize.job.caption_stage import Captioned
from monetize.job.job import Job
from monetize.progress import Reporter
from monetize.settings import PaintSettings
from monetize.stores.remote_path import AnyPath, RemotePath


@dataclass(frozen=True)
class StartPhotos:
    """The digest of each photo's content and its upright size, by its key.

    Both are empty for paintings that do not depend on their photos.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Pixels] = field(default_factory=dict)


def check_start_photos(
    job: Job, captioned: Captioned, settings: PaintSettings, reporter: Reporter
) -> tuple[Captioned, StartPhotos]:
    """Check the photos that paintings start from or take their shapes from.

    Removes unreadable ones from `captioned`. A photo that has not changed since it was captioned is
    not decoded again. Raises StorageError.
    """
    if settings.strength is None and settings.size != FIT:
        return captioned, StartPhotos()
    photos = [photo for photo in job.photos if photo.key in captioned.captions]
    records, sizes = dict[str, PhotoRecord](), dict[str, Pixels]()
    unreadable = dict[str, str]()
    for photo, looked in _look(photos, captioned.records, reporter):
        if isinstance(looked, str):
            unreadable[photo.key] = looked
        else:
            records[photo.key], sizes[photo.key] = looked
    checked = replace(
        captioned,
        captions={key: text for key, text in captioned.captions.items() if key not in unreadable},
        unreadable={**captioned.unreadable, **unreadable},
        records=records,
    )
    return checked, StartPhotos({key: each.sha256 for key, each in records.items()}, sizes)


def _is_still(record: PhotoRecord, path: AnyPath, data: bytes) -> bool:
    """Whether a photo that was just read has not changed since it was captioned."""
    if isinstance(path, RemotePath):  # its version is that of the listing, which may be old
        return record.sha256 == hashlib.sha256(data).hexdigest()
    return record.describes(path)


def _look(
    photos: Sequence[Photo], records: Mapping[str, PhotoRecord], reporter: Reporter
) -> Iterator[tuple[Photo, tuple[PhotoRecord, Pixels] | str]]:
    """Yield the record and size of each photo, or why it cannot be read."""

    def look(photo: Photo) -> tuple[PhotoRecord, Pixels] | str:
        record = records.get(photo.key)
        try:
            data, version = read_versioned(photo.path)
            if record is not None and _is_still(record, photo.path, data):
                return record, image_size(data)
            with opened_photo(photo.path, data) as image:
                return PhotoRecord.of(data, version), image.size
        except PhotoError as error:
            return str(error)

    with (
        reporter.stage("Reading photos", len(photos), "photo") as progress,
        ThreadPoolExecutor() as threads,
    ):
        for photo, looked in zip(photos, threads.map(look, photos), strict=True):
            yield photo, looked
            progress.advance()
