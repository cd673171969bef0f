"""What is painted: caption + style → `Prompt`; the grammar of `--weight`, `--sweep`; pure text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.weights import Weight

# What stands for bytes that are no valid UTF-8 where Python reads names and arguments.
UNDECODED = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words."""

    text: str
    weights: tuple[Weight, ...] = ()


def check_text(text: str) -> None:
    """Raise UsageError for an argument whose bytes were no valid UTF-8."""
    if UNDECODED.search(text):
        raise UsageError(f"the prompt {printable(text)} is not valid UTF-8")


def compose(caption: str, style: str, weights: Iterable[Weight] = ()) -> Prompt:
    """Join caption and style by a space and keep the weights whose words the result has."""
    text = " ".join(part.strip() for part in (caption, style) if part.strip())
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
