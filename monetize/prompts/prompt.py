"""Prompts: a caption and a style, with the weights of words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.weights import Weight

# Python reads bytes that are not valid UTF-8, in file names and arguments, as these.
UNDECODED = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words."""

    text: str
    weights: tuple[Weight, ...] = ()


def check_text(text: str) -> None:
    """Raise UsageError if a prompt was not valid UTF-8."""
    if UNDECODED.search(text):
        raise UsageError(f"the prompt {printable(text)} is not valid UTF-8")


def compose(caption: str, style: str, weights: Iterable[Weight] = ()) -> Prompt:
    """Join caption and style with a space, and keep the weights whose words occur in the result."""
    text = " ".join(part.strip() for part in (caption, style) if part.strip())
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
