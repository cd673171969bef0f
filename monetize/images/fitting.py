"""Fit an image into another shape: cropped, padded or squashed."""

from PIL import Image, ImageOps

PAPER = "white"


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
