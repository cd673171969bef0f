"""Prompts: a caption and a style, with the weights of words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from monetize.errors import UsageError
from monetize.messages import printable
from monetize.prompts.emphasis import Emphasis
from monetize.prompts.style import fill_style
from monetize.prompts.syntax import PLAIN, escape, parse_prompt
from monetize.prompts.weights import Weight, format_number
from monetize.text_files import UNDECODED, decode, lines, without_marks


@dataclass(frozen=True)
class Prompt:
    """A sentence to paint and the weights of its words.

    `text` is what the text encoder reads. A `source` in another program's syntax also gave parts of
    it an `emphasis`, a factor that multiplies the weights.
    """

    text: str
    weights: tuple[Weight, ...] = ()
    emphasis: tuple[Emphasis, ...] = ()
    source: str = ""

    @classmethod
    def parse(cls, source: str, weights: Iterable[Weight] = (), syntax: str = PLAIN) -> "Prompt":
        """Parse a prompt as it was written; raises UsageError for a mistake in its syntax."""
        marked = parse_prompt(source, syntax)
        written = "" if source == marked.text else source
        return cls(marked.text, tuple(weights), marked.emphasis, written)

    @property
    def written(self) -> str:
        """The prompt as it was written, in its syntax."""
        return self.source or self.text

    @property
    def is_weighted(self) -> bool:
        """Whether there are weights, in whatever syntax."""
        return bool(self.weights or self.emphasis)

    @property
    def weight_texts(self) -> list[str]:
        """The weights in words: pine=2, "red sun" × 1.2."""
        parts = [(self.text[each.start : each.end].strip(), each) for each in self.emphasis]
        factors = [f'"{part}" × {format_number(each.factor)}' for part, each in parts if part]
        return [*map(str, self.weights), *factors]

    def without_weights(self, syntax: str) -> "Prompt":
        """The same text, written in this syntax, without weights."""
        return Prompt.parse(escape(self.text, syntax), (), syntax)


def read_prompt(argument: str) -> str:
    """Return a prompt from the command line, without a byte order mark that a file left in it.

    Raises UsageError if it was not valid UTF-8.
    """
    if UNDECODED.search(argument):
        raise UsageError(f"the prompt {printable(argument)} is not valid UTF-8")
    return without_marks(argument)


def read_prompts(data: bytes, source: str) -> list[str]:
    """Return the prompts in a text file, one per line; raises UsageError if it is not text.

    `source` is what a message calls the file.
    """
    try:
        return [line.strip() for line in lines(decode(data)) if line.strip()]
    except UnicodeError as error:
        raise UsageError(f"{source}: {error}") from None


def compose(
    caption: str,
    style: str,
    weights: Iterable[Weight] = (),
    names: Mapping[str, str] | None = None,
    syntax: str = PLAIN,
) -> Prompt:
    """Put caption and style together, and keep the weights whose words occur in the result.

    `names` are the values of a template's other fields; see `fill_style`. Unlike a caption, which a
    person may have written, they are plain text in every syntax. Raises UsageError for a mistake in
    the syntax of the result.
    """
    plain = {field: escape(name, syntax) for field, name in (names or {}).items()}
    prompt = Prompt.parse(fill_style(style, caption, plain), (), syntax)
    kept = tuple(weight for weight in weights if weight.applies_to(prompt.text))
    return replace(prompt, weights=kept)
