"""Where the cross-attention of a UNet is."""

from collections.abc import Iterator

from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention


def cross_attention_layers(unet: UNet2DConditionModel) -> Iterator[Attention]:
    """The layers in which image positions attend to text positions, in the UNet's own order."""
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            yield module
