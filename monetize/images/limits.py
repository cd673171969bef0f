"""Limit the memory and the time that decoding an image may take, before it is decoded."""

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from monetize.errors import PhotoError
from monetize.images.metadata import count_scans

MAX_PIXELS = 2 * 89_478_485  # where Pillow refuses as well; needs up to 1.5 GB
TOO_MANY_PIXELS = f"more than {MAX_PIXELS // 1_000_000} million pixels: downscale it first"
# A scan costs about 1 ms per million pixels. Progressive JPEGs have about 10; more than 20 must
# not take much more than a second.
USUAL_SCANS = 20
MAX_SCANNED_PIXELS = 1_000_000_000
MAX_TILE_PIXELS = 4096**2


def check_limits(image: Image.Image, data: bytes) -> None:
    """Raise PhotoError for an image that would take too much memory or time to decode."""
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise PhotoError(TOO_MANY_PIXELS)
    if _tile_pixels(image) > max(pixels, MAX_TILE_PIXELS):
        raise PhotoError("a TIFF with tiles larger than the image: save it again")
    scans = count_scans(data) if image.format in ("JPEG", "MPO") else 1
    if scans > USUAL_SCANS and scans * pixels > MAX_SCANNED_PIXELS:
        raise PhotoError(f"a JPEG with {scans:,} scans would take too long: save it again")


def _tile_pixels(image: Image.Image) -> int:
    """Return the size of a TIFF's tiles, which are decoded as a whole."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    width, height = (image.tag_v2.get(tag, 0) for tag in (Base.TileWidth, Base.TileLength))
    return int(width * height)
