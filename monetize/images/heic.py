"""Support for HEIC photos, which Pillow opens only with another package."""

from collections.abc import Sequence

from monetize.images.file_types import HEAD_BYTES, HEIF, image_format
from monetize.images.photos import Photo
from monetize.images.reading import read_heads
from monetize.messages import name_some

HINT = "HEIC photos need another package: pip install pillow-heif"


def can_open_heic() -> bool:
    """Return whether the package is installed; if so, register the format with Pillow."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def heic_caution(photos: Sequence[Photo]) -> str | None:
    """Return a warning if some photos are HEIC and the package is missing.

    Reads a photo's first bytes only if the package is missing. Raises ReadError.
    """
    if can_open_heic():
        return None
    heads = read_heads([photo.path for photo in photos], HEAD_BYTES)
    keys = [
        photo.key for photo, head in zip(photos, heads, strict=True) if image_format(head) == HEIF
    ]
    if not keys:
        return None
    return f"{len(keys):,} of {len(photos):,} photos cannot be read: {name_some(keys)}. {HINT}"
