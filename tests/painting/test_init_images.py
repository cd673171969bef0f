"""Paintings that start from photos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from helpers import BUNDLED_PHOTOS, Listener
from PIL import Image

from monetize.errors import InputError, UsageError
from monetize.images.decoding import open_photo
from monetize.images.fitting import fit
from monetize.painting.batching import BatchPainter
from monetize.painting.init_images import open_init_images
from monetize.painting.painter import Painter
from monetize.painting.request import PaintRequest
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight

Load = Callable[..., Painter]
PROMPT = "a pine tree and a red sun"
CAT, SUNSET, STREAM = (BUNDLED_PHOTOS / f"{name}.jpg" for name in ("cat", "sunset", "stream"))


def starts(painter: Painter) -> list[PaintRequest]:
    """Weighted and plain requests from three photos."""
    weighted = Prompt(PROMPT, (Weight("pine", -3),))
    each = [(weighted, 1, CAT), (Prompt("a lake"), 2, SUNSET), (weighted, 3, STREAM)]
    return [painter.request(*request) for request in each]


@pytest.mark.parametrize("strength", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("scheduler", ["ddim", "dpm++"])
def test_it_is_diffusers_image_to_image_up_to_rounding(
    painter_with: Load, scheduler: str, strength: float
) -> None:
    painter = painter_with(
        scheduler=scheduler, strength=strength, num_inference_steps=10, guidance_scale=5.0
    )
    pipeline = StableDiffusionImg2ImgPipeline(
        **painter.pipeline.components, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        PROMPT,
        image=fit(open_photo(CAT), (64, 64), "crop"),
        strength=strength,
        num_inference_steps=10,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    ours = painter.denoise([painter.request(Prompt(PROMPT), 7, CAT)])
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("scheduler", ["pndm", "dpm++"])
def test_a_batch_from_photos_paints_each_as_if_it_were_alone(
    painter_with: Load, scheduler: str
) -> None:
    painter = painter_with(
        scheduler=scheduler, strength=0.5, num_inference_steps=8, guidance_end=0.6, weight_start=0.3
    )
    requests = starts(painter)
    together = painter.denoise(requests)
    alone = [painter.denoise([request]) for request in requests]
    assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-4)
    unweighted = painter.denoise([replace(request, token_weights=None) for request in requests])
    assert not torch.allclose(together[0], unweighted[0], atol=1e-3)
    assert torch.allclose(together[1], unweighted[1], rtol=0, atol=1e-4)


def test_a_padded_batch_gives_the_same(painter_with: Load) -> None:
    painter = painter_with(strength=0.5)
    requests = starts(painter)
    batches = BatchPainter(painter, 2, Listener(), padded=True)
    for one, other in zip(batches.start(requests).result(), painter.paint(requests), strict=True):
        a, b = (torch.frombuffer(bytearray(each.image.tobytes()), dtype=torch.uint8).short()
                for each in (one, other))  # fmt: skip
        assert (a - b).abs().max() <= 1


def test_heat_is_recorded_from_a_photo_and_changes_nothing(painter_with: Load) -> None:
    painter = painter_with(strength=0.5)
    requests = starts(painter)[:1]
    [plain] = painter.paint(requests)
    [recorded] = painter.start(requests, heat=True).result()
    assert recorded.image.tobytes() == plain.image.tobytes()
    assert recorded.heat is not None and recorded.heat.abs().sum() > 0


def test_a_seed_and_a_photo_give_the_same_bytes(painter_with: Load) -> None:
    painter = painter_with(strength=0.5)
    first, again = (painter(PROMPT, seed=4, init_image=CAT).image for _ in range(2))
    other = painter(PROMPT, seed=5, init_image=str(CAT)).image
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_start_without_its_strength_or_photo_is_refused(painter_with: Load) -> None:
    with pytest.raises(UsageError, match=r"--strength 0.5 needs a photo to start from"):
        painter_with(strength=0.5)(PROMPT)
    with pytest.raises(UsageError, match=r"--init-image needs --strength"):
        painter_with()(PROMPT, init_image=CAT)


@pytest.mark.parametrize("strength", [0, -0.5, 2, float("nan")])
def test_a_strength_that_is_not_a_fraction_is_refused(painter_with: Load, strength: float) -> None:
    with pytest.raises(UsageError, match="--strength must be greater than 0 and at most 1, not"):
        painter_with(strength=strength)


def test_a_photo_that_cannot_be_read_is_named(painter_with: Load, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    painter = painter_with(strength=0.5)
    with pytest.raises(InputError, match=r"empty\.jpg: empty file"):
        painter(PROMPT, init_image=tmp_path / "empty.jpg")


def test_a_painting_takes_the_shape_of_its_photo(painter_with: Load, tmp_path: Path) -> None:
    Image.new("RGB", (64, 32)).save(tmp_path / "wide.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "turned.jpg", exif=exif)
    painter = painter_with(size="fit", strength=0.5)
    photos = [CAT, tmp_path / "wide.png", tmp_path / "turned.jpg"]
    requests = [painter.request(Prompt("x"), i, each) for i, each in enumerate(photos)]
    painted = BatchPainter(painter, 3, Listener()).start(requests).result()
    assert [each.image.size for each in painted] == [(64, 64), (88, 48), (48, 88)]
    assert "Size: 88x48," in painted[1].parameters()


def test_photos_are_opened_in_order_and_fitted(painter_with: Load, tmp_path: Path) -> None:
    colors = ["red", "green", "blue"]
    for color in colors:
        Image.new("RGB", (40, 20), color).save(tmp_path / f"{color}.png")
    painter = painter_with(strength=0.5)
    requests = [painter.request(Prompt("x"), 0, tmp_path / f"{color}.png") for color in colors]
    opened = open_init_images(requests, (24, 16), None)
    assert [each.getpixel((5, 5)) for each in opened] == [(255, 0, 0), (0, 128, 0), (0, 0, 255)]
    assert {each.size for each in opened} == {(24, 16)}
