import torch

from monetize.painting.latents import draw_latents


def test_noise_does_not_depend_on_the_batch() -> None:
    shape = (4, 8, 8)
    assert torch.equal(draw_latents([8, 9], shape)[1:], draw_latents([9], shape))
    assert draw_latents([8, 9], shape).shape == (2, 4, 8, 8)
