import warnings
from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS, Tiny
from PIL import Image

from monetize.captioning.captioner import Captioner


@pytest.fixture
def images(photos: Path) -> list[Image.Image]:
    return [Image.open(path) for path in sorted(photos.iterdir())]


def test_a_batch_says_what_each_photo_says_alone(
    captioner: Captioner, images: list[Image.Image]
) -> None:
    together = captioner.caption(images)
    assert together == [captioner.caption([image])[0] for image in images]
    assert len(set(together)) > 1


def test_captions_keep_to_the_length_asked_for(
    tiny: Tiny, captioner: Captioner, images: list[Image.Image]
) -> None:
    short = Captioner.from_pretrained(str(tiny.captioner), device="cpu", max_length=5)
    assert all(len(text.split()) <= 5 for text in short.caption(images))
    assert any(len(text.split()) > 5 for text in captioner.caption(images))


def test_images_are_taken_one_at_a_time(captioner: Captioner, images: list[Image.Image]) -> None:
    assert captioner.caption(image for image in images) == captioner.caption(images)
    assert captioner.caption([]) == []


def test_captioning_warns_of_nothing(
    captioner: Captioner,
    images: list[Image.Image],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        captioner.caption(images)
    assert capfd.readouterr().err == ""
    assert not caplog.records


def test_bundled_photos_are_captioned(captioner: Captioner) -> None:
    paths = sorted(BUNDLED_PHOTOS.glob("*.jpg"))
    texts = captioner.caption(Image.open(path) for path in paths)
    assert len(texts) == len(paths) > 0
    assert all(text == " ".join(text.split()) for text in texts)
