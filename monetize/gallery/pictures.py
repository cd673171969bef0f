"""The images of a gallery: the zip's paintings unchanged, photos uncropped and about as large."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

from monetize.errors import InputError, PhotoError
from monetize.images.decoding import image_size, opened_photo
from monetize.images.photos import photo_path
from monetize.job.painted_files import PaintedFiles, opened
from monetize.job.report_reader import Results, Row
from monetize.messages import printable
from monetize.progress import Reporter
from monetize.stores.remote_path import AnyPath

PHOTO_QUALITY = 85
MAX_THREADS = 8  # decoding a large photo takes hundreds of megabytes
MOST_SIDES = 4  # of a painting, for the longer side of a panorama
NOT_FOUND = "not found"


def write_pictures(
    folder: Path, results: Results, photos: AnyPath | None, reporter: Reporter
) -> tuple[tuple[int, int], dict[str, str]]:
    """Write paintings/ and photos/ into folder; a photo has the file name of its painting.

    Returns the most common width and height of the paintings, and for each file without a photo
    the reason. Raises InputError for a damaged zip, and OSError.
    """
    for kind in ("paintings", "photos"):
        (folder / kind).mkdir()
    rows = results.painted
    sizes: Counter[tuple[int, int]] = Counter()
    missing = {}
    with opened(results.outputs) as files:

        def write(row: Row) -> tuple[tuple[int, int], str]:
            size = _write_painting(results, files, row.file, folder / "paintings" / row.file)
            if photos is None:
                return size, NOT_FOUND
            return size, _write_photo(
                photo_path(photos, row.photo), size, folder / "photos" / row.file
            )

        pool = ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1))
        try:
            with reporter.stage("Gallery", len(rows), "picture") as stage:
                for row, (size, why) in zip(rows, pool.map(write, rows), strict=True):
                    sizes[size] += 1
                    if why:
                        missing[row.file] = why
                    stage.advance()
        finally:
            pool.shutdown(cancel_futures=True)
    return sizes.most_common(1)[0][0], missing


def _write_painting(
    results: Results, files: PaintedFiles, name: str, path: Path
) -> tuple[int, int]:
    """Copy a painting's bytes; returns its width and height."""
    try:
        data = files.read(name)
        size = image_size(data)
    except PhotoError as error:
        raise InputError(f"{printable(name)} in {results.outputs.out}: {error}") from None
    path.write_bytes(data)
    return size


def _write_photo(source: AnyPath, size: tuple[int, int], path: Path) -> str:
    """Write a photo that covers its painting's size; returns why if that is impossible."""
    if isinstance(source, Path) and not os.access(source, os.F_OK):
        return NOT_FOUND
    try:
        with opened_photo(source) as photo:
            shown = ImageOps.cover(photo, size, Image.Resampling.LANCZOS)
    except PhotoError as error:
        return NOT_FOUND if isinstance(error.__cause__, FileNotFoundError) else str(error)
    shown.thumbnail((MOST_SIDES * size[0], MOST_SIDES * size[1]))
    shown.save(path, "JPEG", quality=PHOTO_QUALITY)
    return ""
