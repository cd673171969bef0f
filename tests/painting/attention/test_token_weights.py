from collections.abc import Callable

import torch

from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.painter import Painter


def call_unet(painter: Painter) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, 77, 32, generator=generator)
    noise = torch.randn(2, 4, 8, 8, generator=generator)
    sample: torch.Tensor = painter.pipeline.unet(noise, 10, encoder_hidden_states=text).sample
    return sample


@torch.inference_mode()
def test_weights_act_by_the_row_for_as_long_as_they_are_set(
    painter_with: Callable[..., Painter],
) -> None:
    painter = painter_with()
    plain = call_unet(painter)
    weighting = TokenWeights(painter.pipeline.unet)
    weighting.factors = torch.ones(2, 77, 1)
    weighting.factors[1, 5] = -3
    weighted = call_unet(painter)
    assert torch.equal(weighted[0], plain[0])
    assert not torch.allclose(weighted[1], plain[1], atol=1e-4)
    weighting.factors = None
    assert torch.equal(call_unet(painter), plain)


@torch.inference_mode()
def test_weights_of_one_change_no_bit(painter_with: Callable[..., Painter]) -> None:
    painter = painter_with()
    plain = call_unet(painter)
    TokenWeights(painter.pipeline.unet).factors = torch.ones(2, 77, 1)
    assert torch.equal(call_unet(painter), plain)


@torch.inference_mode()
def test_weights_survive_a_change_of_processor(painter_with: Callable[..., Painter]) -> None:
    """`enable_attention_slicing` replaces processors; the weights do not live in one."""
    painter = painter_with()
    plain = call_unet(painter)
    weights = torch.linspace(-2, 2, 77).repeat(2, 1)
    TokenWeights(painter.pipeline.unet).factors = weights.unsqueeze(-1)
    fused = call_unet(painter)
    assert not torch.allclose(fused, plain, atol=1e-4)
    painter.pipeline.enable_attention_slicing()
    assert torch.allclose(call_unet(painter), fused, atol=1e-5)
