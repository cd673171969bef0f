"""What is painted: caption + style → `Prompt`; the grammar of `--weight`, `--sweep`; pure text."""

import decimal
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from monetize.errors import UsageError, printable

# What stands for bytes that are no valid UTF-8 where Python reads names and arguments.
UNDECODED = re.compile("[\ud800-\udfff]")
WEIGHT_FORM = 'write WORD=NUMBER, "SOME WORDS=NUMBER" or @POSITION=NUMBER, such as pine=-1'
SWEEP_FORM = "write WORD=START:STOP:STEP, such as pine=-2:2:1"
MOST_PICTURES = 100  # of one sweep, and those that --heatmap makes sheets for


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
        return f"{self.phrase}={plain(self.value)}"


@dataclass(frozen=True)
class Sweep:
    """The weights that a word, phrase or position gets in turn; `text` is how it was asked for."""

    phrase: str
    values: tuple[float, ...]
    text: str

    @property
    def weights(self) -> tuple[Weight, ...]:
        """A weight for each value."""
        return tuple(Weight(self.phrase, value) for value in self.values)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words."""

    text: str
    weights: tuple[Weight, ...] = ()


def plain(value: float) -> str:
    """A number as one would write it: -1, 0.1, 1e-09."""
    return repr(value).removesuffix(".0")


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


def parse_sweep(text: str) -> Sweep:
    """Read `pine=-2:2:1`: the weights -2, -1, 0, 1 and 2; STOP is one if a step falls on it.

    Counts in decimals, so that 0:1:0.1 is eleven weights, 0.3 among them. Raises UsageError for
    what is no sweep, goes nowhere or is too many pictures.
    """
    phrase, _, numbers = text.rpartition("=")
    phrase = " ".join(phrase.split())
    try:
        start, stop, step = (Decimal(number) for number in numbers.split(":"))
    except (ValueError, decimal.InvalidOperation):
        raise UsageError(f"{text!r} is not a sweep: {SWEEP_FORM}") from None
    finite = all(each.is_finite() and math.isfinite(each) for each in (start, stop, step))
    if not phrase or not finite:
        raise UsageError(f"{text!r} is not a sweep: {SWEEP_FORM}")
    if step == 0:
        raise UsageError(f"{text!r}: a step of 0 leads nowhere: {SWEEP_FORM}")
    if (stop - start) * step < 0:
        raise UsageError(
            f"{text!r}: steps of {step} lead away from {stop}: give {-step} as the step"
        )
    if abs(stop - start) >= abs(step) * MOST_PICTURES:
        raise UsageError(
            f"{text!r}: more than {MOST_PICTURES} pictures: give a larger step than {step}"
        )
    count = int((stop - start) / step) + 1
    # Adding 0.0 makes a 0 of -0.
    values = tuple(float(start + i * step) + 0.0 for i in range(count))
    return Sweep(phrase, values, f"{phrase}={numbers}")


def compose(caption: str, style: str, weights: Iterable[Weight] = ()) -> Prompt:
    """Join caption and style by a space and keep the weights whose words the result has."""
    text = " ".join(part.strip() for part in (caption, style) if part.strip())
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
