import io
from pathlib import Path

import numpy as np
import pytest
from helpers import BUNDLED_PHOTOS
from PIL import Image, ImageCms
from PIL.ExifTags import IFD

from monetize.images.adobe_rgb import adobe_rgb, implied_profile
from monetize.images.decoding import open_photo

SRGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
XYZ_TO_ADOBE = np.array(
    [
        [2.0413690, -0.5649464, -0.3446944],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0134474, -0.1183897, 1.0154096],
    ]
)


def photo() -> Image.Image:
    with Image.open(BUNDLED_PHOTOS / "meadow.jpg") as image:
        return image.convert("RGB").resize((48, 48))


def as_camera_writes(image: Image.Image, index: str) -> bytes:
    """A JPEG without a profile, with this interoperability index in its EXIF data."""
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[0xA001] = 0xFFFF  # color space: not sRGB
    exif.get_ifd(IFD.Interop)[1] = index
    exif.get_ifd(IFD.Exif)[IFD.Interop] = exif.get_ifd(IFD.Interop)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=100, exif=exif)
    return file.getvalue()


def in_adobe_rgb(color: tuple[int, int, int]) -> tuple[int, ...]:
    """An sRGB color in Adobe RGB, by the matrices of both for D65 (Lindbloom)."""
    values = np.array(color) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = SRGB_TO_XYZ @ linear
    return tuple(round(255 * float(v) ** (1 / 2.19921875)) for v in XYZ_TO_ADOBE @ xyz)


@pytest.mark.parametrize(
    "color", [(0, 0, 0), (128, 128, 128), (255, 255, 255), (100, 200, 50), (200, 60, 90)]
)
def test_the_profile_is_adobe_rgb(color: tuple[int, int, int]) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb()))
    image = Image.new("RGB", (1, 1), in_adobe_rgb(color))
    converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"))
    assert converted is not None
    assert converted.getpixel((0, 0)) == pytest.approx(color, abs=2)


def test_a_photo_that_names_adobe_rgb_is_converted() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb()))
    adobe = ImageCms.profileToProfile(photo(), ImageCms.createProfile("sRGB"), profile)
    assert adobe is not None
    opened = open_photo(Path("a.jpg"), as_camera_writes(adobe, "R03"))
    difference = np.abs(np.asarray(opened, float) - np.asarray(photo(), float)).mean()
    assert difference < 2.5
    unconverted = open_photo(Path("a.jpg"), as_camera_writes(adobe, "R98"))
    assert np.abs(np.asarray(unconverted, float) - np.asarray(adobe, float)).mean() < 2.5


def test_other_photos_imply_nothing() -> None:
    for data in (as_camera_writes(photo(), "R98"), as_camera_writes(photo(), "THM")):
        with Image.open(io.BytesIO(data)) as image:
            assert implied_profile(image) is None
    nothing = photo()
    nothing.info["exif"] = None  # as pillow-heif does
    assert implied_profile(nothing) is None
    damaged = photo()
    damaged.info["exif"] = b"Exif\0\0R03 damaged"
    assert implied_profile(damaged) is None
