"""Explicit attention, to compare the fused kernels, the weights and the heat maps with."""

import torch
from diffusers.models.attention_processor import Attention


class ExplicitAttention:
    """A processor for `set_attn_processor`: softmax of the scores, times the values."""

    def own(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        """See or change what each pixel takes from each pixel; (batch · heads, pixels, pixels)."""
        return probabilities

    def cross(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        """See or change what each pixel takes from each word; (batch · heads, pixels, 77)."""
        return probabilities

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        assert attention_mask is None
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key = attn.head_to_batch_dim(attn.to_k(context))
        value = attn.head_to_batch_dim(attn.to_v(context))
        probabilities = (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)
        change = self.own if encoder_hidden_states is None else self.cross
        probabilities = change(probabilities, attn.heads)
        linear, dropout = attn.to_out
        out: torch.Tensor = dropout(linear(attn.batch_to_head_dim(probabilities @ value)))
        return out
