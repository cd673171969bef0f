"""Words → token positions → weights, as a painter's text encoder counts them; no torch."""

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
    """One BPE piece of a prompt, or weighted padding behind it, with the weight it gets.

    `position` counts from the start token, which is 0. A token that is `cut` lies past the
    text encoder's limit, so that the painter never sees it.
    """

    position: int
    text: str
    weight: float
    cut: bool


@dataclass(frozen=True)
class WeightedPrompt:
    """A prompt as the text encoder sees it.

    `values` has a factor for each of the encoder's positions (77 for CLIP), padding included.
    `missing` are the weights whose words the prompt lacks; `cut` those whose words it has only
    past the limit; `partly_cut` those it has on both sides of it.
    """

    tokens: tuple[Token, ...]
    values: tuple[float, ...]
    missing: tuple[Weight, ...]
    cut: tuple[Weight, ...]
    partly_cut: tuple[Weight, ...]

    @property
    def beyond(self) -> str:
        """The pieces past the limit, in readable form; empty if everything fits."""
        return "".join(
            token.text.replace("</w>", " ") for token in self.tokens if token.cut
        ).strip()

    def cautions(self, what: str = "the prompt", sweeps: Collection[Sweep] = ()) -> list[str]:
        """What the limit does to this text, in words for its author; empty if everything fits."""
        lines = [
            f"{_asked(weight, sweeps)} has only a part of its effect, as it is cut off"
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

    Every BPE piece of every occurrence is weighted. Raises UsageError if two weights fall on
    one token, or if a position is not the encoder's.
    """
    limit = tokenizer.model_max_length
    encoded = tokenizer(prompt.text, return_offsets_mapping=True, verbose=False)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    # The end token always keeps a place: of what is too long, the pieces before it are cut.
    is_cut = [len(ids) > limit and limit - 1 <= i < len(ids) - 1 for i in range(len(ids))]
    owners: dict[int, Weight] = {}
    missing, cut, partly_cut = [], [], []
    for weight in prompt.weights:
        positions = _positions(weight, prompt.text, offsets, limit)
        # A position is one of the encoder's; words are looked for in the whole text.
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
                    f"{str(other)!r} and {str(weight)!r} both weight token {position} of "
                    f"{prompt.text!r}: keep one of them"
                )
    values = [owners[i].value if i in owners else 1.0 for i in range(limit)]
    texts = tokenizer.convert_ids_to_tokens(ids)
    # The end token comes last, after what is cut, and stands at the last position then.
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
    """The token positions of each word: all pieces of all occurrences that the painter sees.

    In the order of the prompt, each word once in any case. A weighted position that belongs to no
    word, such as the start token's, stands behind them as `@0`.
    """
    limit = tokenizer.model_max_length
    encoded = tokenizer(prompt.text, return_offsets_mapping=True, verbose=False)
    # Of what is too long, the end token takes the last place.
    offsets = encoded["offset_mapping"][:-1][: limit - 1]
    found: dict[str, tuple[int, ...]] = {}
    for word in WORD.findall(prompt.text):
        if word.casefold() not in map(str.casefold, found):
            found[word] = tuple(_positions(Weight(word, 1), prompt.text, offsets, limit))
    found = {word: positions for word, positions in found.items() if positions}
    known = {position for positions in found.values() for position in positions}
    named = {weight.position for weight in prompt.weights if weight.position is not None}
    return {**found, **{f"@{position}": (position,) for position in sorted(named - known)}}


def _asked(weight: Weight, sweeps: Collection[Sweep]) -> str:
    """The flag by which a weight was asked for."""
    for sweep in sweeps:
        if sweep.phrase == weight.phrase:
            return f"--sweep {str(sweep)!r}"
    return f"--weight {str(weight)!r}"


def weigh_strictly(
    tokenizer: CLIPTokenizer, prompt: Prompt, sweeps: Collection[Sweep] = ()
) -> WeightedPrompt:
    """As `weigh`, for one prompt whose author means every weight to act.

    `sweeps` are those that some of its weights come from. Raises UsageError for a weight whose
    word is not in the prompt or is past the limit.
    """
    weighted = weigh(tokenizer, prompt)
    words = dict.fromkeys(WORD.findall(prompt.text))
    for weight in weighted.missing:
        raise UsageError(
            f"{_asked(weight, sweeps)}: {weight.phrase!r} is not in the prompt. "
            f"Its words are: {', '.join(words)}"
        )
    for weight in weighted.cut:
        raise UsageError(
            f"{_asked(weight, sweeps)}: the prompt is longer than the "
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
                f"--weight {str(weight)!r}: positions go from @0, the start token, to @{limit - 1}"
            )
        return [weight.position]
    spans = weight.spans(text)
    return [
        position
        for position, (start, end) in enumerate(offsets)
        if any(start < span_end and span_start < end for span_start, span_end in spans)
    ]
