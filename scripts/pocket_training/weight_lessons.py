"""Prompts → weighted prompts to learn from, so that weights of 0 and less mean what users expect.

A token weight multiplies the values of cross-attention, which plain training never shows a UNet.
A word that weighs 0 should say nothing about the picture, one with a negative weight that the
picture is without it. So words of other prompts are added with these weights, and sometimes a word
of the prompt itself weighs 0: otherwise 0 would mean "without it", too.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from pocket_training.metrics import content_words

# Shares of the prompts.
ADDED_NEGATIVE, ADDED_MUTED, OWN_MUTED = 0.15, 0.1, 0.05


class WeightLessons:
    """Gives some prompts a weighted word.

    `prompts` tell which words say what is seen; words of several tokens are left out.
    """

    def __init__(self, tokenizer: CLIPTokenizer, prompts: Iterable[str]) -> None:
        assert tokenizer.eos_token_id is not None  # CLIP has one
        self._end = tokenizer.eos_token_id
        self._content = torch.zeros(len(tokenizer), dtype=torch.bool)
        for word in {word for prompt in prompts for word in content_words(prompt)}:
            tokens = tokenizer(word, add_special_tokens=False).input_ids
            if len(tokens) == 1:
                self._content[tokens] = True

    def draw(self, prompts: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Token ids (batch, tokens) → such with added words, and weights (batch, tokens, 1)."""
        drawn, weights = prompts.clone(), torch.ones(*prompts.shape, 1)
        kinds, values = torch.rand(2, len(prompts), generator=generator)
        others = torch.randperm(len(prompts), generator=generator)
        for i, (kind, value) in enumerate(zip(kinds.tolist(), values.tolist(), strict=True)):
            if kind < ADDED_NEGATIVE + ADDED_MUTED:
                word = self._any_of(prompts[others[i]], generator)
                if word is not None and (at := self._insert(drawn[i], word, generator)):
                    weights[i, at] = -value if kind < ADDED_NEGATIVE else 0
            elif kind < ADDED_NEGATIVE + ADDED_MUTED + OWN_MUTED:
                word = self._any_of(prompts[i], generator)
                if word is not None:
                    weights[i, prompts[i] == word] = 0
        return drawn, weights

    def _any_of(self, prompt: Tensor, generator: torch.Generator) -> int | None:
        """Draw one of a prompt's words."""
        words = prompt[self._content[prompt]]
        if not len(words):
            return None
        return int(words[torch.randint(len(words), (), generator=generator)])

    def _insert(self, prompt: Tensor, word: int, generator: torch.Generator) -> int | None:
        """Add a word anywhere in a prompt; return its position, or None if that has it already."""
        if (prompt == word).any():
            return None
        end = int((prompt == self._end).nonzero()[0])
        at = int(torch.randint(1, end + 1, (), generator=generator))
        prompt[at + 1 :] = prompt[at:-1].clone()
        prompt[at] = word
        return at
