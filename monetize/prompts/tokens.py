"""Finding the token positions of weighted words, as a painter's text encoder counts them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from transformers import CLIPTokenizer

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Sweep
from monetize.prompts.weights import Weight

WORD = re.compile(r"\w(?:[^\s]*\w)?")


@dataclass(frozen=True)
class Token:
    """A BPE piece of a prompt, or weighted padding after it, with its weight.

    `position` counts from the start token, which is 0. A token that is `cut` is past the text
    encoder's limit, so the painter never sees it.
    """

    position: int
    text: str
    weight: float
    cut: bool


@dataclass(frozen=True)
class WeightedPrompt:
    """A prompt as the text encoder sees it.

    `values` has a factor for each of the encoder's positions (77 for CLIP), including padding.
    `missing` has the weights whose words are not in the prompt, `cut` those whose words occur
    only past the limit, `partly_cut` those whose words occur on both sides of it.
    """

    tokens: tuple[Token, ...]
    values: tuple[float, ...]
    missing: tuple[Weight, ...]
    cut: tuple[Weight, ...]
    partly_cut: tuple[Weight, ...]

    @property
    def beyond(self) -> str:
        """The text past the limit; empty if everything fits."""
        return "".join(
            token.text.replace("</w>", " ") for token in self.tokens if token.cut
        ).strip()

    def warnings(self, what: str = "the prompt", sweeps: Collection[Sweep] = ()) -> list[str]:
        """Return a warning for each effect of the limit on this text."""
        lines = [
            f"{_flag_of(weight, sweeps)} acts only in part, as some of its words are cut off"
            for weight in self.partly_cut
        ]
        if self.beyond:
            lines.append(
                f"{what} is longer than the {len(self.values)} tokens that the painter sees; "
                f"this part has no effect: {self.beyond!r}"
            )
        return lines


def weigh(tokenizer: CLIPTokenizer, prompt: Prompt) -> WeightedPrompt:
    """Find the token positions of each weighted word.

    Every BPE piece of every occurrence is weighted. Raises UsageError if two weights apply to
    the same token, or if a position is out of range.
    """
    limit = tokenizer.model_max_length
    encoded = tokenizer(prompt.text, return_offsets_mapping=True, verbose=False)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    # The end token always keeps a position: a prompt that is too long loses the pieces before it.
    is_cut = [len(ids) > limit and limit - 1 <= i < len(ids) - 1 for i in range(len(ids))]
    owners: dict[int, Weight] = {}
    missing, cut, partly_cut = [], [], []
    for weight in prompt.weights:
        positions = _positions(weight, prompt.text, offsets, limit)
        # Words are searched for in the whole text, positions are those of the encoder.
        of_words = weight.position is None
        seen = [i for i in positions if not (of_words and is_cut[i])]
        if not positions:
            missing.append(weight)
        elif not seen:
            cut.append(weight)
        elif len(seen) < len(positions):
            partly_cut.append(weight)
        for position in seen:
            other = owners.setdefault(position, weight)
            if other is not weight:
                raise UsageError(
                    f"{str(other)!r} and {str(weight)!r} both apply to token {position} of "
                    f"{prompt.text!r}: remove one of them"
                )
    values = [owners[i].value if i in owners else 1.0 for i in range(limit)]
    texts = tokenizer.convert_ids_to_tokens(ids)
    # The end token comes last, after the pieces that are cut; the last position is then its own.
    places = [*range(len(ids) - 1), min(len(ids), limit) - 1]
    tokens = [
        Token(place, text, 1.0 if gone else values[place], gone)
        for place, text, gone in zip(places, texts, is_cut, strict=True)
    ]
    padding = sorted(position for position in owners if position >= len(ids))
    tokens += [Token(i, tokenizer.pad_token, values[i], cut=False) for i in padding]
    return WeightedPrompt(
        tuple(tokens), tuple(values), tuple(missing), tuple(cut), tuple(partly_cut)
    )


def word_positions(tokenizer: CLIPTokenizer, prompt: Prompt) -> dict[str, tuple[int, ...]]:
    """Return the token positions of each word: all pieces of all occurrences within the limit.

    Words are in the order of the prompt, each once whatever its case. Weighted positions that
    belong to no word, such as the start token, follow as `@0`.
    """
    limit = tokenizer.model_max_length
    encoded = tokenizer(prompt.text, return_offsets_mapping=True, verbose=False)
    # The end token takes the last position of a prompt that is too long.
    offsets = encoded["offset_mapping"][:-1][: limit - 1]
    found: dict[str, tuple[int, ...]] = {}
    for word in WORD.findall(prompt.text):
        if word.casefold() not in map(str.casefold, found):
            found[word] = tuple(_positions(Weight(word, 1), prompt.text, offsets, limit))
    found = {word: positions for word, positions in found.items() if positions}
    known = {position for positions in found.values() for position in positions}
    named = {weight.position for weight in prompt.weights if weight.position is not None}
    return {**found, **{f"@{position}": (position,) for position in sorted(named - known)}}


def _flag_of(weight: Weight, sweeps: Collection[Sweep]) -> str:
    """Return the flag that a weight comes from."""
    for sweep in sweeps:
        if sweep.phrase == weight.phrase:
            return f"--sweep {str(sweep)!r}"
    return f"--weight {str(weight)!r}"


def weigh_strictly(
    tokenizer: CLIPTokenizer, prompt: Prompt, sweeps: Collection[Sweep] = ()
) -> WeightedPrompt:
    """Do as `weigh`, but refuse weights without effect.

    `sweeps` are those that some of the weights come from. Raises UsageError for a weight whose
    words are not in the prompt or are past the limit.
    """
    weighted = weigh(tokenizer, prompt)
    words = dict.fromkeys(WORD.findall(prompt.text))
    for weight in weighted.missing:
        raise UsageError(
            f"{_flag_of(weight, sweeps)}: {weight.phrase!r} is not in the prompt. "
            f"Its words are: {', '.join(words)}"
        )
    for weight in weighted.cut:
        raise UsageError(
            f"{_flag_of(weight, sweeps)}: the prompt is longer than the "
            f"{tokenizer.model_max_length} tokens that the painter sees, and {weight.phrase!r} is "
            f"in the part that is cut: {weighted.beyond!r}. Shorten the prompt."
        )
    return weighted


def _positions(
    weight: Weight, text: str, offsets: Sequence[tuple[int, int]], limit: int
) -> list[int]:
    if weight.position is not None:
        if weight.position >= limit:
            raise UsageError(
                f"--weight {str(weight)!r}: positions range from @0, the start token, to "
                f"@{limit - 1}"
            )
        return [weight.position]
    spans = weight.spans(text)
    return [
        position
        for position, (start, end) in enumerate(offsets)
        if any(start < span_end and span_start < end for span_start, span_end in spans)
    ]
