import pytest
from PIL import Image

from monetize.images.fitting import fit, fit_note

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


@pytest.fixture
def wide() -> Image.Image:
    """Red with blue ends, 40 × 20."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (10, 0, 30, 20))
    return image


@pytest.mark.parametrize(
    ("how", "end", "top"),
    [(None, RED, RED), ("crop", RED, RED), ("pad", BLUE, WHITE), ("squash", BLUE, RED)],
)
def test_another_shape_is_cropped_padded_or_squashed(
    wide: Image.Image, how: str | None, end: tuple[int, ...], top: tuple[int, ...]
) -> None:
    fitted = fit(wide, (80, 80), how)
    assert fitted.size == (80, 80)
    assert (fitted.getpixel((2, 40)), fitted.getpixel((40, 2))) == (end, top)


def test_an_image_of_the_right_size_stays_as_it_is(wide: Image.Image) -> None:
    assert fit(wide, (40, 20), "pad") is wide


def test_only_another_shape_is_worth_a_note() -> None:
    assert fit_note((640, 480), (512, 384), None) == fit_note((641, 480), (512, 384), "pad") == ""
    assert fit_note((640, 480), (512, 512), None) == (
        "640 × 480 pixels are cropped to 512 × 512 (--fit pad or squash keeps all of it)"
    )
    assert fit_note((640, 480), (512, 512), "pad") == "640 × 480 pixels are padded to 512 × 512"
