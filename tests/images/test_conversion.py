"""Images of all modes become upright, opaque RGB images."""

from pathlib import Path

import pytest
from PIL import Image

from monetize.errors import PhotoError
from monetize.images.decoding import open_photo


def test_pixels_of_an_unknown_range_are_refused(tmp_path: Path) -> None:
    for mode in ("I", "F"):
        Image.new(mode, (4, 4)).save(tmp_path / f"{mode}.tif")
        with pytest.raises(PhotoError, match="32 bits per pixel, of unknown range"):
            open_photo(tmp_path / f"{mode}.tif")


def test_a_rotated_photo_comes_out_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90° clockwise
    image.save(tmp_path / "a.png", exif=exif)
    upright = open_photo(tmp_path / "a.png")
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5)) == (255, 0, 0)
    assert upright.getpixel((10, 35)) == (255, 255, 255)


def test_16_bit_gray_keeps_its_shades(tmp_path: Path) -> None:
    image = Image.new("I;16", (2, 1))
    image.putpixel((0, 0), 0x4000)
    image.putpixel((1, 0), 0xFFFF)
    image.save(tmp_path / "a.png")
    opened = open_photo(tmp_path / "a.png")
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(64, 64, 64), (255, 255, 255)]


def test_transparent_parts_are_put_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "palette.png", transparency=0)
    Image.new("RGBA", (1, 1), (255, 0, 0, 0)).save(tmp_path / "alpha.png")
    opened = open_photo(tmp_path / "palette.png")
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 255)]
    assert open_photo(tmp_path / "alpha.png").getpixel((0, 0)) == (255, 255, 255)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    opened = open_photo(tmp_path / "a.jpg")
    assert opened.mode == "RGB"
    red, green, blue = opened.getpixel((4, 4))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 15
