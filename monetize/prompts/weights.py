"""Weights of words, phrases and token positions, and the syntax of `--weight`."""

import math
import re
from dataclasses import dataclass

from monetize.errors import UsageError

WEIGHT_FORM = 'write WORD=NUMBER, "SOME WORDS=NUMBER" or @POSITION=NUMBER, such as pine=-1'


@dataclass(frozen=True)
class Weight:
    """The factor of a word, phrase or token position in every cross-attention layer.

    1 changes nothing, 0 mutes the word, a negative number pushes away from it.
    """

    phrase: str
    value: float

    @property
    def position(self) -> int | None:
        """The token position of a phrase such as `@6` (the start token is 0), None for words."""
        match = re.fullmatch(r"@([0-9]{1,9})", self.phrase)
        return int(match[1]) if match else None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the character range [start, end) of every occurrence in text, as whole words.

        Case and Unicode forms are ignored, and any white space may separate words.
        """
        from monetize.prompts.words import find_phrase  # not needed for --help

        return find_phrase(self.phrase, text)

    def applies_to(self, text: str) -> bool:
        """Return whether text contains the word or phrase; a position applies to every text."""
        return self.position is not None or bool(self.spans(text))

    def __str__(self) -> str:
        return f"{self.phrase}={format_number(self.value)}"


def format_number(value: float) -> str:
    """Return a number without a needless decimal point: -1, 0.1, 1e-09."""
    return repr(value).removesuffix(".0")


def split_weights(text: str) -> list[str]:
    """Split weights at commas; a part without a number belongs to the phrase that follows."""
    weights, phrase = [], ""
    for part in text.split(", ") if text else ():
        phrase += part
        if "=" in part:
            weights.append(phrase)
            phrase = ""
        else:
            phrase += ", "
    return [*weights, phrase] if phrase else weights


def parse_weight(text: str) -> Weight:
    """Parse `pine=-1`, `red sun=2` or `@6=-17`.

    Raises UsageError unless the text has a phrase and a finite number.
    """
    phrase, _, number = text.rpartition("=")
    phrase = " ".join(phrase.split())
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not phrase or not math.isfinite(value):
        raise UsageError(f"{text!r} is not a weight: {WEIGHT_FORM}")
    return Weight(phrase, value)
