"""Finding the token positions of weighted words, as a painter's text encoder counts them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count

from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.emphasis import Emphasis
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Sweep
from monetize.prompts.weights import Weight
from monetize.prompts.words import fold, words

END_OF_WORD = "</w>"
# BPE vocabularies write each byte of UTF-8 as a letter of its own.
BYTE_OF_LETTER = {letter: byte for byte, letter in bytes_to_unicode().items()}


@dataclass(frozen=True)
class Token:
    """A BPE piece of a prompt with its weight.

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

    `input_ids` are its tokens with start and end, cut to the encoder's limit. `values` has a
    factor for each of the encoder's positions (77 for CLIP), including padding.
    `missing` has the weights whose words or positions the prompt does not have, `cut` those whose
    words occur only past the limit, `partly_cut` those whose words occur on both sides of it.
    `beyond` is the text past the limit, empty if everything fits.
    """

    tokens: tuple[Token, ...]
    input_ids: tuple[int, ...]
    values: tuple[float, ...]
    missing: tuple[Weight, ...]
    cut: tuple[Weight, ...]
    partly_cut: tuple[Weight, ...]
    beyond: str

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

    Every BPE piece of every occurrence is weighted, times the emphasis on it. Raises UsageError if
    two weights apply to the same token, or if a position is out of range.
    """
    limit = tokenizer.model_max_length
    ids, offsets = _encode(tokenizer, prompt.text)
    # The end token always keeps a position: a prompt that is too long loses the pieces before it.
    is_cut = [len(ids) > limit and limit - 1 <= i < len(ids) - 1 for i in range(len(ids))]
    owners: dict[int, Weight] = {}
    missing, cut, partly_cut = [], [], []
    for weight in prompt.weights:
        _check_range(weight, limit)
        positions = _positions(weight, prompt.text, offsets, last=min(len(ids), limit) - 1)
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
    for position, offset in enumerate(offsets[:limit]):
        if not is_cut[position]:
            values[position] *= _factor(prompt.emphasis, *offset)
    texts = map(_readable, tokenizer.convert_ids_to_tokens(ids))
    # The end token comes last, after the pieces that are cut; the last position is then its own.
    places = [*range(len(ids) - 1), min(len(ids), limit) - 1]
    tokens = [
        Token(place, text, 1.0 if gone else values[place], gone)
        for place, text, gone in zip(places, texts, is_cut, strict=True)
    ]
    kept = tuple(each for each, gone in zip(ids, is_cut, strict=True) if not gone)
    past = [offset for offset, gone in zip(offsets, is_cut, strict=True) if gone]
    return WeightedPrompt(
        tuple(tokens),
        kept,
        tuple(values),
        tuple(missing),
        tuple(cut),
        tuple(partly_cut),
        beyond=prompt.text[past[0][0] : past[-1][1]] if past else "",
    )


def vector_token(token: str, i: int) -> str:
    """The tokenizer's entry for vector number i of an embedding's token, which is the first's."""
    return f"{token}[{i + 1}]" if i else token


def _encode(tokenizer: CLIPTokenizer, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Tokenize a text into ids and character ranges; an embedding's token has one per vector."""
    encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
    added = tokenizer.get_added_vocab()
    further = {
        first: [added[name] for name in _further(token, added)] for token, first in added.items()
    }
    ids: list[int] = []
    offsets: list[tuple[int, int]] = []
    for each, offset in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        vectors = [each, *further.get(each, ())]
        ids += vectors
        offsets += [offset] * len(vectors)
    return ids, offsets


def _further(token: str, added: Mapping[str, int]) -> Iterator[str]:
    """Yield the entries of the second vector and those after it."""
    for i in count(1):
        name = vector_token(token, i)
        if name not in added:
            return
        yield name


def _factor(emphasis: Sequence[Emphasis], start: int, end: int) -> float:
    """Return the factor of the characters [start, end), which those that it begins in decide."""
    return next((e.factor for e in emphasis if e.start < end and start < e.end), 1.0)


@cache  # a vocabulary is small, and a job's prompts are many
def _readable(token: str) -> str:
    """Return a BPE piece with letters in place of their bytes; a part of a letter is escaped."""
    piece = token.removesuffix(END_OF_WORD)
    if not set(piece) <= BYTE_OF_LETTER.keys():
        return token
    text = bytes(BYTE_OF_LETTER[letter] for letter in piece).decode(errors="backslashreplace")
    return printable(text) + token[len(piece) :]


def word_positions(tokenizer: CLIPTokenizer, prompt: Prompt) -> dict[str, tuple[int, ...]]:
    """Return the token positions of each word: all pieces of all occurrences within the limit.

    Words are in the order of the prompt, each once whatever its case. Weighted punctuation and
    positions that belong to no word, such as `!` and the start token `@0`, follow.
    """
    limit = tokenizer.model_max_length
    _, all_offsets = _encode(tokenizer, prompt.text)
    # The end token takes the last position of a prompt that is too long.
    offsets = all_offsets[:-1][: limit - 1]
    each_once: dict[str, str] = {}
    for word in words(prompt.text):
        each_once.setdefault(fold(word), word)
    found: dict[str, tuple[int, ...]] = {}
    known: set[int] = set()
    for phrase in (*each_once.values(), *(weight.phrase for weight in prompt.weights)):
        positions = _positions(Weight(phrase, 1), prompt.text, offsets, last=len(offsets))
        if not known.issuperset(positions) or (positions and phrase in each_once.values()):
            found[phrase] = tuple(positions)
            known.update(positions)
    return found


def _flag_of(weight: Weight, sweeps: Collection[Sweep]) -> str:
    """Return the flag that a weight comes from."""
    for sweep in sweeps:
        if sweep.phrase == weight.phrase:
            return f"--sweep {str(sweep)!r}"
    return f"--weight {str(weight)!r}"


def weigh_strictly(
    tokenizer: CLIPTokenizer, prompt: Prompt, sweeps: Collection[Sweep] = ()
) -> WeightedPrompt:
    """Like `weigh`, but refuse weights without effect.

    `sweeps` are those that some of the weights come from. Raises UsageError for a weight whose
    words are not in the prompt or are past the limit.
    """
    weighted = weigh(tokenizer, prompt)
    for weight in weighted.missing:
        if weight.phrase == "seed" and sweeps:
            raise UsageError(
                f"{_flag_of(weight, sweeps)}: seed takes START:STOP, such as seed=1:4; with a step "
                "it is a word, and 'seed' is not in the prompt"
            )
        last = max(token.position for token in weighted.tokens)
        raise UsageError(
            f"{_flag_of(weight, sweeps)}: {weight.phrase!r} is not in the prompt. Its "
            + (
                f"words are: {', '.join(dict.fromkeys(words(prompt.text)))}"
                if weight.position is None
                else f"positions are @0, the start token, to @{last}, the end token"
            )
        )
    for weight in weighted.cut:
        raise UsageError(
            f"{_flag_of(weight, sweeps)}: the prompt is longer than the "
            f"{tokenizer.model_max_length} tokens that the painter sees, and {weight.phrase!r} is "
            f"in the part that is cut: {weighted.beyond!r}. Shorten the prompt."
        )
    return weighted


def _check_range(weight: Weight, limit: int) -> None:
    if weight.position is not None and weight.position >= limit:
        raise UsageError(
            f"--weight {str(weight)!r}: positions range from @0, the start token, to @{limit - 1}"
        )


def _positions(
    weight: Weight, text: str, offsets: Sequence[tuple[int, int]], *, last: int
) -> list[int]:
    """Return the positions of a weight; `last` is the end token's, after which is padding."""
    if weight.position is not None:
        return [weight.position] if weight.position <= last else []
    spans = weight.spans(text)
    return [
        position
        for position, (start, end) in enumerate(offsets)
        if any(start < span_end and span_start < end for span_start, span_end in spans)
    ]
