"""The layers before the first cross-attention, computed once for both halves of a guided batch.

Under classifier-free guidance both halves hold the same latents, so everything before the UNet's
first cross-attention is equal: it is computed for one half and copied to the other.
"""

from collections.abc import Iterator

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class SharedPrefix:
    """The layers of a UNet that have not seen the text; while `on`, they compute half a batch.

    Create it once for a UNet, before compiling.
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
