"""Open an image file: the one place that turns files into pixels."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL.ExifTags import IFD, Base

from monetize.errors import PhotoError, ReadError
from monetize.images.adobe_rgb import implied_profile
from monetize.images.conversion import Note, to_rgb, upright_size
from monetize.images.file_types import HEAD_BYTES, HEIF, image_format, other_kind
from monetize.images.heic import HINT, can_open_heic
from monetize.images.limits import TOO_MANY_PIXELS, check_limits
from monetize.images.metadata import clean_avif, clean_png, clean_tiff
from monetize.images.pixel_budget import PixelBudget
from monetize.images.reading import read_file
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line, printable
from monetize.stores.remote_path import AnyPath

# Imported, and so registered, before any thread opens an image.
PLUGINS = (
    *(AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin),
    *(PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
)
# Pillow warns about large or odd files; it raises for unreadable ones. A filter rather than a
# context, because a context in one thread would end that of another.
warnings.filterwarnings("ignore", module=r"PIL\.")

# Pillow's blocks of 16 MB come from a thread's heap, which keeps them when they are freed: each of
# four threads kept 1.3 GB of the largest image. Blocks of more than 32 MB are returned.
Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined]

# Four threads may decode photos of 24 million pixels at a time, or one a larger one.
BUDGET = PixelBudget(100_000_000)


def _ignore(_note: str) -> None:
    """Ignore a note."""


def open_photo(path: AnyPath, data: bytes | None = None, note: Note = _ignore) -> Image.Image:
    """Decode an image file: first frame, upright, sRGB of mode RGB, transparent parts on white.

    With `data`, the content of the file, such as a member of a zip, path is only a name. `note`
    is called if something was ignored: a damaged color profile. Raises PhotoError with the reason
    if the image cannot be read completely, ReadError if the system cannot read files.
    """
    with opened_photo(path, data, note) as image:
        return image


@contextmanager
def opened_photo(
    path: AnyPath, data: bytes | None = None, note: Note = _ignore
) -> Iterator[Image.Image]:
    """Open like `open_photo`, and let other threads decode large images only after the block.

    Blocks must not nest.
    """
    data = read_file(path) if data is None else data
    with _decoding(path):
        image, profile = _open(data)
    with BUDGET.reserve(image.width * image.height):
        with _decoding(path), image:
            image.load()
            rgb = to_rgb(image, profile, note)
        del data, image
        yield rgb


@contextmanager
def _decoding(path: AnyPath) -> Iterator[None]:
    """Turn whatever a decoder raises for damaged files into PhotoError."""
    try:
        yield
    except (PhotoError, ReadError):
        raise
    except MemoryError:
        raise ReadError(f"{printable(path)}: cannot be decoded: out of memory") from None
    except UnidentifiedImageError:
        raise PhotoError("damaged: its header cannot be read") from None
    except Exception as error:
        raise_if_interrupted(error)
        # Damaged files make Pillow's decoders raise nearly any exception; none may stop the job.
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PhotoError(first_line(why) or f"damaged ({type(error).__name__})") from None


def _open(data: bytes) -> tuple[Image.Image, bytes | None]:
    """Open an image without decoding it, within the limits; returns it and its color profile."""
    head = data[:HEAD_BYTES]
    kind = image_format(head)
    if kind is None:
        raise PhotoError(_not_an_image(head))
    if kind == HEIF and not can_open_heic():
        raise PhotoError(HINT)
    profile = None
    if kind == "PNG":
        data, profile = clean_png(data)
    elif kind == "TIFF":
        data = clean_tiff(data)
    image = _open_as(kind, data)
    check_limits(image, data)
    return image, profile or image.info.get("icc_profile") or implied_profile(image)


def image_size(data: bytes) -> tuple[int, int]:
    """Return the width and height of an upright image without decoding it; raises PhotoError."""
    with _decoding(Path("image")), _open(data)[0] as image:
        return upright_size(image)


def user_comment(path: AnyPath, data: bytes) -> bytes | None:
    """Return the EXIF UserComment of an image, None if it has none; raises PhotoError."""
    with _decoding(path), _open(data)[0] as image:
        comment = image.getexif().get_ifd(IFD.Exif).get(Base.UserComment)
        return comment if isinstance(comment, bytes) else None


def _open_as(kind: str, data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=[kind])
    except Image.DecompressionBombError:
        raise PhotoError(TOO_MANY_PIXELS) from None
    except ValueError:
        if kind != "AVIF":
            raise
        return Image.open(io.BytesIO(clean_avif(data)), formats=[kind])


def _not_an_image(head: bytes) -> str:
    if not head:
        return "empty file"
    kind = other_kind(head)
    article = "an" if kind == "unsupported image" else "a"
    return "not an image in a supported format" + (f": it is {article} {kind}" if kind else "")
