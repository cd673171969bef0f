import io

import pytest
from PIL import Image

from monetize.images.metadata import BROKEN_PROFILE, clean_png, clean_tiff, count_scans

IMAGE = Image.effect_noise((16, 16), 60).convert("RGB")


def encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    IMAGE.save(file, kind, **options)
    return file.getvalue()


def chunks(data: bytes) -> list[bytes]:
    kinds, start = [], 8
    while start < len(data):
        kinds.append(data[start + 4 : start + 8])
        start += 12 + int.from_bytes(data[start : start + 4], "big")
    return kinds


def test_a_png_keeps_pixels_and_orientation_and_gives_its_profile() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded("PNG", exif=exif, icc_profile=b"a profile", dpi=(72, 72))
    assert {b"iCCP", b"pHYs"} < set(chunks(data))
    clean, profile = clean_png(data)
    assert chunks(clean) == [b"IHDR", b"eXIf", b"IDAT", b"IEND"]
    assert profile == b"a profile"
    assert clean_png(clean) == (clean, None)


def test_a_profile_that_cannot_be_unpacked_is_broken() -> None:
    data = encoded("PNG", icc_profile=b"a profile")
    start = data.index(b"ICC Profile\0\0") + 13
    damaged = data[:start] + bytes(8) + data[start + 8 :]
    assert clean_png(data)[1] == b"a profile"
    assert clean_png(damaged)[1] == BROKEN_PROFILE


@pytest.mark.parametrize("length", [0, 5, 8, 20, 60])
def test_a_truncated_png_is_left_to_the_decoder(length: int) -> None:
    clean, _ = clean_png(encoded("PNG")[:length])
    assert encoded("PNG").startswith(clean[:length])


def test_an_intact_tiff_stays_as_it_is() -> None:
    for data in (encoded("TIFF", description="text"), b"II*\0", b"MM\0*\xff\xff\xff\xff"):
        assert clean_tiff(data) == data


def test_scans_are_counted_up_to_the_end_of_the_image() -> None:
    progressive = encoded("JPEG", progressive=True)
    assert count_scans(encoded("JPEG")) == 1
    assert 4 < count_scans(progressive) <= 10
    assert count_scans(progressive * 2) == count_scans(progressive)
    assert count_scans(progressive[:40]) == count_scans(b"") == 0
