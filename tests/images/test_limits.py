import io

import pytest
from PIL import Image, TiffImagePlugin

from monetize.errors import PhotoError
from monetize.images.limits import MAX_PIXELS, MAX_TILE_PIXELS, check_limits


def test_pixels_are_limited_by_the_size_that_a_header_claims() -> None:
    image = Image.new("1", (1, 1))
    for height, allowed in ((MAX_PIXELS // 1000, True), (MAX_PIXELS // 1000 + 1, False)):
        image._size = (1000, height)  # as a decoder sets it before it decodes
        if allowed:
            check_limits(image, b"")
        else:
            with pytest.raises(PhotoError, match="more than 178 million pixels: downscale it"):
                check_limits(image, b"")


def test_usual_images_are_within_the_limits() -> None:
    for kind, options in (("JPEG", {"progressive": True}), ("TIFF", {}), ("PNG", {})):
        file = io.BytesIO()
        Image.effect_noise((300, 300), 50).save(file, kind, **options)
        with Image.open(file) as image:
            check_limits(image, file.getvalue())


def test_tiles_of_a_tiff_may_be_larger_than_a_small_image() -> None:
    file = io.BytesIO()
    Image.effect_noise((30, 30), 50).save(file, "TIFF")
    with Image.open(file) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        image.tag_v2[322], image.tag_v2[323] = MAX_TILE_PIXELS // 16, 16
        check_limits(image, file.getvalue())
        image.tag_v2[323] = 17
        with pytest.raises(PhotoError, match="a TIFF with tiles larger than the image"):
            check_limits(image, file.getvalue())
