"""Prompts: a caption and a style, with the weights of words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.style import fill_style
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


def compose(
    caption: str,
    style: str,
    weights: Iterable[Weight] = (),
    names: Mapping[str, str] | None = None,
) -> Prompt:
    """Put caption and style together, and keep the weights whose words occur in the result.

    `names` are the values of a template's other fields; see `fill_style`.
    """
    text = fill_style(style, caption, names)
    return Prompt(text, tuple(weight for weight in weights if weight.applies_to(text)))
