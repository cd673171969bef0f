"""Find the photos of a folder, open one, and say why one cannot be opened."""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import PIL.ImageOps
from PIL import Image

from monetize.errors import InputError, PhotoError
from monetize.messages import first_line

HEIF_SUFFIXES = frozenset({".heic", ".heif"})
SUFFIXES = HEIF_SUFFIXES | frozenset(
    [".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"]
)
WORKSPACE_SUFFIX = ".zip.work"


@dataclass(frozen=True)
class Photo:
    """A photo of the job; `key` is its path below the photos folder, with `/` on every system."""

    key: str
    path: Path


@dataclass(frozen=True)
class Found:
    """What a folder holds: its photos sorted by key, and how many other files were passed over."""

    photos: tuple[Photo, ...]
    others: int


def find(folder: Path, *, recursive: bool = True) -> Found:
    """List the photos below a folder by their file name's ending.

    Hidden files and folders, and the workspaces of other jobs, are passed over; links to
    folders are followed once. Raises InputError if a folder cannot be listed.
    """

    def unlisted(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot list this folder: {error.strerror}")

    photos, others, visited = [], 0, {os.path.realpath(folder)}
    for root, folders, names in os.walk(folder, followlinks=True, onerror=unlisted):
        kept = []
        for name in sorted(folders) if recursive else ():
            real = os.path.realpath(Path(root, name))
            is_workspace = name.lower().endswith(WORKSPACE_SUFFIX)
            if not (name.startswith(".") or is_workspace or real in visited):
                visited.add(real)
                kept.append(name)
        folders[:] = kept
        for name in names:
            if name.startswith("."):
                continue
            path = Path(root, name)
            if path.suffix.lower() in SUFFIXES and (path.is_file() or path.is_symlink()):
                photos.append(Photo(path.relative_to(folder).as_posix(), path))
            else:
                others += 1
    return Found(tuple(sorted(photos, key=lambda photo: photo.key)), others)


def require_some(found: Found, folder: Path, recursive: bool) -> None:
    """Raise InputError if a search came back empty, with what may be the reason."""
    if not found.photos:
        hint = "" if recursive else "; --recursive looks in its subfolders too"
        raise InputError(
            f"{folder}: no photo in this folder (other files: {found.others}){hint}. "
            f"Photos end in {', '.join(sorted(SUFFIXES))}."
        )


def open_photo(path: Path, data: bytes | None = None) -> Image.Image:
    """Decode a photo: its first frame, upright, mode RGB, transparent parts on white.

    `data` is the file's content where it lies elsewhere, as in a zip; path is but a name then.
    Raises PhotoError with the reason if it cannot be read in full.
    """
    is_heif = path.suffix.lower() in HEIF_SUFFIXES
    can_heif = is_heif and _register_heif()
    try:
        with warnings.catch_warnings():
            # Pillow's warnings of large or odd files; what it cannot read it raises.
            warnings.simplefilter("ignore")
            with Image.open(path if data is None else io.BytesIO(data)) as image:
                image.load()
                return _to_rgb(_upright(image))
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise PhotoError(f"more than {limit} million pixels: make it smaller first") from None
    except PIL.UnidentifiedImageError:
        if (path.stat().st_size if data is None else len(data)) == 0:
            raise PhotoError("empty file") from None
        if is_heif and not can_heif:
            raise PhotoError("HEIC photos need one more package: pip install pillow-heif") from None
        raise PhotoError("not an image of a kind that can be read") from None
    except Exception as error:
        # Damaged files make Pillow's decoders raise nearly anything; none may stop the others.
        if path.is_symlink() and not path.exists():
            raise PhotoError(f"a link to {path.readlink()}, which does not exist") from None
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PhotoError(first_line(why) or f"damaged ({type(error).__name__})") from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return PIL.ImageOps.exif_transpose(image)
    except Exception:
        # The pixels are whole; only the note of how the camera was held cannot be read.
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        raise PhotoError("32 bits a pixel, of an unknown range: convert it to 8 or 16 bits first")
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit values at 255 when it converts them; keep the upper byte.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _register_heif() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
