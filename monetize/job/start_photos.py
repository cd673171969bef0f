"""The photos that a job's paintings start from: which can be read, and what they contain."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from monetize.errors import PhotoError
from monetize.images.decoding import opened_photo
from monetize.images.photos import Photo
from monetize.job.caption_log import PhotoRecord
from monetize.job.caption_stage import Captioned
from monetize.job.job import Job
from monetize.progress import Reporter


def check_start_photos(job: Job, captioned: Captioned, reporter: Reporter) -> Captioned:
    """Record the content of every photo that is painted, and take out those that are unreadable.

    A photo that was captioned and is still the same is not read again. Raises StorageError.
    """
    known: dict[str, PhotoRecord] = {}
    unknown = []
    for photo in job.photos:
        record = captioned.records.get(photo.key)
        if photo.key not in captioned.captions:
            continue
        if record is not None and record.describes(photo.path):
            known[photo.key] = record
        else:
            unknown.append(photo)
    if not unknown:
        return captioned
    unreadable = dict[str, str]()
    with (
        reporter.stage("Reading photos", len(unknown), "photo") as progress,
        ThreadPoolExecutor() as threads,
    ):
        for photo, result in zip(unknown, threads.map(_read, unknown), strict=True):
            if isinstance(result, PhotoRecord):
                known[photo.key] = result
            else:
                unreadable[photo.key] = result
            progress.advance()
    return replace(
        captioned,
        captions=_without(captioned.captions, unreadable),
        unreadable={**captioned.unreadable, **unreadable},
        records=known,
    )


def photo_digests(captioned: Captioned) -> dict[str, str]:
    """The content of each photo, by its key."""
    return {key: record.sha256 for key, record in captioned.records.items()}


def _read(photo: Photo) -> PhotoRecord | str:
    """Decode a photo; returns its record, or why it cannot be read."""
    try:
        with opened_photo(photo.path):
            return PhotoRecord.of(photo.path)
    except PhotoError as error:
        return str(error)


def _without(captions: Mapping[str, str], photos: Mapping[str, str]) -> dict[str, str]:
    return {key: caption for key, caption in captions.items() if key not in photos}
