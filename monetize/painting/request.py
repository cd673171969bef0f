"""What one painting is made from, from the plan of a job to the denoising loop."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import CLIPTokenizer

from monetize.image_sizes import Pixels
from monetize.prompts.edits import Alignment
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import WeightedPrompt, weigh
from monetize.settings import EditSettings
from monetize.stores.remote_path import AnyPath


@dataclass(frozen=True)
class PaintRequest:
    """One painting to make.

    `input_ids` are the prompt's tokens with start and end, cut to the text encoder's limit and
    without padding. `token_weights` has a factor for each of the encoder's text positions (77 for
    CLIP), padding included; None where every factor is 1. `init_image` is the file of a photo to
    start from, opened when it is painted; None starts from noise. `size` is the width and height
    in pixels; None is the painter's. A request with an `edit` directly follows its base in a batch.
    """

    prompt: Prompt
    seed: int
    input_ids: tuple[int, ...]
    token_weights: tuple[float, ...] | None = None
    init_image: AnyPath | None = None
    size: Pixels | None = None
    edit: "Edit | None" = None

    @classmethod
    def of(
        cls,
        tokenizer: CLIPTokenizer,
        prompt: Prompt,
        seed: int,
        init_image: AnyPath | None = None,
        size: Pixels | None = None,
    ) -> "PaintRequest":
        """Tokenize a prompt; raises UsageError like `tokens.weigh`."""
        return cls.of_weighted(weigh(tokenizer, prompt), prompt, seed, init_image, size)

    @classmethod
    def of_weighted(
        cls,
        weighted: WeightedPrompt,
        prompt: Prompt,
        seed: int,
        init_image: AnyPath | None = None,
        size: Pixels | None = None,
    ) -> "PaintRequest":
        """Make a request from a prompt that is already tokenized."""
        weights = weighted.values if any(value != 1 for value in weighted.values) else None
        return cls(prompt, seed, weighted.input_ids, weights, init_image, size)


@dataclass(frozen=True)
class Edit:
    """What ties an edited painting to that of its base prompt.

    `only_in_base` and `only_in_edited` are the text positions of the words that limit the change,
    in each prompt; both are empty if nothing limits it.
    """

    base: PaintRequest
    alignment: Alignment
    settings: EditSettings
    only_in_base: tuple[int, ...] = ()
    only_in_edited: tuple[int, ...] = ()

    def metadata(self) -> dict[str, str]:
        """The base and the settings as they are written into the edited painting's file."""
        settings = self.settings
        pairs = {
            "Base prompt": self.base.prompt.written,
            "Keep words": str(settings.keep_words),
            "Keep layout": f"{settings.keep_layout} at {settings.keep_layout_at}",
        }
        return pairs | ({"Only": ", ".join(settings.only)} if settings.only else {})


def edits_of(requests: Sequence[PaintRequest]) -> dict[int, Edit]:
    """Return a batch's edits by index; raises ValueError unless each follows its base."""
    edits = {i: request.edit for i, request in enumerate(requests) if request.edit is not None}
    for i, edit in edits.items():
        if i == 0 or requests[i - 1] != edit.base:
            raise ValueError(f"request {i} is an edit, but does not follow its base")
    return edits
