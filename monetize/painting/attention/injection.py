"""The attention of a base painting → the edited painting that follows it in the batch.

Prompt-to-prompt (Hertz et al. 2022, arXiv 2208.01626; google/prompt-to-prompt,
bloc97/CrossAttentionControl) gives an edited painting the attention probabilities of its base: in
cross-attention so that words act where the words they replace did, in self-attention so that the
layout stays. With A = softmax(Q Kᵀ/√d), the shares M of an `Alignment` as a matrix (base × edited
positions), and the edited painting's values V, which its token weights have scaled:

    cross-attention                A_base M V                 = SDPA(Q_base, K_base, M V)
    where the edit adds words      A_base M V + A_own V_added = SDPA(Q_base, K_base, M V)
                                                              + SDPA(Q_own, K_own, V_added)
    self-attention                 A_base V                   = SDPA(Q_base, K_base, V)

No attention map is materialized, so fused kernels and batching keep working. Only conditional rows
are edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from monetize.painting.attention.layers import cross_attention_layers, self_attention_layers
from monetize.painting.attention.local_blend import LocalBlend
from monetize.painting.request import Edit, PaintRequest, edits_of


@dataclass(frozen=True)
class _Rows:
    """Edited rows of the UNet's batch, and the rows of their bases."""

    edited: Tensor
    bases: Tensor

    def from_bases(self, states: Tensor) -> Tensor:
        """Replace the edited rows of queries or keys by those of their bases."""
        return states.index_copy(0, self.edited, states[self.bases])


@dataclass(frozen=True)
class _Words:
    """How the words of edits correspond to those of their bases.

    `shares` are (edits, base positions, edited positions). `added`, (edits, edited positions, 1),
    is 1 at words that the base does not have; None if there are none.
    """

    shares: Tensor
    added: Tensor | None

    @classmethod
    def of(cls, edits: Sequence[Edit], value: Tensor) -> "_Words":
        """Make the matrices on the device of `value`, (batch, text positions, …)."""
        positions = value.shape[1]
        shares = torch.zeros(len(edits), positions, positions)
        added = torch.zeros(len(edits), positions, 1)
        for i, edit in enumerate(edits):
            for base, edited, share in edit.alignment.shares:
                shares[i, base, edited] = share
            added[i, list(edit.alignment.added)] = 1
        return cls(shares.to(value), added.to(value) if added.any() else None)


class AttentionInjection:
    """Gives the edited paintings of a batch the attention of their bases inside a `with` block.

    `size` is the height and width of the latents. Call `begin_step` before each evaluation and
    `blend` after each step. Without edits nothing changes. Raises ValueError unless each edit
    follows its base.

    A compiled UNet cannot be edited: its attention is compiled into it.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        requests: Sequence[PaintRequest],
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._unet = unet
        self._count = len(requests)
        self._edits = edits_of(requests)
        limited = {i: edit for i, edit in self._edits.items() if edit.settings.only}
        self._blend = LocalBlend(unet, limited, self._count, size, device) if limited else None
        self._done = 0.0
        self._offset = 0  # of the conditional rows
        # Built once, because moving them to the device waits for it.
        self._known_rows: dict[tuple[int, ...], _Rows] = {}
        self._known_words: dict[tuple[int, ...], _Words] = {}
        self._replaced: list[tuple[Attention, object]] = []

    def __enter__(self) -> "AttentionInjection":
        if self._edits:
            for layer in (*self_attention_layers(self._unet), *cross_attention_layers(self._unet)):
                self._replaced.append((layer, layer.processor))
                layer.set_processor(_InjectedAttention(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for layer, processor in self._replaced:
            layer.set_processor(processor)
        self._replaced.clear()

    def begin_step(self, done: float, *, guided: bool) -> None:
        """Note the fraction of steps that is done, and whether unconditional rows come first."""
        self._done = done
        self._offset = self._count if guided else 0

    @property
    def keeps_layout(self) -> bool:
        """Whether self-attention is replaced in this step: a guided batch's halves differ there."""
        return any(self._done < edit.settings.keep_layout for edit in self._edits.values())

    def blend(self, latents: Tensor) -> Tensor:
        """Limit the change in latents, (batch, channels, height, width), to where words act."""
        return latents if self._blend is None else self._blend(latents, self._done)

    def self_attention(self, layer: Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend to image positions; all are (batch, image positions, heads × width)."""
        kept = tuple(
            i
            for i, edit in self._edits.items()
            if self._done < edit.settings.keep_layout
            and query.shape[1] <= edit.settings.keep_layout_at**2
        )
        if kept:
            rows = self._rows(kept, value.device)
            query, key = rows.from_bases(query), rows.from_bases(key)
        return _attend(layer, query, key, value)

    def cross_attention(
        self, layer: Attention, query: Tensor, key: Tensor, value: Tensor
    ) -> Tensor:
        """Attend to text positions; `key` and `value` are (batch, text positions, …)."""
        if self._blend is not None and self._blend.reads(layer):
            marks = self._blend.marks(value, self._offset)
            marked = self._attend_to_words(layer, query, key, marks)
            self._blend.add(marked[self._offset :])
        return self._attend_to_words(layer, query, key, value)

    def _attend_to_words(
        self, layer: Attention, query: Tensor, key: Tensor, value: Tensor
    ) -> Tensor:
        kept = tuple(i for i, edit in self._edits.items() if self._done < edit.settings.keep_words)
        if not kept:
            return _attend(layer, query, key, value)
        rows, words = self._rows(kept, value.device), self._words(kept, value)
        own_value = value[rows.edited]
        out = _attend(
            layer,
            rows.from_bases(query),
            rows.from_bases(key),
            value.index_copy(0, rows.edited, words.shares @ own_value),
        )
        if words.added is None:
            return out
        added = _attend(layer, query[rows.edited], key[rows.edited], words.added * own_value)
        return out.index_add(0, rows.edited, added)

    def _rows(self, kept: tuple[int, ...], device: torch.device) -> _Rows:
        if (self._offset, *kept) not in self._known_rows:
            edited = torch.tensor(kept, device=device) + self._offset
            self._known_rows[self._offset, *kept] = _Rows(edited, edited - 1)
        return self._known_rows[self._offset, *kept]

    def _words(self, kept: tuple[int, ...], value: Tensor) -> _Words:
        if kept not in self._known_words:
            self._known_words[kept] = _Words.of([self._edits[i] for i in kept], value)
        return self._known_words[kept]


class _InjectedAttention:
    """The attention processor of an edited layer."""

    def __init__(self, injection: AttentionInjection) -> None:
        self._injection = injection

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Attend to image positions, or to text positions where there are such states."""
        assert attention_mask is None  # a UNet of Stable Diffusion v1 has none
        if encoder_hidden_states is None:
            context, attend = hidden_states, self._injection.self_attention
        else:
            context, attend = encoder_hidden_states, self._injection.cross_attention
        out = attend(attn, attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        for module in attn.to_out:
            out = module(out)
        return out


def _attend(layer: Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """SDPA(Q, K, V) of every head; all are (batch, positions, heads × width)."""
    query, key, value = (
        states.reshape(*states.shape[:2], layer.heads, -1).transpose(1, 2)
        for states in (query, key, value)
    )
    attended = scaled_dot_product_attention(query, key, value, scale=layer.scale)
    return attended.transpose(1, 2).flatten(2)
