"""Fit an image into another shape: cropped, padded or squashed."""

from PIL import Image, ImageOps

PAPER = "white"
# Shapes that differ by less are taken for equal: sizes are rounded to multiples of some pixels.
SAME_SHAPE = 0.03
DONE = {"crop": "cropped", "pad": "padded", "squash": "squashed"}


def fit(image: Image.Image, size: tuple[int, int], how: str | None) -> Image.Image:
    """Resize an RGB image to this width and height, unless it has them already.

    `how` matters where the shapes differ: `crop` or None keeps the middle, `pad` puts the whole
    image on white, `squash` stretches it.
    """
    if image.size == size:
        return image
    lanczos = Image.Resampling.LANCZOS
    if how == "pad":
        return ImageOps.pad(image, size, lanczos, PAPER)
    if how == "squash":
        return image.resize(size, lanczos)
    return ImageOps.fit(image, size, lanczos)


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes have nearly the same ratio of width and height."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < SAME_SHAPE


def fit_note(before: tuple[int, int], after: tuple[int, int], how: str | None) -> str:
    """Say what `fit` does to an image, with the way to another; empty for the same shape."""
    if same_shape(before, after):
        return ""
    old, new = (f"{width} × {height}" for width, height in (before, after))
    others = "" if how else " (--fit pad or squash keeps all of it)"
    return f"{old} pixels are {DONE[how or 'crop']} to {new}{others}"
