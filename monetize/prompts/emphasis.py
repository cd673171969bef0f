"""Text whose parts have factors, as other programs' prompt syntaxes give them."""

import math
from dataclasses import dataclass

from monetize.errors import UsageError

MAX_DEPTH = 100  # of brackets in brackets
DECIMALS = 6  # of a factor: 1.1 × 1.1 is 1.21


@dataclass(frozen=True)
class Emphasis:
    """The factor of the characters [start, end) of a prompt."""

    start: int
    end: int
    factor: float


@dataclass(frozen=True)
class MarkedText:
    """A text without its syntax, and the factors of its parts other than 1, in order."""

    text: str
    emphasis: tuple[Emphasis, ...] = ()


class MarkedTextBuilder:
    """Collects text from left to right; a closed bracket multiplies what was added inside it."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._factors: list[float] = []

    def add(self, text: str, factor: float = 1.0) -> None:
        """Append text."""
        self._texts.append(text)
        self._factors.append(factor)

    @property
    def place(self) -> int:
        """Where the next text goes, for `multiply` and `replace`."""
        return len(self._texts)

    def multiply(self, place: int, factor: float) -> None:
        """Multiply the factors of all text since a place."""
        for i in range(place, len(self._factors)):
            self._factors[i] *= factor

    def replace(self, place: int, text: str) -> None:
        """Replace the text that was added at a place."""
        self._texts[place] = text

    def build(self) -> MarkedText:
        """Join the text, with a space between words of different factors.

        Other programs tokenize each part alone, so their words do not grow together either. Raises
        UsageError for a factor that is not finite.
        """
        text, emphasis = "", list[Emphasis]()
        for part, factor in self._merged():
            if text[-1:].isalnum() and part[0].isalnum():
                text += " "
            if factor != 1:
                emphasis.append(Emphasis(len(text), len(text) + len(part), factor))
            text += part
        return MarkedText(text, tuple(emphasis))

    def _merged(self) -> list[tuple[str, float]]:
        """Parts with their rounded factors, where neighbors of the same factor are one part."""
        merged: list[tuple[str, float]] = []
        for text, exact in zip(self._texts, self._factors, strict=True):
            if not text:
                continue
            if not math.isfinite(exact):
                raise UsageError(f"the weight of {text!r} is not a finite number")
            factor = round(exact, DECIMALS)
            if merged and merged[-1][1] == factor:
                merged[-1] = (merged[-1][0] + text, factor)
            else:
                merged.append((text, factor))
        return merged


def parse_factor(number: str) -> float:
    """Parse the number of a weight; raises UsageError."""
    try:
        return float(number)
    except ValueError:
        raise UsageError(f"the weight {number[:20]!r} in the prompt is not a number") from None


def check_depth(depth: int) -> None:
    """Raise UsageError for too many open brackets."""
    if depth > MAX_DEPTH:
        raise UsageError(f"more than {MAX_DEPTH} brackets are open at once in the prompt")
