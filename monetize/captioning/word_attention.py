"""Cross-attention of a text decoder → where in the photo it looked for each word."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from monetize.captioning.captioner import CaptionAttention
from monetize.errors import CheckpointError


def maps_of_tokens(
    layers: Sequence[Tensor], grid: tuple[int, int], *, cropped: bool, captioner: str
) -> Tensor:
    """Average attention to a photo's patches over layers and heads.

    Each layer is (batch, heads, tokens, 1 + patches), the first of which is a start token; `grid`
    are the rows and columns of the patches. Returns float32 of shape (batch, tokens, rows,
    columns). Raises CheckpointError, naming the captioner, if it sees something else.
    """
    attention = torch.stack([layer.float().mean(dim=1) for layer in layers]).mean(dim=0)
    rows, columns = grid
    if cropped or attention.shape[2] != rows * columns + 1:
        raise CheckpointError(
            f"--heatmap: {captioner} does not see the whole photo as patches after one start "
            "token, as ViT does: leave out --heatmap, or choose another --captioner"
        )
    return attention[:, :, 1:].reshape(*attention.shape[:2], rows, columns).cpu()


def maps_of_words(
    tokenizer: PreTrainedTokenizerBase, text: str, tokens: list[int], maps: Tensor
) -> CaptionAttention:
    """Average the tokens of each word; maps[i] is where it looked for tokens[i + 1]."""
    words = text.split()
    pieces: list[list[Tensor]] = [[] for _ in words]
    special = set(tokenizer.all_special_ids)
    begun = 0
    for i, heat in enumerate(maps, 1):
        if tokens[i] in special:
            continue
        # A token belongs to the words that it begins, otherwise to the one that it continues.
        so_far = tokenizer.decode(tokens[: i + 1], skip_special_tokens=True)
        now = min(len(so_far.split()), len(words))
        if not now:
            continue  # white space before the first word
        for place in range(min(begun, now - 1), now):
            if place >= begun or now == begun:
                pieces[place].append(heat)
        begun = max(begun, now)
    found = zip(words, pieces, strict=True)
    return CaptionAttention(
        text, tuple((word, torch.stack(each).mean(dim=0)) for word, each in found)
    )
