"""Inspect one image of a zip: what its content is, or why that cannot be told."""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from PIL import Image
from tqdm import tqdm

from monetize.messages import first_line

# Far above any image of the contest; what claims more may exhaust the memory.
MAX_BYTES = 50_000_000
MAX_PIXELS = 16_000_000
# The contest uses none of Pillow's other formats, and one of them (EPS) starts a program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
ENCRYPTED = 0x1
# Of 255, for averages over squares of about 8 × 8 pixels. Of 1,880 photos and 1,080 paintings by
# Monet, the dullest has a range of 50, all others at least 89. A failed painting has one color
# except for JPEG artifacts.
UNIFORM_RANGE = 16
BLACK_MAX = 16


@dataclass(frozen=True)
class MemberInfo:
    """Facts about an image in a zip; those that could not be determined are None.

    `unreadable` is the reason why its bytes cannot be read, `undecodable` why its pixels cannot be
    decoded; both are empty if they can. `format` is that of its content, or "not an image";
    `digest` is of its pixels; `shade` is "black", "uniform" or empty.
    """

    name: str
    unreadable: str | None = None
    undecodable: str | None = None
    format: str | None = None
    size: tuple[int, int] | None = None
    mode: str | None = None
    digest: bytes | None = None
    shade: str | None = None


def inspect_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> MemberInfo:
    """Read a member, check its CRC and decode it in full; never raises for damaged ones."""
    info = MemberInfo(member.filename)
    if member.file_size > MAX_BYTES:
        size = tqdm.format_sizeof(member.file_size, "B")
        return replace(info, undecodable=f"not tried: claims to be {size}")
    if member.flag_bits & ENCRYPTED:
        return replace(info, unreadable="encrypted")
    try:
        with archive.open(member) as file:
            # Limited, as a member may unpack to more than it claims.
            data = file.read(member.file_size + 1)
    except Exception as error:
        # Damaged members make zipfile and its decompressors raise nearly any exception.
        why = "its CRC differs" if str(error).startswith("Bad CRC") else _reason(error)
        return replace(info, unreadable=why)
    return _decode(replace(info, unreadable=""), data)


def _decode(info: MemberInfo, data: bytes) -> MemberInfo:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        return replace(info, undecodable="not tried: claims too many pixels")
    except Exception:
        why = "not an image" if data else "empty"
        return replace(info, format=why, undecodable=why)
    with image:
        # Some phones write MPO, which is a JPEG followed by others.
        image_format = "JPEG" if image.format == "MPO" else image.format
        info = replace(info, format=image_format, size=image.size, mode=image.mode)
        if image.width * image.height > MAX_PIXELS:
            return replace(info, undecodable=f"not tried: {image.width} × {image.height} pixels")
        try:
            image.load()
            rgb = image if image.mode == "RGB" else image.convert("RGB")
        except Exception as error:
            # Damaged files make Pillow's decoders raise nearly any exception.
            return replace(info, undecodable=_reason(error))
        digest = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).digest()
        return replace(info, undecodable="", digest=digest, shade=_shade(rgb))


def _shade(image: Image.Image) -> str:
    """Tell whether an image is black or nearly uniform by the range of its squares' averages."""
    extrema = image.reduce(max(1, min(image.size) // 32)).getextrema()
    ranges = [(int(low), int(high)) for low, high in extrema]  # type: ignore[misc] # RGB has three bands
    if max(high - low for low, high in ranges) >= UNIFORM_RANGE:
        return ""
    return "black" if max(high for _, high in ranges) < BLACK_MAX else "uniform"


def _reason(error: Exception) -> str:
    return first_line(error) or f"damaged ({type(error).__name__})"


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Suppress Pillow's warnings about large or odd files: relevant facts are in MemberInfo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
