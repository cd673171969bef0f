"""One picture in a zip: what it is by its content, or why that cannot be told."""

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

# Bytes and pixels that no picture of the contest comes near; what claims more may fill the memory.
LARGEST = 50_000_000
MOST_PIXELS = 16_000_000
# Pillow's others are no pictures for a contest, and one of them (EPS) starts a program.
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
ENCRYPTED = 0x1
# Of 255, for averages of squares of about 8 × 8 pixels: of 1,880 photos and 1,080 paintings by
# Monet, the dullest differs by 50 within itself, the others by 89 and more. A painting that went
# wrong is one colour but for the traces of JPEG.
UNIFORM = 16
BLACK = 16


@dataclass(frozen=True)
class Seen:
    """What a picture in a zip is; what could not be found out is None.

    `unreadable` says why its bytes cannot be had, `undecodable` why its pixels cannot; both are
    empty where they can. `kind` is its format by content, or "not a picture"; `digest` that of its
    pixels; `shade` is "black", "uniform" or empty.
    """

    name: str
    unreadable: str | None = None
    undecodable: str | None = None
    kind: str | None = None
    size: tuple[int, int] | None = None
    mode: str | None = None
    digest: bytes | None = None
    shade: str | None = None


def look(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Seen:
    """Read a member with its CRC and decode it in full; raises nothing for what is damaged."""
    seen = Seen(info.filename)
    if info.file_size > LARGEST:
        size = tqdm.format_sizeof(info.file_size, "B")
        return replace(seen, undecodable=f"not tried: claims to be {size}")
    if info.flag_bits & ENCRYPTED:
        return replace(seen, unreadable="encrypted")
    try:
        with archive.open(info) as file:
            # A number of bytes, as a member may unpack to more than it claims.
            data = file.read(info.file_size + 1)
    except Exception as error:
        # Damaged members make zipfile and its decompressors raise nearly anything.
        why = "its CRC differs" if str(error).startswith("Bad CRC") else _reason(error)
        return replace(seen, unreadable=why)
    return _decode(replace(seen, unreadable=""), data)


def _decode(seen: Seen, data: bytes) -> Seen:
    try:
        image = Image.open(io.BytesIO(data), formats=KINDS)
    except Image.DecompressionBombError:
        return replace(seen, undecodable="not tried: claims too many pixels")
    except Exception:
        why = "not a picture" if data else "empty"
        return replace(seen, kind=why, undecodable=why)
    with image:
        # MPO is a JPEG with others behind it, as some phones take them.
        kind = "JPEG" if image.format == "MPO" else image.format
        seen = replace(seen, kind=kind, size=image.size, mode=image.mode)
        if image.width * image.height > MOST_PIXELS:
            return replace(seen, undecodable=f"not tried: {image.width} × {image.height} pixels")
        try:
            image.load()
            rgb = image if image.mode == "RGB" else image.convert("RGB")
        except Exception as error:
            # Damaged files make Pillow's decoders raise nearly anything.
            return replace(seen, undecodable=_reason(error))
        digest = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).digest()
        return replace(seen, undecodable="", digest=digest, shade=_shade(rgb))


def _shade(image: Image.Image) -> str:
    """Tell a picture that is black or nearly of one colour by how far its squares differ."""
    extrema = image.reduce(max(1, min(image.size) // 32)).getextrema()
    ranges = [(int(low), int(high)) for low, high in extrema]  # type: ignore[misc] # RGB has three
    if max(high - low for low, high in ranges) >= UNIFORM:
        return ""
    return "black" if max(high for _, high in ranges) < BLACK else "uniform"


def _reason(error: Exception) -> str:
    return first_line(error) or f"damaged ({type(error).__name__})"


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings of large or odd files back: what matters of them becomes a fact."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
