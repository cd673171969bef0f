"""Captions rewarded for naming what is there, by the metric of the evaluation.

Rennie et al., "Self-critical Sequence Training for Image Captioning" (CVPR 2017); a caption is
compared with the others that were drawn for the same photo (Kool et al., ICLR 2019 workshop).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedTokenizerBase

from pocket_training.metrics import content_f1

DRAWN = 4  # captions of each photo


def rewarded(
    decoder: GPT2LMHeadModel,
    hidden: Tensor,
    truth: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    length: int,
    generator: torch.Generator,
) -> Tensor:
    """A loss that makes captions likelier if they score better than others of their photo.

    `hidden` are the encoder's states of the photos (batch, places, width), `truth` their captions.
    A caption's score is the F1 of its content words.
    """
    hidden = hidden.repeat_interleave(DRAWN, dim=0)
    tokens = _drawn(decoder, hidden, tokenizer.eos_token_id, length, generator)
    predicted = tokenizer.batch_decode(tokens, skip_special_tokens=True)
    scores = content_f1(predicted, [caption for caption in truth for _ in range(DRAWN)])
    score = torch.tensor(scores, dtype=torch.float32).view(-1, DRAWN)
    others = (score.sum(1, keepdim=True) - score) / (DRAWN - 1)
    advantage = (score - others).flatten().to(hidden.device)
    logits = decoder(input_ids=tokens[:, :-1], encoder_hidden_states=hidden).logits
    losses = functional.cross_entropy(logits.float().mT, tokens[:, 1:], reduction="none")
    # Whatever follows the first end token is not part of the caption.
    ended = (tokens[:, 1:] == tokenizer.eos_token_id).cumsum(1)
    spoken = (ended - (tokens[:, 1:] == tokenizer.eos_token_id).int()) == 0
    loss: Tensor = (advantage[:, None] * losses * spoken).sum() / spoken.sum()
    return loss


@torch.no_grad()
def _drawn(
    decoder: GPT2LMHeadModel, hidden: Tensor, end: int, length: int, generator: torch.Generator
) -> Tensor:
    """Captions sampled token by token, (batch, 1 + length), padded with end tokens."""
    tokens = torch.full((len(hidden), 1), end, device=hidden.device)
    kept = None
    for _ in range(length):
        output = decoder(
            input_ids=tokens[:, -1:],
            encoder_hidden_states=hidden,
            past_key_values=kept,
            use_cache=True,
        )
        kept = output.past_key_values
        chances = output.logits[:, -1].float().softmax(1).cpu()
        following = torch.multinomial(chances, 1, generator=generator).to(tokens.device)
        if tokens.shape[1] > 1:
            following[tokens[:, -1] == end] = end
        tokens = torch.cat([tokens, following], dim=1)
        if (following == end).all():
            break
    return tokens
