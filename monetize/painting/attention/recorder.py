"""The UNet's cross-attention → where each text position acted.

After Tang et al., "What the DAAM: Interpreting Stable Diffusion Using Cross Attention"
(arXiv 2210.04885; castorini/daam): the attention probabilities of a text position are averaged
over heads, resized to the latents by bicubic interpolation, clamped at 0, and averaged over layers
and steps. In a weighted painting weight × probability acts (see `token_weights.py`), so that is
what is averaged here; a negative weight gives a negative map.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn.functional import interpolate

from monetize.painting.attention.layers import cross_attention_layers, halved
from monetize.painting.attention.token_weights import TokenWeights


class AttentionRecorder:
    """Records what a UNet attends to inside a `with` block, for the conditional rows of a batch.

    `batch_size` is the number of images, `size` the height and width of their latents. Under
    guidance the unconditional rows come first; an unguided step has none. Queries and keys are
    read at the output of `to_q` and `to_k`, and the probabilities are computed separately in
    float32, one image at a time to bound the memory: the attention kernel in use stays in use, and
    the painting is bit-identical.

    A compiled UNet cannot be recorded: torch.compile does not see hooks added later.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        weighting: TokenWeights,
        batch_size: int,
        size: tuple[int, int],
    ) -> None:
        self._unet = unet
        self._weighting = weighting
        self._batch_size = batch_size
        self._size = size
        self._queries: Tensor | None = None
        self._sum: Tensor | None = None
        self._count = 0
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> "AttentionRecorder":
        for layer in cross_attention_layers(self._unet):
            self._hooks += [
                layer.to_q.register_forward_hook(self._note_queries),
                layer.to_k.register_forward_hook(partial(self._add, layer)),
            ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._queries = None

    def maps(self) -> Tensor:
        """Where each text position acted: (batch, text positions, height, width), float32."""
        assert self._sum is not None  # the block painted something
        return self._sum / self._count

    def _note_queries(self, _module: nn.Module, _args: tuple[object, ...], queries: Tensor) -> None:
        # Every attention processor in diffusers computes its queries before its keys.
        self._queries = queries[-self._batch_size :]

    @torch.no_grad()
    def _add(
        self, attention: Attention, _module: nn.Module, _args: tuple[object, ...], keys: Tensor
    ) -> None:
        assert self._queries is not None
        factors = self._weighting.factors
        if factors is not None:
            factors = factors[-self._batch_size :].float()
        if self._sum is None:
            shape = (self._batch_size, keys.shape[1], *self._size)
            self._sum = torch.zeros(shape, device=keys.device)
        of_layer = _size_of_layer(self._size, self._queries.shape[1])
        for i, (query, key) in enumerate(
            zip(self._queries, keys[-self._batch_size :], strict=True)
        ):
            small = probabilities(attention, query, key).T.reshape(-1, *of_layer)
            large = interpolate(small[None], self._size, mode="bicubic")[0].clamp_(min=0)
            self._sum[i] += large if factors is None else large * factors[i].unsqueeze(-1)
        self._queries = None
        self._count += 1


def probabilities(attention: Attention, query: Tensor, key: Tensor) -> Tensor:
    """softmax(Q Kᵀ · scale) of one image, averaged over heads: (pixels, text positions).

    `query` and `key` are the outputs of `to_q` and `to_k`, (pixels or positions, heads × width).
    """
    query = attention.head_to_batch_dim(query[None])
    key = attention.head_to_batch_dim(key[None])
    if attention.norm_q is not None:
        query = attention.norm_q(query)
    if attention.norm_k is not None:
        key = attention.norm_k(key)
    scores = query.float() @ key.float().transpose(1, 2) * attention.scale
    averaged: Tensor = scores.softmax(dim=-1).mean(dim=0)
    return averaged


def _size_of_layer(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """Height and width of a layer's map: the latents', halved and rounded up as often as needed."""
    while size[0] * size[1] > pixels:
        size = halved(size)
    assert size[0] * size[1] == pixels
    return size


def of_words(maps: Tensor, positions: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Average the maps of one image, (text positions, height, width), over each word's tokens."""
    return {word: maps[list(places)].mean(dim=0) for word, places in positions.items()}
