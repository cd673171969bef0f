"""One prompt with weights that vary → its grid of prompts, names of its files, and its sheet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from monetize.errors import UsageError
from monetize.prompts.prompt import MOST_PICTURES, Prompt, Sweep, Weight, plain
from monetize.sheets.layout import Cell, in_lines, readable, sheet

LARGEST_CELL = 512  # pixels
LONGEST_PHRASE = 20  # characters of it in a file's name


@dataclass(frozen=True)
class Grid:
    """A prompt for each combination of one or two sweeps' weights, row by row.

    The first sweep is the columns, the second the rows; `fixed` weights stay as they are.
    """

    text: str
    fixed: tuple[Weight, ...]
    sweeps: tuple[Sweep, ...]

    def __post_init__(self) -> None:
        if len(self.sweeps) > 2:
            raise UsageError("--sweep is given more than twice: a sheet has columns and rows only")
        phrases = [sweep.phrase.casefold() for sweep in self.sweeps]
        if len(set(phrases)) < len(phrases):
            raise UsageError(f"--sweep {self.sweeps[0].phrase!r} is given more than once")
        for weight in self.fixed:
            if weight.phrase.casefold() in phrases:
                raise UsageError(
                    f"--weight {str(weight)!r}: {weight.phrase!r} is swept: leave one of --weight "
                    "and --sweep out"
                )
        if len(self.prompts) > MOST_PICTURES:
            sizes = " × ".join(str(len(sweep.values)) for sweep in self.sweeps)
            raise UsageError(
                f"--sweep: {sizes} are more than {MOST_PICTURES} pictures: give larger steps"
            )

    @property
    def varied(self) -> list[tuple[Weight, ...]]:
        """The swept weights of each picture."""
        columns, *rows = (sweep.weights for sweep in self.sweeps)
        if not rows:
            return [(column,) for column in columns]
        return [(column, row) for row in rows[0] for column in columns]

    @property
    def prompts(self) -> list[Prompt]:
        """What to paint for each picture."""
        return [Prompt(self.text, self.fixed + varied) for varied in self.varied]

    def kept(self, output: Path) -> list[Path]:
        """A file for each picture beside the sheet: sheet_pine=-2_sun=0.5.png."""
        names = ["_".join(map(_name, varied)) for varied in self.varied]
        return [output.with_name(f"{output.stem}_{name}{output.suffix}") for name in names]

    def draw(self, pictures: Sequence[Image.Image], seed: int) -> Image.Image:
        """The sheet of the pictures; weights are written at columns and rows, or beneath."""
        title = f"{self.text}\nseed {seed}"
        if self.fixed:
            title += f", weights {', '.join(map(label, self.fixed))}"
        shown = [readable(picture, LARGEST_CELL) for picture in pictures]
        columns, *rows = (sweep.weights for sweep in self.sweeps)
        if not rows:
            cells = [
                Cell((picture,), label(weight))
                for picture, weight in zip(shown, columns, strict=True)
            ]
            return sheet(in_lines(cells), title=title)
        across = len(columns)
        return sheet(
            [
                [Cell((picture,)) for picture in shown[start : start + across]]
                for start in range(0, len(shown), across)
            ],
            title=title,
            columns=[label(weight) for weight in columns],
            rows=[label(weight) for weight in rows[0]],
        )


def _name(weight: Weight) -> str:
    """A weight as a part of a file's name."""
    phrase = re.sub(r"[^\w@]+", "-", weight.phrase)[:LONGEST_PHRASE]
    return f"{phrase}={plain(weight.value)}"


def label(weight: Weight) -> str:
    """A weight as the sheets write it."""
    return f"{weight.phrase} = {plain(weight.value)}"
