"""Classifier-free guidance costs two evaluations, but not of the layers before the text.

Both halves of a guided batch hold the same latents, so whatever the unet does before its first
cross-attention gives the same for both: it is computed for one half and copied to the other.
"""

from collections.abc import Iterator

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class SharedPrefix:
    """The layers of a unet that see no text yet; while `on`, they compute one half of a batch.

    Made once for a unet, before it is compiled.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.on = False
        for module in _layers_before_the_text(unet):
            module.register_forward_pre_hook(self._halve)
            module.register_forward_hook(self._double)

    def _halve(self, _module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(each[: len(each) // 2] for each in args) if self.on else args

    def _double(self, _module: nn.Module, _args: tuple[Tensor, ...], half: Tensor) -> Tensor:
        return torch.cat([half, half]) if self.on else half


def _layers_before_the_text(unet: UNet2DConditionModel) -> Iterator[nn.Module]:
    yield unet.conv_in
    for block in unet.down_blocks:
        if getattr(block, "has_cross_attention", False):
            transformer = block.attentions[0]
            first = transformer.transformer_blocks[0]
            yield from (block.resnets[0], transformer.norm, transformer.proj_in, first.norm1)
            if not first.only_cross_attention:
                yield first.attn1
            return
        yield from block.resnets
        yield from block.downsamplers or ()
