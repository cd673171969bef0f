"""Images of all kinds become upright, opaque RGB pixels, or an error with the reason."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_photos import BAD_PHOTOS
from helpers import close_to_others, nobody
from PIL import Image

from monetize.errors import PhotoError
from monetize.images.decoding import open_photo

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(("name", "save", "why"), BAD_PHOTOS.values(), ids=list(BAD_PHOTOS))
def test_a_bad_photo_says_why(
    tmp_path: Path, name: str, save: Callable[[Path], object], why: str
) -> None:
    save(tmp_path / name)
    with pytest.raises(PhotoError, match=why):
        open_photo(tmp_path / name)


def test_damage_raises_only_photo_errors(tmp_path: Path) -> None:
    """A thousand photos with some bytes changed are read, or refused with a reason."""
    image = Image.effect_noise((24, 24), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    random_bytes = random.Random(0)
    refused = 0
    for suffix in (".jpg", ".png", ".tif", ".webp", ".gif", ".avif"):
        whole = tmp_path / f"whole{suffix}"
        image.save(whole, exif=exif) if suffix != ".gif" else image.save(whole)
        data = whole.read_bytes()
        damaged = tmp_path / f"damaged{suffix}"
        for _ in range(170):
            changed = bytearray(data)
            for _ in range(random_bytes.randint(1, 12)):
                # Headers and metadata are at the beginning, where damage has the most effect.
                end = random_bytes.choice([200, len(data)])
                changed[random_bytes.randrange(min(end, len(data)))] = random_bytes.randrange(256)
            damaged.write_bytes(changed)
            try:
                assert open_photo(damaged).mode == "RGB"
            except PhotoError as error:
                assert str(error)
                refused += 1
    assert refused > 100


def test_a_photo_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (4, 4)).save(path)
    close_to_others(path)
    with nobody(), pytest.raises(PhotoError, match="permission denied"):
        open_photo(path)


def test_heic_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("a.heic", "a.jpg"):
        (tmp_path / name).write_bytes(HEIC_HEAD)
        with pytest.raises(PhotoError, match=r"pip install pillow-heif"):
            open_photo(tmp_path / name)


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert open_photo(tmp_path / "a.gif").getpixel((0, 0)) == (255, 0, 0)
