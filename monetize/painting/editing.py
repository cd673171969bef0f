"""A request and an edited prompt → the request of the edited painting."""

from dataclasses import replace

from transformers import CLIPTokenizer

from monetize.errors import UsageError
from monetize.painting.request import Edit, PaintRequest
from monetize.prompts.edits import Alignment, align
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh, weigh_strictly
from monetize.prompts.weights import Weight
from monetize.prompts.words import words
from monetize.settings import EditSettings


def edited_request(
    tokenizer: CLIPTokenizer, base: PaintRequest, prompt: Prompt, settings: EditSettings
) -> PaintRequest:
    """Return the request for the painting of `base` changed to show another prompt.

    Raises UsageError if nothing would change, for weights without effect, and for words in `only`
    that are in neither prompt.
    """
    weighted = weigh_strictly(tokenizer, prompt)
    alignment = align(base.input_ids, weighted.input_ids, tokenizer.model_max_length)
    limits = [_positions(tokenizer, base, prompt, alignment, phrase) for phrase in settings.only]
    edited = PaintRequest.of_weighted(weighted, prompt, base.seed)
    if edited.input_ids == base.input_ids and edited.token_weights == base.token_weights:
        raise UsageError(
            "the edited painting would be the same, as the painter sees no difference from "
            f"{base.prompt.text!r}: give another --edit, or a --weight other than 1"
        )
    edit = Edit(
        base,
        alignment,
        settings,
        only_in_base=tuple(i for in_base, _ in limits for i in in_base),
        only_in_edited=tuple(i for _, in_edited in limits for i in in_edited),
    )
    return replace(
        base,
        prompt=prompt,
        input_ids=edited.input_ids,
        token_weights=edited.token_weights,
        edit=edit,
    )


def _positions(
    tokenizer: CLIPTokenizer,
    base: PaintRequest,
    prompt: Prompt,
    alignment: Alignment,
    phrase: str,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The positions of a phrase of `only` in both prompts, or of the words it was swapped with."""
    in_base, in_edited = (
        _find(tokenizer, text, phrase) for text in (base.prompt.text, prompt.text)
    )
    if not in_base and not in_edited:
        known = ", ".join(dict.fromkeys(words(f"{base.prompt.text} {prompt.text}")))
        raise UsageError(
            f"--only: {phrase!r} is not in the part of the prompts that the painter sees. "
            f"Their words are: {known}"
        )
    return in_base or alignment.in_base(in_edited), in_edited or alignment.in_edited(in_base)


def _find(tokenizer: CLIPTokenizer, text: str, phrase: str) -> tuple[int, ...]:
    marked = Weight(phrase, 0)
    if marked.position is not None:
        raise UsageError(f"--only {phrase}: give a word or phrase, not a position")
    values = weigh(tokenizer, Prompt(text, (marked,))).values
    return tuple(i for i, value in enumerate(values) if value == 0)
