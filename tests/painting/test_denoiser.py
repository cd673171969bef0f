"""The work that the denoising loop saves without changing the painting."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from helpers import Tiny, denoise
from torch.utils.flop_counter import FlopCounterMode

from monetize.errors import UsageError
from monetize.painting.painter import Painter
from monetize.painting.shared_prefix import SharedPrefix
from monetize.prompts.prompt import Prompt

Load = Callable[..., Painter]
PROMPT = Prompt("a pine tree and a red sun")


def evaluations(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch sizes that the unet is called with during a painting."""
    sizes: list[int] = []
    forward = painter.pipeline.unet.forward

    def counting(sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        sizes.append(len(sample))
        return forward(sample, *args, **kwargs)

    monkeypatch.setattr(painter.pipeline.unet, "forward", counting)
    return sizes


@torch.inference_mode()
def test_the_shared_prefix_only_saves_work(painter_with: Load) -> None:
    unet = painter_with().pipeline.unet
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(3, 4, 8, 8, generator=generator)
    text = torch.randn(6, 77, 32, generator=generator)

    def call(shared: bool) -> tuple[torch.Tensor, int]:
        prefix = SharedPrefix(unet)
        prefix.on = shared
        with FlopCounterMode(display=False) as counter:
            sample = unet(torch.cat([half, half]), 10, encoder_hidden_states=text).sample
        prefix.on = False
        return sample, counter.get_total_flops()

    plain, all_of_it = call(shared=False)
    shared, less = call(shared=True)
    assert torch.allclose(shared, plain, rtol=0, atol=1e-5)
    assert less < all_of_it


def test_the_shared_prefix_of_stable_diffusion_is_a_fortieth_of_its_unet() -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(  # unet/config.json of CompVis/stable-diffusion-v1-4
            sample_size=64, attention_head_dim=8, cross_attention_dim=768
        )
        sample, text = torch.empty(2, 4, 64, 64), torch.empty(2, 77, 768)
    prefix = SharedPrefix(unet)
    flops = []
    for prefix.on in (False, True):
        with FlopCounterMode(display=False) as counter:
            unet(sample, torch.zeros((), device="meta"), encoder_hidden_states=text)
        flops.append(counter.get_total_flops())
    assert flops[0] == pytest.approx(2 * 803.3e9, rel=0.001)
    assert 1 - flops[1] / flops[0] == pytest.approx(0.026, abs=0.001)


def test_guidance_takes_two_evaluations_in_its_interval_only(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with(scheduler="ddim", guidance_start=0.25, guidance_end=0.75)
    sizes = evaluations(painter, monkeypatch)
    part = denoise(painter, [PROMPT], [1])
    assert sizes == [1, 2, 2, 1]
    whole = denoise(painter_with(scheduler="ddim"), [PROMPT], [1])
    never = denoise(painter_with(scheduler="ddim", guidance_scale=1.0), [PROMPT], [1])
    assert not torch.allclose(part, whole, atol=1e-3)
    assert not torch.allclose(part, never, atol=1e-3)


@pytest.mark.parametrize("what", ["guidance", "weight"])
def test_an_empty_interval_is_refused(painter_with: Load, what: str) -> None:
    with pytest.raises(UsageError, match=f"--{what}-start 0.5 is not before --{what}-end 0.5"):
        painter_with(**{f"{what}_start": 0.5, f"{what}_end": 0.5})


def test_equal_prompts_are_encoded_once(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    other = Prompt("a lake")
    encoder = painter.pipeline.text_encoder
    sizes: list[int] = []
    forward = encoder.forward

    def counting(tokens: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        sizes.append(len(tokens))
        return forward(tokens, *args, **kwargs)

    monkeypatch.setattr(encoder, "forward", counting)
    together = denoise(painter, [PROMPT, other, PROMPT], [1, 2, 3])
    assert sizes == [2, 1], "two different prompts, then the unconditional one"
    again = denoise(painter, [PROMPT, other, PROMPT], [1, 2, 3])
    assert sizes == [2, 1, 2], "the unconditional one is kept"
    assert torch.equal(together, again)
    for i, prompt in enumerate([PROMPT, other, PROMPT]):
        alone = denoise(painter, [prompt], [i + 1])
        assert torch.allclose(together[i : i + 1], alone, rtol=0, atol=1e-4)


def test_latents_keep_their_precision_if_a_step_returns_another(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on MPS, where multiplying float16 by a float32 number gives float32."""
    painter = Painter.from_pretrained(
        str(tiny.painter), device="cpu", dtype="bfloat16", num_inference_steps=2
    )
    scheduler = painter.pipeline.scheduler
    step = scheduler.step

    def promoting(*args: Any, **kwargs: Any) -> SimpleNamespace:
        return SimpleNamespace(prev_sample=step(*args, **kwargs).prev_sample.float())

    monkeypatch.setattr(scheduler, "step", promoting)
    assert denoise(painter, [PROMPT], [1]).dtype == torch.bfloat16
