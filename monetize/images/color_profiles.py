"""Convert images from their embedded color profile to sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# Rounding errors of a profile that describes sRGB itself; such images keep their pixels.
IDENTITY_TOLERANCE = 2
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # Pillow's modes of the color spaces


class ProfileError(Exception):
    """A profile is damaged, or made for another kind of image."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an image of mode RGB, RGBA, L or CMYK to sRGB, in place if the mode stays the same.

    Returns RGB or RGBA, or the image itself if the profile is sRGB. Raises ProfileError.
    """
    space, is_srgb = _examine(profile)
    if is_srgb:
        return image
    if space == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if image.mode.removesuffix("A") != MODES[space]:
        raise ProfileError(f"it is for {space} images")
    if image.mode in ("RGB", "RGBA"):
        return _transform(profile, image.mode, image.mode).apply_in_place(image)
    return _transform(profile, image.mode, "RGB").apply(image)


@lru_cache(maxsize=8)
def _examine(profile: bytes) -> tuple[str, bool]:
    """Return a profile's color space, and whether it is sRGB."""
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except OSError:
        raise ProfileError("it is damaged") from None
    if space not in MODES:
        raise ProfileError(f"it is for {space} images")
    mode = MODES[space]
    probe = _probe(mode)
    converted = _transform(profile, mode, "RGB").apply(probe)
    if mode == "CMYK":
        return space, False
    before, after = (np.asarray(each.convert("RGB"), int) for each in (probe, converted))
    return space, bool(np.abs(after - before).max() <= IDENTITY_TOLERANCE)


def _probe(mode: str) -> Image.Image:
    """Return an image with colors from the whole range."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    return Image.fromarray(grid).convert(mode)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str, output_mode: str) -> ImageCms.ImageCmsTransform:
    try:
        return ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            output_mode,
        )
    except (OSError, ValueError):
        raise ProfileError("it is damaged") from None
