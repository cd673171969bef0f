import warnings
from pathlib import Path

import pytest
import torch
from helpers import BUNDLED_PHOTOS, Tiny
from PIL import Image

from monetize.captioning.captioner import Captioner
from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner


@pytest.fixture
def images(photos: Path) -> list[Image.Image]:
    return [Image.open(path) for path in sorted(photos.iterdir())]


def test_a_batch_captions_each_photo_as_if_it_were_alone(
    captioner: EncoderDecoderCaptioner, images: list[Image.Image]
) -> None:
    together = captioner.caption(images)
    assert together == [captioner.caption([image])[0] for image in images]
    assert len(set(together)) > 1


def test_captions_keep_to_the_requested_length(
    tiny: Tiny, captioner: EncoderDecoderCaptioner, images: list[Image.Image]
) -> None:
    short = Captioner.from_pretrained(str(tiny.captioner), device="cpu", max_length=5)
    assert all(len(text.split()) <= 5 for text in short.caption(images))
    assert any(len(text.split()) > 5 for text in captioner.caption(images))


def test_images_are_taken_one_at_a_time(
    captioner: EncoderDecoderCaptioner, images: list[Image.Image]
) -> None:
    assert captioner.caption(image for image in images) == captioner.caption(images)
    assert captioner.caption([]) == []


def test_captioning_prints_no_warnings(
    captioner: EncoderDecoderCaptioner,
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


def test_bundled_photos_are_captioned(captioner: EncoderDecoderCaptioner) -> None:
    paths = sorted(BUNDLED_PHOTOS.glob("*.jpg"))
    texts = captioner.caption(Image.open(path) for path in paths)
    assert len(texts) == len(paths) > 0
    assert all(text == " ".join(text.split()) for text in texts)


def test_captions_are_the_same_and_every_word_has_a_map(
    captioner: EncoderDecoderCaptioner, images: list[Image.Image]
) -> None:
    before = captioner.model.decoder.config._attn_implementation
    captions = captioner.caption(images)
    looks = captioner.caption_with_attention(images)
    assert captioner.model.decoder.config._attn_implementation == before == "sdpa"
    assert [look.caption for look in looks] == captions == captioner.caption(images)
    for look in looks:
        assert [word for word, _ in look.words] == look.caption.split()
        for _, where in look.words:
            assert where.shape == (4, 4)
            assert where.min() >= 0
            assert where.sum() <= 1 + 1e-5
    assert captioner.caption_with_attention([]) == []


@torch.inference_mode()
def test_a_words_map_is_what_the_decoder_attends_to_before_it(
    captioner: EncoderDecoderCaptioner, photos: Path
) -> None:
    """The first word's map, computed by hand: the decoder has only seen its start token."""
    image = Image.open(next(photos.iterdir()))
    [look] = captioner.caption_with_attention([image])
    model = captioner.model
    model.set_attn_implementation("eager")
    pixels = captioner.image_processor(images=image, return_tensors="pt")["pixel_values"]
    start = torch.tensor([[model.config.decoder_start_token_id]])
    attentions = model(pixels, decoder_input_ids=start, output_attentions=True).cross_attentions
    by_hand = torch.stack([each[0, :, 0, 1:].mean(dim=0) for each in attentions]).mean(dim=0)
    assert torch.allclose(look.words[0][1].flatten(), by_hand, rtol=0, atol=1e-5)


def test_pocket_looks_at_the_flower_when_it_says_flower() -> None:
    captioner = Captioner.from_pretrained("pocket", device="cpu")
    with Image.open(BUNDLED_PHOTOS / "flower.jpg") as photo:
        [attention] = captioner.caption_with_attention([photo.convert("RGB")])
    where = dict(attention.words)["flower"]
    # The flower fills the middle of the photo, a quarter of which would get a quarter.
    assert where[2:6, 2:6].sum() / where.sum() > 0.35
