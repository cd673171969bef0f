"""Convert decoded images of any mode to upright, opaque sRGB images of 8 bits."""

from collections.abc import Callable

from PIL import Image
from PIL.ExifTags import Base

from monetize.errors import PhotoError
from monetize.images.color_profiles import ProfileError, to_srgb
from monetize.interruption import raise_if_interrupted

Note = Callable[[str], None]

STRIP_ROWS = 256
LYING = (5, 6, 7, 8)  # orientations whose width is the height
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def to_rgb(image: Image.Image, profile: bytes | None, note: Note) -> Image.Image:
    """Return a loaded image upright, on white and in sRGB; `profile` is its color profile.

    `note` is called if the profile is ignored. Raises PhotoError for pixels of unknown range.
    """
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


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the width and height of an image once it is upright."""
    width, height = image.size
    lies = _orientation(image) in LYING
    return (height, width) if lies else (width, height)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception as error:
        raise_if_interrupted(error)
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
