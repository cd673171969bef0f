"""Token weights → the values of cross-attention.

A token weight w_j multiplies the attention probability of text position j after the softmax,
without renormalising:

    (softmax(Q Kᵀ/√d) · diag(w)) V  =  softmax(Q Kᵀ/√d) · (w ⊙ V)

after google/prompt-to-prompt's `AttentionReweight` and bloc97/CrossAttentionControl's
`prompt_edit_token_weights`. The right-hand side scales rows of V only, so it is done where V is
made, at the output of `to_v`: whichever attention kernel or processor is in use stays in use.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import UNet2DConditionModel


class Switch:
    """Whether installed token weights act at present."""

    def __init__(self) -> None:
        self.on = True


@contextmanager
def token_weights(unet: UNet2DConditionModel, weights: torch.Tensor) -> Iterator[Switch]:
    """Weight the text positions in every cross-attention layer of unet inside a `with` block.

    weights: shape = (batch, text positions), with the rows of the unet's own batch; under
    classifier-free guidance the unconditional rows come first and are all ones. The yielded
    switch turns the weights off and on between steps.
    """
    switch = Switch()
    factors = weights.unsqueeze(-1)

    def scale(
        _module: torch.nn.Module, _args: tuple[object, ...], values: torch.Tensor
    ) -> torch.Tensor:
        return values * factors if switch.on else values

    handles = [
        module.to_v.register_forward_hook(scale)
        for name, module in unet.named_modules()
        if name.endswith("attn2")
    ]
    try:
        yield switch
    finally:
        for handle in handles:
            handle.remove()
