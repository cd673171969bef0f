from collections.abc import Callable

import pytest
import torch
from explicit_attention import ExplicitAttention
from helpers import denoise, paint
from PIL import Image, ImageChops

from monetize.errors import PaintingError, UsageError
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight, parse_weight

Load = Callable[..., Painter]
PROMPT = "a fantasy landscape with a pine forest"


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


class WeightedAttention(ExplicitAttention):
    """The definition of a token weight: probabilities, times the weights, times the values."""

    def __init__(self, weights: torch.Tensor) -> None:
        self.weights = weights  # shape = (batch, text positions)

    def cross(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        return probabilities * self.weights.repeat_interleave(heads, dim=0)[:, None, :]


def explicit_latents(painter: Painter, weights: torch.Tensor, seeds: list[int]) -> torch.Tensor:
    """What diffusers' own pipeline gives with explicit attention and these conditional weights."""
    if (painter.settings.guidance_scale or 0) > 1:
        weights = torch.cat([torch.ones_like(weights), weights])
    pipeline = painter.pipeline
    fused = pipeline.unet.attn_processors
    pipeline.unet.set_attn_processor(WeightedAttention(weights))
    latents: torch.Tensor = pipeline(
        prompt=[PROMPT] * len(seeds),
        num_inference_steps=painter.settings.num_inference_steps,
        guidance_scale=painter.settings.guidance_scale,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        output_type="latent",
    ).images
    pipeline.unet.set_attn_processor(fused)
    return latents


@pytest.mark.parametrize("scheduler", [None, "pndm", "lms", "ddim", "dpm++", "unipc"])
def test_without_weights_it_is_diffusers_painting_up_to_rounding(
    painter_with: Load, scheduler: str | None
) -> None:
    painter = painter_with(scheduler=scheduler, negative_prompt="people", guidance_scale=5.0)
    theirs = painter.pipeline(
        PROMPT,
        negative_prompt="people",
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    ours = denoise(painter, [Prompt(PROMPT)], [7])
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-4)


def test_decoded_latents_are_diffusers_pictures_pixel_for_pixel(painter_with: Load) -> None:
    painter = painter_with()
    latents = denoise(painter, [Prompt(PROMPT)], [7])
    pipeline = painter.pipeline
    decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    [theirs] = pipeline.image_processor.postprocess(decoded.detach())
    pending = painter.decode(latents)
    [ours] = pending.result()
    assert same(ours, theirs)
    assert pending.flagged == [False]


@pytest.mark.parametrize("guidance_scale", [7.5, 1.0])
@pytest.mark.parametrize("weight", ["pine=-1", "pine forest=2.5", "@6=-17", "landscape=0"])
def test_weighted_latents_are_those_of_explicit_attention_maps(
    painter_with: Load, weight: str, guidance_scale: float
) -> None:
    painter = painter_with(guidance_scale=guidance_scale)
    positions = {"pine=-1": [6], "pine forest=2.5": [6, 7], "@6=-17": [6], "landscape=0": [3]}
    row = torch.ones(1, 77)
    row[0, positions[weight]] = parse_weight(weight).value
    ours = denoise(painter, [Prompt(PROMPT, (parse_weight(weight),))], [3])
    plain = denoise(painter, [Prompt(PROMPT)], [3])
    theirs = explicit_latents(painter, row, [3])
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-4)
    assert not torch.allclose(ours, plain, rtol=0, atol=1e-2), "the weight should matter"


def test_a_batch_of_mixed_prompts_paints_each_as_if_it_were_alone(painter_with: Load) -> None:
    painter = painter_with()
    prompts = [
        Prompt("a pine tree and a red sun", (Weight("pine", -1), Weight("red sun", 2))),
        Prompt("a lake"),
        Prompt(PROMPT, (Weight("@2", 3),)),
    ]
    seeds = [1, 2, 2**32 + 5]
    together = denoise(painter, prompts, seeds)
    alone = [denoise(painter, [p], [s]) for p, s in zip(prompts, seeds, strict=True)]
    assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-4)


def test_a_seed_gives_the_same_bytes_and_another_seed_another_picture(painter_with: Load) -> None:
    painter = painter_with()
    first, again, other = (paint(painter, [Prompt(PROMPT)], [seed])[0].image for seed in (4, 4, 5))
    assert first.tobytes() == again.tobytes()
    assert not same(first, other)


def test_weights_act_only_between_start_and_end(painter_with: Load) -> None:
    prompt = Prompt(PROMPT, (Weight("pine", -5),))
    plain = denoise(painter_with(), [Prompt(PROMPT)], [1])
    whole = denoise(painter_with(), [prompt], [1])
    # Four PNDM steps are five evaluations, at 0, 0.2, 0.4, 0.6 and 0.8.
    never = denoise(painter_with(weight_start=0.81, weight_end=0.99), [prompt], [1])
    assert torch.equal(never, plain)
    early = denoise(painter_with(weight_end=0.5), [prompt], [1])
    late = denoise(painter_with(weight_start=0.5), [prompt], [1])
    for one, other in [(early, plain), (early, whole), (late, plain), (late, whole), (early, late)]:
        assert not torch.allclose(one, other, rtol=0, atol=1e-3)


def test_steps_are_counted_in_evaluations(painter_with: Load) -> None:
    steps: list[tuple[int, int]] = []
    paint(painter_with(), [Prompt(PROMPT)], [1], on_step=lambda *step: steps.append(step))
    assert steps == [(i, 5) for i in range(1, 6)]


def test_the_size_is_the_checkpoints_own_or_as_asked(painter_with: Load) -> None:
    assert paint(painter_with(), [Prompt(PROMPT)], [1])[0].image.size == (64, 64)
    assert paint(painter_with(size=48), [Prompt(PROMPT)], [1])[0].image.size == (48, 48)
    with pytest.raises(UsageError, match=r"--size 50: .* multiples of 8, such as 48 or 56"):
        painter_with(size=50)


def test_numbers_that_overflow_are_an_error_not_a_black_picture(painter_with: Load) -> None:
    prompt = Prompt(PROMPT, (Weight("pine", 1e38),))
    with pytest.raises(PaintingError, match=r"overflow float32 .* smaller .* than pine=1e\+38"):
        paint(painter_with(), [prompt], [1])


def test_running_out_of_memory_says_what_to_do(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    painter = painter_with()
    monkeypatch.setattr(painter.pipeline.unet, "forward", run_out)
    with pytest.raises(PaintingError, match=r"2 images of 64 × 64 .* --batch-size than 2"):
        paint(painter, [Prompt("x")] * 2, [1, 2])
