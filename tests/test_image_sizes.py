import pytest

from monetize.errors import UsageError
from monetize.image_sizes import NativeSize, painting_size, parse_size, pixels_of

SD, POCKET = NativeSize(512, 8), NativeSize(128, 8)


@pytest.mark.parametrize(
    ("text", "size", "pixels"),
    [("512", 512, (512, 512)), ("512x384", "512x384", (512, 384)), ("64X64", 64, (64, 64)),
     ("96×64", "96x64", (96, 64))],
)  # fmt: skip
def test_a_size_is_a_number_or_width_and_height(
    text: str, size: int | str, pixels: tuple[int, int]
) -> None:
    assert parse_size(text) == size
    assert pixels_of(size) == pixels
    assert painting_size(size, SD, (3, 2)) == pixels


@pytest.mark.parametrize("text", ["", "big", "512x", "x512", "5.5", "1x2x3", "fits", "-8x8"])
def test_other_text_is_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size: write a whole number, WIDTHxHEIGHT"):
        parse_size(text)


@pytest.mark.parametrize(
    ("native", "photo", "size"),
    [
        (SD, (256, 256), (512, 512)),
        (SD, (4000, 3000), (592, 440)),
        (SD, (3000, 4000), (440, 592)),
        (SD, (1920, 1080), (680, 384)),
        (SD, (10_000, 500), (2288, 112)),
        (POCKET, (3, 2), (160, 104)),
        (POCKET, (100_000, 1), (40_480, 16)),
    ],
)
def test_fit_is_the_shape_of_the_photo_with_the_pixels_of_the_checkpoint(
    native: NativeSize, photo: tuple[int, int], size: tuple[int, int]
) -> None:
    assert painting_size("fit", native, photo) == size


def test_fit_needs_a_photo() -> None:
    with pytest.raises(UsageError, match="--size fit takes the shape of a photo"):
        painting_size("fit", SD, None)
