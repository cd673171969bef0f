"""Where the attention of a UNet is, and which layers are nearest to a resolution."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from monetize.painting.attention.layers import (
    cross_attention_at,
    cross_attention_layers,
    self_attention_layers,
)


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    with torch.device("meta"):
        return UNet2DConditionModel(  # unet/config.json of CompVis/stable-diffusion-v1-4
            sample_size=64, attention_head_dim=8, cross_attention_dim=768
        )


def test_stable_diffusion_has_sixteen_layers_of_either_kind(unet: UNet2DConditionModel) -> None:
    assert len(list(cross_attention_layers(unet))) == 16
    assert len(list(self_attention_layers(unet))) == 16


@pytest.mark.parametrize(
    ("size", "layers", "nearest"),
    [
        ((64, 64), 5, (16, 16)),
        ((32, 32), 5, (16, 16)),
        ((96, 96), 5, (24, 24)),
        ((48, 64), 5, (12, 16)),
        ((45, 60), 5, (12, 15)),
    ],
)
def test_five_layers_of_stable_diffusion_are_nearest_to_16_by_16(
    unet: UNet2DConditionModel, size: tuple[int, int], layers: int, nearest: tuple[int, int]
) -> None:
    found, of_layers = cross_attention_at(unet, size, 16**2)
    assert (len(found), of_layers) == (layers, nearest)
