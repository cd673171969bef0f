"""Prompts: a caption and a style, with the weights of words."""

from collections.abc import Iterable
from dataclasses import dataclass

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.weights import Weight
from monetize.text_files import UNDECODED, decode, lines, without_marks


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words."""

    text: str
    weights: tuple[Weight, ...] = ()


def read_prompt(argument: str) -> str:
    """Return a prompt from the command line, without a byte order mark that a file left in it.

    Raises UsageError if it was not valid UTF-8.
    """
    if UNDECODED.search(argument):
        raise UsageError(f"the prompt {printable(argument)} is not valid UTF-8")
    return without_marks(argument)


def read_prompts(data: bytes) -> list[str]:
    """Return the prompts in a text file, one per line; raises UsageError if it is not text."""
    try:
        return [line.strip() for line in lines(decode(data)) if line.strip()]
    except UnicodeError as error:
        raise UsageError(f"the prompts: {error}") from None


def compose(caption: str, style: str, weights: Iterable[Weight] = ()) -> Prompt:
    """Join caption and style with a space, and keep the weights whose words occur in the result."""
    text = " ".join(part.strip() for part in (caption, style) if part.strip())
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
