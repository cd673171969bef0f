"""Colors are converted to sRGB wherever a profile is embedded; alpha and sRGB stay as they are."""

import io
from pathlib import Path

import numpy as np
import pytest
from helpers import BUNDLED_PHOTOS
from icc_profiles import cmyk_profile, gray_profile, rgb_profile
from PIL import Image, ImageCms

from monetize.images.decoding import open_photo

WIDE = rgb_profile()


def photo() -> Image.Image:
    with Image.open(BUNDLED_PHOTOS / "meadow.jpg") as image:
        return image.convert("RGB").resize((48, 48))


def in_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """The sRGB image with the values that it has in another RGB profile."""
    other = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), other)
    assert converted is not None
    return converted


def encoded(image: Image.Image, kind: str, profile: bytes | None, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, icc_profile=profile, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    notes: list[str] = []
    image = open_photo(Path("image"), data, notes.append)
    assert notes == []
    return image


def assert_alike(one: Image.Image, other: Image.Image, tolerance: float) -> None:
    difference = np.abs(np.asarray(one, float) - np.asarray(other, float))
    assert difference.mean() < tolerance


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
def test_a_wide_gamut_is_converted_in_every_format(kind: str) -> None:
    wide = in_profile(photo(), WIDE)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind != "PNG" else {}
    image = opened(encoded(wide, kind, WIDE, **options))
    assert_alike(image, photo(), tolerance=2.5)
    with pytest.raises(AssertionError):
        assert_alike(wide, photo(), tolerance=2.5)


def test_a_wide_gamut_is_converted_in_heic() -> None:
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    wide = in_profile(photo(), WIDE)
    wide.info["icc_profile"] = WIDE
    heif.from_pillow(wide).save(file, quality=100)
    assert_alike(opened(file.getvalue()), photo(), tolerance=4)


def test_srgb_images_keep_their_pixels() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert opened(encoded(photo(), "PNG", srgb)).tobytes() == photo().tobytes()
    assert opened(encoded(photo(), "PNG", None)).tobytes() == photo().tobytes()


def test_alpha_is_kept_apart_from_the_colors() -> None:
    wide = in_profile(photo(), WIDE)
    wide.putalpha(128)
    expected = Image.blend(Image.new("RGB", (48, 48), "white"), photo(), 128 / 255)
    assert_alike(opened(encoded(wide, "PNG", WIDE)), expected, tolerance=2)


def test_a_palette_image_is_converted() -> None:
    few = in_profile(photo(), WIDE).quantize(64)
    expected = opened(encoded(few.convert("RGB"), "PNG", WIDE))
    assert opened(encoded(few, "PNG", WIDE)).tobytes() == expected.tobytes()


def test_a_gray_image_is_converted_by_a_gray_profile() -> None:
    """128 at a gamma of 1 is half of the light, which is 188 in sRGB."""
    gray = Image.new("L", (4, 4), 128)
    image = opened(encoded(gray, "PNG", gray_profile(1.0)))
    assert image.getpixel((0, 0)) == pytest.approx((188, 188, 188), abs=2)
    assert opened(encoded(gray, "PNG", WIDE)).getpixel((0, 0)) == pytest.approx((128,) * 3, abs=4)


def test_a_cmyk_image_is_converted_by_its_profile() -> None:
    """The test's profile knows no hue: half of the ink leaves half of the lightness."""
    for ink, gray in (((0, 0, 0, 0), 255), ((255, 255, 0, 0), 119), ((255, 0, 255, 0), 119)):
        inked = Image.new("CMYK", (8, 8), ink)
        for kind in ("TIFF", "JPEG"):
            image = opened(encoded(inked, kind, cmyk_profile()))
            assert image.getpixel((4, 4)) == pytest.approx((gray,) * 3, abs=4), (ink, kind)
    assert opened(encoded(inked, "TIFF", None)).getpixel((4, 4)) == (0, 255, 0)


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        (b"nonsense" * 40, "it is damaged"),
        (WIDE[:200], "it is damaged"),
        (gray_profile(2.2), "it is for GRAY images"),
        (cmyk_profile(), "it is for CMYK images"),
    ],
)
def test_a_broken_profile_is_ignored_with_a_note(profile: bytes, why: str) -> None:
    notes: list[str] = []
    image = open_photo(Path("a.png"), encoded(photo(), "PNG", profile), notes.append)
    assert image.tobytes() == photo().tobytes()
    assert notes == [f"a color profile was ignored because {why}"]
