"""The color profile of photos that name Adobe RGB in their EXIF data without embedding it."""

import struct
from functools import cache

from PIL import Image
from PIL.ExifTags import IFD

from monetize.interruption import raise_if_interrupted

# Cameras write this interoperability index for Adobe RGB (DCF 2.0, option file).
INDEX_TAG, ADOBE_RGB = 1, "R03"
# Adobe RGB (1998) Color Image Encoding: XYZ of the white point D50 and of the adapted primaries.
WHITE = (0.9642, 1.0, 0.8249)
PRIMARIES = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
}
GAMMA = 2.19921875


def implied_profile(image: Image.Image) -> bytes | None:
    """Return the Adobe RGB profile if the EXIF data names that color space."""
    if ADOBE_RGB.encode() not in (image.info.get("exif") or b""):
        return None
    try:
        index = image.getexif().get_ifd(IFD.Interop).get(INDEX_TAG)
    except Exception as error:
        raise_if_interrupted(error)
        return None  # damaged EXIF data names no color space
    return adobe_rgb() if index == ADOBE_RGB else None


@cache
def adobe_rgb() -> bytes:
    """Return an ICC profile (version 2.1) of Adobe RGB (1998)."""
    curve = struct.pack(">4sxxxxIHxx", b"curv", 1, round(GAMMA * 256))
    tags = {name: _xyz(values) for name, values in PRIMARIES.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= {b"wtpt": _xyz(WHITE), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    header = struct.pack(
        ">IxxxxI4s4s4s12x4s28x12s48x",
        *(start + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp", _xyz(WHITE)[8:]),
    )
    return header + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return struct.pack(">4sxxxx3i", b"XYZ ", *(round(value * 65536) for value in values))
