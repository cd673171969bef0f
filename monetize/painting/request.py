"""What one painting is made from, from the plan of a job to the denoising loop."""

from dataclasses import dataclass
from pathlib import Path

from transformers import CLIPTokenizer

from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import WeightedPrompt, weigh


@dataclass(frozen=True)
class PaintRequest:
    """One painting to make.

    `input_ids` are the prompt's tokens with start and end, cut to the text encoder's limit and
    without padding. `token_weights` has a factor for each of the encoder's text positions (77 for
    CLIP), padding included; None where every factor is 1. `init_image` is the file of a photo to
    start from, opened when it is painted; None starts from noise.
    """

    prompt: Prompt
    seed: int
    input_ids: tuple[int, ...]
    token_weights: tuple[float, ...] | None = None
    init_image: Path | None = None

    @classmethod
    def of(
        cls, tokenizer: CLIPTokenizer, prompt: Prompt, seed: int, init_image: Path | None = None
    ) -> "PaintRequest":
        """Tokenize a prompt; raises UsageError as `tokens.weigh` does."""
        return cls.of_weighted(weigh(tokenizer, prompt), prompt, seed, init_image)

    @classmethod
    def of_weighted(
        cls, weighted: WeightedPrompt, prompt: Prompt, seed: int, init_image: Path | None = None
    ) -> "PaintRequest":
        """Make the request of a prompt that is tokenized already."""
        weights = weighted.values if any(value != 1 for value in weighted.values) else None
        return cls(prompt, seed, weighted.input_ids, weights, init_image)
