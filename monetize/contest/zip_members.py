"""Inspect one image of a zip: what its content is, or why that is unknown."""

import hashlib
import io
import zipfile
from dataclasses import dataclass, replace

from PIL import Image

from monetize.errors import PhotoError
from monetize.images.decoding import BUDGET
from monetize.images.file_types import FORMATS, HEIF
from monetize.images.limits import check_limits
from monetize.images.zip_files import TooLarge, read_member
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line

# Far above any image of the contest; what claims more may exhaust the memory.
MAX_PIXELS = 16_000_000
# The package for HEIC may be missing, and the contest does not accept it anyway.
CONTEST_FORMATS = tuple(name for name in FORMATS if name != HEIF)
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


class MemberInspector:
    """Inspects the images of a zip; equal files are decoded once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self._decoded: dict[bytes, MemberInfo] = {}

    def inspect(self, member: zipfile.ZipInfo) -> MemberInfo:
        """Read a member, check its CRC and decode it in full.

        Damage is reported in the returned facts; raises ReadError if the system cannot read files.
        """
        name = member.filename
        try:
            data = read_member(self.archive, member)
        except TooLarge as error:
            return MemberInfo(name, undecodable=f"not tried: {error}")
        except PhotoError as error:
            return MemberInfo(name, unreadable=str(error))
        key = hashlib.sha256(data).digest()
        if key not in self._decoded:
            self._decoded[key] = _decode(data)
        return replace(self._decoded[key], name=name)


def _decode(data: bytes) -> MemberInfo:
    info = MemberInfo("", unreadable="")
    try:
        image = Image.open(io.BytesIO(data), formats=CONTEST_FORMATS)
    except Image.DecompressionBombError:
        return replace(info, undecodable="not tried: claims too many pixels")
    except Exception as error:
        raise_if_interrupted(error)
        why = "not an image" if data else "empty"
        return replace(info, format=why, undecodable=why)
    with image:
        # Some phones write MPO, which is a JPEG followed by others.
        image_format = "JPEG" if image.format == "MPO" else image.format
        info = replace(info, format=image_format, size=image.size, mode=image.mode)
        if image.width * image.height > MAX_PIXELS:
            return replace(info, undecodable=f"not tried: {image.width} × {image.height} pixels")
        try:
            check_limits(image, data)
            with BUDGET.reserve(image.width * image.height):
                image.load()
                return _with_pixels(info, image if image.mode == "RGB" else image.convert("RGB"))
        except Exception as error:
            raise_if_interrupted(error)
            # Damaged files make Pillow's decoders raise nearly any exception.
            why = first_line(error) or f"damaged ({type(error).__name__})"
            return replace(info, undecodable=why)


def _with_pixels(info: MemberInfo, rgb: Image.Image) -> MemberInfo:
    digest = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).digest()
    return replace(info, undecodable="", digest=digest, shade=_shade(rgb))


def _shade(image: Image.Image) -> str:
    """Tell whether an image is black or nearly uniform by the range of its squares' averages."""
    extrema = image.reduce(max(1, min(image.size) // 32)).getextrema()
    ranges = [(int(low), int(high)) for low, high in extrema]  # type: ignore[misc] # RGB
    if max(high - low for low, high in ranges) >= UNIFORM_RANGE:
        return ""
    return "black" if max(high for _, high in ranges) < BLACK_MAX else "uniform"
