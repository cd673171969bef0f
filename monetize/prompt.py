"""What is painted: caption + style → `Prompt`, and the grammar of `--weight`; pure text."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from monetize.errors import UsageError, printable

# What stands for bytes that are no valid UTF-8 where Python reads names and arguments.
UNDECODED = re.compile("[\ud800-\udfff]")
WEIGHT_FORM = 'write WORD=NUMBER, "SOME WORDS=NUMBER" or @POSITION=NUMBER, such as pine=-1'


@dataclass(frozen=True)
class Weight:
    """The factor of a word, phrase or token position in every cross-attention layer.

    1 leaves a word as it is, 0 mutes it, a negative number pushes away from it.
    """

    phrase: str
    value: float

    @property
    def position(self) -> int | None:
        """The token position that `@6` names (the start token is 0), None for words."""
        match = re.fullmatch(r"@(\d+)", self.phrase)
        return int(match[1]) if match else None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Character ranges [start, end) of every whole-word occurrence in text.

        Case is ignored, and any white space stands between the words of a phrase.
        """
        words = r"\s+".join(re.escape(word) for word in self.phrase.split())
        return [m.span() for m in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE)]

    def applies_to(self, text: str) -> bool:
        """Whether text has the word or phrase; a position applies to every text."""
        return self.position is not None or bool(self.spans(text))

    def __str__(self) -> str:
        return f"{self.phrase}={repr(self.value).removesuffix('.0')}"


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words."""

    text: str
    weights: tuple[Weight, ...] = ()


def check_text(text: str) -> None:
    """Raise UsageError for an argument whose bytes were no valid UTF-8."""
    if UNDECODED.search(text):
        raise UsageError(f"the prompt {printable(text)} is not valid UTF-8")


def parse_weight(text: str) -> Weight:
    """Read `pine=-1`, `red sun=2` or `@6=-17`.

    Raises UsageError unless there is a phrase and a finite number.
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


def compose(caption: str, style: str, weights: Iterable[Weight] = ()) -> Prompt:
    """Join caption and style by a space and keep the weights whose words the result has."""
    text = " ".join(part.strip() for part in (caption, style) if part.strip())
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
