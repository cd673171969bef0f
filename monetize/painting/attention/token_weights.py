"""Token weights → the values of cross-attention.

A token weight w_j multiplies the attention probability of text position j after the softmax,
without renormalizing:

    (softmax(Q Kᵀ/√d) · diag(w)) V  =  softmax(Q Kᵀ/√d) · (w ⊙ V)

after google/prompt-to-prompt's `AttentionReweight` and bloc97/CrossAttentionControl's
`prompt_edit_token_weights`. The right-hand side scales rows of V only, so it is done where V is
made, at the output of `to_v`: whichever attention kernel or processor is in use stays in use.
"""

import torch
from diffusers import UNet2DConditionModel

from monetize.painting.attention.layers import cross_attention_layers


class TokenWeights:
    """The weights of the text positions in every cross-attention layer of a UNet.

    Create it once for a UNet, before compiling: torch.compile does not see hooks added later.
    `factors` are None where nothing is weighted, or of shape (batch, text positions, 1) with the
    rows of the UNet's own batch; under classifier-free guidance the unconditional rows come first
    and are ones.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.factors: torch.Tensor | None = None
        for layer in cross_attention_layers(unet):
            layer.to_v.register_forward_hook(self._scale)

    def _scale(
        self, _module: torch.nn.Module, _args: tuple[object, ...], values: torch.Tensor
    ) -> torch.Tensor:
        return values if self.factors is None else values * self.factors
