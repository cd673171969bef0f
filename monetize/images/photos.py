"""Find the photos of a folder, and open one or say why it cannot be opened."""

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
    """A photo; `key` is its path relative to the photos folder, with `/` on every system."""

    key: str
    path: Path


@dataclass(frozen=True)
class Found:
    """The photos of a folder, sorted by key, and how many other files were skipped."""

    photos: tuple[Photo, ...]
    others: int


def find(folder: Path, *, recursive: bool = True) -> Found:
    """List the photos in a folder and its subfolders by file extension.

    Skips hidden files and folders and the workspaces of other jobs; follows links to folders once.
    Raises InputError if a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename}: this folder cannot be listed: {error.strerror}")

    photos, others, visited = [], 0, {os.path.realpath(folder)}
    for root, folders, names in os.walk(folder, followlinks=True, onerror=fail):
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
    """Raise InputError with a hint if no photo was found."""
    if not found.photos:
        hint = "" if recursive else "; --recursive searches its subfolders too"
        raise InputError(
            f"{folder}: no photos in this folder (other files: {found.others}){hint}. "
            f"Photos have the extensions {', '.join(sorted(SUFFIXES))}."
        )


def open_photo(path: Path, data: bytes | None = None) -> Image.Image:
    """Decode an image file: first frame, upright, RGB, transparent parts on white.

    With `data`, the content of the file, such as a member of a zip, path is only a name. Raises
    PhotoError with the reason if the image cannot be read completely.
    """
    is_heif = path.suffix.lower() in HEIF_SUFFIXES
    can_heif = is_heif and _register_heif()
    try:
        with warnings.catch_warnings():
            # Pillow warns about large or odd files, and raises for unreadable ones.
            warnings.simplefilter("ignore")
            with Image.open(path if data is None else io.BytesIO(data)) as image:
                image.load()
                return _to_rgb(_upright(image))
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise PhotoError(f"more than {limit} million pixels: downscale it first") from None
    except PIL.UnidentifiedImageError:
        if (path.stat().st_size if data is None else len(data)) == 0:
            raise PhotoError("empty file") from None
        if is_heif and not can_heif:
            raise PhotoError("HEIC photos need another package: pip install pillow-heif") from None
        raise PhotoError("not an image in a supported format") from None
    except Exception as error:
        # Damaged files make Pillow's decoders raise nearly any exception; none may stop the job.
        if path.is_symlink() and not path.exists():
            raise PhotoError(f"a link to {path.readlink()}, which does not exist") from None
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PhotoError(first_line(why) or f"damaged ({type(error).__name__})") from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return PIL.ImageOps.exif_transpose(image)
    except Exception:
        # The pixels are intact; only the orientation tag is unreadable.
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        raise PhotoError("32 bits per pixel, of unknown range: convert it to 8 or 16 bits first")
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit values at 255 when converting them: keep the high byte.
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
