"""Open an image file: the one place that turns files into pixels."""

import io
import warnings
from collections.abc import Callable, Iterator
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
from PIL.ExifTags import Base

from monetize.errors import PhotoError, ReadError
from monetize.images.color_profiles import ProfileError, to_srgb
from monetize.images.file_types import HEAD_BYTES, HEIF, image_format, other_kind
from monetize.images.heic import HINT, can_open_heic
from monetize.images.metadata import clean_avif, clean_png, clean_tiff, count_scans
from monetize.images.pixel_budget import PixelBudget
from monetize.images.reading import read_file
from monetize.messages import first_line

# Imported, and so registered, before any thread opens an image.
PLUGINS = (
    *(AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin),
    *(PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
)
# Pillow warns about large or odd files; it raises for unreadable ones. A filter rather than a
# context, because a context in one thread would end that of another.
warnings.filterwarnings("ignore", module=r"PIL\.")

# Pillow's blocks of 16 MB come from the heap of a thread, which keeps them when they are freed:
# each of four threads kept 1.3 GB of the largest image. Blocks of more than 32 MB go back.
Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined]

MAX_PIXELS = 2 * 89_478_485  # where Pillow refuses as well; needs up to 1.5 GB
# Four threads may decode photos of 24 million pixels at a time, or one a larger one.
BUDGET = PixelBudget(100_000_000)
# A scan costs about 1 ms per million pixels: progressive JPEGs have about 10, and those of more
# than 20 must be decoded in about a second.
USUAL_SCANS = 20
MAX_SCANNED_PIXELS = 1_000_000_000
MAX_TILE_PIXELS = 4096**2
STRIP_ROWS = 256
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Note = Callable[[str], None]


def _ignore(_note: str) -> None:
    """Take a note that nobody wants."""


def open_photo(path: Path, data: bytes | None = None, note: Note = _ignore) -> Image.Image:
    """Decode an image file: first frame, upright, sRGB of mode RGB, transparent parts on white.

    With `data`, the content of the file, such as a member of a zip, path is only a name. `note`
    is called if something was ignored: a damaged color profile. Raises PhotoError with the reason
    if the image cannot be read completely, ReadError if the system cannot read files.
    """
    with opened_photo(path, data, note) as image:
        return image


@contextmanager
def opened_photo(
    path: Path, data: bytes | None = None, note: Note = _ignore
) -> Iterator[Image.Image]:
    """Open like `open_photo`, and let other threads decode large images only after the block.

    Blocks must not nest.
    """
    data = read_file(path) if data is None else data
    with _decoding(path):
        image, profile = _open(data)
    with BUDGET.reserve(image.width * image.height):
        with _decoding(path), image:
            rgb = _to_rgb(image, profile, note)
        del data, image
        yield rgb


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises for damaged files into PhotoError."""
    try:
        yield
    except (PhotoError, ReadError):
        raise
    except MemoryError:
        raise ReadError(f"{path}: cannot be decoded: out of memory") from None
    except UnidentifiedImageError:
        raise PhotoError("damaged: its header cannot be read") from None
    except Exception as error:
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
    return image, profile or image.info.get("icc_profile")


def image_size(data: bytes) -> tuple[int, int]:
    """Return the width and height of an image file without decoding it; raises PhotoError."""
    with _decoding(Path("image")), _open(data)[0] as image:
        return image.size


def _open_as(kind: str, data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=[kind])
    except Image.DecompressionBombError:
        raise PhotoError(_too_many_pixels()) from None
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


def check_limits(image: Image.Image, data: bytes) -> None:
    """Raise PhotoError for an image that would take too much memory or time to decode."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise PhotoError(_too_many_pixels())
    if _tile_pixels(image) > max(pixels, MAX_TILE_PIXELS):
        raise PhotoError("a TIFF of tiles that are larger than itself: save it again")
    scans = count_scans(data) if image.format in ("JPEG", "MPO") else 1
    if scans > USUAL_SCANS and scans * pixels > MAX_SCANNED_PIXELS:
        raise PhotoError(f"a JPEG of {scans:,} scans, which would take long: save it again")


def _tile_pixels(image: Image.Image) -> int:
    """Return the size of a TIFF's tiles, which are decoded as a whole."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    width, height = (image.tag_v2.get(tag, 0) for tag in (Base.TileWidth, Base.TileLength))
    return int(width * height)


def _too_many_pixels() -> str:
    return f"more than {MAX_PIXELS // 1_000_000} million pixels: downscale it first"


def _to_rgb(image: Image.Image, profile: bytes | None, note: Note) -> Image.Image:
    image.load()
    transposition = TRANSPOSITIONS.get(_orientation(image))
    image = _to_8_bits(image)
    if profile:
        try:
            image = to_srgb(image, profile)
        except ProfileError as error:
            note(f"a color profile was ignored because {error}")
    rgb = _on_white(image) if image.mode == "RGBA" else image.convert("RGB")
    rgb = rgb if transposition is None else rgb.transpose(transposition)
    rgb.info = {}
    return rgb


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception:
        return 1  # the pixels are intact; only the orientation tag is unreadable
    return orientation if isinstance(orientation, int) else 1


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Return an image of mode RGB, RGBA, L or CMYK."""
    if image.mode in ("I", "F"):
        raise PhotoError("32 bits per pixel, of unknown range: convert it to 8 or 16 bits first")
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit values at 255 when converting them: keep the high byte.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Put an RGBA image on white, strip by strip to save memory."""
    rgb = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP_ROWS):
        box = (0, top, image.width, min(top + STRIP_ROWS, image.height))
        strip = image.crop(box)
        white = Image.new("RGBA", strip.size, "white")
        rgb.paste(Image.alpha_composite(white, strip).convert("RGB"), box)
    return rgb
