"""The pictures of a gallery: paintings as the zip has them, photos cut to their shape."""

import io
import os
import zipfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL
from PIL import Image, ImageOps

from monetize.errors import InputError, PhotoError
from monetize.images.photos import open_photo
from monetize.job.report_reader import Results, opened
from monetize.progress import Reporter

PHOTO_QUALITY = 85
MOST_THREADS = 8  # a large photo takes hundreds of megabytes while it is decoded
NOT_FOUND = "not found"


def write_pictures(
    folder: Path, results: Results, photos: Path | None, reporter: Reporter
) -> tuple[tuple[int, int], dict[str, str]]:
    """Write paintings/ and photos/ into folder, under the same names.

    Returns the commonest width and height of the paintings, and by file why a photo is lacking.
    Raises InputError for a damaged zip, and OSError.
    """
    for kind in ("paintings", "photos"):
        (folder / kind).mkdir()
    rows = results.painted
    sizes: Counter[tuple[int, int]] = Counter()
    lacking = {}
    with opened(results.outputs.archive) as archive:

        def put(row: Mapping[str, str]) -> tuple[tuple[int, int], str]:
            size = _put_painting(archive, row["file"], folder / "paintings" / row["file"])
            if photos is None:
                return size, NOT_FOUND
            return size, _put_photo(photos / row["photo"], size, folder / "photos" / row["file"])

        pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1))
        try:
            with reporter.stage("Gallery", len(rows), "picture") as stage:
                for row, (size, why) in zip(rows, pool.map(put, rows), strict=True):
                    sizes[size] += 1
                    if why:
                        lacking[row["file"]] = why
                    stage.advance()
        finally:
            pool.shutdown(cancel_futures=True)
    return sizes.most_common(1)[0][0], lacking


def _put_painting(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[int, int]:
    """Copy a painting's bytes; returns its width and height."""
    data = archive.read(name)
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
    except PIL.UnidentifiedImageError:
        raise InputError(f"{archive.filename}: {name} in it is not a picture") from None
    path.write_bytes(data)
    return size


def _put_photo(source: Path, size: tuple[int, int], path: Path) -> str:
    """Write the middle of a photo at its painting's size; returns why that cannot be done."""
    if not os.access(source, os.F_OK):
        return NOT_FOUND
    try:
        photo = open_photo(source)
    except PhotoError as error:
        return str(error)
    ImageOps.fit(photo, size, Image.Resampling.LANCZOS).save(path, "JPEG", quality=PHOTO_QUALITY)
    return ""
