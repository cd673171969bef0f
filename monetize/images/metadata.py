"""Scan image files before Pillow opens them: drop metadata that blocks decoding, count scans."""

import re
import struct
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
PNG_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# Text that may contain the orientation.
PNG_TEXT_KEYWORDS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
MAX_TEXT_BYTES = 900_000  # unpacked; Pillow refuses more than 1 MiB
MAX_PROFILE_BYTES = 16_000_000
BROKEN_PROFILE = b"broken"  # in place of one that cannot be unpacked: not a profile

# Descriptions, dates and names. All tags above the last one for pixels are metadata as well.
TIFF_METADATA = frozenset({269, 270, 271, 272, 285, 305, 306, 315, 316, 333, 337})
TIFF_LAST_PIXEL_TAG = 532
TIFF_TYPE_BYTES = dict(enumerate((0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)))

# In the data of a scan, 0xFF is followed by 0 or a restart marker; fill bytes repeat 0xFF.
JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
JPEG_SCAN, JPEG_END = 0xDA, 0xD9


def clean_png(data: bytes) -> tuple[bytes, bytes | None]:
    """Return a PNG with only its pixels and orientation, and its unpacked color profile.

    A PNG with damaged chunks is returned up to the damage.
    """
    kept, profile = [PNG_SIGNATURE], None
    for kind, payload, chunk in _png_chunks(data):
        if kind == b"iCCP":
            packed = payload.partition(b"\0")[2][1:]
            profile = _unpack(packed, MAX_PROFILE_BYTES) or BROKEN_PROFILE
        elif kind in PNG_PIXELS or (_has_orientation(kind, payload) and _is_intact(chunk)):
            kept.append(chunk)
    return b"".join(kept), profile


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the kind, the payload and all bytes of each chunk."""
    start = len(PNG_SIGNATURE)
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        end = start + 12 + length
        chunk = data[start:end]
        yield chunk[4:8], chunk[8 : 8 + length], chunk
        start = end


def png_text(data: bytes, keyword: bytes) -> str | None:
    """Return the first text of a PNG with this keyword; None if there is none that can be read."""
    for kind, payload, _ in _png_chunks(data):
        if kind not in PNG_TEXT or not payload.startswith(keyword + b"\0"):
            continue
        rest: bytes | None = payload[len(keyword) + 1 :]
        assert rest is not None
        if kind == b"tEXt":
            return rest.decode("latin-1")
        if kind == b"zTXt":
            rest = _unpack(rest[1:], MAX_TEXT_BYTES)
            return None if rest is None else rest.decode("latin-1")
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # language, translated keyword
        if packed:
            rest = _unpack(rest, MAX_TEXT_BYTES)
        return None if rest is None else rest.decode("utf-8", errors="replace")
    return None


def _is_intact(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _has_orientation(kind: bytes, payload: bytes) -> bool:
    if kind == b"eXIf":
        return True
    is_text = kind in PNG_TEXT and payload.startswith(PNG_TEXT_KEYWORDS)
    if not is_text or len(payload) > MAX_TEXT_BYTES:
        return False
    rest = payload.partition(b"\0")[2]
    if kind == b"zTXt":
        return _unpack(rest[1:], MAX_TEXT_BYTES) is not None
    if kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        return _unpack(packed, MAX_TEXT_BYTES) is not None
    return True


def _unpack(packed: bytes, limit: int) -> bytes | None:
    """Unpack zlib data; None if it is damaged or too long."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, limit)
    except zlib.error:
        return None
    return data if unpacker.eof else None


def clean_tiff(data: bytes) -> bytes:
    """Return a TIFF without metadata tags that point beyond the file: Pillow stops at the first."""
    order = "<" if data.startswith(b"II") else ">"
    cleaned = bytearray(data)
    try:
        (directory,) = struct.unpack_from(order + "L", data, 4)
        (count,) = struct.unpack_from(order + "H", data, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, number, offset = struct.unpack_from(order + "HHLL", data, entry)
            size = TIFF_TYPE_BYTES.get(kind, 0) * number
            if _is_tiff_metadata(tag) and size > 4 and offset + size > len(data):
                struct.pack_into(
                    order + "H", cleaned, entry + 2, 0
                )  # an unknown type, which is skipped
    except struct.error:
        return data  # without a directory, which the decoder reports
    return bytes(cleaned)


def _is_tiff_metadata(tag: int) -> bool:
    return tag in TIFF_METADATA or tag > TIFF_LAST_PIXEL_TAG


def clean_avif(data: bytes) -> bytes:
    """Return an AVIF whose EXIF is hidden by another name; its orientation is elsewhere."""
    head, separator, rest = data.partition(b"infe")
    return head + separator + rest.replace(b"Exif", b"none", 1)


def count_scans(data: bytes) -> int:
    """Return the number of scans of the first image in a JPEG: 1, or about 10 if progressive."""
    position, scans = 2, 0
    while found := JPEG_MARKER.search(data, position):
        marker, position = found[0][1], found.end()
        if marker == JPEG_END:
            break
        scans += marker == JPEG_SCAN
        position += int.from_bytes(data[position : position + 2], "big")
    return scans
