from collections.abc import Callable

import torch

from monetize.attention import token_weights
from monetize.painter import Painter


def call_unet(painter: Painter) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, 77, 32, generator=generator)
    noise = torch.randn(2, 4, 8, 8, generator=generator)
    sample: torch.Tensor = painter.pipeline.unet(noise, 10, encoder_hidden_states=text).sample
    return sample


@torch.inference_mode()
def test_weights_act_inside_the_block_only_and_by_the_row(
    painter_with: Callable[..., Painter],
) -> None:
    painter = painter_with()
    plain = call_unet(painter)
    weights = torch.ones(2, 77)
    weights[1, 5] = -3
    with token_weights(painter.pipeline.unet, weights) as switch:
        weighted = call_unet(painter)
        switch.on = False
        assert torch.equal(call_unet(painter), plain)
    assert torch.equal(weighted[0], plain[0])
    assert not torch.allclose(weighted[1], plain[1], atol=1e-4)
    assert torch.equal(call_unet(painter), plain)


@torch.inference_mode()
def test_weights_of_one_change_no_bit(painter_with: Callable[..., Painter]) -> None:
    painter = painter_with()
    plain = call_unet(painter)
    with token_weights(painter.pipeline.unet, torch.ones(2, 77)):
        assert torch.equal(call_unet(painter), plain)


@torch.inference_mode()
def test_weights_outlast_a_change_of_processor(painter_with: Callable[..., Painter]) -> None:
    """`enable_attention_slicing` replaces processors; the weights do not live in one."""
    painter = painter_with()
    weights = torch.linspace(-2, 2, 77).repeat(2, 1)
    with token_weights(painter.pipeline.unet, weights):
        fused = call_unet(painter)
        painter.pipeline.enable_attention_slicing()
        assert torch.allclose(call_unet(painter), fused, atol=1e-5)
